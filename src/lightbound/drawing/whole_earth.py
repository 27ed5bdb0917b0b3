"""All of the Earth on one sheet: the Equal Earth projection of Savric, Patterson and Jenny (2018)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from lightbound.drawing.cutting import (
    GLOBE,
    Holds,
    faces,
    lines_of,
    lines_on_sheet,
    polygons_of,
    polygons_on_sheet,
    turned_by,
    unrolled,
)
from lightbound.drawing.views import STEP_DEGREES, WIDTH, ScaleBar, round_length
from lightbound.geo.earth import WGS84_A_M, Position

EDGE: Final = 3.0
"""Units left free around the map, so that its outline is not cut off."""


# Not slotted: what is computed once is kept in the instance.
@dataclass(frozen=True, kw_only=True)
class WholeEarth:
    """The Equal Earth projection about a middle meridian."""

    middle: float
    """Longitude in degrees. The map is torn at the meridian opposite to it."""

    @cached_property
    def _project(self) -> pyproj.Proj:
        # Longitudes are turned before they come here, so that the library never decides where the map is torn.
        return pyproj.Proj("+proj=eqearth +lon_0=0 +ellps=WGS84 +units=m")

    @cached_property
    def _metres_per_unit(self) -> float:
        return float(self._project(180.0, 0.0)[0]) / (WIDTH / 2 - EDGE)

    @property
    def height(self) -> float:
        """Follows from the width."""
        return 2 * (float(self._project(0.0, 90.0)[1]) / self._metres_per_unit + EDGE)

    @property
    def degrees_per_unit(self) -> float:
        """At the equator."""
        return 360.0 / (WIDTH - 2 * EDGE)

    @cached_property
    def frame(self) -> shapely.Polygon:
        """The curved outline of the whole Earth."""
        edge = shapely.get_coordinates(shapely.segmentize(GLOBE, STEP_DEGREES))
        return shapely.Polygon(self._on_paper(edge))

    @property
    def within(self) -> tuple[float, float, float, float]:
        """All there is, but for the meridian at which the map is torn: it is on neither side."""
        return self.middle - 179.95, -90.0, self.middle + 179.95, 90.0

    def strokes(self, points: NDArray[np.float64]) -> shapely.MultiLineString:
        """Cut at the edge of the map."""
        lines = [shapely.LineString(line) for line in unrolled(points, self.middle)]
        return lines_of(self._bent(shapely.segmentize(shapely.MultiLineString(lines), STEP_DEGREES)))

    def filled(self, rings: list[NDArray[np.float64]], holds: Holds) -> shapely.MultiPolygon:
        """Cut at the edge of the map."""
        kept = faces(
            [line for ring in rings for line in unrolled(ring, self.middle)],
            sheet=GLOBE,
            globe_of=lambda east, north: Position(north, (east + self.middle + 180.0) % 360.0 - 180.0),
            holds=holds,
        )
        return polygons_of(self._bent(shapely.segmentize(kept, STEP_DEGREES)))

    def sees(self, drawn: Sequence[BaseGeometry]) -> NDArray[np.bool_]:
        """All of them."""
        return np.ones(len(drawn), bool)

    def land(self, drawn: BaseGeometry) -> shapely.MultiPolygon:
        """Recut at the edge of the map."""
        flat = shapely.MultiPolygon(polygons_on_sheet(drawn, self.middle))
        return polygons_of(self._bent(shapely.segmentize(flat, STEP_DEGREES)))

    def edges(self, drawn: BaseGeometry) -> shapely.MultiLineString:
        """Recut at the edge of the map."""
        return lines_of(self._bent(shapely.segmentize(lines_on_sheet(drawn, self.middle), STEP_DEGREES)))

    def place(self, position: Position) -> tuple[float, float]:
        """Every position is on this map."""
        east = turned_by(np.array([position.longitude]), self.middle)
        (x, y), *_ = self._on_paper(np.array([[east[0], position.latitude]]))
        return float(x), float(y)

    def scale_bar(self) -> ScaleBar:
        """Lengths along the equator."""
        # A length of the projection is no length on the ground: along the equator the two have one constant ratio.
        km_per_unit = 2 * math.pi * WGS84_A_M / 1000 / (WIDTH - 2 * EDGE)
        km = round_length(km_per_unit * WIDTH / 6)
        return ScaleBar(units=km / km_per_unit, km=km, where="along the equator")

    def _bent(self, flat: BaseGeometry) -> BaseGeometry:
        return shapely.transform(flat, self._on_paper)

    def _on_paper(self, east_north: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = self._project(east_north[:, 0], east_north[:, 1])
        return np.stack((WIDTH / 2 + x / self._metres_per_unit, self.height / 2 - y / self._metres_per_unit), axis=1)
