"""Which rows count for a chip, and how far each lets its key be."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.ranging.bounds import Bounds, Speed, bounds_of
from lightbound.ranging.readings import Readings
from lightbound.units import LONGEST_ROUND_TRIP_NS, reach_m

HOUR_NS = 3_600_000_000_000
SLACK_M = 44.0


def _bounds(rows: Sequence[tuple[int, int, int, int | None]], **options: object) -> Bounds:
    """Rows of (landmark, chip, round trip, time); two landmarks, two chips, 100 m and 200 m of position error."""
    times = [time for *_, time in rows]
    readings = Readings(
        landmark=np.array([row[0] for row in rows], np.int32),
        chip=np.array([row[1] for row in rows], np.int32),
        round_trip_ns=np.array([row[2] for row in rows], np.int64),
        measured_at_ns=None if None in times else np.array(times, np.int64),
        clock_error_ns=options.pop("clock_error_ns", None),  # type: ignore[arg-type]
        session=options.pop("session", None),  # type: ignore[arg-type]
        session_ids=("a", "b", "c"),
    )
    return bounds_of(
        readings,
        landmark_count=2,
        chip_count=2,
        position_error_m=np.array([100.0, 200.0]),
        speed=Speed.VACUUM,
        **{"own_chip": np.array([-1, -1]), "window_ns": HOUR_NS, **options},  # type: ignore[arg-type]
    )


@given(round_trip_ns=st.integers(1, LONGEST_ROUND_TRIP_NS))
def test_reach_is_never_less_than_half_the_round_trip_at_the_speed_of_light(round_trip_ns: int) -> None:
    exact = Fraction(round_trip_ns) * 299_792_458 / 2_000_000_000
    reach = Fraction(float(reach_m(np.array([round_trip_ns]))[0]))
    assert exact <= reach <= exact * (1 + Fraction(1, 10**14))


def test_a_bound_holds_the_position_error_and_the_slack() -> None:
    bounds = _bounds([(1, 0, 1000, None)])
    assert bounds.bound_m == pytest.approx([149.896229 + 200 + SLACK_M])


def test_a_clock_error_widens_the_bound() -> None:
    sure = _bounds([(0, 0, 1000, None)])
    unsure = _bounds([(0, 0, 1000, None)], clock_error_ns=np.array([1000]))
    assert (unsure.bound_m - sure.bound_m) == pytest.approx([149.896229])


def test_of_several_rows_of_a_pair_the_least_with_its_clock_error_counts() -> None:
    bounds = _bounds(
        [(0, 0, 3000, None), (0, 0, 1000, None), (0, 0, 2000, None)], clock_error_ns=np.array([0, 5000, 0])
    )
    assert bounds.bound_m == pytest.approx([2 * 149.896229 + 100 + SLACK_M])
    assert bounds.rows_superseded.tolist() == [2, 0]


def test_rows_may_come_in_any_order() -> None:
    rows = [(1, 1, 500, 10), (0, 0, 700, 20), (1, 0, 900, 30), (0, 1, 400, 40), (1, 0, 800, 50)]
    one, other = _bounds(rows), _bounds(rows[::-1])
    for name in ("first_row", "landmark", "bound_m", "rows_superseded", "window_to_ns"):
        assert (getattr(one, name) == getattr(other, name)).all()


def test_the_window_ends_at_each_chip_s_newest_row_and_holds_both_its_ends() -> None:
    late = 10 * HOUR_NS
    bounds = _bounds([(0, 0, 1, late), (1, 0, 1, late - HOUR_NS), (0, 0, 1, late - HOUR_NS - 1), (0, 1, 1, HOUR_NS)])
    assert bounds.first_row.tolist() == [0, 2, 3]
    assert bounds.rows_outside_window.tolist() == [1, 0]
    assert bounds.window_to_ns is not None
    assert bounds.window_to_ns.tolist() == [late, HOUR_NS]


def test_as_of_ends_every_window_and_leaves_later_rows_out() -> None:
    bounds = _bounds([(0, 0, 1, 5 * HOUR_NS), (0, 1, 1, 7 * HOUR_NS)], as_of_ns=5 * HOUR_NS)
    assert bounds.first_row.tolist() == [0, 1, 1]
    assert bounds.rows_outside_window.tolist() == [0, 1]


def test_a_row_that_is_not_believed_does_not_decide_the_window() -> None:
    rows = [(0, 0, 1, HOUR_NS), (1, 0, 1, 9 * HOUR_NS)]
    assert _bounds(rows).landmark.tolist() == [1]
    assert _bounds(rows, believed=np.array([True, False])).landmark.tolist() == [0]


def test_without_times_all_rows_are_one_instant() -> None:
    bounds = _bounds([(0, 0, 1, None), (1, 0, 1, None)])
    assert bounds.window_from_ns is None
    assert bounds.first_row.tolist() == [0, 2, 2]


def test_a_landmark_never_measures_the_chip_of_its_own_name() -> None:
    assert _bounds([(0, 0, 1, None), (1, 0, 1, None)], own_chip=np.array([0, -1])).landmark.tolist() == [1]


def test_sessions_are_counted_once_each_and_only_inside_the_window() -> None:
    rows = [(0, 0, 1, 9 * HOUR_NS), (1, 0, 1, 9 * HOUR_NS), (0, 0, 2, 9 * HOUR_NS), (0, 0, 1, HOUR_NS)]
    bounds = _bounds(rows, session=np.array([0, 0, 1, 2], np.int32))
    assert bounds.sessions is not None
    assert bounds.sessions.tolist() == [2, 0]


def test_the_fibre_assumption_shortens_a_bound_by_its_fraction() -> None:
    rows = np.array([1_000_000])
    assert reach_m(rows, fraction_of_c=Speed.FIBRE.fraction_of_c) == pytest.approx(0.69 * reach_m(rows))
