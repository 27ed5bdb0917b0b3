"""A key that was copied: joint proofs can be made false, and proofs of alone cannot."""

import numpy as np
from geographiclib.geodesic import Geodesic

from lightbound.adjudication.adjudicate import adjudicate
from lightbound.adjudication.facts import Settings
from lightbound.adjudication.verdicts import PROOFS, VERDICTS, BorderUsed, Proof, Verdict
from lightbound.geo.areas import parse_area
from lightbound.geo.borders import packaged_borders
from lightbound.geo.earth import Position
from lightbound.geo.shapes import area_of
from lightbound.ranging.readings import Chips, Landmark, Readings

FRANKFURT = (50.1, 8.7)
LICENSED = "circle(50.1,8.7,60)"
"""Neither copy is within 200 km of it."""


def _from_frankfurt(azimuth: float, kilometres: float) -> tuple[float, float]:
    end = Geodesic.WGS84.Direct(*FRANKFURT, azimuth, kilometres * 1000)
    return end["lat2"], end["lon2"]


COPIES = (_from_frankfurt(315, 212), _from_frankfurt(135, 212))
"""To the north-west, between the northern and the western landmark; and to the south-east."""

LANDMARKS = {
    name: _from_frankfurt(azimuth, 300) for name, azimuth in (("north", 0), ("east", 90), ("south", 180), ("west", 270))
}
"""Honest, each a fault unit of its own."""


def _verdict(proof: Proof) -> tuple[Verdict, Proof | None]:
    needed = []
    for place in LANDMARKS.values():
        # Whichever copy is near answers so late that the bound just holds Frankfurt. It can delay, never hasten.
        reach_m = _metres(place, FRANKFURT) + 20_000
        assert min(_metres(place, copy) for copy in COPIES) < reach_m
        needed.append(round(2 * reach_m / 0.299792458))
    verdicts = adjudicate(
        Readings(
            landmark=np.arange(4, dtype=np.int32), chip=np.zeros(4, np.int32), round_trip_ns=np.array(needed, np.int64)
        ),
        landmarks=[
            Landmark(landmark_id=name, position=Position(*place), position_error_m=10.0, fault_unit=name)
            for name, place in LANDMARKS.items()
        ],
        chips=Chips(
            chip_ids=["copied"],
            licensed=np.zeros(1, np.int32),
            excluded=np.full(1, -1, np.int32),
            areas=[LICENSED],
        ),
        areas=[area_of(parse_area(LICENSED), borders=packaged_borders(), drawings={}, border_error_m=2000.0)],
        border=BorderUsed(name="", version="", viewpoint="", sha256="", error_m=2000),
        settings=Settings(fault_budget=0, proof=proof),
    )
    proven = verdicts.licensed.proof[0]
    return VERDICTS[verdicts.licensed.verdict[0]], PROOFS[proven] if proven >= 0 else None


def _metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    metres: float = Geodesic.WGS84.Inverse(*one, *other)["s12"]
    return metres


def test_two_copies_make_a_joint_proof_false() -> None:
    assert _verdict(Proof.JOINT) == (Verdict.WITHIN, Proof.JOINT)


def test_two_copies_do_not_make_a_proof_of_alone() -> None:
    assert _verdict(Proof.ALONE) == (Verdict.UNDETERMINED, None)
