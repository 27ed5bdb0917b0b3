"""The clocks of this machine, as a landmark's timer reads them.

Round trips are told by CLOCK_MONOTONIC_RAW, which nothing steers or sets. The kernel stamps packets by CLOCK_REALTIME,
which is steered and can be set: it is the second clock, and a round in which it was set, or steered by more than the
stated rate, shows as a disagreement of the two. Both count the same oscillator, so that a machine that is stopped stops
both; hence the third reading, of a clock outside (`net.outside`).
"""

import functools
import time
from typing import Protocol

from lightbound.ranging.timing.clocks import Instant


class Clocks(Protocol):
    """Where readings come from. Tests give others; a machine's clock is never set for a test."""

    def raw_ns(self) -> int:
        """CLOCK_MONOTONIC_RAW."""
        ...

    def real_ns(self) -> int:
        """CLOCK_REALTIME."""
        ...

    def of_kernel(self, stamp_ns: int) -> int:
        """A stamp of the kernel, on the clock that `real_ns` reads."""
        ...


class MachineClocks:
    """The clocks of this machine."""

    raw_ns = staticmethod(functools.partial(time.clock_gettime_ns, time.CLOCK_MONOTONIC_RAW))
    real_ns = staticmethod(functools.partial(time.clock_gettime_ns, time.CLOCK_REALTIME))

    @staticmethod
    def of_kernel(stamp_ns: int) -> int:
        """Itself."""
        return stamp_ns


def instant(clocks: Clocks) -> Instant:
    """Now. The second clock is read first: what happens in between makes a round trip that begins here longer."""
    real_ns = clocks.real_ns()
    return Instant(clocks.raw_ns(), real_ns, real_ns)


def received(clocks: Clocks, stamp_ns: int | None) -> Instant:
    """When a packet arrived, which the kernel says, or now if it does not.

    The first clock is reckoned back by what the second says has passed since the stamp. If the second was set in
    between, the first comes out wrong by as much, the second does not, and the two disagree. Reading the second first
    errs towards later, so towards a longer round trip.
    """
    real_ns = clocks.real_ns()
    raw_ns = clocks.raw_ns()
    if stamp_ns is None:
        return Instant(raw_ns, real_ns, real_ns)
    stamped_ns = clocks.of_kernel(stamp_ns)
    held_ns = real_ns - stamped_ns
    if held_ns < 0:
        # Stamped in the future: the clock was set back since. Now is later than then, and that is sound.
        return Instant(raw_ns, real_ns, real_ns)
    return Instant(raw_ns - held_ns, stamped_ns, stamped_ns)


def sent(before: Instant, after_ns: int, clocks: Clocks, stamp_ns: int | None) -> Instant | None:
    """When a packet left by the kernel's stamp; None if it says nothing that can be believed.

    `before` was read before the send call, `after_ns` on the first clock after it. The kernel stamps a packet before
    the driver hands it to the card, so that it left no earlier; and the stamp must lie within the call.
    """
    if stamp_ns is None:
        return None
    stamped_ns = clocks.of_kernel(stamp_ns)
    raw_ns = before.ns + stamped_ns - before.check_ns
    if not before.ns <= raw_ns <= after_ns:
        return None
    return Instant(raw_ns, stamped_ns, stamped_ns)
