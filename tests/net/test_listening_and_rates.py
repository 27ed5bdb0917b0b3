"""Addresses as people write them, and how often one of them may ask."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.errors import ErrorCode, Malformed, Unavailable
from lightbound.net.listening import Listening, address_text, read_listening
from lightbound.net.rates import Rates


@pytest.mark.parametrize("text", ["127.0.0.1:8471", "[::1]:8471", "[2001:db8::7]:0", "0.0.0.0:65535"])
def test_an_address_is_read_as_written(text: str) -> None:
    assert str(read_listening(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "8471", "localhost:8471", "::1:8471", "[127.0.0.1]", "1.2.3:4", "1.2.3.4:70000", "[::1]:", "1.2.3.4:-1"],
)
def test_what_is_no_address_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        read_listening(text)


@given(text=st.text(max_size=40))
def test_any_text_is_an_address_or_malformed(text: str) -> None:
    try:
        read = read_listening(text)
    except Malformed:
        return
    assert 0 <= read.port <= 65_535


def test_an_address_and_port_as_measurements_hold_them() -> None:
    assert address_text("192.0.2.7", 41_000) == "192.0.2.7:41000"
    assert address_text("2001:db8::7", 41_000) == "[2001:db8::7]:41000"


def test_an_address_that_is_not_of_this_machine_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        read_listening("192.0.2.7:8471").udp()


def test_a_port_that_is_taken_is_told_with_the_option_and_what_to_do() -> None:
    with Listening(host="127.0.0.1", port=0).tcp() as first:
        port = first.getsockname()[1]
        with pytest.raises(Unavailable, match=rf"--listen, found 127.0.0.1:{port}: .*; another process has it"):
            Listening(host="127.0.0.1", port=port).tcp()


def taken(rates: Rates, host: str, *, at_s: float, times: int) -> int:
    passed = 0
    for _ in range(times):
        try:
            rates.take(host, now_s=at_s)
        except Unavailable as error:
            told = error.faults[0].code
        else:
            told, passed = ErrorCode.RATE_LIMITED, passed + 1
        assert told is ErrorCode.RATE_LIMITED
    return passed


def test_as_many_as_the_burst_pass_at_once_and_then_as_many_as_the_rate() -> None:
    rates = Rates(per_s=2.0, burst=5.0)
    assert taken(rates, "192.0.2.1", at_s=0.0, times=20) == 5
    assert taken(rates, "192.0.2.1", at_s=1.0, times=20) == 2
    assert taken(rates, "192.0.2.1", at_s=1_000.0, times=20) == 5
    assert rates.refused == 48


def test_one_address_does_not_use_up_what_another_may() -> None:
    rates = Rates(per_s=1.0, burst=3.0)
    assert taken(rates, "192.0.2.1", at_s=0.0, times=9) == 3
    assert taken(rates, "192.0.2.2", at_s=0.0, times=9) == 3


def test_addresses_of_one_ipv6_customer_are_one() -> None:
    rates = Rates(per_s=1.0, burst=3.0)
    assert sum(taken(rates, f"2001:db8::{i:x}", at_s=0.0, times=1) for i in range(9)) == 3
    assert taken(rates, "2001:db8:0:1::1", at_s=0.0, times=9) == 3


@given(steps=st.lists(st.tuples(st.floats(0, 10), st.integers(1, 5)), max_size=50))
def test_never_more_pass_than_burst_and_rate_allow(steps: list[tuple[float, int]]) -> None:
    rates, at_s, passed = Rates(per_s=2.0, burst=4.0), 0.0, 0
    for later_s, times in steps:
        at_s += later_s
        passed += taken(rates, "a", at_s=at_s, times=times)
    assert passed <= 4.0 + 2.0 * at_s + 1e-6
