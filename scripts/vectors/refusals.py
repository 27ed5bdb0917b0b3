"""Vectors of what a landmark refuses: SESSION, BIND and ACK that are wrong in one way, and then the good one."""

from __future__ import annotations

from typing import Any

from vectors import world
from vectors.octets import Signer, digest, flipped, seed
from vectors.pair import BOUND, OPENED, PLAIN
from vectors.record import Script, Subject
from vectors.statements import payload_of
from vectors.world import NOW, SECOND

SESSION = ("refused", "wrong_session")
LANDMARK_ = ("refused", "wrong_landmark")
TRANSCRIPT = ("refused", "transcript_differs")
STRANGER = "somebody else"


def add(subject: Subject) -> None:
    """In the order in which a session goes."""
    _asked_wrongly(subject)
    _bound_wrongly(subject)
    _acknowledged_wrongly(subject)


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
        script = closed()
        script.move("acknowledge", refused=why, data=data)
        script.move("acknowledge", data=PLAIN.ack)
        script.move("measure", is_={"measurement": PLAIN.measurement})
        subject.script(f"landmark-ack-{name}", f"{about}; then the good ACK", script)
    script = closed()
    script.move("acknowledge", data=signed(answered=64))
    script.move("measure")
    subject.script("landmark-ack-more", "the agent answered more rounds than were taken in time", script)


def closed() -> Script:
    """The landmark of the plain session after its CLOSE: the same moves again."""
    script = world.landmark()
    for move in PLAIN.landmark_script.moves:
        if move["move"] == "acknowledge":
            return script
        script.move(**{"name" if key == "move" else key: value for key, value in move.items()})
    raise AssertionError("the plain session is acknowledged")
