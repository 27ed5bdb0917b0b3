"""`lightbound evaluate`: how good verdicts are where the truth is known."""

from pathlib import Path
from typing import Annotated

import typer

from lightbound.cli.terminal import tell_notes
from lightbound.cli.verdict_options import (
    DEFAULT_FAULT_BUDGET,
    DEFAULT_WINDOW,
    AsOfOption,
    BorderErrorOption,
    IndependentLandmarksOption,
    LandmarksFile,
    MeasurementsFile,
    ProofChoice,
    SpeedChoice,
    WindowOption,
    settings_of,
)

evaluate_app = typer.Typer(
    name="evaluate",
    help="Measure how good verdicts are where the truth is known.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

HELP = """Replay measured round trips of chips whose place is known, and count.

For each speed, fault budget and proof: whether the region keeps the true place, the share decided of each question,
verdicts that the truth denies; how many naive false claims are refuted, by how far the claimed place is from the true
one; and how the share decided grows with the number and the nearness of landmarks. Every share has an exact binomial
95 % interval, which takes chips for independent.

\b
MEASUREMENTS and --landmarks are files as for `adjudicate`. --truth has, one row a chip:
  chip_id, latitude, longitude, position_error_m, licensed_area, excluded_area
An area may be empty: not asked. A chip may truly stand in its excluded area.

\b
--out DIR writes results.json, report.html and the plots as SVG and PNG.

\b
Examples:
  lightbound evaluate readings rtt.csv --landmarks vetted.csv --truth truth.csv
  lightbound evaluate readings rtt.csv --landmarks vetted.csv --truth truth.csv \\
      --speed vacuum --fault-budget 1 --proof alone --out evaluation
"""


@evaluate_app.callback()
def evaluate() -> None:
    """Measure how good verdicts are where the truth is known."""


@evaluate_app.command(help=HELP)
def readings(
    measurements: MeasurementsFile,
    *,
    landmarks: LandmarksFile,
    truth: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, metavar="FILE", help="Chips and where they truly are.")
    ],
    speed: Annotated[
        list[SpeedChoice] | None, typer.Option(help="Fastest a signal can go. May be repeated; default both.")
    ] = None,
    fault_budget: Annotated[
        list[int] | None,
        typer.Option(min=0, max=1000, metavar="N", help="Fault units that may lie. May be repeated; default 0, 1, 2."),
    ] = None,
    proof: Annotated[
        list[ProofChoice] | None, typer.Option(help="Proof allowed. May be repeated; default both.")
    ] = None,
    claim_distance_km: Annotated[
        list[float] | None,
        typer.Option(min=1, max=20_000, metavar="KM", help="Distance of false claims. May be repeated; default ten."),
    ] = None,
    claim_radius_km: Annotated[
        float, typer.Option(min=0.001, max=10_000, metavar="KM", help="Radius of the circle that is falsely claimed.")
    ] = 25.0,
    seed: Annotated[int, typer.Option(help="Draws the directions of false claims and which landmarks are left.")] = 0,
    window: WindowOption = DEFAULT_WINDOW,
    as_of: AsOfOption = None,
    independent_landmarks: IndependentLandmarksOption = False,
    border_error_m: BorderErrorOption = None,
    out: Annotated[
        Path | None,
        typer.Option(file_okay=False, metavar="DIR", help="Write the report, the plots and results.json here."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")] = False,
) -> None:
    """Replay measured round trips of chips whose place is known, and count."""
    settings = settings_of(
        speed=SpeedChoice.VACUUM,
        fault_budget=DEFAULT_FAULT_BUDGET,
        proof=ProofChoice.JOINT,
        window=window,
        as_of=as_of,
        independent_landmarks=independent_landmarks,
    )

    import json

    from lightbound.adjudication.evaluation.evaluate import DISTANCES_KM, Plan
    from lightbound.adjudication.verdicts import Proof
    from lightbound.cli.evaluation_table import print_evaluation
    from lightbound.cli.progress import progress
    from lightbound.files.evaluation import evaluate_files, evaluation_object
    from lightbound.ranging.bounds import Speed

    plan = Plan(
        settings=settings,
        speeds=tuple(dict.fromkeys(map(Speed, speed or Speed))),
        fault_budgets=tuple(dict.fromkeys(fault_budget or (0, 1, 2))),
        proofs=tuple(dict.fromkeys(map(Proof, proof or Proof))),
        claim_distances_km=tuple(dict.fromkeys(claim_distance_km or DISTANCES_KM)),
        claim_radius_km=claim_radius_km,
        seed=seed,
    )
    with progress() as steps:
        evaluated = evaluate_files(
            measurements, landmarks=landmarks, truth=truth, plan=plan, border_error_m=border_error_m, steps=steps
        )
    told = json.dumps(evaluation_object(evaluated), ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    if out is not None:
        from lightbound.drawing.evaluation_plots import evaluation_plots, saved
        from lightbound.drawing.evaluation_report import evaluation_page
        from lightbound.files.evaluation import CONFIDENCE, write_folder

        figures = evaluation_plots(evaluated.evaluation, confidence=CONFIDENCE)
        plots = {name: saved(figure, "svg") for name, figure in figures.items()}
        page = evaluation_page(evaluated.evaluation, border=evaluated.border, plots=plots, confidence=CONFIDENCE)
        write_folder(
            out,
            {
                **{f"{name}.svg": content for name, content in plots.items()},
                **{f"{name}.png": saved(figure, "png") for name, figure in figures.items()},
                "report.html": page.encode(),
                "results.json": told.encode(),
            },
        )
    tell_notes(evaluated.notes)
    if as_json:
        typer.echo(told, nl=False)
    else:
        print_evaluation(evaluated)
