"""From one polygon as drawn to polygons in the frame from -180 to 180 degrees: unwrapped, checked, cut.

A drawing may cross the antimeridian in three ways, and all three come out the same: cut there, as RFC 7946 asks
(section 3.1.9); with longitudes that run past 180; or by a jump, an edge of more than 180 degrees between neighbours,
which is taken the short way round. Whatever the way, a polygon is judged as it lies after unwrapping.
"""

from collections.abc import Iterator, Sequence
from math import ceil, floor
from typing import Final

import numpy as np
import shapely
import shapely.affinity
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from lightbound.errors import ErrorCode
from lightbound.files.faults import Faults
from lightbound.geo.borders import Polygon

_CUT: Final = "cut it at the antimeridian, and along the pole if it holds one (RFC 7946, 3.1.9)"
_POLE_DEGREES: Final = 90.0


def framed(rings: Sequence[NDArray[np.float64]], where: str, faults: Faults) -> list[shapely.Polygon]:
    """The polygons of a shell and its holes, (n, 2) closed rings of longitude and latitude, cut at the antimeridian.

    None after reporting what is wrong with it, at `where` in its file.
    """
    straight = []
    for index, ring in enumerate(rings):
        unwrapped = _unwrapped(ring)
        if unwrapped[0, 0] != unwrapped[-1, 0]:
            _report(faults, f"{where}[{index}]", "a ring that ends where it starts", "one that winds around a pole")
        elif np.ptp(unwrapped[:, 0]) > 360:
            _report(faults, f"{where}[{index}]", "at most 360 degrees of longitude", f"{np.ptp(unwrapped[:, 0]):g}")
        else:
            straight.append(unwrapped)
    if len(straight) < len(rings):
        return []
    shell, holes = straight[0], [_beside(straight[0], hole) for hole in straight[1:]]
    polygon = shapely.Polygon(shell, holes)
    if not polygon.is_valid:
        reason = shapely.is_valid_reason(polygon)
        _report(faults, where, "a valid polygon, no edge longer than 180 degrees", reason, advice="redraw it")
        return []
    return list(_cut(polygon))


def joined(polygons: Sequence[shapely.Polygon]) -> tuple[Polygon, ...]:
    """The union of polygons as polygons that do not overlap, shells counterclockwise and holes clockwise."""
    union = polygons[0] if len(polygons) == 1 else shapely.union_all(polygons)
    return tuple(
        tuple(np.asarray(ring.coords, np.float64) for ring in (polygon.exterior, *polygon.interiors))
        for polygon in map(shapely.orient_polygons, _polygons(union))
    )


def _unwrapped(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """The ring with every jump taken the short way. It no longer closes exactly if it winds around a pole."""
    steps = np.diff(ring[:, 0])
    # Along a pole all longitudes are one place: such an edge is part of a cut and no jump.
    on_pole = np.abs(ring[:, 1]) == _POLE_DEGREES
    along_pole = on_pole[:-1] & on_pole[1:] & (ring[:-1, 1] == ring[1:, 1])
    turns = np.where((np.abs(steps) > 180) & ~along_pole, np.rint(steps / 360), 0.0)
    unwrapped = ring.copy()
    unwrapped[1:, 0] -= 360 * np.cumsum(turns)
    return unwrapped


def _beside(shell: NDArray[np.float64], hole: NDArray[np.float64]) -> NDArray[np.float64]:
    """The hole moved by whole turns to where its shell lies after unwrapping."""
    turns = ceil((shell[:, 0].min() - hole[:, 0].min()) / 360)
    moved: NDArray[np.float64] = hole + np.array([360.0 * turns, 0.0])
    return moved


def _cut(polygon: shapely.Polygon) -> Iterator[shapely.Polygon]:
    west, _, east, _ = polygon.bounds
    for turn in range(floor((west + 180) / 360), ceil((east - 180) / 360) + 1):
        start = 360 * turn - 180
        piece: BaseGeometry = polygon
        if west < start or east > start + 360:
            piece = shapely.intersection(polygon, shapely.box(start, -90, start + 360, 90))
        for part in _polygons(piece):
            yield shapely.affinity.translate(part, xoff=-360 * turn) if turn else part


def _polygons(geometry: BaseGeometry) -> list[shapely.Polygon]:
    """The polygons in a geometry; where a cut only touches there are also lines and points, which have no area."""
    return [part for part in shapely.get_parts(geometry) if isinstance(part, shapely.Polygon) and not part.is_empty]


def _report(faults: Faults, where: str, expected: str, found: str, advice: str = _CUT) -> None:
    faults.add(ErrorCode.GEOJSON_INVALID, expected=expected, found=found, column=where, advice=advice)
