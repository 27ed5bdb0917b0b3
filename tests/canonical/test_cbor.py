"""Every value has one encoding, and any other bytes are refused without being believed or costing much."""

import contextlib
import resource
import subprocess
import sys
from typing import Final

import cbor2
import pytest

from lightbound.canonical.cbor import MOST_BYTES, MOST_DEPTH, Value, decode, encode
from lightbound.errors import MOST_TOLD, ErrorCode, Malformed, malformed

MALFORMED, NOT_DETERMINISTIC = ErrorCode.CBOR_MALFORMED, ErrorCode.CBOR_NOT_DETERMINISTIC


def refused(data: bytes) -> ErrorCode:
    with pytest.raises(Malformed) as caught:
        decode(data, what="it")
    (fault,) = caught.value.faults
    assert fault.column is not None
    assert fault.column.startswith("it")
    return fault.code


# The examples of RFC 8949, appendix A, that are of our types.
@pytest.mark.parametrize(
    ("hexadecimal", "value"),
    [
        ("00", 0),
        ("17", 23),
        ("1818", 24),
        ("1903e8", 1000),
        ("1a000f4240", 1_000_000),
        ("1bffffffffffffffff", 2**64 - 1),
        ("20", -1),
        ("3903e7", -1000),
        ("3b7fffffffffffffff", -(2**63)),
        ("40", b""),
        ("4401020304", b"\x01\x02\x03\x04"),
        ("60", ""),
        ("62c3bc", "\u00fc"),
        ("64f0908591", "\U00010151"),
        ("80", []),
        ("8301820203820405", [1, [2, 3], [4, 5]]),
        ("a0", {}),
        ("a201020304", {1: 2, 3: 4}),
        ("a26161016162820203", {"a": 1, "b": [2, 3]}),
        ("f4", False),
        ("f5", True),
        ("f6", None),
    ],
)
def test_an_example_of_the_rfc_has_the_encoding_of_the_rfc(hexadecimal: str, value: Value) -> None:
    assert encode(value).hex() == hexadecimal
    assert decode(bytes.fromhex(hexadecimal), what="it") == value


@pytest.mark.parametrize(
    ("hexadecimal", "why"),
    [
        ("1817", "an integer in two bytes that fits into one"),
        ("190018", "an integer in three bytes that fits into two"),
        ("1a0000ffff", "an integer in five bytes that fits into three"),
        ("1b00000000ffffffff", "an integer in nine bytes that fits into five"),
        ("3800", "a negative integer in two bytes that fits into one"),
        ("5800", "a length in two bytes that fits into one"),
        ("7800", "a length of a text in two bytes"),
        ("9800", "a length of an array in two bytes"),
        ("b800", "a length of a map in two bytes"),
        ("a2616201616102", "keys in another order"),
        ("a262616101616202", "a longer key first"),
        ("a22000181800", "-1 before 24, in the order by length first (RFC 8949, 4.2.3)"),
        ("a2600019010000", "a text before an integer, by length first"),
        ("0000", "bytes after the end"),
        ("a0ff", "a break after the end"),
    ],
)
def test_another_encoding_of_a_value_is_refused(hexadecimal: str, why: str) -> None:
    assert refused(bytes.fromhex(hexadecimal)) is NOT_DETERMINISTIC, why


@pytest.mark.parametrize(
    ("hexadecimal", "why"),
    [
        ("", "nothing"),
        ("18", "a head cut short"),
        ("1c", "a reserved length"),
        ("62c3", "a text cut short"),
        ("f90000", "a half float"),
        ("fa00000000", "a float"),
        ("fb0000000000000000", "a double"),
        ("f97e00", "not a number"),
        ("f7", "undefined"),
        ("e0", "a simple value"),
        ("f8ff", "another simple value"),
        ("9fff", "an array of indefinite length"),
        ("bfff", "a map of indefinite length"),
        ("5f4100ff", "a byte string of indefinite length"),
        ("7f6161ff", "a text of indefinite length"),
        ("ff", "a break"),
        ("c001", "a tag for a date"),
        ("c11a514b67b0", "a tag for seconds"),
        ("c249010000000000000000", "a tag for a large integer"),
        ("c4821b00000000ffffffff01", "a tag for a decimal fraction with a large exponent"),
        ("d81c80", "a tag for sharing"),
        ("d9010280", "a tag for a set"),
        ("d9d9f700", "a tag that says nothing"),
        ("d903ec6a323032362d30312d3031", "a tag for a day"),
        ("dbffffffffffffffff00", "the largest tag"),
        ("3b8000000000000000", "an integer below 64 bits"),
        ("3bffffffffffffffff", "the least integer that CBOR has"),
        ("61ff", "a text that is not UTF-8"),
        ("63eda080", "half of a surrogate pair"),
        ("a200000001", "a key twice"),
        ("a2616100616101", "a text as key twice"),
        ("a1f600", "null as key"),
        ("a1f500", "true as key"),
        ("a1410000", "bytes as key"),
        ("a1800000", "an array as key"),
        ("a1a00000", "a map as key"),
        ("a1f97e0000", "not a number as key"),
        ("81f90000", "a float inside"),
        ("a16161f7", "undefined inside"),
    ],
)
def test_what_no_statement_holds_is_refused(hexadecimal: str, why: str) -> None:
    assert refused(bytes.fromhex(hexadecimal)) is MALFORMED, why


def test_containers_may_stand_in_one_another_to_a_stated_depth() -> None:
    deepest: Value = 0
    for _ in range(MOST_DEPTH):
        deepest = [deepest]
    assert decode(encode(deepest), what="it") == deepest
    assert refused(encode([deepest])) is MALFORMED


def test_bytes_beyond_the_limit_are_refused_unread() -> None:
    longest = encode(bytes(MOST_BYTES - 3))
    assert len(longest) == MOST_BYTES
    assert decode(longest, what="it") == bytes(MOST_BYTES - 3)
    assert refused(bytes(MOST_BYTES + 1)) is MALFORMED
    assert decode(encode(bytes(MOST_BYTES)), what="it", most_bytes=2 * MOST_BYTES) == bytes(MOST_BYTES)


def test_tuples_are_written_as_arrays_and_read_as_lists() -> None:
    assert encode((1, (2,))) == encode([1, [2]])
    assert decode(encode((1, (2,))), what="it") == [1, [2]]


def test_the_order_of_a_map_in_memory_does_not_show() -> None:
    one: Value = {"b": [1, ({-1: 0, 24: 0},)], "a": {-1: 0, 24: 0, -65_537: 0, 4: 0}, "": 2}
    other: Value = {"": 2, "a": {4: 0, -65_537: 0, 24: 0, -1: 0}, "b": [1, ({24: 0, -1: 0},)]}
    assert encode(one) == encode(other)
    assert encode([{-1: 0, 24: 0}]) == encode(({24: 0, -1: 0},)) == bytes.fromhex("81a21818002000")
    assert list(cbor2.loads(encode(one))["a"]) == [4, 24, -1, -65_537]


def test_an_error_names_the_place() -> None:
    with pytest.raises(Malformed) as caught:
        decode(cbor2.dumps({"a": [0, {"b": 1.5}]}), what="session")
    assert caught.value.faults[0].column == "session.a[1].b"
    assert str(caught.value) == (
        "expected an integer, string, array, map, true, false or null, found float at column session.a[1].b"
    )


def test_an_error_is_short_and_printable_whatever_a_stranger_wrote() -> None:
    with pytest.raises(Malformed) as caught:
        decode(cbor2.dumps({"\x1b[2J" + "k" * 50_000: 1.5}), what="it")
    (fault,) = caught.value.faults
    assert fault.column is not None
    assert len(fault.column) <= MOST_TOLD
    assert fault.column.isprintable()
    assert len(str(malformed(MALFORMED, "a", "\n" * 1000, "b" * 1000))) < 300


HUGE: Final = [
    *(head + "ffffffff" for head in ("9a", "ba", "5a", "7a")),
    *(head + "7fffffffffffffff" for head in ("9b", "bb", "5b", "7b")),
    *(head + "ffffffffffffffff" for head in ("9b", "bb", "5b", "7b")),
    "81" * 7 + "9b00000000ffffffff",
    "9b00000000ffffffff" * 8,
    "c24a" + "ff" * 10,
    "c482" + "1b7fffffffffffffff" + "01",
]


def test_a_huge_length_allocates_nothing() -> None:
    """In a process of its own, whose memory is capped: a decoder that believed a length would die of it."""
    script = (
        "import resource, sys\n"
        "from lightbound.canonical.cbor import decode\n"
        "from lightbound.errors import Malformed\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))\n"
        "for line in sys.stdin.read().split():\n"
        "    for tail in (b'', bytes(1000)):\n"
        "        try:\n"
        "            decode(bytes.fromhex(line) + tail, what='it')\n"
        "        except Malformed as error:\n"
        "            assert not isinstance(error.__cause__, MemoryError), line\n"
        "        else:\n"
        "            raise SystemExit(line)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input="\n".join(HUGE), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 16_384  # kB


def test_the_worst_bytes_of_a_statements_length_are_read_in_a_moment() -> None:
    worst = [
        b"\x99\xff\xf0" + b"\x80" * 65_520,
        b"\x99\xff\xf0" + b"\xa0" * 65_520,
        encode({"k" * 30_000: [0] * 30_000}),
        encode({"k" * 10_000: {"j" * 10_000: {"l" * 10_000: [0] * 30_000}}}),
        b"\x81" * MOST_BYTES,
        b"\xc1" * MOST_BYTES,
        b"\xa1" * MOST_BYTES,
        encode({"a" * 2 + f"{number:06}": number for number in range(5_000)}),
    ]
    before = resource.getrusage(resource.RUSAGE_SELF)
    for data in worst:
        with contextlib.suppress(Malformed):
            decode(data, what="it")
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert after.ru_utime - before.ru_utime < 2.0
    assert after.ru_maxrss - before.ru_maxrss < 65_536  # kB
