"""CSV of others: its columns are found by the map, its values read exactly, its malformed rows counted and located."""

from pathlib import Path
from typing import Any

import pytest

from lightbound.errors import ErrorCode, Malformed
from lightbound.files.importing.dropped import Reason, Tally
from lightbound.files.importing.mapped_csv import CsvMap, csv_replies
from lightbound.files.importing.replies import Reply
from lightbound.files.importing.sources import opened

MAP = {"landmark_id": "src", "chip_id": "dst", "round_trip_ms": "rtt"}


def read(
    path: Path, content: str | bytes, columns: dict[str, str] | None = None, **how: Any
) -> tuple[list[Reply], Tally]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    tally = Tally()
    with opened(path, tally) as source:
        return list(csv_replies(source, CsvMap(columns=columns or MAP, **how), tally)), tally


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "theirs.csv"


def test_the_map_says_which_column_is_what(path: Path) -> None:
    replies, tally = read(path, 'other,rtt,dst,src\n1,288.389,"chip ""7"", Rome",fra\n\n2,0.1,x,fra\r\n')
    assert replies == [Reply("fra", 'chip "7", Rome', 288_389_000, None), Reply("fra", "x", 100_000, None)]
    assert (tally.items, tally.counts) == (2, {})


@pytest.mark.parametrize(
    ("unit", "text", "ns"),
    [
        ("round_trip_ns", "1500", 1500),
        ("round_trip_us", "1.5", 1500),
        ("round_trip_ms", "1.5e-3", 1500),
        ("round_trip_s", "0.0000015", 1500),
        ("round_trip_s", "0.00000150000000001", 1501),
    ],
)
def test_round_trips_have_the_unit_that_the_map_says(path: Path, unit: str, text: str, ns: int) -> None:
    columns = {"landmark_id": "src", "chip_id": "dst", unit: "t"}
    assert read(path, f"src,dst,t\na,b,{text}\n", columns)[0] == [Reply("a", "b", ns, None)]


@pytest.mark.parametrize(
    ("column", "text", "at_ns"),
    [
        ("measured_at", "2026-03-01T12:00:00Z", 1_772_366_400_000_000_000),
        ("measured_at", "2026-03-01 14:00:00.25+02:00", 1_772_366_400_250_000_000),
        ("measured_at", "1970-01-01T00:00:00.000000001Z", 1),
        ("measured_at_unix_s", "1772366400.123456789", 1_772_366_400_123_456_789),
        ("measured_at_unix_s", "0", 0),
    ],
)
def test_times_are_read_to_the_nanosecond(path: Path, column: str, text: str, at_ns: int) -> None:
    assert read(path, f"src,dst,rtt,at\na,b,1,{text}\n", MAP | {column: "at"})[0][0].measured_at_ns == at_ns


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("measured_at", "2026-03-01T12:00:00"),
        ("measured_at", "2026-02-30T12:00:00Z"),
        ("measured_at", "1969-12-31T23:59:59Z"),
        ("measured_at", "2200-01-01T00:00:00Z"),
        ("measured_at", "1772366400"),
        ("measured_at", ""),
        ("measured_at_unix_s", "1e9"),
        ("measured_at_unix_s", "7258118400"),
        ("measured_at_unix_s", "-1"),
        ("samples", "0"),
        ("samples", "2.5"),
        ("samples", ""),
        ("round_trip_ms", "NaN"),
        ("round_trip_ms", "0x10"),
        ("round_trip_ms", "1_000"),
        ("round_trip_ms", "1,5"),
        ("round_trip_ms", "timeout"),
        ("round_trip_ms", "3600001"),
        ("round_trip_ms", "٣"),
        ("landmark_id", ""),
        ("chip_id", "x" * 129),
        ("chip_id", "a\u202eb"),
    ],
)
def test_a_malformed_value_is_located_and_costs_no_other_row(path: Path, column: str, text: str) -> None:
    columns = {"landmark_id": "src", "chip_id": "dst", "round_trip_ms": "rtt"} | {column: "it"}
    row = {"src": "a", "dst": "b", "rtt": "1"}
    good = {"measured_at": "2026-03-01T12:00:00Z", "round_trip_ms": "2", "chip_id": "c", "landmark_id": "d"}
    lines = [f"{','.join(row)},it"]
    lines += [f'{",".join(row.values())},"{value}"' for value in (text, good.get(column, "7"))]
    replies, tally = read(path, "\n".join(lines), columns)
    assert len(replies) == 1
    assert tally.counts == {Reason.MALFORMED: 1}
    assert (tally.examples[0].where.line, tally.examples[0].field) == (2, "it")


def test_a_row_without_a_round_trip_is_a_loss_and_not_malformed(path: Path) -> None:
    replies, tally = read(path, "src,dst,rtt\na,b,\na,b,0\na,b,-1\na,b,2\n")
    assert len(replies) == 1
    assert tally.counts == {Reason.NO_REPLY: 1, Reason.NOT_POSITIVE: 2}


@pytest.mark.parametrize("row", ["a,b", "a,b,1,2", '"a,b,1', 'a,"b"x,1', '"a\nb",b,1'])
def test_a_row_of_another_shape_is_malformed(path: Path, row: str) -> None:
    replies, tally = read(path, f"src,dst,rtt\n{row}\na,b,2\n")
    assert replies == [Reply("a", "b", 2_000_000, None)]
    assert tally.counts[Reason.MALFORMED] == 1 + row.count("\n")


def test_bytes_that_are_not_utf8_spoil_their_row(path: Path) -> None:
    replies, tally = read(path, b"src,dst,rtt\na,\xff,1\na,b,2\n")
    assert (len(replies), tally.counts) == (1, {Reason.MALFORMED: 1})


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("src,dst", ErrorCode.COLUMN_MISSING),
        ("src,dst,rtt,rtt", ErrorCode.COLUMN_CONFLICT),
        ('src,"dst', ErrorCode.ROW_SHAPE),
    ],
)
def test_a_header_without_the_mapped_columns_refuses_the_file(path: Path, header: str, code: ErrorCode) -> None:
    with pytest.raises(Malformed) as raised:
        read(path, f"{header}\na,b,1\n")
    assert [(fault.code, fault.line) for fault in raised.value.faults] == [(code, 1)]


def test_what_all_rows_have_in_common_need_not_be_a_column(path: Path) -> None:
    replies, _ = read(
        path,
        "\ufeffrtt;n\n1,5;3\n2;4\n",
        {"round_trip_ms": "rtt", "samples": "n"},
        landmark="fra",
        chip="c",
        separator=";",
        add_ns=500_000,
        untimed_at_ns=9,
    )
    assert replies == [Reply("fra", "c", 2_500_000, 9, 4)]


def test_what_is_added_may_not_make_a_round_trip_absurd(path: Path) -> None:
    assert read(path, "src,dst,rtt\na,b,3600000\n", add_ns=1)[1].counts == {Reason.MALFORMED: 1}
