"""How the explorer drives an end: where messages go in, what comes out, and what came of it.

An owner of an end is what a daemon would be: it takes messages in at ports, wakes up, opens a sid once, and knows the
time. Time is a function of what an end has lived through: an answer takes 10 ms, patience 600 ms, anything else none.
So nothing is refused here for its hour, which only adds orders: a message that comes too late is a message dropped.
"""

from dataclasses import dataclass
from typing import NamedTuple

from lightbound.ranging.sessions.agent import AgentSession
from lightbound.ranging.sessions.landmark import LandmarkSession
from tests.explorer.messages import What

Core = AgentSession | LandmarkSession | None
"""What an end holds of the core; None before its session begins."""


class Ignored(Exception):
    """A packet that was of no use to whoever got it."""


class NotNow(Exception):
    """A move for which it is not the time, or a message for which nobody is there yet."""


class Port(NamedTuple):
    """Where a message goes in, or which move an end makes by itself."""

    name: str
    landmark: int | None = None

    def __str__(self) -> str:
        """As a trace shows it."""
        return self.name if self.landmark is None else f"{self.name} (landmark {self.landmark})"


class Sent(NamedTuple):
    """What an end sends."""

    what: What
    data: bytes
    landmark: int | None = None
    round: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """What came of a message or a move."""

    core: Core
    clock_ns: int
    sent: tuple[Sent, ...] = ()
