"""CSV, CSV.gz and Parquet as one stream of batches of Arrow columns, each row with its line number.

The ending of the name says the format. Here the bytes are split into columns of the right kind and the header is
judged; what a value may be is decided by `columns`, and what a table means by its own reader. Memory is that of a
batch, whatever the length of the file.
"""

import csv
import difflib
import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from lightbound.errors import ErrorCode, Fault, Unavailable
from lightbound.files.faults import Faults, shown
from lightbound.files.lines import BYTE_ORDER_MARK, Block, blocks, one_by_one, sound

PARQUET_ROWS: Final = 1 << 18
"""Rows of Parquet taken at a time: a few megabytes of columns."""

NEAR_MISS: Final = 0.8
"""Likeness (difflib's ratio) from which an unknown column is taken for a misspelt one and refused. Lower: a
researcher's own columns are refused. Higher: `clock_error_ms` is ignored as if it had not been given."""

Progress = Callable[[int], None]
"""Told how many bytes of the file have been read so far; the last call names its size."""


class Kind(Enum):
    """What the values of a column are, and how a fault names it."""

    TEXT = "text"
    WHOLE = "whole numbers"
    DECIMAL = "numbers (double precision)"
    TIME = "times with a time zone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which columns a table may have. Others are ignored, unless their name is nearly one of these."""

    required: Mapping[str, Kind]
    one_of: Mapping[str, Kind] = field(default_factory=dict)
    """Exactly one of these, when there are any."""
    optional: Mapping[str, Kind] = field(default_factory=dict)
    also_known_as: Mapping[str, str] = field(default_factory=dict)
    """Names in use elsewhere, and the one meant."""

    @property
    def kinds(self) -> dict[str, Kind]:
        """All of them."""
        return {**self.required, **self.one_of, **self.optional}


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Consecutive rows of a table."""

    columns: Mapping[str, Any]
    """Arrow arrays by name. Columns that the file does not have are not here. Text is dictionary-encoded unless it
    stands for a number or a time; an empty CSV value is null."""
    lines: Sequence[int]
    """Line of each row, for faults: that of a text file, or the row's number in Parquet."""

    def __len__(self) -> int:
        """Count of rows."""
        return len(self.lines)


def read_table(path: Path, columns: Columns, faults: Faults, progress: Progress | None = None) -> Iterator[Batch]:
    """All rows of a file, in order; what is wrong with its shape goes to `faults`, and wrong lines are left out.

    Raises:
        Malformed: when reading on is pointless: not the format, a header that will not do, no row at all.
        Unavailable: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            rows = 0
            for batch in _batches(file, path, columns, faults):
                rows += len(batch)
                if progress:
                    progress(min(file.tell(), path.stat().st_size))
                yield batch
            if progress:
                progress(path.stat().st_size)
    except OSError as error:
        raise Unavailable(
            Fault(
                code=ErrorCode.FILE_FORMAT,
                expected="a file that can be read",
                found=error.strerror or str(error),
                file=str(path),
            )
        ) from error
    faults.raise_if_any()
    if not rows:
        faults.add(ErrorCode.FILE_EMPTY, expected="at least one row", found="a header only")
        raise faults.error()


def columns_ignored(path: Path, columns: Columns) -> tuple[str, ...]:
    """Names of the columns of a file that its reader does not look at, in order, to be told to whoever gave it."""
