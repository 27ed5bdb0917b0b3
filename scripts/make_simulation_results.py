"""Rebuild docs/simulation-results.md and docs/results/simulation.json: part of `make results`; needs no data.

Every packaged scenario, in several worlds by the packet engine, and in more by the statistic engine where its cheat is
not in single packets. A world is a seed: other keys, hosts and paths. Equal trees give equal bytes. It takes some ten
minutes on two cores. The line of one scenario in one world can be had by hand:

    lightbound simulate NAME --seed 20261125 --sessions 56
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Final

from simulation_results_page import CONFIDENCE, page

from lightbound.adjudication.verdicts import Standing
from lightbound.sim.campaign import Engine, Report, run
from lightbound.sim.scenario_file import packaged_names, read_scenario
from lightbound.sim.world import build

ROOT: Final = Path(__file__).resolve().parent.parent
FORMAT: Final = "lightbound.simulation_results/1"

SEEDS: Final = tuple(range(20_261_125, 20_261_145))
PACKET_WORLDS: Final = 10
"""So many of the seeds for the packet engine; all of them for the statistic one."""
ROUNDS: Final = {Engine.PACKETS: 1, Engine.STATISTICS: 36}
"""How often each host is asked in one world. By packets once, so that no two sessions are of one host."""

UNDECIDED: Final = (Standing.UNDETERMINED, Standing.CONTRADICTION)

WORKERS: Final = 2
"""The machine that the project is sized for has two cores."""


def main() -> None:
    """Run everything, and write both files."""
    results = rebuild(told=lambda what: print(what, file=sys.stderr, flush=True))
    (ROOT / "docs/results/simulation.json").write_text(written(results), encoding="utf-8")
    (ROOT / "docs/simulation-results.md").write_text(page(results), encoding="utf-8")


def rebuild(*, told: Callable[[str], None]) -> dict[str, Any]:
    """All counts."""
    names, began = packaged_names(), time.monotonic()
    scenarios: dict[str, Any] = {}
    with ProcessPoolExecutor(WORKERS) as workers:
        for number, (name, counted) in enumerate(zip(names, workers.map(of_scenario, names), strict=True), start=1):
            scenarios[name] = counted
            told(f"{number}/{len(names)} {name} ({time.monotonic() - began:.0f} s)")
    return {
        "format": FORMAT,
        "confidence": CONFIDENCE,
        "seeds": list(SEEDS),
        "packet_worlds": PACKET_WORLDS,
        "scenarios": scenarios,
    }


def of_scenario(name: str) -> dict[str, Any]:
    """The counts of one scenario by its engines: of the first world, and of all together."""
    scenario = read_scenario(name)
    engines = [Engine.PACKETS] if scenario.packets_only else list(Engine)
    return {
        "about": scenario.about,
        "sound": list(scenario.expected.sound),
        "hosts": scenario.agents,
        **{str(engine): of_engine(name, engine, seeds_of(engine)) for engine in engines},
    }


def seeds_of(engine: Engine) -> Sequence[int]:
    """The worlds that an engine runs."""
    return SEEDS[:PACKET_WORLDS] if engine is Engine.PACKETS else SEEDS


def of_engine(name: str, engine: Engine, seeds: Sequence[int]) -> dict[str, Any]:
    """The counts of one scenario by one engine."""
    worlds = [of_world(name, engine, seed) for seed in seeds]
    return {"first": worlds[0], "all": summed(worlds)}


def of_world(name: str, engine: Engine, seed: int) -> dict[str, Any]:
    """The counts of one scenario in one world, which must show what the scenario says."""
    scenario = read_scenario(name)
    sessions = ROUNDS[engine] * scenario.agents
    report = run(build(scenario, seed=seed), engine=engine, seed=seed, sessions=sessions)
    if report.unmet():
        raise SystemExit(f"{name} by {engine}, seed {seed}: expected {', '.join(report.unmet())}")
    return counts(report)


def counts(report: Report) -> dict[str, Any]:
    """What a report counts, without what is zero."""
    tally = report.tally
    told: dict[str, Any] = {
        "sessions": tally.sessions,
        "decided": tally.sessions - sum(tally.standings[word] for word in UNDECIDED),
        "standings": tally.standings,
        "proven": tally.proven,
        "false_of_key": tally.false_of_key,
        "false_of_chip": tally.false_of_chip,
        "misled_about_key": tally.misled_about_key,
        "misled_about_chip": tally.misled_about_chip,
        "measurements": report.measurements,
        "acknowledged": report.acknowledged,
        "absent": report.absent,
        "silent": report.silent,
        "sessions_refused": report.sessions_refused,
        "landmarks_refused": report.landmarks_refused,
        "aborts": report.aborts,
        "broken_sequences": report.broken_sequences,
    }
    return {name: nonzero(item) if isinstance(item, Counter) else item for name, item in told.items()}


def nonzero(counted: Counter[str]) -> dict[str, int]:
    """In the order of names."""
    return {str(name): int(counted[name]) for name in sorted(counted) if counted[name]}


def summed(worlds: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Counts of several worlds added up."""
    total: dict[str, Any] = {}
    for world in worlds:
        for name, item in world.items():
            if isinstance(item, dict):
                total[name] = nonzero(Counter(total.get(name, {})) + Counter(item))
            else:
                total[name] = total.get(name, 0) + item
    return total


def written(results: dict[str, Any]) -> str:
    """JSON with a line for each engine's counts, so that a change of one scenario is a change of its lines."""
    lines = [f" {json.dumps(name)}: {json.dumps(results[name])},\n" for name in results if name != "scenarios"]
    scenarios = []
    for name, scenario in results["scenarios"].items():
        parts = []
        for key, item in scenario.items():
            if isinstance(item, dict):
                inner = ",\n".join(f"    {json.dumps(part)}: {json.dumps(counted)}" for part, counted in item.items())
                parts.append(f"   {json.dumps(key)}: {{\n{inner}\n   }}")
            else:
                parts.append(f"   {json.dumps(key)}: {json.dumps(item)}")
        scenarios.append(f"  {json.dumps(name)}: {{\n" + ",\n".join(parts) + "\n  }")
    return "{\n" + "".join(lines) + ' "scenarios": {\n' + ",\n".join(scenarios) + "\n }\n}\n"


if __name__ == "__main__":
    main()
