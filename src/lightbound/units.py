"""Nanoseconds and metres: how far light can have gone, always rounded so that a bound stays a bound."""

from typing import Final

SPEED_OF_LIGHT_M_PER_S: Final = 299_792_458
"""Exact, by the definition of the metre (SI). Any smaller value could exclude a true place."""

FIBRE_MILLIONTHS_OF_C: Final = 690_000
"""Speed of the `fibre` assumption in millionths of c: 0.69 c.

Standard fibre's group index of 1.468 at 1550 nm gives 0.681 c; a little more is allowed. Hollow-core fibre,
microwave and satellite links are faster, so this is an assumption about the path and proves nothing against
somebody who chooses the path."""

VACUUM_MILLIONTHS_OF_C: Final = 1_000_000
"""Speed of light in vacuum, in millionths of c."""

LONGEST_ROUND_TRIP_NS: Final = 3_600_000_000_000
"""One hour. Longer says nothing about distance on Earth (it bounds nothing past 134 ms); such a reading is a
mistake of units, and is refused as one."""


def reach_mm(round_trip_ns: int, *, millionths_of_c: int = VACUUM_MILLIONTHS_OF_C) -> int:
    """Farthest the answering key can be from the landmark along any path, in millimetres, rounded up.

    Half the round trip at the given speed. An upper bound on purpose: glass, queues and slow agents only
    lengthen a round trip, so they make this loose but never false.
    """
    # mm = ns * c/2 [m/s] * speed/10^6 * 10^-9 [s/ns] * 10^3 [mm/m], in integers, rounded up.
    return -(-round_trip_ns * SPEED_OF_LIGHT_M_PER_S * millionths_of_c // 2_000_000_000_000)
