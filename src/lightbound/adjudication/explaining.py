"""How an explanation is found: the facts of one chip taken apart, by the functions that judged them.

Nothing is decided here. What each unit says is `kernels.margins_alone` told unit by unit; what a joint proof or a
contradiction rests on is in `grounds`, and what is missing in `remedies`.
"""

import functools
from collections.abc import Callable, Sequence

import numpy as np

from lightbound.adjudication.explanation import (
    BoundHeard,
    Conflict,
    Explanation,
    LeftOut,
    QuestionExplained,
    Reason,
    Side,
    UnitAnswer,
)
from lightbound.adjudication.facts import Settings
from lightbound.adjudication.grounds import fewest, gaps, region_is_empty, region_is_on, shaping_caps
from lightbound.adjudication.kernels import OUTLINE, distance_to_area, stands_in
from lightbound.adjudication.one_chip import OneChip, one_chip
from lightbound.adjudication.places import Candidates, Reference, candidates_of, reference_of
from lightbound.adjudication.remedies import missing_for
from lightbound.adjudication.verdicts import PROOFS, STANDINGS, VERDICTS, BorderUsed, Proof, Standing, Verdict
from lightbound.geo.cities import Cities
from lightbound.geo.earth import LEAST_RADIUS_M
from lightbound.geo.kernels import INSIDE, OUTSIDE
from lightbound.geo.shapes import Area
from lightbound.ranging.readings import Chips, Landmark, Readings


def explain(
    chip: int,
    *,
    readings: Readings,
    landmarks: Sequence[Landmark],
    chips: Chips,
    areas: Sequence[Area],
    border: BorderUsed,
    settings: Settings,
    cities: Cities,
) -> Explanation:
    """Why the verdicts on the chip with this number in `chips` are what they are.

    `cities` are where landmarks are suggested; the other arguments are those of `adjudicate`.
    """
    case = one_chip(
        chip, readings=readings, landmarks=landmarks, chips=chips, areas=areas, border=border, settings=settings
    )
    shaping = shaping_caps(case.caps, case.cap_units, settings.fault_budget)
    reference = reference_of(case)
    candidates = functools.cache(lambda: candidates_of(case, reference, cities.cities))
    contradicted = STANDINGS[int(case.verdicts.standing[0])] is Standing.CONTRADICTION
    return Explanation(
        verdicts=case.verdicts,
        licensed=_question(case, case.licensed, Verdict.WITHIN, reference, candidates),
        excluded=_question(case, case.excluded, Verdict.OUTSIDE, reference, candidates),
        bounds=_bounds(case),
        left_out=_left_out(case),
        landmarks_not_heard=len(landmarks) - len(np.unique(case.readings.landmark)),
        shaped_by=_landmark_ids(case, sorted(shaping, key=lambda cap: case.caps[4 * cap + 3])),
        conflict=_conflict(case) if contradicted else None,
        reference=reference,
        cities=cities,
    )


def _question(
    case: OneChip, area: int, hoped: Verdict, reference: Reference | None, candidates: Callable[[], Candidates]
) -> QuestionExplained | None:
    if area < 0:
        return None
    column = case.verdicts.licensed if hoped is Verdict.WITHIN else case.verdicts.excluded
    verdict = VERDICTS[int(column.verdict[0])]
    proof = PROOFS[int(column.proof[0])] if column.proof[0] >= 0 else None
    margin_m = float(column.margin_m[0])
    units = _units(case, area)
    enough = case.settings.fault_budget + 1
    decided_by: tuple[str, ...] = ()
    if proof is Proof.ALONE:
        ranked = sorted(units, key=lambda unit: -_side(unit, verdict).margin_m)
        decided_by = tuple(unit.unit for unit in ranked[:enough])
    rests_on: tuple[str, ...] = ()
    if proof is Proof.JOINT:
        side = INSIDE if verdict is Verdict.WITHIN else OUTSIDE
        budget = case.settings.fault_budget
        rests_on = _landmark_ids(
            case,
            fewest(
                case.caps,
                case.cap_units,
                budget,
                lambda caps, its_units: region_is_on(side, case.facts, area, caps, its_units),
            ),
        )
    missing = None
    if verdict is Verdict.UNDETERMINED or (verdict is hoped and proof is not Proof.ALONE):
        proving = sum(_side(unit, hoped).proves for unit in units)
        missing = missing_for(case, area, hoped, units_proving=proving, reference=reference, candidates=candidates())
    return QuestionExplained(
        area=case.area_texts[area],
        verdict=verdict,
        proof=proof,
        margin_m=int(margin_m) if np.isfinite(margin_m) else None,
        units=units,
        decided_by=decided_by,
        rests_on=rests_on,
        missing=missing,
    )


def _side(unit: UnitAnswer, verdict: Verdict) -> Side:
    return unit.within if verdict is Verdict.WITHIN else unit.outside


def _units(case: OneChip, area: int) -> tuple[UnitAnswer, ...]:
    """What each fault unit heard says about one area, by the arithmetic of `kernels.margins_alone`."""
    best: dict[int, list[tuple[float, float, str]]] = {}
    for cap in range(case.cap_count):
        number = case.landmark_of_cap(cap)
        bound = case.caps[4 * cap + 3]
        name = case.landmarks[number].landmark_id
        sides = [(angle - bound, angle, name) for angle in distance_to_area(case.facts, number, area)]
        known = best.setdefault(case.cap_units[cap], sides)
        best[case.cap_units[cap]] = [max(*pair, key=lambda side: side[0]) for pair in zip(known, sides, strict=True)]
    answers = [
        UnitAnswer(unit=case.units[unit], outside=_side_of(outside), within=_side_of(within))
        for unit, (outside, within) in best.items()
    ]
    return tuple(sorted(answers, key=lambda answer: (-answer.better.margin_m, answer.unit)))


def _side_of(best: tuple[float, float, str]) -> Side:
    margin, angle, landmark_id = best
    return Side(
        landmark_id=landmark_id,
        distance_m=int(np.floor(angle * LEAST_RADIUS_M)),
        margin_m=int(np.floor(margin * LEAST_RADIUS_M)),
        proves=bool(margin > 0.0),
    )


def _bounds(case: OneChip) -> tuple[BoundHeard, ...]:
    readings, used = case.readings, case.rows_used()
    heard = []
    for cap, row in enumerate(case.cap_rows):
        landmark, reading = case.landmarks[case.landmark_of_cap(cap)], used[row]
        heard.append(
            BoundHeard(
                landmark_id=landmark.landmark_id,
                unit=case.units[case.cap_units[cap]],
                position=landmark.position,
                round_trip_ns=int(readings.round_trip_ns[reading]),
                clock_error_ns=None if readings.clock_error_ns is None else int(readings.clock_error_ns[reading]),
                measured_at_ns=None if readings.measured_at_ns is None else int(readings.measured_at_ns[reading]),
                session_id=None if readings.session is None else readings.session_ids[readings.session[reading]],
                bound_m=int(np.ceil(case.bounds.bound_m[row])),
            )
        )
    return tuple(sorted(heard, key=lambda bound: (bound.bound_m, bound.landmark_id)))


def _left_out(case: OneChip) -> tuple[LeftOut, ...]:
    """Every row about the chip that made no bound, by landmark and reason."""
    inside = case.rows_inside()
    used = set(case.bounds.landmark.tolist())
    found = []
    for number in np.unique(case.readings.landmark).tolist():
        name = case.landmarks[number].landmark_id
        rows = case.readings.landmark == number
        counts: dict[Reason, int] = {}
        if name == case.verdicts.chip_ids[0]:
            counts[Reason.OWN_NAME] = int(rows.sum())
        else:
            counts[Reason.OUTSIDE_WINDOW] = int((rows & ~inside).sum())
            counts[Reason.SUPERSEDED] = max(0, int((rows & inside).sum()) - 1)
            if number in used and case.excluded >= 0 and stands_in(case.facts, number, case.excluded):
                counts[_distrust(case, number)] = 1
        found += [LeftOut(landmark_id=name, reason=reason, rows=count) for reason, count in counts.items() if count]
    return tuple(sorted(found, key=lambda left: (list(Reason).index(left.reason), left.landmark_id)))


def _distrust(case: OneChip, landmark: int) -> Reason:
    """Why a landmark that stands in the excluded area is taken to; its position says more than its word."""
    facts = case.facts
    if distance_to_area(facts, landmark, case.excluded)[0] <= facts.landmark_error[landmark]:
        return Reason.MAY_STAND_IN_EXCLUDED_AREA
    assert facts.area_kind[case.excluded] == OUTLINE  # noqa: S101 - only the words of an outline name countries
    return Reason.DECLARES_EXCLUDED_COUNTRY


def _conflict(case: OneChip) -> Conflict:
    budget = case.settings.fault_budget

    def contradicts(caps: list[float], units: list[int]) -> bool:
        return region_is_empty(caps, units, budget)

    if contradicts(case.caps, case.cap_units):
        caps = fewest(case.caps, case.cap_units, budget, contradicts)
    else:
        # Rounding leaves a point of a region that is empty: enough units prove one thing, and enough its opposite.
        caps = _on_both_sides(case)
    names = {cap: case.landmarks[case.landmark_of_cap(cap)].landmark_id for cap in caps}
    return Conflict(
        landmark_ids=tuple(names.values()),
        units=tuple(dict.fromkeys(case.units[case.cap_units[cap]] for cap in caps)),
        gaps=tuple((names[i], names[j], int(np.floor(gap * LEAST_RADIUS_M))) for i, j, gap in gaps(case.caps, caps)),
    )


def _on_both_sides(case: OneChip) -> list[int]:
    """The caps by which more than f units prove `outside` an area, and more than f `within` it, alone."""
    enough = case.settings.fault_budget + 1
    for area in (case.licensed, case.excluded):
        units = _units(case, area) if area >= 0 else ()
        sides = [
            [side for side in both if side.proves]
            for both in zip(*((unit.outside, unit.within) for unit in units), strict=True)
        ]
        if len(sides) == 2 and all(len(proving) >= enough for proving in sides):
            best = [sorted(proving, key=lambda side: -side.margin_m)[:enough] for proving in sides]
            names = {side.landmark_id for proving in best for side in proving}
            return [
                cap for cap in range(case.cap_count) if case.landmarks[case.landmark_of_cap(cap)].landmark_id in names
            ]
    return list(range(case.cap_count))


def _landmark_ids(case: OneChip, caps: Sequence[int]) -> tuple[str, ...]:
    return tuple(case.landmarks[case.landmark_of_cap(cap)].landmark_id for cap in caps)
