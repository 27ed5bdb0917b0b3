"""Counts against the truth are right: honest worlds lose nothing, and every count is had again by other means."""

from dataclasses import replace
from typing import Final

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic

from lightbound.adjudication.adjudicate import adjudicate
from lightbound.adjudication.evaluation.claims import false_claims
from lightbound.adjudication.evaluation.evaluate import Evaluation, Plan, evaluate, thinnings
from lightbound.adjudication.evaluation.replay import World, replay, truths_kept
from lightbound.adjudication.evaluation.subsets import Choice, heard_by, hearers
from lightbound.adjudication.evaluation.truths import Truths, true_sides
from lightbound.adjudication.facts import Settings
from lightbound.adjudication.verdicts import VERDICTS, BorderUsed, Proof, Verdict
from lightbound.geo.areas import parse_area
from lightbound.geo.borders import packaged_borders
from lightbound.geo.earth import WGS84_A_M, Position
from lightbound.geo.kernels import angle_between
from lightbound.geo.shapes import Area, Circle, area_of
from lightbound.geo.sides import Side
from lightbound.ranging.bounds import Speed
from lightbound.ranging.readings import Chips, Landmark, Readings

HALF_C_M_PER_NS: Final = 0.149896229
CITIES: Final = {
    "berlin": Position(52.5, 13.4),
    "denver": Position(39.7, -105.0),
    "frankfurt": Position(50.1, 8.7),
    "lisbon": Position(38.7, -9.1),
    "madrid": Position(40.4, -3.7),
    "osaka": Position(34.7, 135.5),
    "paris": Position(48.9, 2.4),
    "singapore": Position(1.3, 103.8),
    "sydney": Position(-33.9, 151.2),
    "tokyo": Position(35.7, 139.7),
    "warsaw": Position(52.2, 21.0),
    "wuhan": Position(30.6, 114.3),
}
LANDMARKS: Final = [
    Landmark(landmark_id=name, position=place, position_error_m=1000.0, fault_unit=name)
    for name, place in CITIES.items()
    if name != "wuhan"
]
TEXTS: Final = [*(f"circle({at.latitude},{at.longitude},400)" for at in CITIES.values()), "CN"]
PLAN: Final = Plan(
    settings=Settings(),
    speeds=(Speed.VACUUM,),
    fault_budgets=(0, 1),
    proofs=tuple(Proof),
    claim_distances_km=(300.0, 3000.0),
    claim_radius_km=50.0,
    numbers=(1, 3),
    not_nearer_km=(0.0, 800.0),
)
BORDER: Final = BorderUsed(name="", version="", viewpoint="", sha256="", error_m=2000)


def _area(text: str) -> Area:
    return area_of(parse_area(text), borders=packaged_borders(), drawings={}, border_error_m=2000.0)


AREAS: Final = [_area(text) for text in TEXTS]
TRUTHS: Final = Truths(
    chips=Chips(
        chip_ids=list(CITIES),
        licensed=np.arange(len(CITIES), dtype=np.int32),
        excluded=np.full(len(CITIES), len(CITIES), np.int32),
        areas=TEXTS,
    ),
    positions=list(CITIES.values()),
    position_error_m=np.full(len(CITIES), 1000.0),
)


def _honest(slowness: float = 1.3) -> Readings:
    """Everybody answers everybody, so many times slower than light."""
    rows = [
        (i, j, angle_between(*landmark.position.unit(), *place.unit()) * WGS84_A_M * slowness / HALF_C_M_PER_NS)
        for i, landmark in enumerate(LANDMARKS)
        for j, place in enumerate(CITIES.values())
    ]
    columns = np.array(rows)
    return Readings(
        landmark=columns[:, 0].astype(np.int32),
        chip=columns[:, 1].astype(np.int32),
        round_trip_ns=columns[:, 2].astype(np.int64) + 300_000,
    )


def _evaluated(readings: Readings, plan: Plan = PLAN) -> Evaluation:
    return evaluate(readings, landmarks=LANDMARKS, truths=TRUTHS, areas=AREAS, borders=packaged_borders(), plan=plan)


@pytest.fixture(scope="module")
def honest() -> Evaluation:
    return _evaluated(_honest())


def test_honest_readings_keep_every_truth_and_make_nothing_wrong(honest: Evaluation) -> None:
    assert len(honest.outcomes) == 4
    for outcome in honest.outcomes:
        assert outcome.kept.count == outcome.kept.of == len(CITIES)
        assert outcome.licensed.wrong == outcome.excluded.wrong == outcome.contradictions == 0
    assert all(item.licensed.wrong == item.excluded.wrong == 0 for item in honest.thinned)


def test_where_chips_truly_are_is_told_from_their_places() -> None:
    licensed, excluded = true_sides(TRUTHS, AREAS)
    assert set(licensed) == {Side.INSIDE}
    assert [name for name, side in zip(CITIES, excluded, strict=True) if side is Side.INSIDE] == ["wuhan"]
    nowhere = replace(TRUTHS, chips=replace(TRUTHS.chips, licensed=np.full(len(CITIES), -1, np.int32)))
    assert set(true_sides(nowhere, AREAS)[0]) == {None}


@pytest.mark.parametrize("proof", Proof)
@pytest.mark.parametrize("budget", [0, 1])
def test_the_counts_are_those_of_adjudicate(honest: Evaluation, proof: Proof, budget: int) -> None:
    settings = Settings(fault_budget=budget, proof=proof)
    verdicts = adjudicate(
        _honest(), landmarks=LANDMARKS, chips=TRUTHS.chips, areas=AREAS, border=BORDER, settings=settings
    )
    (outcome,) = [item for item in honest.outcomes if item.settings == settings]
    for question, tally in ((verdicts.licensed, outcome.licensed), (verdicts.excluded, outcome.excluded)):
        for verdict in Verdict:
            assert tally.verdicts(verdict).count == int((question.verdict == VERDICTS.index(verdict)).sum())
    assert 0 < outcome.excluded.decided.count < len(CITIES)


def test_a_landmark_s_reading_of_the_chip_of_its_own_name_is_not_heard(honest: Evaluation) -> None:
    assert honest.rows == len(LANDMARKS) * len(CITIES) - len(LANDMARKS)
    assert honest.most_landmarks == len(LANDMARKS)


def test_a_lying_landmark_loses_truths_without_a_budget_and_none_with_one() -> None:
    readings = _honest()
    lied = readings.round_trip_ns.copy()
    lied[readings.landmark == 0] = 300_000
    found = _evaluated(replace(readings, round_trip_ns=lied))
    kept = {outcome.settings.fault_budget: outcome.kept for outcome in found.outcomes}
    assert kept[0].count <= 1 + 2  # the liar's neighbours may stand within what it claims
    assert kept[1].count == kept[1].of


def test_a_verdict_that_the_truth_denies_is_counted_as_wrong() -> None:
    readings = _honest()
    from_berlin = (readings.landmark == 0) & (readings.chip == list(CITIES).index("wuhan"))
    short = replace(readings, round_trip_ns=np.where(from_berlin, 300_000, 10**9))
    (outcome, *_) = _evaluated(short).outcomes
    assert outcome.excluded.wrong == 1
    assert outcome.licensed.wrong == 1


def test_refuted_claims_are_what_adjudicate_would_say_of_them(honest: Evaluation) -> None:
    for item in honest.refutations:
        assert item.refuted.of == len(CITIES)
    far = {item.settings.fault_budget: item.refuted.count for item in honest.refutations if item.distance_km == 3000.0}
    near = {item.settings.fault_budget: item.refuted.count for item in honest.refutations if item.distance_km == 300.0}
    assert far[0] >= far[1] >= near[1]
    assert far[0] > near[0]


def test_a_claim_that_may_be_true_is_no_false_claim() -> None:
    plan = replace(PLAN, claim_distances_km=(40.0,))
    assert {item.refuted.of for item in _evaluated(_honest(), plan).refutations} == {0}


def test_claimed_places_lie_at_the_distance_told() -> None:
    claims = false_claims(TRUTHS, AREAS, distance_km=3000.0, radius_km=50.0, borders=packaged_borders(), seed=5)
    centres = [claims.areas[area].shape for area in claims.chips.licensed.tolist()]
    for centre, place in zip(centres, CITIES.values(), strict=True):
        assert isinstance(centre, Circle)
        x, y, z = centre.centre
        latitude = np.degrees(np.arctan2(z * WGS84_A_M, 6_356_752.314245 * np.hypot(x, y)))
        end = Geodesic.WGS84.Inverse(place.latitude, place.longitude, latitude, np.degrees(np.arctan2(y, x)))
        assert end["s12"] == pytest.approx(3_000_000, abs=1)


def test_fewer_landmarks_are_as_many_as_told_and_the_nearest_are_the_nearest() -> None:
    readings = _honest()
    among = hearers(readings, LANDMARKS, TRUTHS, seed=3)
    for choice in (Choice.RANDOM, Choice.NEAREST):
        left = heard_by(readings, among, choice, 3)
        assert np.bincount(left.chip).tolist() == [3] * len(CITIES)
    nearest = heard_by(readings, among, Choice.NEAREST, 1)
    names = [LANDMARKS[i].landmark_id for i in nearest.landmark[np.argsort(nearest.chip)].tolist()]
    assert names == [name if name != "wuhan" else "osaka" for name in CITIES]
    far = heard_by(readings, among, Choice.NOT_NEARER, 9000.0)
    for i, j in zip(far.landmark.tolist(), far.chip.tolist(), strict=True):
        apart = angle_between(*LANDMARKS[i].position.unit(), *list(CITIES.values())[j].unit())
        assert apart * 6371 > 8900
    assert heard_by(readings, among, Choice.NOT_NEARER, 0.0).round_trip_ns.tolist() == readings.round_trip_ns.tolist()


def test_another_seed_draws_other_landmarks_and_the_same_one_the_same() -> None:
    readings = _honest()
    drawn = [hearers(readings, LANDMARKS, TRUTHS, seed=seed).by_chance.tolist() for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_rows_of_one_pair_are_kept_or_left_together() -> None:
    readings = _honest()
    twice = replace(
        readings,
        landmark=np.tile(readings.landmark, 2),
        chip=np.tile(readings.chip, 2),
        round_trip_ns=np.tile(readings.round_trip_ns, 2),
    )
    left = heard_by(twice, hearers(twice, LANDMARKS, TRUTHS, seed=0), Choice.RANDOM, 4)
    assert np.bincount(left.chip).tolist() == [8] * len(CITIES)


def test_with_all_landmarks_left_fewer_is_the_same_as_all(honest: Evaluation) -> None:
    everything = {(item.settings, item.choice, item.value): item for item in honest.thinned}
    for outcome in honest.outcomes:
        for choice, value in (
            (Choice.RANDOM, len(LANDMARKS)),
            (Choice.NEAREST, len(LANDMARKS)),
            (Choice.NOT_NEARER, 0.0),
        ):
            assert everything[outcome.settings, choice, value].excluded == outcome.excluded


def test_choices_of_fewer_landmarks_end_with_all_of_them() -> None:
    plan = replace(PLAN, numbers=(1, 5, 50), not_nearer_km=(10.0,))
    assert thinnings(plan, 20) == [
        (Choice.RANDOM, 1), (Choice.RANDOM, 5), (Choice.RANDOM, 20),
        (Choice.NEAREST, 1), (Choice.NEAREST, 5), (Choice.NEAREST, 20),
        (Choice.NOT_NEARER, 10.0),
    ]  # fmt: skip


@pytest.mark.parametrize("budget", [0, 1, 2])
def test_compiled_and_interpreted_evaluations_agree(budget: int) -> None:
    readings = _honest(1.05)
    lied = readings.round_trip_ns.copy()
    lied[np.isin(readings.landmark, [0, 5])] //= 3
    found = []
    for use_compiled in (False, True):
        world = World(landmarks=LANDMARKS, areas=AREAS, use_compiled=use_compiled)
        facts, columns = replay(
            replace(readings, round_trip_ns=lied), TRUTHS.chips, world, Settings(fault_budget=budget)
        )
        kept = truths_kept(facts, columns, TRUTHS, use_compiled=use_compiled)
        found.append((columns.verdict.tolist(), kept.tolist()))
    assert found[0] == found[1]
    assert all(found[0][1]) == (budget == 2)
