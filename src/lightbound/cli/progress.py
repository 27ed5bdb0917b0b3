"""Progress of long work, on standard error and only where a person looks on."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Steps: TypeAlias = Callable[[str, int], Callable[[int], None]]
"""Given a step's name and how many things it has (0: not known), what to call with each further count done."""


@contextmanager
def progress() -> Iterator[Steps]:
    """Bars for the steps of one command; they vanish when it is done, and never reach a file or a pipe."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(file=sys.stderr),
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as bars:

        def steps(name: str, total: int) -> Callable[[int], None]:
            task = bars.add_task(name, total=total or None)
            return lambda count: bars.advance(task, count)

        yield steps
