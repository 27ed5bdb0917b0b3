"""A verdict is a function of its evidence: of what was measured, and of nothing else that happens to be beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lightbound.adjudication.adjudicate import adjudicate
from lightbound.adjudication.facts import Settings
from lightbound.adjudication.verdicts import Proof, Verdicts
from lightbound.geo.earth import LEAST_RADIUS_M, Position
from lightbound.geo.kernels import angle_between
from lightbound.ranging.bounds import Speed
from lightbound.ranging.readings import Chips, Landmark, Readings
from lightbound.units import SPEED_OF_LIGHT_M_PER_S
from tests.adjudication.asking import BORDER, Answer, answer
from tests.worlds import EARTH, area

TEXTS: Final = ("DE", "LS", "SG", "CN+HK+MO", "circle(50,10,300)", "circle(0,180,300)", "@atoll", "@dateline")
AROUND: Final = {
    "DE": (51, 10), "LS": (-29.5, 28.3), "SG": (1.35, 103.8), "CN+HK+MO": (35, 105), "circle(50,10,300)": (50, 10),
    "circle(0,180,300)": (0, 180), "@atoll": (45, 25), "@dateline": (0, -178),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """Everything that verdicts may follow from; rows are (landmark, chip, round trip in ns)."""

    landmarks: tuple[Landmark, ...]
    rows: tuple[tuple[int, int, int], ...]
    licensed: tuple[str, ...]
    excluded: tuple[str, ...]


def verdicts_on(file: File, settings: Settings) -> Verdicts:
    texts = sorted({*file.licensed, *file.excluded} - {""})
    landmark, chip, round_trip = zip(*file.rows, strict=True) if file.rows else ((), (), ())
    return adjudicate(
        Readings(
            landmark=np.array(landmark, np.int32),
            chip=np.array(chip, np.int32),
            round_trip_ns=np.array(round_trip, np.int64),
        ),
        landmarks=file.landmarks,
        chips=Chips(
            chip_ids=[f"chip {i}" for i in range(len(file.licensed))],
            licensed=np.array([texts.index(text) if text else -1 for text in file.licensed], np.int32),
            excluded=np.array([texts.index(text) if text else -1 for text in file.excluded], np.int32),
            areas=texts,
        ),
        areas=[area(text, 2000.0) for text in texts],
        border=BORDER,
        settings=settings,
        use_compiled=False,
    )


def answers(file: File, settings: Settings) -> list[Answer]:
    found = verdicts_on(file, settings)
    return [answer(found, chip) for chip in range(len(found))]


def any_file(dice: np.random.Generator) -> File:
    """A few chips; landmarks around what is asked about, round trips of any length, most of them plausible."""
    chips, heard = int(dice.integers(1, 4)), int(dice.integers(1, 9))
    texts = [TEXTS[i] for i in dice.integers(0, len(TEXTS), 2 * chips)]
    homes = [AROUND[texts[i]] for i in dice.integers(0, len(texts), heard)]
    landmarks = []
    for i, (latitude, longitude) in enumerate(homes):
        away = dice.normal(size=2) * 10 ** dice.uniform(-1, 1.5)
        landmarks.append(
            Landmark(
                landmark_id=f"l{i}",
                position=Position(
                    float(np.clip(latitude + away[0], -90, 90)), float((longitude + away[1] + 180) % 360 - 180)
                ),
                position_error_m=float(dice.choice([0, 50, 20_000])),
                fault_unit=f"u{dice.integers(0, heard)}" if dice.random() < 0.8 else None,
                country="CN" if dice.random() < 0.05 else None,
            )
        )
    rows = [
        (int(dice.integers(heard)), int(dice.integers(chips)), int(10 ** dice.uniform(4, 7.6)))
        for _ in range(int(dice.integers(0, 20)))
    ]
    return File(
        landmarks=tuple(landmarks), rows=tuple(rows), licensed=tuple(texts[:chips]), excluded=tuple(texts[chips:])
    )


files = st.integers(0, 2**32 - 1).map(lambda seed: any_file(np.random.default_rng(seed)))
settings_asked = st.builds(
    Settings,
    fault_budget=st.integers(0, 2),
    proof=st.sampled_from(Proof),
    speed=st.sampled_from(Speed),
    independent_landmarks=st.booleans(),
    measure_regions=st.booleans(),
)


@given(file=files, settings=settings_asked, dice=st.randoms(use_true_random=False))
def test_the_order_of_rows_and_of_landmarks_is_irrelevant(file: File, settings: Settings, dice: Any) -> None:
    order = list(range(len(file.landmarks)))
    dice.shuffle(order)
    rows = [(order.index(landmark), chip, round_trip) for landmark, chip, round_trip in file.rows]
    dice.shuffle(rows)
    moved = replace(file, landmarks=tuple(file.landmarks[i] for i in order), rows=tuple(rows))
    assert close(answers(file, settings), answers(moved, settings))


@given(file=files, settings=settings_asked, dice=st.randoms(use_true_random=False))
def test_what_fault_units_are_called_is_irrelevant(file: File, settings: Settings, dice: Any) -> None:
    names = sorted({one.fault_unit for one in file.landmarks if one.fault_unit is not None})
    others = [f"unit {number}" for number in dice.sample(range(1000), len(names))]
    called = dict(zip(names, others, strict=True))
    renamed = [replace(one, fault_unit=one.fault_unit and called[one.fault_unit]) for one in file.landmarks]
    assert close(answers(file, settings), answers(replace(file, landmarks=tuple(renamed)), settings))


@given(file=files, settings=settings_asked)
def test_the_same_evidence_gives_the_same_verdicts(file: File, settings: Settings) -> None:
    assert answers(file, settings) == answers(file, settings)


@given(file=files, settings=settings_asked)
def test_other_chips_and_landmarks_that_measured_others_are_irrelevant(file: File, settings: Settings) -> None:
    together = answers(file, settings)
    for chip in range(len(file.licensed)):
        own = [row for row in file.rows if row[1] == chip]
        heard = sorted({landmark for landmark, *_ in own})
        alone = File(
            landmarks=tuple(file.landmarks[landmark] for landmark in heard),
            rows=tuple((heard.index(landmark), 0, round_trip) for landmark, _, round_trip in own),
            licensed=(file.licensed[chip],),
            excluded=(file.excluded[chip],),
        )
        assert close(answers(alone, settings), [together[chip]])


@given(file=files, settings=settings_asked, more=st.integers(0, 10**8))
def test_a_slower_row_of_a_pair_that_was_heard_is_irrelevant(file: File, settings: Settings, more: int) -> None:
    again = [(landmark, chip, round_trip + more) for landmark, chip, round_trip in file.rows]
    assert answers(file, settings) == answers(replace(file, rows=(*file.rows, *again)), settings)


@given(file=files, settings=settings_asked)
def test_another_row_never_enlarges_the_region_nor_lessens_a_margin(file: File, settings: Settings) -> None:
    measured = replace(settings, measure_regions=True)
    for before, after in zip(
        answers(replace(file, rows=file.rows[:-1]), measured), answers(file, measured), strict=True
    ):
        assert after.region_km2 is not None
        assert before.region_km2 is not None
        assert after.region_km2 <= before.region_km2 + 1
        assert after.licensed_margin_m >= before.licensed_margin_m
        assert after.excluded_margin_m >= before.excluded_margin_m


def close(one: Sequence[Answer], other: Sequence[Answer]) -> bool:
    """Equal in every word and whole number; areas of regions are sums, whose last digits follow their order."""
    for a, b in zip(one, other, strict=True):
        if replace(a, region_km2=None) != replace(b, region_km2=None):
            return False
        if a.region_km2 is not None and b.region_km2 is not None and abs(a.region_km2 - b.region_km2) > 1:
            return False
    return True


@given(
    seed=st.integers(0, 2**32 - 1),
    speed=st.sampled_from(Speed),
    budget=st.integers(0, 2),
    proof=st.sampled_from(Proof),
)
def test_an_honest_chip_s_true_place_is_always_inside(seed: int, speed: Speed, budget: int, proof: Proof) -> None:
    """Signals at up to the speed that is assumed, along the ground; at most `budget` units lie as they please."""
    dice = np.random.default_rng(seed)
    text = TEXTS[dice.integers(len(TEXTS))]
    latitude, longitude = AROUND[text] + dice.normal(size=2) * 10 ** dice.uniform(-2, 1)
    latitude, longitude = float(latitude), float((longitude + 180) % 360 - 180)
    landmarks, rows = [], []
    liars = set(dice.permutation(6)[:budget].tolist())
    for i in range(int(dice.integers(1, 9))):
        unit = int(dice.integers(6))
        told = EARTH.fwd(longitude, latitude, dice.uniform(0, 360), 10 ** dice.uniform(2, 7))
        error_m = float(dice.choice([0, 300, 20_000]))
        true = EARTH.fwd(told[0], told[1], dice.uniform(0, 360), error_m)
        path_m = EARTH.inv(true[0], true[1], longitude, latitude)[2] * (1 + dice.exponential(0.3) * dice.integers(0, 2))
        round_trip = int(np.ceil(2e9 * path_m / SPEED_OF_LIGHT_M_PER_S / speed.fraction_of_c)) + 1
        if unit in liars:
            round_trip = max(1, int(round_trip * dice.random()))
        landmarks.append(
            Landmark(
                landmark_id=f"l{i}",
                position=Position(float(told[1]), float(told[0])),
                position_error_m=error_m,
                fault_unit=f"u{unit}",
            )
        )
        rows.append((i, 0, round_trip))
    file = File(landmarks=tuple(landmarks), rows=tuple(rows), licensed=(text,), excluded=("",))
    (found,) = answers(file, Settings(fault_budget=budget, speed=speed, proof=proof))
    # A small circle about the true place is what nobody can be proven to be outside of, nor far away to be within.
    here = replace(file, licensed=(f"circle({latitude!r},{longitude!r},1)",))
    assert answers(here, Settings(fault_budget=budget, speed=speed, proof=proof))[0].licensed != "outside"
    far_longitude, far_latitude, _ = map(float, EARTH.fwd(longitude, latitude, 77, 9_000_000))
    there = replace(file, licensed=(f"circle({far_latitude!r},{far_longitude!r},8900)",))
    assert answers(there, Settings(fault_budget=budget, speed=speed, proof=proof))[0].licensed != "within"
    assert found.standing != "contradiction"


def test_the_least_round_trip_of_a_place_is_that_of_its_angle() -> None:
    """The cases above reach the bound: along the equator a geodesic is 0.53 % longer than a bound allows for."""
    one, other = Position(0, 0).unit(), Position(0, 30).unit()
    geodesic = EARTH.inv(0, 0, 30, 0)[2]
    assert 1.0052 < geodesic / (angle_between(*one, *other) * LEAST_RADIUS_M) < 1.0054
