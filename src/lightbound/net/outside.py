"""A clock outside this machine, which goes on when this machine is stopped.

A landmark on a real machine may take its own CLOCK_REALTIME for it, steered by whatever keeps its time. One that can be
paused has to ask elsewhere, before and after each timed phase: it cannot tell that it stood still in any other way.
"""

import asyncio
import secrets
import socket
import struct
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from lightbound.errors import ErrorCode, Fault, Unavailable
from lightbound.net.clocks import Clocks
from lightbound.ranging.timing.clocks import Instant

NTP_S: Final = 2.0
"""An answer that takes longer could not be right within any error that is of use."""


EPOCH_S: Final = 2_208_988_800
"""From 1900, which NTP counts from, to 1970."""

_PACKET: Final = struct.Struct("!BBbb II4s Q8s QQ")
_QUERY: Final = 4 << 3 | 3
"""Version 4, client."""


class _Told(NamedTuple):
    """What of a server's answer is of use."""

    leap: int
    mode: int
    stratum: int
    root_ns: int
    """What it says of its own error: half of the way to its own source, and what may have come on top."""
    time_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a clock outside said."""

    offset_ns: int
    """Its time less CLOCK_REALTIME of this machine, at the moment of reading."""
    error_ns: int
    """The offset is right within this."""
    at: Instant | None = None
    """When it said so, on all three clocks. None: CLOCK_REALTIME is the clock outside, and nothing is carried."""


class OutsideClock(Protocol):
    """Something that knows the time."""

    async def read(self) -> Reading:
        """Its time now.

        Raises:
            Unavailable: it does not answer, or its answer is of no use.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnClock:
    """CLOCK_REALTIME of this machine itself, taken to be right within what the operator says."""

    error_ns: int

    async def read(self) -> Reading:
        """No offset."""
        return Reading(offset_ns=0, error_ns=self.error_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class NtpClock:
    """A server of the Network Time Protocol (RFC 5905), asked once a reading, for what its one answer shows."""

    host: str
    port: int
    most_error_ns: int
    """A reading that may be further off is refused."""
    clocks: Clocks

    async def read(self) -> Reading:
        """What the server says, right within half the round trip to it and what it says of its own error."""
        began_raw_ns, began_real_ns = self.clocks.raw_ns(), self.clocks.real_ns()
        try:
            told = await asyncio.to_thread(_asked, self.host, self.port)
        except (OSError, OverflowError, UnicodeError) as error:
            raise self._unusable("an answer", str(error) or type(error).__name__) from error
        took_ns = self.clocks.raw_ns() - began_raw_ns
        if told.leap == 3 or told.mode != 4 or not 1 <= told.stratum <= 15:
            raise self._unusable("a server that knows the time", f"stratum {told.stratum}")
        # The server read its clock at some moment between our question and its answer. The half-way point is no more
        # than half of what it took away from it, whichever path was the slower.
        middle_ns = began_real_ns + took_ns // 2
        error_ns = took_ns // 2 + 1_000 + told.root_ns
        if error_ns > self.most_error_ns:
            raise self._unusable(f"the time within {self.most_error_ns} ns", f"within {error_ns} ns")
        at = Instant(began_raw_ns + took_ns // 2, middle_ns, told.time_ns)
        return Reading(offset_ns=told.time_ns - middle_ns, error_ns=error_ns, at=at)

    def _unusable(self, expected: str, found: str) -> Unavailable:
        peer = f"ntp:{self.host}:{self.port}"
        return Unavailable(Fault(code=ErrorCode.PEER_UNREACHABLE, expected=expected, found=found, file=peer))


def _asked(host: str, port: int) -> _Told:
    """The answer to one question: from where it was sent to, and to what was asked, which nobody else can know.

    Raises:
        OSError: none came in time.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    # No time of ours is told: the server gives these eight bytes back, whatever they are.
    origin = secrets.token_bytes(8)
    with socket.socket(family, kind, protocol) as own:
        own.settimeout(NTP_S)
        own.connect(address)
        own.send(struct.pack("!B39x8s", _QUERY, origin))
        data = own.recv(1_024)
    if len(data) < _PACKET.size:
        raise OSError("an answer that is too short")
    first, stratum, _, _, delay, dispersion, _, _, echoed, _, sent = _PACKET.unpack_from(data)
    if echoed != origin:
        raise OSError("an answer to another question")
    root_ns = (delay // 2 + dispersion) * 1_000_000_000 >> 16
    seconds, fraction = divmod(sent, 1 << 32)
    # From 2036 on the count begins anew.
    seconds += 0 if seconds >= 1 << 31 else 1 << 32
    time_ns = (seconds - EPOCH_S) * 1_000_000_000 + (fraction * 1_000_000_000 >> 32)
    return _Told(leap=first >> 6, mode=first & 7, stratum=stratum, root_ns=root_ns, time_ns=time_ns)
