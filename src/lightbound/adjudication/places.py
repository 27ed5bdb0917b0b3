"""Places that advice is about: where a chip is taken to be, and where a landmark could be put.

Neither is ever evidence. A verdict rests on bounds alone; whoever plans the next measurement has to suppose something.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np

from lightbound.adjudication.facts import Settings, facts_of
from lightbound.adjudication.grounds import likely_place
from lightbound.adjudication.kernels import Facts, fill_distances
from lightbound.adjudication.one_chip import OneChip
from lightbound.adjudication.verdicts import VERDICTS, Verdict
from lightbound.geo.cities import POSITION_ERROR_M, City
from lightbound.geo.earth import Position, position_of
from lightbound.geo.kernels import Outlines, inside_outline
from lightbound.geo.outlines import Outline
from lightbound.geo.shapes import FLATTENING, Circle
from lightbound.ranging.readings import Chips, Landmark, Readings

SURVEYED_ERROR_M: Final = 100.0
"""Position error of a landmark that somebody would put at the licensed site itself."""


class ReferenceKind(StrEnum):
    """What stands for the chip's place where somebody reckons which round trips can be had."""

    LICENSED_SITE = "licensed_site"
    """Centre of the licensed circle."""
    REGION = "region"
    """A place well inside what the bounds leave, where most of them agree."""
    LICENSED_AREA = "licensed_area"
    """Some place well inside the licensed area."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Where the chip is taken to be for planning; a verdict never rests on it."""

    kind: ReferenceKind
    position: Position


def reference_of(case: OneChip) -> Reference | None:
    """The place to reckon with, the most telling first.

    A licensed place that has been disproven says nothing about where the chip is, and is passed over.
    """
    licensed = None
    if case.licensed >= 0 and VERDICTS[int(case.verdicts.licensed.verdict[0])] is not Verdict.OUTSIDE:
        licensed = case.areas[case.licensed].shape
    if isinstance(licensed, Circle):
        return Reference(kind=ReferenceKind.LICENSED_SITE, position=position_of(licensed.centre))
    inner = None if licensed is None else _place_inside(licensed)
    if case.verdicts.units_heard[0] > case.settings.fault_budget:
        outline = -1 if licensed is None else int(case.facts.area_index[case.licensed])

        def licensed_there(x: float, y: float, z: float) -> bool:
            return outline >= 0 and inside_outline(x, y, z, FLATTENING, case.facts.outlines, outline)

        place = likely_place(
            case.caps,
            case.cap_units,
            case.settings.fault_budget,
            also=[] if inner is None else [inner.unit()],
            preferred=licensed_there,
        )
        if place is not None:
            return Reference(kind=ReferenceKind.REGION, position=position_of(place))
    return None if inner is None else Reference(kind=ReferenceKind.LICENSED_AREA, position=inner)


def _place_inside(outline: Outline) -> Position | None:
    """Some place well inside an area; None if there is no area."""
    parts = sorted(outline.drawn.geoms, key=lambda part: part.area)
    if not parts:
        return None
    point = parts[-1].representative_point()
    return Position(point.y, point.x)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Places where a landmark could be put, measured against the areas of one chip."""

    places: tuple[tuple[City | None, Position, float], ...]
    """City, or None for the licensed site itself; position; position error in metres."""
    facts: Facts
    """In which each place is a landmark, all distances filled in."""


def candidates_of(case: OneChip, reference: Reference | None, cities: Sequence[City]) -> Candidates:
    """The cities, and the licensed site where that is what the chip is taken to be at."""
    places: list[tuple[City | None, Position, float]] = [(city, city.position, POSITION_ERROR_M) for city in cities]
    if reference is not None and reference.kind is ReferenceKind.LICENSED_SITE:
        places.append((None, reference.position, SURVEYED_ERROR_M))
    landmarks = [
        Landmark(
            landmark_id=str(number),
            position=position,
            position_error_m=position_error_m,
            fault_unit=f"{number:09}",  # facts stand in order of fault unit; this order is ours
            country=city.country if city else None,
        )
        for number, (city, position, position_error_m) in enumerate(places)
    ]
    nothing = Readings(landmark=np.zeros(0, np.int32), chip=np.zeros(0, np.int32), round_trip_ns=np.zeros(0, np.int64))
    chips = Chips(
        chip_ids=case.verdicts.chip_ids,
        licensed=np.array([case.licensed], np.int32),
        excluded=np.array([case.excluded], np.int32),
        areas=case.area_texts,
    )
    facts, _ = facts_of(nothing, landmarks=landmarks, chips=chips, areas=case.areas, settings=Settings())
    fill_distances(
        range(len(facts.to_border)),
        Outlines(*(_viewed(column) for column in facts.outlines)),
        _viewed(facts.landmark_points),
        FLATTENING,
        np.asarray(facts.to_border),
    )
    return Candidates(places=tuple(places), facts=facts)


def _viewed(values: Any) -> Any:
    """Memory views hand out plain Python numbers, which interpreted loops read far faster than numpy's."""
    return memoryview(values)
