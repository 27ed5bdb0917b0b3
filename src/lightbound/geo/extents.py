"""How large drawn land is, and between which latitudes and longitudes it lies: for people, never for a verdict."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lightbound.geo.borders import Polygon
from lightbound.geo.earth import WGS84_A_M, WGS84_B_M

ECCENTRICITY: Final = math.sqrt(1.0 - (WGS84_B_M / WGS84_A_M) ** 2)

POINTS: Final = (0.5 - math.sqrt(0.15), 0.5, 0.5 + math.sqrt(0.15))
WEIGHTS: Final = (5 / 18, 4 / 9, 5 / 18)
"""Gauss and Legendre's rule of three points along an edge: exact enough for edges of many degrees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Where some land lies and how much there is of it, as drawn."""

    west: float
    south: float
    east: float
    north: float
    """Degrees. Where the land lies across the antimeridian, west is greater than east, as in RFC 7946."""
    parts: int
    """Polygons, a land that the antimeridian cuts being two."""
    vertices: int
    """Corners, those that only close a polygon along the antimeridian or a pole included."""
    area_km2: float


def extent_of(polygons: Sequence[Polygon]) -> Extent:
    """The extent of polygons that do not overlap, in the frame cut at the antimeridian."""
    outer = [polygon[0] for polygon in polygons]
    west, east = _span([(float(ring[:, 0].min()), float(ring[:, 0].max())) for ring in outer])
    return Extent(
        west=west,
        south=min(float(ring[:, 1].min()) for ring in outer),
        east=east,
        north=max(float(ring[:, 1].max()) for ring in outer),
        parts=len(polygons),
        vertices=sum(len(ring) - 1 for polygon in polygons for ring in polygon),
        area_km2=sum(_area_km2(ring) for polygon in polygons for ring in polygon),
    )


def _span(spans: list[tuple[float, float]]) -> tuple[float, float]:
    """The narrowest stretch of longitudes that holds all of these."""
    joined: list[list[float]] = []
    for west, east in sorted(spans):
        if joined and west <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], east)
        else:
            joined.append([west, east])
    # The widest gap is what the stretch leaves out; the first is the one over the antimeridian.
    gaps = [
        joined[0][0] + 360.0 - joined[-1][1],
        *(after[0] - before[1] for before, after in itertools.pairwise(joined)),
    ]
    widest = max(range(len(gaps)), key=lambda gap: (gaps[gap], -gap))
    return joined[widest][0], joined[widest - 1][1]


def _area_km2(ring: NDArray[np.float64]) -> float:
    """Area on the ellipsoid inside a ring whose edges are straight in longitude and latitude; of a hole, negative."""
    start, run = ring[:-1], np.diff(ring, axis=0)
    height = sum(
        weight * _authalic(start[:, 1] + point * run[:, 1]) for point, weight in zip(POINTS, WEIGHTS, strict=True)
    )
    return float(-(np.radians(run[:, 0]) * height).sum()) * (WGS84_A_M / 1000.0) ** 2 / 2.0


def _authalic(latitudes: NDArray[np.float64]) -> NDArray[np.float64]:
    """What grows as the area below a parallel does (Snyder 1987, equation 3-12)."""
    sine = np.sin(np.radians(latitudes))
    e = ECCENTRICITY
    grown: NDArray[np.float64] = (1 - e * e) * (
        sine / (1 - e * e * sine * sine) - np.log((1 - e * sine) / (1 + e * sine)) / (2 * e)
    )
    return grown
