"""A socket that one process serves, one question at a time: for hosts without systemd, for the demo and for tests."""

import errno
import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from lightbound.errors import ErrorCode, Fault, Refused, Unavailable
from lightbound.roles.evidence.answering import WITHIN_S, Source, answer

BACKLOG: Final = 16
"""Questions that wait. Whoever finds it full waits too, and gives up when it has had enough."""

MODE: Final = 0o660
"""Owner and group may ask."""


@contextmanager
def listening(path: Path, *, mode: int = MODE) -> Iterator[socket.socket]:
    """A socket at `path` until the block ends; one that nobody serves any more is replaced.

    Raises:
        Refused: somebody serves it, or something else is there.
        Unavailable: it cannot be made.
    """
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with made:
        _make_way(path)
        # Nobody may connect before the mode is right, and the mask belongs to the whole process: hence this order.
        before = os.umask(0o177)
        try:
            made.bind(os.fspath(path))
        except OSError as error:
            raise _not_made(path, error) from error
        finally:
            os.umask(before)
        try:
            try:
                path.chmod(mode)
                made.listen(BACKLOG)
            except OSError as error:
                raise _not_made(path, error) from error
            yield made
        finally:
            with suppress(FileNotFoundError):
                path.unlink()


def serve(listener: socket.socket, source: Source, *, within_s: float = WITHIN_S) -> None:
    """Answer until somebody shuts the listener down (`stop`); a question that was begun is answered first."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError as error:
            if error.errno in {errno.EINVAL, errno.EBADF}:
                return
            if error.errno == errno.ECONNABORTED:
                continue
            raise
        answer(connection, source, time.monotonic() + within_s)


def stop(listener: socket.socket) -> None:
    """End `serve`, from another thread or from a signal."""
    # Shut down already, by a second signal.
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)


def _make_way(path: Path) -> None:
    try:
        kind = path.lstat().st_mode
    except OSError:
        # Not there; or whatever hinders us is told by bind.
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
        made.settimeout(1.0)
        if stat.S_ISSOCK(kind):
            try:
                made.connect(os.fspath(path))
            except ConnectionRefusedError:
                path.unlink(missing_ok=True)
                return
            except OSError:
                pass
    fault = Fault(
        code=ErrorCode.ALREADY_RUNNING,
        expected="a path where nothing is, or a socket that nobody serves",
        found="a socket in use" if stat.S_ISSOCK(kind) else "something that is no socket",
        file=str(path),
        next="stop the other process, or name another --socket",
    )
    raise Refused(fault)


def _not_made(path: Path, error: OSError) -> Unavailable:
    found = error.strerror or str(error) or type(error).__name__
    fault = Fault(code=ErrorCode.WRITE_FAILED, expected="a place for a socket", found=found, file=str(path))
    return Unavailable(fault)
