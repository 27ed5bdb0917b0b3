"""The landmarks that a directory lets in: where they stand, when that holds, and which of them fail together.

Two landmarks are one fault unit if they share an operator, an owner or something on one of the directory's axes, or
hang together through others that do. That is the careful reading: a unit can only be larger than the truth if everybody
told it. An operator that names a false owner is a unit too many, which no signature can show.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lightbound.canonical import cose
from lightbound.errors import ErrorCode, LightboundError
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.keys.signing import digest, refused
from lightbound.ranging.readings import Landmark
from lightbound.ranging.statements.admission import (
    Axis,
    Directory,
    DirectoryTrust,
    Operator,
    PositionStatement,
    read_directory,
    read_operator,
    read_position,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """One landmark of a directory."""

    key: VerifyingKey
    operator: Operator
    position: PositionStatement
    position_digest: bytes
    fault_unit: str
    from_ns: int
    to_ns: int
    """When operator, position and directory are all valid, both ends included."""

    @property
    def landmark(self) -> Landmark:
        """As the verdicts know it; its name is its key's id."""
        return Landmark(
            landmark_id=self.key.key_id.hex(),
            position=self.position.position,
            position_error_m=float(self.position.error_m),
            fault_unit=self.fault_unit,
            country=self.position.jurisdiction,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmittedLandmarks:
    """Everybody whom one directory lets in, by landmark id."""

    digest: bytes
    directory: Directory
    by_id: Mapping[bytes, Admitted]
    left_out: tuple[LightboundError, ...]
    """What is wrong with statements that the directory lists; the others stand without them."""


def admitted(
    directory: bytes, *, operators: Iterable[bytes], positions: Iterable[bytes], trust: DirectoryTrust
) -> AdmittedLandmarks:
    """Who is let in. Statements that the directory does not list are passed over; listed ones may be missing.

    1. The directory is signed by enough of the trusted parties.
    2. An operator counts if the directory lists its statement's digest and it signed it.
    3. A position counts if the directory lists its digest, its operator counts and signed it, and no other position
       that counts is of the same landmark.
    4. Fault units are told from all landmarks that count, not only from those of one session.

    Raises:
        Malformed, Refused: the directory itself is not to be believed.
    """
    read = read_directory(directory, trust)
    left_out: list[LightboundError] = []
    known: dict[bytes, Operator] = {}
    for data in operators:
        if digest(data) in read.operators:
            try:
                operator = read_operator(data)
            except LightboundError as error:
                left_out.append(error)
            else:
                known[operator.key.key_id] = operator
    placed: dict[bytes, tuple[Operator, PositionStatement, bytes]] = {}
    twice: set[bytes] = set()
    for data in positions:
        if digest(data) in read.positions:
            try:
                operator, position = _placed(data, known)
            except LightboundError as error:
                left_out.append(error)
                continue
            landmark = position.landmark_key.key_id
            if placed.get(landmark, (operator, position, digest(data)))[2] != digest(data):
                twice.add(landmark)
            placed[landmark] = (operator, position, digest(data))
    for landmark in twice:
        del placed[landmark]
        left_out.append(refused(ErrorCode.NOT_ADMITTED, "one position a landmark", "two", landmark.hex()))
    units = fault_units([(operator, position) for operator, position, _ in placed.values()], read.axes)
    by_id = {
        landmark: Admitted(
            key=position.landmark_key,
            operator=operator,
            position=position,
            position_digest=position_digest,
            fault_unit=unit,
            from_ns=max(operator.from_ns, position.from_ns, read.from_ns),
            to_ns=min(operator.to_ns, position.to_ns, read.to_ns),
        )
        for (landmark, (operator, position, position_digest)), unit in zip(placed.items(), units, strict=True)
    }
    return AdmittedLandmarks(digest=digest(directory), directory=read, by_id=by_id, left_out=tuple(left_out))


def fault_units(landmarks: Sequence[tuple[Operator, PositionStatement]], axes: Sequence[Axis]) -> list[str]:
    """The name of each landmark's fault unit: the first, in the order of the alphabet, of the owners in it."""
    shared: dict[tuple[str, str], int] = {}
    root = list(range(len(landmarks)))

    def find(i: int) -> int:
        while root[i] != i:
            root[i] = root[root[i]]
            i = root[i]
        return i

    for i, (operator, position) in enumerate(landmarks):
        traits = {"operator": operator.key.key_id.hex(), "owner": operator.owner}
        if Axis.HOSTING in axes:
            traits["hosting"] = position.hosting
        if Axis.JURISDICTION in axes:
            traits["jurisdiction"] = position.jurisdiction
        for trait in traits.items():
            root[find(i)] = find(shared.setdefault(trait, i))
    names: dict[int, str] = {}
    for i, (operator, _) in enumerate(landmarks):
        names[find(i)] = min(names.get(find(i), operator.owner), operator.owner)
    return [names[find(i)] for i in range(len(landmarks))]


def _placed(data: bytes, operators: Mapping[bytes, Operator]) -> tuple[Operator, PositionStatement]:
    (signature,) = cose.read(data, what="position").signatures
    operator = operators.get(signature.key_id)
    if operator is None:
        found = signature.key_id.hex()
        raise refused(ErrorCode.NOT_ADMITTED, "a position signed by an operator of the directory", found, "position")
    return operator, read_position(data, operator.key)
