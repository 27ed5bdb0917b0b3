"""A map is read field by field: each once, of its type and range, and none is left over."""

from collections.abc import Callable
from typing import Any

import pytest

from lightbound.canonical.cbor import Value, encode
from lightbound.canonical.fields import MOST_NS, MOST_TEXT, Fields, integer, is_plain, octets, shown
from lightbound.errors import ErrorCode, Malformed


def refused(read: Callable[[Fields], object], value: Any, *, at: str = "it.f") -> None:
    fields = Fields({"f": value}, "it")
    with pytest.raises(Malformed) as caught:
        read(fields)
    (fault,) = caught.value.faults
    assert fault.code is ErrorCode.STATEMENT_MALFORMED
    assert fault.column == at


def read(how: Callable[[Fields], Any], value: Value) -> Any:
    fields = Fields({"f": value}, "it")
    found = how(fields)
    fields.end()
    return found


def test_both_ends_of_an_integers_range_are_in_it() -> None:
    def number(fields: Fields) -> int:
        return fields.integer("f", least=-2, most=3)

    assert [read(number, value) for value in (-2, 0, 3)] == [-2, 0, 3]
    for value in (-3, 4, True, False, "1", b"1", None, [1]):
        refused(number, value)


def test_an_instant_is_in_nanoseconds_between_1970_and_2200() -> None:
    assert read(lambda fields: fields.instant_ns("f"), MOST_NS) == MOST_NS
    for value in (-1, MOST_NS + 1, None):
        refused(lambda fields: fields.instant_ns("f"), value)


def test_bytes_have_exactly_their_length() -> None:
    assert read(lambda fields: fields.octets("f", 4), bytes(4)) == bytes(4)
    for value in (bytes(3), bytes(5), "four", [0, 0, 0, 0], None):
        refused(lambda fields: fields.octets("f", 4), value)


def test_bytes_or_null_are_either_and_not_left_out() -> None:
    assert read(lambda fields: fields.octets_or_none("f", 4), None) is None
    assert read(lambda fields: fields.octets_or_none("f", 4), bytes(4)) == bytes(4)
    refused(lambda fields: fields.octets_or_none("f", 4), b"")
    with pytest.raises(Malformed, match="expected this field, found none"):
        Fields({}, "it").octets_or_none("f", 4)


def test_a_text_is_printable_and_has_no_space_at_its_ends() -> None:
    for text in ("a", "a b", "\u6771\u4eac", "x" * MOST_TEXT):
        assert read(lambda fields: fields.text("f"), text) == text
    for value in ("", " a", "a ", "a\nb", "\x1b[2J", "\u202ea", "x" * (MOST_TEXT + 1), b"a", 1, None):
        refused(lambda fields: fields.text("f"), value)
    assert read(lambda fields: fields.text("f", least=0), "") == ""


def test_a_boolean_is_no_number() -> None:
    assert read(lambda fields: fields.boolean("f"), True) is True
    for value in (0, 1, None, "true"):
        refused(lambda fields: fields.boolean("f"), value)


def test_items_are_counted_and_each_is_read_under_its_own_path() -> None:
    def numbers(fields: Fields) -> tuple[int, ...]:
        return fields.items("f", integer(0, 9), least=1, most=3)

    assert read(numbers, [3, 3, 1]) == (3, 3, 1)
    wrong: list[Value] = [[], [1, 2, 3, 4], 1, {}, b"\x01"]
    for value in wrong:
        refused(numbers, value)
    refused(numbers, [1, 10], at="it.f[1]")
    refused(numbers, [True], at="it.f[0]")
    refused(lambda fields: fields.items("f", octets(2), most=3), [b"12", b"1"], at="it.f[1]")


def test_a_set_is_written_in_ascending_order_once_each() -> None:
    def names(fields: Fields) -> tuple[bytes, ...]:
        return fields.ascending("f", octets(1), most=3)

    assert read(names, [b"a", b"b"]) == (b"a", b"b")
    assert read(names, []) == ()
    for value in ([b"b", b"a"], [b"a", b"a"]):
        refused(names, value)


def test_a_map_inside_is_read_under_its_own_path() -> None:
    inner = Fields({"f": {"g": 1}}, "it").map("f")
    assert inner.path == "it.f"
    assert inner.integer("g") == 1
    refused(lambda fields: fields.map("f"), [])


def test_digests_have_exactly_their_names() -> None:
    def digests(fields: Fields) -> dict[str, bytes]:
        return fields.digests("f", ("site",))

    assert read(digests, {"site": bytes(32)}) == {"site": bytes(32)}
    refused(digests, {}, at="it.f.site")
    refused(digests, {"site": bytes(31)}, at="it.f.site")
    refused(digests, {"site": bytes(32), "sites": bytes(32)}, at="it.f.sites")


def test_what_is_no_map_has_no_fields() -> None:
    wrong: list[Value] = [[], 1, b"", "a", None, True]
    for value in wrong:
        with pytest.raises(Malformed, match="expected a map"):
            Fields(value, "it")
    assert Fields.of(encode({"f": 1}), "it").integer("f") == 1


def test_an_unknown_field_is_refused() -> None:
    fields = Fields({"f": 1, "g": 2}, "it")
    fields.integer("f")
    with pytest.raises(Malformed) as caught:
        fields.end()
    assert caught.value.faults[0].column == "it.g"


def test_a_field_is_taken_once() -> None:
    fields = Fields({"f": 1}, "it")
    fields.integer("f")
    with pytest.raises(Malformed, match="expected this field, found none"):
        fields.integer("f")


def test_reading_does_not_change_the_map() -> None:
    given: Value = {"f": 1, "g": None}
    fields = Fields(given, "it")
    fields.integer("f")
    fields.octets_or_none("g", 1)
    assert given == {"f": 1, "g": None}


def test_an_error_tells_the_type_and_size_of_a_value_and_never_the_value() -> None:
    told = {
        b"secret": "6 bytes",
        "secret": "a text of 6 characters",
        (1, 2): "an array of 2",
        None: "null",
        7: "7",
        True: "True",
    }
    assert {value: shown(value) for value in told} == told
    assert shown({"a": 1}) == "a map of 1"
    assert shown([1]) == "an array of 1"


def test_plain_means_printable_without_space_at_the_ends() -> None:
    assert is_plain("")
    assert is_plain("a b")
    assert not is_plain("a\u00a0")
    assert not is_plain("a\x00b")
