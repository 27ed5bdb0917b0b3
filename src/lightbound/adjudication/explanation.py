"""Why one chip's verdicts are what they are: which fault unit proves what, what decided, and what is missing.

These are the words of an explanation; `explaining` finds them. Every number is the one that the verdict was
reached with: `margin_m` of the verdict is the (f + 1)-th largest of the margins of its units. An explanation rests on
the same assumptions as the verdict, and shows no more than it.
"""

from dataclasses import dataclass
from enum import StrEnum

from lightbound.adjudication.places import Reference
from lightbound.adjudication.remedies import Missing
from lightbound.adjudication.verdicts import STANDINGS, Proof, Standing, Verdict, Verdicts
from lightbound.geo.cities import Cities
from lightbound.geo.earth import Position


class Reason(StrEnum):
    """Why rows of measurements about the chip did not count."""

    OWN_NAME = "own_name"
    """The landmark bears the chip's name."""
    MAY_STAND_IN_EXCLUDED_AREA = "may_stand_in_excluded_area"
    """By its position and position error."""
    DECLARES_EXCLUDED_COUNTRY = "declares_excluded_country"
    OUTSIDE_WINDOW = "outside_window"
    SUPERSEDED = "superseded"
    """The same landmark has a row inside the window with a lesser bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Rows of one landmark that did not count, and why."""

    landmark_id: str
    reason: Reason
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundHeard:
    """One landmark's bound that counts, and the reading it was made of."""

    landmark_id: str
    unit: str
    position: Position
    round_trip_ns: int
    clock_error_ns: int | None
    measured_at_ns: int | None
    session_id: str | None
    bound_m: int
    """Longest path between the landmark's stated position and the key, all slack included; rounded up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """How near a fault unit comes to proving one claim: its best landmark for that."""

    landmark_id: str
    distance_m: int
    """Least path length surely between that landmark and where the claim would be false; negative when it may stand
    there itself. Rounded down."""
    margin_m: int
    """Distance less bound, rounded down."""
    proves: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitAnswer:
    """What one fault unit says to one question, by itself."""

    unit: str
    outside: Side
    within: Side

    @property
    def better(self) -> Side:
        """The side it comes nearer to proving."""
        return self.outside if self.outside.margin_m >= self.within.margin_m else self.within

    @property
    def proves(self) -> Verdict | None:
        """What it proves by itself, or None."""
        if self.outside.proves:
            return Verdict.OUTSIDE
        return Verdict.WITHIN if self.within.proves else None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionExplained:
    """One question, its answer, and everything that the answer follows from."""

    area: str
    """As written in the file of chips."""
    verdict: Verdict
    proof: Proof | None
    margin_m: int | None
    """As in the verdict; None where fewer than f + 1 fault units were heard."""
    units: tuple[UnitAnswer, ...]
    """Every fault unit heard, the largest margin first."""
    decided_by: tuple[str, ...]
    """The f + 1 fault units with the largest margins that prove the answer alone; empty for other answers."""
    rests_on: tuple[str, ...]
    """Landmarks whose bounds prove the answer jointly, none of which can be spared; empty for other answers."""
    missing: Missing | None
    """What a proof alone of the claim that somebody hopes for lacks; None where it is there, refuted or void."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Bounds that cannot all be true, even if f fault units among them are wrong; none of them can be spared."""

    landmark_ids: tuple[str, ...]
    units: tuple[str, ...]
    """Their fault units, each once."""
    gaps: tuple[tuple[str, str, int], ...]
    """Pairs of landmarks no place is near enough to both of, and the metres between their bounds, rounded down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why one chip's verdicts are what they are."""

    verdicts: Verdicts
    """Of this chip alone."""
    licensed: QuestionExplained | None
    excluded: QuestionExplained | None
    bounds: tuple[BoundHeard, ...]
    """The least bound first."""
    left_out: tuple[LeftOut, ...]
    landmarks_not_heard: int
    """Landmarks of the file that have no row about this chip at all."""
    shaped_by: tuple[str, ...]
    """Landmarks whose bounds can shape the region, the least bound first; the others leave it exactly as it is."""
    conflict: Conflict | None
    """Present exactly under `contradiction`."""
    reference: Reference | None
    """Where the chip is taken to be when round trips that could be had are reckoned."""
    cities: Cities

    @property
    def chip_id(self) -> str:
        """The chip that is explained."""
        return self.verdicts.chip_ids[0]

    @property
    def standing(self) -> Standing:
        """Its standing."""
        return STANDINGS[int(self.verdicts.standing[0])]
