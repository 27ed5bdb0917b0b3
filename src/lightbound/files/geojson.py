"""Drawings: the polygons of a GeoJSON file (RFC 7946), or of one feature of it.

Coordinates are WGS-84 longitude and latitude, as the RFC has it. Edges are straight in longitude and latitude; a
third coordinate is passed over. Features that overlap are one area. Faults name the place inside the file by its
path, such as features[3].geometry.coordinates[0][17].
"""

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from lightbound.errors import ErrorCode, Fault, Malformed, Unavailable
from lightbound.files.faults import Faults, shown
from lightbound.files.rings import framed, joined
from lightbound.files.tables import opened
from lightbound.geo.borders import Polygon

MOST_BYTES: Final = 1 << 26
"""64 MiB, about two million positions: more is not a site or a region, and JSON is read as a whole."""

_WGS84: Final = frozenset(
    {"urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:OGC::CRS84", "urn:ogc:def:crs:EPSG::4326", "EPSG:4326"}
)
"""Names by which older files say what the RFC takes for granted."""


def drawing_path(path: str, *, beside: Path) -> Path:
    """Where a drawing is that `beside`, the file of chips, names by a path that is relative to its own folder."""
    return beside.absolute().parent / path


def read_drawing(path: Path, feature: str | None = None) -> tuple[Polygon, ...]:
    """Polygons that do not overlap and share no edge, as `Polygon` says; cut at the antimeridian.

    With `feature`, only the feature of
    that `id` or `properties.name` is looked at.

    Raises:
        Malformed: not GeoJSON, no such feature, or no valid polygon; with the first faults and the count of all.
        Unavailable: the file cannot be read.
    """
    try:
        with opened(path) as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        found = error.strerror or type(error).__name__
        fault = Fault(code=ErrorCode.READ_FAILED, expected="a file that can be read", found=found, file=str(path))
        raise Unavailable(fault) from error
    return polygons_of(content, str(path), feature)


def polygons_of(content: bytes, name: str, feature: str | None = None) -> tuple[Polygon, ...]:
    """The same of what is in a file; `name` is what errors call it.

    Raises:
        Malformed: not GeoJSON, no such feature, or no valid polygon.
    """
    faults = Faults(name)
    document = _document(content, faults)
    polygons: list[shapely.Polygon] = []
    for geometry, where in _geometries(document, feature, faults):
        for coordinates, place in _polygon_coordinates(geometry, where, faults):
            polygons.extend(_polygons(coordinates, place, faults))
    faults.raise_if_any()
    return joined(polygons)


def _document(content: bytes, faults: Faults) -> dict[str, Any]:
    if not content:
        faults.add(ErrorCode.FILE_EMPTY, expected="a GeoJSON object", found="nothing")
        raise faults.error()
    if len(content) > MOST_BYTES:
        faults.add(ErrorCode.FILE_FORMAT, expected=f"at most {MOST_BYTES} bytes", found="more", advice="simplify it")
        raise faults.error()
    value = _parsed(content, faults)
    if not isinstance(value, dict):
        raise _malformed(faults, "a GeoJSON object", value, "")
    crs = value.get("crs")
    if crs is not None and _member(_member(crs, "properties"), "name") not in _WGS84:
        raise _malformed(faults, "WGS-84 longitude and latitude, and no other crs", crs, "crs")
    return value


def _parsed(content: bytes, faults: Faults) -> Any:
    """What the JSON says, read strictly: no key twice in an object, and no NaN or Infinity."""
    twice: dict[int, str] = {}
    constants: list[str] = []

    def single(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            twice[id(members)] = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        return members

    def constant(name: str) -> float:
        constants.append(name)
        return math.nan

    try:
        text = content.decode("utf-8-sig")
        value = json.loads(text, object_pairs_hook=single, parse_int=_whole, parse_constant=constant)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{content[error.start]:02x}"
        faults.add(ErrorCode.FILE_FORMAT, expected="UTF-8 text", found=found, line=line, advice="save it as UTF-8")
        raise faults.error() from error
    except json.JSONDecodeError as error:
        faults.add(
            ErrorCode.GEOJSON_MALFORMED, expected="JSON", found=error.msg, line=error.lineno, column=str(error.colno)
        )
        raise faults.error() from error
    except RecursionError as error:
        faults.add(ErrorCode.GEOJSON_MALFORMED, expected="GeoJSON", found="brackets nested hundreds deep")
        raise faults.error() from error
    if twice or constants:
        _report_strictness(value, twice, faults)
        raise faults.error()
    return value


def _whole(text: str) -> int | float:
    # A longer number is no coordinate and no id worth its digits; Python refuses to read thousands of them at all.
    return int(text) if len(text) <= 18 else float(text)


def _report_strictness(value: Any, twice: dict[int, str], faults: Faults) -> None:
    """Find where in the document keys stand twice, and where NaN or Infinity stand for a number."""
    remaining = [(value, "")]
    while remaining:
        value, where = remaining.pop()
        if isinstance(value, dict):
            if id(value) in twice:
                faults.add(
                    ErrorCode.GEOJSON_MALFORMED,
                    expected="each key of an object once",
                    found=f"{shown(twice[id(value)])} twice",
                    column=where or None,
                )
            remaining.extend((member, f"{where}.{key}".lstrip(".")) for key, member in reversed(value.items()))
        elif isinstance(value, list):
            remaining.extend((member, f"{where}[{index}]") for index, member in reversed(list(enumerate(value))))
        elif isinstance(value, float) and math.isnan(value):
            found = "NaN or Infinity"
            faults.add(ErrorCode.GEOJSON_MALFORMED, expected="a JSON number", found=found, column=where or None)


def _geometries(document: dict[str, Any], feature: str | None, faults: Faults) -> list[tuple[Any, str]]:
    """The geometries to look at, each with its path."""
    kind = document.get("type")
    if kind == "FeatureCollection":
        features = document.get("features")
        if not isinstance(features, list):
            raise _malformed(faults, "a list of features", features, "features")
        found = [(each, f"features[{index}]") for index, each in enumerate(features)]
    elif kind == "Feature":
        found = [(document, "")]
    elif feature is None:
        return [(document, "")]
    else:
        found = []
    if feature is not None:
        found = [(each, where) for each, where in found if feature in _names(each)]
        if len(found) != 1:
            expected = f"one feature of the id or name {shown(feature)}"
            faults.add(ErrorCode.GEOJSON_INVALID, expected=expected, found=f"{len(found) or 'none'}")
            raise faults.error()
    if not found:
        faults.add(ErrorCode.GEOJSON_INVALID, expected="at least one feature", found="none", column="features")
        raise faults.error()
    geometries = []
    for each, where in found:
        if _member(each, "type") == "Feature":
            geometries.append((each.get("geometry"), f"{where}.geometry".lstrip(".")))
        else:
            _malformed(faults, "a Feature", _member(each, "type"), f"{where}.type".lstrip("."))
    return geometries


def _names(feature: Any) -> set[str]:
    """What a feature may be called by: its id, text or whole number, and its name."""
    names = (_member(feature, "id"), _member(_member(feature, "properties"), "name"))
    return {str(name) for name in names if isinstance(name, str | int) and not isinstance(name, bool)}


def _polygon_coordinates(geometry: Any, where: str, faults: Faults) -> list[tuple[Any, str]]:
    """The coordinates of each polygon of a geometry, each with its path."""
    if _member(geometry, "type") == "GeometryCollection" and isinstance(_member(geometry, "geometries"), list):
        parts = [
            (part, f"{where}.geometries[{index}]".lstrip(".")) for index, part in enumerate(geometry["geometries"])
        ]
    else:
        parts = [(geometry, where)]
    polygons: list[tuple[Any, str]] = []
    for part, place in parts:
        kind, coordinates = _member(part, "type"), _member(part, "coordinates")
        path = f"{place}.coordinates".lstrip(".")
        if kind == "Polygon":
            polygons.append((coordinates, path))
        elif kind == "MultiPolygon" and isinstance(coordinates, list) and coordinates:
            polygons.extend((each, f"{path}[{index}]") for index, each in enumerate(coordinates))
        elif kind == "MultiPolygon":
            _malformed(faults, "a list of polygons", coordinates, path)
        else:
            _malformed(faults, "a Polygon or MultiPolygon", kind if part is not None else None, place)
    if not parts:
        _malformed(faults, "at least one geometry", [], where)
    return polygons


def _polygons(coordinates: Any, where: str, faults: Faults) -> list[shapely.Polygon]:
    if not isinstance(coordinates, list) or not coordinates:
        _malformed(faults, "a list of rings", coordinates, where)
        return []
    rings = [_ring(ring, f"{where}[{index}]", faults) for index, ring in enumerate(coordinates)]
    whole = [ring for ring in rings if ring is not None]
    return framed(whole, where, faults) if len(whole) == len(rings) else []


def _ring(value: Any, where: str, faults: Faults) -> NDArray[np.float64] | None:
    """A closed ring of positions on Earth, or None after reporting each of its positions that is wrong."""
    if not isinstance(value, list):
        _malformed(faults, "a list of positions", value, where)
        return None
    sound = True
    for index, position in enumerate(value):
        if not (isinstance(position, list) and len(position) >= 2 and all(type(x) in {int, float} for x in position)):
            _malformed(faults, "a position: longitude, latitude", position, f"{where}[{index}]")
            sound = False
        elif not (abs(position[0]) <= 360 and abs(position[1]) <= 90):
            expected = "a longitude from -360 to 360 and a latitude from -90 to 90 degrees"
            _invalid(faults, expected, shown(position[:2]), f"{where}[{index}]")
            sound = False
    if not sound:
        return None
    if len(value) < 4:
        _invalid(faults, "at least 4 positions in a ring", str(len(value)), where)
        return None
    if value[0][:2] != value[-1][:2]:
        _invalid(faults, f"a ring that ends where it starts, {shown(value[0][:2])}", shown(value[-1][:2]), where)
        return None
    return np.array([position[:2] for position in value], np.float64)


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _invalid(faults: Faults, expected: str, found: str, where: str) -> None:
    faults.add(ErrorCode.GEOJSON_INVALID, expected=expected, found=found, column=where)


def _malformed(faults: Faults, expected: str, found: Any, where: str) -> Malformed:
    """Report one thing that is not GeoJSON; the error is for callers for whom reading on is pointless."""
    faults.add(ErrorCode.GEOJSON_MALFORMED, expected=expected, found=shown(found), column=where or None)
    return faults.error()
