"""An explanation shows the numbers that the verdict came from, and no others."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightbound.adjudication.explanation import QuestionExplained, Reason
from lightbound.adjudication.facts import Settings
from lightbound.adjudication.one_chip import UNSTATED, fault_unit, one_chip
from lightbound.adjudication.remedies import greatest_round_trip_ns
from lightbound.adjudication.verdicts import PROOFS, STANDINGS, VERDICTS, Proof, Question, Standing, Verdict
from lightbound.geo.earth import position_of
from lightbound.geo.kernels import angle_between, point_on_circle
from lightbound.geo.shapes import Circle
from lightbound.ranging.bounds import Speed
from tests.adjudication.cases import (
    BORDER,
    HOUR_NS,
    NOON_NS,
    Case,
    area,
    case_of,
    landmark,
    random_case,
    surrounded_case,
)

SEEDS = st.integers(0, 2**32)
SINGAPORE = (1.3, 103.8)


def _with_rows(case: Case, kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Case:
    """The same with some of the rows."""
    readings = case.readings
    return replace(
        case,
        readings=replace(
            readings,
            landmark=readings.landmark[kept],
            chip=readings.chip[kept],
            round_trip_ns=readings.round_trip_ns[kept],
            measured_at_ns=None if readings.measured_at_ns is None else readings.measured_at_ns[kept],
            clock_error_ns=None if readings.clock_error_ns is None else readings.clock_error_ns[kept],
        ),
    )


def _only(case: Case, chip: int, names: tuple[str, ...]) -> Case:
    """The same with only the rows of one chip that some landmarks measured."""
    numbers = [number for number, placed in enumerate(case.landmarks) if placed.landmark_id in names]
    return _with_rows(case, (case.readings.chip == chip) & np.isin(case.readings.landmark, numbers))


def _same_answer(case: Case, chip: int, explained: QuestionExplained | None, column: Question) -> None:
    if explained is None:
        assert column.verdict[chip] == -1
        return
    assert explained.verdict == VERDICTS[int(column.verdict[chip])]
    assert explained.proof == (PROOFS[int(column.proof[chip])] if column.proof[chip] >= 0 else None)
    budget = case.settings.fault_budget
    outside = sorted((unit.outside.margin_m for unit in explained.units), reverse=True)
    within = sorted((unit.within.margin_m for unit in explained.units), reverse=True)
    if len(explained.units) > budget:
        assert explained.margin_m == column.margin_m[chip] == max(outside[budget], within[budget])
    else:
        assert explained.margin_m is None
        assert column.margin_m[chip] == -np.inf
    if explained.proof is Proof.ALONE:
        proving = {unit.unit for unit in explained.units if unit.proves is explained.verdict}
        assert len(explained.decided_by) == budget + 1
        assert set(explained.decided_by) <= proving
    else:
        assert explained.decided_by == ()
    assert bool(explained.rests_on) == (explained.proof is Proof.JOINT)


@settings(max_examples=40)
@given(SEEDS, st.booleans())
@pytest.mark.long
def test_an_explanations_numbers_are_the_verdicts(seed: int, liars: bool) -> None:  # noqa: FBT001 - Hypothesis gives it
    case = random_case(seed, liars=liars)
    verdicts = case.verdicts()
    for chip in range(len(case.chips)):
        told = case.explanation(chip)
        assert told.chip_id == case.chips.chip_ids[chip]
        assert told.standing == STANDINGS[int(verdicts.standing[chip])]
        _same_answer(case, chip, told.licensed, verdicts.licensed)
        _same_answer(case, chip, told.excluded, verdicts.excluded)
        assert len(told.bounds) == verdicts.landmarks_used[chip]
        assert len({bound.unit for bound in told.bounds}) == verdicts.units_heard[chip]
        left = {reason: [row for row in told.left_out if row.reason is reason] for reason in Reason}
        assert sum(row.rows for row in left[Reason.OUTSIDE_WINDOW]) == verdicts.rows_outside_window[chip]
        assert sum(row.rows for row in left[Reason.SUPERSEDED]) == verdicts.rows_superseded[chip]
        ignored = left[Reason.MAY_STAND_IN_EXCLUDED_AREA] + left[Reason.DECLARES_EXCLUDED_COUNTRY]
        assert sum(row.rows for row in ignored) == verdicts.landmarks_ignored[chip]
        assert {row.landmark_id for row in left[Reason.OWN_NAME]} <= {case.chips.chip_ids[chip]}
        assert len(told.bounds) + sum(row.rows for row in told.left_out) == (case.readings.chip == chip).sum()
        assert (told.conflict is not None) == (told.standing is Standing.CONTRADICTION)
        assert set(told.shaped_by) <= {bound.landmark_id for bound in told.bounds}


@settings(max_examples=25)
@given(SEEDS)
def test_units_are_told_apart_as_verdicts_tell_them_apart(seed: int) -> None:
    case = random_case(seed, liars=False)
    alone = one_chip(
        0,
        readings=case.readings,
        landmarks=case.landmarks,
        chips=case.chips,
        areas=[area(text) for text in case.chips.areas],
        border=BORDER,
        settings=case.settings,
    )
    told = [alone.units[unit] for unit in np.asarray(alone.facts.landmark_unit).tolist()]
    assert told == [fault_unit(placed, case.settings)[1] or UNSTATED for placed in alone.landmarks]


@settings(max_examples=25)
@given(SEEDS)
def test_each_bound_is_made_of_the_reading_that_is_shown_with_it(seed: int) -> None:
    case = random_case(seed, liars=False)
    errors = {placed.landmark_id: placed.position_error_m for placed in case.landmarks}
    for bound in case.explanation().bounds:
        fraction = 0.69 if case.settings.speed is Speed.FIBRE else 1.0
        reach_m = (bound.round_trip_ns + (bound.clock_error_ns or 0)) * 0.299792458 / 2 * fraction
        assert 0 <= bound.bound_m - reach_m - errors[bound.landmark_id] - 44 < 1.001


@settings(max_examples=25)
@given(SEEDS)
def test_the_bounds_of_a_conflict_contradict_by_themselves_and_none_can_be_spared(seed: int) -> None:
    case = random_case(seed, liars=True)
    for chip in range(len(case.chips)):
        conflict = case.explanation(chip).conflict
        if conflict is None:
            continue
        # As of the end of the whole window, lest it move when rows are left out.
        end = case.verdicts().window_to_ns
        fixed = case if end is None else replace(case, settings=replace(case.settings, as_of_ns=int(end[chip])))
        contradicted = STANDINGS.index(Standing.CONTRADICTION)
        assert _only(fixed, chip, conflict.landmark_ids).verdicts().standing[chip] == contradicted
        for spared in conflict.landmark_ids:
            rest = tuple(name for name in conflict.landmark_ids if name != spared)
            assert _only(fixed, chip, rest).verdicts().standing[chip] != contradicted


def test_joint_proofs_are_among_the_cases_of_the_next_test() -> None:
    answers = [verdicts.licensed for verdicts in (surrounded_case(seed).verdicts() for seed in range(30))]
    assert sum(int(answer.proof[0]) == PROOFS.index(Proof.JOINT) for answer in answers) >= 10


@settings(max_examples=40)
@given(SEEDS)
def test_the_bounds_of_a_joint_proof_prove_it_by_themselves_and_none_can_be_spared(seed: int) -> None:
    case = surrounded_case(seed)
    told = case.explanation()
    for question, name in ((told.licensed, "licensed"), (told.excluded, "excluded")):
        assert question is not None
        if question.proof is not Proof.JOINT:
            continue
        expected = VERDICTS.index(question.verdict)
        fewer: Question = getattr(_only(case, 0, question.rests_on).verdicts(), name)
        assert fewer.verdict[0] == expected
        for spared in question.rests_on:
            rest = tuple(other for other in question.rests_on if other != spared)
            assert getattr(_only(case, 0, rest).verdicts(), name).verdict[0] != expected


def test_two_landmarks_too_far_apart_are_named_with_the_gap_between_them() -> None:
    case = case_of(
        [("singapore", 1.0), ("frankfurt", 1.0), ("paris", 6.0)],
        [landmark("singapore", *SINGAPORE), landmark("frankfurt", 50.1, 8.7), landmark("paris", 48.9, 2.4)],
        licensed="DE",
        settings=Settings(fault_budget=0, independent_landmarks=True),
    )
    conflict = case.explanation().conflict
    assert conflict is not None
    assert set(conflict.landmark_ids) == {"singapore", "frankfurt"}
    ((one, other, gap_m),) = conflict.gaps
    assert {one, other} == {"singapore", "frankfurt"}
    assert 9_900_000 < gap_m < 10_000_000


def test_with_a_fault_budget_one_wrong_landmark_is_no_conflict_and_two_are() -> None:
    places = [landmark("singapore", *SINGAPORE), landmark("frankfurt", 50.1, 8.7), landmark("lima", -12.0, -77.0)]
    two = case_of([("singapore", 1.0), ("frankfurt", 1.0)], places, licensed="DE")
    assert two.explanation().conflict is None
    three = case_of([("singapore", 1.0), ("frankfurt", 1.0), ("lima", 1.0)], places, licensed="DE")
    conflict = three.explanation().conflict
    assert conflict is not None
    assert set(conflict.units) == {"singapore", "frankfurt", "lima"}
    assert len(conflict.gaps) == 3
    told = three.explanation()
    assert told.licensed is not None
    assert told.licensed.verdict is Verdict.VOID
    assert told.licensed.missing is None


def test_two_landmarks_that_prove_opposites_by_centimetres_are_a_conflict() -> None:
    # Their caps are so near that rounding leaves a point of the region, but each proves its own side of the circle.
    circle = area("circle(10,20,0.06)").shape
    assert isinstance(circle, Circle)
    there = position_of(point_on_circle(*circle.centre, 0.01))
    inside, beside = landmark("inside", 10.0, 20.0), landmark("beside", there.latitude, there.longitude)
    between = angle_between(*circle.centre, *beside.position.unit())
    trips = [
        greatest_round_trip_ns(angle, position_error_m=0.0, speed=Speed.VACUUM) / 1e6
        for angle in (circle.inner, between - circle.outer)
    ]
    case = case_of(
        [("inside", trips[0]), ("beside", trips[1])],
        [inside, beside],
        licensed="circle(10,20,0.06)",
        settings=Settings(fault_budget=0, independent_landmarks=True),
    )
    told = case.explanation()
    assert told.standing is Standing.CONTRADICTION
    assert told.conflict is not None
    assert set(told.conflict.landmark_ids) == {"inside", "beside"}


def test_landmarks_that_a_verdict_ignores_are_named_with_the_reason() -> None:
    case = case_of(
        [("shenzhen", 0.1), ("flagged", 3.0), ("chip", 1.0), ("late", 2.0), ("late", 3.0), ("singapore", 2.0)],
        [
            landmark("shenzhen", 22.54, 114.06),
            replace(landmark("flagged", 35.0, 135.0), country="CN"),
            landmark("chip", 0.0, 0.0),
            landmark("late", 1.4, 103.9),
            landmark("singapore", *SINGAPORE),
            landmark("idle", 10.0, 10.0),
        ],
        excluded="CN",
    )
    times = NOON_NS + np.array([0, 0, 0, -2 * HOUR_NS, -1, 0])
    told = replace(case, readings=replace(case.readings, measured_at_ns=times)).explanation()
    assert [(row.landmark_id, row.reason, row.rows) for row in told.left_out] == [
        ("chip", Reason.OWN_NAME, 1),
        ("shenzhen", Reason.MAY_STAND_IN_EXCLUDED_AREA, 1),
        ("flagged", Reason.DECLARES_EXCLUDED_COUNTRY, 1),
        ("late", Reason.OUTSIDE_WINDOW, 1),
    ]
    assert [bound.landmark_id for bound in told.bounds] == ["singapore", "late"]
    assert told.landmarks_not_heard == 1


def test_a_chip_without_rows_is_explained_by_what_is_missing() -> None:
    case = case_of([], [landmark("singapore", *SINGAPORE)], licensed="circle(1.3,103.8,100)", excluded="CN+HK+MO")
    told = case.explanation()
    assert told.standing is Standing.UNDETERMINED
    assert told.bounds == ()
    assert told.conflict is None
    for question in (told.licensed, told.excluded):
        assert question is not None
        assert question.units == ()
        assert question.margin_m is None
        assert question.missing is not None
        assert question.missing.units_heard == 0
        assert question.missing.proofs_lacking == 2
        assert question.missing.suggestions


def test_a_unit_of_many_landmarks_stands_for_its_best_one() -> None:
    case = case_of(
        [("near", 1.0), ("far", 9.0), ("other", 2.0)],
        [
            landmark("far", 3.1, 101.7, unit="firm"),
            landmark("near", *SINGAPORE, unit="firm"),
            landmark("other", 1.2, 104.0, unit="rival"),
        ],
        licensed="circle(1.3,103.8,500)",
        excluded="CN",
    )
    told = case.explanation()
    assert told.licensed is not None
    assert [unit.unit for unit in told.licensed.units] == ["firm", "rival"]
    assert told.licensed.units[0].within.landmark_id == "near"
    assert told.licensed.decided_by == ("firm", "rival")
    assert told.licensed.missing is None


@pytest.mark.parametrize("budget", [0, 1, 2])
def test_as_many_units_decide_as_the_budget_asks_for(budget: int) -> None:
    places = [landmark(f"lm{number}", 1.3 + number / 100, 103.8) for number in range(5)]
    case = case_of(
        [(f"lm{number}", 1.0 + number) for number in range(5)],
        places,
        excluded="CN",
        settings=Settings(fault_budget=budget, independent_landmarks=True),
    )
    told = case.explanation()
    assert told.excluded is not None
    assert told.excluded.decided_by == tuple(f"lm{number}" for number in range(budget + 1))
