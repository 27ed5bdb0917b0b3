"""How long packets take between two places of the simulated world, and how much later some arrive.

A floor for each pair, drawn once: distance along the ellipsoid, times a detour, at the speed of the medium, and some
overhead; or the least round trip of a table of measured ones. On top of it each packet is late by an exponential
amount. Nothing is ever faster than light in vacuum.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from geographiclib.geodesic import Geodesic

from lightbound.geo.earth import Position
from lightbound.sim.dice import share
from lightbound.sim.scenario import PathModel
from lightbound.units import SPEED_OF_LIGHT_M_PER_S

DISTANCES_REMEMBERED: Final = 1 << 16
"""A world asks for the same ones again and again, and so does the next world of the same places; 20 MB at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One end of a path. Ends of one name share the paths of that name, wherever exactly they stand."""

    name: str
    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """All paths of a world; a function of its seed."""

    seed: int
    model: PathModel
    table_ns: Mapping[tuple[str, str], int]
    """Least measured round trips by the names of both places; empty without a table."""

    def floor_ns(self, one: Endpoint, other: Endpoint) -> int:
        """The least round trip between two ends, in nanoseconds, rounded up; the same both ways."""
        least_ns = 2e9 * distance_m(one.position, other.position) / SPEED_OF_LIGHT_M_PER_S
        measured = self.table_ns.get((one.name, other.name), self.table_ns.get((other.name, one.name)))
        if measured is not None:
            return max(measured, int(least_ns) + 1)
        pair = sorted((one.name, other.name))
        detour = _between(self.model.detour, share(self.seed, "detour", *pair))
        overhead_us = _between(self.model.overhead_us, share(self.seed, "overhead", *pair))
        return int(least_ns * detour / self.model.speed + 1e3 * overhead_us) + 1

    @property
    def jitter_ns(self) -> float:
        """Mean lateness of a packet."""
        return 1e3 * self.model.jitter_us


@functools.lru_cache(maxsize=DISTANCES_REMEMBERED)
def distance_m(one: Position, other: Position) -> float:
    """Geodesic distance on WGS-84, in metres."""
    found = Geodesic.WGS84.Inverse(one.latitude, one.longitude, other.latitude, other.longitude, Geodesic.DISTANCE)
    return float(found["s12"])


def moved(position: Position, *, metres: float, azimuth: float) -> Position:
    """The position so far away in this direction (degrees)."""
    found = Geodesic.WGS84.Direct(position.latitude, position.longitude, azimuth, metres)
    return Position(float(found["lat2"]), float(found["lon2"]))


def _between(limits: tuple[float, float], at: float) -> float:
    return limits[0] + (limits[1] - limits[0]) * at
