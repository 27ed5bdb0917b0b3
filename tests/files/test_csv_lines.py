"""CSV as text: what is a row, what is its line, and what is no CSV at all."""

import csv
import gzip
import io
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lightbound.errors import ErrorCode, Unavailable
from lightbound.files.chips import read_chips
from lightbound.files.faults import Faults
from lightbound.files.landmarks import read_landmarks
from lightbound.files.lines import BLOCK_BYTES, LONGEST_LINE_BYTES, blocks, one_by_one, sound, values_of
from tests.files.tables import Found, fault_of, faults_of, write

HEADER = "chip_id,licensed_area,excluded_area"


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("name", ["c.csv", "C.CSV", "c.csv.gz"])
def test_line_numbers_hold_after_quotes_blank_lines_and_a_byte_order_mark(
    tmp_path: Path, name: str, start: str, ending: str
) -> None:
    lines = [HEADER, '"a ""b"", c","circle(1,2,3)",', "", "", '"é",DE,', '"d",XXX,', "", 'e,DE,"F,R"', ""]
    found = faults_of(read_chips, write(tmp_path / name, start + ending.join(lines)))
    assert [(fault.line, fault.column, fault.found) for fault in found] == [
        (6, "licensed_area", "'XXX'"),
        (8, "excluded_area", "'F,R'"),
    ]


def test_blank_lines_before_the_header_and_after_the_last_row_are_passed_over(tmp_path: Path) -> None:
    chips = read_chips(write(tmp_path / "c.csv", f"\n\r\n{HEADER}\na,DE,\n\n\r\n\n"))
    assert chips.chip_ids == ("a",)
    assert fault_of(read_chips, write(tmp_path / "c.csv", f"\n\n{HEADER},chip_id\na,DE,,\n")).line == 3


def test_a_last_line_without_an_ending_counts(tmp_path: Path) -> None:
    assert read_chips(write(tmp_path / "c.csv", f"{HEADER}\na,DE,\nb,,CN")).chip_ids == ("a", "b")


@pytest.mark.parametrize(
    ("line", "code", "expected", "found"),
    [
        (b"b,DE", ErrorCode.ROW_SHAPE, "3 values, as in the header", "2"),
        (b"b,DE,,", ErrorCode.ROW_SHAPE, "3 values, as in the header", "4"),
        (b" ", ErrorCode.ROW_SHAPE, "3 values, as in the header", "1"),
        (b'""', ErrorCode.ROW_SHAPE, "3 values, as in the header", "1"),
        (b'"b,DE,', ErrorCode.ROW_SHAPE, "quotes around a whole value, doubled inside it", "'\"b,DE,'"),
        (b'b"b,DE,"', ErrorCode.ROW_SHAPE, "quotes around a whole value, doubled inside it", "'b\"b,DE,\"'"),
        (b'"b" ,DE,', ErrorCode.ROW_SHAPE, "quotes around a whole value, doubled inside it", "'\"b\" ,DE,'"),
        (b'b,DE,"', ErrorCode.ROW_SHAPE, "quotes around a whole value, doubled inside it", "'b,DE,\"'"),
        (b"b,DE\r,", ErrorCode.ROW_SHAPE, "lines that end with LF or CRLF", "'b,DE\\r,'"),
        (
            b"\xef\xbb\xbfb,DE,",
            ErrorCode.ROW_SHAPE,
            "a byte-order mark at the start of the file only",
            "'\\ufeffb,DE,'",
        ),
        (b"b,D\xc3(,", ErrorCode.FILE_FORMAT, "UTF-8 text", "byte 0xc3 in value 2 of the line"),
        (b"b,DE,\x80", ErrorCode.FILE_FORMAT, "UTF-8 text", "byte 0x80 in value 3 of the line"),
    ],
)
def test_a_line_of_a_wrong_shape_is_told_and_the_others_are_still_read(
    tmp_path: Path, line: bytes, code: ErrorCode, expected: str, found: str
) -> None:
    text = HEADER.encode() + b'\n"a",DE,\n\n' + line + b"\nc,DE,\na,DE,\n"
    assert faults_of(read_chips, write(tmp_path / "c.csv", text)) == [
        Found(code, 4, None, expected, found),
        Found(ErrorCode.DUPLICATE, 6, "chip_id", "each chip_id once", "'a', which line 2 has"),
    ]


def test_a_line_break_inside_quotes_is_two_wrong_lines(tmp_path: Path) -> None:
    found = faults_of(read_chips, write(tmp_path / "c.csv", f'{HEADER}\n"a\nb",DE,\nc,XX1,\n'))
    assert [(fault.code, fault.line) for fault in found] == [
        (ErrorCode.ROW_SHAPE, 2),
        (ErrorCode.ROW_SHAPE, 3),
        (ErrorCode.AREA_MALFORMED, 4),
    ]


def test_a_line_longer_than_allowed_is_told_wherever_blocks_are_cut(tmp_path: Path) -> None:
    long = b"x" * LONGEST_LINE_BYTES
    expected = f"lines of at most {LONGEST_LINE_BYTES} bytes"
    path = write(tmp_path / "c.csv", HEADER.encode() + b"\na,DE,\n" + long + b",DE,\nb,DE,\n")
    assert fault_of(read_chips, path) == Found(ErrorCode.ROW_SHAPE, 3, None, expected, "a longer one")
    path = write(tmp_path / "c.csv", HEADER.encode() + b"\na,DE,\n" + long * 20)
    assert fault_of(read_chips, path) == Found(ErrorCode.ROW_SHAPE, 3, None, expected, "a longer one")


@pytest.mark.parametrize("name", ["c.csv", "c.csv.gz"])
def test_an_empty_file_and_a_header_without_rows_are_refused(tmp_path: Path, name: str) -> None:
    for content in ("", "\n\r\n\n", "\ufeff"):
        found = fault_of(read_chips, write(tmp_path / name, content))
        assert found == Found(ErrorCode.FILE_EMPTY, None, None, "a header line", "nothing")
    found = fault_of(read_chips, write(tmp_path / name, f"{HEADER}\n\n"))
    assert found == Found(ErrorCode.FILE_EMPTY, None, None, "at least one row", "a header only")


def test_a_table_that_is_not_separated_by_commas_is_told_so(tmp_path: Path) -> None:
    found = faults_of(read_chips, write(tmp_path / "c.csv", "chip_id;licensed_area;excluded_area\na;DE;\n"))
    assert [(fault.code, fault.found) for fault in found] == [
        (ErrorCode.COLUMN_MISSING, "columns 'chip_id;licensed_area;excluded_area'")
    ] * 3


@pytest.mark.parametrize(
    ("name", "content", "expected", "found"),
    [
        ("c.csv", gzip.compress(b"x", mtime=0), "CSV text, as the name says", "gzip"),
        ("c.csv", b"PAR1....", "CSV text, as the name says", "Parquet"),
        ("c.csv", b"PK\x03\x04....", "CSV text, as the name says", "a ZIP archive or a spreadsheet"),
        ("c.txt", b"", "a name that ends with .csv, .csv.gz or .parquet", "'c.txt'"),
        ("c.gz", b"", "a name that ends with .csv, .csv.gz or .parquet", "'c.gz'"),
        ("c.csv", "chip_id".encode("utf-16"), "UTF-8 text", "byte 0xff in value 1 of the line"),
        ("c.parquet", b"chip_id,licensed_area\n", "a whole Parquet file", None),
        ("c.parquet", b"", "a whole Parquet file", None),
    ],
)
def test_another_format_than_the_name_says_is_refused(
    tmp_path: Path, name: str, content: bytes, expected: str, found: str | None
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    fault = fault_of(read_chips, path)
    assert (fault.code, fault.expected) == (ErrorCode.FILE_FORMAT, expected)
    assert found in {None, fault.found}


@pytest.mark.parametrize("cut", [4, 12, -9, -1])
def test_a_gzip_file_that_was_cut_off_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "c.csv.gz"
    path.write_bytes(gzip.compress(f"{HEADER}\n".encode() + b"a,DE,\n")[:cut])
    fault = fault_of(read_chips, path)
    assert (fault.code, fault.expected) == (ErrorCode.FILE_FORMAT, "a whole gzip file")


def test_a_gzip_file_with_a_wrong_checksum_is_refused_with_what_else_is_wrong(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(f"{HEADER}\nb,XXX,\n".encode() + b"a,DE,\n" * 2_000_000))
    data[-8] ^= 1
    path = tmp_path / "c.csv.gz"
    path.write_bytes(data)
    found = faults_of(read_chips, path)
    assert [(fault.code, fault.line) for fault in found][:3] == [
        (ErrorCode.FILE_FORMAT, None),
        (ErrorCode.AREA_MALFORMED, 2),
        (ErrorCode.DUPLICATE, 4),
    ]


def test_a_missing_file_and_a_folder_are_unavailable(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    for name in ("missing.csv", "missing.csv.gz", "missing.parquet", "folder.csv"):
        with pytest.raises(Unavailable) as refusal:
            read_chips(tmp_path / name)
        assert refusal.value.faults[0].file == str(tmp_path / name)


@pytest.mark.long
def test_line_numbers_hold_past_the_first_block(tmp_path: Path) -> None:
    rows = BLOCK_BYTES // 8
    text = f"{HEADER}\n\n" + "".join(f"c{row:07d},DE,\n" for row in range(rows)) + "x,DEU,\n\n\ny,DE\nx,,\n"
    found = faults_of(read_chips, write(tmp_path / "c.csv", text))
    assert [(fault.code, fault.line) for fault in found] == [
        (ErrorCode.AREA_MALFORMED, rows + 3),
        (ErrorCode.ROW_SHAPE, rows + 6),
        (ErrorCode.DUPLICATE, rows + 7),
    ]
    assert found[2].found == f"'x', which line {rows + 3} has"


class _Dripping(io.BytesIO):
    """A stream that gives a few bytes at a time."""

    def read(self, _size: int | None = -1, /) -> bytes:
        return super().read(7)


@given(st.binary(max_size=80).map(lambda data: data.replace(b"x", b"\n").replace(b"y", b"\r\n")))
def test_blocks_are_the_whole_stream_cut_after_newlines(data: bytes) -> None:
    cut = list(blocks(_Dripping(data), Faults("f")))
    assert b"".join(text for text, _ in cut) == data
    assert all(text.endswith(b"\n") for text, _ in cut[:-1])
    lines = [1]
    for text, _ in cut:
        lines.append(lines[-1] + text.count(b"\n"))
    assert [line for _, line in cut] == lines[:-1]


TEXTS = st.text(alphabet='a",\r\n é\ufeff', max_size=40).map(str.encode) | st.binary(max_size=20)


@given(TEXTS)
@example(b'x"y,"z\n')
@example(b'"a""b",\r\n\r\nc,d')
def test_the_quick_look_at_a_block_agrees_with_the_line_by_line_one(text: bytes) -> None:
    slow = Faults("f")
    by_line = one_by_one(text, 5, columns=2, faults=slow)
    quick = Faults("f")
    block = sound(text, 5, columns=2, faults=quick)
    rows = [row.removesuffix(b"\r") for row in block.text.split(b"\n")]
    counts = [len(values_of(row)) for row in rows if row]
    if block.text == text and set(counts) <= {2}:
        assert not slow
    if not slow:
        assert list(block.lines) == list(by_line.lines)
        assert [row for row in rows if row] == [row for row in by_line.text.split(b"\n") if row]


@given(st.lists(st.text(alphabet='a", é;\t', max_size=5), min_size=1, max_size=5))
def test_a_row_that_was_written_by_the_rules_gives_its_values_back(values: list[str]) -> None:
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow(values)
    row = written.getvalue().encode()
    block = one_by_one(row + b"\n", 1, columns=len(values), faults=(faults := Faults("f")))
    if row:
        assert not faults
        assert values_of(block.text) == values


def test_every_reader_reports_shape_in_the_same_way(tmp_path: Path) -> None:
    text = "landmark_id,latitude,longitude,position_error_m\na,1,2\nb,1,2,3\n"
    found = fault_of(read_landmarks, write(tmp_path / "l.csv", text))
    assert found == Found(ErrorCode.ROW_SHAPE, 2, None, "4 values, as in the header", "3")
