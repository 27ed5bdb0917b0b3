"""Fewer landmarks: which rows are left if a chip is heard by some of its landmarks only."""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lightbound.adjudication.evaluation.truths import Truths
from lightbound.geo.earth import LEAST_RADIUS_M, units
from lightbound.ranging.draws import uniform
from lightbound.ranging.readings import Landmark, Readings


class Choice(StrEnum):
    """Which landmarks are left to a chip."""

    RANDOM = "random"
    """So many of those that measured it, drawn for each chip."""
    NEAREST = "nearest"
    """So many, the nearest to where it truly is."""
    NOT_NEARER = "not_nearer"
    """All that stand so many kilometres from it or more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearers:
    """For each row, how its landmark stands among those that measured the chip."""

    by_chance: NDArray[np.int64]
    """Place of the landmark in a drawn order, from 0."""
    by_distance: NDArray[np.int64]
    """Place of the landmark in order of distance, from 0."""
    distance_km: NDArray[np.float64]
    """Least length of a path from the landmark's stated place to the chip's true one."""
    most: int
    """Landmarks of the chip that has most."""


def hearers(readings: Readings, landmarks: list[Landmark], truths: Truths, *, seed: int) -> Hearers:
    """The orders in which each chip's landmarks are taken; rows of one pair stand alike."""
    key, of_row = np.unique(readings.chip.astype(np.int64) * len(landmarks) + readings.landmark, return_inverse=True)
    chip, landmark = key // len(landmarks), key % len(landmarks)
    stand = units(
        np.array([item.position.latitude for item in landmarks]),
        np.array([item.position.longitude for item in landmarks]),
    )
    chords = np.linalg.norm(stand[landmark] - truths.points()[chip], axis=1)
    distance_km = 2 * np.arcsin(np.minimum(1.0, chords / 2)) * (LEAST_RADIUS_M / 1000.0)
    drawn = np.array(
        [
            uniform(seed, "subset", truths.chips.chip_ids[i], landmarks[j].landmark_id)
            for i, j in zip(chip.tolist(), landmark.tolist(), strict=True)
        ]
    )
    starts = np.searchsorted(chip, chip)
    return Hearers(
        by_chance=_places(chip, drawn, starts)[of_row],
        by_distance=_places(chip, distance_km, starts)[of_row],
        distance_km=distance_km[of_row],
        most=int(np.bincount(chip).max(initial=0)),
    )


def heard_by(readings: Readings, among: Hearers, choice: Choice, value: float) -> Readings:
    """The readings of the chosen landmarks alone."""
    match choice:
        case Choice.RANDOM:
            kept = among.by_chance < value
        case Choice.NEAREST:
            kept = among.by_distance < value
        case Choice.NOT_NEARER:
            kept = among.distance_km >= value
    return rows_of(readings, kept)


def rows_of(readings: Readings, kept: NDArray[np.bool_]) -> Readings:
    """Some of the rows."""
    return replace(
        readings,
        landmark=readings.landmark[kept],
        chip=readings.chip[kept],
        round_trip_ns=readings.round_trip_ns[kept],
        measured_at_ns=None if readings.measured_at_ns is None else readings.measured_at_ns[kept],
        clock_error_ns=None if readings.clock_error_ns is None else readings.clock_error_ns[kept],
        session=None if readings.session is None else readings.session[kept],
    )


def _places(chip: NDArray[np.int64], value: NDArray[np.float64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place of each pair within its chip, in order of a value."""
    order = np.lexsort((value, chip))
    places = np.empty(len(chip), np.int64)
    places[order] = np.arange(len(chip)) - starts
    return places
