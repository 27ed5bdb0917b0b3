"""Operators speak for themselves and their landmarks, and k of n parties say who is heard."""

from dataclasses import replace

import pytest

from lightbound.errors import ErrorCode, LightboundError, Malformed, Refused
from lightbound.geo.earth import Position
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.ranging.statements.admission import (
    E7,
    Axis,
    Directory,
    DirectoryTrust,
    PositionStatement,
    read_directory,
    read_operator,
    read_position,
    write_directory,
    write_operator,
    write_position,
)
from tests.ranging.parties import PARTIES, TRUST, key, operator, position_of, world

BY, OTHER = world().operators[:2]
LANDMARK = world().landmarks[0]
POSITION = position_of(LANDMARK, BY)
DIRECTORY = read_directory(world().directory, TRUST)


def code(error: pytest.ExceptionInfo[LightboundError]) -> ErrorCode:
    (fault,) = error.value.faults
    return fault.code


def test_an_operator_signs_with_the_key_that_it_names() -> None:
    with pytest.raises(Refused) as caught:
        read_operator(write_operator(operator(BY, "somebody"), OTHER))
    assert code(caught) is ErrorCode.WRONG_KEY


def test_a_position_is_signed_by_the_operator_that_it_names() -> None:
    assert read_position(write_position(POSITION, BY), BY.verifying) == POSITION
    with pytest.raises(Refused) as caught:
        read_position(write_position(replace(POSITION, operator=OTHER.key_id), BY), BY.verifying)
    assert code(caught) is ErrorCode.WRONG_KEY
    with pytest.raises(Refused) as caught:
        read_position(write_position(POSITION, BY), OTHER.verifying)
    assert code(caught) is ErrorCode.WRONG_KEY


def test_a_position_is_in_degrees_what_it_is_in_units_of_a_ten_millionth() -> None:
    there = replace(POSITION, latitude_e7=-33_868_800 * 10, longitude_e7=1_512_093_000)
    assert there.position == Position(-33.8688, 151.2093)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(POSITION, latitude_e7=90 * E7 + 1),
        replace(POSITION, latitude_e7=-90 * E7 - 1),
        replace(POSITION, longitude_e7=180 * E7 + 1),
        replace(POSITION, longitude_e7=-180 * E7 - 1),
        replace(POSITION, altitude_m=5_001),
        replace(POSITION, altitude_m=-501),
        replace(POSITION, error_m=-1),
        replace(POSITION, error_m=20_037_509),
        replace(POSITION, jurisdiction="de"),
        replace(POSITION, jurisdiction="DEU"),
        replace(POSITION, jurisdiction="D"),
        replace(POSITION, jurisdiction="D1"),
        replace(POSITION, jurisdiction="\u00c4\u00d6"),
        replace(POSITION, hosting=""),
    ],
)
def test_a_position_stands_on_the_earth_within_what_bounds_allow_for(wrong: PositionStatement) -> None:
    with pytest.raises(Malformed):
        read_position(write_position(wrong, BY), BY.verifying)


def test_a_landmarks_key_of_small_order_is_refused() -> None:
    made = write_position(POSITION, BY)
    for raw in (bytes(32), (1).to_bytes(32, "little")):
        assert POSITION.landmark_key.raw in made
        bent = made.replace(POSITION.landmark_key.raw, raw)
        with pytest.raises(LightboundError):
            read_position(bent, BY.verifying)


def test_a_directory_is_signed_by_k_of_n_and_by_no_stranger() -> None:
    stranger = key(Purpose.DIRECTORY, "stranger")
    assert read_directory(write_directory(DIRECTORY, PARTIES[1:]), TRUST) == DIRECTORY
    assert read_directory(write_directory(DIRECTORY, PARTIES), TRUST) == DIRECTORY
    for keys in (PARTIES[:1], (PARTIES[0], stranger), (*PARTIES[:2], stranger)):
        with pytest.raises(Refused) as caught:
            read_directory(write_directory(DIRECTORY, keys), TRUST)
        assert code(caught) is ErrorCode.WRONG_KEY


def test_who_trusts_one_party_takes_its_word() -> None:
    alone = DirectoryTrust(keys=(PARTIES[0].verifying,), threshold=1)
    assert read_directory(write_directory(DIRECTORY, PARTIES[:1]), alone) == DIRECTORY


@pytest.mark.parametrize(
    "wrong",
    [
        replace(DIRECTORY, number=0),
        replace(DIRECTORY, number=2),
        replace(DIRECTORY, previous=bytes(32)),
        replace(DIRECTORY, operators=DIRECTORY.operators[::-1]),
        replace(DIRECTORY, positions=DIRECTORY.positions[::-1]),
        replace(DIRECTORY, positions=(DIRECTORY.positions[0],) * 2),
        replace(DIRECTORY, axes=(Axis.JURISDICTION, Axis.HOSTING)),
        replace(DIRECTORY, axes=(Axis.HOSTING, Axis.HOSTING)),
    ],
)
def test_a_directory_lists_sets_in_order_and_names_the_one_before(wrong: Directory) -> None:
    with pytest.raises(Malformed):
        read_directory(write_directory(wrong, PARTIES), TRUST)


def test_a_later_directory_names_the_one_before() -> None:
    second = replace(DIRECTORY, number=2, previous=digest(world().directory))
    assert read_directory(write_directory(second, PARTIES), TRUST) == second
