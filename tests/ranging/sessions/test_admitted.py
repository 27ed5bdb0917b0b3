"""Whom a directory lets in, and which of them fail together."""

from collections.abc import Sequence
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.errors import ErrorCode, Malformed, Refused
from lightbound.geo.earth import Position
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import cosign, digest
from lightbound.ranging.sessions.admitted import AdmittedLandmarks, admitted, fault_units
from lightbound.ranging.statements.admission import Axis, Operator, PositionStatement, write_operator, write_position
from lightbound.ranging.statements.kinds import Kind
from tests.ranging.parties import LATER_NS, NOW_NS, PARTIES, TRUST, directory_of, key, operator, position_of, world

OPERATORS: Final = tuple(key(Purpose.OPERATOR, "admitted", number) for number in range(5))
LANDMARKS: Final = tuple(key(Purpose.LANDMARK, "admitted", number) for number in range(5))
STATEMENTS: Final = [write_operator(operator(each, f"owner {n}"), each) for n, each in enumerate(OPERATORS)]
POSITIONS: Final = [
    write_position(position_of(each, OPERATORS[n], number=n, hosting=f"host {n}"), OPERATORS[n])
    for n, each in enumerate(LANDMARKS)
]


def let_in(
    operators: Sequence[bytes] = STATEMENTS,
    positions: Sequence[bytes] = POSITIONS,
    *,
    listed_operators: Sequence[bytes] | None = None,
    listed_positions: Sequence[bytes] | None = None,
    axes: Sequence[Axis] = (),
    to_ns: int = LATER_NS,
) -> AdmittedLandmarks:
    directory = directory_of(
        operators if listed_operators is None else listed_operators,
        positions if listed_positions is None else listed_positions,
        axes=axes,
        to_ns=to_ns,
    )
    return admitted(directory, operators=operators, positions=positions, trust=TRUST)


def codes(found: AdmittedLandmarks) -> list[ErrorCode]:
    return [error.faults[0].code for error in found.left_out]


def test_everybody_whom_the_directory_lists_is_let_in() -> None:
    found = let_in()
    assert set(found.by_id) == {each.key_id for each in LANDMARKS}
    assert (found.left_out, found.missing) == ((), 0)
    one = found.by_id[LANDMARKS[2].key_id]
    assert one.key == LANDMARKS[2].verifying
    assert one.operator.owner == "owner 2"
    assert one.position_digest == digest(POSITIONS[2])
    assert found.digest == digest(directory_of(STATEMENTS, POSITIONS))


def test_a_landmark_is_known_to_verdicts_by_its_keys_id() -> None:
    one = let_in().by_id[LANDMARKS[2].key_id].landmark
    assert one.landmark_id == LANDMARKS[2].key_id.hex()
    assert (one.position, one.position_error_m) == (Position(50.0, 20.0), 50.0)
    assert (one.fault_unit, one.country) == ("owner 2", "DE")


def test_a_directory_that_is_not_believed_lets_nobody_in() -> None:
    with pytest.raises(Malformed):
        admitted(b"", operators=STATEMENTS, positions=POSITIONS, trust=TRUST)
    alone = cosign(Kind.DIRECTORY, b"\xa0", PARTIES[:1])
    with pytest.raises(Refused):
        admitted(alone, operators=STATEMENTS, positions=POSITIONS, trust=TRUST)


def test_statements_that_the_directory_does_not_list_are_passed_over() -> None:
    found = let_in(listed_operators=STATEMENTS[:4], listed_positions=POSITIONS[:4])
    assert set(found.by_id) == {each.key_id for each in LANDMARKS[:4]}
    assert (found.left_out, found.missing) == ((), 0)


def test_a_position_counts_only_if_its_operator_does() -> None:
    found = let_in(listed_operators=STATEMENTS[:4])
    assert set(found.by_id) == {each.key_id for each in LANDMARKS[:4]}
    assert codes(found) == [ErrorCode.NOT_ADMITTED]


def test_statements_that_are_not_here_are_counted() -> None:
    whole = let_in()
    directory = directory_of(STATEMENTS, POSITIONS)
    for operators, positions, missing in ((STATEMENTS[1:], POSITIONS, 1), (STATEMENTS, POSITIONS[2:], 2), ([], [], 10)):
        found = admitted(directory, operators=operators, positions=positions, trust=TRUST)
        assert found.missing == missing
        assert found.digest == whole.digest


def test_two_positions_of_one_landmark_are_both_left_out() -> None:
    moved = write_position(position_of(LANDMARKS[0], OPERATORS[0], number=9), OPERATORS[0])
    by_another = write_position(position_of(LANDMARKS[0], OPERATORS[1], number=0), OPERATORS[1])
    for second in (moved, by_another):
        for positions in ([*POSITIONS, second], [second, *POSITIONS]):
            found = let_in(positions=positions)
            assert set(found.by_id) == {each.key_id for each in LANDMARKS[1:]}
            assert codes(found) == [ErrorCode.NOT_ADMITTED]


def test_two_statements_of_one_operator_are_both_left_out() -> None:
    """Or whoever brings them could say which owner counts, by their order."""
    second = write_operator(operator(OPERATORS[0], "another owner"), OPERATORS[0])
    for operators in ([*STATEMENTS, second], [second, *STATEMENTS]):
        found = let_in(operators)
        assert set(found.by_id) == {each.key_id for each in LANDMARKS[1:]}
        assert codes(found) == [ErrorCode.NOT_ADMITTED] * 2  # the operator, and its landmark's position


def test_the_same_statement_brought_twice_is_one() -> None:
    found = admitted(
        directory_of(STATEMENTS, POSITIONS), operators=STATEMENTS * 2, positions=POSITIONS * 2, trust=TRUST
    )
    assert found == let_in()


def test_what_is_listed_and_bad_is_left_out_and_takes_nobody_with_it() -> None:
    stranger = key(Purpose.OPERATOR, "stranger")
    bad_operators = [
        b"noise",
        write_operator(operator(OPERATORS[0], "owner"), stranger),
        cosign(Kind.OPERATOR, b"\xa0", OPERATORS[:2]),
    ]
    bad_positions = [
        b"noise",
        b"",
        write_position(position_of(LANDMARKS[0], stranger), stranger),
        write_position(position_of(LANDMARKS[0], OPERATORS[1]), OPERATORS[0]),
        cosign(Kind.POSITION, b"\xa0", OPERATORS[:2]),
        STATEMENTS[0],
    ]
    found = let_in([*STATEMENTS, *bad_operators], [*POSITIONS, *bad_positions])
    assert set(found.by_id) == {each.key_id for each in LANDMARKS}
    assert len(found.left_out) == len(bad_operators) + len(bad_positions)
    assert found.missing == 0


@given(st.permutations(range(5)), st.permutations(range(5)))
def test_who_is_let_in_does_not_depend_on_the_order_of_statements(one: list[int], other: list[int]) -> None:
    directory = directory_of([*STATEMENTS, b"bad", b"worse"], [*POSITIONS, b"bad", b"worse"], axes=tuple(Axis))
    operators = [STATEMENTS[n] for n in one]
    positions = [POSITIONS[n] for n in other]
    whole = admitted(
        directory, operators=[*STATEMENTS, b"bad", b"worse"], positions=[*POSITIONS, b"bad", b"worse"], trust=TRUST
    )
    found = admitted(
        directory, operators=[b"worse", *operators, b"bad"], positions=[b"worse", *positions, b"bad"], trust=TRUST
    )
    assert found.by_id == whole.by_id
    assert [str(error) for error in found.left_out] == [str(error) for error in whole.left_out]


def test_a_landmark_is_admitted_while_operator_position_and_directory_all_hold() -> None:
    by = OPERATORS[0]
    said = write_operator(operator(by, "owner", from_ns=100, to_ns=NOW_NS), by)
    found = let_in([said], POSITIONS[:1], to_ns=NOW_NS - 5)
    one = found.by_id[LANDMARKS[0].key_id]
    assert (one.from_ns, one.to_ns) == (100, NOW_NS - 5)


# -- fault units -------------------------------------------------------------------------------------------------


def landmark(
    number: int, *, by: int, owner: str, hosting: str, jurisdiction: str = "DE"
) -> tuple[Operator, PositionStatement]:
    place = position_of(LANDMARKS[number], OPERATORS[by], number=number, hosting=hosting, jurisdiction=jurisdiction)
    return operator(OPERATORS[by], owner), place


def test_landmarks_that_share_nothing_are_units_of_their_own() -> None:
    apart = [landmark(n, by=n, owner=f"o{n}", hosting=f"h{n}", jurisdiction=("DE", "FR", "US")[n]) for n in range(3)]
    assert fault_units(apart, tuple(Axis)) == ["o0", "o1", "o2"]


def test_an_operator_and_an_owner_always_make_one_unit() -> None:
    same_operator = [landmark(0, by=0, owner="o", hosting="h0"), landmark(1, by=0, owner="o", hosting="h1")]
    same_owner = [landmark(0, by=0, owner="o", hosting="h0"), landmark(1, by=1, owner="o", hosting="h1")]
    assert fault_units(same_operator, ()) == fault_units(same_owner, ()) == ["o", "o"]


def test_hosting_and_jurisdiction_count_where_the_directory_says_so() -> None:
    same_host = [
        landmark(0, by=0, owner="b", hosting="h"),
        landmark(1, by=1, owner="a", hosting="h", jurisdiction="FR"),
    ]
    assert fault_units(same_host, ()) == fault_units(same_host, (Axis.JURISDICTION,)) == ["b", "a"]
    assert fault_units(same_host, (Axis.HOSTING,)) == ["a", "a"]
    same_country = [landmark(0, by=0, owner="b", hosting="h0"), landmark(1, by=1, owner="a", hosting="h1")]
    assert fault_units(same_country, ()) == fault_units(same_country, (Axis.HOSTING,)) == ["b", "a"]
    assert fault_units(same_country, (Axis.JURISDICTION,)) == ["a", "a"]


def test_a_host_and_a_country_of_one_name_are_not_the_same_thing() -> None:
    mixed = [
        landmark(0, by=0, owner="DE", hosting="FR", jurisdiction="US"),
        landmark(1, by=1, owner="FR", hosting="US", jurisdiction="DE"),
    ]
    assert fault_units(mixed, tuple(Axis)) == ["DE", "FR"]


def test_units_hang_together_through_others() -> None:
    """0 and 1 share a host, 1 and 2 an owner, 2 and 3 a country; 4 shares nothing."""
    hung = [
        landmark(0, by=0, owner="d", hosting="h", jurisdiction="AT"),
        landmark(1, by=1, owner="c", hosting="h", jurisdiction="BE"),
        landmark(2, by=2, owner="c", hosting="i", jurisdiction="CH"),
        landmark(3, by=3, owner="a", hosting="j", jurisdiction="CH"),
        landmark(4, by=4, owner="b", hosting="k", jurisdiction="DK"),
    ]
    assert fault_units(hung, tuple(Axis)) == ["a", "a", "a", "a", "b"]
    assert fault_units(hung, (Axis.HOSTING,)) == ["c", "c", "c", "a", "b"]
    assert fault_units(hung[::2], tuple(Axis)) == ["d", "c", "b"]  # without the ones between them


TRAITS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=12)


def _made(traits: Sequence[tuple[int, int, int]]) -> list[tuple[Operator, PositionStatement]]:
    """Landmarks by operator, host and country; each operator has an owner of its own, but 3 and 4 share one."""
    countries = ("AT", "BE", "CH", "DK")
    return [
        landmark(n % 5, by=by, owner=f"owner {min(by, 3)}", hosting=f"h{host}", jurisdiction=countries[country])
        for n, (by, host, country) in enumerate(traits)
    ]


@given(TRAITS, st.sets(st.sampled_from(Axis)))
def test_units_are_the_connected_parts_of_what_is_shared(traits: list[tuple[int, int, int]], axes: set[Axis]) -> None:
    """Against the plainest way: spread a unit to whoever shares something with it until nothing changes."""

    def shares(one: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
        return (
            min(one[0], 3) == min(other[0], 3)
            or (Axis.HOSTING in axes and one[1] == other[1])
            or (Axis.JURISDICTION in axes and one[2] == other[2])
        )

    unit = list(range(len(traits)))
    for _ in traits:
        for i, one in enumerate(traits):
            for j, other in enumerate(traits):
                if shares(one, other):
                    unit[i] = unit[j] = min(unit[i], unit[j])
    found = fault_units(_made(traits), sorted(axes))
    for i in range(len(traits)):
        for j in range(len(traits)):
            assert (found[i] == found[j]) is (unit[i] == unit[j])


@given(TRAITS, st.permutations(range(12)))
def test_the_names_of_units_do_not_depend_on_the_order(traits: list[tuple[int, int, int]], order: list[int]) -> None:
    made = _made(traits)
    kept = [i for i in order if i < len(traits)]
    found = fault_units(made, tuple(Axis))
    assert fault_units([made[i] for i in kept], tuple(Axis)) == [found[i] for i in kept]


@given(TRAITS)
def test_another_axis_never_makes_more_units(traits: list[tuple[int, int, int]]) -> None:
    made = _made(traits)
    counts = [len(set(fault_units(made, axes))) for axes in ((), (Axis.HOSTING,), tuple(Axis))]
    assert counts == sorted(counts, reverse=True)


def test_a_world_of_four_operators_has_four_units() -> None:
    assert {one.fault_unit for one in world().admitted.by_id.values()} == {f"owner {n}" for n in range(4)}


def test_errors_tell_which_landmark() -> None:
    second = write_position(position_of(LANDMARKS[0], OPERATORS[0], number=9), OPERATORS[0])
    (error,) = let_in(positions=[*POSITIONS, second]).left_out
    assert error.faults[0].column == LANDMARKS[0].key_id.hex()
