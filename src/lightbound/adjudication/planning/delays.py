"""How long a round trip over a given distance may be expected to take.

An expectation and no bound: it serves to choose places for landmarks, and no verdict may ever rest on it. What is
modelled is the *excess* of a round trip over the one that light in vacuum would need for the least path, because
the light's part is known exactly.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, bdtrc

from lightbound.adjudication.planning.pairs import Pairs
from lightbound.geo.earth import WGS84_A_M
from lightbound.units import SPEED_OF_LIGHT_M_PER_S

NS_PER_M: Final = 2e9 / SPEED_OF_LIGHT_M_PER_S
"""Nanoseconds that light in vacuum needs there and back, for each metre between two places."""

FARTHEST_M: Final = math.pi * WGS84_A_M
"""No two places are farther apart."""

FIRST_EDGE_M: Final = 50_000.0
"""End of the nearest class of distances. Published places are good to tens of kilometres, so that a finer division
would sort their errors."""

EDGE_RATIO: Final = math.sqrt(2)
"""Each class of distances ends so many times farther out than the one before: what a proof near a border turns on is
a few hundred kilometres, and there classes must be narrow."""

LEAST_PAIRS: Final = 60
"""A class with fewer pairs is joined to the next. With 60 an interval for the 90 % quantile has an upper end at
99 % confidence; fewer would leave ends open, more would blur what is near with what is far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DistanceClass:
    """The pairs that lie about as far apart, and the quantile of their excess; in metres and nanoseconds."""

    nearest_m: float
    farthest_m: float
    median_m: float
    pairs: int
    least_excess_ns: float
    low_ns: float
    """Lower end of the interval, 0 where the pairs are too few to give one."""
    excess_ns: float
    high_ns: float
    """Upper end of the interval, infinite where the pairs are too few to give one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Delays:
    """Round trips to be expected by distance: the excess over light, linear between knots.

    Beyond the last knot nothing is expected to arrive.
    """

    knots_m: NDArray[np.float64]
    """Ascending, the first 0."""
    excess_ns: NDArray[np.float64]
    """At the knots; never falling, never negative."""

    def round_trip_ns(self, distance_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """The round trip expected over each distance, shape kept; infinite beyond the last knot."""
        excess = np.interp(distance_m, self.knots_m, self.excess_ns, right=np.inf)
        return np.asarray(distance_m * NS_PER_M + excess)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """Delays fitted to measured round trips, their interval, and what they rest on."""

    delays: Delays
    low: Delays
    """From the lower ends of all classes."""
    high: Delays
    """From the upper ends; infinite from the first class that has none."""
    classes: tuple[DistanceClass, ...]
    quantile: float
    confidence: float
    pairs: int
    impossible: int
    """Pairs left out because they are faster than light allows for their stated places: somebody's place is wrong."""


def slowness(factor: float, *, overhead_ms: float) -> Delays:
    """Delays that somebody states instead of fitting: `factor` times the light's round trip, and an overhead."""
    reach_m = 1.5 * FARTHEST_M  # room for position errors on top of the farthest place
    overhead_ns = overhead_ms * 1e6
    return Delays(
        knots_m=np.array([0.0, reach_m]),
        excess_ns=np.array([overhead_ns, overhead_ns + (factor - 1.0) * reach_m * NS_PER_M]),
    )


def fitted(pairs: Pairs, *, quantile: float, confidence: float) -> Fit | None:
    """The given quantile of the excess by distance, from the least round trip of each pair; None without a pair.

    Pairs are sorted into classes of distance. Each class gives its empirical quantile (never interpolated
    downwards) and the interval between two of its order statistics that holds the true quantile with at least
    `confidence`, whatever the distribution, *if pairs are drawn independently*. They share hosts and cables, so
    the truth is less sure than the interval says. Delays are taken not to fall with distance: each class is raised
    to the greatest before it. Between the classes' median distances the excess runs linearly; nearer than the
    first it is that of the first, and beyond the farthest pair nothing is known.
    """
    excess = pairs.round_trip_ns - pairs.distance_m * NS_PER_M
    possible = excess >= -pairs.error_m * NS_PER_M
    distance_m, excess = pairs.distance_m[possible], np.maximum(excess[possible], 0.0)
    if not len(excess):
        return None
    order = np.argsort(distance_m, kind="stable")
    distance_m, excess = distance_m[order], excess[order]
    classes = tuple(
        _class(distance_m[start:stop], excess[start:stop], quantile, confidence) for start, stop in _classes(distance_m)
    )
    return Fit(
        delays=_joined(classes, [one.excess_ns for one in classes]),
        low=_joined(classes, [one.low_ns for one in classes]),
        high=_joined(classes, [one.high_ns for one in classes]),
        classes=classes,
        quantile=quantile,
        confidence=confidence,
        pairs=len(excess),
        impossible=int(len(possible) - possible.sum()),
    )


def quantile_interval(count: int, quantile: float, confidence: float) -> tuple[int, int, int]:
    """Ranks (1 to `count`) of the order statistics for a quantile: lower end, estimate, upper end.

    The ends hold the quantile of any distribution with at least `confidence`, half of the rest on either side; 0 and
    `count` + 1 stand for ends that so few values cannot give. (The number of values up to the true quantile is
    binomial: David and Nagaraja, *Order Statistics*, 7.1.)
    """
    tail = (1.0 - confidence) / 2.0
    ranks = np.arange(count + 1)
    below = bdtr(ranks, count, quantile)  # P(at most `rank` values up to the quantile)
    above = np.concatenate(([1.0], bdtrc(ranks[:-1], count, quantile)))  # P(at least `rank` of them)
    low = int(np.searchsorted(below, tail, side="right"))
    high = int(np.searchsorted(-above, -tail, side="left"))
    return low, max(1, math.ceil(quantile * count - 1e-9)), high


def _classes(distance_m: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Consecutive ranges of ascending distances, each between two edges, of enough pairs; the last takes the rest."""
    count = math.ceil(math.log(2.0 * FARTHEST_M / FIRST_EDGE_M, EDGE_RATIO))
    edges = FIRST_EDGE_M * EDGE_RATIO ** np.arange(count)
    starts = [0]
    for stop in np.searchsorted(distance_m, edges, side="right").tolist():
        if stop - starts[-1] >= LEAST_PAIRS and len(distance_m) - stop >= LEAST_PAIRS:
            starts.append(stop)
    return list(zip(starts, [*starts[1:], len(distance_m)], strict=True))


def _class(
    distance_m: NDArray[np.float64], excess_ns: NDArray[np.float64], quantile: float, confidence: float
) -> DistanceClass:
    low, rank, high = quantile_interval(len(excess_ns), quantile, confidence)
    values = np.concatenate(([0.0], np.sort(excess_ns), [np.inf]))
    return DistanceClass(
        nearest_m=float(distance_m[0]),
        farthest_m=float(distance_m[-1]),
        median_m=float(np.median(distance_m)),
        pairs=len(excess_ns),
        least_excess_ns=float(values[1]),
        low_ns=float(values[low]),
        excess_ns=float(values[rank]),
        high_ns=float(values[high]),
    )


def _joined(classes: Sequence[DistanceClass], excess_ns: Sequence[float]) -> Delays:
    """Delays through the classes' medians. An infinite excess ends them at the knot before."""
    raised = np.maximum.accumulate(excess_ns)
    known = int(np.isfinite(raised).sum())
    if not known:
        return Delays(knots_m=np.array([0.0]), excess_ns=np.array([np.inf]))
    middles = [one.median_m for one in classes[:known]]
    ends = [0.0, *middles, classes[known - 1].farthest_m]
    excess = np.concatenate((raised[:1], raised[:known], raised[known - 1 : known]))
    # Medians may coincide with each other or with an end; of equal knots the last, which is the greatest, stays.
    knots, last = np.unique(np.array(ends)[::-1], return_index=True)
    return Delays(knots_m=knots, excess_ns=excess[::-1][last])
