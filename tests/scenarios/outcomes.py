"""What came of a session, in words that a simulated and a real one can share."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

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

    licensed: str
    excluded: str
    """Verdicts, with what they stand on."""
    standing: str
    false_of_key: bool
    false_of_chip: bool
    refused: str | None = None
    """The error code, of a session of which nothing is believed."""
    believed: Mapping[str, bool] = field(default_factory=dict)
    """Whose measurements are, and whether the agent acknowledged them."""
    landmarks_refused: Mapping[str, str] = field(default_factory=dict)
    aborts: Mapping[str, str] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()


def outcome(world: World, run: SessionRun) -> tuple[Outcome, Tally]:
    """What came of it, judged by itself as the simulator judges."""
    agent = world.agents[run.agent]
    alone = replace(world, scenario=replace(world.scenario, sites=(agent.site,)), agents=(agent,))
    judge = Judge(alone, landmarks_of(world.admitted))
    verdicts, tally = judge.judge(readings_of_runs(judge, [run]), np.array([0]))
    names = {landmark.id: landmark.stated.name for landmark in world.landmarks}
    found = Outcome(
        licensed=_words(verdicts.licensed),
        excluded=_words(verdicts.excluded),
        standing=str(STANDINGS[int(verdicts.standing[0])]),
        false_of_key=tally.misled_about_key > 0,
        false_of_chip=tally.misled_about_chip > 0,
    )
    result = run.result
    if not isinstance(result, VerifiedSession):
        return replace(found, refused=str(result.faults[0].code)), tally
    found = replace(
        found,
        believed={names[one.landmark.key.key_id]: one.is_acknowledged for one in result.measurements},
        landmarks_refused={names[one]: str(error.faults[0].code) for one, error in result.refused.items()},
        aborts={names[one]: str(abort.why) for one, abort in result.aborts.items()},
        absent=frozenset(names[one] for one in result.absent),
        silent=frozenset(names[one] for one in result.silent),
    )
    return found, tally


def _words(question: Question) -> str:
    verdict = VERDICTS[int(question.verdict[0])]
    return str(verdict) if verdict is Verdict.UNDETERMINED else f"{verdict} {PROOFS[int(question.proof[0])]}"
