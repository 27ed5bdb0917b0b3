"""TRUTH: chips whose place is known, and the two areas asked about for each."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lightbound.adjudication.evaluation.truths import Truths
from lightbound.errors import Malformed
from lightbound.files.chips import asked_areas
from lightbound.files.columns import new_ids, report_missing
from lightbound.files.faults import Faults
from lightbound.files.header import Columns, Kind
from lightbound.files.landmarks import GREATEST_POSITION_ERROR_M
from lightbound.files.quantities import decimals
from lightbound.files.tables import columns_ignored, read_table
from lightbound.geo.earth import Position
from lightbound.ranging.readings import Chips

COLUMNS: Final = Columns(
    required={
        "chip_id": Kind.TEXT,
        "latitude": Kind.DECIMAL,
        "longitude": Kind.DECIMAL,
        "position_error_m": Kind.DECIMAL,
        "licensed_area": Kind.TEXT,
        "excluded_area": Kind.TEXT,
    },
    distinct=frozenset({"chip_id"}),
    also_known_as={
        **dict.fromkeys(("id", "chip"), "chip_id"),
        "lat": "latitude",
        **dict.fromkeys(("lon", "lng", "long"), "longitude"),
        **dict.fromkeys(("position_error", "accuracy_m"), "position_error_m"),
        "licensed": "licensed_area",
        "excluded": "excluded_area",
    },
)


def read_truths(path: Path, *, make: Callable[[str], object]) -> Truths:
    """The chips of the file and their true places, in its order.

    `make` is given each distinct text of an area once, in the order in which `chips.areas` will list them. A chip may
    truly stand in its excluded area, and its licensed area may lie there too: what such a chip gets to hear is just
    what an evaluation is for.

    Raises:
        Malformed: with the first faults of the file by line, and the count of all.
        Unavailable: the file cannot be read.
    """
    faults = Faults(str(path))
    lines: dict[str, int] = {}
    areas: dict[str, int] = {}
    refused: dict[str, Malformed] = {}
    parts: dict[str, list[NDArray[np.float64]]] = {"latitude": [], "longitude": [], "position_error_m": []}
    asked: dict[str, list[NDArray[np.int32]]] = {"licensed_area": [], "excluded_area": []}
    for batch in read_table(path, COLUMNS, faults):
        new_ids(batch, "chip_id", lines, faults)
        for name, least, most, of in (
            ("latitude", -90.0, 90.0, " of degrees"),
            ("longitude", -180.0, 180.0, " of degrees"),
            ("position_error_m", 0.0, GREATEST_POSITION_ERROR_M, " of metres"),
        ):
            report_missing(batch, name, faults)
            parts[name].append(decimals(batch, name, faults, least=least, most=most, of=of))
        for name, gathered in asked.items():
            gathered.append(asked_areas(batch, name, areas, refused, make, faults))
    faults.raise_if_any()
    latitudes, longitudes = np.concatenate(parts["latitude"]).tolist(), np.concatenate(parts["longitude"]).tolist()
    return Truths(
        chips=Chips(
            chip_ids=tuple(lines),
            licensed=np.concatenate(asked["licensed_area"]),
            excluded=np.concatenate(asked["excluded_area"]),
            areas=tuple(areas),
        ),
        positions=tuple(Position(*at) for at in zip(latitudes, longitudes, strict=True)),
        position_error_m=np.concatenate(parts["position_error_m"]),
    )


def truth_columns_ignored(path: Path) -> tuple[str, ...]:
    """Names of the columns of the file that are not looked at."""
    return columns_ignored(path, COLUMNS)
