"""Which places to take, in which order, when every goal needs proofs by several fault units.

Goals are columns and places rows of a table of who would prove what; where the table comes from is of no matter
here. That no order could do much better is shown in `optimum`.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cover:
    """What is to be covered, and with what."""

    proves: NDArray[np.bool_]
    """(places, goals)."""
    unit: NDArray[np.int64]
    """(places,): fault unit; a goal counts proofs by different units only."""
    cost: NDArray[np.float64]
    """(places,): 0 for landmarks that stand already and are always taken; above 0 for all others."""
    weight: NDArray[np.float64]
    """(goals,): above 0."""
    needed: int
    """Units that must prove a goal: one more than the fault budget."""

    def units_proving(self, taken: NDArray[np.integer] | Sequence[int]) -> NDArray[np.int64]:
        """How many fault units among the places taken prove each goal; shape (goals,)."""
        rows = np.asarray(taken, np.int64)
        rows = rows[np.argsort(self.unit[rows], kind="stable")]
        if not len(rows):
            return np.zeros(self.proves.shape[1], np.int64)
        starts = np.flatnonzero(np.diff(self.unit[rows], prepend=-1))
        count: NDArray[np.int64] = np.logical_or.reduceat(self.proves[rows], starts, axis=0).sum(axis=0)
        return count

    def weight_proven(self, taken: NDArray[np.integer] | Sequence[int]) -> float:
        """The weight of the goals that the places taken prove."""
        return float(self.weight[self.units_proving(taken) >= self.needed].sum())

    @property
    def standing(self) -> NDArray[np.int64]:
        """The places that are taken already."""
        return np.flatnonzero(self.cost == 0)

    @property
    def attainable(self) -> NDArray[np.bool_]:
        """(goals,): whether all places together would prove it."""
        return self.units_proving(np.arange(len(self.cost))) >= self.needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One place taken, and what stands proven with all before it."""

    place: int
    cost_so_far: float
    weight_proven: float
    goals: tuple[int, ...]
    """The goals that it is the last proof of."""


def greedy_order(cover: Cover, *, room_m: NDArray[np.float64]) -> tuple[Step, ...]:
    """Places in the order of their use: each time the one that adds most for its cost, while anything can be added.

    What it adds is counted in proofs still needed, so that half a proof counts before a goal is proven: that makes
    the measure submodular, for which such an order is seldom far from the best (Wolsey 1982). How far, `optimum`
    computes. Equal ones are told apart by `room_m`, how far expected round trips may go wrong, and then by their order.
    """
    attainable = cover.attainable
    seen = np.zeros((int(cover.unit.max(initial=-1)) + 1, len(cover.weight)), np.bool_)
    for place in cover.standing.tolist():
        seen[cover.unit[place]] |= cover.proves[place]
    count = seen.sum(axis=0)
    is_open = attainable & (count < cover.needed)

    def gain(place: int) -> float:
        return float(cover.weight @ (cover.proves[place] & ~seen[cover.unit[place]] & is_open))

    # Gains only shrink as places are taken, so one that is still the greatest when looked at again is the greatest.
    queue = [
        (-gain(place) / cover.cost[place], -room_m[place], place) for place in np.flatnonzero(cover.cost > 0).tolist()
    ]
    heapq.heapify(queue)
    steps: list[Step] = []
    cost = 0.0
    while queue and is_open.any():
        stale, room, place = heapq.heappop(queue)
        worth = -gain(place) / cover.cost[place]
        if worth == 0.0:
            continue
        if worth > stale:
            heapq.heappush(queue, (worth, room, place))
            continue
        unit = cover.unit[place]
        count += cover.proves[place] & ~seen[unit]
        seen[unit] |= cover.proves[place]
        goals = np.flatnonzero(is_open & (count >= cover.needed))
        is_open[goals] = False
        cost += float(cover.cost[place])
        proven = float(cover.weight[count >= cover.needed].sum())
        steps.append(Step(place=place, cost_so_far=cost, weight_proven=proven, goals=tuple(goals.tolist())))
    return tuple(steps)


def enough_for(cover: Cover, order: Sequence[int], weight: float) -> tuple[int, ...]:
    """The places of the shortest beginning of an order that prove this much, less those not needed for it.

    The dearest are left out first, and of equally dear ones the last. The whole order must prove it.
    """
    standing = cover.standing.tolist()
    taken = list(order)
    low, high = 0, len(taken)
    while low < high:
        middle = (low + high) // 2
        if reaches(cover.weight_proven([*standing, *taken[:middle]]), weight):
            high = middle
        else:
            low = middle + 1
    taken = taken[:low]
    rank = {place: number for number, place in enumerate(taken)}
    for place in sorted(taken, key=lambda place: (-cover.cost[place], -rank[place])):
        fewer = [other for other in taken if other != place]
        if reaches(cover.weight_proven([*standing, *fewer]), weight):
            taken = fewer
    return tuple(taken)


def reaches(weight: float, wanted: float) -> bool:
    """Whether a sum of weights is as large as wanted, sums of doubles being off by their last digits."""
    return weight >= wanted * (1.0 - 1e-9)
