"""Timed phases to look into: a challenger that waits or runs, and one round of it."""

import pytest

from lightbound.errors import ErrorCode, LightboundError, Refused
from lightbound.ranging.statements.closing import MOST_ROUNDS
from lightbound.ranging.timing.challenger import Challenger
from lightbound.ranging.timing.clocks import ClockErrors
from lightbound.ranging.timing.packets import TimedKeys
from lightbound.ranging.timing.responder import Responder
from tests.ranging.parties import at, secret

KEYS = TimedKeys(handle=secret("sid")[:8], to_landmark=secret("to landmark"), to_agent=secret("to agent"))
COOKIE = secret("cookie")[:16]
HOME, ELSEWHERE = "192.0.2.1 port 1", "192.0.2.1 port 2"
GAP_NS = 1_000


def begun(*, rounds: int = MOST_ROUNDS, errors: ClockErrors | None = None) -> Challenger:
    """A phase that waits for READY."""
    return Challenger.begin(KEYS, cookie=COOKIE, errors=errors or ClockErrors(), rounds=rounds)


def responder() -> Responder:
    """The agent of it."""
    return Responder.begin(KEYS, cookie=COOKIE)


def ready() -> bytes:
    """Its READY."""
    return responder().ready()


def running(*, rounds: int = MOST_ROUNDS, errors: ClockErrors | None = None) -> Challenger:
    """A phase that has just heard READY."""
    challenger = begun(rounds=rounds, errors=errors)
    assert challenger.datagram_received(ready(), address=HOME, at=at(0))
    return challenger


def nonce(number: int) -> bytes:
    """The nonce of a round."""
    return secret("nonce", number)[:16]


def reply_to(probe: bytes) -> bytes:
    """The true answer to a challenge."""
    reply = responder().datagram_received(probe)
    assert reply is not None
    return reply


def challenged(challenger: Challenger, now_ns: int, *, gap_ns: int = GAP_NS) -> bytes:
    """Send the challenge that is due."""
    return challenger.challenge(nonce=nonce(challenger.sent), gap_ns=gap_ns, at=at(now_ns))


def exchanged(challenger: Challenger, now_ns: int, took_ns: int) -> int:
    """A round that took so long; when the next one may be sent."""
    probe = challenged(challenger, now_ns)
    assert challenger.datagram_received(reply_to(probe), address=HOME, at=at(now_ns + took_ns))
    return now_ns + took_ns + GAP_NS


def code(error: pytest.ExceptionInfo[LightboundError]) -> ErrorCode:
    """Why something was refused."""
    (fault,) = error.value.faults
    return fault.code


def not_due(challenger: Challenger, now_ns: int) -> None:
    """A challenge is refused now, and changes nothing."""
    before = challenger.sent
    assert not challenger.may_send(now_ns=now_ns)
    with pytest.raises(Refused) as caught:
        challenged(challenger, now_ns)
    assert code(caught) is ErrorCode.OUT_OF_ORDER
    assert challenger.sent == before
