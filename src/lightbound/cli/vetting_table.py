"""A vetting as a person reads it: suspects, what is ambiguous, the pairs that show it, and what that rests on."""

from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lightbound.cli import terminal
from lightbound.cli.terminal import printable
from lightbound.files.vetting import Mesh, VettingAssumption
from lightbound.ranging.readings import Landmark

MOST_LINES: Final = 60
"""Pairs shown at most; `--json` gives them all."""

PLAINLY: Final = {
    VettingAssumption.PATHS_NEAR_SURFACE: (
        "no signal ran deeper than 12.3 km below the ellipsoid; nobody stands higher than 5 km"
    ),
    VettingAssumption.LANDMARKS_STAY: "each landmark stood at one place while all of this was measured",
    VettingAssumption.FEWEST_FAULTS: "as few fault units are at fault as explain every contradiction",
    VettingAssumption.FIBRE_SPEED: "no signal was faster than 0.69 c (false for radio and hollow fibre)",
    VettingAssumption.CLOCK_ERROR_NOT_STATED: "the readings state no clock error; clocks are taken to be right",
    VettingAssumption.INDEPENDENT_LANDMARKS: "landmarks without a fault unit fail one by one",
    VettingAssumption.BORDER_WITHIN_ERROR: "borders are where {border} draws them, within {border_error} m",
}


def print_vetting(mesh: Mesh) -> None:
    """Print what was found and what it does not show."""
    console = terminal.console()
    vetting = mesh.vetting
    if vetting.suspects:
        table = Table(box=None, pad_edge=False, header_style="bold", title="Suspects", title_justify="left")
        table.add_column("landmark", overflow="fold")
        table.add_column("contradicted by", justify="right")
        table.add_column("units at fault", justify="right")
        table.add_column("if it is right", justify="right")
        for suspect in vetting.suspects:
            table.add_row(
                f"[red]{_name(mesh.landmarks[suspect.landmark])}[/]",
                f"{vetting.contradicted_by[suspect.landmark]:,}",
                f"{suspect.fewest:,}",
                "cannot be" if suspect.otherwise is None else f"{suspect.otherwise:,}",
            )
        console.print(table)
        console.print()
    for group in vetting.ambiguous:
        names = ", ".join(" with ".join(_name(mesh.landmarks[i]) for i in part) for part in group.parts)
        console.print(f"[yellow]Ambiguous[/]: at least {group.at_least} of {names}", soft_wrap=True)
    if vetting.ambiguous:
        console.print()
    _print_pairs(console, mesh)
    console.print(
        f"{len(mesh.landmarks):,} landmarks ({vetting.landmarks_heard:,} in some pair), {vetting.pairs_measured:,} "
        f"pairs, {len(vetting.contradictions):,} contradictions: {len(vetting.suspects):,} suspects, "
        f"{len(vetting.ambiguous):,} ambiguous groups, {len(mesh.landmarks) - len(vetting.doubtful):,} landmarks left",
        soft_wrap=True,
    )
    _print_grounds(console, mesh)


def _print_pairs(console: Console, mesh: Mesh) -> None:
    found = mesh.vetting.contradictions
    if not found:
        return
    table = Table(
        box=None, pad_edge=False, header_style="bold", title="Pairs faster than allowed", title_justify="left"
    )
    table.add_column("measured by", overflow="fold")
    table.add_column("answered", overflow="fold")
    for heading in ("round trip ms", "apart at least km", "reach km", "too long by km", "seen from"):
        table.add_column(heading, justify="right")
    for pair in found[:MOST_LINES]:
        answered = pair.second if pair.measured_by == pair.first else pair.first
        table.add_row(
            _name(mesh.landmarks[pair.measured_by]),
            _name(mesh.landmarks[answered]),
            f"{pair.round_trip_ns / 1e6:,.3f}",
            f"{pair.least_path_m / 1000:,.0f}",
            f"{pair.reach_m / 1000:,.0f}",
            f"{pair.excess_m / 1000:,.0f}",
            "both" if pair.directions == 2 else "one",
        )
    console.print(table)
    if len(found) > MOST_LINES:
        console.print(f"... and {len(found) - MOST_LINES:,} more pairs; --json gives them all.")
    console.print()


def _print_grounds(console: Console, mesh: Mesh) -> None:
    vetting, border = mesh.vetting, mesh.border
    rows = f"{vetting.rows_used:,} rows used, {mesh.rows_of_no_landmark:,} about no landmark of the list"
    if mesh.excluded_area is not None:
        area = escape(printable(mesh.excluded_area))
        rows += f", {vetting.rows_of_distrusted:,} measured by {len(vetting.distrusted):,} that may stand in {area}"
    console.print(f"speed {vetting.speed}; {rows}", soft_wrap=True)
    console.print("Taken for granted:")
    for assumption in mesh.assumptions:
        text = PLAINLY[assumption].format(
            border="" if border is None else f"{border.name} {border.version} ({border.viewpoint})",
            border_error="" if border is None else f"{border.error_m:g}",
        )
        console.print(f"  {assumption}: {text}", soft_wrap=True)
    console.print(
        "Not shown: that the others stand where they say. Who delays answers, or is far from all others, is not found.",
        soft_wrap=True,
    )


def _name(landmark: Landmark) -> str:
    """A name from a file, unable to style or steer the terminal."""
    return escape(printable(landmark.landmark_id))
