"""A column of text of one batch: ids and names, and which rows have a value at all.

A wrong value is reported, and what is returned for its row means nothing, for the file will be refused.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lightbound.errors import ErrorCode
from lightbound.files.batches import Batch
from lightbound.files.faults import FAULTS_KEPT, Faults, shown
from lightbound.files.lookup import Lookup

LONGEST_ID: Final = 128
"""Characters of an id."""

UNKNOWN: Final = -1
"""An id that is well formed and not known."""
NO_ID: Final = -2
"""No id at all."""

_ID: Final = f"printable text of 1 to {LONGEST_ID} characters, without a space at either end"


class Filled:
    """Whether an optional column has a value in every row or in none; anything between is reported.

    Not frozen: it sees a file batch by batch.
    """

    def __init__(self, name: str) -> None:
        """Start before the first row."""
        self._name = name
        self._lines: list[int] = []
        self._missing = 0
        self._present = 0

    def see(self, batch: Batch) -> None:
        """Take note of a batch."""
        array = batch.columns[self._name]
        self._present += len(array) - array.null_count
        self._missing += array.null_count
        if array.null_count and len(self._lines) < FAULTS_KEPT:
            rows = np.flatnonzero(nulls(array))[:FAULTS_KEPT].tolist()
            self._lines.extend(batch.lines[row] for row in rows)

    def every(self, faults: Faults) -> bool:
        """Whether every row has a value; rows without are reported if others have one."""
        if self._present and self._missing:
            faults.add_rows(
                ErrorCode.VALUE_MISSING,
                range(len(self._lines)),
                count=self._missing,
                lines=self._lines,
                column=self._name,
                expected="a value in every row of this column, or in none",
                found=lambda _: "none",
            )
        return self._present > 0


def ids(batch: Batch, name: str, known: dict[str, int], faults: Faults, *, learn: bool = False) -> NDArray[np.int32]:
    """Index of each row's id in `known`, `UNKNOWN` where it is not there; with `learn`, new ids are added to it.

    A value that is no id is reported and `NO_ID`; so is a row without a value, which is not reported.
    """
    codes, values = text_codes(batch, name)
    indices = np.full(len(values) + 1, NO_ID, np.int32)  # one more, for the code -1 of a missing value
    for code, value in enumerate(values):
        index = known.get(value)
        if index is None and is_id(value):
            index = known.setdefault(value, len(known)) if learn else UNKNOWN
        if index is not None:
            indices[code] = index
    found: NDArray[np.int32] = indices[codes]
    report(batch, name, faults, (found == NO_ID) & (codes >= 0), ErrorCode.VALUE_MALFORMED, _ID)
    return found


def places(batch: Batch, name: str, lookup: Lookup, faults: Faults) -> NDArray[np.int32]:
    """Place of each row's id in a list, as `ids` gives it; for columns in which hardly an id stands twice."""
    array = batch.columns[name]
    plain = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
    found = lookup.places(plain)
    missing = nulls(plain)
    for row in np.flatnonzero(found == UNKNOWN).tolist():
        if missing[row] or not is_id(plain[row].as_py()):
            found[row] = NO_ID
    report(batch, name, faults, (found == NO_ID) & ~missing, ErrorCode.VALUE_MALFORMED, _ID)
    return found


def new_ids(batch: Batch, name: str, lines: dict[str, int], faults: Faults) -> None:
    """Add each row's id and line to `lines`, in order; report what is missing, no id, or there already."""
    report_missing(batch, name, faults)
    values = batch.columns[name].to_pylist()
    wrong = np.array([value is not None and not is_id(value) for value in values])
    report(batch, name, faults, wrong, ErrorCode.VALUE_MALFORMED, _ID)
    again = [
        row
        for row, (value, line) in enumerate(zip(values, batch.lines, strict=True))
        if value is not None and lines.setdefault(value, line) != line
    ]
    faults.add_rows(
        ErrorCode.DUPLICATE,
        again,
        count=len(again),
        lines=batch.lines,
        column=name,
        expected=f"each {name} once",
        found=lambda row: f"{shown(values[row])}, which line {lines[values[row]]} has",
    )


def is_id(text: str) -> bool:
    """Whether a text can be an id."""
    return 0 < len(text) <= LONGEST_ID and text.isprintable() and text == text.strip()


def text_codes(batch: Batch, name: str) -> tuple[NDArray[np.int32], list[str]]:
    """A column of text as codes into its distinct values; -1 where there is no value."""
    array = batch.columns[name]
    if array.null_count == len(array):
        return np.full(len(array), -1, np.int32), []
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    codes = array.indices.cast(pa.int32()).fill_null(-1).to_numpy(zero_copy_only=False)
    # A dictionary of Parquet may serve a whole row group: look only at what this batch uses of it. The last place
    # stands for code -1.
    used = np.zeros(len(array.dictionary) + 1, np.bool_)
    used[codes] = True
    kept = np.flatnonzero(used[:-1])
    values: list[str] = array.dictionary.take(pa.array(kept)).to_numpy(zero_copy_only=False).tolist()
    renumbered = np.full(len(used), -1, np.int32)
    renumbered[kept] = np.arange(len(kept), dtype=np.int32)
    return renumbered[codes], values


def report_missing(batch: Batch, name: str, faults: Faults) -> None:
    """Report the rows without a value in a column that needs one."""
    array = batch.columns[name]
    if array.null_count:
        report(batch, name, faults, nulls(array), ErrorCode.VALUE_MISSING, "a value", found=lambda _: "none")


def report(
    batch: Batch,
    name: str,
    faults: Faults,
    wrong: NDArray[np.bool_],
    code: ErrorCode,
    expected: str,
    *,
    found: Callable[[int], str] | None = None,
    advice: str | None = None,
) -> None:
    """Report the rows of a column that are wrong, each with its value unless told what else to show."""
    rows = np.flatnonzero(wrong)
    if len(rows):
        array = batch.columns[name]
        faults.add_rows(
            code,
            rows.tolist(),
            count=len(rows),
            lines=batch.lines,
            column=name,
            expected=expected,
            found=found or (lambda row: shown(array[row].as_py())),
            advice=advice,
        )


def nulls(array: Any) -> NDArray[np.bool_]:
    """Which rows of an array have no value."""
    missing: NDArray[np.bool_] = array.is_null().to_numpy(zero_copy_only=False)
    return missing
