"""Answers to pings, whichever tool printed them, and the least of each pair."""

import math
from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from typing import Final, NamedTuple

from lightbound.errors import ErrorCode
from lightbound.files.faults import shown
from lightbound.files.importing.dropped import Reason, Tally, WrongField
from lightbound.files.importing.measurement_rows import Row
from lightbound.units import LONGEST_ROUND_TRIP_NS

NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 1_000_000_000


class Reply(NamedTuple):
    """One answer, or what a summary says about the quickest of several."""

    landmark_id: str
    chip_id: str
    round_trip_ns: int
    measured_at_ns: int | None
    samples: int = 1


def at_most_ns(text: str, *, ns_per_unit: int, printed_rounded: bool) -> int | None:
    """The longest round trip that prints as this decimal number, in whole nanoseconds; None if that is not above zero.

    What ping and fping print is rounded to the last digit shown: `145 ms` can have been 145.5 ms, which is 75 km. So
    half a unit of that digit is added if the number was `printed_rounded`; one that stands for itself gets nothing.

    Raises:
        WrongField: no round trip is so long.
    """
    value = Decimal(text)
    if value <= 0:
        return None
    ns = math.inf
    if value < LONGEST_ROUND_TRIP_NS:  # so that no power of ten that a text may hold is ever written out
        exact = Fraction(value)
        exponent = value.as_tuple().exponent
        if printed_rounded and isinstance(exponent, int):
            exact += Fraction(10) ** exponent / 2
        ns = math.ceil(exact * ns_per_unit)
    if ns > LONGEST_ROUND_TRIP_NS:
        expected = f"a round trip of at most {LONGEST_ROUND_TRIP_NS // NS_PER_S} seconds"
        raise WrongField(None, expected, shown(text), ErrorCode.VALUE_OUT_OF_RANGE)
    return int(ns)


def unix_ns(text: str) -> int:
    """Nanoseconds of a decimal number of seconds with at most nine decimals."""
    seconds, _, fraction = text.partition(".")
    return int(seconds) * NS_PER_S + int(fraction.ljust(9, "0"))


def rows_of(replies: Iterable[Reply], tally: Tally, *, every: bool) -> Iterator[Row]:
    """One row per pair of landmark and chip, with its quickest answer; or one row for every answer.

    Whether the file has times, its first answer says. Answers without a time are then left out and counted; in a
    file that began without, times are not kept.
    """
    remaining = iter(replies)
    first = next(remaining, None)
    if first is None:
        return
    timed = first.measured_at_ns is not None
    found = _alike(chain([first], remaining), tally, timed=timed)
    if every:
        yield from (Row(*reply) for reply in found)
        return
    least: dict[tuple[str, str], Reply] = {}
    for reply in found:
        pair = reply.landmark_id, reply.chip_id
        known = least.get(pair)
        if known is not None:
            quicker = reply if reply.round_trip_ns < known.round_trip_ns else known
            reply = quicker._replace(samples=known.samples + reply.samples)  # noqa: PLW2901 - what the pair has now
        least[pair] = reply
    yield from (Row(*reply) for reply in least.values())


def _alike(replies: Iterable[Reply], tally: Tally, *, timed: bool) -> Iterator[Reply]:
    for reply in replies:
        if timed and reply.measured_at_ns is None:
            tally.drop(Reason.NO_TIME, reply.samples)
        else:
            yield reply if timed else reply._replace(measured_at_ns=None)
