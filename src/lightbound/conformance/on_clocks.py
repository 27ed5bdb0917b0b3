"""The reference's answers about clocks: what they must agree on, and what bound a phase gives."""

from collections.abc import Callable
from typing import Final

from lightbound.conformance.arguments import Arguments, Json, integer
from lightbound.ranging.timing.challenger import Challenger
from lightbound.ranging.timing.clocks import BILLION, ClockErrors, Instant
from lightbound.ranging.timing.packets import PacketType, TimedKeys, write_packet

_KEYS: Final = TimedKeys(handle=bytes(8), to_landmark=bytes(32), to_agent=bytes(32))
"""A phase is run to see what bound it gives; with which keys makes no difference."""


def clock_errors(asked: Arguments) -> ClockErrors:
    """How far clocks may be wrong."""
    return ClockErrors(
        stamp_ns=asked.integer("stamp_ns", least=0),
        rate_ppb=asked.integer("rate_ppb", least=0, most=BILLION - 1),
        session_ns=asked.integer("session_ns", least=0),
        can_pause=asked.boolean("can_pause"),
    )


def instant(given: Json) -> Instant:
    """A moment on three clocks."""
    asked = Arguments(given)
    return Instant(ns=asked.integer("ns"), check_ns=asked.integer("check_ns"), utc_ns=asked.integer("utc_ns"))


def clock_error(asked: Arguments) -> Json:
    """By how much a round trip can have been measured too small."""
    errors = clock_errors(asked.inside("errors"))
    return {"clock_error_ns": errors.of_round_ns(asked.integer("round_trip_ns"))}


def round_counts(asked: Arguments) -> Json:
    """Whether the clocks agree on one round."""
    sent, received = instant(asked.plain("sent")), instant(asked.plain("received"))
    return {"counts": clock_errors(asked.inside("errors")).agree_on_round(sent, received)}


def session_counts(asked: Arguments) -> Json:
    """Whether the clocks agree on a whole session."""
    began, ended = instant(asked.plain("began")), instant(asked.plain("ended"))
    return {"counts": clock_errors(asked.inside("errors")).agree_on_session(began, ended)}


def bound(asked: Arguments) -> Json:
    """The third smallest round trip of a phase in which all clocks agree, and the bound that it gives."""
    phase = Challenger.begin(_KEYS, cookie=bytes(16), errors=clock_errors(asked.inside("errors")))
    now_ns = 0

    def now() -> Instant:
        return Instant(ns=now_ns, check_ns=now_ns, utc_ns=now_ns)

    phase.datagram_received(_packet(PacketType.READY, 0), address="agent", at=now())
    for number, round_trip_ns in enumerate(asked.every("round_trips_ns", integer)):
        phase.challenge(nonce=bytes(16), gap_ns=0, at=now())
        now_ns += round_trip_ns
        phase.datagram_received(_packet(PacketType.REPLY, number), address="agent", at=now())
    phase.end(at=now())
    third_ns, error_ns = phase.third_smallest()
    return {"third_ns": third_ns, "clock_error_ns": error_ns, "bound_ns": third_ns + error_ns}


def _packet(kind: PacketType, number: int) -> bytes:
    return write_packet(kind, _KEYS.to_landmark, handle=_KEYS.handle, round_number=number, nonce=bytes(16))


OPERATIONS: Final[dict[str, Callable[[Arguments], Json]]] = {
    "clock_error": clock_error,
    "round_counts": round_counts,
    "session_counts": session_counts,
    "bound": bound,
}
