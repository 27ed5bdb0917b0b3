"""Is all of a log what it says? Everything that it has is read, and computed again.

1. The checkpoint is signed by the log, and cosigned by as many witnesses as the policy asks for.
2. Every entry is one; none stands twice; no place in a landmark's sequence is taken twice; every commitment is signed
   by a landmark whose position is in the log; every ROTATION is signed by both its keys.
3. Directories follow one another, and every OPERATOR and POSITION is listed by one.
4. Every tile of hashes is what the entries make it, and the root is the one that the checkpoint says.
5. An earlier checkpoint, if there is one, is of the first entries of this one.

What parties did, and a log has to take, is noted and not held against the log: a key with two successors.

It does not show that others are shown the same log: that is what witnesses are for. Nor that what was committed to is
true, that anybody was asked at all, or that the parties signed the directories: who has their keys can tell.
"""

from dataclasses import dataclass, field, replace

from lightbound.errors import ErrorCode, Fault, LightboundError, Malformed, Refused, Unavailable
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.keys.rotation import ROTATION, Rotation, read_rotation
from lightbound.keys.signing import digest
from lightbound.ranging.statements.admission import position_said, read_operator, read_position
from lightbound.ranging.statements.kinds import Kind
from lightbound.roles.log_reader.continuing import behind_fault, fork_fault
from lightbound.roles.log_reader.directories import Directories
from lightbound.roles.log_reader.findings import Findings
from lightbound.roles.log_reader.source import Source, bundle_of, hashes_of
from lightbound.tlog import merkle
from lightbound.tlog.checkpoint import Checkpoint, open_checkpoint
from lightbound.tlog.cosignature import Cosignature, cosignatures
from lightbound.tlog.entries import COMMITMENT, commitment_said, read_commitment, read_entry
from lightbound.tlog.note import NoteKey
from lightbound.tlog.policy import Policy, check_enough
from lightbound.tlog.tiles import WIDTH, Tile, TiledTree, bundles_of, read_bundle


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """A log in which nothing was found wrong."""

    checkpoint: Checkpoint
    note: bytes
    cosigned: tuple[Cosignature, ...]
    kinds: dict[str, int]
    """How many entries there are of each type."""
    notes: Findings
    """What parties did, which the log had to take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulty:
    """A log in which something is wrong."""

    found: Findings
    notes: Findings
    """As of one in which nothing is."""


@dataclass(slots=True, kw_only=True)
class _Looking:
    """What was read so far."""

    found: Findings = field(default_factory=Findings)
    notes: Findings = field(default_factory=Findings)
    kinds: dict[str, int] = field(default_factory=dict)
    leaves: set[bytes] = field(default_factory=set)
    directories: Directories = field(default_factory=Directories)
    listed: list[tuple[int, str, bytes]] = field(default_factory=list)
    """Number of the entry, type and digest of what a directory has to list."""
    operators: dict[bytes, VerifyingKey] = field(default_factory=dict)
    """By id; each signed for itself."""
    positions: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    """Number of the entry, statement and id of the operator: an OPERATOR may come after it."""
    slots: set[bytes] = field(default_factory=set)
    landmarks: dict[bytes, VerifyingKey] = field(default_factory=dict)
    successors: dict[VerifyingKey, set[VerifyingKey]] = field(default_factory=dict)
    """Which keys followed which, by ROTATIONs: the first two."""
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
        self.found.add(Fault(code=code, expected=expected, found=found, column=where))


def audit_log(
    source: Source,
    log: NoteKey,
    policy: Policy,
    *,
    since: bytes | None = None,
) -> Audited | Faulty:
    """What all of a log comes to; `since` is an earlier checkpoint of it.

    Of the policy only its witnesses and its quorum are looked at: which log it is, `log` says.

    Raises:
        Malformed, Refused: the checkpoint or the earlier one is not of this log, or a bundle is none.
        Unavailable: part of the log cannot be read.
    """
    note = source.read("checkpoint")
    checkpoint, signed = open_checkpoint(note, log)
    seen = cosignatures(signed, policy.keys)
    earlier = None if since is None else open_checkpoint(since, log, what="since")[0]
    looking = _Looking(then=None if earlier is None else earlier.size)
    if looking.then == 0:
        looking.root_then = looking.root(0)
    try:
        check_enough(policy, seen)
    except Refused as error:
        looking.found.add(error.faults[0])
    for bundle in bundles_of(checkpoint.size):
        _look_at(source, looking, bundle)
    _finish(source, looking)
    root = looking.root(checkpoint.size)
    if root != checkpoint.root:
        looking.add(ErrorCode.LOG_DIFFERS, f"the root {checkpoint.root.hex()}", root.hex(), "checkpoint.root")
    fault = None if earlier is None else _discontinued(earlier, checkpoint, root, looking.root_then)
    if fault is not None:
        looking.found.add(fault)
    if looking.found.total:
        return Faulty(found=looking.found, notes=looking.notes)
    return Audited(checkpoint=checkpoint, note=note, cosigned=tuple(seen), kinds=looking.kinds, notes=looking.notes)


def _discontinued(earlier: Checkpoint, now: Checkpoint, root: bytes, root_then: bytes | None) -> Fault | None:
    """Entries that do not make the root that is signed are no word of the log: by them nothing is called a fork."""
    if earlier.size > now.size:
        return behind_fault(earlier, now)
    if earlier.size == now.size:
        return None if earlier.root == now.root else fork_fault(earlier, now)
    return fork_fault(earlier, now) if root == now.root and root_then != earlier.root else None


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
        looking.listed.append((number, Kind.POSITION.short, digest(statement)))
        looking.landmarks[position.landmark_key.key_id] = position.landmark_key
        looking.positions.append((number, statement, position.operator))
    elif kind == Kind.OPERATOR:
        looking.listed.append((number, Kind.OPERATOR.short, digest(statement)))
        operator = read_operator(statement).key
        looking.operators[operator.key_id] = operator
    elif kind == Kind.DIRECTORY:
        fault = looking.directories.add(statement)
        if fault is not None:
            looking.found.add(replace(fault, column=f"entry {number}, {fault.column}"))
    elif kind == ROTATION:
        _look_at_rotation(looking, number, read_rotation(statement))
    else:
        looking.add(ErrorCode.WRONG_TYPE, "a type that is logged", kind, f"entry {number}")


def _look_at_rotation(looking: _Looking, number: int, rotation: Rotation) -> None:
    new = looking.successors.setdefault(rotation.old, set())
    # Told once of each key, at the entry by which it came out.
    if len(new) == 1 and rotation.new not in new:
        found = f"two of {rotation.what} {rotation.name}"
        fault = Fault(
            code=ErrorCode.ROTATED_TWICE, expected="one key after another", found=found, column=f"entry {number}"
        )
        looking.notes.add(fault)
    if len(new) < 2:
        new.add(rotation.new)


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
    for number, kind, of_statement in looking.listed:
        if of_statement not in looking.directories.listed:
            looking.add(
                ErrorCode.NOT_ADMITTED, "a statement that a directory lists", f"another {kind}", f"entry {number}"
            )
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
