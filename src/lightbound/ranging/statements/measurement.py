"""MEASUREMENT and ABORT: what a landmark concludes from a session, or why it concludes nothing.

A session that was opened ends with one of the two in the landmark's sequence. Neither is a verdict, and an ABORT is
nobody's fault until somebody shows whose.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lightbound.canonical.cbor import Value, encode
from lightbound.canonical.fields import Fields, integer
from lightbound.errors import ErrorCode, malformed, refused
from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.ranging.statements.closing import MOST_ROUNDS
from lightbound.ranging.statements.kinds import Kind, believed, signed
from lightbound.ranging.statements.opening import Link, link_fields, read_link
from lightbound.units import LONGEST_ROUND_TRIP_NS

ORDER: Final = 3
"""The bound is the third smallest round trip: true while at most two rounds are corrupt. A smaller one trusts fewer;
a larger one costs metres on short sessions."""

PRIVATE: Final = ("address",)

MOST_UTC_ERROR_NS: Final = 10_000_000_000
"""Ten seconds. A landmark that knows the time less well than that cannot say when it measured."""


class Stamps(StrEnum):
    """Who read the clock when a packet came or went."""

    KERNEL = "kernel"
    USER = "user"


class Why(StrEnum):
    """Why a session came to nothing at a landmark."""

    NO_BIND = "no_bind"
    NOT_BOUND_TO = "not_bound_to"
    """BIND came, and counted this landmark among the absent."""
    NO_READY = "no_ready"
    TOO_FEW_ANSWERS = "too_few_answers"
    CLOCK = "clock"
    """The landmark's clocks disagreed about how long the session took."""
    STOPPED = "stopped"
    """The landmark was told to stop, or began anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What a landmark measured in one session."""

    link: Link
    sid: bytes
    session: bytes
    position: bytes
    bind: bytes
    close: bytes
    ack: bytes | None
    """Digests of the other statements; None if no ACK came."""
    transcript: bytes
    rounds_sent: int
    rounds_valid: int
    rounds_dropped: int
    """Answered, but the landmark's two clocks disagreed about them."""
    smallest_ns: tuple[int, ...]
    """The three smallest round trips, ascending."""
    median_ns: int
    """The lower one of two."""
    largest_ns: int
    clock_error_ns: int
    """By how much the third smallest can have been measured too small."""
    bound_ns: int
    """The third smallest with its clock error: the key holder was within c times half of this."""
    stamps: Stamps
    from_ns: int
    to_ns: int
    """Interval in which every round was sent and answered, in the landmark's UTC."""
    utc_error_ns: int
    software: str
    commitments: dict[str, bytes]
    """Of private fields: `address`, from which the answers came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort:
    """A session came to nothing at a landmark."""

    link: Link
    sid: bytes
    session: bytes
    why: Why
    rounds_sent: int
    rounds_valid: int
    at_ns: int


def write_measurement(said: Measurement, key: SigningKey) -> bytes:
    """The statement MEASUREMENT, signed by the landmark."""
    payload: dict[str, Value] = {
        **link_fields(said.link),
        "sid": said.sid,
        "session": said.session,
        "position": said.position,
        "bind": said.bind,
        "close": said.close,
        "ack": said.ack,
        "transcript": said.transcript,
        "rounds_sent": said.rounds_sent,
        "rounds_valid": said.rounds_valid,
        "rounds_dropped": said.rounds_dropped,
        "smallest_ns": list(said.smallest_ns),
        "median_ns": said.median_ns,
        "largest_ns": said.largest_ns,
        "clock_error_ns": said.clock_error_ns,
        "bound_ns": said.bound_ns,
        "stamps": str(said.stamps),
        "from_ns": said.from_ns,
        "to_ns": said.to_ns,
        "utc_error_ns": said.utc_error_ns,
        "software": said.software,
        "commitments": dict(said.commitments),
    }
    return signed(Kind.MEASUREMENT, encode(payload), key)


def read_measurement(data: bytes, landmark: VerifyingKey) -> Measurement:
    """What a landmark says it measured, checked against its key, and its numbers against one another.

    Raises:
        Malformed, Refused: not such a statement, not by this key, or with a bound that its own numbers do not give.
    """
    fields = Fields.of(believed(data, Kind.MEASUREMENT, landmark), Kind.MEASUREMENT.short)
    duration = integer(1, LONGEST_ROUND_TRIP_NS)
    read = Measurement(
        link=read_link(fields),
        sid=fields.octets("sid", 16),
        session=fields.octets("session", 32),
        position=fields.octets("position", 32),
        bind=fields.octets("bind", 32),
        close=fields.octets("close", 32),
        ack=fields.octets_or_none("ack", 32),
        transcript=fields.octets("transcript", 32),
        rounds_sent=fields.integer("rounds_sent", least=ORDER, most=MOST_ROUNDS),
        rounds_valid=fields.integer("rounds_valid", least=ORDER, most=MOST_ROUNDS),
        rounds_dropped=fields.integer("rounds_dropped", most=MOST_ROUNDS),
        smallest_ns=fields.items("smallest_ns", duration, least=ORDER, most=ORDER),
        median_ns=fields.integer("median_ns", least=1, most=LONGEST_ROUND_TRIP_NS),
        largest_ns=fields.integer("largest_ns", least=1, most=LONGEST_ROUND_TRIP_NS),
        clock_error_ns=fields.integer("clock_error_ns", most=LONGEST_ROUND_TRIP_NS),
        bound_ns=fields.integer("bound_ns", least=1, most=2 * LONGEST_ROUND_TRIP_NS),
        stamps=Stamps(_one_of(fields, "stamps", Stamps)),
        from_ns=fields.instant_ns("from_ns"),
        to_ns=fields.instant_ns("to_ns"),
        utc_error_ns=fields.integer("utc_error_ns", most=MOST_UTC_ERROR_NS),
        software=fields.text("software"),
        commitments=fields.digests("commitments", PRIVATE),
    )
    fields.end()
    _check_numbers(read)
    return read


def write_abort(said: Abort, key: SigningKey) -> bytes:
    """The statement ABORT, signed by the landmark."""
    payload: dict[str, Value] = {
        **link_fields(said.link),
        "sid": said.sid,
        "session": said.session,
        "why": str(said.why),
        "rounds_sent": said.rounds_sent,
        "rounds_valid": said.rounds_valid,
        "at_ns": said.at_ns,
    }
    return signed(Kind.ABORT, encode(payload), key)


def read_abort(data: bytes, landmark: VerifyingKey) -> Abort:
    """Why a session came to nothing at a landmark, checked against its key.

    Raises:
        Malformed, Refused: not such a statement, or not by this key.
    """
    fields = Fields.of(believed(data, Kind.ABORT, landmark), Kind.ABORT.short)
    read = Abort(
        link=read_link(fields),
        sid=fields.octets("sid", 16),
        session=fields.octets("session", 32),
        why=Why(_one_of(fields, "why", Why)),
        rounds_sent=fields.integer("rounds_sent", most=MOST_ROUNDS),
        rounds_valid=fields.integer("rounds_valid", most=MOST_ROUNDS),
        at_ns=fields.instant_ns("at_ns"),
    )
    fields.end()
    return read


def _check_numbers(said: Measurement) -> None:
    """Refuse a bound that the numbers beside it do not give; whether they were measured, nobody can see."""
    rules = {
        "rounds_valid": said.rounds_valid + said.rounds_dropped <= said.rounds_sent,
        "smallest_ns": list(said.smallest_ns) == sorted(said.smallest_ns),
        "median_ns": said.smallest_ns[(min(said.rounds_valid, 2 * ORDER) - 1) // 2] <= said.median_ns,
        "largest_ns": max(said.median_ns, said.smallest_ns[-1]) <= said.largest_ns,
        "bound_ns": said.bound_ns == said.smallest_ns[ORDER - 1] + said.clock_error_ns,
        "to_ns": said.from_ns <= said.to_ns,
    }
    for name, holds in rules.items():
        if not holds:
            path = f"{Kind.MEASUREMENT.short}.{name}"
            raise refused(ErrorCode.NUMBERS_DIFFER, "a number that agrees with the others", "another", path)


def _one_of(fields: Fields, name: str, words: type[StrEnum]) -> str:
    word = fields.text(name)
    if word not in set(words):
        expected = f"one of {', '.join(words)}"
        raise malformed(ErrorCode.STATEMENT_MALFORMED, expected, "another text", f"{fields.path}.{name}")
    return word
