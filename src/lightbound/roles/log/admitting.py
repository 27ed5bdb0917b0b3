"""Who may have something logged, and what: decided by the directory that the log itself holds.

    DIRECTORY   signed by enough of the parties that the log was told of, and the next after the newest it has; or one
                that it has, with other signatures of theirs
    OPERATOR    listed by the newest directory
    POSITION    listed by the newest directory
    COMMITMENT  signed by a landmark that the newest directory admits now
    ROTATION    signed by both its keys, one of which is of such a landmark, of this log, or of a witness that it asks;
                two of one key to different ones, and no third

Everything this is decided by is in the log, so that whoever reads the log can decide it again; all but which keys are
its own and its witnesses', which its checkpoints show.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from lightbound.canonical import cose
from lightbound.canonical.cose import Envelope
from lightbound.canonical.fields import Fields
from lightbound.errors import ErrorCode, LightboundError, Malformed, Refused, refused
from lightbound.keys.ed25519 import VerifyingKey
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

MOST_ROTATIONS: Final = 2
"""ROTATIONs of one key. One would let a thief keep the owner's out; two are already the sign that there is a thief.
More show nothing more, and would let one key fill a log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roll:
    """What the log holds of directories: the newest one, and whom it lets in."""

    count: int
    """Entries that this was read from."""
    newest: AdmittedLandmarks | None
    """None if there is none, or none that the parties of today signed: nobody is let in then but by the next one."""
    number: int | None = None
    """Of the newest directory."""
    digests: frozenset[bytes] = frozenset()
    """Of the newest directory, one for each set of signatures with which it is here: the next one names any of them."""


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
            place = self._check_rotation(statement, now_ns)
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
            self._roll = self._read(count)

    def _read(self, count: int) -> Roll:
        directories = self._statements(Kind.DIRECTORY)
        if not directories:
            return Roll(count=count, newest=None)
        # The last one may be an older one with other signatures.
        number = max(map(_number, directories))
        newest = [one for one in directories if _number(one) == number]
        try:
            read = admitted(
                self._believed(newest),
                operators=self._statements(Kind.OPERATOR),
                positions=self._statements(Kind.POSITION),
                trust=self._trust,
            )
        except (Malformed, Refused):
            # A party has another key since: the next directory, or this one signed anew, is taken all the same.
            read = None
        return Roll(count=count, newest=read, number=number, digests=frozenset(map(digest, newest)))

    def _believed(self, same: Sequence[bytes]) -> bytes:
        """Of one directory with several sets of signatures one that is enough: the log may ask for more than it did."""
        for one in same[:-1]:
            try:
                read_directory(one, self._trust)
            except LightboundError:
                continue
            return one
        return same[-1]

    def _statements(self, kind: str) -> Sequence[bytes]:
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

    def _check_rotation(self, statement: bytes, now_ns: int) -> bytes | None:
        """Its place: one of two of a key that is known.

        Which of its keys is known depends on whether the new one was taken into use already.
        """
        read, held = read_rotation(statement), self._statements(ROTATION)
        if statement in held:
            # It gets its number again, also when the landmark's time is over.
            return None
        is_old = self._is_known(read, read.old, now_ns)
        if not is_old and not self._is_known(read, read.new, now_ns):
            raise self._unknown(read)
        old, new = _holder(read, read.old), _holder(read, read.new)
        others = [read_rotation(one) for one in held]
        after = [one for one in others if _holder(one, one.old) == old]
        if any(one.new == read.new for one in after):
            found = "another that names both"
            raise refused(ErrorCode.DUPLICATE, "one ROTATION from a key to another", found, "rotation.new")
        if len(after) >= MOST_ROTATIONS:
            expected = "a key of which no two successors are here, the sign that it was rotated twice"
            raise refused(ErrorCode.ROTATED_TWICE, expected, "a third", "rotation.old")
        if is_old:
            return f"rotation of {old} {len(after)}".encode()
        before = len([one for one in others if _holder(one, one.new) == new])
        if before >= MOST_ROTATIONS:
            expected = f"a known key, or one before a key that follows fewer than {MOST_ROTATIONS} here"
            raise refused(ErrorCode.NOT_ADMITTED, expected, f"{read.what} {read.name}", "rotation.old")
        return f"rotation to {new} {before}".encode()

    def _is_known(self, read: Rotation, key: VerifyingKey, now_ns: int) -> bool:
        if read.what is not Purpose.LANDMARK:
            return (read.what, read.name, key.raw) in self._notes
        newest = self._roll.newest
        known = None if newest is None else newest.by_id.get(key.key_id)
        return known is not None and known.from_ns <= now_ns <= known.to_ns

    def _unknown(self, read: Rotation) -> LightboundError:
        newest = self._roll.newest
        if (
            read.what is Purpose.LANDMARK
            and newest is not None
            and {read.old.key_id, read.new.key_id} & {*newest.by_id}
        ):
            expected = "a landmark that is admitted now"
            return refused(ErrorCode.NOT_VALID_THEN, expected, f"{read.what} {read.name}", "rotation.old")
        expected = "a key of a landmark of the directory, of this log, or of a witness that it asks"
        return refused(ErrorCode.NOT_ADMITTED, expected, f"{read.what} {read.name}", "rotation.old")

    def _check_directory(self, statement: bytes) -> bytes | None:
        """Its place, which is its number's; None for one that is here, be it with other signatures.

        Whoever has a directory can cut a signature off, as long as enough are left, and be first with it: then the
        whole one is still to be had here, for the next directory may name it. What is here under a number stays, so
        that none with another payload comes in beside it without a place.
        """
        read, payload = read_directory(statement, self._trust), cose.read(statement).payload
        if any(cose.read(one).payload == payload for one in self._statements(Kind.DIRECTORY)):
            return None
        number = self._roll.number
        follows = number is None or (read.number == number + 1 and read.previous in self._roll.digests)
        if not follows:
            expected = "the directory after the newest one here"
            raise refused(ErrorCode.OUT_OF_ORDER, expected, f"number {read.number}", "directory")
        return b"directory %d" % read.number

    def _check_listed(self, statement: bytes, kind: Kind) -> None:
        newest = self._roll.newest
        listed = () if newest is None else newest.directory.operators + newest.directory.positions
        if digest(statement) not in listed:
            raise refused(ErrorCode.NOT_ADMITTED, "a statement that the directory lists", "another", kind.short)


def _number(directory: bytes) -> int:
    """The number of a directory that was believed when it was taken."""
    path = Kind.DIRECTORY.short
    return Fields.of(cose.read(directory, what=path).payload, path).integer("number", least=1)


def _holder(read: Rotation, key: VerifyingKey) -> str:
    """One of its keys, under the name by which it is known; a landmark has no name but its key."""
    name = "" if read.what is Purpose.LANDMARK else read.name
    return f"{read.what} {name} {key.raw.hex()}"
