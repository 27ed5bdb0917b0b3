"""What the packaged borders are, what docs/borders.md says of them, and how they are read."""

import hashlib
import itertools
import json
import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pytest
import shapely
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from lightbound.errors import ErrorCode, Malformed
from lightbound.geo.borders import DRAWN_ELSEWHERE, Borders, packaged_borders, read_borders
from tests.geo.drawn import DATA, PAGE, PLACES, point, rows, shapes_by_code
from tests.house import tree

ISO_3166_1: Final = frozenset(re.findall("..", """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR
    GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO
    JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR
    MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO
    RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV
    TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
""".replace(" ", "").replace("\n", "")))  # fmt: skip
"""The 249 officially assigned alpha-2 codes of ISO 3166-1."""


def _numbers(text: str) -> float:
    return float(text.replace(",", ""))


MISSING: Final = rows("### Codes that are missing")
NOBODYS: Final = rows("### Places under no code")
LEFT_OUT: Final = rows("## How exact the lines are")


@pytest.fixture(scope="module")
def borders() -> Borders:
    return packaged_borders()


@pytest.fixture(scope="module")
def shapes() -> Mapping[str, BaseGeometry]:
    return shapes_by_code()


def _holders(shapes: Mapping[str, BaseGeometry], latitude: float, longitude: float) -> list[str]:
    return [code for code, shape in shapes.items() if shapely.intersects_xy(shape, longitude, latitude)]


def _metres_to(shape: BaseGeometry, latitude: float, longitude: float) -> float:
    """Geodesic distance to the nearest border, to a few metres."""
    at = shapely.get_coordinates(shapely.segmentize(shape.boundary, 0.005))
    rough = np.hypot((at[:, 0] - longitude) * np.cos(np.radians((at[:, 1] + latitude) / 2)), at[:, 1] - latitude)
    nearest = at[np.argsort(rough)[:400]]
    return min(float(Geodesic.WGS84.Inverse(latitude, longitude, y, x)["s12"]) for x, y in nearest)


# -- what the page says -------------------------------------------------------------------------------------------


def test_the_page_names_the_packaged_map(borders: Borders) -> None:
    features = json.loads((DATA / "borders.json").read_bytes())["features"]
    assert dict(rows("## The map")) == {
        "name": borders.name,
        "version": borders.version,
        "viewpoint": borders.viewpoint,
        "sha256": borders.sha256,
        "codes": str(len(borders.codes)),
        "features": str(len(features)),
        "licence": "public domain",
    }


def test_codes_are_iso_3166_and_kosovo_and_the_six_that_the_page_lists(borders: Borders) -> None:
    own = {row[0] for row in rows("## Codes")}
    assert len(ISO_3166_1) == 249
    assert set(borders.codes) == (ISO_3166_1 - DRAWN_ELSEWHERE.keys()) | {"XK"} | own


def test_the_page_lists_the_codes_that_are_missing() -> None:
    assert {row[0]: (row[2], row[1]) for row in MISSING} == dict(DRAWN_ELSEWHERE)


@pytest.mark.parametrize("row", MISSING, ids=lambda row: row[0])
def test_a_place_without_a_code_is_drawn_under_the_one_named_instead(
    shapes: Mapping[str, BaseGeometry], row: list[str]
) -> None:
    _, _, code, where = row
    assert _holders(shapes, *point(where)) == [code]


@pytest.mark.parametrize("row", PLACES, ids=lambda row: row[0])
def test_a_place_is_drawn_under_the_code_that_the_page_says(shapes: Mapping[str, BaseGeometry], row: list[str]) -> None:
    _, where, code, _ = row
    assert _holders(shapes, *point(where)) == ([] if code == "nobody" else [code])


def test_codes_that_hold_several_features_are_those_that_the_page_names() -> None:
    features = json.loads((DATA / "borders.json").read_bytes())["features"]
    together: dict[str, set[str]] = {}
    for feature in features:
        together.setdefault(feature["code"], set()).add(feature["name"])
    assert {code: names for code, names in together.items() if len(names) > 1} == {
        "AU": {"Australia", "Coral Sea Is.", "Ashmore and Cartier Is.", "Indian Ocean Ter."},
        "BR": {"Brazil", "Brazilian Island"},
        "FR": {"France", "Clipperton I."},
    }


def test_no_code_of_china_hong_kong_macao_and_taiwan_holds_land_of_another(shapes: Mapping[str, BaseGeometry]) -> None:
    for left, right in itertools.combinations(("CN", "HK", "MO", "TW"), 2):
        assert shapes[left].intersection(shapes[right]).area == 0


@pytest.mark.long
def test_land_of_nobody_between_neighbours_is_what_the_page_lists(shapes: Mapping[str, BaseGeometry]) -> None:
    holes = [ring for part in shapely.get_parts(shapely.union_all([*shapes.values()])) for ring in part.interiors]
    found = []
    for ring in holes:
        polygon = Geodesic.WGS84.Polygon()
        for x, y in shapely.get_coordinates(ring)[:-1]:
            polygon.AddPoint(y, x)
        found.append((abs(polygon.Compute()[2]) / 1e6, shapely.Polygon(ring)))
    caspian, *land = sorted(found, key=lambda item: -item[0])
    assert caspian[1].contains(shapely.Point(50.8, 41.8))
    told = [(place, _numbers(km2)) for place, km2 in NOBODYS]
    points = {place: point(where) for place, where, code, _ in PLACES if code == "nobody"}
    for (km2, shape), (place, told_km2) in zip(land, told, strict=False):
        assert km2 == pytest.approx(told_km2, rel=0.01, abs=0.1)
        near = re.search(r"near (.*)$", place)
        latitude, longitude = point(near[1]) if near else points[place]
        assert shape.contains(shapely.Point(longitude, latitude)), place
    assert all(km2 < 1 for km2, _ in land[len(told) :])


def test_the_circle_that_the_page_gives_holds_all_the_paracel_islands() -> None:
    circle = re.search(r"`CN\|circle\(([^)]*)\)`", (tree.ROOT / PAGE).read_text(encoding="utf-8"))
    assert circle
    latitude, longitude, km = map(float, circle[1].split(","))
    # Triton, Bombay Reef, Lincoln, North Reef: the outermost in the south-west, south-east, east and north.
    for at in ((15.783, 111.202), (16.05, 112.50), (16.668, 112.73), (17.10, 111.50)):
        assert Geodesic.WGS84.Inverse(latitude, longitude, *at)["s12"] < 1000 * km - 5000


def test_the_circle_that_the_page_gives_holds_all_crimea() -> None:
    circle = re.search(r"`RU\|circle\(([^)]*)\)`", (tree.ROOT / PAGE).read_text(encoding="utf-8"))
    assert circle
    latitude, longitude, km = map(float, circle[1].split(","))
    # Capes Tarkhankut and Sarych, Kerch, the Perekop isthmus, the north of the Arabat Spit.
    for at in ((45.35, 32.48), (44.38, 33.74), (45.35, 36.65), (46.20, 33.67), (46.17, 34.80)):
        assert Geodesic.WGS84.Inverse(latitude, longitude, *at)["s12"] < 1000 * km - 5000


def test_china_as_drawn_ends_in_hainan_and_is_1968_km_from_singapore(shapes: Mapping[str, BaseGeometry]) -> None:
    assert round(shapes["CN"].bounds[1], 2) == 18.17
    assert round(_metres_to(shapes["CN"], 1.29, 103.85) / 1000) == 1968
    assert round(Geodesic.WGS84.Inverse(1.29, 103.85, 15.775, 111.20)["s12"] / 1000) == 1794


@pytest.mark.parametrize("row", LEFT_OUT, ids=lambda row: row[0])
def test_land_that_is_left_out_is_as_far_from_its_country_as_the_page_says(
    shapes: Mapping[str, BaseGeometry], row: list[str]
) -> None:
    _, code, where, metres = row
    assert _holders(shapes, *point(where)) == []
    assert _metres_to(shapes[code], *point(where)) == pytest.approx(_numbers(metres), abs=20)


def test_singapore_is_drawn_as_its_main_island_alone(borders: Borders) -> None:
    assert len(borders.polygons("SG")) == 1


# -- what the files are -------------------------------------------------------------------------------------------


@pytest.mark.long
def test_no_two_codes_overlap_and_all_polygons_are_valid(shapes: Mapping[str, BaseGeometry]) -> None:
    assert [code for code, shape in shapes.items() if not shape.is_valid] == []
    codes, geometries = [*shapes], [*shapes.values()]
    pairs = shapely.STRtree(geometries).query(geometries, predicate="intersects").T
    overlapping = [
        (codes[left], codes[right])
        for left, right in pairs
        if left < right and shapely.relate_pattern(geometries[left], geometries[right], "T********")
    ]
    assert overlapping == []


def test_rings_are_closed_directed_in_the_frame_and_read_only(borders: Borders) -> None:
    for code in borders.codes:
        for polygon in borders.polygons(code):
            for place, ring in enumerate(polygon):
                assert ring.dtype == np.float64
                assert ring.shape[1] == 2
                assert len(ring) >= 4
                assert (ring[0] == ring[-1]).all()
                assert (np.abs(ring) <= [180, 90]).all()
                assert not ring.flags.writeable
                assert shapely.LinearRing(ring).is_ccw == (place == 0)


def test_no_point_is_nearly_on_the_antimeridian_or_a_pole(borders: Borders) -> None:
    points = np.vstack([ring for code in borders.codes for polygon in borders.polygons(code) for ring in polygon])
    gaps = np.abs(np.abs(points) - [180, 90])
    assert not ((gaps > 0) & (gaps <= 1e-6)).any()
    assert (gaps == 0).any(axis=0).all()


def test_coordinates_are_whole_units_of_a_ten_millionth_of_a_degree(borders: Borders) -> None:
    ring = borders.polygons("DE")[0][0]
    assert (ring == np.round(ring * 1e7) / 1e7).all()


def test_every_code_has_a_name_and_france_is_not_named_after_its_atoll(borders: Borders) -> None:
    assert set(borders.names) == set(borders.codes)
    assert borders.names["FR"] == "France"
    assert borders.names["HK"] == "Hong Kong"


def test_packaged_borders_are_read_once() -> None:
    assert packaged_borders() is packaged_borders()


# -- asking for what is not there ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "advice"),
    [
        ("GF", "French Guiana as part of FR: write FR"),
        ("sj", "Svalbard and Jan Mayen as part of NO: write NO"),
        ("cn", "write CN (China)"),
        ("CHN", "write CN (China)"),
        ("NE-CHN", "write CN (China)"),
        ("NE-KOS", "write XK (Kosovo)"),
        ("PGA", "write NE-PGA (Spratly Is.)"),
        ("UK", "write GB (United Kingdom)"),
        ("EL", "write GR (Greece)"),
        ("NE-PGX", "NE-PGA (Spratly Is.)"),
        ("99", "docs/borders.md"),
        ("", "docs/borders.md"),
    ],
)
def test_an_unknown_code_is_refused_with_what_to_write_instead(borders: Borders, asked: str, advice: str) -> None:
    with pytest.raises(Malformed) as refused:
        borders.polygons(asked)
    (fault,) = refused.value.faults
    assert fault.code == ErrorCode.UNKNOWN_COUNTRY
    assert advice in (fault.next or "")


@pytest.mark.parametrize("code", sorted(DRAWN_ELSEWHERE))
def test_a_missing_iso_code_is_never_widened_silently(borders: Borders, code: str) -> None:
    with pytest.raises(Malformed, match=f"write {DRAWN_ELSEWHERE[code][0]},"):
        borders.polygons(code)


@given(asked=st.text())
def test_any_text_is_a_code_or_malformed(asked: str) -> None:
    borders = packaged_borders()
    if asked in borders.codes:
        assert borders.polygons(asked)
    else:
        with pytest.raises(Malformed):
            borders.polygons(asked)


# -- files that are not what they should be -----------------------------------------------------------------------


def _refusal(manifest: bytes, polygons: bytes) -> str:
    with pytest.raises(Malformed) as refused:
        read_borders(manifest, polygons)
    (fault,) = refused.value.faults
    assert fault.code == ErrorCode.BORDERS_CORRUPT
    return str(fault)


@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_one_changed_bit_of_the_polygons_is_refused(place: float, bit: int) -> None:
    polygons = bytearray((DATA / "borders.npz").read_bytes())
    polygons[int(place * len(polygons))] ^= 1 << bit
    assert "expected sha256" in _refusal((DATA / "borders.json").read_bytes(), bytes(polygons))


@given(manifest=st.binary() | st.sampled_from([b"[]", b"{}", b"null", b'{"format": 1}', b'{"format": "x/1"}']))
def test_a_manifest_of_any_bytes_is_refused(manifest: bytes) -> None:
    assert "borders.json" in _refusal(manifest, b"")


def _manifest(polygons: bytes, **changed: Any) -> bytes:
    told = json.loads((DATA / "borders.json").read_bytes())
    return json.dumps({**told, "sha256": hashlib.sha256(polygons).hexdigest(), **changed}).encode()


def test_polygons_that_are_no_archive_are_refused_although_their_hash_agrees() -> None:
    assert "borders.npz" in _refusal(_manifest(b"PK"), b"PK")
    assert "borders.npz" in _refusal(_manifest(b""), b"")


def test_a_manifest_with_a_code_too_few_is_refused() -> None:
    polygons = (DATA / "borders.npz").read_bytes()
    features = json.loads((DATA / "borders.json").read_bytes())["features"]
    assert "borders.npz" in _refusal(_manifest(polygons, features=features[1:]), polygons)
