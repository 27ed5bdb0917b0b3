"""A landmark process as it is run in earnest, and an agent of the pure core that talks to it over real sockets."""

import itertools
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lightbound.canonical.cose import read as read_cose
from lightbound.demo.admission import DemoLandmark, make_admission
from lightbound.files.admission import AdmissionFolder, read_admission
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.net.http_client import Server
from lightbound.ranging.sessions.agent import AgentSession, AgentTrust
from lightbound.ranging.sessions.draw import drawn
from lightbound.ranging.sessions.verification import LandmarkStatements, SessionStatements
from lightbound.ranging.statements.binding import Evidence
from lightbound.ranging.statements.kinds import Kind
from lightbound.ranging.statements.session import Draw, Session, chips_root, write_session
from lightbound.ranging.timing.responder import READY_AGAIN_NS

SECOND_NS = 1_000_000_000
COMMAND = (str(Path(sys.executable).with_name("lightbound")),)
UP_WITHIN_S = 20.0


PORTS = itertools.count(20_000 + os.getpid() * 4_001 % 10_000)
"""Where each process of tests looks for ports, one after the other, far from the next process: below those that the
kernel gives away by itself, of which somebody else could get one between our asking and our use."""


def free_port(host: str) -> int:
    """A port that is free for TCP and UDP there, and that this process has not given out before."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(100):
        port = next(PORTS)
        with socket.socket(family, socket.SOCK_STREAM) as tcp, socket.socket(family, socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind((host, port))
                udp.bind((host, port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


@dataclass(slots=True, kw_only=True)
class Landmark:
    """A landmark process of this test."""

    name: str
    key: SigningKey
    host: str
    port: int
    data: Path
    verifier: SigningKey
    more: Sequence[str] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{shown}:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        arguments = ["--data", self.data, "--listen", f"{shown}:{self.port}", *self.more]
        arguments += ["--verifier", self.verifier.verifying.raw.hex(), "--per-s", "1000", "--burst", "1000"]
        with (self.data / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*COMMAND, "landmark", "run", *map(str, arguments)], stderr=log, stdout=log, stdin=subprocess.DEVNULL
            )
        give_up = time.monotonic() + UP_WITHIN_S
        while True:
            try:
                with socket.create_connection((self.host, self.port), timeout=1):
                    return
            except OSError as error:
                ended = self.process.poll()
                if ended is not None or time.monotonic() > give_up:
                    raise AssertionError((self.data / "log").read_text()) from error
                select.select([], [], [], 0.02)

    def stop(self, how: int = signal.SIGTERM) -> int:
        """End it, and wait; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(timeout=20)


@dataclass(slots=True, kw_only=True)
class World:
    """Landmarks that run, and everybody's keys."""

    verifier: SigningKey
    landmarks: list[Landmark]
    folder: Path
    enrolment: SigningKey = field(
        default_factory=lambda: SigningKey.of_seed(Purpose.ENROLMENT, secrets.token_bytes(32))
    )

    @property
    def admission(self) -> AdmissionFolder:
        """The admission folder, read."""
        return read_admission(self.folder)

    def trust(self) -> AgentTrust:
        """Whom the agent trusts: all of them."""
        return AgentTrust(
            verifier=self.verifier.verifying,
            directories=frozenset((self.admission.admitted.digest,)),
            landmarks={landmark.key.key_id: landmark.key.verifying for landmark in self.landmarks},
        )

    def session(self, *, valid_s: int = 300, issued_ns: int | None = None) -> bytes:
        """SESSION of now, for all landmarks."""
        chosen = tuple(sorted(landmark.key.key_id for landmark in self.landmarks))
        beacon = bytes(32)
        agent = self.enrolment.verifying
        issued = time.time_ns() if issued_ns is None else issued_ns
        said = Session(
            versions=(1,),
            sid=secrets.token_bytes(16),
            agent=agent,
            chips=chips_root([(bytes(32), bytes(16))]),
            directory=self.admission.admitted.digest,
            landmarks=drawn(self.admission.admitted.by_id, beacon=beacon, agent=agent.raw, chosen=chosen, extras=0),
            draw=Draw(beacon=beacon, beacon_name="none", chosen=chosen, extras=0),
            policy=bytes(32),
            issued_ns=issued,
            expiry_ns=issued + valid_s * SECOND_NS,
            commitments={"site": bytes(32)},
        )
        return write_session(said, self.verifier)

    def agent(self, session: bytes) -> AgentSession:
        """The agent's end of a session."""
        return AgentSession.asked(
            session,
            trust=self.trust(),
            enrolment=self.enrolment,
            s_seed=secrets.token_bytes(32),
            x_seed=secrets.token_bytes(32),
            now_ns=time.time_ns(),
        )

    def whole_session(self, session: bytes | None = None) -> SessionStatements:
        """One session with every landmark, one after the other, and all that was said in it."""
        session = self.session() if session is None else session
        name, agent = digest(session).hex(), self.agent(session)
        said: dict[bytes, LandmarkStatements] = {}
        for landmark in self.landmarks:
            with Server(landmark.url) as server:
                contrib = server.post("/clp1/sessions", session).body
            agent.contribution(landmark.key.key_id, contrib, now_ns=time.time_ns())
            said[landmark.key.key_id] = LandmarkStatements(contrib=contrib)
        evidence = Evidence()
        bind = agent.bind(evidence)
        for landmark in self.landmarks:
            with Server(landmark.url) as server:
                server.post(f"/clp1/sessions/{name}/bind", bind)
                answer_phase(agent, landmark)
                closing = server.get(f"/clp1/sessions/{name}/close", query={"wait_s": "20"}, wait_s=20).body
                before = said[landmark.key.key_id]
                if read_cose(closing, what="closing").kind == Kind.ABORT:
                    said[landmark.key.key_id] = LandmarkStatements(contrib=before.contrib, abort=closing)
                    continue
                ack = agent.close(landmark.key.key_id, closing)
                measurement = server.post(f"/clp1/sessions/{name}/ack", ack).body
            said[landmark.key.key_id] = LandmarkStatements(
                contrib=before.contrib, close=closing, ack=ack, measurement=measurement
            )
        return SessionStatements(session=session, bind=bind, evidence=evidence.manifest(), by_landmark=said)


def answer_phase(agent: AgentSession, landmark: Landmark, *, most: int = 64) -> None:
    """Answer a landmark's challenges until it has asked `most`, or nothing has come for a second."""
    responder = agent.responders[landmark.key.key_id]
    contrib, _ = agent.contributions[landmark.key.key_id]
    family = socket.AF_INET6 if ":" in landmark.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as own:
        own.connect((landmark.host, contrib.port))
        own.settimeout(READY_AGAIN_NS / 1e9)
        own.send(responder.ready())
        silent = 0
        while len(responder.answers) < most and silent < 4:
            try:
                reply = responder.datagram_received(own.recv(100))
            except (TimeoutError, ConnectionRefusedError):
                own.send(responder.ready())
                silent += 1
                continue
            if reply is not None:
                own.send(reply)
                silent = 0


@contextmanager
def world(
    folder: Path, *, count: int = 1, host: str = "127.0.0.1", more: Sequence[str] = (), can_pause: bool = False
) -> Iterator[World]:
    """So many landmarks that run, each of an operator of its own, until the block ends."""
    verifier = SigningKey.of_seed(Purpose.VERIFIER, secrets.token_bytes(32))
    ports = [free_port(host) for _ in range(count)]
    shown = f"[{host}]" if ":" in host else host
    wanted = [
        DemoLandmark(
            name=f"lm-{i}",
            latitude=float(i),
            longitude=10.0 + i,
            error_m=50,
            operator=f"operator {i}",
            owner=f"owner {i}",
            hosting=f"hall {i}",
            jurisdiction="SG",
            url=f"http://{shown}:{port}",
            data=folder / f"lm-{i}",
            can_pause=can_pause,
        )
        for i, port in enumerate(ports)
    ]
    now_ns = time.time_ns()
    keys = make_admission(
        folder / "admission",
        wanted,
        seed=secrets.token_bytes,
        from_ns=now_ns - 86_400 * SECOND_NS,
        to_ns=now_ns + 86_400 * SECOND_NS,
    )
    landmarks = [
        Landmark(name=one.name, key=keys[one.name], host=host, port=port, data=one.data, verifier=verifier, more=more)
        for one, port in zip(wanted, ports, strict=True)
    ]
    made = World(verifier=verifier, landmarks=landmarks, folder=folder / "admission")
    try:
        for landmark in landmarks:
            landmark.start()
        yield made
    finally:
        for landmark in landmarks:
            if landmark.process is not None and landmark.process.poll() is None:
                landmark.stop()


def descendants(pid: int) -> list[int]:
    """Processes that a process has forked."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [int(child) for child in found]


def is_alive(pid: int) -> bool:
    """Whether a process runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    # A process that has ended and that nobody has asked about is still listed.
    return state != "Z"
