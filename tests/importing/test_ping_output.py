"""Lines of ping and fping: which answers count, which do not and why, and which lines are not theirs."""

from pathlib import Path

import pytest

from lightbound.files.importing.dropped import Reason, Tally
from lightbound.files.importing.ping_output import PingOutput
from lightbound.files.importing.replies import Reply
from lightbound.files.importing.sources import opened

HEADER = "PING target.example (198.51.100.7) 56(84) bytes of data.\n"
ANSWER = "64 bytes from 198.51.100.7: icmp_seq=1 ttl=55 time=12.3 ms"
NS = 12_350_000
TARGET = "target:198.51.100.7"


@pytest.fixture
def read(tmp_path: Path) -> "Read":
    return Read(tmp_path / "output")


class Read:
    """Reads what a tool is said to have printed."""

    def __init__(self, path: Path) -> None:
        """It is said in this file."""
        self._path = path

    def __call__(self, text: str, *, chip: str | None = None, at_ns: int | None = None) -> tuple[list[Reply], Tally]:
        self._path.write_text(text, encoding="utf-8")
        tally = Tally()
        with opened(self._path, tally) as source:
            output = PingOutput(tally, landmark="here", chip=chip, untimed_at_ns=at_ns)
            return list(output.replies(source)), tally

    def one(self, text: str) -> Reply:
        (reply,), tally = self(text)
        assert tally.counts == {}
        return reply


@pytest.mark.parametrize(
    "header",
    [
        "PING 198.51.100.7 (198.51.100.7) 56(84) bytes of data.",
        "PING target.example (198.51.100.7) from 192.0.2.9 : 56(84) bytes of data.",
        "PING target.example (198.51.100.7) from 192.0.2.9 eth0: 56(84) bytes of data.",
        "PING 198.51.100.7 (198.51.100.7): 56 data bytes",
    ],
)
def test_answers_are_of_the_target_in_the_header(read: Read, header: str) -> None:
    assert read.one(f"{header}\n{ANSWER}\n") == Reply("here", TARGET, NS, None)


@pytest.mark.parametrize(
    ("header", "source"),
    [
        ("PING 2001:db8::7(2001:db8::7) 56 data bytes", "2001:db8::7"),
        ("PING 2001:db8::7 (2001:db8::7) 56 data bytes", "2001:DB8:0::7"),
        ("PING target.example(other.example (2001:db8::7)) 56 data bytes", "other.example (2001:db8::7)"),
        ("PING target.example(other.example (2001:db8::7)) from 2001:db8::9 eth0: 56 data bytes", "x (2001:db8::7)"),
    ],
)
def test_ipv6_answers_are_of_the_target_in_the_header(read: Read, header: str, source: str) -> None:
    reply = read.one(f"{header}\n64 bytes from {source}: icmp_seq=1 ttl=55 time=12.3 ms\n")
    assert reply == Reply("here", "target:2001:db8::7", NS, None)


@pytest.mark.parametrize(
    ("line", "ns", "at_ns"),
    [
        (ANSWER, NS, None),
        (ANSWER.replace("icmp_seq", "seq"), NS, None),
        (ANSWER.replace(" ttl=55", " ident=31 ttl=55"), NS, None),
        (ANSWER.replace("198.51.100.7", "target.example (198.51.100.7)"), NS, None),
        (ANSWER.replace("time=12.3", "time<1"), 1_000_000, None),
        (ANSWER.replace("12.3", "145"), 145_500_000, None),
        (ANSWER.replace("12.3", "0.043"), 43_500, None),
        (f"[1772366400.530316] {ANSWER}", NS, 1_772_366_400_530_316_000),
        (f"{ANSWER}\r", NS, None),
    ],
)
def test_an_answer_says_its_round_trip_and_its_time(read: Read, line: str, ns: int, at_ns: int | None) -> None:
    assert read.one(f"{HEADER}{line}\n") == Reply("here", TARGET, ns, at_ns)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (f"{ANSWER} (DUP!)", Reason.DUPLICATE_REPLY),
        (f"{ANSWER} (DUP!) (DIFFERENT ADDRESS!)", Reason.DUPLICATE_REPLY),
        (f"{ANSWER} (BAD CHECKSUM!)", Reason.DAMAGED_REPLY),
        (f"{ANSWER} (DIFFERENT ADDRESS!)", Reason.OTHER_SOURCE),
        (ANSWER.replace("198.51.100.7", "198.51.100.8"), Reason.OTHER_SOURCE),
        (ANSWER.replace("time=12.3 ms", "(truncated)"), Reason.DAMAGED_REPLY),
        (ANSWER.replace(" time=12.3 ms", ""), Reason.NO_DURATION),
        (ANSWER.replace("12.3", "0.000"), Reason.NOT_POSITIVE),
        (ANSWER.replace("12.3", "-5.1"), Reason.NOT_POSITIVE),
        (
            f"{ANSWER}\nwrong data byte #16 should be 0x10 but was 0x0\n#16\t0 0 0 0 \n#48\t30 31 ",
            Reason.DAMAGED_REPLY,
        ),
        ("From 192.0.2.1 icmp_seq=1 Destination Host Unreachable", Reason.ERROR_REPLY),
        ("[1772366400.530316] From 192.0.2.1 icmp_seq=1 Time to live exceeded", Reason.ERROR_REPLY),
        ("From gw.example (192.0.2.1): icmp_seq=1 Redirect Host(New nexthop: 192.0.2.2)", Reason.ERROR_REPLY),
        ("ping: target.example: Name or service not known", Reason.UNRESOLVED),
        ("ping: unknown host target.example", Reason.UNRESOLVED),
    ],
)
def test_an_answer_that_does_not_count_says_why(read: Read, lines: str, reason: Reason) -> None:
    replies, tally = read(f"{HEADER}{lines}\n")
    assert (replies, tally.counts) == ([], {reason: 1})


def test_wrong_data_spoils_the_answer_before_it_and_no_other(read: Read) -> None:
    slower = ANSWER.replace("12.3", "20.0")
    replies, tally = read(f"{HEADER}{slower}\n{ANSWER}\nwrong data byte #16 should be 0x10 but was 0x0\n{slower}\n")
    assert [reply.round_trip_ns for reply in replies] == [20_050_000] * 2
    assert tally.counts == {Reason.DAMAGED_REPLY: 1}


def test_notices_are_no_answers_and_not_malformed(read: Read) -> None:
    reply = read.one(
        f"ai->ai_family: AF_INET, ai->ai_canonname: 'target.example'\n{HEADER}{ANSWER}\n"
        "RR: \t192.0.2.9\n\t198.51.100.7\nno answer yet for icmp_seq=2\n[1772366400.5] no answer yet for icmp_seq=3\n"
        "ping: sendmsg: Network is unreachable\nWarning: time of day goes back (-36us), taking countermeasures\n"
        "2/3 packets, 33% loss, min/avg/ewma/max = 0.1/0.2/0.3/0.4 ms\n^C\n"
        "--- target.example ping statistics ---\n1 packets transmitted, 1 received, 0% packet loss, time 0ms\n"
        "rtt min/avg/max/mdev = 12.300/12.300/12.300/0.000 ms, pipe 2, ipg/ewma 0.1/0.2 ms\n"
    )
    assert reply.samples == 1


def test_a_quiet_run_gives_its_least_and_how_many_answered(read: Read) -> None:
    replies, tally = read(
        f"{HEADER}\n--- target.example ping statistics ---\n"
        "5 packets transmitted, 3 received, +1 duplicates, +1 errors, 40% packet loss, time 4005ms\n"
        "rtt min/avg/max/mdev = 12.345/13.000/14.000/0.297 ms\n"
    )
    assert replies == [Reply("here", TARGET, 12_345_500, None, 3)]
    assert tally.counts == {Reason.TIMEOUT: 1, Reason.DUPLICATE_REPLY: 1}


def test_what_was_lost_is_counted_from_the_statistics(read: Read) -> None:
    replies, tally = read(
        f"{HEADER}{ANSWER}\n\n--- target.example ping statistics ---\n"
        "3 packets transmitted, 1 received, 66.6667% packet loss, time 2025ms\n"
        "rtt min/avg/max/mdev = 12.300/12.300/12.300/0.000 ms\n"
        f"{HEADER}\n--- target.example ping statistics ---\n"
        "2 packets transmitted, 0 received, 100% packet loss, time 1025ms\n\n"
    )
    assert len(replies) == 1
    assert tally.counts == {Reason.TIMEOUT: 4}


def test_several_runs_in_one_file_keep_their_targets_apart(read: Read) -> None:
    other = HEADER.replace("198.51.100.7", "203.0.113.5")
    replies, _ = read(f"{HEADER}{ANSWER}\n{other}{ANSWER.replace('198.51.100.7', '203.0.113.5')}\n")
    assert [reply.chip_id for reply in replies] == [TARGET, "target:203.0.113.5"]


@pytest.mark.parametrize(
    "line",
    [
        "64 octets de 198.51.100.7 : icmp_seq=1 ttl=55 temps=12.3 ms",
        ANSWER.replace("ms", "s"),
        ANSWER.replace("12.3", "twelve"),
        f"{ANSWER} and more",
        f"x{ANSWER}",
        ANSWER.replace("12.3", "9999999"),
        "PING target.example",
        "rtt min/avg/max/mdev = 12.3 ms",
        "198.51.100.7",
        "\x00\x01",
    ],
)
def test_any_other_line_is_malformed_and_located(read: Read, line: str) -> None:
    replies, tally = read(f"{HEADER}{ANSWER}\n{line}\n{ANSWER}\n")
    assert len(replies) == 2
    assert tally.counts == {Reason.MALFORMED: 1}
    assert tally.examples[0].where.line == 3


def test_a_quiet_run_without_its_header_says_nothing_about_any_target(read: Read) -> None:
    text = "3 packets transmitted, 3 received, 0% packet loss, time 4ms\nrtt min/avg/max/mdev = 1.0/1.0/1.0/0.0 ms\n"
    assert read(text)[1].counts == {Reason.MALFORMED: 1}
    assert read(text, chip="c")[0] == [Reply("here", "c", 1_050_000, None, 3)]


def test_the_chip_and_the_time_can_be_given(read: Read) -> None:
    replies, _ = read(f"{HEADER}{ANSWER}\n[5.0] {ANSWER}\n", chip="chip-7", at_ns=9)
    assert [(reply.chip_id, reply.measured_at_ns) for reply in replies] == [("chip-7", 9), ("chip-7", 5 * 10**9)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1 : [0], 64 bytes, 0.033 ms (0.033 avg, 0% loss)", ("192.0.2.1", 33_500, None, 1)),
        ("2001:db8::1       : [0], 64 bytes, 5.04 ms (5.04 avg, 0% loss)", ("2001:db8::1", 5_045_000, None, 1)),
        ("[1772366400.04841] 192.0.2.1 : [9], 64 bytes, 12.3 ms (8.47 avg, 60% loss)",
         ("192.0.2.1", NS, 1_772_366_400_048_410_000, 1)),
        ("h.example (192.0.2.1) : [0], 64 bytes, 145 ms (145 avg, 0% loss)", ("192.0.2.1", 145_500_000, None, 1)),
        ("192.0.2.1 : [0], 64 bytes, 0.033 ms (0.033 avg, 0% loss) (TOS 0) (TTL 64)", ("192.0.2.1", 33_500, None, 1)),
        ("h.example : [0], 64 bytes, 1.23e+03 ms (1.23e+03 avg, 0% loss)", ("h.example", 1_235_000_000, None, 1)),
        ("192.0.2.1 is alive (0.024 ms)", ("192.0.2.1", 24_500, None, 1)),
        ("192.0.2.1 : 0.015", ("192.0.2.1", 15_500, None, 1)),
        ("192.0.2.1 : xmt/rcv/%loss = 3/3/0%, min/avg/max = 0.016/0.037/0.048", ("192.0.2.1", 16_500, None, 3)),
        ("192.0.2.1 : xmt/rcv/%loss = 3/3/0%, outage(ms) = 0, min/avg/max = 0.016/0.037/0.048",
         ("192.0.2.1", 16_500, None, 3)),
    ],
)  # fmt: skip
def test_fping_says_the_round_trip_of_each_target(
    read: Read, text: str, expected: tuple[str, int, int | None, int]
) -> None:
    target, *rest = expected
    assert read.one(f"{text}\n") == ("here", f"target:{target}", *rest)


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("192.0.2.1 : [0], timed out (NaN avg, 100% loss)", {Reason.TIMEOUT: 1}),
        ("192.0.2.1 : [4], timed out (8.47 avg, 60% loss)", {Reason.TIMEOUT: 1}),
        ("192.0.2.1 : - - -", {Reason.TIMEOUT: 3}),
        ("192.0.2.1 : xmt/rcv/%loss = 3/0/100%", {Reason.TIMEOUT: 3}),
        ("192.0.2.1 is unreachable", {Reason.NO_REPLY: 1}),
        ("192.0.2.1 is alive", {Reason.NO_DURATION: 1}),
        ("192.0.2.1 : duplicate for [0], 64 bytes, 0.05 ms", {Reason.DUPLICATE_REPLY: 1}),
        ("192.0.2.1 : [0], 64 bytes, 0.05 ms (0.05 avg, 0% loss) [<- 192.0.2.2]", {Reason.OTHER_SOURCE: 1}),
        ("192.0.2.1 : [0], 64 bytes, -0.05 ms (0.05 avg, 0% loss)", {Reason.NOT_POSITIVE: 1}),
        ("ICMP Host Unreachable from 192.0.2.9 for ICMP Echo sent to 192.0.2.1", {Reason.ERROR_REPLY: 1}),
        ("h.example: Name or service not known", {Reason.UNRESOLVED: 1}),
        ("h.example address not found", {Reason.UNRESOLVED: 1}),
    ],
)
def test_an_answer_of_fping_that_does_not_count_says_why(read: Read, text: str, counts: dict[Reason, int]) -> None:
    replies, tally = read(f"{text}\n")
    assert (replies, tally.counts) == ([], counts)


def test_a_summary_of_fping_repeats_the_answers_above_it(read: Read) -> None:
    lines = "".join(f"192.0.2.1 : [{n}], 64 bytes, {n + 1}.5 ms (2.0 avg, 0% loss)\n" for n in range(2))
    for summary in ("192.0.2.1 : 1.50 2.50", "192.0.2.1 : xmt/rcv/%loss = 2/2/0%, min/avg/max = 1.50/2.00/2.50"):
        replies, tally = read(f"{lines}\n{summary}\n")
        assert [reply.round_trip_ns for reply in replies] == [1_550_000, 2_550_000]
        assert tally.counts == {}


def test_a_target_that_fping_was_given_twice_has_two_summaries(read: Read) -> None:
    lines = "".join(f"a (192.0.2.1) : [{n}], 64 bytes, 1.5 ms (1.5 avg, 0% loss)\n" * 2 for n in range(2))
    replies, _ = read(lines + "\n" + "a (192.0.2.1) : 1.5 1.5\n" * 2)
    assert len(replies) == 4


def test_the_statistics_of_fping_are_no_answers(read: Read) -> None:
    read.one(
        "192.0.2.1 : 1.5\n\n       1 targets\n       1 alive\n       0 unreachable\n       0 unknown addresses\n\n"
        "       0 timeouts (waiting for response)\n       1 ICMP Echos sent\n       1 ICMP Echo Replies received\n"
        "       0 other ICMP received\n\n 0.022 ms (min round trip time)\n 0.178 ms (avg round trip time)\n"
        "        0.081 sec (elapsed real time)\n[13:45:10]\n"
    )
