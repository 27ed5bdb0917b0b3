"""Laws of the timer: no bound is too small while its clocks keep what is said of them, and no phase hangs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lightbound.errors import ErrorCode, Refused
from lightbound.ranging.statements.measurement import ORDER
from lightbound.ranging.timing.challenger import LONGEST_PHASE_NS, LONGEST_WAIT_NS, MOST_SILENT, Challenger
from lightbound.ranging.timing.clocks import BILLION, ClockErrors, Instant
from lightbound.ranging.timing.packets import TimedKeys
from lightbound.ranging.timing.responder import Responder
from tests.ranging.parties import MS_NS, SECOND_NS, at, secret, timed

KEYS: Final = TimedKeys(handle=secret("sid")[:8], to_landmark=secret("to landmark"), to_agent=secret("to agent"))
COOKIE: Final = secret("cookie")[:16]
HOME: Final = "192.0.2.1 port 1"


def parties(errors: ClockErrors | None = None, *, rounds: int = 64) -> tuple[Challenger, Responder]:
    challenger = Challenger.begin(KEYS, cookie=COOKIE, errors=errors or ClockErrors(), rounds=rounds)
    return challenger, Responder.begin(KEYS, cookie=COOKIE)


def nonce(number: int) -> bytes:
    return secret("nonce", number)[:16]


# -- no bound is too small ---------------------------------------------------------------------------------------

rates = st.integers(0, 1_000_000)
stamps = st.integers(0, 1_000_000)
durations = st.integers(1, 1_000_000_000)


@given(true_ns=durations, rate_ppb=rates, stamp_ns=stamps, share=st.fractions(0, 1))
@example(true_ns=500_000_000, rate_ppb=200_000, stamp_ns=0, share=Fraction(1))
@example(true_ns=500_000_000, rate_ppb=200_000, stamp_ns=1_000_000, share=Fraction(1))
def test_drift_and_steps_as_stated_are_covered_by_the_clock_error(
    true_ns: int, rate_ppb: int, stamp_ns: int, share: Fraction
) -> None:
    errors = ClockErrors(stamp_ns=stamp_ns, rate_ppb=rate_ppb)
    lost = (Fraction(true_ns * rate_ppb, BILLION) + stamp_ns) * share
    told_ns = -((lost - true_ns).__floor__())  # the least whole number that is not below what was told
    if told_ns >= 1:
        assert true_ns <= told_ns + errors.of_round_ns(told_ns)


@given(true_ns=durations, rate_ppb=rates, stamp_ns=stamps, data=st.data())
def test_whatever_one_clock_does_is_seen_on_another_that_keeps_its_rate_or_covered(
    true_ns: int, rate_ppb: int, stamp_ns: int, data: st.DataObject
) -> None:
    errors = ClockErrors(stamp_ns=stamp_ns, rate_ppb=rate_ppb)
    missed_ns = true_ns * rate_ppb // BILLION
    check_ns = true_ns + data.draw(st.integers(-missed_ns, missed_ns) | st.just(-missed_ns))
    allowed_ns = stamp_ns + check_ns * rate_ppb // BILLION
    told_ns = data.draw(st.integers(1, 2 * true_ns) | st.integers(-5, 5).map(lambda n: check_ns - allowed_ns + n))
    for first_ns, second_ns in ((told_ns, check_ns), (check_ns, told_ns)):
        if errors.agree_on_round(at(0), Instant(ns=first_ns, check_ns=second_ns, utc_ns=true_ns)):
            assert true_ns <= first_ns + errors.of_round_ns(first_ns)


@dataclass(slots=True, kw_only=True)
class Machine:
    """A landmark's machine in true time: its clocks stop while it is paused, and run at a rate of their own."""

    rate_ppb: int
    outside_ns: Callable[[int], int]
    """How wrong the clock outside is at a moment."""
    paused_ns: int = 0
    true_ns: int = 0

    def passes(self, ns: int, *, paused_ns: int = 0) -> None:
        self.true_ns += ns
        self.paused_ns += paused_ns

    def now(self) -> Instant:
        run_ns = self.true_ns - self.paused_ns
        told_ns = run_ns + run_ns * self.rate_ppb // BILLION
        return Instant(ns=told_ns, check_ns=told_ns, utc_ns=self.true_ns + self.outside_ns(self.true_ns))


def measured_on(
    machine: Machine, errors: ClockErrors, *, true_ns: list[int], pauses_ns: list[int]
) -> tuple[int, int] | None:
    """The third smallest and its error, of rounds that truly took so long and were paused for so long of it."""
    challenger, responder = parties(errors, rounds=len(true_ns))
    challenger.datagram_received(responder.ready(), address=HOME, at=machine.now())
    for number, (took_ns, paused_ns) in enumerate(zip(true_ns, pauses_ns, strict=True)):
        probe = challenger.challenge(nonce=nonce(number), gap_ns=0, at=machine.now())
        reply = responder.datagram_received(probe)
        assert reply is not None
        machine.passes(took_ns, paused_ns=paused_ns)
        challenger.datagram_received(reply, address=HOME, at=machine.now())
        if challenger.may_send(now_ns=machine.now().ns) or number == len(true_ns) - 1:
            continue
        machine.passes(LONGEST_WAIT_NS)
        challenger.may_send(now_ns=machine.now().ns)
    challenger.end(at=machine.now())
    try:
        return challenger.third_smallest()
    except Refused:
        return None


@given(
    least_ns=st.integers(25 * MS_NS, 60 * MS_NS),
    later_ns=st.lists(st.integers(0, 30 * MS_NS), min_size=ORDER, max_size=12),
    shares=st.lists(st.integers(0, 10), min_size=12, max_size=12),
    total_ns=st.integers(0, 25 * MS_NS),
    rate_ppb=st.integers(-200_000, 200_000),
    ends_ns=st.tuples(st.integers(-5 * MS_NS, 5 * MS_NS), st.integers(-5 * MS_NS, 5 * MS_NS)),
)
@example(
    least_ns=30 * MS_NS,
    later_ns=[0, 0, 0],
    shares=[1, 1, 1, *[0] * 9],
    total_ns=20 * MS_NS - 3,
    rate_ppb=0,
    ends_ns=(5 * MS_NS, -5 * MS_NS),
)
def test_pauses_of_the_whole_machine_are_seen_from_outside_or_covered(
    least_ns: int,
    later_ns: list[int],
    shares: list[int],
    total_ns: int,
    rate_ppb: int,
    ends_ns: tuple[int, int],
) -> None:
    """Wherever in the session the pauses fall, while the clock outside is right within half of `session_ns`."""
    errors = ClockErrors(can_pause=True)
    true_ns = [least_ns + later for later in later_ns]
    given_shares = shares[: len(true_ns)]
    each = [total_ns * share // max(1, sum(given_shares)) for share in given_shares]
    first, last = ends_ns
    machine = Machine(rate_ppb=rate_ppb, outside_ns=lambda now_ns: first if now_ns == 0 else last)
    found = measured_on(
        machine, errors, true_ns=true_ns, pauses_ns=[min(p, t - 1) for p, t in zip(each, true_ns, strict=True)]
    )
    if found is not None:
        third_ns, error_ns = found
        assert least_ns <= third_ns + error_ns


@given(
    paused_ns=st.integers(0, 100 * MS_NS),
    rate_ppb=st.integers(-200_000, 200_000),
    outside_ns=st.integers(-10 * MS_NS, 10 * MS_NS),
)
@example(paused_ns=25 * MS_NS, rate_ppb=200_000, outside_ns=-10 * MS_NS)
@example(paused_ns=25 * MS_NS, rate_ppb=0, outside_ns=-10 * MS_NS)
@example(paused_ns=20 * MS_NS, rate_ppb=0, outside_ns=-10 * MS_NS)
def test_no_more_than_what_is_stated_goes_unnoticed(paused_ns: int, rate_ppb: int, outside_ns: int) -> None:
    errors = ClockErrors()
    machine = Machine(rate_ppb=rate_ppb, outside_ns=lambda now_ns: outside_ns if now_ns else 0)
    began = machine.now()
    machine.passes(30 * SECOND_NS, paused_ns=paused_ns)
    if errors.agree_on_session(began, machine.now()):
        assert paused_ns <= errors.session_ns


def test_an_honest_machine_is_believed() -> None:
    """The laws above are not kept by refusing everybody."""
    for rate_ppb in (-100_000, 0, 100_000):
        machine = Machine(rate_ppb=rate_ppb, outside_ns=lambda now_ns: now_ns // 10**6)
        found = measured_on(machine, ClockErrors(can_pause=True), true_ns=[20 * MS_NS] * 12, pauses_ns=[0] * 12)
        assert found is not None


@given(
    took_ns=st.lists(st.integers(10 * MS_NS, 100 * MS_NS), min_size=5, max_size=20),
    corrupt=st.sets(st.integers(0, 19), max_size=2),
    short_ns=st.integers(1, 10 * MS_NS),
)
def test_two_corrupt_rounds_never_make_a_bound_too_small(took_ns: list[int], corrupt: set[int], short_ns: int) -> None:
    challenger, responder = parties(rounds=len(took_ns))
    timed(challenger, responder, round_trip_ns=lambda n: short_ns if n in corrupt else took_ns[n], now_ns=0)
    assert challenger.third_smallest()[0] >= min(took_ns)


@given(took_ns=st.lists(st.none() | st.integers(1, 600 * MS_NS), min_size=64, max_size=64))
def test_a_shorter_wait_never_changes_the_bound(took_ns: list[int | None]) -> None:
    """What was given up on would not have been among the three smallest of the rounds that were sent."""
    challenger, responder = parties()
    timed(challenger, responder, round_trip_ns=lambda n: took_ns[n], now_ns=0)
    in_time = sorted(took for took in took_ns[: challenger.sent] if took is not None and took < LONGEST_WAIT_NS)
    if len(in_time) >= ORDER:
        assert challenger.third_smallest()[0] == in_time[ORDER - 1]
    else:
        assert len(challenger.valid) == len(in_time)


@given(took_ns=st.lists(st.integers(1, 20 * MS_NS - 1), min_size=6, max_size=12))
def test_nothing_that_strangers_send_changes_what_was_measured(took_ns: list[int]) -> None:
    """Replays of every answer so far, answers to other rounds, and noise, from anywhere, before each true answer."""
    plain, noisy = parties(rounds=len(took_ns)), parties(rounds=len(took_ns))
    timed(*plain, round_trip_ns=lambda n: took_ns[n], now_ns=0)
    challenger, responder = noisy
    heard: list[bytes] = []
    now_ns = 0
    challenger.datagram_received(responder.ready(), address=HOME, at=at(0))
    while not challenger.is_over(now_ns=now_ns):
        now_ns = max(now_ns, challenger.wake_at_ns() or 0)
        if not challenger.may_send(now_ns=now_ns):
            continue
        number = challenger.sent
        probe = challenger.challenge(nonce=nonce(number), gap_ns=1_000, at=at(now_ns))
        for stranger in (*heard, probe, responder.ready(), secret("noise", number) * 2, b""):
            for address in (HOME, "elsewhere"):
                challenger.datagram_received(stranger, address=address, at=at(now_ns))
        reply = responder.datagram_received(probe)
        assert reply is not None
        challenger.datagram_received(reply, address="elsewhere", at=at(now_ns))
        heard.append(reply)
        now_ns += took_ns[number]
        assert challenger.datagram_received(reply, address=HOME, at=at(now_ns))
    challenger.end(at=at(now_ns))
    assert challenger.valid == plain[0].valid
    assert challenger.third_smallest() == plain[0].third_smallest()


# -- no phase hangs, and none is a weapon ------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class Network:
    """What is on its way to the landmark, by when it arrives, and what each address sent and got."""

    arrivals: list[tuple[int, str, bytes]] = field(default_factory=list)
    sent_bytes: dict[str, int] = field(default_factory=dict)
    got_bytes: dict[str, int] = field(default_factory=dict)

    def send(self, at_ns: int, address: str, data: bytes) -> None:
        self.arrivals.append((at_ns, address, data))
        self.arrivals.sort()


def driven(
    challenger: Challenger,
    responder: Responder,
    network: Network,
    *,
    delays_ns: list[int | None],
    gaps_ns: list[int],
) -> tuple[int, int]:
    """Drive a phase by `wake_at_ns` and arrivals alone; when it was over, and how often it was woken for it."""
    now_ns = woken = 0
    while not challenger.is_over(now_ns=now_ns):
        wake_ns = challenger.wake_at_ns()
        arrives_ns = network.arrivals[0][0] if network.arrivals else None
        assert wake_ns is not None or arrives_ns is not None
        woken += 1
        if arrives_ns is not None and (wake_ns is None or arrives_ns <= wake_ns):
            now_ns, address, data = network.arrivals.pop(0)
            network.sent_bytes[address] = network.sent_bytes.get(address, 0) + len(data)
            challenger.datagram_received(data, address=address, at=at(now_ns))
        else:
            assert wake_ns is not None
            now_ns = max(now_ns, wake_ns)
        if challenger.may_send(now_ns=now_ns):
            number = challenger.sent
            gap_ns = gaps_ns[number % len(gaps_ns)]
            probe = challenger.challenge(nonce=nonce(number), gap_ns=gap_ns, at=at(now_ns))
            target = str(challenger.target)
            if challenger.address is None:
                network.got_bytes[target] = network.got_bytes.get(target, 0) + len(probe)
                assert network.got_bytes[target] <= network.sent_bytes[target]
            delay_ns = delays_ns[number % len(delays_ns)]
            if delay_ns is not None and target == HOME:
                reply = responder.datagram_received(probe)
                assert reply is not None
                network.send(now_ns + delay_ns, HOME, reply)
    return now_ns, woken


delays = st.lists(st.none() | st.integers(1, 2 * SECOND_NS), min_size=1, max_size=20)
gaps = st.lists(st.integers(0, 40 * SECOND_NS) | st.integers(0, 300 * MS_NS), min_size=1, max_size=6)
readies = st.lists(
    st.tuples(st.integers(0, 35 * SECOND_NS), st.sampled_from([HOME, HOME, "elsewhere", "far away", "nowhere"])),
    max_size=40,
)


@given(delays_ns=delays, gaps_ns=gaps, readies=readies)
@example(delays_ns=[None], gaps_ns=[0], readies=[])
@example(delays_ns=[None], gaps_ns=[0], readies=[(ms * 300 * MS_NS, HOME) for ms in range(110)])
@example(delays_ns=[1], gaps_ns=[40 * SECOND_NS], readies=[])
@example(delays_ns=[None, None, MS_NS], gaps_ns=[0], readies=[])
def test_driven_by_its_own_alarms_a_phase_ends_within_thirty_seconds_and_never_gives_more_than_it_got(
    delays_ns: list[int | None], gaps_ns: list[int], readies: list[tuple[int, str]]
) -> None:
    challenger, responder = parties()
    network = Network()
    network.send(0, HOME, responder.ready())
    for at_ns, address in readies:
        network.send(at_ns, address, responder.ready())
    over_ns, woken = driven(challenger, responder, network, delays_ns=delays_ns, gaps_ns=gaps_ns)
    assert challenger.began is not None
    assert over_ns - challenger.began.ns <= LONGEST_PHASE_NS
    assert woken <= 1 + len(readies) + 3 * 64 + 2
    challenger.end(at=at(over_ns))
    silent = challenger.sent - len(challenger.valid) - challenger.dropped
    assert silent <= MOST_SILENT * (1 + len(challenger.valid))
    try:
        third_ns, _ = challenger.third_smallest()
    except Refused as error:
        assert error.faults[0].code is ErrorCode.TOO_FEW_ANSWERS  # noqa: PT017 - either outcome is right
        assert len(challenger.valid) < ORDER
    else:
        assert third_ns == sorted(one.round_trip_ns for one in challenger.valid)[ORDER - 1]


@pytest.mark.parametrize("lost", [0.0, 0.2, 0.5, 0.9])
def test_a_lossy_path_still_gives_a_bound_or_an_end(lost: float) -> None:
    for seed in range(20):
        keep = [secret(seed, number)[0] / 256 >= lost for number in range(64)]
        challenger, responder = parties()
        network = Network()
        for number in range(110):
            network.send(number * 300 * MS_NS, HOME, responder.ready())
        over_ns, _ = driven(
            challenger,
            responder,
            network,
            delays_ns=[5 * MS_NS if kept else None for kept in keep],
            gaps_ns=[10 * MS_NS],
        )
        challenger.end(at=at(over_ns))
        if lost <= 0.5:
            assert challenger.third_smallest()[0] == 5 * MS_NS
