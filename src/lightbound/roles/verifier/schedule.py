"""When an agent is due: once in each span of time, every agent at a moment of its own.

The moment follows from the agent's id and the clock alone, so that a verifier that was down goes on where it would
have been, and no list of what is to come has to be kept.
"""

from typing import Final

from lightbound.store.asked import ASKED, UNANSWERED, Asked

LONGEST_NS: Final = 600_000_000_000
SHORTEST_NS: Final = 120_000_000_000
"""Of what a SESSION is valid for. Landmarks take no BIND in its last 45 seconds, which a slow timed phase may need."""

AGAIN_NS: Final = 20_000_000_000
"""For so long the same SESSION is given again to an agent that polls again: its answer may have been lost. Longer: an
agent that began anew in the middle of one gets one that it cannot finish."""

GRACE_NS: Final = 30_000_000_000
"""After a SESSION ran out its answer may still be on the way. What comes later is kept, and is no answer in time."""


def valid_ns(every_ns: int) -> int:
    """How long a SESSION is valid."""
    return max(SHORTEST_NS, min(LONGEST_NS, every_ns // 2))


def begun_ns(agent: bytes, *, every_ns: int, now_ns: int) -> int:
    """When the span began in which an agent is to be asked once, and in which `now_ns` lies."""
    own_ns = int.from_bytes(agent) % every_ns
    return now_ns - (now_ns - own_ns) % every_ns


def due_ns(newest: Asked | None, agent: bytes, *, every_ns: int, enrolled_ns: int) -> int:
    """When a new SESSION may be made for an agent, given the newest that it has.

    At once, if there is none. After one that was not answered: when that has run out, for the agent may have died on
    it. After one that was: when the next span begins.
    """
    if newest is None:
        return enrolled_ns
    if newest.state in {ASKED, UNANSWERED}:
        return newest.expiry_ns + 1
    return begun_ns(agent, every_ns=every_ns, now_ns=newest.issued_ns) + every_ns
