"""What an area is on the ground: a circle, or the outline of countries, drawings and circles together.

Area expressions are read in `areas`; where drawings come from is the business of `files`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
import shapely
import shapely.affinity
from geographiclib.geodesic import Geodesic
from numpy.typing import NDArray
from scipy.spatial import KDTree

from lightbound.errors import ErrorCode, Fault, Malformed
from lightbound.geo.areas import Countries, Disc, Drawing
from lightbound.geo.borders import Borders, Polygon
from lightbound.geo.earth import LEAST_RADIUS_M, WGS84_A_M, WGS84_B_M, Position
from lightbound.geo.kernels import distance_to_outline, inside_outline
from lightbound.geo.outlines import LONGEST_EDGE_DEGREES, Outline, outline_of, pooled

FLATTENING: Final = WGS84_B_M / WGS84_A_M
"""b/a of WGS-84."""

WIDEST_DRAWN_M: Final = 19_900_000.0
"""Widest circle that a union may hold: from 19,970 km on the ring about the antipode crosses itself."""

CIRCLE_SIDE_M: Final = 4_000.0
"""Longest side of the polygon that stands for a circle inside a union; there are at least 360 sides."""

SHORTEST_SIDE_M: Final = 3.0
"""Sides this short are not halved further, however many degrees of longitude they span beside a pole."""

CIRCLE_SAGITTA_M: Final = 10.0
"""Added to the margin of a union that holds a circle: how far its sides stray from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """All positions within a geodesic distance of a centre, held between two caps of the unit sphere."""

    centre: tuple[float, float, float]
    outer: float
    """Every position of the circle is within this angle of the centre: radius / b."""
    inner: float
    """Every position within this angle of the centre is in the circle: radius / a."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """Where a chip may or must not be, ready for the kernels."""

    shape: Circle | Outline
    countries: frozenset[str]
    """Codes of the countries the expression names."""


class Relation(Enum):
    """How one area lies to another."""

    APART = "apart"
    TOUCHING = "touching"
    INSIDE = "inside"


def area_of(
    parts: Sequence[Countries | Disc | Drawing],
    *,
    borders: Borders,
    drawings: Mapping[Drawing, Sequence[Polygon]],
    border_error_m: float,
) -> Area:
    """The area that an expression stands for.

    A circle alone stays exact, and the border error does not apply to it: its edge is no border. Everything else
    becomes one outline, whose inner borders are dissolved.

    Raises:
        Malformed: a country is not a feature of these borders.
    """
    countries = frozenset(code for part in parts if isinstance(part, Countries) for code in part.codes)
    if len(parts) == 1 and isinstance(parts[0], Disc):
        disc = parts[0]
        radius_m = disc.radius_km * 1000.0
        centre = Position(disc.latitude, disc.longitude).unit()
        return Area(
            shape=Circle(centre=centre, outer=radius_m / WGS84_B_M, inner=radius_m / WGS84_A_M), countries=countries
        )
    members: list[Sequence[Polygon]] = []
    for part in parts:
        if isinstance(part, Countries):
            members.extend(borders.polygons(code) for code in part.codes)
        elif isinstance(part, Drawing):
            members.append(drawings[part])
        else:
            members.append(_polygons(_drawn(part)))
    # The features of a border do not overlap one another; what somebody has drawn may.
    alone = len(members) == 1 and isinstance(parts[0], Countries)
    polygons = members[0] if alone else _dissolved(members)
    sagitta_m = CIRCLE_SAGITTA_M if any(isinstance(part, Disc) for part in parts) else 0.0
    return Area(shape=outline_of(polygons, border_error_m=border_error_m + sagitta_m), countries=countries)


def outline_in(outline: Outline, other: Circle | Outline) -> Relation:
    """How an outline lies to another area: surely inside it as drawn, possibly touching it, or apart."""
    if isinstance(other, Outline):
        if shapely.covers(other.drawn, outline.drawn):
            return Relation.INSIDE
        return Relation.TOUCHING if _outlines_touch(outline, other) else Relation.APART
    angles = 2 * np.arcsin(np.minimum(1, np.linalg.norm(outline.arcs[:, :3] - other.centre, axis=1) / 2))
    lengths = outline.arcs[:, 6]
    x, y, z = other.centre
    pool = pooled([outline])
    if len(angles) and (angles + lengths <= other.inner).all():
        # The border is all in the circle, so all that is outside the circle lies on one side of it.
        return Relation.TOUCHING if inside_outline(-x, -y, -z, FLATTENING, pool, 0) else Relation.INSIDE
    near_edge = (angles - lengths <= other.outer + outline.margin_m / LEAST_RADIUS_M).any()
    return Relation.TOUCHING if near_edge or inside_outline(x, y, z, FLATTENING, pool, 0) else Relation.APART


def _outlines_touch(one: Outline, other: Outline) -> bool:
    """Whether two outlines overlap, or come within their margins of one another."""
    if not len(one.arcs) or not len(other.arcs):
        return True
    if any(_starts_inside(outline, holder) for outline, holder in ((one, other), (other, one))):
        return True
    near = (one.margin_m + other.margin_m) / LEAST_RADIUS_M
    own_length = float(one.arcs[:, 6].max())
    pool = pooled([other])
    reach = near + own_length + float(other.arcs[:, 6].max())
    # The tree need not look further than that, by a hair for the rounding: most areas are oceans apart. Beyond, inf.
    farthest = 2 * np.sin(min(reach, np.pi) / 2) * (1 + 1e-9) + 1e-12
    chords, _ = KDTree(other.arcs[:, :3]).query(one.arcs[:, :3], distance_upper_bound=farthest)
    angles = np.where(np.isfinite(chords), 2 * np.arcsin(np.minimum(1, chords / 2)), np.inf)
    for place in np.argsort(angles):
        if angles[place] > reach:
            return False
        x, y, z = (float(part) for part in one.arcs[place, :3])
        if distance_to_outline(x, y, z, pool, 0) <= near + own_length:
            return True
    return False


def _starts_inside(outline: Outline, holder: Outline) -> bool:
    """Whether some ring of an outline is inside another, as far as where its edges start tells."""
    x, y, z = outline.arcs[:, :3].T
    latitudes = np.degrees(np.arctan2(z, FLATTENING * np.hypot(x, y)))
    longitudes = np.degrees(np.arctan2(y, x))
    shapely.prepare(holder.drawn)
    return bool(shapely.contains_xy(holder.drawn, longitudes, latitudes).any())


def _drawn(disc: Disc) -> shapely.Geometry:
    """A circle as a polygon in the frame cut at the antimeridian, its corners exactly on the geodesic circle.

    Raises:
        Malformed: the circle is too wide to be drawn.
    """
    radius_m = disc.radius_km * 1000.0
    if radius_m > WIDEST_DRAWN_M:
        raise Malformed(
            Fault(
                code=ErrorCode.AREA_MALFORMED,
                expected=f"a circle of at most {WIDEST_DRAWN_M / 1000:,.0f} km inside a union",
                found=f"{disc.radius_km:,.1f} km",
                next="a circle on its own may be wider",
            )
        )
    ring = _ring(disc.latitude, disc.longitude, radius_m)
    turn = ring[-1, 0] - ring[0, 0]
    to_pole_m = {
        pole: Geodesic.WGS84.Inverse(disc.latitude, disc.longitude, pole, 0.0)["s12"] for pole in (90.0, -90.0)
    }
    if abs(turn) > 180.0:
        # The ring goes round the pole that the circle holds: close it along that pole.
        pole = min(to_pole_m, key=to_pole_m.__getitem__)
        return _wrapped(shapely.Polygon([*ring, (ring[-1, 0], pole), (ring[0, 0], pole), ring[0]]))
    drawn = _wrapped(shapely.Polygon(ring))
    if max(to_pole_m.values()) < radius_m:
        # It holds both poles: what the ring goes round in this frame is all that the circle leaves out.
        return shapely.box(-180, -90, 180, 90).difference(drawn)
    return drawn


def _ring(latitude: float, longitude: float, radius_m: float) -> NDArray[np.float64]:
    """Positions on a geodesic circle, longitudes running on; the last is the first, once around if it holds one pole.

    Near a pole a short side can span many degrees of longitude and then strays far from the circle, so sides are
    halved until they span little or are short.
    """

    def at(azimuth: float) -> tuple[float, float]:
        end = Geodesic.WGS84.Direct(latitude, longitude, azimuth, radius_m)
        return end["lon2"], end["lat2"]

    per_degree_m = math.radians(1.0) * radius_m
    sides = max(360, math.ceil(per_degree_m * 360.0 / CIRCLE_SIDE_M))
    azimuths = [360.0 * side / sides for side in range(sides + 1)]
    ring = [at(0.0)]
    pending = [(azimuth, at(azimuth)) for azimuth in reversed(azimuths[1:])]
    reached = 0.0
    while pending:
        azimuth, end = pending[-1]
        span = abs((end[0] - ring[-1][0] + 180.0) % 360.0 - 180.0)
        if span > LONGEST_EDGE_DEGREES and (azimuth - reached) * per_degree_m > SHORTEST_SIDE_M:
            halfway = (reached + azimuth) / 2
            pending.append((halfway, at(halfway)))
            continue
        ring.append(end)
        reached = azimuth
        pending.pop()
    positions = np.array(ring)
    positions[:, 0] = np.unwrap(positions[:, 0], period=360.0)
    turns = round((positions[-1, 0] - positions[0, 0]) / 360.0)
    positions[-1] = positions[0, 0] + 360.0 * turns, positions[0, 1]
    return positions


def _wrapped(polygon: shapely.Polygon) -> shapely.Geometry:
    """A polygon that may reach past the antimeridian, cut into the frame from -180 to 180."""
    pieces = []
    for turn in (-2, -1, 0, 1, 2):
        west = -180.0 + 360.0 * turn
        piece = polygon.intersection(shapely.box(west, -90, west + 360, 90))
        pieces.append(shapely.affinity.translate(piece, xoff=-360.0 * turn))
    return shapely.union_all([piece for piece in pieces if not piece.is_empty])


def _dissolved(members: Sequence[Sequence[Polygon]]) -> Sequence[Polygon]:
    """The union of areas whose inner borders are gone."""
    drawn = [shapely.Polygon(polygon[0], polygon[1:]) for polygons in members for polygon in polygons]
    return _polygons(shapely.union_all(drawn))


def _polygons(geometry: shapely.Geometry) -> Sequence[Polygon]:
    """The polygons of a geometry as rings of coordinates; lines and points that a union may leave are no area."""

    def rings(polygon: shapely.Polygon) -> Polygon:
        holes: list[NDArray[np.float64]] = [shapely.get_coordinates(hole) for hole in polygon.interiors]
        return (shapely.get_coordinates(polygon.exterior), *holes)

    return [rings(part) for part in shapely.get_parts(geometry) if isinstance(part, shapely.Polygon)]
