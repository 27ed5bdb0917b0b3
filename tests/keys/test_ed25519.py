"""Keys know what they are for, have one id, and bind whoever signs with them."""

import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from lightbound.errors import ErrorCode, Malformed
from lightbound.keys import ed25519
from lightbound.keys.ed25519 import LONGEST_REMEMBERED, SigningKey, VerifyingKey, key_id
from lightbound.keys.purposes import Purpose
from tests.keys import curve

SEED = bytes(range(32))
KEY = SigningKey.of_seed(Purpose.LANDMARK, SEED)


def test_signatures_are_those_of_rfc_8032() -> None:
    """Section 7.1, test 1."""
    key = SigningKey.of_seed(
        Purpose.LANDMARK, bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    )
    assert key.verifying.raw.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert key.sign(b"").hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe"
        "24655141438e7a100b"
    )


def test_a_signature_holds_for_its_message_and_key_alone() -> None:
    signature = KEY.sign(b"one")
    other = SigningKey.of_seed(Purpose.LANDMARK, bytes(32))
    assert KEY.verifying.verifies(signature, b"one")
    assert not KEY.verifying.verifies(signature, b"two")
    assert not other.verifying.verifies(signature, b"one")
    for number in range(len(signature)):
        bent = bytearray(signature)
        bent[number] ^= 1
        assert not KEY.verifying.verifies(bytes(bent), b"one")
    for cut in (b"", signature[:-1], signature + b"\x00"):
        assert not KEY.verifying.verifies(cut, b"one")


def test_a_signature_has_one_form() -> None:
    """S and S + L are one number to the curve; only the smaller counts, or a signature could be made of another."""
    signature = KEY.sign(b"one")
    s = int.from_bytes(signature[32:], "little")
    assert s < curve.L
    assert not KEY.verifying.verifies(signature[:32] + (s + curve.L).to_bytes(32, "little"), b"one")


def test_what_is_remembered_is_what_was_found() -> None:
    for _ in range(2):
        assert KEY.verifying.verifies(KEY.sign(b"one"), b"one")
        assert not KEY.verifying.verifies(KEY.sign(b"two"), b"one")


def test_long_messages_are_not_remembered() -> None:
    long = bytes(LONGEST_REMEMBERED + 1)
    before = ed25519._verifies.cache_info().currsize  # noqa: SLF001 - what is remembered has no other face
    assert KEY.verifying.verifies(KEY.sign(long), long)
    assert not KEY.verifying.verifies(bytes(64), long)
    assert ed25519._verifies.cache_info().currsize == before  # noqa: SLF001 - see above


def test_a_key_id_is_the_start_of_the_hash_of_its_public_key_info() -> None:
    public = Ed25519PrivateKey.from_private_bytes(SEED).public_key()
    info = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert KEY.key_id == hashlib.sha256(info).digest()[:16] == key_id(public.public_bytes_raw())


def test_a_key_is_the_same_key_for_one_purpose_only() -> None:
    other = SigningKey.of_seed(Purpose.VERIFIER, SEED)
    assert KEY.verifying.raw == other.verifying.raw
    assert KEY.verifying != other.verifying
    assert KEY.verifying == VerifyingKey(purpose=Purpose.LANDMARK, raw=KEY.verifying.raw)


def test_the_eight_points_of_small_order_are_eight() -> None:
    points = curve.small_order_points()
    assert len(set(points)) == 8
    assert all(curve.times(8, point) == curve.IDENTITY for point in points)
    assert len({y for _, y in points}) == 5


@pytest.mark.parametrize("y", sorted({y for _, y in curve.small_order_points()}))
def test_a_public_key_of_small_order_is_refused_in_every_encoding(y: int) -> None:
    for raw in curve.encodings(y):
        with pytest.raises(Malformed) as caught:
            VerifyingKey(purpose=Purpose.LANDMARK, raw=raw)
        assert caught.value.faults[0].code is ErrorCode.KEY_MALFORMED


def test_under_a_key_of_small_order_one_signature_would_hold_for_every_message() -> None:
    """Why they are refused: the library itself takes this one."""
    identity = (1).to_bytes(32, "little")
    signature = identity + bytes(32)
    for message in (b"the landmark stands in Berlin", b"the landmark stands in Paris"):
        Ed25519PublicKey.from_public_bytes(identity).verify(signature, message)
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(KEY.verifying.raw).verify(signature, b"the landmark stands in Berlin")


def test_keys_beside_those_of_small_order_are_taken() -> None:
    for y in {y for _, y in curve.small_order_points()}:
        for near in (y + 1, y - 1):
            if 1 < near < curve.P - 1:
                assert VerifyingKey(purpose=Purpose.LANDMARK, raw=near.to_bytes(32, "little")).key_id


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_public_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(Malformed):
        VerifyingKey(purpose=Purpose.LANDMARK, raw=bytes([7]) * length)


def test_nothing_verifies_under_bytes_that_are_no_point() -> None:
    y = next(y for y in range(2, 100) if curve.point_of(y) is None)
    key = VerifyingKey(purpose=Purpose.LANDMARK, raw=y.to_bytes(32, "little"))
    assert not key.verifies(KEY.sign(b"one"), b"one")


def test_a_key_file_holds_the_key() -> None:
    again = SigningKey.of_pem(Purpose.LANDMARK, KEY.pem())
    assert again.verifying == KEY.verifying
    assert again.sign(b"one") == KEY.sign(b"one")
    assert again.pem() == KEY.pem()
    assert SigningKey.of_pem(Purpose.VERIFIER, KEY.pem()).purpose is Purpose.VERIFIER


def test_a_file_with_another_kind_of_key_or_none_is_refused() -> None:
    private = Ed25519PrivateKey.from_private_bytes(SEED)
    plain = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for pem in (
        b"",
        b"no key",
        KEY.pem()[:-30],
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word")),
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        ec.derive_private_key(7, ec.SECP256R1()).private_bytes(*plain),
        x25519.X25519PrivateKey.from_private_bytes(SEED).private_bytes(*plain),
    ):
        with pytest.raises(Malformed) as caught:
            SigningKey.of_pem(Purpose.LANDMARK, pem)
        assert caught.value.faults[0].code is ErrorCode.KEY_MALFORMED


def test_a_private_key_does_not_show_when_it_is_printed() -> None:
    assert SEED.hex() not in repr(KEY)
    assert "private" not in repr(KEY).lower()
