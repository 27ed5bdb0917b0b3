"""The geometry that decides, as plain scalar loops: angles, caps and borders on the unit sphere.

Everything here is ordinary Python over flat sequences of numbers, and that is the normative computation.
`lightbound.geo.compiled` turns the very same functions into machine code for large files; a test holds the two
together. So the code keeps to what a compiler can take: `math`, loops, numbers, flat arrays, named tuples.

Names: a *cap* is four numbers (x, y, z, radius in radians) and `units[i]` the fault unit of cap i, caps of one unit
standing side by side. A fault unit excludes a point if any of its caps does. With a fault budget of f the
*region* is the set of points that at most f units exclude: a union of intersections of caps.
"""

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = Sequence[float] | NDArray[np.float64]
Integers: TypeAlias = Sequence[int] | NDArray[np.integer[Any]]

INSIDE: Final = 1
OUTSIDE: Final = 2
BOTH: Final = 3
"""Sides of an area on which a region can be: bits, so that INSIDE | OUTSIDE is BOTH."""

ROUNDING: Final = 2e-15
"""More than the rounding errors of the few operations on numbers up to 1 that place a crossing of two circles."""

SLACK: Final = 1e-6
"""Radians (6 m) by which a point may be outside a cap and still be tried as a corner of the region. Less than any
border's margin and than `earth.ARITHMETIC_SLACK_M`, so it costs nothing but doubt."""

SHORTEST_PIECE: Final = 8e-6
"""Half-length in radians (51 m) below which a piece of border that is not surely excluded counts as touched."""

LEAF_ARCS: Final = 4
"""Arcs per leaf of an outline's tree."""

ARC_NUMBERS: Final = 7
"""Numbers per arc: its start (3), the unit tangent there (3), and its length in radians."""


class Outlines(NamedTuple):
    """The borders of several areas, in flat arrays, so that one call can judge chips with different areas.

    Outline k has a complete binary tree of caps that hold its arcs: the root is node `first_node[k]`, the children
    of the i-th node of an outline are its nodes 2i+1 and 2i+2, leaf j holds arcs `LEAF_ARCS` * j onwards.
    For point location the rings are also kept as straight edges in longitude and latitude (degrees), sorted into
    bands of latitude: band i of outline k starts at `band_edges[first_band[k] + i]`, counted in edges.
    """

    first_node: Integers
    leaves: Integers
    nodes: Numbers
    """(x, y, z, radius) per node; a negative radius marks an empty node."""
    first_arc: Integers
    arc_count: Integers
    arcs: Numbers
    first_band: Integers
    band_edges: Integers
    edges: Numbers
    """(longitude, latitude, longitude, latitude) per edge."""
    margin: Numbers
    """Radians by which the true border can differ from these arcs."""


NORTHERNMOST: Final = math.nextafter(90.0, 0.0)
"""Latitude, in degrees, at which the north pole is looked up."""

BAND_DEGREES: Final = 0.25
"""Height of a band of latitude in the index for point location."""


def angle_between(ax: float, ay: float, az: float, bx: float, by: float, bz: float) -> float:
    """Angle between two unit vectors in radians, from their chord; errs by less than 1e-7."""
    dx, dy, dz = ax - bx, ay - by, az - bz
    half = 0.5 * math.sqrt(dx * dx + dy * dy + dz * dz)
    if half >= 1.0:
        return math.pi
    return 2.0 * math.asin(half)


def units_excluding(
    x: float, y: float, z: float, spread: float, caps: Numbers, units: Integers, count: int, enough: int
) -> int:
    """How many fault units surely exclude every point within `spread` of (x, y, z); stops counting at `enough`."""
    excluding = 0
    last = -1
    for i in range(count):
        if units[i] != last:
            k = 4 * i
            if angle_between(x, y, z, caps[k], caps[k + 1], caps[k + 2]) > caps[k + 3] + spread:
                excluding += 1
                last = units[i]
                if excluding >= enough:
                    return excluding
    return excluding


def point_on_circle(cx: float, cy: float, cz: float, radius: float) -> tuple[float, float, float]:
    """Some point of the circle that bounds a cap."""
    # A tangent at the centre: the centre crossed with the axis it is farthest from.
    if abs(cx) <= abs(cy) and abs(cx) <= abs(cz):
        tx, ty, tz = 0.0, cz, -cy
    elif abs(cy) <= abs(cz):
        tx, ty, tz = -cz, 0.0, cx
    else:
        tx, ty, tz = cy, -cx, 0.0
    norm = math.sqrt(tx * tx + ty * ty + tz * tz)
    c, s = math.cos(radius), math.sin(radius) / norm
    return c * cx + s * tx, c * cy + s * ty, c * cz + s * tz


def circle_crossings(
    ax: float, ay: float, az: float, alpha: float, bx: float, by: float, bz: float, beta: float
) -> tuple[float, float, float, float, float, float, float]:
    """Where two circles on the sphere cross: both points, and how far rounding can have moved each (radians).

    The last number is negative where they surely do not cross. Circles about centres closer than 1e-7 rad (0.6 m),
    or about antipodes so close, are reported as not crossing: every point of the one is then within 2e-7 rad of the
    other or nowhere near it, so that the slack of the callers, who also try a point of each circle, covers it.
    """
    # a x b, from the difference: exact to the last digits also where the centres are neighbours.
    dx, dy, dz = bx - ax, by - ay, bz - az
    nx, ny, nz = ay * dz - az * dy, az * dx - ax * dz, ax * dy - ay * dx
    sine = math.sqrt(nx * nx + ny * ny + nz * nz)
    if sine < 1e-7 or alpha >= math.pi or beta >= math.pi or alpha <= 0.0 or beta <= 0.0:
        return 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0
    nx, ny, nz = nx / sine, ny / sine, nz / sine
    # In the frame (a, e, n) a point of the first circle is (cos alpha, y, w); the second fixes y:
    # y * sine = cos beta - cos alpha * cosine, written so that nothing cancels where the centres are neighbours.
    ex, ey, ez = ny * az - nz * ay, nz * ax - nx * az, nx * ay - ny * ax
    cosine = ax * bx + ay * by + az * bz
    ca, sa = math.cos(alpha), math.sin(alpha)
    if cosine > 0.0:
        y = ca * sine / (1.0 + cosine) - 2.0 * math.sin(0.5 * (beta + alpha)) * math.sin(0.5 * (beta - alpha)) / sine
        y_error = ROUNDING * (1.0 + abs(y))
    else:
        y = (math.cos(beta) - ca * cosine) / sine
        y_error = ROUNDING * (1.0 + abs(y)) / sine
    square = sa * sa - y * y
    error = 2.0 * (abs(y) + y_error) * y_error + ROUNDING
    if square < -error:
        return 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0
    w = math.sqrt(square) if square > 0.0 else 0.0
    slack = 2.0 * error / (w + math.sqrt(error)) + y_error
    px, py, pz = ca * ax + y * ex, ca * ay + y * ey, ca * az + y * ez
    return px + w * nx, py + w * ny, pz + w * nz, px - w * nx, py - w * ny, pz - w * nz, slack


def without_redundant_caps(caps: Numbers, units: Integers, count: int, budget: int) -> tuple[Numbers, Integers, int]:
    """The caps that shape the region, dropping those that cannot: the region stays exactly the same.

    A cap is redundant if another cap of its own unit, or caps of `budget` + 1 other units, lie wholly inside it: a
    point outside it is then excluded anyway. Tried from the widest cap down, against the narrower ones, which
    are all still there.
    """
    order = np.empty(count, np.int64)
    for i in range(count):
        k = i
        while k > 0 and caps[4 * order[k - 1] + 3] > caps[4 * i + 3]:
            order[k] = order[k - 1]
            k -= 1
        order[k] = i
    kept = np.ones(count, np.uint8)
    left_count = count
    inner_units = np.empty(budget + 1, np.int64)
    for rank in range(count - 1, 0, -1):
        i = order[rank]
        distinct = 0
        for narrower in range(rank):
            j = order[narrower]
            seen = False
            for m in range(distinct):
                seen = seen or inner_units[m] == units[j]
            if seen or not inside_of(caps, j, i):
                continue
            inner_units[distinct] = units[j]
            distinct += 1
            if units[j] == units[i] or distinct > budget:
                kept[i] = 0
                left_count -= 1
                break
    left, left_units = np.empty(4 * left_count), np.empty(left_count, np.int64)
    k = 0
    for i in range(count):
        if kept[i]:
            for part in range(4):
                left[4 * k + part] = caps[4 * i + part]
            left_units[k] = units[i]
            k += 1
    return left, left_units, left_count


def inside_of(caps: Numbers, inner: int, outer: int) -> bool:
    """Whether one cap surely lies inside another."""
    i, j = 4 * inner, 4 * outer
    between = angle_between(caps[i], caps[i + 1], caps[i + 2], caps[j], caps[j + 1], caps[j + 2])
    return between + caps[i + 3] + 1e-7 <= caps[j + 3]


def corners_of_region(caps: Numbers, units: Integers, count: int, budget: int, enough: int) -> tuple[Numbers, int]:
    """Points such that every connected part of the region holds one; none: the region is empty. (x, y, z, slack) each.

    The region is a union of intersections of caps. A non-empty intersection of caps holds a crossing of two of
    its circles, or has whole circles for its boundary, or is the whole sphere; so the crossings of
    all pairs, one point of each circle and one point anywhere are enough to try. Points are accepted generously
    (by the rounding error of each, its slack), so a region that is not empty is never reported so. The search
    ends when `enough` are found (never, if negative).
    """
    found = np.empty(4 * (count * count + 1))
    n = 0
    for i in range(count):
        cx, cy, cz, radius = caps[4 * i], caps[4 * i + 1], caps[4 * i + 2], caps[4 * i + 3]
        x, y, z = (cx, cy, cz) if radius >= math.pi else point_on_circle(cx, cy, cz, radius)
        n = keep_corner(x, y, z, SLACK, caps, units, count, budget, found, n)
        for j in range(i):
            px, py, pz, qx, qy, qz, slack = circle_crossings(
                cx, cy, cz, radius, caps[4 * j], caps[4 * j + 1], caps[4 * j + 2], caps[4 * j + 3]
            )
            if slack >= 0.0:
                n = keep_corner(px, py, pz, slack + SLACK, caps, units, count, budget, found, n)
                n = keep_corner(qx, qy, qz, slack + SLACK, caps, units, count, budget, found, n)
        if n >= enough >= 0:
            break
    return found, n


def keep_corner(
    x: float,
    y: float,
    z: float,
    slack: float,
    caps: Numbers,
    units: Integers,
    count: int,
    budget: int,
    found: NDArray[np.float64],
    n: int,
) -> int:
    """Add a point to those found if it is possibly in the region; returns how many there are then."""
    if units_excluding(x, y, z, slack, caps, units, count, budget + 1) > budget:
        return n
    found[4 * n], found[4 * n + 1], found[4 * n + 2], found[4 * n + 3] = x, y, z, slack
    return n + 1


def region_meets_cap(
    corners: Numbers,
    corner_count: int,
    caps: Numbers,
    units: Integers,
    count: int,
    budget: int,
    zx: float,
    zy: float,
    zz: float,
    radius: float,
) -> bool:
    """Whether the region possibly has a point in the cap about (zx, zy, zz); False is a proof that it has none.

    The argument of `corners_of_region`, with this cap as one that must not be excluded.
    """
    if radius < 0.0:
        return False
    for i in range(corner_count):
        k = 4 * i
        if angle_between(corners[k], corners[k + 1], corners[k + 2], zx, zy, zz) <= radius + corners[k + 3]:
            return True
    x, y, z = (zx, zy, zz) if radius >= math.pi else point_on_circle(zx, zy, zz, radius)
    if units_excluding(x, y, z, SLACK, caps, units, count, budget + 1) <= budget:
        return True
    for i in range(count):
        px, py, pz, qx, qy, qz, slack = circle_crossings(
            zx, zy, zz, radius, caps[4 * i], caps[4 * i + 1], caps[4 * i + 2], caps[4 * i + 3]
        )
        if slack < 0.0:
            continue
        slack += SLACK
        if units_excluding(px, py, pz, slack, caps, units, count, budget + 1) <= budget:
            return True
        if units_excluding(qx, qy, qz, slack, caps, units, count, budget + 1) <= budget:
            return True
    return False


def arc_distance(x: float, y: float, z: float, arcs: Numbers, k: int) -> float:
    """Least angle from a point to the arc whose numbers start at `arcs[k]`."""
    ax, ay, az, ex, ey, ez, length = (
        arcs[k], arcs[k + 1], arcs[k + 2], arcs[k + 3], arcs[k + 4], arcs[k + 5], arcs[k + 6]
    )  # fmt: skip
    along_a, along_e = x * ax + y * ay + z * az, x * ex + y * ey + z * ez
    along = math.atan2(along_e, along_a)
    if 0.0 <= along <= length:
        across = x * (ay * ez - az * ey) + y * (az * ex - ax * ez) + z * (ax * ey - ay * ex)
        return math.atan2(abs(across), math.sqrt(along_a * along_a + along_e * along_e))
    c, s = math.cos(length), math.sin(length)
    return min(
        angle_between(x, y, z, ax, ay, az),
        angle_between(x, y, z, c * ax + s * ex, c * ay + s * ey, c * az + s * ez),
    )


def distance_to_outline(x: float, y: float, z: float, outlines: Outlines, which: int) -> float:
    """Least angle from a point to the border of an outline, whichever side the point is on; pi if it has no border."""
    first, leaves = outlines.first_node[which], outlines.leaves[which]
    nodes, arcs = outlines.nodes, outlines.arcs
    best = math.pi
    if leaves == 0:
        return best
    stack = np.empty(64, np.int64)
    least = np.empty(64)
    stack[0], least[0] = 0, 0.0
    depth = 1
    while depth > 0:
        depth -= 1
        if least[depth] >= best:
            continue
        node = stack[depth]
        if node >= leaves - 1:
            start = (node - leaves + 1) * LEAF_ARCS
            for arc in range(start, min(start + LEAF_ARCS, outlines.arc_count[which])):
                best = min(best, arc_distance(x, y, z, arcs, ARC_NUMBERS * (outlines.first_arc[which] + arc)))
            continue
        left, right = 4 * (first + 2 * node + 1), 4 * (first + 2 * node + 2)
        to_left = to_right = math.inf
        if nodes[left + 3] >= 0.0:
            to_left = angle_between(x, y, z, nodes[left], nodes[left + 1], nodes[left + 2]) - nodes[left + 3]
        if nodes[right + 3] >= 0.0:
            to_right = angle_between(x, y, z, nodes[right], nodes[right + 1], nodes[right + 2]) - nodes[right + 3]
        near, far, to_near, to_far = 2 * node + 1, 2 * node + 2, to_left, to_right
        if to_right < to_left:
            near, far, to_near, to_far = far, near, to_far, to_near
        if to_far < best:
            stack[depth], least[depth] = far, to_far
            depth += 1
        if to_near < best:
            stack[depth], least[depth] = near, to_near
            depth += 1
    return best


def inside_outline(x: float, y: float, z: float, flattening: float, outlines: Outlines, which: int) -> bool:
    """Whether a point is inside an outline, by counting edges to its west; meaningless within 1e-9 rad of the border.

    `flattening` is b/a: it takes the reduced latitude back to the geodetic one in which borders are drawn.
    """
    # An edge that ends at the north pole, or stands on the western edge of the frame, must still be counted.
    latitude = min(math.degrees(math.atan2(z, flattening * math.sqrt(x * x + y * y))), NORTHERNMOST)
    longitude = math.degrees(math.atan2(y, x))
    if longitude <= -180.0:
        longitude = 180.0
    band = outlines.first_band[which] + min(int((latitude + 90.0) / BAND_DEGREES), int(180.0 / BAND_DEGREES) - 1)
    edges = outlines.edges
    inside = False
    for edge in range(outlines.band_edges[band], outlines.band_edges[band + 1]):
        k = 4 * edge
        south, north = edges[k + 1], edges[k + 3]
        if (south > latitude) != (north > latitude):
            crossing = edges[k] + (latitude - south) / (north - south) * (edges[k + 2] - edges[k])
            if crossing < longitude:
                inside = not inside
    return inside


def circles_to_outlines(
    circles: Numbers, which: Integers, flattening: float, outlines: Outlines, sides: NDArray[np.int8]
) -> None:
    """How each circle (x, y, z, radius) lies to an outline: INSIDE it as drawn, OUTSIDE by its margin, or else BOTH."""
    for i in range(len(which)):
        x, y, z, radius = circles[4 * i], circles[4 * i + 1], circles[4 * i + 2], circles[4 * i + 3]
        inside = inside_outline(x, y, z, flattening, outlines, which[i])
        to_border = distance_to_outline(x, y, z, outlines, which[i])
        sides[i] = BOTH
        if inside and to_border > radius:
            sides[i] = INSIDE
        elif not inside and to_border > radius + outlines.margin[which[i]]:
            sides[i] = OUTSIDE


def region_touches_outline(
    corners: Numbers,
    corner_count: int,
    caps: Numbers,
    units: Integers,
    count: int,
    budget: int,
    outlines: Outlines,
    which: int,
) -> bool:
    """Whether the region possibly comes within the outline's margin of its border; False is a proof that it does not.

    A node of the tree is settled when more than `budget` units, their caps grown by the margin, exclude all of it.
    """
    first, leaves = outlines.first_node[which], outlines.leaves[which]
    if leaves == 0:
        return False
    nodes, arcs, margin = outlines.nodes, outlines.arcs, outlines.margin[which]
    stack = np.empty(64, np.int64)
    stack[0] = 0
    depth = 1
    while depth > 0:
        depth -= 1
        node = stack[depth]
        k = 4 * (first + node)
        if nodes[k + 3] < 0.0:
            continue
        spread = margin + nodes[k + 3]
        if units_excluding(nodes[k], nodes[k + 1], nodes[k + 2], spread, caps, units, count, budget + 1) > budget:
            continue
        if node < leaves - 1:
            stack[depth], stack[depth + 1] = 2 * node + 1, 2 * node + 2
            depth += 2
            continue
        start = (node - leaves + 1) * LEAF_ARCS
        for arc in range(start, min(start + LEAF_ARCS, outlines.arc_count[which])):
            k = ARC_NUMBERS * (outlines.first_arc[which] + arc)
            if region_touches_arc(corners, corner_count, caps, units, count, budget, margin, arcs, k):
                return True
    return False


def region_touches_arc(
    corners: Numbers,
    corner_count: int,
    caps: Numbers,
    units: Integers,
    count: int,
    budget: int,
    margin: float,
    arcs: Numbers,
    k: int,
) -> bool:
    """Whether the region possibly comes within `margin` of one arc, by halving it until each piece is settled.

    Grown caps hold more than the grown region does, around its corners; so a piece that they do not settle is held
    against the region itself: it is clear if no point of the region lies within the margin and its half-length.
    """
    ax, ay, az, ex, ey, ez = arcs[k], arcs[k + 1], arcs[k + 2], arcs[k + 3], arcs[k + 4], arcs[k + 5]
    middles, halves = np.empty(64), np.empty(64)
    middles[0] = halves[0] = 0.5 * arcs[k + 6]
    depth = 1
    while depth > 0:
        depth -= 1
        middle, half = middles[depth], halves[depth]
        c, s = math.cos(middle), math.sin(middle)
        x, y, z = c * ax + s * ex, c * ay + s * ey, c * az + s * ez
        if units_excluding(x, y, z, margin + half, caps, units, count, budget + 1) > budget:
            continue
        if units_excluding(x, y, z, 0.0, caps, units, count, budget + 1) <= budget:
            return True
        if not region_meets_cap(corners, corner_count, caps, units, count, budget, x, y, z, margin + half):
            continue
        if half < SHORTEST_PIECE:
            return True
        half *= 0.5
        middles[depth], halves[depth] = middle - half, half
        middles[depth + 1], halves[depth + 1] = middle + half, half
        depth += 2
    return False


def sides_of_outline(
    corners: Numbers,
    corner_count: int,
    caps: Numbers,
    units: Integers,
    count: int,
    budget: int,
    flattening: float,
    outlines: Outlines,
    which: int,
) -> int:
    """On which sides of an outline the region possibly is: INSIDE or OUTSIDE is a proof, BOTH is not knowing.

    Where the region keeps clear of the border by the margin, each of its connected parts lies wholly on one
    side, and every part holds a corner. The corners then tell all there is.
    """
    sides = 0
    for i in range(corner_count):
        k = 4 * i
        if corners[k + 3] > outlines.margin[which]:
            sides = BOTH  # so ill-conditioned that the corner itself may be across the border
        elif inside_outline(corners[k], corners[k + 1], corners[k + 2], flattening, outlines, which):
            sides |= INSIDE
        else:
            sides |= OUTSIDE
        if sides == BOTH:
            return BOTH
    if region_touches_outline(corners, corner_count, caps, units, count, budget, outlines, which):
        return BOTH
    return sides
