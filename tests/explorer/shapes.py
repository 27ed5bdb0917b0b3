"""Local states told apart and copied: what an object of the core holds, as a value that can be compared.

Frozen objects are shared by copies; whatever can change is copied. Private keys are told apart by their public ones.
"""

import dataclasses
from collections.abc import Hashable, Mapping
from typing import Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

T = TypeVar("T")

COUNTER: Final = frozenset({"ignored"})
"""Counts what was refused, and decides nothing."""

SAME_TO_EVERYBODY: Final = COUNTER | {"_replies"}
"""A challenge that comes again gets the same bytes again, a few times. The attacker has them since the first time, so
how often they were sent makes no difference to anybody."""


class Shapes:
    """Values of objects, as numbers: equal numbers, equal objects."""

    def __init__(self, without: frozenset[str]) -> None:
        """Fields of these names are left out."""
        self._without = without
        self._numbers: dict[Hashable, int] = {}
        self._frozen: dict[int, tuple[object, Hashable]] = {}

    def number(self, value: object) -> int:
        """The number of this value."""
        return self._number_of(self._shape(value))

    def _shape(self, value: object) -> Hashable:
        shape: Hashable
        if isinstance(value, bytes | str | int):
            shape = value
        elif isinstance(value, Mapping):
            shape = tuple(sorted((key, self._shape(item)) for key, item in value.items()))
        elif isinstance(value, list | tuple):
            shape = tuple(map(self._shape, value))
        elif isinstance(value, Ed25519PrivateKey | X25519PrivateKey):
            shape = value.public_key().public_bytes_raw()
        elif not dataclasses.is_dataclass(value):
            shape = value
        elif _is_frozen(value):
            shape = self._of_frozen(value)
        else:
            shape = self._of_fields(value)
        return shape

    def _of_frozen(self, value: object) -> Hashable:
        # Kept beside its shape, so that its place in memory, by which it is known again, is not given to another.
        if id(value) not in self._frozen:
            self._frozen[id(value)] = (value, ("frozen", self._number_of(self._of_fields(value))))
        return self._frozen[id(value)][1]

    def _of_fields(self, value: object) -> Hashable:
        fields = dataclasses.fields(value)  # type: ignore[arg-type] # whoever calls has seen that it is a dataclass
        shapes = [self._shape(getattr(value, each.name)) for each in fields if each.name not in self._without]
        return (type(value).__name__, *shapes)

    def _number_of(self, shape: Hashable) -> int:
        return self._numbers.setdefault(shape, len(self._numbers))


def copied(value: T) -> T:
    """A copy that can be changed without changing this one."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}  # type: ignore[return-value] # a dict for a dict
    if isinstance(value, list):
        return [copied(item) for item in value]  # type: ignore[return-value] # a list for a list
    if not dataclasses.is_dataclass(value) or isinstance(value, type) or _is_frozen(value):
        return value
    made = object.__new__(type(value))
    for each in dataclasses.fields(value):
        object.__setattr__(made, each.name, copied(getattr(value, each.name)))
    return made


def _is_frozen(value: object) -> bool:
    return bool(type(value).__dataclass_params__.frozen)  # type: ignore[attr-defined] # every dataclass has it
