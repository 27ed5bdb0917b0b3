"""From a case to the picture of one of its chips: its verdict, its bounds, and what each of them did.

The words and the numbers are those of the verdict; nothing is decided here.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from lightbound.adjudication.facts import Settings
from lightbound.adjudication.kernels import distance_to_area
from lightbound.adjudication.one_chip import OneChip, one_chip
from lightbound.adjudication.verdicts import (
    PROOFS,
    STANDINGS,
    VERDICTS,
    Assumption,
    BorderUsed,
    Proof,
    Question,
    Verdict,
    Verdicts,
)
from lightbound.drawing.picture import Answer, Picture, PlacedBound, Reach, Region, Role
from lightbound.geo.borders import Borders
from lightbound.geo.earth import LEAST_RADIUS_M
from lightbound.geo.rings import caps_at_edge
from lightbound.geo.shapes import Area
from lightbound.ranging.readings import Chips, Landmark, Readings


def picture_of_chip(
    chip: int,
    *,
    readings: Readings,
    landmarks: Sequence[Landmark],
    chips: Chips,
    areas: Sequence[Area],
    borders: Borders,
    border: BorderUsed,
    settings: Settings,
    in_words: Callable[[Verdicts, Assumption], str] = lambda _, assumption: str(assumption),
) -> Picture:
    """The picture of the chip with this number in `chips`; the other arguments are those of `adjudicate`.

    `in_words` says an assumption as a person is told it.
    """
    case = one_chip(
        chip,
        readings=readings,
        landmarks=landmarks,
        chips=chips,
        areas=areas,
        border=border,
        settings=replace(settings, measure_regions=True),
    )
    verdicts = case.verdicts
    region = Region(
        caps=np.array(case.caps),
        units=np.array(case.cap_units, np.int64),
        count=case.cap_count,
        budget=settings.fault_budget,
    )
    licensed, excluded = (
        _answer(case, verdicts.licensed, case.licensed),
        _answer(case, verdicts.excluded, case.excluded),
    )
    return Picture(
        chip_id=verdicts.chip_ids[0],
        standing=STANDINGS[verdicts.standing[0]],
        tier=verdicts.assurance.tier,
        licensed=licensed,
        excluded=excluded,
        bounds=_bounds(case, _deciding(case, region, licensed, excluded)),
        region=region,
        units_heard=int(verdicts.units_heard[0]),
        speed=verdicts.speed,
        proof=verdicts.proof,
        window=_window(verdicts),
        assumptions=tuple(in_words(verdicts, assumption) for assumption in verdicts.assumptions),
        region_area_km2=0 if verdicts.region_area_km2 is None else int(verdicts.region_area_km2[0]),
        border=border,
        borders=borders,
        algorithm=verdicts.algorithm,
    )


def _bounds(case: OneChip, deciding: set[int]) -> tuple[PlacedBound, ...]:
    """Every bound heard; those that do not count among `case.cap_rows` are ignored."""
    placed = []
    for row, number in enumerate(case.bounds.landmark.tolist()):
        landmark = case.landmarks[number]
        role = Role.DECIDING if row in deciding else Role.USED if row in case.cap_rows else Role.IGNORED
        placed.append(
            PlacedBound(
                landmark_id=landmark.landmark_id,
                position=landmark.position,
                bound_m=float(case.bounds.bound_m[row]),
                unit=case.units[int(case.facts.landmark_unit[number])],
                role=role,
                licensed=_reach(case, row, case.licensed),
                excluded=_reach(case, row, case.excluded),
            )
        )
    return tuple(placed)


def _reach(case: OneChip, row: int, area: int) -> Reach | None:
    if area < 0:
        return None
    to_area, to_complement = distance_to_area(case.facts, int(case.facts.row_landmark[row]), area)
    bound = float(case.facts.row_bound[row])
    return Reach(
        outside_m=int(np.floor((to_area - bound) * LEAST_RADIUS_M)),
        within_m=int(np.floor((to_complement - bound) * LEAST_RADIUS_M)),
    )


def _answer(case: OneChip, question: Question, area: int) -> Answer | None:
    if area < 0:
        return None
    margin_m, proof = float(question.margin_m[0]), int(question.proof[0])
    return Answer(
        text=case.area_texts[area],
        area=case.areas[area],
        verdict=VERDICTS[question.verdict[0]],
        proof=PROOFS[proof] if proof >= 0 else None,
        margin_m=int(margin_m) if np.isfinite(margin_m) else None,
    )


def _deciding(case: OneChip, region: Region, licensed: Answer | None, excluded: Answer | None) -> set[int]:
    """Rows of the bounds that give the region its edge, or are the best of the f + 1 units that prove an answer."""
    rows = {case.cap_rows[cap] for cap in caps_at_edge(region.caps, region.units, region.count, region.budget)}
    for answer, area in ((licensed, case.licensed), (excluded, case.excluded)):
        if answer is None or answer.proof is not Proof.ALONE:
            continue
        best: dict[int, tuple[int, int]] = {}
        for unit, row in zip(case.cap_units, case.cap_rows, strict=True):
            reach = _reach(case, row, area)
            assert reach is not None  # noqa: S101 - the question was asked
            metres = reach.within_m if answer.verdict is Verdict.WITHIN else reach.outside_m
            # Of two that show as much, the first.
            best[unit] = max(best.get(unit, (metres, -row)), (metres, -row))
        rows |= {-row for _, row in sorted(best.values(), reverse=True)[: region.budget + 1]}
    return rows


def _window(verdicts: Verdicts) -> tuple[str, str] | None:
    if verdicts.window_from_ns is None or verdicts.window_to_ns is None or not verdicts.has_window[0]:
        return None
    return _instant(int(verdicts.window_from_ns[0])), _instant(int(verdicts.window_to_ns[0]))


def _instant(since_1970_ns: int) -> str:
    """RFC 3339 in UTC, with as many decimals as it takes."""
    return str(np.datetime64(since_1970_ns, "ns")).rstrip("0").rstrip(".") + "Z"
