"""A picture as one page that needs no network: a map to walk around in, and the same in words and a table.

Everything is in the one file. Its policy, in the page itself, allows the one style and the one script that are in it,
named by their hashes, and no request to anywhere. Equal pictures give equal bytes.
"""

import base64
import hashlib
import importlib.resources
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lightbound.drawing.chart import chart, description
from lightbound.drawing.layers import Layers
from lightbound.drawing.legend import swatches
from lightbound.drawing.markup import element, text
from lightbound.drawing.neighbourhood import NEAR_HEIGHT
from lightbound.drawing.palette import STYLE, patterns
from lightbound.drawing.picture import Picture, PlacedBound, Role
from lightbound.drawing.views import WIDTH
from lightbound.drawing.wording import (
    bound_text,
    facts,
    heading,
    landmark_sentence,
    not_shown,
    questions,
    reach_text,
    standing_sentence,
)

HINT: Final = (
    "Drag, pinch or use the buttons; the wheel zooms once the map has been clicked. With the keyboard: arrows move, + "
    "and - zoom, 0 shows all, R shows the region, Tab goes from landmark to landmark, Escape closes what is shown."
)

ROLES: Final = (Role.DECIDING, Role.USED, Role.IGNORED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Words that stand before the map, under a heading of their own."""

    title: str
    pairs: tuple[tuple[str, str], ...] = ()
    items: tuple[str, ...] = ()
    is_numbered: bool = False


def page(picture: Picture, layers: Layers, *, lead: str | None = None, sections: Sequence[Section] = ()) -> bytes:
    """The HTML file. With `lead`, that stands under the heading instead of what the picture's standing means."""
    style = f"{STYLE}\n{_packaged('page.css')}"
    script = _packaged("page.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="generator", content="Lightbound"),
        # Without this a browser would ask the server for an icon.
        element("link", rel="icon", href="data:,"),
        element("title", text(heading(picture))),
        element("style", style),
    )
    sentences = [landmark_sentence(circle.bound) for circle in layers.circles]
    body = element(
        "body",
        element("a", "Skip the map, to the table of landmarks", class_="skip", href="#landmarks"),
        element(
            "header", element("h1", text(heading(picture))), element("p", text(lead or standing_sentence(picture)))
        ),
        element(
            "main",
            *(_section(one) for one in sections),
            _pairs(questions(picture), "answers"),
            _figure(picture, layers),
            element("section", element("h2", "What it rests on"), _pairs(facts(picture))),
            element(
                "section",
                element("h2", "Taken for granted"),
                element("ul", *(element("li", text(sentence)) for sentence in picture.assumptions)),
            ),
            _table(picture),
            element("p", text(not_shown(picture)), class_="limits"),
        ),
        element("div", id="tip", class_="tip", role="tooltip", hidden=""),
        # Data, not a script; "<" is written so that no text from a file can end the element.
        element("script", json.dumps(sentences).replace("<", "\\u003c"), type="application/json", id="sentences"),
        element("script", script),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n".encode()


def _section(one: Section) -> str:
    lines = [element("li", text(item)) for item in one.items]
    return element(
        "section",
        element("h2", text(one.title)),
        _pairs(list(one.pairs)) if one.pairs else "",
        element("ol" if one.is_numbered else "ul", *lines) if lines else "",
    )


def _packaged(name: str) -> str:
    return (importlib.resources.files("lightbound.drawing") / name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    """The source expression that allows one inline element (CSP level 3)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


def _pairs(pairs: list[tuple[str, str]], name: str | None = None) -> str:
    told = (element("dt", text(about)) + element("dd", text(said)) for about, said in pairs)
    return element("dl", *told, class_=name)


def _figure(picture: Picture, layers: Layers) -> str:
    region = layers.region.fill
    drawing = element(
        "svg",
        chart(layers, alive=True),
        class_="map",
        viewBox=f"0 0 {WIDTH:g} {layers.view.height:g}",
        role="group",
        aria_label=description(picture, layers),
        data_region=None if region.is_empty else " ".join(f"{number:.2f}" for number in region.bounds),
    )
    host = element(
        "div",
        drawing,
        id="host",
        class_=f"host {'whole' if layers.view.height < NEAR_HEIGHT else 'near'}",
        tabindex="0",
        role="application",
        aria_label="Map; arrows move, plus and minus zoom, 0 shows all, R shows the region",
    )
    buttons = [("in", "+", "Zoom in"), ("out", "\N{MINUS SIGN}", "Zoom out"), ("all", "all", "Show all of the map")]
    if not region.is_empty:
        buttons.append(("region", "region", "Zoom to the region"))
    controls = element(
        "div",
        *(
            element("button", shown, type="button", id=name, aria_label=said, class_="word" if len(shown) > 1 else None)
            for name, shown, said in buttons
        ),
        class_="controls",
        role="group",
        aria_label="Zoom",
    )
    # The legend has fills of its own: those of the map are scaled with it.
    fills = element("svg", patterns("key"), class_="fills", aria_hidden="true")
    legend = element(
        "ul",
        *(
            element(
                "li", element("svg", swatch, viewBox="0 0 34 18", aria_hidden="true"), element("span", text(meaning))
            )
            for swatch, meaning in swatches(picture, layers)
        ),
        class_="legend",
    )
    unseen = sum(circle.place is None for circle in layers.circles)
    beyond = f" {unseen} landmarks stand outside this view; the table has them." if unseen else ""
    return element(
        "figure",
        element("div", host, controls, class_="stage"),
        element("figcaption", fills, legend, element("p", text(HINT + beyond), class_="hint")),
    )


def _table(picture: Picture) -> str:
    rows = sorted(picture.bounds, key=lambda bound: (ROLES.index(bound.role), bound.bound_m, bound.landmark_id))
    columns = ["Landmark", "Role", "Fault unit", "Bound", "Licensed area", "Excluded area"]
    head = element(
        "tr",
        *(element("th", text(name), scope="col", class_="number" if name == "Bound" else None) for name in columns),
    )
    table = element(
        "table",
        element(
            "caption",
            "What each bound shows by itself, and by how much; those that decide come first, then the narrowest.",
        ),
        element("thead", head),
        element("tbody", *(_row(bound) for bound in rows)),
    )
    return element(
        "section",
        element("h2", "Landmarks"),
        element("div", table, class_="rows", tabindex="0", role="region", aria_label="Table of landmarks"),
        id="landmarks",
    )


def _row(bound: PlacedBound) -> str:
    return element(
        "tr",
        element("th", text(bound.landmark_id), scope="row"),
        element("td", text(bound.role)),
        element("td", text(bound.unit)),
        element("td", text(bound_text(bound)), class_="number"),
        element("td", text(reach_text(bound.licensed, bound.role))),
        element("td", text(reach_text(bound.excluded, bound.role))),
        class_=bound.role,
    )
