"""The shipped scenario: its paths are the measured ones, and what comes of it is what its page says."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from lightbound.sim.campaign import Engine, run
from lightbound.sim.conduct import conduct
from lightbound.sim.measured_paths import read_table
from lightbound.sim.scenario_file import read_scenario
from lightbound.sim.world import build
from tests.house import tree

EXAMPLE: Final = tree.ROOT / "examples" / "azure"
SCENARIO: Final = EXAMPLE / "simulation.toml"
LIGHTBOUND: Final = Path(sys.executable).with_name("lightbound")


def test_answers_take_what_was_measured_and_the_time_that_an_agent_needs() -> None:
    world, table_ns = build(read_scenario(str(SCENARIO))), read_table(EXAMPLE)
    how = conduct(world)
    measured = 0
    for number, agent in enumerate(world.agents):
        (holder,) = agent.holders
        for place, landmark in enumerate(world.landmarks):
            pairs = (holder.name, landmark.end.name), (landmark.end.name, holder.name)
            found = [table_ns[pair] for pair in pairs if pair in table_ns]
            if found:
                measured += 1
                assert how.floor_ns[number, place] == found[0]
    assert measured > 100


@pytest.mark.long
def test_the_page_says_what_comes_of_it() -> None:
    command = [str(LIGHTBOUND), "simulate", "simulation.toml", "--json"]
    done = subprocess.run(command, cwd=EXAMPLE, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    page = (EXAMPLE / "README.md").read_text(encoding="utf-8").partition("## Simulated")[2]
    said = re.search(r"`(\d+ misplaced, [^`]*)`", page)
    assert said
    counted = {word: count for word, count in told["standings"].items() if count}
    assert {word: int(count) for count, word in re.findall(r"(\d+) (\w+)", said[1])} == counted
    operators = {landmark.operator for landmark in read_scenario(str(SCENARIO)).landmarks}
    assert len(operators) == 6
    assert "six operators" in page
    assert told["unmet"] == []


def test_no_verdict_is_false_in_thousands_of_sessions_on_measured_paths() -> None:
    scenario = read_scenario(str(SCENARIO))
    report = run(build(scenario), engine=Engine.STATISTICS, seed=scenario.seed, sessions=5_000)
    assert report.unmet() == []
    assert report.tally.false_of_key == report.tally.false_of_chip == Counter({"alone": 0, "joint": 0})
