"""When somebody is killed: moments of a session that are seen from outside, and a little time of the dice's after each.

A session takes some 350 ms here. At 5 ms OPEN is stored at every landmark, BIND comes within 30 ms, then 64 rounds are
timed, and between CLOSE and the verifier's having the delivery there are 20 ms. Dice alone would hardly ever find
those; so what ends one stage is waited for, in the databases and over HTTP as anybody could, and the kill follows.
"""

import random
import select
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from lightbound.errors import LightboundError
from lightbound.net.http_client import Server

T = TypeVar("T")

GIVE_UP_S: Final = 10.0
"""No session comes: any moment is as good."""

LOOK_S: Final = 0.0003


class Moment(StrEnum):
    """Between what and what the kill falls."""

    ASKED = "SESSION stored, not run"
    OPENED = "OPEN stored, CONTRIB given"
    BOUND = "around BIND"
    TIMED = "in the timed phase"
    CLOSED = "CLOSE given, ACK"
    WRITTEN = "delivery being written"
    BROUGHT = "delivery taken, decided"
    ANY = "any time"


AFTER_S: Final = {
    Moment.ASKED: (0.0, 0.006),
    Moment.OPENED: (0.0, 0.004),
    Moment.BOUND: (0.004, 0.04),
    Moment.TIMED: (0.04, 0.25),
    Moment.CLOSED: (0.0, 0.008),
    Moment.WRITTEN: (0.0, 0.004),
    Moment.BROUGHT: (0.0, 0.05),
    Moment.ANY: (0.0, 1.5),
}
"""How long after what is waited for the kill comes: from, to."""


def await_moment(
    moment: Moment,
    dice: random.Random,
    *,
    agent: bytes,
    deliveries: Path,
    landmark: Path,
    landmark_url: str,
    verifier: Path,
) -> None:
    """Wait for a moment of the next session of an agent, with a landmark; both files are databases."""
    after_s = dice.uniform(*AFTER_S[moment])
    match moment:
        case Moment.ASKED:
            _grown(verifier, "SELECT session_digest FROM sessions WHERE agent_id = ?", agent)
        case Moment.OPENED | Moment.BOUND | Moment.TIMED:
            _opened(landmark, agent)
        case Moment.CLOSED:
            session = _opened(landmark, agent)
            # What this asks is answered in the moment in which CLOSE is there, to the agent as well.
            with suppress(LightboundError), Server(landmark_url) as server:
                server.get(f"/clp1/sessions/{session.hex()}/close", query={"wait_s": "5"}, wait_s=5)
        case Moment.WRITTEN:
            _seen(lambda: any(deliveries.iterdir()) or None)
        case Moment.BROUGHT:
            query = "SELECT session_digest FROM sessions WHERE agent_id = ? AND delivery IS NOT NULL"
            _grown(verifier, query, agent)
        case Moment.ANY:
            pass
    _pause(after_s)


def _opened(landmark: Path, agent: bytes) -> bytes:
    return _grown(landmark, "SELECT session_digest FROM sessions WHERE agent_id = ?", agent)


def _grown(file: Path, query: str, agent: bytes) -> bytes:
    """The newest row, once there is one more than now; the newest there is, if none comes."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)) as database:

        def newest() -> tuple[int, bytes]:
            row = database.execute(f"{query} ORDER BY rowid DESC LIMIT 1", (agent,)).fetchone()
            count = len(database.execute(query, (agent,)).fetchall())
            return count, b"" if row is None else row[0]

        before, _ = newest()
        _seen(lambda: newest()[0] > before or None)
        return newest()[1]


def _seen(found: Callable[[], T | None]) -> T | None:
    """What is found, once it is; None if it never comes."""
    give_up = time.monotonic() + GIVE_UP_S
    while (value := found()) is None and time.monotonic() < give_up:
        _pause(LOOK_S)
    return value


def _pause(time_s: float) -> None:
    # A chance delay is what is wanted here; nothing waits for it.
    select.select([], [], [], time_s)
