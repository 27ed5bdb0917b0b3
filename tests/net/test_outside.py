"""The clock outside: a server of NTP on this machine, asked as one elsewhere would be, that is off, slow or lost."""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lightbound.errors import Unavailable
from lightbound.net.clocks import MachineClocks
from lightbound.net.outside import NtpClock, OwnClock

NTP_EPOCH_S = 2_208_988_800
SECOND_NS = 1_000_000_000


@contextmanager
def ntp_server(
    *,
    off_ns: int = 0,
    stratum: int = 2,
    leap: int = 0,
    held_ns: int = 0,
    dispersion_s: float = 0.0005,
    origin: bytes = b"",
) -> Iterator[int]:
    """A server that answers one question after the other, off by so much; its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind(("127.0.0.1", 0))
        own.settimeout(0.05)
        done = threading.Event()

        def answer() -> None:
            while not done.is_set():
                try:
                    asked, whose = own.recvfrom(100)
                except TimeoutError:
                    continue
                until_ns = time.monotonic_ns() + held_ns
                while time.monotonic_ns() < until_ns:
                    pass
                now_ns = time.clock_gettime_ns(time.CLOCK_REALTIME) + off_ns
                seconds, rest_ns = divmod(now_ns, SECOND_NS)
                stamp = (seconds + NTP_EPOCH_S << 32) | (rest_ns << 32) // SECOND_NS
                head = struct.pack(
                    "!BBbbIII", leap << 6 | 4 << 3 | 4, stratum, 6, -20, 0, int(dispersion_s * 65_536), 1
                )
                own.sendto(head + struct.pack("!Q8sQQ", stamp, origin or asked[40:48], stamp, stamp), whose)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        try:
            yield own.getsockname()[1]
        finally:
            done.set()
            thread.join(timeout=5)


def clock(port: int, *, most_error_ns: int = 5_000_000) -> NtpClock:
    return NtpClock(host="127.0.0.1", port=port, most_error_ns=most_error_ns, clocks=MachineClocks())


@pytest.mark.parametrize("off_ns", [0, -3 * SECOND_NS, 86_400 * SECOND_NS])
def test_a_reading_is_right_within_what_it_says(off_ns: int) -> None:
    with ntp_server(off_ns=off_ns) as port:
        read = asyncio.run(clock(port, most_error_ns=50_000_000).read())
    assert abs(read.offset_ns - off_ns) <= read.error_ns < 50_000_000


def test_a_server_that_takes_long_is_of_no_use() -> None:
    with ntp_server(held_ns=20_000_000) as port, pytest.raises(Unavailable, match="within 5000000 ns"):
        asyncio.run(clock(port).read())


@pytest.mark.parametrize(("stratum", "leap"), [(0, 0), (16, 0), (2, 3)])
def test_a_server_that_does_not_know_the_time_is_of_no_use(stratum: int, leap: int) -> None:
    with ntp_server(stratum=stratum, leap=leap) as port, pytest.raises(Unavailable):
        asyncio.run(clock(port).read())


def test_a_server_that_says_that_it_is_far_off_is_of_no_use() -> None:
    with ntp_server(dispersion_s=1.5) as port, pytest.raises(Unavailable):
        asyncio.run(clock(port).read())


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind(("127.0.0.1", 0))
        port = own.getsockname()[1]
    with pytest.raises(Unavailable):
        asyncio.run(clock(port).read())


def test_an_answer_to_another_question_is_of_no_use() -> None:
    """Whoever cannot see the question cannot answer it."""
    with ntp_server(origin=bytes(8)) as port, pytest.raises(Unavailable, match="another question"):
        asyncio.run(clock(port, most_error_ns=50_000_000).read())


def test_a_reading_tells_the_same_moment_on_all_clocks() -> None:
    """So that what is carried on from it hangs on no clock that can be set."""
    clocks = MachineClocks()
    before = clocks.raw_ns(), clocks.real_ns()
    with ntp_server(off_ns=5 * SECOND_NS) as port:
        read = asyncio.run(clock(port, most_error_ns=50_000_000).read())
    after = clocks.raw_ns(), clocks.real_ns()
    assert read.at is not None
    assert before[0] <= read.at.ns <= after[0]
    assert before[1] <= read.at.check_ns <= after[1]
    assert read.at.utc_ns - read.at.check_ns == read.offset_ns


def test_the_own_clock_has_no_offset() -> None:
    assert asyncio.run(OwnClock(error_ns=5).read()).offset_ns == 0
