"""One chip after another: from bounds to verdicts, as plain scalar loops.

Like `lightbound.geo.kernels`, this is ordinary Python that is also compiled for large files. What the numbers mean
to a person is in `verdicts`; how rows became bounds is in `ranging.bounds`.

Why a verdict is never wrong while its assumptions hold. Let at most f fault units be faulty and let every other
landmark's bound be true. *Alone*: each unit that proves a claim by one bound of its own is either faulty or right;
more than f prove it, so one of them is right, and the holder of the key that answered it was where it says.
*Joint*: if one key is in one place, that place is excluded by faulty units only, so it is in the region; a claim
is made only when no point of the region, nor of the slack around it, contradicts it.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lightbound.geo.kernels import (
    BOTH,
    INSIDE,
    OUTSIDE,
    Integers,
    Numbers,
    Outlines,
    angle_between,
    corners_of_region,
    distance_to_outline,
    inside_outline,
    region_meets_cap,
    sides_of_outline,
    units_excluding,
    without_redundant_caps,
)
from lightbound.geo.regions import SPHERE, area_of_region

CIRCLE: Final = 1
OUTLINE: Final = 2
"""Kinds of area a question can be about."""

NOT_ASKED: Final = -1
WITHIN: Final = 0
OUTSIDE_OF: Final = 1
UNDETERMINED: Final = 2
VOID: Final = 3
"""Verdict codes, in the order of `verdicts.VERDICTS`."""

NO_PROOF: Final = -1
ALONE: Final = 0
JOINT: Final = 1
"""Proof codes, in the order of `verdicts.PROOFS`."""

FEW_CAPS: Final = 16
"""Up to so many caps the first corner is found sooner among all of them than after looking for redundant ones."""

NO_MARGIN: Final = -math.inf
"""Margin where fewer than f + 1 fault units were heard."""


class Facts(NamedTuple):
    """Everything the verdicts of a file follow from. Angles are in radians; landmarks stand in order of fault unit."""

    first_row: Integers
    """(chips + 1,): the bounds of chip i are rows first_row[i] to first_row[i + 1], in order of landmark."""
    row_landmark: Integers
    row_bound: Numbers
    """Greatest angle between the landmark's stated position and the answering key."""
    landmark_points: Numbers
    """(x, y, z) per landmark."""
    landmark_unit: Integers
    landmark_error: Numbers
    """Greatest angle between the stated and the true position."""
    landmark_distrust: Integers
    """(landmarks * outlines,): 1 where a landmark's declared country is named by that outline's area."""
    area_kind: Integers
    area_index: Integers
    """Which circle or which outline an area is."""
    licensed: Integers
    excluded: Integers
    """(chips,): area of each question, -1 where it is not asked."""
    circles: Numbers
    """(x, y, z, outer radius, inner radius) per circle."""
    outlines: Outlines
    to_border: Numbers
    """(landmarks * outlines,): angle from landmark to border, negative inside; only where it is needed."""
    flattening: float
    budget: int
    joint: bool
    measure_regions: bool


class Columns(NamedTuple):
    """What came out, one entry per chip; questions are licensed (0) then excluded (1), at 2 * chip + question."""

    contradiction: NDArray[np.uint8]
    verdict: NDArray[np.int8]
    proof: NDArray[np.int8]
    margin: NDArray[np.float64]
    region: NDArray[np.float64]
    """Steradians; left at zero where regions are not measured or empty."""
    units_heard: NDArray[np.int32]
    landmarks_used: NDArray[np.int32]
    landmarks_ignored: NDArray[np.int32]


def fill_distances(
    wanted: Integers, outlines: Outlines, points: Numbers, flattening: float, to_border: NDArray[np.float64]
) -> None:
    """Signed angles from landmarks to borders into `to_border`; `wanted` numbers its entries."""
    count = len(outlines.leaves)
    for place in range(len(wanted)):
        landmark, which = wanted[place] // count, wanted[place] % count
        x, y, z = points[3 * landmark], points[3 * landmark + 1], points[3 * landmark + 2]
        angle = distance_to_outline(x, y, z, outlines, which)
        if inside_outline(x, y, z, flattening, outlines, which):
            angle = -angle
        to_border[wanted[place]] = angle


def distance_to_area(facts: Facts, landmark: int, area: int) -> tuple[float, float]:
    """Least angles surely between a landmark's stated position and the area, and between it and the complement.

    Both may be negative: minus how far the position may lie inside the one or the other.
    """
    which = facts.area_index[area]
    if facts.area_kind[area] == CIRCLE:
        k, p = 5 * which, 3 * landmark
        points, circles = facts.landmark_points, facts.circles
        angle = angle_between(points[p], points[p + 1], points[p + 2], circles[k], circles[k + 1], circles[k + 2])
        return angle - circles[k + 3], circles[k + 4] - angle
    angle = facts.to_border[landmark * len(facts.outlines.leaves) + which]
    margin = facts.outlines.margin[which]
    return angle - margin, -angle - margin


def find_landmarks_inside(facts: Facts, landmarks: Integers, areas: Integers, inside: NDArray[np.bool_]) -> None:
    """Note for each pair whether that landmark may stand in that area."""
    for pair in range(len(landmarks)):
        inside[pair] = stands_in(facts, landmarks[pair], areas[pair])


def stands_in(facts: Facts, landmark: int, area: int) -> bool:
    """Whether a landmark may stand in an area, given its position error, or declares a country that the area names."""
    if facts.area_kind[area] == OUTLINE:
        entry = landmark * len(facts.outlines.leaves) + facts.area_index[area]
        if facts.landmark_distrust[entry]:
            return True
    to_area, _ = distance_to_area(facts, landmark, area)
    return to_area <= facts.landmark_error[landmark]


def judge(facts: Facts, columns: Columns, start: int, stop: int) -> None:
    """Fill in the verdicts of the chips from `start` up to `stop`."""
    most = 0
    for chip in range(start, stop):
        most = max(most, facts.first_row[chip + 1] - facts.first_row[chip])
    caps, units, rows = np.empty(4 * most), np.empty(most, np.int64), np.empty(most, np.int64)
    best = np.empty(2 * facts.budget + 2)
    for chip in range(start, stop):
        count = gather_caps(facts, columns, chip, caps, units, rows)
        unanswered = answer_alone(facts, columns, chip, rows, units, count, best)
        if columns.contradiction[chip]:
            continue
        if columns.units_heard[chip] > facts.budget:
            answer_jointly(facts, columns, chip, caps, units, count, unanswered)
        elif facts.measure_regions:
            columns.region[chip] = SPHERE


def gather_caps(
    facts: Facts,
    columns: Columns,
    chip: int,
    caps: NDArray[np.float64],
    units: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> int:
    """Put a chip's caps, their units and their rows side by side, less those of landmarks in its excluded area."""
    first, last = facts.first_row[chip], facts.first_row[chip + 1]
    count = 0
    heard = 0
    excluded = facts.excluded[chip]
    for row in range(first, last):
        landmark = facts.row_landmark[row]
        if excluded >= 0 and stands_in(facts, landmark, excluded):
            continue
        for part in range(3):
            caps[4 * count + part] = facts.landmark_points[3 * landmark + part]
        caps[4 * count + 3] = facts.row_bound[row]
        units[count] = facts.landmark_unit[landmark]
        rows[count] = row
        if count == 0 or units[count] != units[count - 1]:
            heard += 1
        count += 1
    columns.units_heard[chip] = heard
    columns.landmarks_used[chip] = count
    columns.landmarks_ignored[chip] = last - first - count
    return count


def answer_alone(
    facts: Facts,
    columns: Columns,
    chip: int,
    rows: Integers,
    units: Integers,
    count: int,
    best: NDArray[np.float64],
) -> int:
    """Answer what units prove by themselves; returns how many of the questions asked are still open."""
    unanswered = 0
    contradicted = False
    for question in range(2):
        area = facts.excluded[chip] if question else facts.licensed[chip]
        place = 2 * chip + question
        columns.verdict[place], columns.proof[place], columns.margin[place] = NOT_ASKED, NO_PROOF, NO_MARGIN
        if area < 0:
            continue
        outward, inward = margins_alone(facts, area, rows, units, count, best)
        columns.margin[place] = max(outward, inward)
        columns.verdict[place] = UNDETERMINED
        if outward > 0.0 and inward > 0.0:
            contradicted = True  # more than the budget is faulty, or the key answered from both sides
        elif outward > 0.0:
            columns.verdict[place], columns.proof[place] = OUTSIDE_OF, ALONE
        elif inward > 0.0:
            columns.verdict[place], columns.proof[place] = WITHIN, ALONE
        else:
            unanswered += 1
    if contradicted:
        void(columns, chip)
        return 0
    return unanswered


def void(columns: Columns, chip: int) -> None:
    """Take both answers back: no place agrees with enough of what was measured."""
    columns.contradiction[chip] = 1
    for place in range(2 * chip, 2 * chip + 2):
        if columns.verdict[place] != NOT_ASKED:
            columns.verdict[place], columns.proof[place] = VOID, NO_PROOF


def answer_jointly(
    facts: Facts, columns: Columns, chip: int, caps: Numbers, units: Integers, count: int, unanswered: int
) -> None:
    """Void both answers where the region is empty; answer from the region what is still open, if that is wanted."""
    budget = facts.budget
    region_wanted = facts.measure_regions or (facts.joint and unanswered > 0)
    if not region_wanted:
        # One point of the region shows that there is no contradiction: try the centre of the narrowest cap, and, where
        # they are few, the corners of all caps as they are.
        narrowest = 0
        for i in range(count):
            if caps[4 * i + 3] < caps[4 * narrowest + 3]:
                narrowest = i
        k = 4 * narrowest
        if units_excluding(caps[k], caps[k + 1], caps[k + 2], 0.0, caps, units, count, budget + 1) <= budget:
            return
        if count <= FEW_CAPS and corners_of_region(caps, units, count, budget, 1)[1] > 0:
            return
    shaping, shaping_units, shapers = without_redundant_caps(caps, units, count, budget)
    corners, corner_count = corners_of_region(shaping, shaping_units, shapers, budget, -1 if region_wanted else 1)
    if corner_count == 0:
        void(columns, chip)
        return
    if facts.measure_regions:
        columns.region[chip] = area_of_region(shaping, shaping_units, shapers, budget)
    if not facts.joint:
        return
    for question in range(2):
        place = 2 * chip + question
        if columns.verdict[place] != UNDETERMINED:
            continue
        area = facts.excluded[chip] if question else facts.licensed[chip]
        sides = sides_of_area(facts, area, corners, corner_count, shaping, shaping_units, shapers)
        if sides == OUTSIDE:
            columns.verdict[place], columns.proof[place] = OUTSIDE_OF, JOINT
        elif sides == INSIDE:
            columns.verdict[place], columns.proof[place] = WITHIN, JOINT


def margins_alone(
    facts: Facts, area: int, rows: Integers, units: Integers, count: int, best: NDArray[np.float64]
) -> tuple[float, float]:
    """By what angle more than `budget` units prove, each by itself, `outside` and `within`: positive proves it.

    A unit counts with the best of its landmarks, and the (budget + 1)-th best unit decides. `best` is room for
    twice as many numbers.
    """
    enough = facts.budget + 1
    best[:] = NO_MARGIN
    outward, inward = best[:enough], best[enough:]
    unit_outward = unit_inward = NO_MARGIN
    for i in range(count):
        row = rows[i]
        to_area, to_complement = distance_to_area(facts, facts.row_landmark[row], area)
        unit_outward = max(unit_outward, to_area - facts.row_bound[row])
        unit_inward = max(unit_inward, to_complement - facts.row_bound[row])
        if i + 1 == count or units[i + 1] != units[i]:
            keep_largest(outward, unit_outward)
            keep_largest(inward, unit_inward)
            unit_outward = unit_inward = NO_MARGIN
    return outward[enough - 1], inward[enough - 1]


def keep_largest(largest: NDArray[np.float64], value: float) -> None:
    """Insert a value into a descending list of fixed length, dropping the least."""
    place = len(largest)
    while place > 0 and largest[place - 1] < value:
        if place < len(largest):
            largest[place] = largest[place - 1]
        place -= 1
    if place < len(largest):
        largest[place] = value


def sides_of_area(
    facts: Facts, area: int, corners: Numbers, corner_count: int, caps: Numbers, units: Integers, count: int
) -> int:
    """On which sides of an area the region possibly is; INSIDE and OUTSIDE are proofs, BOTH is not knowing."""
    which = facts.area_index[area]
    if facts.area_kind[area] == OUTLINE:
        return sides_of_outline(
            corners, corner_count, caps, units, count, facts.budget, facts.flattening, facts.outlines, which
        )
    x, y, z = facts.circles[5 * which], facts.circles[5 * which + 1], facts.circles[5 * which + 2]
    outer, inner = facts.circles[5 * which + 3], facts.circles[5 * which + 4]
    if not region_meets_cap(corners, corner_count, caps, units, count, facts.budget, x, y, z, outer):
        return OUTSIDE
    if not region_meets_cap(corners, corner_count, caps, units, count, facts.budget, -x, -y, -z, math.pi - inner):
        return INSIDE
    return BOTH
