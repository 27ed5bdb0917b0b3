"""How each thing looks: colours that colour-blind people tell apart, and beside every colour a pattern or a shape.

The colours are those of Okabe and Ito. Nothing on a map is told by colour alone: the region is hatched, the excluded
area cross-hatched and its edge dashed, the licensed area dotted; landmarks differ by the shape of their marks.
"""

from typing import Final

from lightbound.drawing.markup import element
from lightbound.drawing.picture import Role

INK: Final = "#1b1b1b"
BLUE: Final = "#0072b2"
GREEN: Final = "#009e73"
VERMILLION: Final = "#d55e00"
ORANGE: Final = "#e69f00"

STYLE: Final = f"""
.water{{fill:#f3f7fa}}
.grid{{fill:none;stroke:#d5dde3;stroke-width:.7}}
.ground{{fill:#e9e6df;stroke:#a39c90;stroke-width:.6}}
.borders{{fill:none;stroke:#b9b2a6;stroke-width:.6}}
.edge{{fill:none;stroke-linejoin:round}}
.licensed.edge{{stroke:{GREEN};stroke-width:2.2}}
.excluded.edge{{stroke:{VERMILLION};stroke-width:1.6;stroke-dasharray:6 3}}
.region.edge{{stroke:{BLUE};stroke-width:2.6}}
.halo{{fill:none;stroke:#fff;stroke-width:5;stroke-opacity:.75}}
.bound{{fill:none;stroke:#5b6167;stroke-width:.7}}
.bound.deciding{{stroke:{INK};stroke-width:1.3}}
.bound.ignored{{stroke-dasharray:1.5 4}}
.mark{{stroke:{INK};stroke-width:1.2;stroke-linejoin:round;fill:#fff}}
.mark.deciding{{fill:{ORANGE}}}
.mark.ignored{{fill:none;stroke:{VERMILLION};stroke-width:2}}
.frame{{fill:none;stroke:#6b7278;stroke-width:1}}
.pointer{{fill:none;stroke:{INK};stroke-width:1.2}}
.label,.scale text{{font-size:13px;fill:{INK};stroke:#fff;stroke-width:3.5px;paint-order:stroke;stroke-linejoin:round}}
.scale path{{fill:none;stroke:{INK};stroke-width:1.6}}
.map>path,.map>defs>path{{vector-effect:non-scaling-stroke}}
""".strip()
"""Rules for everything on a map. Lines keep their width however far a map is magnified."""

MARKS: Final = {
    Role.DECIDING: "M0-8L6.2 0L0 8L-6.2 0z",
    Role.USED: "M-3.6 0a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0-7.2 0z",
    Role.IGNORED: "M-4.5-4.5L4.5 4.5M4.5-4.5L-4.5 4.5",
}
"""Shapes of landmarks about their place: a diamond, a disc, a cross."""

MEANINGS: Final = {
    Role.DECIDING: "landmark that decides: its circle is part of the region's edge, or it proves an answer by itself",
    Role.USED: "landmark whose bound was used",
    Role.IGNORED: "landmark that may stand in the excluded area: not believed",
}


def patterns(use: str) -> str:
    """Definitions of the three fills, named `region-USE`, `excluded-USE` and `licensed-USE`."""
    hatched = element("path", d="M-1 8L8-1M-1 1L1-1M6 8L8 6", stroke=BLUE, stroke_width=1.1)
    crossed = element("path", d="M0 0L8 8M8 0L0 8", stroke=VERMILLION, stroke_width=0.8)
    dotted = "".join(element("circle", cx=at, cy=at, r=1.1, fill=GREEN) for at in (1.5, 4.5))
    return element(
        "defs",
        _pattern(f"region-{use}", 7, BLUE, hatched, opacity=0.2),
        _pattern(f"excluded-{use}", 8, VERMILLION, crossed, opacity=0.13),
        _pattern(f"licensed-{use}", 6, GREEN, dotted, opacity=0.16),
    )


def _pattern(name: str, side: float, colour: str, drawn: str, *, opacity: float) -> str:
    ground = element("rect", width=side, height=side, fill=colour, fill_opacity=opacity)
    return element(
        "pattern", ground, drawn, id=name, width=side, height=side, patternUnits="userSpaceOnUse", fill="none"
    )
