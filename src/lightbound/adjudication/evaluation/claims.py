"""False claims: chips that say they are licensed somewhere they are not, and whether the readings deny it.

The chips are naive: they answer from where they are, as fast as they can, and only their paper is false. Whoever
delays answers, or puts a relay at the claimed place, is not refuted by any of this.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from geographiclib.geodesic import Geodesic
from numpy.typing import NDArray

from lightbound.adjudication.evaluation.replay import World, replay
from lightbound.adjudication.evaluation.shares import Share
from lightbound.adjudication.evaluation.truths import Truths
from lightbound.adjudication.facts import Settings
from lightbound.adjudication.kernels import OUTSIDE_OF
from lightbound.geo.areas import Disc
from lightbound.geo.borders import Borders
from lightbound.geo.shapes import Area, area_of
from lightbound.ranging.draws import uniform
from lightbound.ranging.readings import Chips, Readings


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """One false claim for each chip: a circle whose centre lies at one distance from the truth."""

    distance_km: float
    chips: Chips
    areas: list[Area]
    false: NDArray[np.bool_]
    """(chips,): whether the chip is surely outside the circle it claims, position error and all."""


def false_claims(
    truths: Truths, areas: Sequence[Area], *, distance_km: float, radius_km: float, borders: Borders, seed: int
) -> Claims:
    """A claim for each chip, in a direction drawn by seed, chip and distance. The excluded areas stay as they are."""
    circles = []
    for chip_id, position in zip(truths.chips.chip_ids, truths.positions, strict=True):
        bearing = 360.0 * uniform(seed, "claim", chip_id, distance_km)
        end = Geodesic.WGS84.Direct(position.latitude, position.longitude, bearing, distance_km * 1000.0)
        part = Disc(end["lat2"], end["lon2"], radius_km)
        circles.append(area_of((part,), borders=borders, drawings={}, border_error_m=0.0))
    count = len(truths.chips)
    return Claims(
        distance_km=distance_km,
        chips=replace(
            truths.chips,
            licensed=np.arange(len(areas), len(areas) + count, dtype=np.int32),
            areas=[*truths.chips.areas, *(["claim"] * count)],
        ),
        areas=[*areas, *circles],
        false=distance_km * 1000.0 > radius_km * 1000.0 + truths.position_error_m,
    )


def refuted(readings: Readings, claims: Claims, world: World, settings: Settings) -> Share:
    """How many of the false claims are proven false: the chip is outside the circle it claims."""
    _, columns = replay(readings, claims.chips, replace(world, areas=claims.areas), settings)
    denied = (columns.verdict[0::2] == OUTSIDE_OF) & claims.false
    return Share(count=int(denied.sum()), of=int(claims.false.sum()))
