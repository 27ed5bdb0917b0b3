"""What came of the vectors, as a person reads it and as a program does."""

from collections.abc import Sequence
from typing import Any, Final

from rich.markup import escape
from rich.table import Table

from lightbound.cli import terminal
from lightbound.cli.terminal import printable
from lightbound.conformance.checking import Checked
from lightbound.conformance.vectors import SUBJECTS, Role, Vector

FORMAT: Final = "lightbound.conformance/1"

MOST_LINES: Final = 40
"""Differences shown at most; `--json` gives them all."""


def print_results(results: Sequence[Checked], command: str | None) -> None:
    """Print how many passed of each subject, and where the others differ."""
    console = terminal.console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("subject")
    for heading in ("vectors", "passed", "differ"):
        table.add_column(heading, justify="right")
    for subject in SUBJECTS:
        of_subject = [one for one in results if one.vector.subject == subject]
        if of_subject:
            differ = sum(one.difference is not None for one in of_subject)
            shown = f"[red]{differ}[/]" if differ else "0"
            table.add_row(subject.replace("_", " "), str(len(of_subject)), str(len(of_subject) - differ), shown)
    console.print(table)
    differing = [one for one in results if one.difference is not None]
    for one in differing[:MOST_LINES]:
        _print_difference(console.print, one)
    if len(differing) > MOST_LINES:
        console.print(f"... and {len(differing) - MOST_LINES} more; --json gives them all")
    who = "our own reference" if command is None else command
    passed = len(results) - len(differing)
    console.print(f"\n{passed} of {len(results)} passed, asked of {escape(printable(who))}")


def _print_difference(write: Any, one: Checked) -> None:
    found = one.difference
    if found is not None:
        write(f"\n[bold]{escape(one.vector.name)}[/]: {escape(one.vector.about)}")
        write(f"  at       {escape(printable(found.path))}")
        write(f"  expected {escape(printable(found.expected))}")
        write(f"  found    {escape(printable(found.found))}")


def result_object(results: Sequence[Checked], command: str | None) -> dict[str, Any]:
    """The same, whole."""
    return {
        "format": FORMAT,
        "command": command,
        "vectors": len(results),
        "passed": sum(one.difference is None for one in results),
        "differ": [
            {
                "name": one.vector.name,
                "path": one.difference.path,
                "expected": one.difference.expected,
                "found": one.difference.found,
            }
            for one in results
            if one.difference is not None
        ],
    }


def print_list(vectors: Sequence[Vector]) -> None:
    """Print what the vectors are called, who must answer them, and what each shows."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("vector", "roles", "right answer", "shows"):
        table.add_column(heading, overflow="fold")
    for vector in vectors:
        right = f"{vector.expect['refusal']['class']}" if vector.is_refused else "result"
        table.add_row(escape(vector.name), _roles(vector), right, escape(vector.about))
    terminal.console().print(table)


def list_object(vectors: Sequence[Vector]) -> dict[str, Any]:
    """The vectors themselves, whole."""
    return {
        "format": FORMAT,
        "list": [
            {
                "name": vector.name,
                "subject": vector.subject,
                "about": vector.about,
                "roles": [role for role in Role if role in vector.roles],
                "operation": vector.operation,
                "expect": vector.expect,
            }
            for vector in vectors
        ],
    }


def _roles(vector: Vector) -> str:
    return " ".join(role for role in Role if role in vector.roles)
