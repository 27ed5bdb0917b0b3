"""Which place for a landmark would prove which site, if round trips are as expected.

The test is the one of `adjudication.kernels` for a proof *alone*: a bound smaller than the landmark's distance to
the area, or to its complement. Only the bound is imagined, from an expected round trip.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lightbound.adjudication import kernels
from lightbound.adjudication.planning.delays import Delays
from lightbound.adjudication.planning.pairs import points_of
from lightbound.geo import kernels as geometry
from lightbound.geo import regions
from lightbound.geo.compiled import compiled
from lightbound.geo.earth import ALTITUDE_SLACK_M, ARITHMETIC_SLACK_M, LEAST_RADIUS_M, Position
from lightbound.geo.kernels import Outlines
from lightbound.geo.outlines import Outline, pooled
from lightbound.geo.shapes import FLATTENING, Area, Circle
from lightbound.ranging.bounds import Speed
from lightbound.ranging.readings import Landmark
from lightbound.units import SPEED_OF_LIGHT_M_PER_S

SLACK_M: Final = ALTITUDE_SLACK_M + ARITHMETIC_SLACK_M
"""What every bound is larger by, whatever the landmark."""

COMPILED_FROM_DISTANCES: Final = 5_000
"""From this many distances to borders on, compiled kernels pay for the time it takes to load them."""


class Asked(StrEnum):
    """The two questions."""

    LICENSED = "licensed"
    """To be proven within the licensed area."""
    EXCLUDED = "excluded"
    """To be proven outside the excluded area."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place with chips. Its areas are indices into a list of areas, -1 where that question is not asked."""

    site_id: str
    position: Position
    position_error_m: float
    weight: float
    """How much a proof for it counts: its chips, or 1."""
    licensed: int
    excluded: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One question about one site."""

    site: int
    asked: Asked
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a plan takes for granted."""

    delays: Delays
    speed: Speed = Speed.VACUUM
    fault_budget: int = 1
    independent_landmarks: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """Places for landmarks and sites on the ground: all that does not depend on how long round trips take.

    Distances are least lengths of a path, as bounds have them. An *edge* is what a bound must stay clear of: the
    excluded area for one question, the complement of the licensed area for the other; borders are moved by their
    error, and a distance is negative by how far a place may lie beyond the edge.
    """

    goals: tuple[Goal, ...]
    points: NDArray[np.float64]
    """(places, 3)."""
    error_m: NDArray[np.float64]
    """(places,): position errors."""
    to_edge_m: NDArray[np.float64]
    """(places, edges)."""
    usable: NDArray[np.bool_]
    """(places, edges): False where the place may lie in that excluded area, or declares a country that it names."""
    goal_points: NDArray[np.float64]
    """(goals, 3): where the goal's site is stated to be."""
    goal_error_m: NDArray[np.float64]
    goal_edge: NDArray[np.int64]
    """(goals,): the edge that decides."""
    goal_excluded: NDArray[np.int64]
    """(goals,): the edge of the site's excluded area, -1 if it has none: what may lie there proves nothing."""
    goal_to_edge_m: NDArray[np.float64]
    """(goals,): from the site as stated."""


def scene_of(landmarks: Sequence[Landmark], sites: Sequence[Site], areas: Sequence[Area]) -> Scene:
    """Every question asked, and all distances that matter for it. Edges 2i and 2i + 1 are area i and its complement."""
    goals = tuple(
        Goal(site=number, asked=asked, weight=site.weight)
        for number, site in enumerate(sites)
        for asked, area in ((Asked.LICENSED, site.licensed), (Asked.EXCLUDED, site.excluded))
        if area >= 0
    )
    about = [sites[goal.site] for goal in goals]
    edge = np.array(
        [
            2 * site.licensed + 1 if goal.asked is Asked.LICENSED else 2 * site.excluded
            for site, goal in zip(about, goals, strict=True)
        ],
        np.int64,
    )
    points = points_of([landmark.position for landmark in landmarks])
    goal_points = points_of([site.position for site in about])
    error_m = np.array([landmark.position_error_m for landmark in landmarks], np.float64)
    to_edge_m = distances_to_edges(points, areas)
    usable = to_edge_m > error_m[:, None]
    for number, area in enumerate(areas):
        usable[[landmark.country in area.countries for landmark in landmarks], 2 * number] = False
    return Scene(
        goals=goals,
        points=points,
        error_m=error_m,
        to_edge_m=to_edge_m,
        usable=usable,
        goal_points=goal_points,
        goal_error_m=np.array([site.position_error_m for site in about], np.float64),
        goal_edge=edge,
        goal_excluded=np.array([2 * site.excluded if site.excluded >= 0 else -1 for site in about], np.int64),
        goal_to_edge_m=distances_to_edges(goal_points, areas)[np.arange(len(goals)), edge],
    )


def margins_m(
    scene: Scene, terms: Terms, goals: NDArray[np.int64] | slice, places: NDArray[np.int64] | slice
) -> NDArray[np.float64]:
    """By how much the bound of each place would be clear of the edge of each goal, (places, goals): positive proves it.

    The landmark and the site are taken to be as far apart as their position errors allow. -inf where no proof may
    rest on the place.
    """
    apart_m = distances_m(scene.points[places], scene.goal_points[goals])
    errors_m = scene.error_m[places][:, None]
    bound_m = bounds_m(apart_m + errors_m + scene.goal_error_m[goals], terms) + errors_m + SLACK_M
    margin: NDArray[np.float64] = scene.to_edge_m[places][:, scene.goal_edge[goals]] - bound_m
    excluded = scene.goal_excluded[goals]
    margin[~scene.usable[places][:, excluded] & (excluded >= 0)] = -np.inf
    return margin


def bounds_m(distance_m: NDArray[np.float64], terms: Terms) -> NDArray[np.float64]:
    """The reach of the round trip expected over each distance, at the speed that a verdict would assume.

    Never less than the distance: no round trip is expected that the assumed speed rules out.
    """
    metres_per_ns = SPEED_OF_LIGHT_M_PER_S * 0.5e-9 * terms.speed.fraction_of_c
    return np.maximum(terms.delays.round_trip_ns(distance_m) * metres_per_ns, distance_m)


def unit_numbers(landmarks: Sequence[Landmark], terms: Terms) -> NDArray[np.int64]:
    """The fault unit of each: the stated one; without one, all together, or each its own if said to be independent."""
    numbers: dict[tuple[int, str], int] = {}
    names = [
        (0, landmark.fault_unit)
        if landmark.fault_unit is not None
        else ((2, landmark.landmark_id) if terms.independent_landmarks else (1, ""))
        for landmark in landmarks
    ]
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)


def distances_m(points: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least length of a path between each of the points and each of the others, shape (points, others)."""
    half_chord = np.sqrt(np.clip(0.5 - 0.5 * points @ others.T, 0.0, 1.0))
    return np.asarray(2.0 * np.arcsin(half_chord) * LEAST_RADIUS_M)


def distances_to_edges(points: NDArray[np.float64], areas: Sequence[Area]) -> NDArray[np.float64]:
    """Least path lengths from points to areas and to their complements, shape (points, 2 * areas).

    As verdicts have them: borders moved by their error, circles between their two caps.
    """
    # Many sites of one city stand at one place.
    places, which = np.unique(points.reshape(-1, 3), axis=0, return_inverse=True)
    result = np.empty((len(places), len(areas), 2))
    angles = iter(_to_borders(places, [area.shape for area in areas if isinstance(area.shape, Outline)]).T)
    for number, area in enumerate(areas):
        shape = area.shape
        if isinstance(shape, Circle):
            angle = distances_m(places, np.array([shape.centre]))[:, 0] / LEAST_RADIUS_M
            result[:, number] = np.stack((angle - shape.outer, shape.inner - angle), axis=1)
        else:
            angle, margin = next(angles), shape.margin_m / LEAST_RADIUS_M
            result[:, number] = np.stack((angle - margin, -angle - margin), axis=1)
    return np.asarray(result.reshape(len(places), -1)[which.ravel()] * LEAST_RADIUS_M)


def _to_borders(points: NDArray[np.float64], outlines: Sequence[Outline]) -> NDArray[np.float64]:
    """Signed angles to borders, negative inside, shape (points, outlines)."""
    angles = np.zeros(len(points) * len(outlines))
    if len(angles):
        wanted, pool, flat = np.arange(len(angles), dtype=np.int64), pooled(outlines), points.ravel()
        if len(angles) >= COMPILED_FROM_DISTANCES:
            compiled(geometry, regions, kernels).fill_distances(wanted, pool, flat, FLATTENING, angles)
        else:
            pool = Outlines(*(_viewed(values) for values in pool))
            kernels.fill_distances(_viewed(wanted), pool, _viewed(flat), FLATTENING, angles)
    return angles.reshape(len(points), len(outlines))


def _viewed(values: Any) -> Any:
    """Entries of memory views are plain Python numbers, which interpreted loops read far faster."""
    return memoryview(values)
