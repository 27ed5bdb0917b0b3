"""Key files: PKCS#8 in PEM, for nobody's eyes but the owner's.

A key stands in `keys/<purpose>.pem` of its role's folder. One that others may read is refused, because it may have been
copied, and a copied key answers as well as the first. One under a passphrase is useless to who has the file alone.
"""

import os
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Final

from lightbound.errors import ErrorCode, Fault, LightboundError, Malformed, Refused, Unavailable
from lightbound.files.passphrases import passphrase_of
from lightbound.files.secret import read_secret
from lightbound.files.toml import of_file
from lightbound.files.whole import whole_file
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.protection import IV_BYTES, SALT_BYTES, is_protected, opened_with, protected
from lightbound.keys.purposes import Purpose

MODE: Final = 0o600

MOST_BYTES: Final = 10_000
"""A key file has about 120, and 280 under a passphrase."""

MADE_BY: Final = {
    Purpose.OPERATOR: "operator init",
    Purpose.DIRECTORY: "directory init",
    Purpose.VERIFIER: "verifier init",
    Purpose.LANDMARK: "landmark init",
    Purpose.ENROLMENT: "agent enrol",
    Purpose.LOG: "log init",
    Purpose.WITNESS: "witness init",
}
"""Which command makes the key of a role."""


def key_path(folder: Path, purpose: Purpose) -> Path:
    """Where the key for a purpose stands in the folder of a role."""
    return folder / "keys" / f"{purpose}.pem"


def read_key(path: Path, purpose: Purpose) -> SigningKey:
    """The key in a file, to be used for this purpose; the passphrase of one that is protected is found out first.

    Raises:
        Unavailable: the file cannot be read.
        Refused: others than its owner may read or write it, somebody else owns it, or the passphrase is not its own.
        Malformed: it holds no such key.
    """
    return read_key_and_passphrase(path, purpose)[0]


def read_key_and_passphrase(path: Path, purpose: Purpose) -> tuple[SigningKey, bytes | None]:
    """The key in a file, and the passphrase that it is under; None, if it is under none.

    Raises:
        Unavailable, Refused, Malformed: as above.
    """
    try:
        pem = read_secret(path, "a key file", most=MOST_BYTES)
    except Unavailable as error:
        # A key that somebody named may be anywhere, and for anything.
        is_of_a_role = path == key_path(path.parent.parent, purpose)
        if not is_of_a_role or path.exists():
            raise
        advice = f"make it by `lightbound {MADE_BY[purpose]}`, or give another --data"
        raise Unavailable(replace(error.faults[0], next=advice)) from error
    if len(pem) > MOST_BYTES:
        raise Malformed(_fault(ErrorCode.KEY_MALFORMED, path, f"at most {MOST_BYTES:,} bytes", "more"))
    passphrase = passphrase_of(path) if is_protected(pem) else None
    try:
        key = SigningKey.of_pem(purpose, pem) if passphrase is None else opened_with(purpose, pem, passphrase)
    except LightboundError as error:
        raise of_file(error, path) from error
    return key, passphrase


def replace_key(path: Path, key: SigningKey, passphrase: bytes | None) -> None:
    """Keep the same key in its file, under another passphrase or none: whole or not at all, for the same owner alone.

    What stood there before may still be found on the disk by whoever gets hold of it.

    Raises:
        Unavailable: it cannot be written; what was there is there.
        Refused: the passphrase can be none.
    """
    content = _content(key, passphrase)
    with whole_file(path, mode=MODE) as file:
        os.fchmod(file.fileno(), MODE)
        owner = path.stat()
        if owner.st_uid != os.geteuid():  # root does it for a service, which must be able to read it afterwards
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        file.write(content)


def write_new_key(path: Path, key: SigningKey, passphrase: bytes | None = None) -> None:
    """Keep a key in a new file, which nobody else may read at any moment; its folder is made if it is missing.

    A file that is there already is never replaced: a lost key cannot be had again. The key is on disk, with its name,
    when this returns; dying before leaves the file whole, or not, and then to be deleted by hand.

    Raises:
        Refused: there is a file of this name, or the passphrase can be none.
        Unavailable: it cannot be written; nothing is left of it.
    """
    content = _content(key, passphrase)
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
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _sync_folder(path.parent)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise Unavailable(_fault(ErrorCode.WRITE_FAILED, path, "a file that can be written", _why(error))) from error


def _content(key: SigningKey, passphrase: bytes | None) -> bytes:
    if passphrase is None:
        return key.pem()
    return protected(key, passphrase, salt=secrets.token_bytes(SALT_BYTES), iv=secrets.token_bytes(IV_BYTES))


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


def _fault(code: ErrorCode, path: Path, expected: str, found: str, advice: str | None = None) -> Fault:
    return Fault(code=code, expected=expected, found=found, file=str(path), next=advice)


def _why(error: OSError) -> str:
    return error.strerror or type(error).__name__
