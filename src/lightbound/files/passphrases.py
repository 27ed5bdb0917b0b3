"""Where the passphrase of a protected key comes from: a file, the environment, or somebody at a terminal.

Never an argument: those can be seen by everybody on the machine, and stay in the history of a shell.
"""

import getpass
import os
from pathlib import Path
from typing import Final

from lightbound.errors import ErrorCode, Fault, LightboundError, Malformed, Refused
from lightbound.files.secret import read_secret
from lightbound.files.toml import of_file
from lightbound.keys.protection import MOST_PASSPHRASE, check_passphrase

IN_FILE: Final = "LIGHTBOUND_PASSPHRASE_FILE"
"""Names a file that holds it; with systemd's LoadCredentialEncrypted=NAME, %d/NAME."""

IN_ENVIRONMENT: Final = "LIGHTBOUND_PASSPHRASE"
"""Is the passphrase. Every process of the same user can read it, and children inherit it: the file is better."""

TERMINAL: Final = "/dev/tty"


def passphrase_of(path: Path) -> bytes:
    """The passphrase for the key in a file: as the environment says, else as somebody at the terminal does.

    One process has one passphrase, for each protected key that it reads.

    Raises:
        Refused: nobody can be asked, or the file with it is exposed.
        Malformed: the environment says it twice.
        Unavailable: the file with it cannot be read.
    """
    given = passphrase_given()
    return asked(f"Passphrase of {path}: ", path) if given is None else given


def passphrase_given() -> bytes | None:
    """What the environment says, if it says anything.

    Raises:
        Refused, Malformed, Unavailable: as above.
    """
    file, itself = os.environ.get(IN_FILE), os.environb.get(IN_ENVIRONMENT.encode())
    if file is not None and itself is not None:
        expected = f"one of {IN_FILE} and {IN_ENVIRONMENT}"
        raise Malformed(Fault(code=ErrorCode.SETTING_MALFORMED, expected=expected, found="both", column=IN_FILE))
    if file is not None:
        return read_passphrase(Path(file))
    if itself is not None:
        check_passphrase(itself)
    return itself


def read_passphrase(path: Path) -> bytes:
    """The passphrase in a file: all of its bytes but a line's end.

    Raises:
        Refused: others may read the file, or it holds none.
        Unavailable: it cannot be read.
    """
    passphrase = read_secret(path, "a file with a passphrase", most=MOST_PASSPHRASE + 2)
    passphrase = passphrase.removesuffix(b"\n").removesuffix(b"\r")
    try:
        check_passphrase(passphrase)
    except LightboundError as error:
        raise of_file(error, path) from error
    return passphrase


def asked(question: str, path: Path) -> bytes:
    """What somebody at the terminal answers, without its being shown.

    Raises:
        Refused: there is no terminal, or no answer.
    """
    try:
        os.close(os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY))
        answer = os.fsencode(getpass.getpass(question))
        check_passphrase(answer)
    except LightboundError as error:
        raise of_file(error, path) from error
    except (OSError, EOFError) as error:
        fault = Fault(
            code=ErrorCode.PASSPHRASE_REFUSED,
            expected="the passphrase of a protected key",
            found="none, and nobody at a terminal",
            file=str(path),
            next=f"name a file that holds it in {IN_FILE}",
        )
        raise Refused(fault) from error
    return answer


def asked_twice(path: Path) -> bytes:
    """A passphrase to come, asked for twice: one that was mistyped could not be found again.

    Raises:
        Refused: there is no terminal, or the answers differ.
    """
    first = asked(f"New passphrase for {path}: ", path)
    if asked("Once more: ", path) != first:
        expected, found = "the same passphrase twice", "two"
        raise Refused(
            Fault(code=ErrorCode.PASSPHRASE_REFUSED, expected=expected, found=found, file=str(path), next="try again")
        )
    return first
