"""What a map projection does for a map: puts rings, land and places on a sheet of `WIDTH` units, and knows its scale.

There are two. Both keep areas true to one another and no distance true everywhere. What is put on the sheet, and in
which colours, is decided elsewhere.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from lightbound.drawing.cutting import Holds
from lightbound.geo.earth import Position

WIDTH: Final = 1000.0
"""Width of every map in its own units."""

STEP_DEGREES: Final = 1.0
"""Straight edges in longitude and latitude are split to this before they are bent onto a map."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleBar:
    """A length on the map, and where on it the length is true."""

    units: float
    km: int
    where: str


class View(Protocol):
    """A map projection, from things on the globe to a sheet with y running down."""

    def __hash__(self) -> int:
        """Equal views show the same part of the Earth alike."""
        ...

    @property
    def height(self) -> float:
        """Height of the sheet; its width is `WIDTH`."""
        ...

    @property
    def frame(self) -> shapely.Polygon:
        """The outline of the map."""
        ...

    @property
    def degrees_per_unit(self) -> float:
        """About how many degrees of latitude one unit spans."""
        ...

    @property
    def within(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees: the view is inside. Longitudes may run past 180."""
        ...

    def strokes(self, points: NDArray[np.float64]) -> shapely.MultiLineString:
        """A line over the globe, unit vectors (points, 3), cut where the map ends."""
        ...

    def filled(self, rings: list[NDArray[np.float64]], holds: Holds) -> shapely.MultiPolygon:
        """What rings are the edge of; `holds` tells their inside from their outside."""
        ...

    def sees(self, drawn: Sequence[BaseGeometry]) -> NDArray[np.bool_]:
        """Which of these, in longitude and latitude, can be on the map."""
        ...

    def land(self, drawn: BaseGeometry) -> shapely.MultiPolygon:
        """Polygons in longitude and latitude, cut at the antimeridian, laid on the map."""
        ...

    def edges(self, drawn: BaseGeometry) -> shapely.MultiLineString:
        """Lines in longitude and latitude, laid on the map."""
        ...

    def place(self, position: Position) -> tuple[float, float] | None:
        """Where a position is on the map; None where it is outside."""
        ...

    def scale_bar(self) -> ScaleBar:
        """A round length of about a sixth of the map."""
        ...


def round_length(km: float) -> int:
    """The largest of 1, 2, 5, 10, 20, 50 ... that is not longer."""
    power: int = 10 ** max(0, math.floor(math.log10(max(1.0, km))))
    return max(step * power for step in (1, 2, 5) if step == 1 or step * power <= km)
