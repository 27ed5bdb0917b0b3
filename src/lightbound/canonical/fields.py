"""A decoded map read field by field: every field is taken once, has its type and range, and none is left over."""

import operator
import re
from collections.abc import Callable
from typing import Final, TypeVar

from lightbound.canonical.cbor import Value, decode
from lightbound.errors import ErrorCode, Malformed, malformed

T = TypeVar("T")

_HIDDEN: Final = re.compile(
    "[\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufe00-\ufe0f\ufeff"
    "\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""Characters that show nothing, move what is shown, or pass for a space. A name with one could pass for another."""

MOST_NS: Final = 7_258_118_400_000_000_000
"""The year 2200, in nanoseconds since 1970: later times are mistakes of units."""

MOST_TEXT: Final = 256
"""Characters of a text in a statement: names and versions, no prose."""


class Fields:
    """A map being read. A method takes the field it names or raises `Malformed` with its path; `end` refuses others."""

    __slots__ = ("_left", "path")

    def __init__(self, value: Value, path: str) -> None:
        """Begin to read a map."""
        if not isinstance(value, dict):
            raise malformed(ErrorCode.STATEMENT_MALFORMED, "a map", shown(value), path)
        self._left = dict(value)
        self.path = path

    @classmethod
    def of(cls, payload: bytes, path: str) -> "Fields":
        """The fields of an encoded map."""
        return cls(decode(payload, what=path), path)

    def end(self) -> None:
        """Refuse what was not taken."""
        for name in self._left:
            raise malformed(ErrorCode.STATEMENT_MALFORMED, "no such field", "one", f"{self.path}.{name}")

    def integer(self, name: str, *, least: int = 0, most: int = 2**63 - 1) -> int:
        """An integer of a range, both ends included."""
        value = self._take(name)
        if type(value) is not int or not least <= value <= most:
            raise self._wrong(name, f"an integer from {least} to {most}", value)
        return value

    def instant_ns(self, name: str) -> int:
        """Nanoseconds since 1970-01-01 UTC, before the year 2200."""
        return self.integer(name, most=MOST_NS)

    def octets(self, name: str, length: int) -> bytes:
        """A byte string of exactly this length."""
        value = self._take(name)
        if type(value) is not bytes or len(value) != length:
            raise self._wrong(name, f"{length} bytes", value)
        return value

    def octets_or_none(self, name: str, length: int) -> bytes | None:
        """A byte string of exactly this length, or null."""
        if self._left.get(name, b"") is None:
            del self._left[name]
            return None
        return self.octets(name, length)

    def text(self, name: str, *, least: int = 1, most: int = MOST_TEXT) -> str:
        """A printable text, without space at either end."""
        value = self._take(name)
        if type(value) is not str or not is_plain(value) or not least <= len(value) <= most:
            raise self._wrong(name, f"{least} to {most} printable characters", value)
        return value

    def boolean(self, name: str) -> bool:
        """True or false."""
        value = self._take(name)
        if type(value) is not bool:
            raise self._wrong(name, "true or false", value)
        return value

    def items(self, name: str, of: Callable[[Value, str], T], *, least: int = 0, most: int) -> tuple[T, ...]:
        """An array, each item read by `of`, which is given the item and its path."""
        value = self._take(name)
        if type(value) is not list or not least <= len(value) <= most:
            raise self._wrong(name, f"an array of {least} to {most}", value)
        path = f"{self.path}.{name}"
        try:
            return tuple([of(item, path) for item in value])
        except Malformed:
            # Once more, to say which one it was: long arrays are mostly right, and a path for each would cost.
            return tuple([of(item, f"{path}[{i}]") for i, item in enumerate(value)])

    def ascending(self, name: str, of: Callable[[Value, str], T], *, least: int = 0, most: int) -> tuple[T, ...]:
        """An array in ascending order without repetition, as sets are written."""
        read = self.items(name, of, least=least, most=most)
        if not all(map(operator.lt, read, read[1:])):  # type: ignore[arg-type] # whatever `of` reads can be ordered
            path = f"{self.path}.{name}"
            raise malformed(ErrorCode.STATEMENT_MALFORMED, "items in ascending order, once each", "another order", path)
        return read

    def map(self, name: str) -> "Fields":
        """A map inside this one."""
        return Fields(self._take(name), f"{self.path}.{name}")

    def map_or_none(self, name: str) -> "Fields | None":
        """A map inside this one, or null."""
        value = self._take(name)
        return None if value is None else Fields(value, f"{self.path}.{name}")

    def value(self, name: str) -> Value:
        """Whatever stands there, of any type."""
        return self._take(name)

    def digests(self, name: str, names: tuple[str, ...]) -> dict[str, bytes]:
        """A map of 32-byte digests with exactly these names."""
        inside = self.map(name)
        read = {key: inside.octets(key, 32) for key in names}
        inside.end()
        return read

    def _take(self, name: str) -> Value:
        if name not in self._left:
            raise malformed(ErrorCode.STATEMENT_MALFORMED, "this field", "none", f"{self.path}.{name}")
        return self._left.pop(name)

    def _wrong(self, name: str, expected: str, value: Value) -> Malformed:
        return malformed(ErrorCode.STATEMENT_MALFORMED, expected, shown(value), f"{self.path}.{name}")


def octets(length: int) -> Callable[[Value, str], bytes]:
    """A reader of items that are byte strings of one length."""

    def read(value: Value, path: str) -> bytes:
        if type(value) is not bytes or len(value) != length:
            raise malformed(ErrorCode.STATEMENT_MALFORMED, f"{length} bytes", shown(value), path)
        return value

    return read


def integer(least: int, most: int) -> Callable[[Value, str], int]:
    """A reader of items that are integers of a range."""

    def read(value: Value, path: str) -> int:
        if type(value) is not int or not least <= value <= most:
            raise malformed(ErrorCode.STATEMENT_MALFORMED, f"an integer from {least} to {most}", shown(value), path)
        return value

    return read


def is_plain(text: str) -> bool:
    """Whether a text can be shown as it is: no control or formatting characters, no space but U+0020 and not at an end.

    By a list of its own: what Python takes for printable changes with the edition of Unicode that it was built with.
    """
    return _HIDDEN.search(text) is None and text == text.strip(" ")


def shown(value: object) -> str:
    """A value as an error shows it: its type and size. Never what it holds, which may be secret."""
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, str):
        return f"a text of {len(value)} characters"
    if isinstance(value, list | tuple):
        return f"an array of {len(value)}"
    if isinstance(value, dict):
        return f"a map of {len(value)}"
    return "null" if value is None else repr(value)
