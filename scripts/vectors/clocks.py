"""Vectors of clocks: by how much a round trip may be too small, and which rounds and sessions count."""

from __future__ import annotations

from typing import Any

from vectors import world
from vectors.pair import MS
from vectors.record import LANDMARK, Subject
from vectors.world import SECOND, at

ROLES = (LANDMARK,)
PAUSES = world.ERRORS | {"can_pause": True}
EXACT = {"stamp_ns": 0, "rate_ppb": 0, "session_ns": 0, "can_pause": False}
ODD = {"stamp_ns": 1_234, "rate_ppb": 333_333, "session_ns": 20_000_001, "can_pause": True}


def make() -> Subject:
    """Errors, rounds, sessions, bounds."""
    subject = Subject("clocks", "How far clocks may be wrong, which rounds count, and what a phase bounds.")
    for name, errors, round_trip_ns, about in (
        ("ordinary", world.ERRORS, 30_700_000, "2 us and 200 ppm of 30.7 ms"),
        ("rounded-up", world.ERRORS, 30_700_001, "1 ns more: a part of a nanosecond counts as a whole one"),
        ("least", world.ERRORS, 1, "of the least round trip"),
        ("hour", world.ERRORS, 3_600 * SECOND, "of an hour"),
        ("exact", EXACT, 30_700_000, "of clocks that are never wrong"),
        ("can-pause", PAUSES, 30_700_000, "a third of what goes unnoticed, rounded up"),
        ("odd", ODD, 12_345_679, "numbers that nothing divides"),
    ):
        asked = {"do": "clock_error", "errors": errors, "round_trip_ns": round_trip_ns}
        subject.result(f"clock-error-{name}", about, ROLES, **asked)
    _rounds(subject)
    _sessions(subject)
    _bounds(subject)
    return subject


def _rounds(subject: Subject) -> None:
    for name, about, ns, check_ns, counts in (
        ("agree", "both clocks say 30 ms", 30 * MS, 30 * MS, True),
        ("edge", "they differ by 2 us and 200 ppm", 30 * MS, 30 * MS - 7_998, True),
        ("beyond", "they differ by 1 ns more", 30 * MS, 30 * MS - 7_999, False),
        ("edge-other", "the second is ahead by as much", 30 * MS, 30 * MS + 8_001, True),
        ("beyond-other", "by 1 ns more", 30 * MS, 30 * MS + 8_002, False),
        ("nothing", "no time has passed", 0, 0, False),
        ("one", "one nanosecond has passed", 1, 1, True),
        ("backwards", "the first clock was set back", -5 * MS, 30 * MS, False),
        ("both-backwards", "both were", -5 * MS, -5 * MS, False),
        ("second-still", "the second stood still for 2 us", 2_000, 0, True),
        ("second-backwards", "the second was set back a little", 1_000, -1, False),
    ):
        given = {"do": "round_counts", "errors": world.ERRORS, "sent": at(0), "received": at(ns, check_ns=check_ns)}
        subject.result(f"round-{name}", about, ROLES, is_={"counts": counts}, **given)


def _sessions(subject: Subject) -> None:
    for name, about, ns, utc_ns, counts in (
        ("agree", "both clocks say 4 s", 4 * SECOND, 4 * SECOND, True),
        ("edge", "10 ms apart, the drift of the clock outside counted", 4 * SECOND, 4 * SECOND + 9_198_161, True),
        ("beyond", "1 ns more", 4 * SECOND, 4 * SECOND + 9_198_162, False),
        ("ahead", "the landmark's own clock is ahead by as much", 4 * SECOND, 4 * SECOND - 9_201_841, True),
        ("beyond-ahead", "1 ns more", 4 * SECOND, 4 * SECOND - 9_201_842, False),
        ("paused", "the machine stood still for 50 ms", 4 * SECOND, 4 * SECOND + 50 * MS, False),
        ("nothing", "no time has passed", 0, 0, True),
        ("backwards", "the first clock was set back", -1, 0, False),
        ("utc-backwards", "the clock outside was set back by 5 ms", 1, -5 * MS, True),
    ):
        given = {"do": "session_counts", "errors": world.ERRORS, "began": at(0), "ended": at(ns, utc_ns=utc_ns)}
        subject.result(f"clocks-{name}", about, ROLES, is_={"counts": counts}, **given)


def _bounds(subject: Subject) -> None:
    of_six = [31_400_000, 30_200_000, 33_900_000, 30_000_000, 30_700_000, 45_100_000]
    for name, about, errors, round_trips_ns, third_ns in (
        ("of-three", "of three the largest", world.ERRORS, [3 * MS, MS, 2 * MS], 3 * MS),
        ("of-six", "of six the third smallest", world.ERRORS, of_six, 30_700_000),
        ("of-equal", "equal ones count one by one", world.ERRORS, [MS, MS, MS, 9 * MS], MS),
        ("two-corrupt", "two that are too small change nothing but their place", EXACT, [1, 1, *of_six], 30_000_000),
        ("can-pause", "on a machine that can pause", PAUSES, of_six, 30_700_000),
        ("odd", "with numbers that nothing divides", ODD, of_six, 30_700_000),
    ):
        asked: dict[str, Any] = {"do": "bound", "errors": errors, "round_trips_ns": round_trips_ns}
        subject.result(f"bound-{name}", about, ROLES, is_={"third_ns": third_ns}, **asked)
    why = ("refused", "too_few_answers")
    asked = {"do": "bound", "errors": world.ERRORS, "round_trips_ns": [MS, MS]}
    subject.refusal("bound-of-two", "two answers bound nothing", ROLES, why, **asked)
    subject.refusal("bound-of-none", "nor do none", ROLES, why, **(asked | {"round_trips_ns": []}))
