"""Things on the globe laid flat without false lines: what crosses the edge of a flat sheet is cut there.

A line that leaves a map on the left comes in again on the right, and a plotter that does not know draws it straight
across. What is filled is harder: a ring around a pole, or one that holds more than half of the Earth, is no polygon
on any flat map. So nothing here asks which side of a ring is its inside. The cut lines and the sheet's own edge are
laid over each other, and of every face between them one point is taken back to the globe and asked about there, by
the same test that the verdict used.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import numpy as np
import shapely
import shapely.affinity
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from lightbound.geo.earth import Position
from lightbound.geo.rings import latitudes_longitudes

Holds: TypeAlias = Callable[[tuple[float, float, float]], bool]
"""Whether a point of the unit sphere is in what is drawn."""

GLOBE: Final = shapely.box(-180, -90, 180, 90)
"""The whole Earth as a sheet of longitudes and latitudes."""

GRID: Final = 1e-7
"""Degrees (1 cm), or units of a map, to which what is laid over one another is rounded. Rounding lets edges that mean
the same meet, and makes the laying itself safe from floating-point accidents."""


def turned_by(longitudes: NDArray[np.float64], middle: float) -> NDArray[np.float64]:
    """Longitudes counted from the middle meridian of a map, -180 up to 180."""
    turned: NDArray[np.float64] = (longitudes - middle + 180.0) % 360.0 - 180.0
    return turned


def unrolled(points: NDArray[np.float64], middle: float) -> list[NDArray[np.float64]]:
    """A line over the globe as lines of longitude and latitude about a middle meridian, cut where that sheet ends.

    Neighbouring points are taken to be joined the short way round. Each cut adds the same latitude on both edges.
    """
    latitudes, longitudes = latitudes_longitudes(points)
    east = turned_by(longitudes, middle)
    jumps = np.flatnonzero(np.abs(np.diff(east)) > 180.0)
    lines: list[NDArray[np.float64]] = []
    start = 0
    entry: list[tuple[float, float]] = []
    for jump in jumps.tolist():
        edge = 180.0 if east[jump] > 0 else -180.0
        step = east[jump + 1] - east[jump] + 2 * edge
        share = (edge - east[jump]) / step if step else 0.5
        at = latitudes[jump] + share * (latitudes[jump + 1] - latitudes[jump])
        inner = np.stack((east[start : jump + 1], latitudes[start : jump + 1]), axis=1)
        lines.append(np.concatenate([np.reshape(entry, (-1, 2)), inner, [(edge, at)]]))
        entry, start = [(-edge, at)], jump + 1
    inner = np.stack((east[start:], latitudes[start:]), axis=1)
    lines.append(np.concatenate([np.reshape(entry, (-1, 2)), inner]))
    return [line for line in lines if len(line) > 1]


def faces(
    lines: Sequence[NDArray[np.float64]],
    *,
    sheet: shapely.Polygon,
    globe_of: Callable[[float, float], Position],
    holds: Holds,
) -> shapely.MultiPolygon:
    """The part of a sheet that holds what `lines` are the edge of.

    Lines run to the sheet's edge or beyond it. `globe_of` takes a point of the sheet back to its position.
    """
    laid = shapely.union_all([sheet.exterior, *(shapely.LineString(line) for line in lines)], grid_size=GRID)
    kept = []
    for face in shapely.get_parts(shapely.polygonize([laid])):
        inner = face.representative_point()
        if sheet.covers(inner) and holds(globe_of(inner.x, inner.y).unit()):
            kept.append(face)
    return polygons_of(shapely.union_all(kept))


def polygons_on_sheet(land: BaseGeometry, middle: float, sheet: BaseGeometry = GLOBE) -> list[shapely.Polygon]:
    """Polygons in the frame cut at the antimeridian, recut for a map about another meridian, within a sheet of it.

    Polygons that the antimeridian had cut in two are one again.
    """
    parts = [part for piece in _moved(land, middle, sheet) for part in polygons_of(piece).geoms]
    return joined_along(parts, [float(turned_by(np.array([180.0]), middle)[0])])


def lines_on_sheet(lines: BaseGeometry, middle: float, sheet: BaseGeometry = GLOBE) -> shapely.MultiLineString:
    """The same for lines."""
    return shapely.MultiLineString(
        [part for piece in _moved(lines, middle, sheet) for part in shapely.get_parts(piece) if part.length > 0]
    )


def joined_along(parts: list[shapely.Polygon], longitudes: list[float]) -> list[shapely.Polygon]:
    """Polygons of one sheet, those that meet along one of these meridians joined; the others as they are."""
    bounds = np.array([part.bounds for part in parts]).reshape(-1, 4)
    at_cut = np.zeros(len(parts), bool)
    for longitude in longitudes:
        at_cut |= (np.abs(bounds[:, [0, 2]] - longitude) < GRID).any(axis=1)
    apart = [part for part, cut in zip(parts, at_cut, strict=True) if not cut]
    meeting = [part for part, cut in zip(parts, at_cut, strict=True) if cut]
    return apart + list(polygons_of(shapely.union_all(meeting, grid_size=GRID)).geoms)


def _moved(drawn: BaseGeometry, middle: float, sheet: BaseGeometry) -> list[BaseGeometry]:
    """What lies on a sheet about another meridian, up to three times: from the west, as it is, and from the east."""
    moved = (shapely.affinity.translate(drawn, xoff=turn - middle) for turn in (-360.0, 0.0, 360.0))
    return [shapely.intersection(geometry, sheet) for geometry in moved]


def polygons_of(geometry: BaseGeometry) -> shapely.MultiPolygon:
    """The polygons of a geometry; the points and lines that laying over one another may leave are no area."""
    parts = shapely.get_parts(geometry)
    if any(isinstance(part, shapely.GeometryCollection) for part in parts):
        parts = shapely.get_parts(parts)
    return shapely.MultiPolygon([part for part in parts if isinstance(part, shapely.Polygon) and not part.is_empty])


def lines_of(geometry: BaseGeometry) -> shapely.MultiLineString:
    """The lines of a geometry, joined end to end where only two meet."""
    parts = [part for part in shapely.get_parts(geometry) if isinstance(part, shapely.LineString) and part.length > 0]
    merged = shapely.line_merge(shapely.MultiLineString(parts)) if parts else shapely.MultiLineString()
    return shapely.MultiLineString([part for part in shapely.get_parts(merged) if not part.is_empty])
