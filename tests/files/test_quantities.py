"""Numbers as written: exact, rounded up, and the same from text and from Parquet."""

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction

import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from lightbound.files.batches import Batch
from lightbound.files.faults import Faults
from lightbound.files.quantities import decimals, instants, milliseconds, whole_numbers
from lightbound.units import LONGEST_ROUND_TRIP_NS


def batch_of(*values: object, kind: object = None) -> Batch:
    return Batch(columns={"x": pa.array(values, kind)}, lines=range(2, 2 + len(values)))


def told(text: str) -> int | None:
    """Nanoseconds of a text of milliseconds by plain fractions, None where it must be refused."""
    ns = math.ceil(Fraction(text) * 1_000_000)
    return ns if 1 <= ns <= LONGEST_ROUND_TRIP_NS else None


DIGITS = st.text(alphabet="0123456789", min_size=1, max_size=9)
FRACTIONS = st.text(alphabet="0123456789", max_size=30) | st.text(alphabet="09", max_size=30)
TEXTS = st.builds(
    lambda whole, fraction, exponent: whole + (f".{fraction}" if fraction else "") + exponent,
    DIGITS,
    FRACTIONS,
    st.just("") | st.integers(-40, 8).map(lambda power: f"e{power}"),
)


@given(st.lists(TEXTS, min_size=1, max_size=20))
@example(["288.389", "0.0000001", "1.0000000000000000001", "12.345678000000000000000", "3600000.0000000000001"])
@example(["0.1", "0.2", "0.3", "1e-30", "1e-40", "3599999.9999999999"])
@example(["5.000000000000000000001", "4.999999999999999999999", "2.000001999999999999999999"])
def test_milliseconds_of_text_are_rounded_up_exactly(texts: list[str]) -> None:
    faults = Faults("f")
    found = milliseconds(batch_of(*texts), "x", faults).tolist()
    expected = [told(text) for text in texts]
    assert [ns for ns, right in zip(found, expected, strict=True) if right is not None] == [
        right for right in expected if right is not None
    ]
    assert bool(faults) == (None in expected)


@given(st.lists(st.floats(min_value=5e-324, max_value=3_600_000), min_size=1, max_size=20))
@example([288.389, 0.1, 0.3, 1e-9, 5e-324, 3_600_000.0, 123.456789, 0.1 + 0.2])
def test_a_double_of_parquet_counts_as_its_shortest_decimal(values: list[float]) -> None:
    faults = Faults("f")
    by_double = milliseconds(batch_of(*values, kind=pa.float64()), "x", faults).tolist()
    assert not faults
    assert by_double == [told(repr(value)) for value in values]


@given(st.integers(0, 4_000_000))
def test_whole_milliseconds_of_parquet_are_exact(value: int) -> None:
    faults = Faults("f")
    (ns,) = milliseconds(batch_of(value, kind=pa.int32()), "x", faults).tolist()
    assert bool(faults) == (told(str(value)) is None)
    assert faults or ns == value * 1_000_000


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20), st.integers(0, 5), st.integers(6, 10**18 - 1)
)
def test_whole_numbers_of_text_and_of_parquet_are_the_same(values: list[int], least: int, most: int) -> None:
    by_text, by_type = Faults("f"), Faults("f")
    one = whole_numbers(batch_of(*map(str, values)), "x", by_text, least=least, most=most, of="")
    other = whole_numbers(batch_of(*values, kind=pa.int64()), "x", by_type, least=least, most=most, of="")
    for value, read, typed in zip(values, one.tolist(), other.tolist(), strict=True):
        if least <= value <= most:
            assert read == typed == value
    assert bool(by_text) == bool(by_type) == any(not least <= value <= most for value in values)


@given(st.lists(st.floats(-180, 180), min_size=1, max_size=20))
def test_decimals_of_text_are_the_nearest_doubles(values: list[float]) -> None:
    faults = Faults("f")
    read = decimals(batch_of(*map(repr, values)), "x", faults, least=-180, most=180, of="")
    assert read.tolist() == values
    assert not faults


INSTANTS = st.datetimes(datetime(1971, 1, 1), datetime(2199, 12, 30))  # noqa: DTZ001 - zones are put on in the test


@given(
    INSTANTS,
    st.integers(0, 999_999_999),
    st.sampled_from(["Z", "+00:00", "-00:00", "+05:45", "-12:30", "+23:59", "-23:59"]),
    st.sampled_from("T "),
)
def test_instants_of_text_are_exact_to_the_nanosecond(moment: datetime, ns: int, zone: str, between: str) -> None:
    faults = Faults("f")
    decimals_shown = f".{ns:09d}".rstrip("0").rstrip(".")
    text = f"{moment:%Y-%m-%d}{between}{moment:%H:%M:%S}{decimals_shown}{zone}"
    (read,) = instants(batch_of(text), "x", faults).tolist()
    offset = timedelta() if zone == "Z" else timedelta(hours=int(zone[1:3]), minutes=int(zone[4:]))
    utc = moment.replace(microsecond=0, tzinfo=UTC) - (-offset if zone.startswith("-") else offset)
    assert read == (utc - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1) * 10**9 + ns
    assert not faults


@given(
    st.from_regex(
        r"(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{0,10})?(Z|[+-][0-9]{2}:[0-9]{2})?",
        fullmatch=True,
    )
    | st.text(max_size=30)
)
def test_any_text_is_an_instant_or_reported(text: str) -> None:
    faults = Faults("f")
    read = instants(batch_of(text, "2026-03-01T00:00:00Z"), "x", faults)
    assert read[1] == 1_772_323_200_000_000_000
    if not faults:
        assert text[:4].isdigit()


@given(st.integers(0, 7_258_118_399), st.sampled_from(["s", "ms", "us", "ns"]))
def test_instants_of_parquet_are_exact_in_every_unit(seconds: int, unit: str) -> None:
    per_s = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    faults = Faults("f")
    kind = pa.timestamp(unit, tz="Asia/Shanghai")
    (read,) = instants(batch_of(seconds * per_s + per_s - 1, kind=kind), "x", faults).tolist()
    assert read == (seconds * per_s + per_s - 1) * (10**9 // per_s)
    assert not faults


@given(st.text(max_size=20))
def test_any_text_is_a_number_or_reported(text: str) -> None:
    for read in (
        lambda faults: milliseconds(batch_of(text), "x", faults),
        lambda faults: whole_numbers(batch_of(text), "x", faults, least=0, most=10**12, of=""),
        lambda faults: decimals(batch_of(text), "x", faults, least=-180, most=180, of=""),
    ):
        faults = Faults("f")
        (value,) = read(faults).tolist()
        if not faults and text:
            with localcontext(prec=60):
                assert abs(Decimal(text)) <= 10**12
            assert math.isfinite(value)
