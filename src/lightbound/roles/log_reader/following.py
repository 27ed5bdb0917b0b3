"""Follow a log from outside: read what is new, proven against what it signs, and remember what some landmarks said.

Landmarks' signatures on their entries are looked at, with the keys in their POSITIONs that the log holds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lightbound.errors import ErrorCode, Fault, LightboundError, Malformed, Refused, refused
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.ranging.statements.admission import position_said
from lightbound.ranging.statements.kinds import Kind
from lightbound.roles.log_reader.continuing import discontinued
from lightbound.roles.log_reader.source import Source, bundle_of, hashes_of
from lightbound.tlog import merkle
from lightbound.tlog.checkpoint import Checkpoint, open_checkpoint
from lightbound.tlog.cosignature import cosignatures
from lightbound.tlog.entries import COMMITMENT, Commitment, commitment_said, read_commitment, read_entry
from lightbound.tlog.note import NoteKey
from lightbound.tlog.policy import Policy, check_enough
from lightbound.tlog.tiles import WIDTH, Tile, TiledTree, read_bundle


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
        fault = discontinued(before, now, tree)
        if fault is not None:
            raise Refused(fault)
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


def cosigned_by_too_few(followed: Followed, log: NoteKey, policy: Policy) -> Fault | None:
    """What is wrong with the cosignatures of the checkpoint that was followed last; None if they are the quorum.

    Of the policy only its witnesses and its quorum are looked at. A line of one of them that does not hold is told as
    such.
    """
    if followed.checkpoint is None:
        return None
    _, signed = open_checkpoint(followed.checkpoint, log)
    try:
        check_enough(policy, cosignatures(signed, policy.keys))
    except (Malformed, Refused) as error:
        return error.faults[0]
    return None


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
