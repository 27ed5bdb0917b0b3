"""Witnesses as options name them, and how many of them must have cosigned: one rule for all commands."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from lightbound.tlog.note import NoteKey

WitnessOption = Annotated[
    list[str] | None, typer.Option(metavar="VKEY", help="A witness of that log. May be repeated.")
]
WitnessThresholdOption = Annotated[
    int | None, typer.Option(min=0, metavar="K", help="So many must have cosigned. Default: all of them.")
]


def believed(witness: list[str] | None, threshold: int | None) -> "tuple[tuple[NoteKey, ...], int]":
    """The witnesses, and how many must have cosigned: all, if it was not said.

    Raises:
        typer.BadParameter: one stands twice, or more are asked for than there are.
    """
    from lightbound.tlog.note import read_witness_vkey

    keys = tuple(read_witness_vkey(text) for text in witness or [])
    # Under another name it is the same key, and would count twice.
    if len({one.raw for one in keys}) < len(keys):
        raise typer.BadParameter("expected each witness once", param_hint="--witness")
    if threshold is not None and threshold > len(keys):
        raise typer.BadParameter(f"there are {len(keys)} witnesses", param_hint="--witness-threshold")
    return keys, len(keys) if threshold is None else threshold
