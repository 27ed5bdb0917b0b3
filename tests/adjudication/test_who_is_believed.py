"""Whose bounds count: fault units, landmarks inside the excluded area, landmarks of the chip's own name."""

import numpy as np
import pytest

from lightbound.adjudication.adjudicate import adjudicate
from lightbound.adjudication.facts import Settings
from lightbound.adjudication.verdicts import Assumption, Proof
from lightbound.ranging.bounds import Speed
from lightbound.ranging.readings import Chips, Landmark, Readings
from tests.adjudication.asking import BORDER, Answer, Heard, answer, asked, landmark, near, verdicts_on
from tests.worlds import area

SINGAPORE = ((1.35, 103.82), (1.29, 103.85), (1.37, 103.9))
CLEAR = Settings(fault_budget=1)


def singapore(units: tuple[str | None, ...]) -> list[Heard]:
    return [
        near(*place, 2000, name=f"l{i}", unit=unit)
        for i, (place, unit) in enumerate(zip(SINGAPORE, units, strict=False))
    ]


def test_without_fault_units_all_landmarks_are_one_and_a_budget_of_one_proves_nothing() -> None:
    heard = singapore((None, None, None))
    found = asked(heard, excluded="CN", settings=CLEAR)
    assert (found.excluded, found.units_heard, found.landmarks_used) == ("undetermined", 1, 3)
    assert found.excluded_margin_m == -np.inf
    assert Assumption.ONE_FAULT_UNIT in verdicts_on(heard, excluded="CN", settings=CLEAR).assumptions
    assert asked(heard, excluded="CN", budget=0).excluded == "outside"


def test_landmarks_said_to_be_independent_are_each_a_unit() -> None:
    heard = singapore((None, None, None))
    settings = Settings(fault_budget=1, independent_landmarks=True)
    found = asked(heard, excluded="CN", settings=settings)
    assert (found.excluded, found.excluded_proof, found.units_heard) == ("outside", "alone", 3)
    stated = verdicts_on(heard, excluded="CN", settings=settings).assumptions
    assert Assumption.INDEPENDENT_LANDMARKS in stated
    assert Assumption.ONE_FAULT_UNIT not in stated


def test_a_stated_unit_counts_once_however_many_landmarks_it_has() -> None:
    assert asked(singapore(("a", "a", "a")), excluded="CN", settings=CLEAR).excluded == "undetermined"
    found = asked(singapore(("a", "a", "b")), excluded="CN", settings=CLEAR)
    assert (found.excluded, found.units_heard) == ("outside", 2)
    together = Settings(fault_budget=1, independent_landmarks=True)
    assert asked(singapore(("a", "a", "a")), excluded="CN", settings=together).excluded == "undetermined"


def test_landmarks_without_a_unit_beside_stated_ones_are_one_more_unit() -> None:
    found = asked(singapore((None, None, "a")), excluded="CN", settings=CLEAR)
    assert (found.excluded, found.units_heard) == ("outside", 2)
    # A unit that somebody names with nothing is not the one that nobody named.
    assert asked(singapore((None, "", "")), excluded="CN", settings=CLEAR).units_heard == 2


def test_a_unit_counts_with_the_best_of_its_landmarks() -> None:
    quick, slow = (
        singapore(("a", "b")),
        [near(48, 11, 90_000, name="s", unit="b"), near(50, 8, 90_000, name="t", unit="a")],
    )
    assert asked([*quick, *slow], excluded="CN", settings=CLEAR).excluded == "outside"
    assert (
        asked([*quick, *slow], excluded="CN", settings=CLEAR).excluded_margin_m
        == asked(quick, excluded="CN", settings=CLEAR).excluded_margin_m
    )


@pytest.mark.parametrize("budget", [0, 1, 2, 3])
def test_the_margin_is_that_of_the_unit_after_the_budget(budget: int) -> None:
    heard = [near(*SINGAPORE[0], 1000 * (i + 1), name=f"l{i}") for i in range(3)]
    found = asked(heard, excluded="CN", budget=budget)
    if budget == 3:
        assert (found.excluded_margin_m, found.excluded) == (-np.inf, "undetermined")
    else:
        alone = asked([heard[budget]], excluded="CN").excluded_margin_m
        assert found.excluded_margin_m == alone > 0


def test_a_landmark_that_may_stand_in_the_excluded_area_never_counts() -> None:
    shenzhen, hong_kong = (22.54, 114.06), (22.32, 114.17)
    for place, error_m, ignored in ((shenzhen, 10.0, 1), (hong_kong, 10.0, 0), (hong_kong, 40_000.0, 1)):
        heard = [Heard(landmark=landmark(*place, error_m=error_m), round_trip_ns=50_000)]
        found = asked(heard, licensed="HK", excluded="CN")
        assert (found.landmarks_ignored, found.landmarks_used) == (ignored, 1 - ignored)
        # Where no area is excluded, the same landmark counts.
        assert asked(heard, licensed="HK").landmarks_used == 1


def test_the_border_error_makes_more_landmarks_doubtful() -> None:
    beside = [near(22.48, 114.14, 50, name="l")]  # Hong Kong, some kilometres from Shenzhen
    ignored = [asked(beside, excluded="CN", border_error_m=error).landmarks_ignored for error in (0, 2000, 30_000)]
    assert ignored in ([0, 0, 1], [0, 1, 1])


def test_a_landmark_in_an_excluded_circle_is_ignored_by_where_it_may_stand() -> None:
    text = "circle(48,2,50)"
    for longitude, error_m, ignored in ((2.5, 10.0, 1), (2.8, 10.0, 0), (2.8, 20_000.0, 1)):
        heard = [Heard(landmark=landmark(48, longitude, error_m=error_m, country="FR"), round_trip_ns=10_000)]
        assert asked(heard, licensed="FR", excluded=text).landmarks_ignored == ignored


@pytest.mark.parametrize(("country", "ignored"), [("CN", 1), ("HK", 1), ("SG", 0), (None, 0)])
def test_a_declared_country_that_the_excluded_area_names_is_enough(country: str | None, ignored: int) -> None:
    heard = [Heard(landmark=landmark(1.3, 103.8, country=country), round_trip_ns=10_000)]
    for text in ("CN+HK", "HK|CN", "CN+HK|circle(0,0,1)", "CN|HK|@atoll"):
        assert asked(heard, licensed="SG", excluded=text).landmarks_ignored == ignored
    # The declaration never helps: it is not looked at where the area is licensed.
    assert asked(heard, licensed="CN+HK|SG").landmarks_used == 1


def test_an_ignored_unit_is_not_heard() -> None:
    shenzhen = near(22.54, 114.06, 100, name="s")
    found = asked([shenzhen, *singapore(("a",))], excluded="CN", settings=CLEAR)
    assert (found.units_heard, found.landmarks_used, found.landmarks_ignored) == (1, 1, 1)
    assert found.excluded == "undetermined"


def test_what_is_ignored_cannot_contradict() -> None:
    shenzhen = near(22.54, 114.06, 100, name="s")
    assert asked([shenzhen, *singapore(("a",))], licensed="SG", excluded="CN").standing == "cleared"
    assert asked([shenzhen, *singapore(("a",))], licensed="SG").standing == "contradiction"


def chip_named(name: str) -> Answer:
    heard = [near(*SINGAPORE[0], 100, name="x"), near(*SINGAPORE[1], 4000, name="y")]
    landmarks: list[Landmark] = [one.landmark for one in heard]
    return answer(
        adjudicate(
            Readings(
                landmark=np.array([0, 1], np.int32),
                chip=np.zeros(2, np.int32),
                round_trip_ns=np.array([one.round_trip_ns for one in heard]),
            ),
            landmarks=landmarks,
            chips=Chips(
                chip_ids=[name], licensed=np.array([0], np.int32), excluded=np.array([-1], np.int32), areas=["MY|SG"]
            ),
            areas=[area("SG|MY", 2000.0)],
            border=BORDER,
            settings=Settings(fault_budget=0),
        )
    )


def test_a_landmark_does_not_measure_the_chip_of_its_own_name() -> None:
    assert chip_named("z").landmarks_used == 2
    assert chip_named("y").landmarks_used == 1
    found = chip_named("x")
    assert (found.landmarks_used, found.landmarks_ignored, found.licensed) == (1, 0, "undetermined")


def test_assumptions_are_those_that_were_made() -> None:
    heard = singapore(("a", "b", "c"))
    always = {Assumption.FAULTS_WITHIN_BUDGET, Assumption.PATHS_NEAR_SURFACE, Assumption.BORDER_WITHIN_ERROR}
    # A contradiction takes one key to be in one place, whichever proofs are asked for.
    untimed = (
        always | {Assumption.ONE_KEY_ONE_PLACE} | {Assumption.SIMULTANEOUS_READINGS, Assumption.CLOCK_ERROR_NOT_STATED}
    )

    def stated(settings: Settings) -> set[Assumption]:
        return set(verdicts_on(heard, excluded="CN", settings=settings).assumptions)

    assert stated(Settings(proof=Proof.ALONE)) == untimed
    assert stated(Settings(independent_landmarks=True)) == untimed
    assert stated(Settings(proof=Proof.ALONE, speed=Speed.FIBRE)) == untimed | {Assumption.FIBRE_SPEED}


def test_a_chip_that_nobody_heard_is_undetermined_and_its_region_is_the_earth() -> None:
    found = asked([], licensed="SG", excluded="CN", settings=Settings(measure_regions=True))
    assert found.words == ("undetermined", "undetermined", "undetermined")
    assert (found.units_heard, found.licensed_margin_m) == (0, -np.inf)
    assert found.region_km2 == pytest.approx(511_207_893, abs=2)
