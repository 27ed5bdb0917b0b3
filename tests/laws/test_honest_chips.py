"""No verdict is wrong while its assumptions hold: campaigns of chips whose true places are known.

Bounds are true by the arithmetic slack alone, far tighter than any reading; up to the budget of units lie as they
please. Chips stand from a metre to hundreds of kilometres beside the edge of what is asked about.
"""

import zlib
from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from lightbound.adjudication import kernels
from lightbound.adjudication.facts import Settings, judged
from lightbound.adjudication.verdicts import PROOFS, VERDICTS, Proof, Verdict
from lightbound.geo import kernels as geometry
from lightbound.geo.areas import Disc, parse_area
from lightbound.geo.compiled import compiled
from lightbound.geo.earth import LEAST_RADIUS_M
from lightbound.geo.outlines import pooled
from lightbound.geo.shapes import Circle
from tests.worlds import DRAWN, EARTH, World, area, facts, honest_world, latitudes_longitudes, tight_world, with_liars

COUNTRIES: Final = (
    "CN", "CN+HK+MO", "RU", "FJ", "AQ", "US", "DE", "LS", "ZA", "SG", "VA", "NZ", "KI", "RU+US", "NO", "ID",
)  # fmt: skip
CIRCLES: Final = (
    "circle(0,180,300)", "circle(0,-180,300)", "circle(39,-84,25)", "circle(-90,0,1500)", "circle(90,0,25)",
    "circle(48,2,5)", "circle(20,120,12000)", "circle(50,10,1)", "circle(10,10,19000)",
)  # fmt: skip
UNIONS: Final = ("GL|circle(88.5,20,400)", "circle(60,0,3348)|LS", "SG|MY|@overlapping")
TEXTS: Final = (*COUNTRIES, *CIRCLES, *UNIONS, *DRAWN)
WITHIN, OUTSIDE = VERDICTS.index(Verdict.WITHIN), VERDICTS.index(Verdict.OUTSIDE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Where chips are, as far as anybody can claim: neither holds for a chip nearer to a border than it may err."""

    inside: NDArray[np.bool_]
    outside: NDArray[np.bool_]


def truth(world: World) -> Truth:
    shape = area(world.text, world.border_error_m).shape
    latitudes, longitudes = latitudes_longitudes(world.places)
    if isinstance(shape, Circle):
        (disc,) = parse_area(world.text)
        assert isinstance(disc, Disc)
        same = np.ones(len(world))
        _, _, metres = EARTH.inv(disc.longitude * same, disc.latitude * same, longitudes, latitudes)
        edge_m = disc.radius_km * 1000
        return Truth(inside=metres <= edge_m + 1e-3, outside=metres > edge_m - 1e-3)
    drawn = shapely.contains_xy(shape.drawn, longitudes, latitudes)
    distance = compiled(geometry).distance_to_outline
    pool = pooled([shape])
    from_border_m = np.array([distance(*place, pool, 0) for place in world.places]) * LEAST_RADIUS_M
    settled = from_border_m > world.border_error_m
    return Truth(inside=drawn & settled, outside=~drawn & settled)


@dataclass(slots=True, kw_only=True)
class Tally:
    """What a campaign saw."""

    words: Counter[str]
    wrong: list[str]

    @property
    def chips(self) -> int:
        return self.words["chips"]


def campaign(rng: np.random.Generator, text: str, *, chips: int, tally: Tally) -> None:
    """One world about an area, judged, and every word held against the truth."""
    budget, each = int(rng.integers(0, 3)), int(rng.integers(1, 10))
    border_error_m = float(rng.choice([0.0, 2000.0]))
    proof = Proof.ALONE if rng.random() < 0.1 else Proof.JOINT
    make = tight_world if rng.random() < 0.25 else honest_world
    world = with_liars(rng, make(rng, text, chips=chips, each=each, budget=budget, border_error_m=border_error_m))
    # A landmark inside the excluded area counts for neither question, so the licensed one is mostly asked by itself.
    only_licensed = bool(rng.random() < 0.7)
    asked = facts(world, Settings(proof=proof), licensed=True, excluded=not only_licensed)
    columns = judged(asked, chips, use_compiled=True)
    true = truth(world)
    verdicts, proofs = columns.verdict.reshape(-1, 2), columns.proof.reshape(-1, 2)
    wrong = (((verdicts == WITHIN) & ~true.inside[:, None]) | ((verdicts == OUTSIDE) & ~true.outside[:, None])).any(
        axis=1
    ) | (columns.contradiction != 0)
    which = f"{text}, budget {budget}, {each} landmarks, border error {border_error_m} m, {make.__name__}"
    tally.wrong += [f"{which}: chip {chip} {verdicts[chip]}" for chip in np.flatnonzero(wrong)]
    tally.words["chips"] += chips
    tally.words["truly inside"] += int(true.inside.sum())
    for verdict, word in enumerate(VERDICTS):
        for proof_code, how in ((-1, ""), *((code, f" {name}") for code, name in enumerate(PROOFS))):
            tally.words[f"{word}{how}"] += int(((verdicts == verdict) & (proofs == proof_code)).sum())


@pytest.mark.parametrize("text", TEXTS)
def test_no_honest_chip_is_judged_wrongly(text: str) -> None:
    tally = Tally(words=Counter(), wrong=[])
    rng = np.random.default_rng(zlib.crc32(text.encode()))
    for _ in range(4):
        campaign(rng, text, chips=160, tally=tally)
    assert not tally.wrong
    assert tally.words["within alone"] + tally.words["outside alone"] > 0


@pytest.mark.soak
def test_no_honest_chip_of_a_million_is_judged_wrongly() -> None:
    tally = Tally(words=Counter(), wrong=[])
    seed = int(np.random.default_rng().integers(1 << 32))
    rng = np.random.default_rng(seed)
    while tally.chips < 1_000_000:
        campaign(rng, TEXTS[int(rng.integers(len(TEXTS)))], chips=2000, tally=tally)
    print(f"\nhonest chips, seed {seed}: {dict(sorted(tally.words.items()))}")  # noqa: T201 - the campaign's result
    assert not tally.wrong, seed
    assert tally.words["within joint"] > 1000
    assert tally.words["outside joint"] > 1000


def test_a_verdict_that_is_wrong_would_be_seen() -> None:
    """The campaign itself can fail: give every chip bounds that are too small by a tenth of the way."""
    rng = np.random.default_rng(7)
    world = honest_world(rng, "DE", chips=500, each=4, budget=0)
    asked = facts(world, Settings())
    columns = judged(asked._replace(row_bound=np.asarray(asked.row_bound) * 0.9), 500, use_compiled=True)
    true = truth(world)
    verdicts = columns.verdict.reshape(-1, 2)[:, 0]
    assert ((verdicts == OUTSIDE) & true.inside).any() or columns.contradiction.any()


assert kernels.WITHIN == WITHIN
assert kernels.OUTSIDE_OF == OUTSIDE
