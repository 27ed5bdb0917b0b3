"""Round trips between places that are known: what a model of delays can be fitted to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightbound.geo.earth import LEAST_RADIUS_M, Position, units
from lightbound.ranging.readings import Landmark, Readings


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something is said to be."""

    position: Position
    error_m: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """Measured pairs of places, shape (pairs,) each."""

    distance_m: NDArray[np.float64]
    """Least length of a path between the stated places."""
    error_m: NDArray[np.float64]
    """How far both may be off together."""
    round_trip_ns: NDArray[np.int64]
    """The least of all rows of the pair."""


def pairs_of(readings: Readings, *, landmarks: Sequence[Landmark], places: Mapping[str, Place]) -> Pairs:
    """The pairs of a landmark and a chip; chips are numbered as `places` has them.

    A chip of a landmark's own name is that landmark, and no pair with it.
    """
    at, names = tuple(places.values()), {name: number for number, name in enumerate(places)}
    own = np.array([names.get(landmark.landmark_id, -1) for landmark in landmarks], np.int64)
    rows = np.flatnonzero(own[readings.landmark] != readings.chip)
    key = readings.landmark[rows].astype(np.int64) * len(at) + readings.chip[rows]
    # By pair, and within it the quickest first.
    rows = rows[np.lexsort((readings.round_trip_ns[rows], key))]
    rows = rows[np.flatnonzero(np.diff(np.sort(key), prepend=-1))]
    by, to = [landmarks[i] for i in readings.landmark[rows].tolist()], [at[i] for i in readings.chip[rows].tolist()]
    chord = np.linalg.norm(points_of([one.position for one in by]) - points_of([one.position for one in to]), axis=1)
    return Pairs(
        distance_m=2.0 * np.arcsin(np.minimum(1.0, chord / 2.0)) * LEAST_RADIUS_M,
        error_m=np.array([one.position_error_m for one in by]) + np.array([one.error_m for one in to]),
        round_trip_ns=readings.round_trip_ns[rows],
    )


def points_of(positions: Sequence[Position]) -> NDArray[np.float64]:
    """Unit vectors of positions, shape (positions, 3)."""
    latitudes = np.array([position.latitude for position in positions], np.float64)
    longitudes = np.array([position.longitude for position in positions], np.float64)
    return units(latitudes, longitudes)
