"""What came of a session, in words that a simulated and a real one can share."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from lightbound.adjudication.verdicts import PROOFS, STANDINGS, VERDICTS, Question, Verdict
from lightbound.ranging.sessions.measured import landmarks_of
from lightbound.ranging.sessions.verification import VerifiedSession
from lightbound.sim.campaign import readings_of_runs
from lightbound.sim.judging import Judge, Tally
from lightbound.sim.packet_engine import SessionRun
from lightbound.sim.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Everything about a session that does not hang on how late packets were. Landmarks by name."""

    refused: str | None
    """The error code, of a session of which nothing is believed."""
    believed: Mapping[str, bool]
    """Whose measurements are, and whether the agent acknowledged them."""
    landmarks_refused: Mapping[str, str]
    aborts: Mapping[str, str]
    absent: frozenset[str]
    silent: frozenset[str]
    licensed: str
    excluded: str
    """Verdicts, with what they stand on."""
    standing: str
    false_of_key: bool
    false_of_chip: bool


def outcome(world: World, run: SessionRun) -> tuple[Outcome, Tally]:
    """What came of it, judged by itself as the simulator judges."""
    agent = world.agents[run.agent]
    alone = replace(world, scenario=replace(world.scenario, sites=(agent.site,)), agents=(agent,))
    judge = Judge(alone, landmarks_of(world.admitted))
    verdicts, tally = judge.judge(readings_of_runs(judge, [run]), np.array([0]))
    names = {landmark.id: landmark.stated.name for landmark in world.landmarks}
    result = run.result
    is_believed = isinstance(result, VerifiedSession)
    found = Outcome(
        refused=None if is_believed else str(result.faults[0].code),
        believed={names[one.landmark.key.key_id]: one.is_acknowledged for one in result.measurements}
        if is_believed
        else {},
        landmarks_refused={names[one]: str(error.faults[0].code) for one, error in result.refused.items()}
        if is_believed
        else {},
        aborts={names[one]: str(abort.why) for one, abort in result.aborts.items()} if is_believed else {},
        absent=frozenset(names[one] for one in result.absent) if is_believed else frozenset(),
        silent=frozenset(names[one] for one in result.silent) if is_believed else frozenset(),
        licensed=_words(verdicts.licensed),
        excluded=_words(verdicts.excluded),
        standing=STANDINGS[int(verdicts.standing[0])],
        false_of_key=tally.misled_about_key > 0,
        false_of_chip=tally.misled_about_chip > 0,
    )
    return found, tally


def _words(question: Question) -> str:
    verdict = VERDICTS[int(question.verdict[0])]
    return str(verdict) if verdict is Verdict.UNDETERMINED else f"{verdict} {PROOFS[int(question.proof[0])]}"
