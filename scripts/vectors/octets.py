"""Bytes as the vectors need them: right ones, and each kind of wrong one, which no writer of the package would write.

A small CBOR writer that can be told to break one rule, and COSE around it whose signatures hold whatever is inside. So
every refused vector is wrong in one way, and right in all others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SPKI_PREFIX = bytes.fromhex("302a300506032b6570032100")
ORDER = 2**252 + 27742317777372353535851937790883648493
"""Of the group that Ed25519 signs in."""


def seed(name: str) -> bytes:
    """32 bytes that are secret nowhere: every key and all dice of the vectors come from here."""
    return hashlib.sha256(b"lightbound.vectors/1 " + name.encode()).digest()


class Raw(bytes):
    """Bytes that stand in an encoding as they are."""

    __slots__ = ()


class Pairs(list[tuple[Any, Any]]):
    """A map whose keys stand in this order, sorted or not, once or twice."""

    __slots__ = ()


def head(major: int, number: int, *, width: int | None = None) -> bytes:
    """The head of an item: in the shortest form, or with so many bytes after the first."""
    if width is None:
        width = next(w for w, most in ((0, 24), (1, 2**8), (2, 2**16), (4, 2**32), (8, 2**64)) if number < most)
    if width == 0:
        return bytes((major << 5 | number,))
    return bytes((major << 5 | 24 + (1, 2, 4, 8).index(width),)) + number.to_bytes(width, "big")


def cbor(value: Any) -> bytes:
    """The encoding of a value, deterministic except where `Raw` or `Pairs` say otherwise."""
    if isinstance(value, Raw):
        return bytes(value)
    if isinstance(value, Pairs | dict):
        return _map(value)
    if isinstance(value, list | tuple):
        return head(4, len(value)) + b"".join(map(cbor, value))
    if value is None or isinstance(value, bool):
        return {None: b"\xf6", True: b"\xf5", False: b"\xf4"}[value]
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    data = value.encode() if isinstance(value, str) else value
    return head(3 if isinstance(value, str) else 2, len(data)) + data


def _map(value: Pairs | dict[Any, Any]) -> bytes:
    if isinstance(value, dict):
        items = sorted((cbor(key), cbor(item)) for key, item in value.items())
    else:
        items = [(cbor(key), cbor(item)) for key, item in value]
    return head(5, len(items)) + b"".join(key + item for key, item in items)


@dataclass(frozen=True)
class Signer:
    """A private key and what it says it is for."""

    seed: bytes
    purpose: str

    @classmethod
    def named(cls, name: str, purpose: str) -> Signer:
        """The key of this name."""
        return cls(seed(name), purpose)

    @property
    def public(self) -> bytes:
        """32 bytes."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()

    @property
    def kid(self) -> bytes:
        """16 bytes."""
        return kid(self.public)

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(message)


def kid(public: bytes) -> bytes:
    """The id of a public key."""
    return hashlib.sha256(SPKI_PREFIX + public).digest()[:16]


def headers(signer: Signer, typ: str | None) -> dict[int, Any]:
    """The protected headers of a signature; with `typ`, of a COSE_Sign1."""
    named: dict[int, Any] = {1: -19, 4: signer.kid, -65537: signer.purpose}
    return named if typ is None else named | {16: typ}


def sign1(typ: str, payload: bytes, signer: Signer, **wrong: Any) -> bytes:
    """A COSE_Sign1. `wrong` replaces its protected or unprotected headers, its tag, or the signature made."""
    protected = cbor(wrong.get("protected", headers(signer, typ)))
    signature = signer.sign(cbor(["Signature1", protected, b"", payload]))
    tag: bytes = wrong.get("tag", b"\xd2")
    return tag + cbor(
        [protected, wrong.get("unprotected", {}), payload, wrong.get("signature", lambda made: made)(signature)]
    )


def sign(typ: str, payload: bytes, signers: Sequence[Signer], **wrong: Any) -> bytes:
    """A COSE_Sign by these signers, in ascending order of their ids unless `order` says otherwise.

    `wrong` replaces headers of the body (`body`) or of its signatures (`protected`), or each signature made.
    """
    body = cbor(wrong.get("body", {16: typ}))
    order = wrong.get("order", lambda given: sorted(given, key=lambda one: one.kid))
    signatures = []
    for number, signer in enumerate(order(signers)):
        protected = cbor(wrong.get("protected", headers)(signer, None))
        made = signer.sign(cbor(["Signature", body, protected, b"", payload]))
        unprotected = wrong.get("unprotected_of_signer", {})
        signatures.append([protected, unprotected, wrong.get("signature", lambda made, _: made)(made, number)])
    return b"\xd8\x62" + cbor([body, wrong.get("unprotected", {}), payload, signatures])


def flipped(data: bytes, byte: int = -1, bit: int = 0) -> bytes:
    """The same bytes with one bit turned."""
    changed = bytearray(data)
    changed[byte] ^= 1 << bit
    return bytes(changed)


def digest(data: bytes) -> bytes:
    """How statements name one another."""
    return hashlib.sha256(data).digest()
