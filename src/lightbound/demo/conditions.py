"""What a way between two machines is like: how long, how bad, and what whoever carries the packets does to them.

Words and numbers only; the relay and the delay line both go by them.
"""

import random
from dataclasses import asdict, dataclass
from enum import StrEnum, auto
from typing import Any, Final, Self, TypedDict

REORDERED_NS: Final = 10_000_000
"""By how much a reordered packet is later, so that those sent within this time overtake it."""

LONGEST_NS: Final = 60_000_000_000
"""Longer ways are mistakes: a minute is a hundred times around the Earth."""

Dice = random.Random
"""Seeded: for cases, never for secrets."""


class Behaviour(StrEnum):
    """What whoever carries the packets does to them. The words of the simulated world, where it has them."""

    HONEST = auto()
    CORRUPTING = auto()
    """Flips a bit in three of ten."""
    REPLAYING = auto()
    """Delivers each packet twice, after two earlier ones, of this session or others."""
    SPOOFING = auto()
    """Each READY is followed by a copy from an address that is somebody else's."""
    SPOOFING_FIRST = auto()
    """The same, and the copy arrives before READY does."""
    FLOODING = auto()
    """Garbage with a right beginning goes before each packet to the landmark, some from the agent's own address."""


class Changes(TypedDict, total=False):
    """Any of what `Conditions` holds."""

    round_trip_ns: int
    jitter_ns: int
    loss: float
    duplicate: float
    reorder: float
    outage: bool
    behaviour: Behaviour


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What a way is like now. Shares are of packets, each way."""

    round_trip_ns: int = 0
    """Never less than this; half of it each way, rounded up."""
    jitter_ns: int = 0
    """Mean of what is added to each packet, exponentially distributed."""
    loss: float = 0.0
    duplicate: float = 0.0
    """Of those not lost."""
    reorder: float = 0.0
    """So many are later by `REORDERED_NS`."""
    outage: bool = False
    """No packet comes through."""
    behaviour: Behaviour = Behaviour.HONEST

    def __post_init__(self) -> None:
        """Refuse what no way is like."""
        if not (0 <= self.round_trip_ns <= LONGEST_NS and 0 <= self.jitter_ns <= LONGEST_NS):
            raise ValueError(f"a way takes from 0 to {LONGEST_NS} ns: {self}")
        if not all(0.0 <= share <= 1.0 for share in (self.loss, self.duplicate, self.reorder)):
            raise ValueError(f"a share is from 0 to 1: {self}")

    @property
    def one_way_ns(self) -> int:
        """At least half of the round trip."""
        return self.round_trip_ns - self.round_trip_ns // 2

    def copies_ns(self, dice: Dice) -> list[int]:
        """How long each copy of a packet takes one way: none if it is lost, one, or two."""
        if self.outage or (self.loss and dice.random() < self.loss):
            return []
        copies = 2 if self.duplicate and dice.random() < self.duplicate else 1
        takes_ns = []
        for _ in range(copies):
            late_ns = int(dice.expovariate(1.0 / self.jitter_ns)) if self.jitter_ns else 0
            if self.reorder and dice.random() < self.reorder:
                late_ns += REORDERED_NS
            takes_ns.append(self.one_way_ns + late_ns)
        return takes_ns

    def as_json(self) -> dict[str, Any]:
        """For another process."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Self:
        """What `as_json` said."""
        return cls(**{**told, "behaviour": Behaviour(told["behaviour"])})


@dataclass(slots=True, kw_only=True)
class Counts:
    """What has happened on a way so far. Not frozen: it is counted up.

    Of packets, `received_out + received_back + forged` are `lost`, `undeliverable`, still under way, or carried; and
    each duplicate is carried besides.
    """

    received_out: int = 0
    """From clients."""
    received_back: int = 0
    """From the target."""
    carried_out: int = 0
    """To the target."""
    carried_back: int = 0
    """To clients."""
    lost: int = 0
    duplicated: int = 0
    forged: int = 0
    """Added by whoever carries them; and of those that were there, `altered` were changed."""
    altered: int = 0
    astray: int = 0
    """Came from the target to an address that is somebody else's."""
    undeliverable: int = 0
    """The system took no more, or nobody listens."""
    connections: int = 0
    octets_out: int = 0
    octets_back: int = 0
    """Of streams."""

    def __add__(self, other: "Counts") -> "Counts":
        """Both together."""
        return Counts(**{name: number + getattr(other, name) for name, number in asdict(self).items()})
