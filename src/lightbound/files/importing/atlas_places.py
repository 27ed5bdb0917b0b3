"""Where RIPE Atlas's probes and anchors say they stand: the metadata of its API and of its archive.

A position is what its host typed in, blurred by up to a kilometre before it is published. Nobody has surveyed it. So
how far it may be off is not read here: whoever imports says it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from lightbound.errors import ErrorCode
from lightbound.files.columns import is_id
from lightbound.files.faults import shown
from lightbound.files.importing.atlas_results import GREATEST_PROBE, LONGEST_NAME, address
from lightbound.files.importing.dropped import Tally, WrongField
from lightbound.files.importing.json_items import json_items
from lightbound.files.importing.sources import Progress, opened
from lightbound.geo.earth import Position
from lightbound.ranging.readings import Landmark

ARRAYS: Final = ("results", "objects")
"""Names under which the API and the archive hold the array of probes or anchors."""

UNKNOWN_UNIT: Final = "unknown"
"""The fault unit of all who do not say: they are taken to fail together."""


class FaultUnits(StrEnum):
    """Which probes are taken to fail together."""

    ASN = "asn"
    """Those of one network operator."""
    COUNTRY = "country"
    """Those under one jurisdiction."""
    PROBE = "probe"
    """None with another: each host by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a probe or an anchor says of itself."""

    probe: int
    position: Position | None
    country: str | None
    asn: int | None
    """Of its IPv4 address, else of its IPv6 address."""
    addresses: tuple[str, ...]
    name: str | None
    is_anchor: bool

    def landmark(self, landmark_id: str, *, position_error_m: float, fault_units: FaultUnits) -> Landmark:
        """It as a landmark; it must have a position."""
        if self.position is None:
            raise ValueError(landmark_id)
        match fault_units:
            case FaultUnits.ASN:
                unit = f"AS{self.asn}" if self.asn else f"AS-{UNKNOWN_UNIT}"
            case FaultUnits.COUNTRY:
                unit = self.country or f"country-{UNKNOWN_UNIT}"
            case FaultUnits.PROBE:
                unit = f"probe:{self.probe}"
        return Landmark(
            landmark_id=landmark_id,
            position=self.position,
            position_error_m=position_error_m,
            fault_unit=unit,
            country=self.country,
        )


def read_places(paths: Iterable[Path], tally: Tally, progress: Progress | None = None) -> Iterator[Place]:
    """Every probe or anchor of the files, in order. A malformed one is counted and left out.

    Raises:
        Unavailable: a file cannot be read.
    """
    for path in paths:
        with opened(path, tally, progress) as source:
            for where, item in json_items(source, tally, array_in=ARRAYS):
                try:
                    yield read_place(item)
                except WrongField as wrong:
                    tally.malformed(where, wrong)


def read_place(item: Any) -> Place:
    """One probe (of the API, or of the archive) or one anchor (of the API).

    Raises:
        WrongField: it is not as these are.
    """
    if not isinstance(item, dict):
        raise WrongField(None, "an object", shown(item), ErrorCode.VALUE_MALFORMED)
    anchor = "probe" in item  # an anchor has an id of its own, and names its probe
    probe = item["probe"] if anchor else item.get("id")
    if isinstance(probe, dict):
        probe = probe.get("id")
    if isinstance(probe, bool) or not isinstance(probe, int) or not 1 <= probe <= GREATEST_PROBE:
        raise WrongField("probe" if anchor else "id", "the number of a probe", shown(probe), ErrorCode.VALUE_MALFORMED)
    country = _optional(item, "country" if anchor else "country_code", str) or None
    if country is not None and not (len(country) == 2 and country.isascii() and country.isupper()):
        expected = "two capital letters (ISO 3166-1 alpha-2), or null"
        raise WrongField("country" if anchor else "country_code", expected, shown(country), ErrorCode.VALUE_MALFORMED)
    asns = [_optional(item, f"{'as' if anchor else 'asn'}_{family}", int) for family in ("v4", "v6")]
    addresses = [_optional(item, f"{'ip' if anchor else 'address'}_{family}", str) for family in ("v4", "v6")]
    name = _optional(item, "fqdn", str) or None
    return Place(
        probe=probe,
        position=_position(item),
        country=country,
        asn=next((asn for asn in asns if asn), None),
        addresses=tuple(known for text in addresses if text and (known := address(text))),
        name=name if name and is_id(name) and len(name) <= LONGEST_NAME else None,
        is_anchor=anchor or item.get("is_anchor") is True,
    )


def _position(item: dict[str, Any]) -> Position | None:
    """The position; None where the item has none."""
    if item.get("geometry") is not None:
        geometry = item["geometry"]
        coordinates = geometry.get("coordinates") if isinstance(geometry, dict) else None
        if not isinstance(coordinates, list) or len(coordinates) < 2:
            raise WrongField("geometry", "a GeoJSON point", shown(geometry), ErrorCode.VALUE_MALFORMED)
        longitude, latitude = coordinates[:2]
        fields = ("geometry.coordinates[1]", "geometry.coordinates[0]")
    else:
        latitude, longitude = item.get("latitude"), item.get("longitude")
        fields = ("latitude", "longitude")
        if latitude is None and longitude is None:
            return None
    return Position(_degrees(latitude, fields[0], 90), _degrees(longitude, fields[1], 180))


def _degrees(value: Any, field: str, most: int) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WrongField(field, "a number of degrees", shown(value), ErrorCode.VALUE_MALFORMED)
    if not -most <= value <= most:
        raise WrongField(field, f"degrees from -{most} to {most}", shown(value), ErrorCode.VALUE_OUT_OF_RANGE)
    return float(value)


def _optional(item: dict[str, Any], field: str, kind: type) -> Any:
    value = item.get(field)
    if value is not None and (isinstance(value, bool) or not isinstance(value, kind)):
        expected = "text" if kind is str else "a whole number"
        raise WrongField(field, f"{expected}, or null", shown(value), ErrorCode.VALUE_MALFORMED)
    return value
