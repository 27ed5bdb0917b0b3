"""Vectors of well-formed statements that nobody need believe: whose signature, for what, and how many of them."""

from __future__ import annotations

from typing import Any

from vectors import world
from vectors.curve import mixed_key, signature_if_multiplied
from vectors.encodings import NOT_COSE
from vectors.octets import ORDER, Signer, cbor, flipped, headers, kid, sign, sign1
from vectors.record import ALL, Subject
from vectors.statements import READ_BY, SIGNERS, payload_of, read_arguments

WRONG_KEY = ("refused", "wrong_key")
WRONG_TYPE = ("refused", "wrong_type")
INVALID = ("refused", "signature_invalid")
STRANGER = "somebody else"
PURPOSES = ("operator", "directory", "verifier", "landmark", "enrolment", "session")


def make() -> Subject:
    """First what holds for all types, then what the two types with several signatures add."""
    subject = Subject("signatures", "Well-formed statements whose signatures do not hold, or are of the wrong key.")
    for kind in SIGNERS:
        several = kind in ("bind", "directory")
        _of_kind(subject, kind, several=several)
    _session(subject)
    _bind(subject)
    _directory(subject)
    return subject


def _refuse(subject: Subject, name: str, about: str, kind: str, data: bytes, why: tuple[str, ...]) -> None:
    subject.refusal(name, about, READ_BY[kind], why, do="read", statement=kind, data=data, **read_arguments(kind))


def _of_kind(subject: Subject, kind: str, *, several: bool) -> None:
    payload, keys = payload_of(kind), SIGNERS[kind]
    other = "session" if kind != "session" else "open"

    def put(name: str, about: str, data: bytes, why: tuple[str, ...]) -> None:
        _refuse(subject, f"{kind}-{name}", about, kind, data, why)

    if several:
        typ = world.TYP.format(kind)
        turned = sign(typ, cbor(payload), keys, signature=lambda made, n: flipped(made) if n == 0 else made)
        put("flipped-first", "a bit of the first signature turned", turned, INVALID)
        turned = sign(typ, cbor(payload), keys, signature=lambda made, n: flipped(made, 0) if n == 1 else made)
        put("flipped-last", "a bit of the last signature turned", turned, INVALID)
        swapped = [Signer(key.seed, _another(key.purpose)) for key in keys]
        put("wrong-purpose", "keys that are for something else", sign(typ, cbor(payload), swapped), WRONG_KEY)
        return
    (key,) = keys
    typ = world.TYP.format(kind)
    turned = world.statement(kind, payload, key, signature=flipped)
    put("flipped-signature", "a bit of the signature turned", turned, INVALID)
    wrong = Signer(key.seed, _another(key.purpose))
    put("wrong-purpose", "signed by a key for something else", world.statement(kind, payload, wrong), WRONG_KEY)
    stranger = Signer.named(STRANGER, key.purpose)
    put("wrong-kid", "signed by somebody else", world.statement(kind, payload, stranger), WRONG_KEY)
    forged = sign1(typ, cbor(payload), stranger, protected=headers(key, typ))
    put("forged", "signed by somebody else in the name of the key", forged, INVALID)
    if kind != "session":  # told with its encodings
        put(
            "wrong-typ",
            "the payload under another type",
            sign1(world.TYP.format(other), cbor(payload), key),
            WRONG_TYPE,
        )


def _another(purpose: str) -> str:
    return PURPOSES[(PURPOSES.index(purpose) + 1) % len(PURPOSES)]


def _session(subject: Subject) -> None:
    """What Ed25519 itself must refuse."""
    key, typ, payload = world.VERIFIER, world.TYP.format("session"), cbor(payload_of("session"))

    def made(change: Any) -> bytes:
        return sign1(typ, payload, key, signature=change)

    def larger(signature: bytes) -> bytes:
        number = int.from_bytes(signature[32:], "little") + ORDER
        return signature[:32] + number.to_bytes(32, "little")

    protected = cbor(headers(key, typ))
    for name, about, data in (
        ("signature-of-nothing", "64 bytes of nothing", made(lambda _: bytes(64))),
        ("signature-larger", "the same number, the order of the group added", made(larger)),
        ("signature-of-payload", "a signature over the payload alone", made(lambda _: key.sign(payload))),
        (
            "signature-of-several",
            "a signature as COSE_Sign has them",
            made(lambda _: key.sign(cbor(["Signature", cbor({16: typ}), protected, b"", payload]))),
        ),
        (
            "signature-with-context",
            "a signature over something outside, too",
            made(lambda _: key.sign(cbor(["Signature1", protected, b"context", payload]))),
        ),
        ("changed-later", "an hour more, after it was signed", _changed_later(typ, key)),
    ):
        _refuse(subject, f"session-{name}", about, "session", data, INVALID)
    _mixed(subject, typ, payload)
    arguments = {"do": "read", "statement": "session", "data": world.SESSION}
    stranger = Signer.named(STRANGER, "verifier")
    about = "a good SESSION of a verifier that one does not trust"
    subject.refusal("session-of-another", about, ALL, WRONG_KEY, keys=[stranger.public], **arguments)


def _changed_later(typ: str, key: Signer) -> bytes:
    later = payload_of("session")
    signature = key.sign(cbor(["Signature1", cbor(headers(key, typ)), b"", cbor(later)]))
    later["expiry_ns"] += 1
    return sign1(typ, cbor(later), key, signature=lambda _: signature)


def _mixed(subject: Subject, typ: str, payload: bytes) -> None:
    """A key with a part of order 8, which nobody makes by accident."""
    secret, public = mixed_key(b"a verifier that wants strangers to disagree")
    protected = cbor({1: -19, 4: kid(public), 16: typ, -65537: "verifier"})
    message = cbor(["Signature1", protected, b"", payload])
    signature = signature_if_multiplied(secret, public, message, b"dice")
    data = b"\xd2" + cbor([protected, {}, payload, signature])
    about = "a signature that holds only if the equation is multiplied by the cofactor"
    arguments = {"do": "read", "statement": "session", "data": data, "keys": [public]}
    subject.refusal("session-signature-cofactor", about, ALL, INVALID, **arguments)


def _bind(subject: Subject) -> None:
    typ, payload, (enrolment, session) = world.TYP.format("bind"), cbor(payload_of("bind")), SIGNERS["bind"]
    stranger = Signer.named(STRANGER, "enrolment")
    exchanged: dict[int, bytes] = {}
    sign(typ, payload, (enrolment, session), signature=lambda made, number: exchanged.setdefault(number, made))
    for name, about, data, why in (
        ("only-enrolment", "the session key has not signed", sign(typ, payload, [enrolment]), WRONG_KEY),
        ("only-session", "the enrolment key has not signed", sign(typ, payload, [session]), WRONG_KEY),
        (
            "third-signer",
            "somebody else has signed, too",
            sign(typ, payload, [enrolment, session, stranger]),
            WRONG_KEY,
        ),
        ("other-enrolment", "another agent has signed", sign(typ, payload, [stranger, session]), WRONG_KEY),
        (
            "exchanged",
            "each signature in the place of the other",
            sign(typ, payload, (enrolment, session), signature=lambda _, number: exchanged[1 - number]),
            INVALID,
        ),
    ):
        _refuse(subject, f"bind-{name}", about, "bind", data, why)


def _directory(subject: Subject) -> None:
    typ, payload, parties = world.TYP.format("directory"), cbor(payload_of("directory")), world.PARTIES
    stranger = Signer.named(STRANGER, "directory")
    crowd = [Signer.named(f"party {number}", "directory") for number in range(65)]
    order = {"order": lambda given: sorted(given, key=lambda one: one.kid)[::-1]}
    for name, about, data, why in (
        ("too-few", "one party of the two that it takes", sign(typ, payload, parties[:1]), WRONG_KEY),
        ("unknown-signer", "somebody unknown beside enough", sign(typ, payload, [*parties[:2], stranger]), WRONG_KEY),
        (
            "bad-beside-enough",
            "a signature that does not hold beside enough that do",
            sign(typ, payload, parties, signature=lambda made, number: flipped(made) if number == 2 else made),
            INVALID,
        ),
        ("signers-unsorted", "signatures in the other order", sign(typ, payload, parties[:2], **order), NOT_COSE),
        (
            "signers-twice",
            "a party twice in place of two",
            sign(typ, payload, [parties[0], parties[0]]),
            NOT_COSE,
        ),
        ("no-signers", "no signature", sign(typ, payload, []), NOT_COSE),
        ("crowd", "65 signatures", sign(typ, payload, crowd), NOT_COSE),
        ("of-one", "a COSE_Sign1 by one party", sign1(typ, payload, parties[0]), WRONG_TYPE),
    ):
        _refuse(subject, f"directory-{name}", about, "directory", data, why)
    arguments = {"do": "read", "statement": "directory", "data": world.DIRECTORY, "threshold": 3}
    keys = [party.public for party in parties]
    about = "two signatures where one asks for three"
    subject.refusal("directory-threshold", about, READ_BY["directory"], WRONG_KEY, keys=keys, **arguments)
