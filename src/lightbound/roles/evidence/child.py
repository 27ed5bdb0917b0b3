"""A program that is asked one thing and is gone: with nothing of ours, for a bounded time, for a bounded answer.

The vendors' libraries run in a process of their own, so that no handle of a device stays, and whatever they do to their
process is over with it.
"""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import IO, Final

MOST_ERRORS: Final = 65_536
"""Bytes of standard error. The last line of it goes into a message; a program that says more than this has gone mad."""

_CHUNK: Final = 65_536


class Ending(Enum):
    """How it ended."""

    ITSELF = "itself"
    LATE = "late"
    """Killed at the deadline."""
    FLOOD = "flood"
    """Killed because it said more than it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a program said, and how it ended."""

    ending: Ending
    code: int | None
    """Its exit status, negative for a signal; None if it was killed by us."""
    out: bytes
    errors: bytes

    @property
    def last_words(self) -> str:
        """The last line of standard error, whatever it is worth."""
        lines = self.errors.decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def asked_of(program: Sequence[str], *, said: bytes = b"", until_s: float, most_bytes: int) -> Ended:
    """What a program answers until then, on the monotonic clock; it and what it started in its group are gone after.

    It gets no environment, no shell, no file of ours and no terminal, and on standard input at most what a pipe holds
    (`said`, below 4 kB). A child of it that makes a session of its own gets away from here; systemd ends that one with
    the unit.

    Raises:
        OSError: it cannot be started.
    """
    with subprocess.Popen(  # noqa: S603 - the program is one that our caller found, by its absolute path
        list(program),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        env={},
        cwd="/",
        close_fds=True,
        start_new_session=True,
    ) as child:
        heard = _Heard(most_bytes)
        try:
            ending = heard.until_over(child, said, until_s)
        finally:
            # Before it is waited for: until then nobody else can have its number. After the end too: what it left
            # behind in its group would hold the device.
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        code = child.wait()
    return Ended(
        ending=ending,
        code=code if ending is Ending.ITSELF else None,
        out=bytes(heard.out[:most_bytes]),
        errors=bytes(heard.errors[:MOST_ERRORS]),
    )


class _Heard:
    """What a program says, while it says it."""

    __slots__ = ("_most_bytes", "errors", "out")

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self.out, self.errors = bytearray(), bytearray()

    def until_over(self, child: "subprocess.Popen[bytes]", said: bytes, until_s: float) -> Ending:
        """Listen until the program has ended, or it is time."""
        if child.stdin is not None:
            with suppress(BrokenPipeError):  # it has ended, or does not listen: its answer says enough
                child.stdin.write(said)
            child.stdin.close()
        into = ((child.stdout, self.out, self._most_bytes), (child.stderr, self.errors, MOST_ERRORS))
        streams = [(stream, data, most) for stream, data, most in into if stream is not None]
        watch = os.pidfd_open(child.pid)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(watch, selectors.EVENT_READ)
                for stream, _, _ in streams:
                    os.set_blocking(stream.fileno(), False)
                    selector.register(stream, selectors.EVENT_READ)
                # The end of the program is the end, even if something that it started holds its output open.
                is_over = False
                while not is_over:
                    left_s = until_s - time.monotonic()
                    if left_s <= 0.0:
                        return Ending.LATE
                    is_over = any(key.fd == watch for key, _ in selector.select(left_s))
                    for stream, data, most in streams:
                        if not _read(stream, data, most, selector):
                            return Ending.FLOOD
        finally:
            os.close(watch)
        return Ending.ITSELF


def _read(stream: IO[bytes], into: bytearray, most: int, selector: selectors.BaseSelector) -> bool:
    """Take what is there; False if it is more than may be."""
    while True:
        try:
            taken = os.read(stream.fileno(), _CHUNK)
        except BlockingIOError:
            return True
        if not taken:
            with suppress(KeyError):
                selector.unregister(stream)
            return True
        into += taken
        if len(into) > most:
            return False
