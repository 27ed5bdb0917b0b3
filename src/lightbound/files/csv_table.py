"""CSV, plain or gzipped, as batches of Arrow columns."""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.csv

from lightbound.errors import ErrorCode
from lightbound.files.batches import Batch
from lightbound.files.faults import Faults
from lightbound.files.header import Columns, check_header
from lightbound.files.lines import BYTE_ORDER_MARK, Block, blocks, one_by_one, row_is_sound, sound, values_of

_OTHER_FORMATS: Final = {b"\x1f\x8b": "gzip", b"PAR1": "Parquet", b"PK\x03\x04": "a ZIP archive or a spreadsheet"}
"""First bytes of the files most often given a wrong ending."""


def csv_batches(file: BinaryIO, columns: Columns, faults: Faults, *, zipped: bool) -> Iterator[tuple[Batch, int]]:
    """The rows of an open file, and how many bytes of it have been read."""
    texts = _texts(file, faults, zipped=zipped)
    header, text, line = _header(texts, faults)
    check_header(header, columns, faults, line=line - 1)
    wanted = {
        str(header.index(name)): pa.dictionary(pa.int32(), pa.string()) if name in columns.repeating else pa.string()
        for name in columns.kinds
        if name in header
    }
    while True:
        batch = _batch(text, line, header, wanted, faults)
        if len(batch):
            yield batch, file.tell()
        following = next(texts, None)
        if following is None:
            return
        text, line = following


def csv_columns(file: BinaryIO, faults: Faults, *, zipped: bool) -> list[str]:
    """The names in the header of an open file."""
    return _header(_texts(file, faults, zipped=zipped), faults)[0]


def _texts(file: BinaryIO, faults: Faults, *, zipped: bool) -> Iterator[tuple[bytes, int]]:
    magic = file.read(4)
    file.seek(0)
    for start, name in _OTHER_FORMATS.items():
        if magic.startswith(start) and not (zipped and name == "gzip"):
            faults.add(
                ErrorCode.FILE_FORMAT,
                expected=f"{'gzip' if zipped else 'CSV text'}, as the name says",
                found=name,
                advice="let the ending say what the file is",
            )
            raise faults.error()
    try:
        yield from blocks(gzip.GzipFile(fileobj=file, mode="rb") if zipped else file, faults)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        faults.add(ErrorCode.FILE_FORMAT, expected="a whole gzip file", found=str(error), advice="copy the file again")


def _header(texts: Iterator[tuple[bytes, int]], faults: Faults) -> tuple[list[str], bytes, int]:
    """The names in the first line that is not blank; the rest of its block; the number of the line after it."""
    for text, line in texts:
        rest, number = text.removeprefix(BYTE_ORDER_MARK) if line == 1 else text, line
        blank = len(rest) - len(rest.lstrip(b"\r\n"))
        number += rest.count(b"\n", 0, blank)
        rest = rest[blank:]
        while rest:
            ended, _, rest = rest.partition(b"\n")
            row = ended.removesuffix(b"\r")
            if row and not row_is_sound(row, number, columns=None, faults=faults):
                raise faults.error()
            number += 1
            if row:
                return values_of(row), rest, number
    if not faults:
        faults.add(ErrorCode.FILE_EMPTY, expected="a header line", found="nothing")
    raise faults.error()


def _batch(text: bytes, line: int, header: list[str], wanted: Mapping[str, Any], faults: Faults) -> Batch:
    block = sound(text, line, columns=len(header), faults=faults)
    table, whole = _split(block, len(header), wanted)
    if not whole:
        # A line has too many values or too few. Which one is looked for only now, because such files are rare.
        block = one_by_one(text, line, columns=len(header), faults=faults)
        table, _ = _split(block, len(header), wanted)
    arrays = {header[int(position)]: table.column(position).combine_chunks() for position in wanted}
    return Batch(columns=arrays, lines=block.lines)


def _split(block: Block, width: int, types: Mapping[str, Any]) -> tuple[Any, bool]:
    """The columns of a block whose positions are wanted, and whether each of its rows is among them."""
    if not block.lines:
        return pa.schema(list(types.items())).empty_table(), True
    table = pyarrow.csv.read_csv(
        pa.BufferReader(block.text),
        read_options=pyarrow.csv.ReadOptions(
            column_names=[str(position) for position in range(width)], block_size=len(block.text) + 1
        ),
        parse_options=pyarrow.csv.ParseOptions(invalid_row_handler=lambda _: "skip"),
        convert_options=pyarrow.csv.ConvertOptions(
            include_columns=list(types),
            column_types=dict(types),
            check_utf8=False,  # done for the whole block at once
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )
    return table, table.num_rows == len(block.lines)
