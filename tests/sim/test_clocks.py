"""The clocks of a simulated landmark show what its kind says, and never more time than has passed."""

import itertools
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.ranging.timing.clocks import BILLION, Instant
from lightbound.sim.clocks import TIMES, Clocks, clocks_of
from lightbound.sim.dice import rolls
from lightbound.sim.scenario import LandmarkKind
from tests.sim.one_phase import BEGAN_NS, MS_NS, SECOND_NS

RIGHT: Final = [
    kind
    for kind in LandmarkKind
    if kind
    not in {
        LandmarkKind.SHORT,
        LandmarkKind.STEPPED,
        LandmarkKind.DRIFTING,
        LandmarkKind.PAUSED,
        LandmarkKind.PAUSED_UNSAID,
    }
]
instants = st.integers(0, 100 * SECOND_NS)


def drawn(kind: LandmarkKind, seed: int = 0, *, round_trip_ns: int = 20 * MS_NS) -> Clocks:
    return clocks_of(
        kind, rolls(seed, "clocks"), from_ns=BEGAN_NS, round_trip_ns=round_trip_ns, rate_ppb=200_000, factor=0.25
    )


@st.composite
def any_clocks(draw: st.DrawFn) -> Clocks:
    """Clocks of any kind, with any numbers."""
    kind = draw(st.sampled_from(LandmarkKind))
    return drawn(kind, draw(st.integers(0, 10_000)), round_trip_ns=draw(st.integers(1, 300 * MS_NS)))


# -- each kind ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", RIGHT)
@given(at_ns=instants)
def test_whoever_does_not_cheat_with_time_has_right_clocks(kind: LandmarkKind, at_ns: int) -> None:
    clocks = drawn(kind)
    assert clocks.instant(at_ns) == Instant(ns=at_ns, check_ns=at_ns, utc_ns=at_ns)
    assert clocks.runs_again_ns(at_ns) == at_ns


@given(at_ns=instants)
def test_a_liar_multiplies_every_duration_on_all_of_its_clocks(at_ns: int) -> None:
    told = drawn(LandmarkKind.SHORT).instant(BEGAN_NS + at_ns)
    assert told.ns == told.check_ns == told.utc_ns == BEGAN_NS + at_ns // 4


@given(at_ns=instants)
def test_clocks_that_drift_miss_what_is_stated_and_the_one_outside_does_not(at_ns: int) -> None:
    told = drawn(LandmarkKind.DRIFTING).instant(at_ns)
    assert told.ns == told.check_ns == at_ns - at_ns * 200_000 // BILLION
    assert told.utc_ns == at_ns


def test_a_stepped_clock_is_set_back_again_and_again_and_the_others_are_not() -> None:
    clocks = drawn(LandmarkKind.STEPPED)
    assert len(clocks.steps) == TIMES
    for number, (when_ns, _) in enumerate(clocks.steps):
        before, after = clocks.instant(when_ns - 1), clocks.instant(when_ns)
        assert after.ns - before.ns == 1 - 20 * MS_NS // 3
        assert after.check_ns - before.check_ns == after.utc_ns - before.utc_ns == 1
        assert when_ns - before.ns - 1 == number * (20 * MS_NS // 3)


@pytest.mark.parametrize("kind", [LandmarkKind.PAUSED, LandmarkKind.PAUSED_UNSAID])
def test_a_paused_machine_stands_still_with_both_of_its_clocks(kind: LandmarkKind) -> None:
    clocks = drawn(kind)
    assert len(clocks.pauses) == TIMES
    stood_ns = 0
    for from_ns, length_ns in clocks.pauses:
        assert 20 * MS_NS // 4 <= length_ns <= 3 * 20 * MS_NS // 4
        began, within, ended = (clocks.instant(from_ns + at_ns) for at_ns in (0, length_ns // 2, length_ns))
        assert began.ns == within.ns == ended.ns == from_ns - stood_ns
        assert began.check_ns == within.check_ns == ended.check_ns
        assert ended.utc_ns - began.utc_ns == length_ns
        assert clocks.runs_again_ns(from_ns + length_ns // 2) == from_ns + length_ns
        assert clocks.runs_again_ns(from_ns - 1) == from_ns - 1
        assert clocks.runs_again_ns(from_ns + length_ns) == from_ns + length_ns
        stood_ns += length_ns
    apart = [(start, start + length) for start, length in clocks.pauses]
    assert all(one[1] < other[0] for one, other in itertools.pairwise(apart))


@pytest.mark.parametrize("kind", LandmarkKind)
def test_the_clocks_of_a_session_are_a_function_of_its_dice(kind: LandmarkKind) -> None:
    assert drawn(kind, 7) == drawn(kind, 7)


# -- all kinds ---------------------------------------------------------------------------------------------------


@given(clocks=any_clocks(), at_ns=instants, later_ns=instants)
def test_no_clock_shows_more_time_than_has_passed_and_the_one_outside_is_behind_a_liar_alone(
    clocks: Clocks, at_ns: int, later_ns: int
) -> None:
    began, ended = (clocks.instant(BEGAN_NS + each) for each in sorted((at_ns, at_ns + later_ns)))
    assert ended.ns - began.ns <= later_ns + 1
    assert 0 <= ended.check_ns - began.check_ns <= later_ns + 1
    assert clocks.factor != 1.0 or ended.utc_ns - began.utc_ns == later_ns


@given(clocks=any_clocks(), at_ns=instants, wait_ns=st.integers(0, SECOND_NS))
def test_whoever_waits_by_its_clock_is_not_waked_too_late(clocks: Clocks, at_ns: int, wait_ns: int) -> None:
    """It may be too early, and then waits again."""
    at_ns = clocks.runs_again_ns(BEGAN_NS + at_ns)
    took_ns = clocks.lasts_ns(wait_ns)
    assert clocks.instant(at_ns + took_ns).ns - clocks.instant(at_ns).ns <= wait_ns + 1
    assert clocks.lasts_ns(-wait_ns) == 0


@given(clocks=any_clocks(), at_ns=instants)
def test_a_machine_that_runs_goes_on_and_one_that_stands_still_does_later(clocks: Clocks, at_ns: int) -> None:
    again_ns = clocks.runs_again_ns(BEGAN_NS + at_ns)
    assert again_ns >= BEGAN_NS + at_ns
    assert clocks.runs_again_ns(again_ns) == again_ns
    assert clocks.instant(again_ns).ns <= clocks.instant(BEGAN_NS + at_ns).ns + (again_ns - BEGAN_NS - at_ns)
