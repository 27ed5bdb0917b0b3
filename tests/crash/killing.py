"""A world of real processes, one of which is killed at a moment that dice choose, begins anew, and goes on."""

import json
import os
import random
import re
import select
import signal
import socket
import sqlite3
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from lightbound.files.admission import read_admission
from lightbound.files.keys import key_path, read_key
from lightbound.keys.purposes import Purpose
from lightbound.net.http_client import Server
from tests.crash.looking import Ledger, VerifierLedger, as_left, database_wrong
from tests.crash.moments import Moment, await_moment
from tests.roles.landmark.running import COMMAND, Landmark, descendants, is_alive
from tests.roles.verifier.running import Verifier, World, command

SESSIONS: Final = (
    *("--every", "1s", "--window", "30s", "--nearest", "3", "--extras", "0"),
    # By default three times --every: on a busy machine it takes longer to begin anew, and silence is no error.
    *("--silent-after", "120s"),
)

AGAIN_WITHIN_S: Final = 60.0
"""The longest that the next whole session may take to come, after everybody is up again."""

MEASURED: Final = ("measured", "unacknowledged")

UNAVAILABLE: Final = 5
"""How a process ends whose other half was killed."""


class Role(StrEnum):
    """Whom to kill."""

    AGENT = "agent"
    AGENT_TIMED = "timed process of an agent"
    LANDMARK = "landmark"
    LANDMARK_TIMED = "timed process of a landmark"
    VERIFIER = "verifier"


MOMENTS: Final = {
    Role.AGENT: tuple(Moment),
    Role.AGENT_TIMED: (Moment.BOUND, Moment.TIMED, Moment.ANY),
    Role.LANDMARK: (Moment.OPENED, Moment.BOUND, Moment.TIMED, Moment.CLOSED, Moment.ANY),
    Role.LANDMARK_TIMED: (Moment.BOUND, Moment.TIMED, Moment.CLOSED, Moment.ANY),
    Role.VERIFIER: (Moment.ASKED, Moment.TIMED, Moment.WRITTEN, Moment.BROUGHT, Moment.ANY),
}
"""25 pairs: in those that are not here nothing of the role's own happens."""


@dataclass(slots=True, kw_only=True)
class AgentProcess:
    """An agent as it is run in earnest."""

    data: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def id(self) -> bytes:
        """Of its enrolment key."""
        return read_key(key_path(self.data, Purpose.ENROLMENT), Purpose.ENROLMENT).key_id

    def start(self) -> None:
        """Start it."""
        with (self.data / "log").open("ab") as log:
            arguments = [*COMMAND, "agent", "run", "--data", str(self.data)]
            self.process = subprocess.Popen(arguments, stderr=log, stdout=log, stdin=subprocess.DEVNULL)

    def stop(self, how: int = signal.SIGTERM) -> int:
        """End it, and wait; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(timeout=20)

    def begun(self) -> list[bytes]:
        """The sessions that it says it began, in order: of each digest the four bytes that a log shows."""
        found = re.findall(r"\] session  .*session=([0-9a-f]{8})$", (self.data / "log").read_text(), re.MULTILINE)
        return [bytes.fromhex(one) for one in found]

    def deliveries(self) -> list[bytes]:
        """Sessions of which something waits to be brought."""
        return [bytes.fromhex(file.stem[-64:]) for file in (self.data / "deliveries").glob("*.cbor")]

    def halves(self) -> list[Path]:
        """What writers that were killed left."""
        return list(self.data.rglob(".*.part"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """One kill, and what came of it."""

    role: Role
    moment: Moment
    found: str
    """What was half done."""
    session: bytes | None = None
    """The newest, at a landmark: how far the agent says that it got with it tells where the kill fell."""
    landmark: bytes | None = None
    took_s: float
    """From the kill until every agent had a whole session that was asked for after it."""


@dataclass(slots=True, kw_only=True)
class Campaign:
    """Kills, one after the other, and what came of them."""

    world: World
    agents: Sequence[AgentProcess]
    dice: random.Random
    copies: Path
    """A folder for copies of databases as they were left."""
    killed: list[Killed] = field(default_factory=list)
    orphans: set[int] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    ledgers: dict[bytes, Ledger] = field(default_factory=dict)
    verifier: VerifierLedger = field(init=False)

    def __post_init__(self) -> None:
        """Nothing was read yet."""
        keys = {one.key.key_id: one.key.verifying for one in self.world.landmarks}
        self.ledgers = {one.key.key_id: Ledger(name=one.name, key=one.key.verifying) for one in self.world.landmarks}
        self.verifier = VerifierLedger(keys=keys)

    def kill(self, role: Role, moment: Moment) -> None:
        """Kill one of a role at some moment, start it again, wait for the next whole sessions, and look."""
        agent, landmark = self.dice.choice(self.agents), self.dice.choice(self.world.landmarks)
        await_moment(
            moment,
            self.dice,
            agent=agent.id,
            deliveries=agent.data / "deliveries",
            landmark=landmark.data / "landmark.sqlite",
            landmark_url=landmark.url,
            verifier=self.world.verifier.data / "verifier.sqlite",
        )
        began, session = time.monotonic(), None
        match role:
            case Role.AGENT | Role.AGENT_TIMED:
                self._end(agent, only_child=role is Role.AGENT_TIMED)
                found = _of_agent(agent)
                agent.start()
            case Role.LANDMARK | Role.LANDMARK_TIMED:
                self._end(landmark, only_child=role is Role.LANDMARK_TIMED)
                found, session = self._of_landmark(landmark)
                landmark.start()
            case Role.VERIFIER:
                self._end(self.world.verifier)
                found = self._of_verifier()
                self.world.verifier.start()
        self.whole_sessions(since_ns=time.time_ns())
        killed = Killed(
            role=role,
            moment=moment,
            found=found,
            session=session,
            landmark=None if session is None else landmark.key.key_id,
            took_s=time.monotonic() - began,
        )
        self.killed.append(killed)
        self.look()
        for one in self.agents:
            self.wrong += [f"{half} was left" for half in one.halves() if not _is_new(half)]
            # A session was had since. Before it was asked for, everything that waited was brought.
            self.wrong += [f"{name.hex()} waits still" for name in one.deliveries() if name[:4] not in one.begun()[-2:]]

    def whole_sessions(self, *, since_ns: int, within_s: float = AGAIN_WITHIN_S) -> None:
        """Wait until of every agent a session that was asked for since then was measured by all, and decided about."""
        give_up = time.monotonic() + within_s
        waiting = {agent.id.hex() for agent in self.agents}
        while waiting and time.monotonic() < give_up:
            waiting -= {one["agent"] for one in self.standings() if self._is_whole(one, since_ns)}
            select.select([], [], [], 0.05)
        if waiting:
            folders = [self.world.verifier.data]
            folders += [agent.data for agent in self.agents]
            folders += [landmark.data for landmark in self.world.landmarks]
            logs = [folder / "log" for folder in folders]
            raise AssertionError("\n".join(f"{log}: {log.read_text()[-2500:]}" for log in logs))

    def look(self) -> None:
        """Look at everything, while it runs."""
        self.wrong += self.verifier.compared(self.world.verifier.data / "verifier.sqlite", self._gaps)
        for landmark in self.world.landmarks:
            ledger = self.ledgers[landmark.key.key_id]
            self.wrong += ledger.read(landmark.data / "landmark.sqlite")
            self.wrong += ledger.wrong(is_over=False)
        self.wrong += self.verifier.unknown_to(self.ledgers)
        self.wrong += [line for file in self.databases() for line in database_wrong(file)]

    def databases(self) -> list[Path]:
        """All of them."""
        return [
            self.world.verifier.data / "verifier.sqlite",
            *(landmark.data / "landmark.sqlite" for landmark in self.world.landmarks),
        ]

    def standings(self) -> list[dict[str, Any]]:
        """What the verifier says of each chip."""
        with Server(self.world.verifier.url) as server:
            told: dict[str, Any] = json.loads(server.get("/v1/standings").body)
        found: list[dict[str, Any]] = told["standings"]
        return found

    def figures(self, steps: Mapping[tuple[bytes, bytes], str]) -> str:
        """What came of it, as lines; by session and landmark, how far the agent got."""
        took = [one.took_s for one in self.killed]
        lines = [f"next whole sessions after {statistics.median(took):.1f} s (median), {max(took):.1f} s (most)"]
        for role in Role:
            of_role = [one for one in self.killed if one.role is role]
            if not of_role:
                continue
            took = [one.took_s for one in of_role]
            lines.append(f"{role}: {len(of_role)} kills; {statistics.median(took):.1f} s, {max(took):.1f} s")
            found: Counter[str] = Counter()
            for one in of_role:
                step = "" if one.session is None else steps.get((one.session, one.landmark or b""), "unknown")
                found[f"{one.moment}: {one.found}{', the agent at: ' if step else ''}{step}"] += 1
            lines += [f"  {count} x {what}" for what, count in sorted(found.items())]
        return "\n".join(lines)

    def _end(self, victim: AgentProcess | Landmark | Verifier, *, only_child: bool = False) -> None:
        assert victim.process is not None
        children = descendants(victim.process.pid)
        self.orphans |= {victim.process.pid, *children}
        if only_child:
            (timed,) = children
            os.kill(timed, signal.SIGKILL)
            assert victim.process.wait(timeout=20) == UNAVAILABLE
        else:
            assert victim.stop(signal.SIGKILL) == -signal.SIGKILL

    def _of_landmark(self, landmark: Landmark) -> tuple[str, bytes]:
        """What it was in the middle of, which it must end as stopped; and its newest session."""
        copy = as_left(landmark.data, "landmark.sqlite", self.copies)
        ledger = self.ledgers[landmark.key.key_id]
        self.wrong += database_wrong(copy)
        self.wrong += ledger.read(copy)
        with closing(sqlite3.connect(copy)) as database:
            query = "SELECT session_digest FROM sessions WHERE ended_ns IS NULL"
            unended = {session for (session,) in database.execute(query)}
            query = "SELECT session_digest FROM sessions ORDER BY rowid DESC LIMIT 1"
            (newest,) = database.execute(query).fetchone()
        ledger.stopped |= unended
        return "it open" if newest in unended else f"it {ledger.end_of(newest)}", newest

    def _of_verifier(self) -> str:
        copy = as_left(self.world.verifier.data, "verifier.sqlite", self.copies)
        self.wrong += database_wrong(copy)
        self.wrong += self.verifier.read(copy)
        with closing(sqlite3.connect(copy)) as database:
            query = "SELECT state, decided_ns IS NULL FROM sessions ORDER BY issued_ns DESC LIMIT 1"
            state, undecided = database.execute(query).fetchone()
        return f"the newest session {state}{', not decided' if undecided and state != 'asked' else ''}"

    def _is_whole(self, standing: dict[str, Any], since_ns: int) -> bool:
        newest = standing["newest_session"]
        if newest is None or _ns(newest["issued_at"]) < since_ns or standing["last_decided"] is None:
            return False
        measured = sum(count for outcome, count in newest["landmarks"].items() if outcome in MEASURED)
        return measured == len(self.world.landmarks) and _ns(standing["last_decided"]) >= since_ns

    def _gaps(self) -> set[tuple[bytes, bytes, int]]:
        """What it reckons to lack; a status tells none of it, for nobody is away for ten minutes."""
        for standing in self.standings():
            if standing["standing"] not in {"verified", "undetermined"}:
                self.wrong.append(f"{standing['standing']} is said of a chip where it should be")
            self.wrong += [f"verifier: {one}" for one in standing["sequence_breaks"]]
        return {
            (agent, landmark, seq)
            for agent, by_landmark in self.world.verifier.gaps().items()
            for landmark, found in by_landmark.items()
            for seq in found.missing
        }


def enrolled(world: World, folder: Path) -> AgentProcess:
    """An agent that has enrolled, and does not run yet."""
    code = world.verifier.invite()
    command("agent", "enrol", "--data", folder, "--verifier", world.verifier.url, "--code", code)
    return AgentProcess(data=folder)


def still_alive(pids: set[int]) -> set[int]:
    """Which of them still run after a while."""
    give_up = time.monotonic() + 10
    while (left := {pid for pid in pids if is_alive(pid)}) and time.monotonic() < give_up:
        select.select([], [], [], 0.05)
    return left


def taken_ports(world: World) -> list[int]:
    """Ports that somebody holds still."""
    taken = []
    for port in (world.verifier.port, *(one.port for one in world.landmarks)):
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                taken.append(port)
    return taken


def landmarks_of(world: World) -> Any:
    """The admission folder, read."""
    return read_admission(world.verifier.admission)


def _of_agent(agent: AgentProcess) -> str:
    told = json.loads((agent.data / "sessions.json").read_text()) if (agent.data / "sessions.json").exists() else {}
    is_open = any(not one["is_over"] for one in told.get("sessions", {}).values())
    found = ["in a session" if is_open else "in no session"]
    found += ["a delivery waits"] if agent.deliveries() else []
    found += ["a half file"] if agent.halves() else []
    return ", ".join(found)


def _is_new(file: Path) -> bool:
    """Whether it is being written just now."""
    try:
        return time.time() - file.stat().st_mtime < 1.0
    except FileNotFoundError:
        return True


def _ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1e9)
