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
from typing import BinaryIO, NoReturn

from lightbound.errors import ErrorCode, Fault, Unavailable


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A binary file to write to, that becomes `path` when the block ends and is gone if it ends by an error.

    A symbolic link is followed, so that the file it points at is replaced and not the link. A device, pipe or folder
    is refused. Inside the block an `OSError` is taken for a failure to write this file.

    Killed before the name is taken, the process leaves `.NAME.XXXXXXXX.part` in the folder, never a part of a file
    under the name; it may be deleted.

    Raises:
        Unavailable: the file cannot be written; nothing has changed.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        _fail(path, "a regular file, or none yet", "something else")
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        # "x": never write into what somebody else has put there. The mode is what the umask leaves, as for any file.
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException as error:
        with suppress(OSError):
            part.unlink()
        if isinstance(error, OSError):
            _fail(path, "a place to write to", error.strerror or type(error).__name__, error)
        raise
    # From here the whole file has the name. Dying before the folder is on disk can only bring back the old state.
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


def _fail(path: Path, expected: str, found: str, cause: BaseException | None = None) -> NoReturn:
    raise Unavailable(Fault(code=ErrorCode.WRITE_FAILED, expected=expected, found=found, file=str(path))) from cause
