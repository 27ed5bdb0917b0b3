"""A clock outside this machine, which goes on when this machine is stopped.

A landmark on a real machine may take its own CLOCK_REALTIME for it, steered by whatever keeps its time. One that can be
paused has to ask elsewhere, before and after each timed phase: it cannot tell that it stood still in any other way.
"""

import asyncio
from dataclasses import dataclass
from typing import Final, Protocol

import ntplib

from lightbound.errors import ErrorCode, Fault, Unavailable
from lightbound.net.clocks import Clocks
from lightbound.ranging.timing.clocks import Instant

NTP_S: Final = 2.0
"""An answer that takes longer could not be right within any error that is of use."""


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
            answer = await asyncio.to_thread(
                ntplib.NTPClient().request, self.host, version=4, port=self.port, timeout=NTP_S
            )
        except (OSError, ntplib.NTPException) as error:
            raise self._unusable("an answer", str(error) or type(error).__name__) from error
        took_ns = self.clocks.raw_ns() - began_raw_ns
        if answer.leap == 3 or not 1 <= answer.stratum <= 15:
            raise self._unusable("a server that knows the time", f"stratum {answer.stratum}")
        # The server read its clock at some moment between our question and its answer. The half-way point is no more
        # than half of what it took away from it, whichever path was the slower.
        middle_ns = began_real_ns + took_ns // 2
        error_ns = took_ns // 2 + 1_000 + int(1e9 * (abs(answer.root_delay) / 2 + abs(answer.root_dispersion)))
        if error_ns > self.most_error_ns:
            raise self._unusable(f"the time within {self.most_error_ns} ns", f"within {error_ns} ns")
        told_ns = int(1e9 * answer.tx_time)
        at = Instant(began_raw_ns + took_ns // 2, middle_ns, told_ns)
        return Reading(offset_ns=told_ns - middle_ns, error_ns=error_ns, at=at)

    def _unusable(self, expected: str, found: str) -> Unavailable:
        peer = f"ntp:{self.host}:{self.port}"
        return Unavailable(Fault(code=ErrorCode.PEER_UNREACHABLE, expected=expected, found=found, file=peer))
