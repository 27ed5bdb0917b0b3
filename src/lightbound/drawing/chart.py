"""The map itself as SVG elements, for a picture that stands alone and for a page that can be walked around in."""

from typing import Final

import shapely

from lightbound.drawing.labels import names_on
from lightbound.drawing.layers import Layers, PlacedCircle, Shape
from lightbound.drawing.markup import element, path_data, text
from lightbound.drawing.palette import MARKS, patterns
from lightbound.drawing.picture import Picture, Role
from lightbound.drawing.wording import landmark_sentence

ORDER: Final = (Role.USED, Role.IGNORED, Role.DECIDING)
"""What decides is drawn last and lies on top."""


def chart(layers: Layers, *, alive: bool) -> str:
    """Everything on the map, to stand inside an `svg` of `WIDTH` by the view's height.

    `alive` adds what a page needs to be walked around in: landmarks that can be focused, and wide invisible lines
    over the bounds that a pointer can meet.
    """
    view = layers.view
    region = path_data(layers.region.edge)
    drawn = [
        (number, circle) for role in ORDER for number, circle in enumerate(layers.circles) if circle.bound.role is role
    ]
    lines = [(number, circle.bound.role, path_data(circle.circle)) for number, circle in drawn]
    lines = [(number, role, data) for number, role, data in lines if data]
    if alive:
        # Each line is kept once and used twice: to be seen, and to be met by a pointer.
        kept = element("defs", *(element("path", id=f"line-{number}", d=data) for number, _, data in lines))
        bounds = [
            element("use", href=f"#line-{number}", id=f"bound-{number}", class_=f"bound {role}")
            for number, role, _ in lines
        ]
    else:
        kept = ""
        bounds = [element("path", class_=f"bound {role}", d=data) for _, role, data in lines]
    pointers, labels = names_on(layers)
    return "".join(
        [
            patterns("fill"),
            kept,
            element("path", class_="water", d=_outline(view.frame)),
            element("path", class_="grid", d=path_data(layers.grid)),
            element("path", class_="ground", d=path_data(layers.land.ground)),
            element("path", class_="borders", d=path_data(layers.land.borders)),
            *(_fill(shape, name) for shape, name in _shapes(layers)),
            *(_edge(shape, name) for shape, name in _shapes(layers)[:2]),
            *bounds,
            element("path", class_="halo", d=region),
            element("path", class_="region edge", d=region),
            element("path", class_="frame", d=_outline(view.frame)),
            *(
                element("use", href=f"#line-{number}", class_="hit", data_landmark=str(number))
                for number, _, _ in lines
                if alive
            ),
            *(_mark(number, circle, alive=alive) for number, circle in drawn if circle.place),
            pointers,
            labels,
            _scale(layers),
        ]
    )


def description(picture: Picture, layers: Layers) -> str:
    """What a map shows, for whoever cannot see it."""
    seen = sum(circle.place is not None for circle in layers.circles)
    return (
        f"Map of the places where the key of chip {picture.chip_id} can have been, with the areas asked about, the "
        f"bounds of {len(layers.circles)} landmarks, and the {seen} of them that stand on this part of the Earth."
    )


def _outline(polygon: shapely.Polygon) -> str:
    return path_data(shapely.MultiPolygon([polygon]))


def _shapes(layers: Layers) -> list[tuple[Shape | None, str]]:
    return [(layers.excluded, "excluded"), (layers.licensed, "licensed"), (layers.region, "region")]


def _fill(shape: Shape | None, name: str) -> str:
    return "" if shape is None else element("path", class_=name, fill=f"url(#{name}-fill)", d=path_data(shape.fill))


def _edge(shape: Shape | None, name: str) -> str:
    return "" if shape is None else element("path", class_=f"{name} edge", d=path_data(shape.edge))


def _mark(number: int, circle: PlacedCircle, *, alive: bool) -> str:
    assert circle.place is not None  # noqa: S101 - only those in sight are drawn
    x, y = circle.place
    sentence = landmark_sentence(circle.bound)
    mark = element("path", class_=f"mark {circle.bound.role}", d=MARKS[circle.bound.role])
    inner = element("g", element("title", text(sentence)), mark, class_="size")
    if alive:
        # Without a title: the page shows its own tooltip, for whoever uses a keyboard as well.
        touch = element("circle", class_="touch", r=13)
        inner = element("g", touch, mark, class_="size")
    return element(
        "g",
        inner,
        transform=f"translate({x:.2f} {y:.2f})",
        class_="landmark" if alive else None,
        role="img" if alive else None,
        tabindex="0" if alive else None,
        aria_label=sentence if alive else None,
        data_landmark=str(number) if alive else None,
    )


def _scale(layers: Layers) -> str:
    bar = layers.view.scale_bar()
    length = f"{bar.units:.2f}"
    line = element("path", d=f"M0-6V0H{length}V-6")
    label = element("text", text(f"{bar.km:,} km {bar.where}"), x=0, y=-10)
    return element(
        "g",
        element("g", line, label, class_="size"),
        class_="scale",
        transform=f"translate(14 {layers.view.height - 12:.2f})",
        data_km=f"{bar.km / bar.units:.6g}",
        data_where=bar.where,
    )
