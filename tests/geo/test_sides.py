"""A side is told only where it is sure."""

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st

from lightbound.geo.areas import parse_area
from lightbound.geo.borders import packaged_borders
from lightbound.geo.earth import LEAST_RADIUS_M, Position, units
from lightbound.geo.shapes import Area, area_of
from lightbound.geo.sides import Side, sides_of_points


def _area(text: str) -> Area:
    return area_of(parse_area(text), borders=packaged_borders(), drawings={}, border_error_m=2000.0)


def _sides(area: Area, *places: tuple[float, float, float]) -> list[Side]:
    """Sides of (latitude, longitude, error in metres)."""
    at = np.array(places)
    return sides_of_points(units(at[:, 0], at[:, 1]), at[:, 2] / LEAST_RADIUS_M, area)


def test_far_inside_and_far_outside_are_told() -> None:
    assert _sides(_area("CH"), (46.9, 8.2, 20_000), (52.5, 13.4, 20_000)) == [Side.INSIDE, Side.OUTSIDE]
    assert _sides(_area("circle(47,8,100)"), (47, 8, 99_000), (50, 8, 200_000)) == [Side.INSIDE, Side.OUTSIDE]


def test_within_the_error_of_a_border_nothing_is_told() -> None:
    basel, just_inside = (47.56, 7.59, 0.0), (47.40, 7.70, 0.0)
    assert _sides(_area("CH"), basel) == [Side.UNSURE]
    assert _sides(_area("CH"), just_inside, (*just_inside[:2], 20_000)) == [Side.INSIDE, Side.UNSURE]


@given(
    bearing=st.floats(0, 6.28),
    away_km=st.floats(0, 3000),
    radius_km=st.floats(1, 2000),
    error_km=st.floats(0, 500),
)
def test_a_circle_s_side_is_what_the_geodesic_says(
    bearing: float, away_km: float, radius_km: float, error_km: float
) -> None:
    place = Geodesic.WGS84.Direct(10, 20, np.degrees(bearing), away_km * 1000)
    (side,) = _sides(_area(f"circle(10,20,{radius_km!r})"), (place["lat2"], place["lon2"], error_km * 1000))
    if side is Side.INSIDE:
        assert away_km + error_km * 0.99 < radius_km
    elif side is Side.OUTSIDE:
        assert away_km - error_km * 0.99 > radius_km
    if away_km + error_km < 0.98 * radius_km - 1:
        assert side is Side.INSIDE
    if away_km - error_km > 1.02 * radius_km + 1:
        assert side is Side.OUTSIDE


def test_compiled_and_interpreted_sides_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [(latitude, longitude, 5000.0) for latitude in range(18, 54, 3) for longitude in range(73, 135, 5)]
    interpreted = _sides(_area("CN"), *points)
    monkeypatch.setattr("lightbound.geo.sides.COMPILED_FROM_POINTS", 0)
    assert _sides(_area("CN"), *points) == interpreted
    assert set(interpreted) == set(Side)


def test_a_position_over_the_antimeridian_keeps_its_side() -> None:
    assert _sides(_area("circle(-17,179.9,60)"), (-17, -179.9, 1000), (-17, 179.0, 1000)) == [Side.INSIDE, Side.OUTSIDE]


def test_a_position_is_where_its_unit_vector_says() -> None:
    point = np.array([Position(46.9, 8.2).unit()])
    assert sides_of_points(point, np.zeros(1), _area("CH")) == [Side.INSIDE]
