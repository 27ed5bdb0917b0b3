"""What is published on docs/simulation-results.md is what the simulator says, and says nothing that the counts deny."""

import copy
import importlib
import json
import re
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from scipy.stats import beta

from lightbound.sim.campaign import Engine
from lightbound.sim.scenario_file import packaged_names, read_scenario
from tests.house import tree

PAGE = (tree.ROOT / "docs/simulation-results.md").read_text(encoding="utf-8")
COUNTS = (tree.ROOT / "docs/results/simulation.json").read_text(encoding="utf-8")
RESULTS: dict[str, Any] = json.loads(COUNTS)


def _script(name: str) -> ModuleType:
    sys.path.insert(0, str(tree.ROOT / "scripts"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(tree.ROOT / "scripts"))


def test_the_page_is_made_from_the_counts_beside_it() -> None:
    assert _script("simulation_results_page").page(RESULTS) == PAGE


def test_the_file_of_counts_is_what_the_script_writes() -> None:
    script = _script("make_simulation_results")
    assert script.written(RESULTS) == COUNTS
    assert (tuple(RESULTS["seeds"]), RESULTS["packet_worlds"]) == (script.SEEDS, script.PACKET_WORLDS)


def test_every_packaged_scenario_was_run_by_every_engine_that_can() -> None:
    assert list(RESULTS["scenarios"]) == packaged_names()
    for name, counted in RESULTS["scenarios"].items():
        scenario = read_scenario(name)
        assert (counted["about"], counted["sound"]) == (scenario.about, list(scenario.expected.sound))
        assert ("statistics" in counted) is not scenario.packets_only


def test_all_worlds_together_hold_the_first_of_them() -> None:
    script = _script("make_simulation_results")
    for counted in RESULTS["scenarios"].values():
        for engine in Engine:
            if engine in counted:
                first, every = counted[engine]["first"], counted[engine]["all"]
                assert every["sessions"] == first["sessions"] * len(script.seeds_of(engine))
                assert all(every[key] >= first[key] for key in first if not isinstance(first[key], dict))


def test_every_interval_of_the_page_is_the_exact_binomial_one() -> None:
    shares = re.findall(r"([\d,]+)/([\d,]+) = ([\d.]+) % \(([\d.]+)-([\d.]+)\)", PAGE)
    assert len(shares) > 100
    for count, of, *printed in ((int(a.replace(",", "")), int(b.replace(",", "")), *rest) for a, b, *rest in shares):
        low = beta.ppf(0.025, count, of - count + 1) if count else 0.0
        high = beta.ppf(0.975, count + 1, of - count) if count < of else 1.0
        places = len(printed[0].partition(".")[2])
        assert printed == [f"{100 * value:.{places}f}" for value in (count / of, low, high)]


@pytest.mark.parametrize(
    ("name", "engine"),
    [
        ("foreign-agent", Engine.PACKETS),
        ("one-owner-under-many-names", Engine.PACKETS),
        ("aimed-from-two-places", Engine.STATISTICS),
        ("landmarks-misplaced-beyond-the-budget", Engine.STATISTICS),
    ],
)
def test_the_first_world_of_a_scenario_comes_out_again(name: str, engine: Engine) -> None:
    script = _script("make_simulation_results")
    assert script.of_world(name, engine, RESULTS["seeds"][0]) == RESULTS["scenarios"][name][engine]["first"]


@pytest.mark.parametrize(
    "change",
    [
        lambda scenarios: scenarios["world"]["packets"]["all"].update(misled_about_key=1),
        lambda scenarios: scenarios["proxied"]["packets"]["all"].update(misled_about_chip=0, false_of_chip={}),
        lambda scenarios: scenarios["aimed-from-two-places"]["statistics"]["all"].update(false_of_key={"alone": 1}),
        lambda scenarios: scenarios["proxied"]["packets"]["all"].update(false_of_chip={"alone": 10**6}),
        lambda scenarios: scenarios["smuggled"]["statistics"]["all"].update(sessions=2),
        lambda scenarios: scenarios["smuggled"]["packets"]["all"].update(sessions=499),
    ],
)
def test_a_page_that_would_claim_too_much_is_not_written(change: Callable[[dict[str, Any]], None]) -> None:
    results = copy.deepcopy(RESULTS)
    change(results["scenarios"])
    with pytest.raises(SystemExit, match="no longer true"):
        _script("simulation_results_page").page(results)


@pytest.mark.soak
def test_every_simulation_published_comes_out_again() -> None:
    results = _script("make_simulation_results").rebuild(told=lambda _: None)
    assert json.loads(json.dumps(results)) == RESULTS
