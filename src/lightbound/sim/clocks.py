"""The clocks of a simulated landmark: right, slow, set back in mid-round, or stopped with their machine."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lightbound.ranging.timing.clocks import BILLION, Instant
from lightbound.sim.dice import Dice
from lightbound.sim.scenario import LandmarkKind

TIMES: Final = 12
"""A clock is set back, or a machine stops, so often in a session: more rounds are hit than the third smallest
forgives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """What a landmark reads at a true instant. Instants are nanoseconds since the world began."""

    rate_ppb: int = 0
    """Parts in 10^9 by which both clocks of the machine run slow."""
    steps: Sequence[tuple[int, int]] = ()
    """(when, by how much) the first clock is set back."""
    pauses: Sequence[tuple[int, int]] = ()
    """(from, how long) the machine stands still; apart, ascending."""
    factor: float = 1.0
    """By which a liar multiplies every duration since `from_ns`, on all clocks."""
    from_ns: int = 0

    @property
    def are_right(self) -> bool:
        """Whether all three tell the truth, always."""
        return self.factor == 1.0 and not (self.rate_ppb or self.steps or self.pauses)

    def instant(self, at_ns: int) -> Instant:
        """What the clocks show."""
        if self.factor != 1.0:
            told_ns = self.from_ns + int((at_ns - self.from_ns) * self.factor)
            return Instant(ns=told_ns, check_ns=told_ns, utc_ns=told_ns)
        running_ns = at_ns - sum(min(length, at_ns - start) for start, length in self.pauses if start < at_ns)
        shown_ns = running_ns - running_ns * self.rate_ppb // BILLION
        back_ns = sum(length for when, length in self.steps if when <= at_ns)
        return Instant(ns=shown_ns - back_ns, check_ns=shown_ns, utc_ns=at_ns)

    def lasts_ns(self, shown_ns: int) -> int:
        """How long it truly takes, at the least, until the clock has gone on by this much."""
        shown_ns = max(0, shown_ns)
        return shown_ns if self.factor == 1.0 else int(shown_ns / self.factor)

    def runs_again_ns(self, at_ns: int) -> int:
        """When the machine next does anything, if it wants to at this instant."""
        if not self.pauses:
            return at_ns
        index = bisect_right(self.pauses, (at_ns, 2**62)) - 1
        if index < 0:
            return at_ns
        start, length = self.pauses[index]
        return max(at_ns, start + length)


def clocks_of(
    kind: LandmarkKind,
    dice: Dice,
    *,
    from_ns: int,
    round_trip_ns: int,
    rate_ppb: int,
    factor: float,
) -> Clocks:
    """The clocks of a landmark in one session, whose rounds begin at about `from_ns`."""
    match kind:
        case LandmarkKind.SHORT:
            return Clocks(factor=factor, from_ns=from_ns)
        case LandmarkKind.STEPPED:
            moments = _moments(dice, from_ns, round_trip_ns)
            return Clocks(steps=[(int(at), round_trip_ns // 3) for at in moments])
        case LandmarkKind.DRIFTING:
            return Clocks(rate_ppb=rate_ppb)
        case LandmarkKind.PAUSED | LandmarkKind.PAUSED_UNSAID:
            moments = _moments(dice, from_ns, round_trip_ns)
            length = int(dice.integers(1, 4)) * round_trip_ns // 4
            apart = moments + np.arange(TIMES) * length
            return Clocks(pauses=[(int(at), length) for at in apart])
        case _:
            return Clocks()


def _moments(dice: Dice, from_ns: int, round_trip_ns: int) -> NDArray[np.int64]:
    moments: NDArray[np.int64] = from_ns + np.cumsum(dice.integers(round_trip_ns // 2, 3 * round_trip_ns, TIMES))
    return moments
