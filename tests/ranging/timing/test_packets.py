"""Packets of 64 bytes: every bit is either meant or zero, and a tag is for one direction of one session."""

import hashlib

import pytest

from lightbound.canonical.cbor import encode
from lightbound.errors import ErrorCode, Malformed
from lightbound.keys.agreement import AgreementKey, derived_key
from lightbound.ranging.timing.packets import (
    PACKET_BYTES,
    PacketType,
    is_genuine,
    read_packet,
    tag_of,
    timed_keys,
    write_packet,
)

KEY, HANDLE, NONCE = bytes(range(32)), b"sid-sid-", bytes(range(100, 116))


def probe(number: int = 5) -> bytes:
    return write_packet(PacketType.PROBE, KEY, handle=HANDLE, round_number=number, nonce=NONCE)


def test_every_field_stands_at_its_offset() -> None:
    data = probe(0x0102)
    assert len(data) == PACKET_BYTES == 64
    assert data[:4] == b"LB\x01\x02"
    assert data[4:12] == HANDLE
    assert data[12:16] == b"\x01\x02\x00\x00"
    assert data[16:32] == NONCE
    assert data[32:48] == hashlib.blake2s(data[:32], key=KEY, digest_size=16).digest()
    assert data[48:] == bytes(16)


def test_a_packet_is_taken_apart() -> None:
    read = read_packet(probe())
    assert (read.type, read.handle, read.round, read.nonce) == (PacketType.PROBE, HANDLE, 5, NONCE)
    assert read.tag == tag_of(read.covered, KEY)
    assert read.covered == probe()[:32]


@pytest.mark.parametrize("kind", PacketType)
def test_flipping_any_bit_makes_a_packet_malformed_or_not_genuine(kind: PacketType) -> None:
    whole = write_packet(kind, KEY, handle=HANDLE, round_number=0, nonce=NONCE)
    assert is_genuine(read_packet(whole), KEY)
    for bit in range(8 * PACKET_BYTES):
        bent = bytearray(whole)
        bent[bit // 8] ^= 1 << bit % 8
        try:
            packet = read_packet(bytes(bent))
        except Malformed as error:
            assert error.faults[0].code is ErrorCode.PACKET_MALFORMED  # noqa: PT017 - either outcome is right
        else:
            assert not is_genuine(packet, KEY)


@pytest.mark.parametrize("length", [0, 1, 47, 48, 63, 65, 128, 1500, 65_507])
def test_a_packet_of_another_length_is_malformed(length: int) -> None:
    with pytest.raises(Malformed):
        read_packet((probe() * 1100)[:length])


@pytest.mark.parametrize(
    ("at", "value"), [(0, 0), (2, 2), (3, 0), (3, 4), (3, 255), (14, 1), (15, 1), (48, 1), (63, 1)]
)
def test_what_is_not_of_this_version_is_malformed_even_with_a_right_tag(at: int, value: int) -> None:
    bent = bytearray(probe())
    bent[at] = value
    bent[32:48] = tag_of(bytes(bent[:32]), KEY)
    with pytest.raises(Malformed):
        read_packet(bytes(bent))


def test_ready_has_no_round() -> None:
    with pytest.raises(Malformed):
        read_packet(write_packet(PacketType.READY, KEY, handle=HANDLE, round_number=1, nonce=NONCE))


def test_no_type_of_packet_passes_for_another() -> None:
    tags = {write_packet(kind, KEY, handle=HANDLE, round_number=0, nonce=NONCE)[32:48] for kind in PacketType}
    assert len(tags) == len(PacketType)


def test_both_ends_derive_the_same_keys_one_for_each_direction() -> None:
    one, other = AgreementKey.of_seed(bytes(range(32))), AgreementKey.of_seed(bytes(range(1, 33)))
    about = {"sid": b"s" * 16, "landmark": b"l" * 16, "bind": b"b" * 32}
    at_agent = timed_keys(one.agree(other.public), **about)
    at_landmark = timed_keys(other.agree(one.public), **about)
    assert at_agent == at_landmark
    assert at_agent.handle == b"s" * 8
    assert at_agent.to_agent != at_agent.to_landmark
    info = encode(["CLP/1 timed", "to agent", b"s" * 16, b"l" * 16, b"b" * 32])
    assert at_agent.to_agent == derived_key(one.agree(other.public), info)


def test_keys_are_of_one_session_one_landmark_and_one_bind() -> None:
    about = {"sid": b"s" * 16, "landmark": b"l" * 16, "bind": b"b" * 32}
    found = {timed_keys(b"x" * 32, **about).to_agent, timed_keys(b"y" * 32, **about).to_agent}
    for changed in ({"sid": b"S" * 16}, {"landmark": b"L" * 16}, {"bind": b"B" * 32}):
        found.add(timed_keys(b"x" * 32, **{**about, **changed}).to_agent)
    assert len(found) == 5
