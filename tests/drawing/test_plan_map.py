"""The map of a plan shows every site and landmark, and holds nothing that a file could have put there."""

import re
from xml.etree import ElementTree as ET

from lightbound.adjudication.planning.delays import slowness
from lightbound.adjudication.planning.obstacles import Why
from lightbound.adjudication.planning.plan import Candidate, Plan, plan
from lightbound.adjudication.planning.scene import Site, Terms
from lightbound.drawing.plan_map import MEANINGS, Sign, plan_map
from lightbound.geo.borders import packaged_borders
from lightbound.geo.earth import Position
from lightbound.ranging.readings import Landmark
from tests.worlds import area

SITES = [
    Site(
        site_id=name,
        position=Position(latitude, longitude),
        position_error_m=1000.0,
        weight=1.0,
        licensed=licensed,
        excluded=0,
    )
    for name, latitude, longitude, licensed in (
        ("proven <script>", 0.0, 20.0, -1),
        ("between", 0.0, 9.2, -1),
        ("beyond", 0.0, 0.0, -1),
        ("far & alone", 70.0, 179.9, -1),
        ("proven and beyond", 0.0, 20.1, 1),
    )
]


def landmark(name: str, longitude: float, unit: str) -> Landmark:
    return Landmark(landmark_id=name, position=Position(0.1, longitude), position_error_m=10.0, fault_unit=unit)


def planned() -> Plan:
    return plan(
        SITES,
        [Candidate(landmark=landmark(name, 20.0, name), cost=1.0) for name in ("a", "b")],
        standing=[landmark("mine", 30.0, "me")],
        areas=[area("circle(0,0,1000)"), area("circle(50,50,10)")],
        terms=Terms(delays=slowness(2.0, overhead_ms=1.0)),
        percents=(),
    )


def test_every_site_and_landmark_has_one_mark_with_its_name() -> None:
    drawn = plan_map(planned(), SITES, borders=packaged_borders())
    titles = [title.text for title in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}title")]  # noqa: S314 - our own
    assert sorted(titles[1:], key=str) == sorted(["1. a", "2. b", "mine", *(site.site_id for site in SITES)], key=str)


def test_a_site_is_marked_by_the_strongest_reason_against_any_of_its_goals() -> None:
    svg = plan_map(planned(), SITES, borders=packaged_borders()).decode()
    told = {meaning: int(count) for meaning, count in re.findall(r">([^<>]+): (\d+)</text>", svg)}
    assert told == {
        MEANINGS[Sign.BUILD]: 2,
        MEANINGS[Sign.STANDING]: 1,
        MEANINGS[Sign.PROVEN]: 1,
        MEANINGS[Sign.TOO_FEW_UNITS]: 1,
        MEANINGS[Sign.TOO_SLOW_ANYWHERE]: 1,
        MEANINGS[Sign.MAY_BE_BEYOND]: 2,
    }


def test_names_are_text_and_nothing_is_fetched() -> None:
    svg = plan_map(planned(), SITES, borders=packaged_borders()).decode()
    assert "<script" not in svg
    assert "proven &lt;script&gt;" in svg
    assert not re.search(r"(?:href|src)=|url\(http|@import", svg)


def test_equal_plans_give_equal_bytes() -> None:
    first, second = (plan_map(planned(), SITES, borders=packaged_borders()) for _ in range(2))
    assert first == second


def test_every_reason_has_its_sign() -> None:
    assert {why.value for why in Why} <= {sign.value for sign in Sign}
    assert set(MEANINGS) == set(Sign)
