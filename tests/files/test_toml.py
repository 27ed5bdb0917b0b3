"""TOML that people edit is read strictly, and every error names the file and the key."""

import tomllib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lightbound.errors import ErrorCode, Fault, Malformed, Unavailable
from lightbound.files.toml import MOST_BYTES, TomlTable, array, quoted


def _table(folder: Path, text: str) -> TomlTable:
    file = folder / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return TomlTable.read(file)


def _fault(of: Callable[[], object]) -> Fault:
    with pytest.raises(Malformed) as caught:
        of()
    (fault,) = caught.value.faults
    assert fault.code is ErrorCode.SETTING_MALFORMED
    return fault


def test_every_kind_of_value_reads_back(tmp_path: Path) -> None:
    table = _table(
        tmp_path,
        'format = "f/1"\nname = "a b"\ncount = 3\non = true\nkey = "00ff"\nkeys = ["01", "02"]\nnames = ["x"]\n'
        "[inside]\nx = 1\n[[each]]\ny = 1\n[[each]]\ny = 2\n",
    )
    table.format("f/1")
    assert (table.text("name"), table.integer("count"), table.boolean("on")) == ("a b", 3, True)
    assert table.octets("key", 2) == b"\x00\xff"
    assert table.octets_array("keys", 1) == (b"\x01", b"\x02")
    assert table.texts("names") == ("x",)
    assert table.text_or_none("other") is None
    inside = table.table("inside")
    assert inside.integer("x") == 1
    assert [each.integer("y") for each in table.tables("each")] == [1, 2]
    assert table.tables("none") == ()
    inside.end()
    table.end()


@pytest.mark.parametrize(
    ("text", "take", "key"),
    [
        ("", lambda table: table.text("name"), "name"),
        ("name = 1", lambda table: table.text("name"), "name"),
        ('name = ""', lambda table: table.text("name"), "name"),
        ('name = " a"', lambda table: table.text("name"), "name"),
        ('name = "a\\u202eb"', lambda table: table.text("name"), "name"),
        ("count = true", lambda table: table.integer("count"), "count"),
        ("count = 1.0", lambda table: table.integer("count"), "count"),
        ("count = 9", lambda table: table.integer("count", most=8), "count"),
        ("on = 1", lambda table: table.boolean("on"), "on"),
        ('key = "0g"', lambda table: table.octets("key", 1), "key"),
        ('key = "AA"', lambda table: table.octets("key", 1), "key"),
        ('key = "0000"', lambda table: table.octets("key", 1), "key"),
        ('keys = ["00", "0"]', lambda table: table.octets_array("keys", 1), "keys[1]"),
        ("keys = []", lambda table: table.octets_array("keys", 1, least=1), "keys"),
        ("names = ['a', 2]", lambda table: table.texts("names"), "names[1]"),
        ("inside = 1", lambda table: table.table("inside"), "inside"),
        ("[inside]\n", lambda table: table.table("inside").text("x"), "inside.x"),
        ("[[each]]\n[[each]]\nz = 1\n", lambda table: table.tables("each")[1].end(), "each[1].z"),
        ("each = [1]", lambda table: table.tables("each"), "each[0]"),
        ("each = 1", lambda table: table.tables("each"), "each"),
        ("more = 1", lambda table: table.end(), "more"),
        ("'m\\nore' = 1", lambda table: table.end(), "m\\nore"),
        ('"m\\u001bore" = 1', lambda table: table.end(), "m?ore"),
        ("format = 'f/2'", lambda table: table.format("f/1"), "format"),
        ("", lambda table: table.format("f/1"), "format"),
    ],
)
def test_what_is_wrong_names_file_and_key(
    tmp_path: Path, text: str, take: Callable[[TomlTable], object], key: str
) -> None:
    table = _table(tmp_path, text)
    fault = _fault(lambda: take(table))
    assert (fault.file, fault.column) == (str(tmp_path / "settings.toml"), key)


@pytest.mark.parametrize(
    "text", ["a = ", "a = 1\na = 2", "[[", "a = " + "[" * 5_000, "a = 1" + "0" * 5_000, "#" * MOST_BYTES + "#"]
)
def test_what_is_no_toml_names_the_file(tmp_path: Path, text: str) -> None:
    assert _fault(lambda: _table(tmp_path, text)).file == str(tmp_path / "settings.toml")


def test_a_file_that_is_missing_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        TomlTable.read(tmp_path / "none.toml")
    assert caught.value.faults[0].code is ErrorCode.READ_FAILED


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_any_bytes_are_a_table_or_malformed(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "any.toml"
    file.write_bytes(data)
    with suppress(Malformed):
        TomlTable.read(file).end()


@given(
    text=st.text(st.characters(exclude_categories=["Cs"])),
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]))),
)
def test_a_text_that_is_written_reads_back(text: str, texts: list[str]) -> None:
    assert tomllib.loads(f"a = {quoted(text)}\nb = {array(texts)}\n") == {"a": text, "b": texts}


def test_a_key_that_was_misspelt_is_told_beside_the_one_that_is_missing(tmp_path: Path) -> None:
    table = _table(tmp_path, "[directory]\ntreshold = 2\n").table("directory")
    fault = _fault(lambda: table.integer("threshold"))
    assert (fault.column, fault.found) == ("directory.threshold", "none, but `treshold`")
    assert _fault(lambda: _table(tmp_path, "other = 2\n").integer("threshold")).found == "none"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("{ x = 1 }", "a table of 1"),
        ("2026-01-01", "a date or a time"),
        ("2026-01-01T00:00:00Z", "a date or a time"),
        ("[1]", "an array of 1"),
        ("true", "true"),
    ],
)
def test_what_stands_instead_is_called_as_toml_calls_it(tmp_path: Path, value: str, found: str) -> None:
    assert _fault(lambda: _table(tmp_path, f"name = {value}\n").text("name")).found == found
