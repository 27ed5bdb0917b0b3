"""`lightbound explain`: why one chip's verdicts are what they are, and what would change them."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from lightbound.cli.chip_map import check_map_file, write_map
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

HELP: Final = """Explain the verdicts on one chip: what each landmark shows, what decided, what is missing.

The files and options are those of `lightbound adjudicate`, and so are the numbers. Printed are, for each question,
every fault unit with its best landmark, round trip, bound and margin; the units that decided, or the bounds that
an overlap rests on; under a contradiction, bounds that cannot all be true; rows that did not count, and why;
which quicker answers or further landmarks would prove what is not proven; what is taken for granted; and what
all of this does not show.

\b
Example:
  lightbound explain rtt.csv --landmarks lm.csv --chips chips.csv --chip rack-7
"""

NEAR_MISSES: Final = 5
"""Chips named when the one asked for is not there."""

MOST_COMPARED: Final = 20_000
"""Names compared with a misspelt one; more would take longer than looking into the file."""


def explain(
    measurements: MeasurementsFile,
    *,
    landmarks: LandmarksFile,
    chips: ChipsFile,
    chip: Annotated[str, typer.Option(metavar="ID", help="The chip to explain, as the file of chips names it.")],
    speed: SpeedOption = SpeedChoice.VACUUM,
    fault_budget: FaultBudgetOption = DEFAULT_FAULT_BUDGET,
    proof: ProofOption = ProofChoice.JOINT,
    window: WindowOption = DEFAULT_WINDOW,
    as_of: AsOfOption = None,
    independent_landmarks: IndependentLandmarksOption = False,
    border_error_m: BorderErrorOption = None,
    map_file: Annotated[
        Path | None,
        typer.Option("--map", dir_okay=False, metavar="FILE", help="Also draw it, to a .html or .svg file."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")] = False,
) -> None:
    """Explain the verdicts on one chip: what each landmark shows, what decided, what is missing."""
    if map_file is not None:
        check_map_file(map_file, "--map")
        refuse_to_replace(map_file, (measurements, landmarks, chips), "--map")
    settings = settings_of(
        speed=speed,
        fault_budget=fault_budget,
        proof=proof,
        window=window,
        as_of=as_of,
        independent_landmarks=independent_landmarks,
        measure_regions=True,
    )

    from lightbound.adjudication.explaining import explain as explained
    from lightbound.cli.explanation_text import print_explanation
    from lightbound.cli.progress import progress
    from lightbound.files.dossier import read_dossier
    from lightbound.files.explanations import explanation_object
    from lightbound.files.verdicts import json_line
    from lightbound.geo.cities import packaged_cities

    with progress() as steps:
        dossier = read_dossier(
            measurements, landmarks=landmarks, chips=chips, border_error_m=border_error_m, steps=steps
        )
    explanation = explained(
        chip_number(chip, dossier.chips.chip_ids),
        readings=dossier.readings,
        landmarks=dossier.landmarks,
        chips=dossier.chips,
        areas=dossier.areas,
        border=dossier.border,
        settings=settings,
        cities=packaged_cities(),
    )
    if map_file is not None:
        write_map(dossier, chip_number(chip, dossier.chips.chip_ids), settings, map_file)
    tell_notes(dossier.notes)
    if as_json:
        typer.echo(json_line(explanation_object(explanation)), nl=False)
    else:
        print_explanation(explanation)


explain.__doc__ = HELP


def chip_number(chip_id: str, chip_ids: Sequence[str]) -> int:
    """Place of a chip in the list.

    Raises:
        typer.BadParameter: it is not there; names that are nearly the same are told.
    """
    try:
        return chip_ids.index(chip_id)
    except ValueError:
        alike = [known for known in chip_ids if abs(len(known) - len(chip_id)) <= 2][:MOST_COMPARED]
        folded = {known.casefold(): known for known in reversed(alike)}
        near = difflib.get_close_matches(chip_id.casefold(), folded, n=NEAR_MISSES, cutoff=0.6)
        hint = f"; near it are {', '.join(repr(folded[known]) for known in near)}" if near else ""
        raise typer.BadParameter(
            f"expected a chip that the file of chips lists, found {chip_id!r}{hint}", param_hint="--chip"
        ) from None
