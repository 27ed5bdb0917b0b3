"""An evaluation as a person reads it: what was decided, what was wrong, and what was refuted."""

from typing import Final

from rich.console import Console
from rich.table import Table

from lightbound.adjudication.evaluation.replay import Tally
from lightbound.adjudication.evaluation.shares import Share
from lightbound.adjudication.evaluation.subsets import Choice
from lightbound.adjudication.facts import Settings
from lightbound.adjudication.verdicts import PROOFS, Verdict
from lightbound.cli import terminal
from lightbound.files.evaluation import CONFIDENCE, Evaluated
from lightbound.geo.sides import Side

WIDTH: Final = 132
"""Columns of the table where it goes to a file or a pipe."""

NAMES: Final = {
    Choice.RANDOM: "so many at random",
    Choice.NEAREST: "the nearest so many",
    Choice.NOT_NEARER: "none nearer than km",
}


def print_evaluation(evaluated: Evaluated) -> None:
    """Print the shares with their intervals, and what they rest on."""
    console = terminal.console(width=WIDTH)
    evaluation = evaluated.evaluation
    table = _table("Verdicts against the truth", ("speed", "f", "proof"))
    for heading in ("truth kept", "licensed decided", "excluded decided", "wrong", "void"):
        table.add_column(heading, justify="right", no_wrap=heading != "truth kept")
    for outcome in evaluation.outcomes:
        wrong = outcome.licensed.wrong + outcome.excluded.wrong
        table.add_row(
            *_case(outcome.settings),
            _told(outcome.kept),
            _told(outcome.licensed.decided),
            _told(outcome.excluded.decided),
            f"[bold red]{wrong}[/]" if wrong else "0",
            str(outcome.contradictions),
        )
    console.print(table)
    console.print()
    _print_sides(console, evaluated)
    _print_claims(console, evaluated)
    _print_fewer(console, evaluated)
    border = evaluated.border
    console.print(
        f"{evaluation.chips:,} chips, {evaluation.landmarks:,} landmarks, {evaluation.rows:,} rows "
        f"({evaluated.rows_of_no_chip:,} more about chips whose truth is not stated); border {border.name} "
        f"{border.version} ({border.viewpoint}), within {border.error_m} m; seed {evaluation.plan.seed}",
        soft_wrap=True,
    )
    console.print(
        f"Intervals: exact binomial, {100 * CONFIDENCE:g} %, chips taken to be independent. Taken for granted: "
        f"{', '.join(evaluation.assumptions)}.",
        soft_wrap=True,
    )
    console.print(
        "Not shown: anything about chips that delay their answers, or whose key is elsewhere than the chip.",
        soft_wrap=True,
    )


def _print_sides(console: Console, evaluated: Evaluated) -> None:
    """By where the chips truly are, the proof that decides most."""
    evaluation = evaluated.evaluation
    proof = max(evaluation.plan.proofs, key=PROOFS.index)
    table = _table("By where the chips truly are", ("speed", "f", "proof", "area", "truly"))
    for heading in ("proven within", "proven outside"):
        table.add_column(heading, justify="right")
    for outcome in evaluation.outcomes:
        if outcome.settings.proof is not proof:
            continue
        for name, tally in (("licensed", outcome.licensed), ("excluded", outcome.excluded)):
            for side in Side:
                if tally.verdicts(truly=side).of:
                    table.add_row(*_case(outcome.settings), name, side.value, *_proven(tally, side))
    console.print(table)
    console.print()


def _print_claims(console: Console, evaluated: Evaluated) -> None:
    """One table for each speed, a column for each fault budget; the proof that decides most."""
    evaluation = evaluated.evaluation
    proof = max(evaluation.plan.proofs, key=PROOFS.index)
    for speed in evaluation.plan.speeds:
        table = _table(f"Naive false claims refuted ({speed}, {proof})", ())
        table.add_column("km away", justify="right")
        for budget in evaluation.plan.fault_budgets:
            table.add_column(f"f = {budget}", justify="right", no_wrap=True)
        for distance_km in evaluation.plan.claim_distances_km:
            shares = [
                _told(item.refuted)
                for item in evaluation.refutations
                if (item.distance_km, item.settings.speed, item.settings.proof) == (distance_km, speed, proof)
            ]
            table.add_row(f"{distance_km:g}", *shares)
        console.print(table)
        console.print()


def _print_fewer(console: Console, evaluated: Evaluated) -> None:
    """One table for each question asked, a column for each fault budget; the first speed, for there are many rows."""
    evaluation = evaluated.evaluation
    proof, speed = max(evaluation.plan.proofs, key=PROOFS.index), evaluation.plan.speeds[0]
    items = [item for item in evaluation.thinned if item.settings.proof is proof and item.settings.speed is speed]
    rows = list(dict.fromkeys((item.choice, item.value) for item in items))
    for name in ("licensed", "excluded"):
        tallies = {(item.choice, item.value, item.settings.fault_budget): getattr(item, name) for item in items}
        if not any(tally.decided.of for tally in tallies.values()):
            continue
        table = _table(f"Decided with fewer landmarks: {name} area ({speed}, {proof})", ("left to each chip",))
        table.add_column("", justify="right")
        for budget in evaluation.plan.fault_budgets:
            table.add_column(f"f = {budget}", justify="right", no_wrap=True)
        for choice, value in rows:
            shares = [_told(tallies[choice, value, budget].decided) for budget in evaluation.plan.fault_budgets]
            table.add_row(NAMES[choice], f"{value:g}", *shares)
        console.print(table)
        console.print()
    if len(evaluation.plan.speeds) > 1:
        console.print("With fewer landmarks at other speeds and proofs: --json, or the report that --out writes.")


def _proven(tally: Tally, side: Side) -> tuple[str, str]:
    return _told(tally.verdicts(Verdict.WITHIN, truly=side)), _told(tally.verdicts(Verdict.OUTSIDE, truly=side))


def _table(title: str, headings: tuple[str, ...]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    return table


def _case(settings: Settings) -> tuple[str, str, str]:
    return settings.speed.value, str(settings.fault_budget), settings.proof.value


def _told(share: Share) -> str:
    return share.told(confidence=CONFIDENCE)
