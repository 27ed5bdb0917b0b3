"""CSV, CSV.gz and Parquet as one stream of batches of Arrow columns.

The ending of the name says the format. Here a file is split into the columns that are wanted; what a value may be
is decided in `columns`, and what a table means by its own reader. Memory is that of a batch, whatever the length
of the file.
"""

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from lightbound.errors import ErrorCode, Fault, Unavailable
from lightbound.files.batches import Batch, Progress
from lightbound.files.csv_table import csv_batches, csv_columns
from lightbound.files.faults import Faults, shown
from lightbound.files.header import Columns
from lightbound.files.parquet_table import parquet_batches, parquet_columns


def read_table(path: Path, columns: Columns, faults: Faults, progress: Progress | None = None) -> Iterator[Batch]:
    """All rows of a file, in order, for a reader that raises what `faults` holds when it has seen them all.

    Lines of a wrong shape are reported and left out; reading goes on, so that all faults of a file are found.

    Raises:
        Malformed: when reading on is pointless: another format, or a header that will not do.
        Unavailable: the file cannot be read.
    """
    ending = _ending(path, faults)
    rows = told = 0
    try:
        with opened(path) as file:
            size = file.seek(0, 2)
            file.seek(0)
            batches = (
                parquet_batches(file, columns, faults)
                if ending == ".parquet"
                else csv_batches(file, columns, faults, zipped=ending == ".csv.gz")
            )
            for batch, position in batches:
                rows += len(batch)
                yield batch
                if progress and position > told:
                    progress(position - told)
                    told = position
    except OSError as error:
        raise _unreadable(path, error) from error
    if not rows and not faults:
        faults.add(ErrorCode.FILE_EMPTY, expected="at least one row", found="a header only")
    if progress:
        progress(size - told)


def columns_ignored(path: Path, columns: Columns) -> tuple[str, ...]:
    """Names of the columns that a file has and its reader does not look at, in order, for whoever is to be told."""
    faults = Faults(str(path))
    ending = _ending(path, faults)
    try:
        with opened(path) as file:
            names = (
                parquet_columns(file, faults)
                if ending == ".parquet"
                else csv_columns(file, faults, zipped=ending == ".csv.gz")
            )
    except OSError as error:
        raise _unreadable(path, error) from error
    return tuple(name for name in names if name not in columns.kinds)


def opened(path: Path) -> BinaryIO:
    """A regular file, open for reading; anything else could block for ever, or never end.

    Raises:
        OSError: there is no such file, or it is of another kind.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "Not a regular file")
    return path.open("rb")


def _ending(path: Path, faults: Faults) -> str:
    for ending in (".csv", ".csv.gz", ".parquet"):
        if path.name.lower().endswith(ending):
            return ending
    faults.add(
        ErrorCode.FILE_FORMAT,
        expected="a name that ends with .csv, .csv.gz or .parquet",
        found=shown(path.name),
        advice="the ending says how the file is read",
    )
    raise faults.error()


def _unreadable(path: Path, error: OSError) -> Unavailable:
    return Unavailable(
        Fault(
            code=ErrorCode.READ_FAILED,
            expected="a file that can be read",
            found=error.strerror or type(error).__name__,
            file=str(path),
        )
    )
