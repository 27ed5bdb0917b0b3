"""Output files that appear whole or not at all.

What a reader finds under the name is what was there before, or all of the new file, also after a crash or a loss of
power: the bytes go to a temporary file beside it, reach the disk, and only then take the name.
"""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from lightbound.errors import ErrorCode, Fault, Unavailable


@contextmanager
def whole_file(path: Path, *, mode: int = 0o666) -> Iterator[BinaryIO]:
    """A binary file to write to, that becomes `path` when the block ends and is gone if it ends by an error.

    A symbolic link is followed, so that the file it points at is replaced and not the link. A device, pipe or folder
    is refused. Inside the block an `OSError` is taken for a failure to write this file.

    Killed before the name is taken, the process leaves `.lightbound-XXXXXXXX.part` in the folder, never a part of a
    file under the name; it may be deleted, and `forget_parts` does. At no moment may the file be used by more than
    `mode` says, of which the umask takes some.

    Raises:
        Unavailable: the file cannot be written.
    """
    try:
        with _replacing(Path(os.path.realpath(path)), mode) as file:
            yield file
    except OSError as error:
        raise _unwritable("a file that can be written", path, error) from error


def writable_folder(folder: Path) -> None:
    """Nothing, if files can be written into the folder, which is made if it is not there.

    For whoever is about to do what cannot be done again. The folder can be full or gone a moment later.

    Raises:
        Unavailable: the folder cannot be made, or not be written to.
    """
    part = folder / f".lightbound-{secrets.token_hex(4)}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.open("xb").close()
        part.unlink()
    except OSError as error:
        raise _unwritable("a folder that can be written to", folder, error) from error


def forget_parts(folder: Path) -> None:
    """Delete what processes that were killed left of files they never finished.

    For whoever alone writes to the folder: the file of a writer that is at work would go as well, and its write fail.

    Raises:
        Unavailable: the folder cannot be read, or one cannot be deleted.
    """
    try:
        for part in folder.glob(".lightbound-????????.part"):
            part.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable("a folder whose leftovers can be deleted", folder, error) from error


def _unwritable(expected: str, path: Path, error: OSError) -> Unavailable:
    found = error.strerror or type(error).__name__
    return Unavailable(Fault(code=ErrorCode.WRITE_FAILED, expected=expected, found=found, file=str(path)))


@contextmanager
def _replacing(target: Path, mode: int) -> Iterator[BinaryIO]:
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "Not a regular file")
    part = target.with_name(f".lightbound-{secrets.token_hex(4)}.part")
    # "x": never write into what somebody else has put there. The mode is what the umask leaves, as for any file.
    with open(part, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            part.replace(target)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise
    # The whole file has the name. Dying before the folder is on disk can only bring back what was there before.
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:  # some network file systems cannot sync a folder
            raise
    finally:
        os.close(descriptor)
