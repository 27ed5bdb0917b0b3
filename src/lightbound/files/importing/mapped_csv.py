"""CSV of others, by a map from the columns of measurements to theirs."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from lightbound.errors import ErrorCode, Fault, Malformed
from lightbound.files.columns import LONGEST_ID, is_id
from lightbound.files.faults import shown
from lightbound.files.importing.dropped import Reason, Tally, Where, WrongField
from lightbound.files.importing.replies import NS_PER_S, Reply, at_most_ns, unix_ns
from lightbound.files.importing.sources import Source
from lightbound.units import LONGEST_ROUND_TRIP_NS

NS_PER: Final = {"round_trip_ns": 1, "round_trip_us": 1_000, "round_trip_ms": 1_000_000, "round_trip_s": 1_000_000_000}
"""Columns of a round trip, and the nanoseconds in one of each unit."""

TIMES: Final = ("measured_at", "measured_at_unix_s")
"""Columns of an instant: as RFC 3339 text with its offset from UTC, or as seconds since 1970 UTC."""

COLUMNS: Final = ("landmark_id", "chip_id", *NS_PER, *TIMES, "samples")
"""All that can be mapped."""

MOST_SAMPLES: Final = 1_000_000_000

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_NUMBER: Final = re.compile(r"[+-]?\d{1,40}(?:\.\d{1,60})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_UNIX: Final = re.compile(r"\d{1,10}(?:\.\d{1,9})?", re.ASCII)
_WHOLE: Final = re.compile(r"\d{1,10}", re.ASCII)
_RFC_3339: Final = re.compile(
    r"(?P<second>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9}))?(?P<offset>Z|[+-]\d\d:\d\d)", re.ASCII
)
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_END_NS: Final = 7_258_118_400 * NS_PER_S
"""2200-01-01, the end of the measurement format's times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvMap:
    """Where in others' CSV stands what."""

    columns: Mapping[str, str]
    """Their column by ours; one of round trip exactly, one of time at most."""
    landmark: str | None = None
    chip: str | None = None
    """What every row has that has no column for it."""
    separator: str = ","
    add_ns: int = 0
    """Added to every round trip: what their figures may have lost to rounding."""
    untimed_at_ns: int | None = None
    """When all rows were measured, where no column says."""


def csv_replies(source: Source, how: CsvMap, tally: Tally) -> Iterator[Reply]:
    """Each row of the file that gives a round trip, in order. A malformed one is counted and left out.

    Raises:
        Malformed: the file has not the columns that are mapped.
        Unavailable: the file cannot be read.
    """
    lines = source.lines()
    positions: dict[str, int] | None = None
    width = 0
    for number, line in lines:
        try:
            values = _split(line.removeprefix(_BYTE_ORDER_MARK) if positions is None else line, how.separator)
            if positions is None:
                positions, width = _positions(values, how, source.name, number), len(values)
                continue
            tally.items += 1
            reply = _reply(values, width, positions, how)
        except WrongField as wrong:
            if positions is None:
                raise Malformed(_fault(source.name, number, wrong)) from wrong
            tally.malformed(Where(source.name, line=number), wrong)
            continue
        if isinstance(reply, Reason):
            tally.drop(reply)
        else:
            yield reply


def _split(line: bytes, separator: str) -> list[str]:
    try:
        text = line.decode()
        if '"' not in text or _quotes_are_right(separator).fullmatch(text):
            return next(csv.reader([text], delimiter=separator, strict=True))
        error: Exception | None = None
    except UnicodeDecodeError as undecodable:
        raise WrongField(None, "UTF-8 text", shown(line), ErrorCode.FILE_FORMAT) from undecodable
    except (csv.Error, StopIteration) as not_csv:
        error = not_csv
    raise WrongField(None, "one row of CSV in one line", shown(line), ErrorCode.ROW_SHAPE) from error


@lru_cache
def _quotes_are_right(separator: str) -> re.Pattern[str]:
    """A row whose quotes stand around whole values. Any other is the half of a row with a line break in a value."""
    field = rf'(?:"(?:[^"]|"")*+"|[^"{re.escape(separator)}]*+)'
    return re.compile(rf"{field}(?:{re.escape(separator)}{field})*+")


def _positions(header: list[str], how: CsvMap, file: str, line: int) -> dict[str, int]:
    """Position of every mapped column."""
    faults = []
    for theirs in how.columns.values():
        if (count := header.count(theirs)) != 1:
            code = ErrorCode.COLUMN_CONFLICT if count else ErrorCode.COLUMN_MISSING
            listed = ", ".join(shown(name) for name in header[:12]) + (", ..." if len(header) > 12 else "")
            found = f"{count} times" if count else f"columns {listed}"
            faults.append(
                Fault(code=code, expected=f"a column {theirs}, once", found=found, file=file, line=line, column=theirs)
            )
    if faults:
        raise Malformed(faults)
    return {ours: header.index(theirs) for ours, theirs in how.columns.items()}


def _reply(values: list[str], width: int, positions: dict[str, int], how: CsvMap) -> Reply | Reason:
    if len(values) != width:
        raise WrongField(None, f"{width} values, as in the header", str(len(values)), ErrorCode.ROW_SHAPE)
    given = {ours: values[position].strip() for ours, position in positions.items()}
    landmark = _id(given, "landmark_id", how.landmark, how)
    chip = _id(given, "chip_id", how.chip, how)
    trip = next(name for name in NS_PER if name in given)
    if not given[trip]:
        return Reason.NO_REPLY
    if not _NUMBER.fullmatch(given[trip]):
        raise _wrong(given, trip, "a number", how)
    try:
        round_trip_ns = at_most_ns(given[trip], ns_per_unit=NS_PER[trip], printed_rounded=False)
    except WrongField as wrong:
        raise WrongField(how.columns[trip], wrong.expected, wrong.found, wrong.code) from wrong
    measured_at_ns = _instant_ns(given, how)
    samples = int(given.get("samples", "1")) if _WHOLE.fullmatch(given.get("samples", "1")) else 0
    if not 1 <= samples <= MOST_SAMPLES:
        raise _wrong(given, "samples", f"a whole number from 1 to {MOST_SAMPLES}", how)
    if round_trip_ns is None:
        return Reason.NOT_POSITIVE
    if (longer_ns := round_trip_ns + how.add_ns) > LONGEST_ROUND_TRIP_NS:
        raise WrongField(how.columns[trip], "at most an hour", shown(given[trip]), ErrorCode.VALUE_OUT_OF_RANGE)
    return Reply(landmark, chip, longer_ns, measured_at_ns, samples)


def _id(given: dict[str, str], ours: str, constant: str | None, how: CsvMap) -> str:
    if ours not in given:
        if constant is None:
            raise ValueError(ours)  # the caller sees to it that every row has both
        return constant
    if not is_id(given[ours]):
        raise _wrong(given, ours, f"printable text of 1 to {LONGEST_ID} characters", how)
    return given[ours]


def _instant_ns(given: dict[str, str], how: CsvMap) -> int | None:
    if "measured_at" in given:
        ours, ns = "measured_at", rfc_3339_ns(given["measured_at"])
        expected = "an instant such as 2026-03-01T12:00:00.5Z, with its offset, from 1970 to 2199"
    elif "measured_at_unix_s" in given:
        ours, expected = "measured_at_unix_s", "seconds since 1970 UTC, up to 2199"
        ns = unix_ns(given[ours]) if _UNIX.fullmatch(given[ours]) else None
    else:
        return how.untimed_at_ns
    if ns is None or not 0 <= ns < _END_NS:
        raise _wrong(given, ours, expected, how)
    return ns


def rfc_3339_ns(text: str) -> int | None:
    """Nanoseconds since 1970 UTC of an RFC 3339 instant; None if it is none."""
    match = _RFC_3339.fullmatch(text)
    try:
        moment = datetime.fromisoformat(match["second"] + match["offset"]) if match else None
    except ValueError:  # a day or an hour that is not in the calendar
        moment = None
    if match is None or moment is None:
        return None
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * NS_PER_S + int((match["fraction"] or "").ljust(9, "0"))


def _wrong(given: dict[str, str], ours: str, expected: str, how: CsvMap) -> WrongField:
    if not given[ours]:
        return WrongField(how.columns[ours], expected, "none", ErrorCode.VALUE_MISSING)
    return WrongField(how.columns[ours], expected, shown(given[ours]), ErrorCode.VALUE_MALFORMED)


def _fault(file: str, line: int, wrong: WrongField) -> Fault:
    return Fault(code=wrong.code, expected=wrong.expected, found=wrong.found, file=file, line=line)
