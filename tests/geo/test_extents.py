"""Sizes and boxes of drawn land agree with other people's arithmetic."""

import numpy as np
import pytest
import shapely
from pyproj import Geod

from lightbound.geo.borders import Polygon, packaged_borders
from lightbound.geo.extents import extent_of


def _box(west: float, south: float, east: float, north: float) -> Polygon:
    return (np.array([[west, south], [east, south], [east, north], [west, north], [west, south]], float),)


@pytest.mark.parametrize("code", ["AQ", "CN", "DE", "FJ", "LS", "RU", "SG", "US", "ZA"])
def test_the_area_of_a_country_is_what_another_library_says(code: str) -> None:
    polygons = packaged_borders().polygons(code)
    # With geodesics for edges, which differ from lines straight in longitude and latitude where those are long.
    drawn = shapely.MultiPolygon([shapely.Polygon(polygon[0], polygon[1:]) for polygon in polygons])
    expected_m2, _ = Geod(ellps="WGS84").geometry_area_perimeter(drawn)
    assert extent_of(polygons).area_km2 == pytest.approx(expected_m2 / 1e6, rel=1e-5)


def test_the_area_of_the_earth_is_known() -> None:
    assert extent_of([_box(-180, -90, 180, 90)]).area_km2 == pytest.approx(510_065_621.724, abs=0.01)


def test_a_hole_is_no_area_and_its_corners_count() -> None:
    outer, hole = _box(0, 0, 10, 10), _box(2, 2, 4, 4)
    whole = extent_of([(outer[0], hole[0][::-1])])
    assert whole.area_km2 == pytest.approx(extent_of([outer]).area_km2 - extent_of([hole]).area_km2)
    assert (whole.parts, whole.vertices) == (1, 8)


@pytest.mark.parametrize(
    ("boxes", "west", "east"),
    [
        ([(10, 0, 20, 5), (15, 0, 40, 5)], 10, 40),
        ([(170, 0, 180, 5), (-180, 0, -170, 5)], 170, -170),
        ([(170, 0, 178, 5), (-175, 0, -170, 5)], 170, -170),
        ([(-180, -90, 180, -60), (10, -55, 20, -50)], -180, 180),
        ([(-10, 0, 10, 5)], -10, 10),
    ],
)
def test_the_box_is_the_narrowest_also_across_the_antimeridian(
    boxes: list[tuple[float, float, float, float]], west: float, east: float
) -> None:
    extent = extent_of([_box(*box) for box in boxes])
    assert (extent.west, extent.east) == (west, east)
