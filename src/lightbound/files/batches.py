"""What the readers of CSV and of Parquet hand on: columns of consecutive rows, each row with its line."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Progress = Callable[[int], None]
"""Told of every further part of the file that has been read, in bytes; all parts together are its size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Consecutive rows of a table."""

    columns: Mapping[str, Any]
    """Arrow arrays by name; columns that the file does not have are not here. Of CSV all are text, an empty value
    being null. Text whose values repeat is dictionary-encoded."""
    lines: Sequence[int]
    """Line of each row, for faults: that of a text file, or the row's number in Parquet."""

    def __len__(self) -> int:
        """Count of rows."""
        return len(self.lines)
