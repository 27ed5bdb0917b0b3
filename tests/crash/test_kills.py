"""Whoever is killed, at whatever moment: nothing half is believed, gaps show, and the next session succeeds.

The sample kills each role once; the soak kills 200 times, and prints what came of it.
"""

import random
import statistics
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.crash.killing import ROLES, SESSIONS, Campaign, alive, enrolled, said_by, whole_databases
from tests.roles.verifier.running import waited, world

SEED = 20_261_125


def campaign(folder: Path, *, kills: int, seed: int) -> None:
    """Kill so often, and look at everything that is left."""
    with world(folder, more=SESSIONS) as there:
        agent = enrolled(there, folder / "agent")
        agent.start()
        dice = random.Random(seed)
        running = Campaign(world=there, agent=agent, dice=dice)
        running.whole_session(since_ns=0)
        roles = [ROLES[number % len(ROLES)] for number in range(kills)]
        dice.shuffle(roles)
        try:
            for role in roles:
                running.kill(role)
            # What a landmark said and nobody brought is fetched from it: in the end no sequence has a gap.
            waited(lambda: not any(one["sequence_breaks"] for one in running.standings()) or None, within_s=60)
            assert {one["standing"] for one in running.standings()} == {"verified"}
        finally:
            ended = agent.stop()
        assert ended == 0
        for landmark in there.landmarks:
            # What waits for a BIND that will not come ends with it.
            assert landmark.stop() == 0
        said = [said_by(landmark) for landmark in there.landmarks]
        assert [wrong for wrong, _ in said] == [[]] * len(said), f"seed {seed}"
        assert whole_databases(running) == [], f"seed {seed}"
        assert alive(running.orphans) == set()
        parts = list(folder.rglob("*.part"))
        assert len(parts) <= running.killed.count("agent")
        ends: Counter[str] = sum((Counter(ends) for _, ends in said), Counter())
        print(  # noqa: T201 - the figures of a campaign
            f"\nseed {seed}: {dict(Counter(running.killed))}; ends at {len(said)} landmarks: {dict(ends)}; next whole "
            f"session after {statistics.median(running.took_s):.1f} s, at most {max(running.took_s):.1f} s; "
            f"{len(parts)} part files"
        )


def test_whoever_is_killed_the_next_session_succeeds_and_nothing_half_is_kept(tmp_path: Path) -> None:
    campaign(tmp_path, kills=len(ROLES), seed=SEED)


@pytest.mark.soak
def test_two_hundred_kills(tmp_path: Path) -> None:
    campaign(tmp_path, kills=200, seed=time.time_ns() % 2**32)
