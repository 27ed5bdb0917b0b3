"""The folder in which a role keeps what must outlive it, and the lock that keeps a second process out of it."""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lightbound.errors import ErrorCode, Fault, Refused, Unavailable


def default_folder(role: str) -> Path:
    """Where a role keeps its state unless told otherwise."""
    if os.geteuid() == 0:
        return Path("/var/lib/lightbound") / role
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "lightbound" / role


@contextmanager
def locked(folder: Path) -> Iterator[Path]:
    """The folder, made if it is missing, for this process alone until the block ends or the process does.

    The lock is the kernel's (flock), so that nothing is left over from a process that was killed. A child that is
    forked inside the block holds it as well, until it ends.

    Raises:
        Refused: another process holds it; or others may write to it, and could put what they like in its place.
        Unavailable: it cannot be made or locked.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_own(folder)
        # A link would have a file of somebody's choice made or locked.
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP and (folder / "lock").is_symlink():
            raise _exposed(folder, "one whose lock is a link") from error
        fault = Fault(
            code=ErrorCode.WRITE_FAILED,
            expected="a folder that can be written",
            found=error.strerror or type(error).__name__,
            file=str(folder),
        )
        raise Unavailable(fault) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            fault = Fault(
                code=ErrorCode.ALREADY_RUNNING,
                expected="a folder that no other process uses",
                found="one in use",
                file=str(folder),
                next="stop the other process, or give this one another --data",
            )
            raise Refused(fault) from error
        yield folder
    finally:
        os.close(descriptor)


def check_own(folder: Path) -> None:
    """Nothing, if nobody but its owner may write to a folder, or if it is not there.

    Whoever may write to it can put other files in the place of those in it, an old copy of them among others, whatever
    the modes of the files are.

    Raises:
        Refused: others may.
        Unavailable: it cannot be looked at.
    """
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
    except FileNotFoundError:
        return
    except OSError as error:
        found = error.strerror or type(error).__name__
        fault = Fault(code=ErrorCode.READ_FAILED, expected="a folder that can be read", found=found, file=str(folder))
        raise Unavailable(fault) from error
    if mode & 0o022:
        raise _exposed(folder, f"one of mode {mode:04o}")


def _exposed(folder: Path, found: str) -> Refused:
    return Refused(
        Fault(
            code=ErrorCode.KEY_EXPOSED,
            expected="a folder that its owner alone may write to",
            found=found,
            file=str(folder),
            next="see who wrote what there, and chmod 700",
        )
    )
