"""Questions with one thing in them spoilt: whatever it is, they are answered, refused or told to be none."""

import json
import random
from collections.abc import Iterator
from typing import Final

import pytest

from lightbound.conformance.arguments import Json
from lightbound.conformance.reference import OPERATIONS, answer
from lightbound.conformance.vectors import read_vectors

EACH: Final = 120
"""Questions of every operation: 3,000 together."""

VECTORS: Final = {
    do: [vector.operation for vector in read_vectors() if vector.operation["do"] == do] for do in sorted(OPERATIONS)
}
NESTED: Final[Json] = json.loads("[" * 200 + "]" * 200)
SPOILT: Final[tuple[Json, ...]] = (
    None, True, False, 0, 1, -1, 1.5, float("nan"), float("inf"), 2**16, 2**31, 2**63 - 1, -(2**63), 2**63, 2**64,
    -(2**64), 10**400, "", "x", "5", "0", "00", "00" * 32, "ff" * 64, "00" * 70_000, "AA", "\u0660", "\ud800", [],
    [None], [[]], [0], ["00"], ["00", "00"], {}, {"": None}, {"00": {}}, {"\ud800": 0}, NESTED, {"a": NESTED},
)  # fmt: skip
Path = tuple[str | int, ...]


def _places(given: Json, path: Path = ()) -> Iterator[Path]:
    """Where something stands in a question, however deep."""
    items = given.items() if isinstance(given, dict) else enumerate(given) if isinstance(given, list) else ()
    for name, item in items:
        yield (*path, name)
        yield from _places(item, (*path, name))


def _spoilt(given: Json, path: Path, dice: random.Random) -> Json:
    """The question with what stands at one place replaced, left out, or put beside something else."""
    name, *rest = path
    copy: Json = given.copy()
    if rest:
        copy[name] = _spoilt(given[name], tuple(rest), dice)
        return copy
    how = dice.randrange(10)
    if how == 0:
        del copy[name]
    elif how == 1 and isinstance(copy, dict):
        copy["more"] = dice.choice(SPOILT)
    elif how == 1:
        copy.insert(name, dice.choice((*SPOILT, given[name])))
    elif how == 2 and type(given[name]) is int:
        copy[name] = given[name] + dice.choice((-(2**62), -1, 1, 2**62))
    elif how == 2 and isinstance(given[name], str):
        copy[name] = given[name][dice.choice((1, 2)) :]
    else:
        copy[name] = dice.choice(SPOILT)
    return copy


@pytest.mark.parametrize("do", sorted(OPERATIONS))
def test_a_question_with_one_thing_spoilt_is_answered_refused_or_none(do: str) -> None:
    dice = random.Random(f"spoilt {do}")
    ended = set()
    for _ in range(EACH):
        question = dice.choice(VECTORS[do])
        spoilt = _spoilt(question, dice.choice([path for path in _places(question) if path != ("do",)]), dice)
        told = answer(spoilt)
        (kind,) = told
        ended.add(kind)
        assert kind in ("result", "refusal", "unsupported")
        json.dumps(told, allow_nan=False)
    assert "unsupported" in ended
