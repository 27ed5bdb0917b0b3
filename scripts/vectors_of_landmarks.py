"""Vectors of whole sessions at a landmark: with its dice and clocks given, every byte that it says and sends."""

from __future__ import annotations

from typing import Any

import vectors_world as world
from vectors_bytes import Signer, digest, flipped, seed
from vectors_of_statements import payload_of
from vectors_pair import BOUND, MS, OPENED, PLAIN, Pair
from vectors_record import Script, Subject
from vectors_world import NOW, SECOND

ORDER = ("refused", "out_of_order")
SESSION = ("refused", "wrong_session")
LANDMARK_ = ("refused", "wrong_landmark")
TRANSCRIPT = ("refused", "transcript_differs")
PAUSES = world.ERRORS | {"can_pause": True}
STRANGER = "somebody else"


def make() -> Subject:
    """In the order in which a session goes."""
    subject = Subject("landmark_sessions", "A landmark's part of whole sessions, move by move.")
    subject.script("landmark-session", "a plain session, from SESSION to MEASUREMENT", PLAIN.landmark_script)
    subject.script("landmark-session-aborted", "BIND came and no READY", PLAIN.waits.landmark)
    _good(subject)
    _asked_wrongly(subject)
    _bound_wrongly(subject)
    _acknowledged_wrongly(subject)
    _out_of_order(subject)
    _ends_badly(subject)
    return subject


def _good(subject: Subject) -> None:
    pair = Pair().is_bound().is_ready()
    for takes in (3, 1, 2):
        pair.round(takes * MS)
    pair.ends().closes(acknowledged=False)
    subject.script("landmark-session-without-ack", "three rounds, and no ACK comes", pair.landmark)

    pair = Pair(previous={"seq": 41, "digest": seed("what was said before")}).is_bound().is_ready()
    for takes in (3, 1, 2):
        pair.round(takes * MS)
    pair.ends().closes()
    subject.script("landmark-session-later", "it has said 42 things about this agent before", pair.landmark)

    pair = Pair(errors=PAUSES).is_bound().is_ready()
    for takes in (30, 10, 20, 40):
        pair.round(takes * MS)
    pair.ends().closes()
    about = "a machine that can pause: the clock error holds a third of what goes unnoticed"
    subject.script("landmark-session-can-pause", about, pair.landmark)

    pair = Pair().is_bound().is_ready()
    for takes in (3, 1, 2):
        pair.round(takes * MS)
    newest = {"seq": 3, "digest": seed("what was said in another session meanwhile")}
    pair.ends().closes(newest=newest)
    about = "another session of this agent has ended in between: the link continues from there"
    subject.script("landmark-session-overlapping", about, pair.landmark)
    script = world.landmark()
    script.move("open", data=world.SESSION, previous=None, up_since_ns=world.FROM, now_ns=NOW + OPENED)
    script.move("abort", why="stopped", now_ns=NOW + 2 * SECOND, newest={"seq": 1, "digest": newest["digest"]})
    subject.script("landmark-aborted-overlapping", "the same, and this one is given up", script)

    script = world.landmark()
    soon = world.statement("session", payload_of("session") | {"expiry_ns": NOW + 90 * SECOND}, world.VERIFIER)
    script.move("open", data=soon, previous=None, up_since_ns=NOW, now_ns=NOW)
    about = "SESSION expires in 90 s, and CONTRIB 45 s before it; it was issued when the landmark came up"
    subject.script("landmark-session-expires-soon", about, script)
    script = world.landmark()
    script.move("open", data=world.SESSION, previous=None, up_since_ns=world.FROM, now_ns=NOW + 255 * SECOND)
    subject.script("landmark-session-at-the-end", "SESSION has just the 45 s that a session may take", script)
    script = world.landmark()
    later = world.statement("session", payload_of("session") | {"versions": [1, 7]}, world.VERIFIER)
    script.move("open", data=later, previous=None, up_since_ns=world.FROM, now_ns=NOW)
    subject.script("landmark-session-versions", "a verifier that speaks later versions too", script)


def _asked_wrongly(subject: Subject) -> None:
    good = payload_of("session")
    elsewhere = [key.kid for key in world.LANDMARKS if key is not world.FIRST]
    stranger = Signer.named(STRANGER, "verifier")

    def signed(**changes: Any) -> bytes:
        return world.statement("session", good | changes, world.VERIFIER)

    then = NOW + OPENED
    for name, about, data, now_ns, why in (
        (
            "stranger",
            "a verifier that it does not serve",
            world.statement("session", good, stranger),
            then,
            ("refused", "wrong_key"),
        ),
        ("flipped", "a signature that does not hold", flipped(world.SESSION), then, ("refused", "signature_invalid")),
        ("elsewhere", "a session that does not name it", signed(landmarks=elsewhere), then, LANDMARK_),
        ("version", "a verifier that speaks only version 2", signed(versions=[2]), then, ("refused", "wrong_version")),
        ("early", "a session that is not valid yet", world.SESSION, NOW - 1, ("refused", "not_valid_then")),
        (
            "short",
            "a session with less than 45 s left",
            world.SESSION,
            NOW + 255 * SECOND + 1,
            ("refused", "not_valid_then"),
        ),
        (
            "late",
            "a session that is no more valid",
            world.SESSION,
            NOW + 300 * SECOND + 1,
            ("refused", "not_valid_then"),
        ),
        ("bind", "another statement", PLAIN.bind, then, ("refused", "wrong_type")),
        ("garbage", "no statement", b"\xd2\x84", then, ("malformed", "cbor_malformed")),
    ):
        script = world.landmark()
        script.move("open", refused=why, data=data, previous=None, up_since_ns=world.FROM, now_ns=now_ns)
        script.move("open", data=world.SESSION, previous=None, up_since_ns=world.FROM, now_ns=then)
        subject.script(f"landmark-asked-{name}", f"{about}; then a good one", script)
    script = world.landmark()
    why = ("refused", "not_valid_then")
    script.move("open", refused=why, data=world.SESSION, previous=None, up_since_ns=NOW + 1, now_ns=then)
    about = "a session issued before the landmark came up, which it may have opened and forgotten"
    subject.script("landmark-asked-forgotten", about, script)


def _bound_wrongly(subject: Subject) -> None:
    """Every BIND that must be refused, each followed by the good one, which must still be taken."""
    good = payload_of("bind")
    own = next(pair for pair in good["contributions"] if pair[0] == world.FIRST.kid)
    others = [pair for pair in good["contributions"] if pair is not own]
    not_own = sorted([[own[0], seed("another CONTRIB")], *others])
    another = payload_of("session") | {"sid": seed("another sid")[:16]}
    other_session = digest(world.statement("session", another, world.VERIFIER))
    stranger = Signer.named(STRANGER, "enrolment")

    def signed(enrolment: Signer = world.ENROLMENT, **changes: Any) -> bytes:
        return world.statement("bind", good | changes, enrolment, world.SESSION_KEY)

    in_time, late = NOW + BOUND, NOW + OPENED + 60 * SECOND + 1
    absent_too = sorted([*good["absent"], own[0]])
    for name, about, data, now_ns, why in (
        ("session", "of another session", signed(session=other_session), in_time, SESSION),
        ("agent", "of another agent", signed(stranger), in_time, ("refused", "wrong_key")),
        ("contrib", "another CONTRIB than the one it gave", signed(contributions=not_own), in_time, LANDMARK_),
        ("absent", "it is named absent", signed(contributions=others, absent=absent_too), in_time, LANDMARK_),
        ("left-out", "a landmark is left out", signed(absent=[]), in_time, ("refused", "bind_differs")),
        (
            "one-more",
            "a landmark that was not asked is named",
            signed(absent=sorted([*good["absent"], seed("nobody")[:16]])),
            in_time,
            ("refused", "bind_differs"),
        ),
        (
            "named-twice",
            "it has contributed and is absent",
            signed(absent=absent_too),
            in_time,
            ("refused", "bind_differs"),
        ),
        ("small-order", "a key with which anybody would share", signed(x=bytes(32)), in_time, ("refused", "wrong_key")),
        ("late", "a minute after CONTRIB, and 1 ns", PLAIN.bind, late, ("refused", "not_valid_then")),
        ("flipped", "a signature that does not hold", flipped(PLAIN.bind), in_time, ("refused", "signature_invalid")),
    ):
        script = _opened()
        script.move("bind", refused=why, data=data, now_ns=now_ns)
        script.move("bind", data=PLAIN.bind, now_ns=in_time)
        subject.script(f"landmark-bind-{name}", f"{about}; then the good BIND", script)
    script = _opened()
    script.move("bind", data=PLAIN.bind, now_ns=NOW + OPENED + 60 * SECOND)
    subject.script("landmark-bind-in-time", "a minute after CONTRIB, to the nanosecond", script)


def _opened() -> Script:
    """The landmark of the plain session, when SESSION has come."""
    script = world.landmark()
    script.move("open", data=world.SESSION, previous=None, up_since_ns=world.FROM, now_ns=NOW + OPENED)
    return script


def _acknowledged_wrongly(subject: Subject) -> None:
    """Every ACK that must be refused. The session then goes on, and ends with the good one."""
    good = payload_of("ack")
    stranger = Signer.named(STRANGER, "session")

    def signed(key: Signer = world.SESSION_KEY, **changes: Any) -> bytes:
        return world.statement("ack", good | changes, key)

    for name, about, data, why in (
        ("transcript", "of another transcript", signed(transcript=seed("other answers")), TRANSCRIPT),
        ("close", "of another CLOSE", signed(close=seed("another CLOSE")), SESSION),
        ("sid", "of another session", signed(sid=seed("another sid")[:16]), SESSION),
        ("landmark", "of another landmark", signed(landmark=world.SECOND_ONE.kid), LANDMARK_),
        ("answered", "of fewer answers than were taken", signed(answered=5), TRANSCRIPT),
        ("stranger", "by a session key that BIND does not name", signed(stranger), ("refused", "wrong_key")),
        (
            "enrolment",
            "by the enrolment key",
            signed(Signer(world.ENROLMENT.seed, "session")),
            ("refused", "wrong_key"),
        ),
        ("flipped", "a signature that does not hold", flipped(PLAIN.ack), ("refused", "signature_invalid")),
        ("typ", "a CLOSE in its place", PLAIN.close, ("refused", "wrong_type")),
    ):
        script = _closed()
        script.move("acknowledge", refused=why, data=data)
        script.move("acknowledge", data=PLAIN.ack)
        script.move("measure", is_={"measurement": PLAIN.measurement})
        subject.script(f"landmark-ack-{name}", f"{about}; then the good ACK", script)
    script = _closed()
    script.move("acknowledge", data=signed(answered=64))
    script.move("measure")
    subject.script("landmark-ack-more", "the agent answered more rounds than were taken in time", script)


def _closed() -> Script:
    """The landmark of the plain session after its CLOSE: the same moves again."""
    script = world.landmark()
    for move in PLAIN.landmark_script.moves:
        if move["move"] == "acknowledge":
            return script
        script.move(**{"name" if key == "move" else key: value for key, value in move.items()})
    raise AssertionError("the plain session is acknowledged")


def _out_of_order(subject: Subject) -> None:
    name: str
    given: dict[str, Any]
    pair = Pair()
    for name, given in (("close", {}), ("acknowledge", {"data": PLAIN.ack}), ("measure", {})):
        pair.landmark.move(name, refused=ORDER, **given)
    pair.is_bound()
    for name, given in (
        ("bind", {"data": pair.bind, "now_ns": NOW + BOUND}),
        ("acknowledge", {"data": PLAIN.ack}),
        ("measure", {}),
        ("close", {}),
    ):
        pair.landmark.move(name, refused=ORDER, **given)
    pair.is_ready()
    for takes in (3, 1, 2):
        pair.round(takes * MS)
    pair.landmark.move("close", refused=ORDER)
    _, ack, _ = pair.ends().closes()
    for name, given in (
        ("bind", {"data": pair.bind, "now_ns": NOW + BOUND}),
        ("close", {}),
        ("acknowledge", {"data": ack}),
        ("measure", {}),
        ("abort", {"why": "stopped", "now_ns": NOW + 9 * SECOND}),
    ):
        pair.landmark.move(name, refused=ORDER, **given)
    about = "every move at a time that is not its own is refused, and changes nothing"
    subject.script("landmark-out-of-order", about, pair.landmark)

    pair = Pair()
    pair.landmark.move("abort", why="no_bind", now_ns=NOW + 62 * SECOND)
    for name, given in (
        ("bind", {"data": PLAIN.bind, "now_ns": NOW + BOUND}),
        ("abort", {"why": "no_bind", "now_ns": NOW + 63 * SECOND}),
        ("measure", {}),
    ):
        pair.landmark.move(name, refused=ORDER, **given)
    subject.script("landmark-aborted", "no BIND came; nothing comes after ABORT", pair.landmark)


def _ends_badly(subject: Subject) -> None:
    pair = Pair().is_bound().is_ready()
    pair.round(3 * MS)
    pair.round(3 * MS)
    pair.ends().landmark.move("close", refused=("refused", "too_few_answers"))
    pair.landmark.move("measure", refused=ORDER)
    pair.landmark.move("abort", why="too_few_answers", now_ns=NOW + 9 * SECOND)
    subject.script("landmark-two-answers", "two answers bound nothing", pair.landmark)

    pair = Pair().is_bound()
    pair.now_ns += 3 * SECOND
    pair.ends().landmark.move("close", refused=("refused", "too_few_answers"))
    pair.landmark.move("abort", why="no_ready", now_ns=NOW + 9 * SECOND)
    subject.script("landmark-ends-unready", "the phase is ended before READY came", pair.landmark)

    for name, about, ahead_ns in (
        ("paused", "the clock outside says 50 ms more", 50 * MS),
        ("ran", "50 ms less", -50 * MS),
    ):
        pair = Pair().is_bound().is_ready()
        for takes in (3, 1, 2):
            pair.round(takes * MS)
        pair.ends(utc_ns=pair.now_ns + ahead_ns).landmark.move("close", refused=("refused", "clock_disagrees"))
        pair.landmark.move("abort", why="clock", now_ns=NOW + 9 * SECOND)
        subject.script(f"landmark-clock-{name}", f"{about} than the landmark's own: no bound", pair.landmark)

    pair = Pair().is_bound().is_ready()
    for takes in (3, 1, 2):
        pair.round(takes * MS)
    pair.ends(utc_ns=pair.now_ns - 9 * MS).closes()
    about = "the clock outside was set back within its error: the interval ends no earlier than it began"
    subject.script("landmark-clock-set-back", about, pair.landmark)

    for name, steps in (("closed", ("close",)), ("acknowledged", ("close", "acknowledge"))):
        script = _closed()
        if "acknowledge" in steps:
            script.move("acknowledge", data=PLAIN.ack)
        script.move("abort", why="stopped", now_ns=NOW + 9 * SECOND)
        subject.script(f"landmark-stopped-{name}", f"the landmark is told to stop when it has {name}", script)
