"""Verdicts per second on one core, against the plain numpy test of every border vertex, on the same chips."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.worlds import landmarks, readings
from lightbound.adjudication.facts import Settings, facts_of, judged
from lightbound.adjudication.kernels import JOINT, UNDETERMINED, Columns, Facts
from lightbound.adjudication.verdicts import Proof
from lightbound.geo.areas import parse_area
from lightbound.geo.borders import packaged_borders
from lightbound.geo.outlines import Outline
from lightbound.geo.shapes import area_of
from lightbound.ranging.readings import Chips

CHIPS = 200_000
REFERENCE_CHIPS = 200
LANDMARKS = 400
PER_CHIP = 8
REPEATS = 5
SEED = 20_260_101

PATHS = {"quick paths (1.05-1.6 of light's time)": (1.05, 1.6), "usual paths (1.5-3.0)": (1.5, 3.0)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table."""

    what: str
    per_s: float
    reference_per_s: float
    decided: float
    joint: float

    @property
    def ratio(self) -> float:
        """How many times the reference."""
        return self.per_s / self.reference_per_s


def figures() -> Iterator[Figure]:
    """One question (the excluded area) per chip, f = 1, eight landmarks a chip, each its own fault unit."""
    borders = packaged_borders()
    for text in ("CN+HK+MO", "DE"):
        area = area_of(parse_area(text), borders=borders, drawings={}, border_error_m=2000.0)
        if not isinstance(area.shape, Outline):
            raise TypeError(text)
        for name, slowness in PATHS.items():
            rng = np.random.default_rng(SEED)
            placed = landmarks(LANDMARKS, rng)
            measured = readings(placed, CHIPS, PER_CHIP, slowness, rng)
            chips = Chips(
                chip_ids=[str(i) for i in range(CHIPS)],
                licensed=np.full(CHIPS, -1, np.int32),
                excluded=np.zeros(CHIPS, np.int32),
                areas=(text,),
            )
            for proof in Proof:
                facts, _ = facts_of(
                    measured, landmarks=placed, chips=chips, areas=[area], settings=Settings(proof=proof)
                )
                seconds, columns = fastest(facts)
                yield Figure(
                    what=f"{proof}, {text}, {name}",
                    per_s=CHIPS / seconds,
                    reference_per_s=reference_rate(facts, area.shape),
                    decided=float((columns.verdict[1::2] != UNDETERMINED).mean()),
                    joint=float((columns.proof[1::2] == JOINT).mean()),
                )


def fastest(facts: Facts) -> tuple[float, Columns]:
    """Least processor seconds of several runs over all chips, after one that compiles, and what came out."""
    columns = judged(facts, CHIPS, use_compiled=True)
    spent = []
    for _ in range(REPEATS):
        start = time.process_time()
        columns = judged(facts, CHIPS, use_compiled=True)
        spent.append(time.process_time() - start)
    return min(spent), columns


def reference_rate(facts: Facts, outline: Outline) -> float:
    """Chips per second of the test that everybody writes first: is any vertex of the border in the region."""
    points = np.asarray(facts.landmark_points).reshape(-1, 3)
    vertices = outline.arcs[:, :3]
    first, landmark, bound = (np.asarray(part) for part in (facts.first_row, facts.row_landmark, facts.row_bound))
    start = time.process_time()
    for chip in range(REFERENCE_CHIPS):
        rows = slice(first[chip], first[chip + 1])
        outside = vertices @ points[landmark[rows]].T < np.cos(bound[rows])
        (outside.sum(axis=1) <= facts.budget).any()
    return REFERENCE_CHIPS / (time.process_time() - start)
