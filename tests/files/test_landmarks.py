"""LANDMARKS: places, what makes them impossible, and who stands for them."""

from pathlib import Path

import pyarrow as pa
import pytest

from lightbound.errors import ErrorCode
from lightbound.files.landmarks import landmark_columns_ignored, read_landmarks
from lightbound.geo.earth import Position
from lightbound.ranging.readings import Landmark
from tests.files.tables import Found, fault_of, faults_of, write, write_parquet

HEADER = "landmark_id,latitude,longitude,position_error_m,fault_unit,country"
ID = "printable text of 1 to 128 characters, without a space at either end"


def test_all_columns_are_read_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = f"{HEADER},city\nb,-90,180,0,u1,DE,x\na é,47.5,-1.5e1,20037508,u 2,,y\n"
    path = write(tmp_path / "l.csv", text)
    assert read_landmarks(path) == (
        Landmark(landmark_id="b", position=Position(-90.0, 180.0), position_error_m=0.0, fault_unit="u1", country="DE"),
        Landmark(landmark_id="a é", position=Position(47.5, -15.0), position_error_m=20_037_508.0, fault_unit="u 2"),
    )
    assert landmark_columns_ignored(path) == ("city",)


def test_whole_numbers_of_parquet_are_positions_too(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "l.parquet",
        {
            "landmark_id": pa.array(["a", "b"]).dictionary_encode(),
            "latitude": pa.array([1, 2], pa.int8()),
            "longitude": [3.5, 4.5],
            "position_error_m": pa.array([5, 6], pa.uint64()),
            "country": pa.nulls(2),
        },
    )
    assert read_landmarks(path) == (
        Landmark(landmark_id="a", position=Position(1.0, 3.5), position_error_m=5.0),
        Landmark(landmark_id="b", position=Position(2.0, 4.5), position_error_m=6.0),
    )


@pytest.mark.parametrize(
    ("column", "value", "code", "expected"),
    [
        ("landmark_id", "", ErrorCode.VALUE_MISSING, "a value"),
        ("landmark_id", "b\x7f", ErrorCode.VALUE_MALFORMED, ID),
        ("latitude", "", ErrorCode.VALUE_MISSING, "a value"),
        ("latitude", "90.0001", ErrorCode.VALUE_OUT_OF_RANGE, "a number of degrees from -90 to 90"),
        ("latitude", "nan", ErrorCode.VALUE_MALFORMED, "a number of degrees from -90 to 90"),
        ("latitude", "48°N", ErrorCode.VALUE_MALFORMED, "a number of degrees from -90 to 90"),
        ("longitude", "-180.5", ErrorCode.VALUE_OUT_OF_RANGE, "a number of degrees from -180 to 180"),
        ("longitude", "8,5", ErrorCode.VALUE_MALFORMED, "a number of degrees from -180 to 180"),
        ("position_error_m", "-1", ErrorCode.VALUE_OUT_OF_RANGE, "a number of metres from 0 to 20037508"),
        ("position_error_m", "20037508.5", ErrorCode.VALUE_OUT_OF_RANGE, "a number of metres from 0 to 20037508"),
        ("position_error_m", "1e999", ErrorCode.VALUE_OUT_OF_RANGE, "a number of metres from 0 to 20037508"),
        ("position_error_m", "inf", ErrorCode.VALUE_MALFORMED, "a number of metres from 0 to 20037508"),
        ("position_error_m", "20 km", ErrorCode.VALUE_MALFORMED, "a number of metres from 0 to 20037508"),
        ("fault_unit", "", ErrorCode.VALUE_MISSING, "a value in every row of this column, or in none"),
        ("fault_unit", "u ", ErrorCode.VALUE_MALFORMED, ID),
        ("country", "de", ErrorCode.VALUE_MALFORMED, "two capital letters (ISO 3166-1 alpha-2), or nothing"),
        ("country", "DEU", ErrorCode.VALUE_MALFORMED, "two capital letters (ISO 3166-1 alpha-2), or nothing"),
    ],
)
def test_a_wrong_value_is_refused_at_its_place(
    tmp_path: Path, column: str, value: str, code: ErrorCode, expected: str
) -> None:
    row = {
        "landmark_id": "b",
        "latitude": "1",
        "longitude": "2",
        "position_error_m": "3",
        "fault_unit": "u",
        "country": "DE",
    }
    bad = ",".join(f'"{given}"' for given in (row | {column: value}).values())
    path = write(tmp_path / "l.csv", f"{HEADER}\na,1,2,3,u,DE\n{bad}\n")
    assert fault_of(read_landmarks, path) == Found(code, 3, column, expected, repr(value) if value else "none")


def test_a_landmark_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "l.csv", f"{HEADER}\na,1,2,3,u,\nb,1,2,3,u,\n\na,4,5,6,u,\na,1,2,3,u,\n")
    assert faults_of(read_landmarks, path) == [
        Found(ErrorCode.DUPLICATE, 5, "landmark_id", "each landmark_id once", "'a', which line 2 has"),
        Found(ErrorCode.DUPLICATE, 6, "landmark_id", "each landmark_id once", "'a', which line 2 has"),
    ]


def test_names_in_use_elsewhere_are_told_what_they_are_called_here(tmp_path: Path) -> None:
    path = write(tmp_path / "l.csv", "id,lat,lng,position_error_km\na,1,2,3\n")
    found = faults_of(read_landmarks, path)
    assert [(fault.code, fault.expected) for fault in found] == [
        (ErrorCode.COLUMN_MISSING, "a column landmark_id"),
        (ErrorCode.COLUMN_MISSING, "a column latitude"),
        (ErrorCode.COLUMN_MISSING, "a column longitude"),
        (ErrorCode.COLUMN_MISSING, "a column position_error_m"),
        (ErrorCode.COLUMN_UNKNOWN, "landmark_id"),
        (ErrorCode.COLUMN_UNKNOWN, "latitude"),
        (ErrorCode.COLUMN_UNKNOWN, "longitude"),
        (ErrorCode.COLUMN_UNKNOWN, "position_error_m"),
    ]
