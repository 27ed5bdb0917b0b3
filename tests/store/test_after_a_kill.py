"""Whatever moment a verifier is killed at, what it said it kept is there, and nothing is there in part."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from lightbound.store.asked import CHECKED, PartKept
from lightbound.store.engine import reading
from lightbound.store.judged import Decision
from tests.ranging.parties import NOW_NS, secret
from tests.store.made import Stores, agent, chips_of, enrol, invitation, session, stores

ROUNDS = 30
"""Of killing, each at a moment of its own."""

STEPS = 6


def steps(kept: Stores, number: int) -> Iterator[None]:
    """Everything that a verifier keeps of one agent, one transaction after the other."""
    kept.enrolments.invite(invitation(number))
    yield
    kept.enrolments.enrol(enrol(number), b"%d" % number, now_ns=NOW_NS)
    yield
    made = session(number, of=number)
    kept.asked.give(agent(number).key_id, lambda _newest: made)
    yield
    kept.asked.deliver(made.digest, bytes(50_000), content=bytes(32), now_ns=NOW_NS, in_time_ns=NOW_NS)
    yield
    parts = [PartKept(landmark=secret(place)[:16], outcome="measured") for place in range(8)]
    kept.asked.conclude(made.digest, state=CHECKED, step=None, why=None, parts=parts, evidence=b"\xa0", ask_ns=NOW_NS)
    yield
    decisions = [Decision(chip=chip, standing="verified", line="{}") for chip in chips_of(number)]
    kept.judged.decide(decisions, basis=[made.digest], looked_at=[made.digest], now_ns=NOW_NS)
    yield


def works_until_killed(path: Path, first: int, told: int) -> None:
    """The child: keeps agent after agent, and tells of each step that is done."""
    with stores(path) as kept:
        for number in range(first, first + 100_000):
            for _ in steps(kept, number):
                os.write(told, b".")


def killed_at(path: Path, first: int, after_s: float) -> int:
    """How many steps a child told of before it was killed, so long after its first."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            works_until_killed(path, first, writer)
        finally:
            os._exit(1)
    os.close(writer)
    assert os.read(reader, 1) == b"."
    time.sleep(after_s)  # the moment of death is what is tried here, and nothing is waited for
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    count = 1
    while piece := os.read(reader, 65_536):
        count += len(piece)
    os.close(reader)
    return count


def check_whole(kept: Stores, number: int, done: int) -> None:
    """Of one agent at least these steps are there, and each of them wholly or not at all."""
    known = kept.enrolments.agent(agent(number).key_id)
    assert (known is not None) or done < 2
    assert kept.enrolments.chips(agent(number).key_id) == ([] if known is None else list(chips_of(number)))
    found = kept.asked.newest(agent(number).key_id)
    assert (found is not None) or done < 3
    assert (found is not None and found.delivery == bytes(50_000)) or done < 4
    if found is not None:
        parts = kept.asked.parts(found.digest)
        assert len(parts) == (8 if found.state == CHECKED else 0)
        assert found.state == CHECKED or done < 5
        standings = [one.standing for one in kept.judged.chips() if one.agent == agent(number).key_id]
        assert standings == (["verified"] * 3 if found.decided_ns is not None else [None] * 3)
        assert found.decided_ns is not None or done < 6


@pytest.mark.parametrize("part", range(3))
def test_what_was_told_is_there_and_nothing_is_there_in_part(part: int, tmp_path: Path) -> None:
    path, first = tmp_path / "db", 0
    for number in range(ROUNDS // 3):
        after_s = secret("moment", part, number)[0] / 256 / 20
        count = killed_at(path, first, after_s)
        with stores(path) as kept:
            with reading(kept.engine) as connection:
                assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
                assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
            whole, more = divmod(count, STEPS)
            for one in range(first, first + whole):
                check_whole(kept, one, STEPS)
            check_whole(kept, first + whole, more)
        first += whole + 2
