"""What stands on a map, laid on its sheet: land, areas, bounds, the region, landmarks. No colours, no markup."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from lightbound.drawing.cutting import GLOBE, lines_of, polygons_of
from lightbound.drawing.framing import Framing, view_of
from lightbound.drawing.land import TOLERANCE_UNITS, Land, land_on
from lightbound.drawing.picture import Answer, Picture, PlacedBound
from lightbound.drawing.views import View
from lightbound.geo.earth import LEAST_RADIUS_M, units
from lightbound.geo.kernels import angle_between
from lightbound.geo.rings import circle_points, rings_of_region
from lightbound.geo.shapes import Circle

FINE_UNITS: Final = 0.08
"""Detail, in units of the map, that lines other than coasts are simplified to."""

MERIDIANS: Final = (30.0, 15.0, 10.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1)
"""Degrees between lines of the grid: the first that gives a view at least four of them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shape:
    """Something with an inside. Its edge is less than its outline where the map cuts it: there is no line there."""

    fill: shapely.MultiPolygon
    edge: shapely.MultiLineString


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlacedCircle:
    """A bound on the map."""

    bound: PlacedBound
    circle: shapely.MultiLineString
    """Empty where the bound excludes nothing on Earth, or nothing that is in sight."""
    place: tuple[float, float] | None
    """Where the landmark stands; None where that is out of sight."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layers:
    """Everything on one map."""

    view: View
    grid: shapely.MultiLineString
    land: Land
    licensed: Shape | None
    excluded: Shape | None
    region: Shape
    circles: tuple[PlacedCircle, ...]


def layers_of(picture: Picture, framing: Framing) -> Layers:
    """The layers of a picture, seen so that the answer is in sight."""
    region = picture.region
    rings = rings_of_region(region.caps, region.units, region.count, region.budget)
    view = view_of(picture, rings, framing)
    return Layers(
        view=view,
        grid=_grid(view),
        land=land_on(view, picture.borders),
        licensed=_area(picture.licensed, view),
        excluded=_area(picture.excluded, view),
        region=Shape(
            fill=_simple(view.filled(rings, region.holds)),
            edge=_edges([view.strokes(ring) for ring in rings]),
        ),
        circles=tuple(
            PlacedCircle(
                bound=bound,
                circle=_edges([_circle(bound, view)]),
                place=view.place(bound.position),
            )
            for bound in picture.bounds
        ),
    )


def _circle(bound: PlacedBound, view: View) -> shapely.MultiLineString:
    points = circle_points(bound.position.unit(), bound.bound_m / LEAST_RADIUS_M)
    return view.strokes(points) if len(points) else shapely.MultiLineString()


def _area(answer: Answer | None, view: View) -> Shape | None:
    if answer is None:
        return None
    shape = answer.area.shape
    if isinstance(shape, Circle):
        # Between the cap that surely is inside and the one that surely is not: they are 0.34 % apart.
        radius, centre = (shape.inner + shape.outer) / 2, shape.centre
        ring = circle_points(centre, radius)
        rings = [ring] if len(ring) else []
        fill = view.filled(rings, lambda point: angle_between(*point, *centre) <= radius)
        return Shape(fill=_simple(fill), edge=_edges([view.strokes(ring) for ring in rings]))
    tolerance = TOLERANCE_UNITS * view.degrees_per_unit
    simple = shapely.simplify(shapely.MultiPolygon(_in_sight(shape.drawn, view)), tolerance)
    return Shape(
        fill=_simple(view.land(simple)),
        edge=_edges([view.edges(_without_seams(simple))]),
    )


def _in_sight(drawn: shapely.MultiPolygon, view: View) -> list[shapely.Polygon]:
    parts = list(drawn.geoms)
    return [part for part, seen in zip(parts, view.sees(parts), strict=True) if seen]


def _without_seams(drawn: BaseGeometry) -> BaseGeometry:
    """The outline of polygons less what only closes them along the antimeridian or a pole."""
    return shapely.difference(shapely.boundary(drawn), GLOBE.exterior)


def _edges(lines: list[shapely.MultiLineString]) -> shapely.MultiLineString:
    joined = shapely.MultiLineString([part for line in lines for part in line.geoms])
    return lines_of(shapely.simplify(joined, FINE_UNITS))


def _simple(fill: shapely.MultiPolygon) -> shapely.MultiPolygon:
    return polygons_of(shapely.simplify(fill, FINE_UNITS))


def _grid(view: View) -> shapely.MultiLineString:
    """Meridians and parallels."""
    west, south, east, north = view.within
    step = next((step for step in MERIDIANS if min(east - west, 2 * (north - south)) >= 4 * step), MERIDIANS[-1])
    fine = max(step / 20, 0.02)
    lines: list[NDArray[np.float64]] = []
    for longitude in np.arange(np.ceil(west / step), np.floor(east / step) + 1) * step:
        along = np.arange(max(south, -90.0), min(north, 90.0) + fine / 2, fine)
        lines.append(units(along, np.full(len(along), longitude)))
    for latitude in np.arange(np.ceil(south / step), np.floor(north / step) + 1) * step:
        if abs(latitude) < 90.0:
            along = np.arange(west, east + fine / 2, fine)
            lines.append(units(np.full(len(along), latitude), along))
    return _edges([view.strokes(line) for line in lines])
