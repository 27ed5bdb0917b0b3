"""A printed round trip is imported as no less than what was measured, and the least of a pair is its least."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.files.importing.dropped import Reason, Tally, WrongField
from lightbound.files.importing.measurement_rows import Row
from lightbound.files.importing.replies import NS_PER_MS, Reply, at_most_ns, rows_of


def as_ping_prints(us: int) -> str:
    """How iputils prints whole microseconds: three digits or more, rounded to the nearest."""
    if us >= 99_950:
        return f"{(us + 500) // 1000}"
    if us >= 9_995:
        return f"{(us + 50) // 1000}.{(us + 50) % 1000 // 100}"
    if us >= 1000:
        return f"{(us + 5) // 1000}.{(us + 5) % 1000 // 10:02d}"
    return f"{us // 1000}.{us % 1000:03d}"


def as_fping_prints(ns: int) -> str:
    """How fping prints nanoseconds."""
    ms = ns / NS_PER_MS
    return next(
        (f"{ms:.{decimals}f}" for most, decimals in ((1, 3), (10, 2), (100, 1), (1e6, 0)) if ms < most), f"{ms:.3e}"
    )


@given(st.integers(1, 3_000_000_000))
def test_what_ping_prints_is_never_taken_for_less_than_it_measured(us: int) -> None:
    printed = as_ping_prints(us)
    unit_ns = 10 ** (6 - len(printed.partition(".")[2]))
    read = at_most_ns(printed, ns_per_unit=NS_PER_MS, printed_rounded=True)
    assert read is not None
    assert us * 1000 <= read <= us * 1000 + unit_ns


@given(st.integers(1000, 3_000_000_000_000))
def test_what_fping_prints_is_never_taken_for_less_than_it_measured(ns: int) -> None:
    printed = as_fping_prints(ns)
    read = at_most_ns(printed, ns_per_unit=NS_PER_MS, printed_rounded=True)
    assert read is not None
    assert ns <= read
    assert read <= ns * 1.01 + 1000


@pytest.mark.parametrize(
    ("text", "ns_per_unit", "rounded", "ns"),
    [
        ("145", NS_PER_MS, True, 145_500_000),
        ("12.3", NS_PER_MS, True, 12_350_000),
        ("0.043", NS_PER_MS, True, 43_500),
        ("1.234e+03", NS_PER_MS, True, 1_234_500_000),
        ("0.043", NS_PER_MS, False, 43_000),
        ("288.3890000001", NS_PER_MS, False, 288_389_001),
        ("1e-300", NS_PER_MS, False, 1),
        ("7", 1, False, 7),
        ("7.5", 1000, False, 7500),
    ],
)
def test_a_decimal_number_is_read_exactly_and_rounded_up(text: str, ns_per_unit: int, rounded: bool, ns: int) -> None:  # noqa: FBT001 - a case
    assert at_most_ns(text, ns_per_unit=ns_per_unit, printed_rounded=rounded) == ns


@pytest.mark.parametrize("text", ["0", "0.000", "-1", "-0.0", "-1e999"])
def test_zero_and_less_is_no_round_trip(text: str) -> None:
    assert at_most_ns(text, ns_per_unit=NS_PER_MS, printed_rounded=True) is None


@pytest.mark.parametrize("text", ["3600001", "1e12", "9e999"])
def test_more_than_an_hour_is_a_mistake_of_units(text: str) -> None:
    with pytest.raises(WrongField):
        at_most_ns(text, ns_per_unit=NS_PER_MS, printed_rounded=False)


REPLIES = st.lists(
    st.builds(
        Reply,
        st.sampled_from(["a", "b"]),
        st.sampled_from(["x", "y"]),
        st.integers(1, 1000),
        st.integers(0, 9),
        st.integers(1, 5),
    )
)


@given(REPLIES)
def test_each_pair_gives_one_row_with_its_least_answer_and_all_its_samples(replies: list[Reply]) -> None:
    rows = list(rows_of(replies, Tally(), every=False))
    assert [(row.landmark_id, row.chip_id) for row in rows] == list(dict.fromkeys(reply[:2] for reply in replies))
    for row in rows:
        own = [reply for reply in replies if reply[:2] == row[:2]]
        assert row.round_trip_ns == min(reply.round_trip_ns for reply in own)
        assert row.samples == sum(reply.samples for reply in own)
        assert (row.round_trip_ns, row.measured_at_ns) in [(r.round_trip_ns, r.measured_at_ns) for r in own]


@given(REPLIES)
def test_every_answer_gives_its_own_row_on_request(replies: list[Reply]) -> None:
    assert list(rows_of(replies, Tally(), every=True)) == [Row(*reply) for reply in replies]


def test_answers_without_a_time_are_left_out_of_a_file_that_gives_times() -> None:
    tally = Tally()
    rows = list(rows_of([Reply("a", "x", 9, 5), Reply("a", "x", 3, None, 4)], tally, every=False))
    assert rows == [Row("a", "x", 9, 5, 1)]
    assert tally.counts == {Reason.NO_TIME: 4}


def test_times_are_not_kept_in_a_file_that_began_without() -> None:
    rows = list(rows_of([Reply("a", "x", 9, None), Reply("a", "x", 3, 7)], Tally(), every=False))
    assert rows == [Row("a", "x", 3, None, 2)]
