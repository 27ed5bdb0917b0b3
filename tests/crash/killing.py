"""A world of real processes, one of which is killed at a moment that dice choose, begins anew, and goes on.

A session takes a third of a second here, so moments are counted from when the agent says that one began: they fall
between OPEN and CONTRIB, into the timed phase, between CLOSE and ACK, into a delivery that is being written.
"""

import json
import os
import random
import select
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from lightbound.errors import LightboundError
from lightbound.keys.signing import digest
from lightbound.net.http_client import Server
from lightbound.ranging.sessions.chain import Linked, breaks
from lightbound.ranging.statements.closing import read_close
from lightbound.ranging.statements.kinds import Kind
from lightbound.ranging.statements.measurement import read_abort, read_measurement
from lightbound.ranging.statements.opening import Link, read_open
from tests.roles.landmark.running import COMMAND, Landmark, descendants, is_alive
from tests.roles.verifier.running import Verifier, World, command

SESSIONS: Final = ("--every", "1s", "--window", "30s", "--nearest", "3", "--extras", "0")
AGAIN_WITHIN_S: Final = 60.0
"""The longest that the next whole session may take to come, after everybody is up again."""

LATEST_S: Final = 0.6
"""After a session began it is over, and its delivery brought."""

MEASURED: Final = ("measured", "unacknowledged")
ROLES: Final = ("agent", "landmark", "timed process of a landmark", "verifier")


@dataclass(slots=True, kw_only=True)
class AgentProcess:
    """An agent as it is run in earnest."""

    data: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        with (self.data / "log").open("ab") as log:
            self.process = subprocess.Popen([*COMMAND, "agent", "run", "--data", str(self.data)], stderr=log)

    def stop(self, how: int = signal.SIGTERM) -> int:
        """End it, and wait; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(timeout=20)

    def begun(self) -> int:
        """How many sessions it says that it began."""
        return sum("[info     ] session  " in line for line in (self.data / "log").read_text().splitlines())


@dataclass(slots=True, kw_only=True)
class Campaign:
    """Kills, one after the other, and what came of them."""

    world: World
    agent: AgentProcess
    dice: random.Random
    killed: list[str] = field(default_factory=list)
    took_s: list[float] = field(default_factory=list)
    """From when everybody was up again to the end of the next whole session."""
    orphans: set[int] = field(default_factory=set)

    def kill(self, role: str) -> None:
        """Kill one of a role at some moment, start it again, and wait for the next whole session."""
        self._moment()
        victim: AgentProcess | Landmark | Verifier
        match role:
            case "agent":
                victim = self.agent
            case "verifier":
                victim = self.world.verifier
            case _:
                victim = self.dice.choice(self.world.landmarks)
        assert victim.process is not None
        pid = victim.process.pid
        children = descendants(pid)
        self.orphans |= set(children)
        if role == "timed process of a landmark":
            (timed,) = children
            _kill(timed)
            victim.process.wait(timeout=20)
        else:
            victim.stop(signal.SIGKILL)
        victim.start()
        self.killed.append(role)
        began = time.monotonic()
        self.whole_session(since_ns=time.time_ns())
        self.took_s.append(time.monotonic() - began)

    def whole_session(self, *, since_ns: int) -> None:
        """Wait until a session that was asked for since then was measured by every landmark, and decided about."""
        give_up = time.monotonic() + AGAIN_WITHIN_S
        while time.monotonic() < give_up:
            newest = self.standings()[0]["newest_session"]
            if newest is not None and _ns(newest["issued_at"]) >= since_ns:
                measured = sum(count for outcome, count in newest["landmarks"].items() if outcome in MEASURED)
                if measured == len(self.world.landmarks):
                    return
            select.select([], [], [], 0.05)
        folders = [self.agent.data, self.world.verifier.data, *(one.data for one in self.world.landmarks)]
        logs = [folder / "log" for folder in folders]
        raise AssertionError("\n".join(f"{log}: {log.read_text()[-1500:]}" for log in logs))

    def standings(self) -> list[dict[str, Any]]:
        """What the verifier says of each chip."""
        with Server(self.world.verifier.url) as server:
            told: dict[str, Any] = json.loads(server.get("/v1/standings").body)
        found: list[dict[str, Any]] = told["standings"]
        return found

    def _moment(self) -> None:
        """Wait until a session begins, and then some time of it; or any time at all."""
        before, give_up = self.agent.begun(), time.monotonic() + 10
        if self.dice.random() < 0.8:
            while self.agent.begun() == before and time.monotonic() < give_up:
                select.select([], [], [], 0.005)
        select.select([], [], [], self.dice.random() * LATEST_S)


def enrolled(world: World, folder: Path) -> AgentProcess:
    """An agent that has enrolled, and does not run yet."""
    code = world.verifier.invite()
    command("agent", "enrol", "--data", folder, "--verifier", world.verifier.url, "--code", code)
    return AgentProcess(data=folder)


def whole_databases(campaign: Campaign) -> list[str]:
    """What is wrong with the databases. Nothing: the list is empty."""
    wrong: list[str] = []
    files = [campaign.world.verifier.data / "verifier.sqlite"]
    files += [landmark.data / "landmark.sqlite" for landmark in campaign.world.landmarks]
    for file in files:
        with closing(sqlite3.connect(file)) as database:
            found = [row[0] for row in database.execute("PRAGMA integrity_check")]
            wrong += [f"{file}: {one}" for one in found if one != "ok"]
            wrong += [f"{file}: {row}" for row in database.execute("PRAGMA foreign_key_check")]
    return wrong


def said_by(landmark: Landmark) -> tuple[list[str], dict[str, int]]:
    """What is wrong with everything that a landmark has kept, and how its sessions ended."""
    wrong: list[str] = []
    ends: dict[str, int] = {}
    linked: dict[bytes, list[Linked]] = {}
    of_session: dict[bytes, set[str]] = {}
    with closing(sqlite3.connect(landmark.data / "landmark.sqlite")) as database:
        rows = database.execute("SELECT session_digest, kind, agent_id, data FROM statements").fetchall()
        unended = database.execute("SELECT count(*) FROM sessions WHERE ended_ns IS NULL").fetchone()[0]
        sids = [row[0] for row in database.execute("SELECT sid FROM sessions")]
    if len(set(sids)) < len(sids):
        wrong.append("a sid was opened twice")
    for session, kind, agent, data in rows:
        of_session.setdefault(session, set()).add(kind)
        try:
            link = _link(Kind(kind), data, landmark)
            if link is not None:
                linked.setdefault(agent, []).append(Linked(link=link, digest=digest(data)))
        except LightboundError as error:
            wrong.append(f"{kind}: {error}")
    for session, kinds in of_session.items():
        end = kinds & {str(Kind.MEASUREMENT), str(Kind.ABORT)}
        ends["+".join(sorted(end)) or "none yet"] = ends.get("+".join(sorted(end)) or "none yet", 0) + 1
        if len(end) > 1 or str(Kind.OPEN) not in kinds:
            wrong.append(f"session {session.hex()}: {sorted(kinds)}")
    wrong += [f"{agent.hex()}: {found}" for agent, said in linked.items() if (found := breaks(said))]
    if unended:
        wrong.append(f"{unended} sessions without an end")
    return wrong, ends


def _link(kind: Kind, data: bytes, landmark: Landmark) -> Link | None:
    """The link of a statement that the landmark signed; None if its type has none.

    Raises:
        Malformed, Refused: it is not whole, or not by this landmark.
    """
    key = landmark.key.verifying
    match kind:
        case Kind.OPEN:
            return read_open(data, key).link
        case Kind.MEASUREMENT:
            return read_measurement(data, key).link
        case Kind.ABORT:
            return read_abort(data, key).link
        case Kind.CLOSE:
            read_close(data, key)
    return None


def alive(pids: set[int]) -> set[int]:
    """Which of them still run after a while."""
    give_up = time.monotonic() + 10
    while (left := {pid for pid in pids if is_alive(pid)}) and time.monotonic() < give_up:
        select.select([], [], [], 0.05)
    return left


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def _ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1e9)
