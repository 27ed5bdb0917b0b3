"""Small TOML files that people may edit: read strictly, each error naming the file and the key; and texts for writing.

As `canonical.fields` reads statements: every key is taken once, has its type and range, and none is left over.
"""

import datetime as dt
import difflib
import json
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

from lightbound.canonical.fields import is_plain
from lightbound.canonical.fields import shown as shown_value
from lightbound.errors import ErrorCode, Fault, LightboundError, Malformed, Unavailable

T = TypeVar("T")

MOST_BYTES: Final = 1_000_000

ALIKE: Final = 0.8
"""How much of two keys is the same, for one to be taken for a misspelling of the other (difflib): a letter or two."""

KINDS: Final[dict[type, str]] = {
    bool: "a boolean",
    int: "an integer",
    float: "a float",
    str: "a string",
    list: "an array",
    dict: "a table",
}
"""What TOML calls them."""

_HEX: Final = re.compile("[0-9a-f]*")


class TomlTable:
    """A table being read. A method takes the key it names or raises `Malformed`; `end` refuses the others."""

    __slots__ = ("_left", "file", "path")

    def __init__(self, value: object, file: Path, path: str = "") -> None:
        """Begin to read a table; `path` says where in the file it stands, and is empty at the top."""
        self.file, self.path = file, path
        if not isinstance(value, dict):
            raise _malformed(file, path, "a table", shown(value))
        self._left: dict[str, Any] = dict(value)

    @classmethod
    def read(cls, file: Path) -> "TomlTable":
        """The table that a file is.

        Raises:
            Unavailable: it cannot be read.
            Malformed: it is no TOML, or longer than such a file can be.
        """
        data = read_small(file, MOST_BYTES)
        try:
            value = tomllib.loads(data.decode())
        except (ValueError, RecursionError) as error:
            # What tomllib says ends in the line and the column. Its words can hold what stands in the file.
            raise _malformed(file, "", "TOML", "".join(c if c.isprintable() else "?" for c in str(error))) from error
        return cls(value, file)

    def format(self, expected: str) -> None:
        """Nothing, if the key `format` says this. It is looked at first: of another format, nothing else is told."""
        if self._left.pop("format", None) != expected:
            raise self.wrong("format", json.dumps(expected), "none, or another")

    def end(self) -> None:
        """Refuse what was not taken."""
        for key in self._left:
            raise self.wrong(key, "no such key", "one")

    def has(self, key: str) -> bool:
        """Whether the key is there and was not taken yet."""
        return key in self._left

    def text(self, key: str, *, least: int = 1, most: int = 256) -> str:
        """A printable text, without space at either end."""
        return self._text(self._take(key), key, least, most)

    def text_or_none(self, key: str, *, least: int = 1, most: int = 256) -> str | None:
        """The same, or None without the key."""
        return self.text(key, least=least, most=most) if key in self._left else None

    def texts(self, key: str, *, least: int = 0, most: int = 1_000) -> tuple[str, ...]:
        """An array of printable texts."""
        return self._array(key, least, most, lambda value, at: self._text(value, at, 1, 256))

    def integer(self, key: str, *, least: int = 0, most: int = 2**63 - 1) -> int:
        """An integer of a range, both ends included."""
        value = self._take(key)
        if type(value) is not int or not least <= value <= most:
            raise self.wrong(key, f"an integer from {least} to {most}", shown(value))
        return value

    def boolean(self, key: str) -> bool:
        """True or false."""
        value = self._take(key)
        if type(value) is not bool:
            raise self.wrong(key, "true or false", shown(value))
        return value

    def octets(self, key: str, length: int) -> bytes:
        """Bytes of exactly this length, written as a text of lower-case hexadecimal digits."""
        return self._octets(self._take(key), key, length)

    def octets_array(self, key: str, length: int, *, least: int = 0, most: int = 1_000) -> tuple[bytes, ...]:
        """An array of them."""
        return self._array(key, least, most, lambda value, at: self._octets(value, at, length))

    def table(self, key: str) -> "TomlTable":
        """A table inside this one."""
        return TomlTable(self._take(key), self.file, self._at(key))

    def tables(self, key: str, *, least: int = 0, most: int = 10_000) -> tuple["TomlTable", ...]:
        """An array of tables, as `[[key]]` writes them; none without the key."""
        if key not in self._left and least == 0:
            return ()
        return self._array(key, least, most, lambda value, at: TomlTable(value, self.file, self._at(at)))

    def wrong(self, key: str, expected: str, found: str) -> Malformed:
        """The error that this key is not as it should be, for checks beyond those here."""
        return _malformed(self.file, self._at(key), expected, found)

    def _take(self, key: str) -> object:
        if key not in self._left:
            # Whether another key is a known one that is taken later, or a misspelling of this, is not known here.
            like = difflib.get_close_matches(key, self._left, n=1, cutoff=ALIKE)
            raise self.wrong(key, "this key", f"none, but `{_printable(like[0])}`" if like else "none")
        return self._left.pop(key)

    def _array(self, key: str, least: int, most: int, of: Callable[[object, str], T]) -> tuple[T, ...]:
        value = self._take(key)
        if type(value) is not list or not least <= len(value) <= most:
            raise self.wrong(key, f"an array of {least} to {most}", shown(value))
        return tuple(of(item, f"{key}[{i}]") for i, item in enumerate(value))

    def _text(self, value: object, at: str, least: int, most: int) -> str:
        if type(value) is not str or not is_plain(value) or not least <= len(value) <= most:
            raise self.wrong(at, f"{least} to {most} printable characters", shown(value))
        return value

    def _octets(self, value: object, at: str, length: int) -> bytes:
        if type(value) is not str or len(value) != 2 * length or _HEX.fullmatch(value) is None:
            raise self.wrong(at, f"{2 * length} lower-case hexadecimal digits", shown(value))
        return bytes.fromhex(value)

    def _at(self, key: str) -> str:
        return f"{self.path}.{_printable(key)}" if self.path else _printable(key)


def kind_of(value: object) -> str:
    """What TOML calls a value of this kind."""
    return KINDS.get(type(value), "a date or a time")


def shown(value: object) -> str:
    """A value as an error shows it: its kind and size, and a number as it is."""
    if isinstance(value, dict):
        return f"a table of {len(value)}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return kind_of(value) if isinstance(value, dt.date | dt.time) else shown_value(value)


def read_small(file: Path, most: int, code: ErrorCode = ErrorCode.SETTING_MALFORMED) -> bytes:
    """All bytes of a file.

    Raises:
        Unavailable: it cannot be read.
        Malformed: it has more than `most` bytes, which is told with this code.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(most + 1)
    except OSError as error:
        found = error.strerror or type(error).__name__
        fault = Fault(code=ErrorCode.READ_FAILED, expected="a file that can be read", found=found, file=str(file))
        raise Unavailable(fault) from error
    if len(data) > most:
        raise Malformed(Fault(code=code, expected=f"at most {most:,} bytes", found="more", file=str(file)))
    return data


def of_file(error: LightboundError, file: Path) -> LightboundError:
    """The same error, its faults naming the file that they are about."""
    named = [replace(fault, file=fault.file or str(file)) for fault in error.faults]
    return type(error)(named, total=error.total)


def quoted(text: str) -> str:
    """A text as TOML writes it."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def array(texts: Sequence[str]) -> str:
    """An array of texts as TOML writes it, one a line."""
    return "".join(["[\n", *(f"    {quoted(text)},\n" for text in texts), "]"]) if texts else "[]"


def _malformed(file: Path, key: str, expected: str, found: str) -> Malformed:
    fault = Fault(code=ErrorCode.SETTING_MALFORMED, expected=expected, found=found, file=str(file), column=key or None)
    return Malformed(fault)


def _printable(key: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in key[:100])
