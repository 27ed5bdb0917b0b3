"""Which part of the Earth to show, so that the answer is in sight and nothing of it is torn."""

import math
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from lightbound.drawing.neighbourhood import Neighbourhood
from lightbound.drawing.picture import Answer, Picture, Region, Role
from lightbound.drawing.views import View
from lightbound.drawing.whole_earth import WholeEarth
from lightbound.geo.earth import LEAST_RADIUS_M, Position, units
from lightbound.geo.rings import circle_points, latitudes_longitudes
from lightbound.geo.shapes import Circle


class Framing(StrEnum):
    """What a map is to show."""

    AUTO = "auto"
    """The neighbourhood of the region if that is smaller than about a continent, else the whole Earth."""
    WORLD = "world"
    REGION = "region"
    """As near as the region lets us, whatever else is then out of sight."""


WIDEST: Final = 3_300_000.0 / LEAST_RADIUS_M
"""Radians (3,300 km, about a continent): what does not fit into a circle of this radius is shown on the whole Earth."""

NARROWEST: Final = 30_000.0 / LEAST_RADIUS_M
"""Radians (30 km). Nearer, the packaged borders would look more exact than they are."""

AIR: Final = 1.12
"""Free space around what is to be seen."""

USUAL_MIDDLE: Final = 11.0
"""Middle meridian of a world map that cuts no land but Antarctica: the edge runs through the Bering Strait."""


def view_of(picture: Picture, rings: list[NDArray[np.float64]], framing: Framing) -> View:
    """The view that shows the region, given the rings around it, and as much of what decided as fits beside it."""
    region = picture.region
    must = np.concatenate(rings) if rings else np.zeros((0, 3))
    if framing is not Framing.WORLD and len(must):
        centre, radius = _least_cap(must)
        # The rings do not say on which side of them the region is.
        if radius <= WIDEST and not region.holds((-centre[0], -centre[1], -centre[2])):
            if framing is Framing.AUTO:
                centre, radius = _with_more(picture, must, centre, radius)
            latitudes, longitudes = latitudes_longitudes(np.array([centre]))
            return Neighbourhood(
                centre=Position(round(float(latitudes[0]), 3), round(float(longitudes[0]), 3)),
                radius_m=max(NARROWEST, radius) * AIR * LEAST_RADIUS_M,
            )
    return WholeEarth(middle=_middle(picture, region, must))


def _with_more(
    picture: Picture, must: NDArray[np.float64], centre: tuple[float, float, float], radius: float
) -> tuple[tuple[float, float, float], float]:
    """A cap that also holds, one after another, what is worth seeing and does not make it too wide."""
    for points in _worth_seeing(picture, centre):
        wider = np.concatenate((must, points))
        new_centre, new_radius = _least_cap(wider)
        if new_radius <= WIDEST:
            must, centre, radius = wider, new_centre, new_radius
    return centre, radius


def _worth_seeing(picture: Picture, centre: tuple[float, float, float]) -> Iterator[NDArray[np.float64]]:
    """What the answer is about, the most important first: licensed area, deciding landmarks, nearest excluded place."""
    if picture.licensed is not None:
        edge = _edge(picture.licensed)
        if len(edge) and _least_cap(edge)[1] <= WIDEST:
            yield edge
    deciding = [bound.position.unit() for bound in picture.bounds if bound.role is Role.DECIDING]
    for point in sorted(deciding, key=lambda point: math.dist(point, centre)):
        yield np.array([point])
    if picture.excluded is not None:
        edge = _edge(picture.excluded)
        if len(edge):
            yield edge[[int(np.argmin(np.linalg.norm(edge - np.array(centre), axis=1)))]]


def _edge(answer: Answer) -> NDArray[np.float64]:
    """Points along the edge of an area."""
    shape = answer.area.shape
    if isinstance(shape, Circle):
        return circle_points(shape.centre, shape.outer)
    corners = shapely.get_coordinates(shape.drawn)
    return units(corners[:, 1], corners[:, 0])


def _least_cap(points: NDArray[np.float64]) -> tuple[tuple[float, float, float], float]:
    """Centre and radius of about the smallest cap around points; a radius of pi where they are all around the Earth.

    Badoiu and Clarkson's walk: towards the farthest point, by ever smaller steps.
    """
    centre = points.mean(axis=0)
    for step in range(1, 300):
        farthest = points[int(np.argmax(((points - centre) ** 2).sum(axis=1)))]
        centre = centre + (farthest - centre) / (step + 1)
    norm = float(np.linalg.norm(centre))
    if norm < 0.2:
        return (1.0, 0.0, 0.0), math.pi
    centre /= norm
    chord = float(np.linalg.norm(points - centre, axis=1).max())
    return (float(centre[0]), float(centre[1]), float(centre[2])), 2 * math.asin(min(1.0, chord / 2))


def _middle(picture: Picture, region: Region, must: NDArray[np.float64]) -> float:
    """The middle meridian of a world map that does not tear the region; the usual one where that will do."""
    if not len(must):
        return USUAL_MIDDLE
    longitudes = np.sort(latitudes_longitudes(must)[1])
    gaps = np.diff(np.append(longitudes, longitudes[0] + 360.0))
    # A gap is as good as it is wide, and useless where the region lies across it without an edge.
    for gap in np.argsort(-gaps, kind="stable")[:20].tolist():
        seam = longitudes[gap] + gaps[gap] / 2
        if gaps[gap] < 4.0 or _crosses(region, seam):
            continue
        usual = USUAL_MIDDLE + 180.0
        if (usual - longitudes[gap]) % 360.0 < gaps[gap]:
            return USUAL_MIDDLE
        return float(round((seam + 360.0) % 360.0 - 180.0))
    # The region goes all the way round: then let the landmarks, which are what else there is to see, be in the middle.
    x, y, _ = np.sum([bound.position.unit() for bound in picture.bounds], axis=0)
    return float(round(math.degrees(math.atan2(y, x))))


def _crosses(region: Region, longitude: float) -> bool:
    """Whether the region holds a point of a meridian, looked at every half degree."""
    return any(region.holds(Position(north / 2, longitude).unit()) for north in range(-178, 179))
