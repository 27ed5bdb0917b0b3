"""MEASUREMENTS: each thing that can be wrong with a row, and the columns that come of right ones."""

from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lightbound.errors import ErrorCode, Malformed
from lightbound.files.measurements import measurement_columns_ignored, read_measurements
from lightbound.ranging.readings import Chips
from tests.files.tables import CHIPS, LANDMARKS, Found, fault_of, faults_of, write, write_parquet

read = partial(read_measurements, landmarks=LANDMARKS, chips=CHIPS)

ID = "printable text of 1 to 128 characters, without a space at either end"
MS = "a number of milliseconds above 0 and up to 3600000"
NS = "a whole number of nanoseconds from 1 to 3600000000000"
INSTANT = "an instant such as 2026-03-01T12:00:00.5Z (RFC 3339, 1970 to 2199, up to nanoseconds)"
FILLED = "a value in every row of this column, or in none"


def test_all_columns_are_read(tmp_path: Path) -> None:
    text = (
        "landmark_id,chip_id,round_trip_ns,measured_at,samples,clock_error_ns,session_id\n"
        "lm-b,chip-1,1000,2026-03-01T12:00:00.000000001Z,3,0,s1\n"
        "lm-a,chip-9,2000,2026-03-01T12:00:00Z,1,5,s2\n"
        "lm-a,chip-2,3600000000000,2026-03-01 13:30:00+01:30,1,7,s1\n"
    )
    readings = read(write(tmp_path / "m.csv", text))
    assert readings.landmark.tolist() == [1, 0]
    assert readings.chip.tolist() == [0, 1]
    assert readings.round_trip_ns.tolist() == [1000, 3_600_000_000_000]
    noon_ns = 1_772_366_400_000_000_000
    assert readings.measured_at_ns is not None
    assert readings.measured_at_ns.tolist() == [noon_ns + 1, noon_ns]
    assert readings.clock_error_ns is not None
    assert readings.clock_error_ns.tolist() == [0, 7]
    assert readings.session is not None
    assert [readings.session_ids[index] for index in readings.session] == ["s1", "s1"]
    assert readings.rows_of_unasked_chips == 1
    assert readings.landmark.dtype == readings.chip.dtype == readings.session.dtype == np.int32
    assert readings.round_trip_ns.dtype == readings.measured_at_ns.dtype == readings.clock_error_ns.dtype == np.int64


def test_columns_that_are_empty_throughout_say_nothing(tmp_path: Path) -> None:
    text = "landmark_id,chip_id,round_trip_ns,measured_at,clock_error_ns,session_id\nlm-a,chip-1,5,,,\n"
    readings = read(write(tmp_path / "m.csv", text))
    assert readings.measured_at_ns is readings.clock_error_ns is readings.session is None
    assert readings.session_ids == ()


@pytest.mark.parametrize(
    ("column", "value", "code", "expected"),
    [
        ("landmark_id", "", ErrorCode.VALUE_MISSING, "a value"),
        ("landmark_id", "lm-x", ErrorCode.UNKNOWN_LANDMARK, "a landmark of the landmarks file"),
        ("landmark_id", "lm-a ", ErrorCode.VALUE_MALFORMED, ID),
        ("chip_id", "", ErrorCode.VALUE_MISSING, "a value"),
        ("chip_id", " chip-1", ErrorCode.VALUE_MALFORMED, ID),
        ("chip_id", "chip\u200b1", ErrorCode.VALUE_MALFORMED, ID),
        ("chip_id", "c" * 129, ErrorCode.VALUE_MALFORMED, ID),
        ("round_trip_ms", "", ErrorCode.VALUE_MISSING, "a value"),
        ("round_trip_ms", "0", ErrorCode.VALUE_OUT_OF_RANGE, MS),
        ("round_trip_ms", "0.0000000", ErrorCode.VALUE_OUT_OF_RANGE, MS),
        ("round_trip_ms", "-0.5", ErrorCode.VALUE_OUT_OF_RANGE, MS),
        ("round_trip_ms", "3600000.0000001", ErrorCode.VALUE_OUT_OF_RANGE, MS),
        ("round_trip_ms", "3600000.00000000000000000000000000001", ErrorCode.VALUE_OUT_OF_RANGE, MS),
        ("round_trip_ms", "99999999999999999999999999", ErrorCode.VALUE_OUT_OF_RANGE, MS),
        ("round_trip_ms", "1e999", ErrorCode.VALUE_OUT_OF_RANGE, MS),
        ("round_trip_ms", "nan", ErrorCode.VALUE_MALFORMED, MS),
        ("round_trip_ms", "NaN", ErrorCode.VALUE_MALFORMED, MS),
        ("round_trip_ms", "inf", ErrorCode.VALUE_MALFORMED, MS),
        ("round_trip_ms", "0x1p3", ErrorCode.VALUE_MALFORMED, MS),
        ("round_trip_ms", "1_000", ErrorCode.VALUE_MALFORMED, MS),
        ("round_trip_ms", "'1'000", ErrorCode.VALUE_MALFORMED, MS),
        ("round_trip_ms", "1 ms", ErrorCode.VALUE_MALFORMED, MS),
        ("round_trip_ms", " 1", ErrorCode.VALUE_MALFORMED, MS),
        ("round_trip_ms", "1.", ErrorCode.VALUE_MALFORMED, MS),
        ("round_trip_ms", ".5", ErrorCode.VALUE_MALFORMED, MS),
        ("round_trip_ms", "١٢", ErrorCode.VALUE_MALFORMED, MS),
        ("round_trip_ns", "0", ErrorCode.VALUE_OUT_OF_RANGE, NS),
        ("round_trip_ns", "-1", ErrorCode.VALUE_OUT_OF_RANGE, NS),
        ("round_trip_ns", "3600000000001", ErrorCode.VALUE_OUT_OF_RANGE, NS),
        ("round_trip_ns", "9" * 40, ErrorCode.VALUE_OUT_OF_RANGE, NS),
        ("round_trip_ns", "1.0", ErrorCode.VALUE_MALFORMED, NS),
        ("round_trip_ns", "1e6", ErrorCode.VALUE_MALFORMED, NS),
        ("round_trip_ns", "0x10", ErrorCode.VALUE_MALFORMED, NS),
        ("measured_at", "2026-03-01T12:00:00", ErrorCode.VALUE_MALFORMED, INSTANT),
        ("measured_at", "2026-03-01", ErrorCode.VALUE_MALFORMED, INSTANT),
        ("measured_at", "2026-02-30T12:00:00Z", ErrorCode.VALUE_MALFORMED, INSTANT),
        ("measured_at", "2026-03-01T24:00:00Z", ErrorCode.VALUE_MALFORMED, INSTANT),
        ("measured_at", "2026-03-01T12:00:60Z", ErrorCode.VALUE_MALFORMED, INSTANT),
        ("measured_at", "2026-03-01T12:00:00.0123456789Z", ErrorCode.VALUE_MALFORMED, INSTANT),
        ("measured_at", "2026-03-01T12:00:00+24:00", ErrorCode.VALUE_MALFORMED, INSTANT),
        ("measured_at", "1772366400", ErrorCode.VALUE_MALFORMED, INSTANT),
        ("measured_at", "1969-12-31T23:59:59Z", ErrorCode.VALUE_MALFORMED, INSTANT),
        ("measured_at", "2200-01-01T00:00:00Z", ErrorCode.VALUE_MALFORMED, INSTANT),
        ("measured_at", "", ErrorCode.VALUE_MISSING, FILLED),
        ("samples", "0", ErrorCode.VALUE_OUT_OF_RANGE, "a whole number from 1 to 1000000000"),
        ("samples", "many", ErrorCode.VALUE_MALFORMED, "a whole number from 1 to 1000000000"),
        ("samples", "", ErrorCode.VALUE_MISSING, FILLED),
        ("clock_error_ns", "-1", ErrorCode.VALUE_OUT_OF_RANGE, NS.replace("from 1", "from 0")),
        ("clock_error_ns", "3600000000001", ErrorCode.VALUE_OUT_OF_RANGE, NS.replace("from 1", "from 0")),
        ("clock_error_ns", "1.5", ErrorCode.VALUE_MALFORMED, NS.replace("from 1", "from 0")),
        ("clock_error_ns", "", ErrorCode.VALUE_MISSING, FILLED),
        ("session_id", "", ErrorCode.VALUE_MISSING, FILLED),
        ("session_id", "s ", ErrorCode.VALUE_MALFORMED, ID),
    ],
)
def test_a_wrong_value_is_refused_at_its_place(
    tmp_path: Path, column: str, value: str, code: ErrorCode, expected: str
) -> None:
    right = {
        "landmark_id": "lm-a",
        "chip_id": "chip-1",
        "round_trip_ns" if column == "round_trip_ns" else "round_trip_ms": "12",
        "measured_at": "2026-03-01T12:00:00Z",
        "samples": "4",
        "clock_error_ns": "0",
        "session_id": "s1",
    }
    header, good, bad = ",".join(right), ",".join(right.values()), ",".join((right | {column: value}).values())
    path = write(tmp_path / "m.csv", f"{header}\n{good}\n\n{bad}\n{good}\n")
    shown = "none" if not value else repr(value[:60]) + ("..." if len(value) > 60 else "")
    assert fault_of(read, path) == Found(code, 4, column, expected, shown)


def test_all_faults_of_all_columns_are_told_by_line_and_counted(tmp_path: Path) -> None:
    rows = ["lm-a,chip-1,5"] * 5 + ["lm-x,chip-1,0"] * 40 + ["lm-a,chip-1,5"] * 5
    path = write(tmp_path / "m.csv", "landmark_id,chip_id,round_trip_ms\n" + "\n".join(rows) + "\n")
    with pytest.raises(Malformed) as refusal:
        read(path)
    assert refusal.value.total == 80
    told = faults_of(read, path)
    assert [fault.line for fault in told] == [line for line in range(7, 17) for _ in range(2)]
    assert {fault.column for fault in told} == {"landmark_id", "round_trip_ms"}


def test_the_first_faults_are_told_also_when_a_later_column_has_them(tmp_path: Path) -> None:
    rows = ["lm-a,chip-1,0"] + ["lm-x,chip-1,5"] * 200
    told = faults_of(read, write(tmp_path / "m.csv", "landmark_id,chip_id,round_trip_ms\n" + "\n".join(rows)))
    assert (told[0].line, told[0].column) == (2, "round_trip_ms")
    assert len(told) == 20


@pytest.mark.parametrize(
    ("header", "code", "column"),
    [
        ("chip_id,round_trip_ns", ErrorCode.COLUMN_MISSING, "landmark_id"),
        ("landmark_id,chip_id", ErrorCode.COLUMN_MISSING, None),
        ("landmark_id,chip_id,round_trip_ns,round_trip_ms", ErrorCode.COLUMN_CONFLICT, "round_trip_ms"),
        ("landmark_id,chip_id,round_trip_ns,chip_id", ErrorCode.COLUMN_CONFLICT, "chip_id"),
        ("landmark_id,chip_id,round_trip_ns,clock_error_ms", ErrorCode.COLUMN_UNKNOWN, "clock_error_ms"),
        ("landmark_id,chip_id,round_trip_ns,Measured At", ErrorCode.COLUMN_UNKNOWN, "Measured At"),
        ("landmark_id,chip_id,round_trip_ns,timestamp", ErrorCode.COLUMN_UNKNOWN, "timestamp"),
    ],
)
def test_a_header_that_will_not_do_is_refused_before_any_row(
    tmp_path: Path, header: str, code: ErrorCode, column: str | None
) -> None:
    found = fault_of(read, write(tmp_path / "m.csv", f"{header}\n{','.join('x' for _ in header.split(','))}\n"))
    assert (found.code, found.line, found.column) == (code, 1, column)


def test_a_column_of_another_name_for_a_missing_one_is_told_of_both(tmp_path: Path) -> None:
    told = faults_of(read, write(tmp_path / "m.csv", "landmark_id,chip_id,rtt_ms\nlm-a,chip-1,5\n"))
    assert [(fault.code, fault.expected) for fault in told] == [
        (ErrorCode.COLUMN_MISSING, "exactly one of round_trip_ns and round_trip_ms"),
        (ErrorCode.COLUMN_UNKNOWN, "round_trip_ms"),
    ]


def test_columns_of_a_researchers_own_are_passed_over_and_listed(tmp_path: Path) -> None:
    text = "dataset,landmark_id,chip_id,round_trip_ms,rtt_stat,rtt_ms,note\nx,lm-a,chip-1,5,min,4,\n"
    path = write(tmp_path / "m.csv", text)
    assert read(path).round_trip_ns.tolist() == [5_000_000]
    assert measurement_columns_ignored(path) == ("dataset", "rtt_stat", "rtt_ms", "note")


def test_parquet_columns_of_a_wrong_type_are_refused_by_name(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "m.parquet",
        {
            "landmark_id": pa.array([1, 2]),
            "chip_id": ["chip-1", "chip-2"],
            "round_trip_ms": pa.array([1.0, 2.0], pa.float32()),
            "measured_at": pa.array([1, 2], pa.timestamp("ms")),
            "samples": pa.array([1.0, 2.0]),
        },
    )
    assert faults_of(read, path) == [
        Found(ErrorCode.VALUE_MALFORMED, None, "landmark_id", "text", "'int64'"),
        Found(ErrorCode.VALUE_MALFORMED, None, "round_trip_ms", "whole or double-precision numbers", "'float'"),
        Found(ErrorCode.VALUE_MALFORMED, None, "measured_at", "times with a time zone", "'timestamp[ms]'"),
        Found(ErrorCode.VALUE_MALFORMED, None, "samples", "whole numbers", "'double'"),
    ]


def test_wrong_values_of_parquet_are_refused_by_row(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "m.parquet",
        {
            "landmark_id": ["lm-a"] * 8,
            "chip_id": ["chip-1"] * 7 + [None],
            "round_trip_ms": pa.array([1.0, float("nan"), float("inf"), 0.0, -1.0, 3.7e6, None, 5.0]),
            "measured_at": pa.array([0, -1, 2**60, 0, 0, 0, 0, 0], pa.timestamp("us", tz="UTC")),
            "clock_error_ns": pa.array([0, 0, 0, 2**63 + 5, 0, 0, 0, 0], pa.uint64()),
        },
    )
    assert faults_of(read, path) == [
        Found(ErrorCode.VALUE_MALFORMED, 2, "round_trip_ms", MS, "nan"),
        Found(ErrorCode.VALUE_OUT_OF_RANGE, 2, "measured_at", "an instant from 1970 to 2199", "-1 us since 1970"),
        Found(ErrorCode.VALUE_MALFORMED, 3, "round_trip_ms", MS, "inf"),
        Found(ErrorCode.VALUE_OUT_OF_RANGE, 3, "measured_at", "an instant from 1970 to 2199", f"{2**60} us since 1970"),
        Found(ErrorCode.VALUE_OUT_OF_RANGE, 4, "round_trip_ms", MS, "0.0"),
        Found(ErrorCode.VALUE_OUT_OF_RANGE, 4, "clock_error_ns", NS.replace("from 1", "from 0"), str(2**63 + 5)),
        Found(ErrorCode.VALUE_OUT_OF_RANGE, 5, "round_trip_ms", MS, "-1.0"),
        Found(ErrorCode.VALUE_OUT_OF_RANGE, 6, "round_trip_ms", MS, "3700000.0"),
        Found(ErrorCode.VALUE_MISSING, 7, "round_trip_ms", "a value", "none"),
        Found(ErrorCode.VALUE_MISSING, 8, "chip_id", "a value", "none"),
    ]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_texts_of_parquet_that_are_not_utf8_are_refused_by_row(tmp_path: Path, kind: pa.DataType) -> None:
    texts = pa.array([b"lm-a", b"lm-b", b"lm\xff", b"\xc3("], pa.binary()).view(pa.string())
    if pa.types.is_dictionary(kind):
        texts = texts.dictionary_encode()
    elif pa.types.is_large_string(kind):
        texts = pa.array([b"lm-a", b"lm-b", b"lm\xff", b"\xc3("], pa.large_binary()).view(kind)
    path = write_parquet(
        tmp_path / "m.parquet", {"landmark_id": texts, "chip_id": ["chip-1"] * 4, "round_trip_ns": [5] * 4}
    )
    assert faults_of(read, path) == [
        Found(ErrorCode.FILE_FORMAT, 3, "landmark_id", "UTF-8 text", "b'lm\\xff'"),
        Found(ErrorCode.FILE_FORMAT, 4, "landmark_id", "UTF-8 text", "b'\\xc3('"),
    ]


def test_a_file_about_no_chip_that_is_asked_about_is_counted_and_empty(tmp_path: Path) -> None:
    nobody = Chips(chip_ids=(), licensed=np.zeros(0, np.int32), excluded=np.zeros(0, np.int32), areas=())
    path = write(tmp_path / "m.csv", "landmark_id,chip_id,round_trip_ms\nlm-a,chip-1,5\n")
    readings = read_measurements(path, landmarks=LANDMARKS, chips=nobody)
    assert (len(readings), readings.rows_of_unasked_chips) == (0, 1)


def test_progress_adds_up_to_the_size_of_the_file(tmp_path: Path) -> None:
    text = "landmark_id,chip_id,round_trip_ms\n" + "lm-a,chip-1,5\n" * 700_000
    for name in ("m.csv", "m.csv.gz"):
        path = write(tmp_path / name, text)
        parts: list[int] = []
        read(path, progress=parts.append)
        assert sum(parts) == path.stat().st_size
        assert len(parts) > 1
        assert all(part >= 0 for part in parts)
