"""A database that is put back from an old copy: what docs/operations.md says that it costs, in earnest."""

import random
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from lightbound.roles.verifier.schedule import SHORTEST_NS
from tests.crash.killing import SESSIONS, Campaign, enrolled
from tests.roles.verifier.running import waited, world


@pytest.mark.soak
def test_an_old_copy_of_a_landmarks_database_shows_as_two_stories_and_accuses_nobody(tmp_path: Path) -> None:
    with world(tmp_path, more=SESSIONS) as there:
        agent, first = enrolled(there, tmp_path / "agent"), there.landmarks[0]
        running = Campaign(world=there, agents=[agent], dice=random.Random(0), copies=tmp_path)
        agent.start()
        try:
            running.whole_sessions(since_ns=0)
            assert first.stop() == 0
            # It has ended well: there is one file.
            assert not (first.data / "landmark.sqlite-wal").exists()
            shutil.copyfile(first.data / "landmark.sqlite", tmp_path / "old")
            first.start()
            running.whole_sessions(since_ns=time.time_ns())
            assert first.stop() == 0
            shutil.copyfile(tmp_path / "old", first.data / "landmark.sqlite")
            first.start()
            running.whole_sessions(since_ns=time.time_ns())

            def forked() -> dict[str, Any] | None:
                (chip,) = running.standings()
                assert chip["standing"] == "verified"
                return next((one for one in chip["sequence_breaks"] if one["forked"]), None)

            assert waited(forked, within_s=60)["landmark"] == first.key.key_id.hex()
        finally:
            assert agent.stop() == 0


@pytest.mark.soak
def test_an_old_copy_of_a_verifiers_database_costs_what_came_since_and_nothing_else(tmp_path: Path) -> None:
    with world(tmp_path, more=SESSIONS) as there:
        agent, verifier = enrolled(there, tmp_path / "agent"), there.verifier
        running = Campaign(world=there, agents=[agent], dice=random.Random(0), copies=tmp_path)
        agent.start()
        try:
            running.whole_sessions(since_ns=0)
            assert verifier.stop() == 0
            assert not (verifier.data / "verifier.sqlite-wal").exists()
            shutil.copyfile(verifier.data / "verifier.sqlite", tmp_path / "old")
            verifier.start()
            running.whole_sessions(since_ns=time.time_ns())
            assert verifier.stop() == 0
            shutil.copyfile(tmp_path / "old", verifier.data / "verifier.sqlite")
            verifier.start()
            # A session that was asked in the copy and answered since is not run again: it runs out first. What
            # landmarks said in sessions that the verifier does not know is fetched from them, and is no gap.
            running.whole_sessions(since_ns=time.time_ns(), within_s=2 * SHORTEST_NS / 1e9)
            assert agent.stop() == 0
            waited(lambda: not verifier.gaps() or None, within_s=90)
            assert running.standings()[0]["sequence_breaks"] == []
            assert running.standings()[0]["standing"] == "verified"
        finally:
            assert agent.stop() == 0
