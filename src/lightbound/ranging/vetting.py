"""Which landmarks cannot all stand where they say: their own mesh of round trips against the speed of light.

Landmarks time one another. A pair contradicts itself if the shortest path that can join its two stated places, less
both position errors and the slack of every bound, is longer than light could go in half the round trip. Then one of
four things is false: the one place, the other place, the reading, or that the one of that name answered. All of
them are faults of one of the two landmarks, or of whatever answered in its place.

**Nothing more can be found.** If no pair contradicts itself, everybody standing where they say explains every
reading. So no other test of the same readings at the same speed, regions and multilateration included, can show that
a place is false: the stated place of a landmark lies in all bounds upon it exactly if none of its pairs is a
contradiction. What remains hidden is a landmark that delays its answers, or stands too far from all others; hence
the fault budget of a verdict.

Which of a pair is at fault is the business of `blame`. No speed is fitted here: a speed that describes
most paths accuses whoever has a better one.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lightbound.geo.earth import ALTITUDE_SLACK_M, ARITHMETIC_SLACK_M, LEAST_RADIUS_M, units
from lightbound.geo.shapes import Area
from lightbound.geo.sides import Side, sides_of_points
from lightbound.ranging.blame import Group, Suspect, blame
from lightbound.ranging.bounds import Speed
from lightbound.ranging.readings import Landmark, Readings
from lightbound.units import reach_m

ALGORITHM: Final = "lightbound.vet/1"
"""Changes whenever equal readings could get other suspects, or metres that differ by more than one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Two landmarks that cannot both be right, by their quickest reading. Landmarks are numbered as in their list."""

    first: int
    second: int
    measured_by: int
    """Which of the two took the quickest reading."""
    round_trip_ns: int
    """Of the quickest reading, its clock error added."""
    least_path_m: int
    """The shortest path between the places that the two may have, position errors and slack taken off; rounded down."""
    reach_m: int
    """As far as a signal can have gone; rounded up."""
    directions: int
    """2 if readings of each of the two show it, 1 if those of one alone."""

    @property
    def excess_m(self) -> int:
        """By how much the path is too long, at the least."""
        return self.least_path_m - self.reach_m


@dataclass(frozen=True, slots=True, kw_only=True)
class Vetting:
    """What a mesh of landmarks shows about its members."""

    speed: Speed
    contradictions: tuple[Contradiction, ...]
    """The farthest too long first."""
    suspects: tuple[Suspect, ...]
    """Landmarks that are at fault in every explanation by the fewest faults."""
    ambiguous: tuple[Group, ...]
    """Landmarks of which some are at fault, and nothing tells which."""
    contradicted_by: tuple[int, ...]
    """(landmarks,): with how many others each contradicts itself."""
    distrusted: tuple[int, ...]
    """Landmarks whose own rows were left out."""
    landmarks_heard: int
    """Landmarks in at least one pair; of the others nothing is shown."""
    pairs_measured: int
    rows_used: int
    rows_of_distrusted: int
    """Rows measured by the distrusted, which were left out."""
    rows_of_itself: int
    """Rows in which a landmark measures itself, which say nothing about its place."""

    @property
    def doubtful(self) -> frozenset[int]:
        """Suspects, and everybody in an ambiguous group. Among the others no contradiction is left."""
        return frozenset(suspect.landmark for suspect in self.suspects).union(
            *(group.landmarks for group in self.ambiguous)
        )


def vet(
    readings: Readings,
    *,
    landmarks: Sequence[Landmark],
    distrusted: NDArray[np.bool_] | None = None,
    speed: Speed = Speed.VACUUM,
) -> Vetting:
    """The contradictions among landmarks, and who explains them.

    The chips of `readings` are the landmarks, numbered alike. All rows count, whenever they were measured: a
    landmark is taken to stay where it is. Rows measured by the distrusted (landmarks that may stand in an excluded
    area, as `distrusted_landmarks` finds them) are left out, because there somebody can answer for whoever was
    asked. Fault units count where they are stated; a landmark without one is taken to fail by itself.

    An empty result shows that the stated places agree with the readings, and not that they are true.
    """
    points = units(
        np.array([landmark.position.latitude for landmark in landmarks]),
        np.array([landmark.position.longitude for landmark in landmarks]),
    )
    errors_m = np.array([landmark.position_error_m for landmark in landmarks])
    if distrusted is None:
        distrusted = np.zeros(len(landmarks), bool)
    itself = readings.landmark == readings.chip
    by_distrusted = distrusted[readings.landmark] & ~itself
    used = ~itself & ~by_distrusted
    pairs = _least_by_pair(readings, used)

    chords = np.linalg.norm(points[pairs.first] - points[pairs.second], axis=1)
    least_path_m = (
        2 * np.arcsin(np.minimum(1.0, chords / 2)) * LEAST_RADIUS_M
        - errors_m[pairs.first]
        - errors_m[pairs.second]
        - (ALTITUDE_SLACK_M + ARITHMETIC_SLACK_M)
    )
    contradictions = _contradictions(pairs, least_path_m, speed)
    counts = Counter(landmark for found in contradictions for landmark in (found.first, found.second))
    blamed = blame([(found.first, found.second) for found in contradictions], _units(landmarks))
    return Vetting(
        speed=speed,
        contradictions=contradictions,
        suspects=blamed.suspects,
        ambiguous=blamed.groups,
        contradicted_by=tuple(counts[landmark] for landmark in range(len(landmarks))),
        distrusted=tuple(np.flatnonzero(distrusted).tolist()),
        landmarks_heard=len(np.unique(np.concatenate((pairs.first, pairs.second)))),
        pairs_measured=len(pairs.first),
        rows_used=int(used.sum()),
        rows_of_distrusted=int(by_distrusted.sum()),
        rows_of_itself=int(itself.sum()),
    )


def distrusted_landmarks(landmarks: Sequence[Landmark], excluded: Area) -> NDArray[np.bool_]:
    """Which landmarks may stand in an area, by place and position error, or declare a country that it names."""
    points = units(
        np.array([landmark.position.latitude for landmark in landmarks]),
        np.array([landmark.position.longitude for landmark in landmarks]),
    )
    errors = np.array([landmark.position_error_m for landmark in landmarks]) / LEAST_RADIUS_M
    sides = sides_of_points(points, errors, excluded)
    return np.array(
        [
            side is not Side.OUTSIDE or landmark.country in excluded.countries
            for side, landmark in zip(sides, landmarks, strict=True)
        ]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pairs:
    """The quickest reading of every pair of landmarks that was measured."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    forward_ns: NDArray[np.int64]
    """The quickest that `first` took; the greatest integer where it took none."""
    backward_ns: NDArray[np.int64]


def _least_by_pair(readings: Readings, used: NDArray[np.bool_]) -> _Pairs:
    measuring, answering = readings.landmark[used].astype(np.int64), readings.chip[used].astype(np.int64)
    duration_ns = readings.round_trip_ns[used]
    if readings.clock_error_ns is not None:
        duration_ns = duration_ns + readings.clock_error_ns[used]
    count = 1 + int(max(measuring.max(initial=0), answering.max(initial=0)))
    first, second = np.minimum(measuring, answering), np.maximum(measuring, answering)
    keys, pair = np.unique(first * count + second, return_inverse=True)
    least_ns = np.full((2, len(keys)), np.iinfo(np.int64).max)
    np.minimum.at(least_ns, ((measuring > answering).astype(np.int64), pair), duration_ns)
    return _Pairs(first=keys // count, second=keys % count, forward_ns=least_ns[0], backward_ns=least_ns[1])


def _contradictions(pairs: _Pairs, least_path_m: NDArray[np.float64], speed: Speed) -> tuple[Contradiction, ...]:
    forward_m = reach_m(pairs.forward_ns, fraction_of_c=speed.fraction_of_c)
    backward_m = reach_m(pairs.backward_ns, fraction_of_c=speed.fraction_of_c)
    least_m = np.minimum(forward_m, backward_m)
    found = [
        Contradiction(
            first=int(pairs.first[pair]),
            second=int(pairs.second[pair]),
            measured_by=int((pairs.first if forward_m[pair] <= backward_m[pair] else pairs.second)[pair]),
            round_trip_ns=int(min(pairs.forward_ns[pair], pairs.backward_ns[pair])),
            least_path_m=math.floor(least_path_m[pair]),
            reach_m=math.ceil(least_m[pair]),
            directions=int(least_path_m[pair] > forward_m[pair]) + int(least_path_m[pair] > backward_m[pair]),
        )
        for pair in np.flatnonzero(least_path_m > least_m)
    ]
    return tuple(sorted(found, key=lambda item: (-item.excess_m, item.first, item.second)))


def _units(landmarks: Sequence[Landmark]) -> list[int]:
    """Number of each landmark's fault unit; without a stated one, one of its own."""
    numbers: dict[tuple[bool, str], int] = {}
    return [
        numbers.setdefault((landmark.fault_unit is None, landmark.fault_unit or landmark.landmark_id), len(numbers))
        for landmark in landmarks
    ]
