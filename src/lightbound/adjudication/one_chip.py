"""One chip taken out of a file of many: its rows, its areas, and the facts that its verdict followed from.

Whoever shows why a verdict came out as it did must show the numbers it came from. They are computed here by the same
functions, and a test holds them to the verdict on the whole file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lightbound.adjudication.adjudicate import adjudicate
from lightbound.adjudication.facts import Settings, facts_of, judged
from lightbound.adjudication.kernels import Columns, Facts, gather_caps
from lightbound.adjudication.verdicts import BorderUsed, Verdicts
from lightbound.geo.shapes import Area
from lightbound.ranging.bounds import Bounds
from lightbound.ranging.readings import Chips, Landmark, Readings

UNSTATED: Final = "(none stated)"
"""What the one fault unit of all landmarks that state none is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneChip:
    """A case of one chip. Landmarks stand in order of fault unit, so that the numbers in `facts` are theirs."""

    verdicts: Verdicts
    readings: Readings
    """The chip's own rows."""
    landmarks: tuple[Landmark, ...]
    units: tuple[str, ...]
    """Name of each fault unit, by its number in `facts.landmark_unit`."""
    areas: tuple[Area, ...]
    area_texts: tuple[str, ...]
    licensed: int
    excluded: int
    """Index into `areas`; -1 where the question is not asked."""
    facts: Facts
    bounds: Bounds
    settings: Settings
    caps: list[float]
    cap_units: list[int]
    cap_rows: list[int]
    """The bounds that count, as the kernels take them: four numbers, a unit and a row of `bounds` each."""

    @property
    def cap_count(self) -> int:
        """How many bounds count."""
        return len(self.cap_rows)

    def landmark_of_cap(self, cap: int) -> int:
        """Which landmark a cap is the bound of."""
        return int(self.facts.row_landmark[self.cap_rows[cap]])

    def rows_inside(self) -> NDArray[np.bool_]:
        """Which of the chip's readings lie in its window."""
        at, start, stop = self.readings.measured_at_ns, self.bounds.window_from_ns, self.bounds.window_to_ns
        if at is None or start is None or stop is None:
            return np.ones(len(self.readings), np.bool_)
        inside: NDArray[np.bool_] = (at >= start[0]) & (at <= stop[0])
        return inside

    def rows_used(self) -> list[int]:
        """The reading that each row of `bounds` was made of: the landmark's least, clock error included."""
        duration, inside = self.durations_ns(), self.rows_inside()
        used = []
        for landmark in self.bounds.landmark.tolist():
            rows = np.flatnonzero(inside & (self.readings.landmark == landmark))
            used.append(int(rows[duration[rows].argmin()]))
        return used

    def durations_ns(self) -> NDArray[np.int64]:
        """Each reading's round trip with its clock error."""
        error = self.readings.clock_error_ns
        return self.readings.round_trip_ns if error is None else self.readings.round_trip_ns + error


def one_chip(
    chip: int,
    *,
    readings: Readings,
    landmarks: Sequence[Landmark],
    chips: Chips,
    areas: Sequence[Area],
    border: BorderUsed,
    settings: Settings,
) -> OneChip:
    """The case of the chip with this number in `chips`; the other arguments are those of `adjudicate`."""
    names = [fault_unit(landmark, settings) for landmark in landmarks]
    order = sorted(range(len(landmarks)), key=lambda i: (names[i], i))
    rank = np.empty(len(landmarks), np.int32)
    rank[order] = np.arange(len(landmarks), dtype=np.int32)
    placed = tuple(landmarks[i] for i in order)
    own = _rows_of(chip, replace(readings, landmark=rank[readings.landmark]))
    asked = [number for number in (int(chips.licensed[chip]), int(chips.excluded[chip])) if number >= 0]
    licensed = 0 if chips.licensed[chip] >= 0 else -1
    excluded = len(asked) - 1 if chips.excluded[chip] >= 0 else -1
    alone = Chips(
        chip_ids=[chips.chip_ids[chip]],
        licensed=np.array([licensed], np.int32),
        excluded=np.array([excluded], np.int32),
        areas=[chips.areas[number] for number in asked],
    )
    its_areas = tuple(areas[number] for number in asked)
    verdicts = adjudicate(
        own, landmarks=placed, chips=alone, areas=its_areas, border=border, settings=settings, use_compiled=False
    )
    facts, bounds = facts_of(own, landmarks=placed, chips=alone, areas=its_areas, settings=settings)
    columns = judged(facts, 1, use_compiled=False)  # fills in how far landmarks are from borders, too
    caps, cap_units, cap_rows = _caps(facts, columns)
    return OneChip(
        verdicts=verdicts,
        readings=own,
        landmarks=placed,
        units=tuple(name or UNSTATED for _, name in sorted(set(names))),
        areas=its_areas,
        area_texts=tuple(alone.areas),
        licensed=licensed,
        excluded=excluded,
        facts=facts,
        bounds=bounds,
        settings=settings,
        caps=caps,
        cap_units=cap_units,
        cap_rows=cap_rows,
    )


def fault_unit(landmark: Landmark, settings: Settings) -> tuple[int, str]:
    """What tells fault units apart: a stated one; itself, if landmarks are independent; or one unit for all others."""
    if landmark.fault_unit is not None:
        return (0, landmark.fault_unit)
    return (2, landmark.landmark_id) if settings.independent_landmarks else (1, "")


def _rows_of(chip: int, readings: Readings) -> Readings:
    """The rows of one chip, which becomes number 0."""
    rows = np.flatnonzero(readings.chip == chip)
    return replace(
        readings,
        landmark=readings.landmark[rows],
        chip=np.zeros(len(rows), np.int32),
        round_trip_ns=readings.round_trip_ns[rows],
        measured_at_ns=None if readings.measured_at_ns is None else readings.measured_at_ns[rows],
        clock_error_ns=None if readings.clock_error_ns is None else readings.clock_error_ns[rows],
        session=None if readings.session is None else readings.session[rows],
    )


def _caps(facts: Facts, columns: Columns) -> tuple[list[float], list[int], list[int]]:
    """The caps that the verdict was reached with, their units and rows."""
    most = len(facts.row_landmark)
    caps, units, rows = np.empty(4 * most), np.empty(most, np.int64), np.empty(most, np.int64)
    count = gather_caps(facts, columns, 0, caps, units, rows)
    # Plain numbers: everything after this is interpreted, and reads them many times.
    return caps[: 4 * count].tolist(), units[:count].tolist(), rows[:count].tolist()
