"""Vectors of how the timed phase ends at a landmark: after enough rounds, silence, or half a minute."""

from __future__ import annotations

from vectors.pair import MS, Pair
from vectors.record import Subject
from vectors.world import SECOND, at

ORDER = ("refused", "out_of_order")


def add(subject: Subject) -> None:
    """Every end."""
    _whole(subject)
    _far(subject)
    _otherwise(subject)


def _begun() -> Pair:
    return Pair().is_bound()


def _whole(subject: Subject) -> None:
    pair = _begun().is_ready()
    for number in range(64):
        takes_ns = (20 * MS + 137_911 * ((number * 29) % 61)) // 10 * 3
        if number % 16 == 11:
            pair.due(challenge=True, over=False)
            pair.challenge()
            pair.now_ns += 500 * MS
            pair.due(over=number == 63)
        else:
            pair.round(
                takes_ns, gap_ns=1_000 * (number * 37 % 101), check_ns=takes_ns + (50_000 if number == 40 else 0)
            )
    pair.due(challenge=False, over=True)
    pair.landmark.move("challenge", refused=ORDER, nonce=bytes(16), gap_ns=0, at=at(pair.now_ns + SECOND))
    pair.ends().closes()
    about = "all 64 rounds: four are not answered, one is dropped"
    subject.script("phase-whole", about, pair.landmark)


def _far(subject: Subject) -> None:
    for name, about, takes_ns, over in (
        ("far", "16 rounds are enough if the third smallest is over 50 ms", 50 * MS + 1, True),
        ("near", "they are not if it is 50 ms", 50 * MS, False),
    ):
        pair = _begun().is_ready()
        for number in range(16):
            pair.due(challenge=True, over=False)
            pair.round(takes_ns if number > 1 else MS)
        pair.due(challenge=not over, over=over)
        pair.ends().closes()
        subject.script(f"phase-{name}", about, pair.landmark)

    pair = _begun().is_ready()
    for _ in range(15):
        pair.round(50 * MS + 1)
    pair.silent(2 * (50 * MS + 1) + 20 * MS)
    pair.due(over=True)
    pair.ends().closes()
    subject.script("phase-far-silent", "the 16th round counts although it was not answered", pair.landmark)


def _otherwise(subject: Subject) -> None:
    pair = _begun().is_ready()
    for _ in range(3):
        pair.round(2 * MS)
    for number in range(16):
        pair.due(challenge=True, over=False)
        pair.challenge()
        pair.now_ns += 24 * MS
        pair.due(over=number == 15)
    pair.ends().closes()
    subject.script("phase-fallen-silent", "16 rounds in a row without an answer end it", pair.landmark)

    pair = _begun().is_ready()
    for _ in range(3):
        pair.round(2 * MS)
    pair.now_ns += 30 * SECOND - 6 * MS - MS
    pair.due(challenge=True, over=False)
    reply = pair.reply(pair.challenge())
    pair.comes(reply, at(pair.now_ns + MS), useful=False)
    pair.now_ns += MS
    pair.due(challenge=False, over=True)
    pair.ends().closes()
    subject.script(
        "phase-half-a-minute", "30 s after the first challenge it is over, whatever is awaited", pair.landmark
    )

    pair = _begun().is_ready()
    for _ in range(3):
        pair.round(2 * MS)
    pair.ends()
    pair.comes(pair.ready(), at(pair.now_ns), useful=False)
    pair.landmark.move("challenge", refused=ORDER, nonce=bytes(16), gap_ns=0, at=at(pair.now_ns))
    pair.now_ns += 9 * SECOND
    pair.ends().closes()
    pair.due(challenge=False, over=True)
    subject.script("phase-ended", "nothing comes after the end, and it ends once", pair.landmark)
