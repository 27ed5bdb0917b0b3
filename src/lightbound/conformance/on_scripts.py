"""The reference's answers about whole sessions: what each end says and sends, move by move.

A script is one operation: who the party is, its dice, and the moves. Every move has an outcome of its own, a result or
a refusal, and a refusal leaves the session where it was.
"""

from collections.abc import Callable
from typing import Final

from lightbound.conformance.arguments import Arguments, Json, NotAnOperation, octets
from lightbound.conformance.on_clocks import clock_errors, instant
from lightbound.conformance.outcomes import outcome
from lightbound.keys.ed25519 import KEY_BYTES, SigningKey, VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.ranging.sessions.agent import AgentSession, AgentTrust
from lightbound.ranging.sessions.chain import Chain, Linked
from lightbound.ranging.sessions.landmark import Dice, Identity, LandmarkSession
from lightbound.ranging.statements.binding import read_evidence
from lightbound.ranging.statements.measurement import Stamps, Why
from lightbound.ranging.statements.opening import Link
from lightbound.ranging.statements.session import read_session
from lightbound.ranging.timing.challenger import Challenger
from lightbound.ranging.timing.responder import Responder


class LandmarkScript:
    """One session at a landmark."""

    def __init__(self, asked: Arguments) -> None:
        """Before SESSION came."""
        identity, dice = asked.inside("identity"), asked.inside("dice")
        self._identity = Identity(
            key=SigningKey.of_seed(Purpose.LANDMARK, identity.octets("seed", KEY_BYTES)),
            position=identity.octets("position"),
            errors=clock_errors(identity.inside("errors")),
            stamps=identity.word("stamps", Stamps),
            utc_error_ns=identity.integer("utc_error_ns"),
            port=identity.integer("port"),
            software=identity.text("software"),
        )
        self._dice = Dice(
            random=dice.octets("random"),
            x_seed=dice.octets("x_seed", KEY_BYTES),
            cookie=dice.octets("cookie"),
            close_random=dice.octets("close_random"),
            address_salt=dice.octets("address_salt"),
        )
        self._verifier = asked.octets("verifier")
        self._session: LandmarkSession | None = None

    def open(self, asked: Arguments) -> Json:
        """SESSION comes."""
        data = asked.octets("data")
        verifier = VerifyingKey(purpose=Purpose.VERIFIER, raw=self._verifier)
        chain = Chain()
        if asked.has("previous"):
            chain.newest = self._newest(asked.inside("previous"), read_session(data, verifier).agent)
        self._session, opened = LandmarkSession.opened(
            data,
            identity=self._identity,
            verifier=verifier,
            chain=chain,
            dice=self._dice,
            up_since_ns=asked.integer("up_since_ns"),
            now_ns=asked.integer("now_ns"),
        )
        return {"open": opened.hex(), "contrib": self._session.contrib.hex()}

    def bind(self, asked: Arguments) -> Json:
        """BIND comes."""
        self._begun().bind(asked.octets("data"), now_ns=asked.integer("now_ns"))
        return {}

    def packet(self, asked: Arguments) -> Json:
        """A packet comes in the timed phase."""
        at = instant(asked.plain("at"))
        useful = self._phase().datagram_received(asked.octets("data"), address=asked.text("from"), at=at)
        return {"useful": useful}

    def due(self, asked: Arguments) -> Json:
        """What the timed phase is waiting for."""
        phase, now_ns = self._phase(), asked.integer("now_ns")
        return {"challenge": phase.may_send(now_ns=now_ns), "over": phase.is_over(now_ns=now_ns)}

    def challenge(self, asked: Arguments) -> Json:
        """A challenge is to be sent."""
        phase, at = self._phase(), instant(asked.plain("at"))
        sent = phase.challenge(nonce=asked.octets("nonce"), gap_ns=asked.integer("gap_ns"), at=at)
        return {"packet": sent.hex(), "to": phase.target}

    def end(self, asked: Arguments) -> Json:
        """The timed phase ends."""
        self._phase().end(at=instant(asked.plain("at")))
        return {}

    def close(self, _: Arguments) -> Json:
        """CLOSE is asked for."""
        return {"close": self._begun().close().hex()}

    def acknowledge(self, asked: Arguments) -> Json:
        """ACK comes."""
        self._begun().acknowledge(asked.octets("data"))
        return {}

    def measure(self, asked: Arguments) -> Json:
        """MEASUREMENT is asked for."""
        session = self._begun()
        if asked.has("newest"):
            session.chain.newest = self._newest(asked.inside("newest"), session.session.agent)
        return {"measurement": session.measure().hex()}

    def abort(self, asked: Arguments) -> Json:
        """The session is given up."""
        session, why = self._begun(), asked.word("why", Why)
        if asked.has("newest"):
            session.chain.newest = self._newest(asked.inside("newest"), session.session.agent)
        return {"abort": session.abort(why, now_ns=asked.integer("now_ns")).hex()}

    def _newest(self, said: Arguments, agent: VerifyingKey) -> Linked:
        """The newest statement about the agent, made in another session."""
        landmark = self._identity.key.key_id
        link = Link(landmark=landmark, agent=agent.key_id, seq=said.integer("seq"), prev=None)
        return Linked(link=link, digest=said.octets("digest"))

    def _begun(self) -> LandmarkSession:
        if self._session is None:
            raise NotAnOperation("a session that was not opened")
        return self._session

    def _phase(self) -> Challenger:
        phase = self._begun().challenger
        if phase is None:
            raise NotAnOperation("a timed phase that has not begun")
        return phase


class AgentScript:
    """One session at an agent."""

    def __init__(self, asked: Arguments) -> None:
        """Before SESSION came."""
        trust, dice = asked.inside("trust"), asked.inside("dice")
        keys = [VerifyingKey(purpose=Purpose.LANDMARK, raw=raw) for raw in trust.every("landmarks", octets)]
        self._trust = AgentTrust(
            verifier=VerifyingKey(purpose=Purpose.VERIFIER, raw=trust.octets("verifier")),
            directories=frozenset(trust.every("directories", octets)),
            landmarks={key.key_id: key for key in keys},
        )
        self._enrolment = SigningKey.of_seed(Purpose.ENROLMENT, asked.octets("seed", KEY_BYTES))
        self._s_seed, self._x_seed = dice.octets("s_seed", KEY_BYTES), dice.octets("x_seed", KEY_BYTES)
        self._session: AgentSession | None = None

    def asked(self, asked: Arguments) -> Json:
        """SESSION comes."""
        self._session = AgentSession.asked(
            asked.octets("data"),
            trust=self._trust,
            enrolment=self._enrolment,
            s_seed=self._s_seed,
            x_seed=self._x_seed,
            now_ns=asked.integer("now_ns"),
        )
        return {}

    def contribution(self, asked: Arguments) -> Json:
        """CONTRIB comes."""
        self._begun().contribution(asked.octets("landmark"), asked.octets("data"), now_ns=asked.integer("now_ns"))
        return {}

    def bind(self, asked: Arguments) -> Json:
        """The evidence is there, and BIND is asked for."""
        n0 = self._begun().unattested().n0()
        return {"n0": n0.hex(), "bind": self._begun().bind(read_evidence(asked.octets("evidence"))).hex()}

    def ready(self, asked: Arguments) -> Json:
        """READY is to be sent to a landmark."""
        return {"packet": self._responder(asked).ready().hex()}

    def packet(self, asked: Arguments) -> Json:
        """A packet comes from a landmark."""
        reply = self._responder(asked).datagram_received(asked.octets("data"))
        return {"reply": None if reply is None else reply.hex()}

    def close(self, asked: Arguments) -> Json:
        """CLOSE comes."""
        return {"ack": self._begun().close(asked.octets("landmark"), asked.octets("data")).hex()}

    def _begun(self) -> AgentSession:
        if self._session is None:
            raise NotAnOperation("a session that was not asked for")
        return self._session

    def _responder(self, asked: Arguments) -> Responder:
        responder = self._begun().responders.get(asked.octets("landmark"))
        if responder is None:
            raise NotAnOperation("a landmark that the session is not bound to")
        return responder


LANDMARK_MOVES: Final = (
    "open", "bind", "packet", "due", "challenge", "end", "close", "acknowledge", "measure", "abort",
)  # fmt: skip
AGENT_MOVES: Final = ("asked", "contribution", "bind", "ready", "packet", "close")


def _played(script: LandmarkScript | AgentScript, known: tuple[str, ...], moves: tuple[Arguments, ...]) -> Json:
    outcomes = []
    for move in moves:
        name = move.text("move")
        if name not in known:
            raise NotAnOperation("no such move")
        outcomes.append(outcome(getattr(script, name), move))
    return {"moves": outcomes}


def landmark_session(asked: Arguments) -> Json:
    """What a landmark says and sends in one session."""
    return _played(LandmarkScript(asked), LANDMARK_MOVES, asked.every("moves", Arguments))


def agent_session(asked: Arguments) -> Json:
    """What an agent says and sends in one session."""
    return _played(AgentScript(asked), AGENT_MOVES, asked.every("moves", Arguments))


OPERATIONS: Final[dict[str, Callable[[Arguments], Json]]] = {
    "landmark_session": landmark_session,
    "agent_session": agent_session,
}
