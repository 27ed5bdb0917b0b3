"""What the readers of CSV and of Parquet hand on: columns of consecutive rows, each row with its line."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Progress = Callable[[int], None]
"""Told how many bytes of the file have been read so far; the last call names its size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Consecutive rows of a table."""

    columns: Mapping[str, Any]
    """Arrow arrays by name; columns that the file does not have are not here. Of CSV all are text, an empty value
    being null. Text that is not a number or a time is dictionary-encoded."""
    lines: Sequence[int]
    """Line of each row, for faults: that of a text file, or the row's number in Parquet."""

    def __len__(self) -> int:
        """Count of rows."""
        return len(self.lines)
