"""A picture as one SVG file that stands alone: the map, its legend, the answers and what they rest on.

Equal pictures give equal bytes.
"""

import textwrap
from typing import Final

from lightbound.drawing.chart import chart, description
from lightbound.drawing.layers import Layers
from lightbound.drawing.legend import swatches
from lightbound.drawing.markup import element, text
from lightbound.drawing.palette import INK, STYLE, patterns
from lightbound.drawing.picture import Picture
from lightbound.drawing.views import WIDTH
from lightbound.drawing.wording import facts, heading, not_shown, questions, standing_sentence

MARGIN: Final = 24.0
LINE: Final = 19.0
LETTERS: Final = 128
"""Letters that surely fit on a line at the size of the small print, whatever sans-serif font is there."""


def poster(picture: Picture, layers: Layers) -> bytes:
    """The SVG file."""
    width = WIDTH + 2 * MARGIN
    y = MARGIN + 22
    parts = [_line(heading(picture), y, size=24, weight="bold", letters=72)[0]]
    y += 8
    for question, answer in questions(picture):
        said, y = _lines(f"{question} {answer}", y + LINE, size=15, letters=112)
        parts.append(said)
    y += 10
    parts.append(
        element("g", chart(layers, alive=False), class_="map", transform=f"translate({MARGIN:g} {y + LINE / 2:.2f})")
    )
    y += layers.view.height + 2 * LINE
    legend, y = _legend(picture, layers, y)
    parts += [patterns("key"), legend]
    rest = [f"Standing: {standing_sentence(picture)}", *(f"{name}: {said}" for name, said in facts(picture))]
    rest += [f"Taken for granted: {'; '.join(picture.assumptions)}", not_shown(picture)]
    for sentence in rest:
        said, y = _lines(sentence, y + LINE, size=13, letters=LETTERS)
        parts.append(said)
    height = y + MARGIN
    head = [
        element("title", text(heading(picture)), id="title"),
        element("desc", text(description(picture, layers)), id="desc"),
        element("style", STYLE),
        element("rect", width=width, height=height, fill="#fff"),
    ]
    whole = element(
        "svg",
        *head,
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        role="img",
        aria_labelledby="title desc",
        font_family="system-ui, 'DejaVu Sans', sans-serif",
        fill=INK,
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{whole}\n'.encode()


def _line(content: str, y: float, *, size: float, letters: int, weight: str | None = None) -> tuple[str, float]:
    shown = content if len(content) <= letters else f"{content[: letters - 1]}…"
    return element("text", text(shown), x=MARGIN, y=y, font_size=size, font_weight=weight), y


def _lines(content: str, y: float, *, size: float, letters: int) -> tuple[str, float]:
    """Text wrapped at a number of letters, and where its last line stands."""
    rows = textwrap.wrap(content, letters, break_on_hyphens=False) or [""]
    said = [
        element("text", text(row), x=MARGIN + (14 if number else 0), y=y + number * LINE, font_size=size)
        for number, row in enumerate(rows)
    ]
    return "".join(said), y + (len(rows) - 1) * LINE


def _legend(picture: Picture, layers: Layers, y: float) -> tuple[str, float]:
    parts = []
    for swatch, meaning in swatches(picture, layers):
        drawn = element("g", swatch, transform=f"translate({MARGIN:g} {y - 13:.2f})")
        parts.append(drawn + element("text", text(meaning), x=MARGIN + 46, y=y, font_size=13))
        y += LINE + 3
    return "".join(parts), y
