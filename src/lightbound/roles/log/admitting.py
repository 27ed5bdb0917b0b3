"""Who may have something logged, and what: decided by the directory that the log itself holds.

    DIRECTORY   signed by enough of the parties that the log was told of, and the next after the newest it has
    OPERATOR    listed by the newest directory
    POSITION    listed by the newest directory
    COMMITMENT  signed by a landmark that the newest directory admits now
    ROTATION    signed by both its keys, one of which is of such a landmark, of this log, or of a witness that it asks

Everything this is decided by is in the log, so that whoever reads the log can decide it again; all but which keys are
its own and its witnesses', which its checkpoints show.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from lightbound.canonical import cose
from lightbound.canonical.cose import Envelope
from lightbound.errors import ErrorCode, refused
from lightbound.keys.purposes import Purpose
from lightbound.keys.rotation import ROTATION, Rotation, read_rotation
from lightbound.keys.signing import digest
from lightbound.ranging.sessions.admitted import AdmittedLandmarks, admitted
from lightbound.ranging.statements.admission import DirectoryTrust, position_said, read_directory, read_operator
from lightbound.ranging.statements.kinds import Kind
from lightbound.store.log import LogStore, NewEntry
from lightbound.tlog.entries import COMMITMENT, commitment_in, read_entry, write_entry
from lightbound.tlog.note import PURPOSE, NoteKey

ROLL_KINDS: Final = (Kind.DIRECTORY, Kind.OPERATOR, Kind.POSITION)
"""What the roll is read from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roll:
    """What the log holds of directories: the newest one, and whom it lets in."""

    count: int
    """Entries that this was read from."""
    newest: AdmittedLandmarks | None


class Admitting:
    """Checks what is submitted to one log."""

    def __init__(self, store: LogStore, trust: DirectoryTrust, notes: Collection[NoteKey] = ()) -> None:
        """By what the log holds, and what these parties sign; `notes` are its own key and its witnesses'."""
        self._store, self._trust = store, trust
        self._notes = {(PURPOSE[one.algorithm], one.name, one.raw) for one in notes}
        self._roll = Roll(count=-1, newest=None)

    def check(self, statement: bytes, *, now_ns: int) -> NewEntry:
        """The entry of a statement that may be logged, by the roll as it was when it was read last.

        Raises:
            Malformed: it is no statement.
            Refused: of a type that is not logged, not admitted, or the signature does not hold.
            Unavailable: the database failed.
        """
        envelope = cose.read(statement, what="statement")
        kind = envelope.kind
        place: bytes | None = None
        if kind == COMMITMENT:
            place = self._check_commitment(envelope, now_ns)
        elif kind == Kind.DIRECTORY:
            place = self._check_directory(statement)
        elif kind == Kind.OPERATOR:
            read_operator(statement)
            self._check_listed(statement, Kind.OPERATOR)
        elif kind == Kind.POSITION:
            position_said(statement)
            self._check_listed(statement, Kind.POSITION)
        elif kind == ROTATION:
            self._check_rotation(read_rotation(statement))
        else:
            raise refused(ErrorCode.WRONG_TYPE, "a type that is logged", kind, "statement")
        return NewEntry(data=write_entry(statement), kind=kind, place=place)

    def read_roll(self) -> None:
        """See whom the log lets in now; to be called before each submission, for others may have logged a directory.

        Raises:
            Unavailable: the database failed.
        """
        count = self._store.count_of_kinds(ROLL_KINDS)
        if count != self._roll.count:
            self._roll = Roll(count=count, newest=self._read())

    def _read(self) -> AdmittedLandmarks | None:
        directories = self._statements(Kind.DIRECTORY)
        if not directories:
            return None
        return admitted(
            # Each is the next after the one before, so that the last one is the newest.
            directories[-1],
            operators=self._statements(Kind.OPERATOR),
            positions=self._statements(Kind.POSITION),
            trust=self._trust,
        )

    def _statements(self, kind: Kind) -> Sequence[bytes]:
        return [read_entry(data)[1] for data in self._store.of_kinds([kind])]

    def _check_commitment(self, envelope: Envelope, now_ns: int) -> bytes:
        landmark = envelope.signatures[0].key_id
        newest = self._roll.newest
        known = None if newest is None else newest.by_id.get(landmark)
        if known is None:
            raise refused(ErrorCode.NOT_ADMITTED, "a landmark of the directory", landmark.hex(), "commitment.landmark")
        if not known.from_ns <= now_ns <= known.to_ns:
            expected = "a landmark that is admitted now"
            raise refused(ErrorCode.NOT_VALID_THEN, expected, landmark.hex(), "commitment.landmark")
        return landmark + commitment_in(envelope, known.key).slot

    def _check_rotation(self, read: Rotation) -> None:
        """One of the keys must be known; which one depends on whether the other was taken into use already."""
        keys = (read.old, read.new)
        if read.what is Purpose.LANDMARK:
            newest = self._roll.newest
            known = newest is not None and any(key.key_id in newest.by_id for key in keys)
        else:
            known = any((read.what, read.name, key.raw) in self._notes for key in keys)
        if not known:
            expected = "a key of a landmark of the directory, of this log, or of a witness that it asks"
            raise refused(ErrorCode.NOT_ADMITTED, expected, f"{read.what} {read.name}", "rotation.old")

    def _check_directory(self, statement: bytes) -> bytes:
        read = read_directory(statement, self._trust)
        newest = self._roll.newest
        follows = newest is None or (read.number, read.previous) == (newest.directory.number + 1, newest.digest)
        # One that is there already gets its number again.
        if not follows and statement not in self._statements(Kind.DIRECTORY):
            expected = "the directory after the newest one here"
            raise refused(ErrorCode.OUT_OF_ORDER, expected, f"number {read.number}", "directory")
        return b"directory %d" % read.number

    def _check_listed(self, statement: bytes, kind: Kind) -> None:
        newest = self._roll.newest
        listed = () if newest is None else newest.directory.operators + newest.directory.positions
        if digest(statement) not in listed:
            raise refused(ErrorCode.NOT_ADMITTED, "a statement that the directory lists", "another", kind.short)
