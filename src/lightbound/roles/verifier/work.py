"""What is done after an answer has come: look at it, decide, ask landmarks; and say who is silent.

One thread looks and decides, for that is computing; others wait for landmarks. Nothing is handed over in memory alone:
whoever dies on any line finds the same work in the database when it comes up again.
"""

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from lightbound.errors import LightboundError
from lightbound.ranging.statements.session import read_session
from lightbound.roles.logs import fields
from lightbound.roles.verifier.checking import concluded
from lightbound.roles.verifier.collecting import Collector
from lightbound.roles.verifier.judging import Judge
from lightbound.roles.verifier.kept import Kept
from lightbound.roles.verifier.meters import Meters
from lightbound.roles.verifier.schedule import GRACE_NS
from lightbound.store.asked import UNANSWERED, Asked, Times, ToAsk
from lightbound.store.enrolments import Agent

TICK_S: Final = 1.0

AGAIN_TICKS: Final = 60
"""So many ticks later what could not be looked at is looked at again."""

AT_ONCE: Final = 16
"""Questions to landmarks at the same time."""

OF_ONE: Final = 2
"""Of these, to one landmark: one that does not answer holds up questions to itself, and to no other."""


@dataclass(slots=True, kw_only=True, eq=False)
class Work:
    """The verifier's own work, in threads of its own."""

    kept: Kept
    judge: Judge
    collector: Collector
    meters: Meters
    silent_after_ns: int
    able_since_ns: Callable[[], int | None]
    """Since when agents could have been asked without a break; None if they cannot be."""
    now_ns: Callable[[], int] = time.time_ns  # noqa: TID251 - a role is where the clock is read
    _todo: "queue.Queue[bytes | None]" = field(default_factory=queue.Queue)
    """Digests of sessions to look at; None ends."""
    _stop: threading.Event = field(default_factory=threading.Event)
    _may_ask: threading.Event = field(default_factory=threading.Event)
    """Something may be there to be asked, or somebody to ask it."""
    _threads: list[threading.Thread] = field(default_factory=list)
    _queued: set[bytes] = field(default_factory=set)
    _in_hand: set[tuple[bytes, bytes]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> None:
        """Start the threads; what was left over comes first."""
        for name, run in (("looking", self._look_on), ("ticking", self._tick_on), ("asking", self._ask_on)):
            thread = threading.Thread(target=run, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """End the threads, when what they have in hand is done."""
        self._stop.set()
        self._may_ask.set()
        self._todo.put(None)
        # What waits for a landmark's answer fails, and is found again at the next start.
        self.collector.close()
        for thread in self._threads:
            thread.join()

    def look_at(self, session: bytes) -> None:
        """A session is to be looked at: something about it came."""
        with self._lock:
            if session in self._queued:
                return
            self._queued.add(session)
        self._todo.put(session)

    def looked_at(self, session: bytes) -> None:
        """Look at a session now, and decide about its agent's chips.

        Raises:
            LightboundError: it could not be looked at; it will be again.
        """
        asked = self.kept.asked.session(session)
        if asked is None:
            return
        found = concluded(
            asked,
            self.kept.sequences.of_session(session),
            agent=read_session(asked.statement, self.judge.verifier).agent,
            verifier=self.judge.verifier,
            landmarks=self.judge.landmarks,
        )
        now_ns = self.now_ns()
        self.kept.sequences.add(found.signed)
        self.kept.asked.conclude(
            session,
            state=found.state,
            step=found.step,
            why=found.why,
            parts=found.parts,
            evidence=found.evidence,
            ask_ns=now_ns,
        )
        self._may_ask.set()
        self.meters.concluded.labels(found.state).inc()
        structlog.get_logger().info(
            "looked at", session=session.hex(), agent=asked.agent.hex(), state=found.state, step=found.step
        )
        if found.state == UNANSWERED:
            return
        agent = self.kept.enrolments.agent(asked.agent)
        if agent is not None:
            self._note_findings(asked, agent)
        decisions = [] if agent is None else self.judge.judge(agent, now_ns=now_ns)
        for decision in decisions:
            self.meters.decided.labels(decision.standing).inc()
        # Also of an agent that was replaced, or one too old to count: there is nothing left to decide about it.
        self.kept.judged.decide([], basis=[], looked_at=[session], now_ns=now_ns)

    def _note_findings(self, asked: Asked, agent: Agent) -> None:
        believed = self.judge.believed(asked, agent.key, self.kept.enrolments.pins(asked.agent))
        if believed is None:
            return
        found = believed.evidence.findings
        self.kept.findings.note(asked.agent, found, session=asked.digest, now_ns=self.now_ns())
        if found:
            kinds = sorted({str(one.kind) for one in found})
            structlog.get_logger().warning("found", agent=asked.agent.hex(), findings=kinds)

    def tick(self, *, now_ns: int) -> None:
        """Find what is to be looked at, and say who is silent."""
        for asked in self.kept.asked.unlooked_at(expired_ns=now_ns - GRACE_NS):
            if asked.delivery is None:
                self.look_at(asked.digest)
        self._say_who_is_silent(now_ns)

    def take(self, *, now_ns: int) -> list[ToAsk]:
        """Landmarks that are to be asked, as many as can be; they are in hand until `ask` has done with them."""
        with self._lock:
            found = self.kept.asked.to_ask(now_ns=now_ns, most=AT_ONCE, of_each=OF_ONE)
            of = Counter(landmark for _, landmark in self._in_hand)
            mine = []
            for one in found:
                name = one.session, one.landmark
                if name in self._in_hand or of[one.landmark] == OF_ONE or len(self._in_hand) == AT_ONCE:
                    continue
                of[one.landmark] += 1
                self._in_hand.add(name)
                mine.append(one)
        return mine

    def _say_who_is_silent(self, now_ns: int) -> None:
        able_since_ns = self.able_since_ns()
        if able_since_ns is None:
            return
        times = self.kept.asked.times()
        silent = []
        for agent in self.kept.enrolments.agents():
            heard_ns = times.get(agent.key.key_id, Times()).heard_ns
            # Since then a question was there for it: asked, or to be had by asking for it.
            since_ns = max(agent.enrolled_ns if heard_ns is None else heard_ns, able_since_ns)
            if agent.silent_since_ns is None and now_ns - since_ns > self.silent_after_ns:
                silent.append(agent.key.key_id)
        if silent:
            self.kept.enrolments.silent(silent, now_ns=now_ns)
            structlog.get_logger().warning("silent", agents=[one.hex() for one in silent])

    def ask(self, one: ToAsk) -> None:
        """Ask a landmark; the session is looked at again, if that brought something."""
        is_asked = False
        with self._going_on("landmark not asked", landmark=one.landmark.hex()):
            if self.collector.ask(one, now_ns=self.now_ns()):
                self.look_at(one.session)
            is_asked = True
        with self._lock:
            self._in_hand.discard((one.session, one.landmark))
        if is_asked:
            # Not after a failure: the same would be asked again at once, and fail again.
            self._may_ask.set()

    def _look_on(self) -> None:
        self._look_for_what_is_left()
        while (session := self._todo.get()) is not None and not self._stop.is_set():
            with self._lock:
                self._queued.discard(session)
            with self._going_on("not looked at", session=session.hex()):
                self.looked_at(session)

    def _tick_on(self) -> None:
        ticks = 0
        while not self._stop.wait(TICK_S):
            ticks += 1
            if ticks % AGAIN_TICKS == 0:
                self._look_for_what_is_left()
            with self._going_on("tick"):
                self.tick(now_ns=self.now_ns())

    def _ask_on(self) -> None:
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="asking") as askers:
            while not self._stop.is_set():
                self._may_ask.wait(TICK_S)
                self._may_ask.clear()
                with self._going_on("landmarks not found that are to be asked"):
                    for one in self.take(now_ns=self.now_ns()):
                        askers.submit(self.ask, one)

    @contextmanager
    def _going_on(self, event: str, **about: Any) -> Iterator[None]:
        """What fails in the block is logged, and ends nothing else; while this ends, everything may fail."""
        try:
            yield
        except LightboundError as error:
            structlog.get_logger().warning(event, **about, **fields(error))
        except Exception:  # noqa: BLE001 - a bug in looking at one session must not end the looking at others
            if not self._stop.is_set():
                structlog.get_logger().exception("bug", **about)

    def _look_for_what_is_left(self) -> None:
        """What was delivered and not looked at, or not decided about: a process died, or the database failed."""
        with self._going_on("left over, not found"):
            before_ns = self.now_ns() - GRACE_NS
            for asked in (*self.kept.asked.unlooked_at(expired_ns=before_ns), *self.kept.asked.undecided()):
                self.look_at(asked.digest)
