"""The neighbourhood of a place: Lambert's azimuthal equal-area projection, cut to a rectangle."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pyproj
import shapely
import shapely.affinity
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
from lightbound.geo.earth import LEAST_RADIUS_M, Position
from lightbound.geo.rings import circle_points, latitudes_longitudes

NEAR_HEIGHT: Final = 720.0
"""Height of the map in its own units."""

MEETING: Final = 1e-4
"""Units to which points are rounded that are the same place, reached from the two edges of a sheet."""


# Not slotted: what is computed once is kept in the instance.
@dataclass(frozen=True, kw_only=True)
class Neighbourhood:
    """Lambert's azimuthal equal-area projection about a place, as a rectangle that holds a circle around it."""

    centre: Position
    radius_m: float
    """Everything within this distance is on the map. At most a quarter of the way round the Earth."""

    @cached_property
    def _project(self) -> pyproj.Proj:
        return pyproj.Proj(
            f"+proj=laea +lat_0={self.centre.latitude!r} +lon_0={self.centre.longitude!r} +ellps=WGS84 +units=m"
        )

    @property
    def _metres_per_unit(self) -> float:
        # This projection shortens distances from its centre, so that the circle fits.
        return self.radius_m / (NEAR_HEIGHT / 2)

    @property
    def _reach(self) -> float:
        """Radians from the centre within which the whole rectangle lies, and some more."""
        corner_m = math.hypot(WIDTH, NEAR_HEIGHT) / 2 * self._metres_per_unit
        return 2 * math.asin(min(1.0, corner_m / (2 * LEAST_RADIUS_M))) * 1.1

    @property
    def height(self) -> float:
        """The same for every neighbourhood."""
        return NEAR_HEIGHT

    @property
    def degrees_per_unit(self) -> float:
        """At the centre."""
        return math.degrees(self._metres_per_unit / LEAST_RADIUS_M)

    @cached_property
    def frame(self) -> shapely.Polygon:
        """A rectangle."""
        return shapely.box(0, 0, WIDTH, NEAR_HEIGHT)

    @property
    def within(self) -> tuple[float, float, float, float]:
        """A box around what is in reach."""
        west, south, east, north = self._sheet.bounds
        return west + self.centre.longitude, south, east + self.centre.longitude, north

    def strokes(self, points: NDArray[np.float64]) -> shapely.MultiLineString:
        """Cut at the rectangle."""
        lines = [shapely.LineString(line) for line in self._within_reach(points)]
        return lines_of(shapely.intersection(shapely.MultiLineString(lines), self.frame))

    def filled(self, rings: list[NDArray[np.float64]], holds: Holds) -> shapely.MultiPolygon:
        """Cut at the rectangle."""
        return faces(
            [line for ring in rings for line in self._within_reach(ring)],
            sheet=self.frame,
            globe_of=self._position,
            holds=holds,
        )

    def sees(self, drawn: Sequence[BaseGeometry]) -> NDArray[np.bool_]:
        """Those that come near enough."""
        seen = np.zeros(len(drawn), bool)
        for turn in (-360.0, 0.0, 360.0):
            seen |= shapely.intersects(drawn, shapely.affinity.translate(self._sheet, self.centre.longitude + turn))
        return seen

    def land(self, drawn: BaseGeometry) -> shapely.MultiPolygon:
        """Cut at the rectangle."""
        flat = polygons_on_sheet(drawn, self.centre.longitude, self._sheet)
        # A map over a pole shows both edges of the sheet, as one line that is on no map: what meets there is joined.
        torn = [part for part in flat if part.bounds[0] <= -180.0 or part.bounds[2] >= 180.0]
        whole = [part for part in flat if part.bounds[0] > -180.0 and part.bounds[2] < 180.0]
        healed = [shapely.make_valid(_rounded(self._bent(part)), method="structure") for part in torn]
        parts = [self._bent(part) for part in whole] + [shapely.union_all(healed, grid_size=MEETING)]
        kept = shapely.intersection(np.array(parts, object), self.frame)
        return shapely.MultiPolygon([polygon for part in kept for polygon in polygons_of(part).geoms])

    def edges(self, drawn: BaseGeometry) -> shapely.MultiLineString:
        """Cut at the rectangle."""
        near = self._bent(lines_on_sheet(drawn, self.centre.longitude, self._sheet))
        return lines_of(shapely.intersection(near, self.frame))

    def place(self, position: Position) -> tuple[float, float] | None:
        """None outside the rectangle."""
        if self._angles(np.array([position.unit()]))[0] > self._reach:
            return None
        east = turned_by(np.array([position.longitude]), self.centre.longitude)
        (x, y), *_ = self._on_paper(np.array([[east[0], position.latitude]]))
        return (float(x), float(y)) if 0 <= x <= WIDTH and 0 <= y <= NEAR_HEIGHT else None

    def scale_bar(self) -> ScaleBar:
        """Lengths at the centre."""
        km_per_unit = self._metres_per_unit / 1000
        km = round_length(km_per_unit * WIDTH / 6)
        return ScaleBar(units=km / km_per_unit, km=km, where="at the centre of the map")

    @property
    def _step_degrees(self) -> float:
        return max(0.05, min(STEP_DEGREES, 10 * self.degrees_per_unit))

    @cached_property
    def _sheet(self) -> BaseGeometry:
        """What can be on the map at all, in longitudes counted from the centre's, and latitudes."""
        centre = self.centre.unit()
        return faces(
            unrolled(circle_points(centre, self._reach), self.centre.longitude),
            sheet=GLOBE,
            globe_of=lambda east, north: Position(north, (east + self.centre.longitude + 180.0) % 360.0 - 180.0),
            holds=lambda point: math.dist(point, centre) <= 2 * math.sin(self._reach / 2),
        )

    def _bent(self, flat: BaseGeometry) -> BaseGeometry:
        return shapely.transform(shapely.segmentize(flat, self._step_degrees), self._on_paper)

    def _within_reach(self, points: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """A line over the globe as lines on paper, without what is so far that this projection would tear it."""
        near = self._angles(points) <= self._reach
        # With one point more at either end, so that a line does not stop short of the rectangle's edge.
        near[1:] |= near[:-1].copy()
        near[:-1] |= near[1:].copy()
        latitudes, longitudes = latitudes_longitudes(points)
        east = turned_by(longitudes, self.centre.longitude)
        paper = self._on_paper(np.stack((east, latitudes), axis=1))
        stretches = np.split(np.arange(len(points)), np.flatnonzero(np.diff(near)) + 1)
        return [paper[stretch] for stretch in stretches if near[stretch[0]] and len(stretch) > 1]

    def _angles(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        chords: NDArray[np.float64] = np.linalg.norm(points - np.array(self.centre.unit()), axis=1)
        return 2 * np.arcsin(np.minimum(1.0, chords / 2))

    def _on_paper(self, east_north: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = self._project(east_north[:, 0] + self.centre.longitude, east_north[:, 1])
        return np.stack((WIDTH / 2 + x / self._metres_per_unit, NEAR_HEIGHT / 2 - y / self._metres_per_unit), axis=1)

    def _position(self, x: float, y: float) -> Position:
        longitude, latitude = self._project(
            (x - WIDTH / 2) * self._metres_per_unit, (NEAR_HEIGHT / 2 - y) * self._metres_per_unit, inverse=True
        )
        return Position(float(latitude), float(longitude))


def _rounded(geometry: BaseGeometry) -> BaseGeometry:
    return shapely.transform(geometry, lambda points: np.round(points / MEETING) * MEETING)
