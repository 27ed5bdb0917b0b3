"""The bytes of a file, unpacked if packed, as pieces or as lines; what stops them early is counted and located.

Whether a file is packed is told by its first bytes, not by its name: downloads are named by whoever saves them.
Memory is that of one piece, whatever the file holds.
"""

import bz2
import gzip
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

from lightbound.errors import ErrorCode, Fault, Unavailable
from lightbound.files.faults import shown
from lightbound.files.importing.dropped import Reason, Tally, Where, WrongField

PIECE_BYTES: Final = 1 << 20
"""Bytes read at a time."""

LONGEST_LINE_BYTES: Final = 1 << 20
"""A longer line is malformed, so that a file without line breaks cannot take the memory."""

STANDARD_INPUT: Final = "-"

Progress = Callable[[int], None]
"""Told how many bytes more of the file, packed as it is, have been read."""


class Source:
    """One open file. Not frozen: it is where reading has come to."""

    def __init__(self, file: BinaryIO, name: str, tally: Tally, progress: Progress | None = None) -> None:
        """Begin at the beginning of a file that nothing has been read of."""
        self.name = name
        self.broken = False
        """Unpacking failed, which has been counted; what was read is all there is."""
        self._file = file
        self._tally = tally
        self._progress = progress
        self._told = 0
        self._held = b""
        peek = getattr(file, "peek", None)
        start = peek(4)[:4] if peek else b""
        self._unpacked = file
        if start.startswith(b"\x1f\x8b"):
            self._unpacked = cast("BinaryIO", gzip.GzipFile(fileobj=file, mode="rb"))
        elif start.startswith(b"BZh"):
            self._unpacked = cast("BinaryIO", bz2.BZ2File(file, mode="rb"))

    def read(self, size: int = PIECE_BYTES) -> bytes:
        """Up to so many bytes; none at the end.

        Raises:
            Unavailable: the file cannot be read.
        """
        if self._held:
            held, self._held = self._held, b""
            return held
        if self.broken:
            return b""
        try:
            piece = self._unpacked.read(size)
        except (EOFError, zlib.error, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise _unavailable(self.name, error) from error
            self.broken = True
            self._tally.malformed(
                Where(self.name),
                WrongField(None, "a whole packed file", shown(str(error)), ErrorCode.FILE_FORMAT),
                reason=Reason.UNREADABLE,
            )
            return b""
        self._tell_progress()
        return piece

    def peek(self) -> bytes:
        """What the next `read` will give."""
        if not self._held:
            self._held = self.read()
        return self._held

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Number and bytes of each line that is not blank, without its ending.

        A line that is too long is counted as malformed and left out.
        """
        number, pending, skipping = 1, b"", False
        while piece := self.read():
            *whole, rest = piece.split(b"\n")
            for index, line in enumerate(whole):
                full = pending + line if not index else line
                pending = b""
                if skipping or len(full) > LONGEST_LINE_BYTES:
                    self._too_long(number)
                elif full.strip():
                    yield number, full.removesuffix(b"\r")
                skipping = False
                number += 1
            pending += rest
            if len(pending) > LONGEST_LINE_BYTES:
                pending, skipping = b"", True
        if skipping:
            self._too_long(number)
        elif pending.strip() and not self.broken:  # half a line says nothing when unpacking broke inside it
            yield number, pending.removesuffix(b"\r")

    def _too_long(self, number: int) -> None:
        self._tally.items += 1
        wrong = WrongField(None, f"lines of at most {LONGEST_LINE_BYTES} bytes", "a longer one", ErrorCode.ROW_SHAPE)
        self._tally.malformed(Where(self.name, line=number), wrong)

    def _tell_progress(self) -> None:
        if self._progress and self._file.seekable():
            at = self._file.tell()
            self._progress(at - self._told)
            self._told = at


@contextmanager
def opened(path: Path, tally: Tally, progress: Progress | None = None) -> Iterator[Source]:
    """The file of that name, or standard input for `-`.

    Raises:
        Unavailable: the file cannot be opened.
    """
    if str(path) == STANDARD_INPUT:
        yield Source(sys.stdin.buffer, "standard input", tally)
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise _unavailable(str(path), error) from error
    with file:
        yield Source(file, str(path), tally, progress)


def _unavailable(name: str, error: OSError) -> Unavailable:
    return Unavailable(
        Fault(
            code=ErrorCode.FILE_FORMAT,
            expected="a file that can be read",
            found=error.strerror or type(error).__name__,
            file=name,
        )
    )
