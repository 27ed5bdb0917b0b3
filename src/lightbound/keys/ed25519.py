"""Ed25519 keys (RFC 8032) that know what they are for, their ids, and their files' content."""

import functools
import hashlib
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from lightbound.errors import ErrorCode, Fault, Malformed
from lightbound.keys.purposes import Purpose

KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

SIGNATURES_REMEMBERED: Final = 2_048
"""Whether a signature holds is a function of key, message and signature, so the newest answers are kept: a verifier
sees the statements of a session several times."""

LONGEST_REMEMBERED: Final = 2_048
"""Bytes of a message; longer ones are verified each time, so that strangers cannot make the memory exceed 5 MB."""

_SPKI_PREFIX: Final = bytes.fromhex("302a300506032b6570032100")
"""What stands before the 32 bytes of an Ed25519 key in its SubjectPublicKeyInfo (RFC 8410, 4)."""

_P: Final = 2**255 - 19
_Y8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
"""The y of two of the points of order 8; the other two have its negative. A test multiplies them out."""

_SMALL_ORDER_Y: Final = frozenset({0, 1, _P - 1, _P, _P + 1, _Y8, _P - _Y8})
"""Whoever signs with a key of small order can show one signature for many messages, so that it would say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyingKey:
    """A public key and what it is for."""

    purpose: Purpose
    raw: bytes
    key_id: bytes = field(init=False, compare=False)
    """The first 16 bytes of SHA-256(SubjectPublicKeyInfo)."""

    def __post_init__(self) -> None:
        """Refuse what is no key, or one that cannot bind its holder."""
        y = int.from_bytes(self.raw, "little") & (1 << 255) - 1
        if len(self.raw) != KEY_BYTES or y in _SMALL_ORDER_Y:
            raise _malformed("an Ed25519 public key, not of small order", f"{len(self.raw)} other bytes")
        object.__setattr__(self, "key_id", key_id(self.raw))

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether the holder of the private key signed this message."""
        verifies = _verifies if len(message) <= LONGEST_REMEMBERED else _verifies.__wrapped__
        return verifies(self.raw, signature, message)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key and what it is for."""

    verifying: VerifyingKey
    _private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def of_seed(cls, purpose: Purpose, seed: bytes) -> "SigningKey":
        """The key of 32 secret bytes, from the dice of whoever asks."""
        return cls._of(purpose, Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def of_pem(cls, purpose: Purpose, pem: bytes) -> "SigningKey":
        """The key in a file (PKCS#8 in PEM, not encrypted).

        Raises:
            Malformed: it holds no such key.
        """
        try:
            private = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise _malformed("a private key as PKCS#8 in PEM, not encrypted", "other bytes") from error
        if not isinstance(private, Ed25519PrivateKey):
            raise _malformed("an Ed25519 key", "a key of another kind")
        return cls._of(purpose, private)

    @classmethod
    def _of(cls, purpose: Purpose, private: Ed25519PrivateKey) -> "SigningKey":
        raw = private.public_key().public_bytes_raw()
        return cls(verifying=VerifyingKey(purpose=purpose, raw=raw), _private=private)

    @property
    def purpose(self) -> Purpose:
        """What the key is for."""
        return self.verifying.purpose

    @property
    def key_id(self) -> bytes:
        """The id of the public key."""
        return self.verifying.key_id

    def sign(self, message: bytes) -> bytes:
        """The signature over a message, 64 bytes; the same each time."""
        return self._private.sign(message)

    def pem(self) -> bytes:
        """What a key file holds."""
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def key_id(raw: bytes) -> bytes:
    """The id of the public key of these 32 bytes: the first 16 bytes of SHA-256(SubjectPublicKeyInfo)."""
    return hashlib.sha256(_SPKI_PREFIX + raw).digest()[:16]


@functools.lru_cache(maxsize=SIGNATURES_REMEMBERED)
def _verifies(raw: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _malformed(expected: str, found: str) -> Malformed:
    return Malformed(Fault(code=ErrorCode.KEY_MALFORMED, expected=expected, found=found))
