"""What a plan is made from: sites with their areas, and candidates with their costs."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from lightbound.adjudication.planning.pairs import Place
from lightbound.adjudication.planning.plan import Candidate
from lightbound.adjudication.planning.scene import Site
from lightbound.errors import ErrorCode, Malformed
from lightbound.files.batches import Batch
from lightbound.files.columns import Filled, ids, report, report_missing
from lightbound.files.faults import Faults
from lightbound.files.header import Columns, Kind
from lightbound.files.places import POSITION, POSITION_KNOWN_AS, batches_with_ids, optional_decimals, placed, texts
from lightbound.files.quantities import decimals
from lightbound.geo.shapes import Area
from lightbound.ranging.readings import Landmark

LEAST_COST: Final = 0.01
"""A landmark that costs nothing is to be given as one that stands already."""

MOST: Final = 1e12
"""More chips at a site, or a dearer landmark, is a mistake of units."""

_NOT_ASKED: Final = -1
_WRONG: Final = -2

_COUNTRY: Final = re.compile("[A-Z]{2}")

SITES: Final = Columns(
    required=POSITION,
    one_of={"site_id": Kind.TEXT, "chip_id": Kind.TEXT},
    optional={
        "position_error_m": Kind.DECIMAL,
        "weight": Kind.DECIMAL,
        "licensed_area": Kind.TEXT,
        "excluded_area": Kind.TEXT,
    },
    distinct=frozenset({"site_id", "chip_id"}),
    also_known_as={
        **POSITION_KNOWN_AS,
        **dict.fromkeys(("id", "site"), "site_id"),
        "chips": "weight",
        "licensed": "licensed_area",
        "excluded": "excluded_area",
    },
)

CANDIDATES: Final = Columns(
    required=POSITION,
    one_of={"candidate_id": Kind.TEXT, "landmark_id": Kind.TEXT},
    optional={
        "position_error_m": Kind.DECIMAL,
        "fault_unit": Kind.TEXT,
        "country": Kind.TEXT,
        "cost": Kind.DECIMAL,
    },
    distinct=frozenset({"candidate_id", "landmark_id"}),
    also_known_as={**POSITION_KNOWN_AS, **dict.fromkeys(("id", "candidate"), "candidate_id")},
)

COSTS: Final = Columns(
    required={"candidate_id": Kind.TEXT, "cost": Kind.DECIMAL},
    distinct=frozenset({"candidate_id"}),
    also_known_as={"id": "candidate_id"},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """The sites of a file, and the areas that they ask about."""

    sites: tuple[Site, ...]
    areas: tuple[Area, ...]
    """Distinct, as sites number them."""
    weighted: bool
    """Whether the file says how much each site weighs; otherwise each weighs 1."""


def read_sites(path: Path, *, make: Callable[[str], Area], error_m: float) -> Sites:
    """The sites of the file, in its order; every one asks at least one question.

    `make` is given each distinct text of an area once. `error_m` holds where the file states no position error.

    Raises:
        Malformed: with the first faults of the file by line, and the count of all.
        Unavailable: the file, or a drawing that it names, cannot be read.
    """
    faults = Faults(str(path))
    lines: dict[str, int] = {}
    made = _Made(make)
    rows: list[tuple[Place, float, int, int]] = []
    filled = {name: Filled(name) for name in ("position_error_m", "weight")}
    for batch in batches_with_ids(path, SITES, lines, faults, filled):
        licensed = made.numbers(batch, "licensed_area", faults)
        excluded = made.numbers(batch, "excluded_area", faults)
        neither = [row for row, areas in enumerate(zip(licensed, excluded, strict=True)) if set(areas) == {_NOT_ASKED}]
        faults.add_rows(
            ErrorCode.VALUE_MISSING,
            neither,
            count=len(neither),
            lines=batch.lines,
            column="excluded_area",
            expected="a licensed_area, an excluded_area, or both",
            found=lambda _: "neither",
            advice="a plan needs to know what is to be proven",
        )
        weights = optional_decimals(batch, "weight", faults, least=1e-6, most=MOST, default=1.0)
        places = placed(batch, faults, error_m)
        rows.extend(zip(places, weights, licensed, excluded, strict=True))
    every = {name: one.every(faults) for name, one in filled.items()}
    faults.raise_if_any()
    return Sites(
        sites=tuple(
            Site(
                site_id=site_id,
                position=place.position,
                position_error_m=place.error_m,
                weight=weight,
                licensed=licensed,
                excluded=excluded,
            )
            for site_id, (place, weight, licensed, excluded) in zip(lines, rows, strict=True)
        ),
        areas=tuple(made.areas),
        weighted=every["weight"],
    )


def read_candidates(path: Path, *, costs: Mapping[str, float], cost: float, error_m: float) -> tuple[Candidate, ...]:
    """The candidates of the file, in its order.

    What `costs` says about a candidate holds before the file's own column, and `cost` where neither says anything.
    A `fault_unit` is given for every candidate or for none, as with landmarks.

    Raises:
        Malformed: with the first faults of the file by line, and the count of all.
        Unavailable: the file cannot be read.
    """
    faults = Faults(str(path))
    lines: dict[str, int] = {}
    rows: list[tuple[Place, str | None, str | None, float]] = []
    filled = {name: Filled(name) for name in ("position_error_m", "fault_unit")}
    for batch in batches_with_ids(path, CANDIDATES, lines, faults, filled):
        if "fault_unit" in batch.columns:
            ids(batch, "fault_unit", {}, faults)
        countries = texts(batch, "country")
        wrong = np.array([country is not None and not _COUNTRY.fullmatch(country) for country in countries])
        if wrong.any():
            report(batch, "country", faults, wrong, ErrorCode.VALUE_MALFORMED, "two capital letters, or nothing")
        rows.extend(
            zip(
                placed(batch, faults, error_m),
                texts(batch, "fault_unit"),
                countries,
                optional_decimals(batch, "cost", faults, least=LEAST_COST, most=MOST, default=cost),
                strict=True,
            )
        )
    for one in filled.values():
        one.every(faults)
    faults.raise_if_any()
    return tuple(
        Candidate(
            landmark=Landmark(
                landmark_id=name,
                position=place.position,
                position_error_m=place.error_m,
                fault_unit=fault_unit,
                country=country,
            ),
            cost=costs.get(name, own_cost),
        )
        for name, (place, fault_unit, country, own_cost) in zip(lines, rows, strict=True)
    )


def read_costs(path: Path) -> dict[str, float]:
    """What candidates cost a year, by their ids.

    Raises:
        Malformed: with the first faults of the file by line, and the count of all.
        Unavailable: the file cannot be read.
    """
    faults = Faults(str(path))
    lines: dict[str, int] = {}
    costs: list[float] = []
    for batch in batches_with_ids(path, COSTS, lines, faults, {}):
        report_missing(batch, "cost", faults)
        costs += decimals(batch, "cost", faults, least=LEAST_COST, most=MOST, of=" of a currency's units").tolist()
    faults.raise_if_any()
    return dict(zip(lines, costs, strict=True))


class _Made:
    """Areas made from their texts, each once. Not frozen: it sees a file batch by batch."""

    def __init__(self, make: Callable[[str], Area]) -> None:
        self._make = make
        self._found: dict[str, int | Malformed] = {}
        self.areas: list[Area] = []

    def numbers(self, batch: Batch, name: str, faults: Faults) -> list[int]:
        """The area of each row, -1 where it asks nothing; what cannot be made is reported."""
        return [
            _NOT_ASKED if text is None else self._number(text, batch.lines[row], name, faults)
            for row, text in enumerate(texts(batch, name))
        ]

    def _number(self, text: str, line: int, column: str, faults: Faults) -> int:
        if text not in self._found:
            try:
                area = self._make(text)
            except Malformed as error:
                self._found[text] = error
            else:
                self._found[text] = len(self.areas)
                self.areas.append(area)
        found = self._found[text]
        if isinstance(found, int):
            return found
        first = found.faults[0]
        if first.file is None:
            faults.add(
                first.code, expected=first.expected, found=first.found, line=line, column=column, advice=first.next
            )
        else:  # inside a drawing, which has a place of its own
            faults.add_elsewhere(found)
        return _WRONG
