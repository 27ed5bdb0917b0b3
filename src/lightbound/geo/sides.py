"""On which side of an area a position surely is, when both may be somewhat elsewhere than stated."""

from enum import Enum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lightbound.geo import kernels as geometry
from lightbound.geo.compiled import compiled
from lightbound.geo.kernels import Outlines
from lightbound.geo.outlines import pooled
from lightbound.geo.shapes import FLATTENING, Area, Circle

COMPILED_FROM_POINTS: Final = 20_000
"""From this many points on, compiled kernels pay for the time it takes to load them."""


class Side(Enum):
    """Where a position is; `UNSURE` is not knowing, and no third place."""

    INSIDE = "inside"
    OUTSIDE = "outside"
    UNSURE = "unsure"


def sides_of_points(points: NDArray[np.float64], errors: NDArray[np.float64], area: Area) -> list[Side]:
    """The side of each position: (n, 3) unit vectors, and (n,) angles by which each may be wrong.

    `INSIDE` and `OUTSIDE` hold for every place within the error, wherever within its own error the border truly runs.
    """
    if isinstance(area.shape, Circle):
        chords = np.linalg.norm(points - np.array(area.shape.centre), axis=1)
        angles = 2 * np.arcsin(np.minimum(1.0, chords / 2))
        to_area, to_complement = angles - area.shape.outer, area.shape.inner - angles
    else:
        outlines = pooled([area.shape])
        run: Any = geometry
        if len(points) >= COMPILED_FROM_POINTS:
            run = compiled(geometry)
        else:
            # Entries of memory views are plain Python numbers, which interpreted loops read far faster.
            outlines = Outlines(*(memoryview(values) for values in outlines))  # type: ignore[arg-type]
        signed = np.empty(len(points))
        for place, (x, y, z) in enumerate(points.tolist()):
            angle = run.distance_to_outline(x, y, z, outlines, 0)
            signed[place] = -angle if run.inside_outline(x, y, z, FLATTENING, outlines, 0) else angle
        margin = outlines.margin[0]
        to_area, to_complement = signed - margin, -signed - margin
    inside, outside = to_complement > errors, to_area > errors
    return [
        Side.INSIDE if within else Side.OUTSIDE if without else Side.UNSURE
        for within, without in zip(inside.tolist(), outside.tolist(), strict=True)
    ]
