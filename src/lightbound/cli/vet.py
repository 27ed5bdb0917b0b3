"""`lightbound vet`: which landmarks cannot all stand where they say."""

from pathlib import Path
from typing import Annotated

import typer

from lightbound.cli.terminal import refuse_to_replace, tell_notes
from lightbound.cli.verdict_options import BorderErrorOption, LandmarksFile, SpeedChoice

HELP = """Find landmarks that cannot stand where they say, by what they measured of one another.

Two landmarks contradict each other if light could not have gone between their stated places, position errors
granted, in the time of their quickest round trip. One of the two is then at fault, or something answered in the
place of one. SUSPECTS are at fault in every explanation that takes the fewest faults; where two explanations are
equally good, the landmarks are AMBIGUOUS: one of these. Slow answers accuse nobody, and a landmark that delays its
answers is never found; that is what the fault budget of `adjudicate` is for.

\b
MEASUREMENTS is a file as for `adjudicate`, in which chip_id names another landmark:
  landmark_id, chip_id, round_trip_ns or round_trip_ms [clock_error_ns]
Rows about anything else are counted and left out. All rows count, whenever measured.

\b
--exclude-area is an area as in `adjudicate` (CN+HK+MO, circle(...), @file.geojson): rows measured
by landmarks that may stand there are left out, for there answers can be forged on the way.
--out writes the landmarks that are left: no suspect, and none of an ambiguous group.

\b
Examples:
  lightbound vet mesh.csv --landmarks landmarks.csv
  lightbound vet mesh.csv --landmarks landmarks.csv --exclude-area CN --out vetted.csv
"""


def vet(
    measurements: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, metavar="MEASUREMENTS", help="Round trips between landmarks."),
    ],
    *,
    landmarks: LandmarksFile,
    exclude_area: Annotated[
        str | None, typer.Option(metavar="AREA", help="Leave out rows measured where this area may be.")
    ] = None,
    speed: Annotated[
        SpeedChoice,
        typer.Option(help="Fastest a signal can go. fibre is an assumption, under which more is found."),
    ] = SpeedChoice.VACUUM,
    border_error_m: BorderErrorOption = None,
    out: Annotated[
        Path | None,
        typer.Option(dir_okay=False, metavar="FILE", help="Write the landmarks that are left, .csv or .parquet."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")] = False,
) -> None:
    """Find landmarks that cannot stand where they say."""
    refuse_to_replace(out, (measurements, landmarks))
    if out is not None and out.suffix not in (".csv", ".parquet"):
        raise typer.BadParameter(f"expected a file ending in .csv or .parquet, found {out.name!r}")

    import json

    from lightbound.cli.progress import progress
    from lightbound.cli.vetting_table import print_vetting
    from lightbound.files.vetting import vet_files, vetting_object, write_landmarks
    from lightbound.ranging.bounds import Speed

    with progress() as steps:
        mesh = vet_files(
            measurements,
            landmarks=landmarks,
            exclude_area=exclude_area,
            speed=Speed(speed),
            border_error_m=border_error_m,
            steps=steps,
        )
    if out is not None:
        doubtful = mesh.vetting.doubtful
        write_landmarks([item for place, item in enumerate(mesh.landmarks) if place not in doubtful], out)
    tell_notes(mesh.notes)
    if as_json:
        typer.echo(json.dumps(vetting_object(mesh), ensure_ascii=False, separators=(",", ":"), allow_nan=False))
    else:
        print_vetting(mesh)


vet.__doc__ = HELP
