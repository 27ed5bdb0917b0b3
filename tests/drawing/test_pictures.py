"""A picture says what the verdict says, names who decided, and is seen whole."""

import pytest

from lightbound.adjudication.verdicts import Proof, Standing, Verdict
from lightbound.drawing.framing import Framing
from lightbound.drawing.neighbourhood import Neighbourhood
from lightbound.drawing.palette import MARKS, MEANINGS
from lightbound.drawing.picture import Picture, PlacedBound, Reach, Role
from lightbound.drawing.whole_earth import WholeEarth
from lightbound.drawing.wording import (
    SPEEDS_SAY,
    STANDINGS_SAY,
    bound_text,
    facts,
    kilometres,
    landmark_sentence,
    questions,
    reach_text,
)
from lightbound.geo.earth import LEAST_RADIUS_M
from lightbound.ranging.bounds import Speed
from tests.drawing import scenes


def _roles(picture: Picture) -> dict[str, Role]:
    return {bound.landmark_id: bound.role for bound in picture.bounds}


def test_the_region_is_made_of_exactly_the_bounds_that_were_used() -> None:
    for scene in scenes.ALL.values():
        picture = scene()
        used = [bound for bound in picture.bounds if bound.role is not Role.IGNORED]
        assert picture.region.count == len(used)
        for bound, cap in zip(used, picture.region.caps.reshape(-1, 4), strict=True):
            assert cap[3] == bound.bound_m / LEAST_RADIUS_M
            assert cap[:3] == pytest.approx(bound.position.unit(), abs=1e-15)


def test_a_landmark_in_the_excluded_area_is_ignored_and_the_two_that_prove_it_decide() -> None:
    picture = scenes.singapore()
    assert picture.standing is Standing.VERIFIED
    assert _roles(picture) == {
        "kuala-lumpur": Role.USED,
        "shenzhen": Role.IGNORED,
        "singapore-1": Role.DECIDING,
        "singapore-2": Role.DECIDING,
    }


def test_the_margin_of_an_answer_is_that_of_the_last_landmark_it_takes() -> None:
    picture = scenes.singapore()
    assert picture.excluded is not None
    assert (picture.excluded.verdict, picture.excluded.proof) == (Verdict.OUTSIDE, Proof.ALONE)
    margins = sorted(
        bound.excluded.outside_m for bound in picture.bounds if bound.role is Role.DECIDING and bound.excluded
    )
    assert picture.excluded.margin_m == margins[0]


def test_everybody_at_the_edge_of_the_region_decides() -> None:
    assert set(_roles(scenes.two_parts()).values()) == {Role.DECIDING}
    assert set(_roles(scenes.contradiction()).values()) == {Role.USED}
    assert set(_roles(scenes.whole_earth()).values()) == {Role.USED}


def test_a_small_region_is_seen_near_and_a_large_one_on_the_whole_earth() -> None:
    for scene in ("singapore", "fiji", "pole"):
        layers = scenes.layers(scene)
        assert isinstance(layers.view, Neighbourhood), scene
        # All of it: the edge nowhere leaves the map, and there is something in it.
        assert layers.view.frame.buffer(-1).covers(layers.region.fill)
        assert layers.region.fill.area > 100
    for scene in ("two_parts", "contradiction", "whole_earth"):
        assert isinstance(scenes.layers(scene).view, WholeEarth), scene


def test_a_nearer_view_shows_the_region_larger() -> None:
    near, usual, world = (
        scenes.layers("singapore", framing).region.fill.area
        for framing in (Framing.REGION, Framing.AUTO, Framing.WORLD)
    )
    assert near > usual > world > 0


@pytest.mark.parametrize("scene", ["fiji", "many", "singapore", "two_parts"])
def test_a_world_map_is_not_torn_where_the_region_is(scene: str) -> None:
    layers = scenes.layers(scene, Framing.WORLD)
    # A region that is torn has a part that ends at the outline of the map.
    assert not layers.region.fill.intersects(layers.view.frame.exterior.buffer(0.5))


def test_a_region_of_two_parts_is_drawn_in_two_parts_and_none_in_none() -> None:
    assert len(scenes.layers("two_parts").region.fill.geoms) == 2
    assert scenes.layers("contradiction").region.fill.is_empty
    everything = scenes.layers("whole_earth")
    assert everything.region.fill.area == pytest.approx(everything.view.frame.area, rel=1e-3)


def test_every_word_has_its_sentence_and_every_role_its_mark() -> None:
    assert STANDINGS_SAY.keys() == set(Standing)
    assert SPEEDS_SAY.keys() == set(Speed)
    assert MARKS.keys() == MEANINGS.keys() == set(Role)
    assert len(set(MARKS.values())) == len(Role)


def test_what_was_not_asked_and_what_contradicts_itself_is_said_so() -> None:
    assert questions(scenes.whole_earth())[1] == ("Outside the excluded area?", "not asked")
    assert all(answer.startswith("void") for _, answer in questions(scenes.contradiction()))
    assert dict(facts(scenes.contradiction()))["Region"].startswith("empty")
    assert dict(facts(scenes.whole_earth()))["Region"].startswith("all of the Earth")


@pytest.mark.parametrize(
    ("metres", "down", "up"),
    [
        (0, "0.0 km", "0.0 km"),
        (949, "0.9 km", "1.0 km"),
        (9_999, "9.9 km", "10.0 km"),
        (1_234_567, "1,234 km", "1,235 km"),
    ],
)
def test_distances_are_rounded_to_the_side_that_claims_less(metres: int, down: str, up: str) -> None:
    assert kilometres(metres) == down
    assert kilometres(metres, up=True) == up


def test_a_bound_says_what_it_shows_by_itself() -> None:
    bound = next(iter(scenes.singapore().bounds))

    def told(outside_m: int, within_m: int, role: Role = Role.USED) -> str:
        return reach_text(Reach(outside_m=outside_m, within_m=within_m), role)

    assert told(1_500, -9_000) == "outside, by 1.5 km"
    assert told(-9_000, 1_500) == "within, by 1.5 km"
    assert told(-9_010, -2_010) == "nothing (2.1 km short)"
    assert told(1_500, -9_000, Role.IGNORED) == "not believed"
    assert reach_text(None, Role.USED) == "not asked"
    assert "excluded area: shows" in landmark_sentence(bound)


def test_a_bound_that_reaches_all_round_excludes_nothing() -> None:
    bound = scenes.singapore().bounds[0]
    wide = PlacedBound(
        landmark_id=bound.landmark_id, position=bound.position, bound_m=2.1e7, unit=bound.unit, role=Role.USED
    )
    assert bound_text(wide) == "excludes nothing"
    assert "its bound excludes nothing" in landmark_sentence(wide)
