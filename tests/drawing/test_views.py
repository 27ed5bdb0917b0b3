"""What is drawn is what was decided: on every map the filled polygon holds exactly the points that the kernels hold."""

import math
from collections.abc import Iterator

import numpy as np
import pyproj
import pytest
import shapely
from numpy.typing import NDArray

from lightbound.drawing.neighbourhood import NEAR_HEIGHT, Neighbourhood
from lightbound.drawing.picture import Region
from lightbound.drawing.views import WIDTH, View, round_length
from lightbound.drawing.whole_earth import WholeEarth
from lightbound.geo.borders import packaged_borders
from lightbound.geo.earth import LEAST_RADIUS_M, Position, position_of, units
from lightbound.geo.kernels import angle_between
from lightbound.geo.rings import circle_points, rings_of_region

POINTS = 1_500
NEAR_EDGE = 0.5
"""Units of a map: nearer to the edge than this, a point may be drawn on either side."""

BERING, ANTARCTIC, EQUATOR = Position(66.0, 179.0), Position(-89.5, 10.0), Position(0.0, -179.9)

VIEWS: list[View] = [
    WholeEarth(middle=11.0),
    WholeEarth(middle=-173.0),
    Neighbourhood(centre=BERING, radius_m=3_000_000.0),
    Neighbourhood(centre=ANTARCTIC, radius_m=2_500_000.0),
    Neighbourhood(centre=EQUATOR, radius_m=700_000.0),
    Neighbourhood(centre=Position(90.0, 0.0), radius_m=60_000.0),
]


def _name(view: View) -> str:
    return repr(view)


def _regions(near: Position | None, radius: float) -> Iterator[Region]:
    """Random regions whose edges are in sight: unions, holes, parts, some wider than a hemisphere."""
    dice = np.random.default_rng(11)
    middle = np.array(near.unit()) if near else np.zeros(3)
    for case in range(24):
        count, budget = int(dice.integers(1, 7)), int(dice.integers(0, 3))
        centres = dice.normal(size=(count, 3)) if near is None else middle + dice.normal(size=(count, 3)) * radius
        centres /= np.linalg.norm(centres, axis=1)[:, None]
        radii = dice.uniform(0.3, 2.5, count) * (1.0 if near is None else radius)
        if near is not None and case % 4 == 0:
            # Wide circles whose edge runs through the view.
            centres = dice.normal(size=(count, 3))
            centres /= np.linalg.norm(centres, axis=1)[:, None]
            radii = np.array([angle_between(*centre, *middle) for centre in centres])
            radii += dice.uniform(-0.7, 0.7, count) * radius
        yield Region(
            caps=np.hstack((centres, radii[:, None])).ravel(),
            units=np.sort(dice.integers(0, count, count)),
            count=count,
            budget=min(budget, count - 1),
        )


def _points(near: Position | None, radius: float) -> NDArray[np.float64]:
    dice = np.random.default_rng(12)
    points = dice.normal(size=(POINTS, 3))
    if near is not None:
        points = np.array(near.unit()) + points * radius * 0.7
    unit: NDArray[np.float64] = points / np.linalg.norm(points, axis=1)[:, None]
    return unit


def _about(view: View) -> tuple[Position | None, float]:
    return (view.centre, view.radius_m / LEAST_RADIUS_M) if isinstance(view, Neighbourhood) else (None, 1.0)


@pytest.mark.parametrize("view", VIEWS, ids=_name)
def test_the_polygon_drawn_holds_the_points_that_the_region_holds(view: View) -> None:
    near, radius = _about(view)
    points = _points(near, radius)
    places = [view.place(position_of((x, y, z))) for x, y, z in points.tolist()]
    looked_at = 0
    for region in _regions(near, radius):
        rings = rings_of_region(region.caps, region.units, region.count, region.budget)
        drawn = view.filled(rings, region.holds)
        assert drawn.is_valid
        # The curved outline is drawn by chords, from other corners than the polygon along it.
        assert drawn.is_empty or view.frame.buffer(0.05).covers(drawn)
        edge = shapely.union_all([view.strokes(ring) for ring in rings] or [shapely.MultiLineString()])
        shapely.prepare([drawn, edge])
        for (x, y, z), place in zip(points.tolist(), places, strict=True):
            if place is None or edge.dwithin(shapely.Point(place), NEAR_EDGE):
                continue
            looked_at += 1
            assert drawn.contains(shapely.Point(place)) == region.holds((x, y, z)), (region, place)
    assert looked_at > 5_000


@pytest.mark.parametrize("view", VIEWS, ids=_name)
def test_no_false_line_crosses_a_map(view: View) -> None:
    """Half-way along every stroke drawn, one is still at the circle that it belongs to."""
    near, radius = _about(view)
    drawn = 0
    for region in _regions(near, radius):
        for cap in region.caps.reshape(-1, 4).tolist():
            ring = circle_points((cap[0], cap[1], cap[2]), cap[3])
            for line in view.strokes(ring).geoms if len(ring) else ():
                corners = shapely.get_coordinates(line)
                middles = (corners[:-1] + corners[1:]) / 2
                for x, y, z in _on_globe(view, middles).tolist():
                    off = abs(angle_between(x, y, z, *cap[:3]) - cap[3])
                    # Next to a pole, which the world map draws as a line, half a step sideways is a step on the globe.
                    assert off * LEAST_RADIUS_M < 16_000.0
                    drawn += 1
    assert drawn > 1_000


def _on_globe(view: View, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """The unit vectors of places on a map, by the projection library's own inverse."""
    if isinstance(view, WholeEarth):
        projection = pyproj.Proj(f"+proj=eqearth +lon_0={view.middle} +ellps=WGS84")
        half_width = pyproj.Proj("+proj=eqearth +ellps=WGS84")(180.0, 0.0)[0]
        metres_per_unit = half_width / (WIDTH / 2 - 3.0)
    else:
        assert isinstance(view, Neighbourhood)
        projection = pyproj.Proj(
            f"+proj=laea +lat_0={view.centre.latitude} +lon_0={view.centre.longitude} +ellps=WGS84"
        )
        metres_per_unit = view.radius_m / (NEAR_HEIGHT / 2)
    longitudes, latitudes = projection(
        (places[:, 0] - WIDTH / 2) * metres_per_unit, (view.height / 2 - places[:, 1]) * metres_per_unit, inverse=True
    )
    return units(np.asarray(latitudes), np.asarray(longitudes))


@pytest.mark.parametrize("view", VIEWS, ids=_name)
@pytest.mark.parametrize("code", ["RU", "FJ", "AQ", "US"])
def test_a_country_is_drawn_where_it_is_whole_and_without_a_seam(view: View, code: str) -> None:
    polygons = packaged_borders().polygons(code)
    land = shapely.MultiPolygon([shapely.Polygon(polygon[0], polygon[1:]) for polygon in polygons])
    drawn = view.land(land)
    assert drawn.is_valid
    shapely.prepare([land, drawn])
    outline = shapely.boundary(land)
    near, radius = _about(view)
    for x, y, z in _points(near, radius).tolist()[:400]:
        position = position_of((x, y, z))
        place = view.place(position)
        on_earth = shapely.Point(position.longitude, position.latitude)
        if (
            place is None
            or outline.dwithin(on_earth, 0.3)
            or abs(position.longitude) > 179.9
            or abs(position.latitude) > 89.9
        ):
            continue
        assert drawn.contains(shapely.Point(place)) == land.contains(on_earth), position


def test_a_map_over_a_pole_draws_no_line_to_it() -> None:
    polygons = packaged_borders().polygons("AQ")
    land = shapely.MultiPolygon([shapely.Polygon(polygon[0], polygon[1:]) for polygon in polygons])
    view = Neighbourhood(centre=ANTARCTIC, radius_m=250_000.0)
    drawn = view.land(land)
    # Around the South Pole there is nothing but land: its outline is the map's own, but for what rounding leaves.
    assert shapely.difference(shapely.boundary(drawn), view.frame.exterior.buffer(1e-3)).length < 0.01
    assert drawn.area == pytest.approx(view.frame.area)


def test_areas_keep_their_proportions_on_both_kinds_of_map() -> None:
    for view in (VIEWS[0], VIEWS[2], VIEWS[4]):
        near, _ = _about(view)
        middle = near or Position(40.0, 100.0)
        sizes = []
        for radius_m in (150_000.0, 300_000.0):
            ring = circle_points(middle.unit(), radius_m / LEAST_RADIUS_M)
            holds = Region(
                caps=np.array([*middle.unit(), radius_m / LEAST_RADIUS_M]),
                units=np.zeros(1, np.int64),
                count=1,
                budget=0,
            ).holds
            sizes.append(view.filled([ring], holds).area)
        assert sizes[1] / sizes[0] == pytest.approx(4.0, rel=2e-3)


@pytest.mark.parametrize("view", VIEWS, ids=_name)
def test_the_scale_bar_is_as_long_as_it_says(view: View) -> None:
    bar = view.scale_bar()
    middle = view.centre if isinstance(view, Neighbourhood) else Position(0.0, -100.0)
    earth = pyproj.Geod(ellps="WGS84")
    ends = [earth.fwd(middle.longitude, middle.latitude, azimuth, bar.km * 500.0) for azimuth in (90.0, 270.0)]
    (x1, y1), (x2, y2) = (place for place in (view.place(Position(end[1], end[0])) for end in ends) if place)
    # On the globe's own scale a neighbourhood's distances shrink slowly away from its centre.
    assert math.hypot(x1 - x2, y1 - y2) == pytest.approx(bar.units, rel=0.01)


@pytest.mark.parametrize(("km", "length"), [(0.3, 1), (1.9, 1), (2.0, 2), (9.9, 5), (10, 10), (49, 20), (7777, 5000)])
def test_lengths_of_scale_bars_are_round(km: float, length: int) -> None:
    assert round_length(km) == length
