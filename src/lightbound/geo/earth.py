"""Positions on the Earth, and the least length a signal's path between two of them can have.

All geometry of the project happens on one unit sphere. A position with geodetic latitude phi is put at
its *reduced* latitude beta, tan(beta) = (b/a) tan(phi): the linear map diag(1/a, 1/a, 1/b) takes the WGS-84
ellipsoid to the unit sphere and a surface position to exactly this point. That map is what makes the
following exact rather than approximate.

**Theorem.** Let p and q be positions on the ellipsoid and theta the angle between their unit vectors. Any
path from p to q that never runs deeper than `GREATEST_DEPTH_M` = h below the ellipsoid is at least
(b - h) * theta metres long, and the geodesic between them is at most a * theta and at least b * theta.

*Proof.* T = diag(1/a, 1/a, 1/b) stretches no length by more than 1/b and none by less than 1/a. The
ellipsoid E shrunk by the factor s = 1 - h/b is convex, and each point inside it is at least h deep (sE plus a
ball of radius (1-s)b fits into E, by convexity). So the path stays outside sE, its image under T
outside the ball of radius s, and moving that image radially onto the sphere of radius s does not lengthen it;
there it joins two points at angle theta and is at least s*theta long. Hence length/b >= s*theta. A geodesic
runs on the surface (h = 0) and its image lies on the unit sphere: between theta/(1/b) and theta/(1/a). QED

So a round trip that allows at most r metres of path allows an angle of at most r / LEAST_RADIUS_M, and this
is looser than the exact ellipsoidal distance by at most 0.53 % (0.34 % ellipsoid, 0.19 % depth).
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

WGS84_A_M: Final = 6_378_137.0
"""Equatorial radius of WGS-84 (NIMA TR8350.2)."""

WGS84_B_M: Final = 6_356_752.314245
"""Polar radius of WGS-84, a * (1 - 1/298.257223563)."""

GREATEST_DEPTH_M: Final = 12_300.0
"""No signal path runs deeper below the ellipsoid than this: the deepest borehole ever made reached 12,262 m,
the deepest sea bed is 10.9 km down. Too small: a cable through a deep trench could beat a bound. Costs 0.19 %."""

LEAST_RADIUS_M: Final = WGS84_B_M - GREATEST_DEPTH_M
"""Metres of path per radian that no path can undercut; see the theorem above."""

GREATEST_ALTITUDE_M: Final = 5_000.0
"""Landmarks and chips are assumed to stand no higher than this above the ellipsoid, as every data centre does."""

ALTITUDE_SLACK_M: Final = math.ceil(2 * GREATEST_ALTITUDE_M * (1 / WGS84_B_M - 1 / WGS84_A_M) * LEAST_RADIUS_M)
"""Added to every bound, 34 m: a position at altitude k maps to a direction that differs from its foot's by at most
k (1/b - 1/a) radians, half of it from the map and half as its vertical is not the sphere's; at each of two ends."""

ARITHMETIC_SLACK_M: Final = 10.0
"""Added to every bound: floating-point angles here err by less than 1e-7 rad (0.6 m); see docs/theory.md."""


@dataclass(frozen=True, slots=True)
class Position:
    """A geodetic position in degrees, WGS-84: latitude -90 to 90, longitude -180 to 180."""

    latitude: float
    longitude: float

    def unit(self) -> tuple[float, float, float]:
        """Unit vector at the reduced latitude."""
        phi, lam = math.radians(self.latitude), math.radians(self.longitude)
        x, z = WGS84_A_M * math.cos(phi), WGS84_B_M * math.sin(phi)
        norm = math.hypot(x, z)
        return x / norm * math.cos(lam), x / norm * math.sin(lam), z / norm


def units(latitudes: NDArray[np.float64], longitudes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit vectors at the reduced latitudes of many positions in degrees; shape (n, 3)."""
    phi, lam = np.radians(latitudes), np.radians(longitudes)
    x, z = WGS84_A_M * np.cos(phi), WGS84_B_M * np.sin(phi)
    norm = np.hypot(x, z)
    return np.stack((x / norm * np.cos(lam), x / norm * np.sin(lam), z / norm), axis=-1)


def position_of(unit: tuple[float, float, float]) -> Position:
    """The surface position whose unit vector this is (inverse of `Position.unit`)."""
    x, y, z = unit
    latitude = math.degrees(math.atan2(WGS84_A_M * z, WGS84_B_M * math.hypot(x, y)))
    return Position(latitude, math.degrees(math.atan2(y, x)))
