"""Entries: what a commitment shows, and to whom."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.canonical.cbor import encode
from lightbound.errors import ErrorCode, LightboundError, Malformed, Refused
from lightbound.keys.purposes import Purpose
from lightbound.tlog.entries import (
    MOST_ENTRY_BYTES,
    Commitment,
    Opening,
    Sequel,
    check_opening,
    commitment_said,
    read_commitment,
    read_entry,
    read_opening,
    write_commitment,
    write_entry,
)
from tests.ranging.parties import key, secret

LANDMARK, OTHER = key(Purpose.LANDMARK, "of entries"), key(Purpose.LANDMARK, "another")
AGENT = secret("agent")[:16]


def sequence(count: int, *, label: str = "") -> list[tuple[bytes, Opening, Commitment]]:
    """Statements of one landmark about one agent, with their openings and commitments."""
    made = list[tuple[bytes, Opening, Commitment]]()
    before = None
    for seq in range(count):
        statement, opening = b"statement %d" % seq, Opening(salt=secret(label, "salt", seq), before=before)
        slot = Sequel(landmark=LANDMARK.key_id, agent=AGENT, seq=seq, before=before).slot()
        said = Commitment(landmark=LANDMARK.key_id, slot=slot, commitment=opening.commitment(statement))
        made.append((statement, opening, said))
        before = opening.link()
    return made


def test_a_commitment_is_opened_by_its_opening_alone() -> None:
    made = sequence(3)
    for seq, (statement, opening, said) in enumerate(made):
        check_opening(said, opening, statement, agent=AGENT, seq=seq)
        others = [
            (said, opening, statement + b"!", AGENT, seq),
            (said, replace(opening, salt=secret("another")), statement, AGENT, seq),
            (said, opening, statement, secret("another")[:16], seq),
            (said, opening, statement, AGENT, seq + 1),
            (replace(said, landmark=OTHER.key_id), opening, statement, AGENT, seq),
            (said, replace(opening, before=secret("another")), statement, AGENT, seq),
        ]
        for commitment, other, text, agent, number in others:
            with pytest.raises(Refused):
                check_opening(commitment, other, text, agent=agent, seq=number)


def test_equal_statements_give_unequal_entries() -> None:
    one, other = sequence(2, label="one"), sequence(2, label="other")
    assert one[1][0] == other[1][0]
    assert one[1][2].commitment != other[1][2].commitment
    assert one[1][2].slot != other[1][2].slot


def test_two_stories_from_the_beginning_stand_at_one_place() -> None:
    """The first slot needs no salt, so that a landmark cannot begin twice about one agent without showing it."""
    assert sequence(1, label="one")[0][2].slot == sequence(1, label="other")[0][2].slot


def test_from_an_opening_follows_where_the_next_stands_and_not_the_one_after() -> None:
    made = sequence(3)
    _, opening, _ = made[0]
    follows = Sequel(landmark=LANDMARK.key_id, agent=AGENT, seq=1, before=opening.link())
    assert follows.slot() == made[1][2].slot
    assert replace(follows, seq=2).slot() != made[2][2].slot


def test_a_commitment_is_the_landmarks_that_signed_it() -> None:
    said = sequence(1)[0][2]
    signed = write_commitment(said, LANDMARK)
    assert read_commitment(signed, LANDMARK.verifying) == commitment_said(signed) == said
    assert read_entry(write_entry(signed)) == ("lightbound.commitment/1", signed)
    with pytest.raises(Refused):
        read_commitment(signed, OTHER.verifying)
    for wrong in (OTHER, key(Purpose.VERIFIER)):
        with pytest.raises(ValueError, match="landmark"):
            write_commitment(said, wrong)


@given(data=st.data())
def test_a_commitment_with_a_bit_changed_is_never_believed(data: st.DataObject) -> None:
    signed = bytearray(write_commitment(sequence(1)[0][2], LANDMARK))
    signed[data.draw(st.integers(0, len(signed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(LightboundError):
        read_commitment(bytes(signed), LANDMARK.verifying)


@given(before=st.one_of(st.none(), st.binary(min_size=32, max_size=32)), salt=st.binary(min_size=32, max_size=32))
def test_an_opening_is_read_as_it_was_written(before: bytes | None, salt: bytes) -> None:
    opening = Opening(salt=salt, before=before)
    assert read_opening(opening.encoded()) == opening


@given(data=st.binary(max_size=100))
def test_any_bytes_are_an_entry_or_malformed(data: bytes) -> None:
    for read in (read_entry, read_opening):
        with pytest.raises(Malformed):
            read(data)


@pytest.mark.parametrize("value", [["lightbound.entry/2", b""], ["lightbound.entry/1"], [b"", b""], [b"", b"", b""]])
def test_another_shape_is_no_entry_and_no_opening(value: list[bytes | str]) -> None:
    for read in (read_entry, read_opening):
        with pytest.raises(Malformed):
            read(encode(list(value)))


def test_what_is_too_long_for_a_bundle_is_no_entry() -> None:
    with pytest.raises(Malformed) as caught:
        write_entry(bytes(MOST_ENTRY_BYTES))
    assert caught.value.faults[0].code is ErrorCode.STATEMENT_MALFORMED
