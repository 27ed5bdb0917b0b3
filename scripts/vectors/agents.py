"""Vectors of whole sessions at an agent: with its seeds given, every byte that it says and sends."""

from __future__ import annotations

from typing import Any

from vectors import world
from vectors.octets import Signer, cbor, digest, flipped, seed
from vectors.pair import CONTRIBUTED, OPENED, PLAIN, packet
from vectors.record import Script, Subject
from vectors.statements import payload_of
from vectors.world import NOW, SECOND

ORDER = ("refused", "out_of_order")
SESSION = ("refused", "wrong_session")
LANDMARK = ("refused", "wrong_landmark")
NOT_THEN = ("refused", "not_valid_then")
NOT_ADMITTED = ("refused", "not_admitted")
TRANSCRIPT = ("refused", "transcript_differs")
FIRST = world.FIRST.kid


def make() -> Subject:
    """In the order in which a session goes."""
    subject = Subject("agent_sessions", "An agent's part of whole sessions, move by move.")
    subject.script("agent-session", "a plain session with two landmarks, a third being absent", PLAIN.pair.agent)
    _asked_wrongly(subject)
    _contributed_wrongly(subject)
    _bound(subject)
    _packets(subject)
    _closed_wrongly(subject)
    return subject


def _asked() -> Script:
    script = world.agent()
    script.move("asked", data=world.SESSION, now_ns=NOW + OPENED)
    return script


def _contributed() -> Script:
    script = _asked()
    script.move("contribution", landmark=FIRST, data=PLAIN.contrib, now_ns=NOW + CONTRIBUTED)
    script.move("contribution", landmark=world.SECOND_ONE.kid, data=PLAIN.other_contrib, now_ns=NOW + CONTRIBUTED)
    return script


def _bound_to() -> Script:
    script = _contributed()
    script.move("bind", evidence=world.EVIDENCE, is_={"bind": PLAIN.bind})
    return script


def _asked_wrongly(subject: Subject) -> None:
    good = payload_of("session")
    stranger = Signer.named("somebody else", "verifier")
    other_agent = Signer.named("another agent", "enrolment").public

    def signed(**changes: Any) -> bytes:
        return world.statement("session", good | changes, world.VERIFIER)

    then = NOW + OPENED
    others = world.statement("session", good, stranger)
    for name, about, data, now_ns, why in (
        ("stranger", "by a verifier that it does not trust", others, then, ("refused", "wrong_key")),
        ("agent", "for another agent", signed(agent=other_agent), then, ("refused", "wrong_key")),
        ("directory", "from a directory that it does not trust", signed(directory=seed("x")), then, NOT_ADMITTED),
        (
            "version",
            "by a verifier that speaks only version 2",
            signed(versions=[2]),
            then,
            ("refused", "wrong_version"),
        ),
        ("early", "before it is valid", world.SESSION, NOW - 1, NOT_THEN),
        ("late", "after it was valid", world.SESSION, NOW + 300 * SECOND + 1, NOT_THEN),
        (
            "flipped",
            "with a signature that does not hold",
            flipped(world.SESSION),
            then,
            ("refused", "signature_invalid"),
        ),
    ):
        script = world.agent()
        script.move("asked", refused=why, data=data, now_ns=now_ns)
        script.move("asked", data=world.SESSION, now_ns=then)
        subject.script(f"agent-asked-{name}", f"asked {about}; then as it should be", script)
    script = world.agent(trusted=world.LANDMARKS[:1])
    script.move("asked", refused=NOT_ADMITTED, data=world.SESSION, now_ns=then)
    subject.script("agent-asked-landmarks", "to be timed by landmarks that it does not trust", script)


def _contributed_wrongly(subject: Subject) -> None:
    good = payload_of("contrib")
    other_session = digest(world.statement("session", payload_of("session") | {"versions": [1, 2]}, world.VERIFIER))
    (undrawn,) = (key for key in world.LANDMARKS if key.kid not in world.SESSION_SAYS["landmarks"])

    def signed(key: Signer = world.FIRST, **changes: Any) -> bytes:
        return world.statement("contrib", good | changes, key)

    then = NOW + CONTRIBUTED
    expired = NOW + OPENED + 60 * SECOND + 1
    for name, about, kid, data, now_ns, why in (
        ("session", "for another session", FIRST, signed(session=other_session), then, SESSION),
        ("landmark", "that names another landmark", FIRST, signed(landmark=undrawn.kid), then, LANDMARK),
        ("signer", "by another landmark of the session", FIRST, PLAIN.other_contrib, then, ("refused", "wrong_key")),
        (
            "undrawn",
            "by a landmark that was not asked",
            undrawn.kid,
            signed(undrawn, landmark=undrawn.kid),
            then,
            LANDMARK,
        ),
        ("expired", "that is valid no more", FIRST, PLAIN.contrib, expired, NOT_THEN),
        (
            "small-order",
            "with a key with which anybody would share",
            FIRST,
            signed(x=bytes(32)),
            then,
            ("refused", "wrong_key"),
        ),
        ("version", "of version 2", FIRST, signed(version=2), then, ("malformed", "statement_malformed")),
        (
            "flipped",
            "whose signature does not hold",
            FIRST,
            flipped(PLAIN.contrib),
            then,
            ("refused", "signature_invalid"),
        ),
    ):
        script = _asked()
        script.move("contribution", refused=why, landmark=kid, data=data, now_ns=now_ns)
        script.move("contribution", landmark=FIRST, data=PLAIN.contrib, now_ns=then)
        subject.script(f"agent-contrib-{name}", f"a CONTRIB {about}; then the good one", script)
    script = _contributed()
    again: dict[str, Any] = {"landmark": FIRST, "data": PLAIN.contrib, "now_ns": then}
    script.move("contribution", refused=ORDER, **again)
    script.move("contribution", refused=ORDER, **(again | {"data": signed(random=seed("other dice"))}))
    subject.script("agent-contrib-twice", "a second CONTRIB of a landmark, the same or another", script)
    script = _bound_to()
    third = world.landmark(world.ASKED[2])
    late = third.move("open", data=world.SESSION, previous=None, up_since_ns=world.FROM, now_ns=NOW + OPENED)
    script.move("contribution", refused=ORDER, landmark=world.ABSENT.kid, data=late["contrib"], now_ns=then)
    subject.script("agent-contrib-too-late", "the CONTRIB of a landmark that was named absent", script)


def _bound(subject: Subject) -> None:
    script = _asked()
    script.move("bind", refused=ORDER, evidence=world.EVIDENCE)
    script.move("contribution", landmark=FIRST, data=PLAIN.contrib, now_ns=NOW + CONTRIBUTED)
    script.move("bind", evidence=world.EVIDENCE)
    script.move("bind", refused=ORDER, evidence=world.EVIDENCE)
    subject.script("agent-bind-once", "BIND before any CONTRIB is refused, and so is a second one", script)
    script = _contributed()
    reports = [sorted([seed(f"report {number}"), seed(f"chain {number}")] for number in range(2))]
    evidence = cbor({"quote": seed("quote"), "reports": reports[0]})
    script.move("bind", evidence=evidence)
    subject.script("agent-bind-attested", "BIND holds the digest of evidence; N0 does not depend on it", script)
    script = _contributed()
    third = world.landmark(world.ASKED[2])
    given = third.move("open", data=world.SESSION, previous=None, up_since_ns=world.FROM, now_ns=NOW + OPENED)
    now_ns = NOW + CONTRIBUTED
    script.move("contribution", landmark=world.ABSENT.kid, data=given["contrib"], now_ns=now_ns)
    script.move("bind", evidence=world.EVIDENCE)
    subject.script("agent-bind-complete", "all three have contributed, and nobody is absent", script)


def _packets(subject: Subject) -> None:
    keys = PLAIN.pair.keys()
    context: dict[str, Any] = {"handle": keys["handle"], "number": 0, "nonce": PLAIN.probe[16:32]}
    other = packet(2, keys["to_agent"], **(context | {"nonce": seed("another nonce")[:16]}))
    script = _bound_to()
    script.move("ready", landmark=FIRST, is_={"packet": PLAIN.ready})
    for data in (
        packet(2, keys["to_landmark"], **context),
        packet(1, keys["to_agent"], **(context | {"number": 0})),
        packet(3, keys["to_agent"], **context),
        packet(2, keys["to_agent"], **(context | {"handle": flipped(keys["handle"])})),
        packet(2, keys["to_agent"], **(context | {"number": 64})),
        flipped(PLAIN.probe, 40),
        flipped(PLAIN.probe, 63),
        PLAIN.probe[:63],
        PLAIN.ready,
        b"",
    ):
        script.move("packet", landmark=FIRST, data=data, is_={"reply": None})
    script.move("packet", landmark=world.SECOND_ONE.kid, data=PLAIN.probe, is_={"reply": None})
    script.move("packet", landmark=FIRST, data=PLAIN.probe, is_={"reply": PLAIN.reply})
    script.move("packet", landmark=FIRST, data=other, is_={"reply": None})
    for _ in range(3):
        script.move("packet", landmark=FIRST, data=PLAIN.probe, is_={"reply": PLAIN.reply})
    script.move("packet", landmark=FIRST, data=PLAIN.probe, is_={"reply": None})
    last = packet(2, keys["to_agent"], **(context | {"number": 63}))
    script.move("packet", landmark=FIRST, data=last)
    about = "a challenge is answered four times, another of its round never, and what is no challenge not at all"
    subject.script("agent-packets", about, script)


def _closed_wrongly(subject: Subject) -> None:
    good = payload_of("close")
    transcript = seed("other answers")

    def signed(key: Signer = world.FIRST, **changes: Any) -> bytes:
        return world.statement("close", good | changes, key)

    def answered() -> Script:
        script = _bound_to()
        for move in PLAIN.pair.agent.moves:
            if move["move"] == "packet":
                script.move("packet", landmark=FIRST, data=move["data"])
        return script

    for name, about, data, why in (
        ("transcript", "of other answers", signed(transcript=transcript), TRANSCRIPT),
        ("fewer", "that leaves one out and keeps the transcript", signed(accepted=[0, 1, 2, 3, 4]), TRANSCRIPT),
        ("unasked", "with a round that was never answered", signed(rounds_sent=7, accepted=[*range(7)]), TRANSCRIPT),
        ("sid", "of another session", signed(sid=seed("another sid")[:16]), SESSION),
        ("bind", "of another BIND", signed(bind=seed("another BIND")), SESSION),
        ("landmark", "that names another landmark", signed(landmark=world.ABSENT.kid), LANDMARK),
        ("signer", "by another landmark", signed(world.SECOND_ONE), ("refused", "wrong_key")),
        ("flipped", "whose signature does not hold", flipped(PLAIN.close), ("refused", "signature_invalid")),
    ):
        script = answered()
        script.move("close", refused=why, landmark=FIRST, data=data)
        script.move("close", landmark=FIRST, data=PLAIN.close, is_={"ack": PLAIN.ack})
        subject.script(f"agent-close-{name}", f"a CLOSE {about}; then the good one", script)
    script = answered()
    script.move("close", landmark=FIRST, data=PLAIN.close, is_={"ack": PLAIN.ack})
    script.move("close", landmark=FIRST, data=PLAIN.close, is_={"ack": PLAIN.ack})
    script.move("close", refused=ORDER, landmark=FIRST, data=signed(random=seed("other dice")))
    subject.script("agent-close-again", "the same CLOSE gets the same ACK, another none", script)
    script = _bound_to()
    script.move("close", refused=TRANSCRIPT, landmark=FIRST, data=PLAIN.close)
    subject.script("agent-close-unanswered", "CLOSE of rounds that this agent was never asked", script)
    script = _bound_to()
    script.move("close", refused=ORDER, landmark=world.ABSENT.kid, data=PLAIN.close)
    subject.script("agent-close-absent", "CLOSE of a landmark that was absent", script)
    script = _contributed()
    script.move("close", refused=ORDER, landmark=FIRST, data=PLAIN.close)
    subject.script("agent-close-early", "CLOSE before BIND", script)
