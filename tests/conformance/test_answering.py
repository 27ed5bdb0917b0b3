"""`lightbound conformance --answer`: our own core as an adapter."""

import io
import json

import pytest

from lightbound.conformance.reference import answer, serve
from lightbound.conformance.vectors import read_vectors
from lightbound.errors import Malformed

VECTORS = {vector.name: vector for vector in read_vectors()}


def _said(*lines: object) -> list[dict[str, object]]:
    answers = io.StringIO()
    serve(io.StringIO("".join(f"{json.dumps(line)}\n" for line in lines)), answers)
    return [json.loads(line) for line in answers.getvalue().splitlines()]


def test_each_line_is_answered_with_a_line_that_has_its_id() -> None:
    ask = VECTORS["key-id"].operation
    said = _said({"id": 7, **ask}, {"id": "x", **VECTORS["key-id-short"].operation})
    assert said == [
        {"id": 7, **VECTORS["key-id"].expect},
        {"id": "x", "refusal": {"class": "malformed", "code": "key_malformed"}},
    ]


@pytest.mark.parametrize(
    "operation",
    [
        {},
        {"do": 1},
        {"do": "fly"},
        {"do": "key_id"},
        {"do": "key_id", "key": 1},
        {"do": "key_id", "key": "xy"},
        {"do": "read", "statement": "poem", "data": "", "keys": []},
        {"do": "read", "statement": "session", "data": "", "keys": []},
        {"do": "write", "statement": "ack", "fields": {"sid": 1}, "seeds": ["00" * 32]},
        {"do": "write", "statement": "ack", "fields": [], "seeds": ["00" * 32]},
        {"do": "clock_error", "errors": {"stamp_ns": True}, "round_trip_ns": 1},
        {"do": "breaks", "statements": {}},
        {"do": "fault_units", "axes": ["colour"], "landmarks": []},
    ],
)
def test_what_is_no_operation_is_unsupported_and_nothing_else(operation: dict[str, object]) -> None:
    assert answer(operation).keys() == {"unsupported"}


@pytest.mark.parametrize("name", ["landmark-session", "agent-session"])
def test_moves_that_there_are_not_or_not_yet_are_unsupported(name: str) -> None:
    operation = VECTORS[name].operation
    later = [move for move in operation["moves"] if move["move"] in ("packet", "bind")]
    wrong: list[list[dict[str, object]]] = [[{"move": "fly"}], later, [{"move": "__init__"}], [{}]]
    for moves in wrong:
        assert answer({**operation, "moves": moves}).keys() == {"unsupported"}


@pytest.mark.parametrize("line", ["", "{", "[]", "1"])
def test_a_line_that_is_no_object_ends_it(line: str) -> None:
    with pytest.raises(Malformed) as refused:
        serve(io.StringIO(f'{{"id": 1, "do": "fly"}}\n{line}\n'), io.StringIO())
    assert refused.value.faults[0].line == 2
