"""Signed statements in files of their own: what is read is of the kind asked for, or an error naming the file.

Whether its signature holds and whether to believe it depends on keys, and is asked elsewhere.
"""

from dataclasses import dataclass
from pathlib import Path

from lightbound.canonical import cose
from lightbound.canonical.cbor import MOST_BYTES
from lightbound.errors import ErrorCode, Fault, LightboundError, Refused, Unavailable
from lightbound.files.toml import of_file, read_small
from lightbound.files.whole import whole_file
from lightbound.keys.signing import digest
from lightbound.ranging.statements.kinds import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementFile:
    """The bytes of a statement and where they stand."""

    path: Path
    data: bytes

    @property
    def digest(self) -> bytes:
        """What other statements call it."""
        return digest(self.data)


def read_statement(path: Path, kind: Kind) -> StatementFile:
    """What a file holds, if it has the shape of such a statement.

    Raises:
        Unavailable: it cannot be read.
        Malformed: it is no statement.
        Refused: it is one of another kind.
    """
    data = read_small(path, MOST_BYTES, ErrorCode.COSE_MALFORMED)
    try:
        found = cose.read(data, what=kind.short).kind
    except LightboundError as error:
        raise of_file(error, path) from error
    if found != kind:
        raise Refused(Fault(code=ErrorCode.WRONG_TYPE, expected=kind, found=found, file=str(path)))
    return StatementFile(path=path, data=data)


def read_statements(folder: Path, kind: Kind) -> tuple[StatementFile, ...]:
    """Every `*.cose` of a folder, in the order of their names. A folder that is missing holds none.

    Raises:
        Unavailable, Malformed, Refused: as for one.
    """
    try:
        names = sorted(path.name for path in folder.iterdir() if path.suffix == ".cose") if folder.exists() else []
    except OSError as error:
        found = error.strerror or type(error).__name__
        fault = Fault(code=ErrorCode.READ_FAILED, expected="a folder that can be read", found=found, file=str(folder))
        raise Unavailable(fault) from error
    return tuple(read_statement(folder / name, kind) for name in names)


def write_statement(path: Path, data: bytes) -> None:
    """Keep a statement in a file, whole or not at all.

    Raises:
        Unavailable: it cannot be written.
    """
    with whole_file(path) as file:
        file.write(data)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for their owner alone.

    Raises:
        Unavailable: it cannot be made.
    """
    try:
        for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
            missing.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        found = error.strerror or type(error).__name__
        fault = Fault(code=ErrorCode.WRITE_FAILED, expected="a folder that can be made", found=found, file=str(folder))
        raise Unavailable(fault) from error


def write_text(path: Path, text: str) -> None:
    """Keep a text in a file, whole or not at all.

    Raises:
        Unavailable: it cannot be written.
    """
    with whole_file(path) as file:
        file.write(text.encode())
