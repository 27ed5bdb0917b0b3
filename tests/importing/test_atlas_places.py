"""Probes and anchors say where they are in three shapes, and all three give the same landmark."""

import json
from pathlib import Path
from typing import Any

import pytest

from lightbound.files.importing.atlas import LandmarksAre, TargetsBy, places_by_landmark
from lightbound.files.importing.atlas_places import FaultUnits, Place, read_place, read_places
from lightbound.files.importing.dropped import Reason, Tally, WrongField
from lightbound.geo.earth import Position
from tests.importing.atlas_files import PROBE, TARGET, api_anchor, api_probe, archived_probe, write_array


def test_a_probe_of_the_api_says_its_place() -> None:
    assert read_place(api_probe()) == Place(
        probe=PROBE,
        position=Position(50.11, 8.68),
        country="DE",
        asn=64500,
        addresses=("203.0.113.9", "2001:db8::9"),
        name=None,
        is_anchor=False,
    )


def test_a_probe_of_the_archive_says_its_place() -> None:
    assert read_place(archived_probe()) == Place(
        probe=PROBE, position=Position(50.11, 8.68), country="DE", asn=64500, addresses=(), name=None, is_anchor=False
    )


@pytest.mark.parametrize("probe", [PROBE, {"id": PROBE, "is_public": True}])
def test_an_anchor_says_the_place_of_its_probe(probe: Any) -> None:
    assert read_place(api_anchor(probe)) == Place(
        probe=PROBE,
        position=Position(50.1109, 8.6821),
        country="DE",
        asn=64510,
        addresses=(TARGET, "2001:db8::7"),
        name="fra.anchors.example",
        is_anchor=True,
    )


@pytest.mark.parametrize(
    "item", [api_probe(geometry=None), archived_probe(latitude=None, longitude=None), {"id": 5, "country_code": ""}]
)
def test_one_without_a_position_is_no_landmark(item: Any) -> None:
    place = read_place(item)
    assert place.position is None
    assert places_by_landmark([place], LandmarksAre.PROBES, TargetsBy.ADDRESS) == ({}, ())


@pytest.mark.parametrize(
    ("item", "field"),
    [
        (api_probe(id=None), "id"),
        (api_probe(id="6771"), "id"),
        (api_anchor(probe=None), "probe"),
        (api_anchor(country="Germany"), "country"),
        (api_probe(country_code="de"), "country_code"),
        (api_probe(country_code=49), "country_code"),
        (api_probe(asn_v4="AS64500"), "asn_v4"),
        (api_probe(address_v6=7), "address_v6"),
        (api_probe(geometry=[8.68, 50.11]), "geometry"),
        (api_probe(geometry={"type": "Point", "coordinates": [8.68]}), "geometry"),
        (api_probe(geometry={"coordinates": [181, 0]}), "geometry.coordinates[0]"),
        (api_probe(geometry={"coordinates": [0, "50"]}), "geometry.coordinates[1]"),
        (api_probe(geometry={"coordinates": [0, 90.1]}), "geometry.coordinates[1]"),
        (archived_probe(latitude=None), "latitude"),
        (archived_probe(longitude=True), "longitude"),
    ],
)
def test_a_field_that_is_not_as_theirs_is_named(item: Any, field: str) -> None:
    with pytest.raises(WrongField) as raised:
        read_place(item)
    assert raised.value.field == field


@pytest.mark.parametrize("item", [None, 7, "text", [], {}])
def test_what_is_no_probe_is_malformed(item: Any) -> None:
    with pytest.raises(WrongField):
        read_place(item)


@pytest.mark.parametrize("name", ["results", "objects", None])
def test_files_are_pages_of_the_api_archives_or_plain_arrays(tmp_path: Path, name: str | None) -> None:
    items = [api_probe(1), {"id": "nobody"}, api_probe(2)]
    path = tmp_path / "probes.json"
    path.write_text(json.dumps({"count": 3, "next": None, name: items} if name else items), encoding="utf-8")
    tally = Tally()
    assert [place.probe for place in read_places([path, path], tally)] == [1, 2, 1, 2]
    assert tally.counts == {Reason.MALFORMED: 2}
    assert [example.where.item for example in tally.examples] == [2, 2]


def test_of_two_entries_for_one_probe_the_first_with_a_position_counts(tmp_path: Path) -> None:
    path = write_array(tmp_path / "a.json", [api_probe(7, geometry=None), api_anchor(7), archived_probe(7)])
    places, _ = places_by_landmark(read_places([path], Tally()), LandmarksAre.PROBES, TargetsBy.ADDRESS)
    assert {name: place.position for name, place in places.items()} == {"probe:7": Position(50.1109, 8.6821)}


def test_targets_are_landmarks_by_each_address_or_by_name() -> None:
    places = [read_place(api_anchor()), read_place(api_probe(5))]
    by_address, _ = places_by_landmark(places, LandmarksAre.TARGETS, TargetsBy.ADDRESS)
    assert {name: place.probe for name, place in by_address.items()} == {
        f"target:{TARGET}": PROBE,
        "target:2001:db8::7": PROBE,
        "target:203.0.113.9": 5,
        "target:2001:db8::9": 5,
    }
    by_name, _ = places_by_landmark(places, LandmarksAre.TARGETS, TargetsBy.NAME)
    assert list(by_name) == ["target:fra.anchors.example"]


def test_an_address_that_two_probes_share_is_no_landmark_s() -> None:
    places = [read_place(api_probe(1, address_v6=None)), read_place(api_probe(2))]
    found, ambiguous = places_by_landmark(places, LandmarksAre.TARGETS, TargetsBy.ADDRESS)
    assert list(found) == ["target:2001:db8::9"]
    assert ambiguous == ("target:203.0.113.9",)


@pytest.mark.parametrize(
    ("units", "changes", "unit"),
    [
        (FaultUnits.ASN, {}, "AS64500"),
        (FaultUnits.ASN, {"asn_v4": None}, "AS64501"),
        (FaultUnits.ASN, {"asn_v4": None, "asn_v6": None}, "AS-unknown"),
        (FaultUnits.COUNTRY, {}, "DE"),
        (FaultUnits.COUNTRY, {"country_code": None}, "country-unknown"),
        (FaultUnits.PROBE, {}, f"probe:{PROBE}"),
    ],
)
def test_every_landmark_has_a_fault_unit(units: FaultUnits, changes: dict[str, Any], unit: str) -> None:
    landmark = read_place(api_probe(**changes)).landmark("probe:x", position_error_m=5000, fault_units=units)
    assert landmark.fault_unit == unit
    assert (landmark.landmark_id, landmark.position_error_m) == ("probe:x", 5000)
