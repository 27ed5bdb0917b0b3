"""Pictures that tests draw: honest answers from a place to landmarks around it, at a share of the speed of light."""

import functools
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from pyproj import Geod

from lightbound.adjudication.facts import Settings
from lightbound.adjudication.verdicts import BorderUsed
from lightbound.drawing.chips import picture_of_chip
from lightbound.drawing.framing import Framing
from lightbound.drawing.layers import Layers, layers_of
from lightbound.drawing.picture import Picture
from lightbound.geo.areas import parse_area
from lightbound.geo.borders import packaged_borders
from lightbound.geo.earth import Position
from lightbound.geo.shapes import area_of
from lightbound.ranging.readings import Chips, Landmark, Readings
from lightbound.units import SPEED_OF_LIGHT_M_PER_S

Site = tuple[str, float, float]
"""Name, latitude, longitude."""
Scene = Callable[[], Picture]

EARTH: Final = Geod(ellps="WGS84")
BORDER_ERROR_M: Final = 2000

FRANKFURT: Final = (50.11, 8.68)
SAN_FRANCISCO: Final = (37.77, -122.4)


def picture(
    answers: Sequence[tuple[Site, tuple[float, float]]],
    licensed: str | None,
    excluded: str | None,
    *,
    chip: str = "rack-7",
    units: dict[str, str] | None = None,
    settings: Settings | None = None,
    share_of_c: float = 0.6,
) -> Picture:
    """The picture of a chip that answered each landmark from the place beside it, after 0.2 ms of its own."""
    borders = packaged_borders()
    round_trips = []
    for (_, latitude, longitude), place in answers:
        _, _, metres = EARTH.inv(longitude, latitude, place[1], place[0])
        round_trips.append(int(2e9 * metres / (share_of_c * SPEED_OF_LIGHT_M_PER_S)) + 200_000)
    texts = [text for text in (licensed, excluded) if text]
    return picture_of_chip(
        0,
        readings=Readings(
            landmark=np.arange(len(answers), dtype=np.int32),
            chip=np.zeros(len(answers), np.int32),
            round_trip_ns=np.array(round_trips, np.int64),
        ),
        landmarks=[
            Landmark(
                landmark_id=name,
                position=Position(latitude, longitude),
                position_error_m=20.0,
                fault_unit=(units or {}).get(name, name),
            )
            for (name, latitude, longitude), _ in answers
        ],
        chips=Chips(
            chip_ids=[chip],
            licensed=np.array([0 if licensed else -1], np.int32),
            excluded=np.array([len(texts) - 1 if excluded else -1], np.int32),
            areas=texts,
        ),
        areas=[
            area_of(parse_area(text), borders=borders, drawings={}, border_error_m=BORDER_ERROR_M) for text in texts
        ],
        borders=borders,
        border=BorderUsed.of(borders, error_m=BORDER_ERROR_M),
        settings=settings or Settings(),
    )


def _from(place: tuple[float, float], *sites: Site) -> list[tuple[Site, tuple[float, float]]]:
    return [(site, place) for site in sites]


@functools.cache
def singapore() -> Picture:
    """A region the size of a city, far from what is excluded; one landmark stands there and is ignored."""
    sites = [("singapore-1", 1.30, 103.80), ("singapore-2", 1.35, 103.85), ("kuala-lumpur", 3.14, 101.69)]
    return picture(_from((1.33, 103.8), *sites, ("shenzhen", 22.54, 114.06)), "circle(1.33,103.8,80)", "CN+HK+MO")


@functools.cache
def fiji() -> Picture:
    """A region across the antimeridian, as are the licensed area and the nearest part of the excluded one."""
    sites = [("suva", -18.14, 178.44), ("nadi", -17.8, 177.4), ("apia", -13.83, -171.76), ("auckland", -36.85, 174.76)]
    return picture(_from((-17.0, 179.6), *sites), "FJ", "CN+HK+MO|RU")


@functools.cache
def pole() -> Picture:
    """A region over the North Pole."""
    sites = [
        ("longyearbyen", 78.22, 15.65),
        ("alert", 82.5, -62.3),
        ("barrow", 71.29, -156.79),
        ("tromso", 69.65, 18.96),
    ]
    return picture(_from((89.0, 40.0), *sites), "circle(89,40,300)", "RU")


@functools.cache
def two_parts() -> Picture:
    """With one fault unit in doubt, either side of an ocean: a region of two parts, a continent apart."""
    europe: list[Site] = [("warsaw", 52.2, 21.0), ("madrid", 40.4, -3.7), ("rome", 41.9, 12.5)]
    america: list[Site] = [("denver", 39.7, -105.0), ("vancouver", 49.2, -123.1)]
    units = {name: "east" for name, *_ in europe} | {name: "west" for name, *_ in america}
    answers = _from(FRANKFURT, *europe) + _from(SAN_FRANCISCO, *america)
    return picture(answers, "DE", "CN+HK+MO", units=units)


@functools.cache
def two_specks() -> Picture:
    """The same, each part so small that it has to be pointed at."""
    answers = _from(FRANKFURT, ("mainz", 50.0, 8.27)) + _from(SAN_FRANCISCO, ("san-jose", 37.34, -121.9))
    return picture(answers, "DE", "CN+HK+MO")


@functools.cache
def contradiction() -> Picture:
    """Two answers that no one place could give, and nobody may be wrong."""
    answers = _from(FRANKFURT, ("mainz", 50.0, 8.27)) + _from(SAN_FRANCISCO, ("san-jose", 37.34, -121.9))
    return picture(answers, "DE", "CN", settings=Settings(fault_budget=0))


@functools.cache
def whole_earth() -> Picture:
    """One landmark, and one may be wrong: nothing is excluded."""
    return picture(_from((1.3, 103.8), ("one", 1.3, 103.8)), "SG", None)


@functools.cache
def many() -> Picture:
    """As many landmarks as a large measurement has, all over the Earth, most of them far."""
    dice = np.random.default_rng(5)
    sites = [
        (f"lm-{i}", float(latitude), float(longitude))
        for i, (latitude, longitude) in enumerate(
            zip(dice.uniform(-50, 65, 200), dice.uniform(-180, 180, 200), strict=True)
        )
    ]
    return picture(_from((25.0, 121.5), *sites), "TW", "CN+HK+MO")


ALL: Final = {
    scene.__name__: scene for scene in (singapore, fiji, pole, two_parts, two_specks, contradiction, whole_earth, many)
}


@functools.cache
def layers(name: str, framing: Framing = Framing.AUTO) -> Layers:
    """The layers of a scene, laid once for all tests of a process."""
    return layers_of(ALL[name](), framing)
