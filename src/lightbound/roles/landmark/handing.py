"""What the two processes of a landmark hand each other: a phase to be timed, and what came of it."""

from dataclasses import dataclass
from typing import Any

from lightbound.canonical.cbor import Value
from lightbound.ranging.statements.closing import Answer
from lightbound.ranging.timing.challenger import PhaseRecord, Round
from lightbound.ranging.timing.clocks import ClockErrors, Instant
from lightbound.ranging.timing.packets import TimedKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """Time this phase."""

    number: int
    """What the control process calls it."""
    keys: TimedKeys
    cookie: bytes
    errors: ClockErrors
    ready_within_ns: int


def write_begin(begin: Begin) -> Value:
    """As a message."""
    keys, errors = begin.keys, begin.errors
    return {
        "begin": begin.number,
        "keys": [keys.handle, keys.to_landmark, keys.to_agent],
        "cookie": begin.cookie,
        "errors": [errors.stamp_ns, errors.rate_ppb, errors.session_ns, errors.can_pause],
        "ready_within_ns": begin.ready_within_ns,
    }


def ask_stats() -> Value:
    """Say how you are."""
    return {"stats": None}


def read_message(message: Any) -> Begin | None:
    """What the control process says: a phase to begin, or None: it asks for counts."""
    if "stats" in message:
        return None
    handle, to_landmark, to_agent = message["keys"]
    stamp_ns, rate_ppb, session_ns, can_pause = message["errors"]
    return Begin(
        number=message["begin"],
        keys=TimedKeys(handle=handle, to_landmark=to_landmark, to_agent=to_agent),
        cookie=message["cookie"],
        errors=ClockErrors(stamp_ns=stamp_ns, rate_ppb=rate_ppb, session_ns=session_ns, can_pause=can_pause),
        ready_within_ns=message["ready_within_ns"],
    )


def write_record(number: int, record: PhaseRecord) -> Value:
    """What came of a phase, as a message."""
    return {
        "record": number,
        "counts": [record.sent, record.dropped, record.ignored],
        "address": record.address,
        "rounds": [[*one.answer, one.round_trip_ns] for one in record.rounds],
        "began": None if record.began is None else list(record.began),
        "ended": list(record.ended),
    }


def write_stats(stats: dict[str, int]) -> Value:
    """Counts, as a message."""
    return {"stats": dict(stats)}


def read_answer(message: Any) -> tuple[int, PhaseRecord] | dict[str, int]:
    """What the timed process says: a phase by its number and what came of it, or counts."""
    if "stats" in message:
        return dict(message["stats"])
    sent, dropped, ignored = message["counts"]
    began = message["began"]
    record = PhaseRecord(
        sent=sent,
        dropped=dropped,
        ignored=ignored,
        address=message["address"],
        rounds=tuple(
            Round(answer=Answer(round=number, nonce=nonce, tag=tag), round_trip_ns=round_trip_ns)
            for number, nonce, tag, round_trip_ns in message["rounds"]
        ),
        began=None if began is None else Instant(*began),
        ended=Instant(*message["ended"]),
    )
    return message["record"], record
