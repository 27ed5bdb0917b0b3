"""A measurement's numbers follow from one another; whether they were measured, nobody can see."""

from dataclasses import replace
from typing import Any

import pytest

from lightbound.errors import ErrorCode, Malformed, Refused
from lightbound.ranging.statements.measurement import (
    ORDER,
    Abort,
    Measurement,
    Why,
    read_abort,
    read_measurement,
    write_abort,
    write_measurement,
)
from lightbound.units import LONGEST_ROUND_TRIP_NS
from tests.ranging.parties import every_statement
from tests.ranging.statements.every import EVERY, LANDMARK

SAID = replace(
    read_measurement(every_statement()["measurement"], LANDMARK.verifying),
    rounds_sent=10,
    rounds_valid=7,
    rounds_dropped=2,
    smallest_ns=(100, 200, 300),
    median_ns=400,
    largest_ns=500,
    clock_error_ns=20,
    bound_ns=320,
    from_ns=1_000,
    to_ns=2_000,
)


def read_again(said: Measurement) -> Measurement:
    return read_measurement(write_measurement(said, LANDMARK), LANDMARK.verifying)


def test_numbers_that_agree_are_taken() -> None:
    for said in (
        SAID,
        replace(SAID, rounds_sent=9),
        replace(SAID, median_ns=300, largest_ns=300),
        replace(SAID, to_ns=1_000),
        replace(SAID, rounds_valid=3, median_ns=200, largest_ns=300),
        replace(SAID, smallest_ns=(300, 300, 300), median_ns=300, largest_ns=300),
    ):
        assert read_again(said) == said


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        (replace(SAID, rounds_sent=8), "rounds_valid"),
        (replace(SAID, rounds_dropped=4), "rounds_valid"),
        (replace(SAID, smallest_ns=(200, 100, 300)), "smallest_ns"),
        (replace(SAID, smallest_ns=(100, 300, 200), bound_ns=220), "smallest_ns"),
        (replace(SAID, median_ns=299), "median_ns"),
        (replace(SAID, rounds_valid=3, median_ns=199), "median_ns"),
        (replace(SAID, rounds_valid=4, median_ns=199), "median_ns"),
        (replace(SAID, rounds_valid=5, median_ns=299), "median_ns"),
        (replace(SAID, largest_ns=399), "largest_ns"),
        (replace(SAID, rounds_valid=3, median_ns=200, largest_ns=299), "largest_ns"),
        (replace(SAID, bound_ns=319), "bound_ns"),
        (replace(SAID, bound_ns=321), "bound_ns"),
        (replace(SAID, clock_error_ns=0), "bound_ns"),
        (replace(SAID, bound_ns=120), "bound_ns"),
        (replace(SAID, to_ns=999), "to_ns"),
    ],
)
def test_numbers_that_do_not_follow_from_the_others_are_refused(wrong: Measurement, where: str) -> None:
    with pytest.raises(Refused) as caught:
        read_again(wrong)
    (fault,) = caught.value.faults
    assert fault.code is ErrorCode.NUMBERS_DIFFER
    assert fault.column == f"measurement.{where}"


@pytest.mark.parametrize(
    "wrong",
    [
        replace(SAID, smallest_ns=(100, 200)),
        replace(SAID, smallest_ns=(100, 200, 300, 400)),
        replace(SAID, smallest_ns=(0, 200, 300)),
        replace(SAID, largest_ns=LONGEST_ROUND_TRIP_NS + 1),
        replace(SAID, rounds_valid=ORDER - 1),
        replace(SAID, rounds_sent=65),
        replace(SAID, rounds_dropped=-1),
        replace(SAID, clock_error_ns=-1),
        replace(SAID, utc_error_ns=-1),
        replace(SAID, commitments={}),
        replace(SAID, commitments={"address": bytes(32), "site": bytes(32)}),
        replace(SAID, software=""),
    ],
)
def test_what_no_measurement_may_say_is_malformed(wrong: Measurement) -> None:
    with pytest.raises(Malformed):
        read_again(wrong)


@pytest.mark.parametrize(("name", "of"), [("stamps", "measurement"), ("why", "abort")])
def test_a_word_that_is_not_on_the_list_is_malformed(name: str, of: str) -> None:
    for word in ("gpu", "KERNEL", "kernel ", ""):
        fields: Any = {**EVERY[of].fields(), name: word}
        with pytest.raises(Malformed) as caught:
            EVERY[of].read(EVERY[of].with_fields(fields))
        assert caught.value.faults[0].column == f"{of}.{name}"


@pytest.mark.parametrize("why", Why)
def test_an_abort_says_why(why: Why) -> None:
    said = read_abort(every_statement()["abort"], LANDMARK.verifying)
    for changed in (replace(said, why=why), replace(said, why=why, rounds_sent=64, rounds_valid=2)):
        assert read_abort(write_abort(changed, LANDMARK), LANDMARK.verifying) == changed
    assert isinstance(said, Abort)
