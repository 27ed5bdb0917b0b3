"""COSE_Sign1 and COSE_Sign (RFC 9052) in the one shape that statements use; no key is touched here.

A statement is tagged (18 with one signature, 98 with several), carries its payload inside, and says in its protected
headers what it is (`typ`, RFC 9596), who signed it (`kid`), how (`alg`) and what that key is for (`purpose`, a label
of private use). Unprotected headers are empty: nothing that is not signed is read.
"""

import functools
import itertools
from dataclasses import dataclass
from typing import Final

from lightbound.canonical.cbor import MOST_BYTES, Value, decode, encode
from lightbound.canonical.fields import is_plain, shown
from lightbound.errors import ErrorCode, Malformed, malformed

ED25519: Final = -19
"""COSE algorithm `Ed25519` (RFC 9864), which unlike -8 names its curve. Another algorithm, such as ML-DSA-44, can join
it: the header names it, and a kid stands for whatever type of key the reader pinned."""

KEY_ID_BYTES: Final = 16
MOST_SIGNERS: Final = 64

REMEMBERED: Final = 256
LONGEST_REMEMBERED: Final = 2_048
"""A statement is taken apart by everybody who is shown it, and in one process some are shown it several times: the
newest are kept, half a megabyte at most. What is kept says nothing about signatures."""

_ALG, _KID, _TYP, _PURPOSE = 1, 4, 16, -65_537
_SIGN1_TAG: Final = b"\xd2"
_SIGN_TAG: Final = b"\xd8\x62"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature: by which key, for what that key is, and the headers exactly as they were signed."""

    key_id: bytes
    purpose: str
    protected: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A statement as it travels, taken apart; nothing about its signatures has been believed."""

    kind: str
    body_protected: bytes
    payload: bytes
    signatures: tuple[Signature, ...]
    """In ascending order of key id; one, of a COSE_Sign1."""
    single: bool

    def to_be_signed(self, number: int) -> bytes:
        """The bytes that a signature is over: the Sig_structure of RFC 9052, 4.4."""
        if self.single:
            return encode(["Signature1", self.body_protected, b"", self.payload])
        return encode(["Signature", self.body_protected, self.signatures[number].protected, b"", self.payload])


def sign1_headers(kind: str, key_id: bytes, purpose: str) -> bytes:
    """The protected headers of a statement with one signature."""
    return encode({_ALG: ED25519, _KID: key_id, _TYP: kind, _PURPOSE: purpose})


def body_headers(kind: str) -> bytes:
    """The protected headers of the body of a statement with several signatures."""
    return encode({_TYP: kind})


def signer_headers(key_id: bytes, purpose: str) -> bytes:
    """The protected headers of one of several signatures."""
    return encode({_ALG: ED25519, _KID: key_id, _PURPOSE: purpose})


def write(envelope: Envelope) -> bytes:
    """The bytes of a statement."""
    if envelope.single:
        (only,) = envelope.signatures
        return _SIGN1_TAG + encode([only.protected, {}, envelope.payload, only.signature])
    signatures: list[Value] = [[each.protected, {}, each.signature] for each in envelope.signatures]
    return _SIGN_TAG + encode([envelope.body_protected, {}, envelope.payload, signatures])


def read(data: bytes, *, what: str = "statement") -> Envelope:
    """A statement taken apart; says nothing about who made it.

    Raises:
        Malformed: not a COSE_Sign1 or COSE_Sign of the shape above, or not deterministic.
    """
    if len(data) > MOST_BYTES:
        raise malformed(ErrorCode.COSE_MALFORMED, f"at most {MOST_BYTES} bytes", f"{len(data)}", what)
    data = bytes(data)
    return _read(data, what) if len(data) <= LONGEST_REMEMBERED else _read.__wrapped__(data, what)


@functools.lru_cache(maxsize=REMEMBERED)
def _read(data: bytes, what: str) -> Envelope:
    if data[:1] == _SIGN1_TAG:
        return _sign1(decode(data[1:], what=what), what)
    if data[:2] == _SIGN_TAG:
        return _sign(decode(data[2:], what=what), what)
    raise _malformed("a COSE_Sign1 (tag 18) or COSE_Sign (tag 98)", "another first byte" if data else "no bytes", what)


def _sign1(value: Value, what: str) -> Envelope:
    match value:
        case [bytes() as protected, dict() as unprotected, bytes() as payload, bytes() as signature]:
            _check_sizes(unprotected, signature, what)
        case _:
            raise _malformed("[protected, unprotected, payload, signature]", shown(value), what)
    match decode(protected, what=f"{what}.protected"):
        case {1: -19, 4: bytes() as key_id, 16: str() as kind, -65537: str() as purpose, **rest} if not rest:
            _check_names(key_id, (kind, purpose), what)
        case other:
            raise _headers("alg -19, kid, typ and purpose, and no others", other, what)
    only = Signature(key_id=key_id, purpose=purpose, protected=protected, signature=signature)
    return Envelope(kind=kind, body_protected=protected, payload=payload, signatures=(only,), single=True)


def _sign(value: Value, what: str) -> Envelope:
    match value:
        case [bytes() as protected, dict() as unprotected, bytes() as payload, list() as signers]:
            _check_sizes(unprotected, None, what)
        case _:
            raise _malformed("[protected, unprotected, payload, signatures]", shown(value), what)
    match decode(protected, what=f"{what}.protected"):
        case {16: str() as kind, **rest} if not rest:
            _check_names(None, (kind,), what)
        case other:
            raise _headers("typ, and no others", other, what)
    if not 1 <= len(signers) <= MOST_SIGNERS:
        raise _malformed(f"1 to {MOST_SIGNERS} signatures", str(len(signers)), what)
    signatures = tuple(_signature(signer, f"{what}.signatures[{i}]") for i, signer in enumerate(signers))
    ids = [each.key_id for each in signatures]
    if any(one >= other for one, other in itertools.pairwise(ids)):
        raise _malformed("signatures in ascending order of kid, once each", "another order", what)
    return Envelope(kind=kind, body_protected=protected, payload=payload, signatures=signatures, single=False)


def _signature(value: Value, what: str) -> Signature:
    match value:
        case [bytes() as protected, dict() as unprotected, bytes() as signature]:
            _check_sizes(unprotected, signature, what)
        case _:
            raise _malformed("[protected, unprotected, signature]", shown(value), what)
    match decode(protected, what=f"{what}.protected"):
        case {1: -19, 4: bytes() as key_id, -65537: str() as purpose, **rest} if not rest:
            _check_names(key_id, (purpose,), what)
        case other:
            raise _headers("alg -19, kid and purpose, and no others", other, what)
    return Signature(key_id=key_id, purpose=purpose, protected=protected, signature=signature)


def _check_sizes(unprotected: dict[int, Value], signature: bytes | None, what: str) -> None:
    if unprotected:
        raise _malformed("no unprotected headers", f"{len(unprotected)}", what)
    if signature is not None and len(signature) != 64:
        raise _malformed("a signature of 64 bytes", f"{len(signature)}", what)


def _check_names(key_id: bytes | None, names: tuple[str, ...], what: str) -> None:
    if key_id is not None and len(key_id) != KEY_ID_BYTES:
        raise _malformed(f"a kid of {KEY_ID_BYTES} bytes", f"{len(key_id)}", what)
    if any(not is_plain(name) or not 1 <= len(name) <= 64 for name in names):
        raise _malformed("names of 1 to 64 printable characters", "another", what)


def _headers(expected: str, found: Value, what: str) -> Malformed:
    return _malformed(f"protected headers {expected}", shown(found), what)


def _malformed(expected: str, found: str, what: str) -> Malformed:
    return malformed(ErrorCode.COSE_MALFORMED, expected, found, what)
