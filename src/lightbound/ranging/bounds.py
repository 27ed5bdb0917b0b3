"""From readings to bounds: which rows count for a chip, and how far each lets its key be.

A bound holds for its instant. Rows are combined when they lie in one window of time per chip, or, where a
file has no times, under the stated assumption that all of them are one instant.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lightbound.geo.earth import ALTITUDE_SLACK_M, ARITHMETIC_SLACK_M
from lightbound.ranging.readings import Readings
from lightbound.units import FIBRE_FRACTION_OF_C, reach_m

DEFAULT_WINDOW_NS: Final = 3_600_000_000_000
"""One hour: the rows combined into one verdict. Longer combines more landmarks, and says less about when."""


class Speed(StrEnum):
    """How fast a signal is taken to travel. Only `vacuum` proves anything against somebody who chooses the path."""

    VACUUM = "vacuum"
    FIBRE = "fibre"

    @property
    def fraction_of_c(self) -> float:
        """The speed as a fraction of c."""
        return 1.0 if self is Speed.VACUUM else FIBRE_FRACTION_OF_C


_NEVER: Final = int(np.iinfo(np.int64).min)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The least reading of every pair of landmark and chip inside the chip's window, sorted by chip and landmark."""

    first_row: NDArray[np.int64]
    """(chips + 1,): rows first_row[i] to first_row[i + 1] belong to chip i."""
    landmark: NDArray[np.int32]
    bound_m: NDArray[np.float64]
    """Greatest path length between the landmark's stated position and the key, all slack included."""
    window_from_ns: NDArray[np.int64] | None
    window_to_ns: NDArray[np.int64] | None
    """(chips,): the window of each chip, both ends included; None without times, and of no meaning for a chip
    without rows unless the end was given."""
    rows_outside_window: NDArray[np.int32]
    rows_superseded: NDArray[np.int32]
    """(chips,): rows of a pair inside the window that were not its least."""
    sessions: NDArray[np.int32] | None
    """(chips,): different sessions among the rows that count; None where the readings name none."""


def bounds_of(
    readings: Readings,
    *,
    landmark_count: int,
    chip_count: int,
    position_error_m: NDArray[np.float64],
    own_chip: NDArray[np.int64],
    speed: Speed,
    window_ns: int = DEFAULT_WINDOW_NS,
    as_of_ns: int | None = None,
    believed: NDArray[np.bool_] | None = None,
) -> Bounds:
    """The bounds that count for each chip.

    `own_chip` names, per landmark, the chip of the same name (or -1), which it never measures. With times, the
    window of a chip is the `window_ns` that end at `as_of_ns`, or at its newest row of those `believed` (shape of the
    rows; by default all): a row that cannot count must not decide which others do. A chip with no other rows has a
    window all the same, so that they are told as not believed rather than as late.
    """
    kept = np.flatnonzero(own_chip[readings.landmark] != readings.chip)
    key = readings.chip[kept].astype(np.int64) * landmark_count + readings.landmark[kept]
    if len(key) and not (np.diff(key) >= 0).all():
        order = np.argsort(key, kind="stable")
        kept, key = kept[order], key[order]
    outside = np.zeros(chip_count, np.int32)
    window_from = window_to = None
    if readings.measured_at_ns is not None:
        at, chip = readings.measured_at_ns[kept], readings.chip[kept]
        if as_of_ns is None:
            window_to = _newest(at, chip, chip_count)
            if believed is not None:
                of_believed = _newest(at[believed[kept]], chip[believed[kept]], chip_count)
                window_to = np.where(of_believed == _NEVER, window_to, of_believed)
        else:
            window_to = np.full(chip_count, as_of_ns, np.int64)
        # A window that would begin before the first representable instant begins there.
        window_from = np.maximum(window_to, _NEVER + window_ns) - window_ns
        inside = (at >= window_from[chip]) & (at <= window_to[chip])
        outside = np.bincount(chip[~inside], minlength=chip_count).astype(np.int32)
        kept, key = kept[inside], key[inside]

    duration = readings.round_trip_ns[kept]
    if readings.clock_error_ns is not None:
        duration = duration + readings.clock_error_ns[kept]
    chip = readings.chip[kept]
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    least = np.minimum.reduceat(duration, starts) if len(starts) else duration
    pair_chip, pair_landmark = chip[starts], readings.landmark[kept][starts]
    superseded = np.bincount(chip, minlength=chip_count) - np.bincount(pair_chip, minlength=chip_count)
    sessions = None
    if readings.session is not None:
        different = np.unique(chip.astype(np.int64) * max(1, len(readings.session_ids)) + readings.session[kept])
        of_chip = different // max(1, len(readings.session_ids))
        sessions = np.bincount(of_chip, minlength=chip_count).astype(np.int32)
    return Bounds(
        first_row=np.searchsorted(pair_chip, np.arange(chip_count + 1)).astype(np.int64),
        landmark=pair_landmark,
        bound_m=reach_m(least, fraction_of_c=speed.fraction_of_c)
        + position_error_m[pair_landmark]
        + (ALTITUDE_SLACK_M + ARITHMETIC_SLACK_M),
        window_from_ns=window_from,
        window_to_ns=window_to,
        rows_outside_window=outside,
        rows_superseded=superseded.astype(np.int32),
        sessions=sessions,
    )


def _newest(at_ns: NDArray[np.int64], chip: NDArray[np.int32], chip_count: int) -> NDArray[np.int64]:
    """The newest instant of each chip, `_NEVER` where it has none; rows are sorted by chip."""
    newest = np.full(chip_count, _NEVER, np.int64)
    starts = np.flatnonzero(np.diff(chip, prepend=-1))
    if len(starts):
        newest[chip[starts]] = np.maximum.reduceat(at_ns, starts)
    return newest
