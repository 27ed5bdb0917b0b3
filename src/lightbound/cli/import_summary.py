"""What an import tells about itself: a table for a person, an object for a program."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from lightbound.cli.terminal import printable
from lightbound.units import counted

if TYPE_CHECKING:
    from lightbound.files.importing.dropped import Tally
    from lightbound.files.importing.runs import Written


def tell(
    tally: "Tally",
    written: "Written",
    *,
    files: list[Path],
    out: Path | None,
    landmarks_out: Path | None,
    notes: list[str],
) -> None:
    """Say on standard error what was read and written, what was left out and why, and the first malformed items."""
    rows = [f"{counted(written.measurements, 'row')} to {out or 'standard output'}"]
    if landmarks_out is not None and written.landmarks is not None:
        rows.append(f"{counted(written.landmarks, 'landmark')} to {landmarks_out}")
    lines = [f"read {counted(tally.items, 'item')} of {_listed(files)}; wrote {', '.join(rows)}"]
    if tally.counts:
        from lightbound.files.importing.dropped import Reason

        told = [(f"{tally.counts[r]:,}", r.unit.value, r.value, r.meaning) for r in Reason if tally.counts[r]]
        told.insert(0, ("left out", "", "reason", "meaning"))
        widths = [max(len(row[column]) for row in told) for column in range(3)]
        lines += [
            f"{count:>{widths[0]}} {unit:{widths[1]}}  {reason:{widths[2]}}  {meaning}"
            for count, unit, reason, meaning in told
        ]
    lines += [f"{example.reason}: {example}" for example in tally.examples]
    if more := tally.total_malformed - len(tally.examples):
        lines.append(f"... and {more:,} more malformed")
    lines += [f"note: {note}" for note in notes]
    for line in lines:
        typer.echo(printable(line), err=True)


def summary_of(
    kind: str,
    tally: "Tally",
    written: "Written",
    *,
    files: list[Path],
    out: Path | None,
    landmarks_out: Path | None,
    notes: list[str],
) -> dict[str, Any]:
    """The same as one object, `lightbound.import/1` of docs/importing.md."""
    from lightbound.files.importing.dropped import Reason
    from lightbound.files.importing.runs import SUMMARY_FORMAT

    return {
        "format": SUMMARY_FORMAT,
        "kind": kind,
        "files": [str(file) for file in files],
        "items_read": tally.items,
        "out": str(out),
        "rows_written": written.measurements,
        "landmarks_out": None if landmarks_out is None else str(landmarks_out),
        "landmarks_written": written.landmarks,
        "left_out": [
            {"reason": reason.value, "unit": reason.unit.value, "count": tally.counts[reason]}
            for reason in Reason
            if tally.counts[reason]
        ],
        "malformed": [
            {
                "reason": example.reason.value,
                "file": example.where.file,
                "line": example.where.line,
                "item": example.where.item,
                "field": example.field,
                "expected": example.expected,
                "found": example.found,
            }
            for example in tally.examples
        ],
        "notes": notes,
    }


def _listed(files: list[Path]) -> str:
    first = "standard input" if str(files[0]) == "-" else str(files[0])
    return first + (f" and {len(files) - 1} more" if len(files) > 1 else "")
