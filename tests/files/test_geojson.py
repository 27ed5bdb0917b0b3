"""Drawings: every way to draw the same place gives the same polygons, and what cannot be a place is refused."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from lightbound.errors import ErrorCode, Malformed, Unavailable
from lightbound.files.geojson import drawing_path, read_drawing
from lightbound.geo.borders import Polygon, packaged_borders
from tests.files.tables import Found, fault_of, faults_of, write

SQUARE = [[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]
HOLE = [[0.5, 0.5], [0.5, 1], [1, 1], [1, 0.5], [0.5, 0.5]]
FAR = [[[10, 10], [11, 10], [11, 11], [10, 10]]]


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def feature(geometry: Any, **members: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, **members}


def collection(*features: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def drawn(folder: Path, document: Any, name: str | None = None) -> tuple[Polygon, ...]:
    return read_drawing(write(folder / "d.geojson", json.dumps(document)), name)


def shape(polygons: Sequence[Polygon]) -> shapely.MultiPolygon:
    """The polygons as one shape; valid only if they do not overlap and share no edge."""
    joined = shapely.MultiPolygon([shapely.Polygon(rings[0], rings[1:]) for rings in polygons])
    assert joined.is_valid
    return joined


def lands(*rings: Any) -> BaseGeometry:
    return shapely.union_all([shapely.Polygon(ring) for ring in rings])


def box(west: float, east: float, south: float = -10, north: float = 10) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


@pytest.mark.parametrize(
    "document",
    [
        polygon(SQUARE, HOLE),
        polygon(SQUARE[::-1], HOLE[::-1]),
        {"type": "MultiPolygon", "coordinates": [[SQUARE, HOLE]]},
        {"type": "GeometryCollection", "geometries": [polygon(SQUARE, HOLE)]},
        feature(polygon(SQUARE, HOLE)),
        collection(feature(polygon(SQUARE, HOLE))),
        {**polygon([[*position, 99.5] for position in SQUARE], HOLE), "bbox": [0, 0, 2, 2]},
        {**polygon(SQUARE, HOLE), "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}},
    ],
)
def test_every_way_to_hold_a_polygon_gives_the_same(tmp_path: Path, document: Any) -> None:
    ((shell, hole),) = drawn(tmp_path, document)
    assert shapely.Polygon(shell, [hole]).equals(lands(SQUARE).difference(lands(HOLE)))
    assert shapely.LinearRing(shell).is_ccw
    assert not shapely.LinearRing(hole).is_ccw
    assert shell.dtype == hole.dtype == np.float64
    assert (shell[0] == shell[-1]).all()


def test_several_features_are_one_area_of_polygons_that_do_not_overlap(tmp_path: Path) -> None:
    other = [[1, 1], [3, 1], [3, 3], [1, 3], [1, 1]]
    found = drawn(tmp_path, collection(feature(polygon(SQUARE)), feature(polygon(other)), feature(polygon(*FAR))))
    assert len(found) == 2
    assert shape(found).equals(lands(SQUARE, other, FAR[0]))


@pytest.mark.parametrize(
    ("member", "name"),
    [({"id": "hall 3"}, "hall 3"), ({"id": 7}, "7"), ({"properties": {"name": "hall 3"}}, "hall 3")],
)
def test_a_feature_is_picked_by_id_or_name(tmp_path: Path, member: dict[str, Any], name: str) -> None:
    broken = feature({"type": "Point", "coordinates": [0, 0]}, id="another", properties=None)
    found = drawn(tmp_path, collection(broken, feature(polygon(SQUARE), **member)), name)
    assert shape(found).equals(lands(SQUARE))
    assert shape(drawn(tmp_path, feature(polygon(SQUARE), **member), name)).equals(lands(SQUARE))


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (collection(feature(polygon(SQUARE), id="x"), feature(polygon(*FAR), properties={"name": "x"})), "2"),
        (collection(feature(polygon(SQUARE), id="y"), feature(polygon(*FAR), id=True)), "none"),
        (polygon(SQUARE), "none"),
    ],
)
def test_a_feature_that_is_not_there_or_not_alone_is_refused(tmp_path: Path, document: Any, found: str) -> None:
    path = write(tmp_path / "d.geojson", json.dumps(document))
    fault = fault_of(partial(read_drawing, feature="x"), path)
    assert fault == Found(ErrorCode.GEOJSON_INVALID, None, None, "one feature of the id or name 'x'", found)


@pytest.mark.parametrize("code", ["AQ", "RU", "FJ", "NZ", "ZA", "CN", "SG"])
def test_packaged_borders_come_back_as_they_were_drawn(tmp_path: Path, code: str) -> None:
    polygons = packaged_borders().polygons(code)
    coordinates = [[ring.tolist() for ring in rings] for rings in polygons]
    found = drawn(tmp_path, {"type": "MultiPolygon", "coordinates": coordinates})
    assert len(found) == len(polygons)
    assert shape(found).equals(shape(polygons))


@pytest.mark.parametrize(("west", "east"), [(170, -170), (170, 190), (-190, -170), (190, 170)])
def test_the_antimeridian_is_cut_however_it_is_crossed(tmp_path: Path, west: float, east: float) -> None:
    found = drawn(tmp_path, polygon(box(west, east)))
    assert shape(found).equals(lands(box(170, 180), box(-180, -170)))
    assert all(np.abs(ring[:, 0]).max() == 180 for rings in found for ring in rings)


@pytest.mark.parametrize("hole", [(175, -175), (175, 185), (-185, -175)])
def test_a_hole_across_the_antimeridian_goes_with_its_shell(tmp_path: Path, hole: tuple[float, float]) -> None:
    found = drawn(tmp_path, polygon(box(170, -170), box(*hole, south=-5, north=5)))
    expected = lands(box(170, 180), box(-180, -170)).difference(
        lands(box(175, 180, south=-5, north=5), box(-180, -175, south=-5, north=5))
    )
    assert shape(found).equals(expected)


@given(
    st.floats(-180, 180).map(lambda x: round(x, 6)),
    st.floats(0.001, 170).map(lambda x: round(x, 6)),
    st.sampled_from([-360, 0, 360]),
)
def test_a_box_anywhere_keeps_its_area_and_stays_in_the_frame(
    tmp_path_factory: pytest.TempPathFactory, west: float, width: float, turn: int
) -> None:
    ring = [[(x + turn if -360 <= x + turn <= 360 else x), y] for x, y in box(west, west + width)]
    found = shape(drawn(tmp_path_factory.mktemp("box"), polygon(ring)))
    assert found.area == pytest.approx(20 * width, rel=1e-9)
    west_found, _, east_found, _ = found.bounds
    assert -180 <= west_found <= east_found <= 180


def test_the_whole_earth_and_a_polar_cap_that_is_cut_are_accepted(tmp_path: Path) -> None:
    assert shape(drawn(tmp_path, polygon(box(-180, 180, -90, 90)))).area == 360 * 180
    cap = [[-180, -90], [180, -90], [180, -70], [60, -60], [-60, -60], [-180, -70], [-180, -90]]
    assert shape(drawn(tmp_path, polygon(cap))).equals(lands(cap))


RANGE = "a longitude from -360 to 360 and a latitude from -90 to 90 degrees"
POSITION = "a position: longitude, latitude"
VALID = "a valid polygon, no edge longer than 180 degrees"


@pytest.mark.parametrize(
    ("document", "code", "column", "expected", "found"),
    [
        ([], ErrorCode.GEOJSON_MALFORMED, None, "a GeoJSON object", "[]"),
        ({}, ErrorCode.GEOJSON_MALFORMED, None, "a Polygon or MultiPolygon", "None"),
        ({"type": "Topology"}, ErrorCode.GEOJSON_MALFORMED, None, "a Polygon or MultiPolygon", "'Topology'"),
        (
            {"type": "FeatureCollection", "features": {}},
            ErrorCode.GEOJSON_MALFORMED,
            "features",
            "a list of features",
            "{}",
        ),
        (collection(), ErrorCode.GEOJSON_INVALID, "features", "at least one feature", "none"),
        (collection(polygon(SQUARE)), ErrorCode.GEOJSON_MALFORMED, "features[0].type", "a Feature", "'Polygon'"),
        (feature(None), ErrorCode.GEOJSON_MALFORMED, "geometry", "a Polygon or MultiPolygon", "None"),
        (
            collection(feature(polygon(SQUARE)), feature({"type": "Point", "coordinates": [0, 0]})),
            ErrorCode.GEOJSON_MALFORMED,
            "features[1].geometry",
            "a Polygon or MultiPolygon",
            "'Point'",
        ),
        (
            {"type": "GeometryCollection", "geometries": [{"type": "GeometryCollection", "geometries": []}]},
            ErrorCode.GEOJSON_MALFORMED,
            "geometries[0]",
            "a Polygon or MultiPolygon",
            "'GeometryCollection'",
        ),
        (
            {"type": "GeometryCollection", "geometries": []},
            ErrorCode.GEOJSON_MALFORMED,
            None,
            "at least one geometry",
            "[]",
        ),
        (
            {**polygon(SQUARE), "crs": {"type": "name", "properties": {"name": "EPSG:3857"}}},
            ErrorCode.GEOJSON_MALFORMED,
            "crs",
            "WGS-84 longitude and latitude, and no other crs",
            "{'properties': {'name': 'EPSG:3857'}, 'type': 'name'}",
        ),
        (polygon(), ErrorCode.GEOJSON_MALFORMED, "coordinates", "a list of rings", "[]"),
        (
            {"type": "MultiPolygon", "coordinates": []},
            ErrorCode.GEOJSON_MALFORMED,
            "coordinates",
            "a list of polygons",
            "[]",
        ),
        (polygon("0 0"), ErrorCode.GEOJSON_MALFORMED, "coordinates[0]", "a list of positions", "'0 0'"),
        (
            polygon([[0, 0], [1, "0"], [1, 1], [0, 0]]),
            ErrorCode.GEOJSON_MALFORMED,
            "coordinates[0][1]",
            POSITION,
            "[1, '0']",
        ),
        (
            polygon([[0, 0], [1, 0], [True, 1], [0, 0]]),
            ErrorCode.GEOJSON_MALFORMED,
            "coordinates[0][2]",
            POSITION,
            "[True, 1]",
        ),
        (polygon([[0, 0], [1], [1, 1], [0, 0]]), ErrorCode.GEOJSON_MALFORMED, "coordinates[0][1]", POSITION, "[1]"),
        (
            polygon([[0, 0], [1, 0], [1, 90.5], [0, 0]]),
            ErrorCode.GEOJSON_INVALID,
            "coordinates[0][2]",
            RANGE,
            "[1, 90.5]",
        ),
        (
            polygon([[0, 0], [361, 0], [1, 1], [0, 0]]),
            ErrorCode.GEOJSON_INVALID,
            "coordinates[0][1]",
            RANGE,
            "[361, 0]",
        ),
        (
            polygon([[0, 0], [10**400, 0], [1, 1], [0, 0]]),
            ErrorCode.GEOJSON_INVALID,
            "coordinates[0][1]",
            RANGE,
            "[inf, 0]",
        ),
        (
            polygon([[0, 0], [1, 0], [0, 0]]),
            ErrorCode.GEOJSON_INVALID,
            "coordinates[0]",
            "at least 4 positions in a ring",
            "3",
        ),
        (
            polygon(SQUARE, [[0.5, 0.5], [0.5, 1], [1, 1], [1, 0.5]]),
            ErrorCode.GEOJSON_INVALID,
            "coordinates[1]",
            "a ring that ends where it starts, [0.5, 0.5]",
            "[1, 0.5]",
        ),
        (
            polygon([[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]),
            ErrorCode.GEOJSON_INVALID,
            "coordinates",
            VALID,
            "Self-intersection[1 1]",
        ),
        (
            polygon(SQUARE, [[5, 5], [5, 6], [6, 6], [5, 5]]),
            ErrorCode.GEOJSON_INVALID,
            "coordinates",
            VALID,
            "Hole lies outside shell[5 5]",
        ),
        (
            polygon([[0, 80], [120, 80], [-120, 80], [0, 80]]),
            ErrorCode.GEOJSON_INVALID,
            "coordinates[0]",
            "a ring that ends where it starts",
            "one that winds around a pole",
        ),
        (
            polygon([[-200, 0], [-30, 0], [140, 0], [200, 0], [200, 10], [140, 10], [-30, 10], [-200, 10], [-200, 0]]),
            ErrorCode.GEOJSON_INVALID,
            "coordinates[0]",
            "at most 360 degrees of longitude",
            "400",
        ),
        (
            polygon(box(-180, 180)),
            ErrorCode.GEOJSON_INVALID,
            "coordinates",
            VALID,
            "Too few points in geometry component[-180 -10]",
        ),
    ],
)
def test_what_is_no_area_is_refused_at_its_place(
    tmp_path: Path, document: Any, code: ErrorCode, column: str | None, expected: str, found: str
) -> None:
    path = write(tmp_path / "d.geojson", json.dumps(document))
    assert fault_of(read_drawing, path) == Found(code, None, column, expected, found)


@pytest.mark.parametrize(
    ("content", "code", "line", "column", "expected", "found"),
    [
        (b"", ErrorCode.FILE_EMPTY, None, None, "a GeoJSON object", "nothing"),
        (b'{"type":\n "Polygon",,}', ErrorCode.GEOJSON_MALFORMED, 2, "12", "JSON", None),
        (b'{"a": "\n\xff"}', ErrorCode.FILE_FORMAT, 2, None, "UTF-8 text", "byte 0xff"),
        (b"[" * 100_000, ErrorCode.GEOJSON_MALFORMED, None, None, "GeoJSON", "brackets nested hundreds deep"),
        (
            b'{"features": [{"id": 1, "id": 2}]}',
            ErrorCode.GEOJSON_MALFORMED,
            None,
            "features[0]",
            "each key of an object once",
            "'id' twice",
        ),
        (
            b'{"coordinates": [[1, NaN]]}',
            ErrorCode.GEOJSON_MALFORMED,
            None,
            "coordinates[0][1]",
            "a JSON number",
            "NaN or Infinity",
        ),
        (
            b'{"type": "Polygon", "coordinates": ' + b"[" * 900 + b"]" * 900 + b"}",
            ErrorCode.GEOJSON_MALFORMED,
            None,
            "coordinates[0][0]",
            "a position: longitude, latitude",
            "[[[[[[[...]]]]]]]",
        ),
        (
            b'{"type": "Polygon", "coordinates": ' + b"9" * 5000 + b"}",
            ErrorCode.GEOJSON_MALFORMED,
            None,
            "coordinates",
            "a list of rings",
            "inf",
        ),
    ],
)
def test_json_is_read_strictly(
    tmp_path: Path,
    content: bytes,
    code: ErrorCode,
    line: int | None,
    column: str | None,
    expected: str,
    found: str | None,
) -> None:
    fault = fault_of(read_drawing, write(tmp_path / "d.geojson", content))
    assert fault[:4] == (code, line, column, expected)
    assert found in {None, fault.found}


def test_all_wrong_positions_are_told_up_to_a_cap_and_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "d.geojson", json.dumps(polygon([[0, 91 + index] for index in range(50)])))
    told = faults_of(read_drawing, path)
    assert [fault.column for fault in told] == [f"coordinates[0][{index}]" for index in range(20)]
    with pytest.raises(Malformed) as refusal:
        read_drawing(path)
    assert refusal.value.total == 50


def test_a_ring_around_a_pole_is_told_how_to_be_cut(tmp_path: Path) -> None:
    with pytest.raises(Malformed) as refusal:
        drawn(tmp_path, polygon([[0, -80], [-120, -80], [120, -80], [0, -80]]))
    advice = refusal.value.faults[0].next
    assert advice is not None
    assert "RFC 7946" in advice


def test_a_byte_order_mark_before_the_json_is_tolerated(tmp_path: Path) -> None:
    path = write(tmp_path / "d.geojson", "\ufeff" + json.dumps(polygon(SQUARE)))
    assert len(read_drawing(path)) == 1


def test_a_missing_drawing_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as refusal:
        read_drawing(tmp_path / "missing.geojson")
    assert refusal.value.faults[0].file == str(tmp_path / "missing.geojson")


def test_a_drawing_is_looked_for_beside_the_file_that_names_it(tmp_path: Path) -> None:
    assert drawing_path("a/b.geojson", beside=tmp_path / "chips.csv") == tmp_path / "a/b.geojson"
    assert drawing_path(str(tmp_path / "x.geojson"), beside=Path("/elsewhere/chips.csv")) == tmp_path / "x.geojson"
    assert drawing_path("b.geojson", beside=Path("chips.csv")).is_absolute()
