"""What is expected of round trips is never quicker than light, and an interval means what it says."""

import csv
from math import comb, inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lightbound.adjudication.planning.delays import (
    FARTHEST_M,
    LEAST_PAIRS,
    NS_PER_M,
    fitted,
    quantile_interval,
    slowness,
)
from lightbound.adjudication.planning.pairs import Pairs, Place, pairs_of
from lightbound.cli.plan import DEFAULT_OVERHEAD_MS, DEFAULT_SLOWNESS
from lightbound.geo.earth import LEAST_RADIUS_M, Position
from lightbound.ranging.readings import Landmark, Readings
from tests.conftest import ROOT


def pairs(distance_m: NDArray[np.float64], excess_ns: NDArray[np.float64], error_m: float = 0.0) -> Pairs:
    return Pairs(
        distance_m=distance_m,
        error_m=np.full(len(distance_m), error_m),
        round_trip_ns=np.ceil(distance_m * NS_PER_M + excess_ns).astype(np.int64),
    )


def made_up(seed: int, count: int = 3000) -> Pairs:
    dice = np.random.default_rng(seed)
    distance_m = dice.uniform(0, 15e6, count)
    return pairs(distance_m, dice.exponential(1e6 + distance_m))


@given(count=st.integers(1, 80), quantile=st.floats(0.02, 0.98), confidence=st.floats(0.5, 0.99))
def test_the_ranks_hold_the_quantile_with_the_promised_probability_and_no_nearer_ranks_do(
    count: int, quantile: float, confidence: float
) -> None:
    low, rank, high = quantile_interval(count, quantile, confidence)

    def probability(values: range) -> float:
        return sum(comb(count, k) * quantile**k * (1 - quantile) ** (count - k) for k in values)

    tail = (1 - confidence) / 2 + 1e-9
    assert low <= rank <= high
    assert 1 <= rank <= count
    assert low == 0 or probability(range(low)) <= tail  # fewer than `low` values lie below the quantile
    assert probability(range(low + 1)) >= tail - 2e-9
    assert high == count + 1 or probability(range(high, count + 1)) <= tail
    assert probability(range(max(high - 1, 0), count + 1)) >= tail - 2e-9


def test_an_interval_holds_the_true_quantile_as_often_as_it_promises() -> None:
    held = classes = 0
    for seed in range(150):
        dice = np.random.default_rng(seed)
        fit = fitted(pairs(dice.uniform(0, 3e6, 2000), dice.exponential(4e6, 2000)), quantile=0.5, confidence=0.9)
        assert fit is not None
        held += sum(one.low_ns <= np.log(2) * 4e6 <= one.high_ns for one in fit.classes)
        classes += len(fit.classes)
    assert classes > 1000
    assert held / classes >= 0.9 - 0.02


@pytest.mark.parametrize("quantile", [0.05, 0.5, 0.9])
def test_what_is_expected_never_falls_with_distance_and_never_outruns_light(quantile: float) -> None:
    fit = fitted(made_up(1), quantile=quantile, confidence=0.95)
    assert fit is not None
    at = np.linspace(0, fit.classes[-1].farthest_m, 2000)
    for delays in (fit.low, fit.delays, fit.high):
        expected = delays.round_trip_ns(at)
        known = np.isfinite(expected)
        assert (np.diff(expected[known]) >= -1e-6).all()
        assert (expected >= at * NS_PER_M).all()
    assert (fit.low.round_trip_ns(at) <= fit.delays.round_trip_ns(at)).all()
    assert (fit.delays.round_trip_ns(at) <= fit.high.round_trip_ns(at)).all()


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_about_the_stated_share_of_measured_pairs_is_as_quick_as_expected(quantile: float) -> None:
    measured = made_up(2, count=20_000)
    fit = fitted(measured, quantile=quantile, confidence=0.95)
    assert fit is not None
    share = (measured.round_trip_ns <= fit.delays.round_trip_ns(measured.distance_m)).mean()
    assert abs(share - quantile) < 0.03


def test_a_class_of_distances_has_enough_pairs_and_all_pairs_are_in_one() -> None:
    fit = fitted(made_up(3), quantile=0.5, confidence=0.95)
    assert fit is not None
    assert min(one.pairs for one in fit.classes) >= LEAST_PAIRS
    assert sum(one.pairs for one in fit.classes) == fit.pairs == 3000
    assert all(one.farthest_m < other.nearest_m for one, other in zip(fit.classes, fit.classes[1:], strict=False))


def test_a_few_pairs_are_one_class_whose_interval_may_be_open() -> None:
    fit = fitted(pairs(np.array([1e5, 2e5, 3e5]), np.array([3e6, 1e6, 2e6])), quantile=0.9, confidence=0.95)
    assert fit is not None
    (only,) = fit.classes
    assert only.low_ns == only.least_excess_ns == pytest.approx(1e6, abs=1)
    assert only.excess_ns == pytest.approx(3e6, abs=1)
    assert only.high_ns == inf
    assert np.isinf(fit.high.round_trip_ns(np.array([0.0, 1e5]))).all()


def test_beyond_the_farthest_pair_nothing_is_expected() -> None:
    fit = fitted(made_up(4), quantile=0.5, confidence=0.95)
    assert fit is not None
    farthest = fit.classes[-1].farthest_m
    assert np.isfinite(fit.delays.round_trip_ns(np.array([farthest]))).all()
    assert np.isinf(fit.delays.round_trip_ns(np.array([farthest + 1.0]))).all()


def test_pairs_faster_than_light_are_left_out_and_counted_but_not_those_whose_places_may_be_off() -> None:
    distance_m = np.full(100, 1e6)
    excess_ns = np.array([-1e6] * 10 + [-1e5] * 10 + [1e6] * 80)
    fit = fitted(pairs(distance_m, excess_ns, error_m=30_000.0), quantile=0.05, confidence=0.9)
    assert fit is not None
    assert (fit.impossible, fit.pairs) == (10, 90)
    assert fit.classes[0].excess_ns == 0.0


def test_no_pair_gives_no_fit() -> None:
    assert fitted(pairs(np.zeros(0), np.zeros(0)), quantile=0.5, confidence=0.95) is None
    assert fitted(pairs(np.full(5, 1e6), np.full(5, -5e6)), quantile=0.5, confidence=0.95) is None


@given(factor=st.floats(1, 20), overhead_ms=st.floats(0, 50), distance_m=st.floats(0, FARTHEST_M))
def test_stated_delays_are_light_times_a_factor_and_an_overhead(
    factor: float, overhead_ms: float, distance_m: float
) -> None:
    (expected,) = slowness(factor, overhead_ms=overhead_ms).round_trip_ns(np.array([distance_m]))
    assert expected == pytest.approx(distance_m * NS_PER_M * factor + overhead_ms * 1e6, rel=1e-9)


def test_of_a_pair_s_rows_the_quickest_counts_and_a_landmark_is_no_pair_with_itself() -> None:
    landmarks = [
        Landmark(landmark_id=name, position=Position(0.0, longitude), position_error_m=error_m)
        for name, longitude, error_m in (("a", 0.0, 10.0), ("b", 90.0, 20.0))
    ]
    places = {"b": Place(position=Position(0.0, 90.0), error_m=20.0), "c": Place(position=Position(0, 0), error_m=5.0)}
    rows = [(0, 0, 900), (0, 0, 700), (1, 0, 1), (1, 1, 800), (0, 1, 50), (0, 0, 750)]
    landmark, chip, round_trip_ns = (np.array(column) for column in zip(*rows, strict=True))
    found = pairs_of(
        Readings(landmark=landmark.astype(np.int32), chip=chip.astype(np.int32), round_trip_ns=round_trip_ns),
        landmarks=landmarks,
        places=places,
    )
    quarter = np.pi / 2 * LEAST_RADIUS_M
    assert found.round_trip_ns.tolist() == [700, 50, 800]
    assert found.error_m.tolist() == [30.0, 15.0, 25.0]
    assert found.distance_m == pytest.approx([quarter, 0.0, quarter])


def test_the_defaults_are_no_quicker_than_most_pairs_of_the_example() -> None:
    with (ROOT / "examples/azure/landmarks.csv").open(encoding="utf-8") as file:
        at = {
            row["landmark_id"]: Place(
                position=Position(float(row["latitude"]), float(row["longitude"])),
                error_m=float(row["position_error_m"]),
            )
            for row in csv.DictReader(file)
        }
    with (ROOT / "examples/azure/measurements.csv").open(encoding="utf-8") as file:
        rows = [
            (row["landmark_id"], row["chip_id"].removeprefix("chip-"), float(row["round_trip_ms"]))
            for row in csv.DictReader(file)
        ]
    names = list(at)
    kept = [(names.index(by), names.index(to), ms) for by, to, ms in rows if to in at]
    readings = Readings(
        landmark=np.array([by for by, _, _ in kept], np.int32),
        chip=np.array([to for _, to, _ in kept], np.int32),
        round_trip_ns=np.array([round(ms * 1e6) for _, _, ms in kept], np.int64),
    )
    landmarks = [
        Landmark(landmark_id=name, position=place.position, position_error_m=place.error_m)
        for name, place in at.items()
    ]
    measured = pairs_of(readings, landmarks=landmarks, places=at)
    line = slowness(DEFAULT_SLOWNESS, overhead_ms=DEFAULT_OVERHEAD_MS).round_trip_ns(measured.distance_m)
    quick = measured.round_trip_ns <= line
    assert 0.6 < quick.mean() < 0.75
    assert quick[measured.distance_m < 500_000].mean() < 0.15
