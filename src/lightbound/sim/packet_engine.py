"""Whole sessions, message by message, over the real ends of the protocol, in virtual time.

Control messages take a round trip and arrive; who stalls, refuses or cheats is the scenario's business. Everything
that a session leaves behind goes through `verified_session`, as it would at a stranger's: a cheat that this does not
refuse has its measurements believed. The same scenario and seed give the same bytes.
"""

import copy
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from lightbound.errors import LightboundError
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.ranging.sessions.agent import AgentSession
from lightbound.ranging.sessions.chain import Chain, Linked
from lightbound.ranging.sessions.draw import drawn
from lightbound.ranging.sessions.landmark import Dice, LandmarkSession, State
from lightbound.ranging.sessions.verification import (
    LandmarkStatements,
    SessionStatements,
    VerifiedSession,
    verified_session,
)
from lightbound.ranging.statements.binding import Evidence, write_bind
from lightbound.ranging.statements.measurement import Why, read_measurement, write_measurement
from lightbound.ranging.statements.session import Draw, Session, chips_root, write_session
from lightbound.sim import tampering
from lightbound.sim.clocks import clocks_of
from lightbound.sim.conduct import Conduct
from lightbound.sim.dice import octets, rolls
from lightbound.sim.scenario import AgentKind, LandmarkKind, VerifierKind
from lightbound.sim.timed_phase import Answers, Wire, timed_phase
from lightbound.sim.trace import Trace
from lightbound.sim.world import BEGINNING_NS, World, WorldAgent, WorldLandmark

EVERY_NS: Final = 600_000_000_000
"""Between one session and the next."""

VALID_NS: Final = 300_000_000_000

CONTRIB_NS, BIND_NS = 1_000_000, 3_000_000_000
"""When these arrive, since SESSION was issued. What follows the timed phase takes so long each:"""

STEP_NS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRun:
    """What became of one session."""

    number: int
    agent: int
    sid: bytes
    statements: SessionStatements | None
    """None if the agent could not even bind itself."""
    result: VerifiedSession | LightboundError
    trace: Trace


@dataclass(slots=True, kw_only=True)
class PacketEngine:
    """Runs sessions of a world, one after the other; landmarks keep their sequences, cheats their memory."""

    world: World
    seed: int
    conduct: Conduct
    tracing: bool = False
    shown: dict[tuple[bytes, bytes], list[Linked]] = field(default_factory=lambda: defaultdict(list))
    """What anybody was shown of each landmark's sequence about each agent."""
    _chains: dict[tuple[bytes, bytes], Chain] = field(default_factory=dict)
    _packets: deque[bytes] = field(default_factory=lambda: deque(maxlen=tampering.KEPT))
    _replies: deque[bytes] = field(default_factory=lambda: deque(maxlen=tampering.KEPT))

    def run(self, sessions: int, *, first: int = 0) -> Iterator[SessionRun]:
        """Sessions `first` to `first + sessions - 1`, agents in turn."""
        for number in range(first, first + sessions):
            yield self.session(number)

    def session(self, number: int) -> SessionRun:
        """One session, whole."""
        return _OneSession(engine=self, number=number).run()

    def show(self, said: Linked) -> None:
        """Show the world a statement of a sequence."""
        self.shown[said.link.landmark, said.link.agent].append(said)

    def chain(self, landmark: bytes, agent: bytes) -> Chain:
        """What a landmark has said about an agent so far."""
        return self._chains.setdefault((landmark, agent), Chain())

    def memory(self) -> tuple[deque[bytes], deque[bytes]]:
        """Packets and replies of earlier sessions, that cheats kept."""
        return self._packets, self._replies


class _OneSession:
    """The state of one session while it runs."""

    def __init__(self, *, engine: PacketEngine, number: int) -> None:
        self.engine, self.number, self.world = engine, number, engine.world
        self.agent_number = number % len(self.world.agents)
        self.agent: WorldAgent = self.world.agents[self.agent_number]
        self.cheats = self.world.scenario.cheats
        self.dice = rolls(engine.seed, "session", number)
        self.issued_ns = BEGINNING_NS + number * EVERY_NS
        self.trace = Trace(is_on=engine.tracing)
        self.statements: dict[bytes, LandmarkStatements] = {}
        self.sid = octets(engine.seed, "sid", number, length=16)

    def run(self) -> SessionRun:
        """Ask, contribute, bind, time, close, and check what is left as a stranger would."""
        session = self._asked()
        faces = len(self.agent.holders) if self.cheats.agents is AgentKind.TWO_FACED else 1
        try:
            agents = [self._agent(session, face) for face in range(faces)]
            landmarks = self._contributed(session, agents)
            evidence = Evidence()
            if self.cheats.agents is AgentKind.FOREIGN:
                foreign = SigningKey.of_seed(Purpose.ENROLMENT, self._octets("foreign"))
                own = SigningKey.of_seed(Purpose.SESSION, self._octets("s", 0))
                binds = [write_bind(agents[0].unattested(), foreign, own)]
            else:
                binds = [agent.bind(evidence) for agent in agents]
        except LightboundError as error:
            return self._ended(None, error)
        for index, at_landmark in sorted(landmarks.items()):
            face = int(self.engine.conduct.holder[self.agent_number, index]) if faces > 1 else 0
            self._timed(index, at_landmark, agents[face], binds[face])
        manifest = evidence.manifest()
        if self.cheats.agents is AgentKind.OTHER_EVIDENCE:
            manifest = Evidence(quote=self._octets("other evidence")).manifest()
        statements = SessionStatements(session=session, bind=binds[0], evidence=manifest, by_landmark=self._presented())
        try:
            result: VerifiedSession | LightboundError = verified_session(
                statements, verifier=self.world.verifier.verifying, landmarks=self.world.admitted
            )
        except LightboundError as error:
            result = error
        return self._ended(statements, result)

    def _asked(self) -> bytes:
        """SESSION, with the landmarks that the draw gives, or that a picking verifier likes."""
        scenario = self.world.scenario
        chosen = tuple(sorted(self.world.landmarks[i].id for i in self.agent.chosen))
        beacon = self._octets("beacon")
        landmarks = drawn(
            self.world.admitted.by_id,
            beacon=beacon,
            agent=self.agent.enrolment.verifying.raw,
            chosen=chosen,
            extras=scenario.extras,
        )
        if self.cheats.verifier is VerifierKind.PICKING:
            # In place of one that was drawn, the first that was not.
            passed_over = sorted(set(self.world.admitted.by_id) - set(landmarks))
            extras = sorted(set(landmarks) - set(chosen))
            if passed_over and extras:
                landmarks = tuple(sorted({*landmarks, passed_over[0]} - {extras[0]}))
        said = Session(
            versions=(1,),
            sid=self.sid,
            agent=self.agent.enrolment.verifying,
            chips=chips_root([(chip, self._octets("chip", i, length=16)) for i, chip in enumerate(self.agent.chips)]),
            directory=self.world.admitted.digest,
            landmarks=landmarks,
            draw=Draw(beacon=beacon, beacon_name=f"beacon-{self.number}", chosen=chosen, extras=scenario.extras),
            policy=octets(0, "policy", scenario.name),
            issued_ns=self.issued_ns,
            expiry_ns=self.issued_ns + VALID_NS,
            commitments={"site": self._octets("site")},
        )
        self.trace.note(self.issued_ns, "verifier", "agent", "SESSION", f"{len(landmarks)} landmarks")
        return write_session(said, self.world.verifier)

    def _agent(self, session: bytes, face: int) -> AgentSession:
        return AgentSession.asked(
            session,
            trust=self.world.trust_of_agents,
            enrolment=self.agent.enrolment,
            s_seed=self._octets("s", face),
            x_seed=self._octets("x", face),
            now_ns=self.issued_ns,
        )

    def _contributed(self, session: bytes, agents: list[AgentSession]) -> dict[int, LandmarkSession]:
        """Every landmark that is asked and gives its part; the others are absent."""
        taken: dict[int, LandmarkSession] = {}
        for landmark_id in agents[0].session.landmarks:
            index = self.world.landmark_of[landmark_id]
            landmark = self.world.landmarks[index]
            asked = self.engine.conduct.answers[self.agent_number, index]
            if not asked and landmark.kind is not LandmarkKind.NEVER_CLOSING:
                self.trace.note(self.issued_ns + CONTRIB_NS, landmark.stated.name, "agent", "CONTRIB", "never came")
                continue
            name = landmark.stated.name
            at_landmark, _ = LandmarkSession.opened(
                session,
                identity=landmark.identity,
                verifier=self.world.verifier.verifying,
                chain=self.engine.chain(landmark_id, self.agent.enrolment.key_id),
                dice=Dice(
                    random=self._octets("random", name),
                    x_seed=self._octets("landmark x", name),
                    cookie=self._octets("cookie", name, length=16),
                    close_random=self._octets("close", name),
                    address_salt=self._octets("address", name),
                ),
                up_since_ns=BEGINNING_NS,
                now_ns=self.issued_ns,
            )
            self._show(at_landmark)
            for agent in agents:
                agent.contribution(landmark_id, at_landmark.contrib, now_ns=self.issued_ns)
            self.statements[landmark_id] = LandmarkStatements(contrib=at_landmark.contrib)
            self.trace.note(self.issued_ns + CONTRIB_NS, name, "agent", "CONTRIB", "taken")
            taken[index] = at_landmark
        return taken

    def _timed(self, index: int, at_landmark: LandmarkSession, agent: AgentSession, bind: bytes) -> None:
        """BIND, the timed phase, CLOSE, ACK and MEASUREMENT of one landmark."""
        landmark = self.world.landmarks[index]
        name, began_ns = landmark.stated.name, self.issued_ns + BIND_NS
        try:
            at_landmark.bind(bind, now_ns=began_ns)
        except LightboundError as error:
            self._refused(began_ns, name, "BIND", error)
            self._aborted(began_ns, landmark, at_landmark.abort(Why.NO_BIND, now_ns=began_ns), at_landmark)
            return
        self.trace.note(began_ns, "agent", name, "BIND", "taken")
        challenger = at_landmark.challenger
        if challenger is None:
            raise TypeError(name)
        responder = agent.responders[landmark.id]
        floor_ns = int(self.engine.conduct.floor_ns[self.agent_number, index])
        delay_ns = int(self.engine.conduct.delay_ns[self.agent_number, index])
        packets, replies = self.engine.memory()
        answers: Answers = tampering.prompt(responder, later_ns=delay_ns)
        if self.cheats.agents is AgentKind.GUESSING:
            answers = tampering.guessing(responder, self.dice)
        elif self.cheats.agents is AgentKind.REPLAYING:
            answers = tampering.replaying(responder, replies)
        model = self.world.scenario.paths
        ended_ns = timed_phase(
            challenger,
            ready=responder.ready,
            answers=answers,
            wire=Wire(
                floor_ns=floor_ns,
                jitter_ns=self.world.paths.jitter_ns,
                loss=model.loss,
                duplicate=model.duplicate,
                tamper=tampering.network(self.cheats.network, self.dice, packets),
            ),
            clocks=clocks_of(
                landmark.kind,
                self.dice,
                from_ns=began_ns,
                round_trip_ns=floor_ns,
                rate_ppb=landmark.identity.errors.rate_ppb,
                factor=self.cheats.factor,
            ),
            from_ns=began_ns,
            dice=self.dice,
            trace=self.trace,
            landmark=name,
        )
        self._closed(ended_ns, landmark, at_landmark, agent)

    def _closed(
        self, ended_ns: int, landmark: WorldLandmark, at_landmark: LandmarkSession, agent: AgentSession
    ) -> None:
        """CLOSE, ACK and MEASUREMENT, or the ABORT that says why there is none."""
        name = landmark.stated.name
        close = at_landmark.conclude(now_ns=ended_ns)
        if at_landmark.state is State.ABORTED:
            self._aborted(ended_ns, landmark, close, at_landmark)
            return
        if landmark.kind is LandmarkKind.NEVER_CLOSING:
            self.trace.note(ended_ns, name, "agent", "CLOSE", "never came")
            return
        self.trace.note(ended_ns, name, "agent", "CLOSE", "taken")
        ack: bytes | None = None
        if self.cheats.agents is not AgentKind.UNACKNOWLEDGING:
            try:
                ack = agent.close(landmark.id, close)
                at_landmark.acknowledge(ack)
                self.trace.note(ended_ns + STEP_NS, "agent", name, "ACK", "taken")
            except LightboundError as error:
                self._refused(ended_ns + STEP_NS, name, "ACK", error)
        twin = copy.copy(at_landmark)
        twin.chain = copy.copy(at_landmark.chain)
        measurement = at_landmark.measure()
        self._show(at_landmark)
        self.statements[landmark.id] = replace(
            self.statements[landmark.id], close=close, ack=ack, measurement=measurement
        )
        self.trace.note(ended_ns + 2 * STEP_NS, name, "verifier", "MEASUREMENT", "noted")
        if landmark.kind is LandmarkKind.FORKING:
            twin.abort(Why.STOPPED, now_ns=ended_ns)
            self._show(twin)

    def _presented(self) -> dict[bytes, LandmarkStatements]:
        """What the verifier shows of what it has."""
        shown = dict(self.statements)
        match self.cheats.verifier:
            case VerifierKind.EDITING:
                for landmark, said in self.statements.items():
                    if said.measurement is not None:
                        read = read_measurement(said.measurement, self.world.admitted.by_id[landmark].key)
                        edited = replace(
                            read,
                            smallest_ns=(1, 1, 1),
                            clock_error_ns=0,
                            bound_ns=1,
                        )
                        # It has no landmark's key, so it signs with one of its own.
                        own = SigningKey.of_seed(Purpose.LANDMARK, self._octets("forger"))
                        shown[landmark] = replace(said, measurement=write_measurement(edited, own))
            case VerifierKind.DROPPING:
                for landmark in sorted(self.statements)[::2]:
                    shown[landmark] = replace(shown[landmark], close=None, ack=None, measurement=None, abort=None)
            case _:
                pass
        return shown

    def _show(self, at_landmark: LandmarkSession) -> None:
        """Show the newest statement of a landmark, unless the verifier hides it."""
        hidden = self.cheats.verifier is VerifierKind.DROPPING and bool(self.dice.integers(2))
        newest = at_landmark.chain.newest
        if newest is not None and not hidden:
            self.engine.show(newest)

    def _aborted(self, at_ns: int, landmark: WorldLandmark, abort: bytes, at_landmark: LandmarkSession) -> None:
        self._show(at_landmark)
        self.statements[landmark.id] = replace(self.statements[landmark.id], abort=abort)
        self.trace.note(at_ns, landmark.stated.name, "verifier", "ABORT", "noted")

    def _refused(self, at_ns: int, who: str, what: str, error: LightboundError) -> None:
        self.trace.note(at_ns, "agent", who, what, f"refused: {error.faults[0].code}")

    def _ended(self, statements: SessionStatements | None, result: VerifiedSession | LightboundError) -> SessionRun:
        return SessionRun(
            number=self.number,
            agent=self.agent_number,
            sid=self.sid,
            statements=statements,
            result=result,
            trace=self.trace,
        )

    def _octets(self, *names: str | int, length: int = 32) -> bytes:
        return octets(self.engine.seed, self.number, *names, length=length)
