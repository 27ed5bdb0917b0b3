"""One session as a landmark lives it: a table of moves, without sockets, clocks or dice.

    OPENED --bind--> BOUND --READY, challenges, answers--> (Challenger) --close--> CLOSED --acknowledge--> ACKNOWLEDGED
    and from CLOSED or ACKNOWLEDGED --measure--> MEASURED; from anywhere before it --abort--> ABORTED.

Whoever owns the landmark keeps, across restarts, the sids it has opened and the newest link of each agent; `opened`
refuses a session issued before the landmark came up, so that losing the former does not let one be opened twice.
"""

from dataclasses import dataclass, field
from enum import StrEnum, auto
from typing import Final

from lightbound.canonical.commitments import Disclosure
from lightbound.errors import ErrorCode, refused
from lightbound.keys.agreement import AgreementKey
from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.keys.signing import digest
from lightbound.ranging.sessions.chain import Chain
from lightbound.ranging.statements.binding import Bind, Contribution, check_parties, read_bind
from lightbound.ranging.statements.closing import Close, read_ack, transcript, write_close
from lightbound.ranging.statements.kinds import VERSION
from lightbound.ranging.statements.measurement import (
    ORDER,
    Abort,
    Measurement,
    Stamps,
    Why,
    write_abort,
    write_measurement,
)
from lightbound.ranging.statements.opening import Contrib, Link, Open, write_contrib, write_open
from lightbound.ranging.statements.session import Session, check_askable, read_session
from lightbound.ranging.timing.challenger import LONGEST_PHASE_NS, Challenger, Phase
from lightbound.ranging.timing.clocks import ClockErrors
from lightbound.ranging.timing.packets import timed_keys

BIND_WITHIN_NS: Final = 60_000_000_000
"""A CONTRIB that nothing was bound to is forgotten after this."""


READY_WITHIN_NS: Final = 15_000_000_000
"""After BIND. An agent repeats READY every 300 ms, so that by then some 50 were lost, or none was sent."""

ROOM_NS: Final = READY_WITHIN_NS + LONGEST_PHASE_NS
"""What a session bound at the last moment can still take. BIND is not taken later: rounds after SESSION's expiry would
count for nothing."""

ACK_WITHIN_NS: Final = 10_000_000_000
"""After the timed phase. Without ACK the measurement stands, and counts for less."""


class State(StrEnum):
    """Where a session stands at a landmark."""

    OPENED = auto()
    BOUND = auto()
    CLOSED = auto()
    ACKNOWLEDGED = auto()
    MEASURED = auto()
    ABORTED = auto()


MOVES: Final = {
    (State.OPENED, "bind"): State.BOUND,
    (State.BOUND, "close"): State.CLOSED,
    (State.CLOSED, "acknowledge"): State.ACKNOWLEDGED,
    (State.CLOSED, "measure"): State.MEASURED,
    (State.ACKNOWLEDGED, "measure"): State.MEASURED,
    (State.OPENED, "abort"): State.ABORTED,
    (State.BOUND, "abort"): State.ABORTED,
    (State.CLOSED, "abort"): State.ABORTED,
    (State.ACKNOWLEDGED, "abort"): State.ABORTED,
}
"""Every move there is. Any other is refused, and changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a landmark is: its key, its place, and what it says of its clocks."""

    key: SigningKey
    position: bytes
    """Digest of its POSITION."""
    errors: ClockErrors
    stamps: Stamps
    utc_error_ns: int
    port: int
    software: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dice:
    """What a landmark draws for one session, all of it from the operating system."""

    random: bytes
    x_seed: bytes
    cookie: bytes
    close_random: bytes
    address_salt: bytes


@dataclass(slots=True, kw_only=True)
class LandmarkSession:
    """One session at one landmark. `state` moves by `MOVES` alone."""

    identity: Identity
    session: Session
    session_digest: bytes
    contrib: bytes
    """What the agent is given."""
    state: State = State.OPENED
    challenger: Challenger | None = None
    """There from BIND on; whoever owns the sockets drives it, and calls `close` when it is over."""
    chain: Chain
    """Of all that this landmark says about the agent, shared with other sessions of the same agent."""
    _bind_by_ns: int
    _x: AgreementKey = field(repr=False)
    _dice: Dice = field(repr=False)
    _bind_at_ns: int = 0
    _bind: Bind | None = None
    _bind_digest: bytes = b""
    _close: bytes = b""
    _transcript: bytes = b""
    _ack: bytes | None = None

    @classmethod
    def opened(
        cls,
        data: bytes,
        *,
        identity: Identity,
        verifier: VerifyingKey,
        chain: Chain,
        dice: Dice,
        up_since_ns: int,
        now_ns: int,
    ) -> tuple["LandmarkSession", bytes]:
        """A session that a verifier asks for, and its OPEN, to be stored before `contrib` is given out.

        `chain` is the one about this agent, and grows by the OPEN. That the sid has not been opened before is for the
        caller to know.

        Raises:
            Malformed, Refused: not a SESSION of this verifier that names this landmark and is valid now.
        """
        session = read_session(data, verifier)
        key = identity.key
        check_askable(session, now_ns=now_ns)
        if key.key_id not in session.landmarks:
            raise refused(ErrorCode.WRONG_LANDMARK, "a session that names this landmark", "others", "session.landmarks")
        bind_by_ns = min(session.expiry_ns - ROOM_NS, now_ns + BIND_WITHIN_NS)
        if now_ns > bind_by_ns:
            raise refused(ErrorCode.NOT_VALID_THEN, "time for a timed phase before SESSION expires", "less", "session")
        if session.issued_ns < up_since_ns:
            raise refused(
                ErrorCode.NOT_VALID_THEN, "a session issued since the landmark came up", "an older one", "session"
            )
        session_digest = digest(data)
        link = chain.following(key.key_id, session.agent.key_id)
        opened = write_open(Open(link=link, sid=session.sid, session=session_digest, at_ns=now_ns), key)
        x = AgreementKey.of_seed(dice.x_seed)
        contrib = Contrib(
            version=VERSION,
            session=session_digest,
            landmark=key.key_id,
            position=identity.position,
            random=dice.random,
            x=x.public,
            cookie=dice.cookie,
            port=identity.port,
            expiry_ns=bind_by_ns,
        )
        made = cls(
            identity=identity,
            session=session,
            session_digest=session_digest,
            contrib=write_contrib(contrib, key),
            chain=chain,
            _bind_by_ns=bind_by_ns,
            _x=x,
            _dice=dice,
        )
        chain.add(link, opened)
        return made, opened

    def bind(self, data: bytes, *, now_ns: int) -> None:
        """Take BIND: the keys of the timed phase follow from it.

        Raises:
            Malformed, Refused: not a BIND of this session by its agent that names this landmark's CONTRIB, or too late.
        """
        state = self._move("bind")
        bind = read_bind(data, self.session.agent)
        own = Contribution(landmark=self.identity.key.key_id, digest=digest(self.contrib))
        if bind.session != self.session_digest:
            raise refused(ErrorCode.WRONG_SESSION, "this session", "another", "bind.session")
        check_parties(bind, self.session)
        if own not in bind.contributions:
            raise refused(ErrorCode.WRONG_LANDMARK, "the CONTRIB of this landmark", "not it", "bind.contributions")
        if now_ns > self._bind_by_ns:
            raise refused(ErrorCode.NOT_VALID_THEN, "BIND before CONTRIB expires", "a later one", "bind")
        bind_digest = digest(data)
        keys = timed_keys(
            self._x.agree(bind.x), sid=self.session.sid, landmark=self.identity.key.key_id, bind=bind_digest
        )
        self.challenger = Challenger.begin(keys, cookie=self._dice.cookie, errors=self.identity.errors)
        self._bind, self._bind_digest, self._bind_at_ns, self.state = bind, bind_digest, now_ns, state

    def close(self) -> bytes:
        """CLOSE, once the timed phase is over.

        Raises:
            Refused: it is not, or gave no bound; then `abort` says why.
        """
        state = self._move("close")
        challenger = self._challenger()
        challenger.third_smallest()
        answers = [one.answer for one in challenger.valid]
        found = transcript(self.session.sid, self.identity.key.key_id, self._bind_digest, answers)
        close = Close(
            sid=self.session.sid,
            landmark=self.identity.key.key_id,
            bind=self._bind_digest,
            rounds_sent=challenger.sent,
            accepted=tuple(answer.round for answer in answers),
            transcript=found,
            random=self._dice.close_random,
        )
        data = write_close(close, self.identity.key)
        self._close, self._transcript, self.state = data, found, state
        return data

    def conclude(self, *, now_ns: int) -> bytes:
        """What follows from a timed phase that is over: CLOSE if it gave a bound, and the ABORT that says why if not.

        Raises:
            Refused: no phase has ended, or it was concluded before. Nothing is aborted then.
        """
        self._move("close")
        challenger = self._challenger()
        if challenger.phase is not Phase.ENDED:
            raise refused(ErrorCode.OUT_OF_ORDER, "a phase that ended", "one that did not", "close")
        if not challenger.sent:
            return self.abort(Why.NO_READY, now_ns=now_ns)
        if len(challenger.valid) < ORDER:
            return self.abort(Why.TOO_FEW_ANSWERS, now_ns=now_ns)
        if not challenger.clocks_agree:
            return self.abort(Why.CLOCK, now_ns=now_ns)
        return self.close()

    def acknowledge(self, data: bytes) -> None:
        """Take ACK.

        Raises:
            Malformed, Refused: not an ACK of this CLOSE by the session key. The session then stays without one.
        """
        state = self._move("acknowledge")
        if self._bind is None:
            raise refused(ErrorCode.OUT_OF_ORDER, "ACK after BIND", "before", "ack")
        ack = read_ack(data, self._bind.s)
        if ack.sid != self.session.sid or ack.close != digest(self._close):
            raise refused(ErrorCode.WRONG_SESSION, "the CLOSE of this session", "another", "ack.close")
        if ack.landmark != self.identity.key.key_id:
            raise refused(ErrorCode.WRONG_LANDMARK, "this landmark", "another", "ack.landmark")
        if ack.transcript != self._transcript or ack.answered < len(self._challenger().valid):
            raise refused(ErrorCode.TRANSCRIPT_DIFFERS, "the transcript of CLOSE", "another", "ack.transcript")
        self._ack, self.state = digest(data), state

    def measure(self) -> bytes:
        """MEASUREMENT, with ACK or without. It is to be stored before it is given out, and `chain` with it.

        Raises:
            Refused: the session is not closed, or gave no bound.
        """
        state = self._move("measure")
        challenger = self._challenger()
        third_ns, error_ns = challenger.third_smallest()
        began, ended = challenger.began, challenger.ended
        if began is None or ended is None:
            raise refused(ErrorCode.OUT_OF_ORDER, "a phase that ended", "one that did not", "measurement")
        times = sorted(one.round_trip_ns for one in challenger.valid)
        link = self.chain.following(self.identity.key.key_id, self.session.agent.key_id)
        said = Measurement(
            link=link,
            sid=self.session.sid,
            session=self.session_digest,
            position=self.identity.position,
            bind=self._bind_digest,
            close=digest(self._close),
            ack=self._ack,
            transcript=self._transcript,
            rounds_sent=challenger.sent,
            rounds_valid=len(times),
            rounds_dropped=challenger.dropped,
            smallest_ns=tuple(times[:ORDER]),
            median_ns=times[(len(times) - 1) // 2],
            largest_ns=times[-1],
            clock_error_ns=error_ns,
            bound_ns=third_ns + error_ns,
            stamps=self.identity.stamps,
            from_ns=began.utc_ns,
            to_ns=max(began.utc_ns, ended.utc_ns),
            utc_error_ns=self.identity.utc_error_ns,
            software=self.identity.software,
            commitments={"address": self.address().digest()},
        )
        return self._logged(write_measurement(said, self.identity.key), link, state)

    def abort(self, why: Why, *, now_ns: int) -> bytes:
        """ABORT: nothing is concluded. To be stored before it is given out, as MEASUREMENT is.

        Raises:
            Refused: the session has ended already.
        """
        state = self._move("abort")
        link = self.chain.following(self.identity.key.key_id, self.session.agent.key_id)
        said = Abort(
            link=link,
            sid=self.session.sid,
            session=self.session_digest,
            why=why,
            rounds_sent=self.challenger.sent if self.challenger else 0,
            rounds_valid=len(self.challenger.valid) if self.challenger else 0,
            at_ns=now_ns,
        )
        return self._logged(write_abort(said, self.identity.key), link, state)

    def wake_at_ns(self) -> int | None:
        """Until when the agent may keep this session waiting, in UTC; None while it is the landmark's turn.

        During the timed phase `challenger.wake_at_ns` tells.
        """
        match self.state:
            case State.OPENED:
                return self._bind_by_ns
            case State.BOUND if self.challenger is not None and self.challenger.phase is Phase.WAITING:
                return self._bind_at_ns + READY_WITHIN_NS
            case State.CLOSED if self.challenger is not None and self.challenger.ended is not None:
                return self.challenger.ended.utc_ns + ACK_WITHIN_NS
            case _:
                return None

    def gave_up(self, *, now_ns: int) -> bytes | None:
        """What ends the session because the agent has kept it waiting too long, to be logged; None if it has not.

        A session without BIND or READY ends with ABORT, one without ACK with a MEASUREMENT that says so.
        """
        wake_ns = self.wake_at_ns()
        if wake_ns is None or now_ns <= wake_ns:
            return None
        if self.state is State.CLOSED:
            return self.measure()
        why = Why.NO_BIND if self.state is State.OPENED else Why.NO_READY
        return self.abort(why, now_ns=now_ns)

    def address(self) -> Disclosure:
        """The private field of MEASUREMENT: where the answers came from, as text, with its salt."""
        seen = self.challenger.address if self.challenger else None
        return Disclosure(field="address", salt=self._dice.address_salt, value=seen)

    def _logged(self, data: bytes, link: Link, state: State) -> bytes:
        self.chain.add(link, data)
        self.state = state
        return data

    def _move(self, event: str) -> State:
        to = MOVES.get((self.state, event))
        if to is None:
            raise refused(ErrorCode.OUT_OF_ORDER, f"{event} at its time", f"a session that is {self.state}", event)
        return to

    def _challenger(self) -> Challenger:
        if self.challenger is None:
            raise refused(ErrorCode.OUT_OF_ORDER, "a session that is bound", str(self.state), "challenger")
        return self.challenger
