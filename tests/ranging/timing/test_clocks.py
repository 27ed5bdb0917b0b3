"""When clocks agree, and by how much a round trip can have been measured too small while they do."""

import pytest

from lightbound.ranging.timing.clocks import ClockErrors, Instant
from tests.ranging.parties import MS_NS, NOW_NS, SECOND_NS, at

PLAIN = ClockErrors(stamp_ns=2_000, rate_ppb=200_000, session_ns=20 * MS_NS)
PAUSING = ClockErrors(stamp_ns=2_000, rate_ppb=200_000, session_ns=20 * MS_NS, can_pause=True)


def later(*, ns: int, check_ns: int | None = None, utc_ns: int | None = None) -> Instant:
    """So much after the moment 0 of `at`, as each clock tells it."""
    return Instant(ns=ns, check_ns=ns if check_ns is None else check_ns, utc_ns=ns if utc_ns is None else utc_ns)


def test_the_clock_error_is_stamps_and_the_drift_of_both_clocks_rounded_up() -> None:
    exact = ClockErrors(stamp_ns=0, rate_ppb=1_000)
    assert exact.of_round_ns(999_998_000) == 2_000  # 10^9 told as 999,999,000 by one, and that as 999,998,000 and a bit
    assert exact.of_round_ns(999_998_001) == 2_001
    assert ClockErrors(stamp_ns=0, rate_ppb=0).of_round_ns(SECOND_NS) == 0
    assert ClockErrors(stamp_ns=7, rate_ppb=0).of_round_ns(SECOND_NS) == 7
    assert PLAIN.of_round_ns(1) == 2_002
    assert PLAIN.of_round_ns(10 * MS_NS) == 2_000 + 2_001 + 2_002


def test_a_machine_that_can_pause_pays_a_third_of_what_goes_unnoticed() -> None:
    assert PAUSING.of_round_ns(MS_NS) - PLAIN.of_round_ns(MS_NS) == 6_666_667


def test_a_longer_round_trip_never_has_a_smaller_error() -> None:
    errors = [PLAIN.of_round_ns(ns) for ns in range(0, 20_000_000, 999)]
    assert errors == sorted(errors)


@pytest.mark.parametrize(
    ("ns", "check_ns", "agree"),
    [
        (MS_NS, MS_NS, True),
        (MS_NS, MS_NS + 2_200, True),
        (MS_NS, MS_NS + 2_201, False),
        (MS_NS + 2_200, MS_NS, True),
        (MS_NS + 2_201, MS_NS, False),
        (1, 1, True),
        (0, 0, False),
        (-1, 1, False),
        (-MS_NS, -MS_NS, False),
        (1_000, -1, False),
        (1_000, 0, True),
        (3_600 * SECOND_NS, MS_NS, False),
        (MS_NS, 3_600 * SECOND_NS, False),
    ],
)
def test_two_clocks_agree_on_a_round_within_stamps_and_rate_and_neither_runs_backwards(
    ns: int, check_ns: int, *, agree: bool
) -> None:
    assert PLAIN.agree_on_round(at(0), later(ns=ns, check_ns=check_ns)) is agree
    sent = Instant(ns=7 * SECOND_NS, check_ns=3 * SECOND_NS, utc_ns=NOW_NS)
    received = Instant(ns=7 * SECOND_NS + ns, check_ns=3 * SECOND_NS + check_ns, utc_ns=0)
    assert PLAIN.agree_on_round(sent, received) is agree


@pytest.mark.parametrize(
    ("ns", "utc_ns", "agree"),
    [
        (SECOND_NS, SECOND_NS, True),
        (SECOND_NS, SECOND_NS + 9_798_041, True),  # half of 20 ms less what the first clock may have gained
        (SECOND_NS, SECOND_NS + 9_798_042, False),
        (SECOND_NS, SECOND_NS - 9_800_000, True),
        (SECOND_NS, SECOND_NS - 9_900_000, False),
        (0, 0, True),
        (-1, -1, False),
        (-SECOND_NS, SECOND_NS, False),
        (SECOND_NS, -SECOND_NS, False),
    ],
)
def test_the_clock_outside_agrees_within_half_of_what_goes_unnoticed(ns: int, utc_ns: int, *, agree: bool) -> None:
    assert PLAIN.agree_on_session(at(0), later(ns=ns, utc_ns=utc_ns)) is agree
    # What the clocks show when a session begins is of no account.
    began = Instant(ns=7 * SECOND_NS, check_ns=0, utc_ns=NOW_NS)
    ended = Instant(ns=7 * SECOND_NS + ns, check_ns=0, utc_ns=NOW_NS + utc_ns)
    assert PLAIN.agree_on_session(began, ended) is agree


def test_what_a_fast_clock_gained_counts_against_it() -> None:
    """30 s at 200 ppm are 6 ms, which a pause could hide behind: only 4 of the 10 ms are left for disagreement."""
    assert PLAIN.agree_on_session(at(0), later(ns=30 * SECOND_NS, utc_ns=30 * SECOND_NS + 3_999_000))
    assert not PLAIN.agree_on_session(at(0), later(ns=30 * SECOND_NS, utc_ns=30 * SECOND_NS + 4_001_000))
