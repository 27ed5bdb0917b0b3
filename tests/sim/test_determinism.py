"""A simulation is a function of its scenario and seed: the same bytes in every process, others with another seed."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence

import pytest

from lightbound.sim.scenario_file import packaged_names
from tests.house import tree
from tests.sim.fingerprints import SESSIONS, fingerprint, sessions, small

WITH_MEMORY = ("world", "network-replaying", "answers-replayed", "machine-paused", "landmark-tells-two-stories")
"""Scenarios in which a session is not like the others: sequences go on, cheats remember, machines stop."""


def in_another_process(hash_seed: str, names: Sequence[str]) -> dict[str, list[str]]:
    command = [sys.executable, "-m", "tests.sim.fingerprints", *names]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(command, cwd=tree.ROOT, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_a_scenario_and_a_seed_give_the_same_bytes_of_every_statement_in_every_process() -> None:
    assert in_another_process("1", WITH_MEMORY) == {name: fingerprint(name) for name in WITH_MEMORY}


@pytest.mark.soak
def test_every_scenario_gives_the_same_bytes_in_every_process() -> None:
    one, other = in_another_process("1", packaged_names()), in_another_process("2", packaged_names())
    assert list(one) == packaged_names()
    assert one == other


@pytest.mark.parametrize("name", WITH_MEMORY)
def test_another_seed_gives_other_keys_and_other_sessions(name: str) -> None:
    one, other = fingerprint(name), fingerprint(name, seed=77)
    assert len(one) == len(other)
    assert all(ours != theirs for ours, theirs in zip(one, other, strict=True))


def test_no_two_sessions_are_the_same() -> None:
    found = [each for name in WITH_MEMORY for each in fingerprint(name)[1 : 1 + SESSIONS]]
    assert len(set(found)) == len(WITH_MEMORY) * SESSIONS


@pytest.mark.parametrize("name", WITH_MEMORY)
def test_the_bytes_of_a_session_do_not_depend_on_whether_somebody_looks_on(name: str) -> None:
    of = small(name)
    assert sessions(of, seed=1, tracing=True) == sessions(of, seed=1)


def test_a_session_does_not_depend_on_those_that_come_after_it() -> None:
    of = small("network-replaying")
    assert sessions(of, seed=1, count=2) == sessions(of, seed=1, count=SESSIONS)[:2]
