"""An agent's life: it polls, runs what it is asked for, brings what came of it, and begins anew, until a signal comes.

It never gives up: whatever fails is told, written down and tried again, later and later, at most five minutes apart.
"""

import contextlib
import gc
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom
from types import FrameType
from typing import Final

import structlog

from lightbound.canonical.cbor import MOST_BYTES
from lightbound.enrolment.delivery import Content, Part, dated_anew, write_delivery
from lightbound.enrolment.requests import LONGEST_POLL_S, Poll, write_poll
from lightbound.errors import ErrorCode, Fault, LightboundError, Malformed, Refused, Unavailable
from lightbound.files.keys import key_path, read_key
from lightbound.files.whole import forget_parts
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.net.http_client import Server
from lightbound.ranging.statements.session import read_session
from lightbound.roles.agent.enrolling import read_enrolled, root_of
from lightbound.roles.agent.handing import Timed
from lightbound.roles.agent.receipts import KEPT_DAYS, Receipts
from lightbound.roles.agent.remembered import FOLDER, Deliveries, Sessions
from lightbound.roles.agent.responder import run_timed
from lightbound.roles.agent.roots import RootOfTrust
from lightbound.roles.agent.session_run import Means, run_session, stopped_in
from lightbound.roles.agent.status_file import Status, instant
from lightbound.roles.agent.trust_file import Trusted, read_trusted
from lightbound.roles.channel import fork
from lightbound.roles.logs import fields
from lightbound.roles.state import locked

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 300.0
"""Between two attempts. A verifier that was down is heard of again within so long; a thousand agents do not all come
back in one second, for each pause is between half and all of what it could be."""

LONGEST_S: Final = 120.0
"""A session that the agent died in has ended at its landmarks by then, and they are asked what they said in it."""

END_S: Final = 4.0
"""A session that runs when the agent is told to end has so long to be written down. systemd waits ten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """How an agent is run."""

    data: Path
    software: str
    kept_days: int = KEPT_DAYS
    """So long it keeps what landmarks said, with receipts; 0: it asks for none."""


@dataclass(slots=True, kw_only=True, eq=False)
class Agent:
    """The loop. One thread runs it."""

    folder: Path
    means: Means
    sessions: Sessions
    deliveries: Deliveries
    status: Status
    receipts: Receipts | None = None
    now_ns: Callable[[], int] = time.time_ns  # noqa: TID251 - a role is where the clock is read
    is_waiting: bool = True
    """Nothing is half done: it polls, or pauses."""
    _last_poll_ns: int = 0
    _receipts_trouble: tuple[str, str] | None = None
    _pause_s: float = FIRST_PAUSE_S
    _dice: SystemRandom = field(default_factory=SystemRandom)

    def work(self) -> None:
        """Until the agent is to end.

        Raises:
            Unavailable: the state folder cannot be written when the agent begins.
        """
        log, host = structlog.get_logger(), self.means.trusted.verifier
        self._tell_of_the_dead()
        self.status.write(self.folder)
        with Server(host.url, ca=host.ca, software=self.means.software) as server:
            while not self.means.stop.is_set():
                began_s = time.monotonic()
                try:
                    asked = self._turn(server)
                except LightboundError as error:
                    self.is_waiting = True
                    self._failed("poll", error)
                    log.warning("failed", again_s=round(self._pause_s), **fields(error))
                    self.write_status()
                    self._pause(self._pause_s)
                    self._pause_s = min(LONGEST_PAUSE_S, 2 * self._pause_s)
                    continue
                self._pause_s = FIRST_PAUSE_S
                if not asked and time.monotonic() - began_s < FIRST_PAUSE_S:
                    # A verifier that does not wait is not asked without a pause.
                    self._pause(2 * FIRST_PAUSE_S)

    def write_status(self) -> None:
        """Write down how it is."""
        if self.receipts is not None:
            self.status.receipts = self.receipts.count()
            self._note_receipts(self.receipts.trouble())
        try:
            self.status.write(self.folder)
        except LightboundError as error:
            # A full disk must not keep an agent from polling: nothing rests on this file.
            structlog.get_logger().warning("status not written", **fields(error))

    def _turn(self, server: Server) -> bool:
        """Bring what waits, poll, run what is asked; whether something was."""
        self._bring(server)
        data = self._poll(server)
        if data is None or self.means.stop.is_set():
            self.write_status()
            return False
        self.is_waiting = False
        session = read_session(data, self.means.trusted.verifier.key)
        name = digest(data)
        if self.sessions.has(name, session.sid):
            # An answer was lost, or the verifier asks again. What came of it waits, or was brought.
            structlog.get_logger().info("not run again", session=name.hex())
            self.is_waiting = True
            return False
        began_ns = self.now_ns()
        # Dying after this line: it is told as stopped, and never run.
        self.sessions.begin(name, sid=session.sid, expiry_ns=session.expiry_ns, now_ns=began_ns)
        structlog.get_logger().info("session", session=name.hex(), landmarks=len(session.landmarks))
        self._want_receipts(name, dict.fromkeys(session.landmarks), after_s=LONGEST_S)
        content = run_session(data, self.means)
        self._keep(content)
        self._want_receipts(name, {landmark: _end_of(part) for landmark, part in content.landmarks.items()})
        self._note(content, began_ns)
        self.is_waiting = True
        return True

    def _poll(self, server: Server) -> bytes | None:
        key, verifier = self.means.root.key, self.means.trusted.verifier.key
        # A verifier takes none that is not later than the last.
        self._last_poll_ns = max(self.now_ns(), self._last_poll_ns + 1)
        said = Poll(
            verifier=verifier.key_id,
            wait_s=LONGEST_POLL_S,
            software=self.means.software,
            error=self.status.error,
            at_ns=self._last_poll_ns,
        )
        answer = server.post("/v1/poll", write_poll(said, key), wait_s=LONGEST_POLL_S)
        self.status.polled_ns = self.now_ns()
        self.status.went_well("poll")
        if answer.status == 204:
            return None
        if len(answer.body) > MOST_BYTES:
            fault = Fault(code=ErrorCode.PEER_MISBEHAVED, expected="SESSION", found="more", file=server.url)
            raise Unavailable(fault)
        return answer.body

    def _bring(self, server: Server) -> None:
        """Bring everything that waits, the oldest first."""
        log, before = structlog.get_logger(), self.status.waiting
        for name, data in self.deliveries.waiting(now_ns=self.now_ns()):
            try:
                dated = dated_anew(data, self.means.root.key, now_ns=self.now_ns())
                server.post(f"/v1/sessions/{name.hex()}/result", dated)
            except (Malformed, Refused) as error:
                # It would be refused again. What came of the session is lost, and the verifier knows why.
                log.warning("not taken", session=name.hex(), **fields(error))
                self._failed("delivery", error)
            else:
                log.info("brought", session=name.hex())
                self.status.went_well("delivery")
            self.deliveries.brought(name)
        self.status.waiting = self.deliveries.count()
        if self.status.waiting != before:
            # Not after the poll that follows: it waits, and who looks meanwhile would see what is no longer so.
            self.write_status()

    def _keep(self, content: Content) -> None:
        now_ns = self.now_ns()
        data = write_delivery(content, self.means.root.key, now_ns=now_ns)
        self.deliveries.keep(content.session, data, now_ns=now_ns)
        # Dying between the two: it is told once more as stopped, which the verifier refuses, having the first.
        self.sessions.end(content.session)

    def _want_receipts(self, name: bytes, ended: Mapping[bytes, bytes | None], *, after_s: float = 0.0) -> None:
        if self.receipts is not None:
            self.receipts.add(name, ended, now_s=self.now_ns() / 1e9, after_s=after_s)

    def _tell_of_the_dead(self) -> None:
        """Sessions in the middle of which a process before this one died end as stopped."""
        for name in self.sessions.unended():
            structlog.get_logger().warning("was stopped in", session=name.hex())
            self._keep(stopped_in(name))

    def _note(self, content: Content, began_ns: int) -> None:
        failures = {one: part.failure for one, part in content.landmarks.items() if part.failure is not None}
        measured = sum(part.statements.measurement is not None for part in content.landmarks.values())
        now_ns = self.now_ns()
        told = {self._name_of(landmark): f"{failure.step}: {failure.why}" for landmark, failure in failures.items()}
        whole = None if content.failure is None else f"{content.failure.step}: {content.failure.why}"
        self.status.session = {
            "digest": content.session.hex(),
            "began": instant(began_ns),
            "ended": instant(now_ns),
            "landmarks": len(content.landmarks),
            "measured": measured,
            "failure": whole,
            "landmark_failures": told,
        }
        if whole is not None:
            self.status.failed("session", whole, code="session", now_ns=now_ns)
        elif told:
            who, why = next(reversed(told.items()))
            self.status.failed("session", f"{who}: {why}", code="session", now_ns=now_ns)
        else:
            self.status.went_well("session")
        self.status.waiting = self.deliveries.count()
        self.write_status()
        structlog.get_logger().info(
            "session ended",
            session=content.session.hex(),
            measured=measured,
            landmarks=len(content.landmarks),
            failure=whole,
            # One field: names are not ours to choose, and one could be that of another field.
            landmark_failures=told,
        )

    def _note_receipts(self, trouble: tuple[str, str] | None) -> None:
        if trouble is None:
            self.status.went_well("receipts")
        elif trouble != self._receipts_trouble:
            # Once: said again each time, it would be what POLL tells in place of what went wrong since.
            code, why = trouble
            self.status.failed("receipts", why, code=code, now_ns=self.now_ns())
        self._receipts_trouble = trouble

    def _failed(self, what: str, error: LightboundError) -> None:
        fault = error.faults[0]
        self.status.failed(what, str(fault), code=str(fault.code), now_ns=self.now_ns())

    def _name_of(self, landmark: bytes) -> str:
        host = self.means.trusted.landmarks.get(landmark)
        return landmark.hex() if host is None else host.name

    def _pause(self, most_s: float) -> None:
        self.means.stop.wait(self._dice.uniform(most_s / 2, most_s))


def run_agent(settings: AgentSettings) -> bool:
    """Run until a signal comes; whether it was SIGINT.

    Raises:
        Malformed, Refused, Unavailable: the trust file, the key, the state folder; or the timed process ended.
    """
    trusted, root = read_agent(settings.data)
    gc.collect()
    gc.freeze()
    # Before anything that has threads, and before the lock is held: the timed process shares neither.
    child = fork(run_timed)
    try:
        with locked(settings.data) as folder:
            deliveries = Deliveries.of(folder)
            for one in (folder, folder / FOLDER):
                # One for each time that it was killed while it wrote.
                forget_parts(one)
            means = Means(
                trusted=trusted,
                root=root,
                timed=Timed(child.channel),
                software=settings.software,
                stop=threading.Event(),
            )
            status = Status(software=settings.software, started_ns=means.now_ns())
            agent = Agent(
                folder=folder,
                means=means,
                sessions=Sessions.read(folder),
                deliveries=deliveries,
                status=status,
                receipts=_receipts(settings, folder, means),
            )
            structlog.get_logger().info(
                "polling", agent=root.key.key_id.hex(), verifier=trusted.verifier.url, landmarks=len(trusted.landmarks)
            )
            caught = _until_told(agent)
            status.stopped_ns = means.now_ns()
            agent.write_status()
    finally:
        child.end()
    if signal.SIGCHLD in caught:
        raise Unavailable(Fault(code=ErrorCode.READ_FAILED, expected="the timed process to run", found="it ended"))
    structlog.get_logger().info("stopped")
    return signal.SIGINT in caught


def read_agent(folder: Path) -> tuple[Trusted, RootOfTrust]:
    """Whom the agent of a folder believes, and what its word rests on.

    Raises:
        Malformed, Refused, Unavailable: it has not enrolled, or a file is not as it should be.
    """
    trusted, enrolled = read_trusted(folder), read_enrolled(folder)
    key = read_key(key_path(folder, Purpose.ENROLMENT), Purpose.ENROLMENT)
    return trusted, root_of(key, enrolled)


def _receipts(settings: AgentSettings, folder: Path, means: Means) -> Receipts | None:
    if settings.kept_days == 0:
        return None
    receipts = Receipts(
        data=folder,
        trusted=means.trusted,
        agent=means.root.key.key_id,
        software=settings.software,
        kept_days=settings.kept_days,
    )
    receipts.start()
    return receipts


def _end_of(part: Part) -> bytes | None:
    """Digest of what ended a session with one landmark, if that came."""
    said = part.statements.measurement or part.statements.abort
    return None if said is None else digest(said)


def _until_told(agent: Agent) -> set[int]:
    """Let the agent work until a signal comes; which came."""
    bug: list[BaseException] = []
    # Not an event that a handler sets: handlers run in this thread alone, and the kernel may give a signal to another,
    # which would not wake this one. What is written here by whichever thread is caught does.
    waiting, telling = socket.socketpair()
    telling.setblocking(False)

    def work() -> None:
        try:
            agent.work()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that ends the process
            bug.append(error)
        # Who stopped the agent has gone on if this thread did not end in time: nobody is left to be told.
        with contextlib.suppress(OSError):
            telling.send(b"\0")

    before_fd = signal.set_wakeup_fd(telling.fileno(), warn_on_full_buffer=False)
    before = {number: signal.signal(number, _caught) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)}
    try:
        # A daemon: a poll waits for its verifier, and an agent that is to end does not wait for the poll.
        worker = threading.Thread(target=work, name="agent", daemon=True)
        worker.start()
        caught = set(waiting.recv(64))
        agent.means.stop.set()
        give_up = time.monotonic() + END_S
        while worker.is_alive() and not agent.is_waiting and time.monotonic() < give_up:
            worker.join(0.05)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before_fd)
        waiting.close()
    if bug:
        raise bug[0]
    return caught


def _caught(_number: int, _frame: FrameType | None) -> None:
    """Nothing: that it came is written to the descriptor for that."""
