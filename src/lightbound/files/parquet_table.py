"""Parquet as batches of Arrow columns, their types checked before any row is read."""

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet

from lightbound.errors import ErrorCode
from lightbound.files.batches import Batch
from lightbound.files.faults import Faults, shown
from lightbound.files.header import Columns, Kind, check_header

PARQUET_ROWS: Final = 1 << 18
"""Rows taken at a time: a few megabytes of columns."""


def parquet_batches(file: BinaryIO, columns: Columns, faults: Faults) -> Iterator[tuple[Batch, int]]:
    """The rows of an open file, and about how many bytes of it they stand for."""
    size = file.seek(0, 2)
    file.seek(0)
    schema = _opened(file, faults).schema_arrow
    check_header(schema.names, columns, faults, line=None)
    kinds = {name: kind for name, kind in columns.kinds.items() if name in schema.names}
    for name, kind in kinds.items():
        if not _holds(schema.field(name).type, kind):
            faults.add(
                ErrorCode.VALUE_MALFORMED, expected=kind.value, found=shown(str(schema.field(name).type)), column=name
            )
    faults.raise_if_any()
    repeating = [name for name in kinds if name in columns.repeating and pa.types.is_string(schema.field(name).type)]
    parquet = _opened(file, faults, repeating)
    rows, total = 0, max(1, parquet.metadata.num_rows)
    try:
        for batch in parquet.iter_batches(batch_size=PARQUET_ROWS, columns=list(kinds)):
            lines = range(rows + 1, rows + 1 + batch.num_rows)
            rows += batch.num_rows
            arrays = {name: _contiguous(batch.column(name)) for name in kinds}
            valid = [_is_valid(array, name, lines, faults) for name, array in arrays.items()]
            if lines and all(valid):
                yield Batch(columns=arrays, lines=lines), size * rows // total
    except (pa.ArrowException, OSError) as error:
        raise _not_parquet(error, faults) from error


def parquet_columns(file: BinaryIO, faults: Faults) -> list[str]:
    """The names of the columns of an open file."""
    return list(_opened(file, faults).schema_arrow.names)


def _opened(file: BinaryIO, faults: Faults, dictionaries: Sequence[str] = ()) -> Any:
    try:
        return pyarrow.parquet.ParquetFile(file, read_dictionary=list(dictionaries))
    except (pa.ArrowException, OSError) as error:
        raise _not_parquet(error, faults) from error


def _not_parquet(error: Exception, faults: Faults) -> Exception:
    """What to raise: a failed read of the disk has an error number; everything else is about the bytes."""
    if isinstance(error, OSError) and error.errno is not None:
        return error
    faults.add(
        ErrorCode.FILE_FORMAT, expected="a whole Parquet file", found=shown(str(error)), advice="write the file again"
    )
    return faults.error()


def _contiguous(array: Any) -> Any:
    """The array, its texts one after the other; Arrow cannot compute with the other layout yet."""
    return array.cast(pa.large_string()) if pa.types.is_string_view(array.type) else array


def _is_valid(array: Any, name: str, lines: Sequence[int], faults: Faults) -> bool:
    """Whether an array is what its type says. Each text that is not UTF-8 is reported.

    Parquet promises that texts are UTF-8, and its readers take that on trust.
    """
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        array.validate()
        plain = (array.dictionary_decode() if pa.types.is_dictionary(array.type) else array).cast(pa.large_binary())
        rows = [row for row, value in enumerate(plain.to_pylist()) if not _is_utf8(value)]
        if not rows:
            raise
        faults.add_rows(
            ErrorCode.FILE_FORMAT,
            rows,
            count=len(rows),
            lines=lines,
            column=name,
            expected="UTF-8 text",
            found=lambda row: shown(plain[row].as_py()),
        )
        return False
    return True


def _is_utf8(value: bytes | None) -> bool:
    try:
        return value is None or value.decode() is not None
    except UnicodeDecodeError:
        return False


def _holds(arrow_type: Any, kind: Kind) -> bool:
    """Whether a column of this type is read as that kind. Single precision is not: it has already lost digits."""
    types = pa.types
    text = arrow_type.value_type if types.is_dictionary(arrow_type) else arrow_type
    is_text = bool(types.is_string(text) or types.is_large_string(text) or types.is_string_view(text))
    if types.is_null(arrow_type):
        return True
    match kind:
        case Kind.TEXT:
            return is_text
        case Kind.WHOLE:
            return bool(types.is_integer(arrow_type))
        case Kind.DECIMAL:
            return bool(types.is_integer(arrow_type) or types.is_float64(arrow_type))
        case Kind.TIME:
            return is_text or bool(types.is_timestamp(arrow_type) and arrow_type.tz is not None)
