"""What looks like a slip of whoever made the files, though it could be meant: said as a note, never refused."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import shapely

from lightbound.geo.borders import DEFAULT_BORDER_ERROR_M, Borders
from lightbound.ranging.readings import Landmark, Readings

SHORT_NS: Final = 10_000
"""Round trips below 10 us mean less than 1.5 km: a whole file of them is likelier in another unit."""

LONG_NS: Final = 1_000_000_000
"""Round trips above a second prove nothing on Earth: a whole file of them is likelier in another unit."""

METRES_PER_DEGREE: Final = 110_500.0
"""Least metres of a degree of latitude, on which a rough distance is reckoned."""


def doubts(readings: Readings, landmarks: Sequence[Landmark], borders: Borders) -> Iterator[str]:
    """Notes about units that seem mistaken, and landmarks that do not stand where they say their country is."""
    if len(readings):
        shortest, longest = int(readings.round_trip_ns.min()), int(readings.round_trip_ns.max())
        if longest < SHORT_NS:
            yield f"every round trip is below {SHORT_NS // 1000} us (the longest: {longest:,} ns): check their unit"
        if shortest > LONG_NS:
            yield f"every round trip is above a second (the shortest: {shortest / 1e9:,.1f} s): check their unit"
    elsewhere = [landmark for landmark in landmarks if _is_elsewhere(landmark, borders)]
    if elsewhere:
        first = elsewhere[0]
        place = f"{first.position.latitude:g}, {first.position.longitude:g}"
        yield (
            f"{len(elsewhere):,} of {len(landmarks):,} landmarks do not stand in the country they declare, "
            f"such as {first.landmark_id} at {place} in {first.country}: are latitude and longitude swapped?"
        )


def _is_elsewhere(landmark: Landmark, borders: Borders) -> bool:
    """Whether a landmark stands well outside the country it declares, both errors allowed for."""
    if landmark.country is None or landmark.country not in borders.codes:
        return False
    allowed_m = landmark.position_error_m + 10 * DEFAULT_BORDER_ERROR_M
    shrink = max(0.05, float(np.cos(np.radians(min(89.0, abs(landmark.position.latitude) + 1.0)))))
    allowed = allowed_m / METRES_PER_DEGREE / shrink
    here = shapely.Point(landmark.position.longitude, landmark.position.latitude)
    for shell, *_ in borders.polygons(landmark.country):
        (west, south), (east, north) = shell.min(axis=0).tolist(), shell.max(axis=0).tolist()
        near = west - allowed <= here.x <= east + allowed and south - allowed <= here.y <= north + allowed
        if near and shapely.dwithin(shapely.Polygon(shell), here, allowed):
            return False
    return True
