"""Quotes by a key of software, which can say anything: what a TPM would never sign, and what looks like one."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from lightbound.attestation.tpm.keys import Attribute
from lightbound.attestation.tpm.quotes import Quote, Registers, write_quote

NONCE: Final = bytes(range(32))
FIT: Final = (
    Attribute.FIXED_TPM
    | Attribute.FIXED_PARENT
    | Attribute.SENSITIVE_DATA_ORIGIN
    | Attribute.USER_WITH_AUTH
    | Attribute.RESTRICTED
    | Attribute.SIGN
)
VALUES: Final = {index: bytes([index]) * 32 for index in (0, 1, 9)}


@lru_cache(maxsize=1)
def private() -> ec.EllipticCurvePrivateKey:
    """A key that no TPM has."""
    return ec.derive_private_key(0x5EED, ec.SECP256R1())


@dataclass(frozen=True, kw_only=True)
class Forged:
    """A quote as it is to be written; what is not said is as a TPM would have it."""

    attributes: int = FIT
    symmetric: bytes = b"\x00\x10"
    scheme: bytes = b"\x00\x18\x00\x0b"
    curve: bytes = b"\x00\x03"
    magic: bytes = bytes.fromhex("ff544347")
    kind: bytes = b"\x80\x18"
    nonce: bytes = NONCE
    safe: bytes = b"\x01"
    selection: bytes = b"\x00\x00\x00\x01" + b"\x00\x0b\x03" + bytes([0b11, 0b10, 0])
    digest: bytes = hashlib.sha256(b"".join(VALUES.values())).digest()
    signed_by: bytes = b"\x00\x18\x00\x0b"
    pcrs: Registers | None = None

    @cached_property
    def public(self) -> bytes:
        """TPM2B_PUBLIC."""
        numbers = private().public_key().public_numbers()
        area = b"\x00\x23\x00\x0b" + int(self.attributes).to_bytes(4, "big") + b"\x00\x00"
        area += self.symmetric + self.scheme + self.curve + b"\x00\x10"
        return sized(area + sized(numbers.x.to_bytes(32, "big")) + sized(numbers.y.to_bytes(32, "big")))

    @cached_property
    def name(self) -> bytes:
        """Of the key."""
        return b"\x00\x0b" + hashlib.sha256(self.public[2:]).digest()

    @cached_property
    def attest(self) -> bytes:
        """TPMS_ATTEST."""
        clock = (123_456).to_bytes(8, "big") + (7).to_bytes(4, "big") + (2).to_bytes(4, "big") + self.safe
        said = self.magic + self.kind + sized(b"\x00\x0b" + bytes(32)) + sized(self.nonce) + clock
        return said + (0x2019).to_bytes(8, "big") + self.selection + sized(self.digest)

    @cached_property
    def signature(self) -> bytes:
        """TPMT_SIGNATURE."""
        r, s = utils.decode_dss_signature(private().sign(self.attest, ec.ECDSA(hashes.SHA256())))
        return self.signed_by + sized(r.to_bytes(32, "big")) + sized(s.to_bytes(32, "big"))

    @property
    def quote(self) -> Quote:
        """All of it."""
        return Quote(public=self.public, attest=self.attest, signature=self.signature, pcrs=self.pcrs)

    @property
    def document(self) -> bytes:
        """All of it, as it travels."""
        return write_quote(self.quote)

    def but(self, **parts: bytes | Registers | None) -> bytes:
        """The document with another public area, attestation or signature."""
        return write_quote(replace(self.quote, **parts))  # type: ignore[arg-type] # of the type of the part named


def sized(data: bytes) -> bytes:
    """A TPM2B."""
    return len(data).to_bytes(2, "big") + data
