"""What came of a simulation, as a person and a machine read it, and one session event by event."""

import json
import sys
from collections.abc import Iterator
from typing import Any, Final

import typer
from rich.markup import escape
from rich.table import Table

from lightbound.adjudication.verdicts import PROOFS, Standing
from lightbound.cli import terminal
from lightbound.cli.terminal import printable
from lightbound.ranging.sessions.verification import VerifiedSession
from lightbound.sim.campaign import Engine, Report
from lightbound.sim.packet_engine import SessionRun
from lightbound.sim.world import CHIPS_OF_HOST

NOT_SHOWN: Final = (
    f"Each session is of one host, whose {CHIPS_OF_HOST} chips share its verdict. Simulated at assurance tier A0: "
    "nothing here says that a key is beside its chip."
)

EVENT_FORMAT: Final = "lightbound.trace/1"


def print_report(report: Report) -> None:
    """Print what was believed, refused, proven and false, and whether it is what the scenario asks for."""
    scenario, tally = report.scenario, report.tally
    console = terminal.console()
    # What a file says is text, and no markup.
    console.print(f"[bold]{escape(printable(scenario.name))}[/]: {escape(printable(scenario.about))}", soft_wrap=True)
    console.print(
        f"{tally.sessions:,} sessions of {scenario.agents:,} hosts, engine {report.engine}, seed {report.seed}, "
        f"{len(scenario.landmarks)} landmarks, fault budget {scenario.fault_budget}",
        soft_wrap=True,
    )
    console.print()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("proof")
    for heading in ("within", "outside", "false of the key", "false of the chip"):
        table.add_column(heading, justify="right")
    for proof in PROOFS:
        sound = " (must be 0)" if proof in scenario.expected.sound else ""
        table.add_row(
            str(proof),
            f"{tally.proven[f'within {proof}']:,}",
            f"{tally.proven[f'outside {proof}']:,}",
            f"{tally.false_of_key[proof]:,}{sound}",
            f"{tally.false_of_chip[proof]:,}",
        )
    console.print(table)
    console.print()
    standings = ", ".join(f"{tally.standings[word]:,} {word}" for word in Standing if tally.standings[word])
    console.print(f"standings: {standings}", soft_wrap=True)
    for line in _messages(report):
        console.print(line, soft_wrap=True)
    console.print(NOT_SHOWN, soft_wrap=True)
    unmet = report.unmet()
    for missing in unmet:
        console.print(f"[bold red]not as it must be:[/] expected {missing}", soft_wrap=True)
    if not report.is_long_enough:
        console.print("fewer sessions than hosts: what must show itself was not looked for", soft_wrap=True)
    elif not unmet:
        outcomes = ", ".join(outcome.replace("_", " ") for outcome in scenario.expected.outcomes)
        console.print(f"as it must be: {outcomes}", soft_wrap=True)


def _messages(report: Report) -> Iterator[str]:
    """What became of messages, of which the statistic engine has none."""
    if report.engine is not Engine.PACKETS:
        yield f"measurements: {report.measurements:,} drawn"
        return
    yield f"measurements: {report.measurements:,} believed, {report.acknowledged:,} of them acknowledged"
    counted = {
        "sessions refused": report.sessions_refused,
        "landmarks refused": report.landmarks_refused,
        "aborts": report.aborts,
    }
    for name, counts in counted.items():
        if counts:
            yield f"{name}: " + ", ".join(f"{count:,} {code}" for code, count in counts.most_common())
    others = {"absent landmarks": report.absent, "silent landmarks": report.silent}
    others["broken sequences"] = report.broken_sequences
    for name, count in others.items():
        if count:
            yield f"{name}: {count:,}"


def report_object(report: Report) -> dict[str, Any]:
    """The same for machines."""
    tally, expected = report.tally, report.scenario.expected
    return {
        "format": "lightbound.simulation/1",
        "scenario": report.scenario.name,
        "about": report.scenario.about,
        "engine": str(report.engine),
        "seed": report.seed,
        "sessions": tally.sessions,
        "hosts": report.scenario.agents,
        "chips_of_host": CHIPS_OF_HOST,
        "fault_budget": report.scenario.fault_budget,
        "standings": {str(word): tally.standings[word] for word in Standing},
        "proven": {
            f"{verdict} {proof}": tally.proven[f"{verdict} {proof}"]
            for verdict in ("within", "outside")
            for proof in PROOFS
        },
        "false_of_key": {str(proof): tally.false_of_key[proof] for proof in PROOFS},
        "false_of_chip": {str(proof): tally.false_of_chip[proof] for proof in PROOFS},
        "misled_about_key": tally.misled_about_key,
        "misled_about_chip": tally.misled_about_chip,
        "measurements": report.measurements,
        "acknowledged": report.acknowledged,
        "absent": report.absent,
        "silent": report.silent,
        "sessions_refused": dict(report.sessions_refused),
        "landmarks_refused": dict(report.landmarks_refused),
        "aborts": dict(report.aborts),
        "broken_sequences": report.broken_sequences,
        "expected": [str(outcome) for outcome in expected.outcomes],
        "sound": list(expected.sound),
        "unmet": report.unmet(),
        "assurance": "A0",
    }


def trace_lines(one: SessionRun) -> Iterator[str]:
    """The events of a session as lines of JSON."""
    for event in one.trace.in_order():
        yield json.dumps(
            {
                "format": EVENT_FORMAT,
                "session": one.number,
                "at_ns": event.at_ns,
                "from": event.sender,
                "to": event.receiver,
                "what": event.what,
                "outcome": event.outcome,
            },
            ensure_ascii=False,
        )


def step_through(one: SessionRun, *, waits: bool) -> None:
    """Print the events of a session one after the other; with `waits`, Enter shows the next, q or no input ends."""
    events = one.trace.in_order()
    for number, event in enumerate(events, start=1):
        since_ms = (event.at_ns - events[0].at_ns) / 1e6
        ends = f"{event.sender} -> {event.receiver}"
        line = f"{number:>4}/{len(events)}  {since_ms:>12,.3f} ms  {ends:<34} {event.what:<12} {event.outcome}"
        typer.echo(printable(line))
        if waits:
            answer = sys.stdin.readline()
            if not answer or answer.strip() == "q":
                return
    match one.result:
        case VerifiedSession() as result:
            told = (
                f"verified: {len(result.measurements)} measurements, {len(result.refused)} landmarks refused, "
                f"{len(result.aborts)} aborts, {len(result.absent)} absent, {len(result.silent)} silent"
            )
        case error:
            told = f"refused: {error.faults[0]}"
    typer.echo(printable(told))
