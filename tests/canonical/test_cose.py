"""Statements have one shape: whatever else COSE would allow is refused before any key is looked at."""

from collections.abc import Sequence
from typing import Any, Final

import cbor2
import pytest

from lightbound.canonical import cose
from lightbound.canonical.cbor import MOST_BYTES, Value, encode
from lightbound.canonical.cose import MOST_SIGNERS, Envelope, Signature
from lightbound.errors import ErrorCode, Malformed

KIND: Final = "lightbound.session/1"
ID: Final = bytes(range(16))
HEADERS: Final[dict[Any, Value]] = {1: -19, 4: ID, 16: KIND, -65_537: "verifier"}
SIGNER: Final[dict[Any, Value]] = {1: -19, 4: ID, -65_537: "session"}


def sign1(
    headers: Value = HEADERS, unprotected: Value = None, payload: Value = b"{}", signature: Value = None
) -> bytes:
    parts: list[Value] = [
        headers if isinstance(headers, bytes) else encode(headers),
        {} if unprotected is None else unprotected,
        payload,
        bytes(64) if signature is None else signature,
    ]
    return b"\xd2" + encode(parts)


def signer(number: int = 0, headers: Value = None, unprotected: Value = None, signature: Value = None) -> list[Value]:
    given = {**SIGNER, 4: number.to_bytes(16, "big")} if headers is None else headers
    return [encode(given), {} if unprotected is None else unprotected, bytes(64) if signature is None else signature]


def several(signers: Sequence[Value], headers: Value = None, payload: Value = b"{}") -> bytes:
    body = headers if isinstance(headers, bytes) else encode({16: KIND} if headers is None else headers)
    return b"\xd8\x62" + encode([body, {}, payload, list(signers)])


def is_malformed(data: bytes, code: ErrorCode = ErrorCode.COSE_MALFORMED) -> None:
    with pytest.raises(Malformed) as caught:
        cose.read(data)
    assert caught.value.faults[0].code is code


def test_a_statement_with_one_signature_is_taken_apart_and_put_together_again() -> None:
    read = cose.read(sign1())
    assert (read.kind, read.payload, read.single) == (KIND, b"{}", True)
    (only,) = read.signatures
    assert (only.key_id, only.purpose, only.signature) == (ID, "verifier", bytes(64))
    assert only.protected == read.body_protected == cose.sign1_headers(KIND, ID, "verifier") == encode(HEADERS)
    assert cose.write(read) == sign1()


def test_a_statement_with_several_signatures_is_taken_apart_and_put_together_again() -> None:
    data = several([signer(1), signer(2)])
    read = cose.read(data)
    assert (read.kind, read.payload, read.single) == (KIND, b"{}", False)
    assert [int.from_bytes(each.key_id, "big") for each in read.signatures] == [1, 2]
    assert read.body_protected == cose.body_headers(KIND)
    assert read.signatures[0].protected == cose.signer_headers((1).to_bytes(16, "big"), "session")
    assert cose.write(read) == data


def test_what_is_signed_is_the_structure_of_rfc_9052() -> None:
    one = cose.read(sign1())
    assert cbor2.loads(one.to_be_signed(0)) == ["Signature1", encode(HEADERS), b"", b"{}"]
    more = cose.read(several([signer(1), signer(2)]))
    assert cbor2.loads(more.to_be_signed(1)) == [
        "Signature", encode({16: KIND}), more.signatures[1].protected, b"", b"{}",
    ]  # fmt: skip


def test_no_signature_stands_for_one_of_another_shape_or_place() -> None:
    only = Signature(key_id=ID, purpose="session", protected=encode(SIGNER), signature=bytes(64))
    single = Envelope(kind=KIND, body_protected=encode(HEADERS), payload=b"{}", signatures=(only,), single=True)
    shared = Envelope(kind=KIND, body_protected=encode(HEADERS), payload=b"{}", signatures=(only,), single=False)
    assert single.to_be_signed(0) != shared.to_be_signed(0)


@pytest.mark.parametrize(
    "headers",
    [
        {4: ID, 16: KIND, -65_537: "verifier"},
        {1: -8, 4: ID, 16: KIND, -65_537: "verifier"},
        {1: -7, 4: ID, 16: KIND, -65_537: "verifier"},
        {1: "-19", 4: ID, 16: KIND, -65_537: "verifier"},
        {1: -19, 16: KIND, -65_537: "verifier"},
        {1: -19, 4: ID, -65_537: "verifier"},
        {1: -19, 4: ID, 16: KIND},
        {1: -19, 4: ID, 16: 42, -65_537: "verifier"},
        {1: -19, 4: ID, 16: KIND, -65_537: b"verifier"},
        {1: -19, 4: "x" * 16, 16: KIND, -65_537: "verifier"},
        {1: -19, 4: ID[:15], 16: KIND, -65_537: "verifier"},
        {1: -19, 4: ID + b"x", 16: KIND, -65_537: "verifier"},
        {1: -19, 2: [16], 4: ID, 16: KIND, -65_537: "verifier"},
        {1: -19, 3: "application/cbor", 4: ID, 16: KIND, -65_537: "verifier"},
        {1: -19, 4: ID, 15: {6: 1}, 16: KIND, -65_537: "verifier"},
        {1: -19, 4: ID, 16: KIND, -65_537: "verifier", "note": 1},
        {1: -19, 4: ID, 16: "", -65_537: "verifier"},
        {1: -19, 4: ID, 16: "x" * 65, -65_537: "verifier"},
        {1: -19, 4: ID, 16: "a\nb", -65_537: "verifier"},
        {1: -19, 4: ID, 16: KIND, -65_537: " verifier"},
        {},
        [],
        7,
    ],
)
def test_protected_headers_are_exactly_four(headers: Any) -> None:
    is_malformed(sign1(headers))


@pytest.mark.parametrize("name", ["x", "x" * 64, "a b", "\u00fc"])
def test_names_have_1_to_64_printable_characters(name: str) -> None:
    assert cose.read(sign1({**HEADERS, 16: name, -65_537: name})).kind == name
    assert cose.read(several([signer(headers={**SIGNER, -65_537: name})], encode({16: name}))).kind == name


@pytest.mark.parametrize("headers", [{}, {16: 1}, {16: KIND, 1: -19}, {1: -19}, {16: KIND, 4: ID}, []])
def test_the_body_of_several_signatures_says_its_type_and_nothing_else(headers: Any) -> None:
    is_malformed(several([signer(1)], headers))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {1: -19, 4: ID},
        {1: -8, 4: ID, -65_537: "session"},
        {1: -19, 4: ID, 16: KIND, -65_537: "session"},
        {1: -19, 4: ID[:8], -65_537: "session"},
        {1: -19, 4: ID, -65_537: ""},
        [],
    ],
)
def test_the_headers_of_a_signer_are_exactly_three(headers: Any) -> None:
    is_malformed(several([signer(headers=headers)]))


def test_empty_protected_headers_are_refused_in_both_of_their_encodings() -> None:
    is_malformed(sign1(b"\xa0"))
    is_malformed(sign1(b""), ErrorCode.CBOR_MALFORMED)


def test_headers_that_are_not_deterministic_are_refused() -> None:
    unordered = cbor2.dumps({4: ID, 1: -19, 16: KIND, -65_537: "verifier"})
    is_malformed(sign1(unordered), ErrorCode.CBOR_NOT_DETERMINISTIC)


def test_nothing_stands_in_unprotected_headers() -> None:
    is_malformed(sign1(unprotected={4: ID}))
    is_malformed(several([signer(unprotected={4: ID})]))
    is_malformed(b"\xd8\x62" + encode([encode({16: KIND}), {4: ID}, b"{}", [signer()]]))


def test_the_payload_is_inside() -> None:
    is_malformed(sign1(payload=[]))
    is_malformed(b"\xd2" + encode([encode(HEADERS), {}, None, bytes(64)]))
    is_malformed(b"\xd8\x62" + encode([encode({16: KIND}), {}, None, [signer()]]))


@pytest.mark.parametrize("length", [0, 63, 65])
def test_a_signature_has_64_bytes(length: int) -> None:
    is_malformed(sign1(signature=bytes(length)))
    is_malformed(several([signer(signature=bytes(length))]))


def test_signers_stand_in_ascending_order_once_each() -> None:
    is_malformed(several([signer(2), signer(1)]))
    is_malformed(several([signer(1), signer(1)]))
    assert len(cose.read(several([signer(1), signer(2), signer(3)])).signatures) == 3


def test_there_are_1_to_64_signers() -> None:
    is_malformed(several([]))
    assert len(cose.read(several([signer(number) for number in range(MOST_SIGNERS)])).signatures) == MOST_SIGNERS
    is_malformed(several([signer(number) for number in range(MOST_SIGNERS + 1)]))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xd2",
        sign1()[1:],
        b"\xd1" + sign1()[1:],
        b"\xd8\x12" + sign1()[1:],
        b"\xd9\x00\x12" + sign1()[1:],
        b"\xd2" + several([signer()])[2:],
        b"\xd8\x62" + sign1()[1:],
        b"\xd8\x61" + several([signer()])[2:],
        b"\xd9\x62" + several([signer()])[2:],
        several([signer()])[2:],
        b"\xd2\xd2" + sign1()[1:],
        b"\xd9\xd9\xf7" + sign1(),
        b"\xd8\x3d" + sign1(),
        sign1() + b"\x00",
        b"\x00" + sign1(),
        b"\xd2" + encode([encode(HEADERS), {}, b"{}"]),
        b"\xd2" + encode([encode(HEADERS), {}, b"{}", bytes(64), 0]),
        b"\xd2" + encode({"payload": 1}),
        b"\xd2" + encode([HEADERS, {}, b"{}", bytes(64)]),
        b"\xd8\x62" + encode([encode({16: KIND}), {}, b"{}", {}]),
        b"\xd8\x62" + encode([encode({16: KIND}), {}, b"{}", [bytes(64)]]),
        sign1(payload=bytes(MOST_BYTES)),
    ],
)
def test_another_shape_or_tag_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        cose.read(data)
