"""Key files: PKCS#8 in PEM, for nobody's eyes but the owner's.

A key stands in `keys/<purpose>.pem` of its role's folder. One that others may read is refused, because it may have been
copied, and a copied key answers as well as the first.
"""

import os
import stat
from pathlib import Path
from typing import Final

from lightbound.errors import ErrorCode, Fault, Malformed, Refused, Unavailable
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose

MODE: Final = 0o600

MOST_BYTES: Final = 10_000
"""A key file has about 120."""


def key_path(folder: Path, purpose: Purpose) -> Path:
    """Where the key for a purpose stands in the folder of a role."""
    return folder / "keys" / f"{purpose}.pem"


def read_key(path: Path, purpose: Purpose) -> SigningKey:
    """The key in a file, to be used for this purpose.

    Raises:
        Unavailable: the file cannot be read.
        Refused: others than its owner may read or write it, or somebody else owns it.
        Malformed: it holds no such key.
    """
    try:
        # What is looked at is what is read: the name could point elsewhere a moment later. A pipe is not waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            _check_rights(path, os.fstat(file.fileno()), path.parent.stat())
            pem = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Unavailable(_fault(ErrorCode.READ_FAILED, path, "a key file that can be read", _why(error))) from error
    if len(pem) > MOST_BYTES:
        raise Malformed(_fault(ErrorCode.KEY_MALFORMED, path, f"at most {MOST_BYTES:,} bytes", "more"))
    try:
        return SigningKey.of_pem(purpose, pem)
    except Malformed as error:
        (fault,) = error.faults
        raise Malformed(_fault(fault.code, path, fault.expected, fault.found)) from error


def write_new_key(path: Path, key: SigningKey) -> None:
    """Keep a key in a new file, which nobody else may read at any moment; its folder is made if it is missing.

    A file that is there already is never replaced: a lost key cannot be had again. The key is on disk, with its name,
    when this returns; dying before leaves the file whole, or not, and then to be deleted by hand.

    Raises:
        Refused: there is a file of this name.
        Unavailable: it cannot be written; nothing is left of it.
    """
    try:
        _make_folder(path.parent)
    except OSError as error:
        raise Unavailable(_fault(ErrorCode.WRITE_FAILED, path, "a folder for it", _why(error))) from error
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
    except FileExistsError as error:
        fault = _fault(ErrorCode.DUPLICATE, path, "a name that is free", "a file", "move it away if it is not needed")
        raise Refused(fault) from error
    except OSError as error:
        raise Unavailable(_fault(ErrorCode.WRITE_FAILED, path, "a file that can be written", _why(error))) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), MODE)
            file.write(key.pem())
            file.flush()
            os.fsync(file.fileno())
        _sync_folder(path.parent)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise Unavailable(_fault(ErrorCode.WRITE_FAILED, path, "a file that can be written", _why(error))) from error


def _make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for their owner alone."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_rights(path: Path, status: os.stat_result, folder: os.stat_result) -> None:
    wrong = None
    if not stat.S_ISREG(status.st_mode):
        wrong = "no regular file"
    elif stat.S_IMODE(status.st_mode) & 0o077:
        wrong = f"mode {stat.S_IMODE(status.st_mode):04o}"
    elif status.st_uid not in {os.geteuid(), 0}:
        wrong = f"a file of user {status.st_uid}"
    elif stat.S_IMODE(folder.st_mode) & 0o022 and not stat.S_IMODE(folder.st_mode) & stat.S_ISVTX:
        wrong = f"a folder of mode {stat.S_IMODE(folder.st_mode):04o}, where others can put another in its place"
    if wrong:
        advice = "chmod 600, and make a new key if somebody could have read this one"
        raise Refused(_fault(ErrorCode.KEY_EXPOSED, path, "a key file for its owner alone (mode 0600)", wrong, advice))


def _fault(code: ErrorCode, path: Path, expected: str, found: str, advice: str | None = None) -> Fault:
    return Fault(code=code, expected=expected, found=found, file=str(path), next=advice)


def _why(error: OSError) -> str:
    return error.strerror or type(error).__name__
