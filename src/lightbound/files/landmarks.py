"""LANDMARKS: who measured, from where, and how surely that place is known."""

import re
from pathlib import Path
from typing import Final

from lightbound.errors import ErrorCode
from lightbound.files.batches import Batch
from lightbound.files.columns import Filled, ids, new_ids, report_missing, text_codes
from lightbound.files.faults import Faults, shown
from lightbound.files.header import Columns, Kind
from lightbound.files.quantities import decimals
from lightbound.files.tables import columns_ignored, read_table
from lightbound.geo.earth import Position
from lightbound.ranging.readings import Landmark

GREATEST_POSITION_ERROR_M: Final = 20_037_508
"""Half of the equator: the whole Earth. More is a mistake of units."""

COLUMNS: Final = Columns(
    required={
        "landmark_id": Kind.TEXT,
        "latitude": Kind.DECIMAL,
        "longitude": Kind.DECIMAL,
        "position_error_m": Kind.DECIMAL,
    },
    optional={"fault_unit": Kind.TEXT, "country": Kind.TEXT},
    distinct=frozenset({"landmark_id"}),
    also_known_as={
        "id": "landmark_id",
        "landmark": "landmark_id",
        "lat": "latitude",
        **dict.fromkeys(("lon", "lng", "long"), "longitude"),
        **dict.fromkeys(("coord_precision_km", "position_error", "accuracy_m"), "position_error_m"),
    },
)

_COUNTRY: Final = re.compile("[A-Z]{2}")


def read_landmarks(path: Path) -> tuple[Landmark, ...]:
    """The landmarks of the file, in its order. What they say of themselves is not checked against anything.

    `fault_unit` is given for every landmark or for none: one left out by mistake would join units that can fail
    apart, or part some that fail together. `country` may be left out of any row.

    Raises:
        Malformed: with the first faults of the file by line, and the count of all.
        Unavailable: the file cannot be read.
    """
    faults = Faults(str(path))
    lines: dict[str, int] = {}
    rows: list[tuple[float, float, float, str | None, str | None]] = []
    filled = Filled("fault_unit")
    for batch in read_table(path, COLUMNS, faults):
        new_ids(batch, "landmark_id", lines, faults)
        for name in ("latitude", "longitude", "position_error_m"):
            report_missing(batch, name, faults)
        if "fault_unit" in batch.columns:
            filled.see(batch)
            ids(batch, "fault_unit", {}, faults)
        rows.extend(
            zip(
                decimals(batch, "latitude", faults, least=-90, most=90, of=" of degrees").tolist(),
                decimals(batch, "longitude", faults, least=-180, most=180, of=" of degrees").tolist(),
                decimals(
                    batch, "position_error_m", faults, least=0, most=GREATEST_POSITION_ERROR_M, of=" of metres"
                ).tolist(),
                _texts(batch, "fault_unit"),
                _countries(batch, faults),
                strict=True,
            )
        )
    filled.every(faults)
    faults.raise_if_any()
    return tuple(
        Landmark(
            landmark_id=landmark_id,
            position=Position(latitude, longitude),
            position_error_m=position_error_m,
            fault_unit=fault_unit,
            country=country,
        )
        for landmark_id, (latitude, longitude, position_error_m, fault_unit, country) in zip(lines, rows, strict=True)
    )


def landmark_columns_ignored(path: Path) -> tuple[str, ...]:
    """Names of the columns of the file that are not looked at."""
    return columns_ignored(path, COLUMNS)


def _texts(batch: Batch, name: str) -> list[str | None]:
    if name not in batch.columns:
        return [None] * len(batch)
    codes, values = text_codes(batch, name)
    return [None if code < 0 else values[code] for code in codes.tolist()]


def _countries(batch: Batch, faults: Faults) -> list[str | None]:
    countries = _texts(batch, "country")
    wrong = [row for row, country in enumerate(countries) if country is not None and not _COUNTRY.fullmatch(country)]
    faults.add_rows(
        ErrorCode.VALUE_MALFORMED,
        wrong,
        count=len(wrong),
        lines=batch.lines,
        column="country",
        expected="two capital letters (ISO 3166-1 alpha-2), or nothing",
        found=lambda row: shown(countries[row]),
    )
    return countries
