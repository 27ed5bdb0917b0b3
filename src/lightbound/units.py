"""Nanoseconds and metres: how far light can have gone, always rounded so that a bound stays a bound."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    # Agents and landmarks are installed without numpy; only whoever judges has arrays.
    import numpy as np
    from numpy.typing import NDArray

SPEED_OF_LIGHT_M_PER_S: Final = 299_792_458
"""Exact, by the definition of the metre (SI). Any smaller value could exclude a true place."""

FIBRE_FRACTION_OF_C: Final = 0.69
"""Speed of the `fibre` assumption.

Standard fibre's group index of 1.468 at 1550 nm gives 0.681 c; a little more is allowed. Hollow-core fibre,
microwave and satellite links are faster, so this is an assumption about the path and proves nothing against
somebody who chooses the path."""

LONGEST_ROUND_TRIP_NS: Final = 3_600_000_000_000
"""One hour. A round trip longer than 134 ms bounds nothing on Earth; one this long is a mistake of units, and is
refused as one."""

_OUTWARD: Final = 1 + 2.0**-50
"""More than the rounding of the three operations below can take away."""


def reach_m(round_trip_ns: "NDArray[np.int64]", *, fraction_of_c: float = 1.0) -> "NDArray[np.float64]":
    """Farthest the answering key can be from the landmark along any path, in metres; shape kept, rounded up.

    Half the round trip at the given fraction of the speed of light. An upper bound on purpose: glass, queues and
    slow agents only lengthen a round trip, so they make this loose but never false.
    """
    return round_trip_ns.astype(float) * (SPEED_OF_LIGHT_M_PER_S * 0.5e-9 * fraction_of_c * _OUTWARD)


def counted(number: int, thing: str, things: str | None = None) -> str:
    """A number with what it counts, for people: `1 session`, `1,204 sessions`; `things` if not by an s."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"
