"""Whether an answer is the expected one, and if not, where the two part."""

from dataclasses import dataclass
from typing import Final, TypeGuard

from lightbound.conformance.arguments import Json

SHOWN: Final = 48
"""Characters of a value that are shown; a statement has hundreds."""

_ABSENT: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first place at which an answer is not the expected one."""

    path: str
    """As `result.moves[3].result.close`."""
    expected: str
    found: str


def difference(expected: Json, found: Json, path: str = "") -> Difference | None:
    """Where an answer differs from the expected one; None where it does not.

    Where a refusal is expected, its class must be the same and its code one of those listed: some faults of an
    encoding can be told in two ways. Texts of errors are nobody's business.
    """
    if is_refusal(expected):
        return _refusal(expected, found, path)
    if isinstance(expected, dict) and isinstance(found, dict):
        return _of_objects(expected, found, path)
    if isinstance(expected, list) and isinstance(found, list):
        return _of_arrays(expected, found, path)
    # 1 and true are equal in Python, and not in JSON.
    if type(expected) is type(found) and expected == found:
        return None
    if isinstance(expected, str) and isinstance(found, str) and max(len(expected), len(found)) > SHOWN:
        return _parting(expected, found, path)
    return Difference(path=path, expected=_shown(expected), found=_shown(found))


def is_refusal(expected: Json) -> TypeGuard[dict[str, Json]]:
    """Whether an expectation, or a part of one, is a refusal: a class, and the codes that will do."""
    return isinstance(expected, dict) and expected.keys() == {"class", "codes"}


def _of_objects(expected: dict[str, Json], found: dict[str, Json], path: str) -> Difference | None:
    for name in [*expected, *(name for name in found if name not in expected)]:
        inside = difference(expected.get(name, _ABSENT), found.get(name, _ABSENT), f"{path}.{name}".lstrip("."))
        if inside is not None:
            return inside
    return None


def _of_arrays(expected: list[Json], found: list[Json], path: str) -> Difference | None:
    for number, (one, other) in enumerate(zip(expected, found, strict=False)):
        inside = difference(one, other, f"{path}[{number}]")
        if inside is not None:
            return inside
    if len(expected) != len(found):
        return Difference(path=path, expected=f"{len(expected)} items", found=f"{len(found)}")
    return None


def _refusal(expected: Json, found: Json, path: str) -> Difference | None:
    told = (found.get("class"), found.get("code")) if isinstance(found, dict) else (None, None)
    if told[0] == expected["class"] and told[1] in expected["codes"]:
        return None
    one_of = " or ".join(expected["codes"])
    shown = f"{told[0]} ({told[1]})" if told != (None, None) else _shown(found)
    return Difference(path=path, expected=f"{expected['class']} ({one_of})", found=shown)


def _parting(expected: str, found: str, path: str) -> Difference:
    """Two long texts from where they part. In hexadecimal two characters are one byte."""
    same = next((i for i, (one, other) in enumerate(zip(expected, found, strict=False)) if one != other), None)
    at = min(len(expected), len(found)) if same is None else same
    at -= at % 2

    def cut(text: str) -> str:
        rest = text[at : at + SHOWN]
        return f"{'...' if at else ''}{rest}{'...' if len(text) > at + SHOWN else ''} ({len(text) // 2} bytes)"

    return Difference(path=f"{path} from byte {at // 2}", expected=cut(expected), found=cut(found))


def _shown(value: object) -> str:
    if value is _ABSENT:
        return "nothing"
    text = str(value) if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
