"""Which landmarks could prove a site: the nearest ones, of each fault unit the nearest first.

Verdicts count fault units, not landmarks: six landmarks of one owner prove as much as one. So the nearest landmark of
every unit comes before the second nearest of any, and among equals the smaller id.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from lightbound.canonical.cbor import encode
from lightbound.errors import ErrorCode, Fault, Unavailable
from lightbound.geo.earth import LEAST_RADIUS_M, Position
from lightbound.geo.kernels import Outlines, distance_to_outline, inside_outline
from lightbound.geo.outlines import pooled
from lightbound.geo.shapes import FLATTENING, Area, Circle
from lightbound.geo.sides import Side, sides_of_points
from lightbound.ranging.sessions.admitted import Admitted, AdmittedLandmarks
from lightbound.roles.verifier.areas import Areas
from lightbound.store.enrolments import Site

BEACON_NS: Final = 3_600_000_000_000
E7: Final = 10_000_000


class Choosing:
    """Chooses landmarks for sites; what it worked out about a site once, it keeps."""

    def __init__(self, landmarks: AdmittedLandmarks, areas: Areas) -> None:
        """Of the landmarks of one directory."""
        self._landmarks, self._areas = landmarks, areas
        self._ranked: dict[Site, tuple[bytes, ...]] = {}

    def chosen(self, site: Site, *, count: int, now_ns: int) -> tuple[bytes, ...]:
        """Ids of the landmarks that could prove a site at this moment, ascending.

        Raises:
            Unavailable: none is admitted now.
        """
        if site not in self._ranked:
            self._ranked[site] = self._rank(site)
        by_id = self._landmarks.by_id
        valid = [one for one in self._ranked[site] if by_id[one].from_ns <= now_ns <= by_id[one].to_ns]
        if not valid:
            fault = Fault(
                code=ErrorCode.NOT_ADMITTED,
                expected="landmarks that are admitted now",
                found="none",
                next="a new directory is needed",
            )
            raise Unavailable(fault)
        return tuple(sorted(_units_first(valid, by_id)[:count]))

    def _rank(self, site: Site) -> tuple[bytes, ...]:
        """Landmarks that are believed about a site, the nearest first; all, if none is."""
        usable = {name: one for name, one in self._landmarks.by_id.items() if name != site.landmark}
        if site.excluded:
            usable = _outside(usable, self._areas(site.excluded)) or usable
        distances = self._distances_m(site, usable)
        return tuple(sorted(usable, key=lambda name: (distances[name], name)))

    def _distances_m(self, site: Site, landmarks: Mapping[bytes, Admitted]) -> dict[bytes, float]:
        places = {name: one.position.position for name, one in landmarks.items()}
        if site.near_e7 is not None:
            near = Position(site.near_e7[0] / E7, site.near_e7[1] / E7)
            return {name: _angle(place.unit(), near.unit()) * LEAST_RADIUS_M for name, place in places.items()}
        area = self._areas(site.licensed)
        return {name: _to_area(place, area) * LEAST_RADIUS_M for name, place in places.items()}


def beacon(directory: bytes, *, now_ns: int) -> tuple[bytes, str]:
    """What the extras of this hour are drawn by, and its name, which says what it is worth.

    Nobody chooses it, and everybody can foresee it: an agent's operator knows beforehand which extras it will meet.
    """
    hour = now_ns // BEACON_NS
    value = hashlib.sha256(encode(["lightbound hour", directory, hour])).digest()
    return value, f"hour {hour} of this directory: not choosable, but foreseeable"


def _units_first(ranked: list[bytes], by_id: Mapping[bytes, Admitted]) -> list[bytes]:
    seen: Counter[str] = Counter()
    turns: list[tuple[int, int]] = []
    for place, name in enumerate(ranked):
        unit = by_id[name].fault_unit
        turns.append((seen[unit], place))
        seen[unit] += 1
    return [ranked[place] for _, place in sorted(turns)]


def _outside(landmarks: Mapping[bytes, Admitted], excluded: Area) -> dict[bytes, Admitted]:
    """Those that surely stand outside an excluded area and declare no country of it: others are not believed."""
    names = list(landmarks)
    if not names:
        return {}
    points = np.array([landmarks[name].position.position.unit() for name in names])
    errors = np.array([landmarks[name].position.error_m for name in names]) / LEAST_RADIUS_M
    sides = sides_of_points(points, errors, excluded)
    return {
        name: landmarks[name]
        for name, side in zip(names, sides, strict=True)
        if side is Side.OUTSIDE and landmarks[name].position.jurisdiction not in excluded.countries
    }


def _to_area(place: Position, area: Area) -> float:
    """The angle from a place to an area as drawn; 0 inside."""
    x, y, z = place.unit()
    if isinstance(area.shape, Circle):
        return max(0.0, _angle((x, y, z), area.shape.centre) - area.shape.outer)
    # Entries of memory views are plain Python numbers, which interpreted loops read far faster.
    viewed: Any = Outlines(*(memoryview(values) for values in pooled([area.shape])))  # type: ignore[arg-type]
    if inside_outline(x, y, z, FLATTENING, viewed, 0):
        return 0.0
    return float(distance_to_outline(x, y, z, viewed, 0))


def _angle(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    return 2.0 * float(np.arcsin(min(1.0, float(np.linalg.norm(np.subtract(one, other))) / 2.0)))
