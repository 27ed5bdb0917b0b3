"""Verdicts as a person reads them: one line per chip, the worst first, and what they rest on."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lightbound.adjudication.verdicts import (
    PROOFS,
    STANDINGS,
    VERDICTS,
    Assumption,
    Question,
    Standing,
    Verdict,
    Verdicts,
)
from lightbound.cli import terminal
from lightbound.cli.terminal import printable

NOT_SHOWN: Final = (
    "Not shown, at assurance tier {tier}: that the key sits in the genuine chip, that it was not copied, "
    "or where it is after the window."
)

MOST_LINES: Final = 200
"""Chips shown at most; a longer table is for `--out` or `--json`."""

STYLES: Final = {
    Standing.CONTRADICTION: "magenta",
    Standing.DIVERTED: "bold red",
    Standing.MISPLACED: "red",
    Standing.VERIFIED: "green",
    Standing.CLEARED: "cyan",
    Standing.UNDETERMINED: "dim",
}

PLAINLY: Final = {
    Assumption.FAULTS_WITHIN_BUDGET: "at most {budget} of the fault units heard for a chip lie or are misplaced",
    Assumption.PATHS_NEAR_SURFACE: "no signal ran deeper than 12.3 km below the ellipsoid; nobody is above 5 km",
    Assumption.BORDER_WITHIN_ERROR: "borders are where {border} draws them, within {border_error} m",
    Assumption.ONE_KEY_ONE_PLACE: "joint: one key is in one place (a copied key can make a joint verdict wrong)",
    Assumption.FIBRE_SPEED: "no signal was faster than 0.69 c (false for radio and hollow fibre: grounds for nothing)",
    Assumption.SIMULTANEOUS_READINGS: "the readings carry no times and are taken to be of one instant",
    Assumption.CLOCK_ERROR_NOT_STATED: "the readings state no clock error; landmarks' clocks are taken to be right",
    Assumption.INDEPENDENT_LANDMARKS: "landmarks without a fault unit fail one by one (--independent-landmarks)",
    Assumption.ONE_FAULT_UNIT: "landmarks without a fault unit are one unit together and fail together",
}


def print_table(verdicts: Verdicts) -> None:
    """Print the table, what the verdicts take for granted, and what they do not show."""
    console = terminal.console()
    order = sorted(range(len(verdicts)), key=lambda chip: (int(verdicts.standing[chip]), chip))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("chip", overflow="fold")
    for heading in (f"standing ({verdicts.assurance.tier})", "licensed area", "excluded area"):
        table.add_column(heading, no_wrap=True)
    table.add_column("units", justify="right")
    if verdicts.region_area_km2 is not None:
        table.add_column("region km²", justify="right")
    for chip in order[:MOST_LINES]:
        standing = STANDINGS[verdicts.standing[chip]]
        cells: list[str | Text] = [
            Text(printable(verdicts.chip_ids[chip])),
            f"[{STYLES[standing]}]{standing}[/]",
            _answer(verdicts.licensed, chip),
            _answer(verdicts.excluded, chip),
            str(verdicts.units_heard[chip]),
        ]
        if verdicts.region_area_km2 is not None:
            cells.append(f"{verdicts.region_area_km2[chip]:,.0f}")
        table.add_row(*cells)
    console.print(table)
    if len(order) > MOST_LINES:
        console.print(f"... and {len(order) - MOST_LINES:,} more chips; --out FILE or --json gives them all.")
    console.print()
    console.print(standing_counts(verdicts))
    for hint in _hints(verdicts):
        console.print(hint, soft_wrap=True)
    print_grounds(console, verdicts)


def standing_counts(verdicts: Verdicts) -> str:
    """How many chips have each standing, the worst first."""
    counts = Counter(STANDINGS[code] for code in verdicts.standing.tolist())
    return ", ".join(f"{counts[standing]:,} {standing}" for standing in STANDINGS if counts[standing])


def _hints(verdicts: Verdicts) -> Iterator[str]:
    """Why chips may be undetermined or contradicted that no single line shows, and where to look next."""
    few = verdicts.units_heard <= verdicts.fault_budget
    no_rows = few & (verdicts.landmarks_used + verdicts.landmarks_ignored + verdicts.rows_outside_window == 0)
    causes = {
        "without a single reading": no_rows,
        "with readings outside the window only": few
        & (verdicts.landmarks_used == 0)
        & (verdicts.rows_outside_window > 0),
        "measured only from where nothing is believed, their excluded area": few
        & (verdicts.landmarks_used == 0)
        & (verdicts.landmarks_ignored > 0),
        f"heard by {verdicts.fault_budget} fault units or fewer, which prove nothing with this fault budget": few
        & (verdicts.landmarks_used > 0),
    }
    for cause, chips in causes.items():
        if count := int(chips.sum()):
            yield f"{count:,} {'chips' if count > 1 else 'chip'} {cause}."
    ends = verdicts.window_to_ns
    if ends is not None and verdicts.has_window.any():
        first, last = (str(end.astype("datetime64[s]")) for end in _extremes(ends[verdicts.has_window]))
        yield f"Windows end between {first}Z and {last}Z." if first != last else f"Windows end at {first}Z."
    if (verdicts.standing == STANDINGS.index(Standing.CONTRADICTION)).any():
        yield "A contradiction accuses landmarks, or a key in several places, and not the chip: look at the landmarks."
    yield "lightbound explain, with the same files and --chip ID, says why a verdict came out and what would settle it."


def _extremes(instants_ns: NDArray[np.int64]) -> tuple[np.datetime64, np.datetime64]:
    return np.datetime64(int(instants_ns.min()), "ns"), np.datetime64(int(instants_ns.max()), "ns")


def print_grounds(console: Console, verdicts: Verdicts) -> None:
    """What the verdicts rest on, what they take for granted, and what they do not show."""
    border = verdicts.border
    console.print(
        f"speed {verdicts.speed}, fault budget {verdicts.fault_budget}, proof {verdicts.proof}, "
        f"border {border.name} {border.version} ({border.viewpoint})"
    )
    console.print("Taken for granted:")
    for assumption in verdicts.assumptions:
        if assumption is Assumption.ONE_KEY_ONE_PLACE and not verdicts.rests_on_one_place.any():
            continue
        text = PLAINLY[assumption].format(
            budget=verdicts.fault_budget, border=f"{border.name} {border.version}", border_error=f"{border.error_m:g}"
        )
        console.print(f"  {assumption}: {text}", soft_wrap=True)
    console.print(NOT_SHOWN.format(tier=verdicts.assurance.tier), soft_wrap=True)


def _answer(question: Question, chip: int) -> str:
    code = question.verdict[chip]
    if code < 0:
        return "[dim]not asked[/]"
    verdict = VERDICTS[code]
    if question.proof[chip] < 0:
        return str(verdict) if verdict is Verdict.VOID else f"[dim]{verdict}[/]"
    proof = PROOFS[question.proof[chip]]
    margin_km = question.margin_m[chip] / 1000
    return f"{verdict} {proof} +{margin_km:,.0f} km" if margin_km > 0 else f"{verdict} {proof}"
