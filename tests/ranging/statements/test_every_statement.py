"""What holds for statements of every type: who may sign them, and that nothing in them is read loosely."""

from typing import Any

import pytest

from lightbound.canonical import cose
from lightbound.canonical.cbor import MOST_BYTES, encode
from lightbound.errors import ErrorCode, LightboundError, Malformed, Refused
from lightbound.keys.purposes import Purpose
from lightbound.ranging.statements.kinds import SIGNED_BY, Kind, believed, signed
from tests.ranging.parties import every_statement, key
from tests.ranging.statements.every import EVERY, Statement

every = pytest.mark.parametrize("of", EVERY.values(), ids=EVERY)


def code(statement: Statement, data: bytes) -> ErrorCode:
    with pytest.raises(LightboundError) as caught:
        statement.read(data)
    (fault,) = caught.value.faults
    return fault.code


def test_every_type_is_looked_at_here_and_has_a_signer() -> None:
    assert {each.kind for each in EVERY.values()} == set(Kind) == set(SIGNED_BY)
    assert every_statement().keys() == EVERY.keys()
    assert all(
        SIGNED_BY[each.kind] == tuple(dict.fromkeys(one.purpose for one in each.keys)) for each in EVERY.values()
    )


def test_types_have_names_of_their_own() -> None:
    assert all(kind.startswith("lightbound.") and kind.endswith("/1") for kind in Kind)
    assert len({kind.short for kind in Kind}) == len(Kind)


@every
def test_a_statement_made_in_a_session_is_read_and_written_again_to_the_byte(of: Statement) -> None:
    assert of.write(of.read(of.example)) == of.example


@every
def test_a_statement_signed_by_its_key_for_another_purpose_is_refused(of: Statement) -> None:
    payload = cose.read(of.example).payload
    for purpose in Purpose:
        if purpose is of.keys[0].purpose:
            continue
        posing = type(of.keys[0]).of_pem(purpose, of.keys[0].pem())
        assert code(of, of.signed(payload, keys=(posing, *of.keys[1:]))) is ErrorCode.WRONG_KEY


@every
def test_a_statement_signed_by_another_key_of_the_right_purpose_is_refused(of: Statement) -> None:
    payload = cose.read(of.example).payload
    stranger = key(of.keys[0].purpose, "stranger")
    assert code(of, of.signed(payload, keys=(stranger, *of.keys[1:]))) is ErrorCode.WRONG_KEY


@every
def test_a_statement_cannot_pass_for_another_type(of: Statement) -> None:
    """The same payload and key under the name of another type, and the statement under another type's reader."""
    payload = cose.read(of.example).payload
    for other in EVERY.values():
        if other.kind is not of.kind:
            assert code(of, of.signed(payload, kind=other.kind)) is ErrorCode.WRONG_TYPE
            with pytest.raises((Refused, Malformed)):
                other.read(of.example)


@every
def test_a_statement_of_another_version_of_its_type_is_refused(of: Statement) -> None:
    payload = cose.read(of.example).payload
    assert code(of, of.signed(payload, kind=of.kind.replace("/1", "/2"))) is ErrorCode.WRONG_TYPE


@every
def test_every_field_is_needed(of: Statement) -> None:
    for name in of.fields():
        fewer = {field: value for field, value in of.fields().items() if field != name}
        with pytest.raises(Malformed) as caught:
            of.read(of.with_fields(fewer))
        assert caught.value.faults[0].column == f"{of.kind.short}.{name}"


@every
def test_no_other_field_is_read(of: Statement) -> None:
    with pytest.raises(Malformed) as caught:
        of.read(of.with_fields({**of.fields(), "note": 1}))
    assert caught.value.faults[0].column == f"{of.kind.short}.note"
    with pytest.raises(Malformed):
        of.read(of.signed(encode({**of.fields(), 7: 1})))


def _of_another_type(value: Any) -> list[Any]:
    others: list[Any] = [True, 7, b"bytes", "text", [], {}, None, [value]]
    return [other for other in others if type(other) is not type(value)]


@every
def test_every_field_has_its_type(of: Statement) -> None:
    may_be_null = {("directory", "previous"), ("open", "prev"), ("measurement", "ack"), ("measurement", "prev"),
        ("abort", "prev"),
    }  # fmt: skip
    for name, value in of.fields().items():
        for other in _of_another_type(value):
            if other is None and ((of.kind.short, name) in may_be_null or value is None):
                continue
            with pytest.raises(Malformed) as caught:
                of.read(of.with_fields({**of.fields(), name: other}))
            assert str(caught.value.faults[0].column).startswith(f"{of.kind.short}.{name}"), (name, other)


@every
def test_bytes_and_numbers_of_a_field_have_their_range(of: Statement) -> None:
    for name, value in of.fields().items():
        match value:
            case bytes():
                others: list[Any] = [value[:-1], value + b"\x00", b""]
            case bool():
                others = []
            case int():
                others = [-(2**63), 2**63, 2**64 - 1]
            case str():
                others = [value + " ", "\n", "x" * 257]
            case _:
                others = []
        for other in others:
            with pytest.raises(Malformed) as caught:
                of.read(of.with_fields({**of.fields(), name: other}))
            assert caught.value.faults[0].column == f"{of.kind.short}.{name}", (name, other)


@every
def test_a_payload_that_is_no_map_or_not_deterministic_is_malformed(of: Statement) -> None:
    for payload in (encode([]), encode(7), b"", b"\xa0\x00", cose.read(of.example).payload + b"\x00"):
        with pytest.raises(Malformed):
            of.read(of.signed(payload))


def _map(items: list[tuple[bytes, bytes]]) -> bytes:
    head = bytes([0xA0 + len(items)]) if len(items) < 24 else bytes([0xB8, len(items)])
    return head + b"".join(key + value for key, value in items)


@every
def test_no_statement_holds_a_key_twice_a_float_or_an_unordered_map(of: Statement) -> None:
    items = [(encode(name), encode(of.fields()[name])) for name in sorted(of.fields(), key=encode)]
    assert of.read(of.signed(_map(items)))
    for bent in (
        [items[0], *items],
        [(items[0][0], b"\xf9\x3c\x00"), *items[1:]],
        [(items[0][0], b"\xc1" + items[0][1]), *items[1:]],
        [items[1], items[0], *items[2:]],
    ):
        with pytest.raises(Malformed):
            of.read(of.signed(_map(bent)))


def test_writing_under_a_key_for_something_else_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="is not signed by a key for"):
        signed(Kind.SESSION, b"", key(Purpose.LANDMARK))
    with pytest.raises(ValueError, match="is not signed by a key for"):
        believed(b"", Kind.SESSION, key(Purpose.LANDMARK).verifying)


def test_the_largest_statements_fit() -> None:
    """A session of 512 landmarks, its BIND, and a directory of 512 operators and 1,024 positions with 64 signers."""
    ids = [number.to_bytes(16, "big") for number in range(512)]
    digests = [number.to_bytes(32, "big") for number in range(1_024)]
    session, bind, directory = EVERY["session"], EVERY["bind"], EVERY["directory"]
    draw = session.fields()["draw"]
    assert isinstance(draw, dict)
    largest: list[tuple[Statement, dict[str, Any]]] = [
        (session, {"landmarks": ids, "draw": {**draw, "chosen": ids}}),
        (bind, {"contributions": [[each, digests[0]] for each in ids]}),
        (bind, {"absent": ids}),
        (directory, {"operators": digests[:512], "positions": digests}),
    ]
    for of, fields in largest:
        data = of.with_fields({**of.fields(), **fields})
        assert of.read(data)
        assert len(data) < MOST_BYTES - 64 * 110
