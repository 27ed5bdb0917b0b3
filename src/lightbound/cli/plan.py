"""`lightbound plan`: where the next landmarks should stand."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from lightbound.cli.terminal import refuse_to_replace, tell_notes
from lightbound.cli.verdict_options import (
    DEFAULT_FAULT_BUDGET,
    BorderErrorOption,
    FaultBudgetOption,
    IndependentLandmarksOption,
    SpeedChoice,
    SpeedOption,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lightbound.adjudication.planning.delays import Fit

HELP: Final = """Plan where landmarks should stand, so that most chips can be proven with the fewest.

A landmark at a candidate's place would prove a site alone if the round trip to be expected gave a bound smaller
than the place's distance to the area. A site counts as proven when more than --fault-budget different fault units
prove it. What is to be expected is a model, stated or fitted, and so the plan is for planning only: it proves
nothing about any chip.

\b
The files are CSV, CSV.gz or Parquet, by their ending:
  --sites         site_id (or chip_id), latitude, longitude, excluded_area
                  and/or licensed_area [position_error_m, weight]
  --candidates    candidate_id (or landmark_id), latitude, longitude
                  [position_error_m, fault_unit, country, cost]
  --landmarks     those that stand already and cost nothing more:
                  landmark_id, latitude, longitude, position_error_m
                  [fault_unit, country]
  --costs         candidate_id, cost
  --measurements  as for adjudicate, to fit round trips by distance to
  --measured-by   the landmarks of those measurements
  --places        chip_id, latitude, longitude [position_error_m]: where
                  the hosts stand that answered; without it, those that
                  bear a landmark's name stand where it does

A weight is how many chips a site has, or how much it matters. A cost is per landmark and year, in any one currency.
What lies in a site's excluded area, by its possible position or its declared country, is never counted for it.

\b
Examples:
  lightbound plan --sites sites.csv --candidates cities.csv
  lightbound plan --sites sites.csv --candidates cities.csv \\
      --measurements mesh.csv --measured-by hosts.csv --quantile 0.9
"""

ENDINGS: Final = (".jsonl", ".csv", ".parquet")
"""Endings of files that a plan's landmarks can be written to."""

DEFAULT_SLOWNESS: Final = 3.0
DEFAULT_OVERHEAD_MS: Final = 1.0
"""With these two, some two thirds of the pairs of examples/azure are at least as quick as expected, but few of those
within 500 km; a test holds them to it. Too quick: landmarks are planned that will not prove what they should."""

DEFAULT_QUANTILE: Final = 0.5
DEFAULT_CONFIDENCE: Final = 0.95
DEFAULT_COST: Final = 25_000.0
"""US dollars for a landmark and year: 100 to 500 landmarks for $2.5m to $12.5m a year (IAPS, 2024)."""
DEFAULT_ERROR_M: Final = 1_000.0
"""Position error where a file states none. A surveyed landmark is known better, a city's coordinates are not."""
DEFAULT_TARGETS: Final = (50.0, 80.0, 95.0)


def plan(
    *,
    sites: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, metavar="FILE", help="Places with chips, and their areas.")
    ],
    candidates: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, metavar="FILE", help="Places where landmarks could stand.")
    ],
    landmarks: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, metavar="FILE", help="Landmarks that stand already.")
    ] = None,
    costs: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, metavar="FILE", help="What candidates cost a year.")
    ] = None,
    measurements: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, metavar="FILE", help="Fit expected round trips to these."),
    ] = None,
    measured_by: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, metavar="FILE", help="The landmarks of those measurements."),
    ] = None,
    places: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, metavar="FILE", help="Where the hosts stand that answered."),
    ] = None,
    quantile: Annotated[
        float | None,
        typer.Option(
            min=0.01, max=0.99, metavar="Q", help="Share of measured pairs at most as slow as is expected. Default 0.5."
        ),
    ] = None,
    confidence: Annotated[
        float | None,
        typer.Option(min=0.5, max=0.999, metavar="P", help="Confidence of the interval about it. Default 0.95."),
    ] = None,
    slowness: Annotated[
        float | None,
        typer.Option(min=1, max=1000, metavar="X", help="Expect X times light's round trip, if not fitted. Default 3."),
    ] = None,
    overhead_ms: Annotated[
        float | None,
        typer.Option(min=0, max=1000, metavar="N", help="And so many milliseconds more. Default 1."),
    ] = None,
    speed: SpeedOption = SpeedChoice.VACUUM,
    fault_budget: FaultBudgetOption = DEFAULT_FAULT_BUDGET,
    independent_landmarks: IndependentLandmarksOption = False,
    border_error_m: BorderErrorOption = None,
    site_error_m: Annotated[
        float, typer.Option(min=0, max=20_037_508, metavar="N", help="Position error of sites that state none.")
    ] = DEFAULT_ERROR_M,
    candidate_error_m: Annotated[
        float, typer.Option(min=0, max=20_037_508, metavar="N", help="Position error of candidates that state none.")
    ] = DEFAULT_ERROR_M,
    landmark_cost: Annotated[
        float, typer.Option(min=0.01, max=1e12, metavar="N", help="Yearly cost of candidates that state none.")
    ] = DEFAULT_COST,
    chips: Annotated[
        float | None,
        typer.Option(
            min=1, max=1e12, metavar="N", help="Chips that costs are shared by. Default: the weights, where given."
        ),
    ] = None,
    target: Annotated[
        list[float] | None,
        typer.Option(metavar="PERCENT", help="Count landmarks for this share of what is provable. May be repeated."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, metavar="FILE", help="Write the landmarks to build to a .jsonl, .csv or .parquet file."
        ),
    ] = None,
    map_file: Annotated[
        Path | None,
        typer.Option("--map", dir_okay=False, metavar="FILE.svg", help="Also draw the plan on a map of the world."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")] = False,
) -> None:
    """Plan where landmarks should stand, so that most chips can be proven with the fewest."""
    for written in (out, map_file):
        refuse_to_replace(written, (sites, candidates, landmarks, costs, measurements))
    if out is not None and out.suffix not in ENDINGS:
        raise typer.BadParameter(f"expected a file ending in {', '.join(ENDINGS)}, found {out.name!r}")
    if map_file is not None and map_file.suffix != ".svg":
        raise typer.BadParameter(f"expected a --map file ending in .svg, found {map_file.name!r}")
    fitting = {"measured_by": measured_by, "places": places, "quantile": quantile, "confidence": confidence}
    _refuse_contradictions(measurements, fitting, {"slowness": slowness, "overhead_ms": overhead_ms})
    percents = tuple(target or DEFAULT_TARGETS)
    for percent in percents:
        if not 0 < percent <= 100:
            raise typer.BadParameter(f"expected a --target above 0 and up to 100 percent, found {percent:g}")

    from lightbound.cli.plan_table import print_plan
    from lightbound.cli.progress import progress
    from lightbound.files.planning_dossier import Choices, plan_from_files, read_fit
    from lightbound.files.plans import Stated, plan_object, write_landmarks
    from lightbound.ranging.bounds import Speed

    notes: list[str] = []
    with progress() as steps:
        done = steps("planning", 2)
        delays: Fit | Stated
        if measurements is None or measured_by is None:
            delays = Stated(
                slowness=DEFAULT_SLOWNESS if slowness is None else slowness,
                overhead_ms=DEFAULT_OVERHEAD_MS if overhead_ms is None else overhead_ms,
            )
        else:
            delays, notes = read_fit(
                measurements,
                measured_by=measured_by,
                places=places,
                quantile=DEFAULT_QUANTILE if quantile is None else quantile,
                confidence=DEFAULT_CONFIDENCE if confidence is None else confidence,
            )
        done(1)
        report, more = plan_from_files(
            sites,
            candidates,
            standing=landmarks,
            costs=costs,
            delays=delays,
            choices=Choices(
                speed=Speed(speed),
                fault_budget=fault_budget,
                independent_landmarks=independent_landmarks,
                border_error_m=border_error_m,
                site_error_m=site_error_m,
                candidate_error_m=candidate_error_m,
                landmark_cost=landmark_cost,
                chips=chips,
                percents=percents,
            ),
        )
        if map_file is not None:
            from lightbound.drawing.plan_map import plan_map
            from lightbound.files.whole import whole_file
            from lightbound.geo.borders import packaged_borders

            drawn = plan_map(report.plan, report.sites, borders=packaged_borders())
            with whole_file(map_file) as stream:
                stream.write(drawn)
        if out is not None:
            write_landmarks(report, out)
        done(1)
    tell_notes((*notes, *more))
    if as_json:
        typer.echo(json.dumps(plan_object(report), ensure_ascii=False, allow_nan=False))
    elif out is None:
        print_plan(report)


def _refuse_contradictions(
    measurements: Path | None, fitting: "Mapping[str, object]", stated: "Mapping[str, object]"
) -> None:
    """Expected round trips are either fitted or stated; an option that would be passed over is a mistake."""
    if measurements is not None and fitting["measured_by"] is None:
        raise typer.BadParameter("expected --measured-by with --measurements: the landmarks that measured")
    for name, value in (fitting if measurements is None else stated).items():
        if value is not None:
            wanted = "with" if measurements is None else "without"
            raise typer.BadParameter(f"expected --{name.replace('_', '-')} only {wanted} --measurements")


plan.__doc__ = HELP
