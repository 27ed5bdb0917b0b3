"""Copies of one key, and landmarks that are all honest: what a joint proof takes for granted, and alone does not."""

from typing import Final

import pytest

from lightbound.adjudication.facts import Settings
from lightbound.adjudication.verdicts import Proof
from lightbound.geo.earth import LEAST_RADIUS_M, Position
from lightbound.geo.kernels import angle_between
from lightbound.units import SPEED_OF_LIGHT_M_PER_S
from tests.adjudication.asking import Heard, asked, landmark
from tests.worlds import EARTH

SITE: Final = (50.0, 10.0)
"""Licensed, and nobody is there."""
LICENCE: Final = "circle(50,10,200)"
LANDMARK_M, COPY_M = 1_000_000.0, 300_000.0
TOO_FAR_M: Final = 3000.0
"""How far beyond the site each pretended bound reaches, all slack included."""


def from_site(azimuth: float, metres: float) -> tuple[float, float]:
    longitude, latitude, _ = EARTH.fwd(SITE[1], SITE[0], azimuth, metres)
    return float(latitude), float(longitude)


def metres_between(one: tuple[float, float], other: tuple[float, float]) -> float:
    return float(EARTH.inv(one[1], one[0], other[1], other[0])[2])


WEST, EAST = (from_site(azimuth, COPY_M) for azimuth in (292.5, 112.5))
"""The two places that hold the key."""
LANDMARKS: Final = {azimuth: from_site(azimuth, LANDMARK_M) for azimuth in (270.0, 315.0, 90.0, 135.0)}
"""Four honest landmarks, two and two on opposite sides of the site."""


def pretended() -> list[Heard]:
    """Each copy answers the two landmarks on its side as late as an answer from the site would come."""
    heard = []
    for azimuth, place in LANDMARKS.items():
        angle = angle_between(*Position(*place).unit(), *Position(*SITE).unit())
        round_trip_ns = int((angle * LEAST_RADIUS_M + TOO_FAR_M - 100) / SPEED_OF_LIGHT_M_PER_S * 2e9)
        copy = WEST if azimuth > 180 else EAST
        # Light in glass reaches the copy in that time: no landmark says anything untrue.
        assert metres_between(place, copy) < round_trip_ns * 1e-9 * SPEED_OF_LIGHT_M_PER_S / 2 / 1.2
        heard.append(
            Heard(landmark=landmark(*place, name=f"{azimuth}", unit=f"{azimuth}"), round_trip_ns=round_trip_ns)
        )
    return heard


@pytest.mark.parametrize("budget", [0, 1])
def test_two_copies_and_four_honest_landmarks_make_a_joint_within_that_is_false(budget: int) -> None:
    assert min(metres_between(SITE, WEST), metres_between(SITE, EAST)) > 250_000
    found = asked(pretended(), licensed=LICENCE, excluded="CN", settings=Settings(fault_budget=budget))
    assert (found.licensed, found.licensed_proof) == ("within", "joint")
    assert found.standing == "verified"


@pytest.mark.parametrize("budget", [0, 1])
def test_alone_does_not_fall_for_two_copies(budget: int) -> None:
    settings = Settings(fault_budget=budget, proof=Proof.ALONE)
    found = asked(pretended(), licensed=LICENCE, excluded="CN", settings=settings)
    assert (found.licensed, found.licensed_proof) == ("undetermined", None)
    # What it does say of the other question is true of either copy.
    assert (found.standing, found.excluded, found.excluded_proof) == ("cleared", "outside", "alone")


@pytest.mark.parametrize("budget", [0, 1])
def test_the_same_four_landmarks_with_one_key_at_the_site_prove_it_jointly_and_rightly(budget: int) -> None:
    found = asked(pretended(), licensed=LICENCE, settings=Settings(fault_budget=budget))
    west, east = (
        [one for one in pretended() if (float(one.landmark.landmark_id) > 180) == side] for side in (True, False)
    )
    assert found.licensed == "within"
    # Neither side alone could say so: it takes both, and that they heard the same key.
    assert {asked(side, licensed=LICENCE, settings=Settings(fault_budget=0)).licensed for side in (west, east)} == {
        "undetermined"
    }


def test_two_copies_that_answer_at_once_contradict_each_other() -> None:
    at_once = [Heard(landmark=one.landmark, round_trip_ns=one.round_trip_ns // 2) for one in pretended()]
    assert asked(at_once, licensed=LICENCE).standing == "contradiction"


def test_units_that_prove_both_sides_of_one_area_contradict_each_other() -> None:
    """More than the budget prove `within`, more than the budget `outside`: both cannot be believed."""
    berlin, paris = (52.5, 13.4), (48.85, 2.35)
    heard = [
        Heard(landmark=landmark(*place, name=f"{name}{i}", unit=f"{name}{i}"), round_trip_ns=200_000)
        for name, place in (("b", berlin), ("p", paris))
        for i in range(2)
    ]
    for proof in Proof:
        for budget in (0, 1):
            settings = Settings(fault_budget=budget, proof=proof)
            assert asked(heard, licensed="DE", settings=settings).words == ("contradiction", "void", None)
            assert asked(heard, licensed="DE", excluded="CN", settings=settings).words == (
                "contradiction", "void", "void",
            )  # fmt: skip
            # One question's two proofs void the other too, whichever it is.
            assert asked(heard, licensed="SG", excluded="AT", settings=settings).standing == "contradiction"


def test_one_proof_on_each_side_is_within_a_budget_of_one() -> None:
    heard = [
        Heard(landmark=landmark(52.5, 13.4, name="b", unit="b"), round_trip_ns=200_000),
        Heard(landmark=landmark(48.85, 2.35, name="p", unit="p"), round_trip_ns=200_000),
    ]
    assert asked(heard, licensed="DE", budget=1).words == ("undetermined", "undetermined", None)
    assert asked(heard, licensed="DE", budget=0).words == ("contradiction", "void", None)
