"""How a licensed area lies to an excluded one, and that touching includes every doubt."""

import numpy as np
import pytest

from lightbound.adjudication import questions
from lightbound.adjudication.questions import pairs_asked, relations
from lightbound.errors import ErrorCode, Malformed
from lightbound.geo.outlines import Outline
from lightbound.geo.shapes import Circle, Relation
from lightbound.ranging.readings import Chips
from tests.worlds import area

INSIDE, TOUCHING, APART = Relation.INSIDE, Relation.TOUCHING, Relation.APART

CASES = [
    # countries in countries
    ("LS", "ZA", TOUCHING),
    ("LS", "ZA+LS", INSIDE),
    ("DE", "DE", INSIDE),
    ("HK", "CN+HK+MO", INSIDE),
    ("CN+HK+MO", "HK", TOUCHING),
    ("HK", "CN", TOUCHING),
    ("SG", "CN+HK+MO", APART),
    ("SG", "MY", TOUCHING),
    ("RU", "US", TOUCHING),  # the Diomede Islands are 3.8 km apart, and both borders may err by 2 km
    ("RU", "CA", APART),
    ("FJ", "AQ", APART),
    ("ZA", "LS", TOUCHING),
    # circles in countries
    ("circle(50,10,25)", "DE", INSIDE),
    ("circle(-29.5,28.3,25)", "ZA", APART),
    ("circle(-29.5,28.3,25)", "LS", INSIDE),
    ("circle(-29.5,28.3,500)", "ZA", TOUCHING),
    ("circle(-29.5,28.3,500)", "LS", TOUCHING),
    ("circle(68,180,25)", "RU", INSIDE),
    ("circle(68,-180,25)", "RU", INSIDE),
    ("circle(-90,0,400)", "AQ", INSIDE),
    ("circle(90,0,500)", "@arctic", INSIDE),
    ("circle(0,0,19000)", "DE", TOUCHING),
    ("circle(-45,-170,5000)", "DE", APART),
    # countries in circles
    ("LS", "circle(-25,20,3000)", INSIDE),
    ("LS", "circle(-29.5,28.3,100)", TOUCHING),
    ("LS", "circle(50,10,100)", APART),
    ("ZA", "circle(-29.5,28.3,50)", APART),
    ("ZA", "circle(-29.5,28.3,200)", TOUCHING),
    ("FJ", "circle(-17,180,2000)", INSIDE),
    ("AQ", "circle(-90,0,4500)", INSIDE),
    ("AQ", "circle(-90,0,500)", TOUCHING),
    ("@world_less_a_hole", "circle(0,0,500)", TOUCHING),
    ("@world_less_a_hole", "circle(1.5,1.5,10)", APART),
    ("@arctic", "circle(90,0,3400)", INSIDE),
    # circles in circles
    ("circle(50,10,25)", "circle(50,10,25)", INSIDE),
    ("circle(50,10,25)", "circle(50,10.1,40)", INSIDE),
    ("circle(50,10,25)", "circle(50,10.3,40)", TOUCHING),
    ("circle(50,10,25)", "circle(50,11.03,50)", TOUCHING),
    ("circle(50,10,25)", "circle(50,12,40)", APART),
    ("circle(89.9,0,25)", "circle(89.9,180,25)", TOUCHING),
    ("circle(0,179.9,25)", "circle(0,-179.9,25)", TOUCHING),
    # unions
    ("circle(50,10,25)|circle(51,10,25)", "DE", INSIDE),
    ("circle(50,10,25)|circle(48,2,25)", "DE", TOUCHING),
    ("circle(50,10,25)", "circle(50,10,30)|LS", INSIDE),
    ("circle(0,0,25)", "circle(50,10,30)|LS", APART),
    ("SG|LS", "circle(-29.5,28.3,500)|MY", TOUCHING),
    ("@atoll", "@overlapping", APART),
    ("@sliver", "DE", TOUCHING),
    # across the antimeridian and over the poles
    ("@edge180", "@dateline", TOUCHING),
    ("circle(90,0,25)|LS", "circle(89.8,33,25)|SG", TOUCHING),
    ("@polar_ring", "circle(-90,0,1500)", APART),
    ("@polar_ring", "circle(-90,0,1600)|LS", APART),
    ("@polar_ring", "circle(-90,0,1700)|LS", TOUCHING),
]


@pytest.mark.parametrize(("licensed", "excluded", "relation"), CASES)
def test_areas_lie_to_one_another_as_a_map_shows(licensed: str, excluded: str, relation: Relation) -> None:
    areas = [area(licensed, 2000.0), area(excluded, 2000.0)]
    assert relations(np.array([[0, 1]], np.int32), areas) == [relation]


def test_many_pairs_are_answered_in_their_order() -> None:
    texts = sorted({text for case in CASES for text in case[:2]})
    areas = [area(text, 2000.0) for text in texts]
    pairs = np.array([[texts.index(licensed), texts.index(excluded)] for licensed, excluded, _ in CASES], np.int32)
    assert relations(pairs, areas) == [relation for _, _, relation in CASES]


def test_compiled_relations_are_the_interpreted_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = sorted({text for case in CASES for text in case[:2]})
    areas = [area(text, 2000.0) for text in texts]
    pairs = np.array([[texts.index(licensed), texts.index(excluded)] for licensed, excluded, _ in CASES], np.int32)
    monkeypatch.setattr(questions, "COMPILED_FROM_PAIRS", 1)
    assert relations(pairs, areas) == [relation for _, _, relation in CASES]


def test_within_the_margin_of_a_border_is_touching() -> None:
    beside, further = "circle(-29.5,28.3,90)", "circle(50,10,5)"
    for error_m, relation in ((0.0, APART), (500_000.0, TOUCHING)):
        assert relations(np.array([[0, 1]], np.int32), [area(beside, error_m), area("BW", error_m)]) == [relation]
    assert relations(np.array([[0, 1]], np.int32), [area(further, 2000.0), area("BW", 2000.0)]) == [APART]


def test_pairs_are_asked_once_each_and_only_where_both_questions_are() -> None:
    chips = Chips(
        chip_ids=list("abcdef"),
        licensed=np.array([0, 0, -1, 2, 0, 2], np.int32),
        excluded=np.array([1, 1, 1, -1, 3, 0], np.int32),
        areas=list("ABCD"),
    )
    assert pairs_asked(chips).tolist() == [[0, 1], [0, 3], [2, 0]]
    nobody = Chips(chip_ids=[], licensed=np.zeros(0, np.int32), excluded=np.zeros(0, np.int32), areas=[])
    assert pairs_asked(nobody).shape == (0, 2)
    assert relations(pairs_asked(nobody), []) == []


def test_a_circle_too_wide_to_draw_is_malformed_in_a_union_and_fine_alone() -> None:
    with pytest.raises(Malformed) as error:
        area("circle(0,0,19990)|DE")
    assert [fault.code for fault in error.value.faults] == [ErrorCode.AREA_MALFORMED]
    assert isinstance(area("circle(0,0,19990)").shape, Circle)
    assert isinstance(area("circle(0,0,19900)|DE").shape, Outline)
