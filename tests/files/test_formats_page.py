"""The page of formats says what the readers do."""

import re
from pathlib import Path

import pytest

from lightbound.errors import Malformed
from lightbound.files import chips, landmarks, measurements
from lightbound.files.chips import read_chips
from lightbound.files.faults import FAULTS_KEPT
from lightbound.files.geojson import MOST_BYTES
from lightbound.files.header import Columns
from lightbound.files.landmarks import GREATEST_POSITION_ERROR_M, read_landmarks
from lightbound.files.lines import LONGEST_LINE_BYTES
from lightbound.files.measurements import read_measurements
from lightbound.geo.areas import GREATEST_RADIUS_KM, parse_area
from tests.files.tables import write

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")


def section(name: str) -> str:
    return PAGE.split(f"\n## {name}\n")[1].split("\n## ")[0]


def example(name: str) -> str:
    (text,) = re.findall(r"```csv\n(.*?)```", section(name), re.DOTALL)
    return str(text)


@pytest.mark.parametrize(
    ("name", "columns"),
    [("Measurements", measurements.COLUMNS), ("Landmarks", landmarks.COLUMNS), ("Chips", chips.COLUMNS)],
)
def test_the_page_lists_exactly_the_columns_that_are_read(name: str, columns: Columns) -> None:
    told = {
        column
        for row in re.findall(r"^\| (`[^|]*) \|", section(name), re.MULTILINE)
        for column in re.findall("`([a-z_]+)`", row)
    }
    assert told == columns.kinds.keys()


def test_the_examples_of_the_page_are_read_together(tmp_path: Path) -> None:
    placed = read_landmarks(write(tmp_path / "l.csv", example("Landmarks")))
    asked = read_chips(write(tmp_path / "c.csv", example("Chips")))
    readings = read_measurements(write(tmp_path / "m.csv", example("Measurements")), landmarks=placed, chips=asked)
    assert readings.round_trip_ns.tolist() == [11_420_000, 163_900_000]
    assert readings.rows_of_unasked_chips == 0


def test_the_parts_of_an_area_that_the_page_lists_are_parts() -> None:
    listed = re.findall(r"^\| (`.*?`) \| ", section("Areas"), re.MULTILINE)
    texts = [text for row in listed for text in re.findall("`([^`]+)`", row)]
    assert len(texts) == 5
    for text in texts:
        if text == "circle(lat,lon,km)":
            with pytest.raises(Malformed):
                parse_area(text)
        else:
            parse_area(text)


def test_the_limits_of_the_page_are_those_of_the_readers() -> None:
    assert f"first {FAULTS_KEPT} by line" in PAGE
    assert LONGEST_LINE_BYTES == 1 << 20
    assert "at most 1 MiB" in PAGE
    assert MOST_BYTES == 64 << 20
    assert "At most 64 MiB" in PAGE
    assert str(GREATEST_POSITION_ERROR_M) in PAGE
    assert f"at most {GREATEST_RADIUS_KM} km" in PAGE
