"""The same rows as CSV, as CSV.gz and as Parquet are the same readings."""

from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.files.chips import read_chips
from lightbound.files.lines import BLOCK_BYTES
from lightbound.files.measurements import read_measurements
from lightbound.files.parquet_table import PARQUET_ROWS
from tests.files.tables import CHIPS, LANDMARKS, same_readings, write, write_parquet

read = partial(read_measurements, landmarks=LANDMARKS, chips=CHIPS)

IDS = st.text(alphabet='a",é -', min_size=1, max_size=6).filter(lambda text: text == text.strip())
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["lm-a", "lm-b"]),
        st.sampled_from(["chip-1", "chip-2", "chip-3"]) | IDS,
        st.floats(1e-9, 3_600_000),
        st.integers(0, 2_000_000_000_000),
        st.integers(0, 3_600_000_000_000),
        IDS,
    ),
    min_size=1,
    max_size=20,
)


@given(
    ROWS,
    st.sampled_from([pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())]),
    st.sampled_from(["text", "type"]),
)
def test_the_same_rows_are_the_same_readings_in_every_format(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[object, ...]], text: pa.DataType, times_as: str
) -> None:
    folder = tmp_path_factory.mktemp("formats")
    landmark, chip, round_trip, measured, clock_error, session = zip(*rows, strict=True)
    times = pa.array(measured, pa.timestamp("ms", tz="UTC"))
    written_times = pa.array([f"{moment.as_py():%Y-%m-%dT%H:%M:%S.%f}Z" for moment in times])
    columns = {
        "landmark_id": pa.array(landmark, pa.string()).cast(text),
        "chip_id": pa.array(chip, pa.string()).cast(text),
        "round_trip_ms": pa.array(round_trip),
        "measured_at": times if times_as == "type" else written_times,
        "clock_error_ns": pa.array(clock_error),
        "session_id": pa.array(session, pa.string()).cast(text),
        "note": pa.array(['x,"\n'.replace("\n", " ")] * len(rows)),
    }
    quoted = {
        name: [f'"{str(value).replace(chr(34), chr(34) * 2)}"' for value in column.to_pylist()]
        for name, column in (columns | {"measured_at": written_times}).items()
    }
    lines = [",".join(quoted), *(",".join(row) for row in zip(*quoted.values(), strict=True))]
    by_csv = read(write(folder / "m.csv", "\n".join(lines)))
    by_gzip = read(write(folder / "m.csv.gz", "\r\n".join(lines)))
    by_parquet = read(write_parquet(folder / "m.parquet", columns))
    assert same_readings(by_csv, by_gzip)
    assert same_readings(by_csv, by_parquet)


def test_formats_agree_past_the_first_block(tmp_path: Path) -> None:
    rows = max(PARQUET_ROWS, BLOCK_BYTES // 24) + 1000
    columns = {
        "landmark_id": [("lm-a", "lm-b")[row % 2] for row in range(rows)],
        "chip_id": [f"chip-{row % 3}" for row in range(rows)],
        "round_trip_ms": [1 + row % 1009 / 8 for row in range(rows)],
    }
    table = pa.table(columns)
    pyarrow.csv.write_csv(table, tmp_path / "m.csv")
    by_parquet = read(write_parquet(tmp_path / "m.parquet", columns))
    assert len(by_parquet) + by_parquet.rows_of_unasked_chips == rows
    assert same_readings(read(tmp_path / "m.csv"), by_parquet)


def test_chips_are_the_same_in_every_format(tmp_path: Path) -> None:
    columns = {
        "chip_id": ["a", 'b"c', "d,e"],
        "licensed_area": ["DE", None, "circle(1,2,3)"],
        "excluded_area": [None, "CN+HK", "CN+HK"],
    }
    text = 'chip_id,licensed_area,excluded_area\na,DE,\n"b""c",,CN+HK\n"d,e","circle(1,2,3)",CN+HK\n'
    asked = []
    for path in (
        write(tmp_path / "c.csv", text),
        write(tmp_path / "c.csv.gz", text),
        write_parquet(tmp_path / "c.parquet", columns),
    ):
        chips = read_chips(path)
        areas = [*chips.areas, None]  # -1, no question, is the last
        asked.append(
            [
                (name, areas[licensed], areas[excluded])
                for name, licensed, excluded in zip(chips.chip_ids, chips.licensed, chips.excluded, strict=True)
            ]
        )
    assert asked[0] == asked[1] == asked[2]
    assert asked[0] == [("a", "DE", None), ('b"c', None, "CN+HK"), ("d,e", "circle(1,2,3)", "CN+HK")]
