"""Rows of measurements and of landmarks, written in the formats that the project's own commands read.

Written as they come, in the memory of one batch. CSV is plain: values are quoted only where they must be.
"""

import csv
import gzip
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any, BinaryIO, Final, NamedTuple, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lightbound.ranging.readings import Landmark

ENDINGS: Final = (".csv", ".csv.gz", ".parquet")
"""File endings that name a format to write."""

ROWS_AT_A_TIME: Final = 1 << 14

GZIP_LEVEL: Final = 6


class Row(NamedTuple):
    """One measurement."""

    landmark_id: str
    chip_id: str
    round_trip_ns: int
    measured_at_ns: int | None
    """Nanoseconds since 1970 UTC. Either all rows of a file have one or none has."""
    samples: int


_TYPES: Final = {
    "landmark_id": pa.string(),
    "chip_id": pa.string(),
    "round_trip_ns": pa.int64(),
    "measured_at": pa.timestamp("ns", tz="UTC"),
    "samples": pa.int64(),
}


def ending_of(name: str) -> str | None:
    """The ending that says in what format a file of that name is written; None if it has none of them."""
    return next((ending for ending in ENDINGS if name.lower().endswith(ending)), None)


def write_rows(rows: Iterable[Row], stream: BinaryIO, ending: str) -> int:
    """Write all rows to an open file, and return how many there were.

    The first row says whether the file has times.
    """
    remaining = iter(rows)
    first = next(remaining, None)
    timed = first is not None and first.measured_at_ns is not None
    names = [name for name in _TYPES if timed or name != "measured_at"]
    count = 0
    with _columns_written(stream, ending, pa.schema([(name, _TYPES[name]) for name in names])) as write:
        whole = chain([first], remaining) if first is not None else remaining
        while batch := list(islice(whole, ROWS_AT_A_TIME)):
            columns = dict(zip(_TYPES, zip(*batch, strict=True), strict=True))
            write([columns[name] for name in names])
            count += len(batch)
    return count


def write_landmarks(landmarks: Iterable[Landmark], stream: BinaryIO, ending: str) -> int:
    """Write landmarks to an open file, and return how many there were."""
    rows = [
        (
            landmark.landmark_id,
            landmark.position.latitude,
            landmark.position.longitude,
            landmark.position_error_m,
            landmark.fault_unit,
            landmark.country,
        )
        for landmark in landmarks
    ]
    schema = pa.schema(
        {
            "landmark_id": pa.string(),
            "latitude": pa.float64(),
            "longitude": pa.float64(),
            "position_error_m": pa.float64(),
            "fault_unit": pa.string(),
            "country": pa.string(),
        }
    )
    with _columns_written(stream, ending, schema) as write:
        if rows:
            write(list(zip(*rows, strict=True)))
    return len(rows)


@contextmanager
def _columns_written(stream: BinaryIO, ending: str, schema: Any) -> Iterator[Any]:
    """What to call with the columns of each batch."""
    if ending == ".parquet":
        with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
            yield lambda columns: writer.write_batch(
                pa.record_batch(
                    [_array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
                )
            )
        return
    packed = None
    if ending == ".csv.gz":
        # No name and no instant inside, so that the same rows give the same bytes.
        packed = gzip.GzipFile(filename="", mode="wb", fileobj=stream, compresslevel=GZIP_LEVEL, mtime=0)
    text = io.TextIOWrapper(cast("BinaryIO", packed or stream), encoding="utf-8", newline="", write_through=False)
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(schema.names)
    timed = schema.get_field_index("measured_at")

    def write(columns: list[Any]) -> None:
        if timed >= 0:
            columns[timed] = _instants(columns[timed])
        lines.writerows(zip(*columns, strict=True))

    try:
        yield write
    finally:  # also after a failure: whoever opened the stream closes it, and nobody else
        text.detach()
        if packed:
            packed.close()


def _array(column: Any, kind: Any) -> Any:
    """A column as Arrow has it. By way of numpy, numbers take a fifth of the time."""
    if pa.types.is_string(kind):
        return pa.array(column, kind)
    numbers = pa.array(np.array(column, np.float64 if pa.types.is_floating(kind) else np.int64))
    return numbers.cast(kind)


def _instants(instants_ns: Iterable[int]) -> list[str]:
    """RFC 3339 texts in UTC, all with as many decimals as the one that needs most."""
    ns = np.fromiter(instants_ns, np.int64)
    units = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
    unit = next(unit for unit, length in units.items() if not (ns % length).any())
    texts: list[str] = np.datetime_as_string(ns.astype("datetime64[ns]").astype(f"datetime64[{unit}]")).tolist()
    return [f"{text}Z" for text in texts]
