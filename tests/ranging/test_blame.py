"""Who is blamed: what all smallest explanations agree on, checked against trying every set."""

from itertools import chain, combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from lightbound.ranging.blame import Blame, blame

COUNT = 7
APART = list(range(COUNT))
Pairs = set[tuple[int, int]]
FEWER = settings(max_examples=settings().max_examples // 2)
"""The solver takes a few milliseconds each time."""

PAIRS = st.sets(st.tuples(st.integers(0, COUNT - 1), st.integers(0, COUNT - 1)).filter(lambda pair: pair[0] < pair[1]))
UNITS = st.lists(st.integers(0, 4), min_size=COUNT, max_size=COUNT)


def _smallest(pairs: Pairs) -> list[set[int]]:
    """Every smallest set that holds one of every pair."""
    every = chain.from_iterable(combinations(range(COUNT), size) for size in range(COUNT + 1))
    explaining = [set(chosen) for chosen in every if all(set(pair) & set(chosen) for pair in pairs)]
    return [chosen for chosen in explaining if len(chosen) == len(explaining[0])]


def _all_of(sets: list[set[int]]) -> set[int]:
    return set(sets[0]).intersection(*sets)


def _any_of(sets: list[set[int]]) -> set[int]:
    return set(sets[0]).union(*sets)


def _suspects(found: Blame) -> set[int]:
    return {suspect.landmark for suspect in found.suspects}


def _grouped(found: Blame) -> set[int]:
    return {landmark for group in found.groups for landmark in group.landmarks}


@FEWER
@given(pairs=PAIRS)
def test_suspects_are_in_every_smallest_explanation(pairs: Pairs) -> None:
    assert _suspects(blame(sorted(pairs), APART)) == _all_of(_smallest(pairs))


@FEWER
@given(pairs=PAIRS)
def test_the_ambiguous_are_in_some_smallest_explanations_and_not_in_others(pairs: Pairs) -> None:
    found, smallest = blame(sorted(pairs), APART), _smallest(pairs)
    assert _grouped(found) == _any_of(smallest) - _all_of(smallest)
    assert all(len(chosen & group.landmarks) == group.at_least for chosen in smallest for group in found.groups)


@given(pairs=PAIRS, unit_of=UNITS)
def test_landmarks_of_one_unit_are_blamed_as_one(pairs: Pairs, unit_of: list[int]) -> None:
    found = blame(sorted(pairs), unit_of)
    by_unit = {(unit_of[first], unit_of[second]) for first, second in pairs}
    smallest = _smallest(by_unit)
    blamed = _all_of(smallest)
    possible = _any_of(smallest)
    outside = {
        one for pair in pairs for one in pair if unit_of[one] in blamed for i in pair if unit_of[i] not in possible
    }
    assert outside <= _suspects(found)
    assert all(unit_of[landmark] in blamed for landmark in _suspects(found))
    for group in found.groups:
        if not any(unit_of[landmark] in blamed for landmark in group.landmarks):
            parts = [{unit_of[landmark] for landmark in part} for part in group.parts]
            assert all(len(units) == 1 for units in parts)
            assert all(len(chosen & _any_of(parts)) == group.at_least for chosen in smallest)


def test_a_landmark_that_a_smallest_explanation_spares_is_no_suspect() -> None:
    # Units A = {0, 1}, B = {2}, C = {3}: {0, 2} explains all three pairs with the fewest units and spares 1.
    found = blame([(0, 1), (1, 2), (2, 3)], [0, 0, 1, 2])
    assert not found.suspects
    assert _grouped(found) == {0, 1, 2, 3}


@FEWER
@given(pairs=PAIRS)
def test_within_a_single_unit_the_fewest_landmarks_are_blamed(pairs: Pairs) -> None:
    together, apart = blame(sorted(pairs), [0] * COUNT), blame(sorted(pairs), APART)
    assert _suspects(together) == _suspects(apart)
    assert together.groups == apart.groups


@given(pairs=PAIRS, unit_of=UNITS)
def test_without_suspects_and_the_ambiguous_no_contradiction_is_left(pairs: Pairs, unit_of: list[int]) -> None:
    found = blame(sorted(pairs), unit_of)
    assert all(set(pair) & (_suspects(found) | _grouped(found)) for pair in pairs)


@FEWER
@given(pairs=PAIRS)
def test_beside_a_suspect_stands_what_its_innocence_would_cost(pairs: Pairs) -> None:
    for suspect in blame(sorted(pairs), APART).suspects:
        together = _hanging_together(pairs, suspect.landmark)
        accusers = {other for pair in together if suspect.landmark in pair for other in pair} - {suspect.landmark}
        others = {pair for pair in together if not accusers & set(pair)}
        assert suspect.fewest == len(_smallest(together)[0])
        assert suspect.otherwise == len(accusers) + len(_smallest(others)[0]) > suspect.fewest


def _hanging_together(pairs: Pairs, landmark: int) -> Pairs:
    reached, grown = {landmark}, {landmark}
    while grown:
        grown = {end for pair in pairs if reached & set(pair) for end in pair} - reached
        reached |= grown
    return {pair for pair in pairs if set(pair) <= reached}


def test_one_pair_alone_is_ambiguous() -> None:
    found = blame([(2, 5)], APART)
    assert not found.suspects
    assert [(group.parts, group.at_least) for group in found.groups] == [(((2,), (5,)), 1)]


def test_two_liars_known_to_be_of_one_owner_do_not_outnumber_an_honest_landmark() -> None:
    honest, liars = 0, (1, 2)
    pairs = [(honest, liar) for liar in liars]
    assert _suspects(blame(pairs, [0, 1, 2])) == {honest}
    known = blame(pairs, [0, 1, 1])
    assert not known.suspects
    assert [(group.parts, group.at_least) for group in known.groups] == [(((0,), (1, 2)), 1)]


def test_an_owner_s_landmarks_are_blamed_together_before_several_strangers_are() -> None:
    owned, strangers = {0, 1, 2}, {3, 4}
    pairs = [(mine, other) for mine in sorted(owned) for other in sorted(strangers)]
    assert _suspects(blame(pairs, APART)) == strangers
    assert _suspects(blame(pairs, [0, 0, 0, 1, 2])) == owned


def test_a_unit_that_contradicts_itself_cannot_be_right() -> None:
    found = blame([(0, 1), (1, 2)], [0, 0, 1])
    assert [(suspect.landmark, suspect.otherwise) for suspect in found.suspects] == [(1, None)]
    assert not found.groups
