"""Network namespaces without names: each is a machine of its own to the network, and goes when its file is closed.

Nothing has to be cleaned up, however the process ends. Root only.
"""

import ctypes
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, Self, TypeVar

from lightbound.errors import ErrorCode, Fault, Unavailable

CLONE_NEWNET: Final = 0x40000000
"""From <linux/sched.h>."""

_libc: Final = ctypes.CDLL(None, use_errno=True)

Made = TypeVar("Made")


class Namespace:
    """A network of its own, with its loopback up. Whatever was started inside keeps it alive."""

    def __init__(self) -> None:
        """Make it."""
        self._file = _in_thread(_new_namespace)
        try:
            self.run("ip", "link", "set", "lo", "up")
        except BaseException:
            self.close()
            raise

    @property
    def path(self) -> str:
        """For `nsenter --net=PATH` and `ip link set ... netns PATH`, while this process lives."""
        return f"/proc/{os.getpid()}/fd/{self._file}"

    def inside(self, made: Callable[[], Made]) -> Made:
        """Call it in a thread that is inside. What it opens stays inside, sockets, devices and processes alike."""

        def enter() -> Made:
            _must_be_zero(_libc.setns(self._file, CLONE_NEWNET))
            return made()

        return _in_thread(enter)

    def run(self, *command: str, told: str = "") -> str:
        """What the command prints; `told` is what it reads.

        Raises:
            Unavailable: it failed, or is not there.
        """

        def run() -> str:
            try:
                done = subprocess.run(command, input=told, capture_output=True, text=True, check=True)  # noqa: S603 - ours
            except subprocess.CalledProcessError as error:
                raise _unavailable(f"`{' '.join(command)}` to work", error.stderr.strip() or str(error)) from error
            except OSError as error:
                raise _unavailable(f"the command {command[0]}", str(error)) from error
            return done.stdout

        return self.inside(run)

    def start(self, command: Sequence[str], **how: Any) -> subprocess.Popen[Any]:
        """A process inside; `how` is what Popen takes."""
        return self.inside(lambda: subprocess.Popen(command, **how))  # noqa: S603 - whoever calls knows what

    def socket(self, family: socket.AddressFamily, kind: socket.SocketKind) -> socket.socket:
        """A socket inside, for this process."""
        return self.inside(lambda: socket.socket(family, kind))

    def close(self) -> None:
        """Let it go. Closing again does nothing."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def __enter__(self) -> Self:
        """It is there already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


def _new_namespace() -> int:
    _must_be_zero(_libc.unshare(CLONE_NEWNET))
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _must_be_zero(returned: int) -> None:
    if returned:
        found = os.strerror(ctypes.get_errno())
        raise _unavailable("root, who can make network namespaces", found)


def _in_thread(made: Callable[[], Made]) -> Made:
    """A namespace is a thread's own: the others of the process stay where they are."""
    results: list[Made] = []
    errors: list[BaseException] = []

    def call() -> None:
        try:
            results.append(made())
        except BaseException as error:  # noqa: BLE001 - raised again, by whoever waits
            errors.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def _unavailable(expected: str, found: str) -> Unavailable:
    return Unavailable(Fault(code=ErrorCode.PEER_UNREACHABLE, expected=expected, found=found))
