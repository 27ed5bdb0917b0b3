"""Vectors put to an implementation, and what came of each."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from lightbound.conformance.arguments import Json
from lightbound.conformance.comparison import Difference, difference
from lightbound.conformance.vectors import Vector
from lightbound.errors import Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One vector and what came of it."""

    vector: Vector
    difference: Difference | None
    """None: the answer was the expected one."""


def checked(vectors: Iterable[Vector], ask: Callable[[Json], Json]) -> Iterator[Checked]:
    """What comes of each vector, in their order.

    Raises:
        Unavailable: there was no answer; says to which vector.
    """
    for vector in vectors:
        try:
            found = ask(vector.operation)
        except Unavailable as error:
            (fault,) = error.faults
            raise Unavailable(replace(fault, file=f"vector {vector.name}")) from error
        yield Checked(vector=vector, difference=difference(vector.expect, found))
