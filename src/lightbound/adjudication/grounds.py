"""Which bounds an answer rests on: the fewest that still give it, found by leaving out one after another.

A joint proof and a contradiction both follow from all bounds together, which nobody can look through. What is
found here is a part of them that is enough, and no bound of which can be spared. There can be other such
parts; which one is found depends on the order, widest bounds being left out first.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from lightbound.adjudication.kernels import Facts, sides_of_area
from lightbound.geo.kernels import angle_between, corners_of_region, without_redundant_caps

APART: Final = 1e-6
"""Radians (6 m) by which two caps must keep apart to be shown as not meeting; what `corners_of_region` allows."""


def shaping_caps(caps: Sequence[float], units: Sequence[int], budget: int) -> list[int]:
    """The caps that can shape the region, in order: the others leave it exactly as it is."""
    kept, kept_units, count = without_redundant_caps(caps, units, len(units), budget)
    # The kernel hands back numbers, not places; order is kept, so one walk finds the places again.
    found = []
    place = 0
    for k in range(count):
        while not (units[place] == kept_units[k] and _same(caps, place, kept, k)):
            place += 1
        found.append(place)
        place += 1
    return found


def region_is_empty(caps: Sequence[float], units: Sequence[int], budget: int) -> bool:
    """Whether more than `budget` units exclude every point; decided as verdicts decide it."""
    if len(set(units)) <= budget:
        return False
    left, left_units, count = without_redundant_caps(caps, units, len(units), budget)
    return corners_of_region(left, left_units, count, budget, 1)[1] == 0


def region_is_on(side: int, facts: Facts, area: int, caps: Sequence[float], units: Sequence[int]) -> bool:
    """Whether the region is wholly on one side of an area (`INSIDE` or `OUTSIDE`); decided as verdicts decide it."""
    if len(set(units)) <= facts.budget:
        return False
    left, left_units, count = without_redundant_caps(caps, units, len(units), facts.budget)
    corners, corner_count = corners_of_region(left, left_units, count, facts.budget, -1)
    return corner_count > 0 and sides_of_area(facts, area, corners, corner_count, left, left_units, count) == side


def fewest(
    caps: Sequence[float], units: Sequence[int], budget: int, holds: Callable[[list[float], list[int]], bool]
) -> list[int]:
    """Caps, in order, for which `holds` holds, and would not if any one of them were left out.

    `holds` holds for all caps, and for whatever contains a set that it holds for.
    """
    left = shaping_caps(caps, units, budget)
    if not holds(*_taken(caps, units, left)):
        left = list(range(len(units)))
    for cap in sorted(left, key=lambda cap: -caps[4 * cap + 3]):
        rest = [other for other in left if other != cap]
        if holds(*_taken(caps, units, rest)):
            left = rest
    return left


def gaps(caps: Sequence[float], among: Sequence[int]) -> list[tuple[int, int, float]]:
    """Pairs of caps that do not meet, each with the angle between their edges, widest gap first.

    Two landmarks of one unit can be such a pair as well: the unit then excludes every place by itself.
    """
    found = []
    for k, i in enumerate(among):
        for j in among[k + 1 :]:
            between = angle_between(*caps[4 * i : 4 * i + 3], *caps[4 * j : 4 * j + 3])
            gap = between - caps[4 * i + 3] - caps[4 * j + 3]
            if gap > APART:
                found.append((i, j, gap))
    return sorted(found, key=lambda pair: -pair[2])


def likely_place(
    caps: Sequence[float],
    units: Sequence[int],
    budget: int,
    *,
    also: Sequence[tuple[float, float, float]],
    preferred: Callable[[float, float, float], bool],
) -> tuple[float, float, float] | None:
    """A point well inside the region, for orientation only; None where it is empty.

    Where all bounds agree, or all but those of a few units, it is taken from the part where most agree. Points tried
    are the landmarks' places, those of `also` and the mean of the region's corners; preferred ones come
    before others, then those that the bounds leave the most room around.
    """
    for wrong in range(budget + 1):
        left, left_units, count = without_redundant_caps(caps, units, len(units), wrong)
        found, n = corners_of_region(left, left_units, count, wrong, -1)
        if n == 0:
            continue
        corners = [tuple(np.asarray(found[4 * k : 4 * k + 3]).tolist()) for k in range(n)]
        centres = [*also, *(tuple(np.asarray(left[4 * k : 4 * k + 3]).tolist()) for k in range(count))]
        mean = np.mean(corners, axis=0)
        if np.linalg.norm(mean) > 1e-3:
            centres.append(tuple((mean / np.linalg.norm(mean)).tolist()))
        within = [point for point in centres if _room(point, caps, units, wrong) >= 0.0]
        return max(
            within or corners, key=lambda point: (preferred(*point), round(_room(point, caps, units, wrong), 9), point)
        )
    return None


def _room(point: tuple[float, ...], caps: Sequence[float], units: Sequence[int], wrong: int) -> float:
    """How far a point can move until more than `wrong` units exclude it; negative if they do."""
    room: dict[int, float] = {}
    for i, unit in enumerate(units):
        slack = caps[4 * i + 3] - angle_between(*point[:3], *caps[4 * i : 4 * i + 3])
        room[unit] = min(room.get(unit, slack), slack)
    ranked = sorted(room.values())
    return ranked[wrong] if wrong < len(ranked) else math.pi


def _same(caps: Sequence[float], i: int, others: object, k: int) -> bool:
    mine: list[float] = list(caps[4 * i : 4 * i + 4])
    return bool(mine == np.asarray(others)[4 * k : 4 * k + 4].tolist())


def _taken(caps: Sequence[float], units: Sequence[int], which: Sequence[int]) -> tuple[list[float], list[int]]:
    return [number for cap in which for number in caps[4 * cap : 4 * cap + 4]], [units[cap] for cap in which]
