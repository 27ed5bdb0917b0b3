"""The rules of a sound timer (CLP/1), over a real socket: each of these fails if its rule is broken.

The agent holds every answer back by a known time, so that no round trip was shorter in truth. Clocks are given to the
loop; the machine's are never set.
"""

import itertools
import select
import socket
from dataclasses import replace

import pytest

from lightbound.net.udp import TimedSocket
from lightbound.ranging.statements.measurement import ORDER
from lightbound.ranging.timing.challenger import PhaseRecord
from lightbound.ranging.timing.clocks import ClockErrors
from lightbound.roles.landmark.handing import Begin, read_answer, write_begin
from tests.roles.landmark.timing import COOKIE, KEYS, LateSocket, SetClocks, loop, timed

MS_NS = 1_000_000
HELD_NS = 2 * MS_NS
"""The truth: nothing came back sooner."""


def third_ns(record: PhaseRecord) -> int:
    return sorted(one.round_trip_ns for one in record.rounds)[ORDER - 1]


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
@pytest.mark.parametrize("stamping", [True, False])
def test_no_round_trip_is_shorter_than_the_answer_took(stamping: bool, family: socket.AddressFamily) -> None:  # noqa: FBT001
    record = timed(held_ns=lambda _: HELD_NS, stamping=stamping, family=family)
    assert len(record.rounds) >= ORDER
    assert min(one.round_trip_ns for one in record.rounds) >= HELD_NS


def test_a_send_call_that_returns_late_makes_no_round_trip_shorter() -> None:
    """Rule 1: the send stamp is read before the send call. Read after it, 3 ms of 5 would be missing."""
    for stamping in (True, False):
        record = timed(held_ns=lambda _: 5 * MS_NS, kind=LateSocket, stamping=stamping)
        assert min(one.round_trip_ns for one in record.rounds) >= 5 * MS_NS


def test_the_receive_stamp_is_when_the_packet_arrived_and_not_when_somebody_looked() -> None:
    """Rule 2: while the loop was held up in a send call, answers had come; the kernel knows when."""
    record = timed(held_ns=lambda _: 200_000, kind=LateSocket)
    late = timed(held_ns=lambda _: 200_000, kind=LateSocket, stamping=False)
    assert third_ns(record) < 2 * MS_NS
    assert third_ns(late) >= 2 * MS_NS


@pytest.mark.parametrize(
    "step_ns",
    [
        -50_000,
        1 * MS_NS,
        *(pytest.param(step, marks=pytest.mark.long) for step in (-1 * MS_NS, 50_000, 3_600_000 * MS_NS)),
    ],
)
@pytest.mark.parametrize("stamping", [True, False])
def test_a_round_in_which_the_second_clock_was_set_is_dropped(stamping: bool, step_ns: int) -> None:  # noqa: FBT001
    """Rule 3. The clock is set every 7 ms, so that many rounds see it; those that count are true."""
    clocks = SetClocks(real_off_ns=lambda since_ns: step_ns * (since_ns // (7 * MS_NS)))
    record = timed(held_ns=lambda _: HELD_NS, clocks=clocks, stamping=stamping)
    assert record.dropped > 0
    assert all(one.round_trip_ns >= HELD_NS for one in record.rounds)


@pytest.mark.parametrize("stamping", [True, False])
def test_a_round_in_which_the_first_clock_jumps_back_is_dropped(stamping: bool) -> None:  # noqa: FBT001
    """Rule 3. Without the second clock the round would be 1.5 ms too short."""
    clocks = SetClocks(raw_off_ns=lambda since_ns: -1_500_000 * (since_ns // (9 * MS_NS)))
    record = timed(held_ns=lambda _: HELD_NS, clocks=clocks, stamping=stamping)
    assert record.dropped > 0
    assert all(one.round_trip_ns >= HELD_NS for one in record.rounds)


def test_clocks_that_run_slow_at_the_stated_rate_make_no_bound_too_small() -> None:
    """Rule 3: the rate error goes into the bound."""
    errors = ClockErrors(rate_ppb=5_000_000)
    clocks = SetClocks(
        raw_off_ns=lambda since_ns: -since_ns * 5 // 1_000, real_off_ns=lambda since_ns: -since_ns * 5 // 1_000
    )
    record = timed(held_ns=lambda _: 4 * MS_NS, clocks=clocks, errors=errors)
    third = third_ns(record)
    assert third < 4 * MS_NS + 100_000
    assert third + errors.of_round_ns(third) >= 4 * MS_NS


def test_one_clock_that_drifts_more_than_stated_has_its_rounds_dropped() -> None:
    """Rule 3: over 4 ms, 5 parts in 1,000 are 20 us, and 2.8 us are allowed."""
    clocks = SetClocks(raw_off_ns=lambda since_ns: -since_ns * 5 // 1_000)
    record = timed(held_ns=lambda _: 4 * MS_NS, clocks=clocks)
    assert record.rounds == ()
    assert record.dropped > 0


def test_a_pause_of_both_clocks_shows_on_the_clock_outside_and_only_there() -> None:
    """Rule 3: nothing within the machine can tell; what the clock outside is for, `test_desk` shows."""

    def lost_ns(since_ns: int) -> int:
        return -MS_NS * (since_ns // (5 * MS_NS))

    paused = SetClocks(raw_off_ns=lost_ns, real_off_ns=lost_ns)
    record = timed(held_ns=lambda _: HELD_NS, clocks=paused)
    assert min(one.round_trip_ns for one in record.rounds) < HELD_NS
    assert record.began is not None
    true_ns = (record.ended.ns - record.began.ns) * 5 // 4
    outside = record.ended._replace(utc_ns=record.began.utc_ns + true_ns)
    assert ClockErrors().agree_on_session(record.began, record.ended)
    assert not ClockErrors().agree_on_session(record.began, outside)


def test_a_first_clock_that_goes_back_between_two_readings_does_not_stop_the_loop() -> None:
    """A challenge that was due a moment ago, and is not now, is sent later."""
    for every in (2, 3):
        numbers = itertools.count()
        clocks = SetClocks(raw_off_ns=lambda _, every=every, numbers=numbers: -MS_NS * (next(numbers) % every == 0))  # type: ignore[misc]
        assert timed(held_ns=lambda _: HELD_NS, clocks=clocks).sent > 0


def test_every_challenge_has_a_nonce_of_its_own_and_gaps_differ() -> None:
    """Rule 5."""
    record = timed(held_ns=lambda _: 100_000)
    nonces = [one.answer.nonce for one in record.rounds]
    assert len(set(nonces)) == len(nonces) >= 60


def test_every_round_that_was_sent_is_counted() -> None:
    """Rule 6: sixteen rounds in a row whose answers come too late end the phase, and are in the count."""
    record = timed(held_ns=lambda number: 100_000 if number < 5 else 30 * MS_NS)
    assert record.sent >= len(record.rounds) + record.dropped + 16


def test_a_control_process_that_does_not_read_is_read_all_the_same() -> None:
    """Each would wait for room at the other, for ever."""
    count = 2_000
    with loop() as (channel, _):
        begin = Begin(number=0, keys=KEYS, cookie=COOKIE, errors=ClockErrors(), ready_within_ns=0)
        for number in range(count):
            channel.send(write_begin(replace(begin, number=number)))
        ended = [read_answer(channel.receive()) for _ in range(count)]
    assert {said[0] for said in ended if isinstance(said, tuple)} == set(range(count))


def test_a_stamp_that_comes_late_does_not_keep_the_loop_awake() -> None:
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with bound, select.epoll() as poll:
        bound.bind(("127.0.0.1", 0))
        own = TimedSocket.of(bound, stamping=True)
        poll.register(own.fileno(), select.EPOLLIN)
        # Nobody takes its stamp: as if the driver stamped after the send call.
        own.send(bytes(64), ("127.0.0.1", 9))
        assert [events for _, events in poll.poll(5)] == [select.EPOLLERR]
        own.pass_over_stamps()
        assert poll.poll(0) == []
        own.send(bytes(64), ("127.0.0.1", 9))
        assert own.stamp_of_last() is not None
