"""A column of numbers of one batch: whole numbers, decimals, milliseconds, instants.

Each function gives a number for every row and reports the rows whose value will not do; what stands there then means
nothing, for the file will be refused. Text (CSV) and types (Parquet) of one value give one number. No form that
depends on a locale is read, no hexadecimal, no underscores.
"""

import math
from datetime import datetime
from fractions import Fraction
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lightbound.errors import ErrorCode
from lightbound.files.batches import Batch
from lightbound.files.columns import nulls, report
from lightbound.files.faults import Faults
from lightbound.units import LONGEST_ROUND_TRIP_NS

NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 1_000_000_000

_WHOLE: Final = "^-?[0-9]+$"
_SMALL_WHOLE: Final = "^[0-9]{1,18}$"
"""Whole numbers that surely fit into 64 bits."""
_NUMBER: Final = r"^[+-]?[0-9]{1,40}(\.[0-9]{1,60})?([eE][+-]?[0-9]{1,3})?$"
_EXACT_DIGITS: Final = 15
"""Decimals of so many digits are told apart by double precision (C's DBL_DIG)."""
_INSTANT: Final = (
    r"^(19[7-9][0-9]|2[01][0-9][0-9])-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
_EARLIEST_S: Final = 0
_LATEST_S: Final = 7_258_118_400
"""2200-01-01: later, nanoseconds soon leave 64 bits, and nobody has measured yet."""


def whole_numbers(batch: Batch, name: str, faults: Faults, *, least: int, most: int, of: str) -> NDArray[np.int64]:
    """A column of whole numbers from `least` to `most`, of 18 digits at most; rows without one are 0, unreported."""
    array = batch.columns[name]
    expected = f"a whole number{of} from {least} to {most}"
    present = ~nulls(array)
    if pa.types.is_integer(array.type):
        given = array.fill_null(0).to_numpy(zero_copy_only=False)
        outside = present & ((given < least) | (given > most))
        values = np.where(outside, 0, given).astype(np.int64)
    else:
        text = _filled(array)
        small = _matches(text, _SMALL_WHOLE)
        values = _cast(text, small, pa.int64())
        whole = small if small.all() else small | _matches(text, _WHOLE)
        report(batch, name, faults, present & ~whole, ErrorCode.VALUE_MALFORMED, expected)
        outside = present & whole & (~small | (values < least) | (values > most))
    report(batch, name, faults, outside, ErrorCode.VALUE_OUT_OF_RANGE, expected)
    return values


def decimals(batch: Batch, name: str, faults: Faults, *, least: float, most: float, of: str) -> NDArray[np.float64]:
    """A column of numbers from `least` to `most`, each the double nearest to what is written."""
    array = batch.columns[name]
    expected = f"a number{of} from {least:.10g} to {most:.10g}"
    present = ~nulls(array)
    values, numbers = _doubles(array)
    report(batch, name, faults, present & ~numbers, ErrorCode.VALUE_MALFORMED, expected)
    outside = present & numbers & ~((values >= least) & (values <= most))
    report(batch, name, faults, outside, ErrorCode.VALUE_OUT_OF_RANGE, expected)
    return values


def milliseconds(batch: Batch, name: str, faults: Faults) -> NDArray[np.int64]:
    """A column of round trips in milliseconds as whole nanoseconds, rounded up.

    What is written counts, not the double nearest to it: 288.389 is 288,389,000 ns and not one more. A double of
    Parquet stands for the shortest decimal that reads back as it, which is what a CSV file would have said.
    """
    array = batch.columns[name]
    longest_ms = LONGEST_ROUND_TRIP_NS // NS_PER_MS
    expected = f"a number of milliseconds above 0 and up to {longest_ms}"
    present = ~nulls(array)
    values, numbers = _doubles(array)
    report(batch, name, faults, present & ~numbers, ErrorCode.VALUE_MALFORMED, expected)
    usable = present & numbers & (values >= 0) & (values <= longest_ms + 1)
    at_most = np.where(usable, values, 0.0)
    # The least n with n / 10^6 >= value. Division is rounded correctly and n has at most 13 digits, so n / 10^6
    # equals `value` exactly when n is what is written, as far as double precision sees; rint is off by one at most.
    ns = np.rint(at_most * NS_PER_MS)
    ns += ns / NS_PER_MS < at_most
    if not pa.types.is_integer(array.type) and not pa.types.is_float64(array.type):
        # What double precision may not see: digits past the fifteenth, and a value too small for it.
        longer = pc.greater(pc.binary_length(_filled(array)), _EXACT_DIGITS + 1).to_numpy(zero_copy_only=False)
        unseen = usable & (longer | (at_most == 0)) & (ns / NS_PER_MS == at_most)
        for row in np.flatnonzero(unseen).tolist():
            ns[row] = math.ceil(Fraction(array[row].as_py()) * NS_PER_MS)
    outside = present & numbers & (~usable | (ns < 1) | (ns > LONGEST_ROUND_TRIP_NS))
    report(batch, name, faults, outside, ErrorCode.VALUE_OUT_OF_RANGE, expected)
    whole: NDArray[np.int64] = ns.astype(np.int64)
    return whole


def instants(batch: Batch, name: str, faults: Faults) -> NDArray[np.int64]:
    """A column of instants as nanoseconds since 1970-01-01 UTC; rows without one are 0 and not reported."""
    array = batch.columns[name]
    present = ~nulls(array)
    if pa.types.is_timestamp(array.type):
        per_s = {"s": 1, "ms": 1_000, "us": NS_PER_MS, "ns": NS_PER_S}[array.type.unit]
        given = array.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
        outside = present & ((given < _EARLIEST_S * per_s) | (given >= _LATEST_S * per_s))
        report(
            batch,
            name,
            faults,
            outside,
            ErrorCode.VALUE_OUT_OF_RANGE,
            "an instant from 1970 to 2199",
            found=lambda row: f"{array[row].value} {array.type.unit} since 1970",
        )
        ns: NDArray[np.int64] = np.where(outside, 0, given) * (NS_PER_S // per_s)
        return ns
    text = _filled(array)
    right = _matches(text, _INSTANT)
    kind = pa.timestamp("ns", tz="UTC")
    try:
        values: NDArray[np.int64] = _cast(text, right, kind)
    except pa.ArrowInvalid:
        # Some day or hour is not in the calendar; find which, one by one.
        right &= np.fromiter((_in_calendar(value) for value in text.to_pylist()), np.bool_, len(text))
        values = _cast(text, right, kind)
    expected = "an instant such as 2026-03-01T12:00:00.5Z (RFC 3339, 1970 to 2199, up to nanoseconds)"
    advice = "give the offset from UTC, or Z"
    report(batch, name, faults, present & ~right, ErrorCode.VALUE_MALFORMED, expected, advice=advice)
    return values


def _doubles(array: Any) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """A column as doubles, and which of its rows are finite numbers in a form that is accepted."""
    if pa.types.is_integer(array.type) or pa.types.is_float64(array.type):
        values = array.cast(pa.float64(), safe=False).fill_null(0).to_numpy(zero_copy_only=False)
        return values, np.isfinite(values)
    text = _filled(array)
    numbers = _matches(text, _NUMBER)
    return _cast(text, numbers, pa.float64()), numbers


def _filled(array: Any) -> Any:
    """A column of text without nulls, which become empty."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return (array if pa.types.is_string(array.type) else array.cast(pa.large_string())).fill_null("")


def _matches(text: Any, pattern: str) -> NDArray[np.bool_]:
    matches: NDArray[np.bool_] = pc.match_substring_regex(text, pattern=pattern).to_numpy(zero_copy_only=False)
    return matches


def _cast(text: Any, right: NDArray[np.bool_], to: Any) -> Any:
    """The texts as numbers; those that are not right count as zero, so that the others can be cast at once."""
    if not right.all():
        zero = "1970-01-01T00:00:00Z" if pa.types.is_timestamp(to) else "0"
        text = pc.if_else(pa.array(right), text, pa.scalar(zero, text.type))
    array = text.cast(to)
    return (array.cast(pa.int64()) if pa.types.is_timestamp(to) else array).to_numpy(zero_copy_only=False)


def _in_calendar(text: str) -> bool:
    try:
        return datetime.fromisoformat(text[:19]) is not None
    except ValueError:
        return False
