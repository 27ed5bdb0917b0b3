"""Where point location and drawn areas once went wrong: poles, the antimeridian, tiny edges, overlaps, wide circles."""

import math

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic

from lightbound.errors import ErrorCode, Malformed
from lightbound.geo.areas import Disc, parse_area
from lightbound.geo.borders import Polygon, packaged_borders
from lightbound.geo.earth import LEAST_RADIUS_M, Position, position_of
from lightbound.geo.kernels import distance_to_outline, inside_outline
from lightbound.geo.outlines import Outline, outline_of, pooled
from lightbound.geo.shapes import CIRCLE_SAGITTA_M, FLATTENING, Relation, area_of, outline_in
from tests.worlds import area, box, holed


def _outline(text: str) -> Outline:
    shape = area(text).shape
    assert isinstance(shape, Outline)
    return shape


def _holds(outline: Outline, latitude: float, longitude: float) -> bool:
    return inside_outline(*Position(latitude, longitude).unit(), FLATTENING, pooled([outline]), 0)


@pytest.mark.parametrize("longitude", [-180.0, 180.0])
@pytest.mark.parametrize(("text", "latitude"), [("RU", 68.0), ("FJ", -16.85), ("AQ", -87.0), ("AQ", -90.0)])
def test_a_place_on_the_antimeridian_is_in_its_country_from_either_side(
    text: str, latitude: float, longitude: float
) -> None:
    assert _holds(_outline(text), latitude, longitude)


@pytest.mark.parametrize("text", ["RU", "FJ", "AQ"])
def test_both_names_of_the_antimeridian_give_one_answer(text: str) -> None:
    outline = _outline(text)
    for latitude in np.linspace(-89.9, 89.9, 500).tolist():
        assert _holds(outline, latitude, -180.0) == _holds(outline, latitude, 180.0)


@pytest.mark.parametrize("text", ["@arctic", "GL|circle(88.5,20,400)"])
def test_the_north_pole_is_in_an_area_that_holds_it(text: str) -> None:
    assert _holds(_outline(text), 90.0, 0.0)
    assert _holds(_outline(text), 90.0, 123.0)


@pytest.mark.parametrize(
    "text",
    ["circle(60,0,3348)|LS", "circle(60,0,3346)|LS", "circle(88,0,223.3)|LS", "circle(0,0,10001.966)|LS",
     "circle(89,10,115)|LS", "circle(-90,0,500)|LS", "circle(90,0,12000)|LS", "circle(10,20,19800)|LS"],
)  # fmt: skip
def test_a_circle_inside_a_union_is_drawn_where_it_is(text: str) -> None:
    outline = _outline(text)
    disc = parse_area(text)[0]
    assert isinstance(disc, Disc)
    radius_m = disc.radius_km * 1000
    rng = np.random.default_rng(len(text))
    for arc in outline.arcs[rng.integers(0, len(outline.arcs), 300)]:
        half = arc[6] / 2
        middle = position_of(tuple(arc[:3] * math.cos(half) + arc[3:6] * math.sin(half)))
        if not (-31 < middle.latitude < -28 and 26 < middle.longitude < 30):  # Lesotho, the other part
            away = Geodesic.WGS84.Inverse(disc.latitude, disc.longitude, middle.latitude, middle.longitude)["s12"]
            assert abs(away - radius_m) < CIRCLE_SAGITTA_M
    for _ in range(300):
        off_m = float(rng.choice([-1, 1]) * rng.uniform(outline.margin_m, 3000))
        end = Geodesic.WGS84.Direct(disc.latitude, disc.longitude, rng.uniform(0, 360), radius_m + off_m)
        shortest = Geodesic.WGS84.Inverse(disc.latitude, disc.longitude, end["lat2"], end["lon2"])["s12"]
        if abs(shortest - radius_m) > outline.margin_m:
            assert _holds(outline, end["lat2"], end["lon2"]) == (shortest < radius_m)


def test_a_circle_too_wide_to_draw_is_refused_inside_a_union_only() -> None:
    with pytest.raises(Malformed) as raised:
        area_of(parse_area("circle(0,0,19990)|DE"), borders=packaged_borders(), drawings={}, border_error_m=0.0)
    assert raised.value.faults[0].code is ErrorCode.AREA_MALFORMED
    assert not isinstance(area("circle(0,0,19990)").shape, Outline)


def test_polygons_that_overlap_in_a_drawing_are_one_area() -> None:
    outline = _outline("@overlapping")
    assert _holds(outline, 1.0, 1.0)
    assert not _holds(outline, 20.0, 20.0)


def _circle_of(sides: int, radius_degrees: float) -> Polygon:
    turns = np.linspace(0, 2 * np.pi, sides + 1)
    ring = np.stack((9 + radius_degrees * np.cos(turns), 50.3 + radius_degrees * np.sin(turns)), axis=1)
    ring[-1] = ring[0]
    return (ring,)


@pytest.mark.parametrize(
    "polygon", [box(9, 50.3, 9 + 4e-9, 50.3 + 4e-9), _circle_of(400_000, 1e-5)], ids=["a speck", "dense with vertices"]
)
def test_a_border_of_tiny_edges_is_still_a_border(polygon: Polygon) -> None:
    outline = outline_of([polygon], border_error_m=0.0)
    assert len(outline.arcs) == len(polygon[0]) - 1
    x, y, z = Position(50.4, 9.0).unit()
    metres = distance_to_outline(x, y, z, pooled([outline]), 0) * LEAST_RADIUS_M
    assert metres == pytest.approx(11_100, rel=0.02)


def test_an_edge_on_the_antimeridian_that_is_a_border_stays_one() -> None:
    outline = _outline("@edge180")
    x, y, z = Position(5.0, 180.0).unit()
    assert distance_to_outline(x, y, z, pooled([outline]), 0) * LEAST_RADIUS_M < 1.0
    dense = np.array([[180.0, 5 + step * 1e-8] for step in range(2000)])
    ring = np.vstack(([[170.0, 0.0], [180.0, 0.0]], dense, [[180.0, 10.0], [170.0, 10.0], [170.0, 0.0]]))
    x, y, z = Position(5.00001, 180.0).unit()
    assert distance_to_outline(x, y, z, pooled([outline_of([(ring,)], border_error_m=0.0)]), 0) * LEAST_RADIUS_M < 1.0


@pytest.mark.parametrize("text", ["RU", "FJ", "AQ", "US"])
def test_a_seam_is_no_border(text: str) -> None:
    """Less what is left where the map's two sides do not meet: some two hundred metres of coast."""
    outline = _outline(text)
    arcs = outline.arcs
    ends = arcs[:, :3] * np.cos(arcs[:, 6:]) + arcs[:, 3:6] * np.sin(arcs[:, 6:])
    on_seam = (np.abs(arcs[:, 1]) < 1e-12) & (np.abs(ends[:, 1]) < 1e-12) & (arcs[:, 0] < 0)
    assert arcs[on_seam, 6].sum() * LEAST_RADIUS_M < 500


def test_outlines_lie_to_circles_and_to_one_another_as_on_the_globe() -> None:
    lesotho, holed_world = _outline("LS"), _outline("@world_less_a_hole")
    wide, narrow = area("circle(-25,20,3000)").shape, area("circle(0,0,500)").shape
    assert outline_in(lesotho, wide) is Relation.INSIDE
    assert outline_in(holed_world, narrow) is not Relation.INSIDE
    sides = (box(179, 0, 180, 1), box(-180, 0, -179, 1)), (box(100, 88, 101, 89.99), box(-80, 88, -79, 89.99))
    for one, other in sides:
        first, second = (outline_of([polygon], border_error_m=2000.0) for polygon in (one, other))
        assert outline_in(first, second) is Relation.TOUCHING
    far = outline_of([box(0, 0, 1, 1)], border_error_m=2000.0), outline_of([box(90, 0, 91, 1)], border_error_m=2000.0)
    assert outline_in(*far) is Relation.APART
    ring = outline_of([holed(box(0, 0, 10, 10), box(4, 4, 6, 6))], border_error_m=0.0)
    assert outline_in(outline_of([box(4.5, 4.5, 5, 5)], border_error_m=0.0), ring) is Relation.APART
