"""How much less a plan could possibly cost: an exact integer program while that is small, a proven bound beyond.

HiGHS, through SciPy, does the solving. It is stopped by counts of nodes and by sizes, never by a clock, so that the
same question gets the same answer everywhere.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from lightbound.adjudication.planning.cover import Cover, reaches

MOST_ENTRIES_EXACT: Final = 12_000
"""Entries of the program's matrix up to which it is solved as an integer program."""

MOST_ENTRIES_RELAXED: Final = 600_000
"""Entries up to which its linear relaxation is solved. Past them a minute would not always do."""

MOST_PROOFS: Final = 4_000_000
"""Entries of the table of proofs past which the program is not even written down: it would fill a gigabyte."""

MOST_NODES: Final = 200
"""Nodes of branch and bound. Where places lie on the ground a few are enough; a table of proofs without any order in
it would take millions."""

ROUNDING: Final = 1e-6
"""What HiGHS lets pass: a bound is lowered by this fraction before anything is concluded from it."""


class LeastBy(StrEnum):
    """How it is known that no plan costs less."""

    EXACT = "exact"
    """Places that cost just this are known, and it is proven that none cost less."""
    BRANCH_AND_BOUND = "branch_and_bound"
    """The integer program was not solved to the end, and this is the bound reached."""
    LINEAR_RELAXATION = "linear_relaxation"
    """Landmarks could be taken in parts."""
    COUNTING = "counting"
    """Each landmark adds at most what it would add as the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Least:
    """A cost below which no choice of places proves the weight asked for."""

    cost: float
    by: LeastBy
    places: tuple[int, ...] | None
    """A choice that costs just that, where one is known."""


def least_cost(
    cover: Cover,
    weight: float,
    *,
    known: Sequence[int],
    most_exact: int = MOST_ENTRIES_EXACT,
    most_relaxed: int = MOST_ENTRIES_RELAXED,
) -> Least:
    """The least cost of proving goals of this weight, or a bound that is surely not above it.

    `known` are places that prove as much: where a bound is reached by what they cost, they are best. The integer
    program has x (a place is taken), z (some place of a unit proves a goal) and y (a goal is proven): minimise the
    cost of x, where z <= sum of x of the unit's places that prove it, needed * y <= sum of z, and the weight of y is
    at least what is asked for. Goals that the same places prove are one; a place that another of its unit
    replaces at no more cost is left out. `most_exact` and `most_relaxed` say how large a program may be.
    """
    if reaches(cover.weight_proven(cover.standing), weight):
        known = ()
    ceiling = float(cover.cost[list(known)].sum())
    best = Least(cost=ceiling, by=LeastBy.EXACT, places=tuple(known))
    bound = _counting(cover, weight)
    if bound >= ceiling:
        return best
    program = _Program(cover, weight) if np.count_nonzero(cover.proves) <= MOST_PROOFS else None
    if program is None or program.entries > most_relaxed:
        return Least(cost=bound, by=LeastBy.COUNTING, places=None)
    bound = max(bound, _whole(cover, program.solved(integral=False).bound))
    if bound >= ceiling:
        return best
    if program.entries > most_exact:
        return Least(cost=bound, by=LeastBy.LINEAR_RELAXATION, places=None)
    found = program.solved(integral=True)
    bound = max(bound, _whole(cover, found.bound))
    places = found.places
    if places is not None and reaches(cover.weight_proven([*cover.standing.tolist(), *places]), weight):
        cost = float(cover.cost[list(places)].sum())
        if cost < ceiling:
            best = Least(cost=cost, by=LeastBy.EXACT, places=places)
    # The solver's own bound is as good as its tolerance; a sum that it reached is not to miss by a last digit.
    if max(bound, found.bound) >= best.cost * (1.0 - ROUNDING):
        return best
    return Least(cost=bound, by=LeastBy.BRANCH_AND_BOUND, places=None)


def _counting(cover: Cover, weight: float) -> float:
    """Places in order of what each would add as the first for its cost, the last in part, until there is enough."""
    count = cover.units_proving(cover.standing)
    counts = cover.weight * cover.attainable
    missing = cover.needed * weight - float(counts @ np.minimum(count, cover.needed))
    adds = cover.proves @ (counts * (count < cover.needed))
    useful = np.flatnonzero((cover.cost > 0) & (adds > 0))
    useful = useful[np.argsort(-adds[useful] / cover.cost[useful], kind="stable")]
    before = np.cumsum(adds[useful]) - adds[useful]
    share = np.clip((missing - before) / adds[useful], 0.0, 1.0)
    return max(0.0, _whole(cover, float((share * cover.cost[useful]).sum())))


def _whole(cover: Cover, bound: float) -> float:
    """A lower bound, raised to the next sum that costs can have: a multiple of what divides them all, in cents."""
    lowered = bound - ROUNDING * max(1.0, abs(bound))
    cents = np.rint(cover.cost * 100.0)
    if (np.abs(cents - cover.cost * 100.0) > 1e-6).any() or not cents.any():
        return lowered
    step = int(np.gcd.reduce(cents.astype(np.int64))) / 100.0
    return math.ceil(lowered / step) * step


@dataclass(frozen=True, slots=True, kw_only=True)
class _Solved:
    bound: float
    places: tuple[int, ...] | None


class _Program:
    """The integer program, written as the rows of one sparse matrix. Not frozen: it is built up row by row."""

    def __init__(self, cover: Cover, weight: float) -> None:
        self._places, proves, self._weights = _reduced(cover)
        self._cost, unit = cover.cost[self._places], cover.unit[self._places]
        self._least: list[float] = []
        self._entries: list[tuple[int, int, float]] = []
        variables = len(self._places)
        proven = []
        for goal in range(len(self._weights)):
            members = np.flatnonzero(proves[:, goal])
            seen = []
            for number in np.unique(unit[members]).tolist():
                of_unit = members[unit[members] == number].tolist()
                if len(of_unit) == 1:  # then z is that place's x
                    seen += of_unit
                    continue
                seen.append(variables)
                self._row([(place, 1.0) for place in of_unit] + [(variables, -1.0)], 0.0)
                variables += 1
            proven.append(variables)
            self._row([(one, 1.0) for one in seen] + [(variables, -float(cover.needed))], 0.0)
            variables += 1
        unit_weight = float(self._weights.mean())  # numbers near 1 are what the solver's tolerances are made for
        weighed = (self._weights / unit_weight).tolist()
        self._row(list(zip(proven, weighed, strict=True)), weight / unit_weight * (1.0 - 1e-9))
        self._variables, self._proven = variables, proven

    @property
    def entries(self) -> int:
        """How large the program is."""
        return len(self._entries)

    def solved(self, *, integral: bool) -> _Solved:
        """A bound from below, and the places of a solution if one was found and proven best."""
        cost = np.zeros(self._variables)
        cost[: len(self._places)] = self._cost
        is_whole = np.zeros(self._variables, np.int8)
        if integral:
            is_whole[: len(self._places)] = 1
            is_whole[self._proven] = 1
        least = np.zeros(self._variables)
        least[: len(self._places)][self._cost == 0] = 1  # what stands already is taken
        row, column, value = zip(*self._entries, strict=True)
        matrix = coo_array((value, (row, column)), shape=(len(self._least), self._variables)).tocsr()
        result = milp(
            cost,
            integrality=is_whole,
            bounds=Bounds(least, 1.0),
            constraints=LinearConstraint(matrix, np.array(self._least), np.inf),
            options={"node_limit": MOST_NODES},
        )
        bound = result.mip_dual_bound if integral else result.fun
        places = None
        if result.x is not None and integral:
            taken = np.flatnonzero((result.x[: len(self._places)] > 0.5) & (self._cost > 0))
            places = tuple(self._places[taken].tolist())
        return _Solved(bound=0.0 if bound is None or not math.isfinite(bound) else float(bound), places=places)

    def _row(self, entries: list[tuple[int, float]], least: float) -> None:
        self._entries.extend((len(self._least), column, value) for column, value in entries)
        self._least.append(least)


def _reduced(cover: Cover) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.float64]]:
    """Places that matter, and their table against goals that differ, with the goals' weights."""
    attainable = cover.attainable
    different, which = np.unique(cover.proves[:, attainable], axis=1, return_inverse=True)
    weights = np.zeros(different.shape[1])
    np.add.at(weights, which.ravel(), cover.weight[attainable])
    kept = []
    for unit in np.unique(cover.unit).tolist():
        places = np.flatnonzero((cover.unit == unit) & different.any(axis=1))
        # From the one that proves most, the cheapest first: what an earlier one replaces is left out.
        order = np.lexsort((places, cover.cost[places], -different[places].sum(axis=1)))
        best: list[int] = []
        for place in places[order].tolist():
            if not any(
                cover.cost[other] <= cover.cost[place] and (different[other] >= different[place]).all()
                for other in best
            ):
                best.append(place)
        kept += best
    chosen = np.array(sorted(kept), np.int64)
    return chosen, different[chosen], weights
