"""Which rows count for a chip, and how far each lets its key be."""

from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.geo.earth import ALTITUDE_SLACK_M, ARITHMETIC_SLACK_M
from lightbound.ranging.bounds import DEFAULT_WINDOW_NS, Bounds, Speed, bounds_of
from lightbound.ranging.readings import Readings
from lightbound.units import SPEED_OF_LIGHT_M_PER_S, reach_m

HOUR: Final = 3_600_000_000_000
NOON: Final = 1_790_000_000_000_000_000
SLACK_M: Final = ALTITUDE_SLACK_M + ARITHMETIC_SLACK_M


def readings(*rows: tuple[int, int, int], **columns: list[int]) -> Readings:
    """Rows of (landmark, chip, round trip in ns), and further columns by name."""
    landmark, chip, round_trip = zip(*rows, strict=True) if rows else ((), (), ())
    more: dict[str, Any] = {
        name: np.array(values, np.int32 if name == "session" else np.int64) for name, values in columns.items()
    }
    return Readings(
        landmark=np.array(landmark, np.int32),
        chip=np.array(chip, np.int32),
        round_trip_ns=np.array(round_trip, np.int64),
        session_ids=[f"s{i}" for i in range(9)] if "session" in columns else (),
        **more,
    )


def bounds(
    given_readings: Readings,
    *,
    landmarks: int = 3,
    chips: int = 2,
    errors_m: list[float] | None = None,
    own: list[int] | None = None,
    **settings: Any,
) -> Bounds:
    return bounds_of(
        given_readings,
        landmark_count=landmarks,
        chip_count=chips,
        position_error_m=np.array(errors_m or [0.0] * landmarks),
        own_chip=np.array(own or [-1] * landmarks),
        speed=settings.pop("speed", Speed.VACUUM),
        **settings,
    )


def rows_of(found: Bounds, chip: int) -> dict[int, float]:
    """Bounds of one chip by landmark, less the slack that all have."""
    rows = slice(found.first_row[chip], found.first_row[chip + 1])
    return dict(zip(found.landmark[rows].tolist(), (found.bound_m[rows] - SLACK_M).tolist(), strict=True))


def metres(round_trip_ns: int) -> Any:
    return pytest.approx(round_trip_ns * SPEED_OF_LIGHT_M_PER_S / 2e9)


def test_a_bound_is_half_the_round_trip_at_c_and_all_that_may_be_wrong() -> None:
    found = bounds(readings((0, 0, 1_000_000), (1, 0, 2_000_000)), errors_m=[0, 500, 0])
    assert rows_of(found, 0) == {0: metres(1_000_000), 1: pytest.approx(299_792.458 + 500)}
    assert found.bound_m[0] >= reach_m(np.array([1_000_000]))[0] + SLACK_M


def test_fibre_is_the_same_at_a_lower_speed() -> None:
    found = bounds(readings((0, 0, 1_000_000)), speed=Speed.FIBRE)
    assert rows_of(found, 0) == {0: pytest.approx(0.69 * 149_896.229)}


def test_a_clock_that_may_be_wrong_widens_the_bound_by_all_of_it() -> None:
    found = bounds(readings((0, 0, 1_000_000), (1, 0, 1_000_000), clock_error_ns=[0, 250_000]))
    assert rows_of(found, 0) == {0: metres(1_000_000), 1: metres(1_250_000)}


def test_the_row_that_counts_is_the_least_after_its_clock_error() -> None:
    found = bounds(readings((0, 0, 900_000), (0, 0, 1_000_000), clock_error_ns=[300_000, 50_000]))
    assert rows_of(found, 0) == {0: metres(1_050_000)}
    assert found.rows_superseded.tolist() == [1, 0]


def test_of_several_rows_of_a_pair_the_least_counts_and_the_others_are_counted() -> None:
    found = bounds(readings((0, 0, 5000), (1, 0, 400), (0, 0, 300), (0, 0, 700), (0, 1, 900)))
    assert rows_of(found, 0) == {0: metres(300), 1: metres(400)}
    assert rows_of(found, 1) == {0: metres(900)}
    assert found.rows_superseded.tolist() == [2, 0]
    assert found.window_from_ns is None
    assert found.window_to_ns is None
    assert found.rows_outside_window.tolist() == [0, 0]


def test_a_landmark_never_measures_the_chip_of_its_own_name() -> None:
    found = bounds(readings((0, 0, 100), (0, 1, 200), (1, 1, 300), (1, 0, 400)), own=[0, 1, -1])
    assert rows_of(found, 0) == {1: metres(400)}
    assert rows_of(found, 1) == {0: metres(200)}
    assert (found.rows_superseded.sum(), found.rows_outside_window.sum()) == (0, 0)


def test_rows_of_one_s_own_neither_move_the_window_nor_count_as_outside_it() -> None:
    given_rows = readings((0, 0, 100), (1, 0, 200), measured_at_ns=[NOON + 9 * HOUR, NOON])
    found = bounds(given_rows, own=[0, -1, -1])
    assert rows_of(found, 0) == {1: metres(200)}
    assert found.window_to_ns is not None
    assert found.window_to_ns[0] == NOON
    assert found.rows_outside_window[0] == 0


def test_the_window_ends_at_each_chip_s_newest_row_and_both_ends_belong_to_it() -> None:
    given_rows = readings(
        (0, 0, 100), (1, 0, 200), (2, 0, 300), (0, 1, 400),
        measured_at_ns=[NOON, NOON - HOUR, NOON - HOUR - 1, NOON - 40 * HOUR],
    )  # fmt: skip
    found = bounds(given_rows)
    assert rows_of(found, 0) == {0: metres(100), 1: metres(200)}
    assert rows_of(found, 1) == {0: metres(400)}
    assert found.rows_outside_window.tolist() == [1, 0]
    assert found.window_from_ns is not None
    assert found.window_to_ns is not None
    assert found.window_to_ns.tolist() == [NOON, NOON - 40 * HOUR]
    assert found.window_from_ns.tolist() == [NOON - HOUR, NOON - 41 * HOUR]
    assert DEFAULT_WINDOW_NS == HOUR


def test_a_smaller_reading_outside_the_window_is_no_bound() -> None:
    given_rows = readings((0, 0, 5000), (0, 0, 10), measured_at_ns=[NOON, NOON - 2 * HOUR])
    found = bounds(given_rows)
    assert rows_of(found, 0) == {0: metres(5000)}
    assert (found.rows_outside_window[0], found.rows_superseded[0]) == (1, 0)
    assert rows_of(bounds(given_rows, window_ns=2 * HOUR), 0) == {0: metres(10)}


def test_as_of_ends_the_window_of_every_chip_and_later_rows_are_out() -> None:
    given_rows = readings(
        (0, 0, 100), (1, 0, 200), (2, 0, 300), (0, 1, 400),
        measured_at_ns=[NOON + 1, NOON, NOON - HOUR, NOON - 3 * HOUR],
    )  # fmt: skip
    found = bounds(given_rows, as_of_ns=NOON, chips=3)
    assert [rows_of(found, chip) for chip in range(3)] == [{1: metres(200), 2: metres(300)}, {}, {}]
    assert found.rows_outside_window.tolist() == [1, 1, 0]
    assert found.window_to_ns is not None
    assert found.window_to_ns.tolist() == [NOON] * 3


def test_a_row_that_is_not_believed_does_not_decide_the_window() -> None:
    given_rows = readings((0, 0, 100), (1, 0, 200), measured_at_ns=[NOON, NOON + 9 * HOUR])
    assert rows_of(bounds(given_rows), 0) == {1: metres(200)}
    assert rows_of(bounds(given_rows, believed=np.array([True, False])), 0) == {0: metres(100)}
    # A chip with no other rows has a window all the same.
    found = bounds(given_rows, believed=np.array([False, False]))
    assert rows_of(found, 0) == {1: metres(200)}
    # A named end of the window is nobody's to decide.
    assert rows_of(bounds(given_rows, believed=np.array([True, False]), as_of_ns=NOON + 9 * HOUR), 0) == {
        1: metres(200)
    }


def test_sessions_are_those_of_rows_that_count() -> None:
    given_rows = readings(
        (0, 0, 100), (1, 0, 200), (2, 0, 300), (2, 1, 300),
        measured_at_ns=[NOON, NOON, NOON - 5 * HOUR, NOON], session=[4, 2, 7, 4],
    )  # fmt: skip
    found = bounds(given_rows)
    assert found.sessions is not None
    assert found.sessions.tolist() == [2, 1]
    assert bounds(readings((0, 0, 100))).sessions is None


def test_without_rows_there_are_no_bounds() -> None:
    found = bounds(readings())
    assert found.first_row.tolist() == [0, 0, 0]
    assert not len(found.bound_m)
    timed = bounds(readings((0, 1, 5), measured_at_ns=[NOON]), as_of_ns=NOON - 1)
    assert timed.first_row.tolist() == [0, 0, 0]
    assert timed.rows_outside_window.tolist() == [0, 1]


@pytest.mark.parametrize("at", [np.iinfo(np.int64).min, np.iinfo(np.int64).max, 0])
def test_windows_at_the_ends_of_representable_time_hold_their_row(at: int) -> None:
    found = bounds(readings((0, 0, 100), measured_at_ns=[at]), window_ns=100 * 366 * 24 * HOUR)
    assert rows_of(found, 0) == {0: metres(100)}


ROW = st.tuples(
    st.integers(0, 3), st.integers(0, 3), st.integers(1, 10**9), st.integers(0, 5 * HOUR), st.integers(0, 10**6)
)


@given(st.lists(ROW, max_size=30), st.integers(1, 3 * HOUR), st.none() | st.integers(-HOUR, 6 * HOUR))
def test_the_bounds_are_those_of_a_plain_loop_over_the_rows(
    rows: list[tuple[int, int, int, int, int]], window_ns: int, as_of_ns: int | None
) -> None:
    own = [-1, 2, -1, 0]
    found = bounds(
        readings(
            *(row[:3] for row in rows),
            measured_at_ns=[row[3] for row in rows],
            clock_error_ns=[row[4] for row in rows],
        ),
        landmarks=4,
        chips=4,
        own=own,
        window_ns=window_ns,
        as_of_ns=as_of_ns,
    )
    for chip in range(4):
        mine = [row for row in rows if row[1] == chip and own[row[0]] != chip]
        stop = as_of_ns if as_of_ns is not None else max((row[3] for row in mine), default=0)
        counted = [row for row in mine if stop - window_ns <= row[3] <= stop]
        least: dict[int, int] = {}
        for landmark, _, round_trip, _, clock_error in counted:
            least[landmark] = min(least.get(landmark, 1 << 60), round_trip + clock_error)
        assert rows_of(found, chip) == {landmark: metres(least[landmark]) for landmark in least}
        assert list(rows_of(found, chip)) == sorted(least)
        assert found.rows_outside_window[chip] == len(mine) - len(counted)
        assert found.rows_superseded[chip] == len(counted) - len(least)


@given(st.lists(ROW, min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[tuple[int, int, int, int, int]], dice: Any) -> None:
    def found(of: list[tuple[int, int, int, int, int]]) -> Bounds:
        return bounds(readings(*(row[:3] for row in of), measured_at_ns=[row[3] for row in of]), landmarks=4, chips=4)

    shuffled = list(rows)
    dice.shuffle(shuffled)
    one, other = found(rows), found(shuffled)
    for name in ("first_row", "landmark", "bound_m", "window_to_ns", "rows_outside_window", "rows_superseded"):
        assert (getattr(one, name) == getattr(other, name)).all()
