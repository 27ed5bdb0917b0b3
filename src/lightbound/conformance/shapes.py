"""Statements as JSON objects and back: names and nesting as in the payload, bytes in hexadecimal.

The dataclasses of `ranging.statements` say which fields there are and of which type. What this adds is how three of
those types look in a payload: a key is its 32 bytes, a link lies flat among the other fields, a contribution is a pair.
"""

import dataclasses
import types
import typing
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final, cast

from lightbound.conformance.arguments import (
    Arguments,
    Json,
    NotAnOperation,
    array,
    boolean,
    by_name,
    integer,
    octets,
    pair,
    text,
    word,
)
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.ranging.statements.binding import Contribution
from lightbound.ranging.statements.opening import Link

_PURPOSES: Final = {
    "key": Purpose.OPERATOR,
    "landmark_key": Purpose.LANDMARK,
    "agent": Purpose.ENROLMENT,
    "s": Purpose.SESSION,
}
"""What the keys are for that stand in statements, by field. A payload holds only their bytes."""


def as_json(value: object) -> Json:
    """A statement, or a field of one."""
    if isinstance(value, VerifyingKey):
        return value.raw.hex()
    if isinstance(value, Contribution):
        return [value.landmark.hex(), value.digest.hex()]
    if isinstance(value, tuple | list):
        return [as_json(item) for item in value]
    if isinstance(value, dict):
        return {name: as_json(item) for name, item in value.items()}
    return _fields(value) if dataclasses.is_dataclass(value) else _scalar(value)


def _scalar(value: object) -> Json:
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if isinstance(value, StrEnum) else value


def _fields(value: Any) -> Json:
    written: dict[str, Json] = {}
    for field in dataclasses.fields(value):
        item = as_json(getattr(value, field.name))
        if field.name == "link":
            written |= item
        else:
            written[field.name] = item
    return written


def of_json(kind: type, given: Json) -> Any:
    """The statement of this type with these fields.

    Raises:
        NotAnOperation: one is missing or of another type.
        Malformed: a key is none.
    """
    asked = Arguments(given)
    hints = typing.get_type_hints(kind)
    read = {}
    for field in dataclasses.fields(kind):
        hint = hints[field.name]
        value = given if hint is Link else asked.plain(field.name)
        read[field.name] = _field(hint, value, field.name)
    return kind(**read)


def _field(hint: Any, value: Json, name: str) -> Any:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _field(inner[0], value, name)
    if origin is tuple:
        return _items(inner, value, name)
    if origin is dict:
        return by_name(value, lambda item: _field(inner[1], item, name))
    return _one(hint, value, name)


def _one(hint: Any, value: Json, name: str) -> Any:
    if hint is VerifyingKey:
        return VerifyingKey(purpose=_PURPOSES[name], raw=octets(value))
    if hint is Contribution:
        landmark, digest = pair(value)
        return Contribution(landmark=landmark, digest=digest)
    if dataclasses.is_dataclass(hint):
        return of_json(cast("type", hint), value)
    return word(value, hint) if issubclass(hint, StrEnum) else _PLAIN[hint](value)


def _items(inner: tuple[Any, ...], value: Json, name: str) -> tuple[Any, ...]:
    items = array(value)
    hints = [inner[0]] * len(items) if inner[-1] is Ellipsis else list(inner)
    if len(hints) != len(items):
        raise NotAnOperation(f"{name} has another length")
    return tuple(_field(hint, item, name) for hint, item in zip(hints, items, strict=True))


_PLAIN: Final[dict[type, Callable[[Json], Any]]] = {bytes: octets, int: integer, str: text, bool: boolean}
