"""What can be delivered: each message once, with who made it, for what, and from what.

That is the explorer's own record. The core never sees it; the properties compare what the core did with it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum, auto
from typing import Final

from lightbound.canonical import cose
from lightbound.canonical.cbor import Value, decode

ATTACKER: Final = "attacker"
VERIFIER: Final = "verifier"


class What(StrEnum):
    """What a message is, or is meant to pass for."""

    SESSION = auto()
    OPEN = auto()
    CONTRIB = auto()
    BIND = auto()
    CLOSE = auto()
    ACK = auto()
    MEASUREMENT = auto()
    ABORT = auto()
    READY = auto()
    PROBE = auto()
    REPLY = auto()

    @property
    def is_packet(self) -> bool:
        """Whether it goes over the timed phase's socket; all others are statements."""
        return self in {What.READY, What.PROBE, What.REPLY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message and its story."""

    data: bytes
    name: str
    what: What
    maker: str
    """The end that sent it first, or the attacker, or the verifier."""
    session: int | None = None
    """For which session it was made; None for what the attacker pieced together."""
    landmark: int | None = None
    under: int | None = None
    """Number of the BIND whose keys it was made with."""
    answers: int | None = None
    """Number of the message that made its maker send it."""
    round: int | None = None


@dataclass(slots=True, kw_only=True)
class Messages:
    """All messages of an exploration, numbered."""

    all: list[Message] = field(default_factory=list)
    ways: list[tuple[int, ...]] = field(default_factory=list)
    """By message: the sets of messages, as bits, each of which is enough to have it."""
    _numbers: dict[bytes, int] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Message]:
        """In the order of their numbers."""
        return iter(self.all)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.all)

    def __getitem__(self, number: int) -> Message:
        """The message of this number."""
        return self.all[number]

    def given(self, message: Message) -> int:
        """A message that everybody has from the start."""
        return self._added(message, 0)

    def sent(self, message: Message) -> int:
        """A message that an honest end sends: whoever has it has it from there, or again."""
        number = self._numbers.get(message.data)
        if number is None:
            return self._added(message, 1 << len(self.all))
        known = self.all[number]
        if known.maker == ATTACKER:
            raise AssertionError(f"{message.maker} sent what {known.maker} had made: {known.name}")
        return number

    def made(self, message: Message, needs: Iterable[int]) -> int:
        """A message that the attacker makes of others. What somebody sent already is no news."""
        way = sum(1 << number for number in set(needs))
        number = self._numbers.get(message.data)
        if number is None:
            return self._added(message, way)
        if self.all[number].maker == ATTACKER and way not in self.ways[number]:
            self.ways[number] = (*self.ways[number], way)
        return number

    def _added(self, message: Message, way: int) -> int:
        number = self._numbers[message.data] = len(self.all)
        self.all.append(message)
        self.ways.append((way,))
        return number


def payload_of(data: bytes) -> dict[str, Value]:
    """The fields of a statement, whoever signed it."""
    value = decode(cose.read(data).payload, what="payload")
    if not isinstance(value, dict):
        raise TypeError(value)
    return value


def some(value: int | None) -> int:
    """The number, where there has to be one."""
    if value is None:
        raise ValueError("a number is needed")
    return value
