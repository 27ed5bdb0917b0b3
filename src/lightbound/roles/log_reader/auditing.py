"""Is all of a log what it says? Everything that it has is read, and computed again.

1. The checkpoint is signed by the log, and cosigned by as many witnesses as the policy asks for.
2. Every entry is one; none stands twice; no place in a landmark's sequence is taken twice; every commitment is signed
   by a landmark whose position is in the log; every ROTATION is signed by both its keys, and no key has two successors.
3. Every tile of hashes is what the entries make it, and the root is the one that the checkpoint says.
4. An earlier checkpoint, if there is one, is of the first entries of this one.

It does not show that others are shown the same log: that is what witnesses are for. Nor that what was committed to is
true, or that anybody was asked at all.
"""

from dataclasses import dataclass, field
from typing import Final

from lightbound.canonical import cose
from lightbound.errors import ErrorCode, Fault, LightboundError, Malformed, Refused, Unavailable
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.keys.rotation import ROTATION, read_rotation
from lightbound.ranging.statements.admission import position_said, read_operator, read_position
from lightbound.ranging.statements.kinds import Kind
from lightbound.roles.log_reader.source import Source, bundle_of, hashes_of
from lightbound.tlog import merkle
from lightbound.tlog.checkpoint import Checkpoint, open_checkpoint
from lightbound.tlog.cosignature import Cosignature, cosignatures
from lightbound.tlog.entries import COMMITMENT, commitment_said, read_commitment, read_entry
from lightbound.tlog.note import NoteKey
from lightbound.tlog.policy import Policy, enough
from lightbound.tlog.tiles import WIDTH, Tile, TiledTree, bundles_of, read_bundle

MOST_FINDINGS: Final = 100
"""Told of one by one; a log that is wrong throughout is wrong, and the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """A log in which nothing was found wrong."""

    checkpoint: Checkpoint
    note: bytes
    cosigned: tuple[Cosignature, ...]
    kinds: dict[str, int]
    """How many entries there are of each type."""


@dataclass(slots=True, kw_only=True)
class _Looking:
    """What was read so far."""

    found: list[Fault] = field(default_factory=list)
    total: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    leaves: set[bytes] = field(default_factory=set)
    operators: dict[bytes, VerifyingKey] = field(default_factory=dict)
    """By id; each signed for itself."""
    positions: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    """Number of the entry, statement and id of the operator: an OPERATOR may come after it."""
    slots: set[bytes] = field(default_factory=set)
    landmarks: dict[bytes, VerifyingKey] = field(default_factory=dict)
    successors: dict[VerifyingKey, VerifyingKey] = field(default_factory=dict)
    """Which key followed which, by ROTATIONs."""
    unplaced: list[tuple[int, bytes]] = field(default_factory=list)
    """Commitments before the position of their landmark."""
    levels: list[list[bytes]] = field(default_factory=lambda: [[]])
    """The hashes of each level whose tile is not full yet."""
    numbers: list[int] = field(default_factory=lambda: [0])
    then: int | None = None
    """Size of the earlier checkpoint."""
    root_then: bytes | None = None
    """The root over so many entries of this log, once there were so many."""

    def root(self, size: int) -> bytes:
        """The root over everything that was read: the tiles that are not full hold all that it takes."""
        if size == 0:
            return merkle.root([])
        return TiledTree(size, lambda tile: b"".join(self.levels[tile.level or 0])).root()

    def add(self, code: ErrorCode, expected: str, found: str, where: str) -> None:
        """Something is wrong."""
        self.total += 1
        if len(self.found) < MOST_FINDINGS:
            self.found.append(Fault(code=code, expected=expected, found=found, column=where))


def audit_log(
    source: Source,
    log: NoteKey,
    policy: Policy,
    *,
    since: bytes | None = None,
) -> Audited:
    """What was found, if nothing was wrong; `since` is an earlier checkpoint of the log.

    Of the policy only its witnesses and its quorum are looked at: which log it is, `log` says.

    Raises:
        Malformed, Refused: everything that is wrong, with its place. A fork names both checkpoints.
        Unavailable: part of the log cannot be read.
    """
    note = source.read("checkpoint")
    checkpoint, signed = open_checkpoint(note, log)
    seen = cosignatures(signed, policy.keys)
    earlier = None if since is None else open_checkpoint(since, log, what="since")[0]
    looking = _Looking(then=None if earlier is None else earlier.size)
    if looking.then == 0:
        looking.root_then = looking.root(0)
    if not enough(policy, seen):
        found = ", ".join(one.witness.name for one in seen) or "nobody that it names"
        looking.add(ErrorCode.TOO_FEW_WITNESSES, f"cosignatures of the quorum {policy.quorum}", found, "checkpoint")
    for bundle in bundles_of(checkpoint.size):
        _look_at(source, looking, bundle)
    _finish(source, looking)
    root = looking.root(checkpoint.size)
    if root != checkpoint.root:
        looking.add(ErrorCode.LOG_DIFFERS, f"the root {checkpoint.root.hex()}", root.hex(), "checkpoint.root")
    if earlier is not None and looking.root_then != earlier.root:
        looking.found.insert(0, fork_fault(earlier, checkpoint))
        looking.total += 1
    if looking.found:
        raise Refused(looking.found, total=looking.total)
    return Audited(checkpoint=checkpoint, note=note, cosigned=tuple(seen), kinds=looking.kinds)


def fork_fault(one: Checkpoint, other: Checkpoint) -> Fault:
    """What is said of two checkpoints that one log signed, of which neither continues the other."""
    return Fault(
        code=ErrorCode.LOG_FORKED,
        expected=f"a log that continues size {one.size} with root {one.root.hex()}",
        found=f"size {other.size} with root {other.root.hex()}",
        column="checkpoint",
        next="keep both checkpoints: the two signatures are the proof",
    )


def _look_at(source: Source, looking: _Looking, bundle: Tile) -> None:
    data, width = bundle_of(source, bundle)
    try:
        entries = read_bundle(data, width)[: bundle.width]
    except Malformed as error:
        raise Malformed(
            Fault(code=error.faults[0].code, expected="a bundle", found="other", file=bundle.path)
        ) from error
    for at, entry in enumerate(entries):
        number = bundle.number * WIDTH + at
        leaf = merkle.leaf_hash(entry)
        if leaf in looking.leaves:
            looking.add(ErrorCode.DUPLICATE, "each entry once", "one twice", f"entry {number}")
        looking.leaves.add(leaf)
        try:
            _look_into(looking, number, entry)
        except LightboundError as error:
            fault = error.faults[0]
            looking.add(fault.code, fault.expected, fault.found, f"entry {number}, {fault.column}")
        looking.levels[0].append(leaf)
        _fill(source, looking, 0)
        if number + 1 == looking.then:
            looking.root_then = looking.root(number + 1)


def _look_into(looking: _Looking, number: int, entry: bytes) -> None:
    kind, statement = read_entry(entry)
    looking.kinds[kind] = looking.kinds.get(kind, 0) + 1
    if kind == COMMITMENT:
        said = commitment_said(statement)
        slot = said.landmark + said.slot
        if slot in looking.slots:
            looking.add(ErrorCode.SEQUENCE_BROKEN, "each slot once", "one twice", f"entry {number}")
        looking.slots.add(slot)
        key = looking.landmarks.get(said.landmark)
        if key is None:
            looking.unplaced.append((number, statement))
        else:
            read_commitment(statement, key)
    elif kind == Kind.POSITION:
        position = position_said(statement)
        looking.landmarks[position.landmark_key.key_id] = position.landmark_key
        looking.positions.append((number, statement, position.operator))
    elif kind == Kind.OPERATOR:
        operator = read_operator(statement).key
        looking.operators[operator.key_id] = operator
    elif kind == Kind.DIRECTORY:
        cose.read(statement, what=Kind.DIRECTORY)
    elif kind == ROTATION:
        rotation = read_rotation(statement)
        if looking.successors.setdefault(rotation.old, rotation.new) != rotation.new:
            found = f"two of {rotation.what} {rotation.name}"
            looking.add(ErrorCode.ROTATED_TWICE, "one key after another", found, f"entry {number}")
    else:
        looking.add(ErrorCode.WRONG_TYPE, "a type that is logged", kind, f"entry {number}")


def _fill(source: Source, looking: _Looking, level: int) -> None:
    """Compare a tile that is full now, and put what stands above it into the level above."""
    row = looking.levels[level]
    if len(row) < WIDTH:
        return
    _compare(source, looking, Tile(level=level, number=looking.numbers[level]), row)
    if level + 1 == len(looking.levels):
        looking.levels.append([])
        looking.numbers.append(0)
    while len(row) > 1:
        row = [merkle.node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    looking.levels[level] = []
    looking.numbers[level] += 1
    looking.levels[level + 1].append(row[0])
    _fill(source, looking, level + 1)


def _finish(source: Source, looking: _Looking) -> None:
    for level, row in enumerate(looking.levels):
        if row:
            _compare(source, looking, Tile(level=level, number=looking.numbers[level], width=len(row)), row)
    for number, statement, by in looking.positions:
        # Whether its operator had to be logged, a directory says, which only its parties' keys open.
        if by in looking.operators:
            try:
                read_position(statement, looking.operators[by])
            except LightboundError as error:
                looking.add(error.faults[0].code, "the operator's signature", "another", f"entry {number}")
    for number, statement in looking.unplaced:
        landmark = commitment_said(statement).landmark
        key = looking.landmarks.get(landmark)
        try:
            if key is None:
                looking.add(ErrorCode.NOT_ADMITTED, "a landmark of the log", landmark.hex(), f"entry {number}")
            else:
                read_commitment(statement, key)
        except LightboundError as error:
            looking.add(error.faults[0].code, "the landmark's signature", "another", f"entry {number}")


def _compare(source: Source, looking: _Looking, tile: Tile, row: list[bytes]) -> None:
    try:
        same = hashes_of(source, tile) == b"".join(row)
    except Unavailable:
        looking.add(ErrorCode.LOG_DIFFERS, "a tile of hashes", "none", tile.path)
        return
    if not same:
        looking.add(ErrorCode.LOG_DIFFERS, "the hashes of its entries", "others", tile.path)
