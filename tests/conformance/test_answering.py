"""`lightbound conformance --answer`: our own core as an adapter."""

import io
import json

import pytest

from lightbound.conformance.arguments import Arguments
from lightbound.conformance.reference import OPERATIONS, answer, serve
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
        {"do": "key_id", "key": "AA" * 32},
        {"do": "key_id", "key": "aa " * 32},
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


@pytest.mark.parametrize(
    ("name", "argument", "values"),
    [
        ("checked-session", "by_landmark", [None, 1, [], {"xy": {}}, {"00": None}]),
        ("disclose", "commitments", [None, 1, [], {"site": None}, {"site": 1}]),
        ("ready-written", "type", ["zz", "READY", 1]),
        ("ready-written", "round", [70_000, 65_536, -1, True, 1.0]),
        ("ready-written", "handle", ["", "00" * 9]),
        ("ready-written", "key", ["", "00" * 65]),
        ("timed-keys-agent", "seed", ["", "00" * 31]),
        ("chip-proof-0-of-3", "index", [3, -1, 2**63]),
        ("bound-of-six", "round_trips_ns", [[None], [[]], [float("inf")], [True], ["5"], [1.9], [2**63]]),
        ("n0", "contributions", [[None], [5], [["00"]], [["00", "00", "00"]], ["0000"], {}]),
        ("commit-site", "value", [1.5, 2**63, {"a": float("nan")}, "\ud800", {"\ud800": 1}, [[[[[[[[[]]]]]]]]]]),
        ("clock-error-ordinary", "errors", [{"stamp_ns": 0, "rate_ppb": 10**9, "session_ns": 0, "can_pause": False}]),
        ("directory", "threshold", [0, 100, None]),
        ("directory-written", "seeds", [["00"], "00", None]),
        ("ack-written", "seeds", [[], ["00" * 32] * 2]),
        ("bind-written", "seeds", [[], ["00" * 32]]),
    ],
)
def test_an_argument_of_another_type_or_out_of_range_is_unsupported(
    name: str, argument: str, values: list[object]
) -> None:
    operation = VECTORS[name].operation
    assert argument in operation
    assert "result" in answer(operation)
    for value in values:
        told = answer({**operation, argument: value})
        assert told.keys() == {"unsupported"}, value


def test_a_mistake_of_ours_is_not_told_as_a_question_that_cannot_be_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(_: Arguments) -> object:
        return int("a mistake")

    monkeypatch.setitem(OPERATIONS, "key_id", mistaken)
    with pytest.raises(ValueError, match="a mistake"):
        answer(VECTORS["key-id"].operation)


@pytest.mark.parametrize(
    "line",
    ["", "{", "[]", "1", '{"id": [], "do": "fly"}', *(f'{{"id": 2, "do": {"[" * n}{"]" * n}}}' for n in (40, 100_000))],
    ids=["empty", "unfinished", "array", "number", "id", "deep", "deeper"],
)
def test_a_line_that_is_no_object_ends_it(line: str) -> None:
    with pytest.raises(Malformed) as refused:
        serve(io.StringIO(f'{{"id": 1, "do": "fly"}}\n{line}\n'), io.StringIO())
    assert refused.value.faults[0].line == 2
