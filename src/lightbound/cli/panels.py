"""The first list of commands: by who uses them, each on one line.

Typer shows panels only where Rich draws the help, which is off here (`cli.app` says why).
"""

from enum import StrEnum
from typing import Any

from typer.core import TyperGroup


class Panel(StrEnum):
    """What a command is for; in the order of the list, whose first command is a newcomer's first."""

    ALL = "All of it at once"
    JUDGE = "Judge measurements"
    RUN = "Run it, in the order of a first installation"
    EVIDENCE = "Evidence and keys"
    RESEARCH = "Research"


class PanelledGroup(TyperGroup):
    """Shows its commands under the panel that each was registered with."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write one section for each panel."""
        del ctx
        for panel in Panel:
            rows = [
                (name, command.short_help)
                for name, command in self.commands.items()
                if getattr(command, "rich_help_panel", None) == panel
            ]
            with formatter.section(str(panel)):
                # All sections in one column, however long their names are.
                width = max(len(name) for name in self.commands)
                formatter.write_dl([(name.ljust(width), told) for name, told in rows])
