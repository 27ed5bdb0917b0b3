"""What an import wrote, read by the reader of measurements that every other command uses."""

import csv
import io
from pathlib import Path

import pyarrow.parquet as pq

from lightbound.files.chips import read_chips
from lightbound.files.measurements import read_measurements
from lightbound.geo.earth import Position
from lightbound.ranging.readings import Landmark, Readings


def read_back(path: Path) -> Readings:
    """All rows of a file of measurements, its own landmarks and chips being all that are known."""
    landmark_ids, chip_ids = ids_of(path)
    chips = path.with_name("chips-of-it.csv")
    with chips.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["chip_id", "licensed_area", "excluded_area"])
        writer.writerows([chip_id, "DE", ""] for chip_id in chip_ids)
    landmarks = [
        Landmark(landmark_id=landmark_id, position=Position(0, 0), position_error_m=0) for landmark_id in landmark_ids
    ]
    return read_measurements(path, landmarks=landmarks, chips=read_chips(chips))


def rows_read_back(folder: Path, measurements: bytes) -> Readings:
    """The same of the bytes of a CSV file."""
    path = folder / "read-back.csv"
    path.write_bytes(measurements)
    readings = read_back(path)
    assert len(readings) == sum(1 for _ in csv.reader(io.StringIO(measurements.decode(), newline=""))) - 1
    return readings


def ids_of(path: Path) -> tuple[list[str], list[str]]:
    """Each landmark and each chip that a file names, once."""
    if path.suffix == ".parquet":
        columns = pq.read_table(path, columns=["landmark_id", "chip_id"]).to_pydict()
        return list(dict.fromkeys(columns["landmark_id"])), list(dict.fromkeys(columns["chip_id"]))
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return list(dict.fromkeys(r["landmark_id"] for r in rows)), list(dict.fromkeys(r["chip_id"] for r in rows))
