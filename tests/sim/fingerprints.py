"""What a world and its sessions are, byte for byte, as digests; run by itself, those of the scenarios it is told."""

import hashlib
import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from lightbound.sim.conduct import conduct
from lightbound.sim.packet_engine import PacketEngine, SessionRun
from lightbound.sim.scenario_file import read_scenario
from lightbound.sim.statistic_engine import draw_bounds
from lightbound.sim.world import World, build

AGENTS: Final = 3
SESSIONS: Final = 4
"""One more than there are hosts, so that one is asked again."""


def small(name: str, *, seed: int | None = None) -> World:
    """The world of a packaged scenario, with a few of its hosts."""
    return build(replace(read_scenario(name), agents=AGENTS), seed=seed)


def digest(parts: Iterable[bytes]) -> str:
    """SHA-256 over parts, each with its length before it."""
    running = hashlib.sha256()
    for part in parts:
        running.update(len(part).to_bytes(8, "big") + part)
    return running.hexdigest()


def statements(one: SessionRun) -> list[bytes]:
    """Every statement of a session, in a fixed order."""
    said = one.statements
    if said is None:
        return []
    found = [said.session, said.bind, said.evidence]
    for landmark in sorted(said.by_landmark):
        of = said.by_landmark[landmark]
        found += [landmark, *(each or b"none" for each in (of.contrib, of.close, of.ack, of.measurement, of.abort))]
    return found


def sessions(of: World, *, seed: int, count: int = SESSIONS, tracing: bool = False) -> list[str]:
    """The digest of each session's statements."""
    engine = PacketEngine(world=of, conduct=conduct(of), seed=seed, tracing=tracing)
    return [digest(statements(one)) for one in engine.run(count)]


def bounds(of: World, *, seed: int) -> str:
    """The digest of what the statistic engine draws for a thousand sessions."""
    drawn = draw_bounds(of, conduct(of), seed=seed, sessions=1_000)
    columns = (drawn.session, drawn.agent, drawn.landmark, drawn.third_ns, drawn.clock_error_ns)
    return digest(column.astype("<i8").tobytes() for column in columns)


def fingerprint(name: str, *, seed: int | None = None) -> list[str]:
    """Of who was let in, of each session by packets, and of bounds by statistics where there are any."""
    of = small(name, seed=seed)
    seed = of.scenario.seed if seed is None else seed
    drawn = [] if of.scenario.packets_only else [bounds(of, seed=seed)]
    return [of.admitted.digest.hex(), *sessions(of, seed=seed), *drawn]


if __name__ == "__main__":
    json.dump({name: fingerprint(name) for name in sys.argv[1:]}, sys.stdout)
