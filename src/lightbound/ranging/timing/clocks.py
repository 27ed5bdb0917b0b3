"""What clocks have to agree on before a round trip is believed.

A round trip is too short if the clock ran slow, was set back or stood still during it. So every instant is read from
two clocks, a round on which they disagree is dropped, and the whole session is held against a third clock outside the
machine, because a paused virtual machine stops both of its own.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from lightbound.ranging.statements.measurement import ORDER

BILLION: Final = 1_000_000_000

if TYPE_CHECKING:
    # Landmarks are installed without numpy; only simulations have arrays of round trips.
    import numpy as np
    from numpy.typing import NDArray

Duration = TypeVar("Duration", int, "NDArray[np.int64]")


# Not a dataclass, as `Packet` is none: it is made between reading the clock and sending the challenge.
class Instant(NamedTuple):
    """One moment on the clocks of a landmark."""

    ns: int
    """The clock that round trips are measured on."""
    check_ns: int
    """Another clock of the machine, not steered by the first."""
    utc_ns: int
    """A clock outside the machine, as well as it is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockErrors:
    """How far a landmark's clocks may be wrong: what its operator states, and what is held against them."""

    stamp_ns: int = 2_000
    """The two clocks may disagree by so much over a round. 1 us costs 150 m of every bound."""
    rate_ppb: int = 200_000
    """Of 10^9 true nanoseconds a clock may miss so many. Crystals keep 100 ppm, steering may add as much."""
    session_ns: int = 20_000_000
    """Pauses of a session that go unnoticed stay below this: the clock outside is right within half of it, and may
    disagree, drift included, by the other half."""
    can_pause: bool = False
    """The machine can be stopped with both of its clocks."""

    def of_round_ns(self, round_trip_ns: Duration) -> Duration:
        """By how much a round trip of this length can have been measured too small, in nanoseconds, rounded up.

        Of an array of round trips, an array.

        The second clock tells a true duration t as no less than t (1 - rate), and the first, where they agree on the
        round, no less than (1 - rate) times that, less `stamp_ns`; this is what t exceeds it by. So one of the two
        clocks may do whatever it likes, as long as the other keeps its rate.

        On a machine that can pause, the pauses of a session together stay below `session_ns`, or the session is
        dropped; it takes `ORDER` corrupt rounds to make the bound too small, and the least corrupt of them is short
        by at most that share.
        """
        on_second = self._stretched(round_trip_ns + self.stamp_ns)
        pauses_ns = -(-self.session_ns // ORDER) if self.can_pause else 0
        return self._stretched(on_second) - round_trip_ns + pauses_ns

    def _stretched(self, told_ns: Duration) -> Duration:
        """The longest duration that a clock of this rate can have told so, rounded up."""
        return told_ns + -(-told_ns * self.rate_ppb // (BILLION - self.rate_ppb))

    def agree_on_round(self, sent: Instant, received: Instant) -> bool:
        """Whether the two clocks of the machine tell the same duration, and none runs backwards."""
        ns, check_ns = received.ns - sent.ns, received.check_ns - sent.check_ns
        if ns <= 0 or check_ns < 0:
            return False
        return abs(ns - check_ns) <= self.stamp_ns + check_ns * self.rate_ppb // BILLION

    def agree_on_session(self, began: Instant, ended: Instant) -> bool:
        """Whether the clock outside tells the same duration of the whole session."""
        ns, utc_ns = ended.ns - began.ns, ended.utc_ns - began.utc_ns
        # A clock that runs fast would hide a pause: what it may have gained counts against it.
        gained_ns = abs(utc_ns) * self.rate_ppb // BILLION
        return ns >= 0 and abs(ns - utc_ns) + gained_ns <= self.session_ns // 2
