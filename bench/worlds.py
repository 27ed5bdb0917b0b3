"""Random but realistic cases for the benchmarks: landmarks in many cities, chips, and round trips between them."""

import numpy as np
from numpy.typing import NDArray

from lightbound.geo.earth import Position, units
from lightbound.ranging.readings import Landmark, Readings

MEAN_RADIUS_M = 6_371_008.8
HALF_C_M_PER_NS = 0.149_896_229


def landmarks(count: int, rng: np.random.Generator) -> list[Landmark]:
    """Landmarks crowded where data centres are: around a few dozen centres on land, each its own fault unit."""
    centres = np.array(
        [
            (40.7, -74.0), (37.4, -122.0), (32.8, -96.8), (-23.5, -46.6), (51.5, -0.1), (50.1, 8.7), (48.9, 2.4),
            (52.4, 4.9), (59.3, 18.1), (52.2, 21.0), (41.0, 29.0), (25.2, 55.3), (19.1, 72.9), (13.1, 80.3),
            (1.3, 103.8), (3.1, 101.7), (-6.2, 106.8), (13.8, 100.5), (10.8, 106.7), (14.6, 121.0), (22.3, 114.2),
            (25.0, 121.5), (37.6, 127.0), (35.7, 139.8), (34.7, 135.5), (-33.9, 151.2), (-26.2, 28.1), (55.8, 37.6),
        ]
    )  # fmt: skip
    at = centres[rng.integers(0, len(centres), count)] + rng.normal(0, 3.0, (count, 2))
    return [
        Landmark(landmark_id=f"lm-{i}", position=Position(*map(float, p)), position_error_m=100.0, fault_unit=f"u-{i}")
        for i, p in enumerate(at)
    ]


def readings(
    placed: list[Landmark], chips: int, per_chip: int, slowness: tuple[float, float], rng: np.random.Generator
) -> Readings:
    """Each chip, near some landmark, answers `per_chip` of the sixty nearest; paths are `slowness` times light's."""
    at = np.array([(landmark.position.latitude, landmark.position.longitude) for landmark in placed])
    points = units(at[:, 0], at[:, 1])
    homes = at[rng.integers(0, len(at), chips)] + rng.normal(0, 3.0, (chips, 2))
    chip_points = units(np.clip(homes[:, 0], -89, 89), homes[:, 1])
    columns: list[tuple[NDArray[np.int32], NDArray[np.int64]]] = []
    for start in range(0, chips, 20_000):
        angles = np.arccos(np.clip(chip_points[start : start + 20_000] @ points.T, -1, 1))
        near = np.argpartition(angles, min(60, len(placed) - 1), axis=1)[:, : min(60, len(placed))]
        picked = np.take_along_axis(near, rng.random(near.shape).argpartition(per_chip - 1, axis=1)[:, :per_chip], 1)
        one_way_m = np.take_along_axis(angles, picked, 1) * MEAN_RADIUS_M
        round_trip = one_way_m / HALF_C_M_PER_NS * rng.uniform(*slowness, picked.shape) + 100_000
        columns.append((picked.astype(np.int32).ravel(), round_trip.astype(np.int64).ravel()))
    return Readings(
        landmark=np.concatenate([landmark for landmark, _ in columns]),
        chip=np.repeat(np.arange(chips, dtype=np.int32), per_chip),
        round_trip_ns=np.concatenate([duration for _, duration in columns]),
    )
