"""Vectors of what a stranger checks: what is left of a session when everything said in it is held together."""

from __future__ import annotations

from typing import Any

from vectors import world
from vectors.octets import cbor, digest, flipped, seed
from vectors.pair import PLAIN
from vectors.record import CHECKER, Subject
from vectors.statements import payload_of
from vectors.world import NOW, SECOND

ROLES = (CHECKER,)
FIRST, SECOND_ONE = world.FIRST.kid, world.SECOND_ONE.kid
BOTH_DIFFER = ("refused", "bind_differs")
TRANSCRIPT = {"class": "refused", "code": "transcript_differs"}


def _part(**said: Any) -> dict[str, Any]:
    return {"contrib": None, "close": None, "ack": None, "measurement": None, "abort": None} | said


MEASURED = _part(contrib=PLAIN.contrib, close=PLAIN.close, ack=PLAIN.ack, measurement=PLAIN.measurement)
ABORTED = _part(contrib=PLAIN.other_contrib, abort=PLAIN.abort)
GOOD: dict[str, Any] = {
    "do": "check_session",
    "verifier": world.VERIFIER.public,
    "admission": world.ADMISSION,
    "session": world.SESSION,
    "bind": PLAIN.bind,
    "evidence": world.EVIDENCE,
    "by_landmark": {FIRST.hex(): MEASURED, SECOND_ONE.hex(): ABORTED},
}


def make() -> Subject:
    """The plain session, and everything that can be wrong with one."""
    subject = Subject("checked_sessions", "A session as somebody checks it who was not there.")
    found = {"absent": [world.ABSENT.kid], "aborts": {SECOND_ONE.hex(): "no_ready"}, "silent": [], "refused": {}}
    subject.result("checked-session", "one measured, one gave up, one was absent", ROLES, is_=found, **GOOD)
    _whole_refused(subject)
    _one_refused(subject)
    _one_silent(subject)
    return subject


def _whole_refused(subject: Subject) -> None:
    """What is the agent's or the verifier's doing fails the whole session."""
    session, bind = payload_of("session"), payload_of("bind")

    def asked(**changes: Any) -> dict[str, Any]:
        return {"session": world.statement("session", session | changes, world.VERIFIER)}

    def bound(**changes: Any) -> dict[str, Any]:
        return {"bind": world.statement("bind", bind | changes, world.ENROLMENT, world.SESSION_KEY)}

    fourth = next(key.kid for key in world.LANDMARKS if key.kid not in session["landmarks"])
    picked = sorted([*world.CHOSEN, fourth])
    third = world.ABSENT.kid
    without = world.ADMISSION | {"positions": world.POSITION_STATEMENTS[1:]}
    nowhere = sorted([*session["landmarks"], seed("nobody")[:16]])
    for name, about, changed, why in (
        ("verifier", "of a verifier that is not trusted", {"verifier": seed("x")}, ("refused", "wrong_key")),
        ("version", "that offers only version 2", asked(versions=[2]), ("refused", "wrong_version")),
        ("directory", "from another directory", asked(directory=seed("x")), ("refused", "not_admitted")),
        (
            "missing",
            "while a statement of the directory is not here",
            {"admission": without},
            ("refused", "not_admitted"),
        ),
        ("picked", "whose extra landmark was picked", asked(landmarks=picked), ("refused", "draw_differs")),
        ("passed-over", "that passes a drawn one over", asked(landmarks=world.CHOSEN), ("refused", "draw_differs")),
        (
            "beacon",
            "with another beacon",
            asked(draw=session["draw"] | {"beacon": _other_beacon()}),
            ("refused", "draw_differs"),
        ),
        (
            "chosen",
            "that calls a drawn one chosen",
            asked(draw=session["draw"] | {"chosen": sorted([*world.CHOSEN, third])}),
            ("refused", "draw_differs"),
        ),
        ("nowhere", "with a landmark of no directory", asked(landmarks=nowhere), ("refused", "not_admitted")),
        ("bind-session", "with the BIND of another", bound(session=seed("x")), ("refused", "wrong_session")),
        ("bind-parties", "whose BIND leaves a landmark out", bound(absent=[]), BOTH_DIFFER),
        ("bind-flipped", "whose BIND nobody signed", {"bind": flipped(PLAIN.bind)}, ("refused", "signature_invalid")),
        (
            "evidence",
            "with other evidence",
            {"evidence": cbor({"quote": seed("quote"), "reports": []})},
            ("refused", "evidence_differs"),
        ),
        ("evidence-garbage", "with no manifest", {"evidence": b"\x80"}, ("malformed", "statement_malformed")),
    ):
        subject.refusal(f"checked-{name}", f"a session {about}", ROLES, why, **(GOOD | changed))


def _other_beacon() -> bytes:
    """A beacon by which another landmark would have been drawn."""
    return next(
        beacon
        for beacon in (seed(f"other beacon {number}") for number in range(99))
        if world.drawn(world.CHOSEN, 1, beacon=beacon) != world.SESSION_SAYS["landmarks"]
    )


def _one_refused(subject: Subject) -> None:
    """What is one landmark's doing takes that landmark out, and no other."""
    measured, close, ack = payload_of("measurement"), payload_of("close"), payload_of("ack")

    def said(**changes: Any) -> dict[str, Any]:
        return {"measurement": world.statement("measurement", measured | changes, world.FIRST)}

    closed = world.statement("close", close | {"random": seed("other dice")}, world.FIRST)
    more = world.statement("close", close | {"rounds_sent": 7}, world.FIRST)
    acked = world.statement("ack", ack | {"answered": 7}, world.SESSION_KEY)
    fewer = world.statement("ack", ack | {"answered": 5}, world.SESSION_KEY)
    contrib = world.statement("contrib", payload_of("contrib") | {"random": seed("other dice")}, world.FIRST)
    early, late = NOW - 2_000_000, NOW + 301 * SECOND
    for name, about, changed, code in (
        ("contrib-none", "without the CONTRIB that BIND names", {"contrib": None}, "bind_differs"),
        ("contrib-other", "with another CONTRIB", {"contrib": contrib}, "bind_differs"),
        ("sid", "of another sid", said(sid=seed("x")[:16]), "wrong_session"),
        ("session", "of another session", said(session=seed("x")), "wrong_session"),
        ("agent", "of another agent", said(agent=seed("x")[:16]), "wrong_session"),
        ("landmark", "that names another landmark", said(landmark=SECOND_ONE), "wrong_landmark"),
        ("bind", "of another BIND", said(bind=seed("x")), "bind_differs"),
        ("position", "at another place", said(position=seed("x")), "not_admitted"),
        ("before", "before the session", said(from_ns=early), "not_valid_then"),
        ("after", "after the session", said(to_ns=late), "not_valid_then"),
        ("bound", "whose bound does not follow", said(bound_ns=1), "numbers_differ"),
        ("flipped", "whose signature does not hold", {"measurement": flipped(PLAIN.measurement)}, "signature_invalid"),
        ("and-abort", "and an ABORT of one session", {"abort": _abort_of_first()}, "sequence_broken"),
        ("typ", "that is an ABORT", {"measurement": _abort_of_first()}, "wrong_type"),
        ("close", "with another CLOSE", {"close": closed}, "transcript_differs"),
        (
            "close-named",
            "that names a CLOSE of other numbers",
            said(close=digest(more)) | {"close": more},
            "transcript_differs",
        ),
        ("ack", "with another ACK", {"ack": acked}, "transcript_differs"),
        (
            "ack-named",
            "that names an ACK of too few answers",
            said(ack=digest(fewer)) | {"ack": fewer},
            "transcript_differs",
        ),
    ):
        parts = GOOD["by_landmark"] | {FIRST.hex(): MEASURED | changed}
        is_ = {"refused": {FIRST.hex(): {"class": "refused", "code": code}}, "measurements": []}
        asked = GOOD | {"by_landmark": parts}
        subject.result(f"checked-measurement-{name}", f"a MEASUREMENT {about}", ROLES, is_=is_, **asked)
    abort = world.statement("abort", payload_of("abort") | {"sid": seed("x")[:16]}, world.SECOND_ONE)
    parts = GOOD["by_landmark"] | {SECOND_ONE.hex(): ABORTED | {"abort": abort}}
    is_ = {"refused": {SECOND_ONE.hex(): {"class": "refused", "code": "wrong_session"}}, "aborts": {}}
    subject.result("checked-abort-sid", "an ABORT of another sid", ROLES, is_=is_, **(GOOD | {"by_landmark": parts}))
    for name, about, changes, code in (
        ("landmark", "a CONTRIB that names another landmark", {"landmark": SECOND_ONE}, "wrong_landmark"),
        ("session", "a CONTRIB for another session", {"session": seed("x")}, "wrong_session"),
    ):
        contrib = world.statement("contrib", payload_of("contrib") | changes, world.FIRST)
        bind = payload_of("bind")
        others = [pair for pair in bind["contributions"] if pair[0] != FIRST]
        bound = {"contributions": sorted([[FIRST, digest(contrib)], *others])}
        asked = GOOD | {
            "bind": world.statement("bind", bind | bound, world.ENROLMENT, world.SESSION_KEY),
            "by_landmark": GOOD["by_landmark"] | {FIRST.hex(): MEASURED | {"contrib": contrib}},
        }
        is_ = {"refused": {FIRST.hex(): {"class": "refused", "code": code}}}
        subject.result(f"checked-contrib-{name}", f"{about}, which BIND names", ROLES, is_=is_, **asked)


def _abort_of_first() -> bytes:
    return world.statement("abort", payload_of("abort") | {"landmark": FIRST}, world.FIRST)


def _one_silent(subject: Subject) -> None:
    """What is missing, and what may be."""
    measured = {"landmark": FIRST, "bound_ns": payload_of("measurement")["bound_ns"]}
    unacknowledged = [measured | {"acknowledged": False}]
    acknowledged = [measured | {"acknowledged": True}]
    named_none = world.statement("measurement", payload_of("measurement") | {"ack": None}, world.FIRST)
    edge = {"from_ns": NOW - 1_000_000}
    at_the_edge = world.statement("measurement", payload_of("measurement") | edge, world.FIRST)
    for name, about, part, is_ in (
        ("without-ack", "the ACK is not here", MEASURED | {"ack": None}, {"measurements": unacknowledged}),
        ("without-close", "the CLOSE is not here", MEASURED | {"close": None}, {"measurements": unacknowledged}),
        (
            "ack-not-named",
            "an ACK that MEASUREMENT does not name counts for nothing",
            MEASURED | {"measurement": named_none},
            {"measurements": unacknowledged},
        ),
        (
            "within-utc-error",
            "the first round is before the session by the error of the landmark's UTC",
            MEASURED | {"measurement": at_the_edge},
            {"measurements": acknowledged},
        ),
        ("only-contrib", "it has contributed and said no more", _part(contrib=PLAIN.contrib), {"silent": [FIRST]}),
        ("nothing", "nothing of it is here", _part(), {"silent": [FIRST]}),
    ):
        parts = GOOD["by_landmark"] | {FIRST.hex(): part}
        subject.result(f"checked-{name}", about, ROLES, is_=is_, **(GOOD | {"by_landmark": parts}))
    parts = {SECOND_ONE.hex(): ABORTED}
    asked = GOOD | {"by_landmark": parts}
    subject.result("checked-unheard", "nothing was said about it", ROLES, is_={"silent": [FIRST]}, **asked)
