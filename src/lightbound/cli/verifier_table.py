"""Standings for a person: one line a chip, the adverse first."""

from collections.abc import Mapping
from typing import Any, Final

import typer

from lightbound.cli.terminal import printable
from lightbound.units import counted

ORDER: Final = (
    "tampered",
    "contradiction",
    "diverted",
    "misplaced",
    "silent",
    "undetermined",
    "cleared",
    "verified",
)
"""What a person is to see first stands first."""

TIERS: Final = {
    "A0": "a key in software was there. It does not show that any chip was.",
    "A1": "a key was there, and the chip signed the session. It does not show that the chip was there: reports travel.",
    "A2": "as A1, and the host's TPM signed too. It shows neither host nor chip there: reports and quotes travel.",
}
"""What a tier says, and does not."""

BREAKS: Final = {
    "forked": "FORKED sequence of",
    "unlinked": "wrong link in sequence of",
    "missing": "statements not shown by",
}
"""What is wrong with landmarks' sequences, the worst first."""


def print_standings(told: Mapping[str, Any]) -> None:
    """Print standings as `standings` gives them."""
    rows = sorted(told["standings"], key=lambda row: (ORDER.index(row["standing"]), row["chip_id"]))
    if not rows:
        typer.echo("no agent has enrolled yet", err=True)
        return
    typer.echo(f"{'chip':18}  {'site':16}  {'standing':18}  {'since':16}  {'asked':16}  {'answered':16}  notes")
    for row in rows:
        standing = f"{row['standing']} ({row['tier']})"
        columns = [
            f"{row['chip_id'][:16]}..",
            f"{printable(row.get('site') or row['label'])[:16]:16}",
            f"{standing:18}",
            *(f"{_minute(row.get(name)):16}" for name in ("since", "last_asked", "last_answered")),
            _notes(row),
        ]
        typer.echo("  ".join(columns).rstrip())
    for tier in sorted({row["tier"] for row in rows}):
        typer.echo(f"{tier}: {TIERS[tier]}", err=True)
    if any(row["device"] and row["device"]["is_simulated"] for row in rows):
        typer.echo("SIMULATED: some chips are made by a program. They are no chips.", err=True)


def _notes(row: Mapping[str, Any]) -> str:
    notes = []
    if row["lead"]:
        notes.append(f"lead: {row['lead']} (proven {_minute(row['proven_at'])})")
    notes += [f"{one['kind']}: {printable(one['detail'])[:80]}" for one in row["findings"]]
    if row.get("not_asked"):
        notes.append("NOT ASKED: the verifier's own failure")
    verdict = row.get("verdict")
    if verdict and row["standing"] == "undetermined" and verdict["fault_units_heard"] <= verdict["fault_budget"]:
        heard = counted(verdict["fault_units_heard"], "fault unit")
        notes.append(f"measured by {heard}, a proof needs {verdict['fault_budget'] + 1}")
    newest = row.get("newest_session")
    if newest and newest["failure"]:
        failure = newest["failure"]
        who = f"{failure['landmark'][:8]} " if failure["landmark"] else ""
        notes.append(f"{who}{failure['step'] or newest['state']}: {printable(failure['why'] or 'no reason told')[:80]}")
    notes += [
        f"{words} {counted(len(landmarks), 'landmark')}"
        for kind, words in BREAKS.items()
        if (landmarks := [one for one in row.get("sequence_breaks", []) if one[kind]])
    ]
    return "; ".join(notes)


def _minute(text: str | None) -> str:
    return "never" if text is None else text[:16].replace("T", " ")
