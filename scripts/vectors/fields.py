"""Vectors of statements in which one field is wrong: signed as they should be, and refused for what they say."""

from __future__ import annotations

from typing import Any

from vectors import world
from vectors.octets import seed
from vectors.record import Subject
from vectors.statements import HIDDEN, HOUR_NS, MANY, READ_BY, SIGNERS, YEAR_2200, payload_of, read_arguments

MALFORMED = ("malformed", "statement_malformed")
NUMBERS = ("refused", "numbers_differ")

RANGES: dict[str, dict[str, tuple[int, int]]] = {
    "operator": {"from_ns": (0, YEAR_2200), "to_ns": (0, YEAR_2200)},
    "position": {
        "latitude_e7": (-900_000_000, 900_000_000),
        "longitude_e7": (-1_800_000_000, 1_800_000_000),
        "altitude_m": (-500, 5_000),
        "error_m": (0, 20_037_508),
        "from_ns": (0, YEAR_2200),
        "to_ns": (0, YEAR_2200),
    },
    "directory": {"number": (1, 2**63 - 1), "from_ns": (0, YEAR_2200), "to_ns": (0, YEAR_2200)},
    "session": {"issued_ns": (0, YEAR_2200), "expiry_ns": (0, YEAR_2200)},
    "open": {"seq": (0, 2**63 - 1), "at_ns": (0, YEAR_2200)},
    "contrib": {"version": (1, 1), "port": (1, 65_535), "expiry_ns": (0, YEAR_2200)},
    "bind": {},
    "close": {"rounds_sent": (0, 64)},
    "ack": {"answered": (0, 64)},
    "measurement": {
        "seq": (0, 2**63 - 1),
        "rounds_sent": (3, 64),
        "rounds_valid": (3, 64),
        "rounds_dropped": (0, 64),
        "median_ns": (1, HOUR_NS),
        "largest_ns": (1, HOUR_NS),
        "clock_error_ns": (0, HOUR_NS),
        "bound_ns": (1, 2 * HOUR_NS),
        "from_ns": (0, YEAR_2200),
        "to_ns": (0, YEAR_2200),
        "utc_error_ns": (0, 10_000_000_000),
    },
    "abort": {
        "seq": (0, 2**63 - 1),
        "rounds_sent": (0, 64),
        "rounds_valid": (0, 64),
        "at_ns": (0, YEAR_2200),
    },
}
"""Least and most of every integer."""

MAY_BE_EMPTY = ("contact", "surveyed")
MAY_BE_NULL = ("prev", "previous", "ack")
SMALL_ORDER_KEY = bytes(32)


def refuse(subject: Subject, name: str, about: str, kind: str, payload: Any, why: tuple[str, ...] = MALFORMED) -> None:
    """A statement with this payload, signed as it should be."""
    data = world.statement(kind, payload, *SIGNERS[kind])
    subject.refusal(name, about, READ_BY[kind], why, do="read", statement=kind, data=data, **read_arguments(kind))


def make() -> Subject:
    """One fault at a time."""
    subject = Subject("fields", "Statements in which one field is missing, of another type, or out of its range.")
    for kind in RANGES:
        good = payload_of(kind)
        refuse(subject, f"{kind}-unknown-field", "a field that the type does not have", kind, good | {"note": "x"})
        for field in good:
            _of_one_field(subject, kind, good, field)
        refuse(subject, f"{kind}-no-map", "an array where the payload is a map", kind, list(good.values()))
    _keys(subject)
    for name, kind, about, changes in _INSIDE:
        refuse(subject, name, about, kind, payload_of(kind) | changes)
    for name, about, changes in _NUMBERS:
        refuse(subject, f"measurement-{name}", about, "measurement", payload_of("measurement") | changes, NUMBERS)
    return subject


def _of_one_field(subject: Subject, kind: str, good: dict[str, Any], field: str) -> None:
    name, value = f"{kind}-{field.replace('_', '-')}", good[field]
    without = {key: item for key, item in good.items() if key != field}
    # What names a key is looked for before a signature is, but is missed in the same way.
    refuse(subject, f"{name}-missing", f"without {field}", kind, without)
    if kind == "operator" and field == "key":
        return  # told below: no signature can be looked for without it
    for how, about, wrong in _wrong(field, value):
        refuse(subject, f"{name}-{how}", f"{field}: {about}", kind, good | {field: wrong})
    if field in RANGES[kind]:
        least, most = RANGES[kind][field]
        for how, wrong in (("below", least - 1), ("above", most + 1)):
            about = f"{field}: one less than the least" if how == "below" else f"{field}: one more than the most"
            refuse(subject, f"{name}-{how}", about, kind, good | {field: wrong})


def _wrong(field: str, value: Any) -> list[tuple[str, str, Any]]:
    """What a value of each type is not."""
    found: list[tuple[str, str, Any]]
    if isinstance(value, bytes):
        found = [
            ("type", "a text", value.hex()),
            ("short", "a byte too few", value[:-1]),
            ("long", "a byte too many", value + b"\0"),
        ]
        return found if field in MAY_BE_NULL else [*found, ("null", "null", None)]
    if isinstance(value, str):
        found = [
            ("type", "a byte string", value.encode()),
            ("control", "a line break in it", f"{value}\nx"),
            ("space", "a space at its end", f"{value} "),
            ("long", "257 characters", "x" * 257),
        ]
        return found if field in MAY_BE_EMPTY else [*found, ("empty", "an empty text", "")]
    if isinstance(value, list):
        return [("type", "a map", {}), ("integers", "an item of another type", [-1, *value[1:]])]
    if isinstance(value, bool):
        return [("type", "an integer", 1)]
    if isinstance(value, int):
        found = [("type", "a text", str(value)), ("boolean", "true", True)]
    elif isinstance(value, dict):
        found = [("type", "an array", list(value.values()))]
    else:
        found = [("type", "an integer", 0), ("short", "a byte string of 31", bytes(31))]
    return found


def _keys(subject: Subject) -> None:
    """Keys that bind nobody. They are read before anything else is looked at."""
    why = ("malformed", "key_malformed")
    for kind, field in (("operator", "key"), ("position", "landmark_key"), ("session", "agent"), ("bind", "s")):
        changed = payload_of(kind) | {field: SMALL_ORDER_KEY}
        refuse(subject, f"{kind}-small-order-key", f"{field} is a key of small order", kind, changed, why)
    short = payload_of("operator") | {"key": world.OPERATORS[0].public[:-1]}
    refuse(subject, "operator-key-short", "key: a byte too few", "operator", short)
    other = payload_of("position") | {"operator": world.OPERATORS[1].kid}
    why = ("refused", "wrong_key")
    refuse(subject, "position-other-operator", "it names another operator than signed it", "position", other, why)


_DRAW = world.SESSION_SAYS["draw"]
_CONTRIBUTIONS = payload_of("bind")["contributions"]
_DIGESTS = sorted((seed("one digest"), seed("another digest")))
_IDS = sorted((seed("one id")[:16], seed("another id")[:16]))

_INSIDE: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("position-jurisdiction-small", "position", "a code in small letters", {"jurisdiction": "de"}),
    ("position-jurisdiction-three", "position", "a code of three letters", {"jurisdiction": "DEU"}),
    ("directory-first-with-previous", "directory", "the first names one before it", {"previous": seed("none")}),
    ("directory-second-without-previous", "directory", "the second names none", {"number": 2}),
    ("directory-unknown-axis", "directory", "an axis that there is not", {"axes": ["colour"]}),
    ("directory-axes-unsorted", "directory", "axes in another order", {"axes": ["jurisdiction", "hosting"]}),
    ("directory-operators-unsorted", "directory", "digests descending", {"operators": _DIGESTS[::-1]}),
    ("directory-positions-twice", "directory", "a digest twice", {"positions": [_DIGESTS[0]] * 2}),
    ("directory-positions-short", "directory", "a digest of 31 bytes", {"positions": [bytes(31)]}),
    ("session-no-versions", "session", "no version", {"versions": []}),
    ("session-versions-unsorted", "session", "versions in another order", {"versions": [2, 1]}),
    ("session-versions-twice", "session", "a version twice", {"versions": [1, 1]}),
    ("session-version-nought", "session", "version 0", {"versions": [0, 1]}),
    ("session-version-boolean", "session", "true for version 1", {"versions": [True]}),
    ("session-no-landmarks", "session", "no landmark", {"landmarks": []}),
    ("session-landmarks-unsorted", "session", "landmarks descending", {"landmarks": _IDS[::-1]}),
    ("session-landmarks-twice", "session", "a landmark twice", {"landmarks": [_IDS[0]] * 2}),
    ("session-too-many-landmarks", "session", "513 landmarks", {"landmarks": MANY}),
    ("session-too-many-chosen", "session", "513 chosen", {"draw": _DRAW | {"chosen": MANY}}),
    ("session-too-many-versions", "session", "17 versions", {"versions": [*range(1, 18)]}),
    ("session-version-above", "session", "version 256", {"versions": [1, 256]}),
    ("session-extras-least", "session", "the least integer for extras", {"draw": _DRAW | {"extras": -(2**63)}}),
    ("session-extras-most", "session", "the largest", {"draw": _DRAW | {"extras": 2**64 - 1}}),
    ("session-landmark-short", "session", "an id of 15 bytes", {"landmarks": [bytes(15)]}),
    (
        "session-too-long",
        "session",
        "it is valid for longer than ten minutes",
        {"expiry_ns": world.SESSION_SAYS["issued_ns"] + 600_000_000_001},
    ),
    ("session-over-at-once", "session", "it expires when issued", {"expiry_ns": world.SESSION_SAYS["issued_ns"]}),
    ("session-draw-unknown-field", "session", "a field that draw does not have", {"draw": _DRAW | {"rolls": 2}}),
    (
        "session-draw-missing-field",
        "session",
        "draw without its beacon",
        {"draw": {key: item for key, item in _DRAW.items() if key != "beacon"}},
    ),
    *(
        (f"session-text-{c:04x}", "session", f"U+{c:04X} in a text", {"draw": _DRAW | {"beacon_name": f"a{chr(c)}b"}})
        for c in sorted({c for ends in HIDDEN for c in ends})
    ),
    ("session-draw-extras", "session", "513 extras", {"draw": _DRAW | {"extras": 513}}),
    ("session-draw-chosen-unsorted", "session", "chosen ones descending", {"draw": _DRAW | {"chosen": _IDS[::-1]}}),
    ("session-no-site", "session", "no commitment to the site", {"commitments": {}}),
    (
        "session-site-and-more",
        "session",
        "a commitment to something else too",
        {"commitments": world.SESSION_SAYS["commitments"] | {"owner": seed("owner")}},
    ),
    ("session-site-short", "session", "a commitment of 31 bytes", {"commitments": {"site": bytes(31)}}),
    ("bind-no-contributions", "bind", "bound to no contribution", {"contributions": []}),
    (
        "bind-too-many-contributions",
        "bind",
        "513 contributions",
        {"contributions": [[landmark, seed(landmark.hex())] for landmark in MANY]},
    ),
    ("bind-too-many-absent", "bind", "513 absentees", {"absent": MANY}),
    ("bind-contributions-unsorted", "bind", "contributions descending", {"contributions": _CONTRIBUTIONS[::-1]}),
    ("bind-contributions-twice", "bind", "a contribution twice", {"contributions": [_CONTRIBUTIONS[0]] * 2}),
    (
        "bind-contributions-two-of-one",
        "bind",
        "two contributions of one landmark",
        {"contributions": sorted([[_IDS[0], _DIGESTS[0]], [_IDS[0], _DIGESTS[1]]])},
    ),
    ("bind-contribution-long", "bind", "three items", {"contributions": [[*_CONTRIBUTIONS[0], b""]]}),
    ("bind-contribution-id-short", "bind", "an id of 15 bytes", {"contributions": [[bytes(15), _DIGESTS[0]]]}),
    ("bind-absent-unsorted", "bind", "absentees descending", {"absent": _IDS[::-1]}),
    ("close-accepted-unsorted", "close", "rounds descending", {"accepted": [1, 0]}),
    ("close-accepted-twice", "close", "a round twice", {"accepted": [1, 1]}),
    ("open-first-linked", "open", "number 0 names one before it", {"prev": seed("what was never said")}),
    ("open-later-unlinked", "open", "number 5 names none", {"seq": 5}),
    ("measurement-unlinked", "measurement", "number 1 names none before it", {"prev": None}),
    ("abort-first-linked", "abort", "number 0 names one before it", {"seq": 0}),
    ("close-accepted-unsent", "close", "a round that was not sent", {"rounds_sent": 5}),
    ("close-accepted-above", "close", "round 64 of 64", {"accepted": [64]}),
    ("measurement-two-smallest", "measurement", "two round trips instead of three", {"smallest_ns": [1, 2]}),
    ("measurement-four-smallest", "measurement", "four round trips", {"smallest_ns": [1, 2, 3, 4]}),
    ("measurement-smallest-nought", "measurement", "a round trip of nothing", {"smallest_ns": [0, 1, 2]}),
    ("measurement-unknown-stamps", "measurement", "stamps of nobody", {"stamps": "hardware"}),
    ("measurement-commitments-other", "measurement", "of another field", {"commitments": {"site": seed("x")}}),
    ("abort-unknown-why", "abort", "a reason that there is not", {"why": "tired"}),
)

_SAID = payload_of("measurement")
_THIRD = _SAID["smallest_ns"][2]
_NUMBERS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("bound-less", "the bound is 1 ns less than its numbers give", {"bound_ns": _SAID["bound_ns"] - 1}),
    ("bound-more", "the bound is 1 ns more", {"bound_ns": _SAID["bound_ns"] + 1}),
    (
        "bound-of-second",
        "the bound is that of the second smallest",
        {"bound_ns": _SAID["smallest_ns"][1] + _SAID["clock_error_ns"]},
    ),
    ("bound-without-error", "the bound leaves the clock error out", {"bound_ns": _THIRD}),
    ("unsorted", "the smallest are not ascending", {"smallest_ns": [*_SAID["smallest_ns"][1::-1], _THIRD]}),
    ("median-too-small", "a median below the third smallest of six", {"median_ns": _THIRD - 1}),
    (
        "median-of-three",
        "three rounds whose median is below the second",
        {"rounds_valid": 3, "median_ns": _SAID["smallest_ns"][1] - 1},
    ),
    ("largest-below-median", "the largest is below the median", {"largest_ns": _SAID["median_ns"] - 1}),
    (
        "largest-below-third",
        "three rounds whose largest is below the third",
        {"rounds_valid": 3, "median_ns": _SAID["smallest_ns"][1], "largest_ns": _THIRD - 1},
    ),
    ("more-valid-than-sent", "more rounds taken than sent", {"rounds_sent": 5}),
    ("dropped-beyond-sent", "taken and dropped are more than sent", {"rounds_dropped": 1}),
    ("ends-before-it-begins", "the interval ends before it begins", {"to_ns": _SAID["from_ns"] - 1}),
)
