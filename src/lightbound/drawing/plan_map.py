"""A plan as one SVG file that stands alone: where landmarks should stand, and which sites that proves.

Equal plans give equal bytes. It is drawn for planning and shows no proof of anything.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from lightbound.adjudication.planning.obstacles import Why
from lightbound.adjudication.planning.plan import Plan
from lightbound.adjudication.planning.scene import Site
from lightbound.drawing.land import land_on
from lightbound.drawing.markup import element, path_data, text
from lightbound.drawing.palette import BLUE, GREEN, INK, ORANGE, STYLE, VERMILLION
from lightbound.drawing.views import WIDTH
from lightbound.drawing.whole_earth import WholeEarth
from lightbound.geo.borders import Borders
from lightbound.geo.earth import Position

MARGIN: Final = 24.0
LINE: Final = 22.0

MIDDLE: Final = 11.0
"""Meridian in the middle of the map: it is torn along 169° W, in the Bering Strait, where hardly any land is cut."""


class Sign(StrEnum):
    """What a mark on the map stands for; drawn in this order, the last on top."""

    TOO_FEW_UNITS = Why.TOO_FEW_UNITS.value
    TOO_SLOW_ANYWHERE = Why.TOO_SLOW_ANYWHERE.value
    MAY_BE_BEYOND = Why.MAY_BE_BEYOND.value
    PROVEN = "proven"
    STANDING = "standing"
    BUILD = "build"


MEANINGS: Final = {
    Sign.BUILD: "landmark to build",
    Sign.STANDING: "landmark that stands already",
    Sign.PROVEN: "site that these are expected to prove",
    Sign.TOO_FEW_UNITS: "site without enough candidates near it",
    Sign.TOO_SLOW_ANYWHERE: "site too near a border for the round trips expected, wherever a landmark stands",
    Sign.MAY_BE_BEYOND: "site that may lie beyond the border: provable by no landmark",
}

_SHAPES: Final[Mapping[Sign, tuple[str, Mapping[str, str | float]]]] = {
    Sign.BUILD: ("M0-7.5L5.8 0L0 7.5L-5.8 0z", {"fill": BLUE, "stroke": "#fff", "stroke_width": 1.0}),
    Sign.STANDING: ("M0-7.5L5.8 0L0 7.5L-5.8 0z", {"fill": "#fff", "stroke": BLUE, "stroke_width": 1.8}),
    Sign.PROVEN: ("M-4.2 0a4.2 4.2 0 1 0 8.4 0a4.2 4.2 0 1 0-8.4 0z", {"fill": GREEN, "stroke": INK}),
    Sign.TOO_FEW_UNITS: ("M0-5.5L5.2 4L-5.2 4z", {"fill": ORANGE, "stroke": INK}),
    Sign.TOO_SLOW_ANYWHERE: ("M-4-4H4V4H-4z", {"fill": "#fff", "stroke": VERMILLION, "stroke_width": 2.0}),
    Sign.MAY_BE_BEYOND: ("M-5-5L5 5M5-5L-5 5", {"fill": "none", "stroke": VERMILLION, "stroke_width": 2.4}),
}
"""A shape for each sign, so that nothing is told by colour alone."""


def plan_map(plan: Plan, sites: Sequence[Site], *, borders: Borders) -> bytes:
    """The SVG file. Each mark tells its name to whoever points at it."""
    view = WholeEarth(middle=MIDDLE)
    land = land_on(view, borders)
    marks = _marks(plan, sites)
    drawn = [_mark(view, sign, position, told) for wanted in Sign for sign, position, told in marks if sign is wanted]
    chart = element(
        "g",
        element("path", class_="water", d=path_data(view.frame)),
        element("path", class_="ground", d=path_data(land.ground)),
        element("path", class_="borders", d=path_data(land.borders)),
        element("path", class_="frame", d=path_data(view.frame)),
        *drawn,
        class_="map",
        transform=f"translate({MARGIN:g} {MARGIN + 2 * LINE:g})",
    )
    counts = Counter(sign for sign, _, _ in marks)
    y = MARGIN + 2 * LINE + view.height + LINE
    legend = []
    for sign in reversed(Sign):
        if counts[sign]:
            y += LINE
            swatch = element("g", _shape(sign), transform=f"translate({MARGIN + 12:g} {y - 5:.2f})")
            said = element("text", text(f"{MEANINGS[sign]}: {counts[sign]:,}"), x=MARGIN + 32, y=y, font_size=14)
            legend.append(swatch + said)
    y += 1.5 * LINE
    warning = "For planning only: drawn from expected round trips, which prove nothing about any chip."
    height, width = y + MARGIN, WIDTH + 2 * MARGIN
    whole = element(
        "svg",
        element("title", "Where landmarks should stand", id="title"),
        element("desc", text("; ".join(f"{MEANINGS[sign]}: {counts[sign]}" for sign in Sign)), id="desc"),
        element("style", STYLE),
        element("rect", width=width, height=height, fill="#fff"),
        element("text", "Where landmarks should stand", x=MARGIN, y=MARGIN + 20, font_size=24, font_weight="bold"),
        chart,
        *legend,
        element("text", text(warning), x=MARGIN, y=y, font_size=14),
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


def _marks(plan: Plan, sites: Sequence[Site]) -> list[tuple[Sign, Position, str]]:
    """Every site by the strongest reason against any of its goals, and every landmark that stands or is to be built."""
    reasons = list(Why)
    worst: dict[int, int] = {}
    for obstacle in plan.obstacles:
        site = plan.scene.goals[obstacle.goal].site
        worst[site] = min(worst.get(site, len(reasons)), reasons.index(obstacle.why))
    marks = [
        (Sign(reasons[worst[number]].value) if number in worst else Sign.PROVEN, site.position, site.site_id)
        for number, site in enumerate(sites)
    ]
    for place in plan.cover.standing.tolist():
        landmark = plan.landmarks[place]
        marks.append((Sign.STANDING, landmark.position, landmark.landmark_id))
    for rank, step in enumerate(plan.order, start=1):
        landmark = plan.landmarks[step.place]
        marks.append((Sign.BUILD, landmark.position, f"{rank}. {landmark.landmark_id}"))
    return marks


def _mark(view: WholeEarth, sign: Sign, position: Position, told: str) -> str:
    x, y = view.place(position)
    return element("g", element("title", text(told)), _shape(sign), transform=f"translate({x:.2f} {y:.2f})")


def _shape(sign: Sign) -> str:
    outline, look = _SHAPES[sign]
    return element("path", d=outline, **look)
