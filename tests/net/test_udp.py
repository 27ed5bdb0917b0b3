"""Packets stamped by the kernel: when they came, when they went, and never a stamp of another."""

import socket
import time
from collections.abc import Iterator

import pytest

from lightbound.net.clocks import MachineClocks, instant, received, sent
from lightbound.net.udp import TimedSocket
from lightbound.ranging.timing.clocks import Instant

FAMILIES = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
Pair = tuple[TimedSocket, TimedSocket, tuple[str, int]]


def made(family: socket.AddressFamily, host: str, *, stamping: bool = True) -> TimedSocket:
    bound = socket.socket(family, socket.SOCK_DGRAM)
    bound.bind((host, 0))
    return TimedSocket.of(bound, stamping=stamping)


def when_the_kernel_stamps(one: TimedSocket, other: TimedSocket, address: tuple[str, int]) -> None:
    """Return once arrivals are stamped: whoever asks first on a machine waits until the kernel has turned it on."""
    give_up = time.monotonic() + 5
    while time.monotonic() < give_up:
        one.send(b"0" * 64, address)
        one.stamp_of_last()
        if arrived(other)[1] is not None:
            return
    raise AssertionError("arrivals are never stamped")


@pytest.fixture(params=FAMILIES, ids=["IPv4", "IPv6"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    one, other = (made(*request.param) for _ in range(2))
    address = other.bound.getsockname()[:2]
    when_the_kernel_stamps(one, other, address)
    yield one, other, address
    one.bound.close()
    other.bound.close()


def arrived(timed: TimedSocket) -> tuple[bytes, int | None]:
    give_up = time.monotonic() + 5
    while time.monotonic() < give_up:
        got = timed.receive()
        if got is not None:
            return got[0], got[2]
    raise AssertionError("nothing came")


def test_a_packet_is_stamped_after_the_send_call_began_and_before_it_was_read(pair: Pair) -> None:
    one, other, address = pair
    before = time.clock_gettime_ns(time.CLOCK_REALTIME)
    assert one.send(b"a" * 64, address)
    went = one.stamp_of_last()
    data, came = arrived(other)
    after = time.clock_gettime_ns(time.CLOCK_REALTIME)
    assert data == b"a" * 64
    assert went is not None
    assert came is not None
    assert before <= went <= came <= after


def test_each_packet_gets_its_own_stamp_also_after_some_were_not_asked_about(pair: Pair) -> None:
    one, _, address = pair
    for number in range(300):
        before = time.clock_gettime_ns(time.CLOCK_REALTIME)
        one.send(b"b" * 64, address)
        if number % 7 == 3:
            continue  # nobody asks: the next answer must not be this one's
        stamp = one.stamp_of_last()
        assert stamp is None or before <= stamp <= time.clock_gettime_ns(time.CLOCK_REALTIME)


def test_a_packet_that_cannot_be_sent_is_counted_and_costs_no_stamp_of_others(pair: Pair) -> None:
    one, _, address = pair
    assert not one.send(bytes(70_000), address)
    assert one.errors == 1
    stamps = []
    for _ in range(3):
        one.send(b"c" * 64, address)
        stamps.append(one.stamp_of_last())
    assert stamps[-1] is not None


def test_without_stamping_there_are_no_stamps() -> None:
    one, other = (made(*FAMILIES[0], stamping=False) for _ in range(2))
    one.send(b"d" * 64, other.bound.getsockname())
    assert one.stamp_of_last() is None
    assert arrived(other)[1] is None
    one.bound.close()
    other.bound.close()


def test_a_longer_packet_shows_as_one(pair: Pair) -> None:
    one, other, address = pair
    one.send(b"e" * 900, address)
    assert len(arrived(other)[0]) == 65


def test_an_address_at_which_nobody_listens_does_not_break_the_socket(pair: Pair) -> None:
    one, other, address = pair
    gone = made(other.bound.family, address[0])
    nowhere = gone.bound.getsockname()[:2]
    gone.bound.close()
    for _ in range(20):
        one.send(b"f" * 64, nowhere)
        one.receive()
    one.send(b"g" * 64, address)
    assert arrived(other)[0] == b"g" * 64


# -- what follows from stamps on two clocks -----------------------------------------------------------------------


class Readings:
    """Clocks that say what they are told to, in turn."""

    def __init__(self, *, raw: list[int], real: list[int]) -> None:
        """What each is to say."""
        self.raw, self.real = raw, real

    def raw_ns(self) -> int:
        return self.raw.pop(0)

    def real_ns(self) -> int:
        return self.real.pop(0)

    def of_kernel(self, stamp_ns: int) -> int:
        return stamp_ns


def test_an_arrival_is_reckoned_back_to_its_stamp() -> None:
    at = received(Readings(raw=[1_000], real=[500_300]), 500_100)
    assert (at.ns, at.check_ns) == (800, 500_100)


def test_an_arrival_stamped_in_the_future_counts_from_when_it_was_read() -> None:
    at = received(Readings(raw=[1_000], real=[500_300]), 500_301)
    assert (at.ns, at.check_ns) == (1_000, 500_300)


def test_without_a_stamp_an_arrival_counts_from_when_it_was_read() -> None:
    at = received(Readings(raw=[1_000], real=[500_300]), None)
    assert (at.ns, at.check_ns) == (1_000, 500_300)


@pytest.mark.parametrize(("stamp_ns", "believed"), [(199, False), (200, True), (900, True), (901, False)])
def test_a_departure_counts_if_its_stamp_lies_within_the_send_call(stamp_ns: int, *, believed: bool) -> None:
    before = Instant(1_000, 200, 200)
    left = sent(before, 1_700, Readings(raw=[], real=[]), stamp_ns)
    assert left == (Instant(1_000 + stamp_ns - 200, stamp_ns, stamp_ns) if believed else None)


def test_without_a_stamp_there_is_no_later_departure() -> None:
    assert sent(Instant(1, 1, 1), 5, MachineClocks(), None) is None


def test_now_is_read_on_both_clocks() -> None:
    first, second = instant(MachineClocks()), instant(MachineClocks())
    assert first.ns <= second.ns
    assert first.check_ns == first.utc_ns
