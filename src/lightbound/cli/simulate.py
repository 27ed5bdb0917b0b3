"""`lightbound simulate`: worlds in which somebody cheats, and what comes of it."""

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from lightbound.cli.terminal import refuse_to_replace

if TYPE_CHECKING:
    from lightbound.sim.campaign import Engine
    from lightbound.sim.scenario import Scenario

HELP: Final = """Simulate a world in which somebody cheats, and count what is proven and what is false.

A scenario describes places, paths, operators, sites, and who cheats how; it also says what must come of it. Those
that ship with the program are the rows of docs/threat-model.md. `world` is the one in which nobody cheats, and a file
of your own can extend it (docs/simulation.md).

\b
Engines:
  packets      every message and packet, over the real protocol in virtual
               time; statements are checked as a stranger would
  statistics   only the bounds, drawn from the distribution that the packets
               would give: tens of thousands of sessions a second

A verdict is false of the key if no copy of the key is where it says, and false of the chip if the chip is not there.
The first must not happen while the assumptions of its proof hold. The second does happen: a copied key wins.

\b
Examples:
  lightbound simulate --list
  lightbound simulate smuggled
  lightbound simulate proxied --engine statistics --sessions 1000000
  lightbound simulate two-faced --step 0
  lightbound simulate mine.toml --trace trace.jsonl --json

Exit code 4 if something did not come out as the scenario says it must.
"""


def simulate(
    scenario: Annotated[
        str | None, typer.Argument(metavar="SCENARIO", help="Name of a packaged scenario, or a file ending in .toml.")
    ] = None,
    *,
    show_list: Annotated[bool, typer.Option("--list", help="List the packaged scenarios.")] = False,
    engine: Annotated[
        str | None, typer.Option(metavar="packets|statistics", help="How to simulate. Default packets.")
    ] = None,
    sessions: Annotated[
        int | None, typer.Option(min=1, max=100_000_000, metavar="N", help="Sessions. Default: the scenario's.")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=2**63 - 1, metavar="N", help="Of all dice, keys and paths. Default: the scenario's."),
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option(dir_okay=False, metavar="FILE.jsonl", help="Write every event of every session, one a line."),
    ] = None,
    step: Annotated[
        int | None,
        typer.Option(min=0, max=1_000_000, metavar="N", help="Step through session N, event by event, with Enter."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")] = False,
) -> None:
    """Simulate a world in which somebody cheats, and count what is proven and what is false."""
    from lightbound.sim.campaign import Engine
    from lightbound.sim.scenario_file import packaged_names, read_scenario

    if show_list:
        if scenario is not None or any(option is not None for option in (engine, sessions, seed, trace, step)):
            raise typer.BadParameter("expected nothing beside it but --json", param_hint="--list")
        _list([read_scenario(name) for name in packaged_names()], as_json=as_json)
        return
    if scenario is None:
        raise typer.BadParameter("expected a SCENARIO, or --list", param_hint="SCENARIO")
    if engine is not None and engine not in set(Engine):
        raise typer.BadParameter(f"expected packets or statistics, found {engine!r}", param_hint="--engine")
    chosen = Engine(engine or Engine.PACKETS)
    if (trace is not None or step is not None) and chosen is not Engine.PACKETS:
        raise typer.BadParameter("expected --engine packets: only that has events", param_hint="--engine")
    if step is not None and (as_json or sessions is not None):
        raise typer.BadParameter("expected neither --json nor --sessions beside it", param_hint="--step")
    if trace is not None and trace.suffix != ".jsonl":
        raise typer.BadParameter(f"expected a file ending in .jsonl, found {trace.name!r}", param_hint="--trace")
    refuse_to_replace(trace, (Path(scenario),), "--trace")
    read = read_scenario(scenario)
    if chosen is Engine.STATISTICS and read.packets_only:
        raise typer.BadParameter("expected --engine packets: the cheat is in messages or single packets")
    _run(read, engine=chosen, sessions=sessions, seed=seed, trace=trace, step=step, as_json=as_json)


def _run(
    scenario: "Scenario",
    *,
    engine: "Engine",
    sessions: int | None,
    seed: int | None,
    trace: Path | None,
    step: int | None,
    as_json: bool,
) -> None:
    from lightbound.cli.exits import ExitCode
    from lightbound.cli.progress import progress
    from lightbound.cli.simulation_table import print_report, report_object, step_through, trace_lines
    from lightbound.files.whole import whole_file
    from lightbound.sim.campaign import run
    from lightbound.sim.packet_engine import SessionRun
    from lightbound.sim.world import build

    seed = scenario.seed if seed is None else seed
    count = step + 1 if step is not None else sessions or scenario.sessions
    shown: list[SessionRun] = []
    with ExitStack() as open_files, progress() as steps:
        stream = open_files.enter_context(whole_file(trace)) if trace is not None else None

        def watch(one: SessionRun) -> None:
            if step is not None and one.number == step:
                shown.append(one)
            if stream is not None:
                stream.writelines(f"{line}\n".encode() for line in trace_lines(one))

        done = steps("building the world", 1)
        world = build(scenario, seed=seed)
        done(1)
        report = run(
            world,
            engine=engine,
            seed=seed,
            sessions=count,
            progress=steps("simulating sessions", count),
            watch=watch if step is not None or trace is not None else None,
        )
    if step is not None:
        step_through(shown[0], waits=sys.stdin.isatty() and sys.stdout.isatty())
        return
    if as_json:
        typer.echo(json.dumps(report_object(report), ensure_ascii=False, allow_nan=False))
    else:
        print_report(report)
    if report.unmet():
        raise typer.Exit(ExitCode.REFUSED)


def _list(scenarios: "list[Scenario]", *, as_json: bool) -> None:
    if as_json:
        rows = [{"name": one.name, "about": one.about, "packets_only": one.packets_only} for one in scenarios]
        typer.echo(json.dumps({"format": "lightbound.scenarios/1", "scenarios": rows}, ensure_ascii=False))
        return
    width = max(len(one.name) for one in scenarios)
    for one in scenarios:
        typer.echo(f"{one.name:<{width}}  {one.about}")


simulate.__doc__ = HELP
