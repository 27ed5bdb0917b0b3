"""Whether the two questions asked of a chip make sense together: where it may be, and where it must not be."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lightbound.geo import kernels as geometry
from lightbound.geo.compiled import compiled
from lightbound.geo.outlines import Outline, pooled
from lightbound.geo.shapes import FLATTENING, Area, Circle, Relation, outline_in
from lightbound.ranging.readings import Chips

COMPILED_FROM_PAIRS: Final = 2_000
"""From this many pairs of a circle and an outline on, compiled kernels pay for the time it takes to load them."""


def pairs_asked(chips: Chips) -> NDArray[np.int32]:
    """The different pairs of (licensed, excluded) areas that some chip has, shape (pairs, 2)."""
    both = (chips.licensed >= 0) & (chips.excluded >= 0)
    key = np.unique(chips.licensed[both].astype(np.int64) * max(1, len(chips.areas)) + chips.excluded[both])
    return np.stack(np.divmod(key, max(1, len(chips.areas))), axis=1).astype(np.int32)


def relations(pairs: NDArray[np.int32], areas: Sequence[Area]) -> list[Relation]:
    """How the licensed area of each pair lies to the excluded one.

    Inside is meant as drawn, whatever the border error: a licence for a place inside the excluded area is a
    mistake. Touching includes every doubt.
    """
    result = [Relation.TOUCHING] * len(pairs)
    in_outline: list[int] = []
    for place, (licensed, excluded) in enumerate(pairs):
        inner, outer = areas[licensed].shape, areas[excluded].shape
        if isinstance(inner, Outline):
            result[place] = outline_in(inner, outer)
        elif isinstance(outer, Circle):
            result[place] = _circle_in_circle(inner, outer)
        else:
            in_outline.append(place)
    for place, side in zip(in_outline, _circles_in_outlines(pairs[in_outline], areas), strict=True):
        result[place] = {geometry.INSIDE: Relation.INSIDE, geometry.OUTSIDE: Relation.APART}.get(
            side, Relation.TOUCHING
        )
    return result


def _circle_in_circle(inner: Circle, outer: Circle) -> Relation:
    between = geometry.angle_between(*inner.centre, *outer.centre)
    if between + inner.outer <= outer.inner or (between == 0.0 and inner.outer <= outer.outer):
        return Relation.INSIDE
    return Relation.TOUCHING if between <= inner.outer + outer.outer else Relation.APART


def _circles_in_outlines(pairs: NDArray[np.int32], areas: Sequence[Area]) -> list[int]:
    """Sides, as the kernels name them, of pairs of a circle and an outline."""
    circles = np.empty((len(pairs), 4))
    outlines: dict[int, Outline] = {}
    for place, (licensed, excluded) in enumerate(pairs):
        circle, outline = areas[licensed].shape, areas[excluded].shape
        assert isinstance(circle, Circle) and isinstance(outline, Outline)  # noqa: S101, PT018 - the caller sorted them
        circles[place] = *circle.centre, circle.outer
        outlines[int(excluded)] = outline
    sides = np.zeros(len(pairs), np.int8)
    numbers = {area: number for number, area in enumerate(outlines)}
    which = np.array([numbers[int(excluded)] for _, excluded in pairs], np.int64)
    run: Any = compiled(geometry) if len(pairs) >= COMPILED_FROM_PAIRS else geometry
    run.circles_to_outlines(circles.ravel(), which, FLATTENING, pooled(list(outlines.values())), sides)
    return [int(side) for side in sides]
