"""Vectors of the timed phase at a landmark: which packets are of use, when a challenge may be sent, when it is over."""

from __future__ import annotations

from typing import Any

from vectors import phase_ends, world
from vectors.octets import flipped
from vectors.pair import MS, Pair, packet
from vectors.record import Subject
from vectors.world import at

ORDER = ("refused", "out_of_order")
ELSEWHERE = "203.0.113.99:5000"
"""Where somebody is who copies packets."""


def make() -> Subject:
    """READY, challenges, answers, the end."""
    subject = Subject("timed_phases", "The timed phase at a landmark: packets, times, and when it is over.")
    _ready(subject)
    _grants(subject)
    _addresses(subject)
    _replies(subject)
    _waits(subject)
    _clocks(subject)
    phase_ends.add(subject)
    return subject


def _begun(**options: Any) -> Pair:
    return Pair(**options).is_bound()


def _finish(pair: Pair, rounds: int = 3) -> None:
    """Three rounds more, and MEASUREMENT, in which everything shows that counted."""
    for _ in range(rounds):
        pair.round(2 * MS)
    pair.ends().closes()


def _ready(subject: Subject) -> None:
    pair = _begun()
    keys, cookie = pair.keys(), world.dice(f"landmark {world.ASKED[0]}")["cookie"]
    context: dict[str, Any] = {"handle": keys["handle"], "number": 0, "nonce": cookie}
    pair.landmark.move("challenge", refused=ORDER, nonce=bytes(16), gap_ns=0, at=at(pair.now_ns))
    pair.due(challenge=False, over=False)
    ready = bytes.fromhex(pair.ready())
    for data in (
        packet(1, keys["to_landmark"], **(context | {"nonce": flipped(cookie)})),
        packet(1, keys["to_agent"], **context),
        packet(1, keys["to_landmark"], **(context | {"handle": flipped(keys["handle"])})),
        packet(3, keys["to_landmark"], **context),
        packet(2, keys["to_agent"], **context),
        flipped(ready, 40),
        ready[:63],
        ready + b"\0",
        flipped(ready, 63),
        b"",
    ):
        pair.comes(data, at(pair.now_ns), useful=False)
    pair.due(challenge=False, over=False)
    pair.comes(ready, at(pair.now_ns))
    pair.due(challenge=True, over=False)
    _finish(pair)
    about = "a wrong cookie, key, handle, type, tag or length opens nothing; READY does"
    subject.script("phase-ready", about, pair.landmark)


def _grants(subject: Subject) -> None:
    pair = _begun().is_ready()
    pair.challenge()
    pair.due(499 * MS, challenge=False)
    pair.due(500 * MS, challenge=False, over=False)
    pair.now_ns += 700 * MS
    pair.landmark.move("challenge", refused=ORDER, nonce=bytes(16), gap_ns=0, at=at(pair.now_ns))
    pair.is_ready()
    pair.comes(pair.ready(), at(pair.now_ns), useful=False)
    pair.challenge()
    pair.now_ns += 600 * MS
    pair.due(challenge=False, over=False)
    pair.is_ready()
    _finish(pair)
    about = "before the first answer each READY is worth one challenge, and two READY at once are worth one"
    subject.script("phase-no-amplification", about, pair.landmark)

    pair = _begun().is_ready()
    pair.comes(pair.ready(), at(pair.now_ns), useful=False)
    pair.round(2 * MS)
    pair.comes(pair.ready(), at(pair.now_ns), useful=False)
    pair.silent(500 * MS)
    pair.silent(500 * MS)
    _finish(pair)
    about = "after the first answer challenges need no READY, and READY does nothing"
    subject.script("phase-answered-once", about, pair.landmark)


def _addresses(subject: Subject) -> None:
    pair = _begun()
    ready = pair.ready()
    pair.comes(ready, at(pair.now_ns), source=ELSEWHERE)
    pair.comes(ready, at(pair.now_ns))
    first = pair.challenge()
    pair.due(500 * MS, challenge=True)
    pair.now_ns += 500 * MS
    reply = pair.reply(pair.challenge())
    pair.comes(pair.reply(first), at(pair.now_ns + MS), useful=False)
    pair.comes(reply, at(pair.now_ns + MS), useful=False, source=ELSEWHERE)
    pair.comes(reply, at(pair.now_ns + 2 * MS))
    pair.now_ns += 2 * MS
    pair.comes(ready, at(pair.now_ns), useful=False, source=ELSEWHERE)
    late = pair.reply(pair.challenge())
    pair.comes(late, at(pair.now_ns + MS), useful=False, source=ELSEWHERE)
    pair.comes(late, at(pair.now_ns + 2 * MS))
    pair.now_ns += 2 * MS
    _finish(pair, rounds=2)
    about = (
        "a copy of READY from elsewhere gets its own challenge and keeps nobody out; the first answer's address stays"
    )
    subject.script("phase-copied-ready", about, pair.landmark)

    pair = _begun()
    for number in range(5):
        pair.comes(pair.ready(), at(pair.now_ns), useful=number < 4, source=f"203.0.113.{number}:5000")
    pair.challenge()
    pair.due(500 * MS, challenge=True)
    pair.now_ns += 500 * MS
    pair.is_ready()
    about = "four addresses wait for their first challenge at most"
    subject.script("phase-many-addresses", about, pair.landmark)


def _replies(subject: Subject) -> None:
    pair = _begun().is_ready()
    keys = pair.keys()
    probe = bytes.fromhex(pair.challenge())
    reply = bytes.fromhex(pair.reply(probe.hex()))
    context: dict[str, Any] = {"handle": keys["handle"], "number": 0, "nonce": probe[16:32]}
    soon = at(pair.now_ns + MS)
    for data in (
        packet(3, keys["to_landmark"], **(context | {"nonce": flipped(probe[16:32])})),
        packet(3, keys["to_landmark"], **(context | {"number": 1})),
        packet(3, keys["to_landmark"], **(context | {"handle": flipped(keys["handle"])})),
        packet(3, keys["to_agent"], **context),
        packet(2, keys["to_landmark"], **context),
        probe,
        flipped(reply, 32),
        flipped(reply, 60),
        reply[:-1],
    ):
        pair.comes(data, soon, useful=False)
    pair.comes(reply, at(pair.now_ns + 2 * MS))
    pair.comes(reply, at(pair.now_ns + 3 * MS), useful=False)
    pair.now_ns += 3 * MS
    second = bytes.fromhex(pair.challenge())
    pair.comes(reply, at(pair.now_ns + MS), useful=False)
    pair.comes(pair.reply(second.hex()), at(pair.now_ns + 2 * MS))
    pair.now_ns += 2 * MS
    _finish(pair, rounds=2)
    about = "another nonce, round, handle, key, type, tag or length answers nothing, and neither does an answer again"
    subject.script("phase-replies", about, pair.landmark)

    other = Pair(world.ASKED[1])
    pair = Pair()
    pair.contributes(other)
    pair.is_bound().is_ready()
    other.bind = pair.bind
    answered = bytes.fromhex(pair.challenge())
    keys = other.keys()
    relayed = packet(3, keys["to_landmark"], handle=keys["handle"], number=0, nonce=answered[16:32])
    pair.comes(relayed, at(pair.now_ns + MS), useful=False)
    pair.comes(pair.reply(answered.hex()), at(pair.now_ns + 2 * MS))
    pair.now_ns += 2 * MS
    _finish(pair, rounds=2)
    about = "an answer made for another landmark of the session answers nothing here"
    subject.script("phase-relayed-reply", about, pair.landmark)


def _waits(subject: Subject) -> None:
    pair = _begun().is_ready()
    for _ in range(3):
        pair.round(10 * MS)
    late = pair.reply(pair.challenge())
    pair.due(40 * MS - 1, challenge=False)
    pair.comes(late, at(pair.now_ns + 40 * MS), useful=False)
    pair.due(40 * MS, challenge=True)
    pair.comes(late, at(pair.now_ns + 41 * MS), useful=False)
    pair.now_ns += 41 * MS
    in_time = pair.reply(pair.challenge())
    pair.comes(in_time, at(pair.now_ns + 40 * MS - 1))
    pair.now_ns += 40 * MS
    pair.ends().closes()
    about = "after three answers of 10 ms a challenge waits for 40 ms, and what comes then is late"
    subject.script("phase-patience", about, pair.landmark)

    pair = _begun().is_ready()
    pair.round(2 * MS)
    late = pair.reply(pair.challenge())
    pair.comes(late, at(pair.now_ns + 500 * MS), useful=False)
    pair.now_ns += 500 * MS
    _finish(pair)
    subject.script("phase-late", "before that it waits for half a second", pair.landmark)

    pair = _begun().is_ready()
    for _ in range(3):
        pair.round(300 * MS)
    late = pair.reply(pair.challenge())
    pair.due(500 * MS - 1, challenge=False)
    pair.comes(late, at(pair.now_ns + 500 * MS), useful=False)
    pair.due(500 * MS, challenge=True)
    pair.now_ns += 500 * MS
    pair.ends().closes()
    subject.script("phase-far-away", "it never waits for longer than half a second", pair.landmark)

    pair = _begun().is_ready()
    pair.round(2 * MS, gap_ns=5 * MS)
    pair.now_ns -= 5 * MS
    pair.landmark.move("challenge", refused=ORDER, nonce=bytes(16), gap_ns=0, at=at(pair.now_ns))
    pair.due(5 * MS - 1, challenge=False)
    pair.due(5 * MS, challenge=True)
    pair.now_ns += 5 * MS
    pair.challenge(gap_ns=5 * MS)
    pair.landmark.move("challenge", refused=ORDER, nonce=bytes(16), gap_ns=0, at=at(pair.now_ns + MS))
    pair.now_ns += 500 * MS
    pair.due(challenge=False)
    pair.now_ns += 5 * MS
    pair.due(challenge=True)
    _finish(pair)
    subject.script("phase-gaps", "the gap before the next challenge is kept, and one is out at a time", pair.landmark)


def _clocks(subject: Subject) -> None:
    pair = _begun().is_ready()
    pair.round(30 * MS, check_ns=30 * MS - 7_999)
    pair.round(30 * MS, check_ns=30 * MS - 7_998)
    pair.round(29 * MS, check_ns=29 * MS)
    pair.round(30 * MS, check_ns=50 * MS)
    pair.round(31 * MS, check_ns=31 * MS + 8_000)
    pair.ends().closes()
    about = "rounds on which the landmark's two clocks disagree are dropped, and counted"
    subject.script("phase-clocks-disagree", about, pair.landmark)

    pair = _begun().is_ready()
    reply = pair.reply(pair.challenge())
    pair.comes(reply, at(pair.now_ns - 5 * MS, check_ns=pair.now_ns + 30 * MS))
    _finish(pair)
    subject.script("phase-clock-set-back", "the clock was set back during a round: it is dropped", pair.landmark)
