"""Cities where a landmark could stand, by name: so that advice can say "Singapore" instead of two numbers.

`scripts/package_cities.py` made the two files read here from GeoNames' data (CC BY 4.0, see NOTICE). Nothing is ever
concluded about a chip from where a city is; what a landmark at a city *would* prove is reckoned in `adjudication`,
with the error stated here.
"""

import csv
import functools
import hashlib
import importlib.resources
import json
from dataclasses import dataclass
from typing import Any, Final

from lightbound.errors import ErrorCode, Fault, Malformed
from lightbound.geo.earth import Position

POSITION_ERROR_M: Final = 10_000.0
"""A landmark "at" a city stands within this of the city's point, which GeoNames puts somewhere in its middle. Too
small: advice about the city is too hopeful for a landmark on its outskirts. Too large: a city near a border is
passed over, or asked for quicker answers than it needs. No verdict depends on it: a real landmark states its own."""

_FORMAT: Final = "lightbound.cities/1"
_MANIFEST: Final = "cities.json"
_TABLE: Final = "cities.csv"
_COLUMNS: Final = ("name", "country", "latitude", "longitude", "population")


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """One city: capitals, and cities of a million and more."""

    name: str
    country: str
    """ISO 3166-1 alpha-2, as GeoNames has it."""
    position: Position
    """Rounded to 0.001 degree; see `POSITION_ERROR_M`."""
    population: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cities:
    """The packaged list, sorted by country and name."""

    name: str
    version: str
    sha256: str
    """Of the table, in hexadecimal."""
    cities: tuple[City, ...]


@functools.cache
def packaged_cities() -> Cities:
    """The cities that ship with the package, read and checked once.

    Raises:
        Malformed: the files are not those that the package was released with.
    """
    folder = importlib.resources.files("lightbound.geo") / "data"
    try:
        manifest, table = (folder / _MANIFEST).read_bytes(), (folder / _TABLE).read_bytes()
    except OSError as error:
        raise _corrupt("the packaged files of cities", type(error).__name__, _MANIFEST) from error
    return read_cities(manifest, table)


def read_cities(manifest: bytes, table: bytes) -> Cities:
    """Cities from the bytes of their two files; nothing is believed before the hash of the table agrees.

    Raises:
        Malformed: the manifest is not of the format, or the table is not the one it names.
    """
    try:
        told: dict[str, Any] = json.loads(manifest)
        if told["format"] != _FORMAT:
            raise _corrupt(f"format {_FORMAT}", repr(told["format"]), _MANIFEST)
        words = {key: str(told[key]) for key in ("name", "version", "sha256")}
    except (KeyError, TypeError, ValueError) as error:
        raise _corrupt("a manifest of cities", f"{type(error).__name__}: {error}", _MANIFEST) from error
    found = hashlib.sha256(table).hexdigest()
    if found != words["sha256"]:
        raise _corrupt(f"sha256 {words['sha256']}", found, _TABLE)
    try:
        cities = _cities(table.decode())
    except (StopIteration, ValueError) as error:
        raise _corrupt(f"rows of {', '.join(_COLUMNS)}", f"{type(error).__name__}: {error}", _TABLE) from error
    return Cities(**words, cities=cities)


def _cities(text: str) -> tuple[City, ...]:
    rows = csv.reader(text.splitlines())
    if tuple(next(rows)) != _COLUMNS:
        raise ValueError("other columns")
    return tuple(
        City(
            name=name,
            country=country,
            position=Position(float(latitude), float(longitude)),
            population=int(population),
        )
        for name, country, latitude, longitude, population in rows
    )


def _corrupt(expected: str, found: str, file: str) -> Malformed:
    return Malformed(
        Fault(
            code=ErrorCode.FILE_FORMAT,
            expected=expected,
            found=found,
            file=f"lightbound/geo/data/{file}",
            next="install the package again",
        )
    )
