"""What an admission folder says, also where it is not to be believed: for the people who make one.

Nothing here admits anybody: who takes landmarks from a folder reads it with `files.admission`.
"""

from dataclasses import dataclass
from pathlib import Path

from lightbound.canonical import cose
from lightbound.errors import LightboundError
from lightbound.files import directory_trust, landmark_addresses
from lightbound.files.admission import Statements, admitted_of, read_directory_file, read_statement_files
from lightbound.files.directory_trust import read_directory_trust
from lightbound.files.landmark_addresses import LandmarkAddress, read_addresses
from lightbound.files.statements import StatementFile
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.keys.signing import check_signature
from lightbound.ranging.sessions.admitted import AdmittedLandmarks
from lightbound.ranging.statements.admission import (
    Directory,
    DirectoryTrust,
    Operator,
    read_directory,
    read_operator,
    read_position,
)
from lightbound.ranging.statements.kinds import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A statement in a folder that lets nobody in, and why."""

    path: Path
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderSeen:
    """What stands in a folder."""

    directory: StatementFile
    trust: DirectoryTrust
    signers: tuple[VerifyingKey, ...]
    """The parties whose signatures are there and hold."""
    known: AdmittedLandmarks
    """Whom the directory would let in, if enough had signed."""
    addresses: dict[bytes, LandmarkAddress]
    left_out: tuple[LeftOut, ...]


def look_at(folder: Path, directory: Path | None = None) -> FolderSeen:
    """What stands in a folder, its directory being `directory.cose` or another that is named.

    Raises:
        Unavailable, Malformed, Refused: a file cannot be read, or no party has signed the directory.
    """
    trust = read_directory_trust(folder / directory_trust.FILE)
    signed = read_directory_file(folder, directory)
    statements = read_statement_files(folder)
    _, known = read_draft(signed, statements, trust)
    addresses = folder / landmark_addresses.FILE
    return FolderSeen(
        directory=signed,
        trust=trust,
        signers=signers(signed, trust),
        known=known,
        addresses=read_addresses(addresses) if addresses.exists() else {},
        left_out=left_out(statements, known),
    )


def read_draft(
    directory: StatementFile, statements: Statements, trust: DirectoryTrust
) -> tuple[Directory, AdmittedLandmarks]:
    """What a directory says that at least one party has signed: enough to look at it, not to believe it.

    Raises:
        Malformed, Refused: no party has signed it, or a signature does not hold or is by a stranger.
    """
    anyone = DirectoryTrust(keys=trust.keys, threshold=1)
    known = admitted_of(directory, statements, anyone)
    return read_directory(directory.data, anyone), known


def signers(directory: StatementFile, trust: DirectoryTrust) -> tuple[VerifyingKey, ...]:
    """The parties whose signature is there and holds, in the order in which they are named."""
    envelope = cose.read(directory.data, what=Kind.DIRECTORY)
    known = {key.key_id: key for key in trust.keys}
    found = set()
    for number, signature in enumerate(envelope.signatures):
        if key := known.get(signature.key_id):
            check_signature(envelope, number, key)
            found.add(key.key_id)
    return tuple(key for key in trust.keys if key.key_id in found)


def left_out(statements: Statements, known: AdmittedLandmarks) -> tuple[LeftOut, ...]:
    """The statements in a folder that let nobody in, those that the directory does not list included."""
    listed = {*known.directory.operators, *known.directory.positions}
    counted = {one.position_digest for one in known.by_id.values()}
    operators: dict[bytes, list[Operator]] = {}
    found: list[LeftOut] = []
    for file in statements.operators:
        if file.digest not in listed:
            found.append(LeftOut(path=file.path, why="the directory does not list it"))
            continue
        try:
            operator = read_operator(file.data)
        except LightboundError as error:
            found.append(LeftOut(path=file.path, why=str(error)))
        else:
            operators.setdefault(operator.key.key_id, []).append(operator)
            if len(operators[operator.key.key_id]) > 1:
                found.append(LeftOut(path=file.path, why="the directory lists two statements of this operator"))
    for file in statements.positions:
        if file.digest not in listed:
            found.append(LeftOut(path=file.path, why="the directory does not list it"))
        elif file.digest not in counted:
            found.append(LeftOut(path=file.path, why=_why(file, operators)))
    return tuple(found)


def _why(file: StatementFile, operators: dict[bytes, list[Operator]]) -> str:
    signer = cose.read(file.data, what=Kind.POSITION).signatures[0].key_id
    named = operators.get(signer, [])
    if len(named) != 1:
        return "its operator is not let in, or the directory lists two statements of it"
    try:
        read_position(file.data, named[0].key)
    except LightboundError as error:
        return str(error)
    return "the directory lists two positions of this landmark"
