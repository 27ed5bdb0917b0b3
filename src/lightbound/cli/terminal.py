"""Text from files, made fit for a terminal."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

if TYPE_CHECKING:
    from rich.console import Console

WIDTH: Final = 100
"""Columns of a table where it goes to a file or a pipe."""


def console(*, markup: bool = True, width: int = WIDTH) -> "Console":
    """Where tables go: as wide as the terminal, or `width` without one. Names are shown as they are, no pictures."""
    from rich.console import Console

    made = Console(highlight=False, emoji=False, markup=markup)
    return made if made.is_terminal else Console(highlight=False, emoji=False, markup=markup, width=width)


def refuse_to_replace(out: Path | None, read: Iterable[Path | None], option: str = "--out") -> None:
    """Refuse an output that is one of the files that are read.

    Raises:
        typer.BadParameter: it is.
    """
    for path in read:
        if out is not None and path is not None and out.exists() and path.exists() and out.samefile(path):
            raise typer.BadParameter(f"{out} would replace a file that is read", param_hint=option)


def tell_notes(notes: Iterable[str]) -> None:
    """Print notes on standard error, one a line."""
    for note in notes:
        typer.echo(f"note: {printable(note)}", err=True)


def printable(text: str) -> str:
    """The text with its control characters and line breaks escaped: a file cannot write to whoever reads about it."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
