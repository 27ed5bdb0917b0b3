"""What a region and an area have in common, by brute force: the judge of the kernels, with none of their geometry.

A region is sampled: a covering of the sphere is halved wherever the region's edge may run, and the area's border is
walked in steps of at most 500 m, finer where the region comes near. Membership in an area is decided by shapely in
longitude and latitude and by geodesics; distances are to the nearest of all the pieces of the border. Slow on purpose.

`e(p)`, the *excess* of a point, is by how many radians the (budget + 1)-th unit in order of exclusion excludes it: the
region is where it is at most 0, and it changes by no more than the distance that one moves.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
import shapely.affinity
from numpy.typing import NDArray
from scipy.spatial import KDTree

from lightbound.geo.areas import Countries, Disc, parse_area
from lightbound.geo.borders import Polygon, packaged_borders
from lightbound.geo.earth import LEAST_RADIUS_M, WGS84_A_M, WGS84_B_M
from tests.worlds import DRAWN, EARTH, normed

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

STEP_M: Final = 500.0
"""Between neighbouring points of a border."""
FINE: Final = 40
"""Pieces of a step, where the region comes near."""
CELLS_KEPT: Final = 4_000
"""Cells along the region's edge beyond which the covering is not halved further."""
NEAREST: Final = 150
"""Points nearest to where it matters that are looked at closely."""
FINEST_CELL: Final = 5 / 6.37e6
"""Radians (5 m)."""
BLOCK: Final = 64
"""Border points looked at together first."""


def on_sphere(latitudes: Floats, longitudes: Floats) -> Floats:
    """Unit vectors at the reduced latitudes of positions in degrees."""
    beta, lam = np.arctan(WGS84_B_M / WGS84_A_M * np.tan(np.radians(latitudes))), np.radians(longitudes)
    return np.stack([np.cos(beta) * np.cos(lam), np.cos(beta) * np.sin(lam), np.sin(beta)], axis=-1)


def positions(points: Floats) -> tuple[Floats, Floats]:
    """Latitudes and longitudes in degrees."""
    beta = np.arctan2(points[:, 2], np.hypot(points[:, 0], points[:, 1]))
    latitudes = np.degrees(np.arctan(WGS84_A_M / WGS84_B_M * np.tan(beta)))
    return latitudes, np.degrees(np.arctan2(points[:, 1], points[:, 0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """Everything that bounds one chip's key."""

    latitudes: Floats
    longitudes: Floats
    radii_m: Floats
    """Greatest path from each landmark."""
    units: NDArray[np.int64]
    budget: int

    def excess(self, points: Floats) -> Floats:
        """e(p) of each point; minus infinity where fewer units were heard than it takes."""
        centres = on_sphere(self.latitudes, self.longitudes)
        sines = np.linalg.norm(np.cross(points[:, None], centres[None]), axis=2)
        beyond = np.arctan2(sines, points @ centres.T) - self.radii_m / LEAST_RADIUS_M
        by_unit = np.stack([beyond[:, self.units == unit].max(axis=1) for unit in np.unique(self.units)], axis=1)
        if by_unit.shape[1] <= self.budget:
            return np.full(len(points), -np.inf)
        ranked: Floats = -np.sort(-by_unit, axis=1)[:, self.budget]
        return ranked


@functools.cache
def _first_cells() -> tuple[Floats, Floats]:
    """Centres (cells, 2) and the face of the squares of a cube around the sphere: 24 by 24 on each face."""
    steps = (np.arange(24) + 0.5) / 12 - 1
    u, v = (part.ravel() for part in np.meshgrid(steps, steps))
    face = np.repeat(np.arange(6.0), len(u))
    return np.stack([np.tile(u, 6), np.tile(v, 6)], axis=1), face


def _on_cube(cells: Floats, face: Floats) -> Floats:
    ones = np.where(face < 3, 1.0, -1.0)
    corner = np.stack([ones, cells[:, 0], cells[:, 1]], axis=1)
    turned = np.stack([np.roll(corner, axis, axis=1) for axis in range(3)])[face.astype(int) % 3, np.arange(len(face))]
    return normed(turned)


def sampled(caps: Caps) -> Iterator[Floats]:
    """Points of the region, ever finer: none at all means that it is empty, or smaller than the finest cells show.

    Cells all in the region give their centre once; those at its edge are quartered, until they are many or tiny.
    """
    cells, face = _first_cells()
    half = 1 / 24
    while True:
        points = _on_cube(cells, face)
        excess = caps.excess(points)
        yield points[excess <= 0]
        radius = half * np.sqrt(2)  # seen from the cube's centre nothing looks larger than it is
        at_edge = (excess > -radius) & (excess <= radius)
        if not at_edge.any() or at_edge.sum() > CELLS_KEPT or half < FINEST_CELL:
            return
        half /= 2
        corners = np.array([[-half, -half], [-half, half], [half, -half], [half, half]])
        cells = (cells[at_edge][:, None] + corners[None]).reshape(-1, 2)
        face = np.repeat(face[at_edge], 4)


class Ground:
    """One area by brute force."""

    def __init__(self, text: str) -> None:
        """Walk its border."""
        parts = parse_area(text)
        self.discs = [part for part in parts if isinstance(part, Disc)]
        polygons: list[Polygon] = []
        for part in parts:
            if isinstance(part, Countries):
                polygons.extend(polygon for code in part.codes for polygon in packaged_borders().polygons(code))
            elif not isinstance(part, Disc):
                polygons.extend(DRAWN[f"@{part.path}"])
        self.drawn = shapely.union_all([shapely.Polygon(polygon[0], polygon[1:]) for polygon in polygons])
        shapely.prepare(self.drawn)
        starts, ends = self._pieces()
        middles = (starts + ends) / 2
        on_edge = ~self._well_inside(normed(middles))
        self.starts, self.ends = starts[on_edge], ends[on_edge]
        self.middles = normed(middles[on_edge])
        self.nearest = KDTree(self.middles) if len(self.middles) else None
        blocks = [self.middles[i : i + BLOCK] for i in range(0, len(self.middles), BLOCK)]
        self.block_centres = normed(np.array([block.mean(axis=0) for block in blocks]).reshape(-1, 3))
        self.block_radii = np.array(
            [2 * np.linalg.norm(b - c, axis=1).max() for b, c in zip(blocks, self.block_centres, strict=True)]
        )

    def _pieces(self) -> tuple[Floats, Floats]:
        """Ends of all short pieces of border; seams, which only close a polygon in its frame, are none."""
        lines = [shapely.get_coordinates(ring) for ring in self._rings()]
        a = np.concatenate([line[:-1] for line in lines] or [np.zeros((0, 2))])
        b = np.concatenate([line[1:] for line in lines] or [np.zeros((0, 2))])
        degrees = np.hypot((b - a)[:, 0] * np.cos(np.radians((a + b)[:, 1] / 2)), (b - a)[:, 1])
        pieces = np.maximum(1, np.ceil(degrees * 111_700 / STEP_M)).astype(int)
        edge = np.repeat(np.arange(len(a)), pieces)
        step = (np.arange(len(edge)) - np.repeat(np.cumsum(pieces) - pieces, pieces))[:, None]
        run = (b - a)[edge] / pieces[edge][:, None]
        starts, ends = [a[edge] + run * step], [a[edge] + run * (step + 1)]
        for disc in self.discs:
            widest_m = min(disc.radius_km, 20_004 - disc.radius_km, 6_378) * 1000
            count = max(720, int(np.ceil(2 * np.pi * widest_m / STEP_M)))
            turns = np.linspace(0, 360, count + 1)
            same = np.ones(len(turns))
            longitudes, latitudes, _ = EARTH.fwd(
                disc.longitude * same, disc.latitude * same, turns, disc.radius_km * 1000 * same
            )
            rim = np.stack([longitudes, latitudes], axis=1)
            starts.append(rim[:-1])
            ends.append(rim[1:])
        first, last = np.concatenate(starts), np.concatenate(ends)
        return on_sphere(first[:, 1], first[:, 0]), on_sphere(last[:, 1], last[:, 0])

    def _rings(self) -> list[shapely.Geometry]:
        """The border in the frame: what is left of it when area that meets across a seam is put side by side."""
        east = shapely.affinity.translate(self.drawn, xoff=360.0)
        twice = shapely.union_all([self.drawn, east])
        # Between -90 and 270 every place east of -90 stands once, and the antimeridian is nobody's edge.
        frame = shapely.clip_by_rect(shapely.boundary(twice), -90.0, -89.999999999, 270.0, 89.999999999)
        return [line for line in shapely.get_parts(frame) if isinstance(line, shapely.LineString)]

    def _well_inside(self, points: Floats) -> Bools:
        """Whether points of the one member's border lie inside another member."""
        latitudes, longitudes = positions(points)
        inside: Bools = np.zeros(len(points), bool)
        for disc in self.discs:
            inside |= _geodesic_m(disc, latitudes, longitudes) < disc.radius_km * 1000 - 1.0
        if self.discs:
            inside |= shapely.contains_xy(shapely.buffer(self.drawn, -1e-6), longitudes, latitudes)
        return inside

    def holds(self, points: Floats) -> Bools:
        """Whether points are in the area as drawn."""
        latitudes, longitudes = positions(points)
        inside: Bools = shapely.contains_xy(self.drawn, longitudes, latitudes)
        for disc in self.discs:
            inside = inside | (_geodesic_m(disc, latitudes, longitudes) <= disc.radius_km * 1000)
        return inside

    def comes_near(self, points: Floats, margin_m: float) -> bool:
        """Whether any point is truly within the margin of the border: within it of one of its pieces."""
        if self.nearest is None:
            return False
        reach = (margin_m + STEP_M) / WGS84_B_M
        chords, _ = self.nearest.query(points, distance_upper_bound=reach)
        points = points[np.argsort(chords)][: min(NEAREST, int(np.isfinite(chords).sum()))]
        if not len(points):
            return False
        _, near = self.nearest.query(points, k=min(12, len(self.middles)))
        near = near.reshape(len(points), -1)
        a, run = self.starts[near], self.ends[near] - self.starts[near]
        lengths = np.maximum(np.einsum("ijk,ijk->ij", run, run), 1e-30)
        along = np.einsum("ijk,ijk->ij", points[:, None] - a, run) / lengths
        feet = a + run * np.clip(along, 0, 1)[:, :, None]
        chords = np.linalg.norm(points[:, None] - feet, axis=2)
        return bool((chords * WGS84_A_M <= margin_m).any())

    def walked(self, caps: Caps, within: float) -> Floats:
        """The points of the border, in fine steps, whose excess is least, if at most `within` radians."""
        step = STEP_M / WGS84_B_M
        if not len(self.middles):
            return np.zeros((0, 3))
        blocks = np.flatnonzero(caps.excess(self.block_centres) <= within + self.block_radii + step)
        which = (blocks[:, None] * BLOCK + np.arange(BLOCK)).ravel()
        which = which[which < len(self.middles)]
        excess = caps.excess(self.middles[which])
        order = np.argsort(excess)[:NEAREST]
        which = which[order][excess[order] <= within + step]
        at = ((np.arange(FINE) + 0.5) / FINE)[None, :, None]
        fine = normed((self.starts[which][:, None] * (1 - at) + self.ends[which][:, None] * at).reshape(-1, 3))
        excess = caps.excess(fine)
        order = np.argsort(excess)[:NEAREST]
        least: Floats = fine[order][excess[order] <= within]
        return least


def _geodesic_m(disc: Disc, latitudes: Floats, longitudes: Floats) -> Floats:
    same = np.ones(len(latitudes))
    _, _, metres = EARTH.inv(disc.longitude * same, disc.latitude * same, longitudes, latitudes)
    return np.asarray(metres)


@functools.cache
def ground(text: str) -> Ground:
    return Ground(text)


def ellipsoid_m(text: str) -> float:
    """By how much a circle alone is given up to both sides, because it is held between two caps: a/b of its radius."""
    parts = parse_area(text)
    alone = parts[0] if len(parts) == 1 else None
    return alone.radius_km * 1000 * (WGS84_A_M / WGS84_B_M - 1) if isinstance(alone, Disc) else 0.0


def around(points: Floats, radius: float) -> Floats:
    """Points on rings about each of some points, out to `radius` radians."""
    first = np.cross(points, np.where(np.abs(points[:, :1]) < 0.9, [[1.0, 0, 0]], [[0, 1.0, 0]]))
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(points, first)
    turns = np.arange(48) * (2 * np.pi / 48)
    rings = radius * np.array([0.25, 0.5, 0.75, 0.9, 0.99])
    east, north = np.cos(turns)[None, None, :, None], np.sin(turns)[None, None, :, None]
    outwards = east * first[:, None, None] + north * second[:, None, None]
    moved = points[:, None, None] + rings[None, :, None, None] * outwards
    return normed(moved.reshape(-1, 3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What samples of a region show; what they do not show is taken to be so."""

    empty: bool
    inside: bool
    """A point of the region is in the area, or within its margin."""
    outside: bool
    """A point of the region is outside the area, or within its margin of its border."""

    @property
    def verdict(self) -> str:
        """The word that a perfect judge would give."""
        if self.empty:
            return "void"
        if self.inside and self.outside:
            return "undetermined"
        return "within" if self.inside else "outside"


def seen(caps: Caps, text: str, margin_m: float) -> Seen:
    """What samples show of a region and an area whose border may be wrong by `margin_m`."""
    area = ground(text)
    margin = margin_m / WGS84_A_M  # metres on the ground, so that what is near this way is truly near
    border = area.walked(caps, margin)
    touched = bool((caps.excess(border[:1]) <= 0).any())
    if not touched and margin and len(border):
        touched = bool((caps.excess(around(border, margin)) <= 0).any())
    if touched:
        return Seen(empty=False, inside=True, outside=True)
    inside = outside = False
    for points in sampled(caps):
        held = area.holds(points)
        inside, outside = inside or bool(held.any()), outside or not held.all()
        if (inside and outside) or (margin and area.comes_near(points, margin_m)):
            return Seen(empty=False, inside=True, outside=True)
    return Seen(empty=not (inside or outside), inside=inside, outside=outside)
