"""What vetting sees of one landmark that lies about its place: trials on a measured mesh.

The liar answers as quickly as it can; only the place it states is false. One that also delays its answers is never
seen, so that the shares found here are about the careless.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lightbound.geo.earth import LEAST_RADIUS_M, Position
from lightbound.geo.kernels import angle_between
from lightbound.geo.shapes import Area
from lightbound.ranging.bounds import Speed
from lightbound.ranging.draws import place_on_earth
from lightbound.ranging.readings import Landmark, Readings
from lightbound.ranging.vetting import distrusted_landmarks, vet


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of one liar."""

    contradicts: bool
    """Whether its false place contradicts any reading at all; otherwise nothing could find it."""
    found: bool
    """Whether it is a suspect, or in an ambiguous group."""


def trial(
    readings: Readings,
    *,
    landmarks: Sequence[Landmark],
    liar: int,
    place: Position,
    excluded: Area | None = None,
    distrusted: NDArray[np.bool_] | None = None,
    speed: Speed = Speed.VACUUM,
) -> Trial:
    """Vet the landmarks after one of them has stated another place; `distrusted` are those before it did."""
    stated = [*landmarks]
    stated[liar] = replace(stated[liar], position=place)
    if excluded is not None and distrusted is not None:
        distrusted = distrusted.copy()
        distrusted[liar] = distrusted_landmarks([stated[liar]], excluded)[0]
    vetting = vet(readings, landmarks=stated, distrusted=distrusted, speed=speed)
    return Trial(contradicts=vetting.contradicted_by[liar] > 0, found=liar in vetting.doubtful)


def false_place(true: Position, *, at_least_m: float, names: tuple[str | float, ...]) -> Position:
    """A position anywhere on Earth, drawn by names, that is surely at least so far from the true one."""
    attempt = 0
    while True:
        place = place_on_earth(*names, attempt)
        if angle_between(*true.unit(), *place.unit()) * LEAST_RADIUS_M >= at_least_m:
            return place
        attempt += 1
