"""CHIPS: areas by index, each text read once, and what is wrong with one told where it stands."""

from pathlib import Path

import pyarrow as pa
import pytest

from lightbound.errors import ErrorCode, Fault, Malformed
from lightbound.files.chips import chip_columns_ignored, read_chips
from lightbound.files.geojson import drawing_path, read_drawing
from lightbound.geo.areas import Drawing, parse_area
from tests.files.tables import Found, faults_of, write, write_parquet

HEADER = "chip_id,licensed_area,excluded_area"


def test_areas_are_kept_once_and_pointed_at(tmp_path: Path) -> None:
    path = write(tmp_path / "c.csv", f'{HEADER},site\nx,DE,CN+HK,a\ny,,CN+HK,\nz,"circle(1,2,3)",,\nw,CN+HK,DE,b\n')
    chips = read_chips(path)
    assert chips.chip_ids == ("x", "y", "z", "w")
    assert sorted(chips.areas) == ["CN+HK", "DE", "circle(1,2,3)"]
    licensed = [chips.areas[index] if index >= 0 else None for index in chips.licensed]
    excluded = [chips.areas[index] if index >= 0 else None for index in chips.excluded]
    assert licensed == ["DE", None, "circle(1,2,3)", "CN+HK"]
    assert excluded == ["CN+HK", "CN+HK", None, "DE"]
    assert chip_columns_ignored(path) == ("site",)


def test_nulls_of_parquet_ask_no_question(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "c.parquet",
        {
            "chip_id": ["a", "b"],
            "licensed_area": pa.nulls(2),
            "excluded_area": pa.array([None, "CN"], pa.string_view()),
        },
    )
    chips = read_chips(path)
    assert chips.licensed.tolist() == [-1, -1]
    assert chips.excluded.tolist() == [-1, 0]
    assert chips.areas == ("CN",)


def test_each_area_that_is_wrong_is_told_in_every_row_that_has_it(tmp_path: Path) -> None:
    path = write(tmp_path / "c.csv", f'{HEADER}\na,cn,"circle(99,1,1)"\nb,DE,cn\n,,\na,CN,\n')
    code = "a country code such as DE or NE-PGA"
    assert faults_of(read_chips, path) == [
        Found(ErrorCode.AREA_MALFORMED, 2, "licensed_area", code, "'cn'"),
        Found(ErrorCode.AREA_MALFORMED, 2, "excluded_area", "a latitude from -90 to 90 degrees", "99.0"),
        Found(ErrorCode.AREA_MALFORMED, 3, "excluded_area", code, "'cn'"),
        Found(ErrorCode.VALUE_MISSING, 4, "chip_id", "a value", "none"),
        Found(ErrorCode.DUPLICATE, 5, "chip_id", "each chip_id once", "'a', which line 2 has"),
    ]


def test_faults_past_the_cap_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "c.csv", f"{HEADER}\n" + "".join(f"c{row},XXX,\n" for row in range(300)))
    with pytest.raises(Malformed) as refusal:
        read_chips(path)
    assert refusal.value.total == 300
    assert [fault.line for fault in refusal.value.faults] == list(range(2, 22))


def test_each_text_is_made_once_in_the_order_of_the_areas(tmp_path: Path) -> None:
    made: list[str] = []
    path = write(tmp_path / "c.csv", f"{HEADER}\na,DE,CN\nb,FR,CN\nc,DE,FR\n")
    assert read_chips(path, make=made.append).areas == tuple(made)
    assert sorted(made) == ["CN", "DE", "FR"]


def test_what_the_maker_of_areas_refuses_is_told_at_the_row(tmp_path: Path) -> None:
    def make(text: str) -> None:
        if text == "ZZ":
            raise Malformed(Fault(code=ErrorCode.UNKNOWN_COUNTRY, expected="a known code", found="'ZZ'"))

    path = write(tmp_path / "c.csv", f"{HEADER}\na,DE,ZZ\n")
    assert faults_of(lambda path: read_chips(path, make=make), path) == [
        Found(ErrorCode.UNKNOWN_COUNTRY, 2, "excluded_area", "a known code", "'ZZ'")
    ]


def test_a_drawing_that_is_wrong_is_told_in_its_own_file_and_at_each_row_that_names_it(tmp_path: Path) -> None:
    drawing = write(tmp_path / "site.geojson", '{"type": "Point"}')
    path = write(tmp_path / "c.csv", f"{HEADER}\na,@site.geojson,CN\nb,@site.geojson,DE|@site.geojson\n")

    def make(text: str) -> None:
        for part in parse_area(text):
            if isinstance(part, Drawing):
                read_drawing(drawing_path(part.path, beside=path), part.feature)

    with pytest.raises(Malformed) as refusal:
        read_chips(path, make=make)
    inside, *rows = refusal.value.faults
    assert (inside.file, inside.expected, inside.found) == (str(drawing), "a Polygon or MultiPolygon", "'Point'")
    assert [(fault.file, fault.line, fault.column, fault.found, fault.next) for fault in rows] == [
        (str(path), 2, "licensed_area", "'@site.geojson'", f"repair {drawing}"),
        (str(path), 3, "licensed_area", "'@site.geojson'", f"repair {drawing}"),
        (str(path), 3, "excluded_area", "'DE|@site.geojson'", f"repair {drawing}"),
    ]
    assert refusal.value.total == 4
