"""What a log holds about a holder's own chips: all of it accounted for, by the openings that the holder has.

The holder has statements of landmarks with their receipts, which open its entries and nobody else's. From the opening
of one statement follows where the next one stands, so that an entry that the holder was never shown is found as well.

    altered    the log holds another statement at this place of the landmark's sequence
    missing    the log does not hold the statement, in spite of the receipt
    gap        a number between two that are held is not
    unopened   the log holds a statement after the last one that is held; it may only not have come yet

Landmarks' signatures are looked at, on what is held and on their entries, with the keys in their POSITIONs that the log
holds. It does not see entries of an agent that the holder has no statement about at all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from lightbound.errors import ErrorCode, Fault, LightboundError, Refused, refused
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.ranging.statements.admission import position_said
from lightbound.ranging.statements.kinds import Kind
from lightbound.roles.log_reader.auditing import fork_fault
from lightbound.roles.log_reader.holding import Held, opens
from lightbound.roles.log_reader.source import Source, bundle_of, hashes_of
from lightbound.tlog import merkle
from lightbound.tlog.checkpoint import Checkpoint, open_checkpoint
from lightbound.tlog.consistency import continues
from lightbound.tlog.entries import (
    COMMITMENT,
    Commitment,
    commitment_said,
    read_commitment,
    read_entry,
)
from lightbound.tlog.note import NoteKey
from lightbound.tlog.tiles import WIDTH, Tile, TiledTree, read_bundle


class Unaccounted(StrEnum):
    """The closed list of findings."""

    ALTERED = "altered"
    MISSING = "missing"
    GAP = "gap"
    UNOPENED = "unopened"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Something that is not accounted for."""

    what: Unaccounted
    landmark: bytes
    agent: bytes
    seq: int
    entry: int | None
    """Number of the entry in question, if there is one."""

    @property
    def place(self) -> tuple[bytes, bytes, int]:
        """Which statement it is about."""
        return self.landmark, self.agent, self.seq


@dataclass(slots=True, kw_only=True)
class Followed:
    """What is remembered of a log between two looks: how far it was read, and all commitments of these landmarks."""

    checkpoint: bytes | None = None
    """The note that was believed last."""
    landmarks: set[bytes] = field(default_factory=set)
    keys: dict[bytes, VerifyingKey] = field(default_factory=dict)
    """Of all landmarks with a POSITION in the log, by id."""
    commitments: dict[bytes, tuple[int, Commitment]] = field(default_factory=dict)
    """By landmark and slot; the number of the entry with it."""


def follow(source: Source, log: NoteKey, followed: Followed, landmarks: Iterable[bytes]) -> Checkpoint:
    """Read what is new, each entry proven against the checkpoint, and remember the commitments of these landmarks.

    A landmark that was not followed before is looked for from the beginning.

    Raises:
        Malformed, Refused: the log does not continue what it showed before, or shows what it did not sign. Then nothing
            is remembered.
        Unavailable: it cannot be read.
    """
    note = source.read("checkpoint")
    now, _ = open_checkpoint(note, log)
    tree = TiledTree(now.size, lambda tile: hashes_of(source, tile))
    before = None if followed.checkpoint is None else open_checkpoint(followed.checkpoint, log)[0]
    if before is not None:
        _check_continues(before, now, tree)
    wanted = set(landmarks)
    begin = 0 if before is None or not wanted <= followed.landmarks else before.size
    found = {} if begin == 0 else dict(followed.commitments)
    keys, unsigned = {} if begin == 0 else dict(followed.keys), list[tuple[int, bytes]]()
    for number, entry in _entries(source, begin, now.size):
        if not merkle.includes(entry, number, now.size, tree.inclusion_proof(number), now.root):
            raise refused(ErrorCode.LOG_DIFFERS, "entries under the root that is signed", "another", f"entry {number}")
        kind, statement = read_entry(entry)
        if kind == COMMITMENT:
            said = commitment_said(statement)
            if said.landmark in wanted:
                _remember(found, number, said)
                unsigned.append((number, statement))
        elif kind == Kind.POSITION:
            key = position_said(statement).landmark_key
            keys[key.key_id] = key
    _check_signed(unsigned, keys)
    followed.checkpoint, followed.landmarks, followed.commitments, followed.keys = note, wanted, found, keys
    return now


def check_receipts(source: Source, log: NoteKey, now: Checkpoint, held: Iterable[Held]) -> None:
    """Nothing, if this log continues every checkpoint to which receipts lead: of statements that it does not hold.

    A receipt that leads to a checkpoint of this very history never showed the statement, and is no word of the log.

    Raises:
        Malformed, Refused: a checkpoint that the log did not sign; or one that it did, and of another history.
        Unavailable: the log cannot be read.
    """
    tree = TiledTree(now.size, lambda tile: hashes_of(source, tile))
    for note in sorted({one.checkpoint for one in held}):
        _check_continues(open_checkpoint(note, log, what="receipt.checkpoint")[0], now, tree)


def unaccounted(
    held: Iterable[Held], commitments: Mapping[bytes, tuple[int, Commitment]], *, from_the_first: bool = True
) -> list[Found]:
    """What is not accounted for, in the order of landmarks, agents and numbers.

    `from_the_first`: what a landmark said before the first statement that is held is missed too.
    """
    by_pair: dict[tuple[bytes, bytes], dict[int, Held]] = {}
    found: list[Found] = []
    for one in held:
        by_pair.setdefault((one.landmark, one.agent), {})[one.seq] = one
    for (landmark, agent), by_seq in sorted(by_pair.items()):
        for seq, one in sorted(by_seq.items()):
            entry = commitments.get(landmark + one.slot)
            if entry is None:
                found.append(Found(what=Unaccounted.MISSING, landmark=landmark, agent=agent, seq=seq, entry=None))
            elif not opens(one, entry[1]):
                found.append(Found(what=Unaccounted.ALTERED, landmark=landmark, agent=agent, seq=seq, entry=entry[0]))
            if seq + 1 not in by_seq:
                after = commitments.get(landmark + one.next_slot)
                is_last = seq == max(by_seq)
                if after is not None or not is_last:
                    what = Unaccounted.UNOPENED if is_last else Unaccounted.GAP
                    number = None if after is None else after[0]
                    found.append(Found(what=what, landmark=landmark, agent=agent, seq=seq + 1, entry=number))
        if from_the_first and 0 not in by_seq:
            found.append(Found(what=Unaccounted.GAP, landmark=landmark, agent=agent, seq=0, entry=None))
    return found


def faults_of(found: Iterable[Found]) -> list[Fault]:
    """How findings are told."""
    codes = {
        Unaccounted.ALTERED: (ErrorCode.DISCLOSURE_DIFFERS, "the statement that is held"),
        Unaccounted.MISSING: (ErrorCode.ENTRY_MISSING, "an entry for the statement that is held"),
        Unaccounted.GAP: (ErrorCode.SEQUENCE_BROKEN, "every number of the sequence"),
        Unaccounted.UNOPENED: (ErrorCode.ENTRY_UNOPENED, "the opening of every entry about this agent"),
    }
    return [
        Fault(
            code=codes[one.what][0],
            expected=codes[one.what][1],
            found=f"{one.what}: number {one.seq}" + ("" if one.entry is None else f", entry {one.entry}"),
            column=f"landmark {one.landmark.hex()}, agent {one.agent.hex()}",
        )
        for one in found
    ]


def _check_continues(before: Checkpoint, now: Checkpoint, tree: TiledTree) -> None:
    if before.size > now.size:
        raise Refused(fork_fault(before, now))
    proof = () if before.size in {0, now.size} else tree.consistency_proof(before.size)
    if not continues(before.size, before.root, now.size, now.root, proof):
        raise Refused(fork_fault(before, now))


def _check_signed(entries: Iterable[tuple[int, bytes]], keys: Mapping[bytes, VerifyingKey]) -> None:
    """Once everything is read: the log tells landmarks' keys by entries too, which may stand after."""
    for number, statement in entries:
        landmark = commitment_said(statement).landmark
        key = keys.get(landmark)
        if key is None:
            raise refused(ErrorCode.NOT_ADMITTED, "a landmark of the log", landmark.hex(), f"entry {number}")
        try:
            read_commitment(statement, key)
        except LightboundError as error:
            expected = f"the signature of landmark {landmark.hex()}"
            raise refused(ErrorCode.SIGNATURE_INVALID, expected, "another", f"entry {number}") from error


def _remember(found: dict[bytes, tuple[int, Commitment]], number: int, said: Commitment) -> None:
    """A log that takes a slot twice lets a landmark tell two stories; whoever follows it believes neither."""
    before = found.setdefault(said.landmark + said.slot, (number, said))
    if before[0] != number:
        expected, both = "each slot of a landmark once", f"entries {before[0]} and {number}"
        raise refused(ErrorCode.SEQUENCE_BROKEN, expected, both, f"landmark {said.landmark.hex()}")


def _entries(source: Source, start: int, end: int) -> Iterable[tuple[int, bytes]]:
    for number in range(start // WIDTH, (end + WIDTH - 1) // WIDTH):
        width = min(WIDTH, end - number * WIDTH)
        data, count = bundle_of(source, Tile(level=None, number=number, width=width))
        for at, entry in enumerate(read_bundle(data, count)[:width]):
            if number * WIDTH + at >= start:
                yield number * WIDTH + at, entry
