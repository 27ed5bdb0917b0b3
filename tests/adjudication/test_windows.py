"""Bounds hold at their instant: what a verdict's window lets in, and who decides where it ends."""

from typing import Final

import numpy as np

from lightbound.adjudication.adjudicate import adjudicate
from lightbound.adjudication.facts import Settings
from lightbound.adjudication.verdicts import Assumption, Verdicts
from lightbound.ranging.readings import Chips, Readings
from tests.adjudication.asking import BORDER, answer, landmark
from tests.worlds import area

HOUR: Final = 3_600_000_000_000
NOON: Final = 1_790_000_000_000_000_000
SINGAPORE, FRANKFURT, SHENZHEN = (1.35, 103.82), (50.11, 8.68), (22.54, 114.06)
CLOSE_NS: Final = 500_000
"""75 km."""


def told(
    *rows: tuple[tuple[float, float], int], licensed: str = "", excluded: str = "", settings: Settings | None = None
) -> Verdicts:
    """Verdicts on one chip that was heard close by from some places, each at its time, each by a unit of its own."""
    texts = [text for text in (licensed, excluded) if text]
    return adjudicate(
        Readings(
            landmark=np.arange(len(rows), dtype=np.int32),
            chip=np.zeros(len(rows), np.int32),
            round_trip_ns=np.full(len(rows), CLOSE_NS, np.int64),
            measured_at_ns=np.array([at for _, at in rows], np.int64),
            clock_error_ns=np.zeros(len(rows), np.int64),
        ),
        landmarks=[landmark(*place, name=f"l{i}", unit=f"u{i}") for i, (place, _) in enumerate(rows)],
        chips=Chips(
            chip_ids=["chip"],
            licensed=np.array([0 if licensed else -1], np.int32),
            excluded=np.array([len(texts) - 1 if excluded else -1], np.int32),
            areas=texts,
        ),
        areas=[area(text, 2000.0) for text in texts],
        border=BORDER,
        settings=settings or Settings(fault_budget=0),
    )


def test_a_chip_that_moved_is_where_its_newest_window_shows_it() -> None:
    before, after = (FRANKFURT, NOON - 2 * HOUR), (SINGAPORE, NOON)
    found = told(before, after, licensed="DE")
    assert answer(found).licensed == "outside"
    assert found.rows_outside_window.tolist() == [1]
    assert answer(
        told(before, after, licensed="DE", settings=Settings(fault_budget=0, as_of_ns=NOON - HOUR))
    ).licensed == ("within")


def test_one_instant_in_two_places_contradicts_itself_within_a_window_only() -> None:
    rows = (FRANKFURT, NOON - HOUR), (SINGAPORE, NOON)
    assert answer(told(*rows, licensed="DE")).standing == "contradiction"
    shorter = Settings(fault_budget=0, window_ns=HOUR - 1)
    assert answer(told(*rows, licensed="DE", settings=shorter)).standing == "misplaced"


def test_a_landmark_inside_the_excluded_area_does_not_decide_when_the_window_ends() -> None:
    """Otherwise whoever rules there could push every other row out of the window by measuring last."""
    rows = (SINGAPORE, NOON), (SHENZHEN, NOON + 30 * HOUR)
    found = told(*rows, licensed="circle(1.35,103.82,200)", excluded="CN")
    assert answer(found).words == ("verified", "within", "outside")
    assert found.window_to_ns is not None
    assert found.window_to_ns.tolist() == [NOON]
    # Where nothing is excluded it is a landmark like any other.
    assert answer(told(*rows, licensed="circle(1.35,103.82,200)")).licensed == "outside"


def test_as_of_gives_every_chip_a_window_and_later_rows_nothing() -> None:
    found = told(
        (SINGAPORE, NOON + 1), licensed="circle(1.35,103.82,200)", settings=Settings(fault_budget=0, as_of_ns=NOON)
    )
    assert answer(found).licensed == "undetermined"
    assert found.has_window.tolist() == [True]
    assert found.rows_outside_window.tolist() == [1]


def test_a_chip_without_rows_has_no_window_unless_its_end_was_named() -> None:
    assert told(licensed="SG").has_window.tolist() == [False]
    named = Settings(fault_budget=0, as_of_ns=NOON)
    assert told(licensed="SG", settings=named).has_window.tolist() == [True]


def test_rows_with_times_and_clock_errors_assume_neither() -> None:
    stated = set(told((SINGAPORE, NOON), licensed="SG").assumptions)
    assert Assumption.SIMULTANEOUS_READINGS not in stated
    assert Assumption.CLOCK_ERROR_NOT_STATED not in stated
