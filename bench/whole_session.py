"""A whole session at tier A0: an agent and four landmarks as processes, ways of up to 5 ms put in between.

From SESSION in the agent's hands to every MEASUREMENT in it: two round trips of HTTP, 64 challenges, two more of HTTP,
with each landmark at once.
"""

import secrets
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lightbound.demo.admission import DemoLandmark, make_admission
from lightbound.demo.relay import Relay
from lightbound.enrolment.delivery import Content
from lightbound.files.admission import read_admission
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.ranging.statements.session import Draw, Session, chips_root, write_session
from lightbound.roles.agent.handing import Timed
from lightbound.roles.agent.responder import run_timed
from lightbound.roles.agent.roots import SoftwareRoot
from lightbound.roles.agent.session_run import Means, run_session
from lightbound.roles.agent.trust_file import Host, Trusted
from lightbound.roles.channel import fork

ROUND_TRIPS_MS = (1.0, 2.0, 3.0, 5.0)
SESSIONS = 15
PORT = 8471
SECOND_NS = 1_000_000_000
VALID_NS = 300 * SECOND_NS


def figures() -> tuple[float, float, float]:
    """Seconds of one session: the median, the least and the greatest of so many."""
    child = fork(run_timed)
    try:
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            verifier = SigningKey.of_seed(Purpose.VERIFIER, secrets.token_bytes(32))
            key = SigningKey.of_seed(Purpose.ENROLMENT, secrets.token_bytes(32))
            trusted = stack.enter_context(_landmarks(Path(folder), verifier))
            means = Means(
                trusted=trusted,
                root=SoftwareRoot(key=key, count=8),
                timed=Timed(child.channel),
                software="bench",
                stop=threading.Event(),
            )
            took = []
            for _ in range(SESSIONS):
                session = _session(verifier, key, trusted)
                began = time.perf_counter()
                content = run_session(session, means)
                took.append(time.perf_counter() - began)
                _check(content)
    finally:
        child.end()
    return statistics.median(took), min(took), max(took)


def _check(content: Content) -> None:
    measured = sum(part.statements.measurement is not None for part in content.landmarks.values())
    if measured != len(ROUND_TRIPS_MS):
        raise RuntimeError(f"{measured} of {len(ROUND_TRIPS_MS)} landmarks measured: {content}")


@contextmanager
def _landmarks(folder: Path, verifier: SigningKey) -> Iterator[Trusted]:
    """Landmark processes, and whom an agent is to trust, each behind its own way."""
    net = f"127.{100 + secrets.randbelow(100)}.{secrets.randbelow(250)}"
    wanted = [
        DemoLandmark(
            name=f"lm-{i}",
            latitude=float(i),
            longitude=10.0,
            error_m=50,
            operator=f"operator {i}",
            owner=f"owner {i}",
            hosting=f"hall {i}",
            jurisdiction="SG",
            url=f"http://{net}.{i + 1}:{PORT}",
            data=folder / f"lm-{i}",
        )
        for i in range(len(ROUND_TRIPS_MS))
    ]
    now_ns = time.time_ns()
    keys = make_admission(
        folder / "admission",
        wanted,
        seed=secrets.token_bytes,
        from_ns=now_ns - 3_600 * SECOND_NS,
        to_ns=now_ns + 3_600 * SECOND_NS,
    )
    program = str(Path(sys.executable).with_name("lightbound"))
    running: list[subprocess.Popen[bytes]] = []
    hosts: dict[bytes, Host] = {}
    try:
        with Relay() as relay:
            for i, (one, round_trip_ms) in enumerate(zip(wanted, ROUND_TRIPS_MS, strict=True)):
                near = f"{net}.{i + 1}"
                arguments = ["--data", str(one.data), "--listen", f"{near}:{PORT}"]
                arguments += ["--verifier", verifier.verifying.raw.hex(), "--per-s", "1000", "--burst", "1000"]
                running.append(subprocess.Popen([program, "landmark", "run", *arguments], stderr=subprocess.DEVNULL))
                leg = relay.add(
                    listen=(f"{net}.{i + 101}", PORT),
                    target=(near, PORT),
                    round_trip_ns=int(round_trip_ms * 1e6),
                )
                key = keys[one.name].verifying
                hosts[key.key_id] = Host(key=key, name=one.name, url=f"http://{leg.listen[0]}:{leg.listen[1]}")
            for i in range(len(wanted)):
                _wait_for(f"{net}.{i + 1}")
            yield Trusted(
                verifier=Host(key=verifier.verifying, name="verifier", url="http://127.0.0.1:1"),
                directories=frozenset((read_admission(folder / "admission").admitted.digest,)),
                landmarks=hosts,
            )
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


def _wait_for(host: str) -> None:
    give_up = time.monotonic() + 30
    while True:
        try:
            with socket.create_connection((host, PORT), timeout=1):
                return
        except OSError:
            if time.monotonic() > give_up:
                raise
            select.select([], [], [], 0.05)


def _session(verifier: SigningKey, agent: SigningKey, trusted: Trusted) -> bytes:
    chosen = tuple(sorted(trusted.landmarks))
    now_ns = time.time_ns()
    said = Session(
        versions=(1,),
        sid=secrets.token_bytes(16),
        agent=agent.verifying,
        chips=chips_root([(bytes(32), bytes(16))]),
        directory=next(iter(trusted.directories)),
        landmarks=chosen,
        draw=Draw(beacon=bytes(32), beacon_name="bench", chosen=chosen, extras=0),
        policy=bytes(32),
        issued_ns=now_ns,
        expiry_ns=now_ns + VALID_NS,
        commitments={"site": bytes(32)},
    )
    return write_session(said, verifier)


def main() -> None:
    """Print the figure."""
    median, least, most = figures()
    ways = ", ".join(f"{one:g}" for one in ROUND_TRIPS_MS)
    print(
        f"A whole session at tier A0, four landmarks at {ways} ms, 64 rounds each: {median:.2f} s, "
        f"median of {SESSIONS} ({least:.2f} to {most:.2f})"
    )


if __name__ == "__main__":
    main()
