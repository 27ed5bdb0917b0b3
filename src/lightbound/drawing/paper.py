"""A picture and words beside it as pages to print and to file: PDF, the same bytes each time.

Typst sets them, with the fonts that it brings: what is installed on a machine makes no difference.
"""

import importlib.resources
import json
from collections.abc import Sequence

import typst

from lightbound.drawing.layers import Layers
from lightbound.drawing.page import Section
from lightbound.drawing.picture import Picture
from lightbound.drawing.poster import poster
from lightbound.drawing.wording import heading


def paper(picture: Picture, layers: Layers, *, lead: str, sections: Sequence[Section]) -> bytes:
    """The PDF file; it states no time at which it was made."""
    told = {
        "title": heading(picture),
        "lead": lead,
        "sections": [
            {
                "title": _plain(one.title),
                "pairs": [[_plain(about), _plain(said)] for about, said in one.pairs],
                "items": [_plain(item) for item in one.items],
                "numbered": one.is_numbered,
            }
            for one in sections
        ],
        "map": poster(picture, layers).decode(),
    }
    source = (importlib.resources.files("lightbound.drawing") / "paper.typ").read_bytes()
    made = typst.compile(source, sys_inputs={"told": json.dumps(told)}, ignore_system_fonts=True)
    if not isinstance(made, bytes):
        raise TypeError(type(made).__name__)
    return made


def _plain(content: str) -> str:
    """What cannot be printed is replaced by a mark that says so, as on pages."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in content)
