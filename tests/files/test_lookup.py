"""Finding ids in a long list says what a dictionary would say."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from lightbound.files.lookup import Lookup, _fingerprints

TEXTS = st.text(alphabet="ab\x00é", max_size=20) | st.text(max_size=20)


@given(st.lists(TEXTS, unique=True, max_size=30), st.lists(TEXTS | st.none(), max_size=30), st.data())
def test_lookup_finds_what_a_dictionary_finds(known: list[str], asked: list[str | None], data: st.DataObject) -> None:
    asked = asked + (data.draw(st.lists(st.sampled_from(known), max_size=10)) if known else [])
    places = {text: place for place, text in enumerate(known)}
    expected = [places.get(text, -1) if text is not None else -1 for text in asked]
    array = pa.array(["before", *asked], pa.string()).slice(1)
    assert Lookup(known).places(array).tolist() == expected


def test_texts_of_one_fingerprint_are_told_apart() -> None:
    """The multiplication can be undone, so such texts can be made; the second word makes up for the first."""
    one, other = "aaaaaaaabbbbbbbb", _twin_of("aaaaaaaabbbbbbbb")
    prints = _fingerprints(pa.array([one, other], pa.large_string()))
    assert prints[0] == prints[1]
    assert Lookup([one, other]).places(pa.array([other, one, "c"])).tolist() == [1, 0, -1]
    assert Lookup([one]).places(pa.array([other, one])).tolist() == [-1, 0]


def _twin_of(text: str) -> str:
    """Another ASCII text of 16 characters with the same fingerprint."""
    goal = _words_after_first(text)
    for trial in range(1 << 22):
        first = f"{trial:08x}"
        second = int(_words_after_first(first + "\x00" * 8)) ^ int(goal) ^ int.from_bytes(text[8:].encode(), "little")
        candidate = second.to_bytes(8, "little")
        if candidate.isascii():
            return first + candidate.decode()
    raise AssertionError("no twin among the first millions")


def _words_after_first(text: str) -> np.uint64:
    """What the first word of a text of 16 bytes has become when the second one meets it."""
    multiplier = 0x9E3779B97F4A7C15
    state = ((16 ^ int.from_bytes(text[:8].encode(), "little")) * multiplier) % (1 << 64)
    return np.uint64(state ^ (state >> 29))
