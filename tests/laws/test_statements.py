"""Laws of what is signed: reading gives back what was written, and nothing has two encodings."""

from typing import Any

import cbor2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lightbound.canonical import cose
from lightbound.canonical.cbor import decode, encode
from lightbound.errors import Malformed
from lightbound.keys.signing import digest
from lightbound.ranging.statements.binding import Evidence, read_evidence
from lightbound.ranging.timing.packets import PacketType, is_genuine, read_packet, write_packet
from tests.ranging.statements.drawn import DRAWN, evidences, octets
from tests.ranging.statements.every import EVERY

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.binary(max_size=40) | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(max_size=30) | st.integers(-(2**63), 2**64 - 1), inner, max_size=5)
    ),
    max_leaves=12,
)
loose = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.binary(max_size=6)
    | st.text(max_size=6)
    | st.builds(cbor2.CBORTag, st.integers(0, 70_000), st.integers(0, 9))
    | st.just(cbor2.undefined),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=4),
    max_leaves=8,
)


@given(st.data())
@pytest.mark.parametrize("name", DRAWN)
def test_a_statement_is_read_as_it_was_written(name: str, data: st.DataObject) -> None:
    said = data.draw(DRAWN[name])
    written = EVERY[name].write(said)
    assert EVERY[name].read(written) == said
    assert EVERY[name].write(EVERY[name].read(written)) == written
    assert cose.write(cose.read(written)) == written


@given(st.data())
@pytest.mark.parametrize("name", DRAWN)
def test_unequal_statements_have_unequal_digests(name: str, data: st.DataObject) -> None:
    one, other = data.draw(DRAWN[name]), data.draw(DRAWN[name])
    assert (digest(EVERY[name].write(one)) == digest(EVERY[name].write(other))) is (one == other)


@given(evidences)
def test_a_manifest_is_read_as_it_was_written(evidence: Evidence) -> None:
    assert read_evidence(evidence.manifest()) == evidence


@given(
    kind=st.sampled_from(PacketType),
    key=octets(32),
    handle=octets(8),
    round_number=st.integers(0, 65_535),
    nonce=octets(16),
)
def test_a_packet_is_read_as_it_was_written(
    kind: PacketType, key: bytes, handle: bytes, round_number: int, nonce: bytes
) -> None:
    number = 0 if kind is PacketType.READY else round_number
    written = write_packet(kind, key, handle=handle, round_number=number, nonce=nonce)
    read = read_packet(written)
    assert (read.type, read.handle, read.round, read.nonce) == (kind, handle, number, nonce)
    assert is_genuine(read, key)
    assert len(written) == 64


@given(values)
@example({24: 0, -1: 0, "": 0, 256: 0, -25: 0})
def test_a_value_is_decoded_as_it_was_encoded(value: Any) -> None:
    assert decode(encode(value), what="it") == value


@given(
    st.binary(max_size=60) | values.map(cbor2.dumps) | loose.map(cbor2.dumps) | loose.map(lambda v: cbor2.dumps([v]))
)
def test_any_bytes_are_the_encoding_of_what_they_decode_to_or_malformed(data: bytes) -> None:
    try:
        value = decode(data, what="it")
    except Malformed:
        return
    assert encode(value) == data


@given(values)
def test_keys_of_maps_ascend_as_encoded(value: Any) -> None:
    def check(found: Any) -> None:
        if isinstance(found, dict):
            keys = [cbor2.dumps(key) for key in found]
            assert keys == sorted(keys)
        for item in found.values() if isinstance(found, dict) else found if isinstance(found, list) else ():
            check(item)

    check(cbor2.loads(encode(value)))
