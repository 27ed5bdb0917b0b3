"""A landmark's end of the timed phase: what may be sent when, what counts, and when it is over."""

import inspect

import pytest

from lightbound.errors import ErrorCode, Refused
from lightbound.ranging.timing.challenger import (
    LONGEST_PHASE_NS,
    LONGEST_WAIT_NS,
    MOST_WAITING,
    Challenger,
    Phase,
)
from lightbound.ranging.timing.clocks import ClockErrors, Instant
from lightbound.ranging.timing.packets import PacketType, read_packet, write_packet
from tests.ranging.parties import MS_NS, SECOND_NS, at, secret
from tests.ranging.timing.phases import (
    COOKIE,
    ELSEWHERE,
    GAP_NS,
    HOME,
    KEYS,
    begun,
    challenged,
    code,
    exchanged,
    nonce,
    not_due,
    ready,
    reply_to,
    running,
)

# -- before the first answer -------------------------------------------------------------------------------------


def test_nothing_is_sent_before_a_valid_ready() -> None:
    challenger = begun()
    assert challenger.wake_at_ns() is None
    not_due(challenger, 0)
    assert not challenger.is_over(now_ns=10**18)
    challenger.datagram_received(ready(), address=HOME, at=at(5))
    assert challenger.phase is Phase.RUNNING
    assert challenger.wake_at_ns() == 5
    assert challenger.may_send(now_ns=5)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(64),
        ready()[:-1],
        ready() + b"\x00",
        write_packet(PacketType.READY, KEYS.to_landmark, handle=KEYS.handle, round_number=0, nonce=bytes(16)),
        write_packet(PacketType.READY, KEYS.to_landmark, handle=bytes(8), round_number=0, nonce=COOKIE),
        write_packet(PacketType.READY, KEYS.to_agent, handle=KEYS.handle, round_number=0, nonce=COOKIE),
        write_packet(PacketType.READY, secret("stranger"), handle=KEYS.handle, round_number=0, nonce=COOKIE),
        write_packet(PacketType.PROBE, KEYS.to_landmark, handle=KEYS.handle, round_number=0, nonce=COOKIE),
        write_packet(PacketType.REPLY, KEYS.to_landmark, handle=KEYS.handle, round_number=0, nonce=COOKIE),
    ],
)
def test_what_is_no_ready_of_this_session_begins_nothing(data: bytes) -> None:
    challenger = begun()
    assert not challenger.datagram_received(data, address=HOME, at=at(0))
    assert (challenger.phase, challenger.address, challenger.ignored) == (Phase.WAITING, None, 1)


def test_each_ready_allows_one_challenge_until_the_first_answer() -> None:
    challenger = running()
    for _ in range(3):  # more of them while one is allowed do not add up
        challenger.datagram_received(ready(), address=HOME, at=at(0))
    challenged(challenger, 0)
    assert not challenger.may_send(now_ns=LONGEST_WAIT_NS)
    not_due(challenger, LONGEST_WAIT_NS + SECOND_NS)
    assert challenger.wake_at_ns() == LONGEST_PHASE_NS
    challenger.datagram_received(ready(), address=HOME, at=at(2 * SECOND_NS))
    assert challenger.may_send(now_ns=2 * SECOND_NS)
    challenged(challenger, 2 * SECOND_NS)
    not_due(challenger, 4 * SECOND_NS)


def test_after_the_first_answer_no_ready_is_needed() -> None:
    challenger = running()
    now_ns = exchanged(challenger, 0, MS_NS)
    for _ in range(5):
        assert challenger.may_send(now_ns=now_ns)
        challenged(challenger, now_ns)
        now_ns += LONGEST_WAIT_NS
        assert not challenger.may_send(now_ns=now_ns)  # given up on, and the gap has begun
        now_ns += GAP_NS


def test_an_answer_on_which_the_clocks_disagreed_shows_the_address_too() -> None:
    challenger = running()
    probe = challenged(challenger, 0)
    challenger.datagram_received(reply_to(probe), address=HOME, at=Instant(ns=MS_NS, check_ns=0, utc_ns=MS_NS))
    assert challenger.dropped == 1
    assert challenger.may_send(now_ns=2 * MS_NS)


def test_whoever_copies_ready_gets_a_challenge_of_its_own_and_does_not_keep_the_agent_out() -> None:
    challenger = begun()
    assert challenger.datagram_received(ready(), address=ELSEWHERE, at=at(0))
    assert challenger.datagram_received(ready(), address=HOME, at=at(1))
    probe = challenged(challenger, 1)
    assert (challenger.target, challenger.address) == (ELSEWHERE, None)
    assert not challenger.datagram_received(reply_to(probe), address=HOME, at=at(2))
    assert not challenger.may_send(now_ns=1 + LONGEST_WAIT_NS)
    probe = challenged(challenger, 1 + LONGEST_WAIT_NS + GAP_NS)
    assert challenger.target == HOME
    assert challenger.datagram_received(reply_to(probe), address=HOME, at=at(LONGEST_WAIT_NS + MS_NS))
    assert challenger.address == HOME


def test_the_address_of_the_first_answer_is_kept() -> None:
    challenger = running()
    now_ns = exchanged(challenger, 0, MS_NS)
    assert not challenger.datagram_received(ready(), address=ELSEWHERE, at=at(now_ns))
    probe = challenged(challenger, now_ns)
    assert challenger.target == challenger.address == HOME
    assert not challenger.datagram_received(reply_to(probe), address=ELSEWHERE, at=at(now_ns + MS_NS))
    assert challenger.datagram_received(reply_to(probe), address=HOME, at=at(now_ns + 2 * MS_NS))
    assert [one.round_trip_ns for one in challenger.valid] == [MS_NS, 2 * MS_NS]


def test_few_addresses_wait_at_one_time() -> None:
    challenger = begun()
    taken = [challenger.datagram_received(ready(), address=f"stranger {n}", at=at(0)) for n in range(MOST_WAITING + 3)]
    assert taken == [True] * MOST_WAITING + [False] * 3


# -- one challenge, one answer -----------------------------------------------------------------------------------


def test_a_round_trip_is_from_the_stamp_before_sending_to_the_stamp_after_receiving() -> None:
    challenger = running()
    probe = challenger.challenge(nonce=nonce(0), gap_ns=0, at=at(100))
    challenger.datagram_received(reply_to(probe), address=HOME, at=at(350))
    assert challenger.valid[0].round_trip_ns == 250


def test_a_send_stamp_read_after_sending_cannot_be_expressed() -> None:
    """The bytes to be sent exist only once a stamp has been given; `stamped` alone takes another one, the kernel's."""
    assert inspect.signature(Challenger.challenge).parameters["at"].default is inspect.Parameter.empty
    takes = {
        name
        for name, method in vars(Challenger).items()
        if inspect.isfunction(method) and not name.startswith("_") and "at" in inspect.signature(method).parameters
    }
    assert takes == {"challenge", "datagram_received", "end", "stamped"}


def test_a_transmit_stamp_of_the_kernel_replaces_the_one_that_was_read_before() -> None:
    challenger = running()
    probe = challenged(challenger, 1_000)
    challenger.stamped(at(1_400))
    challenger.datagram_received(reply_to(probe), address=HOME, at=at(2_000))
    assert [one.round_trip_ns for one in challenger.valid] == [600]


def test_a_transmit_stamp_before_the_send_call_or_of_no_challenge_is_passed_over() -> None:
    challenger = running()
    probe = challenged(challenger, 1_000)
    challenger.stamped(at(999))
    challenger.datagram_received(reply_to(probe), address=HOME, at=at(2_000))
    challenger.stamped(at(1_500))
    assert [one.round_trip_ns for one in challenger.valid] == [1_000]


def test_a_challenge_carries_its_round_and_nonce_under_the_key_to_the_agent() -> None:
    challenger = running()
    probe = challenged(challenger, 0)
    packet = read_packet(probe)
    assert (packet.type, packet.round, packet.nonce) == (PacketType.PROBE, 0, nonce(0))
    assert probe == write_packet(PacketType.PROBE, KEYS.to_agent, handle=KEYS.handle, round_number=0, nonce=nonce(0))


def test_a_phase_taken_over_is_the_phase_that_was_run() -> None:
    ran, taken = running(), begun()
    for number in range(4):
        probe = challenged(ran, 10_000 * (number + 1))
        ran.datagram_received(reply_to(probe), address=HOME, at=at(10_000 * (number + 1) + 900 - number))
    ran.end(at=at(100_000))
    taken.take_over(ran.record())
    assert taken.record() == ran.record()
    assert taken.third_smallest() == ran.third_smallest()
    assert (taken.phase, taken.address, taken.clocks_agree) == (Phase.ENDED, HOME, True)


def test_a_phase_that_has_begun_cannot_be_taken_over_nor_one_be_recorded_that_has_not_ended() -> None:
    begun_itself, ended = running(), begun()
    with pytest.raises(Refused):
        begun_itself.record()
    ended.end(at=at(5))
    with pytest.raises(Refused):
        begun_itself.take_over(ended.record())


def test_one_challenge_is_outstanding_at_a_time() -> None:
    challenger = running()
    challenged(challenger, 0)
    not_due(challenger, 1)
    not_due(challenger, LONGEST_WAIT_NS - 1)


def test_an_outstanding_challenge_is_waited_for_however_often_somebody_asks() -> None:
    challenger = running()
    now_ns = exchanged(challenger, 0, MS_NS)
    probe = challenged(challenger, now_ns)
    for ms in (1, 10, 499):
        assert not challenger.may_send(now_ns=now_ns + ms * MS_NS)
    assert challenger.datagram_received(reply_to(probe), address=HOME, at=at(now_ns + 499 * MS_NS))


@pytest.mark.parametrize("length", [0, 15, 17])
def test_a_nonce_of_another_length_is_refused_and_changes_nothing(length: int) -> None:
    challenger = running()
    with pytest.raises(Refused):
        challenger.challenge(nonce=bytes(length), gap_ns=0, at=at(0))
    assert challenger.sent == 0
    assert challenger.may_send(now_ns=0)


def test_an_answer_counts_once_however_often_it_arrives() -> None:
    challenger = running()
    probe = challenged(challenger, 0)
    reply = reply_to(probe)
    assert challenger.datagram_received(reply, address=HOME, at=at(MS_NS))
    for now_ns in (MS_NS, MS_NS + 1, 10 * MS_NS):
        assert not challenger.datagram_received(reply, address=HOME, at=at(now_ns))
    assert len(challenger.valid) == 1
    assert challenger.ignored == 3


def test_a_late_answer_never_counts_for_the_next_round() -> None:
    challenger = running()
    now_ns = exchanged(challenger, 0, MS_NS)
    late = reply_to(challenged(challenger, now_ns))
    now_ns += LONGEST_WAIT_NS
    assert not challenger.may_send(now_ns=now_ns)  # round 1 is given up
    now_ns += GAP_NS
    probe = challenged(challenger, now_ns)
    assert not challenger.datagram_received(late, address=HOME, at=at(now_ns + 1))
    assert challenger.datagram_received(reply_to(probe), address=HOME, at=at(now_ns + MS_NS))
    assert [one.answer.round for one in challenger.valid] == [0, 2]
    assert [one.round_trip_ns for one in challenger.valid] == [MS_NS, MS_NS]


def test_an_answer_that_comes_after_the_wait_is_late_whether_or_not_anybody_looked_in_between() -> None:
    challenger = running()
    reply = reply_to(challenged(challenger, 0))
    assert not challenger.datagram_received(reply, address=HOME, at=at(LONGEST_WAIT_NS))
    in_time = running()
    reply = reply_to(challenged(in_time, 0))
    assert in_time.datagram_received(reply, address=HOME, at=at(LONGEST_WAIT_NS - 1))


@pytest.mark.parametrize("changed", ["round", "nonce", "type", "key", "handle"])
def test_an_answer_to_something_else_does_not_count(changed: str) -> None:
    challenger = running()
    challenged(challenger, 0)
    data = write_packet(
        PacketType.PROBE if changed == "type" else PacketType.REPLY,
        KEYS.to_agent if changed == "key" else KEYS.to_landmark,
        handle=bytes(8) if changed == "handle" else KEYS.handle,
        round_number=1 if changed == "round" else 0,
        nonce=nonce(1) if changed == "nonce" else nonce(0),
    )
    assert not challenger.datagram_received(data, address=HOME, at=at(MS_NS))
    assert challenger.valid == []
    assert challenger.datagram_received(
        write_packet(PacketType.REPLY, KEYS.to_landmark, handle=KEYS.handle, round_number=0, nonce=nonce(0)),
        address=HOME,
        at=at(2 * MS_NS),
    )


def test_an_answer_to_nothing_does_not_count() -> None:
    challenger = running()
    data = write_packet(PacketType.REPLY, KEYS.to_landmark, handle=KEYS.handle, round_number=0, nonce=nonce(0))
    assert not challenger.datagram_received(data, address=HOME, at=at(0))


# -- clocks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "received",
    [
        Instant(ns=0, check_ns=MS_NS, utc_ns=MS_NS),
        Instant(ns=-MS_NS, check_ns=MS_NS, utc_ns=MS_NS),
        Instant(ns=-MS_NS, check_ns=-MS_NS, utc_ns=MS_NS),
        Instant(ns=MS_NS, check_ns=-1, utc_ns=MS_NS),
        Instant(ns=MS_NS, check_ns=MS_NS + 10_000, utc_ns=MS_NS),
        Instant(ns=MS_NS, check_ns=MS_NS - 10_000, utc_ns=MS_NS),
        Instant(ns=MS_NS - 10_000, check_ns=MS_NS, utc_ns=MS_NS),
        Instant(ns=3_600 * SECOND_NS, check_ns=MS_NS, utc_ns=MS_NS),
    ],
)
def test_a_round_in_which_a_clock_was_set_or_ran_backwards_is_dropped(received: Instant) -> None:
    challenger = running()
    probe = challenged(challenger, 0)
    assert challenger.datagram_received(reply_to(probe), address=HOME, at=received)
    assert (challenger.valid, challenger.dropped, challenger.sent) == ([], 1, 1)


def test_dropped_rounds_are_counted_and_give_no_bound() -> None:
    challenger = running(rounds=5)
    now_ns = 0
    for number in range(5):
        probe = challenged(challenger, now_ns)
        took = MS_NS if number < 2 else MS_NS // 2  # the shorter ones are those that a step made short
        check_ns = now_ns + MS_NS
        challenger.datagram_received(
            reply_to(probe), address=HOME, at=Instant(ns=now_ns + took, check_ns=check_ns, utc_ns=check_ns)
        )
        now_ns += took + GAP_NS
    challenger.end(at=at(now_ns))
    assert (challenger.sent, len(challenger.valid), challenger.dropped) == (5, 2, 3)
    with pytest.raises(Refused) as caught:
        challenger.third_smallest()
    assert code(caught) is ErrorCode.TOO_FEW_ANSWERS


def test_a_pause_of_the_whole_machine_is_seen_by_the_clock_outside() -> None:
    errors = ClockErrors()
    for paused_ns, agree in ((0, True), (errors.session_ns // 2 - MS_NS, True), (errors.session_ns, False)):
        challenger = running(rounds=3, errors=errors)
        now_ns = 0
        for _ in range(3):
            now_ns = exchanged(challenger, now_ns, MS_NS)
        challenger.end(at=Instant(ns=now_ns, check_ns=now_ns, utc_ns=now_ns + paused_ns))
        if agree:
            assert challenger.third_smallest()[0] == MS_NS
        else:
            with pytest.raises(Refused) as caught:
                challenger.third_smallest()
            assert code(caught) is ErrorCode.CLOCK_DISAGREES


# -- the bound ---------------------------------------------------------------------------------------------------


def test_the_bound_is_the_third_smallest_whatever_the_order() -> None:
    for took in ([9, 3, 7, 5, 8], [3, 5, 7, 8, 9], [9, 8, 7, 5, 3], [5, 3, 9, 8, 7]):
        challenger = running(rounds=5)
        now_ns = 0
        for each in took:
            now_ns = exchanged(challenger, now_ns, each * MS_NS)
        challenger.end(at=at(now_ns))
        assert challenger.third_smallest() == (7 * MS_NS, ClockErrors().of_round_ns(7 * MS_NS))


def test_two_corrupt_rounds_cannot_make_the_bound_too_small() -> None:
    challenger = running(rounds=8)
    now_ns = 0
    for number in range(8):
        now_ns = exchanged(challenger, now_ns, 1 if number in {2, 5} else 10 * MS_NS)
    challenger.end(at=at(now_ns))
    assert challenger.third_smallest()[0] == 10 * MS_NS


def test_there_is_no_bound_before_the_end() -> None:
    challenger = running()
    now_ns = 0
    for _ in range(5):
        now_ns = exchanged(challenger, now_ns, MS_NS)
    with pytest.raises(Refused) as caught:
        challenger.third_smallest()
    assert code(caught) is ErrorCode.OUT_OF_ORDER
    challenger.end(at=at(now_ns))
    assert challenger.third_smallest()[0] == MS_NS


@pytest.mark.parametrize("answered", [0, 1, 2])
def test_two_answers_are_too_few(answered: int) -> None:
    challenger = running()
    now_ns = 0
    for _ in range(answered):
        now_ns = exchanged(challenger, now_ns, MS_NS)
    challenger.end(at=at(now_ns))
    with pytest.raises(Refused) as caught:
        challenger.third_smallest()
    assert code(caught) is ErrorCode.TOO_FEW_ANSWERS
