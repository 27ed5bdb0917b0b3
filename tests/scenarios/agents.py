"""Agents that are not honest, and how a session looks from their side: real requests and packets, to real landmarks.

`live` runs in whatever network its thread is in, and so do the threads that it starts.
"""

import socket
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from lightbound.canonical import cose
from lightbound.errors import LightboundError, Unavailable
from lightbound.keys.ed25519 import SigningKey
from lightbound.net.http_client import Server
from lightbound.ranging.sessions.agent import AgentSession
from lightbound.ranging.statements.binding import Evidence, write_bind
from lightbound.ranging.statements.kinds import Kind
from lightbound.ranging.timing.packets import PACKET_BYTES
from lightbound.ranging.timing.responder import READY_AGAIN_NS, Responder
from lightbound.sim.tampering import prompt
from lightbound.sim.timed_phase import Answers

MOST_TIMED_S: Final = 30.0

TRIES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A landmark as an agent sees it."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """Of its HTTP."""
        return f"http://{self.host}:{self.port}"


def quick(_landmark: bytes, responder: Responder) -> Answers:
    """Answer at once."""
    return prompt(responder, later_ns=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cheat:
    """What an agent does; by default nothing that an honest one would not."""

    answers: Callable[[bytes, Responder], Answers] = quick
    """By landmark."""
    shuns: frozenset[bytes] = frozenset()
    face: Mapping[bytes, int] = field(default_factory=dict)
    """Which of its faces a landmark sees; the first, if it is not said."""
    foreign: SigningKey | None = None
    """Signs BIND in place of the key that was asked, with a session key of its own."""
    acknowledges: bool = True


def live(agents: list[AgentSession], session: bytes, peers: Mapping[bytes, Peer], cheat: Cheat) -> bytes:
    """Live a session to its end, and give BIND; an agent for each face. The landmarks know the rest."""
    with ThreadPoolExecutor(len(peers)) as pool:
        asked = peers.keys() - cheat.shuns
        opening = {pool.submit(_contribution, peers[one], session): one for one in asked}
        for opened, landmark in opening.items():
            contrib = opened.result()
            if contrib is not None:
                for agent in agents:
                    agent.contribution(landmark, contrib, now_ns=time.time_ns())
    if cheat.foreign is None:
        binds = [agent.bind(Evidence()) for agent in agents]
    else:
        binds = [write_bind(agents[0].unattested(), cheat.foreign, agents[0]._s)]  # noqa: SLF001 - a thief
    with ThreadPoolExecutor(len(agents[0].contributions)) as pool:
        parts: list[Future[None]] = []
        for landmark in agents[0].contributions:
            face = cheat.face.get(landmark, 0)
            part = _Part(agent=agents[face], bind=binds[face], landmark=landmark, peer=peers[landmark], cheat=cheat)
            parts.append(pool.submit(part.live))
        for done in parts:
            done.result()
    return binds[0]


def _contribution(peer: Peer, session: bytes) -> bytes | None:
    """CONTRIB; None if the landmark does not give one."""
    try:
        with Server(peer.url) as server:
            return server.post("/clp1/sessions", session).body
    except LightboundError:
        return None


def _brought(server: Server, path: str, data: bytes) -> None:
    """Bring a statement, again if the answer is lost: the same bytes are answered as the first time."""
    for left in reversed(range(TRIES)):
        try:
            server.post(path, data)
        except Unavailable:
            if left == 0:
                raise
        else:
            return


@dataclass(slots=True, kw_only=True)
class _Part:
    """What passes between an agent and one landmark after BIND."""

    agent: AgentSession
    bind: bytes
    landmark: bytes
    peer: Peer
    cheat: Cheat

    def live(self) -> None:
        """BIND, the timed phase, CLOSE and ACK."""
        path = f"/clp1/sessions/{self.agent.session_digest.hex()}"
        with Server(self.peer.url) as server:
            try:
                _brought(server, f"{path}/bind", self.bind)
            except LightboundError:
                return
            over = threading.Event()
            with ThreadPoolExecutor(1) as pool:
                timing = pool.submit(self._answer, over)
                try:
                    close = self._close(server, path)
                finally:
                    over.set()
                timing.result()
            if close is None or cose.read(close, what="close").kind != Kind.CLOSE:
                return
            ack = self.agent.close(self.landmark, close)
            if self.cheat.acknowledges:
                with suppress(LightboundError):
                    # Too late, perhaps: the measurement then stands without.
                    _brought(server, f"{path}/ack", ack)

    def _close(self, server: Server, path: str) -> bytes | None:
        give_up = time.monotonic() + MOST_TIMED_S
        while time.monotonic() < give_up:
            with suppress(Unavailable):
                answer = server.get(f"{path}/close", query={"wait_s": "5"}, wait_s=5.0)
                if answer.status == 200:
                    return answer.body
        return None

    def _answer(self, over: threading.Event) -> None:
        """Answer what this landmark asks until the phase is over; a thread of its own, which does nothing else."""
        responder = self.agent.responders[self.landmark]
        answers = self.cheat.answers(self.landmark, responder)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
            bound.connect((self.peer.host, self.peer.port))
            bound.settimeout(0.05)
            ready_ns = 0
            while not over.is_set():
                if time.monotonic_ns() >= ready_ns:
                    bound.send(responder.ready())
                    ready_ns = time.monotonic_ns() + READY_AGAIN_NS
                try:
                    data = bound.recv(PACKET_BYTES + 1)
                except TimeoutError:
                    continue
                except OSError:
                    # The network says that a packet of ours found nobody; perhaps the next one does.
                    continue
                came_ns = time.monotonic_ns()
                replies = answers(data, came_ns)
                if replies:
                    ready_ns = came_ns + READY_AGAIN_NS
                for later_ns, reply in replies:
                    hold_until(came_ns + later_ns)
                    bound.send(reply)


def hold_until(ns: int) -> None:
    """Hold an answer back: this is what the cheat is, and no wait for anything."""
    while (left_ns := ns - time.monotonic_ns()) > 0:
        time.sleep(left_ns / 1e9)
