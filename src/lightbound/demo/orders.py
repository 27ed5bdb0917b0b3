"""Orders from a process to a child of its own: one message each, answered before the next.

The child ends when its parent does, however that ends: the line between them is then closed. Should another process
have inherited the parent's end of it, the child still sees that its parent is another one.
"""

import json
import os
import socket
import subprocess
import sys
import threading
from typing import Any, Final

from lightbound.errors import ErrorCode, Fault, Unavailable

ANSWER_S: Final = 20.0
"""A child that has not answered by then is stuck; its start, on a busy machine, is the slowest."""

MOST_OCTETS: Final = 1 << 16
MOST_FILES: Final = 8


class Child:
    """A module of ours, run as a process that takes orders. Threads may share it."""

    def __init__(self, module: str, *arguments: str) -> None:
        """Start it; the first order waits until it is up."""
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            # A session of its own: Ctrl-C is for the parent, which then closes the line.
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, and a module of ours
                [sys.executable, "-m", module, str(its.fileno()), str(os.getpid()), *arguments],
                pass_fds=[its.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        ours.settimeout(ANSWER_S)
        self._line, self._lock = ours, threading.Lock()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def order(self, order: dict[str, Any], files: tuple[int, ...] = ()) -> Any:
        """What the child answers once the order is carried out. Open files go along, and stay open here.

        Raises:
            Unavailable: the child is gone, or stuck.
        """
        with self._lock:
            try:
                socket.send_fds(self._line, [json.dumps(order).encode()], files)
                answer = self._line.recv(MOST_OCTETS)
            except OSError as error:
                raise _gone(str(error)) from error
        if not answer:
            raise _gone("it ended")
        return json.loads(answer)

    def close(self) -> None:
        """End it, and wait until it has ended. Closing again does nothing."""
        with self._lock:
            self._line.close()
        try:
            self._process.wait(ANSWER_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Orders:
    """The child's end of the line, which it makes from its command line."""

    def __init__(self, arguments: list[str]) -> None:
        """Take over the file that the parent named, and remember who that is."""
        self.line = socket.socket(fileno=int(arguments[0]))
        self._parent = int(arguments[1])

    def next(self) -> tuple[dict[str, Any], list[int]]:
        """The order that has come, with the files that came along.

        Raises:
            SystemExit: the parent is gone, and nothing is left to do.
        """
        message, files, _, _ = socket.recv_fds(self.line, MOST_OCTETS, MOST_FILES)
        if not message:
            raise SystemExit(0)
        order: dict[str, Any] = json.loads(message)
        return order, files

    def answer(self, answer: Any) -> None:
        """Tell the parent that it is done."""
        try:
            self.line.send(json.dumps(answer).encode())
        except OSError:
            raise SystemExit(0) from None

    def end_without_parent(self) -> None:
        """Raise SystemExit if the parent is gone."""
        if os.getppid() != self._parent:
            raise SystemExit(0)


def _gone(found: str) -> Unavailable:
    return Unavailable(
        Fault(code=ErrorCode.PEER_UNREACHABLE, expected="the process that carries packets to answer", found=found)
    )
