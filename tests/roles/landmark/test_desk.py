"""What a landmark's desk does when its store is full, its clock outside is silent, or somebody asks too much.

The timed process is the test: it takes what it is handed and gives back what came of the phase. The store is a real
database, which a limit on its pages makes full.
"""

import asyncio
import secrets
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Engine

from lightbound.errors import ErrorCode, Fault, LightboundError, Unavailable
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.net.outside import Reading
from lightbound.ranging.sessions.agent import AgentSession, AgentTrust
from lightbound.ranging.sessions.landmark import Identity
from lightbound.ranging.statements.binding import Evidence
from lightbound.ranging.statements.kinds import Kind
from lightbound.ranging.statements.measurement import Abort, Stamps, Why, read_abort, read_measurement
from lightbound.ranging.statements.opening import read_open
from lightbound.ranging.statements.session import Draw, Session, chips_root, write_session
from lightbound.ranging.timing.challenger import Challenger, PhaseRecord
from lightbound.ranging.timing.clocks import ClockErrors, Instant
from lightbound.roles.channel import Channel
from lightbound.roles.landmark.desk import MOST_OF_AGENT, Desk, _dated
from lightbound.roles.landmark.handing import Begin, read_message, write_record
from lightbound.roles.landmark.meters import Meters
from lightbound.store.engine import LANDMARK, open_store
from lightbound.store.landmark import LandmarkStore

SECOND_NS = 1_000_000_000
HERE = "192.0.2.9:41000"


@dataclass(slots=True)
class ScriptedClock:
    """A clock outside that says what it is told to; None: it does not answer."""

    offsets_ns: list[int | None] = field(default_factory=list)
    asked: int = 0

    async def read(self) -> Reading:
        """The next of them, or no offset once they are used up."""
        self.asked += 1
        await asyncio.sleep(0)
        offset_ns = self.offsets_ns.pop(0) if self.offsets_ns else 0
        if offset_ns is None:
            raise Unavailable(Fault(code=ErrorCode.PEER_UNREACHABLE, expected="an answer", found="none"))
        return Reading(offset_ns=offset_ns, error_ns=1)


@dataclass(slots=True, kw_only=True)
class Bench:
    """A desk, the other end of its channel, and whoever asks it."""

    desk: Desk
    timed: Channel
    clock: ScriptedClock
    engine: Engine
    landmark: SigningKey
    verifier: SigningKey
    enrolment: SigningKey
    lasts_ns: int = 200_000_000
    """What the clocks of the landmark say that a phase took."""

    def session(self) -> bytes:
        """SESSION of now."""
        chosen = (self.landmark.key_id,)
        now_ns = time.time_ns()
        said = Session(
            versions=(1,),
            sid=secrets.token_bytes(16),
            agent=self.enrolment.verifying,
            chips=chips_root([(bytes(32), bytes(16))]),
            directory=bytes(32),
            landmarks=chosen,
            draw=Draw(beacon=bytes(32), beacon_name="none", chosen=chosen, extras=0),
            policy=bytes(32),
            issued_ns=now_ns,
            expiry_ns=now_ns + 300 * SECOND_NS,
            commitments={"site": bytes(32)},
        )
        return write_session(said, self.verifier)

    def agent(self, session: bytes) -> AgentSession:
        """The agent's end, with CONTRIB taken."""
        trust = AgentTrust(
            verifier=self.verifier.verifying,
            directories=frozenset((bytes(32),)),
            landmarks={self.landmark.key_id: self.landmark.verifying},
        )
        agent = AgentSession.asked(
            session,
            trust=trust,
            enrolment=self.enrolment,
            s_seed=secrets.token_bytes(32),
            x_seed=secrets.token_bytes(32),
            now_ns=time.time_ns(),
        )
        agent.contribution(self.landmark.key_id, self.desk.open(session), now_ns=time.time_ns())
        return agent

    def phase(self, agent: AgentSession) -> None:
        """Be the timed process: run the phase that was handed over, in time of its own, and say what came of it."""
        begin = read_message(self.timed.receive())
        assert isinstance(begin, Begin)
        challenger = Challenger.begin(begin.keys, cookie=begin.cookie, errors=begin.errors)
        responder = agent.responders[self.landmark.key_id]
        from_ns = time.time_ns()

        def at(since_ns: int) -> Instant:
            return Instant(since_ns + 1, since_ns + 1, from_ns + since_ns)

        challenger.datagram_received(responder.ready(), address=HERE, at=at(0))
        for number in range(5):
            sent = at(number * 10_000_000)
            probe = challenger.challenge(nonce=secrets.token_bytes(16), gap_ns=0, at=sent)
            reply = responder.datagram_received(probe)
            assert reply is not None
            challenger.datagram_received(reply, address=HERE, at=at(number * 10_000_000 + 1_000_000))
        challenger.end(at=at(self.lasts_ns))
        record = challenger.record()
        # As the loop tells instants: the second clock is the system's.
        began = record.began
        assert began is not None
        began = began._replace(check_ns=began.utc_ns)
        ended = record.ended._replace(check_ns=record.ended.utc_ns)
        self.timed.send(
            write_record(
                begin.number,
                type(record)(
                    sent=record.sent,
                    dropped=record.dropped,
                    ignored=record.ignored,
                    address=record.address,
                    rounds=record.rounds,
                    began=began,
                    ended=ended,
                ),
            )
        )
        self.desk.answered()

    def fill(self) -> None:
        """Let the database be full from now on."""
        with self.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        self.engine.dispose()
        self._limit(f"PRAGMA max_page_count = {pages}")

    def empty(self) -> None:
        """Let it have room again."""
        self.engine.dispose()
        self._limit("PRAGMA max_page_count = 1000000")

    def _limit(self, pragma: str) -> None:
        # A limit is of a connection, and the pool keeps this one.
        with self.engine.connect() as connection:
            connection.exec_driver_sql(pragma)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    keys = {
        purpose: SigningKey.of_seed(purpose, secrets.token_bytes(32))
        for purpose in (Purpose.LANDMARK, Purpose.VERIFIER, Purpose.ENROLMENT)
    }
    engine = open_store(tmp_path / "landmark.sqlite", LANDMARK)
    clock = ScriptedClock()
    desk = Desk(
        identity=Identity(
            key=keys[Purpose.LANDMARK],
            position=bytes(32),
            errors=ClockErrors(),
            stamps=Stamps.KERNEL,
            utc_error_ns=1_000_000,
            port=8471,
            software="test",
        ),
        verifiers={keys[Purpose.VERIFIER].key_id: keys[Purpose.VERIFIER].verifying},
        store=LandmarkStore(engine, keys[Purpose.LANDMARK].key_id),
        channel=Channel(ours),
        outside=clock,
        meters=Meters(),
    )
    desk.begin()
    yield Bench(
        desk=desk,
        timed=Channel(theirs),
        clock=clock,
        engine=engine,
        landmark=keys[Purpose.LANDMARK],
        verifier=keys[Purpose.VERIFIER],
        enrolment=keys[Purpose.ENROLMENT],
    )
    engine.dispose()
    ours.close()
    theirs.close()


async def _phase(bench: Bench, session: bytes) -> tuple[AgentSession, bytes]:
    """A session up to CLOSE, or the ABORT in its place."""
    agent = bench.agent(session)
    await bench.desk.bind(digest(session), agent.bind(Evidence()))
    bench.phase(agent)
    said = await bench.desk.close(digest(session), wait_s=5)
    assert said is not None
    return agent, said


def aborted(bench: Bench, data: bytes) -> Abort:
    return read_abort(data, bench.landmark.verifying)


def test_a_session_whose_clocks_agree_with_the_one_outside_is_measured(bench: Bench) -> None:
    bench.clock.offsets_ns = [7 * SECOND_NS, 7 * SECOND_NS]
    session = bench.session()

    async def run() -> bytes:
        agent, close = await _phase(bench, session)
        return bench.desk.acknowledge(digest(session), agent.close(bench.landmark.key_id, close))

    before_ns = time.time_ns()
    said = read_measurement(asyncio.run(run()), bench.landmark.verifying)
    assert said.smallest_ns == (1_000_000,) * 3
    # Dated by the clock outside, which is seven seconds ahead.
    assert said.from_ns >= before_ns + 7 * SECOND_NS


@pytest.mark.parametrize("paused_ns", [-11_000_000, 11_000_000, 400 * SECOND_NS])
def test_a_pause_that_the_clock_outside_shows_is_an_abort(bench: Bench, paused_ns: int) -> None:
    bench.clock.offsets_ns = [0, paused_ns]
    _, said = asyncio.run(_phase(bench, bench.session()))
    assert aborted(bench, said).why is Why.CLOCK


def test_if_the_clock_outside_is_silent_after_the_phase_nothing_is_measured(bench: Bench) -> None:
    bench.clock.offsets_ns = [0, None]
    _, said = asyncio.run(_phase(bench, bench.session()))
    assert aborted(bench, said).why is Why.CLOCK


def test_if_the_clock_outside_is_silent_before_it_bind_can_come_again(bench: Bench) -> None:
    bench.clock.offsets_ns = [None, 0, 0]
    session = bench.session()
    agent = bench.agent(session)
    bind = agent.bind(Evidence())
    with pytest.raises(Unavailable):
        asyncio.run(bench.desk.bind(digest(session), bind))
    asyncio.run(bench.desk.bind(digest(session), bind))
    assert isinstance(read_message(bench.timed.receive()), Begin)


def test_what_could_not_be_kept_was_not_said_and_its_number_is_given_to_the_next(bench: Bench) -> None:
    bench.fill()
    refused = 0
    for _ in range(64):
        # A page has room for some more.
        session = bench.session()
        try:
            bench.desk.open(session)
        except Unavailable:
            refused += 1
            break
        bench.desk.stop()
    assert refused
    assert bench.desk.store.statements(digest(session)) == {}
    before = bench.desk.store.newest(bench.enrolment.key_id)
    bench.empty()
    again = bench.session()
    bench.desk.open(again)
    opened = read_open(bench.desk.store.statements(digest(again))[Kind.OPEN], bench.landmark.verifying)
    assert opened.link.seq == (0 if before is None else before.link.seq + 1)
    assert opened.link.prev == (None if before is None else before.digest)


def test_a_measurement_that_could_not_be_kept_is_made_once_there_is_room(bench: Bench) -> None:
    session = bench.session()

    async def run() -> bytes:
        agent, close = await _phase(bench, session)
        ack = agent.close(bench.landmark.key_id, close)
        bench.fill()
        failed = 0
        for _ in range(8):
            try:
                return bench.desk.acknowledge(digest(session), ack)
            except Unavailable:
                failed += 1
                bench.empty()
        raise AssertionError(failed)

    said = read_measurement(asyncio.run(run()), bench.landmark.verifying)
    assert said.ack is not None
    assert said.link.seq == 1


def test_one_agent_has_so_many_sessions_at_one_time_and_no_more(bench: Bench) -> None:
    for _ in range(MOST_OF_AGENT):
        bench.desk.open(bench.session())
    with pytest.raises(LightboundError) as caught:
        bench.desk.open(bench.session())
    assert caught.value.faults[0].code is ErrorCode.RATE_LIMITED


def test_the_places_of_an_agent_are_of_each_verifier(bench: Bench) -> None:
    """Whoever asks for an agent that is another's does not take the other's places."""
    other = SigningKey.of_seed(Purpose.VERIFIER, secrets.token_bytes(32))
    ours, bench.verifier = bench.verifier, other
    bench.desk.verifiers = {**bench.desk.verifiers, other.key_id: other.verifying}
    for _ in range(MOST_OF_AGENT):
        bench.desk.open(bench.session())
    with pytest.raises(Unavailable):
        bench.desk.open(bench.session())
    bench.verifier = ours
    assert bench.desk.open(bench.session())


def test_however_many_binds_come_at_once_the_clock_outside_is_asked_once(bench: Bench) -> None:
    session = bench.session()
    agent = bench.agent(session)
    bind = agent.bind(Evidence())

    async def run() -> None:
        await asyncio.gather(*(bench.desk.bind(digest(session), bind) for _ in range(50)))

    asyncio.run(run())
    assert bench.clock.asked == 1
    assert isinstance(read_message(bench.timed.receive()), Begin)
    with pytest.raises(BlockingIOError):
        bench.timed.receive(wait=False)


@pytest.mark.parametrize("is_before", [False, True])
def test_a_clock_of_ours_that_is_set_between_a_reading_and_the_phase_hides_no_pause(*, is_before: bool) -> None:
    """The machine stood still for 400 ms of the phase; what keeps its time made up for it when nobody looked."""
    paused_ns, ms_ns = 400_000_000, 1_000_000
    began, ended = Instant(10 * SECOND_NS, 100 * SECOND_NS, 0), Instant(12 * SECOND_NS, 102 * SECOND_NS, 0)
    early, late = 100 * SECOND_NS - ms_ns, 102 * SECOND_NS + ms_ns + paused_ns
    before = Instant(began.ns - ms_ns, early - (paused_ns if is_before else 0), early)
    after = Instant(ended.ns + ms_ns, late - (paused_ns if is_before else 0), late)
    readings = [Reading(offset_ns=at.utc_ns - at.check_ns, error_ns=1, at=at) for at in (before, after)]
    record = PhaseRecord(sent=3, dropped=0, ignored=0, address=HERE, rounds=(), began=began, ended=ended)
    dated = _dated(record, readings[0], readings[1], ClockErrors())
    assert dated.began is not None
    assert not ClockErrors().agree_on_session(dated.began, dated.ended)


def test_a_reading_that_is_too_long_ago_for_its_error_is_of_no_use() -> None:
    began, ended = Instant(10 * SECOND_NS, 0, 0), Instant(12 * SECOND_NS, 2 * SECOND_NS, 0)
    record = PhaseRecord(sent=3, dropped=0, ignored=0, address=HERE, rounds=(), began=began, ended=ended)

    def dated(ago_ns: int) -> PhaseRecord:
        moments = Instant(began.ns - ago_ns, 0, -ago_ns), Instant(ended.ns, 0, 2 * SECOND_NS)
        before, after = (Reading(offset_ns=0, error_ns=4_000_000, at=at) for at in moments)
        return _dated(record, before, after, ClockErrors())

    assert dated(9 * SECOND_NS).began == began
    with pytest.raises(Unavailable):
        dated(11 * SECOND_NS)


def test_a_landmark_that_stops_ends_every_session(bench: Bench) -> None:
    sessions = [bench.session() for _ in range(3)]
    for session in sessions:
        bench.desk.open(session)
    bench.desk.stop()
    ends = [bench.desk.store.statements(digest(session))[Kind.ABORT] for session in sessions]
    assert [aborted(bench, data).link.seq for data in ends] == [3, 4, 5]
    assert {aborted(bench, data).why for data in ends} == {Why.STOPPED}
