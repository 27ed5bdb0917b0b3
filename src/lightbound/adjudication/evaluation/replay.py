"""One replay: the verdicts of `adjudicate` under one choice of settings, counted against the truth."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightbound.adjudication import kernels
from lightbound.adjudication.evaluation.shares import Share
from lightbound.adjudication.evaluation.truths import Truths
from lightbound.adjudication.facts import Settings, facts_of, judged
from lightbound.adjudication.kernels import Columns, Facts
from lightbound.adjudication.verdicts import VERDICTS, Verdict
from lightbound.geo import kernels as geometry
from lightbound.geo import regions
from lightbound.geo.compiled import compiled
from lightbound.geo.shapes import Area
from lightbound.geo.sides import Side
from lightbound.ranging.readings import Chips, Landmark, Readings


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Verdicts on one question, counted by where the chip truly is."""

    counts: Mapping[tuple[Side, Verdict], int]

    def verdicts(self, *verdicts: Verdict, truly: Side | None = None) -> Share:
        """How many of the chips asked about got one of these verdicts; only those truly on one side, if given."""
        asked = [(side, verdict, n) for (side, verdict), n in self.counts.items() if truly in (None, side)]
        return Share(count=sum(n for _, verdict, n in asked if verdict in verdicts), of=sum(n for _, _, n in asked))

    @property
    def decided(self) -> Share:
        """How many got an answer, right or wrong."""
        return self.verdicts(Verdict.WITHIN, Verdict.OUTSIDE)

    @property
    def wrong(self) -> int:
        """How many got an answer that the truth denies."""
        return self.counts.get((Side.INSIDE, Verdict.OUTSIDE), 0) + self.counts.get((Side.OUTSIDE, Verdict.WITHIN), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What every replay starts from."""

    landmarks: Sequence[Landmark]
    areas: Sequence[Area]
    use_compiled: bool


def replay(readings: Readings, chips: Chips, world: World, settings: Settings) -> tuple[Facts, Columns]:
    """The facts of a case and the verdicts on them, by the very steps of `adjudicate`."""
    facts, _ = facts_of(readings, landmarks=world.landmarks, chips=chips, areas=world.areas, settings=settings)
    return facts, judged(facts, len(chips), use_compiled=world.use_compiled)


def tally(columns: Columns, question: int, sides: Sequence[Side | None]) -> Tally:
    """Count the verdicts on the licensed (0) or the excluded (1) area; chips that were not asked are left out."""
    codes = columns.verdict[question::2].tolist()
    return Tally(
        counts=Counter(
            (side, VERDICTS[code]) for side, code in zip(sides, codes, strict=True) if side is not None and code >= 0
        )
    )


def truths_kept(facts: Facts, columns: Columns, truths: Truths, *, use_compiled: bool) -> NDArray[np.bool_]:
    """For each chip, whether its region possibly holds its true place; False is a proof that it does not.

    The region is the one that the verdicts rest on. A true place that it has lost means that more fault units were
    wrong about the chip than the budget allows, or that the stated truth is not true.
    """
    on_region: Any = geometry
    on_facts: Any = kernels
    if use_compiled:
        on_region = on_facts = compiled(geometry, regions, kernels)
    budget = facts.budget
    most = int(np.diff(facts.first_row).max(initial=0))
    caps, units, rows = np.empty(4 * most), np.empty(most, np.int64), np.empty(most, np.int64)
    points, errors = truths.points().tolist(), truths.errors().tolist()
    kept = np.ones(len(truths.chips), bool)
    for chip, (point, error) in enumerate(zip(points, errors, strict=True)):
        count = on_facts.gather_caps(facts, columns, chip, caps, units, rows)
        if columns.units_heard[chip] <= budget:
            continue
        if on_region.units_excluding(*point, 0.0, caps, units, count, budget + 1) <= budget:
            continue
        shaping, shaping_units, shapers = on_region.without_redundant_caps(caps, units, count, budget)
        corners, found = on_region.corners_of_region(shaping, shaping_units, shapers, budget, -1)
        kept[chip] = found > 0 and on_region.region_meets_cap(
            corners, found, shaping, shaping_units, shapers, budget, *point, error
        )
    return kept
