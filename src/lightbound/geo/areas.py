"""What the text of an area means: countries, circles, drawings, and unions of them.

    area    = part *("|" part)
    part    = codes / circle / drawing
    codes   = code *("+" code)                         CN+HK+MO
    code    = two capital letters / "NE-" and three    DE, NE-PGA
    circle  = "circle(" lat "," lon "," km ")"         circle(50.11, 8.68, 25)
    drawing = "@" path ["#" feature]                   @sites.geojson#hall 3

Spaces and tabs around the operators mean nothing. An empty text is no area: whoever asks about areas decides
what leaving one out means. Whether a code is on the border's list, and what a drawing holds, is looked up
elsewhere; here an area is words and numbers only.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from lightbound.errors import ErrorCode, Fault, Malformed

GREATEST_RADIUS_KM: Final = 20_003.9
"""Half of the circumference of the Earth over the poles (WGS-84: 20,003.931 km). A circle of this radius leaves out
less than 0.1 km around the antipode of its centre; a larger one is the whole Earth, which nobody means to write."""

_CODE: Final = re.compile(r"[A-Z]{2}|NE-[A-Z0-9]{3}")
_NUMBER: Final = r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?"
_CIRCLE: Final = re.compile(rf"circle[ \t]*\([ \t]*({_NUMBER})[ \t]*,[ \t]*({_NUMBER})[ \t]*,[ \t]*({_NUMBER})[ \t]*\)")
_ARGUMENTS: Final = re.compile(r"circle[ \t]*\(([^()]*)\)")
_BLANK: Final = " \t"


# The parts are not keyword-only: their fields stand in the order in which the language writes them.
@dataclass(frozen=True, slots=True)
class Countries:
    """Everything under these codes of the border."""

    codes: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse what could not be written: no code, or one of another shape."""
        for code in self.codes or ("",):
            if not _CODE.fullmatch(code):
                hint = f"write {code.upper()}" if _CODE.fullmatch(code.upper()) else None
                raise _malformed("a country code such as DE or NE-PGA", repr(code), hint)


@dataclass(frozen=True, slots=True)
class Disc:
    """Everything within a geodesic distance of a place."""

    latitude: float
    longitude: float
    radius_km: float

    def __post_init__(self) -> None:
        """Refuse a centre that is not on Earth and a radius that is no radius."""
        if not -90 <= self.latitude <= 90:
            raise _malformed("a latitude from -90 to 90 degrees", f"{self.latitude!r}", "latitude comes first")
        if not -180 <= self.longitude <= 180:
            raise _malformed("a longitude from -180 to 180 degrees", f"{self.longitude!r}", None)
        if not 0 < self.radius_km <= GREATEST_RADIUS_KM:
            expected = f"a radius above 0 and up to {GREATEST_RADIUS_KM} km"
            raise _malformed(expected, f"{self.radius_km!r}", "the radius is in kilometres")


@dataclass(frozen=True, slots=True)
class Drawing:
    """The polygons of a GeoJSON file, or of one feature of it."""

    path: str
    """As written; relative to the folder of the file that names it."""
    feature: str | None = None

    def __post_init__(self) -> None:
        """Refuse names that the language has no way to write."""
        _check_name(self.path, "the path of a GeoJSON file after @", forbidden="|#")
        if self.feature is not None:
            _check_name(self.feature, "the name of a feature after #", forbidden="|")


AreaPart: TypeAlias = Countries | Disc | Drawing
Area: TypeAlias = tuple[AreaPart, ...]
"""The union of its parts."""


def parse_area(text: str) -> Area:
    """The parts whose union the text means, in the order written.

    Raises:
        Malformed: with one fault that names the first part that is not of the language.
    """
    return tuple(_part(part.strip(_BLANK)) for part in text.split("|"))


def write_area(area: Sequence[AreaPart]) -> str:
    """The text of an area; `parse_area` gives back the same parts."""
    if not area:
        raise _malformed("at least one part", "none", None)
    return "|".join(_written(part) for part in area)


def _part(text: str) -> AreaPart:
    if text.startswith("@"):
        path, hash_sign, feature = text[1:].partition("#")
        return Drawing(path.strip(_BLANK), feature.strip(_BLANK) if hash_sign else None)
    if text.startswith("circle"):
        return _disc(text)
    if not text:
        raise _malformed("an area: country codes, circle(lat,lon,km) or @file.geojson", repr(text), None)
    if "circle" in text or "@" in text:
        raise _malformed("countries, a circle or a drawing", repr(text), "join parts of different kinds with |")
    return Countries(tuple(code.strip(_BLANK) for code in text.split("+")))


def _disc(text: str) -> Disc:
    if match := _CIRCLE.fullmatch(text):
        return Disc(float(match[1]), float(match[2]), float(match[3]))
    arguments = _ARGUMENTS.fullmatch(text)
    numbers = [number.strip(_BLANK) for number in arguments[1].split(",")] if arguments else []
    wrong = [number for number in numbers if not re.fullmatch(_NUMBER, number)]
    if len(numbers) != 3 or not wrong:
        raise _malformed("circle(lat,lon,km)", repr(text), "three numbers, a comma between; join other parts with |")
    raise _malformed("a number in circle(lat,lon,km)", repr(wrong[0]), "digits with a point, such as -8.25")


def _written(part: AreaPart) -> str:
    match part:
        case Countries(codes):
            return "+".join(codes)
        case Disc(latitude, longitude, radius_km):
            # float() so that an integer or a numpy scalar is written as a plain decimal too.
            return f"circle({float(latitude)!r},{float(longitude)!r},{float(radius_km)!r})"
        case Drawing(path, feature):
            return f"@{path}" if feature is None else f"@{path}#{feature}"


def _check_name(name: str, expected: str, *, forbidden: str) -> None:
    if not name or name != name.strip(_BLANK) or not name.isprintable():
        raise _malformed(expected, repr(name), "printable, not empty, no space at either end")
    if any(sign in name for sign in forbidden):
        raise _malformed(f"{expected}, without {' or '.join(forbidden)}", repr(name), "rename it")


def _malformed(expected: str, found: str, advice: str | None) -> Malformed:
    # A text can be as long as its line; an error is read by a person.
    shown = found if len(found) <= 80 else f"{found[:77]}..."
    return Malformed(Fault(code=ErrorCode.AREA_MALFORMED, expected=expected, found=shown, next=advice))
