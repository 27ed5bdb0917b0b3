"""The two evaluation data sets as files that the commands read. Imported by make_results.py and by tests.

The data may be used but not shipped, so that only what is counted over them leaves the folder. Expected in it:

    rtt/endpoints.csv                endpoint_id, iso2, lat, lon, coord_precision_km, ...
    rtt/hosting_mesh_2020.csv.gz     dataset, source_id (measured), target_id (answered), rtt_ms, ...
    rtt/cloud_regions_2025.csv.gz    the same
"""

import csv
import gzip
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent

MAINLAND: Final = "CN"
"""The excluded area of every chip."""

CIRCLE_KM: Final = 25
"""Radius of the circle about its stated place for which a host is licensed."""

BAD_HOSTS: Final = ("wp:220", "wp:204", "wp:3", "wp:165", "wp:190")
"""Known beforehand to be wrong in the mesh: they do not stand where they say, or their readings are corrupt."""

HALF_MILLISECOND: Final = 0.5
"""Microsoft's table holds whole milliseconds; what was rounded down was at most this much longer."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host or a region, where it is stated to be."""

    country: str
    latitude: str
    longitude: str
    error_m: int


@dataclass(frozen=True, slots=True)
class DataSet:
    """One mesh of round trips."""

    endpoints: Mapping[str, Endpoint]
    rows: Sequence[tuple[str, str, str]]
    """Who measured, who answered, milliseconds."""


def data_folder() -> Path | None:
    """`data` in $LIGHTBOUND_SHARED, or in `shared` beside this tree; None where there is none."""
    named = os.environ.get("LIGHTBOUND_SHARED")
    folder = (Path(named) if named else ROOT.parent / "shared") / "data"
    return folder if folder.is_dir() else None


def read_mesh(data: Path) -> DataSet:
    """The hosting company's mesh: every host, the bad ones too."""
    return _data_set(data, "hosting_mesh_2020.csv.gz", lambda name: name.startswith("wp:"))


def read_clouds(data: Path) -> DataSet:
    """The tables of two clouds between their own regions, side by side."""
    return _data_set(data, "cloud_regions_2025.csv.gz", lambda name: not name.startswith("wp:"))


def write_measurements(rows: Iterable[tuple[str, str, str]], path: Path) -> Path:
    """MEASUREMENTS."""
    return _write(path, ("landmark_id", "chip_id", "round_trip_ms"), rows)


def write_landmarks(endpoints: Mapping[str, Endpoint], names: Iterable[str], path: Path) -> Path:
    """LANDMARKS, each its own fault unit."""
    return _write(
        path,
        ("landmark_id", "latitude", "longitude", "position_error_m", "fault_unit"),
        ((name, (at := endpoints[name]).latitude, at.longitude, at.error_m, name) for name in names),
    )


def write_truth(endpoints: Mapping[str, Endpoint], names: Iterable[str], path: Path, *, licence: str) -> Path:
    """TRUTH, licensed for a `circle` about the stated place or for the own `country`; the mainland excluded."""

    def licensed(at: Endpoint) -> str:
        return at.country if licence == "country" else f"circle({at.latitude},{at.longitude},{CIRCLE_KM})"

    return _write(
        path,
        ("chip_id", "latitude", "longitude", "position_error_m", "licensed_area", "excluded_area"),
        ((name, (at := endpoints[name]).latitude, at.longitude, at.error_m, licensed(at), MAINLAND) for name in names),
    )


def _data_set(data: Path, name: str, belongs: Callable[[str], bool]) -> DataSet:
    with (data / "rtt/endpoints.csv").open(encoding="utf-8", newline="") as file:
        endpoints = {
            row["endpoint_id"]: Endpoint(
                row["iso2"], row["lat"], row["lon"], round(1000 * float(row["coord_precision_km"]))
            )
            for row in csv.DictReader(file)
            if belongs(row["endpoint_id"])
        }
    with gzip.open(data / "rtt" / name, "rt", encoding="utf-8", newline="") as file:
        rows = [
            (row["source_id"], row["target_id"], f"{float(row['rtt_ms']) + HALF_MILLISECOND}")
            if row["dataset"] == "cloud_azure"
            else (row["source_id"], row["target_id"], row["rtt_ms"])
            for row in csv.DictReader(file)
        ]
    return DataSet(endpoints, rows)


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)
    return path
