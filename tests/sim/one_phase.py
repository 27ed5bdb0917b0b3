"""One timed phase between the real ends, over a simulated wire."""

import functools
from collections import deque
from collections.abc import Callable
from typing import Final

from lightbound.ranging.statements.closing import MOST_ROUNDS
from lightbound.ranging.timing.challenger import Challenger
from lightbound.ranging.timing.clocks import ClockErrors
from lightbound.ranging.timing.packets import TimedKeys
from lightbound.ranging.timing.responder import Responder
from lightbound.sim import tampering
from lightbound.sim.clocks import Clocks
from lightbound.sim.dice import octets, rolls
from lightbound.sim.scenario import NetworkKind
from lightbound.sim.timed_phase import Answers, Tampering, Wire, timed_phase
from lightbound.sim.trace import Trace

MS_NS: Final = 1_000_000
SECOND_NS: Final = 1_000_000_000
BEGAN_NS: Final = 7 * SECOND_NS

KEYS: Final = TimedKeys(
    handle=octets(0, "sid", length=8), to_landmark=octets(0, "to landmark"), to_agent=octets(0, "to agent")
)
COOKIE: Final = octets(0, "cookie", length=16)
TRUE: Final = Clocks()


def wire_of(
    floor_ns: int,
    jitter_ns: float,
    *,
    loss: float = 0.0,
    duplicate: float = 0.0,
    network: NetworkKind = NetworkKind.HONEST,
    tamper: Tampering | None = None,
    seed: int = 0,
) -> Wire:
    """A wire; whoever carries the packets may be one of the kinds, or do something of its own."""
    own = tampering.network(network, rolls(seed, "network"), deque([b"L" * 64, bytes(64)]))
    return Wire(floor_ns=floor_ns, jitter_ns=jitter_ns, loss=loss, duplicate=duplicate, tamper=tamper or own)


class OnePhase:
    """A phase that has been run to its end, and what both ends know of it."""

    def __init__(
        self,
        wire: Wire,
        *,
        seed: int,
        clocks: Clocks = TRUE,
        errors: ClockErrors | None = None,
        delay_ns: int = 0,
        rounds: int = MOST_ROUNDS,
        answers: Callable[[Responder], Answers] | None = None,
        is_traced: bool = False,
    ) -> None:
        """Run it; `answers` makes a cheat of the agent's end."""
        self.challenger = Challenger.begin(KEYS, cookie=COOKIE, errors=errors or ClockErrors(), rounds=rounds)
        self.responder = Responder.begin(KEYS, cookie=COOKIE)
        self.trace = Trace(is_on=is_traced)
        answering = answers or functools.partial(tampering.prompt, later_ns=delay_ns)
        self.ended_ns = timed_phase(
            self.challenger,
            ready=self.responder.ready,
            answers=answering(self.responder),
            wire=wire,
            clocks=clocks,
            from_ns=BEGAN_NS,
            dice=rolls(seed, "phase"),
            trace=self.trace,
            landmark="landmark",
        )

    @property
    def round_trips_ns(self) -> list[int]:
        """What was measured, ascending."""
        return sorted(valid.round_trip_ns for valid in self.challenger.valid)

    def told(self, what: str) -> list[tuple[int, str]]:
        """When events of this name were noted, and what became of each."""
        return [(event.at_ns, event.outcome) for event in self.trace.in_order() if event.what == what]
