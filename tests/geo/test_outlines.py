"""Borders as arcs, trees and bands, against straight edges, brute force and shapely."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from lightbound.geo import kernels
from lightbound.geo.borders import Polygon, packaged_borders
from lightbound.geo.compiled import compiled
from lightbound.geo.earth import LEAST_RADIUS_M, WGS84_A_M, Position, units
from lightbound.geo.kernels import LEAF_ARCS, Outlines, arc_distance, distance_to_outline, inside_outline
from lightbound.geo.outlines import LONGEST_EDGE_DEGREES, SHAPE_SLACK_M, Outline, outline_of, pooled
from lightbound.geo.shapes import FLATTENING
from tests.worlds import DRAWN, area, box, directions, latitudes_longitudes, nudged

Floats = NDArray[np.float64]
TEXTS: Final = ("LS", "ZA", "AQ", "RU", "CN+HK+MO", "RU+US", "FJ", "VA", "GL|circle(88.5,20,400)", *DRAWN)
QUICK: Final = ("LS", "VA", "@atoll", "@dateline", "@polar_ring", "@sliver")


def outline(text: str, border_error_m: float = 0.0) -> Outline:
    shape = area(text, border_error_m).shape
    assert isinstance(shape, Outline)
    return shape


def away(point: Sequence[float], pool: Outlines, which: int) -> float:
    x, y, z = point
    return distance_to_outline(x, y, z, pool, which)


def held(point: Sequence[float], pool: Outlines, which: int) -> bool:
    x, y, z = point
    return inside_outline(x, y, z, FLATTENING, pool, which)


def to_nearest(point: Sequence[float], arcs: Floats) -> float:
    """The least angle to any arc, each asked by itself."""
    x, y, z = point
    return min(arc_distance(x, y, z, arcs.ravel(), 7 * arc) for arc in range(len(arcs)))


def edge(start: tuple[float, float], end: tuple[float, float]) -> Polygon:
    """A polygon of next to nothing, whose border is one edge there and back."""
    return (np.array([start, end, start], float),)


def ends_of(arcs: Floats) -> Floats:
    ends: Floats = arcs[:, :3] * np.cos(arcs[:, 6:]) + arcs[:, 3:6] * np.sin(arcs[:, 6:])
    return ends


def stray_m(start: tuple[float, float], end: tuple[float, float]) -> float:
    """How far a straight edge in longitude and latitude, point by point, is from the arcs that stand for it."""
    made = outline_of([edge(start, end)], border_error_m=0.0)
    at = np.linspace(0, 1, 101)[:, None]
    line = np.array(start) * (1 - at) + np.array(end) * at
    points = units(line[:, 1], line[:, 0])
    return max(to_nearest(point, made.arcs) for point in points.tolist()) * WGS84_A_M


def test_arcs_stay_within_the_shape_slack_of_straight_edges_at_every_latitude() -> None:
    step = LONGEST_EDGE_DEGREES
    worst = 0.0
    for latitude in (*np.arange(0, 90, 4.5), 30, 35.26, 45, 54.7, 85, 88, 89, 89.5, 89.8, 89.89):
        for run in ((step, 0.0), (step, step), (step, -step), (0.0, step), (step / 2, step), (step, step / 9)):
            worst = max(worst, stray_m((10.0, float(latitude)), (10.0 + run[0], min(90.0, float(latitude) + run[1]))))
    # Coordinates are rounded to 1e-7 degree: a centimetre more.
    assert worst + 0.02 < SHAPE_SLACK_M
    assert worst > 2  # the slack is there for a reason


def test_long_edges_are_as_close_as_short_ones() -> None:
    edges = ((-170, 70), (170, 70)), ((-180, 60), (180, 60.01)), ((10, -80), (100, 80)), ((0, 89.9), (179, 89.9))
    for start, end in edges:
        made = outline_of([edge(start, end)], border_error_m=0.0)
        pool = pooled([made])
        at = np.linspace(0, 1, 997)[:, None]
        line = np.array(start) * (1 - at) + np.array(end) * at
        assert max(away(unit, pool, 0) for unit in units(line[:, 1], line[:, 0]).tolist()) * WGS84_A_M < SHAPE_SLACK_M


def test_the_margin_is_the_border_error_and_the_slack() -> None:
    for border_error_m in (0.0, 2000.0):
        made = outline_of([box(0, 0, 1, 1)], border_error_m=border_error_m)
        assert made.margin_m == border_error_m + SHAPE_SLACK_M
        assert pooled([made]).margin[0] == pytest.approx(made.margin_m / LEAST_RADIUS_M)


@pytest.mark.parametrize("text", TEXTS)
def test_every_node_of_the_tree_holds_the_arcs_below_it(text: str) -> None:
    made = outline(text)
    arcs, nodes, leaves = made.arcs, made.nodes, made.leaves
    assert np.abs(np.linalg.norm(arcs[:, :3], axis=1) - 1).max() < 1e-12
    # A tangent is less square the shorter its arc is, and then matters less.
    assert np.abs(np.einsum("ij,ij->i", arcs[:, :3], arcs[:, 3:6]) * arcs[:, 6]).max() < 1e-12
    assert len(nodes) == 2 * leaves - 1 >= 2 * len(arcs) / LEAF_ARCS - 1
    along = np.array([0, 0.5, 1])[:, None, None] * arcs[None, :, 6:]
    points = arcs[:, :3] * np.cos(along) + arcs[:, 3:6] * np.sin(along)
    node = leaves - 1 + np.arange(len(arcs)) // LEAF_ARCS
    while True:
        caps = nodes[node]
        assert (caps[:, 3] >= 0).all()
        angles = 2 * np.arcsin(np.minimum(1, np.linalg.norm(points - caps[None, :, :3], axis=2) / 2))
        assert (angles <= caps[:, 3] + 1e-12).all()
        if not node.any():
            return
        node = (node - 1) // 2


def dense_distance(points: Floats, arcs: Floats) -> Floats:
    """Least angle to many points of every arc, which is too long by at most half the spacing."""
    at = np.linspace(0, 1, 21)[None, :, None]
    on_arcs = arcs[:, None, :3] * np.cos(arcs[:, None, 6:] * at) + arcs[:, None, 3:6] * np.sin(arcs[:, None, 6:] * at)
    flat = on_arcs.reshape(-1, 3)
    least = np.array([np.linalg.norm(flat - point, axis=1).min() for point in points])
    angles: Floats = 2 * np.arcsin(np.minimum(1, least / 2))
    return angles


@pytest.mark.parametrize("text", QUICK)
def test_the_distance_to_an_outline_is_the_least_to_any_of_its_arcs(text: str) -> None:
    made = outline(text)
    pool = pooled([outline("DE"), made])
    rng = np.random.default_rng(len(text))
    middles = made.arcs[rng.integers(0, len(made.arcs), 60), :3]
    beside = nudged(rng, middles, 10 ** rng.uniform(0, 6.5, 60))
    points = np.concatenate([beside, directions(rng, (40,)), -middles[:10]])
    found = np.array([away(point, pool, 1) for point in points.tolist()])
    spacing = made.arcs[:, 6].max() / 40
    dense = dense_distance(points, made.arcs)
    assert (found <= dense + 1e-9).all()
    assert (found >= np.sqrt(np.maximum(0, dense**2 - spacing**2)) - spacing / 20 - 1e-7).all()
    for point, least in zip(points[:20].tolist(), found, strict=False):
        assert least == pytest.approx(to_nearest(point, made.arcs), abs=1e-12)


def test_an_outline_without_border_is_infinitely_far_and_holds_everything() -> None:
    world = outline_of([box(-180, -90, 180, 90)], border_error_m=0.0)
    pool = pooled([world])
    for latitude, longitude in ((0, 0), (90, 0), (-90, 180), (12, -180), (-12, 180)):
        unit = Position(latitude, longitude).unit()
        assert away(unit, pool, 0) == np.pi
        assert held(unit, pool, 0)


def raw(text: str) -> shapely.Geometry:
    """Every polygon of some countries, together."""
    return shapely.union_all(
        [
            shapely.Polygon(polygon[0], polygon[1:])
            for code in text.split("+")
            for polygon in packaged_borders().polygons(code)
        ]
    )


@pytest.mark.parametrize("text", ["AQ", "RU", "LS", "ZA", "CN+HK+MO", "RU+US", "FJ", "KI", "CN", "NO", "VA"])
def test_a_place_is_inside_a_country_where_shapely_says_so(text: str) -> None:
    made, drawn = outline(text), raw(text)
    shapely.prepare(drawn)
    rng = np.random.default_rng(len(text))
    starts = made.arcs[rng.integers(0, len(made.arcs), 2500), :3]
    points = np.concatenate([directions(rng, (1500,)), nudged(rng, starts, 10 ** rng.uniform(0, 6, 2500))])
    latitudes, longitudes = latitudes_longitudes(points)
    fast = compiled(kernels).inside_outline
    pool = pooled([outline("DE"), made])
    found = np.array([fast(*point, FLATTENING, pool, 1) for point in points])
    told = shapely.contains_xy(drawn, longitudes, latitudes)
    # Where the two differ the point is on the border, as far as 1e-9 rad can tell.
    differ = shapely.points(longitudes[found != told], latitudes[found != told])
    assert (shapely.distance(shapely.boundary(drawn), differ) < 1e-7).all()
    assert 20 < told.sum() < 3980


@pytest.mark.parametrize("text", DRAWN)
def test_a_place_is_inside_a_drawing_where_any_of_its_polygons_holds_it(text: str) -> None:
    rng = np.random.default_rng(len(text))
    rings = np.concatenate([ring for polygon in DRAWN[text] for ring in polygon])
    corners = rings[rng.integers(0, len(rings), 500)] + rng.normal(size=(500, 2)) * 10 ** rng.uniform(-4, 1, (500, 1))
    # On the antimeridian itself shapely knows one of its two names only.
    longitudes = np.concatenate([np.clip(corners[:, 0], -179.999999, 179.999999), rng.uniform(-180, 180, 500)])
    latitudes = np.concatenate([np.clip(corners[:, 1], -90, 90), rng.uniform(-90, 90, 500)])
    told = np.zeros(1000, bool)
    for polygon in DRAWN[text]:
        told |= shapely.contains_xy(shapely.Polygon(polygon[0], polygon[1:]), longitudes, latitudes)
    pool = pooled([outline(text)])
    lines = shapely.MultiLineString([ring for polygon in DRAWN[text] for ring in polygon])
    near = np.asarray(shapely.distance(shapely.points(longitudes, latitudes), lines)) < 1e-7
    for unit, inside, on_edge in zip(units(latitudes, longitudes).tolist(), told, near, strict=True):
        assert on_edge or held(unit, pool, 0) == inside


def test_inner_borders_of_a_union_are_gone() -> None:
    maseru_bridge = Position(-29.31, 27.44).unit()
    apart, together = pooled([outline("ZA"), outline("LS")]), pooled([outline("ZA+LS")])
    assert max(away(maseru_bridge, apart, which) for which in (0, 1)) * LEAST_RADIUS_M < 5000
    assert away(maseru_bridge, together, 0) * LEAST_RADIUS_M > 200_000
    texts = ("CN", "HK", "MO", "CN+HK+MO", "ZA", "LS", "ZA+LS")
    length = {text: float(outline(text).arcs[:, 6].sum()) for text in texts}
    assert length["CN+HK+MO"] < length["CN"] + length["HK"] + length["MO"]
    assert length["ZA+LS"] == pytest.approx(length["ZA"] - length["LS"], rel=1e-6)


def test_a_hole_is_not_inside_and_its_edge_is_a_border() -> None:
    pool = pooled([outline("ZA"), outline("@atoll")])
    maseru = Position(-29.31, 27.6).unit()
    assert not held(maseru, pool, 0)
    places = {(41.5, 22): True, (45, 23.5): False, (45, 24.5): True, (41.5, 29.5): False}
    for (latitude, longitude), inside in places.items():
        assert held(Position(latitude, longitude).unit(), pool, 1) == inside
    assert away(Position(45, 23).unit(), pool, 1) < 1e-7


def test_pooled_outlines_are_each_looked_up_by_themselves() -> None:
    texts = ("LS", "@arctic", "VA", "@sliver")
    pool = pooled([outline(text) for text in texts])
    rng = np.random.default_rng(8)
    for point in directions(rng, (50,)).tolist():
        for which, text in enumerate(texts):
            alone = pooled([outline(text)])
            assert away(point, pool, which) == away(point, alone, 0)
            assert held(point, pool, which) == held(point, alone, 0)
