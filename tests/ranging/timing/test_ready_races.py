"""Somebody copies each READY and is quicker with the copies than the agent is: what that costs, and what it can stop.

Whoever can do this sees the agent's packets. It cannot answer, so that no bound changes.
"""

from lightbound.ranging.timing.challenger import MOST_WAITING, Challenger
from lightbound.ranging.timing.responder import READY_AGAIN_NS
from tests.ranging.parties import at
from tests.ranging.timing.phases import HOME, begun, challenged, ready, reply_to

MS_NS = 1_000_000


def raced(copies: int) -> Challenger:
    """A phase in which so many copies, each from an address of its own, come before each READY of the agent."""
    challenger, now_ns, ready_at_ns = begun(), 0, 0
    while not challenger.is_over(now_ns=now_ns) and challenger.address is None:
        if now_ns >= ready_at_ns:
            for number in range(copies):
                challenger.datagram_received(ready(), address=f"copy {number} at {now_ns}", at=at(now_ns))
            challenger.datagram_received(ready(), address=HOME, at=at(now_ns))
            ready_at_ns = now_ns + READY_AGAIN_NS
        if challenger.may_send(now_ns=now_ns):
            probe = challenged(challenger, now_ns)
            if challenger.target == HOME:
                challenger.datagram_received(reply_to(probe), address=HOME, at=at(now_ns + MS_NS))
        now_ns += 10 * MS_NS
    return challenger


def test_fewer_copies_than_may_wait_cost_the_agent_a_round_each() -> None:
    for copies in range(MOST_WAITING):
        challenger = raced(copies)
        assert challenger.address == HOME
        assert challenger.sent == copies + 1


def test_as_many_copies_as_may_wait_that_always_come_first_end_the_phase_without_an_answer() -> None:
    challenger = raced(MOST_WAITING)
    assert challenger.address is None
    assert challenger.sent == 16
    assert challenger.valid == []
