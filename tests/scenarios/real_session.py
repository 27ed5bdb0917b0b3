"""One session in a real world: what the verifier does in it, and which agent lives it."""

import secrets
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final

from lightbound.canonical import cose
from lightbound.demo.conditions import Behaviour
from lightbound.errors import LightboundError
from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.ranging.sessions.agent import AgentSession
from lightbound.ranging.sessions.chain import Linked, breaks
from lightbound.ranging.sessions.draw import drawn
from lightbound.ranging.sessions.verification import (
    LandmarkStatements,
    SessionStatements,
    VerifiedSession,
    verified_session,
)
from lightbound.ranging.statements.binding import Evidence, read_bind
from lightbound.ranging.statements.kinds import Kind
from lightbound.ranging.statements.measurement import read_abort, read_measurement, write_measurement
from lightbound.ranging.statements.opening import read_open
from lightbound.ranging.statements.session import Draw, Session, chips_root, read_session, write_session
from lightbound.ranging.timing.responder import Responder
from lightbound.sim import tampering
from lightbound.sim.conduct import HELD_NS, Conduct, conduct
from lightbound.sim.dice import octets, rolls
from lightbound.sim.packet_engine import VALID_NS, SessionRun
from lightbound.sim.scenario import AgentKind, LandmarkKind, NetworkKind, Scenario, VerifierKind
from lightbound.sim.timed_phase import Answers
from lightbound.sim.trace import Trace
from lightbound.sim.world import WorldAgent, build
from tests.scenarios.agents import Cheat, Peer, live, quick
from tests.scenarios.real_world import BEGINNING_NS, RealLandmark, RealWorld

ENDED_WITHIN_S: Final = 20.0

HONEST_PROGRAMS: Final = frozenset(
    {
        AgentKind.HONEST,
        AgentKind.ELSEWHERE,
        AgentKind.PROXIED,
        AgentKind.COPIED,
        AgentKind.OTHER_EVIDENCE,
    }
)
"""Cheats with which the agent is the real program: its key is where it should not be, or somebody else cheats."""

REORDER: Final = 0.05
"""Of the packets of a bad network, so many are overtaken."""

BEHAVIOURS: Final = {
    NetworkKind.HONEST: Behaviour.HONEST,
    NetworkKind.CORRUPTING: Behaviour.CORRUPTING,
    NetworkKind.REPLAYING: Behaviour.REPLAYING,
    NetworkKind.SPOOFING: Behaviour.SPOOFING,
    NetworkKind.FLOODING: Behaviour.FLOODING,
}


def later_ns(behaviour: Conduct, agent: int, index: int) -> int:
    """By how much an answer is later than an honest one."""
    return max(0, int(behaviour.delay_ns[agent, index]) - HELD_NS)


class RealSession:
    """A verifier, and whoever else is needed besides the landmarks."""

    def __init__(
        self, *, there: RealWorld, scenario: Scenario, number: int, lane: int, loss: float, down: frozenset[str]
    ) -> None:
        """Session `number` of the scenario, as the simulator numbers them."""
        self.there, self.scenario, self.number, self.lane = there, scenario, number, lane
        self.loss, self.down = loss, down
        self.world = build(scenario, beginning_ns=BEGINNING_NS)
        self.behaviour = conduct(self.world)
        self.agent_number = number % len(self.world.agents)
        self.agent: WorldAgent = self.world.agents[self.agent_number]
        self.cheats = scenario.cheats
        self.asked: dict[bytes, RealLandmark] = {}
        self.shown: dict[bytes, list[Linked]] = defaultdict(list)
        self.brought: dict[bytes, bytes | None] = {}
        """Measurements by the agent's word, which must be those of the landmarks."""

    def run(self) -> SessionRun:
        """Ask, let the agent live it, collect what was said, and check it as a stranger would."""
        landmarks = self._landmarks()
        round_trips = {one: self._floor_ns(one) for one in landmarks}
        self.asked = self.there.landmarks(self.world, round_trips, lane=self.lane)
        peers = {one: self._peer(landmark) for one, landmark in self.asked.items()}
        for one in self.asked:
            self.there.stretch(
                peers[one],
                round_trip_ns=round_trips[one],
                jitter_ns=int(self.world.paths.jitter_ns),
                loss=self.loss,
                outage=self.name_of(one) in self.down,
            )
        session = self._session(landmarks)
        if self.cheats.agents in HONEST_PROGRAMS:
            bind, manifest, bound_to = self._lived_honestly(session, peers)
        else:
            bind, manifest, bound_to = self._lived(session, peers)
        if self.cheats.agents is AgentKind.OTHER_EVIDENCE:
            manifest = Evidence(quote=self._octets("other evidence")).manifest()
        said = self._collected(session, bound_to)
        for one, measurement in self.brought.items():
            assert measurement is None or measurement == said[one].measurement, self.name_of(one)
        by_landmark = self._presented(said)
        statements = SessionStatements(session=session, bind=bind, evidence=manifest, by_landmark=by_landmark)
        try:
            result: VerifiedSession | LightboundError = verified_session(
                statements, verifier=self.world.verifier.verifying, landmarks=self.world.admitted
            )
        except LightboundError as error:
            result = error
        return SessionRun(
            number=self.number,
            agent=self.agent_number,
            sid=read_session(session, self.world.verifier.verifying).sid,
            statements=statements,
            result=result,
            trace=Trace(),
        )

    def broken(self) -> frozenset[str]:
        """Landmarks whose sequence shows that something is wrong."""
        return frozenset(self.name_of(one) for one, shown in self.shown.items() if breaks(shown))

    # -- who is asked, and how far away they are ------------------------------------------------------------------

    def _landmarks(self) -> tuple[bytes, ...]:
        chosen = self._chosen()
        landmarks = drawn(
            self.world.admitted.by_id,
            beacon=self._octets("beacon"),
            agent=self.agent.enrolment.verifying.raw,
            chosen=chosen,
            extras=self.scenario.extras,
        )
        if self.cheats.verifier is VerifierKind.PICKING:
            passed_over = sorted(set(self.world.admitted.by_id) - set(landmarks))
            extras = sorted(set(landmarks) - set(chosen))
            landmarks = tuple(sorted({*landmarks, passed_over[0]} - {extras[0]}))
        return landmarks

    def _session(self, landmarks: tuple[bytes, ...]) -> bytes:
        """SESSION, as the simulated verifier writes it, of now."""
        now_ns = time.time_ns()
        said = Session(
            versions=(1,),
            sid=secrets.token_bytes(16),
            agent=self.agent.enrolment.verifying,
            chips=chips_root([(chip, secrets.token_bytes(16)) for chip in self.agent.chips]),
            directory=self.world.admitted.digest,
            landmarks=landmarks,
            draw=Draw(
                beacon=self._octets("beacon"),
                beacon_name=f"beacon-{self.number}",
                chosen=self._chosen(),
                extras=self.scenario.extras,
            ),
            policy=octets(0, "policy", self.scenario.name),
            issued_ns=now_ns,
            expiry_ns=now_ns + VALID_NS,
            commitments={"site": secrets.token_bytes(32)},
        )
        return write_session(said, self.world.verifier)

    def _chosen(self) -> tuple[bytes, ...]:
        return tuple(sorted(self.world.landmarks[i].id for i in self.agent.chosen))

    def _peer(self, landmark: RealLandmark) -> Peer:
        """Where the agent finds it: behind a relay, if somebody is to spoil timed packets and nothing else."""
        behaviour, paths = BEHAVIOURS[self.cheats.network], self.scenario.paths
        is_bad = bool(paths.loss or paths.duplicate)
        if behaviour is Behaviour.HONEST and not is_bad:
            return landmark.peer
        return self.there.behind_relay(
            landmark,
            behaviour=behaviour,
            loss=paths.loss,
            duplicate=paths.duplicate,
            reorder=REORDER if is_bad else 0.0,
        )

    # -- what the agent does --------------------------------------------------------------------------------------

    def _lived_honestly(self, session: bytes, peers: Mapping[bytes, Peer]) -> tuple[bytes, bytes, frozenset[bytes]]:
        """BIND, manifest, and whom the agent bound itself to, as the real program brings them."""
        content = self.there.lived_honestly(
            self.world, session, self.agent.enrolment, peers, is_impatient=self._is_impatient
        )
        assert content.bind is not None, content
        assert content.evidence is not None
        self.brought = {one: part.statements.measurement for one, part in content.landmarks.items()}
        return content.bind, content.evidence, _bound_to(content.bind, self.agent.enrolment.verifying)

    def _lived(self, session: bytes, peers: Mapping[bytes, Peer]) -> tuple[bytes, bytes, frozenset[bytes]]:
        """The same of a program that cheats."""
        faces = len(self.agent.holders) if self.cheats.agents is AgentKind.TWO_FACED else 1
        agents = [
            AgentSession.asked(
                session,
                trust=self.world.trust_of_agents,
                enrolment=self.agent.enrolment,
                s_seed=secrets.token_bytes(32),
                x_seed=secrets.token_bytes(32),
                now_ns=time.time_ns(),
            )
            for _ in range(faces)
        ]
        bind = self.there.line.agents.inside(lambda: live(agents, session, peers, self._cheat(peers)))
        return bind, Evidence().manifest(), frozenset(agents[0].contributions)

    @property
    def _is_impatient(self) -> bool:
        """Whether somebody says nothing, whom it would be a waste to wait for."""
        return bool(self.down) or self.cheats.landmarks in {LandmarkKind.STALLING, LandmarkKind.NEVER_CLOSING}

    def _cheat(self, landmarks: Iterable[bytes]) -> Cheat:
        kind, index = self.cheats.agents, self.world.landmark_of
        foreign = SigningKey.of_seed(Purpose.ENROLMENT, self._octets("foreign"))
        return Cheat(
            answers=self._answers(kind),
            shuns=frozenset(
                one
                for one in landmarks
                if kind is AgentKind.SILENT and not self.behaviour.answers[self.agent_number, index[one]]
            ),
            face={one: int(self.behaviour.holder[self.agent_number, index[one]]) for one in landmarks}
            if kind is AgentKind.TWO_FACED
            else {},
            foreign=foreign if kind is AgentKind.FOREIGN else None,
            acknowledges=kind is not AgentKind.UNACKNOWLEDGING,
        )

    def _answers(self, kind: AgentKind) -> Callable[[bytes, Responder], Answers]:
        """The simulator's own cheats, which know nothing of sockets."""
        if kind is AgentKind.GUESSING:
            return lambda _landmark, responder: tampering.guessing(responder, rolls(self.scenario.seed, "guess"))
        if kind is AgentKind.REPLAYING:
            old: deque[bytes] = deque(maxlen=tampering.KEPT)
            return lambda _landmark, responder: tampering.replaying(responder, old)
        if kind in {AgentKind.DELAYING, AgentKind.AIMING}:
            return lambda landmark, responder: tampering.prompt(
                responder,
                later_ns=later_ns(self.behaviour, self.agent_number, self.world.landmark_of[landmark]),
            )
        return quick

    # -- what is left of it ---------------------------------------------------------------------------------------

    def _collected(self, session: bytes, bound_to: frozenset[bytes]) -> dict[bytes, LandmarkStatements]:
        """What the landmarks say that was said, once they have ended the session or nothing more can be hoped for."""
        found: dict[bytes, LandmarkStatements] = {}
        for one in sorted(bound_to):
            landmark, kind = self.asked[one], self.world.landmarks[self.world.landmark_of[one]].kind
            give_up = time.monotonic() + ENDED_WITHIN_S
            while True:
                told = self.there.told(landmark, session)
                has_ended = told["measurement"] is not None or told["abort"] is not None
                if has_ended or kind is LandmarkKind.NEVER_CLOSING or self.cheats.agents is AgentKind.FOREIGN:
                    break
                assert time.monotonic() < give_up, f"{self.name_of(one)} has not ended the session"
            self._note(one, told)
            if kind is LandmarkKind.FORKING:
                self._note(one, self.there.told(landmark, session))
            found[one] = LandmarkStatements(
                contrib=told["contrib"],
                close=told["close"],
                ack=told["ack"],
                measurement=told["measurement"],
                abort=told["abort"],
            )
        return found

    def _note(self, landmark: bytes, told: Mapping[str, bytes | None]) -> None:
        """What was numbered goes into the sequence that the landmark is known by; unless the verifier hides it."""
        key = self.world.landmarks[self.world.landmark_of[landmark]].identity.key.verifying
        agent = self.agent.enrolment.verifying.key_id
        heard = self.asked[landmark].heard.setdefault(agent, [])
        shown = self.shown[landmark]
        if not shown:
            # Whatever it has said about this agent before is there for whoever asks; only this session may be hidden.
            opened = told["open"]
            assert opened is not None
            self._note_earlier(landmark, heard, read_open(opened, key).link.prev)
            shown += heard
        dice = rolls(self.scenario.seed, "hidden", landmark.hex())
        for kind in (Kind.OPEN, Kind.MEASUREMENT, Kind.ABORT):
            data = told[kind.short]
            if data is not None:
                said = _linked(kind, data, key)
                heard.append(said)
                hides = self.cheats.verifier is VerifierKind.DROPPING and bool(dice.integers(2))
                if not hides:
                    shown.append(said)

    def _note_earlier(self, landmark: bytes, heard: list[Linked], before: bytes | None) -> None:
        key = self.world.landmarks[self.world.landmark_of[landmark]].identity.key.verifying
        known = {each.digest for each in heard}
        while before is not None and before not in known:
            data = self.there.statement(self.asked[landmark], before)
            said = _linked(cose.read(data).kind, data, key)
            heard.append(said)
            before = said.link.prev

    def _presented(self, said: dict[bytes, LandmarkStatements]) -> dict[bytes, LandmarkStatements]:
        """What the verifier shows of what it has."""
        shown = dict(said)
        match self.cheats.verifier:
            case VerifierKind.EDITING:
                own = SigningKey.of_seed(Purpose.LANDMARK, self._octets("forger"))
                for landmark, each in said.items():
                    if each.measurement is not None:
                        read = read_measurement(each.measurement, self.world.admitted.by_id[landmark].key)
                        edited = replace(read, smallest_ns=(1, 1, 1), clock_error_ns=0, bound_ns=1)
                        shown[landmark] = replace(each, measurement=write_measurement(edited, own))
            case VerifierKind.DROPPING:
                for landmark in sorted(said)[::2]:
                    shown[landmark] = replace(said[landmark], close=None, ack=None, measurement=None, abort=None)
            case _:
                pass
        return shown

    def _floor_ns(self, landmark: bytes) -> int:
        return int(self.behaviour.floor_ns[self.agent_number, self.world.landmark_of[landmark]])

    def name_of(self, landmark: bytes) -> str:
        """What a landmark is called."""
        return self.world.landmarks[self.world.landmark_of[landmark]].stated.name

    def _octets(self, *names: str | int) -> bytes:
        return octets(self.scenario.seed, self.number, *names)


def _bound_to(bind: bytes, agent: VerifyingKey) -> frozenset[bytes]:
    return frozenset(one.landmark for one in read_bind(bind, agent).contributions)


def _linked(kind: str, data: bytes, key: VerifyingKey) -> Linked:
    match kind:
        case Kind.OPEN:
            link = read_open(data, key).link
        case Kind.MEASUREMENT:
            link = read_measurement(data, key).link
        case _:
            link = read_abort(data, key).link
    return Linked(link=link, digest=digest(data))
