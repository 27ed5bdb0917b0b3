"""The arguments of an operation, read one by one: bytes are hexadecimal, everything else is as JSON has it.

What an operation's bytes say is for the core to judge. What is judged here is the question: an operation that nobody
can answer is no fault of a statement, so it has an error of its own.
"""

import json
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final, TypeAlias, TypeVar

from lightbound.canonical.cbor import MOST_DEPTH, Value

Json: TypeAlias = Any
"""What `json` reads and writes: objects, arrays, texts, integers, true, false and null."""

LEAST: Final = -(2**63)
MOST: Final = 2**63 - 1
"""Integers have 63 bits and a sign."""

MOST_INSIDE: Final = 32
"""Arrays and objects inside one another in a line. The deepest question or answer has 7."""

_NO_SUCH: Final = object()
_T = TypeVar("_T")
_Word = TypeVar("_Word", bound=StrEnum)


class NotAnOperation(Exception):
    """The question cannot be answered: an argument is missing or of another type, or there is no such operation."""


class Arguments:
    """One operation, or one object inside it."""

    __slots__ = ("_given",)

    def __init__(self, given: Json) -> None:
        """Begin to read an object."""
        if not isinstance(given, dict):
            raise NotAnOperation("an object was expected")
        self._given: dict[str, Json] = given

    def octets(self, name: str, length: int | None = None) -> bytes:
        """Bytes, given in hexadecimal; so many, where the number is a matter of the question."""
        return self._read(name, lambda value: octets(value, length))

    def octets_or_none(self, name: str) -> bytes | None:
        """Bytes, or null."""
        return self._read(name, lambda value: None if value is None else octets(value))

    def integer(self, name: str, least: int = LEAST, most: int = MOST) -> int:
        """An integer of this range."""
        return self._read(name, lambda value: integer(value, least, most))

    def text(self, name: str) -> str:
        """A text."""
        return self._read(name, text)

    def word(self, name: str, of: type[_Word]) -> _Word:
        """One of some words."""
        return self._read(name, lambda value: word(value, of))

    def boolean(self, name: str) -> bool:
        """True or false."""
        return self._read(name, boolean)

    def value(self, name: str) -> Value:
        """Whatever a statement can commit to: texts, integers and what holds them."""
        return self._read(name, lambda value: _value(value, MOST_DEPTH))

    def plain(self, name: str) -> Json:
        """Whatever stands there."""
        value = self._given.get(name, _NO_SUCH)
        if value is _NO_SUCH:
            raise NotAnOperation(f"{name} is missing")
        return value

    def inside(self, name: str) -> "Arguments":
        """An object."""
        return self._read(name, Arguments)

    def has(self, name: str) -> bool:
        """Whether the argument is given, and is not null."""
        return self._given.get(name) is not None

    def every(self, name: str, of: Callable[[Json], _T]) -> tuple[_T, ...]:
        """An array, each item read by `of`."""
        return self._read(name, lambda value: tuple(of(item) for item in array(value)))

    def by_name(self, name: str, of: Callable[[Json], _T]) -> dict[str, _T]:
        """An object of any names, each value read by `of`."""
        return self._read(name, lambda value: by_name(value, of))

    def _read(self, name: str, of: Callable[[Json], _T]) -> _T:
        value = self.plain(name)
        try:
            return of(value)
        except NotAnOperation as error:
            raise NotAnOperation(f"{name}: {error}") from None


def octets(value: Json, length: int | None = None) -> bytes:
    """Bytes, given in hexadecimal with small letters."""
    try:
        read = bytes.fromhex(value)
    except (TypeError, ValueError):
        read = None
    if read is None or read.hex() != value:
        raise NotAnOperation("bytes in hexadecimal were expected")
    if length is not None and len(read) != length:
        raise NotAnOperation(f"{length} bytes were expected")
    return read


def integer(value: Json, least: int = LEAST, most: int = MOST) -> int:
    """An integer of this range; true and 1.0 are none."""
    if type(value) is not int or not least <= value <= most:
        raise NotAnOperation(f"an integer from {least} to {most} was expected")
    return value


def text(value: Json) -> str:
    """A text that can be written: JSON can hold halves of characters."""
    if not isinstance(value, str):
        raise NotAnOperation("a text was expected")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise NotAnOperation("half a character") from None
    return value


def boolean(value: Json) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise NotAnOperation("true or false was expected")
    return value


def word(value: Json, of: type[_Word]) -> _Word:
    """One of some words."""
    try:
        return of(text(value))
    except ValueError:
        raise NotAnOperation(f"one of these was expected: {', '.join(of)}") from None


def array(value: Json) -> list[Json]:
    """An array."""
    if not isinstance(value, list):
        raise NotAnOperation("an array was expected")
    return value


def pair(value: Json) -> tuple[bytes, bytes]:
    """Two byte strings."""
    items = array(value)
    if len(items) != 2:
        raise NotAnOperation("two byte strings were expected")
    return octets(items[0]), octets(items[1])


def by_name(value: Json, of: Callable[[Json], _T]) -> dict[str, _T]:
    """An object of any names, each value read by `of`."""
    if not isinstance(value, dict):
        raise NotAnOperation("an object was expected")
    return {text(name): of(item) for name, item in value.items()}


def object_of(line: str | bytes) -> dict[str, Json] | None:
    """The object that a line holds; None if it holds none, or one in which more things are inside one another."""
    try:
        read = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) and _is_flat(read) else None


def _is_flat(given: Json) -> bool:
    inside = [given]
    for _ in range(MOST_INSIDE):
        inside = [
            item
            for each in inside
            for item in (each.values() if isinstance(each, dict) else each)
            if isinstance(item, dict | list)
        ]
        if not inside:
            return True
    return False


def _value(given: Json, depth: int) -> Value:
    if given is None or isinstance(given, bool):
        return given
    if isinstance(given, str):
        return text(given)
    if isinstance(given, int):
        return integer(given)
    if not isinstance(given, dict | list) or not depth:
        raise NotAnOperation("a value that no statement can hold")
    if isinstance(given, dict):
        return {text(name): _value(item, depth - 1) for name, item in given.items()}
    return [_value(item, depth - 1) for item in given]
