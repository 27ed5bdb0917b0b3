"""Where an answer differs is told as the first place at which it does."""

import pytest

from lightbound.conformance.arguments import Json
from lightbound.conformance.comparison import Difference, difference

REFUSAL = {"refusal": {"class": "malformed", "codes": ["cbor_malformed", "cbor_not_deterministic"]}}


@pytest.mark.parametrize(
    "answer", [{"result": {"a": [1, "x", None, True]}}, {"result": {}}, {"result": {"moves": [{"result": {}}]}}]
)
def test_what_is_expected_is_no_difference(answer: Json) -> None:
    assert difference(answer, answer) is None


@pytest.mark.parametrize("code", ["cbor_malformed", "cbor_not_deterministic"])
def test_a_refusal_may_have_any_code_that_will_do(code: str) -> None:
    assert difference(REFUSAL, {"refusal": {"class": "malformed", "code": code}}) is None


def test_only_a_class_with_codes_is_a_refusal() -> None:
    for expected in ({"codes": ["x"]}, {"class": "a", "codes": ["x"], "more": 1}, {"class": "a", "code": "x"}):
        assert difference({"result": expected}, {"result": expected}) is None
        told = difference({"result": expected}, {"result": {"class": "a", "code": "y"}})
        assert told is not None
        assert told.path.startswith("result.")


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        ({"refusal": {"class": "malformed", "code": "cose_malformed"}}, "malformed (cose_malformed)"),
        ({"refusal": {"class": "refused", "code": "cbor_malformed"}}, "refused (cbor_malformed)"),
        ({"refusal": "no"}, "no"),
        ({"result": {}}, "nothing"),
        ({}, "nothing"),
    ],
)
def test_another_refusal_or_none_differs(found: Json, shown: str) -> None:
    told = difference(REFUSAL, found)
    assert told is not None
    assert (told.path, told.found) == ("refusal", shown)
    assert told.expected == "malformed (cbor_malformed or cbor_not_deterministic)"


@pytest.mark.parametrize(
    ("expected", "found", "path"),
    [
        ({"result": {"a": 1}}, {"result": {"a": 2}}, "result.a"),
        ({"result": {"a": 1}}, {"result": {"a": True}}, "result.a"),
        ({"result": {"a": 1}}, {"result": {"a": 1.0}}, "result.a"),
        ({"result": {"a": None}}, {"result": {}}, "result.a"),
        ({"result": {}}, {"result": {"b": 1}}, "result.b"),
        ({"result": {"a": [1, 2]}}, {"result": {"a": [1, 3]}}, "result.a[1]"),
        ({"result": {"a": [1, 2]}}, {"result": {"a": [1]}}, "result.a"),
        ({"result": {"a": []}}, {"result": {"a": {}}}, "result.a"),
        ({"result": {"moves": [{"result": {}}]}}, {"result": {"moves": [{"refusal": {}}]}}, "result.moves[0].result"),
        ({"result": {}}, {"unsupported": "x"}, "result"),
        ({"result": {}}, {"result": {}, "more": 1}, "more"),
    ],
)
def test_the_first_place_that_differs_is_named(expected: Json, found: Json, path: str) -> None:
    told = difference(expected, found)
    assert told is not None
    assert told.path == path


def test_long_bytes_are_shown_from_where_they_part() -> None:
    told = difference({"data": "00" * 300}, {"data": "00" * 100 + "0f" + "00" * 199})
    assert told == Difference(
        path="data from byte 100",
        expected=f"...{'00' * 24}... (300 bytes)",
        found=f"...0f{'00' * 23}... (300 bytes)",
    )
    told = difference({"data": "00" * 300}, {"data": "00" * 299})
    assert told is not None
    assert told.path == "data from byte 299"
