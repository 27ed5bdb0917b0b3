"""Honest landmarks are never accused, liars that can be seen are, and nothing is left that contradicts itself."""

from dataclasses import replace
from typing import Final

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lightbound.geo.areas import parse_area
from lightbound.geo.borders import packaged_borders
from lightbound.geo.earth import LEAST_RADIUS_M, WGS84_A_M, Position
from lightbound.geo.kernels import angle_between
from lightbound.geo.shapes import Area, area_of
from lightbound.ranging.bounds import Speed
from lightbound.ranging.draws import place_on_earth, uniform
from lightbound.ranging.liars import false_place, trial
from lightbound.ranging.readings import Landmark, Readings
from lightbound.ranging.vetting import Vetting, distrusted_landmarks, vet
from lightbound.units import SPEED_OF_LIGHT_M_PER_S

FEWER: Final = settings(max_examples=settings().max_examples // 5)
"""Worlds of nothing but contradictions take the solver a few milliseconds each time."""

LISBON, VIENNA, TOKYO = Position(38.7, -9.1), Position(48.2, 16.4), Position(35.7, 139.7)


def _landmark(name: str, position: Position, *, error_m: float = 0.0, unit: str | None = None) -> Landmark:
    return Landmark(landmark_id=name, position=position, position_error_m=error_m, fault_unit=unit)


def _least_ns(one: Position, other: Position) -> int:
    """A round trip that light can surely make, along the longest line that the angle can stand for."""
    metres = angle_between(*one.unit(), *other.unit()) * WGS84_A_M
    return int(2 * metres / SPEED_OF_LIGHT_M_PER_S * 1e9) + 1


def _readings(rows: list[tuple[int, int, int]], *, clock_error_ns: int | None = None) -> Readings:
    columns = np.array(rows, np.int64).reshape(-1, 3)
    return Readings(
        landmark=columns[:, 0].astype(np.int32),
        chip=columns[:, 1].astype(np.int32),
        round_trip_ns=columns[:, 2],
        clock_error_ns=None if clock_error_ns is None else np.full(len(columns), clock_error_ns),
    )


def _mesh(places: list[Position], delays_ns: NDArray[np.int64]) -> Readings:
    """Everybody measures everybody: the truth, and a delay."""
    count = len(places)
    return _readings(
        [
            (i, j, _least_ns(places[i], places[j]) + int(delays_ns[i, j]))
            for i in range(count)
            for j in range(count)
            if i != j
        ]
    )


@st.composite
def honest_worlds(draw: st.DrawFn) -> tuple[list[Landmark], Readings]:
    """Landmarks within their error of where they say, and round trips that light had time for."""
    seed, count = draw(st.integers(0, 10**9)), draw(st.integers(2, 8))
    rng = np.random.default_rng(seed)
    stated = [place_on_earth(seed, i) for i in range(count)]
    errors_m = rng.choice([0.0, 100.0, 20_000.0, 2_000_000.0], count)
    true = [_within(place, error_m, rng) for place, error_m in zip(stated, errors_m, strict=True)]
    delays_ns = rng.choice([0, 0, 10**5, 10**8], (count, count))
    landmarks = [_landmark(f"lm-{i}", stated[i], error_m=float(errors_m[i])) for i in range(count)]
    return landmarks, _mesh(true, delays_ns)


def _within(place: Position, error_m: float, rng: np.random.Generator) -> Position:
    angle = float(rng.uniform(0, error_m)) / WGS84_A_M
    tangent = np.cross(place.unit(), rng.normal(size=3))
    tangent /= np.linalg.norm(tangent)
    x, y, z = np.cos(angle) * np.array(place.unit()) + np.sin(angle) * tangent
    latitude = np.degrees(np.arctan2(WGS84_A_M * z, 6_356_752.314245 * np.hypot(x, y)))
    return Position(float(latitude), float(np.degrees(np.arctan2(y, x))))


@given(world=honest_worlds())
def test_honest_landmarks_contradict_nobody(world: tuple[list[Landmark], Readings]) -> None:
    landmarks, readings = world
    found = vet(readings, landmarks=landmarks)
    assert not found.contradictions
    assert not found.doubtful
    assert found.pairs_measured == len(landmarks) * (len(landmarks) - 1) // 2


@st.composite
def any_worlds(draw: st.DrawFn) -> tuple[list[Landmark], Readings]:
    """Landmarks anywhere and readings of any length, true or not."""
    seed, count = draw(st.integers(0, 10**9)), draw(st.integers(2, 8))
    rng = np.random.default_rng(seed)
    landmarks = [
        _landmark(f"lm-{i}", place_on_earth(seed, i), error_m=1000.0, unit=draw(st.sampled_from([None, "a", "b"])))
        for i in range(count)
    ]
    rows = [
        (int(rng.integers(count)), int(rng.integers(count)), int(rng.integers(1, 200_000_000)))
        for _ in range(4 * count)
    ]
    return landmarks, _readings(rows)


@FEWER
@given(world=any_worlds())
def test_what_is_left_contradicts_nobody(world: tuple[list[Landmark], Readings]) -> None:
    landmarks, readings = world
    found = vet(readings, landmarks=landmarks)
    left = [i for i in range(len(landmarks)) if i not in found.doubtful]
    assert not any({pair.first, pair.second} <= set(left) for pair in found.contradictions)


@FEWER
@given(world=any_worlds(), more=st.integers(0, 10**8), row=st.integers(0, 10**6))
def test_more_delay_never_adds_a_contradiction(world: tuple[list[Landmark], Readings], more: int, row: int) -> None:
    landmarks, readings = world
    slower = readings.round_trip_ns.copy()
    slower[row % len(slower)] += more
    before, after = (
        {(pair.first, pair.second) for pair in vet(some, landmarks=landmarks).contradictions}
        for some in (readings, replace(readings, round_trip_ns=slower))
    )
    assert after <= before


@FEWER
@given(world=any_worlds())
def test_the_order_of_rows_does_not_matter(world: tuple[list[Landmark], Readings]) -> None:
    landmarks, readings = world
    backwards = replace(
        readings, landmark=readings.landmark[::-1], chip=readings.chip[::-1], round_trip_ns=readings.round_trip_ns[::-1]
    )
    assert vet(readings, landmarks=landmarks) == vet(backwards, landmarks=landmarks)


@FEWER
@given(world=any_worlds())
def test_an_assumed_speed_below_light_s_finds_all_that_light_s_does(
    world: tuple[list[Landmark], Readings],
) -> None:
    landmarks, readings = world
    proven, assumed = (
        {(pair.first, pair.second) for pair in vet(readings, landmarks=landmarks, speed=speed).contradictions}
        for speed in (Speed.VACUUM, Speed.FIBRE)
    )
    assert proven <= assumed


def _apart_m() -> float:
    return angle_between(*LISBON.unit(), *VIENNA.unit()) * LEAST_RADIUS_M


def _vetted(round_trip_ns: int, *, error_m: float = 0.0, clock_error_ns: int | None = None) -> Vetting:
    landmarks = [_landmark("lisbon", LISBON, error_m=error_m), _landmark("vienna", VIENNA, error_m=error_m)]
    return vet(_readings([(0, 1, round_trip_ns)], clock_error_ns=clock_error_ns), landmarks=landmarks)


def test_a_pair_is_accused_exactly_below_the_time_that_light_needs() -> None:
    just = int(2 * (_apart_m() - 44) / SPEED_OF_LIGHT_M_PER_S * 1e9)
    assert not _vetted(just + 1).contradictions
    (pair,) = _vetted(just - 100).contradictions
    assert (pair.first, pair.second, pair.measured_by, pair.directions) == (0, 1, 0, 1)
    assert pair.least_path_m - pair.reach_m == pair.excess_m in (13, 14, 15)


def test_position_and_clock_errors_excuse_a_pair() -> None:
    early = int(2 * (_apart_m() - 20_000) / SPEED_OF_LIGHT_M_PER_S * 1e9)
    assert _vetted(early).contradictions
    assert not _vetted(early, error_m=10_000).contradictions
    assert not _vetted(early, clock_error_ns=140_000).contradictions


def test_a_liar_that_two_contradict_is_the_suspect_and_one_that_one_does_is_ambiguous() -> None:
    landmarks = [_landmark("lisbon", LISBON), _landmark("vienna", VIENNA), _landmark("liar", TOKYO)]
    near = _least_ns(LISBON, VIENNA)
    two = vet(_readings([(0, 1, near), (0, 2, near), (2, 1, near)]), landmarks=landmarks)
    assert [suspect.landmark for suspect in two.suspects] == [2]
    assert two.contradicted_by == (1, 1, 2)
    one = vet(_readings([(0, 1, near), (0, 2, near)]), landmarks=landmarks)
    assert [group.parts for group in one.ambiguous] == [((0,), (2,))]


def test_rows_of_a_landmark_about_itself_say_nothing() -> None:
    found = vet(_readings([(0, 0, 1)]), landmarks=[_landmark("lisbon", LISBON), _landmark("vienna", VIENNA)])
    assert (found.rows_of_itself, found.rows_used, found.pairs_measured, found.landmarks_heard) == (1, 0, 0, 0)


CHINA: Final = "CN"


def _area(text: str) -> Area:
    return area_of(parse_area(text), borders=packaged_borders(), drawings={}, border_error_m=2000.0)


def test_whoever_may_stand_in_the_excluded_area_or_says_so_is_not_believed() -> None:
    landmarks = [
        _landmark("wuhan", Position(30.6, 114.3)),
        _landmark("hong kong", Position(22.3, 114.17), error_m=5_000),
        _landmark("hong kong, perhaps", Position(22.3, 114.17), error_m=30_000),
        replace(_landmark("vienna", VIENNA), country="CN"),
        _landmark("tokyo", TOKYO),
    ]
    distrusted = distrusted_landmarks(landmarks, _area(CHINA))
    assert distrusted.tolist() == [True, False, True, True, False]


def test_answers_forged_in_the_excluded_area_accuse_nobody_once_its_rows_are_out() -> None:
    landmarks = [_landmark("wuhan", Position(30.6, 114.3)), _landmark("vienna", VIENNA), _landmark("tokyo", TOKYO)]
    forged = _readings([(0, 1, 1_000_000), (2, 1, 200_000_000), (1, 0, 200_000_000)])
    assert vet(forged, landmarks=landmarks).contradictions
    found = vet(forged, landmarks=landmarks, distrusted=distrusted_landmarks(landmarks, _area(CHINA)))
    assert not found.contradictions
    assert (found.rows_of_distrusted, found.rows_used, found.distrusted) == (1, 2, (0,))


@given(seed=st.integers(0, 10**9), at_least_m=st.floats(0, 15_000_000))
def test_a_false_place_is_as_far_away_as_was_asked(seed: int, at_least_m: float) -> None:
    true = place_on_earth(seed, "true")
    place = false_place(true, at_least_m=at_least_m, names=(seed,))
    assert angle_between(*true.unit(), *place.unit()) * LEAST_RADIUS_M >= at_least_m
    assert place == false_place(true, at_least_m=at_least_m, names=(seed,))


def test_a_liar_in_a_clean_mesh_is_found_exactly_if_it_contradicts_anybody() -> None:
    places = [place_on_earth("mesh", i) for i in range(12)]
    landmarks = [_landmark(f"lm-{i}", place) for i, place in enumerate(places)]
    readings = _mesh(places, np.full((12, 12), 20_000_000))
    seen = [
        trial(readings, landmarks=landmarks, liar=i % 12, place=place_on_earth("lie", i), distrusted=None)
        for i in range(24)
    ]
    assert all(case.contradicts == case.found for case in seen)
    assert 0 < sum(case.found for case in seen) < len(seen)


def test_drawn_numbers_are_the_same_everywhere_and_even() -> None:
    assert uniform(0, "liar", 7) == uniform(0, "liar", 7) == 0.03267521471395474
    assert uniform(0, "liar", 7) != uniform(0, "liar", "7")
    drawn = np.array([uniform("even", i) for i in range(4000)])
    assert 0 <= drawn.min() < 0.01
    assert 0.99 < drawn.max() < 1
    assert np.abs(np.histogram(drawn, 10, (0, 1))[0] - 400).max() < 90
