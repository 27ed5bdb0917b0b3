"""Do the directories of a log follow one another, as admission lets them in? Whom they list, whoever signed them.

The first one may have any number: a log may begin late. Each after it has the next number and names one of the number
before; or it is one that is there already under other signatures. Whether the parties signed it is not looked at.
"""

from dataclasses import dataclass, field

from lightbound.errors import ErrorCode, Fault
from lightbound.keys.signing import digest
from lightbound.ranging.statements.admission import Directory, directory_said
from lightbound.ranging.statements.kinds import Kind


@dataclass(slots=True, kw_only=True)
class Directories:
    """Those that were read so far."""

    listed: set[bytes] = field(default_factory=set)
    """Digests of every OPERATOR and POSITION that one of them lists."""
    _said: dict[int, Directory] = field(default_factory=dict)
    _digests: dict[int, set[bytes]] = field(default_factory=dict)
    """Of each number: what it says, and the statements that say it."""

    def add(self, statement: bytes) -> Fault | None:
        """What is wrong with this one as the next; it is taken in all the same, so that it is told once.

        Raises:
            Malformed, Refused: it is no directory.
        """
        read = directory_said(statement)
        self.listed.update(read.operators, read.positions)
        fault = self._wrong(read)
        if self._said.setdefault(read.number, read) == read:
            self._digests.setdefault(read.number, set()).add(digest(statement))
        return fault

    def _wrong(self, read: Directory) -> Fault | None:
        before = self._said.get(read.number)
        if before is not None:
            # What a directory says has one encoding: equal contents are equal payloads.
            return None if before == read else _fault(ErrorCode.DUPLICATE, "one directory of a number", "another", read)
        newest = max(self._said, default=None)
        if newest is not None and read.number != newest + 1:
            return _fault(ErrorCode.OUT_OF_ORDER, f"number {newest + 1}", f"number {read.number}", read)
        if newest is not None and read.previous not in self._digests[newest]:
            expected = f"the digest of a directory of number {newest} as `previous`"
            return _fault(ErrorCode.OUT_OF_ORDER, expected, "another", read)
        return None


def _fault(code: ErrorCode, expected: str, found: str, read: Directory) -> Fault:
    where = f"{Kind.DIRECTORY.short} {read.number}"
    return Fault(code=code, expected=expected, found=found, column=where)
