"""A plan as a person reads it: whom to ask first, how far that gets, what stays out of reach, and what it rests on."""

from typing import Final

from rich.markup import escape
from rich.table import Table

from lightbound.adjudication.planning.delays import Fit
from lightbound.adjudication.planning.obstacles import Obstacle, Why
from lightbound.adjudication.planning.optimum import LeastBy
from lightbound.adjudication.planning.plan import Target
from lightbound.adjudication.planning.scene import Asked
from lightbound.cli import terminal
from lightbound.files.plans import PlanReport
from lightbound.ranging.bounds import Speed

MOST_LINES: Final = 200
"""Lines shown of each list at most; `--json` has all."""

HOW_KNOWN: Final = {
    LeastBy.EXACT: ("exact", "proven best: no plan costs less"),
    LeastBy.BRANCH_AND_BOUND: ("unfinished", "an integer program not solved to the end: no plan costs less than this"),
    LeastBy.LINEAR_RELAXATION: ("relaxed", "as if landmarks could be taken in parts: no plan costs less than this"),
    LeastBy.COUNTING: ("counted", "as if each landmark added what it adds as the first: no plan costs less than this"),
}
"""How the least possible cost is known, in a word and plainly."""

HEADINGS: Final = {
    Why.MAY_BE_BEYOND: "Provable by no landmark at all: the site itself may lie beyond the border.",
    Why.TOO_SLOW_ANYWHERE: "Not expected to be provable from anywhere: too near the border for such round trips.",
    Why.TOO_FEW_UNITS: "Provable by landmarks near enough, of which there are too few among the candidates.",
}


def print_plan(report: PlanReport) -> None:
    """Print the order, the targets, what cannot be proven, and what is taken for granted."""
    console = terminal.console()
    plan = report.plan
    console.print(_order(report))
    if len(plan.order) > MOST_LINES:
        console.print(f"... and {len(plan.order) - MOST_LINES:,} more; --out FILE or --json gives them all.")
    console.print()
    console.print(
        f"Provable with all candidates: {_count(plan.weight_provable)} of {_count(plan.weight_asked)}; "
        f"{_count(plan.weight_standing)} by landmarks that stand already."
    )
    if plan.targets and plan.weight_provable:
        console.print(_targets(report))
        for by in LeastBy:
            if any(target.least.by is by for target in plan.targets):
                console.print("{}: {}".format(*HOW_KNOWN[by]))
    for why in Why:
        found = [obstacle for obstacle in plan.obstacles if obstacle.why is why]
        if found:
            console.print()
            console.print(f"[bold]{HEADINGS[why]}[/]")
            for obstacle in found[:MOST_LINES]:
                console.print(f"  {escape(sentence(report, obstacle))}", soft_wrap=True)
            if len(found) > MOST_LINES:
                console.print(f"  ... and {len(found) - MOST_LINES:,} more; --json gives them all.")
    console.print()
    for line in grounds(report):
        console.print(escape(line), soft_wrap=True)


def sentence(report: PlanReport, obstacle: Obstacle) -> str:
    """Why one goal cannot be proven, in words."""
    plan = report.plan
    goal = plan.scene.goals[obstacle.goal]
    edge = "excluded area" if goal.asked is Asked.EXCLUDED else "border of its licensed area"
    name = report.sites[goal.site].site_id
    told = f"{name}: {edge} {_km(obstacle.to_edge_m)} away"
    if obstacle.why is Why.MAY_BE_BEYOND:
        error_km = _km(float(plan.scene.goal_error_m[obstacle.goal]))
        where = f"{edge} reaches to it" if obstacle.to_edge_m <= 0 else f"{edge} {_km(obstacle.to_edge_m)} away"
        return f"{name}: {where}, and the site is known to {error_km}"
    needed, expected = _ms(obstacle.needed_ns), _ms(obstacle.expected_ns)
    if obstacle.why is Why.TOO_SLOW_ANYWHERE:
        told += f"; even a landmark at the site would need {needed} or less, and {expected} is expected"
    elif obstacle.within_m is not None:
        told += (
            f"; {obstacle.units_proving} of {plan.cover.needed} fault units near enough; "
            f"a landmark within {_km(obstacle.within_m)} would do, on the side away from there"
        )
    if obstacle.nearest is not None and obstacle.why is Why.TOO_FEW_UNITS:
        nearest = obstacle.nearest
        told += (
            f"; the next best, {plan.landmarks[nearest.place].landmark_id}, is {_km(nearest.apart_m)} from it and "
            f"would need {_ms(nearest.needed_ns)} or less, and {_ms(nearest.expected_ns)} is expected"
        )
    return told


def grounds(report: PlanReport) -> list[str]:
    """What the plan takes for granted, line by line."""
    border, terms, plan = report.border, report.terms, report.plan
    lines = [
        (
            f"speed {terms.speed}, fault budget {terms.fault_budget}, proof alone, "
            f"border {border.name} {border.version} ({border.viewpoint}) within {border.error_m} m"
        ),
    ]
    if isinstance(report.delays, Fit):
        fit = report.delays
        lines.append(
            f"round trips expected: {fit.quantile:g} quantile by distance, fitted to {fit.pairs:,} measured pairs in "
            f"{len(fit.classes)} classes of distance; {fit.impossible:,} pairs left out as faster than light"
        )
        if plan.weight_between is not None:
            slow, quick = plan.weight_between
            lines.append(
                f"what is to be built proves {_count(slow)} to {_count(quick)} in the {fit.confidence:.0%} interval "
                "for that quantile, which takes pairs to be independent; they share hosts and cables: it is less sure"
            )
    else:
        lines.append(
            f"round trips expected: {report.delays.slowness:g} times light's in vacuum and "
            f"{report.delays.overhead_ms:g} ms, as stated; fitted to nothing"
        )
    if terms.speed is Speed.FIBRE:
        lines.append("no signal faster than 0.69 c: false for radio and hollow fibre, and grounds for nothing")
    if any(landmark.fault_unit is None for landmark in plan.landmarks):
        lines.append(
            "places without a fault unit fail one by one (--independent-landmarks)"
            if terms.independent_landmarks
            else "places without a fault unit are one unit together, and fail together"
        )
    if report.chips is not None:
        lines.append(
            f"costs are shared by {_count(report.chips)} chips; they are those of landmarks and of nothing else"
        )
    lines.append("For planning only: expected round trips prove nothing about any chip.")
    return lines


def _order(report: PlanReport) -> Table:
    plan = report.plan
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("#", justify="right")
    table.add_column("build at", overflow="fold")
    table.add_column("fault unit", overflow="fold")
    for heading in ("provable", "share", "cost a year", "per chip"):
        table.add_column(heading, justify="right", no_wrap=True)
    for rank, step in enumerate(plan.order[:MOST_LINES], start=1):
        landmark = plan.landmarks[step.place]
        table.add_row(
            str(rank),
            escape(landmark.landmark_id),
            escape(landmark.fault_unit or "-"),
            _count(step.weight_proven),
            f"{report.share(step.weight_proven):.1%}",
            f"{step.cost_so_far:,.0f}",
            _per_chip(report, step.cost_so_far),
        )
    return table


def _targets(report: PlanReport) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("of the provable", "landmarks", "cost a year", "per chip", "least possible", "known as", "gap"):
        table.add_column(heading, justify="right", no_wrap=True)
    for target in report.plan.targets:
        table.add_row(
            f"{target.percent:g} %",
            str(len(target.places)),
            f"{target.cost:,.0f}",
            _per_chip(report, target.cost),
            f"{target.least.cost:,.0f}",
            HOW_KNOWN[target.least.by][0],
            _gap(target),
        )
    return table


def _gap(target: Target) -> str:
    if target.gap is None:
        return "?"
    return f"{target.gap:.1%}" if target.least.by is LeastBy.EXACT or target.gap == 0.0 else f"≤ {target.gap:.1%}"


def _per_chip(report: PlanReport, cost: float) -> str:
    share = report.per_chip(cost)
    return "-" if share is None else f"{share:,.4g}"


def _count(weight: float) -> str:
    return f"{weight:,.0f}" if weight == round(weight) else f"{weight:,.6g}"


def _km(metres: float) -> str:
    return f"{metres / 1000:,.0f} km"


def _ms(nanoseconds: float) -> str:
    return "no round trip at all" if nanoseconds == float("inf") else f"{nanoseconds / 1e6:,.2f} ms"
