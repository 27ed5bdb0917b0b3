"""The line around a region as closed rings of points: for whoever draws it or writes it down, never for a verdict.

The arcs are those that `regions` measures the region by, so that what is drawn is what was measured: a union where
there is a fault budget, several parts, holes, a part over a pole. Joined end to end they close, and a ring is
one closed walk along them. Which side of a ring is which map's business is not decided here: a polygon on a flat
map has to be cut first, and that is up to whoever makes the map.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lightbound.geo.earth import LEAST_RADIUS_M, WGS84_A_M, WGS84_B_M
from lightbound.geo.kernels import Integers, Numbers, point_on_circle, without_redundant_caps
from lightbound.geo.regions import APART, boundary_of_region

LONGEST_STEP: Final = 25_000.0 / LEAST_RADIUS_M
"""Radians (25 km) between neighbouring points of a ring. Where the circle is widest, a straight line between two
of them misses it by 12 m."""

LARGEST_TURN: Final = math.radians(1.5)
"""Turn about a circle's centre between neighbouring points: the chord misses the circle by 1/11,000 of its radius."""


def rings_of_region(
    caps: Numbers, units: Integers, count: int, budget: int, *, longest_step: float = LONGEST_STEP
) -> list[NDArray[np.float64]]:
    """The rings around the region, each (points, 3) unit vectors whose last point is its first.

    The region lies to the left of every ring, seen from outside the Earth. No rings: it is empty or the whole sphere.
    A ring stays within `APART` per cap, fractions of a millimetre, of the region's edge at its points, and
    between them within the two steps named above.
    """
    shaping, shaping_units, shapers = without_redundant_caps(caps, units, count, budget)
    arcs, n = boundary_of_region(shaping, shaping_units, shapers, budget)
    pieces = [
        _along(shaping, int(arcs[3 * arc]), arcs[3 * arc + 1], arcs[3 * arc + 2], longest_step) for arc in range(n)
    ]
    return [_closed([pieces[arc] for arc in walk]) for walk in _walks(pieces)]


def caps_at_edge(caps: Numbers, units: Integers, count: int, budget: int) -> list[int]:
    """Which caps have a part of their circle on the region's edge, in order: those that give it its shape."""
    shaping, shaping_units, shapers = without_redundant_caps(caps, units, count, budget)
    arcs, n = boundary_of_region(shaping, shaping_units, shapers, budget)
    # Redundant caps were dropped without a note of who is left; a cap is known by its numbers and its unit.
    at_edge = {
        (*(float(shaping[4 * cap + part]) for part in range(4)), int(shaping_units[cap]))
        for cap in {int(arcs[3 * arc]) for arc in range(n)}
    }
    return [
        cap for cap in range(count) if (*(float(caps[4 * cap + part]) for part in range(4)), int(units[cap])) in at_edge
    ]


def circle_points(
    centre: tuple[float, float, float], radius: float, *, longest_step: float = LONGEST_STEP
) -> NDArray[np.float64]:
    """The circle that bounds a cap as one ring, counter-clockwise; (0, 3) where the cap is the whole sphere."""
    if radius >= math.pi:
        return np.zeros((0, 3))
    return _closed([_along([*centre, radius], 0, 0.0, 2.0 * math.pi, longest_step)])


def latitudes_longitudes(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Geodetic latitudes and longitudes in degrees of unit vectors (points, 3): `earth.position_of` for many."""
    x, y, z = points.T
    return np.degrees(np.arctan2(WGS84_A_M * z, WGS84_B_M * np.hypot(x, y))), np.degrees(np.arctan2(y, x))


def _along(caps: Numbers, cap: int, start: float, stop: float, longest_step: float) -> NDArray[np.float64]:
    """Points along one arc, both ends included. Angles are those of `boundary_of_region`."""
    centre = np.array([caps[4 * cap], caps[4 * cap + 1], caps[4 * cap + 2]])
    radius = caps[4 * cap + 3] + cap * APART
    first = np.array(point_on_circle(centre[0], centre[1], centre[2], radius))
    length = (stop - start) * math.sin(radius)
    steps = max(1, math.ceil((stop - start) / LARGEST_TURN), math.ceil(length / longest_step))
    turns = np.linspace(start, stop, steps + 1)[:, None]
    along = centre * (centre @ first)
    across = first - along
    points: NDArray[np.float64] = along + np.cos(turns) * across + np.sin(turns) * np.cross(centre, across)
    return points


def _walks(pieces: list[NDArray[np.float64]]) -> list[list[int]]:
    """Arcs in the order in which they follow one another, one list for each closed walk.

    Where two circles cross, one arc of the edge ends and one begins, at a point that rounding has moved by some
    1e-9 rad for each, or 1e-8 where they nearly touch. So the nearest end and start belong together, then the
    nearest of those that are left. As many arcs end as begin: every one finds a successor and every walk closes,
    however badly circles touch; what is bridged there is smaller than anything that can be drawn.
    """
    if not pieces:
        return []
    ends, starts = np.stack([piece[-1] for piece in pieces]), np.stack([piece[0] for piece in pieces])
    gaps = np.linalg.norm(ends[:, None] - starts[None], axis=2)
    successor: dict[int, int] = {}
    taken: set[int] = set()
    for flat in np.argsort(gaps, axis=None, kind="stable").tolist():
        arc, following = divmod(flat, len(pieces))
        if arc not in successor and following not in taken:
            successor[arc] = following
            taken.add(following)
    walks = []
    left = set(successor)
    while left:
        walk = [min(left)]
        left.remove(walk[0])
        while (following := successor[walk[-1]]) != walk[0]:
            walk.append(following)
            left.remove(following)
        walks.append(walk)
    return walks


def _closed(pieces: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Arcs that follow one another as one ring; each gives up its last point, which its successor begins with."""
    points = np.concatenate([piece[:-1] for piece in pieces])
    return np.concatenate((points, points[:1]))
