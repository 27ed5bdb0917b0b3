"""A verifier in this process, in virtual time: its desk and its work, called by hand, over the world of the parties.

Agents and landmarks are the pure ends; there is no network, so that landmarks are not asked.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lightbound.enrolment.attested import enrolment_n0
from lightbound.enrolment.delivery import Content, Failure, Part, Step, write_delivery
from lightbound.enrolment.requests import Enrol, Enrolment, Poll, write_enrol, write_enrolment, write_poll
from lightbound.files.landmark_addresses import LandmarkAddress
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.ranging.sessions.agent import AgentSession
from lightbound.ranging.sessions.chain import Chain
from lightbound.ranging.sessions.landmark import LandmarkSession
from lightbound.ranging.sessions.verification import LandmarkStatements
from lightbound.roles.verifier.areas import Areas
from lightbound.roles.verifier.asking import Asker
from lightbound.roles.verifier.choosing import Choosing
from lightbound.roles.verifier.collecting import Collector
from lightbound.roles.verifier.desk import Desk, trust_of
from lightbound.roles.verifier.inviting import Wanted, invite, site_of
from lightbound.roles.verifier.judging import Judge
from lightbound.roles.verifier.kept import Kept, open_kept
from lightbound.roles.verifier.meters import Meters
from lightbound.roles.verifier.settings import HOUR_NS, Policy
from lightbound.roles.verifier.standings import standings
from lightbound.roles.verifier.work import Work
from lightbound.store.enrolments import Site
from tests.ranging.parties import MS_NS, NOW_NS, VERIFIER, dice, identity, key, secret, timed, trust_of_agent
from tests.ranging.parties import world as parties
from tests.roles.verifier.hosts import NO_HOST, Gathering, attestor

LICENSED = "circle(50,5,1500)"
EXCLUDED = "CN"
"""The agent is taken to be at 50 N, 5 E: landmarks 0 and 1 are 360 km away, and the others farther."""


def near_ns(landmark: int) -> int:
    """A round trip to the licensed place."""
    return 3 * MS_NS if landmark < 2 else 10 * MS_NS * landmark


def far_ns(_landmark: int) -> int:
    """A round trip that proves nothing on Earth."""
    return 300 * MS_NS


def _later(took_ns: int, number: int) -> int:
    return took_ns + number


@dataclass(slots=True, kw_only=True)
class Clock:
    """The one clock of this world."""

    ns: int = NOW_NS

    def now_ns(self) -> int:
        """What it shows."""
        return self.ns


@dataclass(slots=True, kw_only=True)
class Virtual:
    """A verifier, and everything that it keeps."""

    clock: Clock
    desk: Desk
    work: Work
    judge: Judge
    kept: Kept
    landmarks_chains: dict[tuple[bytes, bytes], Chain] = field(default_factory=dict)
    codes: int = 0

    def code(self, *, site: Site | None = None, chips: int | None = None, replaces: bytes | None = None) -> bytes:
        """The secret of a new code."""
        self.codes += 1
        wanted = Wanted(
            name="hall 3",
            licensed=LICENSED,
            excluded=EXCLUDED,
            near_e7=None,
            landmark=None,
            chips=chips,
            replaces=replaces,
        )
        made, _ = site_of(wanted, self.judge.areas, landmarks=None, beside=Path())
        code = invite(
            self.kept.enrolments,
            site or made,
            wanted,
            verifier=VERIFIER.key_id,
            secret=secret("code", self.codes)[:15],
            now_ns=self.clock.ns,
            valid_ns=24 * HOUR_NS,
        )
        return code.secret

    def enrol_statement(self, agent: SigningKey, code: bytes, chips: tuple[bytes, ...]) -> bytes:
        """ENROL of an agent."""
        said = Enrol(
            verifier=VERIFIER.key_id,
            secret=code,
            key=agent.verifying,
            chips=tuple(sorted(chips)),
            evidence=None,
            software="test agent",
            at_ns=self.clock.ns,
        )
        return write_enrolment(Enrolment(enrol=write_enrol(said, agent)))

    def enrol(self, name: object, *, chips: int = 1, site: Site | None = None) -> SigningKey:
        """An agent that has just enrolled, with chips of its own."""
        agent = key(Purpose.ENROLMENT, name)
        self.desk.enrol(self.enrol_statement(agent, self.code(site=site), chips_of(name, chips)))
        return agent

    def poll(self, agent: SigningKey) -> bytes | None:
        """SESSION for an agent that polls now, if it is due."""
        said = Poll(verifier=VERIFIER.key_id, wait_s=0, software="test agent", error="", at_ns=self.clock.ns)
        known, _ = self.desk.poll(write_poll(said, agent))
        return self.desk.give(known)[0]

    def enrol_with(self, name: object, host: Gathering) -> SigningKey:
        """An agent that has just enrolled with the devices of a host."""
        agent = key(Purpose.ENROLMENT, name)
        self.desk.enrol(self.attested_enrolment(agent, self.code(), host))
        return agent

    def attested_enrolment(self, agent: SigningKey, code: bytes, host: Gathering) -> bytes:
        """What an agent posts that enrols with devices."""
        gathered = host.gathered(enrolment_n0(VERIFIER.key_id, code, agent.verifying.raw))
        manifest = gathered.evidence.manifest()
        said = Enrol(
            verifier=VERIFIER.key_id,
            secret=code,
            key=agent.verifying,
            chips=host.chips,
            evidence=digest(manifest),
            software="test agent",
            at_ns=self.clock.ns,
        )
        return write_enrolment(
            Enrolment(enrol=write_enrol(said, agent), manifest=manifest, documents=gathered.documents)
        )

    def play(
        self,
        agent: SigningKey,
        session: bytes,
        *,
        round_trip_ns: Callable[[int], int] = near_ns,
        host: Gathering = NO_HOST,
    ) -> Content:
        """A session with all of its landmarks, and what the agent has to bring of it."""
        here = AgentSession.asked(
            session,
            trust=trust_of_agent(),
            enrolment=agent,
            s_seed=secret("s", session),
            x_seed=secret("x", session),
            now_ns=self.clock.ns,
        )
        at: dict[bytes, LandmarkSession] = {}
        for landmark in here.session.landmarks:
            at[landmark], _ = LandmarkSession.opened(
                session,
                identity=identity(parties().landmark(landmark)),
                verifier=VERIFIER.verifying,
                chain=self.landmarks_chains.setdefault((landmark, agent.key_id), Chain()),
                dice=dice(digest(session), landmark),
                up_since_ns=0,
                now_ns=self.clock.ns,
            )
            here.contribution(landmark, at[landmark].contrib, now_ns=self.clock.ns)
        gathered = host.gathered(here.unattested().n0())
        evidence = gathered.evidence
        bind = here.bind(evidence)
        parts: dict[bytes, Part] = {}
        numbers = {each.key_id: number for number, each in enumerate(parties().landmarks)}
        for landmark, there in at.items():
            there.bind(bind, now_ns=self.clock.ns)
            challenger = there.challenger
            assert challenger is not None
            took_ns = functools.partial(_later, round_trip_ns(numbers[landmark]))
            timed(
                challenger,
                here.responders[landmark],
                round_trip_ns=took_ns,
                now_ns=self.clock.ns,
            )
            close = there.close()
            ack = here.close(landmark, close)
            there.acknowledge(ack)
            said = LandmarkStatements(contrib=there.contrib, close=close, ack=ack, measurement=there.measure())
            parts[landmark] = Part(statements=said)
        return Content(
            session=digest(session),
            bind=bind,
            evidence=evidence.manifest(),
            documents=gathered.documents,
            landmarks=parts,
        )

    def bring(self, agent: SigningKey, content: Content) -> bytes:
        """Deliver it, and have it looked at."""
        data = write_delivery(content, agent, now_ns=self.clock.ns)
        self.desk.deliver(content.session, data)
        self.work.looked_at(content.session)
        return data

    def answer(
        self, agent: SigningKey, *, round_trip_ns: Callable[[int], int] = near_ns, host: Gathering = NO_HOST
    ) -> bytes:
        """Poll, measure and deliver; the SESSION."""
        session = self.poll(agent)
        assert session is not None
        self.bring(agent, self.play(agent, session, round_trip_ns=round_trip_ns, host=host))
        return session

    def fail(self, agent: SigningKey) -> bytes:
        """Poll, and deliver that no landmark could be reached; the SESSION."""
        session = self.poll(agent)
        assert session is not None
        failure = Failure(step=Step.CONTRIB, why="connection refused")
        self.bring(agent, Content(session=digest(session), failure=failure))
        return session

    def later(self, ns: int) -> None:
        """Let time pass, and the verifier do what it does all the time."""
        self.clock.ns += ns
        self.work.tick(now_ns=self.clock.ns)

    def standing(self, name: object, number: int = 0) -> dict[str, object]:
        """What is said of a chip of an agent."""
        return self.standing_of(chips_of(name, number + 1)[number])

    def standing_of(self, chip_id: bytes) -> dict[str, object]:
        """What is said of a chip."""
        chip = chip_id.hex()
        (found,) = [one for one in standings(self.kept, now_ns=self.clock.ns)["standings"] if one["chip_id"] == chip]
        told: dict[str, object] = found
        return told


def chips_of(name: object, count: int) -> tuple[bytes, ...]:
    """Ids of the chips of an agent of this name."""
    return tuple(secret("chip of", name, number) for number in range(count))


@contextmanager
def virtual(data: Path, *, policy: Policy | None = None, silent_after_ns: int = 3 * HOUR_NS) -> Iterator[Virtual]:
    """A verifier with this data folder, until the block ends."""
    data.mkdir(exist_ok=True)
    used, clock, landmarks = policy or Policy(), Clock(), parties().admitted
    kept = open_kept(data)
    addresses = {
        name: LandmarkAddress(key=one.key, name=name.hex(), url="http://127.0.0.1:9")
        for name, one in landmarks.by_id.items()
    }
    judge = Judge(
        kept=kept,
        verifier=VERIFIER.verifying,
        landmarks=landmarks,
        areas=Areas(data, border_error_m=used.border_error_m),
        policy=used,
        attestor=attestor(),
    )
    meters = Meters()
    desk = Desk(
        asker=Asker(key=VERIFIER, policy=used, landmarks=landmarks),
        choosing=Choosing(landmarks, judge.areas),
        kept=kept,
        meters=meters,
        trust=trust_of(VERIFIER, landmarks, addresses),
        look_at=lambda _session: None,
        attestor=judge.attestor,
        now_ns=clock.now_ns,
    )
    work = Work(
        kept=kept,
        judge=judge,
        collector=Collector(kept, landmarks, addresses, ca=None, software="test"),
        meters=meters,
        silent_after_ns=silent_after_ns,
        able_since_ns=lambda: desk.able_since_ns if desk.check_able() else None,
        now_ns=clock.now_ns,
    )
    desk.check_able()
    kept.enrolments.keep_settings({**used.fields(), "silent_after_ns": silent_after_ns})
    try:
        yield Virtual(clock=clock, desk=desk, work=work, judge=judge, kept=kept)
    finally:
        kept.close()
