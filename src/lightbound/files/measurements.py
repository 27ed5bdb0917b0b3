"""MEASUREMENTS: round trips between landmarks and chips, from a file of any length."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lightbound.errors import ErrorCode
from lightbound.files.batches import Batch, Progress
from lightbound.files.columns import UNKNOWN, Filled, ids, places, report_missing
from lightbound.files.faults import Faults, shown
from lightbound.files.header import Columns, Kind
from lightbound.files.lookup import Lookup
from lightbound.files.quantities import instants, milliseconds, whole_numbers
from lightbound.files.tables import columns_ignored, read_table
from lightbound.ranging.readings import Chips, Landmark, Readings
from lightbound.units import LONGEST_ROUND_TRIP_NS

COLUMNS: Final = Columns(
    required={"landmark_id": Kind.TEXT, "chip_id": Kind.TEXT},
    one_of={"round_trip_ns": Kind.WHOLE, "round_trip_ms": Kind.DECIMAL},
    optional={
        "measured_at": Kind.TIME,
        "samples": Kind.WHOLE,
        "clock_error_ns": Kind.WHOLE,
        "session_id": Kind.TEXT,
    },
    distinct=frozenset({"chip_id"}),
    also_known_as={
        **dict.fromkeys(("rtt_ns", "latency_ns"), "round_trip_ns"),
        **dict.fromkeys(("rtt", "rtt_ms", "rtt_us", "latency", "latency_ms", "round_trip"), "round_trip_ms"),
        **dict.fromkeys(("timestamp", "time"), "measured_at"),
        "landmark": "landmark_id",
        "chip": "chip_id",
    },
)

MOST_SAMPLES: Final = 1_000_000_000
"""More pings behind one row than this is a column that holds something else."""


def read_measurements(
    path: Path, *, landmarks: Sequence[Landmark], chips: Chips, progress: Progress | None = None
) -> Readings:
    """The rows of the file whose chip is asked about; the others are checked all the same, and counted.

    Every row counts or none does: one wrong value anywhere refuses the file. `samples` is checked and not kept,
    for a bound is as good as its quickest answer, however many were slower.

    Raises:
        Malformed: with the first faults of the file by line, and the count of all.
        Unavailable: the file cannot be read.
    """
    faults = Faults(str(path))
    gathered = _Gathered(landmarks, chips)
    for batch in read_table(path, COLUMNS, faults, progress):
        gathered.take(batch, faults)
    return gathered.readings(faults)


def measurement_columns_ignored(path: Path) -> tuple[str, ...]:
    """Names of the columns of the file that are not looked at."""
    return columns_ignored(path, COLUMNS)


class _Gathered:
    """The columns so far. Kept as one array per batch and joined once, at the end."""

    def __init__(self, landmarks: Sequence[Landmark], chips: Chips) -> None:
        self._landmarks = {landmark.landmark_id: place for place, landmark in enumerate(landmarks)}
        self._chips = Lookup(chips.chip_ids)
        self._sessions: dict[str, int] = {}
        self._parts: dict[str, list[NDArray[Any]]] = {}
        self._filled: dict[str, Filled] = {}
        self._unasked = 0

    def take(self, batch: Batch, faults: Faults) -> None:
        """Read the rows of a batch."""
        for name in (*COLUMNS.required, *COLUMNS.one_of):
            if name in batch.columns:
                report_missing(batch, name, faults)
        for name in COLUMNS.optional:
            if name in batch.columns:
                self._filled.setdefault(name, Filled(name)).see(batch)
        columns = self._values(batch, faults)
        asked = columns["chip_id"] >= 0
        for name, column in columns.items():
            self._parts.setdefault(name, []).append(column if asked.all() else column[asked])
        self._unasked += len(batch) - int(asked.sum())

    def _values(self, batch: Batch, faults: Faults) -> dict[str, NDArray[Any]]:
        values: dict[str, NDArray[Any]] = {
            "landmark_id": ids(batch, "landmark_id", self._landmarks, faults),
            "chip_id": places(batch, "chip_id", self._chips, faults),
            "round_trip": (
                _nanoseconds(batch, "round_trip_ns", faults, least=1)
                if "round_trip_ns" in batch.columns
                else milliseconds(batch, "round_trip_ms", faults)
            ),
        }
        _report_unknown_landmarks(batch, values["landmark_id"], faults)
        if "measured_at" in batch.columns:
            values["measured_at"] = instants(batch, "measured_at", faults)
        if "samples" in batch.columns:
            whole_numbers(batch, "samples", faults, least=1, most=MOST_SAMPLES, of="")
        if "clock_error_ns" in batch.columns:
            values["clock_error_ns"] = _nanoseconds(batch, "clock_error_ns", faults, least=0)
        if "session_id" in batch.columns:
            values["session_id"] = ids(batch, "session_id", self._sessions, faults, learn=True)
        return values

    def readings(self, faults: Faults) -> Readings:
        """All rows, once the whole file has been seen."""
        every = {name for name, filled in self._filled.items() if filled.every(faults)}
        faults.raise_if_any()
        return Readings(
            landmark=self._joined("landmark_id"),
            chip=self._joined("chip_id"),
            round_trip_ns=self._joined("round_trip"),
            measured_at_ns=self._joined("measured_at") if "measured_at" in every else None,
            clock_error_ns=self._joined("clock_error_ns") if "clock_error_ns" in every else None,
            session=self._joined("session_id") if "session_id" in every else None,
            session_ids=tuple(self._sessions),
            rows_of_unasked_chips=self._unasked,
        )

    def _joined(self, name: str) -> NDArray[Any]:
        # Each column's parts are let go before the next is joined: the peak is one column above the result.
        return np.concatenate(self._parts.pop(name))


def _nanoseconds(batch: Batch, name: str, faults: Faults, *, least: int) -> NDArray[np.int64]:
    return whole_numbers(batch, name, faults, least=least, most=LONGEST_ROUND_TRIP_NS, of=" of nanoseconds")


def _report_unknown_landmarks(batch: Batch, landmark: NDArray[np.int32], faults: Faults) -> None:
    rows = np.flatnonzero(landmark == UNKNOWN)
    array = batch.columns["landmark_id"]
    faults.add_rows(
        ErrorCode.UNKNOWN_LANDMARK,
        rows.tolist(),
        count=len(rows),
        lines=batch.lines,
        column="landmark_id",
        expected="a landmark of the landmarks file",
        found=lambda row: shown(array[row].as_py()),
        advice="add it there, or leave its rows out",
    )
