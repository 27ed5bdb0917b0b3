"""What area expressions stand for on the ground: exact circles, drawn ones in unions, countries together."""

from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

from lightbound.errors import ErrorCode, Malformed
from lightbound.geo import kernels
from lightbound.geo.areas import Disc, parse_area
from lightbound.geo.borders import packaged_borders
from lightbound.geo.compiled import compiled
from lightbound.geo.earth import WGS84_A_M, units
from lightbound.geo.outlines import SHAPE_SLACK_M, Outline, pooled
from lightbound.geo.shapes import CIRCLE_SAGITTA_M, FLATTENING, Circle, Relation, area_of, outline_in
from tests.worlds import EARTH, area, directions, latitudes_longitudes

Floats = NDArray[np.float64]
GRAZING: Final = (
    "circle(60,0,3348)|LS", "circle(60,0,3346)|LS", "circle(88,0,223.3)|LS", "circle(0,0,10001.966)|LS",
)  # fmt: skip
"""Circles that pass some hundred metres, or millimetres, from a pole."""
DRAWN_CIRCLES: Final = (
    *GRAZING, "circle(0,0,10001)|LS", "circle(0,0,10003)|LS", "circle(0,50,10010)|LS", "circle(89,10,115)|LS",
    "circle(-90,0,500)|LS", "circle(90,0,12000)|LS", "circle(-20,170,15000)|LS", "circle(10,20,19800)|LS",
    "circle(1.3,103.8,0.5)|LS", "circle(64,179.9,30)|LS",
)  # fmt: skip
CIRCLES: Final = (
    "circle(50,10,25)", "circle(0,0,5000)", "circle(89.9,0,300)", "circle(-45,180,12000)", "circle(3,3,19900)",
)  # fmt: skip


def from_centre_m(disc: Disc, latitudes: Floats, longitudes: Floats) -> Floats:
    same = np.ones(len(latitudes))
    return np.asarray(EARTH.inv(disc.longitude * same, disc.latitude * same, longitudes, latitudes)[2])


def first_disc(text: str) -> Disc:
    disc = parse_area(text)[0]
    assert isinstance(disc, Disc)
    return disc


def away_from_lesotho(latitudes: Floats, longitudes: Floats) -> NDArray[np.bool_]:
    return ~((latitudes > -31) & (latitudes < -28) & (longitudes > 26.5) & (longitudes < 30))


@pytest.mark.parametrize("text", DRAWN_CIRCLES)
def test_every_arc_of_a_circle_in_a_union_is_within_the_sagitta_of_the_circle(text: str) -> None:
    shape, disc = area(text).shape, first_disc(text)
    assert isinstance(shape, Outline)
    assert shape.margin_m == SHAPE_SLACK_M + CIRCLE_SAGITTA_M
    for along in np.linspace(0, 1, 5):
        angle = shape.arcs[:, 6:] * along
        points = shape.arcs[:, :3] * np.cos(angle) + shape.arcs[:, 3:6] * np.sin(angle)
        latitudes, longitudes = latitudes_longitudes(points)
        own = away_from_lesotho(latitudes, longitudes)
        stray = from_centre_m(disc, latitudes[own], longitudes[own]) - disc.radius_km * 1000
        assert np.abs(stray).max() < CIRCLE_SAGITTA_M


@pytest.mark.parametrize("text", DRAWN_CIRCLES)
def test_the_whole_rim_of_a_circle_in_a_union_is_drawn(text: str) -> None:
    """The other way round: no part of the circle is missing from its border."""
    shape, disc = area(text).shape, first_disc(text)
    assert isinstance(shape, Outline)
    same = np.ones(700)
    longitudes, latitudes, _ = EARTH.fwd(
        disc.longitude * same, disc.latitude * same, np.linspace(-180, 180, 700), disc.radius_km * 1000 * same
    )
    away, pool = compiled(kernels).distance_to_outline, pooled([shape])
    stray = max(away(*point, pool, 0) for point in units(latitudes, longitudes)) * WGS84_A_M
    assert stray < CIRCLE_SAGITTA_M + SHAPE_SLACK_M


@pytest.mark.parametrize("text", DRAWN_CIRCLES)
def test_places_beyond_the_margin_are_on_the_right_side_of_a_circle_in_a_union(text: str) -> None:
    shape, disc = area(text).shape, first_disc(text)
    assert isinstance(shape, Outline)
    rng = np.random.default_rng(len(text))
    radius_m = disc.radius_km * 1000
    off = rng.choice([-1, 1], 3000) * rng.uniform(shape.margin_m, 2000, 3000)
    same = np.ones(3000)
    longitudes, latitudes, _ = EARTH.fwd(
        disc.longitude * same, disc.latitude * same, rng.uniform(0, 360, 3000), np.maximum(0, radius_m + off)
    )
    anywhere = latitudes_longitudes(directions(rng, (1000,)))
    latitudes, longitudes = np.concatenate([latitudes, anywhere[0]]), np.concatenate([longitudes, anywhere[1]])
    if text in GRAZING:
        latitudes[-500:] = rng.uniform(89.9, 90, 500)
    beyond = from_centre_m(disc, latitudes, longitudes) - radius_m
    asked = away_from_lesotho(latitudes, longitudes) & (np.abs(beyond) > shape.margin_m)
    held, pool = compiled(kernels).inside_outline, pooled([shape])
    points = units(latitudes, longitudes)
    for point, metres in zip(points[asked], beyond[asked], strict=True):
        assert held(*point, FLATTENING, pool, 0) == (metres < 0)


@pytest.mark.parametrize("text", CIRCLES)
def test_a_circle_alone_is_held_between_two_caps(text: str) -> None:
    shape, disc = area(text, 2000.0).shape, first_disc(text)
    assert isinstance(shape, Circle)
    rng = np.random.default_rng(len(text))
    same = np.ones(4000)
    reach = np.abs(disc.radius_km * 1000 + rng.normal(size=4000) * 10 ** rng.uniform(0, 6, 4000))
    longitudes, latitudes, _ = EARTH.fwd(disc.longitude * same, disc.latitude * same, rng.uniform(0, 360, 4000), reach)
    inside = from_centre_m(disc, latitudes, longitudes) <= disc.radius_km * 1000
    chords = np.linalg.norm(units(latitudes, longitudes) - shape.centre, axis=1)
    angles = 2 * np.arcsin(np.minimum(1, chords / 2))
    assert (angles[inside] <= shape.outer + 1e-9).all()
    assert inside[angles <= shape.inner - 1e-9].all()
    assert shape.outer / shape.inner == pytest.approx(1 / FLATTENING)
    # No border error for an edge that is no border.
    assert shape == area(text, 0.0).shape


def test_an_area_names_the_countries_of_its_expression() -> None:
    assert area("CN+HK|circle(0,0,10)|@atoll|MO").countries == {"CN", "HK", "MO"}
    assert area("circle(0,0,10)").countries == frozenset()


def test_what_a_border_lacks_is_malformed() -> None:
    with pytest.raises(Malformed) as error:
        area("DE+QQ")
    assert error.value.faults[0].code is ErrorCode.UNKNOWN_COUNTRY


def test_the_border_error_moves_only_the_margin_of_an_outline() -> None:
    sharp, blurred = (
        area_of(parse_area("LS|circle(0,0,10)"), borders=packaged_borders(), drawings={}, border_error_m=error_m).shape
        for error_m in (0.0, 2000.0)
    )
    assert isinstance(sharp, Outline)
    assert isinstance(blurred, Outline)
    assert blurred.margin_m - sharp.margin_m == 2000
    for name in ("arcs", "nodes", "edges", "band_edges"):
        assert (getattr(sharp, name) == getattr(blurred, name)).all()


def test_some_part_deep_inside_another_area_touches_it() -> None:
    """A part that is neither the first nor near a border: only asking about every part finds it."""
    mixed, china = area("SG|circle(35,105,50)|LS").shape, area("CN").shape
    assert isinstance(mixed, Outline)
    assert isinstance(china, Outline)
    assert outline_in(mixed, china) is Relation.TOUCHING
    assert outline_in(china, mixed) is Relation.TOUCHING
    ring = area("@polar_ring").shape
    assert isinstance(ring, Outline)
    assert outline_in(mixed, ring) is Relation.APART
