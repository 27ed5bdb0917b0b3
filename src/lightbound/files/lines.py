"""Whole lines of a text file with their exact numbers, each known to be one row of CSV or reported.

Exact line numbers stand on one rule of the format: a value holds no line break. Then a line is a row, blank
lines aside, and the number of a row is arithmetic. Every block is checked by array operations over its bytes;
only a block that fails is looked at line by line. What the values mean is read elsewhere.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from lightbound.errors import ErrorCode
from lightbound.files.faults import Faults, shown

BLOCK_BYTES: Final = 8 << 20
"""Bytes read at a time: large enough that the cost of a block is nothing, small enough to be no part of the memory."""

LONGEST_LINE_BYTES: Final = 1 << 20
"""A longer line is refused, so that a file without line breaks cannot take the memory."""

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

_FIELD: Final = rb'(?:"[^"]*(?:""[^"]*)*"|[^",]*)'
_ROW: Final = re.compile(_FIELD + rb"(?:," + _FIELD + rb")*")
_VALUES: Final = re.compile(b"(?:^|,)(" + _FIELD + b")")
_QUOTED: Final = re.compile(rb'"[^"]*"')
_NEWLINE: Final = 0x0A
_RETURN: Final = 0x0D
_COMMA: Final = 0x2C
_QUOTE: Final = 0x22


class Stream(Protocol):
    """Bytes in order: a file, or what a file decompresses to."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; none at the end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Consecutive lines of a file."""

    text: bytes
    """Rows and blank lines; every line but the last of a file ends with a newline."""
    lines: Sequence[int]
    """Line number of each row, blank lines left out."""


def blocks(stream: Stream, faults: Faults) -> Iterator[tuple[bytes, int]]:
    """The bytes of a stream, cut after a newline, each block with the number of its first line.

    A line longer than allowed is reported and ends the reading: what follows it was not looked at.
    """
    line, pending = 1, b""
    while chunk := stream.read(BLOCK_BYTES):
        cut = chunk.rfind(b"\n") + 1
        if cut:
            whole, pending = pending + chunk[:cut], chunk[cut:]
            yield whole, line
            line += whole.count(b"\n")
        else:
            pending += chunk
        if len(pending) > LONGEST_LINE_BYTES + 1:  # one more for a carriage return whose newline is still to come
            _too_long(faults, line)
            return
    if pending:
        yield pending, line


def sound(text: bytes, first_line: int, *, columns: int, faults: Faults) -> Block:
    """The rows of a block that surely read as the format means them; the other lines are reported and left out."""
    data = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(data == _NEWLINE)
    if len(text) and data[-1] != _NEWLINE:
        ends = np.append(ends, len(text))
    if not _suspicious(text, data, ends):
        blank = _blank(data, ends)
        if not blank.any():
            return Block(text=text, lines=range(first_line, first_line + len(ends)))
        return Block(text=text, lines=(first_line + np.flatnonzero(~blank)).tolist())
    return one_by_one(text, first_line, columns=columns, faults=faults)


def one_by_one(text: bytes, first_line: int, *, columns: int, faults: Faults) -> Block:
    """The rows of a block that have the right shape; every other line that is not blank is reported."""
    rows, lines = [], []
    for line, ended in enumerate(text.removesuffix(b"\n").split(b"\n"), first_line):
        row = ended.removesuffix(b"\r")
        if row and row_is_sound(row, line, columns=columns, faults=faults):
            rows.append(row)
            lines.append(line)
    return Block(text=b"\n".join(rows), lines=lines)


def row_is_sound(row: bytes, line: int, *, columns: int | None, faults: Faults) -> bool:
    """Whether one line without its ending is a row of so many values (of any number, if None); reported if not."""
    if len(row) > LONGEST_LINE_BYTES:
        _too_long(faults, line)
        return False
    try:
        text = row.decode()
    except UnicodeDecodeError as error:
        faults.add(
            ErrorCode.FILE_FORMAT,
            expected="UTF-8 text",
            found=f"byte 0x{row[error.start]:02x} in value {row[: error.start].count(b',') + 1} of the line",
            line=line,
            advice="save the file as UTF-8",
        )
        return False
    advice = None
    if row.startswith(BYTE_ORDER_MARK):
        expected, advice = "a byte-order mark at the start of the file only", "were two files joined?"
    elif b"\r" in row:
        expected, advice = "lines that end with LF or CRLF", "a lone carriage return ends no line"
    elif not _ROW.fullmatch(row):
        expected, advice = "quotes around a whole value, doubled inside it", "a value holds no line break"
    elif columns is not None and (count := _QUOTED.sub(b"", row).count(b",") + 1) != columns:
        faults.add(
            ErrorCode.ROW_SHAPE,
            expected=f"{columns} values, as in the header",
            found=str(count),
            line=line,
            advice="a value that holds a comma is quoted",
        )
        return False
    else:
        return True
    faults.add(ErrorCode.ROW_SHAPE, expected=expected, found=shown(text), line=line, advice=advice)
    return False


def values_of(row: bytes) -> list[str]:
    """The values of a sound row, quotes removed."""
    fields = [field.decode() for field in _VALUES.findall(row)]
    return [field[1:-1].replace('""', '"') if field.startswith('"') else field for field in fields]


def _suspicious(text: bytes, data: NDArray[np.uint8], ends: NDArray[np.int64]) -> bool:
    """Whether a block must be looked at line by line.

    Never False for one that holds a line to be reported, other than for its count of values, which whoever splits
    the values sees.
    """
    if len(ends) and np.diff(ends, prepend=-1).max() > LONGEST_LINE_BYTES:
        return True
    if b"\r" in text and text.count(b"\r") != text.count(b"\r\n"):
        return True
    if b'"' in text and not _quotes_are_paired(data):
        return True
    if text.isascii():
        return False
    try:
        text.decode()
    except UnicodeDecodeError:
        return True
    return BYTE_ORDER_MARK in text


def _quotes_are_paired(data: NDArray[np.uint8]) -> bool:
    """Whether all quotes are around whole values of one line: opening after a separator, closing before one.

    A doubled quote inside a value is a closing and an opening one side by side.
    """
    quotes = np.flatnonzero(data == _QUOTE)
    if len(quotes) % 2:
        return False
    opening, closing = quotes[::2], quotes[1::2]
    padded = np.concatenate(([_NEWLINE], data, [_NEWLINE]))  # padded[i] stands before data[i], padded[i + 2] after it
    before, after = padded[opening], padded[closing + 2]
    doubled = np.zeros(len(opening), np.bool_)
    doubled[1:] = opening[1:] == closing[:-1] + 1
    continued = np.zeros(len(opening), np.bool_)
    continued[:-1] = doubled[1:]
    opens = doubled | (before == _COMMA) | (before == _NEWLINE)
    closes = continued | (after == _COMMA) | (after == _NEWLINE) | (after == _RETURN)
    newlines = np.flatnonzero(data == _NEWLINE)
    broken = np.searchsorted(newlines, opening) != np.searchsorted(newlines, closing)
    return bool(opens.all() and closes.all() and not broken.any())


def _blank(data: NDArray[np.uint8], ends: NDArray[np.int64]) -> NDArray[np.bool_]:
    lengths = np.diff(ends, prepend=-1) - 1
    short = np.flatnonzero(lengths <= 1)
    blank = np.zeros(len(ends), np.bool_)
    blank[short] = (lengths[short] == 0) | (data[ends[short] - 1] == _RETURN)
    return blank


def _too_long(faults: Faults, line: int) -> None:
    faults.add(
        ErrorCode.ROW_SHAPE,
        expected=f"lines of at most {LONGEST_LINE_BYTES} bytes",
        found="a longer one",
        line=line,
        advice="lines end with LF or CRLF",
    )
