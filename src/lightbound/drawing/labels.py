"""Names on a map, put where they hide as little as can be, and pointers to what is too small to be found."""

from typing import Final

from shapely.geometry.base import BaseGeometry

from lightbound.drawing.layers import Layers
from lightbound.drawing.markup import element, text
from lightbound.drawing.picture import Role
from lightbound.drawing.views import WIDTH

MOST_LABELS: Final = 14
"""Landmarks that are named on the map at most: more would hide it. All are named in the table."""

LONGEST_NAME: Final = 24
"""Letters of an id that are shown on the map."""

SMALL_UNITS: Final = 14.0
"""A region or licensed area smaller than this is pointed at, since it could not be found otherwise."""

MOST_PARTS: Final = 8
"""Parts of the region that are pointed at, at most."""

LETTER_WIDTH: Final = 7.6
"""About what a letter takes, on the wide side, so that names keep apart."""

HALF_HEIGHT: Final = 9.0
BESIDE: Final = 11.0
RING: Final = 11.0
LEADER: Final = 16.0

Box = tuple[float, float, float, float]
"""West, north, east, south."""


def names_on(layers: Layers) -> tuple[str, str]:
    """The pointers, and the names of the deciding landmarks, as elements that keep their size when magnified."""
    marks = [(x - 8, y - 8, x + 8, y + 8) for x, y in (circle.place for circle in layers.circles if circle.place)]
    pointers, taken = _pointers(layers, marks)
    return pointers, _names(layers, taken)


def _pointers(layers: Layers, marks: list[Box]) -> tuple[str, list[Box]]:
    parts: list[str] = []
    taken: list[Box] = []
    for (west, north, east, south), name in _small(layers):
        x, y = (west + east) / 2, (north + south) / 2
        width = LETTER_WIDTH * len(name)
        # Of the four corners, the one where the name meets the fewest others; an earlier one, if they are equal.
        corners = []
        for right, down in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
            near, far = right * (RING * 0.7 + LEADER), right * (RING * 0.7 + LEADER + width)
            middle = y + down * (RING * 0.7 + LEADER)
            box = (x + min(near, far), middle - HALF_HEIGHT, x + max(near, far), middle + HALF_HEIGHT)
            corners.append(
                (sum(_meet(box, other) for other in (*marks, *taken)) + 9 * _off(box, layers), right, down, box)
            )
        _, right, down, box = min(corners, key=lambda corner: corner[0])
        taken += [(box[0] - 9, box[1], box[2] + 9, box[3]), (x - RING, y - RING, x + RING, y + RING)]
        d = RING * 0.7071
        drawn = element("circle", class_="pointer", r=RING) + element(
            "path", class_="pointer", d=f"M{d * right:.1f} {d * down:.1f}l{LEADER * right:g} {LEADER * down:g}"
        )
        at_x, at_y = right * (d + LEADER + 2), down * (d + LEADER) + 4.5
        drawn += element(
            "text", text(name), class_="label", x=at_x, y=at_y, text_anchor="start" if right > 0 else "end"
        )
        parts.append(
            element(
                "g",
                element("g", drawn, class_="size"),
                class_="point-at",
                transform=f"translate({x:.2f} {y:.2f})",
                data_size=max(east - west, south - north),
            )
        )
    return "".join(parts), taken


def _small(layers: Layers) -> list[tuple[Box, str]]:
    """What could not be found without being pointed at: the licensed area, and each part of the region."""
    pieces: list[tuple[str, BaseGeometry]] = []
    if layers.licensed is not None:
        pieces.append(("licensed area", layers.licensed.fill))
    pieces += [("region", part) for part in list(layers.region.fill.geoms)[:MOST_PARTS]]
    boxes = [(piece.bounds, name) for name, piece in pieces if not piece.is_empty]
    return [(box, name) for box, name in boxes if max(box[2] - box[0], box[3] - box[1]) < SMALL_UNITS]


def _names(layers: Layers, taken: list[Box]) -> str:
    """As many as fit beside one another are shown; a page tries again when its scale changes."""
    deciding = [circle for circle in layers.circles if circle.bound.role is Role.DECIDING]
    marks = [(x - 7, y - 8, x + 7, y + 8) for x, y in (circle.place for circle in deciding if circle.place)]
    parts = []
    for circle in deciding[:MOST_LABELS]:
        if circle.place is None:
            continue
        x, y = circle.place
        name = circle.bound.landmark_id
        name = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
        width = LETTER_WIDTH * len(name)
        sides = [
            (at, (x + min(at, at + turn * width), y - HALF_HEIGHT, x + max(at, at + turn * width), y + HALF_HEIGHT))
            for at, turn in ((BESIDE, 1), (-BESIDE, -1))
        ]
        free = [
            (at, box)
            for at, box in sides
            if not _off(box, layers) and not any(_meet(box, other) for other in (*taken, *marks))
        ]
        at, box = free[0] if free else sides[0]
        if free:
            taken.append(box)
        label = element("text", text(name), class_="label", x=at, y=4.5, text_anchor="start" if at > 0 else "end")
        parts.append(
            element(
                "g",
                element("g", label, class_="size"),
                class_="name",
                transform=f"translate({x:.2f} {y:.2f})",
                visibility=None if free else "hidden",
            )
        )
    # A name is told with its landmark; read out a second time it would only be in the way.
    return element("g", *parts, aria_hidden="true")


def _meet(box: Box, other: Box) -> bool:
    return box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]


def _off(box: Box, layers: Layers) -> bool:
    """Whether a box runs off the sheet."""
    return box[0] < 0 or box[1] < 0 or box[2] > WIDTH or box[3] > layers.view.height
