"""An admission folder: a directory, whom to believe about it, the statements that it lists, and landmarks' addresses.

    directory.cose        who is let in, signed by enough of the parties
    directory-trust.toml  the parties, and how many of them are enough
    operators/*.cose      what operators say of themselves
    positions/*.cose      where they say that landmarks stand
    landmarks.toml        names and addresses

How such a folder comes about is in `files.directories` and on `docs/admission.md`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from lightbound.errors import ErrorCode, Fault, LightboundError, Malformed, Refused, Unavailable
from lightbound.files import directory_trust, landmark_addresses
from lightbound.files.directory_trust import read_directory_trust
from lightbound.files.landmark_addresses import LandmarkAddress, read_addresses
from lightbound.files.statements import StatementFile, read_statement, read_statements
from lightbound.files.toml import of_file
from lightbound.ranging.sessions.admitted import AdmittedLandmarks, admitted
from lightbound.ranging.statements.admission import DirectoryTrust
from lightbound.ranging.statements.kinds import Kind

DIRECTORY: Final = "directory.cose"
OPERATORS: Final = "operators"
POSITIONS: Final = "positions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """What operators said, as it lies in a folder; nothing of it has been believed."""

    operators: tuple[StatementFile, ...]
    positions: tuple[StatementFile, ...]

    @property
    def all(self) -> tuple[StatementFile, ...]:
        """Both kinds."""
        return self.operators + self.positions


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionFolder:
    """Whom a folder lets in, and all that it takes to show a stranger why."""

    admitted: AdmittedLandmarks
    addresses: Mapping[bytes, LandmarkAddress]
    """Of every landmark that is admitted, by its id."""
    trust: DirectoryTrust
    directory: bytes
    operators: tuple[bytes, ...]
    positions: tuple[bytes, ...]
    """The statements that the directory lists; others in the folder wait for the next directory."""


def read_statement_files(folder: Path) -> Statements:
    """The statements of operators in a folder.

    Raises:
        Unavailable, Malformed, Refused: a file cannot be read, or holds something else; named with the error.
    """
    return Statements(
        operators=read_statements(folder / OPERATORS, Kind.OPERATOR),
        positions=read_statements(folder / POSITIONS, Kind.POSITION),
    )


def read_directory_file(folder: Path, directory: Path | None = None) -> StatementFile:
    """The directory of a folder, or another one that is named; nothing of it has been believed.

    Raises:
        Unavailable, Malformed, Refused: it cannot be read, or is something else.
    """
    path = folder / DIRECTORY if directory is None else directory
    try:
        return read_statement(path, Kind.DIRECTORY)
    except Unavailable as error:
        advice = None if path.exists() else "`lightbound directory sign` makes it"
        raise Unavailable(replace(error.faults[0], next=advice)) from error


def read_admission(folder: Path, *, directory: Path | None = None) -> AdmissionFolder:
    """Whom a folder lets in; by another directory than its `directory.cose`, if one is named.

    1. Every statement has the shape that it must have.
    2. The directory is signed by enough of the parties.
    3. Every statement that it lists is here: without one, neither a draw nor a fault unit is certain.
    4. Every landmark that is let in has an address.

    Statements at fault that the directory lists are left out, as `admitted` says; it is no error of the folder.
    Whether all this holds now is not asked: each landmark has its `from_ns` and `to_ns`.

    Raises:
        Unavailable, Malformed, Refused: one of these does not hold; the error names file and key.
    """
    trust = read_directory_trust(folder / directory_trust.FILE)
    signed = read_directory_file(folder, directory)
    statements = read_statement_files(folder)
    known = admitted_of(signed, statements, trust)
    _check_all_here(signed.path, statements, known)
    addresses = read_addresses(folder / landmark_addresses.FILE)
    for landmark in sorted(known.by_id):
        if landmark not in addresses:
            key = known.by_id[landmark].key.raw.hex()
            path = str(folder / landmark_addresses.FILE)
            expected = f"an address of landmark {landmark.hex()} (key {key})"
            raise Malformed(
                Fault(code=ErrorCode.SETTING_MALFORMED, expected=expected, found="none", file=path, column="landmark")
            )
    listed = {*known.directory.operators, *known.directory.positions}
    return AdmissionFolder(
        admitted=known,
        addresses={landmark: addresses[landmark] for landmark in known.by_id},
        trust=trust,
        directory=signed.data,
        operators=tuple(one.data for one in statements.operators if one.digest in listed),
        positions=tuple(one.data for one in statements.positions if one.digest in listed),
    )


def admitted_of(directory: StatementFile, statements: Statements, trust: DirectoryTrust) -> AdmittedLandmarks:
    """Whom a directory lets in, as far as its statements are here.

    Raises:
        Malformed, Refused: the directory itself is not to be believed.
    """
    try:
        return admitted(
            directory.data,
            operators=[one.data for one in statements.operators],
            positions=[one.data for one in statements.positions],
            trust=trust,
        )
    except LightboundError as error:
        raise of_file(error, directory.path) from error


def _check_all_here(path: Path, statements: Statements, known: AdmittedLandmarks) -> None:
    here = {one.digest for one in statements.all}
    for kind, folder, listed in (
        (Kind.OPERATOR, OPERATORS, known.directory.operators),
        (Kind.POSITION, POSITIONS, known.directory.positions),
    ):
        absent = [digest for digest in listed if digest not in here]
        if absent:
            raise Refused(
                Fault(
                    code=ErrorCode.NOT_ADMITTED,
                    expected=f"every statement that the directory lists, in {folder}/",
                    found=f"{len(absent)} of {len(listed)} missing, the first the {kind.short} {absent[0].hex()}",
                    file=str(path),
                    next="get it from its operator; a file that was changed counts as another",
                )
            )
