"""A world of the simulator made of real processes: landmarks in one network, the agent in another, and a line between.

What is real: sockets, packets, kernels, a router that translates, HTTP, stores, processes and clocks. What is not: the
distance, which the delay line puts in, as the simulator reckons it. One machine holds every place, so that sessions
come one after the other, and before each the line is made as long as its agent is far away.
"""

import os
import queue
import signal
import socket
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
from lightbound.enrolment.delivery import Content
from lightbound.enrolment.trust import TrustedLandmark
from lightbound.files.keys import key_path, write_new_key
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.net.http_client import Server
from lightbound.ranging.sessions.chain import Linked
from lightbound.sim.scenario import AgentKind, LandmarkKind
from lightbound.sim.world import World, WorldLandmark
from tests.scenarios.agents import Peer
from tests.scenarios.asking import asking
from tests.scenarios.dishonest import MIXED_UP
from tests.scenarios.forking import PATIENCE_S, Forking
from tests.scenarios.honest_agents import AgentOrder, enrol
from tests.scenarios.landmarks import PORT, LandmarkOrder

VERIFIER: Final = "198.18.2.1"
SESSION_WITHIN_S: Final = 90.0
ADDRESSES: Final = 160

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
        self._count = 0
        self._relay: Relay | None = None
        self._landmarks_forked = Forking("tests.scenarios.landmarks", line.landmarks)
        self._agents_forked = Forking("tests.scenarios.honest_agents", line.agents)

    def close(self) -> None:
        """End every landmark, every agent and the relay."""
        if self._relay is not None:
            self._relay.close()
        for each in (self._agents_forked, self._landmarks_forked):
            each.close()

    def lived_honestly(
        self, world: World, session: bytes, key: SigningKey, peers: Mapping[bytes, Peer], *, is_impatient: bool
    ) -> Content:
        """What an honest agent brings of a session: a process of its own, which polls a verifier for it."""
        with self._lock:
            self._count += 1
            folder = self._folder / f"agent-{self._count}"
        listener = self.line.landmarks.inside(lambda: socket.create_server((VERIFIER, 0)))
        enrol(
            folder,
            key,
            verifier=world.verifier.verifying,
            url=f"http://{VERIFIER}:{listener.getsockname()[1]}",
            directory=world.admitted.digest,
            landmarks=[
                TrustedLandmark(key=world.admitted.by_id[one].key, name=one.hex(), url=peer.url)
                for one, peer in peers.items()
            ],
        )
        with asking(listener, session, key.verifying) as asked:
            pid = self._agents_forked.fork(AgentOrder(data=str(folder), is_impatient=is_impatient).line())
            try:
                return asked.brought.get(timeout=SESSION_WITHIN_S)
            except queue.Empty:
                raise AssertionError((folder / "log").read_text(encoding="utf-8")) from None
            finally:
                os.kill(pid, signal.SIGTERM)

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
        return RealLandmark(pid=self._landmarks_forked.fork(order.line()), peer=Peer(host=host, port=PORT))

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
    with DelayLine(dict.fromkeys([*addresses, VERIFIER], 0)) as line:
        world = RealWorld(line, addresses, folder)
        try:
            yield world
        finally:
            world.close()
