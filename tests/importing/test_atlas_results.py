"""A result says what the maintainers' own parser reads in it, strictly, and never less than the probe measured."""

import ipaddress
import json
import math
import random
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ripe.atlas.sagan import PingResult

from lightbound.files.importing.atlas_results import AtlasPing, address, nanoseconds, read_ping
from lightbound.files.importing.dropped import Reason, Tally, WrongField
from tests.importing.atlas_files import AT_S, PROBE, TARGET, oldest_result, result


def ping(item: Any) -> AtlasPing:
    read = read_ping(item, Tally())
    assert isinstance(read, AtlasPing)
    return read


def wrong(item: Any) -> WrongField:
    with pytest.raises(WrongField) as raised:
        read_ping(item, Tally())
    return raised.value


def test_the_least_answer_counts() -> None:
    assert ping(result(19.725885, 19.315099, 19.422504)) == AtlasPing(
        probe=PROBE,
        target=TARGET,
        target_name=TARGET,
        measured_at_s=AT_S,
        round_trip_ns=19_315_099,
        samples=3,
        synced_s=17,
    )


def test_duplicates_errors_timeouts_and_zeros_never_count() -> None:
    tally = Tally()
    answers = [
        {"rtt": 0.5, "dup": 1},
        {"rtt": 0.5, "error": "host unreachable"},
        {"rtt": 0.0},
        {"rtt": -3},
        {"x": "*", "srcaddr": "192.0.2.9"},
        {"error": "network unreachable"},
        {"rtt": 20.5, "ttl": 54, "src_addr": "192.0.2.9"},
    ]
    read = read_ping(result(result=answers), tally)
    assert isinstance(read, AtlasPing)
    assert (read.round_trip_ns, read.samples) == (20_500_000, 1)
    assert tally.counts == {
        Reason.DUPLICATE_REPLY: 1,
        Reason.ERROR_REPLY: 2,
        Reason.NOT_POSITIVE: 2,
        Reason.TIMEOUT: 1,
    }


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([], Reason.NO_REPLY),
        ([{"x": "*"}, {"x": "*"}], Reason.NO_REPLY),
        ([{"x": "*"}, {"error": "network unreachable"}], Reason.ERROR_ONLY),
        ([{"x": "*"}, {"rtt": 27.768, "dup": 1}], Reason.NO_USABLE_REPLY),
        ([{"rtt": 0}], Reason.NO_USABLE_REPLY),
    ],
)
def test_a_result_without_an_answer_that_counts_says_why(answers: list[Any], reason: Reason) -> None:
    assert read_ping(result(result=answers), Tally()) is reason


@pytest.mark.parametrize(
    "item",
    [
        result(1.0, type="traceroute"),
        result(1.0, type="dns"),
        ["atlas_subscribed", {"streamType": "result"}],
        ["atlas_probestatus", {}],
        oldest_result(sent=None, rcvd=None, result="traceroute to ..."),
    ],
)
def test_what_is_no_ping_is_told_apart(item: Any) -> None:
    assert read_ping(item, Tally()) is Reason.OTHER_KIND


def test_a_target_that_could_not_be_resolved_is_told_apart() -> None:
    answers = [{"error": "dns resolution failed: non-recoverable failure in name resolution"}]
    assert read_ping(result(dst_addr=None, result=answers), Tally()) is Reason.UNRESOLVED


def test_a_message_of_the_stream_holds_a_result() -> None:
    assert ping(["atlas_result", result(1.5)]) == ping(result(1.5))


def test_the_oldest_results_tell_their_least_answer_and_no_other() -> None:
    tally = Tally()
    read = read_ping(oldest_result(sent=5), tally)
    assert isinstance(read, AtlasPing)
    assert (read.target, read.target_name) == (TARGET, "target.example")
    assert (read.round_trip_ns, read.samples, read.synced_s) == (19_938_000, 3, None)
    assert tally.counts == {Reason.TIMEOUT: 2}
    assert read_ping(oldest_result(rcvd=0, min=-1), Tally()) is Reason.NO_REPLY
    assert read_ping(oldest_result(min=0), Tally()) is Reason.NO_USABLE_REPLY


def test_firmware_4400_has_its_target_in_addr_and_need_not_say_its_type() -> None:
    item = result(5.25, fw=4430, addr="2001:DB8::0:1", dst_addr=None, dst_name=None, type=None, msm_name=None)
    assert ping(item).target == "2001:db8::1"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"prb_id": "6771"}, "prb_id"),
        ({"prb_id": True}, "prb_id"),
        ({"prb_id": 0}, "prb_id"),
        ({"prb_id": 6771.9}, "prb_id"),
        ({"prb_id": None}, "prb_id"),
        ({"timestamp": None}, "timestamp"),
        ({"timestamp": -1}, "timestamp"),
        ({"timestamp": AT_S * 1000}, "timestamp"),
        ({"fw": None}, "fw"),
        ({"fw": 0}, "fw"),
        ({"fw": "new"}, "fw"),
        ({"lts": "lately"}, "lts"),
        ({"type": 4}, "type"),
        ({"type": None, "msm_name": None}, "type"),
        ({"dst_addr": "198.51.100.256"}, "dst_addr"),
        ({"dst_addr": "198.51.100.07"}, "dst_addr"),
        ({"dst_addr": ["198.51.100.7"]}, "dst_addr"),
        ({"dst_addr": None}, "dst_addr"),
        ({"result": None}, "result"),
        ({"result": {"rtt": 1}}, "result"),
        ({"result": [{"rtt": 1.0}, 7]}, "result[1]"),
        ({"result": [{"rtt": 1.0}, {"ttl": 7}]}, "result[1]"),
        ({"result": [{"rtt": 1.0}, {"rtt": "1.0"}]}, "result[1].rtt"),
        ({"result": [{"rtt": 1.0}, {"rtt": None}]}, "result[1].rtt"),
        ({"result": [{"rtt": 1.0}, {"rtt": False}]}, "result[1].rtt"),
        ({"result": [{"rtt": 1.0}, {"rtt": 3_600_000.5}]}, "result[1].rtt"),
        ({"result": [{"rtt": math.inf}]}, "result[0].rtt"),
        ({"result": [{"rtt": 10**400}]}, "result[0].rtt"),
    ],
)
def test_a_field_that_is_not_as_the_format_says_is_named(changes: dict[str, Any], field: str) -> None:
    assert wrong(result(1.0, **changes)).field == field


@pytest.mark.parametrize("item", [None, 7, "text", [], [1, 2], ["atlas_result", None], ["atlas_result", []]])
def test_what_is_no_object_is_malformed(item: Any) -> None:
    assert wrong(item).field is None


def test_a_negative_number_of_any_length_is_not_positive() -> None:
    assert read_ping(result(result=[{"rtt": -(10**400)}]), Tally()) is Reason.NO_USABLE_REPLY


@given(st.floats(min_value=1e-9, max_value=3_600_000, allow_subnormal=False))
def test_a_round_trip_is_never_rounded_down_nor_up_by_a_whole_nanosecond(ms: float) -> None:
    ns = nanoseconds(ms)
    untold = Fraction(math.ulp(ms)) * 10**6  # what a double of milliseconds cannot tell apart
    assert Fraction(ms) * 10**6 - untold <= ns < Fraction(ms) * 10**6 + 1 + untold
    assert ns >= 1


@given(st.integers(1, 3_600_000_000_000))
def test_a_number_of_nanoseconds_written_in_milliseconds_comes_back(ns: int) -> None:
    assert nanoseconds(json.loads(f"{ns // 10**6}.{ns % 10**6:06d}")) == ns


@given(st.ip_addresses() | st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){3}", fullmatch=True) | st.text())
def test_addresses_are_those_of_the_standard_library(text: Any) -> None:
    try:
        expected = str(ipaddress.ip_address(str(text)))
    except ValueError:
        expected = None
    read = address(str(text))
    assert read == expected or (read is None and expected is not None and "%" in expected)


def _random_result(dice: random.Random) -> dict[str, Any]:
    answers: list[dict[str, Any]] = []
    for _ in range(dice.randrange(5)):
        kind = dice.randrange(6)
        if kind == 0:
            answers.append({"x": "*"})
        elif kind == 1:
            answers.append({"error": "network unreachable"})
        else:
            answers.append({"rtt": round(dice.lognormvariate(3, 2), 6)} | ({"dup": 1} if kind == 2 else {}))
    item = result(result=answers, prb_id=dice.randrange(1, 99_999), timestamp=AT_S + dice.randrange(10**6))
    item["lts"] = dice.choice([-1, 0, 300])
    family = dice.choice(["198.51.100.{}", "2001:db8::{}"])
    item["dst_addr"] = family.format(dice.randrange(1, 255))
    if dice.random() < 0.2:
        item |= {"fw": 4500, "addr": item["dst_addr"], "name": item["dst_name"]}
    return item


def test_results_say_what_sagan_reads_in_them() -> None:
    dice = random.Random(20)
    usable = 0
    for _ in range(3000):
        item = _random_result(dice)
        theirs = PingResult(json.dumps(item))
        counting = [p.rtt for p in theirs.packets if p.rtt is not None and p.rtt > 0 and not p.dup]
        ours = read_ping(item, Tally())
        if isinstance(ours, Reason):
            assert counting == [], item
            continue
        usable += 1
        assert ours.probe == theirs.probe_id
        assert ours.target == theirs.destination_address
        assert ours.target_name == theirs.destination_name
        assert ours.measured_at_s == theirs.created_timestamp
        assert ours.synced_s == theirs.seconds_since_sync
        assert ours.samples == len(counting)
        # They round to microseconds, down as well as up; we do not.
        assert abs(ours.round_trip_ns - min(counting) * 10**6) <= 500 + 1
    assert usable > 1000


def test_the_oldest_results_say_what_sagan_reads_in_them() -> None:
    for firmware in (1, 4400, 4459):
        item = oldest_result(fw=firmware, type="ping")
        theirs, ours = PingResult(json.dumps(item)), ping(item)
        assert ours.target == theirs.destination_address
        assert ours.samples == theirs.packets_received
        assert ours.round_trip_ns == nanoseconds(theirs.rtt_min)


def test_sagan_would_have_rounded_a_round_trip_down() -> None:
    """The reason why bounds do not come from there: half a microsecond is 75 m."""
    item = result(12.000499)
    assert PingResult(json.dumps(item)).packets[0].rtt == 12.0
    assert ping(item).round_trip_ns == 12_000_499
