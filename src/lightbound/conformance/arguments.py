"""The arguments of an operation, read one by one: bytes are hexadecimal, everything else is as JSON has it.

What an operation's bytes say is for the core to judge. What is judged here is the question: an operation that nobody
can answer is no fault of a statement, so it has an error of its own.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

Json: TypeAlias = Any
"""What `json` reads and writes: objects, arrays, texts, integers, true, false and null."""

_NO_SUCH: Final = object()


class NotAnOperation(ValueError):
    """The question cannot be answered: an argument is missing or of another type, or there is no such operation."""


class Arguments:
    """One operation, or one object inside it."""

    __slots__ = ("_given",)

    def __init__(self, given: Json) -> None:
        """Begin to read an object."""
        if not isinstance(given, dict):
            raise NotAnOperation("an object was expected")
        self._given: dict[str, Json] = given

    def octets(self, name: str) -> bytes:
        """Bytes, given in hexadecimal."""
        return octets(self._value(name))

    def octets_or_none(self, name: str) -> bytes | None:
        """Bytes, or null."""
        value = self._value(name)
        return None if value is None else octets(value)

    def integer(self, name: str) -> int:
        """An integer."""
        value = self._value(name)
        if type(value) is not int:
            raise NotAnOperation(f"{name} is no integer")
        return value

    def text(self, name: str) -> str:
        """A text."""
        value = self._value(name)
        if not isinstance(value, str):
            raise NotAnOperation(f"{name} is no text")
        return value

    def boolean(self, name: str) -> bool:
        """True or false."""
        value = self._value(name)
        if not isinstance(value, bool):
            raise NotAnOperation(f"{name} is neither true nor false")
        return value

    def plain(self, name: str) -> Json:
        """Whatever stands there."""
        return self._value(name)

    def inside(self, name: str) -> "Arguments":
        """An object."""
        return Arguments(self._value(name))

    def has(self, name: str) -> bool:
        """Whether the argument is given, and is not null."""
        return self._given.get(name) is not None

    def every(self, name: str, of: Callable[[Json], Any]) -> tuple[Any, ...]:
        """An array, each item read by `of`."""
        value = self._value(name)
        if not isinstance(value, list):
            raise NotAnOperation(f"{name} is no array")
        return tuple(of(item) for item in value)

    def _value(self, name: str) -> Json:
        value = self._given.get(name, _NO_SUCH)
        if value is _NO_SUCH:
            raise NotAnOperation(f"{name} is missing")
        return value


def octets(value: Json) -> bytes:
    """Bytes, given in hexadecimal."""
    try:
        return bytes.fromhex(value)
    except (TypeError, ValueError):
        raise NotAnOperation("bytes in hexadecimal were expected") from None
