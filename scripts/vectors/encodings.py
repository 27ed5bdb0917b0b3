"""Vectors of statements whose bytes are not the one encoding: of the payload, and of COSE around it.

Every fault is tried on SESSION, which all parties read, or on BIND, which has two signatures; the usual ones on every
type.
"""

from __future__ import annotations

from typing import Any

from vectors import world
from vectors.octets import Pairs, Raw, Signer, cbor, head, headers, seed, sign, sign1
from vectors.record import CBOR, Subject
from vectors.statements import READ_BY, SIGNERS, payload_of, read_arguments

NOT_CBOR = ("malformed", *CBOR)
NOT_COSE = ("malformed", "cose_malformed")
EITHER = ("malformed", "cose_malformed", *CBOR)
KINDS = tuple(SIGNERS)


def refuse(subject: Subject, name: str, about: str, kind: str, data: bytes, why: tuple[str, ...]) -> None:
    """These bytes."""
    subject.refusal(name, about, READ_BY[kind], why, do="read", statement=kind, data=data, **read_arguments(kind))


def make() -> Subject:
    """First what is inside, then what is around it."""
    subject = Subject("encoding", "Statements that are signed, and not written in the one encoding.")
    for name, about, payload in _payloads(payload_of("session")):
        refuse(subject, f"session-{name}", about, "session", _session(payload), NOT_CBOR)
    for kind in KINDS:
        if kind != "session":
            for name, about, payload in _usual(payload_of(kind)):
                data = world.statement(kind, payload, *SIGNERS[kind])
                refuse(subject, f"{kind}-{name}", about, kind, data, NOT_CBOR)
        good = world.statement(kind, payload_of(kind), *SIGNERS[kind])
        refuse(subject, f"{kind}-trailing-byte", "a byte after the statement", kind, good + b"\0", NOT_CBOR)
        untagged = good[2 if kind in ("bind", "directory") else 1 :]
        refuse(subject, f"{kind}-untagged", "without its tag", kind, untagged, NOT_COSE)
        wrong = {"unprotected": {4: SIGNERS[kind][0].kid}}
        data = world.statement(kind, payload_of(kind), *SIGNERS[kind], **wrong)
        refuse(subject, f"{kind}-unprotected-header", "a header that is not signed", kind, data, NOT_COSE)
    why: tuple[str, ...]
    for name, about, deep in (("deep", "ten arrays inside one another", 10), ("very-deep", "30,000 of them", 30_000)):
        nested = Raw(b"\x81" * (deep - 1) + b"\x80")
        why = (*NOT_CBOR, "statement_malformed")
        data = _session(cbor(Pairs([*_pairs(payload_of("session")), ("nested", nested)])))
        refuse(subject, f"session-{name}", about, "session", data, why)
    draw = payload_of("session")["draw"] | {"beacon_name": "n" * 65_536}
    oversize = _session(cbor(payload_of("session") | {"draw": draw}))
    refuse(subject, "session-oversize", "more than 65,536 bytes", "session", oversize, EITHER)
    for name, about, data, why in _envelopes():
        refuse(subject, f"session-{name}", about, "session", data, why)
    for name, about, data, why in _envelopes_of_two():
        refuse(subject, f"bind-{name}", about, "bind", data, why)
    return subject


def _session(payload: bytes) -> bytes:
    return world.statement("session", Raw(payload), world.VERIFIER)


def _pairs(payload: dict[str, Any]) -> list[tuple[Any, Any]]:
    return sorted(payload.items(), key=lambda pair: cbor(pair[0]))


def _usual(good: dict[str, Any]) -> list[tuple[str, str, Raw]]:
    pairs = _pairs(good)
    first, last = pairs[0], pairs[-1]
    return [
        ("payload-trailing-byte", "a byte after the payload", Raw(cbor(good) + b"\0")),
        ("payload-empty", "no payload", Raw(b"")),
        ("duplicate-key", "a field twice", Raw(cbor(Pairs([first, *pairs])))),
        ("unsorted-keys", "the first and the last field change places", Raw(cbor(Pairs([last, *pairs[1:-1], first])))),
        (
            "long-length",
            "the count of fields in the form for larger ones",
            _with_head(pairs, head(5, len(pairs), width=2)),
        ),
        ("indefinite-map", "a map that does not say its length", Raw(_with_head(pairs, b"\xbf") + b"\xff")),
    ]


def _with_head(pairs: list[tuple[Any, Any]], first: bytes) -> Raw:
    return Raw(first + cbor(Pairs(pairs))[len(head(5, len(pairs))) :])


def _payloads(good: dict[str, Any]) -> list[tuple[str, str, Raw]]:
    """What can be wrong with an encoding, in the place of a value of SESSION."""
    found = _usual(good)

    def put(name: str, about: str, field: str, raw: bytes) -> None:
        draw = good["draw"] | {field: Raw(raw)} if field in good["draw"] else good["draw"]
        found.append((name, about, Raw(cbor(good | {"draw": draw} | ({field: Raw(raw)} if field in good else {})))))

    def key(name: str, about: str, raw: bytes) -> None:
        found.append((name, about, Raw(cbor(Pairs([(Raw(raw), 0), *_pairs(good)])))))

    sid, landmarks = good["sid"], good["landmarks"]
    for width in (1, 2, 4, 8):
        put(f"long-integer-{width}", f"1 in {width + 1} bytes", "extras", head(0, 1, width=width))
    put("long-byte-string", "a length in the form for larger ones", "sid", head(2, 16, width=1) + sid)
    put("long-text", "a length in the form for larger ones", "beacon_name", head(3, 4, width=1) + b"next")
    put("long-array", "a count in the form for larger ones", "versions", head(4, 1, width=1) + b"\x01")
    put("indefinite-bytes", "a byte string in pieces", "sid", b"\x5f" + cbor(sid[:8]) + cbor(sid[8:]) + b"\xff")
    put("indefinite-text", "a text in pieces", "beacon_name", b"\x7f" + cbor("next") + b"\xff")
    put("indefinite-array", "an array without length", "landmarks", b"\x9f" + b"".join(map(cbor, landmarks)) + b"\xff")
    put("half-float", "1.0 in place of 1", "extras", bytes.fromhex("f93c00"))
    put("single-float", "1.0 in four bytes", "extras", bytes.fromhex("fa3f800000"))
    put("double-float", "1.0 in eight bytes", "extras", bytes.fromhex("fb3ff0000000000000"))
    put("not-a-number", "NaN", "extras", bytes.fromhex("f97e00"))
    put("undefined", "undefined", "extras", b"\xf7")
    put("simple-value", "a simple value that is not assigned", "extras", b"\xf0")
    put("long-simple-value", "true in two bytes", "extras", b"\xf8\x15")
    put("break", "a break without anything to end", "extras", b"\xff")
    put("reserved-length", "a form that is reserved", "extras", b"\x1c")
    put("tag-date", "a date", "extras", cbor(Raw(b"\xc1")) + b"\x01")
    put("tag-big-integer", "1 as a large integer", "extras", b"\xc2" + cbor(b"\x01"))
    put("tag-cbor", "encoded data, tagged", "sid", b"\xd8\x18" + cbor(sid))
    put("tag-self-described", "the tag that says CBOR", "sid", b"\xd9\xd9\xf7" + cbor(sid))
    put("tag-unknown", "a tag that nobody knows", "sid", b"\xda\x00\x01\x00\x01" + cbor(sid))
    put("tag-shared", "a tag of shared values", "versions", b"\xd8\x1c" + cbor([1]))
    put("integer-too-small", "an integer below 64 bits", "extras", b"\x3b\x80" + b"\0" * 7)
    put("integer-far-too-small", "an integer far below", "extras", b"\x3b" + b"\xff" * 8)
    put("text-not-utf-8", "a byte that no text has", "beacon_name", b"\x61\xff")
    put("text-surrogate", "half of a pair of UTF-16", "beacon_name", b"\x63\xed\xa0\x80")
    put("text-overlong", "a character in too many bytes", "beacon_name", b"\x62\xc1\x81")
    put("cut-off", "a byte string that ends too early", "versions", head(2, 2**16))
    put("huge-length", "a length that no memory holds", "versions", head(4, 2**63 - 1))
    key("key-bytes", "a key that is a byte string", cbor(b"x"))
    key("key-array", "a key that is an array", cbor([]))
    key("key-null", "a key that is null", cbor(None))
    key("key-float", "a key that is a float", bytes.fromhex("f90000"))
    whole = cbor(good)
    found.append(("payload-cut-off", "a payload without its last byte", Raw(whole[:-1])))
    cut = cbor(Pairs([*_pairs(good)[:-1], (_pairs(good)[-1][0], Raw(b"\x1a\x00"))]))
    found.append(("head-cut-off", "a head without its last bytes", Raw(cut)))
    found.append(("payload-tagged", "a payload in a tag", Raw(b"\xd9\xd9\xf7" + whole)))
    reverse = Pairs(_pairs(good)[::-1])
    found.append(("reversed-keys", "all fields in the other order", Raw(cbor(reverse))))
    by_alphabet = Pairs(sorted(good.items()))
    found.append(("alphabetic-keys", "fields in the order of the alphabet, long before short", Raw(cbor(by_alphabet))))
    return found


Found = list[tuple[str, str, bytes, tuple[str, ...]]]


def _envelopes() -> Found:
    """COSE_Sign1 around SESSION."""
    typ, payload, key = world.TYP.format("session"), cbor(payload_of("session")), world.VERIFIER
    good = headers(key, typ)
    whole = sign1(typ, payload, key)
    protected, signature = cbor(good), key.sign(cbor(["Signature1", cbor(good), b"", payload]))

    def with_headers(changed: Any, typ: str = typ) -> bytes:
        return sign1(typ, payload, key, protected=changed)

    def parts(*items: Any) -> bytes:
        return b"\xd2" + cbor(list(items))

    without = [{name: item for name, item in good.items() if name != left} for left in good]
    pairs = sorted(good.items(), key=lambda pair: cbor(pair[0]))
    return [
        ("no-bytes", "nothing at all", b"", NOT_COSE),
        ("one-byte", "a tag and no more", b"\xd2", NOT_CBOR),
        ("text", "no statement at all", b"SESSION", NOT_COSE),
        ("other-tag", "the tag of a MAC (17)", b"\xd1" + whole[1:], NOT_COSE),
        ("two-tags", "a tag around the tag", b"\xd9\xd9\xf7" + whole, NOT_COSE),
        ("tag-inside-tag", "its own tag twice", b"\xd2" + whole, EITHER),
        ("long-tag", "tag 18 in two bytes", b"\xd8\x12" + whole[1:], EITHER),
        ("cut-in-half", "the first half", whole[: len(whole) // 2], NOT_CBOR),
        ("three-parts", "without a signature", parts(protected, {}, payload), NOT_COSE),
        ("five-parts", "with two signatures", parts(protected, {}, payload, signature, signature), NOT_COSE),
        ("long-array-of-parts", "4 in two bytes", b"\xd2\x98\x04" + whole[2:], NOT_CBOR),
        ("indefinite-parts", "parts without a count", b"\xd2\x9f" + whole[2:] + b"\xff", NOT_CBOR),
        ("detached-payload", "null in place of the payload", parts(protected, {}, None, signature), NOT_COSE),
        ("payload-not-wrapped", "a map in place of bytes", parts(protected, {}, Raw(payload), signature), NOT_COSE),
        ("headers-not-wrapped", "a map in place of bytes", parts(Raw(protected), {}, payload, signature), NOT_COSE),
        ("unprotected-null", "null in place of a map", parts(protected, None, payload, signature), NOT_COSE),
        ("signature-short", "63 bytes", parts(protected, {}, payload, signature[:-1]), NOT_COSE),
        ("signature-long", "65 bytes", parts(protected, {}, payload, signature + b"\0"), NOT_COSE),
        ("no-headers", "headers of no bytes", with_headers(Raw(b"")), NOT_CBOR),
        ("headers-array", "headers that are an array", with_headers([1, -19]), NOT_COSE),
        ("headers-unsorted", "headers in another order", with_headers(Pairs(pairs[::-1])), NOT_CBOR),
        ("headers-twice", "a header twice", with_headers(Pairs([pairs[0], *pairs])), NOT_CBOR),
        ("headers-trailing-byte", "a byte after the headers", with_headers(Raw(protected + b"\0")), NOT_CBOR),
        ("headers-long-integer", "alg -19 in three bytes", with_headers(good | {1: Raw(b"\x39\x00\x12")}), NOT_CBOR),
        ("alg-eddsa", "alg -8, which names no curve", with_headers(good | {1: -8}), NOT_COSE),
        ("alg-es256", "alg -7", with_headers(good | {1: -7}), NOT_COSE),
        ("alg-text", "alg as a text", with_headers(good | {1: "Ed25519"}), NOT_COSE),
        ("kid-short", "a kid of 15 bytes", with_headers(good | {4: key.kid[:-1]}), NOT_COSE),
        ("kid-long", "a kid of 17 bytes", with_headers(good | {4: key.kid + b"\0"}), NOT_COSE),
        ("kid-text", "a kid that is a text", with_headers(good | {4: key.kid.hex()[:16]}), NOT_COSE),
        ("typ-integer", "typ as a number of a content format", with_headers(good | {16: 61}), NOT_COSE),
        ("typ-empty", "an empty typ", with_headers(good | {16: ""}), NOT_COSE),
        ("purpose-bytes", "a purpose that is no text", with_headers(good | {-65537: b"verifier"}), NOT_COSE),
        ("typ-long", "a typ of 65 characters", with_headers(good | {16: "t" * 65}), NOT_COSE),
        ("typ-of-64", "a typ of 64 characters", with_headers(good | {16: "t" * 64}), ("refused", "wrong_type")),
        ("typ-of-one", "a typ of one character", with_headers(good | {16: "t"}), ("refused", "wrong_type")),
        ("purpose-long", "a purpose of 65 characters", with_headers(good | {-65537: "p" * 65}), NOT_COSE),
        ("purpose-of-64", "a purpose of 64", with_headers(good | {-65537: "p" * 64}), ("refused", "wrong_key")),
        ("extra-header", "a content type", with_headers(good | {3: "application/cbor"}), NOT_COSE),
        ("critical-header", "a header that is critical", with_headers(good | {2: [-65537]}), NOT_COSE),
        ("header-named-by-text", "a header named by a text", with_headers(good | {"alg": -19}), NOT_COSE),
        *(
            (f"no-{name}", f"without {name}", with_headers(left), NOT_COSE)
            for name, left in zip(("alg", "kid", "purpose", "typ"), without, strict=True)
        ),
        ("of-several", "a COSE_Sign of one signature", sign(typ, payload, [key]), ("refused", "wrong_type")),
        ("typ-of-another", "typ of a BIND", with_headers(good | {16: "lightbound.bind/1"}), ("refused", "wrong_type")),
        ("typ-next", "a type of another version", with_headers(good | {16: f"{typ[:-1]}2"}), ("refused", "wrong_type")),
    ]


def _envelopes_of_two() -> Found:
    """COSE_Sign around BIND."""
    typ, payload, keys = world.TYP.format("bind"), cbor(payload_of("bind")), SIGNERS["bind"]
    made = sign(typ, payload, keys)
    crowd = [Signer.named(f"signer {number}", "enrolment") for number in range(65)]

    def order(of: Any) -> bytes:
        return sign(typ, payload, keys, order=lambda given: of(sorted(given, key=lambda one: one.kid)))

    def with_headers(changed: dict[Any, Any]) -> bytes:
        return sign(typ, payload, keys, protected=lambda signer, _: headers(signer, None) | changed)

    return [
        ("long-tag", "tag 98 in three bytes", b"\xd9\x00\x62" + made[2:], NOT_COSE),
        (
            "body-alg",
            "an algorithm in the headers of the body",
            sign(typ, payload, keys, body={16: typ, 1: -19}),
            NOT_COSE,
        ),
        ("body-no-typ", "no typ in the headers of the body", sign(typ, payload, keys, body={}), NOT_COSE),
        (
            "typ-of-another",
            "typ of a SESSION",
            sign(world.TYP.format("session"), payload, keys),
            ("refused", "wrong_type"),
        ),
        ("signer-typ", "typ in the headers of each signature", with_headers({16: typ}), NOT_COSE),
        ("signer-alg-eddsa", "alg -8", with_headers({1: -8}), NOT_COSE),
        (
            "signer-unprotected",
            "a header of a signature that is not signed",
            sign(typ, payload, keys, unprotected_of_signer={4: seed("kid")[:16]}),
            NOT_COSE,
        ),
        ("signers-unsorted", "signatures in the other order", order(lambda given: given[::-1]), NOT_COSE),
        ("signers-twice", "a signature twice", order(lambda given: [given[0], given[0]]), NOT_COSE),
        ("no-signers", "no signature", sign(typ, payload, []), NOT_COSE),
        ("typ-long", "a typ of 65 characters", sign("t" * 65, payload, keys), NOT_COSE),
        ("typ-of-64", "a typ of 64 characters", sign("t" * 64, payload, keys), ("refused", "wrong_type")),
        ("typ-of-one", "a typ of one character", sign("t", payload, keys), ("refused", "wrong_type")),
        ("crowd-of-65", "65 signatures", sign(typ, payload, crowd), NOT_COSE),
        ("crowd-of-64", "64 signatures", sign(typ, payload, crowd[:-1]), ("refused", "wrong_key")),
        ("signers-map", "a map of signatures", _with_signers(typ, payload, {}), NOT_COSE),
        ("signer-short", "a signature of two parts", _with_signers(typ, payload, [[b"", {}]]), NOT_COSE),
        (
            "of-one",
            "a COSE_Sign1 by the enrolment key",
            sign1(typ, payload, keys[0]),
            ("refused", "wrong_type"),
        ),
    ]


def _with_signers(typ: str, payload: bytes, signers: Any) -> bytes:
    return b"\xd8\x62" + cbor([cbor({16: typ}), {}, payload, signers])
