"""What the running example is expected to show follows from the table of round trips, by the verdicts for files."""

from collections.abc import Callable, Mapping

import pytest

from lightbound.adjudication.adjudicate import adjudicate
from lightbound.adjudication.facts import Settings
from lightbound.adjudication.verdicts import STANDINGS, Proof, Verdicts
from lightbound.demo.story import (
    DELAY_NS,
    DELAYING,
    FAULT_BUDGET,
    HONEST,
    IN_THE_END,
    LANDMARKS,
    LOTS,
    MS_NS,
    PLACES,
    SILENCED,
    SMUGGLED,
    SMUGGLED_TO,
    round_trips_ns,
)
from lightbound.files.dossier import read_dossier
from lightbound.files.landmarks import read_landmarks
from lightbound.sim.measured_paths import read_table
from tests.conftest import ROOT

EXAMPLE = ROOT / "examples" / "azure"

BUSY_NS = 3 * MS_NS
"""How much later answers may be on a busy machine: nothing that is expected may hang on less."""


@pytest.fixture
def judged(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Mapping[str, str]]:
    """Standings of the lots, each at a place, and later by so much."""

    def of(places: Mapping[str, str], later_ns: Mapping[str, int]) -> Mapping[str, str]:
        folder = tmp_path_factory.mktemp("files")
        table = round_trips_ns()
        rows = [
            f"{landmark.name},{lot.name},{table[places[lot.name], landmark.region] + later_ns[lot.name]}"
            for lot in LOTS
            for landmark in LANDMARKS
        ]
        (folder / "m.csv").write_text("\n".join(["landmark_id,chip_id,round_trip_ns", *rows]))
        stands = [f"{x.name},{x.latitude},{x.longitude},{x.error_m},{x.owner},{x.country}" for x in LANDMARKS]
        header = "landmark_id,latitude,longitude,position_error_m,fault_unit,country"
        (folder / "l.csv").write_text("\n".join([header, *stands]))
        asked = [f'{lot.name},"{lot.licensed}","{lot.excluded}"' for lot in LOTS]
        (folder / "c.csv").write_text("\n".join(["chip_id,licensed_area,excluded_area", *asked]))
        files = read_dossier(folder / "m.csv", landmarks=folder / "l.csv", chips=folder / "c.csv")
        assert not files.notes
        verdicts: Verdicts = adjudicate(
            files.readings,
            landmarks=files.landmarks,
            chips=files.chips,
            areas=files.areas,
            border=files.border,
            settings=Settings(fault_budget=FAULT_BUDGET, proof=Proof.ALONE),
        )
        return {
            name: str(STANDINGS[code]) for name, code in zip(verdicts.chip_ids, verdicts.standing.tolist(), strict=True)
        }

    return of


def test_the_round_trips_are_those_of_the_example_that_ships() -> None:
    table = read_table(EXAMPLE)
    for (place, landmark), round_trip_ns in round_trips_ns().items():
        ways = [table[pair] for pair in ((place, landmark), (landmark, place)) if pair in table]
        assert round_trip_ns == min(ways), (place, landmark)


def test_the_landmarks_stand_where_the_example_has_them() -> None:
    there = {one.landmark_id: one for one in read_landmarks(EXAMPLE / "landmarks.csv")}
    for one in LANDMARKS:
        shipped = there[one.region]
        assert (one.latitude, one.longitude) == (shipped.position.latitude, shipped.position.longitude)
        assert (one.error_m, one.country) == (shipped.position_error_m, shipped.country)


@pytest.mark.parametrize("later_ns", [0, BUSY_NS])
def test_honest_lots_stand_as_the_story_says(judged: Callable[..., Mapping[str, str]], later_ns: int) -> None:
    assert judged({lot.name: lot.region for lot in LOTS}, {lot.name: later_ns for lot in LOTS}) == HONEST


@pytest.mark.parametrize("later_ns", [0, BUSY_NS])
def test_what_is_smuggled_is_found_and_what_delays_is_not(
    judged: Callable[..., Mapping[str, str]], later_ns: int
) -> None:
    places = {lot.name: SMUGGLED_TO if lot.name in {SMUGGLED, DELAYING} else lot.region for lot in LOTS}
    later = {lot.name: later_ns + (DELAY_NS if lot.name == DELAYING else 0) for lot in LOTS}
    found = judged(places, later)
    assert {**found, SILENCED: "silent"} == IN_THE_END
    assert found[SILENCED] in {"verified", "cleared"}


def test_every_place_of_the_story_has_a_name_and_a_way_to_every_landmark() -> None:
    table = round_trips_ns()
    assert {place for place, _ in table} == PLACES.keys() == {lot.region for lot in LOTS} | {SMUGGLED_TO}
    assert {landmark for _, landmark in table} == {one.region for one in LANDMARKS}
    assert len({one.owner for one in LANDMARKS}) == 5
