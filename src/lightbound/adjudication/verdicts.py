"""What is concluded about chips: the words, their precedence, and the columns they travel in.

How a conclusion is reached is in `adjudicate`; how it is written to a file is the business of `files`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from lightbound.attestation.tiers import Assurance
from lightbound.geo.borders import Borders
from lightbound.ranging.bounds import Speed


class Verdict(StrEnum):
    """The answer to one question about one area."""

    WITHIN = "within"
    OUTSIDE = "outside"
    UNDETERMINED = "undetermined"
    VOID = "void"


class Proof(StrEnum):
    """On what a verdict stands.

    `alone`: more than f fault units each prove it by themselves; some holder of the key was there. `joint`: their
    bounds prove it together, if one key is in one place.
    """

    ALONE = "alone"
    JOINT = "joint"


class Standing(StrEnum):
    """The one word a person sees, the first that holds in this order.

    Two more words come from what files of readings cannot show: `tampered`, before all of these, from attested
    evidence; `silent`, in place of the last three, from knowing what was asked.
    """

    CONTRADICTION = "contradiction"
    DIVERTED = "diverted"
    MISPLACED = "misplaced"
    VERIFIED = "verified"
    CLEARED = "cleared"
    UNDETERMINED = "undetermined"


VERDICTS: Final = tuple(Verdict)
PROOFS: Final = tuple(Proof)
STANDINGS: Final = tuple(Standing)


class Assumption(StrEnum):
    """What a verdict takes for granted; `docs/theory.md` puts each in plain words."""

    FAULTS_WITHIN_BUDGET = "faults_within_budget"
    PATHS_NEAR_SURFACE = "paths_near_surface"
    BORDER_WITHIN_ERROR = "border_within_error"
    ONE_KEY_ONE_PLACE = "one_key_one_place"
    FIBRE_SPEED = "fibre_speed"
    SIMULTANEOUS_READINGS = "simultaneous_readings"
    CLOCK_ERROR_NOT_STATED = "clock_error_not_stated"
    INDEPENDENT_LANDMARKS = "independent_landmarks"
    ONE_FAULT_UNIT = "one_fault_unit"


@dataclass(frozen=True, slots=True, kw_only=True)
class BorderUsed:
    """Which map of borders the verdicts rest on, and how far it is taken to err."""

    name: str
    version: str
    viewpoint: str
    sha256: str
    error_m: int

    @classmethod
    def of(cls, borders: Borders, *, error_m: int) -> Self:
        """These borders, taken to err by so many metres."""
        return cls(
            name=borders.name,
            version=borders.version,
            viewpoint=borders.viewpoint,
            sha256=borders.sha256,
            error_m=error_m,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Answers about one area each, as columns of shape (chips,)."""

    verdict: NDArray[np.int8]
    """Index into `VERDICTS`; -1 where the question was not asked."""
    proof: NDArray[np.int8]
    """Index into `PROOFS`; -1 where nothing was proven."""
    margin_m: NDArray[np.float64]
    """Whole metres, rounded down, by which fault units prove it alone; -inf where fewer than f + 1 were heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """Everything concluded about the chips of a file: columns of shape (chips,), and what is the same for all."""

    chip_ids: Sequence[str]
    standing: NDArray[np.int8]
    """Index into `STANDINGS`."""
    licensed: Question
    excluded: Question
    window_from_ns: NDArray[np.int64] | None
    window_to_ns: NDArray[np.int64] | None
    has_window: NDArray[np.bool_]
    """False where a chip has no rows and no end of its window was given, and wherever the readings have no times."""
    units_heard: NDArray[np.int32]
    landmarks_used: NDArray[np.int32]
    landmarks_ignored: NDArray[np.int32]
    """Landmarks left out because they may stand, or declare to stand, in the chip's excluded area."""
    rows_outside_window: NDArray[np.int32]
    rows_superseded: NDArray[np.int32]
    sessions: NDArray[np.int32] | None
    region_area_km2: NDArray[np.float64] | None
    """Area of the region, rounded up; None where it was not asked for."""
    speed: Speed
    fault_budget: int
    proof: Proof
    """The strongest claim allowed: with `alone`, joint proofs were not tried."""
    window_ns: int
    assumptions: tuple[Assumption, ...]
    """What some verdict of these takes for granted; `one_key_one_place` only those that `rests_on_one_place` names."""
    rests_on_one_place: NDArray[np.bool_]
    """(chips,): a joint proof, a contradiction or a measured region, which hold only for one key in one place."""
    assurance: Assurance
    border: BorderUsed
    algorithm: str

    def __len__(self) -> int:
        """Count of chips."""
        return len(self.chip_ids)


def standings(contradiction: NDArray[np.bool_], licensed: Question, excluded: Question) -> NDArray[np.int8]:
    """The standing of each chip, as indices into `STANDINGS`: the first that holds, in their order."""
    within, outside = VERDICTS.index(Verdict.WITHIN), VERDICTS.index(Verdict.OUTSIDE)
    holds = {
        Standing.CONTRADICTION: contradiction,
        Standing.DIVERTED: excluded.verdict == within,
        Standing.MISPLACED: licensed.verdict == outside,
        Standing.VERIFIED: licensed.verdict == within,
        Standing.CLEARED: excluded.verdict == outside,
    }
    result = np.full(len(contradiction), STANDINGS.index(Standing.UNDETERMINED), np.int8)
    for standing in reversed(holds):
        result[holds[standing]] = STANDINGS.index(standing)
    return result
