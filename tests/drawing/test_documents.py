"""The files of a map: equal bytes for equal pictures, nothing from anywhere else, nobody's text taken for markup."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
import shapely

from lightbound.drawing.framing import Framing
from lightbound.drawing.layers import layers_of
from lightbound.drawing.markup import element, number, path_data, text
from lightbound.drawing.page import page
from lightbound.drawing.poster import poster
from tests.conftest import ROOT
from tests.drawing import scenes

HOSTILE = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>&\u202e]]>"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("scene", scenes.ALL)
def test_a_still_picture_is_well_formed_and_asks_for_nothing(scene: str) -> None:
    content = poster(scenes.ALL[scene](), scenes.layers(scene))
    root = ET.fromstring(content)  # noqa: S314 - our own bytes
    assert root.tag == f"{SVG}svg"
    assert not {element.tag for element in root.iter()} & {f"{SVG}script", f"{SVG}image", f"{SVG}foreignObject"}
    addresses = set(re.findall(rb"[a-z]+://[^\"' <]+", content))
    assert addresses <= {b"http://www.w3.org/2000/svg"}
    used = set(re.findall(rb"url\(#([^)]+)\)", content))
    assert used <= set(re.findall(rb' id="([^"]+)"', content))
    assert len(content) < 1_000_000


@pytest.mark.parametrize("scene", scenes.ALL)
def test_a_page_asks_for_nothing_and_is_small(scene: str) -> None:
    content = page(scenes.ALL[scene](), scenes.layers(scene))
    assert b"://" not in content
    assert set(re.findall(rb'(?:href|src)="([^"#][^"]*)"', content)) <= {b"data:,"}
    assert b" style=" not in content
    assert re.search(rb" on[a-z]+=", content) is None
    ids = re.findall(rb' id="([^"]+)"', content)
    assert len(ids) == len(set(ids))
    assert len(content) < 1_000_000


def test_equal_pictures_are_equal_bytes_also_in_another_process() -> None:
    picture = scenes.fiji()
    layers = layers_of(picture, Framing.AUTO)
    assert poster(picture, layers) == poster(picture, layers_of(picture, Framing.AUTO))
    again = (
        "import sys; from tests.drawing import scenes; from lightbound.drawing.framing import Framing\n"
        "from lightbound.drawing.layers import layers_of; from lightbound.drawing.page import page\n"
        "picture = scenes.fiji(); sys.stdout.buffer.write(page(picture, layers_of(picture, Framing.AUTO)))"
    )
    done = subprocess.run([sys.executable, "-c", again], cwd=ROOT, capture_output=True, check=True)
    assert done.stdout == page(picture, layers)


def test_nothing_that_a_file_says_becomes_markup() -> None:
    quiet = scenes.singapore()
    bounds = tuple(replace(bound, landmark_id=f"{HOSTILE}{i}", unit=HOSTILE) for i, bound in enumerate(quiet.bounds))
    assert quiet.licensed is not None
    picture = replace(quiet, chip_id=HOSTILE, bounds=bounds, licensed=replace(quiet.licensed, text=HOSTILE))
    layers = layers_of(picture, Framing.AUTO)
    still, alive = poster(picture, layers), page(picture, layers)
    root = ET.fromstring(still)  # noqa: S314 - our own bytes
    title = root.find(f"{SVG}title")
    assert title is not None
    assert title.text == f"Chip {HOSTILE.replace(chr(0x202E), chr(0xFFFD))}: {quiet.standing} (tier A0)"
    for content in (still, alive):
        assert b"<img" not in content
        assert "\u202e".encode() not in content
    assert alive.count(b"<script") == alive.count(b"</script") == 2


def test_the_words_of_a_page_are_all_in_its_still_picture_too() -> None:
    picture, layers = scenes.two_parts(), scenes.layers("two_parts")
    root = ET.fromstring(poster(picture, layers))  # noqa: S314 - our own bytes
    said = " ".join("".join(item.itertext()) for item in root.iter(f"{SVG}text"))
    for word in (
        picture.chip_id, picture.standing, "tier A0", picture.border.sha256, picture.algorithm, "vacuum", "Not shown",
        "DE", "CN+HK+MO", "1 of the 2 fault units", "km along the equator", *picture.assumptions,
    ):  # fmt: skip
        assert word in said


def test_numbers_are_short_and_whole_paths_come_back() -> None:
    assert [number(value) for value in (0, -0.004, 0.5, -0.5, 100.0, 12.345)] == ["0", "0", ".5", "-.5", "100", "12.35"]
    line = shapely.MultiLineString([[(0, 0), (10.5, -3.25), (10.5, -3.25), (11, 4)], [(5, 5), (5.001, 5.001)]])
    assert path_data(line) == "M0 0l10.5-3.25 .5 7.25"
    square = shapely.MultiPolygon([shapely.box(0, 0, 2, 2)])
    walked = np.array(re.findall(r"-?[\d.]+", path_data(square)), float).reshape(-1, 2)
    np.testing.assert_allclose(shapely.Polygon(np.cumsum(walked, axis=0)).area, 4.0)


def test_an_element_that_html_must_see_ended_is_ended() -> None:
    assert element("td") == "<td></td>"
    assert element("path", d="M0 0") == '<path d="M0 0"/>'
    assert element("a", "x", class_="y", aria_label='"', href=None) == '<a class="y" aria-label="&quot;">x</a>'
    assert text("a<b>&\x00") == "a&lt;b&gt;&amp;\N{REPLACEMENT CHARACTER}"
