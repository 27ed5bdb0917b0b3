"""A world of the simulator made of real processes: landmarks in one network, the agent in another, and a line between.

What is real: sockets, packets, kernels, a router that translates, HTTP, stores, processes and clocks. What is not: the
distance, which the delay line puts in, as the simulator reckons it. One machine holds every place, so that sessions
come one after the other, and before each the line is made as long as its agent is far away.
"""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Unpack

from lightbound.canonical.cbor import decode
from lightbound.demo.conditions import Changes
from lightbound.demo.delay_line import DelayLine
from lightbound.demo.relay import Leg, Relay
from lightbound.files.keys import key_path, write_new_key
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.net.http_client import Server
from lightbound.ranging.sessions.chain import Linked
from lightbound.sim.scenario import AgentKind, LandmarkKind
from lightbound.sim.world import World, WorldLandmark
from tests.scenarios.agents import Peer
from tests.scenarios.dishonest import MIXED_UP
from tests.scenarios.landmarks import PORT, LandmarkOrder

ROOT: Final = Path(__file__).resolve().parent.parent.parent
ADDRESSES: Final = 160
PATIENCE_S: Final = 20.0

BEGINNING_NS: Final = time.time_ns() - 3_600_000_000_000
"""When worlds begin here: an hour ago, so that whatever they sign is valid now."""


@dataclass(slots=True, kw_only=True, eq=False)
class RealLandmark:
    """A landmark that runs, and what it has said so far."""

    pid: int
    peer: Peer
    heard: dict[bytes, list[Linked]] = field(default_factory=dict)
    """By agent."""


class RealWorld:
    """Landmarks that run, each at an address of its own, until the world is closed."""

    def __init__(self, line: DelayLine, addresses: list[str], folder: Path) -> None:
        """Nobody runs yet."""
        self.line, self._addresses, self._folder = line, addresses, folder
        self._landmarks: dict[tuple[object, ...], RealLandmark] = {}
        self._legs: dict[str, Leg] = {}
        self._lock = threading.Lock()
        """Of all that sessions share which are played at one time."""
        self._relay: Relay | None = None
        self._forking = line.landmarks.start(
            [sys.executable, "-m", "tests.scenarios.landmarks"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def close(self) -> None:
        """End every landmark, and the relay."""
        if self._relay is not None:
            self._relay.close()
        for stream in (self._forking.stdin, self._forking.stdout):
            if stream is not None:
                stream.close()
        self._forking.wait(timeout=PATIENCE_S)

    def landmarks(self, world: World, landmarks: Mapping[bytes, int], *, lane: int) -> dict[bytes, RealLandmark]:
        """Those of the world with these ids, each so far away by its own clocks; who does not run yet is started.

        Sessions at one time need lanes of their own, in which other processes are these landmarks.
        """
        with self._lock:
            ran = set(self._landmarks.values())
            found = {
                one: self._landmark(world, world.landmarks[world.landmark_of[one]], round_trip_ns, lane)
                for one, round_trip_ns in landmarks.items()
            }
        for each in found.values():
            if each not in ran:
                self._await_up(each)
        return found

    def landmark_called(self, world: World, name: str, *, lane: int) -> RealLandmark:
        """The one of this name, which runs from now on; of one whose clocks are right."""
        (landmark,) = (one for one in world.landmarks if one.stated.name == name)
        return self.landmarks(world, {landmark.id: 0}, lane=lane)[landmark.id]

    def stretch(self, peer: Peer, **conditions: Unpack[Changes]) -> None:
        """From now on the way to this address is like this."""
        with self._lock:
            self.line.change(peer.host, **conditions)

    def behind_relay(self, landmark: RealLandmark, **conditions: Unpack[Changes]) -> Peer:
        """Where to find a landmark if the last piece of the way to it is like this, for packets that are timed."""
        inside = self.line.landmarks.inside
        with self._lock:
            relay = self._relay
            if relay is None:
                relay = self._relay = inside(Relay)
            host = landmark.peer.host
            if host not in self._legs:
                address = self._addresses.pop()
                self._legs[host] = inside(lambda: relay.add(listen=(address, PORT), target=(host, PORT)))
            leg = self._legs[host]
            relay.change(leg, **conditions)
        return Peer(host=leg.listen[0], port=PORT)

    def told(self, landmark: RealLandmark, session: bytes) -> dict[str, bytes | None]:
        """What a landmark says about a session, to whoever asks beside it."""
        path = f"/clp1/sessions/{digest(session).hex()}"

        def ask() -> Any:
            with Server(landmark.peer.url) as server:
                return decode(server.get(path).body, what="session")

        told: dict[str, bytes | None] = self.line.landmarks.inside(ask)
        return told

    def statement(self, landmark: RealLandmark, wanted: bytes) -> bytes:
        """The numbered statement of this digest."""

        def ask() -> bytes:
            with Server(landmark.peer.url) as server:
                return server.get(f"/clp1/statements/{wanted.hex()}").body

        return self.line.landmarks.inside(ask)

    def _landmark(self, world: World, landmark: WorldLandmark, round_trip_ns: int, lane: int) -> RealLandmark:
        kind, cheats = landmark.kind, world.scenario.cheats
        if kind in {LandmarkKind.LEAKING, LandmarkKind.MISPLACED}:
            kind = LandmarkKind.HONEST
        shown = (world.scenario.name, round_trip_ns) if kind in MIXED_UP else ()
        is_impatient = cheats.agents is AgentKind.UNACKNOWLEDGING
        name = (
            lane,
            is_impatient,
            landmark.id,
            digest(landmark.position),
            kind,
            cheats.factor,
            world.verifier.verifying.raw,
            *shown,
        )
        if name not in self._landmarks:
            self._landmarks[name] = self._started(world, landmark, kind, round_trip_ns, is_impatient=is_impatient)
        return self._landmarks[name]

    def _started(
        self, world: World, landmark: WorldLandmark, kind: LandmarkKind, round_trip_ns: int, *, is_impatient: bool
    ) -> RealLandmark:
        host = self._addresses.pop(0)
        data = self._folder / host
        data.mkdir()
        write_new_key(key_path(data, Purpose.LANDMARK), landmark.identity.key)
        (data / "position.cose").write_bytes(landmark.position)
        order = LandmarkOrder(
            data=str(data),
            host=host,
            verifier=world.verifier.verifying.raw.hex(),
            kind=kind,
            factor=world.scenario.cheats.factor,
            round_trip_ns=round_trip_ns,
            can_pause=landmark.identity.errors.can_pause,
            is_impatient=is_impatient,
            seed=world.scenario.seed,
        )
        told, answers = self._forking.stdin, self._forking.stdout
        assert told is not None
        assert answers is not None
        told.write(order.line())
        told.flush()
        return RealLandmark(pid=int(answers.readline()), peer=Peer(host=host, port=PORT))

    def _await_up(self, landmark: RealLandmark) -> None:
        def ask() -> None:
            give_up = time.monotonic() + PATIENCE_S
            while True:
                with suppress(OSError):
                    # The kernel takes connections as soon as somebody listens, whoever that is.
                    socket.create_connection((landmark.peer.host, PORT), timeout=1.0).close()
                    return
                log = self._folder / landmark.peer.host / "log"
                assert time.monotonic() < give_up, log.read_text(encoding="utf-8")

        self.line.landmarks.inside(ask)


@contextmanager
def real_world(folder: Path) -> Iterator[RealWorld]:
    """A world in which nobody lives yet."""
    addresses = [f"198.18.1.{number}" for number in range(1, ADDRESSES + 1)]
    with DelayLine(dict.fromkeys(addresses, 0)) as line:
        world = RealWorld(line, addresses, folder)
        try:
            yield world
        finally:
            world.close()
