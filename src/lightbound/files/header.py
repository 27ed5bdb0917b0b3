"""Which columns a table has, which it must have, and which are so nearly right that they must be a mistake."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from lightbound.errors import ErrorCode
from lightbound.files.faults import Faults, shown

NEAR_MISS: Final = 0.8
"""Likeness (difflib's ratio) from which an unknown column is taken for a misspelt one and refused. Lower: columns
of a researcher's own are refused. Higher: `clock_error_ms` is passed over as if nothing had been said."""


MOST_COLUMNS: Final = 1_000
"""A table with more is not one of ours, and its header would take long to look through."""


class Kind(Enum):
    """What the values of a column are, in the words of a fault."""

    TEXT = "text"
    WHOLE = "whole numbers"
    DECIMAL = "whole or double-precision numbers"
    TIME = "times with a time zone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which columns a table may have. Others are passed over, unless their name is nearly one of these."""

    required: Mapping[str, Kind]
    one_of: Mapping[str, Kind] = field(default_factory=dict)
    """Exactly one of these, where there are any."""
    optional: Mapping[str, Kind] = field(default_factory=dict)
    distinct: frozenset[str] = frozenset()
    """Columns of text in which hardly a value stands twice: looking for repetitions there is lost work."""
    also_known_as: Mapping[str, str] = field(default_factory=dict)
    """Names in use elsewhere, and the one meant."""

    @property
    def repeating(self) -> frozenset[str]:
        """Columns of text in which values repeat, and are kept once."""
        return frozenset(name for name, kind in self.kinds.items() if kind is Kind.TEXT) - self.distinct

    @property
    def kinds(self) -> dict[str, Kind]:
        """All of them."""
        return {**self.required, **self.one_of, **self.optional}


def check_header(names: Sequence[str], columns: Columns, faults: Faults, *, line: int | None) -> None:
    """Return if the table can be read by these names.

    Raises:
        Malformed: with every fault of the header.
    """
    for name in columns.kinds:
        if (count := names.count(name)) > 1:
            faults.add(
                ErrorCode.COLUMN_CONFLICT, expected=f"{name} once", found=f"{count} times", line=line, column=name
            )
    for name in columns.required:
        if name not in names:
            _missing(name, names, faults, line)
    given = [name for name in columns.one_of if name in names]
    if columns.one_of and not given:
        _missing(f"exactly one of {' and '.join(columns.one_of)}", names, faults, line)
    if len(given) > 1:
        expected = f"exactly one of {' and '.join(columns.one_of)}"
        faults.add(ErrorCode.COLUMN_CONFLICT, expected=expected, found="both", line=line, column=given[-1])
    if len(names) > MOST_COLUMNS:
        faults.add(
            ErrorCode.ROW_SHAPE, expected=f"at most {MOST_COLUMNS:,} columns", found=f"{len(names):,}", line=line
        )
        raise faults.error()
    for name in names:
        if meant := _nearly(name, names, columns):
            faults.add(
                ErrorCode.COLUMN_UNKNOWN,
                expected=meant,
                found=shown(name),
                line=line,
                column=name,
                advice=f"give {meant}, in its own unit, or name the column something else",
            )
    faults.raise_if_any()


def _missing(wanted: str, names: Sequence[str], faults: Faults, line: int | None) -> None:
    listed = ", ".join(shown(name) for name in names[:12]) + (", ..." if len(names) > 12 else "")
    faults.add(
        ErrorCode.COLUMN_MISSING,
        expected=f"a column {wanted}" if " " not in wanted else wanted,
        found=f"columns {listed}",
        line=line,
        column=wanted if " " not in wanted else None,
        advice="columns are separated by commas" if len(names) == 1 else None,
    )


def _nearly(name: str, names: Sequence[str], columns: Columns) -> str | None:
    """The known column that an unknown one must have been meant for, unless that one is there as well."""
    if name in columns.kinds:
        return None
    plain = name.strip().lower().replace(" ", "_").replace("-", "_")
    close = difflib.get_close_matches(plain, columns.kinds, n=1, cutoff=NEAR_MISS)
    meant = columns.also_known_as.get(plain) or (close[0] if close else None)
    if meant is None:
        return None
    alternatives = columns.one_of if meant in columns.one_of else (meant,)
    return None if any(alternative in names for alternative in alternatives) else meant
