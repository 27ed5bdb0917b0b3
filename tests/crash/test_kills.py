"""Whoever is killed, at whatever moment: nothing half is believed, gaps and aborts show, and the next session succeeds.

The sample kills each role once; the soak kills 200 times, in each role's every moment eight times, and prints what came
of it.
"""

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from lightbound.roles.verifier.kept import open_kept
from tests.crash.killing import (
    MOMENTS,
    SESSIONS,
    Campaign,
    Role,
    enrolled,
    landmarks_of,
    still_alive,
    taken_ports,
)
from tests.crash.looking import (
    asked_and_not_answered,
    believed_wrong,
    binds_wrong,
    database_wrong,
    folder_wrong,
)
from tests.crash.moments import Moment
from tests.roles.verifier.running import waited, world

SEED = 20_261_125
SOAK_ROUNDS = 8
PAIRS = tuple((role, moment) for role, moments in MOMENTS.items() for moment in moments)


def campaign(folder: Path, kills: list[tuple[Role, Moment]], *, dice: random.Random, agents: int) -> str:
    """Kill, and look at everything that is left; the figures."""
    copies = folder / "copies"
    copies.mkdir()
    with world(folder, more=SESSIONS) as there:
        running = Campaign(
            world=there,
            agents=[enrolled(there, folder / f"agent-{number}") for number in range(agents)],
            dice=dice,
            copies=copies,
        )
        for agent in running.agents:
            agent.start()
        try:
            running.whole_sessions(since_ns=0)
            for number, (role, moment) in enumerate(kills):
                running.kill(role, moment)
                print(f"{number + 1}: {running.killed[-1]}", flush=True)  # noqa: T201 - how far a long campaign is
                assert running.wrong == []
            assert {one["standing"] for one in running.standings()} == {"verified"}
        finally:
            ended = [agent.stop() for agent in running.agents]
        assert ended == [0] * agents
        # What a landmark said and nobody brought is fetched from it: no gap stays.
        waited(lambda: not there.verifier.gaps() or None, within_s=90)
        assert [there.verifier.stop(), *(landmark.stop() for landmark in there.landmarks)] == [0] * 4
        figures = checked_in_the_end(running)
        assert still_alive(running.orphans) == set()
        assert taken_ports(there) == []
        return figures


def checked_in_the_end(running: Campaign) -> str:
    """Look at all files, now that nothing runs; the figures."""
    there, file = running.world, running.world.verifier.data / "verifier.sqlite"
    wrong = running.verifier.read(file)
    for landmark in there.landmarks:
        ledger = running.ledgers[landmark.key.key_id]
        wrong += ledger.read(landmark.data / "landmark.sqlite")
        wrong += ledger.wrong(is_over=True)
        wrong += folder_wrong(landmark.data, "landmark")
    wrong += folder_wrong(there.verifier.data, "verifier")
    wrong += running.verifier.unknown_to(running.ledgers)
    wrong += [line for one in running.databases() for line in database_wrong(one)]
    wrong += binds_wrong(running.ledgers)
    wrong += [f"never healed: {one}" for one in running.verifier.missing()]
    kept = open_kept(there.verifier.data)
    try:
        key = there.verifier.key.verifying
        more, came = believed_wrong(kept, running.ledgers, verifier=key, admission=landmarks_of(there))
        steps = {(name, part.landmark): str(part.step) for name in came for part in kept.asked.parts(name)}
    finally:
        kept.close()
    wrong += more
    unanswered, begun = asked_and_not_answered(file), 0
    for agent in running.agents:
        sessions = agent.begun()
        begun += len(sessions)
        # Told to end in the middle of one, an agent brings that when it is next started.
        lost = {one for one in unanswered if one[:4] in sessions[:-1]}
        wrong += [f"never brought: {one.hex()}" for one in lost]
        wrong += [f"waits still: {one.hex()}" for one in agent.deliveries() if one[:4] not in sessions[-1:]]
        wrong += [f"run {count} times: {one.hex()}" for one, count in Counter(sessions).items() if count > 1]
        wrong += folder_wrong(agent.data, "agent")
    assert wrong == []
    whole = sum(
        found.verified is not None and len(found.verified.measurements) == len(there.landmarks)
        for found in came.values()
    )
    ends: Counter[str] = sum((ledger.ends() for ledger in running.ledgers.values()), Counter())
    lines = [
        running.figures(steps),
        f"{begun} sessions begun, {len(came)} brought, {whole} measured by all; {len(unanswered)} without an answer",
        f"ends at {len(there.landmarks)} landmarks: {dict(sorted(ends.items()))}",
        f"{len(running.verifier.lacked)} statements found missing when it was looked after a kill; none in the end",
    ]
    return "\n".join(lines)


@pytest.mark.long
def test_whoever_is_killed_the_next_session_succeeds_and_nothing_half_is_kept(tmp_path: Path) -> None:
    dice = random.Random(SEED)
    roles = dice.sample(tuple(Role), k=len(Role))
    kills = [(role, dice.choice(MOMENTS[role])) for role in roles]
    print(campaign(tmp_path, kills, dice=dice, agents=1))  # noqa: T201 - the figures


@pytest.mark.soak
def test_two_hundred_kills(tmp_path: Path) -> None:
    seed = time.time_ns() % 2**32
    print(f"seed {seed}", flush=True)  # noqa: T201 - shown on failure
    dice = random.Random(seed)
    kills = list(PAIRS) * SOAK_ROUNDS
    dice.shuffle(kills)
    print(campaign(tmp_path, kills, dice=dice, agents=2))  # noqa: T201 - the figures of a campaign
