"""What is wrong with one file: the first faults in full, and the count of all of them."""

import reprlib
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Final

from lightbound.errors import ErrorCode, Fault, Malformed

FAULTS_KEPT: Final = 20
"""So many faults of a file are told in full; past them a person fixes the cause, not the rows."""

LONGEST_FOUND: Final = 60
"""Characters of a value that a fault repeats; a value can be a mebibyte."""


class Faults:
    """Collects the faults of one file, so that all of them are told at once and nothing is half believed.

    Not frozen: it is handed down through the reading of one file, and asked at the end.
    """

    def __init__(self, file: str) -> None:
        """Start with none."""
        self._file = file
        self._kept: list[Fault] = []
        self._total = 0

    def __bool__(self) -> bool:
        """Whether anything is wrong so far."""
        return self._total > 0

    def add(
        self,
        code: ErrorCode,
        *,
        expected: str,
        found: str,
        line: int | None = None,
        column: str | None = None,
        advice: str | None = None,
    ) -> None:
        """Count one fault, and keep it if it is among the first lines."""
        self._total += 1
        self._kept.append(
            Fault(code=code, expected=expected, found=found, file=self._file, line=line, column=column, next=advice)
        )
        if len(self._kept) > 4 * FAULTS_KEPT:
            self._kept = self._first()

    def add_elsewhere(self, error: Malformed) -> None:
        """Take over what was found in another file that this one names, unless it has been already."""
        if error.faults[0] not in self._kept:
            self._kept.extend(error.faults)
            self._total += error.total

    def add_rows(
        self,
        code: ErrorCode,
        rows: Iterable[int],
        *,
        count: int,
        lines: Sequence[int],
        column: str,
        expected: str,
        found: Callable[[int], str],
        advice: str | None = None,
    ) -> None:
        """Count the same fault in `count` rows, in ascending order; only the first are looked at."""
        told = list(islice(rows, FAULTS_KEPT))
        for row in told:
            self.add(code, expected=expected, found=found(row), line=lines[row], column=column, advice=advice)
        self.add_untold(count - len(told))

    def add_untold(self, count: int) -> None:
        """Count faults that are like those just added and past the cap."""
        self._total += count

    def raise_if_any(self) -> None:
        """Raise one `Malformed` with the first faults by line, if there is any."""
        if self._total:
            raise self.error()

    def error(self) -> Malformed:
        """All that was found so far, to raise where reading on is pointless."""
        return Malformed(self._first(), total=self._total)

    def _first(self) -> list[Fault]:
        # Stable: faults of one line stay in the order of discovery; those of the whole file come first.
        return sorted(self._kept, key=lambda fault: fault.line or 0)[:FAULTS_KEPT]


def shown(value: object) -> str:
    """A value as a fault repeats it: quoted, unprintable characters escaped, and not longer than a line."""
    if isinstance(value, str | bytes):
        return repr(value[:LONGEST_FOUND]) + ("..." if len(value) > LONGEST_FOUND else "")
    # Brackets of JSON can be nested as deep as Python goes; reprlib stops at the sixth.
    text = reprlib.repr(value)
    return text if len(text) <= LONGEST_FOUND else f"{text[:LONGEST_FOUND]}..."
