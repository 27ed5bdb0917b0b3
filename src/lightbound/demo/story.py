"""What the running example tells: who stands where, what is licensed for where, and what becomes of three lots.

The places are regions of Microsoft's cloud, the round trips between them those that Microsoft publishes
(examples/azure, from which data/round_trips.csv is cut; a test holds the two together). Owners, lots and licences are
made up: in truth one company runs all of these places, and would be one fault unit.
"""

import csv
import importlib.resources
from dataclasses import dataclass
from typing import Final

MS_NS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LandmarkPlace:
    """A landmark of the example."""

    name: str
    region: str
    """The place, as the table of round trips names it."""
    latitude: float
    longitude: float
    error_m: int
    """How far from these coordinates the buildings may be: regions are published as cities."""
    country: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """Chips that one agent answers for."""

    name: str
    region: str
    """Where it truly is at first."""
    licensed: str
    licence: str
    """The same in words."""
    excluded: str = "CN+HK+MO"


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Where a lot truly is, and what its holder does about that. The verifier is not told."""

    region: str
    deed: str = ""

    def __str__(self) -> str:
        """In words."""
        return f"{PLACES[self.region]}{', ' if self.deed else ''}{self.deed}"


CHIPS_OF_A_LOT: Final = 8

LANDMARKS: Final = (
    LandmarkPlace(
        name="frankfurt",
        region="germanywestcentral",
        latitude=50.1109,
        longitude=8.6821,
        error_m=50_000,
        country="DE",
        owner="Alder",
    ),
    LandmarkPlace(
        name="singapore",
        region="southeastasia",
        latitude=1.3521,
        longitude=103.8198,
        error_m=50_000,
        country="SG",
        owner="Alder",
    ),
    LandmarkPlace(
        name="zurich",
        region="switzerlandnorth",
        latitude=47.4515,
        longitude=8.5644,
        error_m=50_000,
        country="CH",
        owner="Birch",
    ),
    LandmarkPlace(
        name="phoenix",
        region="westus3",
        latitude=33.4484,
        longitude=-112.074,
        error_m=50_000,
        country="US",
        owner="Birch",
    ),
    LandmarkPlace(
        name="london",
        region="uksouth",
        latitude=51.5074,
        longitude=-0.1278,
        error_m=50_000,
        country="GB",
        owner="Cedar",
    ),
    LandmarkPlace(
        name="kuala-lumpur",
        region="malaysiawest",
        latitude=3.139,
        longitude=101.6869,
        error_m=50_000,
        country="MY",
        owner="Cedar",
    ),
    LandmarkPlace(
        name="toronto",
        region="canadacentral",
        latitude=43.6532,
        longitude=-79.3832,
        error_m=50_000,
        country="CA",
        owner="Hazel",
    ),
    LandmarkPlace(
        name="osaka",
        region="japanwest",
        latitude=34.6937,
        longitude=135.5023,
        error_m=50_000,
        country="JP",
        owner="Rowan",
    ),
)
"""Eight landmarks of five owners, so that five fault units. None stands in the excluded area: it would not count."""

LOTS: Final = (
    Lot(name="netherlands", region="westeurope", licensed="circle(52.2,5.4,3000)", licence="within 3,000 km"),
    Lot(name="paris", region="francecentral", licensed="circle(48.86,2.35,3000)", licence="within 3,000 km"),
    Lot(name="geneva", region="switzerlandwest", licensed="circle(46.2,6.14,3000)", licence="within 3,000 km"),
    Lot(name="berlin", region="germanynorth", licensed="DE", licence="Germany"),
    Lot(name="warsaw", region="polandcentral", licensed="PL", licence="Poland"),
    Lot(name="oslo", region="norwayeast", licensed="NO", licence="Norway"),
    Lot(name="ireland", region="northeurope", licensed="IE", licence="Ireland"),
    Lot(name="virginia", region="eastus2", licensed="US", licence="United States"),
    Lot(name="texas", region="southcentralus", licensed="US", licence="United States"),
    Lot(name="tokyo", region="japaneast", licensed="JP", licence="Japan"),
    Lot(name="jakarta", region="indonesiacentral", licensed="ID", licence="Indonesia"),
    Lot(name="new-south-wales", region="australiaeast", licensed="AU", licence="Australia"),
)
"""The first three are licensed for a wide circle, which round trips over the internet can prove at the speed of light;
the next six for a country, which they cannot, but they are shown to be outside the excluded area; the last three are
too far from the landmarks, or too near to the excluded area, for either."""

FAULT_BUDGET: Final = 1

SMUGGLED: Final = "netherlands"
DELAYING: Final = "geneva"
SILENCED: Final = "texas"

SMUGGLED_TO: Final = "eastasia"

PLACES: Final = {
    "westeurope": "Netherlands",
    "francecentral": "Paris",
    "switzerlandwest": "Geneva",
    "germanynorth": "Berlin",
    "polandcentral": "Warsaw",
    "norwayeast": "Oslo",
    "northeurope": "Ireland",
    "eastus2": "Virginia",
    "southcentralus": "Texas",
    "japaneast": "Tokyo",
    "indonesiacentral": "Jakarta",
    "australiaeast": "New South Wales",
    "eastasia": "Hong Kong",
}
"""Where regions are."""

DELAY_NS: Final = 100 * MS_NS
"""What the third lot's operator adds to each answer so that no round trip shows where it went."""

HONEST: Final = {
    "netherlands": "verified",
    "paris": "verified",
    "geneva": "verified",
    "berlin": "cleared",
    "warsaw": "cleared",
    "oslo": "cleared",
    "ireland": "cleared",
    "virginia": "cleared",
    "texas": "cleared",
    "tokyo": "undetermined",
    "jakarta": "undetermined",
    "new-south-wales": "undetermined",
}
"""What round trips of the table prove of each lot while it is where it says; a test computes it."""

IN_THE_END: Final = {**HONEST, SMUGGLED: "misplaced", DELAYING: "undetermined", SILENCED: "silent"}


def round_trips_ns() -> dict[tuple[str, str], int]:
    """The least round trip from each place to each landmark's region, in nanoseconds."""
    text = (importlib.resources.files("lightbound.demo") / "data" / "round_trips.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines()))
    regions = rows[0][1:]
    return {
        (row[0], region): round(float(milliseconds) * MS_NS)
        for row in rows[1:]
        for region, milliseconds in zip(regions, row[1:], strict=True)
    }


def lot(name: str) -> Lot:
    """The lot of this name."""
    return next(one for one in LOTS if one.name == name)
