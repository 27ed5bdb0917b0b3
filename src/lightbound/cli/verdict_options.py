"""What every command that decides about chips from files asks for: the three files, and how to decide.

Each name here is a type of a parameter, option and help text included, so that `adjudicate` and what explains, draws
and evaluates its verdicts take the same options and mean the same by them. Nothing heavy is imported at the top:
`--help` reads this module.
"""

import re
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

if TYPE_CHECKING:
    from lightbound.adjudication.facts import Settings

UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class SpeedChoice(StrEnum):
    """Mirror of `ranging.bounds.Speed`, which is behind numpy; a test holds the two together."""

    VACUUM = "vacuum"
    FIBRE = "fibre"


class ProofChoice(StrEnum):
    """Mirror of `adjudication.verdicts.Proof`."""

    ALONE = "alone"
    JOINT = "joint"


MeasurementsFile: TypeAlias = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, metavar="MEASUREMENTS", help="Measured round trips.")
]
LandmarksFile: TypeAlias = Annotated[
    Path, typer.Option(exists=True, dir_okay=False, metavar="FILE", help="Landmarks and where they stand.")
]
ChipsFile: TypeAlias = Annotated[
    Path, typer.Option(exists=True, dir_okay=False, metavar="FILE", help="Chips and the areas asked about.")
]
SpeedOption: TypeAlias = Annotated[
    SpeedChoice,
    typer.Option(help="Fastest a signal can go. Only vacuum proves anything against somebody who chose the path."),
]
FaultBudgetOption: TypeAlias = Annotated[
    int, typer.Option(min=0, max=1000, metavar="N", help="Fault units of landmarks that may lie or be misplaced.")
]
ProofOption: TypeAlias = Annotated[
    ProofChoice,
    typer.Option(help="joint also combines bounds, taking one key to be in one place; alone never does."),
]
WindowOption: TypeAlias = Annotated[
    str, typer.Option(metavar="DURATION", help="Rows combined per chip: those of its newest such span of time.")
]
AsOfOption: TypeAlias = Annotated[
    str | None, typer.Option(metavar="TIME", help="End of the window for every chip, RFC 3339; later rows are out.")
]
IndependentLandmarksOption: TypeAlias = Annotated[
    bool,
    typer.Option("--independent-landmarks", help="Landmarks without a fault_unit fail one by one, not all together."),
]
BorderErrorOption: TypeAlias = Annotated[
    int | None,
    typer.Option(min=0, max=1_000_000, metavar="N", help="How far borders may be wrong, in metres. Default 2000."),
]

DEFAULT_FAULT_BUDGET: Final = 1
DEFAULT_WINDOW: Final = "1h"


def settings_of(
    *,
    speed: SpeedChoice,
    fault_budget: int,
    proof: ProofChoice,
    window: str,
    as_of: str | None,
    independent_landmarks: bool,
    measure_regions: bool = False,
) -> "Settings":
    """The settings that these options ask for.

    Raises:
        typer.BadParameter: the window is no duration, or its end no instant.
    """
    window_ns = duration_ns(window)
    as_of_ns = None if as_of is None else instant_ns(as_of)

    from lightbound.adjudication.facts import Settings
    from lightbound.adjudication.verdicts import Proof
    from lightbound.ranging.bounds import Speed

    return Settings(
        speed=Speed(speed),
        fault_budget=fault_budget,
        proof=Proof(proof),
        window_ns=window_ns,
        as_of_ns=as_of_ns,
        independent_landmarks=independent_landmarks,
        measure_regions=measure_regions,
    )


def duration_ns(text: str) -> int:
    """Nanoseconds of a duration such as 90s, 30m, 1h or 2d."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smhd])", text.strip())
    seconds = float(match[1]) * UNITS_S[match[2]] if match else 0.0
    if not 0 < seconds <= 36_525 * 86_400:
        raise typer.BadParameter(
            f"expected a duration such as 90s, 30m, 1h or 2d, found {text!r}", param_hint="--window"
        )
    return int(seconds * 1_000_000_000)


def instant_ns(text: str, option: str = "--as-of") -> int:
    """Nanoseconds since 1970 UTC of an RFC 3339 time with its offset."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise typer.BadParameter(
            f"expected a time such as 2026-11-23T12:00:00Z, with its offset, found {text!r}", param_hint=option
        )
    if not 1970 <= moment.year <= 2199:
        raise typer.BadParameter(f"expected a time from 1970 to 2199, found {text!r}", param_hint=option)
    since = moment - datetime.fromisoformat("1970-01-01T00:00:00Z")
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000
