"""A landmark's sessions: what it opens, what it hands to the timed process, what it keeps before it says it.

Everything numbered is in the store before anybody gets to see it. One thread runs all of this; the instant and the dice
are the operating system's.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from lightbound.canonical import cose
from lightbound.errors import ErrorCode, Fault, LightboundError, Unavailable, refused
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.keys.signing import digest
from lightbound.net.http_errors import unknown
from lightbound.net.outside import OutsideClock, Reading
from lightbound.ranging.sessions.chain import Chain, Linked
from lightbound.ranging.sessions.landmark import READY_WITHIN_NS, Dice, Identity, LandmarkSession, State
from lightbound.ranging.statements.binding import read_bind
from lightbound.ranging.statements.kinds import Kind
from lightbound.ranging.statements.measurement import Abort, Why, write_abort
from lightbound.ranging.statements.opening import Link
from lightbound.ranging.statements.session import read_session
from lightbound.ranging.timing.challenger import PhaseRecord
from lightbound.ranging.timing.clocks import BILLION, ClockErrors, Instant
from lightbound.roles.channel import Channel
from lightbound.roles.landmark.handing import Begin, ask_stats, read_answer, write_begin
from lightbound.roles.landmark.meters import Meters
from lightbound.roles.logs import fields
from lightbound.store.landmark import LandmarkStore, Said

MOST_OPEN: Final = 10_000
"""Sessions at one time. Each takes some 10 kB here, and 15 MB of packets if all were timed at once."""

MOST_OF_AGENT: Final = 8
"""Sessions of one agent at one time, of each verifier. A verifier asks for one after the other."""

SWEEP_S: Final = 0.5
STATS_S: Final = 5.0


@dataclass(slots=True, kw_only=True, eq=False)
class _Live:
    """A session that has not ended, or ended a moment ago."""

    number: int
    session: LandmarkSession
    verifier: bytes
    """Id of the key of whoever asked for it."""
    binding: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One BIND at a time: however many come at once, the clock outside is asked once."""
    bind: bytes | None = None
    close: bytes | None = None
    ack: bytes | None = None
    end: bytes | None = None
    """MEASUREMENT or ABORT."""
    before: Reading | None = None
    """Of the clock outside, before the first challenge."""
    is_timed: bool = False
    """The timed phase is over, and nothing has been concluded from it."""
    has_clock: bool = True
    """The clock outside was read after it."""
    concluded: asyncio.Event = field(default_factory=asyncio.Event)
    """CLOSE or ABORT is there."""


@dataclass(slots=True, kw_only=True, eq=False)
class Desk:
    """All sessions of a landmark."""

    identity: Identity
    verifiers: Mapping[bytes, VerifyingKey]
    """Whose SESSIONs are answered, by key id."""
    store: LandmarkStore
    channel: Channel
    outside: OutsideClock
    meters: Meters
    now_ns: Callable[[], int] = time.time_ns  # noqa: TID251 - a role is where the clock is read
    _up_since_ns: int = 0
    _live: dict[bytes, _Live] = field(default_factory=dict)
    """By digest of SESSION."""
    _by_number: dict[int, _Live] = field(default_factory=dict)
    _chains: dict[bytes, Chain] = field(default_factory=dict)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _count: int = 0

    def begin(self) -> None:
        """Come up: sessions that a process before left open end as stopped, and what was issued before is refused.

        Raises:
            Unavailable: the store failed.
        """
        now_ns = self.now_ns()
        for left in self.store.unended():
            chain = self._chain(left.agent)
            link = chain.following(self.identity.key.key_id, left.agent)
            said = Abort(
                link=link,
                sid=left.sid,
                session=left.session,
                why=Why.STOPPED,
                rounds_sent=0,
                rounds_valid=0,
                at_ns=now_ns,
            )
            data = write_abort(said, self.identity.key)
            chain.add(link, data)
            self.store.end(
                session=left.session, agent=left.agent, at_ns=now_ns, said=[Said(kind=Kind.ABORT, data=data, link=link)]
            )
            self.meters.ended.labels(Kind.ABORT.short).inc()
        self._up_since_ns = self.now_ns()

    def open(self, data: bytes) -> bytes:
        """CONTRIB for a SESSION. The same SESSION again gets the same CONTRIB until BIND comes.

        Raises:
            Malformed, Refused: not a SESSION of a verifier that is answered here, for this landmark, now.
            Unavailable: too many sessions, or the store failed.
        """
        name, now_ns = digest(data), self.now_ns()
        live = self._live.get(name)
        if live is not None:
            if live.session.state is not State.OPENED:
                raise refused(ErrorCode.OUT_OF_ORDER, "SESSION before BIND", "it again", "session")
            return live.session.contrib
        verifier = self.verifiers.get(cose.read(data, what="session").signatures[0].key_id)
        if verifier is None:
            raise refused(ErrorCode.WRONG_KEY, "a verifier that is answered here", "another", "session")
        asked = read_session(data, verifier)
        agent = asked.agent.key_id
        self._check_room(agent, verifier.key_id)
        chain = self._chain(agent)
        was = chain.newest
        try:
            session, opened = LandmarkSession.opened(
                data,
                identity=self.identity,
                verifier=verifier,
                chain=chain,
                dice=Dice(
                    random=secrets.token_bytes(32),
                    x_seed=secrets.token_bytes(32),
                    cookie=secrets.token_bytes(16),
                    close_random=secrets.token_bytes(32),
                    address_salt=secrets.token_bytes(32),
                ),
                up_since_ns=self._up_since_ns,
                now_ns=now_ns,
            )
            self.store.open(
                session=name,
                sid=asked.sid,
                agent=agent,
                expiry_ns=asked.expiry_ns,
                said=Said(kind=Kind.OPEN, data=opened, link=_link(chain)),
            )
        except LightboundError:
            # What was not kept was not said: the next statement takes its number.
            chain.newest = was
            raise
        self._count += 1
        live = _Live(number=self._count, session=session, verifier=verifier.key_id)
        self._live[name] = self._by_number[live.number] = live
        self.meters.opened.inc()
        return session.contrib

    async def bind(self, name: bytes, data: bytes) -> None:
        """Take BIND, and let the timed phase begin. The same BIND again changes nothing.

        Raises:
            Malformed, Refused: it cannot be taken.
            Unavailable: the clock outside does not answer.
        """
        live = self._of(name)
        async with live.binding:
            if live.bind != data:
                await self._bind(live, name, data)

    async def _bind(self, live: _Live, name: bytes, data: bytes) -> None:
        if live.session.state is not State.OPENED:
            raise refused(ErrorCode.OUT_OF_ORDER, "bind at its time", f"a session that is {live.session.state}", "bind")
        # A BIND that cannot be taken is refused before the clock outside is troubled.
        self._check_counted(live, data)
        before = await self.outside.read()
        live.session.bind(data, now_ns=self.now_ns())
        challenger = live.session.challenger
        if challenger is None:
            raise TypeError(name)
        live.bind, live.before = data, before
        begin = Begin(
            number=live.number,
            keys=challenger.keys,
            cookie=challenger.cookie,
            errors=challenger.errors,
            ready_within_ns=READY_WITHIN_NS,
        )
        self.channel.send(write_begin(begin))

    async def close(self, name: bytes, *, wait_s: float) -> bytes | None:
        """CLOSE, or the ABORT in its place; None if neither is there within `wait_s`.

        Raises:
            Refused: no such session.
        """
        live = self._live.get(name)
        if live is None:
            kept = self.store.statements(name)
            if not kept:
                raise unknown("session")
            return kept.get(Kind.CLOSE, kept.get(Kind.ABORT))
        try:
            async with asyncio.timeout(wait_s):
                await live.concluded.wait()
        except TimeoutError:
            return None
        return live.end if live.session.state is State.ABORTED else live.close

    def acknowledge(self, name: bytes, data: bytes) -> bytes:
        """MEASUREMENT for an ACK. The same ACK again gets the same one.

        Raises:
            Malformed, Refused: it is no ACK of this session's CLOSE, or comes too late.
            Unavailable: the store failed.
        """
        live = self._of(name)
        if live.ack == data and live.end is not None:
            return live.end
        if live.session.state is not State.ACKNOWLEDGED or live.ack != data:
            live.session.acknowledge(data)
            live.ack = data
        return self._measure(live)

    def statements(self, name: bytes) -> dict[Kind, bytes]:
        """What has been said in a session, by type.

        Raises:
            Refused: no such session.
            Unavailable: the store failed.
        """
        kept = self.store.statements(name)
        if not kept:
            raise unknown("session")
        live = self._live.get(name)
        if live is not None:
            kept.setdefault(Kind.CONTRIB, live.session.contrib)
            if live.close is not None:
                kept.setdefault(Kind.CLOSE, live.close)
        return kept

    def statement(self, wanted: bytes) -> bytes:
        """The numbered statement of this digest.

        Raises:
            Refused: there is none.
            Unavailable: the store failed.
        """
        found = self.store.statement(wanted)
        if found is None:
            raise unknown("statement")
        return found

    def answered(self) -> None:
        """Take what the timed process has to say; to be called when its channel is readable.

        Raises:
            ChannelClosed: it has gone.
        """
        said = read_answer(self.channel.receive())
        if isinstance(said, dict):
            self.meters.timed(said)
            return
        number, record = said
        live = self._by_number.get(number)
        if live is not None:
            task = asyncio.create_task(self._conclude(live, record))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def sweep(self) -> None:
        """For ever: end sessions whose agents kept them waiting too long, and forget those that ended."""
        log = structlog.get_logger()
        stats_s = 0.0
        while True:
            await asyncio.sleep(SWEEP_S)
            for name, live in list(self._live.items()):
                try:
                    self._give_up(name, live)
                except LightboundError as error:
                    # The disk may be full for a while. The session waits, and with it its number.
                    log.warning("not ended", session=name.hex(), **fields(error))
            self.meters.open.set(len(self._live))
            stats_s += SWEEP_S
            if stats_s >= STATS_S:
                stats_s = 0.0
                self.channel.send(ask_stats())

    def stop(self) -> None:
        """End every session as stopped. What the store does not take now, `begin` ends when the landmark comes up."""
        for name, live in list(self._live.items()):
            try:
                if live.end is None:
                    self._abort(live, Why.STOPPED)
            except LightboundError as error:
                structlog.get_logger().warning("not ended", session=name.hex(), **fields(error))
            self._live.pop(name)

    def _give_up(self, name: bytes, live: _Live) -> None:
        now_ns, state = self.now_ns(), live.session.state
        if live.end is not None:
            if now_ns > live.session.session.expiry_ns:
                del self._live[name]
                self._by_number.pop(live.number, None)
        elif live.is_timed and state is State.BOUND:
            self._finish(live)
        elif state is State.ACKNOWLEDGED:
            # It could not be kept when ACK came.
            self._measure(live)
        elif state is not State.BOUND:
            wake_ns = live.session.wake_at_ns()
            if wake_ns is not None and now_ns > wake_ns:
                _ = self._measure(live) if state is State.CLOSED else self._abort(live, Why.NO_BIND)

    async def _conclude(self, live: _Live, record: PhaseRecord) -> None:
        """What follows from a timed phase, once the clock outside was read again."""
        challenger = live.session.challenger
        if challenger is None or live.before is None or live.session.state is not State.BOUND:
            return
        log = structlog.get_logger()
        try:
            after = await self.outside.read()
            record = _dated(record, live.before, after, self.identity.errors)
        except LightboundError as error:
            log.warning("no clock outside", **fields(error))
            live.has_clock = False
        challenger.take_over(record)
        live.is_timed = True
        try:
            self._finish(live)
        except LightboundError as error:
            log.warning("not ended", session=live.session.session_digest.hex(), **fields(error))

    def _finish(self, live: _Live) -> None:
        """CLOSE, or the ABORT that says why there is none."""
        if not live.has_clock:
            self._abort(live, Why.CLOCK)
            return
        was, state = live.session.chain.newest, live.session.state
        out = live.session.conclude(now_ns=self.now_ns())
        if live.session.state is State.ABORTED:
            self._keep_end(live, Kind.ABORT, out, was=was, state=state)
        else:
            live.close = out
            live.concluded.set()

    def _measure(self, live: _Live) -> bytes:
        was, state = live.session.chain.newest, live.session.state
        return self._keep_end(live, Kind.MEASUREMENT, live.session.measure(), was=was, state=state)

    def _abort(self, live: _Live, why: Why) -> bytes:
        was, state = live.session.chain.newest, live.session.state
        data = live.session.abort(why, now_ns=self.now_ns())
        return self._keep_end(live, Kind.ABORT, data, was=was, state=state)

    def _keep_end(self, live: _Live, kind: Kind, data: bytes, *, was: Linked | None, state: State) -> bytes:
        """Keep how a session ended. If that fails nothing was said: its number is free again, and it has not ended."""
        session = live.session
        said = [Said(kind=kind, data=data, link=_link(session.chain))]
        said += [Said(kind=Kind.CLOSE, data=live.close)] if live.close and kind is Kind.MEASUREMENT else []
        said += [Said(kind=Kind.ACK, data=live.ack)] if live.ack else []
        try:
            agent = session.session.agent.key_id
            self.store.end(session=session.session_digest, agent=agent, at_ns=self.now_ns(), said=said)
        except LightboundError:
            session.chain.newest, session.state = was, state
            raise
        live.end = data
        live.concluded.set()
        self.meters.ended.labels(kind.short).inc()
        return data

    def _check_counted(self, live: _Live, data: bytes) -> None:
        """Abort, if a BIND of this session by its agent counts this landmark among the absent."""
        bind = read_bind(data, live.session.session.agent)
        if bind.session == live.session.session_digest and self.identity.key.key_id in bind.absent:
            self._abort(live, Why.NOT_BOUND_TO)
            raise refused(ErrorCode.WRONG_LANDMARK, "the CONTRIB of this landmark", "not it", "bind.contributions")

    def _check_room(self, agent: bytes, verifier: bytes) -> None:
        running = [live for live in self._live.values() if live.end is None]
        # One verifier cannot fill the places of an agent that another asks.
        of_agent = sum((live.session.session.agent.key_id, live.verifier) == (agent, verifier) for live in running)
        if len(running) >= MOST_OPEN or of_agent >= MOST_OF_AGENT:
            fault = Fault(code=ErrorCode.RATE_LIMITED, expected="room for another session", found="none")
            raise Unavailable(fault)

    def _chain(self, agent: bytes) -> Chain:
        """The one sequence about an agent, which all of its sessions share."""
        if agent not in self._chains:
            self._chains[agent] = Chain(newest=self.store.newest(agent))
        return self._chains[agent]

    def _of(self, name: bytes) -> _Live:
        live = self._live.get(name)
        if live is None:
            raise unknown("session")
        return live


def _link(chain: Chain) -> Link:
    if chain.newest is None:
        raise TypeError("a chain to which nothing was added")
    return chain.newest.link


def _dated(record: PhaseRecord, before: Reading, after: Reading, errors: ClockErrors) -> PhaseRecord:
    """The phase with its beginning and end on the clock outside, which was read before and after it.

    Raises:
        Unavailable: between a reading and the phase so much time passed that the two could hide more than may be.
    """
    began, ended = record.began, record.ended
    if began is None:
        return replace(record, ended=_on_outside(ended, after))
    carried_ns = sum(
        abs(edge.ns - reading.at.ns) for edge, reading in ((began, before), (ended, after)) if reading.at is not None
    )
    error_ns = before.error_ns + after.error_ns + carried_ns * errors.rate_ppb // BILLION
    if carried_ns and error_ns > errors.session_ns // 2:
        expected = f"a clock outside that is right within {errors.session_ns // 2} ns over a session"
        raise Unavailable(
            Fault(
                code=ErrorCode.PEER_MISBEHAVED, expected=expected, found=f"within {error_ns} ns", file="clock outside"
            )
        )
    return replace(record, began=_on_outside(began, before), ended=_on_outside(ended, after))


def _on_outside(edge: Instant, reading: Reading) -> Instant:
    """An end of a phase on the clock outside.

    From a reading to there time is told by the first clock, which nobody can set. CLOCK_REALTIME may be set in between,
    say by what keeps a machine's time, once it was stopped and goes on: what it then makes up for would hide the pause.
    """
    if reading.at is None:
        return edge._replace(utc_ns=edge.check_ns + reading.offset_ns)
    return edge._replace(utc_ns=reading.at.utc_ns + edge.ns - reading.at.ns)
