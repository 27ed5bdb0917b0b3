"""A UDP socket that tells when packets came and went, by the kernel's own stamps (SO_TIMESTAMPING).

What a process reads after it was woken is later than a packet's arrival by tens of microseconds, and by milliseconds if
another thread was busy; a microsecond is 150 m of bound. Linux, `Documentation/networking/timestamping`.
"""

import contextlib
import errno
import socket
import struct
from dataclasses import dataclass, field
from typing import Final

from lightbound.ranging.timing.packets import PACKET_BYTES

_SO_TIMESTAMPING: Final = 37
_TX_SOFTWARE, _RX_SOFTWARE, _SOFTWARE, _OPT_ID, _OPT_TSONLY = 1 << 1, 1 << 3, 1 << 4, 1 << 7, 1 << 11
_MSG_ERRQUEUE: Final = 0x2000
_IP_RECVERR, _IPV6_RECVERR = 11, 25
_STAMPS: Final = struct.Struct("@6q")
"""struct scm_timestamping: three timespecs, of which software stamps use the first."""
_EXTENDED_ERROR: Final = struct.Struct("@IBBBBII")
"""struct sock_extended_err; its last field holds which packet a transmit stamp is of."""

_ANCILLARY: Final = 2 * socket.CMSG_SPACE(_STAMPS.size) + socket.CMSG_SPACE(_EXTENDED_ERROR.size + 28)

RECEIVE_BUFFER: Final = 4 << 20
"""Bytes that may wait. 64 bytes cost the kernel some 800, so that 5,000 packets can come while nobody looks."""


@dataclass(slots=True)
class TimedSocket:
    """A bound UDP socket. One thread uses it."""

    bound: socket.socket
    is_stamping: bool = False
    """Whether the kernel stamps; without it callers read clocks themselves."""
    errors: int = 0
    """Packets that could not be sent: no room, no route, forbidden."""
    _count: int = field(default=0, repr=False)
    """Packets sent, as the kernel counts them."""

    @classmethod
    def of(cls, made: socket.socket, *, stamping: bool) -> "TimedSocket":
        """Take a bound socket over, and ask the kernel for stamps if they are wanted and it gives them."""
        made.setblocking(False)
        with contextlib.suppress(OSError):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        is_stamping = False
        if stamping:
            flags = _TX_SOFTWARE | _RX_SOFTWARE | _SOFTWARE | _OPT_ID | _OPT_TSONLY
            with contextlib.suppress(OSError):
                made.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPING, flags)
                is_stamping = True
        return cls(bound=made, is_stamping=is_stamping)

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self.bound.fileno()

    def receive(self) -> tuple[bytes, tuple[str, int], int | None] | None:
        """A packet, whose it is, and the kernel's stamp of its arrival; None if none is there."""
        try:
            # One byte more than a packet has: what is longer shows, and is not ours.
            data, ancillary, _, address = self.bound.recvmsg(PACKET_BYTES + 1, _ANCILLARY)
        except BlockingIOError:
            return None
        except OSError:
            # An error that the network reported of a packet sent earlier. It is told once, and concerns nobody else.
            self.errors += 1
            return b"", ("", 0), None
        for _, kind, content in ancillary:
            if kind == _SO_TIMESTAMPING:
                seconds, nanoseconds, *_ = _STAMPS.unpack_from(content)
                if seconds:
                    return data, address[:2], seconds * 1_000_000_000 + nanoseconds
        return data, address[:2], None

    def send(self, data: bytes, address: tuple[str, int]) -> bool:
        """Send a packet; whether the kernel took it."""
        try:
            self.bound.sendto(data, address)
        except BlockingIOError:
            self.errors += 1
            return False
        except OSError as error:
            self.errors += 1
            if error.errno in {errno.EBADF, errno.ENOTSOCK}:
                raise
            return False
        return True

    def stamp_of_last(self) -> int | None:
        """The kernel's stamp of the packet just sent, if it is there already; older ones are passed over.

        To be asked after each packet that was sent and before the next. A stamp of another packet is never given:
        one of an earlier packet would be too early, which is sound, and there is no later one yet.
        """
        if not self.is_stamping:
            return None
        wanted = self._count
        self._count = (wanted + 1) & 0xFFFFFFFF
        return self._stamp_of(wanted)

    def pass_over_stamps(self) -> None:
        """Take away stamps that came too late to be asked for; while one is there, whoever waits is woken at once."""
        if self.is_stamping:
            self._stamp_of(None)

    def _stamp_of(self, wanted: int | None) -> int | None:
        found = None
        while True:
            try:
                _, ancillary, _, _ = self.bound.recvmsg(0, _ANCILLARY, _MSG_ERRQUEUE)
            except OSError:
                return found
            stamp_ns, number = _transmitted(ancillary)
            if stamp_ns is not None and number is not None:
                found = stamp_ns if number == wanted else None
                # The kernel also counts packets that it then could not send.
                self._count = (number + 1) & 0xFFFFFFFF


def _transmitted(ancillary: list[tuple[int, int, bytes]]) -> tuple[int | None, int | None]:
    """The stamp in a message of the error queue, and which packet it is of."""
    stamp_ns = number = None
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPING):
            seconds, nanoseconds, *_ = _STAMPS.unpack_from(content)
            stamp_ns = seconds * 1_000_000_000 + nanoseconds if seconds else None
        elif (level, kind) in {(socket.IPPROTO_IP, _IP_RECVERR), (socket.IPPROTO_IPV6, _IPV6_RECVERR)}:
            number = _EXTENDED_ERROR.unpack_from(content)[-1]
    return stamp_ns, number
