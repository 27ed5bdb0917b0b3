"""Hardship that honest sessions have to go through: what it is, and what it costs them."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from lightbound.sim.scenario import LandmarkKind, Scenario
from lightbound.sim.scenario_file import read_scenario
from lightbound.sim.world import build
from lightbound.units import SPEED_OF_LIGHT_M_PER_S
from tests.scenarios.forking import ROOT
from tests.scenarios.landmarks import PORT
from tests.scenarios.played import Played, real
from tests.scenarios.real_world import BEGINNING_NS, RealWorld

NUMBER: Final = 24
"""A session in Paris, with the three landmarks there."""

VICTIM: Final = "Paris 1"
"""The landmark that is flooded, stalls, or is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardship:
    """What sessions go through."""

    name: str
    flood_per_s: int = 0
    """Packets of garbage to the port of one landmark."""
    stalls: bool = False
    """One landmark takes connections and says nothing."""
    is_down: bool = False
    """Nothing comes from one landmark, or gets there."""
    loss: float = 0.0
    """Of all packets, each way, those of HTTP too."""

    @property
    def lost(self) -> frozenset[str]:
        """Landmarks that cannot measure."""
        return frozenset({VICTIM} if self.stalls or self.is_down else ())


HARDSHIPS: Final = (
    Hardship(name="none"),
    Hardship(name="flood, 2,000 packets a second", flood_per_s=2_000),
    Hardship(name="flood, 20,000 packets a second", flood_per_s=20_000),
    Hardship(name="one landmark stalls", stalls=True),
    Hardship(name="one landmark is down", is_down=True),
    Hardship(name="20 % of packets lost each way", loss=0.2),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What became of a session."""

    played: Played
    is_complete: bool
    """Every landmark that could measure did, and the agent acknowledged it."""
    took_s: float
    excess_m: float
    """By how much a bound is above the distance that the line puts in, in the middle of the landmarks."""


def gone_through(there: RealWorld, hardship: Hardship, *, lane: int = 0) -> Gone:
    """An honest session under a hardship."""
    scenario = _scenario(hardship)
    down = frozenset({VICTIM} if hardship.is_down else ())
    with _flooded(there, scenario, hardship.flood_per_s, lane):
        played = real(there, scenario, NUMBER, lane=lane, loss=hardship.loss, down=down)
    excess_ns = sorted(bound_ns - floor_ns for bound_ns, floor_ns in played.bounds.values())
    return Gone(
        played=played,
        is_complete=played.outcome.believed == dict.fromkeys(played.asked - hardship.lost, True),
        took_s=played.took_s,
        excess_m=excess_ns[len(excess_ns) // 2] * SPEED_OF_LIGHT_M_PER_S / 2e9 if excess_ns else float("inf"),
    )


def _scenario(hardship: Hardship) -> Scenario:
    scenario = replace(read_scenario("world"), nearest=3, extras=0)
    if not hardship.stalls:
        return scenario
    # As a single landmark, and not all of its owner: it has an owner of its own here.
    landmarks = tuple(
        replace(one, operator=VICTIM, owner=VICTIM, hosting=VICTIM) if one.name == VICTIM else one
        for one in scenario.landmarks
    )
    cheats = replace(scenario.cheats, landmarks=LandmarkKind.STALLING, faulty_owners=(VICTIM,))
    return replace(scenario, landmarks=landmarks, cheats=cheats)


@contextmanager
def _flooded(there: RealWorld, scenario: Scenario, per_s: int, lane: int) -> Iterator[None]:
    if not per_s:
        yield
        return
    victim = there.landmark_called(build(scenario, beginning_ns=BEGINNING_NS), VICTIM, lane=lane)
    flood = there.line.landmarks.start(
        [sys.executable, "-m", "tests.scenarios.flood", victim.peer.host, str(PORT), str(per_s)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    told, began = flood.stdin, flood.stdout
    assert told is not None
    assert began is not None
    with flood:
        try:
            assert began.readline()
            yield
        finally:
            told.close()
        assert int(began.readline()) > 0
    assert flood.returncode == 0
