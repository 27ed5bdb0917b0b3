"""A verdict as it was given, held against the same computed again: every byte of its line, metres within one."""

import json
from collections.abc import Mapping
from typing import Any, Final

from lightbound.errors import ErrorCode, refused

METRES_ALLOWED: Final = 1
"""Metres of a verdict may differ by so much: they are rounded, and machines round last bits otherwise."""

_METRES: Final = frozenset({"margin_m"})


def follows(line: str, again: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """A verdict as it was given, if it follows: equal to what was computed again, metres within one.

    Its line is the one that would be written of it: no key twice, no other order, no space. Two readers of it could
    otherwise read two verdicts.

    Raises:
        Refused: it does not follow; the path names the first field that differs.
    """
    said = _read(line, path)
    try:
        _compare(said, again, path)
        is_as_written = line == line_of(said)
    except RecursionError:
        # Writing brackets within brackets takes a little more room than reading them did.
        raise refused(ErrorCode.NUMBERS_DIFFER, "a verdict as JSON", "another text", f"{path}.line") from None
    if not is_as_written:
        raise refused(ErrorCode.NUMBERS_DIFFER, "the line as it is written", "another of the same fields", path)
    return said


def _read(line: str, path: str) -> Mapping[str, Any]:
    try:
        said = json.loads(line)
    # Thousands of brackets are JSON too, and thousands of digits a number.
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise refused(ErrorCode.NUMBERS_DIFFER, "a verdict as JSON", "another text", f"{path}.line")
    return said


def line_of(said: Mapping[str, Any]) -> str:
    """The one line that a verdict is written as in a bundle."""
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def _compare(said: Any, again: Any, path: str) -> None:
    if isinstance(said, Mapping) and isinstance(again, Mapping):
        if [*said] != [*again]:
            names = ", ".join(sorted(said.keys() ^ again.keys())) or "another order"
            raise refused(ErrorCode.NUMBERS_DIFFER, "the fields that follow", f"otherwise: {names[:256]}", path)
        for name in said:
            if name in _METRES and _agree(said[name], again[name]):
                continue
            _compare(said[name], again[name], f"{path}.{name}")
        return
    # By their texts, for 1, 1.0 and true are equal to each other, and NaN to nothing.
    if (written := line_of(said)) != (expected := line_of(again)):
        raise refused(ErrorCode.NUMBERS_DIFFER, f"{expected}, which follows", written[:256], path)


def _agree(said: object, again: object) -> bool:
    # A truth value is an int to Python and no distance.
    return type(said) is int and type(again) is int and abs(said - again) <= METRES_ALLOWED
