"""Vectors of good statements: each type plain, at the ends of its ranges, and written again from its fields."""

from __future__ import annotations

from typing import Any

from vectors import world
from vectors.octets import Signer, cbor, digest, seed
from vectors.pair import PLAIN
from vectors.record import AGENT, ALL, CHECKER, LANDMARK, Subject

YEAR_2200 = 7_258_118_400_000_000_000
HOUR_NS = 3_600_000_000_000

READ_BY: dict[str, tuple[str, ...]] = {
    "operator": (CHECKER,),
    "position": (CHECKER,),
    "directory": (CHECKER,),
    "session": ALL,
    "open": (CHECKER,),
    "contrib": (AGENT, CHECKER),
    "bind": (LANDMARK, CHECKER),
    "close": (AGENT, CHECKER),
    "ack": (LANDMARK, CHECKER),
    "measurement": (CHECKER,),
    "abort": (CHECKER,),
    "evidence": (CHECKER,),
}
WRITTEN_BY: dict[str, tuple[str, ...]] = {
    "open": (LANDMARK,),
    "contrib": (LANDMARK,),
    "close": (LANDMARK,),
    "measurement": (LANDMARK,),
    "abort": (LANDMARK,),
    "bind": (AGENT,),
    "ack": (AGENT,),
    "evidence": (AGENT,),
}
"""What is left, only operators, parties of a directory and verifiers write."""

SIGNERS: dict[str, tuple[Signer, ...]] = {
    "operator": (world.OPERATORS[0],),
    "position": (world.OPERATORS[0],),
    "directory": world.PARTIES[:2],
    "session": (world.VERIFIER,),
    "open": (world.FIRST,),
    "contrib": (world.FIRST,),
    "bind": (world.ENROLMENT, world.SESSION_KEY),
    "close": (world.FIRST,),
    "ack": (world.SESSION_KEY,),
    "measurement": (world.FIRST,),
    "abort": (world.SECOND_ONE,),
}

PLAINLY: dict[str, tuple[str, bytes]] = {
    "operator": ("who runs landmarks, in its own words", world.OPERATOR_STATEMENTS[0]),
    "position": ("where a landmark stands, in its operator's words", world.POSITION_STATEMENTS[0]),
    "directory": ("whom two of three parties let in", world.DIRECTORY),
    "session": ("a verifier asks one agent to be timed by three landmarks", world.SESSION),
    "open": ("a landmark was asked", PLAIN.open),
    "contrib": ("a landmark's dice and its key for the timed phase", PLAIN.contrib),
    "bind": ("the agent's keys for a session, bound to two contributions; one landmark is absent", PLAIN.bind),
    "close": ("which answers a landmark took", PLAIN.close),
    "ack": ("the agent gave these answers", PLAIN.ack),
    "measurement": ("what a landmark measured", PLAIN.measurement),
    "abort": ("why a landmark measured nothing", PLAIN.abort),
}
"""The plain good example of each type, all of one session."""


def read_arguments(kind: str) -> dict[str, Any]:
    """Whose signatures are asked for."""
    if kind == "operator":
        return {"keys": []}
    if kind == "directory":
        return {"keys": [party.public for party in world.PARTIES], "threshold": 2}
    return {"keys": [SIGNERS[kind][0].public]}


def accept(subject: Subject, name: str, about: str, kind: str, data: bytes, signers: tuple[Signer, ...] = ()) -> Any:
    """A statement that is read, and one like it that is written from the fields that were read."""
    arguments: dict[str, Any] = {} if kind == "evidence" else read_arguments(kind)
    told = subject.result(name, about, READ_BY[kind], do="read", statement=kind, data=data, **arguments)
    subject.result(
        f"{name}-written",
        f"{about}: the same bytes from its fields",
        WRITTEN_BY.get(kind, ()),
        is_={"data": data},
        do="write",
        statement=kind,
        fields=told["fields"],
        seeds=[signer.seed for signer in signers or SIGNERS.get(kind, ())],
    )
    return told["fields"]


def payload_of(kind: str) -> dict[str, Any]:
    """The payload of the plain example, to be changed in one place."""
    if kind in CACHED:
        return dict(CACHED[kind])
    raise KeyError(kind)


def _payloads() -> dict[str, dict[str, Any]]:
    """Payloads as they were given to the writer, or as they are read from what landmark and agent wrote."""
    import cbor2  # noqa: PLC0415 - to take apart what the package wrote; nothing is written with it

    found: dict[str, dict[str, Any]] = {}
    for kind, (_, data) in PLAINLY.items():
        found[kind] = cbor2.loads(cbor2.loads(data).value[2])
    return found


CACHED = _payloads()


def make() -> Subject:
    """The good ones."""
    subject = Subject("statements", "Good statements of every type, read and written.")
    for kind, (about, data) in PLAINLY.items():
        accept(subject, kind, about, kind, data)
    accept(subject, "evidence", "the manifest of tier A0: nothing is attested", "evidence", world.EVIDENCE)
    reports = sorted([seed(f"report {n}"), seed(f"chain {n}")] for n in range(3))
    attested = cbor({"quote": seed("quote"), "reports": reports})
    accept(subject, "evidence-attested", "a quote and the reports of three chips", "evidence", attested)
    for name, kind, about, changes in _VARIED:
        accept(subject, name, about, kind, world.statement(kind, payload_of(kind) | changes, *SIGNERS[kind]))
    all_three = world.statement("directory", payload_of("directory"), *world.PARTIES)
    accept(subject, "directory-of-all", "all three parties signed, two would do", "directory", all_three, world.PARTIES)
    return subject


HIDDEN = (
    (0x0000, 0x001F), (0x007F, 0x00A0), (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x1680, 0x1680),
    (0x180E, 0x180E), (0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x206F), (0x3000, 0x3000), (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF), (0xFFF0, 0xFFFF), (0xE0000, 0xE0FFF),
)  # fmt: skip
"""Characters that no text has, those left out that UTF-8 has not either."""
BESIDE = "".join(chr(c) for first, last in HIDDEN for c in (first - 1, last + 1) if c > 0)
MANY = sorted(seed(f"one of many {number}")[:16] for number in range(513))
_SMALLEST = [30_000_000, 30_200_000, 30_700_000]
_VARIED: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("operator-letters", "operator", "names with letters of other scripts", {"name": "Méridien 時刻", "contact": ""}),
    ("operator-long-name", "operator", "a name of 256 characters", {"name": "n" * 256}),
    (
        "position-pole",
        "position",
        "the ends of every range",
        {
            "latitude_e7": -900_000_000,
            "longitude_e7": 1_800_000_000,
            "altitude_m": 5_000,
            "error_m": 20_037_508,
            "surveyed": "",
            "to_ns": YEAR_2200,
        },
    ),
    (
        "position-origin",
        "position",
        "the other ends",
        {"latitude_e7": 900_000_000, "longitude_e7": -1_800_000_000, "altitude_m": -500, "error_m": 0, "from_ns": 0},
    ),
    ("position-can-pause", "position", "a landmark on a virtual machine", {"can_pause": True}),
    ("directory-second", "directory", "one that follows another", {"number": 2, "previous": digest(world.DIRECTORY)}),
    ("directory-axes", "directory", "landmarks fail together on both axes", {"axes": ["hosting", "jurisdiction"]}),
    ("directory-empty", "directory", "nobody is let in", {"axes": [], "operators": [], "positions": []}),
    ("session-versions", "session", "a verifier that speaks later versions too", {"versions": [1, 2, 255]}),
    (
        "session-ten-minutes",
        "session",
        "the longest session",
        {"expiry_ns": world.SESSION_SAYS["issued_ns"] + 600_000_000_000},
    ),
    ("session-shortest", "session", "the shortest", {"expiry_ns": world.SESSION_SAYS["issued_ns"] + 1}),
    (
        "session-text-neighbours",
        "session",
        "every character that stands beside one that may not",
        {"draw": world.SESSION_SAYS["draw"] | {"beacon_name": f"a{BESIDE}b"}},
    ),
    ("session-long-ago", "session", "issued in 1970", {"issued_ns": 0, "expiry_ns": 600_000_000_000}),
    ("session-most-versions", "session", "sixteen versions", {"versions": [1, *range(241, 256)]}),
    (
        "session-most-landmarks",
        "session",
        "512 landmarks, all chosen",
        {"landmarks": MANY[:512], "draw": world.SESSION_SAYS["draw"] | {"chosen": MANY[:512], "extras": 0}},
    ),
    ("session-one-landmark", "session", "one landmark", {"landmarks": MANY[:1]}),
    (
        "session-nobody-chosen",
        "session",
        "all landmarks are drawn",
        {
            "draw": world.SESSION_SAYS["draw"] | {"chosen": [], "extras": 3},
            "landmarks": world.drawn([], 3),
        },
    ),
    ("open-later", "open", "not the first about this agent", {"seq": 2**63 - 1, "prev": seed("what was said before")}),
    (
        "session-longest-text",
        "session",
        "a text of 256 characters, each of four bytes",
        {"draw": world.SESSION_SAYS["draw"] | {"beacon_name": "\U00020000" * 256}},
    ),
    ("contrib-ports", "contrib", "the highest port", {"port": 65_535}),
    ("bind-nobody-absent", "bind", "all have contributed", {"absent": []}),
    (
        "bind-most",
        "bind",
        "512 contributions and 512 absentees",
        {"contributions": [[landmark, seed(landmark.hex())] for landmark in MANY[:512]], "absent": MANY[:512]},
    ),
    ("close-nothing-taken", "close", "no answer was taken", {"rounds_sent": 0, "accepted": []}),
    ("close-all", "close", "64 rounds, all taken", {"rounds_sent": 64, "accepted": list(range(64))}),
    ("ack-nothing-answered", "ack", "no round was answered", {"answered": 0}),
    ("measurement-without-ack", "measurement", "the agent did not acknowledge", {"ack": None}),
    ("measurement-user-stamps", "measurement", "stamps of user space", {"stamps": "user"}),
    (
        "measurement-three",
        "measurement",
        "the least that gives a bound: three rounds, the median the second",
        {
            "rounds_sent": 3,
            "rounds_valid": 3,
            "smallest_ns": _SMALLEST,
            "median_ns": _SMALLEST[1],
            "largest_ns": _SMALLEST[2],
        },
    ),
    (
        "measurement-equal",
        "measurement",
        "round trips that are all the same",
        {
            "smallest_ns": [_SMALLEST[2]] * 3,
            "median_ns": _SMALLEST[2],
            "largest_ns": _SMALLEST[2],
        },
    ),
    (
        "measurement-largest",
        "measurement",
        "the largest numbers that there can be",
        {
            "rounds_sent": 64,
            "rounds_valid": 60,
            "rounds_dropped": 4,
            "smallest_ns": [HOUR_NS] * 3,
            "median_ns": HOUR_NS,
            "largest_ns": HOUR_NS,
            "clock_error_ns": HOUR_NS,
            "bound_ns": 2 * HOUR_NS,
            "utc_error_ns": 10_000_000_000,
        },
    ),
    *(
        (f"abort-{why.replace('_', '-')}", "abort", f"the reason {why}", {"why": why})
        for why in ("no_bind", "not_bound_to", "too_few_answers", "clock", "stopped")
    ),
)
