"""What simulated sessions prove, and whether it is true: judged as any others, and held against the true places.

A verdict speaks of whoever holds the key. It is *false of the key* if no copy of the key is where it says; that must
not happen while the assumptions of its proof hold. It is *false of the chip* if the chip is not there, which is what a
person cares about, and what a copied key brings about.
"""

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lightbound.adjudication.adjudicate import adjudicate
from lightbound.adjudication.facts import Settings
from lightbound.adjudication.verdicts import PROOFS, STANDINGS, VERDICTS, BorderUsed, Question, Verdict, Verdicts
from lightbound.geo.areas import parse_area
from lightbound.geo.borders import DEFAULT_BORDER_ERROR_M, packaged_borders
from lightbound.geo.earth import Position
from lightbound.geo.shapes import Area, area_of
from lightbound.geo.sides import Side, sides_of_points
from lightbound.ranging.readings import Chips, Landmark, Readings
from lightbound.sim.paths import Endpoint
from lightbound.sim.world import World

SIDES_REMEMBERED: Final = 1 << 16
"""Worlds of the same places have the same hosts in them; 10 MB at most."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts over sessions: standings, verdicts by proof, and false ones. Each host's chips share one verdict."""

    sessions: int = 0
    standings: Counter[str] = field(default_factory=Counter)
    proven: Counter[str] = field(default_factory=Counter)
    """By "within alone", "outside joint" and so on, both questions together."""
    false_of_key: Counter[str] = field(default_factory=Counter)
    """By proof."""
    false_of_chip: Counter[str] = field(default_factory=Counter)
    misled_about_key: int = 0
    """Sessions with at least one verdict that is false of the key."""
    misled_about_chip: int = 0

    def add(self, other: "Tally") -> None:
        """Take another tally in."""
        self.sessions += other.sessions
        self.misled_about_key += other.misled_about_key
        self.misled_about_chip += other.misled_about_chip
        for name in ("standings", "proven", "false_of_key", "false_of_chip"):
            getattr(self, name).update(getattr(other, name))


class Judge:
    """Judges sessions of one world, whose areas and true places it looks up once."""

    def __init__(self, world: World, landmarks: Sequence[Landmark]) -> None:
        """Prepare areas, and on which side of them everybody is."""
        self.world, self.landmarks = world, list(landmarks)
        borders = packaged_borders()
        self.border = BorderUsed.of(
            borders,
            error_m=int(DEFAULT_BORDER_ERROR_M),
        )
        texts = sorted({text for site in world.scenario.sites for text in (site.licensed, site.excluded)})
        self.number = {text: i for i, text in enumerate(texts)}
        self.texts = texts
        self.areas: list[Area] = [_area(text) for text in texts]
        self._possible = np.array([self._possible_of(i) for i in range(len(world.agents))])

    def judge(self, readings: Readings, agents: NDArray[np.int64]) -> tuple[Verdicts, Tally]:
        """Verdicts on sessions, each a chip of its own in `readings`, and the tally; `agents` by session."""
        licensed = np.array([self.number[agent.site.licensed] for agent in self.world.agents], np.int32)
        excluded = np.array([self.number[agent.site.excluded] for agent in self.world.agents], np.int32)
        verdicts = adjudicate(
            readings,
            landmarks=self.landmarks,
            chips=Chips(
                chip_ids=[str(i) for i in range(len(agents))],
                licensed=licensed[agents],
                excluded=excluded[agents],
                areas=self.texts,
            ),
            areas=self.areas,
            border=self.border,
            settings=Settings(fault_budget=self.world.scenario.fault_budget),
        )
        tally = Tally(sessions=len(agents))
        tally.standings.update(STANDINGS[code] for code in verdicts.standing.tolist())
        misled = np.zeros((2, len(agents)), np.bool_)
        for number, question in enumerate((verdicts.licensed, verdicts.excluded)):
            misled |= self._count(tally, question, self._possible[agents, number])
        tally.misled_about_key, tally.misled_about_chip = misled.sum(axis=1).tolist()
        return verdicts, tally

    def _count(self, tally: Tally, question: Question, possible: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Verdicts of one question; `possible` by session: (key within, key outside, chip within, chip outside).

        Returns, shape (2, sessions): whose verdict is false of the key, and whose of the chip.
        """
        misled = np.zeros((2, len(possible)), np.bool_)
        for code, proof in enumerate(PROOFS):
            for verdict, of_key, of_chip in ((Verdict.WITHIN, 0, 2), (Verdict.OUTSIDE, 1, 3)):
                those = (question.proof == code) & (question.verdict == VERDICTS.index(verdict))
                false = np.stack((those & ~possible[:, of_key], those & ~possible[:, of_chip]))
                tally.proven[f"{verdict} {proof}"] += int(those.sum())
                tally.false_of_key[proof] += int(false[0].sum())
                tally.false_of_chip[proof] += int(false[1].sum())
                misled |= false
        return misled

    def _possible_of(self, number: int) -> list[list[bool]]:
        """By question: whether some copy of the key may be within, may be outside; and the same of the chip.

        `may`, because who stands within the border error of a border is on neither side for sure.
        """
        agent = self.world.agents[number]
        return [
            [*_possible_sides(agent.holders, text), *_possible_sides((agent.chip,), text)]
            for text in (agent.site.licensed, agent.site.excluded)
        ]


def _possible_sides(ends: Sequence[Endpoint], text: str) -> tuple[bool, bool]:
    sides = [_side(end.position, text) for end in ends]
    return any(side is not Side.OUTSIDE for side in sides), any(side is not Side.INSIDE for side in sides)


@functools.lru_cache(maxsize=SIDES_REMEMBERED)
def _side(position: Position, text: str) -> Side:
    (side,) = sides_of_points(np.array([position.unit()]), np.zeros(1), _area(text))
    return side


@functools.cache
def _area(text: str) -> Area:
    """An area of the packaged borders. Preparing one takes up to half a second, and scenarios name the same ones."""
    return area_of(parse_area(text), borders=packaged_borders(), drawings={}, border_error_m=DEFAULT_BORDER_ERROR_M)
