"""`lightbound adjudicate`: files of round trips in, verdicts out."""

import re
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lightbound.cli.exits import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightbound.adjudication.verdicts import Verdicts

HELP = """Decide where chips are, and are not, from measured round trips.

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

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class SpeedChoice(StrEnum):
    """Mirror of `ranging.bounds.Speed`, which is behind numpy; a test holds the two together."""

    VACUUM = "vacuum"
    FIBRE = "fibre"


class ProofChoice(StrEnum):
    """Mirror of `adjudication.verdicts.Proof`."""

    ALONE = "alone"
    JOINT = "joint"


class StandingChoice(StrEnum):
    """Mirror of `adjudication.verdicts.Standing`."""

    CONTRADICTION = "contradiction"
    DIVERTED = "diverted"
    MISPLACED = "misplaced"
    VERIFIED = "verified"
    CLEARED = "cleared"
    UNDETERMINED = "undetermined"


def duration_ns(text: str) -> int:
    """Nanoseconds of a duration such as 90s, 30m, 1h or 2d."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smhd])", text.strip())
    seconds = float(match[1]) * UNITS_S[match[2]] if match else 0.0
    if not 0 < seconds <= 36_525 * 86_400:
        raise typer.BadParameter(f"expected a duration such as 90s, 30m, 1h or 2d, found {text!r}")
    return int(seconds * 1_000_000_000)


def instant_ns(text: str) -> int:
    """Nanoseconds since 1970 UTC of an RFC 3339 time with its offset."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise typer.BadParameter(f"expected a time such as 2026-11-23T12:00:00Z, with its offset, found {text!r}")
    since = moment - datetime.fromisoformat("1970-01-01T00:00:00Z")
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000


def adjudicate(
    measurements: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, metavar="MEASUREMENTS", help="Measured round trips.")
    ],
    *,
    landmarks: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, metavar="FILE", help="Landmarks and where they stand.")
    ],
    chips: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, metavar="FILE", help="Chips and the areas asked about.")
    ],
    speed: Annotated[
        SpeedChoice,
        typer.Option(help="Fastest a signal can go. Only vacuum proves anything against somebody who chose the path."),
    ] = SpeedChoice.VACUUM,
    fault_budget: Annotated[
        int, typer.Option(min=0, max=1000, metavar="N", help="Fault units of landmarks that may lie or be misplaced.")
    ] = 1,
    proof: Annotated[
        ProofChoice,
        typer.Option(help="joint also combines bounds, taking one key to be in one place; alone never does."),
    ] = ProofChoice.JOINT,
    window: Annotated[
        str, typer.Option(metavar="DURATION", help="Rows combined per chip: those of its newest such span of time.")
    ] = "1h",
    as_of: Annotated[
        str | None, typer.Option(metavar="TIME", help="End of the window for every chip, RFC 3339; later rows are out.")
    ] = None,
    independent_landmarks: Annotated[
        bool,
        typer.Option(
            "--independent-landmarks", help="Landmarks without a fault_unit fail one by one, not all together."
        ),
    ] = False,
    border_error_m: Annotated[
        int | None,
        typer.Option(min=0, max=1_000_000, metavar="N", help="How far borders may be wrong, in metres. Default 2000."),
    ] = None,
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
    window_ns = duration_ns(window)
    as_of_ns = None if as_of is None else instant_ns(as_of)
    if out is not None and out.suffix not in (".jsonl", ".csv", ".parquet"):
        raise typer.BadParameter(f"expected a file ending in .jsonl, .csv or .parquet, found {out.name!r}")

    from lightbound.adjudication.facts import Settings
    from lightbound.adjudication.verdicts import Proof
    from lightbound.cli.progress import progress
    from lightbound.cli.verdict_table import print_table
    from lightbound.files.dossier import adjudicate_dossier, read_dossier
    from lightbound.files.verdicts import json_line, objects, write_verdicts
    from lightbound.ranging.bounds import Speed

    with progress() as steps:
        dossier = read_dossier(
            measurements, landmarks=landmarks, chips=chips, border_error_m=border_error_m, steps=steps
        )
        verdicts = adjudicate_dossier(
            dossier,
            Settings(
                speed=Speed(speed),
                fault_budget=fault_budget,
                proof=Proof(proof),
                window_ns=window_ns,
                as_of_ns=as_of_ns,
                independent_landmarks=independent_landmarks,
                measure_regions=region,
            ),
            steps=steps,
        )
        if out is not None:
            write_verdicts(verdicts, out, steps("writing verdicts", len(verdicts)))
    for note in dossier.notes:
        typer.echo(f"note: {note}", err=True)
    if as_json:
        for verdict in objects(verdicts):
            typer.echo(json_line(verdict), nl=False)
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
