"""`lightbound map` and `lightbound borders`: one chip on a map, and the borders that maps and verdicts rest on."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from lightbound.cli import terminal
from lightbound.cli.chip_map import check_map_file, write_map
from lightbound.cli.explain import chip_number
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
    from lightbound.geo.borders import Borders

MAP_HELP: Final = """Draw what one chip's verdict rests on: the region, the bounds, the areas, the landmarks.

The files and options are those of `lightbound adjudicate`, and so are the verdict and the region. An .html file is a
page that needs no network, with a map to walk around in by mouse, touch or keyboard and the same in words and a
table; an .svg file is one still picture. Equal arguments give equal bytes.

\b
Example:
  lightbound map rtt.csv --landmarks lm.csv --chips chips.csv --chip rack-7 \\
      --out rack-7.html
"""

BORDERS_FORMAT: Final = "lightbound.country/1"


class FramingChoice(StrEnum):
    """Mirror of `drawing.framing.Framing`, which is behind numpy; a test holds the two together."""

    AUTO = "auto"
    WORLD = "world"
    REGION = "region"


def draw_map(
    measurements: MeasurementsFile,
    *,
    landmarks: LandmarksFile,
    chips: ChipsFile,
    chip: Annotated[str, typer.Option(metavar="ID", help="The chip to draw, as the file of chips names it.")],
    out: Annotated[Path, typer.Option(dir_okay=False, metavar="FILE", help="Write to this .html or .svg file.")],
    view: Annotated[
        FramingChoice,
        typer.Option(
            help="The neighbourhood if the region is smaller than about a continent (auto), all of the Earth (world), "
            "or as near as the region lets us (region)."
        ),
    ] = FramingChoice.AUTO,
    speed: SpeedOption = SpeedChoice.VACUUM,
    fault_budget: FaultBudgetOption = DEFAULT_FAULT_BUDGET,
    proof: ProofOption = ProofChoice.JOINT,
    window: WindowOption = DEFAULT_WINDOW,
    as_of: AsOfOption = None,
    independent_landmarks: IndependentLandmarksOption = False,
    border_error_m: BorderErrorOption = None,
) -> None:
    """Draw what one chip's verdict rests on: the region, the bounds, the areas, the landmarks."""
    check_map_file(out)
    refuse_to_replace(out, (measurements, landmarks, chips))
    settings = settings_of(
        speed=speed,
        fault_budget=fault_budget,
        proof=proof,
        window=window,
        as_of=as_of,
        independent_landmarks=independent_landmarks,
        measure_regions=True,
    )

    from lightbound.cli.progress import progress
    from lightbound.files.dossier import read_dossier

    with progress() as steps:
        dossier = read_dossier(
            measurements, landmarks=landmarks, chips=chips, border_error_m=border_error_m, steps=steps
        )
        number = chip_number(chip, dossier.chips.chip_ids)
        write_map(dossier, number, settings, out, view=view, progress=steps("drawing", 2))
    tell_notes(dossier.notes)


draw_map.__doc__ = MAP_HELP

borders = typer.Typer(no_args_is_help=True, help="The packaged borders: which countries there are, and what each is.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else.")]


@borders.command(name="list")
def list_borders(*, as_json: AsJson = False) -> None:
    """List every code that an area can name, with what is drawn under it."""
    from lightbound.geo.borders import packaged_borders

    countries = [_country(packaged_borders(), code) for code in packaged_borders().codes]
    if as_json:
        for country in countries:
            typer.echo(json.dumps(country, ensure_ascii=False))
        return

    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("code", "name"):
        table.add_column(heading)
    for heading in ("parts", "corners", "area km²"):
        table.add_column(heading, justify="right")
    for country in countries:
        counts = (f"{country[key]:,}" for key in ("parts", "vertices", "area_km2"))
        table.add_row(country["code"], country["name"], *counts)
    console = terminal.console(markup=False)
    console.print(table)
    border = packaged_borders()
    console.print(f"\n{border.name} {border.version} (viewpoint {border.viewpoint}), {len(countries)} codes")


@borders.command(name="show")
def show_borders(
    code: Annotated[str, typer.Argument(metavar="CODE", help="A code such as DE, XK or NE-SCR.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show what is drawn under one code; for one that is not there, what was perhaps meant."""
    from lightbound.geo.borders import packaged_borders

    country = _country(packaged_borders(), code)
    if as_json:
        typer.echo(json.dumps(country, ensure_ascii=False))
        return
    box, border = country["bounding_box"], country["border"]
    crosses = ", across the antimeridian" if box["west"] > box["east"] else ""
    told = {
        "code": country["code"],
        "name": country["name"],
        "longitudes": f"{box['west']:.4f} to {box['east']:.4f}{crosses}",
        "latitudes": f"{box['south']:.4f} to {box['north']:.4f}",
        "parts": f"{country['parts']:,}",
        "corners": f"{country['vertices']:,}",
        "area": f"{country['area_km2']:,} km², as drawn",
        "border": f"{border['name']} {border['version']}",
        "viewpoint": border["viewpoint"],
        "sha256": border["sha256"],
    }
    for name, said in told.items():
        typer.echo(f"{name + ':':<12}{said}")


def _country(border: "Borders", code: str) -> dict[str, Any]:
    """What there is to say about one code, in the documented format."""
    from lightbound.geo.extents import extent_of

    extent = extent_of(border.polygons(code))
    return {
        "format": BORDERS_FORMAT,
        "code": code,
        "name": border.names[code],
        "bounding_box": {"west": extent.west, "south": extent.south, "east": extent.east, "north": extent.north},
        "parts": extent.parts,
        "vertices": extent.vertices,
        "area_km2": round(extent.area_km2, 1 if extent.area_km2 >= 10 else 4),
        "border": {
            "name": border.name,
            "version": border.version,
            "viewpoint": border.viewpoint,
            "sha256": border.sha256,
        },
    }
