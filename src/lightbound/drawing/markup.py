"""Text, elements and paths as they stand in SVG and HTML. What comes from a file can never become markup."""

from html import escape
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

DECIMALS: Final = 2
"""Of coordinates on a map: a hundredth of a unit, which is sharp up to some 20-fold magnification."""


WITHOUT_END: Final = frozenset({"circle", "line", "link", "meta", "path", "rect", "use"})
"""Elements that are written as one tag when they have no content; HTML takes others so for a start without an end."""


def text(content: str) -> str:
    """Text as it may stand between tags; what cannot be printed is replaced by a mark that says so."""
    return escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in content), quote=False)


def element(name: str, /, *content: str, **attributes: str | float | None) -> str:
    """One element. Content is markup already, attributes are not; one that is None is left out.

    An underscore in an attribute's name stands for a hyphen, and one at its end for nothing: `class_`.
    """
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_quoted(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(content)
    return f"<{name}{told}/>" if name in WITHOUT_END and not inner else f"<{name}{told}>{inner}</{name}>"


def number(value: float) -> str:
    """A coordinate, as short as it can be written."""
    return (
        f"{round(value, DECIMALS) + 0.0:.{DECIMALS}f}".rstrip("0").rstrip(".").replace("-0.", "-.").removeprefix("0")
        or "0"
    )


def path_data(geometry: BaseGeometry) -> str:
    """The `d` of a path, by relative steps; pieces too small to have a second point are left out."""
    pieces: list[str] = []
    for part in shapely.get_parts(geometry):
        if isinstance(part, shapely.Polygon):
            pieces.extend(
                _walk(shapely.get_coordinates(ring), closed=True) for ring in (part.exterior, *part.interiors)
            )
        else:
            pieces.append(_walk(shapely.get_coordinates(part), closed=False))
    return "".join(pieces)


def _walk(points: NDArray[np.float64], *, closed: bool) -> str:
    scale = 10**DECIMALS
    whole = np.round(points * scale).astype(np.int64)
    whole = whole[np.concatenate(([True], (np.diff(whole, axis=0) != 0).any(axis=1)))]
    if closed and len(whole) > 1 and (whole[0] == whole[-1]).all():
        whole = whole[:-1]
    if len(whole) < (3 if closed else 2):
        return ""
    steps = [number(value / scale) for value in np.diff(whole, axis=0).ravel().tolist()]
    start = " ".join(number(value / scale) for value in whole[0].tolist())
    # A minus sign parts numbers as well as a space does.
    joined = "".join(step if step.startswith("-") else f" {step}" for step in steps).lstrip()
    return f"M{start}l{joined}{'z' if closed else ''}"


def _quoted(value: str | float) -> str:
    if isinstance(value, str):
        return text(value).replace('"', "&quot;")
    return number(value)
