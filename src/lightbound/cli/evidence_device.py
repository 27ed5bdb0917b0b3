"""Options that say which device gives evidence, and how it is read: of every command that asks one."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

if TYPE_CHECKING:
    from lightbound.roles.evidence.answering import Source

MOST_DEVICE: Final = 1023
"""No host has as many chips; a number that is a slip of the keyboard is told at once."""


class ByChoice(StrEnum):
    """Mirror of `roles.evidence.sources.By`; a test holds the two together."""

    AUTO = "auto"
    NVML = "nvml"
    NVATTEST = "nvattest"
    CORELIB = "corelib"


ByOption: TypeAlias = Annotated[
    ByChoice,
    typer.Option(
        "--by",
        help="How a chip is read: nvml, through the driver; nvattest, the vendor's collector; corelib, the collector "
        "past the driver (Blackwell outside of confidential computing, as root); auto: nvml, and corelib where that is "
        "the only way.",
    ),
]
CollectorOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--collector",
        dir_okay=False,
        metavar="FILE",
        help="The vendor's collector. Default: nvattest in /usr/bin or /usr/local/bin.",
    ),
]
LibraryOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--library", dir_okay=False, metavar="FILE", help="The driver's library. Default: libnvidia-ml.so.1, wherever."
    ),
]


def chip_source(
    device: int, by: ByChoice, *, within_s: float, collector: Path | None, library: Path | None
) -> "Source":
    """The chip as the options have it."""
    from lightbound.roles.evidence.nvml import LIBRARY
    from lightbound.roles.evidence.sources import By, chip

    name = LIBRARY if library is None else str(library.absolute())
    return chip(device, By(by), within_s=within_s, collector=collector, library=name)
