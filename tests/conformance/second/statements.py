"""Statements of a landmark: what it reads and what it signs; "Statements" of the page, and the tables of fields."""

import itertools
from collections.abc import Callable
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tests.conformance.second.encoding import Payload, cbor, check, h, refuse, uncbor
from tests.conformance.second.keys import key_id, public_key, public_of

HIDDEN: Final = """0000-001F 007F-00A0 00AD 034F 061C 1680 180E 2000-200F 2028-202F 205F-206F 3000 D800-DFFF FE00-FE0F
FEFF FFF0-FFFF E0000-E0FFF"""
NOT_IN_TEXTS: Final = [
    range(int(first, 16), int(last or first, 16) + 1)
    for first, _, last in (each.partition("-") for each in HIDDEN.split())
]


def is_text(value: object, least: int = 1, most: int = 256) -> bool:
    return (
        isinstance(value, str)
        and least <= len(value) <= most
        and value.strip(" ") == value
        and not any(ord(c) in hidden for c in value for hidden in NOT_IN_TEXTS)
    )


def opened(data: bytes, kind: str, keys: Callable[[Payload], list[tuple[bytes, str]]], *, single: bool) -> Payload:
    """The payload, undecoded fields and all, of a statement that exactly these keys signed for these purposes."""
    check(len(data) <= 65_536, "cose_malformed")
    tag = data[:1] == b"\xd2"
    check(tag or data[:2] == b"\xd8\x62", "cose_malformed")
    parts = uncbor(data[1:] if tag else data[2:])
    check(type(parts) is list and len(parts) == 4, "cose_malformed")
    body, unprotected, payload, signatures = parts
    check(unprotected == {} and type(unprotected) is dict, "cose_malformed")
    check(type(body) is bytes and type(payload) is bytes, "cose_malformed")
    if tag:
        signers = [(signer(body, signatures, typ=True), signatures, ["Signature1", body, b"", payload])]
        typ = uncbor(body)[16]
    else:
        named = uncbor(body)
        check(type(named) is dict and named.keys() == {16} and is_text(named[16], 1, 64), "cose_malformed")
        typ, signers = named[16], several(body, payload, signatures)
    check(typ == f"lightbound.{kind}/1" and tag is single, "wrong_type")
    fields = uncbor(payload) if not single else {}
    expected = sorted((key_id(raw), purpose, raw) for raw, purpose in keys(fields))
    check([named for named, _, _ in signers] == [(kid, purpose) for kid, purpose, _ in expected], "wrong_key")
    for (_, signature, signed), (_, _, raw) in zip(signers, expected, strict=True):
        try:
            Ed25519PublicKey.from_public_bytes(raw).verify(signature, cbor(signed))
        except InvalidSignature:
            refuse("signature_invalid")
    fields = uncbor(payload)
    check(type(fields) is dict, "statement_malformed")
    return dict(fields)


def signer(protected: Any, signature: Any, *, typ: bool) -> tuple[bytes, str]:
    """Kid and purpose of a signature's headers."""
    check(type(protected) is bytes and type(signature) is bytes and len(signature) == 64, "cose_malformed")
    headers = uncbor(protected)
    check(type(headers) is dict and headers.keys() == {1, 4, -65537} | ({16} if typ else set()), "cose_malformed")
    kid, purpose = headers[4], headers[-65537]
    check(headers[1] == -19 and type(kid) is bytes and len(kid) == 16, "cose_malformed")
    check(all(is_text(name, 1, 64) for name in (purpose, headers.get(16, "x"))), "cose_malformed")
    return kid, purpose


def several(body: bytes, payload: bytes, signatures: Any) -> list[tuple[tuple[bytes, str], bytes, list[Any]]]:
    check(type(signatures) is list and 1 <= len(signatures) <= 64, "cose_malformed")
    signers = []
    for each in signatures:
        check(type(each) is list and len(each) == 3 and each[1] == {} and type(each[1]) is dict, "cose_malformed")
        named = signer(each[0], each[2], typ=False)
        signers.append((named, each[2], ["Signature", body, each[0], b"", payload]))
    kids = [named[0] for named, _, _ in signers]
    check(kids == sorted(set(kids)), "cose_malformed")
    return signers


def signed(kind: str, payload: Payload, seed: bytes) -> bytes:
    """A COSE_Sign1 by a landmark."""
    headers = {1: -19, 4: key_id(public_of(seed)), 16: f"lightbound.{kind}/1", -65537: "landmark"}
    protected, inside = cbor(headers), cbor(payload)
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(cbor(["Signature1", protected, b"", inside]))
    return b"\xd2" + cbor([protected, {}, inside, signature])


YEAR_2200: Final = 7_258_118_400_000_000_000


def sized(length: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is bytes and len(value) == length


def ranged(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and least <= value <= most


def ascending(
    each: Callable[[Any], bool], least: int, most: int, by: Callable[[Any], Any] = lambda x: x
) -> Callable[[Any], bool]:
    def holds(value: Any) -> bool:
        return (
            type(value) is list
            and least <= len(value) <= most
            and all(map(each, value))
            and all(by(one) < by(other) for one, other in itertools.pairwise(value))
        )

    return holds


def mapped(**fields: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: (
        type(value) is dict
        and value.keys() == fields.keys()
        and all(holds(value[name]) for name, holds in fields.items())
    )


D16, D32, INSTANT = sized(16), sized(32), ranged(0, YEAR_2200)
SESSION: Final = mapped(
    versions=ascending(ranged(1, 255), 1, 16),
    sid=D16,
    agent=D32,
    chips=D32,
    directory=D32,
    landmarks=ascending(D16, 1, 512),
    draw=mapped(beacon=D32, beacon_name=is_text, chosen=ascending(D16, 0, 512), extras=ranged(0, 512)),
    policy=D32,
    issued_ns=INSTANT,
    expiry_ns=INSTANT,
    commitments=mapped(site=D32),
)
BIND: Final = mapped(
    session=D32,
    s=D32,
    x=D32,
    contributions=ascending(
        lambda pair: type(pair) is list and len(pair) == 2 and D16(pair[0]) and D32(pair[1]),
        1,
        512,
        lambda pair: pair[0],
    ),
    absent=ascending(D16, 0, 512),
    evidence=D32,
)
ACK: Final = mapped(sid=D16, landmark=D16, close=D32, transcript=D32, answered=ranged(0, 64))


def read_session(data: bytes, verifier: bytes) -> Payload:
    fields = opened(data, "session", lambda _: [(verifier, "verifier")], single=True)
    public_key_of(fields, "agent")
    check(SESSION(fields), "statement_malformed")
    check(1 <= fields["expiry_ns"] - fields["issued_ns"] <= 600 * 10**9, "statement_malformed")
    return fields


def public_key_of(fields: Any, name: str) -> bytes:
    """One key in a payload, read before anything else of it."""
    check(type(fields) is dict and D32(fields.get(name)), "statement_malformed")
    return public_key(fields[name])


def read_bind(data: bytes, enrolment: bytes) -> Payload:
    def keys(fields: Payload) -> list[tuple[bytes, str]]:
        return [(enrolment, "enrolment"), (public_key_of(fields, "s"), "session")]

    fields = opened(data, "bind", keys, single=False)
    check(BIND(fields), "statement_malformed")
    return fields


def read_ack(data: bytes, s: bytes) -> Payload:
    fields = opened(data, "ack", lambda _: [(s, "session")], single=True)
    check(ACK(fields), "statement_malformed")
    return fields


def commitment(field: str, salt: bytes, value: object) -> bytes:
    return h(cbor(["CLP/1 field", salt, field, value]))
