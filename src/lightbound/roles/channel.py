"""Two processes of one role, and the channel between them.

A role's timed process is forked before anything else happens: it shares the program's memory and starts no other
program. Messages are CBOR, one a packet of a socket pair of the kernel's own, so that none arrives in part. Whoever is
left alone sees its channel end, and ends: killing one process takes the other with it, in either direction.
"""

import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn

from lightbound.canonical.cbor import Value, decode, encode

MOST_BYTES: Final = 131_072
"""Of a message: below the kernel's default buffer of a socket (212,992), above what the longest one has."""


class ChannelClosed(Exception):
    """The process at the other end has gone."""


@dataclass(slots=True)
class Channel:
    """One end. `fileno` goes into whatever the owner waits with."""

    _socket: socket.socket

    def fileno(self) -> int:
        """The descriptor that becomes readable when a message is there, or the other end has gone."""
        return self._socket.fileno()

    def send(self, message: Value, *, wait: bool = True) -> None:
        """Send one message, waiting for room if the other end is behind; with `wait` off, `BlockingIOError` if it is.

        Raises:
            ChannelClosed: nobody is there any more.
        """
        try:
            self._socket.send(encode(message), 0 if wait else socket.MSG_DONTWAIT)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise ChannelClosed from error

    def receive(self, *, wait: bool = True) -> Value:
        """The next message; with `wait` off, `BlockingIOError` if none is there.

        Raises:
            ChannelClosed: nobody is there any more, and nothing was left.
        """
        try:
            data = self._socket.recv(MOST_BYTES, 0 if wait else socket.MSG_DONTWAIT)
        except ConnectionResetError as error:
            raise ChannelClosed from error
        if not data:
            raise ChannelClosed
        return decode(data, what="channel", most_bytes=MOST_BYTES)

    def close(self) -> None:
        """Leave; the other end sees it."""
        self._socket.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A process that this one forked, and the channel to it."""

    pid: int
    channel: Channel

    def end(self) -> int:
        """Close the channel, at which the child ends, and wait for it; its exit code, as a shell counts."""
        self.channel.close()
        return self.wait()

    def wait(self) -> int:
        """Wait until the child has ended; its exit code."""
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)


def fork(run: Callable[[Channel], None]) -> Child:
    """Fork a process that does `run` with its end of a new channel, and then ends.

    To be called before the first thread is started: a fork keeps the caller's thread only.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        ours.close()
        _be(run, Channel(theirs))
    theirs.close()
    return Child(pid=pid, channel=Channel(ours))


def _be(run: Callable[[Channel], None], channel: Channel) -> NoReturn:
    # Ctrl-C goes to both processes of a terminal; the parent decides, and the channel tells.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    code = 1
    try:
        run(channel)
        code = 0
    except ChannelClosed:
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        sys.stderr.flush()
        # Not `sys.exit`: what the parent registered to do at its end is not the child's.
        os._exit(code)
