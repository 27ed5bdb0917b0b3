"""What a holder has of what landmarks said: a folder of statements NAME.cose, each with its receipt NAME.tlog-proof.

NAME is the digest of the statement in hexadecimal. Agents keep such a folder, a verifier exports one, and
`lightbound log monitor` reads it.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lightbound.errors import ErrorCode, Fault, Unavailable
from lightbound.files.toml import read_small
from lightbound.files.whole import whole_file
from lightbound.keys.signing import digest

STATEMENT: Final = ".cose"
RECEIPT: Final = ".tlog-proof"

MOST_FILE: Final = 200_000
"""Bytes of one: a checkpoint of the longest kind, its proof and its opening fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldFile:
    """A statement with its receipt, as they are on disk; nothing of them has been believed."""

    path: Path
    """Of the statement."""
    statement: bytes
    receipt: bytes


def write_held(folder: Path, statement: bytes, receipt: bytes, *, at_s: float | None = None) -> None:
    """Keep a statement with its receipt. Dying between the two leaves a receipt alone, which nobody reads.

    `at_s`: what time the files bear, by which they are forgotten; without it that of now.

    Raises:
        Unavailable: they cannot be written.
    """
    name = digest(statement).hex()
    for ending, data in ((RECEIPT, receipt), (STATEMENT, statement)):
        with whole_file(folder / f"{name}{ending}") as file:
            file.write(data)
            if at_s is not None:
                # Once all is written, for a write would date it anew.
                file.flush()
                os.utime(file.fileno(), (at_s, at_s))


def is_held(folder: Path, statement: bytes) -> bool:
    """Whether a statement is kept with a receipt; of a receipt alone it is False. Says nothing of what is in it.

    Raises:
        Unavailable: the folder cannot be looked into.
    """
    path = folder / f"{digest(statement).hex()}{STATEMENT}"
    try:
        return path.exists() and path.with_suffix(RECEIPT).exists()
    except OSError as error:
        found = error.strerror or type(error).__name__
        fault = Fault(code=ErrorCode.READ_FAILED, expected="a folder that can be read", found=found, file=str(folder))
        raise Unavailable(fault) from error


def held_paths(folder: Path) -> tuple[list[Path], int]:
    """Every statement of a folder that has its receipt beside it, by name, and how many have none."""
    statements = sorted(folder.glob(f"*{STATEMENT}"))
    held = [path for path in statements if path.with_suffix(RECEIPT).exists()]
    return held, len(statements) - len(held)


def read_held_file(path: Path) -> HeldFile:
    """A statement with its receipt.

    Raises:
        Malformed: one of the two is too long to be one.
        Unavailable: one cannot be read.
    """
    code = ErrorCode.STATEMENT_MALFORMED
    return HeldFile(
        path=path,
        statement=read_small(path, MOST_FILE, code),
        receipt=read_small(path.with_suffix(RECEIPT), MOST_FILE, code),
    )


def forget_held(folder: Path, *, before_s: float) -> None:
    """Delete what was written before this instant, in seconds since 1970 UTC.

    Raises:
        Unavailable: the folder cannot be read, or a file cannot be deleted.
    """
    try:
        for path in folder.iterdir():
            if path.suffix in {STATEMENT, RECEIPT} and path.stat().st_mtime < before_s:
                path.unlink()
    except OSError as error:
        found = error.strerror or type(error).__name__
        fault = Fault(code=ErrorCode.WRITE_FAILED, expected="files that can be deleted", found=found, file=str(folder))
        raise Unavailable(fault) from error
