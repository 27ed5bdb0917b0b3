"""A TPM's structures are read by their own lengths, whole, and of the kinds that are read; the path says where."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from lightbound.attestation.tpm.keys import Scheme, read_public
from lightbound.attestation.tpm.octets import Hash, Octets
from lightbound.attestation.tpm.structures import read_attest, read_signature
from lightbound.errors import Malformed
from tests.attestation.tpm.forging import FIT, Forged, sized

MODULUS: Final = b"\xc1" + bytes(254) + b"\x01"
"""Of 2,048 bits and odd. Nobody knows whether it has two factors, and reading does not ask."""
EC: Final = Forged().public[2:]
ATTEST: Final = Forged().attest
NAME: Final = sized(b"\x00\x0b" + bytes(32))
X: Final = EC.index(b"\x00\x20", 10)


def rsa_key(
    *,
    policy: bytes = b"",
    scheme: bytes = b"\x00\x16\x00\x0b",
    bits: bytes = b"\x08\x00",
    exponent: bytes = bytes(4),
    modulus: bytes = MODULUS,
) -> bytes:
    area = b"\x00\x01\x00\x0b" + int(FIT).to_bytes(4, "big") + sized(policy) + b"\x00\x10"
    return sized(area + scheme + bits + exponent + sized(modulus))


def test_an_rsa_key_is_read_with_its_exponent_in_either_way() -> None:
    for exponent in (bytes(4), b"\x00\x01\x00\x01"):
        for policy in (b"", bytes(32)):
            read = read_public(rsa_key(exponent=exponent, policy=policy), "public")
            assert isinstance(read.key, rsa.RSAPublicKey)
            assert read.key.public_numbers() == rsa.RSAPublicNumbers(65_537, int.from_bytes(MODULUS, "big"))
            assert (read.scheme, read.hash) == (Scheme.RSAPSS, Hash.SHA256)


@pytest.mark.parametrize(
    ("public", "field"),
    [
        (rsa_key(policy=bytes(31)), "policy"),
        (rsa_key(policy=bytes(33)), "policy"),
        (rsa_key(bits=b"\x04\x00", modulus=b"\xc1" + bytes(126) + b"\x01"), "bits"),
        (rsa_key(exponent=b"\x00\x00\x00\x03"), "exponent"),
        (rsa_key(modulus=b"\x00" + MODULUS[1:]), "modulus"),
        (rsa_key(modulus=MODULUS[:-1] + b"\x02"), "modulus"),
        (rsa_key(modulus=MODULUS[1:]), "modulus"),
        (rsa_key(modulus=MODULUS + b"\x01"), "modulus"),
        (rsa_key(scheme=b"\x00\x18\x00\x0b"), "scheme"),
        (rsa_key(scheme=b"\x00\x1a\x00\x0b\x00\x00"), "scheme"),
        (Forged(scheme=b"\x00\x14\x00\x0b").public, "scheme"),
        (sized(EC[:X].removesuffix(b"\x00\x10") + b"\x00\x20" + EC[X:]), "kdf"),
        (sized(EC[:X] + sized(b"") + EC[X + 34 :]), "x"),
        (sized(EC[:X] + sized(bytes(33)) + EC[X + 34 :]), "x"),
        (sized(EC + b"\0"), "end"),
        (sized(EC) + b"\0", "end"),
        (sized(EC[:-1]), "y"),
        (sized(EC)[:-1], "size"),
        (sized(b""), "size"),
        (sized(bytes(1_025)), "size"),
        (sized(b"\x00\x08" + EC[2:]), "type"),
        (sized(EC[:2] + b"\x00\x04" + EC[4:]), "name_hash"),
    ],
)
def test_a_public_area_of_another_kind_is_malformed_where_it_differs(public: bytes, field: str) -> None:
    assert _where(read_public, public) == f"part.{field}"


@pytest.mark.parametrize(
    ("attest", "field"),
    [
        (ATTEST.replace(NAME, sized(b"\x00\x0c" + bytes(32))), "signer"),
        (ATTEST.replace(NAME, sized(b"\x00\x0b" + bytes(31))), "signer"),
        (ATTEST.replace(NAME, sized(b"")), "signer"),
        (Forged(nonce=bytes(67)).attest, "extra"),
        (Forged(digest=bytes(20)).attest, "digest"),
        (Forged(digest=bytes(65)).attest, "digest"),
        (Forged(selection=b"\x00\x00\x00\x01\x00\x0b\x05" + bytes(5)).attest, "selection.length"),
        (ATTEST + b"\0", "end"),
        (ATTEST[:-1], "digest"),
    ],
)
def test_an_attestation_of_another_kind_is_malformed_where_it_differs(attest: bytes, field: str) -> None:
    assert _where(read_attest, attest) == f"part.{field}"


@pytest.mark.parametrize(
    ("signature", "field"),
    [
        (b"\x00\x1a\x00\x0b" + sized(b"\x01"), "scheme"),
        (b"\x00\x14\x00\x04" + sized(bytes(256)), "hash"),
        (b"\x00\x14\x00\x0b" + sized(bytes(513)), "value"),
        (b"\x00\x14\x00\x0b" + sized(b""), "value"),
        (b"\x00\x18\x00\x0b" + sized(bytes(67)) + sized(b"\x01"), "r"),
        (b"\x00\x18\x00\x0b" + sized(b"\x01"), "s"),
        (b"\x00\x18\x00\x0b" + sized(b"\x01") * 3, "end"),
    ],
)
def test_a_signature_of_another_kind_is_malformed_where_it_differs(signature: bytes, field: str) -> None:
    assert _where(read_signature, signature) == f"part.{field}"


def test_registers_are_counted_from_the_lowest_bit_of_the_first_byte() -> None:
    selection = b"\x00\x00\x00\x02" + b"\x00\x0b\x03\x81\x00\x80" + b"\x00\x0c\x03\x00\x00\x00"
    read = read_attest(Forged(selection=selection).attest, "attest")
    assert [(one.bank, one.indexes) for one in read.selection] == [(Hash.SHA256, (0, 7, 23)), (Hash.SHA384, ())]


def test_what_is_not_there_is_not_taken() -> None:
    assert _where(lambda data, path: Octets(data, path).take(2, "two"), b"\x01") == "part.two"


def _where(read: Callable[[bytes, str], Any], data: bytes) -> str | None:
    with pytest.raises(Malformed) as caught:
        read(data, "part")
    return caught.value.faults[0].column
