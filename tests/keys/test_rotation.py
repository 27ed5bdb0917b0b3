"""A ROTATION is what both keys signed, of one kind of key, and nothing else passes for one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.canonical import cose
from lightbound.canonical.cbor import decode, encode
from lightbound.errors import ErrorCode, LightboundError, Malformed, Refused
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.rotation import ROTATED, ROTATION, read_rotation, write_rotation
from lightbound.keys.signing import cosign, sign

AT_NS = 1_790_000_000 * 10**9


def key(purpose: Purpose, number: int) -> SigningKey:
    return SigningKey.of_seed(purpose, bytes([number]) * 32)


OLD, NEW, STRANGER = (key(Purpose.LOG, number) for number in (1, 2, 3))
NAME = "log.example/lightbound"
GOOD = write_rotation(NAME, OLD, NEW, from_ns=AT_NS)


def fields(**changed: Any) -> bytes:
    read: Any = decode(cose.read(GOOD).payload, what="test")
    return encode({**read, **changed})


def code(data: bytes) -> tuple[type[LightboundError], ErrorCode]:
    with pytest.raises(LightboundError) as caught:
        read_rotation(data)
    return type(caught.value), caught.value.faults[0].code


@pytest.mark.parametrize("purpose", ROTATED)
def test_what_both_keys_signed_reads_back(purpose: Purpose) -> None:
    old, new = key(purpose, 1), key(purpose, 2)
    name = old.key_id.hex() if purpose is Purpose.LANDMARK else "a.example/b"
    read = read_rotation(write_rotation(name, old, new, from_ns=AT_NS))
    assert (read.what, read.name, read.old, read.new) == (purpose, name, old.verifying, new.verifying)
    assert read.from_ns == AT_NS


@pytest.mark.parametrize("signers", [(OLD, STRANGER), (STRANGER, NEW), (OLD,), (NEW,), (OLD, NEW, STRANGER)])
def test_the_word_of_one_key_or_of_a_stranger_is_not_enough(signers: tuple[SigningKey, ...]) -> None:
    assert code(cosign(ROTATION, fields(), signers)) == (Refused, ErrorCode.WRONG_KEY)


def test_one_signature_in_the_other_shape_is_refused() -> None:
    assert code(sign(ROTATION, fields(), OLD)) == (Refused, ErrorCode.WRONG_TYPE)


def test_it_cannot_pass_for_another_type_or_version() -> None:
    for kind in ("lightbound.rotation/2", "lightbound.bind/1"):
        assert code(cosign(kind, fields(), (OLD, NEW))) == (Refused, ErrorCode.WRONG_TYPE)


@pytest.mark.parametrize("purpose", [one for one in Purpose if one is not Purpose.LOG])
def test_keys_for_another_purpose_do_not_sign_it(purpose: Purpose) -> None:
    signers = [key(purpose, number) for number in (1, 2)]
    assert code(cosign(ROTATION, fields(), signers)) == (Refused, ErrorCode.WRONG_KEY)


@pytest.mark.parametrize("purpose", [one for one in Purpose if one not in ROTATED])
def test_keys_that_change_in_other_ways_have_none(purpose: Purpose) -> None:
    signers = [key(purpose, number) for number in (1, 2)]
    assert code(cosign(ROTATION, fields(what=str(purpose)), signers)) == (Malformed, ErrorCode.STATEMENT_MALFORMED)
    with pytest.raises(ValueError, match="does not follow"):
        write_rotation(NAME, *signers, from_ns=AT_NS)


@pytest.mark.parametrize(
    "changed",
    [
        {"what": "logs"},
        {"what": 7},
        {"name": ""},
        {"name": "a b"},
        {"name": "a+b"},
        {"name": "a\nb"},
        {"name": "x" * 257},
        {"from_ns": -1},
        {"from_ns": 2**63},
        {"from_ns": "now"},
        {"note": 1},
    ],
)
def test_no_field_is_read_loosely(changed: dict[str, Any]) -> None:
    assert code(cosign(ROTATION, fields(**changed), (OLD, NEW))) == (Malformed, ErrorCode.STATEMENT_MALFORMED)


@pytest.mark.parametrize("name", ["what", "name", "old", "new", "from_ns"])
def test_every_field_is_needed(name: str) -> None:
    read: Any = decode(fields(), what="test")
    del read[name]
    assert code(cosign(ROTATION, encode(read), (OLD, NEW))) == (Malformed, ErrorCode.STATEMENT_MALFORMED)


def test_a_key_does_not_follow_itself() -> None:
    same = fields(new=OLD.verifying.raw)
    assert code(cosign(ROTATION, same, (OLD,))) == (Malformed, ErrorCode.STATEMENT_MALFORMED)
    with pytest.raises(ValueError, match="does not follow"):
        write_rotation(NAME, OLD, OLD, from_ns=AT_NS)
    with pytest.raises(ValueError, match="does not follow"):
        write_rotation(NAME, OLD, key(Purpose.WITNESS, 2), from_ns=AT_NS)


def test_a_landmark_is_named_by_its_old_key() -> None:
    old, new = key(Purpose.LANDMARK, 1), key(Purpose.LANDMARK, 2)
    with pytest.raises(ValueError, match="no name"):
        write_rotation(new.key_id.hex(), old, new, from_ns=AT_NS)
    said: Any = decode(cose.read(write_rotation(old.key_id.hex(), old, new, from_ns=AT_NS)).payload, what="test")
    posing = cosign(ROTATION, encode({**said, "name": new.key_id.hex()}), (old, new))
    assert code(posing) == (Malformed, ErrorCode.STATEMENT_MALFORMED)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(junk: bytes) -> None:
    for data in (junk, GOOD[:60] + junk, GOOD + junk + b"\x00", cosign(ROTATION, junk, (OLD, NEW))):
        with pytest.raises(LightboundError):
            read_rotation(data)


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_no_byte_can_be_changed(at: int, by: int) -> None:
    with pytest.raises(LightboundError):
        read_rotation(GOOD[:at] + bytes([GOOD[at] ^ by]) + GOOD[at + 1 :])


def test_no_note_is_what_a_rotation_signs() -> None:
    """A log's key signs texts besides, and a text cannot begin with this byte."""
    with pytest.raises(UnicodeDecodeError):
        cose.read(GOOD).to_be_signed(0).decode()
