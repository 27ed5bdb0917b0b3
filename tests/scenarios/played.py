"""One session of a packaged scenario, twice: in the simulated world, and in the real one."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from lightbound.ranging.sessions.chain import breaks
from lightbound.ranging.sessions.verification import VerifiedSession
from lightbound.sim.conduct import Conduct, conduct
from lightbound.sim.packet_engine import PacketEngine, SessionRun
from lightbound.sim.scenario import LandmarkKind, Scenario
from lightbound.sim.world import World, build
from tests.scenarios.outcomes import Outcome, outcome
from tests.scenarios.real_session import RealSession, later_ns
from tests.scenarios.real_world import RealWorld

LIARS: Final = frozenset({LandmarkKind.SHORT, LandmarkKind.PAUSED_UNSAID})
"""Whose bounds may be too short: those that lie, about times or about what they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A session, how it ended, and what of it is held against the truth."""

    world: World
    run: SessionRun
    outcome: Outcome
    false_of_key: Mapping[str, int]
    """Verdicts by proof that are false of the key."""
    broken: frozenset[str]
    """Landmarks whose sequence about this agent has a gap, a fork or a wrong link."""
    bounds: Mapping[str, tuple[int, int]]
    """By honest landmark: the bound that it signed, and the round trip to whoever answers, in nanoseconds."""
    asked: frozenset[str] = frozenset()
    """Landmarks, where the session was a real one."""
    took_s: float = 0.0


def simulated(scenario: Scenario, number: int) -> Played:
    """A session of the simulator, and whatever its landmarks said before in it: nothing."""
    world = build(scenario)
    behaviour = conduct(world)
    engine = PacketEngine(world=world, seed=scenario.seed, conduct=behaviour)
    run = engine.session(number)
    names = {landmark.id: landmark.stated.name for landmark in world.landmarks}
    broken = frozenset(names[landmark] for (landmark, _), shown in engine.shown.items() if breaks(shown))
    return _played(world, behaviour, run, broken)


def real(
    there: RealWorld,
    scenario: Scenario,
    number: int,
    *,
    lane: int = 0,
    loss: float = 0.0,
    down: frozenset[str] = frozenset(),
) -> Played:
    """The same session, with the landmarks of `there`, each so far away as the simulator has it.

    `loss` is of all packets, each way, not of the timed ones alone; nothing comes from landmarks that are down.
    """
    one = RealSession(there=there, scenario=scenario, number=number, lane=lane, loss=loss, down=down)
    began = time.monotonic()
    run = one.run()
    took_s = time.monotonic() - began
    asked = frozenset(one.name_of(each) for each in one.asked)
    return replace(_played(one.world, one.behaviour, run, one.broken()), asked=asked, took_s=took_s)


def _played(world: World, behaviour: Conduct, run: SessionRun, broken: frozenset[str]) -> Played:
    found, tally = outcome(world, run)
    bounds = {}
    if isinstance(run.result, VerifiedSession):
        for each in run.result.measurements:
            index = world.landmark_of[each.landmark.key.key_id]
            if world.landmarks[index].kind not in LIARS:
                bounds[world.landmarks[index].stated.name] = (
                    each.measurement.bound_ns,
                    int(behaviour.floor_ns[run.agent, index] + later_ns(behaviour, run.agent, index)),
                )
    return Played(
        world=world, run=run, outcome=found, false_of_key=dict(tally.false_of_key), broken=broken, bounds=bounds
    )
