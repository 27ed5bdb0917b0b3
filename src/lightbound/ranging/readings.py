"""What was measured: round trips between landmarks and chips, as columns.

Names are kept once and rows point at them, so that ten million rows are a few hundred megabytes. Where
the rows came from (CSV, Parquet, the verifier's store) is the business of other rooms.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightbound.geo.earth import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Landmark:
    """A server at a stated place that times answers."""

    landmark_id: str
    position: Position
    position_error_m: float
    """The true place is within this geodesic distance of `position`; finite, not negative."""
    fault_unit: str | None = None
    country: str | None = None
    """ISO 3166 code as declared; never used to clear a chip, only to distrust a landmark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chips:
    """Chips and the two questions asked of each, as columns of shape (chips,), in the order of the file."""

    chip_ids: Sequence[str]
    licensed: NDArray[np.int32]
    """Index into `areas`; -1 where the question is not asked."""
    excluded: NDArray[np.int32]
    areas: Sequence[str]
    """The distinct area expressions, as written."""

    def __len__(self) -> int:
        """Count of chips."""
        return len(self.chip_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """Rows of measured round trips, shape (rows,), pointing at landmarks and chips by index.

    Rows keep the order of the file. Rows whose chip was not asked about are not here; they are counted.
    """

    landmark: NDArray[np.int32]
    chip: NDArray[np.int32]
    round_trip_ns: NDArray[np.int64]
    """At least 1. Given in milliseconds, rounded up to the next nanosecond."""
    measured_at_ns: NDArray[np.int64] | None = None
    """Nanoseconds since 1970-01-01 UTC; None when the file has no times (all rows are then one instant)."""
    clock_error_ns: NDArray[np.int64] | None = None
    """How far the landmark's clock can have been wrong over the round trip; None when the file does not say."""
    session: NDArray[np.int32] | None = None
    """Index into `session_ids`; None when the file has no sessions."""
    session_ids: Sequence[str] = ()
    rows_of_unasked_chips: int = 0

    def __len__(self) -> int:
        """Count of rows."""
        return len(self.round_trip_ns)
