"""A TOML table read key by key: every key is taken once, has its type and range, and none is left over."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeVar

from lightbound.canonical.fields import is_plain
from lightbound.errors import ErrorCode, Fault, Malformed

Word = TypeVar("Word", bound=StrEnum)

MOST_TEXT: Final = 1_000


class Table:
    """A table being read. Errors name the file and the path of the key."""

    __slots__ = ("_left", "file", "path")

    def __init__(self, values: Mapping[str, Any], *, file: str, path: str = "") -> None:
        """Begin to read a table."""
        self._left, self.file, self.path = dict(values), file, path

    def end(self) -> None:
        """Refuse what was not taken."""
        for key in self._left:
            raise self.wrong(key, "no such key", "one", "remove it, or look for a misspelling")

    def has(self, key: str) -> bool:
        """Whether there is such a key still to be taken."""
        return key in self._left

    def text(self, key: str, default: str | None = None, *, most: int = MOST_TEXT) -> str:
        """A printable text that is not empty, without space at either end."""
        value = self._take(key, default)
        if not isinstance(value, str) or not 1 <= len(value) <= most or not is_plain(value):
            raise self.wrong(key, f"a text of 1 to {most:,} printable characters", _shown(value))
        return value

    def integer(self, key: str, *, least: int, most: int, default: int | None = None) -> int:
        """A whole number of a range."""
        value = self._take(key, default)
        if type(value) is not int or not least <= value <= most:
            raise self.wrong(key, f"a whole number from {least:,} to {most:,}", _shown(value))
        return value

    def number(self, key: str, *, least: float, most: float, default: float | None = None) -> float:
        """A number of a range."""
        return self._number(key, self._take(key, default), least, most)

    def range(self, key: str, *, least: float, most: float, default: tuple[float, float]) -> tuple[float, float]:
        """Two numbers, the smaller one first."""
        value = self._take(key, list(default))
        if not isinstance(value, list) or len(value) != 2:
            raise self.wrong(key, "two numbers", _shown(value))
        low, high = (self._number(key, item, least, most) for item in value)
        if low > high:
            raise self.wrong(key, "the smaller number first", _shown(value))
        return low, high

    def word(self, key: str, words: type[Word], default: Word | None = None) -> Word:
        """One of a list of words."""
        return self._word(key, self._take(key, default), words)

    def words(self, key: str, words: type[Word], default: Sequence[Word] = ()) -> tuple[Word, ...]:
        """Some of a list of words."""
        value = self._take(key, list(default))
        if not isinstance(value, list):
            raise self.wrong(key, "a list of words", _shown(value))
        read = tuple(self._word(key, item, words) for item in value)
        if len(set(read)) < len(read):
            raise self.wrong(key, "each word once", _shown(value))
        return read

    def texts(self, key: str, default: Sequence[str] = ()) -> tuple[str, ...]:
        """Some texts."""
        value = self._take(key, list(default))
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.wrong(key, "a list of texts", _shown(value))
        return tuple(value)

    def table(self, key: str) -> "Table":
        """A table inside; empty if it is not there."""
        value = self._take(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, "a table", _shown(value))
        return Table(value, file=self.file, path=f"{self.path}{key}.")

    def tables(self, key: str) -> list["Table"]:
        """Several tables of one name; none if there is none."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.wrong(key, f"tables [[{key}]]", _shown(value))
        return [Table(item, file=self.file, path=f"{self.path}{key}[{i}].") for i, item in enumerate(value)]

    def wrong(self, key: str, expected: str, found: str, advice: str | None = None) -> Malformed:
        """What is wrong with a key."""
        shown = found if len(found) <= 80 else f"{found[:77]}..."
        return Malformed(
            Fault(
                code=ErrorCode.SCENARIO_MALFORMED,
                expected=expected,
                found=shown,
                file=self.file,
                column=f"{self.path}{key}",
                next=advice,
            )
        )

    def _take(self, key: str, default: Any) -> Any:
        value = self._left.pop(key, default)
        if value is None:
            raise self.wrong(key, "this key", "none")
        return value

    def _number(self, key: str, value: object, least: float, most: float) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise self.wrong(key, f"a number from {least:g} to {most:g}", _shown(value))
        return float(value)

    def _word(self, key: str, value: object, words: type[Word]) -> Word:
        if not isinstance(value, str) or value not in set(words):
            raise self.wrong(key, f"one of {', '.join(words)}", _shown(value))
        return words(value)


def _shown(value: object) -> str:
    """A value as an error shows it: a number can be longer, and tables deeper in one another, than Python will show."""
    try:
        return repr(value)
    except (ValueError, RecursionError):
        return f"{type(value).__name__} too large to show"
