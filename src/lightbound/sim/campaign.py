"""A scenario run by one of the engines: what was believed, what was refused, what was proven, and what was false.

The result is held against what the scenario says it must show, so that a scenario is a test that a person can read.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, auto
from typing import Final

import numpy as np

from lightbound.ranging.readings import Chips, Readings
from lightbound.ranging.sessions.chain import breaks
from lightbound.ranging.sessions.measured import landmarks_of, readings_of
from lightbound.ranging.sessions.verification import VerifiedSession
from lightbound.sim.conduct import conduct
from lightbound.sim.judging import Judge, Tally
from lightbound.sim.packet_engine import PacketEngine, SessionRun
from lightbound.sim.scenario import Expectation, Scenario
from lightbound.sim.statistic_engine import DrawnBounds, draw_bounds
from lightbound.sim.world import World

PACKETS_AT_A_TIME: Final = 500
BOUNDS_AT_A_TIME: Final = 50_000
"""Sessions judged together."""


class Engine(StrEnum):
    """How sessions are simulated."""

    PACKETS = auto()
    """Message by message, over the real protocol."""
    STATISTICS = auto()
    """Only their bounds, drawn from the distribution that the packets would give."""


@dataclass(slots=True, kw_only=True)
class Report:
    """What came of a scenario."""

    scenario: Scenario
    engine: Engine
    seed: int
    tally: Tally = field(default_factory=Tally)
    measurements: int = 0
    acknowledged: int = 0
    absent: int = 0
    silent: int = 0
    """Landmarks that were bound to and of which nothing came."""
    sessions_refused: Counter[str] = field(default_factory=Counter)
    """By error code: sessions of which nothing is believed."""
    landmarks_refused: Counter[str] = field(default_factory=Counter)
    """By error code: landmarks of which nothing is believed in one session."""
    aborts: Counter[str] = field(default_factory=Counter)
    broken_sequences: int = 0
    """Sequences of a landmark about an agent with a gap, a fork or a wrong link."""

    @property
    def is_long_enough(self) -> bool:
        """Whether every host was asked, so that what must show itself can be expected to."""
        return self.tally.sessions >= self.scenario.agents

    def unmet(self) -> list[str]:
        """What the scenario must show and did not; empty if all is as it says.

        What must never be is looked for always; what must show itself, if the run `is_long_enough`.
        """
        expected, tally = self.scenario.expected, self.tally
        found = [
            f"no false {proof} verdict of the key: {tally.false_of_key[proof]:,} were"
            for proof in expected.sound
            if tally.false_of_key[proof]
        ]
        if not self.is_long_enough:
            return found
        found += [f"a standing {standing}" for standing in expected.standings if not tally.standings[standing]]
        of_messages = {
            Expectation.ALL_REFUSED: self.sessions_refused[expected.code or ""] == tally.sessions,
            Expectation.LANDMARK_REFUSED: self.landmarks_refused[expected.code or ""] > 0,
            Expectation.SHOWS_IN_SEQUENCE: self.broken_sequences > 0,
            Expectation.ABORTS: self.aborts[expected.code or ""] > 0,
        }
        shown = {
            Expectation.NOTHING_FALSE: True,  # looked at above, by proof
            Expectation.WINS: tally.false_of_chip.total() > 0,
            **(of_messages if self.engine is Engine.PACKETS else dict.fromkeys(of_messages, True)),
        }
        return found + [outcome.replace("_", " ") for outcome in expected.outcomes if not shown[outcome]]


def run(
    world: World,
    *,
    engine: Engine,
    seed: int,
    sessions: int,
    progress: Callable[[int], None] | None = None,
    watch: Callable[[SessionRun], None] | None = None,
) -> Report:
    """Run a scenario for so many sessions; `watch` is shown every session of the packet engine, with its trace."""
    report = Report(scenario=world.scenario, engine=engine, seed=seed)
    judge = Judge(world, landmarks_of(world.admitted))
    if engine is Engine.PACKETS:
        _run_packets(world, judge, report, sessions, progress, watch)
    else:
        _run_statistics(world, judge, report, sessions, progress)
    return report


def _run_packets(
    world: World,
    judge: Judge,
    report: Report,
    sessions: int,
    progress: Callable[[int], None] | None,
    watch: Callable[[SessionRun], None] | None,
) -> None:
    engine = PacketEngine(world=world, conduct=conduct(world), seed=report.seed, tracing=watch is not None)
    for start in range(0, sessions, PACKETS_AT_A_TIME):
        runs: list[SessionRun] = []
        for one in engine.run(min(PACKETS_AT_A_TIME, sessions - start), first=start):
            runs.append(one)
            _count(report, one)
            if watch:
                watch(one)
            if progress:
                progress(1)
        _, tally = judge.judge(readings_of_runs(judge, runs), np.array([one.agent for one in runs]))
        report.tally.add(tally)
    report.broken_sequences = sum(bool(breaks(shown)) for shown in engine.shown.values())


def _run_statistics(
    world: World, judge: Judge, report: Report, sessions: int, progress: Callable[[int], None] | None
) -> None:
    behaviour = conduct(world)
    for first in range(0, sessions, BOUNDS_AT_A_TIME):
        count = min(BOUNDS_AT_A_TIME, sessions - first)
        bounds = draw_bounds(world, behaviour, seed=report.seed, sessions=count, first=first)
        report.measurements += len(bounds.session)
        agents = np.arange(first, first + count) % len(world.agents)
        _, tally = judge.judge(readings_of_bounds(world, judge, bounds, first), agents)
        report.tally.add(tally)
        if progress:
            progress(count)


def readings_of_runs(judge: Judge, runs: Sequence[SessionRun]) -> Readings:
    """What the sessions measured, each session as a chip of its own: those of one host share every bound."""
    believed = [(place, one.result) for place, one in enumerate(runs) if isinstance(one.result, VerifiedSession)]
    names = {result.digest: [str(place)] for place, result in believed}
    nobody = np.full(len(runs), -1, np.int32)
    chips = Chips(chip_ids=[str(place) for place in range(len(runs))], licensed=nobody, excluded=nobody, areas=())
    return readings_of([result for _, result in believed], chips_of=names, landmarks=judge.landmarks, chips=chips)


def readings_of_bounds(world: World, judge: Judge, bounds: DrawnBounds, first: int) -> Readings:
    """What was drawn, each session as a chip of its own; `first` is the number of the first."""
    number = {landmark.landmark_id: place for place, landmark in enumerate(judge.landmarks)}
    of_landmark = np.array([number[landmark.id.hex()] for landmark in world.landmarks], np.int32)
    return Readings(
        landmark=of_landmark[bounds.landmark],
        chip=(bounds.session - first).astype(np.int32),
        round_trip_ns=bounds.third_ns,
        clock_error_ns=bounds.clock_error_ns,
    )


def _count(report: Report, one: SessionRun) -> None:
    if not isinstance(one.result, VerifiedSession):
        report.sessions_refused[one.result.faults[0].code] += 1
        return
    result = one.result
    report.measurements += len(result.measurements)
    report.acknowledged += sum(measurement.is_acknowledged for measurement in result.measurements)
    report.absent += len(result.absent)
    report.silent += len(result.silent)
    report.landmarks_refused.update(error.faults[0].code for error in result.refused.values())
    report.aborts.update(abort.why for abort in result.aborts.values())
