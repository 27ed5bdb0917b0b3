"""Laws that hold for every verdict: what more evidence, more delay, more faults and more doubt can do to it."""

from dataclasses import replace
from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lightbound.adjudication.facts import Settings, judged
from lightbound.adjudication.kernels import UNDETERMINED, VOID, Columns, Facts
from lightbound.adjudication.verdicts import Proof
from lightbound.geo import kernels as geometry
from tests.worlds import World, any_world, facts, honest_world, tight_world

TEXTS: Final = ("CN+HK+MO", "DE", "FJ", "LS", "circle(48,2,5)", "circle(0,180,300)", "SG|MY|@overlapping", "@atoll")
MAKERS: Final = (honest_world, tight_world, any_world)
CHIPS: Final = 6

seeds = st.integers(0, 2**32 - 1)


def _world(seed: int) -> tuple[np.random.Generator, World]:
    rng = np.random.default_rng(seed)
    make = MAKERS[rng.integers(len(MAKERS))]
    text = TEXTS[rng.integers(len(TEXTS))]
    return rng, make(rng, text, chips=CHIPS, each=int(rng.integers(1, 8)), budget=int(rng.integers(0, 3)))


def _proven(columns: Columns) -> NDArray[np.bool_]:
    proven: NDArray[np.bool_] = (columns.verdict != UNDETERMINED) & (columns.verdict != VOID)
    return proven


def _judged(world: World | Facts, proof: Proof = Proof.JOINT) -> Columns:
    given = facts(world, Settings(proof=proof)) if isinstance(world, World) else world
    return judged(given, CHIPS, use_compiled=False)


@given(seed=seeds, proof=st.sampled_from(Proof))
def test_more_delay_never_creates_a_proof(seed: int, proof: Proof) -> None:
    rng, world = _world(seed)
    later = replace(world, bounds=world.bounds + rng.exponential(0.05, world.bounds.shape) * rng.integers(0, 2))
    before, after = _judged(world, proof), _judged(later, proof)
    void = before.verdict == VOID
    assert not (_proven(after) & ~_proven(before) & ~void).any()
    same = _proven(after) & _proven(before)
    assert (after.verdict == before.verdict)[same].all()


@given(seed=seeds)
def test_adding_a_bound_never_takes_a_proof_away_except_by_contradiction(seed: int) -> None:
    _, world = _world(seed)
    if world.bounds.shape[1] < 2:
        return
    # The last landmark of each chip is left out by making its bound say nothing.
    silent = world.bounds.copy()
    silent[:, -1] = 4.0
    fewer, more = _judged(replace(world, bounds=silent)), _judged(world)
    kept = (more.verdict == fewer.verdict) | (more.verdict == VOID)
    assert kept[_proven(fewer)].all()


@given(seed=seeds, proof=st.sampled_from(Proof))
def test_a_larger_fault_budget_never_creates_a_proof(seed: int, proof: Proof) -> None:
    _, world = _world(seed)
    fewer, more = _judged(world, proof), _judged(replace(world, budget=world.budget + 1), proof)
    void = fewer.verdict == VOID
    assert not (_proven(more) & ~_proven(fewer) & ~void).any()


@given(seed=seeds)
def test_a_larger_border_error_never_creates_a_proof(seed: int) -> None:
    _, world = _world(seed)
    # Asked about the licensed area only: a larger excluded area would also silence landmarks that stand near it.
    sharp, blurred = (
        _judged(facts(replace(world, border_error_m=error_m), Settings(), excluded=False)) for error_m in (0.0, 5_000.0)
    )
    assert not (_proven(blurred) & ~_proven(sharp)).any()


@given(seed=seeds)
def test_what_alone_proves_joint_proves_too(seed: int) -> None:
    _, world = _world(seed)
    alone, joint = _judged(world, Proof.ALONE), _judged(world, Proof.JOINT)
    assert (joint.verdict == alone.verdict)[_proven(alone)].all()


@given(seed=seeds)
def test_caps_that_are_left_out_do_not_shape_the_region(seed: int) -> None:
    rng, world = _world(seed)
    made = facts(world, Settings())
    each = world.bounds.shape[1]
    points = rng.normal(size=(200, 3))
    points /= np.linalg.norm(points, axis=1)[:, None]
    for chip in range(3):
        rows = slice(chip * each, (chip + 1) * each)
        caps = np.hstack((np.asarray(made.landmark_points).reshape(-1, 3)[rows], world.bounds[chip][:, None])).ravel()
        units = world.units[chip]
        left = geometry.without_redundant_caps(caps, units, each, world.budget)
        for x, y, z in points.tolist():
            whole = geometry.units_excluding(x, y, z, 0.0, caps, units, each, each + 1) <= world.budget
            pruned = geometry.units_excluding(x, y, z, 0.0, *left, each + 1) <= world.budget
            assert whole == pruned


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("proof", Proof)
def test_the_compiled_path_gives_the_same_words_and_metres(text: str, proof: Proof) -> None:
    rng = np.random.default_rng([7, len(text)])
    for make in MAKERS:
        world = make(rng, text, chips=60, each=6, budget=1)
        made = facts(world, Settings(proof=proof, measure_regions=True))
        plain, fast = judged(made, 60, use_compiled=False), judged(made, 60, use_compiled=True)
        for name in ("verdict", "proof", "contradiction", "units_heard", "landmarks_used", "landmarks_ignored"):
            assert (getattr(plain, name) == getattr(fast, name)).all(), name
        finite = np.isfinite(plain.margin)
        assert (np.isfinite(fast.margin) == finite).all()
        assert np.abs(plain.margin[finite] - fast.margin[finite]).max() < 1e-7  # 0.6 m
        assert np.abs(plain.region - fast.region).max() < 1e-9
