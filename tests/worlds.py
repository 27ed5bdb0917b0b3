"""Random worlds for tests: areas of every kind, chips beside their borders, landmarks near and far, honest and lying.

A world is many chips about one area, each with landmarks of its own, so that one call judges thousands. Bounds
are given directly, as angles, with as little above the truth as the arithmetic slack allows: tighter than any reading.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod

from lightbound.adjudication.facts import Settings, facts_of
from lightbound.adjudication.kernels import Facts
from lightbound.geo.areas import Disc, Drawing, parse_area
from lightbound.geo.borders import Polygon, packaged_borders
from lightbound.geo.earth import ARITHMETIC_SLACK_M, LEAST_RADIUS_M, Position, units
from lightbound.geo.outlines import Outline
from lightbound.geo.shapes import FLATTENING, Area, Circle, area_of
from lightbound.ranging.readings import Chips, Landmark, Readings

Floats = NDArray[np.float64]
EARTH: Final = Geod(ellps="WGS84")
METRE: Final = 1 / 6.37e6
"""Radians, for distances that need no more than their order of magnitude."""


def box(west: float, south: float, east: float, north: float) -> Polygon:
    return (np.array([[west, south], [east, south], [east, north], [west, north], [west, south]], float),)


def holed(outer: Polygon, *holes: Polygon) -> Polygon:
    return (outer[0], *(hole[0][::-1] for hole in holes))


DRAWN: Final[Mapping[str, tuple[Polygon, ...]]] = {
    "@arctic": (box(-180, 60, 180, 90),),
    "@edge180": (box(170, 0, 180, 10),),
    "@dateline": (box(172, -20, 180, 12), box(-180, -20, -169, 5)),
    "@atoll": (holed(box(20, 40, 32, 50), box(23, 43, 26, 47), box(28, 41, 31, 42)), box(24, 44, 25, 46)),
    "@overlapping": (box(0, 0, 10, 10), box(-2, -2, 4, 4)),
    "@world_less_a_hole": (holed(box(-180, -90, 180, 90), box(1, 1, 2, 2)),),
    "@polar_ring": (holed(box(-180, -90, 180, -60), box(-180, -90, 180, -75)),),
    "@sliver": ((np.array([[10, 50], [16, 50.02], [16, 50.05], [10, 50]], float),),),
}
"""Drawings by the text that names them."""


def area(text: str, border_error_m: float = 0.0) -> Area:
    """The area a text means, drawings among them.

    The error of a border moves nothing but its margin, so that each map is made once.
    """
    made = _area(text)
    if not isinstance(made.shape, Outline):
        return made
    return replace(made, shape=replace(made.shape, margin_m=made.shape.margin_m + border_error_m))


@functools.cache
def _area(text: str) -> Area:
    drawings = {Drawing(name[1:]): polygons for name, polygons in DRAWN.items()}
    return area_of(parse_area(text), borders=packaged_borders(), drawings=drawings, border_error_m=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Chips about one area. Angles are radians, `units` ascend along a chip's landmarks."""

    text: str
    border_error_m: float
    budget: int
    places: Floats
    """(chips, 3): where each chip truly is."""
    latitudes: Floats
    longitudes: Floats
    bounds: Floats
    units: NDArray[np.int64]
    """(chips, landmarks per chip), all four."""

    def __len__(self) -> int:
        """Count of chips."""
        return len(self.places)


def facts(world: World, settings: Settings, *, licensed: bool = True, excluded: bool = True) -> Facts:
    """What the kernels judge: both questions about the world's area, and bounds exactly as given."""
    chips, each = world.bounds.shape
    landmarks = [
        Landmark(
            landmark_id=f"l{i}",
            position=Position(float(latitude), float(longitude)),
            position_error_m=0.0,
            fault_unit=f"{i // each:07d}-{unit:03d}",
        )
        for i, (latitude, longitude, unit) in enumerate(
            zip(world.latitudes.ravel(), world.longitudes.ravel(), world.units.ravel(), strict=True)
        )
    ]
    readings = Readings(
        landmark=np.arange(chips * each, dtype=np.int32),
        chip=np.repeat(np.arange(chips), each).astype(np.int32),
        round_trip_ns=np.ones(chips * each, np.int64),
    )
    asked = Chips(
        chip_ids=[f"c{i}" for i in range(chips)],
        licensed=np.full(chips, 0 if licensed else -1, np.int32),
        excluded=np.full(chips, 0 if excluded else -1, np.int32),
        areas=[world.text],
    )
    made, bounds = facts_of(
        readings,
        landmarks=landmarks,
        chips=asked,
        areas=[area(world.text, world.border_error_m)],
        settings=replace(settings, fault_budget=world.budget),
    )
    # Units ascend, so sorting landmarks by unit has left them where they were.
    return made._replace(row_bound=world.bounds.ravel()[bounds.landmark])


def latitudes_longitudes(points: Floats) -> tuple[Floats, Floats]:
    """Degrees, of unit vectors at reduced latitudes."""
    x, y, z = np.moveaxis(points, -1, 0)
    return np.degrees(np.arctan2(z, FLATTENING * np.hypot(x, y))), np.degrees(np.arctan2(y, x))


def directions(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Anywhere on the sphere, evenly."""
    return normed(rng.normal(size=(*shape, 3)))


def nudged(rng: np.random.Generator, points: Floats, metres: Floats) -> Floats:
    """Points some metres away, in any direction."""
    return normed(points + rng.normal(size=points.shape) * metres[..., None] * METRE)


def normed(vectors: Floats) -> Floats:
    """Vectors of length one."""
    units_of: Floats = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return units_of


def places_beside(rng: np.random.Generator, text: str, count: int, *, nearest_m: float = 1.0) -> Floats:
    """Places around the edge of an area, from some metres to hundreds of kilometres from it, on either side."""
    least = np.log10(nearest_m)
    shape = area(text).shape
    if isinstance(shape, Circle):
        (disc,) = parse_area(text)
        assert isinstance(disc, Disc)
        from_edge = rng.normal(size=count) * 10 ** rng.uniform(least, 6, count)
        longitudes, latitudes, _ = EARTH.fwd(
            np.full(count, disc.longitude),
            np.full(count, disc.latitude),
            rng.uniform(0, 360, count),
            np.abs(disc.radius_km * 1000 + from_edge),
        )
        return units(latitudes, longitudes)
    arcs = shape.arcs[rng.integers(0, len(shape.arcs), count)]
    along = (rng.random(count) * arcs[:, 6])[:, None]
    return nudged(rng, arcs[:, :3] * np.cos(along) + arcs[:, 3:6] * np.sin(along), 10 ** rng.uniform(least, 5.5, count))


def _landmarks(rng: np.random.Generator, text: str, places: Floats, each: int) -> Floats:
    """Landmarks near and far; beside one another or each other's antipodes; on centres, poles and the antimeridian."""
    count = len(places)
    near = nudged(rng, np.repeat(places[:, None], each, 1), 10 ** rng.uniform(1, 6.8, (count, each)))
    kind = rng.integers(0, 6, (count, each))
    points = np.where((kind == 0)[..., None], directions(rng, (count, each)), near)
    shape = area(text).shape
    for i in range(1, each):
        for which, sign in ((4, 1), (5, -1)):
            those = kind[:, i] == which
            points[those, i] = nudged(rng, sign * points[those, i - 1], 10 ** rng.uniform(-2, 4, those.sum()))
        if isinstance(shape, Circle):
            those = kind[:, i] == 3
            centres = np.array(shape.centre) * rng.choice([1, -1], those.sum())[:, None]
            points[those, i] = nudged(rng, centres, 10 ** rng.uniform(-2, 4.5, those.sum()))
    return points


def honest_world(
    rng: np.random.Generator,
    text: str,
    *,
    chips: int,
    each: int,
    budget: int,
    border_error_m: float = 0.0,
    least_m: float = ARITHMETIC_SLACK_M,
) -> World:
    """Chips beside an area's edge, whose bounds are all true, many by no more than `least_m`."""
    places = places_beside(rng, text, chips, nearest_m=max(1.0, least_m / 10))
    latitudes, longitudes = latitudes_longitudes(_landmarks(rng, text, places, each))
    # Where frames and poles have their edges, written as a file might write them.
    odd = rng.random((chips, each))
    longitudes = np.where(odd < 0.01, -180.0, np.where(odd < 0.02, 180.0, longitudes))
    latitudes = np.where((odd > 0.98) & (odd < 0.99), 90.0, np.where(odd >= 0.99, -90.0, latitudes))
    above_m = np.where(rng.random((chips, each)) < 0.7, 0.0, 10 ** rng.uniform(-1, 6, (chips, each)))
    return World(
        text=text,
        border_error_m=border_error_m,
        budget=budget,
        places=places,
        latitudes=latitudes,
        longitudes=longitudes,
        bounds=true_angles(places, latitudes, longitudes) + (least_m + above_m) / LEAST_RADIUS_M,
        units=_units(rng, chips, each),
    )


def tight_world(
    rng: np.random.Generator, text: str, *, chips: int, each: int, budget: int, border_error_m: float = 0.0
) -> World:
    """Chips with landmarks all around them and bounds little above the truth: where joint proofs are found."""
    places = places_beside(rng, text, chips)
    places = nudged(rng, places, 10 ** rng.uniform(3.5, 5.8, chips))
    around = nudged(rng, np.repeat(places[:, None], each, 1), 10 ** rng.uniform(4.5, 6.5, (chips, each)))
    latitudes, longitudes = latitudes_longitudes(around)
    # One scale for each chip: how much its paths bend.
    above_m = 10 ** rng.uniform(2, 5.7, (chips, 1)) * rng.uniform(0.1, 1, (chips, each))
    return World(
        text=text,
        border_error_m=border_error_m,
        budget=budget,
        places=places,
        latitudes=latitudes,
        longitudes=longitudes,
        bounds=true_angles(places, latitudes, longitudes) + (ARITHMETIC_SLACK_M + above_m) / LEAST_RADIUS_M,
        units=_units(rng, chips, each),
    )


def any_world(
    rng: np.random.Generator, text: str, *, chips: int, each: int, budget: int, border_error_m: float = 0.0
) -> World:
    """Caps without any truth behind them, up to larger than a hemisphere: many agree nowhere."""
    world = honest_world(rng, text, chips=chips, each=each, budget=budget, border_error_m=border_error_m)
    return replace(world, bounds=rng.uniform(0.02, 1, (chips, 1)) ** 2 * rng.uniform(0.2, 3.3, (chips, each)))


def with_liars(rng: np.random.Generator, world: World) -> World:
    """The same with up to as many lying units for each chip as the budget allows, whose bounds may be anything."""
    chips, each = world.bounds.shape
    shuffled = rng.permuted(np.tile(np.arange(each), (chips, 1)), axis=1)
    lying_count = rng.integers(0, world.budget + 1, (chips, 1))
    lying = np.take_along_axis(shuffled, world.units, axis=1) < lying_count
    shorter, anything = world.bounds * rng.random((chips, each)), 3 * rng.random((chips, each))
    lie = np.where(rng.random((chips, each)) < 0.8, shorter, anything)
    return replace(world, bounds=np.where(lying, lie + 1e-5, world.bounds))


def true_angles(places: Floats, latitudes: Floats, longitudes: Floats) -> Floats:
    chords = np.linalg.norm(units(latitudes, longitudes) - places[:, None], axis=-1)
    angles: Floats = 2 * np.arcsin(np.minimum(1, chords / 2))
    return angles


def _units(rng: np.random.Generator, chips: int, each: int) -> NDArray[np.int64]:
    """Mostly one unit for each landmark; for some chips several landmarks share one."""
    shared = np.sort(rng.integers(0, each, (chips, each)), axis=1)
    own = np.tile(np.arange(each), (chips, 1))
    return np.where(rng.random((chips, 1)) < 0.3, shared, own)
