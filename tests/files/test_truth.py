"""A file of truths is read as a whole or refused with the place of every fault."""

from pathlib import Path

import numpy as np
import pytest

from lightbound.errors import ErrorCode
from lightbound.files.truth import read_truths, truth_columns_ignored
from lightbound.geo.areas import parse_area
from lightbound.geo.earth import Position
from tests.files.tables import fault_of, faults_of, write

HEAD = "chip_id,latitude,longitude,position_error_m,licensed_area,excluded_area\n"


def _read(path: Path) -> object:
    return read_truths(path, make=parse_area)


def test_what_is_read_is_what_is_written(tmp_path: Path) -> None:
    path = write(tmp_path / "truth.csv", HEAD + 'a,1.5,-2.25,100,"circle(1,2,3)",CN\nb,-90,180,0,,CN\nc,0,0,1e3,DE,\n')
    truths = read_truths(path, make=parse_area)
    assert truths.chips.chip_ids == ("a", "b", "c")
    assert truths.positions == (Position(1.5, -2.25), Position(-90, 180), Position(0, 0))
    assert truths.position_error_m.tolist() == [100, 0, 1000]
    assert truths.chips.areas == ("circle(1,2,3)", "DE", "CN")
    assert truths.chips.licensed.tolist() == [0, -1, 1]
    assert truths.chips.excluded.tolist() == [2, 2, -1]


def test_a_chip_may_truly_be_where_it_must_not_be(tmp_path: Path) -> None:
    path = write(tmp_path / "truth.csv", HEAD + "a,30,114,100,CN,CN\n")
    assert np.array_equal(read_truths(path, make=parse_area).chips.licensed, [0])


def test_every_fault_is_told_with_its_place(tmp_path: Path) -> None:
    path = write(
        tmp_path / "truth.csv",
        HEAD + "a,91,0,1,DE,CN\na,0,181,1,DE,CN\nb,0,0,-1,nonsense,CN\n,0,0,NaN,DE,CN\nc,,0,1,DE,CN\n",
    )
    assert [(found.code, found.line, found.column) for found in faults_of(_read, path)] == [
        (ErrorCode.VALUE_OUT_OF_RANGE, 2, "latitude"),
        (ErrorCode.DUPLICATE, 3, "chip_id"),
        (ErrorCode.VALUE_OUT_OF_RANGE, 3, "longitude"),
        (ErrorCode.VALUE_OUT_OF_RANGE, 4, "position_error_m"),
        (ErrorCode.AREA_MALFORMED, 4, "licensed_area"),
        (ErrorCode.VALUE_MISSING, 5, "chip_id"),
        (ErrorCode.VALUE_MALFORMED, 5, "position_error_m"),
        (ErrorCode.VALUE_MISSING, 6, "latitude"),
    ]


@pytest.mark.parametrize("missing", HEAD.strip().split(","))
def test_every_column_must_be_there(tmp_path: Path, missing: str) -> None:
    head = ",".join(name for name in HEAD.strip().split(",") if name != missing)
    found = fault_of(_read, write(tmp_path / "truth.csv", head + "\na,0,0,1,DE\n"))
    assert (found.code, found.column) == (ErrorCode.COLUMN_MISSING, missing)


def test_columns_of_one_s_own_are_told_and_misspellings_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "truth.csv", HEAD.replace("\n", ",city\n") + "a,0,0,1,DE,CN,Berlin\n")
    assert truth_columns_ignored(path) == ("city",)
    wrong = write(tmp_path / "wrong.csv", HEAD.replace("latitude", "lat") + "a,0,0,1,DE,CN\n")
    assert {found.code for found in faults_of(_read, wrong)} == {ErrorCode.COLUMN_MISSING, ErrorCode.COLUMN_UNKNOWN}
