"""Why a goal cannot be proven from any of the places there are, and what would be needed."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lightbound.adjudication.planning.cover import Cover
from lightbound.adjudication.planning.delays import FARTHEST_M
from lightbound.adjudication.planning.scene import SLACK_M, Scene, Terms, bounds_m, distances_m, margins_m
from lightbound.adjudication.remedies import greatest_round_trip_ns
from lightbound.geo.earth import LEAST_RADIUS_M

STEP_M: Final = 1_000.0
"""How finely distances are tried."""


class Why(StrEnum):
    """What stands in the way, the strongest first."""

    MAY_BE_BEYOND = "may_be_beyond"
    """The site itself may lie beyond the edge, or nearer to it than every bound's slack: not even light could prove
    the goal, from anywhere."""
    TOO_SLOW_ANYWHERE = "too_slow_anywhere"
    """Even from the site itself the expected round trip is too long, and from everywhere else more so."""
    TOO_FEW_UNITS = "too_few_units"
    """A landmark near enough would prove it, but there are not enough fault units with a place there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """The place that comes nearest to one more proof, and the round trip that it would need to see."""

    place: int
    apart_m: float
    needed_ns: int
    """Its round trip could be this at most; 0 where nothing would do."""
    expected_ns: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """Why one goal cannot be proven."""

    goal: int
    why: Why
    to_edge_m: float
    """From the site as stated to the edge; negative if it is stated to be beyond."""
    needed_ns: int
    """A landmark at the very site, its position exactly known, could see this round trip at most; 0 where nothing
    would do."""
    expected_ns: float
    """Expected there."""
    units_proving: int
    within_m: float | None
    """A landmark no farther than this from the site can prove the goal, on the side away from the edge."""
    nearest: Nearest | None
    """None where nothing would do, no place may be used, or none is expected to be heard at all."""


def obstacles(scene: Scene, cover: Cover, terms: Terms) -> tuple[Obstacle, ...]:
    """The goals that all places together do not prove, and why.

    That nothing is better than a landmark at the site follows from the triangle inequality: one at distance d is at
    most d farther from the edge than the site is, and its bound is larger by d at least if delays do not fall with
    distance. Under an assumed speed below c expected round trips may gain on it with distance, so all distances
    are tried.
    """
    proving = cover.units_proving(np.arange(len(cover.cost)))
    distance_m = np.arange(0.0, FARTHEST_M, STEP_M)
    return tuple(
        _obstacle(goal, int(proving[goal]), scene, cover.unit, terms, distance_m)
        for goal in np.flatnonzero(proving < cover.needed).tolist()
    )


def _obstacle(
    goal: int, proving: int, scene: Scene, unit: NDArray[np.int64], terms: Terms, distance_m: NDArray[np.float64]
) -> Obstacle:
    to_edge_m, error_m = float(scene.goal_to_edge_m[goal]), float(scene.goal_error_m[goal])
    would_do = distance_m[bounds_m(distance_m + error_m, terms) + SLACK_M < to_edge_m + distance_m]
    why = Why.TOO_FEW_UNITS
    if to_edge_m <= error_m + SLACK_M:
        why = Why.MAY_BE_BEYOND
    elif not len(would_do) and not proving:
        why = Why.TOO_SLOW_ANYWHERE
    return Obstacle(
        goal=goal,
        why=why,
        to_edge_m=to_edge_m,
        needed_ns=greatest_round_trip_ns(to_edge_m / LEAST_RADIUS_M, position_error_m=0.0, speed=terms.speed),
        expected_ns=float(terms.delays.round_trip_ns(np.array([error_m]))[0]),
        units_proving=proving,
        within_m=float(would_do[-1]) if len(would_do) else None,
        nearest=None if why is Why.MAY_BE_BEYOND else _nearest(goal, scene, unit, terms),
    )


def _nearest(goal: int, scene: Scene, unit: NDArray[np.int64], terms: Terms) -> Nearest | None:
    columns = np.array([goal])
    margin = margins_m(scene, terms, columns, slice(None))[:, 0]
    proving_units = unit[margin > 0.0]
    margin[np.isin(unit, proving_units)] = -np.inf
    if not len(margin) or margin.max() == -np.inf:
        return None
    place = int(np.argmax(margin))
    apart_m = distances_m(scene.points[[place]], scene.goal_points[columns])
    own_error_m = float(scene.error_m[place])
    farthest_m = apart_m + own_error_m + scene.goal_error_m[goal]
    to_edge_m = float(scene.to_edge_m[place, scene.goal_edge[goal]])
    return Nearest(
        place=place,
        apart_m=float(apart_m[0, 0]),
        needed_ns=greatest_round_trip_ns(to_edge_m / LEAST_RADIUS_M, position_error_m=own_error_m, speed=terms.speed),
        expected_ns=float(terms.delays.round_trip_ns(farthest_m)[0, 0]),
    )
