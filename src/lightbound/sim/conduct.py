"""What the timed packets of a world see: which copy of a key answers which landmark, how late, or not at all.

Both engines ask here, so that they simulate the same cheats.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lightbound.ranging.timing.clocks import BILLION
from lightbound.sim.paths import distance_m
from lightbound.sim.scenario import AgentKind, LandmarkKind
from lightbound.sim.world import World, WorldAgent
from lightbound.units import SPEED_OF_LIGHT_M_PER_S

ACCOMPLICE_NS: Final = 100_000
"""Round trip to somebody beside a landmark."""

AIMED_NS: Final = 20_000
"""By how much an aimed answer is later than light in vacuum from the place that it is to seem to come from."""

HELD_NS: Final = 20_000
"""How long an agent takes to answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """By agent and landmark, shape (agents, landmarks)."""

    floor_ns: NDArray[np.int64]
    """Least round trip to whoever answers."""
    delay_ns: NDArray[np.int64]
    """By how much it answers later."""
    answers: NDArray[np.bool_]
    """False where the agent shuns a landmark, or the landmark contributes nothing or never says what it measured."""
    factor: NDArray[np.float64]
    """(landmarks,): what a landmark multiplies its round trips by."""
    holder: NDArray[np.int64]
    """Which copy of the key answers."""


def conduct(world: World) -> Conduct:
    """How everybody behaves, whom the scenario lets cheat or not."""
    cheats = world.scenario.cheats
    shape = (len(world.agents), len(world.landmarks))
    floor_ns, delay_ns = np.zeros(shape, np.int64), np.full(shape, HELD_NS, np.int64)
    holder = np.zeros(shape, np.int64)
    answers = np.ones(shape, np.bool_)
    for a, agent in enumerate(world.agents):
        for m, landmark in enumerate(world.landmarks):
            floors = [world.paths.floor_ns(end, landmark.end) for end in agent.holders]
            holder[a, m] = int(np.argmin(floors))
            floor_ns[a, m] = min(floors)
            match cheats.agents:
                case AgentKind.DELAYING:
                    delay_ns[a, m] += int(cheats.delay_ms * 1e6)
                case AgentKind.AIMING:
                    metres = distance_m(agent.site.place.position, landmark.stated.place.position)
                    wanted_ns = int(2e9 * metres / SPEED_OF_LIGHT_M_PER_S) + AIMED_NS
                    delay_ns[a, m] = max(HELD_NS, wanted_ns - int(floor_ns[a, m]))
                case _:
                    pass
        if cheats.agents is AgentKind.SILENT:
            answers[a, _nearest(world, agent, cheats.count)] = False
    for m, landmark in enumerate(world.landmarks):
        if landmark.kind is LandmarkKind.LEAKING:
            floor_ns[:, m], delay_ns[:, m] = ACCOMPLICE_NS, 0
        if landmark.kind in {LandmarkKind.STALLING, LandmarkKind.NEVER_CLOSING}:
            answers[:, m] = False
    return Conduct(
        floor_ns=floor_ns, delay_ns=delay_ns, answers=answers, factor=np.array(_factors(world)), holder=holder
    )


def _factors(world: World) -> list[float]:
    def of(kind: LandmarkKind, rate_ppb: int) -> float:
        if kind is LandmarkKind.SHORT:
            return world.scenario.cheats.factor
        return 1.0 - rate_ppb / BILLION if kind is LandmarkKind.DRIFTING else 1.0

    return [of(landmark.kind, landmark.identity.errors.rate_ppb) for landmark in world.landmarks]


def _nearest(world: World, agent: WorldAgent, count: int) -> list[int]:
    """The landmarks nearest to where the chip is: those whose answers could betray it."""
    return sorted(
        range(len(world.landmarks)),
        key=lambda m: distance_m(world.landmarks[m].stated.place.position, agent.chip.position),
    )[:count]
