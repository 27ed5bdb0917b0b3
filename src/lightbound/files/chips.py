"""CHIPS: the chips asked about, and the two areas asked about for each."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lightbound.errors import Malformed
from lightbound.files.batches import Batch, Progress
from lightbound.files.columns import new_ids, text_codes
from lightbound.files.faults import FAULTS_KEPT, Faults, shown
from lightbound.files.header import Columns, Kind
from lightbound.files.tables import columns_ignored, read_table
from lightbound.geo.areas import parse_area
from lightbound.ranging.readings import Chips

COLUMNS: Final = Columns(
    required={"chip_id": Kind.TEXT, "licensed_area": Kind.TEXT, "excluded_area": Kind.TEXT},
    distinct=frozenset({"chip_id"}),
    also_known_as={
        **dict.fromkeys(("id", "chip"), "chip_id"),
        "licensed": "licensed_area",
        "excluded": "excluded_area",
    },
)

_NOT_ASKED: Final = -1


def read_chips(path: Path, *, make: Callable[[str], object] = parse_area, progress: Progress | None = None) -> Chips:
    """The chips of the file, in its order; an empty area means that its question is not asked.

    `make` is given each distinct text of an area once, in the order in which `areas` will list those that it did not
    refuse; what it raises as `Malformed` is reported where the text stands. By itself the text is only read;
    whoever has the border and the folder can make the area of it.

    Raises:
        Malformed: with the first faults of the file by line, and the count of all.
        Unavailable: the file cannot be read.
    """
    faults = Faults(str(path))
    lines: dict[str, int] = {}
    areas: dict[str, int] = {}
    refused: dict[str, Malformed] = {}
    licensed: list[NDArray[np.int32]] = []
    excluded: list[NDArray[np.int32]] = []
    for batch in read_table(path, COLUMNS, faults, progress):
        new_ids(batch, "chip_id", lines, faults)
        licensed.append(asked_areas(batch, "licensed_area", areas, refused, make, faults))
        excluded.append(asked_areas(batch, "excluded_area", areas, refused, make, faults))
    faults.raise_if_any()
    return Chips(
        chip_ids=tuple(lines),
        licensed=np.concatenate(licensed),
        excluded=np.concatenate(excluded),
        areas=tuple(areas),
    )


def chip_columns_ignored(path: Path) -> tuple[str, ...]:
    """Names of the columns of the file that are not looked at."""
    return columns_ignored(path, COLUMNS)


def asked_areas(
    batch: Batch,
    name: str,
    areas: dict[str, int],
    refused: dict[str, Malformed],
    make: Callable[[str], object],
    faults: Faults,
) -> NDArray[np.int32]:
    """Indices of the areas of one column, `areas` and `refused` growing by each text that is new; -1 where empty."""
    codes, values = text_codes(batch, name)
    indices = np.full(len(values) + 1, _NOT_ASKED, np.int32)  # one more, for the code -1 of an empty area
    wrong = np.zeros(len(values) + 1, np.bool_)
    for code, text in enumerate(values):
        if text not in areas and text not in refused:
            try:
                make(text)
            except Malformed as error:
                refused[text] = error
                if error.faults[0].file is not None:
                    faults.add_elsewhere(error)
            else:
                areas[text] = len(areas)
        if text in refused:
            wrong[code] = True
        else:
            indices[code] = areas[text]
    rows = np.flatnonzero(wrong[codes]).tolist()
    for row in rows[:FAULTS_KEPT]:
        fault = refused[values[codes[row]]].faults[0]
        # What is wrong inside a drawing stands at its own place in its own file; here stands who names it.
        elsewhere = fault.file is not None
        faults.add(
            fault.code,
            expected="an area whose drawing can be read" if elsewhere else fault.expected,
            found=shown(values[codes[row]]) if elsewhere else fault.found,
            line=batch.lines[row],
            column=name,
            advice=f"repair {fault.file}" if elsewhere else fault.next,
        )
    faults.add_untold(max(0, len(rows) - FAULTS_KEPT))
    found: NDArray[np.int32] = indices[codes]
    return found
