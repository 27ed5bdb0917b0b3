"""How long a challenge is waited for, and when a timed phase is over."""

import pytest

from lightbound.errors import ErrorCode, Refused
from lightbound.ranging.statements.closing import MOST_ROUNDS
from lightbound.ranging.timing.challenger import (
    EARLY_ROUNDS,
    FAR_NS,
    LONGEST_PHASE_NS,
    LONGEST_WAIT_NS,
    MOST_SILENT,
    PATIENCE_NS,
    Phase,
)
from tests.ranging.parties import MS_NS, SECOND_NS, at, timed
from tests.ranging.timing.phases import (
    ELSEWHERE,
    GAP_NS,
    HOME,
    begun,
    challenged,
    code,
    exchanged,
    nonce,
    not_due,
    ready,
    reply_to,
    responder,
    running,
)


def test_a_round_waits_half_a_second_until_three_answers_are_in_and_then_as_long_as_could_matter() -> None:
    challenger = running()
    now_ns = 0
    for took_ms in (30, 10, 20):
        assert challenger.may_send(now_ns=now_ns)
        probe = challenged(challenger, now_ns)
        assert challenger.wake_at_ns() == now_ns + LONGEST_WAIT_NS
        now_ns += took_ms * MS_NS
        challenger.datagram_received(reply_to(probe), address=HOME, at=at(now_ns))
        now_ns += GAP_NS
    challenged(challenger, now_ns)
    assert challenger.wake_at_ns() == now_ns + 2 * 30 * MS_NS + PATIENCE_NS


def test_a_wait_is_never_longer_than_half_a_second() -> None:
    challenger = running()
    now_ns = 0
    for _ in range(3):
        now_ns = exchanged(challenger, now_ns, 400 * MS_NS)
    challenged(challenger, now_ns)
    assert challenger.wake_at_ns() == now_ns + LONGEST_WAIT_NS


def test_the_next_round_begins_a_gap_after_the_answer() -> None:
    challenger = running()
    probe = challenger.challenge(nonce=nonce(0), gap_ns=7_000, at=at(0))
    challenger.datagram_received(reply_to(probe), address=HOME, at=at(MS_NS))
    assert challenger.wake_at_ns() == MS_NS + 7_000
    not_due(challenger, MS_NS + 6_999)
    assert challenger.may_send(now_ns=MS_NS + 7_000)


@pytest.mark.parametrize(
    ("took_ns", "rounds"), [(MS_NS, MOST_ROUNDS), (FAR_NS, MOST_ROUNDS), (FAR_NS + 1, EARLY_ROUNDS)]
)
def test_a_phase_has_64_rounds_or_16_if_the_agent_is_far(took_ns: int, rounds: int) -> None:
    challenger = begun()
    timed(challenger, responder(), round_trip_ns=lambda _: took_ns, now_ns=0)
    assert challenger.sent == len(challenger.valid) == rounds


def test_no_challenge_is_due_once_there_were_enough_and_the_last_one_is_waited_for() -> None:
    challenger = running(rounds=2)
    now_ns = exchanged(challenger, 0, MS_NS)
    probe = challenged(challenger, now_ns)
    assert not challenger.is_over(now_ns=now_ns + MS_NS)
    assert challenger.datagram_received(reply_to(probe), address=HOME, at=at(now_ns + MS_NS))
    assert challenger.is_over(now_ns=now_ns + MS_NS)
    not_due(challenger, now_ns + SECOND_NS)


def test_no_challenge_is_due_after_thirty_seconds() -> None:
    challenger = running()
    exchanged(challenger, 0, MS_NS)
    assert challenger.may_send(now_ns=LONGEST_PHASE_NS - 1)
    not_due(challenger, LONGEST_PHASE_NS)


def test_ready_does_not_begin_a_phase_that_has_ended() -> None:
    for challenger in (begun(), running()):
        challenger.end(at=at(0))
        assert not challenger.datagram_received(ready(), address=ELSEWHERE, at=at(1))
        assert challenger.phase is Phase.ENDED


def test_whether_the_agent_is_far_is_asked_at_sixteen_rounds_and_not_later() -> None:
    """A landmark cannot stop when it likes what it sees: three quick answers after that do not end the phase."""
    challenger = begun()
    timed(challenger, responder(), round_trip_ns=lambda n: MS_NS if n < 3 else 3 * FAR_NS, now_ns=0)
    assert challenger.sent == EARLY_ROUNDS + 3  # the rest came too late to matter, and so many in a row end it
    quick = begun()
    timed(quick, responder(), round_trip_ns=lambda n: 2 * FAR_NS if n != 5 else MS_NS, now_ns=0)
    assert quick.sent == EARLY_ROUNDS


def test_an_agent_that_was_not_known_to_be_far_at_sixteen_rounds_gets_all_of_them() -> None:
    challenger = begun()
    timed(challenger, responder(), round_trip_ns=lambda n: None if n < 14 else 2 * FAR_NS, now_ns=0)
    assert challenger.sent == MOST_ROUNDS


def test_sixteen_silent_rounds_in_a_row_end_the_phase() -> None:
    challenger = begun()
    timed(challenger, responder(), round_trip_ns=lambda n: MS_NS if n in {0, 15, 30} else None, now_ns=0)
    assert challenger.sent == 31 + MOST_SILENT
    assert len(challenger.valid) == 3


def test_an_agent_that_only_says_that_it_is_ready_gets_sixteen_challenges() -> None:
    challenger = begun()
    timed(challenger, responder(), round_trip_ns=lambda _: None, now_ns=0)
    assert (challenger.sent, challenger.valid) == (MOST_SILENT, [])


def test_a_phase_is_over_after_thirty_seconds_whatever_is_awaited() -> None:
    challenger = running()
    now_ns = exchanged(challenger, 0, MS_NS)
    challenger.challenge(nonce=nonce(1), gap_ns=20 * SECOND_NS, at=at(now_ns))
    assert not challenger.may_send(now_ns=now_ns + LONGEST_WAIT_NS)
    assert challenger.wake_at_ns() == now_ns + LONGEST_WAIT_NS + 20 * SECOND_NS
    just_before_ns = LONGEST_PHASE_NS - 10 * MS_NS
    reply = reply_to(challenger.challenge(nonce=nonce(2), gap_ns=SECOND_NS, at=at(just_before_ns)))
    assert challenger.wake_at_ns() == LONGEST_PHASE_NS
    assert not challenger.is_over(now_ns=LONGEST_PHASE_NS - 1)
    assert not challenger.datagram_received(reply, address=HOME, at=at(LONGEST_PHASE_NS))
    not_due(challenger, LONGEST_PHASE_NS)
    assert challenger.is_over(now_ns=LONGEST_PHASE_NS)


def test_a_gap_that_reaches_past_the_end_does_not_delay_it() -> None:
    challenger = running()
    probe = challenger.challenge(nonce=nonce(0), gap_ns=3_600 * SECOND_NS, at=at(0))
    challenger.datagram_received(reply_to(probe), address=HOME, at=at(MS_NS))
    assert challenger.wake_at_ns() == LONGEST_PHASE_NS


def test_nothing_counts_after_the_end() -> None:
    challenger = running()
    now_ns = exchanged(challenger, 0, MS_NS)
    reply = reply_to(challenged(challenger, now_ns))
    challenger.end(at=at(now_ns + 5))
    challenger.end(at=at(now_ns + 500))
    assert challenger.ended == at(now_ns + 5)
    assert challenger.began == at(0)
    assert not challenger.datagram_received(reply, address=HOME, at=at(now_ns + 6))
    assert not challenger.datagram_received(ready(), address=HOME, at=at(now_ns + 6))
    assert challenger.is_over(now_ns=0)
    assert challenger.wake_at_ns() is None
    not_due(challenger, now_ns + SECOND_NS)
    assert len(challenger.valid) == 1


def test_a_phase_that_never_began_can_be_ended() -> None:
    challenger = begun()
    challenger.end(at=at(0))
    assert challenger.is_over(now_ns=0)
    with pytest.raises(Refused) as caught:
        challenger.third_smallest()
    assert code(caught) is ErrorCode.TOO_FEW_ANSWERS
