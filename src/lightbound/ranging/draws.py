"""Numbers as if by chance, that are a function of names: a campaign drawn with them is the same on every machine.

The core rolls no dice. Who repeats a trial gives the same seed and gets the same case, whatever the version of a
library of random numbers.
"""

import hashlib
import math

from lightbound.geo.earth import Position


def uniform(*names: str | float) -> float:
    """A number from 0 up to 1, evenly spread over different names; equal names, equal number."""
    digest = hashlib.sha256("\x1f".join(repr(name) for name in names).encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2.0**53


def place_on_earth(*names: str | float) -> Position:
    """A position anywhere, evenly spread over a sphere."""
    latitude = math.degrees(math.asin(2.0 * uniform(*names, "latitude") - 1.0))
    return Position(latitude, 360.0 * uniform(*names, "longitude") - 180.0)
