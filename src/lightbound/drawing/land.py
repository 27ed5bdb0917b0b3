"""The countries underneath: as much of the packaged borders as a map of this size can show.

Neighbours are simplified together, so that no gap opens between them; a border that two of them share is drawn once.
"""

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from lightbound.drawing.cutting import lines_of
from lightbound.drawing.views import View
from lightbound.geo.borders import Borders

TOLERANCE_UNITS: Final = 0.25
"""Detail, in units of the map, that is left out. Finer would show only under magnification, and doubles the file
each time that it is halved."""

LEAST_ISLAND: Final = 2.0
"""Square units of tolerance under which a piece of land is left out, unless it is the largest of its country."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Land:
    """Land and borders on a map."""

    ground: shapely.MultiPolygon
    borders: shapely.MultiLineString
    """Where two countries meet on land."""


@functools.lru_cache(maxsize=8)  # most maps of a run are of the whole Earth, and that takes seconds
def land_on(view: View, borders: Borders) -> Land:
    """The land of a map of the world, as much of it as the view shows."""
    tolerance = TOLERANCE_UNITS * view.degrees_per_unit
    parts: list[shapely.Polygon] = []
    for code in borders.codes:
        polygons = [shapely.Polygon(polygon[0], polygon[1:]) for polygon in borders.shapes[code]]
        areas = shapely.area(polygons)
        parts += [
            polygon
            for polygon, area in zip(polygons, areas, strict=True)
            if area >= LEAST_ISLAND * tolerance**2 or area == areas.max()
        ]
    near = [part for part, seen in zip(parts, view.sees(parts), strict=True) if seen]
    if not near:
        return Land(ground=shapely.MultiPolygon(), borders=shapely.MultiLineString())
    simple: NDArray[np.object_] = shapely.coverage_simplify(np.array(near), tolerance)
    return Land(ground=view.land(shapely.coverage_union_all(simple)), borders=view.edges(_shared(simple)))


def _shared(polygons: NDArray[np.object_]) -> BaseGeometry:
    """The edges that two polygons of a coverage have in common."""
    rings = shapely.get_rings(polygons)
    corners, ring = shapely.get_coordinates(rings, return_index=True)
    follows = ring[1:] == ring[:-1]
    edges = np.hstack((corners[:-1], corners[1:]))[follows]
    swapped = (edges[:, 0] > edges[:, 2]) | ((edges[:, 0] == edges[:, 2]) & (edges[:, 1] > edges[:, 3]))
    edges[swapped] = edges[swapped][:, [2, 3, 0, 1]]
    different, counts = np.unique(edges, axis=0, return_counts=True)
    lines = shapely.MultiLineString([shapely.LineString(edge) for edge in different[counts > 1].reshape(-1, 2, 2)])
    return lines_of(lines)
