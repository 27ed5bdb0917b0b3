"""The packaged borders as shapes, and the tables of docs/borders.md: what several files of tests look at."""

import functools
from collections.abc import Mapping
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from lightbound.geo.borders import packaged_borders
from tests.house import tree

PAGE: Final = "docs/borders.md"
DATA: Final = tree.PACKAGE / "geo" / "data"


@functools.cache
def shapes_by_code() -> Mapping[str, BaseGeometry]:
    """Everything that is drawn under each code."""
    borders = packaged_borders()
    made = {
        code: shapely.MultiPolygon([shapely.Polygon(rings[0], rings[1:]) for rings in borders.polygons(code)])
        for code in borders.codes
    }
    for shape in made.values():
        shapely.prepare(shape)
    return made


def rows(heading: str) -> list[list[str]]:
    """Rows of the page's first table under a heading, without the marks of code."""
    return [[cell.strip("`") for cell in row] for row in tree.table(PAGE, heading)]


def point(text: str) -> tuple[float, float]:
    """Latitude and longitude."""
    latitude, longitude = map(float, text.split(","))
    return latitude, longitude


PLACES: Final = rows("## Disputed and separate places")
"""Place, point, code or `nobody`, remark."""
