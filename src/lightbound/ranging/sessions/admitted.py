"""The landmarks that a directory lets in: where they stand, when that holds, and which of them fail together.

Two landmarks are one fault unit if they share an operator, an owner or something on one of the directory's axes, or
hang together through others that do. That is the careful reading: a unit can only be larger than the truth if everybody
told it. An operator that names a false owner is a unit too many, which no signature can show.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from lightbound.canonical import cose
from lightbound.errors import ErrorCode, LightboundError, refused
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.keys.signing import digest
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
from lightbound.ranging.statements.kinds import Kind

if TYPE_CHECKING:
    from lightbound.ranging.readings import Landmark

T = TypeVar("T")


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
    def landmark(self) -> "Landmark":
        """As the verdicts know it; its name is its key's id."""
        from lightbound.ranging.readings import Landmark  # noqa: PLC0415 - behind numpy, as verdicts are

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
    missing: int = 0
    """Statements that the directory lists and that are not here. Without them neither a draw nor a fault unit is
    certain: either would depend on what whoever brought the statements left out."""


def admitted(
    directory: bytes, *, operators: Iterable[bytes], positions: Iterable[bytes], trust: DirectoryTrust
) -> AdmittedLandmarks:
    """Who is let in.

    Statements that the directory does not list are passed over. Listed ones that are not here are counted: sessions
    cannot be checked before all are.

    1. The directory is signed by enough of the trusted parties.
    2. An operator counts if the directory lists its statement's digest, it signed it, and no other statement that
       the directory lists is of the same operator.
    3. A position counts if the directory lists its digest, its operator counts and signed it, and no other position
       that counts is of the same landmark.
    4. Fault units are told from all landmarks that count, not only from those of one session.

    Raises:
        Malformed, Refused: the directory itself is not to be believed.
    """
    read = read_directory(directory, trust)
    left_out: list[LightboundError] = []
    listed_operators, listed_positions = _listed(operators, read.operators), _listed(positions, read.positions)
    by_operator: dict[bytes, list[Operator]] = {}
    for data in listed_operators.values():
        try:
            operator = read_operator(data)
        except LightboundError as error:
            left_out.append(error)
        else:
            by_operator.setdefault(operator.key.key_id, []).append(operator)
    known = _once(by_operator, "one statement an operator", left_out)
    by_landmark: dict[bytes, list[tuple[Operator, PositionStatement, bytes]]] = {}
    for position_digest, data in listed_positions.items():
        try:
            operator, position = _placed(data, known)
        except LightboundError as error:
            left_out.append(error)
        else:
            by_landmark.setdefault(position.landmark_key.key_id, []).append((operator, position, position_digest))
    placed = _once(by_landmark, "one position a landmark", left_out)
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
    missing = len(read.operators) + len(read.positions) - len(listed_operators) - len(listed_positions)
    return AdmittedLandmarks(
        digest=digest(directory), directory=read, by_id=by_id, left_out=tuple(left_out), missing=missing
    )


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


def _listed(statements: Iterable[bytes], digests: Sequence[bytes]) -> dict[bytes, bytes]:
    """The statements that a directory lists, by digest and in the order of digests, whatever order they came in."""
    here = {digest(data): data for data in statements}
    return {name: here[name] for name in digests if name in here}


def _once(found: Mapping[bytes, Sequence[T]], expected: str, left_out: list[LightboundError]) -> dict[bytes, T]:
    """What was said once about each key; a key about which more was said is left out."""
    for key_id, said in found.items():
        if len(said) > 1:
            left_out.append(refused(ErrorCode.NOT_ADMITTED, expected, f"{len(said)}", key_id.hex()))
    return {key_id: said[0] for key_id, said in found.items() if len(said) == 1}


def _placed(data: bytes, operators: Mapping[bytes, Operator]) -> tuple[Operator, PositionStatement]:
    signature = cose.read(data, what=Kind.POSITION).signatures[0]
    operator = operators.get(signature.key_id)
    if operator is None:
        found = signature.key_id.hex()
        raise refused(ErrorCode.NOT_ADMITTED, "a position signed by an operator of the directory", found, "position")
    return operator, read_position(data, operator.key)
