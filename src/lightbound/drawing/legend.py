"""What each kind of thing on a map looks like, and what it means."""

from lightbound.adjudication.verdicts import Standing
from lightbound.drawing.layers import Layers
from lightbound.drawing.markup import element
from lightbound.drawing.palette import MARKS, MEANINGS
from lightbound.drawing.picture import Picture, Role


def swatches(picture: Picture, layers: Layers) -> list[tuple[str, str]]:
    """Every kind of thing on the map: what it looks like, in a box of 34 by 18, and what it means."""
    entries = [(_box("region"), "region: where the key can have been")]
    if picture.standing is Standing.CONTRADICTION:
        entries = [(_box("region"), "region: there is none, no place agrees with the bounds")]
    for shape, name in ((layers.licensed, "licensed"), (layers.excluded, "excluded")):
        if shape is not None:
            entries.append((_box(name), f"{name} area" + (", out of sight here" if shape.fill.is_empty else "")))
    for role in Role:
        if any(bound.role is role for bound in picture.bounds):
            mark = element("path", class_=f"mark {role}", d=MARKS[role], transform="translate(25 9)")
            line = element("path", class_=f"bound {role}", d="M0 9H16")
            entries.append((line + mark, f"{MEANINGS[role]}, and its bound"))
    return entries


def _box(name: str) -> str:
    fill = element("rect", x=1, y=1, width=32, height=16, fill=f"url(#{name}-key)")
    return fill + element("path", class_=f"{name} edge", d="M1 1H33V17H1z")
