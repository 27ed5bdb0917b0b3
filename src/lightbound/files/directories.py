"""How the parties of a directory make one: drafted over the statements in a folder, signed by one, cosigned by others.

A draft lists every statement in the folder, and each must hold; what is not to be let in is moved out of the folder
before. All signatures are over one payload. Each signature makes it another statement with another digest, so that a
directory is given out once it has all that it is to have.
"""

from collections.abc import Sequence
from pathlib import Path

from lightbound.canonical import cose
from lightbound.canonical.fields import Fields
from lightbound.errors import ErrorCode, Fault, LightboundError, Refused
from lightbound.files.admission import Statements
from lightbound.files.showing import read_draft
from lightbound.files.statements import StatementFile, make_folder, read_statement, write_statement
from lightbound.files.toml import of_file
from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.keys.signing import cosigned
from lightbound.ranging.statements.admission import (
    Axis,
    Directory,
    DirectoryTrust,
    Operator,
    read_operator,
    read_position,
    write_directory,
)
from lightbound.ranging.statements.kinds import Kind


def draft_directory(
    statements: Statements,
    *,
    number: int,
    previous: bytes | None,
    axes: Sequence[Axis],
    from_ns: int,
    to_ns: int,
) -> Directory:
    """The directory that lets in everybody in a folder.

    Raises:
        Malformed, Refused: a statement does not hold, is of nobody who is let in, says something else of the same
            operator or landmark as another, or is out of date throughout; the error names its file.
    """
    check_statements(statements, from_ns=from_ns, to_ns=to_ns)
    return Directory(
        number=number,
        previous=previous,
        axes=tuple(sorted(set(axes))),
        operators=tuple(sorted(one.digest for one in statements.operators)),
        positions=tuple(sorted(one.digest for one in statements.positions)),
        from_ns=from_ns,
        to_ns=to_ns,
    )


def check_statements(statements: Statements, *, from_ns: int, to_ns: int) -> None:
    """Nothing, if every statement in a folder would let somebody in, at some time in this interval.

    Raises:
        Malformed, Refused: one would not; the error names its file.
    """
    operators: dict[bytes, Operator] = {}
    said: dict[bytes, Path] = {}
    for file in statements.operators:
        operator = _operator(file)
        _check_once(said, operator.key, file.path, "one statement an operator")
        _check_time(operator.from_ns, operator.to_ns, from_ns, to_ns, file.path)
        operators[operator.key.key_id] = operator
    for file in statements.positions:
        signer = cose.read(file.data, what=Kind.POSITION).signatures[0].key_id
        if signer not in operators:
            expected = "a position signed by an operator whose statement is in operators/"
            raise Refused(
                Fault(code=ErrorCode.NOT_ADMITTED, expected=expected, found=signer.hex(), file=str(file.path))
            )
        try:
            position = read_position(file.data, operators[signer].key)
        except LightboundError as error:
            raise of_file(error, file.path) from error
        _check_once(said, position.landmark_key, file.path, "one position a landmark")
        _check_time(position.from_ns, position.to_ns, from_ns, to_ns, file.path)


def cosign_directory(directory: StatementFile, statements: Statements, trust: DirectoryTrust, key: SigningKey) -> bytes:
    """A directory with one more signature, over the payload that is there.

    The party signs for what it sees: the directory may list nothing that is not in its folder or does not hold.

    Raises:
        Malformed, Refused: a signature that is there does not hold or is by a stranger, this key has signed, or a
            statement that is listed is missing or leaves out its operator or landmark.
    """
    read, known = read_draft(directory, statements, trust)
    if known.missing:
        listed = len(read.operators) + len(read.positions)
        found = f"{known.missing} of {listed} missing"
        fault = Fault(
            code=ErrorCode.NOT_ADMITTED,
            expected="every statement that the directory lists, in the folder",
            found=found,
            file=str(directory.path),
            next="get them from whoever drafted it, and look at them before you sign",
        )
        raise Refused(fault)
    listed_here = {*read.operators, *read.positions}
    check_statements(
        Statements(
            operators=tuple(one for one in statements.operators if one.digest in listed_here),
            positions=tuple(one for one in statements.positions if one.digest in listed_here),
        ),
        from_ns=read.from_ns,
        to_ns=read.to_ns,
    )
    try:
        return cosigned(directory.data, Kind.DIRECTORY, key)
    except LightboundError as error:
        raise of_file(error, directory.path) from error


def remember_signed(folder: Path, number: int, data: bytes) -> None:
    """Keep what a party signs in its own folder before anybody else has it, so that it signs no second of that number.

    Two directories of one number are two answers to who was let in. The file may be moved away by hand, if what it
    holds was never given to anybody.

    Raises:
        Refused: the party has signed another directory of this number.
        Unavailable: the file cannot be read or written.
    """
    path = folder / "signed" / f"directory-{number}.cose"
    if path.exists():
        before = read_statement(path, Kind.DIRECTORY)
        if cose.read(before.data).payload != cose.read(data).payload:
            fault = Fault(
                code=ErrorCode.DUPLICATE,
                expected=f"no other directory with number {number} signed by this party",
                found="one",
                file=str(path),
                next="move it away if it was never given to anybody, else make the directory after it",
            )
            raise Refused(fault)
    make_folder(path.parent)
    write_statement(path, data)


def check_party(key: VerifyingKey, trust: DirectoryTrust, path: Path) -> None:
    """Nothing, if a key is one of the parties' in this file.

    Raises:
        Refused: it is not.
    """
    if key not in trust.keys:
        fault = Fault(
            code=ErrorCode.WRONG_KEY,
            expected="a key of one of the parties",
            found=key.raw.hex(),
            file=str(path),
            column="keys",
            next="add it with `lightbound directory trust`, if all parties agree",
        )
        raise Refused(fault)


def number_of(directory: StatementFile) -> int:
    """The number that a directory gives itself; by whom it is signed is not looked at.

    Raises:
        Malformed: it gives none.
    """
    try:
        fields = Fields.of(cose.read(directory.data, what=Kind.DIRECTORY).payload, Kind.DIRECTORY.short)
        return fields.integer("number", least=1)
    except LightboundError as error:
        raise of_file(error, directory.path) from error


def sign_directory(directory: Directory, key: SigningKey) -> bytes:
    """A directory with its first signature."""
    return write_directory(directory, [key])


def _operator(file: StatementFile) -> Operator:
    try:
        return read_operator(file.data)
    except LightboundError as error:
        raise of_file(error, file.path) from error


def _check_once(said: dict[bytes, Path], key: VerifyingKey, path: Path, expected: str) -> None:
    other = said.setdefault(key.key_id, path)
    if other != path:
        raise Refused(
            Fault(
                code=ErrorCode.NOT_ADMITTED,
                expected=expected,
                found=f"another in {other.name}",
                file=str(path),
                next="move the one away that no longer holds",
            )
        )


def _check_time(from_ns: int, to_ns: int, first_ns: int, last_ns: int, path: Path) -> None:
    if max(from_ns, first_ns) > min(to_ns, last_ns):
        raise Refused(
            Fault(
                code=ErrorCode.NOT_VALID_THEN,
                expected="a statement that holds at some time of the directory's",
                found="none",
                file=str(path),
                next="move it away, or get a new one from the operator",
            )
        )
