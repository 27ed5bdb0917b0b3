"""The name of a log, kept beside its key by `init`: a log that ran under another would have another vkey for good."""

from pathlib import Path
from typing import Final

from lightbound.errors import ErrorCode, Fault, Malformed, Refused
from lightbound.files.statements import write_text
from lightbound.files.toml import read_small
from lightbound.tlog.note import is_name

NAME: Final = "origin"
"""The file, one line in the folder of the key; not in the store, which may be a server's and is made by `run`."""

MOST_BYTES: Final = 1_100
"""Of 256 letters, and the end of the line."""


def check_origin(origin: str) -> None:
    """Nothing, if a log can have this name.

    Raises:
        Refused: it is longer than 256 letters, or has a space, a plus sign or what cannot be printed.
    """
    if not is_name(origin):
        expected = "a name as log.example/lightbound, of at most 256 letters, without spaces and plus signs"
        raise Refused(Fault(code=ErrorCode.SETTING_MALFORMED, expected=expected, found="another text"))


def origin_of(data: Path, given: str | None) -> str | None:
    """The name of the log with this folder: that of `init`, else the one that is given; None if there is neither.

    A log that was made before the name was kept, or whose key was copied without it, has the one that is given.

    Raises:
        Refused: another one is given than `init` was, or one that no log can have.
        Malformed, Unavailable: what was kept is no name, or cannot be read.
    """
    if given is not None:
        check_origin(given)
    path = data / NAME
    if not path.exists():
        return given
    try:
        kept = read_small(path, MOST_BYTES).decode().removesuffix("\n")
    except UnicodeDecodeError:
        kept = ""
    if not is_name(kept):
        fault = Fault(code=ErrorCode.FILE_FORMAT, expected="the name of the log", found="other bytes", file=str(path))
        raise Malformed(fault)
    if given not in {None, kept}:
        fault = Fault(
            code=ErrorCode.SETTING_MALFORMED,
            expected=f"the name that the log has had since `lightbound log init`, {kept}",
            found=str(given),
            file=str(path),
            column="--origin",
            next="leave --origin out; another log has a key and a folder of its own",
        )
        raise Refused(fault)
    return kept


def keep_origin(data: Path, origin: str) -> None:
    """Keep the name of a log whose key is there.

    Raises:
        Unavailable: it cannot be written.
    """
    write_text(data / NAME, f"{origin}\n")
