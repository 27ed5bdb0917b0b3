"""Small tables for the tests of readers: writing them in every format, and what a reader says is wrong with them."""

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from lightbound.errors import ErrorCode, Malformed
from lightbound.geo.earth import Position
from lightbound.ranging.readings import Chips, Landmark, Readings

LANDMARKS: Final = tuple(
    Landmark(landmark_id=name, position=Position(1.0, 2.0), position_error_m=10.0) for name in ("lm-a", "lm-b")
)
CHIPS: Final = Chips(
    chip_ids=("chip-1", "chip-2"),
    licensed=np.array([0, 0], np.int32),
    excluded=np.array([-1, -1], np.int32),
    areas=("DE",),
)


class Found(NamedTuple):
    """What is checked of one fault; the file always is."""

    code: ErrorCode
    line: int | None
    column: str | None
    expected: str
    found: str


def faults_of(read: Callable[[Path], object], path: Path) -> list[Found]:
    """The faults with which a reader refuses a file, each of which must name the file."""
    with pytest.raises(Malformed) as refusal:
        read(path)
    error = refusal.value
    assert all(fault.file == str(path) for fault in error.faults)
    assert error.total >= len(error.faults) > 0
    return [Found(fault.code, fault.line, fault.column, fault.expected, fault.found) for fault in error.faults]


def fault_of(read: Callable[[Path], object], path: Path) -> Found:
    """The only fault of a file."""
    (found,) = faults_of(read, path)
    return found


def write(path: Path, content: str | bytes) -> Path:
    """A file of this content, gzipped if its name says so."""
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def write_parquet(path: Path, columns: dict[str, Any]) -> Path:
    """A Parquet file of these columns, given as Arrow arrays or as lists."""
    pyarrow.parquet.write_table(pa.table(columns), path)
    return path


def same_readings(one: Readings, other: Readings) -> bool:
    """Whether two files say the same."""
    return _plain(one) == _plain(other)


def _plain(readings: Readings) -> Sequence[object]:
    def listed(array: Any) -> object:
        return None if array is None else array.tolist()

    sessions = None if readings.session is None else [readings.session_ids[index] for index in readings.session]
    return (
        listed(readings.landmark),
        listed(readings.chip),
        listed(readings.round_trip_ns),
        listed(readings.measured_at_ns),
        listed(readings.clock_error_ns),
        sessions,
        readings.rows_of_unasked_chips,
    )
