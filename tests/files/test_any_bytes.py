"""Any bytes are read or refused as malformed: nothing else can come out of a reader."""

import gzip
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.errors import Malformed
from lightbound.files.chips import read_chips
from lightbound.files.geojson import read_drawing
from lightbound.files.landmarks import read_landmarks
from lightbound.files.measurements import read_measurements
from tests.files.tables import CHIPS, LANDMARKS

MEASUREMENTS: Final = (
    b"landmark_id,chip_id,round_trip_ms,measured_at,samples,clock_error_ns,session_id\n"
    b'lm-a,chip-1,1.5,2026-03-01T12:00:00Z,3,0,"s ""1"""\r\n\nlm-b,chip-2,1e-3,2026-03-01T12:00:00.5+01:00,1,1,s\n'
)
LANDMARK_ROWS: Final = (
    b"landmark_id,latitude,longitude,position_error_m,fault_unit,country\na,1.5,-2,3e1,u,DE\r\n\"b\",-90,180,0,'v',\n"
)
CHIP_ROWS: Final = b'chip_id,licensed_area,excluded_area\na,"circle(1,2,3)|@a.geojson#b",CN+HK\n\nb,,\r\n'
DRAWING: Final = json.dumps(
    {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": 1,
                "properties": {"name": "é"},
                "geometry": {
                    "type": "MultiPolygon",
                    "coordinates": [[[[170, -10], [-170, -10], [-170, 10], [170, 10], [170, -10]]]],
                },
            }
        ],
    }
).encode()

Read = Callable[[Path], object]
READERS: Final[dict[str, tuple[Read, bytes]]] = {
    "measurements": (partial(read_measurements, landmarks=LANDMARKS, chips=CHIPS), MEASUREMENTS),
    "landmarks": (read_landmarks, LANDMARK_ROWS),
    "chips": (read_chips, CHIP_ROWS),
}


def damaged(whole: bytes) -> st.SearchStrategy[bytes]:
    """A file of which a piece was replaced, left out, or put in again."""
    pieces = st.binary(max_size=8) | st.sampled_from(
        [b"", b'"', b",", b"\n", b"\r", b"\xef\xbb\xbf", b"nan", b"-", b"1e999", b"[", b"{", b"null", b"9" * 30]
    )
    places = st.integers(0, len(whole))
    return st.builds(
        lambda one, other, piece: whole[: min(one, other)] + piece + whole[max(one, other) :], places, places, pieces
    ) | st.builds(lambda one, other: whole[:one] + whole[other:], places, places)


def is_read_or_malformed(read: Read, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    refused: Malformed | None = None
    try:
        read(path)
    except Malformed as error:
        refused = error
    if refused:
        assert refused.total >= len(refused.faults) > 0
        assert len(refused.faults) <= 20
        assert all(fault.file == str(path) for fault in refused.faults)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any")


@pytest.mark.parametrize("kind", READERS)
@given(st.data())
def test_any_csv_is_read_or_malformed(folder: Path, kind: str, data: st.DataObject) -> None:
    read, whole = READERS[kind]
    is_read_or_malformed(read, folder / "t.csv", data.draw(st.binary(max_size=60) | damaged(whole)))


@pytest.mark.parametrize("kind", READERS)
@given(st.data())
def test_any_gzip_is_read_or_malformed(folder: Path, kind: str, data: st.DataObject) -> None:
    read, whole = READERS[kind]
    zipped = st.binary(max_size=60) | damaged(gzip.compress(whole, mtime=0)) | damaged(whole).map(gzip.compress)
    is_read_or_malformed(read, folder / "t.csv.gz", data.draw(zipped))


def parquet_of(text: bytes) -> bytes:
    """The rows of a CSV text as Parquet, typed where the format allows a type."""
    header, *rows = [line.split(",") for line in text.decode().replace("\r", "").split("\n") if line]
    columns: dict[str, pa.Array] = {name: pa.array([row[place] for row in rows]) for place, name in enumerate(header)}
    for name in ("round_trip_ms", "latitude", "longitude", "position_error_m"):
        if name in columns:
            columns[name] = columns[name].cast(pa.float64())
    sink = pa.BufferOutputStream()
    pyarrow.parquet.write_table(pa.table(columns), sink, row_group_size=1)
    content: bytes = sink.getvalue().to_pybytes()
    return content


@pytest.mark.parametrize("kind", READERS)
@given(st.data())
def test_any_parquet_is_read_or_malformed(folder: Path, kind: str, data: st.DataObject) -> None:
    read, whole = READERS[kind]
    simple = whole.replace(b'"s ""1"""', b"s").replace(b'"circle(1,2,3)|@a.geojson#b"', b"DE")
    is_read_or_malformed(read, folder / "t.parquet", data.draw(st.binary(max_size=60) | damaged(parquet_of(simple))))


@given(st.binary(max_size=60) | damaged(DRAWING))
def test_any_drawing_is_read_or_malformed(folder: Path, content: bytes) -> None:
    is_read_or_malformed(read_drawing, folder / "d.geojson", content)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)
NUMBERS = st.sampled_from([-360, -200, -180, -90, 0, 1, 45.5, 90, 170, 180, 190, 360])
RINGS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=3, max_size=7).map(lambda ring: [*ring, ring[0]])
COORDINATES = st.lists(RINGS, min_size=1, max_size=3) | JSON


@given(
    st.one_of(
        st.builds(lambda kind, inner: {"type": kind, "coordinates": inner}, st.just("Polygon"), COORDINATES),
        st.builds(lambda inner: {"type": "MultiPolygon", "coordinates": inner}, st.lists(COORDINATES, max_size=3)),
        st.builds(lambda inner: {"type": "FeatureCollection", "features": inner}, JSON),
        st.builds(lambda inner: {"type": "Feature", "geometry": inner}, JSON),
    )
)
def test_any_json_is_read_or_malformed(folder: Path, document: object) -> None:
    is_read_or_malformed(read_drawing, folder / "d.geojson", json.dumps(document).encode())
