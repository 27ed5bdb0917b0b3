"""The running example as it is shown: a table that fills live on a terminal, a line per change elsewhere."""

from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from lightbound.cli import terminal
from lightbound.demo.acts import Standings
from lightbound.demo.standings import Answer, LotStanding
from lightbound.demo.story import LOTS, Truth

STYLES: Final = {
    "contradiction": "magenta",
    "diverted": "bold red",
    "misplaced": "red",
    "silent": "yellow",
    "verified": "green",
    "cleared": "cyan",
    "undetermined": "dim",
}

WAITING: Final = "..."

ALL_COLUMNS: Final = 130
"""Terminals as wide as this have room for what is proven, besides the word."""


class LiveTable:
    """For a terminal: what was said stays above, the table is below and changes."""

    def __init__(self, console: Console) -> None:
        """Nothing is known yet."""
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def said(self, text: str) -> None:
        """Print a sentence above the table."""
        self._console.print(text, soft_wrap=False)
        self._live.refresh()

    def shown(self, standings: Standings, truths: Mapping[str, Truth]) -> None:
        """Draw the table again."""
        self._live.update(Group(Text(), *table(standings, truths, width=self._console.width)), refresh=True)

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Take the table away: what is shown in the end is shown once."""
        self._live.stop()


class Lines:
    """For a file or a pipe: a line for each change of a standing."""

    def __init__(self, console: Console) -> None:
        """Nothing is known yet."""
        self._console = console
        self._known: dict[str, tuple[str | None, str | None]] = {}

    def said(self, text: str) -> None:
        """Print a sentence."""
        self._console.print(text, soft_wrap=True)

    def shown(self, standings: Standings, truths: Mapping[str, Truth]) -> None:
        """Print what has changed."""
        for lot in LOTS:
            now = standings.get(lot.name)
            if now is None or now.standing is None:
                continue
            word = (now.standing, now.lead)
            if self._known.get(lot.name) != word:
                self._known[lot.name] = word
                lead = f"  lead: {now.lead}" if now.lead else ""
                self._console.print(f"  {lot.name:16} truly in {truths[lot.name]!s:20} {now.standing}{lead}")

    def __enter__(self) -> Self:
        """Nothing to begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to end."""


class Nobody:
    """For whoever wants the end only."""

    def said(self, text: str) -> None:
        """Say nothing."""

    def shown(self, standings: Standings, truths: Mapping[str, Truth]) -> None:
        """Show nothing."""

    def __enter__(self) -> Self:
        """Nothing to begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to end."""


def audience(*, as_json: bool) -> LiveTable | Lines | Nobody:
    """How to show it, by what standard output is."""
    if as_json:
        return Nobody()
    console = terminal.console(markup=False)
    return LiveTable(console) if console.is_terminal else Lines(console)


def table(standings: Standings, truths: Mapping[str, Truth], *, width: int) -> tuple[RenderableType, RenderableType]:
    """What the verifier says of each lot beside what is true, and which of it is which."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    numbers = ("licensed area", "excluded area") if width >= ALL_COLUMNS else ()
    for heading in ("lot", "licensed for", "truly in", "verifier says (A1, simulated)", "lead", *numbers):
        drawn.add_column(heading, no_wrap=True)
    for lot in LOTS:
        now, truth = standings.get(lot.name), truths[lot.name]
        has_changed = truth != Truth(region=lot.region)
        cells: list[RenderableType] = [lot.name, lot.licence, Text(str(truth), style="bold" if has_changed else "dim")]
        if now is None:
            cells.append(WAITING)
        else:
            cells += [_word(now), Text(now.lead or "", style="yellow")]
            cells += [answer(now.licensed), answer(now.excluded)] if numbers else []
        drawn.add_row(*cells)
    return drawn, Text("The verifier is not told what is true: it sees how long answers take.", style="dim")


def _word(now: LotStanding) -> Text:
    return Text(now.standing or WAITING, style=STYLES.get(now.standing or "", ""))


def answer(told: Answer | None) -> str:
    """An answer to one question, as it is shown."""
    if told is None:
        return ""
    if told.proof is None or told.margin_km is None:
        return told.verdict
    return f"{told.verdict} {told.proof} +{told.margin_km:,.0f} km"
