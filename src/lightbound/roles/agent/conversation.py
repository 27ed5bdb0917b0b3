"""One session with one landmark, in a thread of its own: whoever stalls holds up nobody else.

The address of the landmark is looked up once; HTTPS and the timed packets both go to what was found.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from lightbound.canonical import cose
from lightbound.enrolment.delivery import Failure, Part, Step
from lightbound.enrolment.requests import told
from lightbound.errors import ErrorCode, Fault, LightboundError, Unavailable
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.net.http_client import Answer, Server, looked_up
from lightbound.ranging.sessions.agent import AgentSession
from lightbound.ranging.sessions.verification import LandmarkStatements
from lightbound.ranging.statements.kinds import Kind
from lightbound.ranging.statements.measurement import read_abort, read_measurement
from lightbound.roles.agent.handing import Timed
from lightbound.roles.agent.trust_file import Host
from lightbound.roles.channel import ChannelClosed

CLOSE_WITHIN_S: Final = 60.0
"""After BIND. A landmark waits 15 s for READY and times for 30 s; one that has said neither CLOSE nor ABORT by then
will not, and the others' measurements would be brought later for it."""

POLL_S: Final = 20
"""A landmark waits so long for its phase to end before it says: not yet."""

TRIES: Final = 3
PAUSE_S: Final = 1.0


@dataclass(slots=True, kw_only=True, eq=False)
class Conversation:
    """What is said with one landmark. `run` is for its own thread, `part` for any."""

    landmark: bytes
    host: Host
    session: bytes
    """The bytes of SESSION."""
    name: str
    """Its digest, in hexadecimal."""
    timed: Timed
    software: str
    stop: threading.Event
    """The agent is to end."""
    arrived: Callable[["Conversation"], None]
    """Told once, when CONTRIB has come or will not."""
    lock: threading.Lock
    """Of the session, which all of its threads use."""
    live: AgentSession
    bound: threading.Event = field(default_factory=threading.Event)
    """BIND is made, or the session ended without."""
    bind: bytes | None = None
    """None, once `bound` is set: this landmark is absent."""
    ended: threading.Event = field(default_factory=threading.Event)
    contrib: bytes | None = None
    _server: Server | None = None
    _step: Step = Step.CONTRIB
    _number: int | None = None
    """What the timed process calls it, while it answers."""
    _close: bytes | None = None
    _ack: bytes | None = None
    _measurement: bytes | None = None
    _abort: bytes | None = None
    _failure: Failure | None = None

    def run(self) -> None:
        """From SESSION to MEASUREMENT, or as far as it goes."""
        try:
            self._steps()
        except LightboundError as error:
            self.fail(str(error.faults[0]))
        except ChannelClosed:
            self.fail("the timed process has ended")
        finally:
            self.ended.set()
            if self._server is not None:
                self._server.close()

    def part(self) -> Part:
        """What came of it so far."""
        if self._ack is None or self._close is None:
            statements = LandmarkStatements(contrib=self.contrib, close=self._close, abort=self._abort)
        else:
            statements = LandmarkStatements(
                contrib=self.contrib,
                close=self._close,
                ack=self._ack,
                measurement=self._measurement,
                abort=self._abort,
            )
        failure = self._failure
        if failure is None and self._measurement is None:
            failure = Failure(step=self._step, why="it had not ended")
        return Part(statements=statements, failure=failure)

    def fail(self, why: str) -> None:
        """Note where and why it went no further; the first reason stays."""
        if self._failure is None:
            self._failure = Failure(step=self._step, why=told(why))

    def _steps(self) -> None:
        try:
            address, self.contrib = self._asked()
        except LightboundError as error:
            self.fail(str(error.faults[0]))
            return
        finally:
            self.arrived(self)
        self.bound.wait()
        if self.bind is None:
            return
        key = self.host.key
        self._step = Step.BIND
        self._brought("bind", self.bind)
        self._step = Step.READY
        with self.lock:
            responder, (contrib, _) = self.live.responders[self.landmark], self.live.contributions[self.landmark]
        self._number = self.timed.begin(
            responder.keys,
            cookie=contrib.cookie,
            address=address,
            port=contrib.port,
            expiry_ns=self.live.session.expiry_ns,
        )
        try:
            closing = self._closing()
        finally:
            answers = self.timed.answers(self._number, stop=True)
            self._step = Step.CLOSE if answers else Step.READY
        if cose.read(closing, what="close").kind == Kind.ABORT:
            self._aborted(closing, key)
            return
        with self.lock:
            responder.answers.update(answers)
            ack = self.live.close(self.landmark, closing)
        self._close = closing
        self._step, self._ack = Step.ACK, ack
        ended = self._brought("ack", ack).body
        self._step = Step.MEASUREMENT
        if cose.read(ended, what="measurement").kind == Kind.ABORT:
            self._aborted(ended, key)
            return
        read_measurement(ended, key)
        self._measurement = ended

    def _asked(self) -> tuple[str, bytes]:
        """Bring SESSION to the first address that answers; which that is, and CONTRIB."""
        error: Unavailable | None = None
        for address in looked_up(self.host.url):
            if self.bound.is_set():
                # Too late already: the others did not wait.
                break
            server = Server(self.host.url, address=address, ca=self.host.ca, software=self.software)
            try:
                answer = server.post("/clp1/sessions", self.session)
            except Unavailable as unavailable:
                server.close()
                error = unavailable
                continue
            except LightboundError:
                server.close()
                raise
            self._server = server
            return address, answer.body
        raise error if error is not None else self._nothing("an address")

    def _brought(self, what: str, data: bytes) -> Answer:
        """Bring a statement, again if the answer is lost: the same bytes are answered as the first time.

        Raises:
            Malformed, Refused: the landmark does not take it.
            Unavailable: it does not answer.
        """
        for left in reversed(range(TRIES)):
            try:
                return self._here.post(f"/clp1/sessions/{self.name}/{what}", data)
            except Unavailable:
                if left == 0 or self.stop.wait(PAUSE_S):
                    raise
        raise self._nothing("an answer")

    def _closing(self) -> bytes:
        """CLOSE, or ABORT in its place.

        Raises:
            Unavailable: neither came in time.
        """
        left_of_session_s = (self.live.session.expiry_ns - time.time_ns()) / 1e9  # noqa: TID251 - the clock of a role
        give_up = time.monotonic() + min(CLOSE_WITHIN_S, left_of_session_s)
        last = self._nothing("CLOSE")
        while (left_s := give_up - time.monotonic()) > 0 and not self.stop.is_set():
            began, wait_s = time.monotonic(), max(1, min(POLL_S, int(left_s)))
            try:
                answer = self._here.get(
                    f"/clp1/sessions/{self.name}/close", query={"wait_s": str(wait_s)}, wait_s=wait_s
                )
                if answer.status == 200:
                    return answer.body
            except Unavailable as error:
                last = error
            if time.monotonic() - began < PAUSE_S:
                # A server that does not wait is not asked without a pause.
                self.stop.wait(PAUSE_S)
        raise last

    def _aborted(self, data: bytes, key: VerifyingKey) -> None:
        why = read_abort(data, key).why
        self._abort = data
        self.fail(f"the landmark gave up: {why}")

    @property
    def _here(self) -> Server:
        if self._server is None:
            raise TypeError("a landmark that was not asked")
        return self._server

    def _nothing(self, expected: str) -> Unavailable:
        fault = Fault(code=ErrorCode.PEER_UNREACHABLE, expected=expected, found="none", file=self.host.url)
        return Unavailable(fault)
