"""How the packaged borders differ from Natural Earth 4.1, which may be used here but is not shipped."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from tests.geo.drawn import PLACES, point, shapes_by_code


@pytest.fixture(scope="module")
def earlier(shared_data: Path) -> dict[str, list[BaseGeometry]]:
    """Polygons of Natural Earth 4.1 by name, each made valid on its own."""
    topology = json.loads((shared_data / "borders" / "ne_countries_10m.topo.json").read_bytes())
    scale, shift = np.array(topology["transform"]["scale"]), np.array(topology["transform"]["translate"])
    arcs = [np.cumsum(np.array(arc), axis=0) * scale + shift for arc in topology["arcs"]]

    def ring(indices: list[int]) -> NDArray[np.float64]:
        parts = [arcs[index] if index >= 0 else arcs[~index][::-1] for index in indices]
        return np.vstack([parts[0], *(part[1:] for part in parts[1:])])

    made: dict[str, list[BaseGeometry]] = {}
    for item in topology["objects"]["countries"]["geometries"]:
        polygons = [item["arcs"]] if item["type"] == "Polygon" else item["arcs"]
        rings = [[ring(indices) for indices in polygon] for polygon in polygons]
        made[item["properties"]["name"]] = [
            shapely.make_valid(shapely.Polygon(outer, [hole for hole in holes if len(hole) >= 4]))
            for outer, *holes in rings
            if len(outer) >= 4
        ]
    return made


@pytest.mark.long
@pytest.mark.parametrize("row", [row for row in PLACES if "4.1" in row[3]], ids=lambda row: row[0])
def test_version_4_1_draws_a_place_as_the_page_says(earlier: dict[str, list[BaseGeometry]], row: list[str]) -> None:
    place, where, _, said = row
    latitude, longitude = point(where)
    at = shapely.Point(longitude, latitude)
    found = [name for name, parts in earlier.items() if any(part.intersects(at) for part in parts)]
    under = re.search(r"4\.1 draws (?:it|seven) under (\w+)", said)
    if place == "Paracel Islands, Woody Island":
        # Woody Island is drawn a kilometre from where it is: count what is drawn instead.
        south = [part for part in earlier["China"] if part.bounds[3] < 18]
        assert len(south) == 7
    elif under:
        assert found == [under[1]]
    else:
        assert "has a feature" in said
        assert not set(found) & {"Cyprus", "Somalia", "India"}
        assert len(found) == 1


def _segments(shapes: list[BaseGeometry]) -> NDArray[np.float64]:
    """Edges as rows of two points, without those along the edge of the frame or wrapped around it."""
    rings = [
        shapely.get_coordinates(ring)
        for shape in shapely.get_parts(shapely.get_parts(shapes))
        if shape.geom_type == "Polygon"
        for ring in (shape.exterior, *shape.interiors)
    ]
    edges = np.vstack([np.hstack((ring[:-1], ring[1:])) for ring in rings])
    framed = (np.abs(edges[:, [0, 2]]) > 179.99).all(axis=1) | (np.abs(edges[:, [1, 3]]) > 89.9).all(axis=1)
    return edges[~framed & (np.abs(edges[:, 2] - edges[:, 0]) < 20)]


def _kilometres_between(edges: NDArray[np.float64], lines: NDArray[np.float64], every: int) -> NDArray[np.float64]:
    """From points about a kilometre apart along edges, each `every`-th of them, to the nearest of the lines."""
    run = edges[:, 2:] - edges[:, :2]
    count = np.maximum(1, np.ceil(np.hypot(run[:, 0] * np.cos(np.radians(edges[:, 1])), run[:, 1]) / 0.01)).astype(int)
    which = np.repeat(np.arange(len(edges)), count)
    step = (np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)) / count[which]
    points = (edges[which, :2] + run[which] * step[:, None])[::every]
    found = []
    for south in range(-90, 90, 5):
        squeeze = np.array([np.cos(np.radians(south + 2.5)), 1.0])
        here = points[(points[:, 1] >= south) & (points[:, 1] < south + 5)] * squeeze
        near = lines[(lines[:, [1, 3]].max(axis=1) > south - 3) & (lines[:, [1, 3]].min(axis=1) < south + 8)]
        if len(here):
            index = shapely.STRtree(shapely.linestrings(near.reshape(-1, 2, 2) * squeeze))
            _, degrees = index.query_nearest(shapely.points(here), return_distance=True, all_matches=False)
            found.append(degrees * 111.2)
    return np.concatenate(found)


@pytest.mark.long
def test_lines_of_version_4_1_lie_as_near_as_the_page_says(
    earlier: dict[str, list[BaseGeometry]],
) -> None:
    shapes = shapes_by_code()
    before = _segments([part for parts in earlier.values() for part in parts])
    world = _kilometres_between(before, _segments([*shapes.values()]), every=25)
    china = _kilometres_between(_segments(earlier["China"]), _segments([shapes["CN"]]), every=1)
    assert np.percentile(world, [50, 90, 99]) == pytest.approx([0.04, 0.11, 0.18], abs=0.01)
    assert np.percentile(china, [50, 90, 99]) == pytest.approx([0.05, 0.12, 3.6], abs=0.05)
    assert china.max() == pytest.approx(332, abs=1)
