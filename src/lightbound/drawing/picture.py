"""Everything that is shown about one chip: the words, the bounds, the areas. How it is drawn is decided elsewhere.

A picture is plain data and rests on nothing but the evidence of one verdict; equal pictures become equal bytes.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lightbound.adjudication.verdicts import BorderUsed, Proof, Standing, Verdict
from lightbound.geo.borders import Borders
from lightbound.geo.earth import Position
from lightbound.geo.kernels import units_excluding
from lightbound.geo.shapes import Area
from lightbound.ranging.bounds import Speed


class Role(StrEnum):
    """What a landmark's bound did for the verdict."""

    DECIDING = "deciding"
    """Its circle is part of the region's edge, or it is one of the f + 1 that prove an answer by themselves."""
    USED = "used"
    IGNORED = "ignored"
    """It may stand in the excluded area, so that nothing it says is believed there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far one bound by itself is from showing an answer about one area, in metres rounded down.

    Positive shows it; negative says how much shorter the round trip's reach would have to be.
    """

    outside_m: int
    within_m: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedBound:
    """The bound of one landmark: the key is nowhere farther from it than this."""

    landmark_id: str
    position: Position
    bound_m: float
    unit: str
    """Name of its fault unit, as a person is told it."""
    role: Role
    licensed: Reach | None = None
    excluded: Reach | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """One question, its area and what was answered."""

    text: str
    """The area as the chip's row writes it."""
    area: Area
    verdict: Verdict
    proof: Proof | None
    margin_m: int | None
    """Whole metres by which fault units prove it alone; None where fewer than f + 1 were heard."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Region:
    """All points that at most `budget` fault units exclude, as the kernels take it."""

    caps: NDArray[np.float64]
    units: NDArray[np.int64]
    count: int
    budget: int

    def holds(self, point: tuple[float, float, float]) -> bool:
        """Whether a point of the unit sphere is in the region: the test that the verdict used."""
        return units_excluding(*point, 0.0, self.caps, self.units, self.count, self.budget + 1) <= self.budget


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """One chip's verdict and all that it was computed from."""

    chip_id: str
    standing: Standing
    tier: str
    """Assurance tier, without which no standing is shown."""
    licensed: Answer | None
    """None where the question was not asked."""
    excluded: Answer | None
    bounds: tuple[PlacedBound, ...]
    """Those of one fault unit stand side by side."""
    region: Region
    """Made of the bounds that were used, in their order."""
    units_heard: int
    speed: Speed
    proof: Proof
    """The strongest claim allowed."""
    window: tuple[str, str] | None
    """First and last instant of the readings that count, RFC 3339; None where they carry no times."""
    assumptions: tuple[str, ...]
    """What the verdict takes for granted, a sentence each."""
    region_area_km2: int
    border: BorderUsed
    borders: Borders
    """The map of countries that is drawn underneath; its hash is the one in `border`."""
    algorithm: str
