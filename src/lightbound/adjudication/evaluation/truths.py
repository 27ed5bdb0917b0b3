"""Where chips truly are, as stated by somebody who knows, and what follows for the questions asked about them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightbound.geo.earth import WGS84_B_M, Position, units
from lightbound.geo.shapes import Area
from lightbound.geo.sides import Side, sides_of_points
from lightbound.ranging.readings import Chips


@dataclass(frozen=True, slots=True, kw_only=True)
class Truths:
    """Chips with the two questions asked of each, and the true place of each, in one order."""

    chips: Chips
    positions: Sequence[Position]
    position_error_m: NDArray[np.float64]
    """(chips,): the chip is within this geodesic distance of its position."""

    def points(self) -> NDArray[np.float64]:
        """Unit vectors of the positions, (chips, 3)."""
        return units(
            np.array([position.latitude for position in self.positions]),
            np.array([position.longitude for position in self.positions]),
        )

    def errors(self) -> NDArray[np.float64]:
        """Greatest angles between the positions and the chips, (chips,)."""
        return self.position_error_m / WGS84_B_M


def true_sides(truths: Truths, areas: Sequence[Area]) -> tuple[list[Side | None], list[Side | None]]:
    """For each chip, on which side of its licensed and of its excluded area it truly is; None where not asked.

    `UNSURE` where the position error, or the border's, leaves it open: no verdict on such a chip can be told wrong.
    """
    points, errors = truths.points(), truths.errors()
    answers: list[list[Side | None]] = []
    for question in (truths.chips.licensed, truths.chips.excluded):
        sides: list[Side | None] = [None] * len(truths.chips)
        for area in np.unique(question[question >= 0]):
            asked = np.flatnonzero(question == area)
            found = sides_of_points(points[asked], errors[asked], areas[area])
            for chip, side in zip(asked.tolist(), found, strict=True):
                sides[chip] = side
        answers.append(sides)
    return answers[0], answers[1]
