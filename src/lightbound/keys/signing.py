"""Statements signed and opened: the type, the purpose and the key are checked before the payload is given out."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from lightbound.canonical import cose
from lightbound.canonical.cose import Envelope, Signature
from lightbound.errors import ErrorCode, refused
from lightbound.keys.ed25519 import SIGNATURE_BYTES, SigningKey, VerifyingKey


def digest(statement: bytes) -> bytes:
    """How statements name one another: SHA-256 over all bytes of one, 32 bytes."""
    return hashlib.sha256(statement).digest()


def sign(kind: str, payload: bytes, key: SigningKey) -> bytes:
    """A statement of this type with one signature (COSE_Sign1)."""
    protected = cose.sign1_headers(kind, key.key_id, key.purpose)
    unsigned = Signature(key_id=key.key_id, purpose=key.purpose, protected=protected, signature=b"")
    envelope = Envelope(kind=kind, body_protected=protected, payload=payload, signatures=(unsigned,), single=True)
    return cose.write(replace(envelope, signatures=(replace(unsigned, signature=key.sign(envelope.to_be_signed(0))),)))


def cosign(kind: str, payload: bytes, keys: Sequence[SigningKey]) -> bytes:
    """A statement of this type with several signatures (COSE_Sign); keys in any order."""
    ordered = sorted(keys, key=lambda key: key.key_id)
    envelope = Envelope(
        kind=kind,
        body_protected=cose.body_headers(kind),
        payload=payload,
        signatures=tuple(
            Signature(
                key_id=key.key_id,
                purpose=key.purpose,
                protected=cose.signer_headers(key.key_id, key.purpose),
                signature=bytes(SIGNATURE_BYTES),
            )
            for key in ordered
        ),
        single=False,
    )
    signed = [key.sign(envelope.to_be_signed(number)) for number, key in enumerate(ordered)]
    signatures = zip(envelope.signatures, signed, strict=True)
    return cose.write(replace(envelope, signatures=tuple(replace(one, signature=made) for one, made in signatures)))


def cosigned(data: bytes, kind: str, key: SigningKey) -> bytes:
    """A statement with several signatures, and one more over the same payload, byte for byte.

    The signatures that are there are not looked at: whoever adds one decides what it signs, not who did before.

    Raises:
        Malformed: no statement at all.
        Refused: of another type, or with a signature of this key already.
    """
    envelope = _of_kind(data, kind, single=False)
    if any(signature.key_id == key.key_id for signature in envelope.signatures):
        raise refused(ErrorCode.DUPLICATE, "no signature of this key yet", "one", kind)
    unsigned = Signature(
        key_id=key.key_id,
        purpose=key.purpose,
        protected=cose.signer_headers(key.key_id, key.purpose),
        signature=bytes(SIGNATURE_BYTES),
    )
    signatures = sorted((*envelope.signatures, unsigned), key=lambda signature: signature.key_id)
    place = signatures.index(unsigned)
    signature = key.sign(replace(envelope, signatures=tuple(signatures)).to_be_signed(place))
    signatures[place] = replace(unsigned, signature=signature)
    return cose.write(replace(envelope, signatures=tuple(signatures)))


def opened(data: bytes, kind: str, key: VerifyingKey) -> bytes:
    """The payload of a statement of this type that this key signed.

    Raises:
        Malformed: no statement at all.
        Refused: of another type, by another key, for another purpose, or the signature does not hold.
    """
    envelope = _of_kind(data, kind, single=True)
    check_signature(envelope, 0, key)
    return envelope.payload


def opened_by_all(data: bytes, kind: str, keys: Sequence[VerifyingKey]) -> bytes:
    """The payload of a statement of this type that exactly these keys signed together.

    Raises:
        Malformed: no statement at all.
        Refused: as for `opened`.
    """
    envelope = _of_kind(data, kind, single=False)
    ordered = sorted(keys, key=lambda key: key.key_id)
    if len(envelope.signatures) != len(ordered):
        raise refused(ErrorCode.WRONG_KEY, f"{len(ordered)} signatures", f"{len(envelope.signatures)}", kind)
    for number, key in enumerate(ordered):
        check_signature(envelope, number, key)
    return envelope.payload


def opened_by_enough(data: bytes, kind: str, keys: Sequence[VerifyingKey], threshold: int) -> bytes:
    """The payload of a statement of this type that at least `threshold` of these keys signed, and nobody else.

    Raises:
        Malformed: no statement at all.
        Refused: as for `opened`; also for a signature that does not hold beside enough that do.
    """
    envelope = _of_kind(data, kind, single=False)
    known = {key.key_id: key for key in keys}
    if not 1 <= threshold <= len(known):
        raise ValueError(f"a threshold from 1 to {len(known)} is needed, not {threshold}")
    for number, signature in enumerate(envelope.signatures):
        key = known.get(signature.key_id)
        if key is None:
            raise refused(ErrorCode.WRONG_KEY, "signatures of known keys only", signature.key_id.hex(), kind)
        check_signature(envelope, number, key)
    if len(envelope.signatures) < threshold:
        raise refused(ErrorCode.WRONG_KEY, f"{threshold} signatures", f"{len(envelope.signatures)}", kind)
    return envelope.payload


def _of_kind(data: bytes, kind: str, *, single: bool) -> Envelope:
    envelope = cose.read(data, what=kind)
    if envelope.kind != kind:
        raise refused(ErrorCode.WRONG_TYPE, kind, envelope.kind, kind)
    if envelope.single is not single:
        shape = "one signature (COSE_Sign1)" if single else "several signatures (COSE_Sign)"
        raise refused(ErrorCode.WRONG_TYPE, shape, "the other shape", kind)
    return envelope


def check_signature(envelope: Envelope, number: int, key: VerifyingKey) -> None:
    """Nothing, if this signature of the envelope is by this key, for its purpose, and holds.

    Raises:
        Refused: it is not.
    """
    signature = envelope.signatures[number]
    if signature.key_id != key.key_id:
        raise refused(ErrorCode.WRONG_KEY, f"key {key.key_id.hex()}", signature.key_id.hex(), envelope.kind)
    if signature.purpose != key.purpose:
        raise refused(ErrorCode.WRONG_KEY, f"purpose {key.purpose}", signature.purpose, envelope.kind)
    if not key.verifies(signature.signature, envelope.to_be_signed(number)):
        raise refused(ErrorCode.SIGNATURE_INVALID, f"the signature of {key.key_id.hex()}", "another", envelope.kind)
