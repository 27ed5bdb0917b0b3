"""A verifier process as it is run in earnest, landmarks beside it, and an agent of the pure core over real sockets."""

import json
import secrets
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from lightbound.demo.admission import DemoLandmark, make_admission
from lightbound.enrolment.codes import read_code
from lightbound.enrolment.delivery import Content, Part, write_delivery
from lightbound.enrolment.requests import Enrol, Enrolment, Poll, write_enrol, write_enrolment, write_poll
from lightbound.enrolment.trust import read_trust
from lightbound.files.admission import read_admission
from lightbound.files.keys import key_path, read_key
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.net.http_client import Server
from lightbound.ranging.sessions.agent import AgentSession, AgentTrust
from lightbound.ranging.sessions.chain import Breaks
from lightbound.ranging.sessions.verification import LandmarkStatements
from lightbound.ranging.statements.binding import Evidence
from lightbound.roles.verifier.areas import Areas
from lightbound.roles.verifier.inviting import Wanted, invite, site_of
from lightbound.roles.verifier.kept import open_kept
from tests.roles.landmark.running import COMMAND, SECOND_NS, UP_WITHIN_S, Landmark, answer_phase, free_port

T = TypeVar("T")

LICENSED = "circle(1.35,103.82,1500)"
"""Wide: on one machine a round trip and what its clocks may hide come to a few hundred kilometres."""


def waited(found: Callable[[], T | None], *, within_s: float = 20.0) -> T:
    """What `found` finds, once it finds something."""
    give_up = time.monotonic() + within_s
    while (value := found()) is None:
        assert time.monotonic() < give_up, "it never came"
        select.select([], [], [], 0.05)
    return value


def command(*arguments: object, code: int = 0) -> str:
    """Standard output of one command, which must end with this code."""
    done = subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout


@dataclass(slots=True, kw_only=True)
class Verifier:
    """A verifier process of this test."""

    data: Path
    admission: Path
    port: int
    more: Sequence[str] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def key(self) -> SigningKey:
        """Its key."""
        return read_key(key_path(self.data, Purpose.VERIFIER), Purpose.VERIFIER)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        arguments = ["--data", self.data, "--admission", self.admission, "--listen", f"127.0.0.1:{self.port}"]
        arguments += ["--per-s", "1000", "--burst", "1000", *self.more]
        with (self.data / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*COMMAND, "verifier", "run", *map(str, arguments)], stderr=log, stdout=log, stdin=subprocess.DEVNULL
            )
        give_up = time.monotonic() + UP_WITHIN_S
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1), Server(self.url) as server:
                    server.get("/health")
                    return
            except OSError as error:
                ended = self.process.poll()
                if ended is not None or time.monotonic() > give_up:
                    raise AssertionError(self.log()) from error
                select.select([], [], [], 0.02)

    def stop(self, how: int = signal.SIGTERM) -> int:
        """End it, and wait; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(timeout=20)

    def log(self) -> str:
        """What it wrote to its log."""
        return (self.data / "log").read_text(encoding="utf-8")

    def invite(
        self, *, name: str = "hall 3", licensed: str = LICENSED, excluded: str = "CN", landmark: bytes | None = None
    ) -> str:
        """An enrolment code, as `lightbound verifier invite` makes it."""
        wanted = Wanted(
            name=name,
            licensed="" if landmark else licensed,
            excluded="" if landmark else excluded,
            near_e7=None,
            landmark=landmark,
            chips=None,
            replaces=None,
        )
        landmarks = read_admission(self.admission).admitted
        areas = Areas(self.data, border_error_m=2_000)
        site, _ = site_of(wanted, areas, landmarks=landmarks, beside=Path.cwd())
        kept = open_kept(self.data)
        try:
            code = invite(
                kept.enrolments,
                site,
                wanted,
                verifier=self.key.key_id,
                secret=secrets.token_bytes(15),
                now_ns=time.time_ns(),
                valid_ns=600 * SECOND_NS,
            )
        finally:
            kept.close()
        return code.text

    def standings(self) -> list[dict[str, Any]]:
        """What it says of every chip."""
        with Server(self.url) as server:
            told = json.loads(server.get("/v1/standings").body)
        assert told["format"] == "lightbound.standings/1"
        standings: list[dict[str, Any]] = told["standings"]
        return standings

    def gaps(self) -> dict[bytes, dict[bytes, Breaks]]:
        """What its database lacks of landmarks' sequences at this moment, told or not, by agent and landmark."""
        kept = open_kept(self.data)
        try:
            return kept.sequences.breaks(patience_ns=None)
        finally:
            kept.close()

    def decided(self, chip: bytes, *, after: str | None = None) -> dict[str, Any]:
        """What it says of a chip, once it has decided about it, or again since then."""

        def found() -> dict[str, Any] | None:
            (one,) = [one for one in self.standings() if one["chip_id"] == chip.hex()]
            return one if one["decided_at"] is not None and one["decided_at"] != after else None

        return waited(found)


@dataclass(slots=True, kw_only=True)
class Agent:
    """An agent of this test: the pure core, and sockets."""

    verifier: Verifier
    key: SigningKey = field(default_factory=lambda: SigningKey.of_seed(Purpose.ENROLMENT, secrets.token_bytes(32)))
    chips: tuple[bytes, ...] = field(default_factory=lambda: (secrets.token_bytes(32),))
    polls: int = 0

    def server(self) -> Server:
        """The verifier's server."""
        return Server(self.verifier.url)

    def enrolment(self, code: str, *, now_ns: int | None = None) -> bytes:
        """ENROL by a code."""
        read = read_code(code)
        said = Enrol(
            verifier=read.verifier,
            secret=read.secret,
            key=self.key.verifying,
            chips=tuple(sorted(self.chips)),
            evidence=None,
            software="test agent",
            at_ns=time.time_ns() if now_ns is None else now_ns,
        )
        return write_enrolment(Enrolment(enrol=write_enrol(said, self.key)))

    def enrol(self, code: str) -> None:
        """Enrol by a code."""
        with self.server() as server:
            assert server.post("/v1/enrol", self.enrolment(code)).status == 204

    def poll_statement(self, *, wait_s: int = 0, at_ns: int | None = None, error: str = "") -> bytes:
        """POLL of now."""
        said = Poll(
            verifier=self.verifier.key.key_id,
            wait_s=wait_s,
            software="test agent",
            error=error,
            at_ns=time.time_ns() if at_ns is None else at_ns,
        )
        return write_poll(said, self.key)

    def poll(self, *, wait_s: int = 0) -> bytes | None:
        """SESSION, if there is one."""
        with self.server() as server:
            answer = server.post("/v1/poll", self.poll_statement(wait_s=wait_s), wait_s=wait_s)
        return answer.body if answer.status == 200 else None

    def trust(self) -> AgentTrust:
        """Whom the verifier says to trust."""
        with self.server() as server:
            read = read_trust(server.get("/v1/trust").body, self.verifier.key.key_id)
        return AgentTrust(
            verifier=read.verifier,
            directories=frozenset(read.directories),
            landmarks={one.key.key_id: one.key for one in read.landmarks},
        )

    def measured(self, session: bytes, landmarks: Sequence[Landmark]) -> Content:
        """A session with these landmarks, and what there is to bring of it."""
        agent = AgentSession.asked(
            session,
            trust=self.trust(),
            enrolment=self.key,
            s_seed=secrets.token_bytes(32),
            x_seed=secrets.token_bytes(32),
            now_ns=time.time_ns(),
        )
        name, said = digest(session).hex(), dict[bytes, LandmarkStatements]()
        asked = [one for one in landmarks if one.key.key_id in agent.session.landmarks]
        for landmark in asked:
            with Server(landmark.url) as server:
                contrib = server.post("/clp1/sessions", session).body
            agent.contribution(landmark.key.key_id, contrib, now_ns=time.time_ns())
            said[landmark.key.key_id] = LandmarkStatements(contrib=contrib)
        evidence = Evidence()
        bind = agent.bind(evidence)
        for landmark in asked:
            here = landmark.key.key_id
            with Server(landmark.url) as server:
                server.post(f"/clp1/sessions/{name}/bind", bind)
                answer_phase(agent, landmark, most=16)
                close = server.get(f"/clp1/sessions/{name}/close", query={"wait_s": "20"}, wait_s=20).body
                ack = agent.close(here, close)
                measurement = server.post(f"/clp1/sessions/{name}/ack", ack).body
            said[here] = LandmarkStatements(contrib=said[here].contrib, close=close, ack=ack, measurement=measurement)
        return Content(
            session=digest(session),
            bind=bind,
            evidence=evidence.manifest(),
            landmarks={here: Part(statements=one) for here, one in said.items()},
        )

    def deliver(self, content: Content) -> bytes:
        """Bring it; what was sent."""
        data = write_delivery(content, self.key, now_ns=time.time_ns())
        with self.server() as server:
            assert server.post(f"/v1/sessions/{content.session.hex()}/result", data).status == 204
        return data


@dataclass(slots=True, kw_only=True)
class World:
    """A verifier and landmarks that run."""

    verifier: Verifier
    landmarks: list[Landmark]

    def agent(self, *, chips: int = 1) -> Agent:
        """An agent that has enrolled."""
        agent = Agent(verifier=self.verifier, chips=tuple(secrets.token_bytes(32) for _ in range(chips)))
        agent.enrol(self.verifier.invite())
        return agent


@contextmanager
def world(
    folder: Path,
    *,
    count: int = 3,
    more: Sequence[str] = (),
    running: int | None = None,
    device_root: bytes | None = None,
) -> Iterator[World]:
    """A verifier and so many landmarks around Singapore, until the block ends; of these the first `running` run.

    The verifier believes `device_root`, PEM, besides those of vendors.
    """
    data = folder / "verifier"
    command("verifier", "init", "--data", data)
    if device_root is not None:
        roots = data / "attestation" / "roots"
        roots.mkdir(parents=True)
        (roots / "simulated.pem").write_bytes(device_root)
    ports = [free_port("127.0.0.1") for _ in range(count)]
    wanted = [
        DemoLandmark(
            name=f"sin-{i}",
            # A hundred metres apart: on one machine an answer takes as long as light needs for two kilometres.
            latitude=1.30 + i / 1_000,
            longitude=103.80,
            error_m=50,
            operator=f"operator {i}",
            owner=f"owner {i}",
            hosting=f"hall {i}",
            jurisdiction="SG",
            url=f"http://127.0.0.1:{port}",
            data=folder / f"sin-{i}",
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
    verifier = Verifier(data=data, admission=folder / "admission", port=free_port("127.0.0.1"), more=more)
    landmarks = [
        Landmark(name=one.name, key=keys[one.name], host="127.0.0.1", port=port, data=one.data, verifier=verifier.key)
        for one, port in zip(wanted, ports, strict=True)
    ]
    started = landmarks[: count if running is None else running]
    try:
        for landmark in started:
            landmark.start()
        verifier.start()
        yield World(verifier=verifier, landmarks=landmarks)
    finally:
        everybody: list[Landmark | Verifier] = [*started, verifier]
        for one in everybody:
            if one.process is not None and one.process.poll() is None:
                one.stop()
            assert one.process is None or one.process.returncode in {0, -signal.SIGKILL}, (one.data / "log").read_text()
