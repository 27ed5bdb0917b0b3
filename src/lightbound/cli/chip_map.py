"""Writing the map of one chip, for whichever command was asked for it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

if TYPE_CHECKING:
    from lightbound.adjudication.facts import Settings
    from lightbound.adjudication.verdicts import Assumption, Verdicts
    from lightbound.files.dossier import Dossier

ENDINGS: Final = (".html", ".svg")
"""File endings that name a kind of map."""


def check_map_file(out: Path, option: str = "--out") -> None:
    """Refuse a name that says no kind of map.

    Raises:
        typer.BadParameter: it ends otherwise.
    """
    if out.suffix not in ENDINGS:
        expected = f"expected a file ending in {' or '.join(ENDINGS)}"
        raise typer.BadParameter(f"{expected}, found {out.name!r}", param_hint=option)


def write_map(
    dossier: "Dossier",
    number: int,
    settings: "Settings",
    out: Path,
    *,
    view: str = "auto",
    progress: Callable[[int], None] = lambda _count: None,
) -> None:
    """Draw what a chip's verdict rests on; `progress` is told of two steps.

    Raises:
        Unavailable: the file cannot be written.
    """
    from lightbound.drawing.chips import picture_of_chip
    from lightbound.drawing.framing import Framing
    from lightbound.drawing.layers import layers_of
    from lightbound.drawing.page import page
    from lightbound.drawing.poster import poster
    from lightbound.files.whole import whole_file

    picture = picture_of_chip(
        number,
        readings=dossier.readings,
        landmarks=dossier.landmarks,
        chips=dossier.chips,
        areas=dossier.areas,
        borders=dossier.borders,
        border=dossier.border,
        settings=settings,
        in_words=in_words,
    )
    progress(1)
    layers = layers_of(picture, Framing(view))
    drawn = page(picture, layers) if out.suffix == ".html" else poster(picture, layers)
    with whole_file(out) as file:
        file.write(drawn)
    progress(1)


def in_words(verdicts: "Verdicts", assumption: "Assumption") -> str:
    """An assumption as the table of verdicts says it."""
    from lightbound.cli.verdict_table import PLAINLY

    border = verdicts.border
    return PLAINLY[assumption].format(
        budget=verdicts.fault_budget, border=f"{border.name} {border.version}", border_error=f"{border.error_m:g}"
    )
