"""The packaged cities: what is in them, that they are whole, and how they are made."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st

from lightbound.errors import ErrorCode, Malformed
from lightbound.geo.borders import DRAWN_ELSEWHERE, packaged_borders
from lightbound.geo.cities import POSITION_ERROR_M, City, packaged_cities, read_cities
from tests.house import tree

DATA = tree.PACKAGE / "geo" / "data"
MANIFEST, TABLE = (DATA / "cities.json").read_bytes(), (DATA / "cities.csv").read_bytes()


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script, as a module."""
    spec = importlib.util.spec_from_file_location("package_cities", tree.ROOT / "scripts" / "package_cities.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


def _named(name: str, country: str) -> City:
    (city,) = [city for city in packaged_cities().cities if (city.name, city.country) == (name, country)]
    return city


@pytest.mark.parametrize(
    ("name", "country", "latitude", "longitude"),
    [
        ("Singapore", "SG", 1.29, 103.85),
        ("Hong Kong", "HK", 22.28, 114.17),
        ("Macau", "MO", 22.20, 113.55),
        ("Taipei", "TW", 25.05, 121.53),
        ("Washington", "US", 38.90, -77.04),
        ("Vaduz", "LI", 47.14, 9.52),
        ("Suva", "FJ", -18.14, 178.44),
    ],
)
def test_capitals_are_where_they_are(name: str, country: str, latitude: float, longitude: float) -> None:
    city = _named(name, country)
    assert city.position.latitude == pytest.approx(latitude, abs=0.02)
    assert city.position.longitude == pytest.approx(longitude, abs=0.02)


def test_the_list_is_short_sorted_and_of_known_countries() -> None:
    cities = packaged_cities().cities
    assert 500 < len(cities) < 800
    assert [(city.country, city.name) for city in cities] == sorted((city.country, city.name) for city in cities)
    assert {city.country for city in cities} <= {*packaged_borders().codes, *DRAWN_ELSEWHERE}
    assert all(-90 <= city.position.latitude <= 90 for city in cities)
    assert all(-180 <= city.position.longitude <= 180 for city in cities)


def test_every_city_is_a_capital_or_has_a_million_inhabitants() -> None:
    small = [city for city in packaged_cities().cities if city.population < 1_000_000]
    assert len({city.country for city in small}) == len(small)
    assert min(city.population for city in small) >= 1_000


def test_a_city_s_error_holds_the_rounding_of_its_position_many_times() -> None:
    rounded = Geodesic.WGS84.Inverse(0.0, 0.0, 0.0005, 0.0005)["s12"]
    assert rounded * 100 < POSITION_ERROR_M


def test_another_table_than_the_manifest_names_is_not_believed() -> None:
    with pytest.raises(Malformed) as raised:
        read_cities(MANIFEST, TABLE.replace(b"1.290", b"1.390"))
    (fault,) = raised.value.faults
    assert fault.code is ErrorCode.FILE_FORMAT
    assert fault.file == "lightbound/geo/data/cities.csv"


@given(st.binary(), st.binary())
def test_any_bytes_are_cities_or_malformed(manifest: bytes, table: bytes) -> None:
    for one, other in ((manifest, table), (MANIFEST, table), (manifest, TABLE)):
        with pytest.raises(Malformed):
            read_cities(one, other)


def _place(name: str, country: str, latitude: float, longitude: float, population: int) -> dict[str, Any]:
    return {
        "geonameid": int(latitude * 100 + population),
        "name": name,
        "countrycode": country,
        "latitude": latitude,
        "longitude": longitude,
        "population": population,
        "alternatenames": [],
    }


def _countries(script: ModuleType, **capitals: str) -> dict[str, dict[str, Any]]:
    named = {code: {"capital": capital} for code, capital in capitals.items()}
    return {**named, **{code: {"capital": ""} for code in script.WITHOUT_CAPITAL}}


def test_parts_of_a_city_give_way_to_it_and_capitals_stay(script: ModuleType) -> None:
    cities = [
        _place("Great Town", "AA", 10.0, 10.0, 5_000_000),
        _place("Old Quarter", "AA", 10.05, 10.0, 1_200_000),
        _place("Seat", "BB", 10.1, 10.0, 30_000),
        _place("Village", "BB", 20.0, 10.0, 900_000),
    ]
    made = script.made_from(cities, _countries(script, AA="Great Town", BB="Séat"))
    found = read_cities(made["cities.json"], made["cities.csv"]).cities
    assert [city.name for city in found] == ["Great Town", "Seat"]


def test_a_capital_by_another_of_its_names_is_found(script: ModuleType) -> None:
    city = {**_place("Ulan Bator", "MN", 47.9, 106.9, 800_000), "alternatenames": ["Ulaanbaatar"]}
    (found,) = script.places_of([city], _countries(script, MN="Ulaanbaatar"))
    assert found.name == "Ulan Bator"


def test_a_capital_that_is_not_found_stops_the_script(script: ModuleType) -> None:
    with pytest.raises(SystemExit, match="capitals not found"):
        script.made_from([], _countries(script, AA="Nowhere"))


def test_the_same_places_make_the_same_bytes_in_whatever_order_they_come(script: ModuleType) -> None:
    cities = [_place(f"Town {number}", "AA", number, number, 2_000_000 + number) for number in range(20)]
    countries = _countries(script, AA="Town 3")
    assert script.made_from(cities, countries) == script.made_from(cities[::-1], countries)


def test_making_the_table_of_the_packaged_cities_again_gives_its_bytes(script: ModuleType) -> None:
    places = [
        script.Place(
            name=city.name,
            country=city.country,
            latitude=city.position.latitude,
            longitude=city.position.longitude,
            population=city.population,
            is_capital=False,
        )
        for city in packaged_cities().cities
    ]
    assert script.table(places) == TABLE
    assert script.manifest(TABLE, len(places)) == MANIFEST


def test_the_script_reads_no_wheel_but_the_one_it_names(script: ModuleType, tmp_path: Path) -> None:
    wheel = tmp_path / "other.whl"
    wheel.write_bytes(b"something else")
    with pytest.raises(SystemExit, match="expected sha256 b830e894"):
        script.main(["--wheel", str(wheel), "--check"])


def test_the_makers_of_the_data_are_named_with_their_licence() -> None:
    notice = (tree.ROOT / "NOTICE").read_text(encoding="utf-8")
    for said in ("GeoNames", "creativecommons.org/licenses/by/4.0/", "Changed:"):
        assert said in notice
