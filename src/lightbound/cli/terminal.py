"""Text from files, made fit for a terminal."""

from collections.abc import Iterable

import typer


def tell_notes(notes: Iterable[str]) -> None:
    """Print notes on standard error, one a line."""
    for note in notes:
        typer.echo(f"note: {printable(note)}", err=True)


def printable(text: str) -> str:
    """The text with its control characters and line breaks escaped: a file cannot write to whoever reads about it."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
