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
from lightbound.demo.story import LOTS, PLACES

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


class LiveTable:
    """For a terminal: what was said stays above, the table is below and changes."""

    def __init__(self, console: Console) -> None:
        """Nothing is known yet."""
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=False)

    def said(self, text: str) -> None:
        """Print a sentence above the table."""
        self._console.print(text, soft_wrap=False)
        self._live.refresh()

    def shown(self, standings: Standings, places: Mapping[str, str]) -> None:
        """Draw the table again."""
        self._live.update(_drawn(standings, places), refresh=True)

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Leave the table as it is."""
        self._live.stop()


class Lines:
    """For a file or a pipe: a line for each change of a standing."""

    def __init__(self, console: Console) -> None:
        """Nothing is known yet."""
        self._console = console
        self._known: dict[str, tuple[str, str | None]] = {}

    def said(self, text: str) -> None:
        """Print a sentence."""
        self._console.print(text, soft_wrap=True)

    def shown(self, standings: Standings, places: Mapping[str, str]) -> None:
        """Print what has changed."""
        del places
        for lot in LOTS:
            now = standings.get(lot.name)
            if now is None or now.standing is None:
                continue
            word = (now.standing, now.lead)
            if self._known.get(lot.name) != word:
                self._known[lot.name] = word
                self._console.print(f"  {lot.name:16}{now.standing}{f', lead: {now.lead}' if now.lead else ''}")

    def __enter__(self) -> Self:
        """Nothing to begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to end."""


class Nobody:
    """For whoever wants the end only."""

    def said(self, text: str) -> None:
        """Say nothing."""

    def shown(self, standings: Standings, places: Mapping[str, str]) -> None:
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


def closing_table(standings: Standings, places: Mapping[str, str]) -> Table:
    """What was said in the end, by words alone."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("lot", "licensed for", "truly in", "standing (A0)", "lead"):
        table.add_column(heading, no_wrap=True)
    for lot in LOTS:
        now = standings[lot.name]
        table.add_row(
            lot.name, lot.licensed, PLACES[places[lot.name]], _word(now), "" if now.lead is None else now.lead
        )
    return table


def _drawn(standings: Standings, places: Mapping[str, str]) -> RenderableType:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("lot of 8 chips", "standing (A0)", "licensed area", "excluded area", "lead", "truly in"):
        table.add_column(heading, no_wrap=True)
    for lot in LOTS:
        now = standings.get(lot.name)
        place = Text(PLACES[places[lot.name]], style="bold" if places[lot.name] != lot.region else "dim")
        if now is None:
            table.add_row(lot.name, WAITING, "", "", "", place)
        else:
            lead = Text(now.lead or "", style="yellow")
            table.add_row(lot.name, _word(now), answer(now.licensed), answer(now.excluded), lead, place)
    return Group(Text(), table, Text("The verifier knows all of this but the last column.", style="dim"))


def _word(now: LotStanding) -> Text:
    return Text(now.standing or WAITING, style=STYLES.get(now.standing or "", ""))


def answer(told: Answer | None) -> str:
    """An answer to one question, as it is shown."""
    if told is None:
        return ""
    if told.proof is None or told.margin_km is None:
        return told.verdict
    return f"{told.verdict} {told.proof} +{told.margin_km:,.0f} km"
