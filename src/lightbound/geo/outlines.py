"""Borders ready for the kernels: arcs in a tree for distances, edges in bands for point location.

What an area is made of (countries, circles, drawings) is decided in `shapes`; here polygons become arrays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from lightbound.geo.borders import Polygon
from lightbound.geo.earth import LEAST_RADIUS_M, units
from lightbound.geo.kernels import BAND_DEGREES, LEAF_ARCS, Outlines

LONGEST_EDGE_DEGREES: Final = 0.1
"""Edges are split to at most this many degrees of latitude and of longitude before they become arcs."""

SHAPE_SLACK_M: Final = 15.0
"""How far an arc of a great circle can run from the straight line in longitude and latitude that it stands for,
with edges split as above, and how far coordinates are rounded. Added to the border error. A test measures it."""

_BANDS: Final = int(180.0 / BAND_DEGREES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """The border of one area."""

    arcs: NDArray[np.float64]
    """(arcs, 7): start, unit tangent, length in radians; leaf after leaf of the tree."""
    nodes: NDArray[np.float64]
    """(2 * leaves - 1, 4): bounding caps of a complete binary tree."""
    leaves: int
    band_edges: NDArray[np.int64]
    edges: NDArray[np.float64]
    drawn: shapely.MultiPolygon
    """The same in longitude and latitude, cut at the antimeridian."""
    margin_m: float
    """Metres by which the true border can differ from the arcs."""


def outline_of(polygons: Sequence[Polygon], *, border_error_m: float) -> Outline:
    """The border of polygons that do not overlap, in the frame cut at the antimeridian.

    Seams, the edges that only close a polygon along the antimeridian or a pole, are no border and are left out.
    """
    edges = np.concatenate([np.hstack((ring[:-1], ring[1:])) for polygon in polygons for ring in polygon])
    band_edges, banded = _bands(edges)
    arcs, nodes, leaves = _tree(_arcs(_split(_without_seams(edges))))
    return Outline(
        arcs=arcs,
        nodes=nodes,
        leaves=leaves,
        band_edges=band_edges,
        edges=banded,
        drawn=shapely.MultiPolygon([shapely.Polygon(polygon[0], polygon[1:]) for polygon in polygons]),
        margin_m=border_error_m + SHAPE_SLACK_M,
    )


def pooled(outlines: Sequence[Outline]) -> Outlines:
    """Several outlines in one set of flat arrays, in order."""

    def offsets(counts: Sequence[int]) -> NDArray[np.int64]:
        return np.cumsum([0, *counts])[:-1].astype(np.int64)

    def joined(parts: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.concatenate([part.ravel() for part in parts]) if parts else np.zeros(0)

    edge_starts = offsets([len(outline.edges) for outline in outlines])
    return Outlines(
        first_node=offsets([len(outline.nodes) for outline in outlines]),
        leaves=np.array([outline.leaves for outline in outlines], np.int64),
        nodes=joined([outline.nodes for outline in outlines]),
        first_arc=offsets([len(outline.arcs) for outline in outlines]),
        arc_count=np.array([len(outline.arcs) for outline in outlines], np.int64),
        arcs=joined([outline.arcs for outline in outlines]),
        first_band=offsets([_BANDS + 1] * len(outlines)),
        band_edges=np.concatenate(
            [outline.band_edges + start for outline, start in zip(outlines, edge_starts, strict=True)]
            or [np.zeros(0, np.int64)]
        ),
        edges=joined([outline.edges for outline in outlines]),
        margin=np.array([outline.margin_m / LEAST_RADIUS_M for outline in outlines]),
    )


def _bands(edges: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Edges sorted into bands of latitude, an edge standing in every band it runs through."""
    sloped = edges[edges[:, 1] != edges[:, 3]]
    low = np.clip(((np.minimum(sloped[:, 1], sloped[:, 3]) + 90) / BAND_DEGREES).astype(np.int64), 0, _BANDS - 1)
    high = np.clip(((np.maximum(sloped[:, 1], sloped[:, 3]) + 90) / BAND_DEGREES).astype(np.int64), 0, _BANDS - 1)
    repeats = high - low + 1
    which = np.repeat(np.arange(len(sloped)), repeats)
    band = np.repeat(low, repeats) + np.arange(len(which)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    order = np.argsort(band, kind="stable")
    starts = np.searchsorted(band[order], np.arange(_BANDS + 1)).astype(np.int64)
    return starts, sloped[which[order]]


def _without_seams(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges less the parts of the antimeridian that have area on both sides, and less those on a pole."""
    on_pole = (np.abs(edges[:, 1]) == 90) & (edges[:, 1] == edges[:, 3])
    on_seam = (np.abs(edges[:, 0]) == 180) & (edges[:, 0] == edges[:, 2]) & ~on_pole
    kept: NDArray[np.float64] = edges[~on_pole & ~on_seam]
    seam = edges[on_seam]
    if not len(seam):
        return kept
    # Along the antimeridian a piece of latitude is border where exactly one of its two sides has area.
    latitudes = np.unique(seam[:, [1, 3]])
    middles = (latitudes[:-1] + latitudes[1:]) / 2
    low, high = np.minimum(seam[:, 1], seam[:, 3]), np.maximum(seam[:, 1], seam[:, 3])
    covers = (low[:, None] < middles) & (middles < high[:, None])
    west, east = covers[seam[:, 0] < 0].sum(axis=0) % 2, covers[seam[:, 0] > 0].sum(axis=0) % 2
    turns = np.flatnonzero(np.diff(np.concatenate(([False], west != east, [False])).astype(np.int8)))
    south, north = latitudes[turns[0::2]], latitudes[turns[1::2]]
    # Rounding leaves slivers of a centimetre where the two sides of a seam were cut apart; they are no border.
    south, north = south[north - south > 1e-7], north[north - south > 1e-7]
    at = np.full(len(south), 180.0)
    return np.concatenate((kept, np.stack((at, south, at, north), axis=1)))


def _split(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges cut, evenly in longitude and latitude, into pieces of at most `LONGEST_EDGE_DEGREES`."""
    spans = np.maximum(np.abs(edges[:, 2] - edges[:, 0]), np.abs(edges[:, 3] - edges[:, 1]))
    pieces = np.maximum(1, np.ceil(spans / LONGEST_EDGE_DEGREES)).astype(np.int64)
    which = np.repeat(np.arange(len(edges)), pieces)
    step = np.arange(len(which)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    start, run = edges[which, :2], edges[which, 2:] - edges[which, :2]
    count = pieces[which]
    pieces_of_edges: NDArray[np.float64] = np.hstack(
        (start + run * (step / count)[:, None], start + run * ((step + 1) / count)[:, None])
    )
    return pieces_of_edges


def _arcs(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Great-circle arcs between the ends of short edges, (arcs, 7).

    However short an edge is, it stays: a border of nothing but tiny edges is still a border. Below a millimetre its
    direction is lost in rounding and does not matter.
    """
    a, b = units(edges[:, 1], edges[:, 0]), units(edges[:, 3], edges[:, 2])
    chord = np.linalg.norm(b - a, axis=1)
    tiny = chord < 1e-10
    anywhere = np.cross(a, np.where(np.abs(a[:, 2:]) < 0.9, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]]))
    tangent = np.where(tiny[:, None], anywhere, b - a * np.einsum("ij,ij->i", a, b)[:, None])
    tangent /= np.linalg.norm(tangent, axis=1)[:, None]
    return np.hstack((a, tangent, (2 * np.arcsin(np.minimum(1, chord / 2)))[:, None]))


def _tree(arcs: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Arcs in an order that keeps neighbours together, and the bounding caps of the tree over them."""
    if not len(arcs):
        return arcs, np.zeros((0, 4)), 0
    ends = arcs[:, :3] * np.cos(arcs[:, 6:]) + arcs[:, 3:6] * np.sin(arcs[:, 6:])
    order = np.argsort(_morton(arcs[:, :3] + ends), kind="stable")
    arcs, ends = arcs[order], ends[order]
    leaves = 1 << max(0, int(np.ceil(np.log2(len(arcs) / LEAF_ARCS))))
    nodes = np.full((2 * leaves - 1, 4), -1.0)
    width, level = LEAF_ARCS, leaves
    while level:
        starts = np.arange(0, len(arcs), width)
        spread = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(arcs))))
        centre = np.add.reduceat(arcs[:, :3] + ends, starts)
        norm = np.linalg.norm(centre, axis=1)
        centre = np.where(norm[:, None] > 1e-9, centre / np.maximum(norm, 1e-9)[:, None], arcs[starts, :3])
        chord = np.maximum(
            np.linalg.norm(arcs[:, :3] - centre[spread], axis=1), np.linalg.norm(ends - centre[spread], axis=1)
        )
        radius = 2 * np.arcsin(np.minimum(1, np.maximum.reduceat(chord, starts) / 2)) + 1e-7
        # A cap smaller than a hemisphere holds the whole arc between two of its points; a larger one may not.
        radius += np.where(radius > np.pi / 2 - 1e-3, arcs[:, 6].max(), 0.0)
        nodes[level - 1 : level - 1 + len(starts)] = np.column_stack((centre, radius))
        width, level = width * 2, level // 2
    return arcs, nodes, leaves


def _morton(points: NDArray[np.float64]) -> NDArray[np.int64]:
    """Interleaved bits of the coordinates: points near one another get numbers near one another, mostly."""
    cells = ((points / np.linalg.norm(points, axis=1)[:, None] + 1) / 2 * 1023.999).astype(np.int64)
    code = np.zeros(len(points), np.int64)
    for bit in range(10):
        for axis in range(3):
            code |= ((cells[:, axis] >> bit) & 1) << (3 * bit + axis)
    return code
