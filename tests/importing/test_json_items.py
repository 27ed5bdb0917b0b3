"""Items are told apart as the JSON reader of the standard library tells them, and what is malformed costs no other."""

import bz2
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.files.importing import json_items as subject
from lightbound.files.importing.dropped import EXAMPLES_KEPT, Reason, Tally
from lightbound.files.importing.json_items import json_items
from lightbound.files.importing.sources import opened

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def read(path: Path, content: bytes | str, **options: Any) -> tuple[list[Any], Tally]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    tally = Tally()
    with opened(path, tally) as source:
        return [item for _, item in json_items(source, tally, **options)], tally


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results"


@given(values=st.lists(VALUES), indent=st.none() | st.integers(0, 3))
def test_an_array_gives_the_items_that_were_written(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any], indent: int | None
) -> None:
    path = tmp_path_factory.getbasetemp() / "array.json"
    items, tally = read(path, json.dumps(values, indent=indent, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    if not tally.counts:
        assert items == values
        assert tally.items == len(values)
    else:  # only a lone surrogate, written as it stands, is not UTF-8
        assert tally.counts[Reason.MALFORMED] == sum("\\ud" in json.dumps(value) for value in values)


@given(values=st.lists(VALUES.filter(lambda value: not isinstance(value, list)), min_size=1))
def test_lines_give_the_items_that_were_written(tmp_path_factory: pytest.TempPathFactory, values: list[Any]) -> None:
    path = tmp_path_factory.getbasetemp() / "lines.json"
    items, tally = read(path, "".join(json.dumps(value) + "\n" for value in values))
    assert (items, tally.counts) == (values, {})


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, bytes])
def test_packed_files_are_told_by_their_first_bytes(path: Path, pack: Any) -> None:
    assert read(path, pack(b'[{"a": 1}, {"b": 2}]'))[0] == [{"a": 1}, {"b": 2}]


def test_items_are_the_same_wherever_pieces_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = [{"text": 'é€\U0001f600\\"[{' * 3, "number": index, "list": [[], {}]} for index in range(40)]
    content = json.dumps(values, ensure_ascii=False, indent=1)
    monkeypatch.setattr(subject, "LONGEST_ITEM", 200)
    for piece_bytes in range(1, 60):
        monkeypatch.setattr(subject, "PIECE_BYTES", piece_bytes)
        monkeypatch.setattr("lightbound.files.importing.sources.PIECE_BYTES", piece_bytes)
        items, tally = read(path, content)
        assert (items, tally.counts) == (values, {}), piece_bytes


@pytest.mark.parametrize(
    "wrong",
    [
        '{"rtt": NaN}',
        '{"rtt": 1.2.3}',
        '{"a": 1 "b": 2}',
        '{"a": [1, {"b": tru}], "c": "},{"}',
        '"text with a \n line break"',
        "nonsense",
        '{"a": 1} {"b": 2}',
        "",
        "9" * 5000,
        "[" * 100_000 + "]" * 100_000,
    ],
    ids=lambda wrong: wrong[:20],
)
def test_a_malformed_item_of_an_array_costs_no_other(path: Path, wrong: str) -> None:
    items, tally = read(path, f'[{{"n": 1}}, {wrong}, {{"n": 2}}, {wrong}]')
    assert items == [{"n": 1}, {"n": 2}]
    assert tally.counts == {Reason.MALFORMED: 2}
    assert [(example.where.item, example.where.line) for example in tally.examples] == [(2, None), (4, None)]
    assert tally.items == 4


@pytest.mark.parametrize("wrong", ['{"rtt": NaN}', "{", '"', "nonsense", "[1, 2", "[" * 100_000, "1 2"])
def test_a_malformed_line_costs_no_other(path: Path, wrong: str) -> None:
    items, tally = read(path, f'{{"n": 1}}\n{wrong}\n\n{{"n": 2}}\r\n')
    assert items == [{"n": 1}, {"n": 2}]
    assert [(example.where.item, example.where.line) for example in tally.examples] == [(None, 2)]


@pytest.mark.parametrize("content", [b'[{"a": "\xff"}, {"b": 2}]', b'{"a": "\xff"}\n{"b": 2}\n'])
def test_bytes_that_are_not_utf8_spoil_the_item_that_holds_them(path: Path, content: bytes) -> None:
    items, tally = read(path, content)
    assert items == [{"b": 2}]
    assert "not UTF-8" in str(tally.examples[0])


@pytest.mark.parametrize(
    ("content", "believed"),
    [
        ('[{"n": 1}, {"n": 2', 1),
        ('[{"n": 1},', 1),
        ('[{"n": 1}', 0),  # what follows the item might still belong to it
        ("[", 0),
        ('[{"n": 1}] and more', 1),
        ('[{"n": 1}, {"n": "2}, {"n": 3}]', 1),
        ('[{"n": 1}, }, {"n": 3}]', 1),
    ],
)
def test_the_rest_of_a_broken_array_is_counted_and_not_believed(path: Path, content: str, believed: int) -> None:
    items, tally = read(path, content)
    assert items == [{"n": 1}][:believed]
    assert tally.counts == {Reason.UNREADABLE: 1}


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_a_packed_file_that_was_cut_off_is_counted_once_and_gives_what_it_holds(path: Path, pack: Any) -> None:
    whole = pack(b"\n".join(b'{"n": %d}' % number for number in range(60_000)))
    items, tally = read(path, whole[: len(whole) // 2])
    assert items == [{"n": number} for number in range(len(items))]
    assert tally.counts == {Reason.UNREADABLE: 1}


def test_arrays_one_after_the_other_are_read_as_one(path: Path) -> None:
    items, tally = read(path, "[1, 2]\n[]\n [3]\n")
    assert (items, tally.counts) == ([1, 2, 3], {})


def test_a_byte_order_mark_is_no_part_of_the_first_item(path: Path) -> None:
    for content in ("[1]", "1\n"):
        assert read(path, "\ufeff" + content)[0] == [1]


@pytest.mark.parametrize("content", ["", " \n\r\n", "[]", "[ ]\n"])
def test_an_empty_file_has_no_items(path: Path, content: str) -> None:
    items, tally = read(path, content)
    assert (items, tally.counts, tally.items) == ([], {}, 0)


def test_messages_of_the_stream_are_lines_although_they_begin_like_an_array(path: Path) -> None:
    items, _ = read(path, '["atlas_subscribed", {}]\n["atlas_result", {"n": 1}]\n')
    assert items == [["atlas_subscribed", {}], ["atlas_result", {"n": 1}]]


@pytest.mark.parametrize(
    "content", ['{"count": 2, "next": null, "results": [1, 2]}', '{"results": [1, 2], "meta": {"results": [3]}}']
)
def test_an_array_inside_an_object_is_found_by_its_name(path: Path, content: str) -> None:
    items, tally = read(path, content, array_in=("results", "objects"))
    assert (items, tally.counts) == ([1, 2], {})


@pytest.mark.parametrize("content", ['{"count": 2}', '{"results": 3}', '{"a": nonsense', "{", '{"a"}', '{"results"'])
def test_an_object_without_the_array_is_unreadable(path: Path, content: str) -> None:
    items, tally = read(path, content, array_in=("results", "objects"))
    assert items == []
    assert tally.counts == {Reason.UNREADABLE: 1}
    assert "an array named results or objects" in str(tally.examples[0])


def test_a_line_that_is_too_long_costs_no_other(path: Path) -> None:
    items, tally = read(path, '{"n": 1}\n{"n": "' + "x" * 3_000_000 + '"}\n{"n": 2}\n{"n": "' + "x" * 2_000_000)
    assert items == [{"n": 1}, {"n": 2}]
    assert [example.where.line for example in tally.examples] == [2, 4]


def test_an_item_without_an_end_takes_no_memory(path: Path) -> None:
    items, tally = read(path, '[{"n": 1}, {"n": "' + "x" * 10_000_000 + '"}, {"n": 2}]')
    assert items == [{"n": 1}]
    assert tally.counts[Reason.UNREADABLE] == 1


def test_all_malformed_items_are_counted_and_the_first_are_kept(path: Path) -> None:
    _, tally = read(path, "[" + ",".join(["nonsense"] * 100) + "]")
    assert tally.counts == {Reason.MALFORMED: 100}
    assert [example.where.item for example in tally.examples] == list(range(1, EXAMPLES_KEPT + 1))
