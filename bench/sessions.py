"""Simulated sessions per second on one core, by both engines, beside the cryptography alone that a session needs."""

import dataclasses
import functools
import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lightbound.sim.campaign import Engine, run
from lightbound.sim.conduct import conduct
from lightbound.sim.packet_engine import PacketEngine
from lightbound.sim.scenario_file import read_scenario
from lightbound.sim.statistic_engine import draw_bounds
from lightbound.sim.world import build

LANDMARKS = 4
ROUNDS = 64
PACKET_SESSIONS = 112
DRAWN_SESSIONS = 200_000
REPEATS = 7
SEED = 20_260_101


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table."""

    what: str
    per_s: float
    reference_per_s: float

    @property
    def ratio(self) -> float:
        """How many times the reference."""
        return self.per_s / self.reference_per_s


def figures() -> Iterator[Figure]:
    """Sessions of four landmarks, 64 rounds each, in the world in which nobody cheats."""
    world = build(dataclasses.replace(read_scenario("world"), nearest=LANDMARKS, extras=0))
    behaviour = conduct(world)

    def played(turn: int) -> None:
        # Another seed each time: what has been verified once is remembered.
        for _ in PacketEngine(world=world, conduct=behaviour, seed=SEED + turn).run(PACKET_SESSIONS):
            pass

    def drawn() -> None:
        draw_bounds(world, behaviour, seed=SEED, sessions=DRAWN_SESSIONS)

    def judged() -> None:
        run(world, engine=Engine.STATISTICS, seed=SEED, sessions=DRAWN_SESSIONS)

    played(0)
    sessions, bare = [], []
    for turn in range(1, REPEATS + 1):  # in turn, so that what slows the machine down slows both down
        bare.append(seconds(bare_cryptography))
        sessions.append(seconds(functools.partial(played, turn)))
    reference_per_s = PACKET_SESSIONS / min(bare)
    for what, per_s in (
        ("packets: every message, checked as by a stranger", PACKET_SESSIONS / min(sessions)),
        ("statistics: bounds alone", DRAWN_SESSIONS / min(seconds(drawn) for _ in range(REPEATS))),
        ("statistics: bounds and verdicts", DRAWN_SESSIONS / min(seconds(judged) for _ in range(REPEATS))),
    ):
        yield Figure(what=what, per_s=per_s, reference_per_s=reference_per_s)


def seconds(do: Callable[[], object]) -> float:
    """Processor seconds of one run."""
    start = time.process_time()
    do()
    return time.process_time() - start


def bare_cryptography() -> None:
    """Signatures, keys and tags of as many sessions, by the same libraries and nothing around them.

    Signed: SESSION, BIND twice, and of each landmark OPEN, CONTRIB, CLOSE, ACK and MEASUREMENT. Each is verified once,
    but OPEN, which only the landmark's own log reads. Both ends agree with one another, and derive two keys each. Each
    of two packets a round is tagged at one end and checked at the other.
    """
    signing, agreeing = Ed25519PrivateKey.from_private_bytes(bytes(32)), X25519PrivateKey.from_private_bytes(bytes(32))
    verifying, peer = signing.public_key(), agreeing.public_key()
    message, packet, key = bytes(500), bytes(32), bytes(32)
    signature = signing.sign(message)
    for _ in range(PACKET_SESSIONS):
        for _ in range(3 + 5 * LANDMARKS):
            signing.sign(message)
        for _ in range(3 + 4 * LANDMARKS):
            verifying.verify(signature, message)
        for _ in range(2 * LANDMARKS):
            agreeing.exchange(peer)
        for _ in range(4 * LANDMARKS):
            HKDF(algorithm=SHA256(), length=32, salt=None, info=bytes(64)).derive(key)
        for _ in range(4 * ROUNDS * LANDMARKS):
            hashlib.blake2s(packet, key=key, digest_size=16).digest()
