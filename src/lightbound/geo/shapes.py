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

from lightbound.geo.areas import Countries, Disc, Drawing
from lightbound.geo.borders import Borders, Polygon
from lightbound.geo.earth import LEAST_RADIUS_M, WGS84_A_M, WGS84_B_M, Position
from lightbound.geo.kernels import inside_outline
from lightbound.geo.outlines import Outline, outline_of, pooled

FLATTENING: Final = WGS84_B_M / WGS84_A_M
"""b/a of WGS-84."""

QUARTER_M: Final = 10_001_966.0
"""A quarter of a meridian: circles wider than this are drawn as all the Earth less a circle about the antipode."""

CIRCLE_SIDE_M: Final = 4_000.0
"""Longest side of the polygon that stands for a circle inside a union; at least 360 sides. Its sagitta, at most
9 m, is part of `SHAPE_SLACK_M`'s error budget through `CIRCLE_SAGITTA_M`."""

CIRCLE_SAGITTA_M: Final = 10.0
"""Added to the margin of a union that holds a circle."""


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
    polygons = members[0] if len(members) == 1 else _dissolved(members)
    sagitta_m = CIRCLE_SAGITTA_M if any(isinstance(part, Disc) for part in parts) else 0.0
    return Area(shape=outline_of(polygons, border_error_m=border_error_m + sagitta_m), countries=countries)


def outline_in(outline: Outline, other: Circle | Outline) -> Relation:
    """How an outline lies to another area: surely inside it as drawn, possibly touching it, or apart."""
    margin = outline.margin_m / LEAST_RADIUS_M
    if isinstance(other, Outline):
        if shapely.covers(other.drawn, outline.drawn):
            return Relation.INSIDE
        # Degrees of longitude shrink towards the poles: past 85 degrees everything within reach counts as near.
        low, high = np.abs(shapely.bounds(outline.drawn)[[1, 3]])
        shrink = math.cos(math.radians(min(85.0, max(low, high) + 1.0)))
        near = math.degrees(margin + other.margin_m / LEAST_RADIUS_M) / shrink
        return Relation.TOUCHING if shapely.dwithin(outline.drawn, other.drawn, near) else Relation.APART
    if not len(outline.arcs):
        return Relation.TOUCHING
    angles = 2 * np.arcsin(np.minimum(1, np.linalg.norm(outline.arcs[:, :3] - other.centre, axis=1) / 2))
    lengths = outline.arcs[:, 6]
    holds_centre = inside_outline(*other.centre, FLATTENING, pooled([outline]), 0)
    if (angles + lengths <= other.inner).all() and holds_centre:
        return Relation.INSIDE
    near_edge = (angles - lengths <= other.outer + margin).any()
    return Relation.TOUCHING if holds_centre or near_edge else Relation.APART


def _drawn(disc: Disc) -> shapely.Geometry:
    """A circle as a polygon in the frame cut at the antimeridian, its corners exactly on the geodesic circle."""
    radius_m = disc.radius_km * 1000.0
    sides = max(360, math.ceil(2 * math.pi * min(radius_m, QUARTER_M) / CIRCLE_SIDE_M))
    ring = np.empty((sides + 1, 2))
    for side in range(sides):
        end = Geodesic.WGS84.Direct(disc.latitude, disc.longitude, 360.0 * side / sides, radius_m)
        ring[side] = end["lon2"], end["lat2"]
    ring[:-1, 0] = np.unwrap(ring[:-1, 0], period=360.0)
    ring[-1] = ring[0]
    centre_latitude = disc.latitude
    if radius_m > QUARTER_M:
        centre_latitude = -centre_latitude
    turn = ring[-2, 0] - ring[0, 0]
    if abs(turn) > 180.0:
        # The ring goes round a pole: close it along that pole.
        end_longitude = ring[0, 0] + math.copysign(360.0, turn)
        pole = math.copysign(90.0, centre_latitude)
        ring[-1] = end_longitude, ring[0, 1]
        ring = np.vstack((ring, [[end_longitude, pole], [ring[0, 0], pole], ring[0]]))
    drawn = _wrapped(shapely.Polygon(ring))
    return shapely.box(-180, -90, 180, 90).difference(drawn) if radius_m > QUARTER_M else drawn


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
