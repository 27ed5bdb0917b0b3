"""How large the region is, and the line around it: for people and maps, never for a verdict.

The region itself, its caps, units and budget, is that of `kernels`, and like there this is plain Python that is
also compiled for large files.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lightbound.geo.earth import WGS84_A_M
from lightbound.geo.kernels import Integers, Numbers, angle_between, circle_crossings, point_on_circle, units_excluding

SPHERE: Final = 4.0 * math.pi
"""Steradians of the whole sphere."""

APART: Final = 1e-10
"""Radians (0.6 mm) by which each circle is widened more than the one before, so that no two coincide."""


def boundary_of_region(caps: Numbers, units: Integers, count: int, budget: int) -> tuple[Numbers, int]:
    """The arcs around the region: (cap, from, to) each, angles counter-clockwise about the cap's centre.

    The region lies to the left of every arc, on the side of that cap's centre. Angles start at the point that
    `point_on_circle` gives. No arcs: the region is empty or the whole sphere.
    """
    widened = np.empty(4 * count)
    for i in range(count):
        for part in range(3):
            widened[4 * i + part] = caps[4 * i + part]
        widened[4 * i + 3] = caps[4 * i + 3] + i * APART
    arcs = np.empty(3 * (2 * count * count + 1))
    n = 0
    turns = np.empty(2 * count + 2)
    for i in range(count):
        cx, cy, cz, radius = widened[4 * i], widened[4 * i + 1], widened[4 * i + 2], widened[4 * i + 3]
        if radius >= math.pi:
            continue
        sx, sy, sz = point_on_circle(cx, cy, cz, radius)
        crossings = 0
        for j in range(count):
            if j == i:
                continue
            k = 4 * j
            px, py, pz, qx, qy, qz, slack = circle_crossings(
                cx, cy, cz, radius, widened[k], widened[k + 1], widened[k + 2], widened[k + 3]
            )
            if slack >= 0.0:
                turns[crossings] = turn_about(cx, cy, cz, sx, sy, sz, px, py, pz)
                turns[crossings + 1] = turn_about(cx, cy, cz, sx, sy, sz, qx, qy, qz)
                crossings += 2
        if crossings == 0:
            turns[0], crossings = 0.0, 1
        turns[:crossings].sort()
        turns[crossings] = turns[0] + 2.0 * math.pi
        for part in range(crossings):
            x, y, z = turned(cx, cy, cz, sx, sy, sz, 0.5 * (turns[part] + turns[part + 1]))
            if turns[part + 1] > turns[part] and is_boundary(x, y, z, i, widened, units, count, budget):
                arcs[3 * n], arcs[3 * n + 1], arcs[3 * n + 2] = i, turns[part], turns[part + 1]
                n += 1
    return arcs[: 3 * n], n


def is_boundary(
    x: float, y: float, z: float, cap: int, caps: Numbers, units: Integers, count: int, budget: int
) -> bool:
    """Whether a point on the circle of `cap` parts the region, inside that circle, from what is outside it."""
    others = 0
    last = -1
    own_unit_excludes = False
    for i in range(count):
        if i == cap or units[i] == last:
            continue
        k = 4 * i
        if angle_between(x, y, z, caps[k], caps[k + 1], caps[k + 2]) > caps[k + 3]:
            last = units[i]
            others += 1
            own_unit_excludes = own_unit_excludes or units[i] == units[cap]
    return others == budget and not own_unit_excludes


def turn_about(cx: float, cy: float, cz: float, sx: float, sy: float, sz: float, x: float, y: float, z: float) -> float:
    """Angle from s to (x, y, z) about the centre c, counter-clockwise seen from outside; 0 to 2 pi."""
    dot = cx * sx + cy * sy + cz * sz
    ex, ey, ez = sx - dot * cx, sy - dot * cy, sz - dot * cz
    nx, ny, nz = cy * ez - cz * ey, cz * ex - cx * ez, cx * ey - cy * ex
    angle = math.atan2(x * nx + y * ny + z * nz, x * ex + y * ey + z * ez)
    return angle if angle >= 0.0 else angle + 2.0 * math.pi


def turned(
    cx: float, cy: float, cz: float, sx: float, sy: float, sz: float, angle: float
) -> tuple[float, float, float]:
    """The point s turned about the centre c by an angle, counter-clockwise seen from outside."""
    dot = cx * sx + cy * sy + cz * sz
    ex, ey, ez = sx - dot * cx, sy - dot * cy, sz - dot * cz
    nx, ny, nz = cy * ez - cz * ey, cz * ex - cx * ez, cx * ey - cy * ex
    c, s = math.cos(angle), math.sin(angle)
    return dot * cx + c * ex + s * nx, dot * cy + c * ey + s * ny, dot * cz + c * ez + s * nz


def triangle(
    ax: float, ay: float, az: float, bx: float, by: float, bz: float, cx: float, cy: float, cz: float
) -> float:
    """Signed area of a geodesic triangle in steradians, positive if counter-clockwise, up to multiples of 4 pi."""
    volume = ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)
    ab, bc, ca = ax * bx + ay * by + az * bz, bx * cx + by * cy + bz * cz, cx * ax + cy * ay + cz * az
    return 2.0 * math.atan2(volume, 1.0 + ab + bc + ca)


def area_of_region(caps: Numbers, units: Integers, count: int, budget: int) -> float:
    """Area of the region on the unit sphere, in steradians.

    Each arc around it adds the triangle between its ends and a fixed point, and the sliver between arc and
    chord: its sector less the triangle at the cap's centre. The sum is right up to a multiple of the sphere.
    """
    ox, oy, oz = 0.26726124191242440, 0.53452248382484880, -0.80178372573727320
    arcs, n = boundary_of_region(caps, units, count, budget)
    total = 0.0
    for arc in range(n):
        k = 4 * int(arcs[3 * arc])
        cx, cy, cz = caps[k], caps[k + 1], caps[k + 2]
        radius = caps[k + 3] + int(arcs[3 * arc]) * APART
        sx, sy, sz = point_on_circle(cx, cy, cz, radius)
        start, stop = arcs[3 * arc + 1], arcs[3 * arc + 2]
        pieces = max(1, math.ceil((stop - start) / 1.0))
        step = (stop - start) / pieces
        ax, ay, az = turned(cx, cy, cz, sx, sy, sz, start)
        for piece in range(pieces):
            bx, by, bz = turned(cx, cy, cz, sx, sy, sz, start + (piece + 1) * step)
            # 1 - cos, without the loss of digits that small circles would suffer.
            total += triangle(ox, oy, oz, ax, ay, az, bx, by, bz)
            total += step * 2.0 * math.sin(0.5 * radius) ** 2 - triangle(cx, cy, cz, ax, ay, az, bx, by, bz)
            ax, ay, az = bx, by, bz
    total %= SPHERE
    if n == 0 or min(total, SPHERE - total) < 1e-12:
        # Nothing, or everything: a point anywhere tells which.
        holds = units_excluding(ox, oy, oz, 0.0, caps, units, count, budget + 1) <= budget
        return SPHERE if holds else 0.0
    return total


def ellipsoid_area_km2(steradians: NDArray[np.float64]) -> NDArray[np.float64]:
    """Greatest area on the ellipsoid that this much of the unit sphere can stand for: lengths stretch by a at most."""
    return steradians * (WGS84_A_M / 1000.0) ** 2


def equivalent_radius_km(area_km2: NDArray[np.float64]) -> NDArray[np.float64]:
    """Radius along the ground of the circle that has this area, on a sphere of the equatorial radius."""
    radius_km = WGS84_A_M / 1000.0
    share = np.clip(area_km2 / (SPHERE * radius_km**2), 0.0, 1.0)
    return radius_km * 2.0 * np.arcsin(np.sqrt(share))
