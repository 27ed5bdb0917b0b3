"""`lightbound adjudicate`: files of round trips in, verdicts out."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from lightbound.cli.exits import ExitCode
from lightbound.cli.terminal import refuse_to_replace, tell_notes
from lightbound.cli.verdict_options import (
    DEFAULT_FAULT_BUDGET,
    DEFAULT_WINDOW,
    AsOfOption,
    BorderErrorOption,
    ChipsFile,
    FaultBudgetOption,
    IndependentLandmarksOption,
    LandmarksFile,
    MeasurementsFile,
    ProofChoice,
    ProofOption,
    SpeedChoice,
    SpeedOption,
    WindowOption,
    settings_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightbound.adjudication.verdicts import Verdicts

HELP: Final = """Decide where chips are, and are not, from measured round trips.

Each landmark's round trip bounds how far from it the holder of a chip's key can be: half the round trip at the
speed of light. The bounds answer two questions per chip: is it WITHIN its licensed area, and is it OUTSIDE its
excluded area. Each answer is proven, or honestly undetermined; a slow or missing answer is never held against
a chip. A verdict survives --fault-budget lying or misplaced fault units of landmarks.

\b
The three files are CSV, CSV.gz or Parquet, by their ending:
  MEASUREMENTS  landmark_id, chip_id, round_trip_ns or round_trip_ms
                [measured_at, samples, clock_error_ns, session_id]
  --landmarks   landmark_id, latitude, longitude, position_error_m
                [fault_unit, country]
  --chips       chip_id, licensed_area, excluded_area

\b
An area is one of these, or several joined by |; empty: not asked
  CN+HK+MO              ISO 3166 codes of countries
  circle(1.3,103.8,50)  latitude, longitude, radius in km
  @sites.geojson#hall3  a drawing, or one feature of it

\b
Standing, the one word per chip, the first that holds:
  contradiction  more faults than budgeted, or a key in several places
  diverted       within its excluded area
  misplaced      outside its licensed area
  verified       within its licensed area
  cleared        outside its excluded area
  undetermined   none of these is proven

\b
Examples:
  lightbound adjudicate rtt.csv --landmarks lm.csv --chips chips.csv
  lightbound adjudicate rtt.parquet --landmarks lm.csv --chips chips.parquet \\
      --out verdicts.parquet --fail-on diverted --fail-on misplaced
"""


ENDINGS: Final = (".jsonl", ".csv", ".parquet")
"""Endings of files that verdicts can be written to."""


class StandingChoice(StrEnum):
    """Mirror of `adjudication.verdicts.Standing`, which is behind numpy; a test holds the two together."""

    CONTRADICTION = "contradiction"
    DIVERTED = "diverted"
    MISPLACED = "misplaced"
    VERIFIED = "verified"
    CLEARED = "cleared"
    UNDETERMINED = "undetermined"


def adjudicate(
    measurements: MeasurementsFile,
    *,
    landmarks: LandmarksFile,
    chips: ChipsFile,
    speed: SpeedOption = SpeedChoice.VACUUM,
    fault_budget: FaultBudgetOption = DEFAULT_FAULT_BUDGET,
    proof: ProofOption = ProofChoice.JOINT,
    window: WindowOption = DEFAULT_WINDOW,
    as_of: AsOfOption = None,
    independent_landmarks: IndependentLandmarksOption = False,
    border_error_m: BorderErrorOption = None,
    region: Annotated[bool, typer.Option("--region", help="Also give the size of what is left for each chip.")] = False,
    fail_on: Annotated[
        list[StandingChoice] | None,
        typer.Option(metavar="STANDING", help="End with exit code 6 if a chip has this standing. May be repeated."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, metavar="FILE", help="Write to a .jsonl, .csv or .parquet file; no table is printed."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per chip, and nothing else.")] = False,
) -> None:
    """Decide where chips are, and are not, from measured round trips."""
    if out is not None and out.suffix not in ENDINGS:
        raise typer.BadParameter(
            f"expected a file ending in {', '.join(ENDINGS)}, found {out.name!r}", param_hint="--out"
        )
    refuse_to_replace(out, (measurements, landmarks, chips))
    settings = settings_of(
        speed=speed,
        fault_budget=fault_budget,
        proof=proof,
        window=window,
        as_of=as_of,
        independent_landmarks=independent_landmarks,
        measure_regions=region,
    )

    from lightbound.cli.progress import progress
    from lightbound.cli.verdict_table import print_table, standing_counts
    from lightbound.files.dossier import adjudicate_dossier, read_dossier
    from lightbound.files.verdicts import json_line, objects, write_verdicts

    with progress() as steps:
        dossier = read_dossier(
            measurements, landmarks=landmarks, chips=chips, border_error_m=border_error_m, steps=steps
        )
        verdicts = adjudicate_dossier(dossier, settings, steps=steps)
        if out is not None:
            write_verdicts(verdicts, out, steps("writing verdicts", len(verdicts)))
    if out is not None:
        typer.echo(f"{out}: {len(verdicts):,} verdicts, {standing_counts(verdicts)}", err=True)
    tell_notes(dossier.notes)
    if as_json:
        for verdict in objects(verdicts):
            sys.stdout.write(json_line(verdict, ascii_only=True))
    elif out is None:
        print_table(verdicts)
    if _found(verdicts, fail_on or []):
        raise typer.Exit(ExitCode.STANDING_FOUND)


def _found(verdicts: "Verdicts", standings: "Sequence[StandingChoice]") -> bool:
    """Whether any chip has one of these standings."""
    from lightbound.adjudication.verdicts import STANDINGS

    found = set(verdicts.standing.tolist())
    return any(STANDINGS.index(standing) in found for standing in map(str, standings))


adjudicate.__doc__ = HELP
