"""Vectors of whole sessions at a landmark: with its dice and clocks given, every byte that it says and sends."""

from __future__ import annotations

from typing import Any

from vectors import refusals, world
from vectors.octets import seed
from vectors.pair import BOUND, MS, OPENED, PLAIN, Pair
from vectors.record import Subject
from vectors.refusals import closed
from vectors.statements import payload_of
from vectors.world import NOW, SECOND

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
    refusals.add(subject)
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
        script = closed()
        if "acknowledge" in steps:
            script.move("acknowledge", data=PLAIN.ack)
        script.move("abort", why="stopped", now_ns=NOW + 9 * SECOND)
        subject.script(f"landmark-stopped-{name}", f"the landmark is told to stop when it has {name}", script)
