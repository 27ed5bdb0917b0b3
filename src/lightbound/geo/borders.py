"""Countries as polygons: the borders that ship with the package, and what each country code stands for.

`scripts/package_borders.py` made the two files read here; `docs/borders.md` tells which map they are, whose view of
disputed places it takes, and what it leaves out. Borders are approximations: whoever concludes anything from them
allows for a border error. What is excluded or licensed is the user's list: nothing is added to a code here.
"""

import difflib
import functools
import hashlib
import importlib.resources
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lightbound.errors import ErrorCode, Fault, Malformed

Polygon: TypeAlias = tuple[NDArray[np.float64], ...]
"""An outer ring, then the rings of its holes. A ring is (n, 2) longitude and latitude in degrees, its last point its
first, in the frame cut at the antimeridian: longitudes run from -180 to 180, and a land that crosses is two polygons.
Outer rings run counterclockwise, holes clockwise; straight edges are straight in longitude and latitude."""

DEFAULT_BORDER_ERROR_M: Final = 2000.0
"""How far a drawn border may lie from the real one. Two maps of this scale differ by 0.4-3 km at the median along the
borders that they draw differently, and by 0.05 km where one descends from the other. Too small: a chip just across
a badly drawn line is accused or cleared wrongly. Too large: that many metres of every proof are lost.
It covers lines drawn in the wrong place, not land that is left out: Singapore's Jurong Island is not drawn, and its
middle lies 4 km off the land that is; see docs/borders.md."""

DRAWN_ELSEWHERE: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "BQ": ("NL", "Bonaire, Sint Eustatius and Saba"),
        "BV": ("NO", "Bouvet Island"),
        "CC": ("AU", "the Cocos (Keeling) Islands"),
        "CX": ("AU", "Christmas Island"),
        "GF": ("FR", "French Guiana"),
        "GP": ("FR", "Guadeloupe"),
        "MQ": ("FR", "Martinique"),
        "RE": ("FR", "Réunion"),
        "SJ": ("NO", "Svalbard and Jan Mayen"),
        "TK": ("NZ", "Tokelau"),
        "YT": ("FR", "Mayotte"),
    }
)
"""ISO 3166-1 codes that the packaged borders lack, each with the code whose polygons hold the place and its name.
Natural Earth draws what a state counts as its own ground with that state. A code is never silently widened to the
larger one: "not in France" says much more than "not in French Guiana", and the user must have meant it."""

_MISTAKEN: Final[Mapping[str, str]] = MappingProxyType({"EL": "GR", "UK": "GB"})
"""Codes that are in use elsewhere (the European Union's own) and are no ISO codes of a country here."""

_FORMAT: Final = "lightbound.borders/1"
_MANIFEST: Final = "borders.json"
_POLYGONS: Final = "borders.npz"
_UNITS_PER_DEGREE: Final = 1e7
"""Coordinates are kept as whole units of 1e-7 degree, 1.1 cm at most; rounding to them moves a point by 0.8 cm."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Borders:
    """One map of the world's borders."""

    name: str
    version: str
    viewpoint: str
    """Whose view of disputed places the map takes, as its maker names it: `deu` is Germany's."""
    sha256: str
    """Of the file of polygons, in hexadecimal: two verdicts with equal hashes rest on equal borders."""
    codes: tuple[str, ...]
    """Sorted: ISO 3166-1 alpha-2, XK for Kosovo, and NE- with Natural Earth's own three letters for the rest."""
    names: Mapping[str, str]
    shapes: Mapping[str, tuple[Polygon, ...]]
    """Polygons by code. Those of one code do not overlap and share no edge. Arrays are read-only."""
    three_letters: Mapping[str, str]
    """Natural Earth's ADM0_A3 of each feature, to its code: for hints only."""

    def polygons(self, code: str) -> tuple[Polygon, ...]:
        """All land under a code.

        A point outside every polygon is not under this code *as drawn*: waters are nobody's, and so is land that the
        map leaves out.

        Raises:
            Malformed: these borders have no such code; the fault says where the place is drawn, if anywhere.
        """
        try:
            return self.shapes[code]
        except KeyError:
            shown = code if len(code) <= 20 else f"{code[:17]}..."
            raise Malformed(
                Fault(
                    code=ErrorCode.UNKNOWN_COUNTRY,
                    expected=f"one of the {len(self.codes)} codes of {self.name} {self.version}",
                    found=repr(shown),
                    next=self._advice(code),
                )
            ) from None

    def _advice(self, code: str) -> str:
        capitals = code.strip().upper()
        letters = capitals.removeprefix("NE-")
        if capitals in DRAWN_ELSEWHERE:
            inside, place = DRAWN_ELSEWHERE[capitals]
            if inside in self.shapes:
                return (
                    f"these borders draw {place} as part of {inside}: write {inside}, or draw the place alone in a "
                    "GeoJSON file or a circle"
                )
        meant = (capitals, _MISTAKEN.get(capitals, ""), self.three_letters.get(letters, ""), f"NE-{letters}")
        for known in meant:
            if known in self.shapes:
                return f"write {known} ({self.names[known]})"
        near = difflib.get_close_matches(capitals, self.codes, n=3, cutoff=0.5)
        if not near:
            return "docs/borders.md lists what the codes are"
        return "near it are " + ", ".join(f"{candidate} ({self.names[candidate]})" for candidate in near)


@functools.cache
def packaged_borders() -> Borders:
    """The borders that ship with the package, read and checked once.

    Raises:
        Malformed: the files are not those that the package was released with.
    """
    folder = importlib.resources.files("lightbound.geo") / "data"
    try:
        manifest, polygons = (folder / _MANIFEST).read_bytes(), (folder / _POLYGONS).read_bytes()
    except OSError as error:
        raise _corrupt("the packaged files of borders", type(error).__name__, _MANIFEST) from error
    return read_borders(manifest, polygons)


def read_borders(manifest: bytes, polygons: bytes) -> Borders:
    """Borders from the bytes of their two files; nothing is believed before the hash of the polygons agrees.

    Raises:
        Malformed: the manifest is not of the format, or the polygons are not those it names.
    """
    try:
        told: dict[str, Any] = json.loads(manifest)
        if told["format"] != _FORMAT:
            raise _corrupt(f"format {_FORMAT}", repr(told["format"]), _MANIFEST)
        features = [(str(item["code"]), str(item["name"]), str(item["adm0_a3"])) for item in told["features"]]
        words = {key: str(told[key]) for key in ("name", "version", "viewpoint", "sha256")}
    except (KeyError, TypeError, ValueError) as error:
        raise _corrupt("a manifest of borders", f"{type(error).__name__}: {error}", _MANIFEST) from error
    found = hashlib.sha256(polygons).hexdigest()
    if found != words["sha256"]:
        raise _corrupt(f"sha256 {words['sha256']}", found, _POLYGONS)
    names: dict[str, str] = {}
    for code, name, _ in features:
        # A code's first feature is its main one and gives the name: France before Clipperton Island.
        names.setdefault(code, name)
    codes = tuple(sorted(names))
    try:
        shapes = dict(zip(codes, _shapes(polygons), strict=True))
    except (EOFError, LookupError, TypeError, ValueError, zipfile.BadZipFile) as error:
        found = f"{type(error).__name__}: {error}"
        raise _corrupt("arrays of polygons, one group for each code", found, _POLYGONS) from error
    return Borders(
        **words,
        codes=codes,
        names=MappingProxyType(names),
        shapes=MappingProxyType(shapes),
        three_letters=MappingProxyType({three: code for code, _, three in features}),
    )


def _shapes(content: bytes) -> list[tuple[Polygon, ...]]:
    """The polygons of every code, in the order of the sorted codes."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        # Steps from point to point, modulo 2**32, because they pack better than points do. Summed in 64 bits and cut
        # back to 32, they are the points again.
        steps, ring_points = arrays["steps"], arrays["ring_points"]
        polygon_rings, code_polygons = arrays["polygon_rings"], arrays["code_polygons"]
    points = np.cumsum(steps, axis=0, dtype=np.int64).astype(np.int32) / _UNITS_PER_DEGREE
    points.flags.writeable = False
    rings = np.split(points, np.cumsum(ring_points)[:-1])
    polygons = _grouped(rings, polygon_rings)
    return _grouped(polygons, code_polygons)


def _grouped(items: list[Any], counts: NDArray[np.int32]) -> list[tuple[Any, ...]]:
    ends = np.cumsum(counts).tolist()
    if ends[-1] != len(items):
        raise ValueError(f"{ends[-1]} counted, {len(items)} there")
    return [tuple(items[end - count : end]) for count, end in zip(counts.tolist(), ends, strict=True)]


def _corrupt(expected: str, found: str, file: str) -> Malformed:
    return Malformed(
        Fault(
            code=ErrorCode.BORDERS_CORRUPT,
            expected=expected,
            found=found,
            file=f"lightbound/geo/data/{file}",
            next="install the package again",
        )
    )
