"""Where things are that a plan is about, read from a file: columns of positions and of what else may be left out.

Also the hosts that were measured from known places, which is what a model of delays is fitted to.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np

from lightbound.adjudication.planning.pairs import Pairs, Place, pairs_of
from lightbound.errors import ErrorCode, Fault, Malformed
from lightbound.files.batches import Batch
from lightbound.files.columns import Filled, new_ids, nulls, report_missing, text_codes
from lightbound.files.faults import Faults
from lightbound.files.header import Columns, Kind
from lightbound.files.landmarks import GREATEST_POSITION_ERROR_M, read_landmarks
from lightbound.files.measurements import read_measurements
from lightbound.files.quantities import decimals
from lightbound.files.tables import read_table
from lightbound.geo.earth import Position
from lightbound.ranging.readings import Chips

POSITION: Final = {"latitude": Kind.DECIMAL, "longitude": Kind.DECIMAL}
"""Columns without which nothing is anywhere."""

POSITION_KNOWN_AS: Final = {
    "lat": "latitude",
    **dict.fromkeys(("lon", "lng", "long"), "longitude"),
    **dict.fromkeys(("coord_precision_km", "position_error", "accuracy_m"), "position_error_m"),
}
"""Names in use elsewhere for them and for their error."""

PLACES: Final = Columns(
    required={"chip_id": Kind.TEXT, **POSITION},
    optional={"position_error_m": Kind.DECIMAL},
    distinct=frozenset({"chip_id"}),
    also_known_as={**POSITION_KNOWN_AS, **dict.fromkeys(("id", "chip"), "chip_id")},
)


def read_places(path: Path) -> dict[str, Place]:
    """Where hosts that were measured stand, by their ids; exactly there where no error is stated.

    Raises:
        Malformed: with the first faults of the file by line, and the count of all.
        Unavailable: the file cannot be read.
    """
    faults = Faults(str(path))
    lines: dict[str, int] = {}
    filled = Filled("position_error_m")
    places: list[Place] = []
    for batch in batches_with_ids(path, PLACES, lines, faults, {"position_error_m": filled}):
        places += placed(batch, faults, 0.0)
    filled.every(faults)
    faults.raise_if_any()
    return dict(zip(lines, places, strict=True))


def read_pairs(measurements: Path, *, measured_by: Path, places: Path | None) -> tuple[Pairs, int]:
    """Pairs of known places with their least round trips, and how many rows are about hosts whose place is not known.

    Without a file of places the hosts known are the landmarks themselves, by their ids.

    Raises:
        Malformed: with the first faults of a file by line, and the count of all; or no row is about a known pair.
        Unavailable: a file cannot be read.
    """
    landmarks = read_landmarks(measured_by)
    known = (
        {one.landmark_id: Place(position=one.position, error_m=one.position_error_m) for one in landmarks}
        if places is None
        else read_places(places)
    )
    nobody = np.full(len(known), -1, np.int32)
    hosts = Chips(chip_ids=tuple(known), licensed=nobody, excluded=nobody, areas=())
    readings = read_measurements(measurements, landmarks=landmarks, chips=hosts)
    pairs = pairs_of(readings, landmarks=landmarks, places=known)
    if not len(pairs.round_trip_ns):
        raise Malformed(
            Fault(
                code=ErrorCode.VALUE_MISSING,
                expected="rows about hosts whose place is known",
                found=f"{readings.rows_of_unasked_chips:,} rows about others",
                file=str(measurements),
                column="chip_id",
                next="give a file of places with a chip_id, latitude and longitude for each host that answered",
            )
        )
    return pairs, readings.rows_of_unasked_chips


def batches_with_ids(
    path: Path, columns: Columns, lines: dict[str, int], faults: Faults, filled: Mapping[str, Filled]
) -> Iterator[Batch]:
    """The batches of a file, note being taken of their ids and of what must stand in all rows or in none."""
    for batch in read_table(path, columns, faults):
        (name,) = (name for name in columns.distinct if name in batch.columns)
        new_ids(batch, name, lines, faults)
        for column, one in filled.items():
            if column in batch.columns:
                one.see(batch)
        yield batch


def placed(batch: Batch, faults: Faults, error_m: float) -> list[Place]:
    """Where each row says that it is; `error_m` holds where the file states no error."""
    for name in ("latitude", "longitude"):
        report_missing(batch, name, faults)
    return [
        Place(position=Position(latitude, longitude), error_m=own_error_m)
        for latitude, longitude, own_error_m in zip(
            decimals(batch, "latitude", faults, least=-90, most=90, of=" of degrees").tolist(),
            decimals(batch, "longitude", faults, least=-180, most=180, of=" of degrees").tolist(),
            optional_decimals(
                batch, "position_error_m", faults, least=0, most=GREATEST_POSITION_ERROR_M, default=error_m
            ),
            strict=True,
        )
    ]


def optional_decimals(
    batch: Batch, name: str, faults: Faults, *, least: float, most: float, default: float
) -> list[float]:
    """A column of numbers, with the default where it is not there or has no value."""
    if name not in batch.columns:
        return [default] * len(batch)
    values = decimals(batch, name, faults, least=least, most=most, of="")
    filled: list[float] = np.where(nulls(batch.columns[name]), default, values).tolist()
    return filled


def texts(batch: Batch, name: str) -> list[str | None]:
    """A column of text, None where a row has no value or the file no such column."""
    if name not in batch.columns:
        return [None] * len(batch)
    codes, values = text_codes(batch, name)
    return [None if code < 0 else values[code] for code in codes.tolist()]
