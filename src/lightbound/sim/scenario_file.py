"""Scenario files: TOML, packaged or a person's own, read strictly.

A file may say `extends = "world"`: whatever table or key it does not give is then taken from that packaged scenario,
and from what that one extends.
Places are named: a packaged city ("Singapore", or "Singapore, SG" where there are several), or one of `[[places]]`.
"""

import importlib.resources
import re
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lightbound.adjudication.verdicts import Proof, Standing
from lightbound.canonical.fields import MOST_TEXT
from lightbound.errors import ErrorCode, Fault, LightboundError, Malformed, Unavailable
from lightbound.geo.areas import Countries, Drawing, parse_area
from lightbound.geo.borders import packaged_borders
from lightbound.geo.cities import packaged_cities
from lightbound.geo.earth import Position
from lightbound.ranging.statements.admission import Axis
from lightbound.ranging.statements.measurement import Why
from lightbound.sim.measured_paths import places_of
from lightbound.sim.scenario import (
    AgentKind,
    Cheats,
    Expectation,
    Expected,
    LandmarkKind,
    NetworkKind,
    PathModel,
    Place,
    Scenario,
    SimulatedLandmark,
    Site,
    VerifierKind,
)
from lightbound.sim.scenario_checks import check
from lightbound.sim.tables import Table

FORMAT: Final = "lightbound.scenario/1"

MOST_BYTES: Final = 1_000_000

NAMED_BY: Final = "lightbound simulate --list names them"

_COUNTRY: Final = re.compile("[A-Z]{2}")

_FOLDER: Final = importlib.resources.files("lightbound.sim") / "scenarios"


def packaged_names() -> list[str]:
    """The scenarios that ship with the package."""
    names = (file.name.removesuffix(".toml") for file in _FOLDER.iterdir() if file.name.endswith(".toml"))
    return sorted(names)


def read_scenario(name: str) -> Scenario:
    """A scenario by the name of a packaged one, or by the path of a file (ending in .toml).

    Raises:
        Malformed: it is not there under this name, or not of the format; says which key.
        Unavailable: the file cannot be read.
    """
    if not name.endswith(".toml"):
        return scenario_of(_packaged(name), file=name)
    try:
        path = Path(name)
        if path.exists() and not path.is_file():
            raise _not_toml(name, "a regular file", "something else")
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        fault = Fault(
            code=ErrorCode.READ_FAILED, expected="a file that can be read", found=str(error.strerror), file=name
        )
        raise Unavailable(fault) from error
    return scenario_of(_parsed(data, name), file=name)


def scenario_of(values: Mapping[str, Any], *, file: str) -> Scenario:
    """The scenario that a parsed file describes; `file` names it in errors.

    Raises:
        Malformed: not of the format; says which key.
    """
    table = Table(_whole(values, file), file=file)
    if table.text("format") != FORMAT:
        raise table.wrong("format", FORMAT, "another")
    paths = _paths(table.table("paths"), file)
    places = _places(table) | {place.name: place for place in (places_of(Path(paths.table)) if paths.table else ())}
    session, world = table.table("session"), table.table("world")
    scenario = Scenario(
        name=table.text("name"),
        about=table.text("about"),
        seed=session.integer("seed", least=0, most=2**63 - 1, default=1),
        sessions=session.integer("sessions", least=1, most=100_000_000, default=200),
        agents=world.integer("agents", least=1, most=100_000, default=40),
        scatter_km=world.number("scatter_km", least=0, most=1_000, default=0.0),
        fault_budget=session.integer("fault_budget", least=0, most=100, default=1),
        nearest=session.integer("nearest", least=1, most=100, default=4),
        extras=session.integer("extras", least=0, most=100, default=2),
        axes=tuple(sorted(world.words("axes", Axis))),
        landmarks=tuple(_landmark(entry, places) for entry in table.tables("landmarks")),
        sites=tuple(_site(entry, places) for entry in table.tables("sites")),
        paths=paths,
        cheats=_cheats(table.table("cheats"), places),
        expected=_expected(table.table("expect")),
    )
    session.end()
    world.end()
    table.end()
    check(scenario, table)
    return scenario


def _packaged(name: str) -> dict[str, Any]:
    if name not in packaged_names():
        raise Malformed(
            Fault(
                code=ErrorCode.SCENARIO_MALFORMED,
                expected="the name of a packaged scenario, or a path that ends in .toml",
                found=repr(name),
                next=NAMED_BY,
            )
        )
    return _parsed((_FOLDER / f"{name}.toml").read_bytes(), name)


def _parsed(data: bytes, file: str) -> dict[str, Any]:
    if len(data) > MOST_BYTES:
        raise _not_toml(file, f"at most {MOST_BYTES:,} bytes", f"{len(data):,}")
    try:
        return tomllib.loads(data.decode())
    # A ValueError of the library's own, or of Python's, for numbers of thousands of digits.
    except (ValueError, RecursionError) as error:
        raise _not_toml(file, "TOML", str(error)) from error


def _not_toml(file: str, expected: str, found: str) -> Malformed:
    return Malformed(Fault(code=ErrorCode.SCENARIO_MALFORMED, expected=expected, found=found, file=file))


def _whole(values: Mapping[str, Any], file: str) -> Mapping[str, Any]:
    """A scenario with what it takes over from the one that it extends, and from those that that one does."""
    if "extends" not in values:
        return values
    table = Table({"extends": values["extends"]}, file=file)
    name = table.text("extends")
    if name not in packaged_names():
        raise table.wrong("extends", "the name of a packaged scenario", repr(name), NAMED_BY)
    own = {"format", "extends", "expect", "name", "about"}
    base = {key: value for key, value in _whole(_packaged(name), name).items() if key not in own}
    return {key: value for key, value in _merged(base, values).items() if key != "extends"}


def _merged(base: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Tables are merged key by key, one level deep; anything else is replaced whole."""
    merged = dict(base)
    for key, value in values.items():
        below = merged.get(key)
        merged[key] = {**below, **value} if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _places(table: Table) -> dict[str, Place]:
    """Every place by its names: the file's own ones first, then cities, alone and with their country."""
    named: defaultdict[str, list[Place]] = defaultdict(list)
    for city in packaged_cities().cities:
        full = f"{city.name}, {city.country}"
        place = Place(name=full, position=city.position, country=city.country)
        named[full].append(place)
        named[city.name].append(place)
    found = {name: places[0] for name, places in named.items() if len(places) == 1}
    own: dict[str, Place] = {}
    for entry in table.tables("places"):
        place = Place(
            name=entry.text("name"),
            position=Position(
                entry.number("latitude", least=-90, most=90), entry.number("longitude", least=-180, most=180)
            ),
            country=entry.text("country"),
        )
        if not _COUNTRY.fullmatch(place.country):
            raise entry.wrong("country", "two capital letters, as ISO 3166-1 has them", repr(place.country))
        if place.name in own:
            raise entry.wrong("name", "names that are told apart", repr(place.name))
        entry.end()
        own[place.name] = place
    return found | own


def _place(table: Table, key: str, name: str, places: Mapping[str, Place]) -> Place:
    if name not in places:
        advice = 'of a name that several cities have, write "Name, CC", or [[places]] if they are of one country'
        raise table.wrong(key, "a packaged city, or a place of [[places]]", repr(name), advice)
    return places[name]


def _landmark(table: Table, places: Mapping[str, Place]) -> SimulatedLandmark:
    place = _place(table, "place", table.text("place"), places)
    if not _COUNTRY.fullmatch(place.country):
        raise table.wrong("place", "a place whose country is known", repr(place.name))
    # These three go into statements.
    operator = table.text("operator", most=MOST_TEXT)
    read = SimulatedLandmark(
        name=table.text("name", place.name),
        place=place,
        operator=operator,
        owner=table.text("owner", operator, most=MOST_TEXT),
        hosting=table.text("hosting", operator, most=MOST_TEXT),
        error_m=table.integer("error_m", least=0, most=20_037_508, default=50),
    )
    table.end()
    return read


def _site(table: Table, places: Mapping[str, Place]) -> Site:
    place = _place(table, "place", table.text("place"), places)
    read = Site(
        name=table.text("name", place.name),
        place=place,
        licensed=table.text("licensed", place.country),
        excluded=table.text("excluded", "CN+HK+MO"),
    )
    for key, text in (("licensed", read.licensed), ("excluded", read.excluded)):
        try:
            for part in parse_area(text):
                if isinstance(part, Drawing):
                    raise table.wrong(key, "countries and circles: a scenario has no drawings", text)
                for code in part.codes if isinstance(part, Countries) else ():
                    packaged_borders().polygons(code)
        except LightboundError as error:
            raise table.wrong(key, error.faults[0].expected, text, error.faults[0].next) from error
    table.end()
    return read


def _paths(table: Table, file: str) -> PathModel:
    """How packets travel; a folder of measured round trips is relative to the scenario's own."""
    usual = PathModel()
    read = PathModel(
        speed=table.number("speed", least=0.01, most=1.0, default=usual.speed),
        detour=table.range("detour", least=1.0, most=100.0, default=usual.detour),
        overhead_us=table.range("overhead_us", least=0.0, most=1e6, default=usual.overhead_us),
        jitter_us=table.number("jitter_us", least=0.0, most=1e6, default=usual.jitter_us),
        loss=table.number("loss", least=0.0, most=0.99, default=0.0),
        duplicate=table.number("duplicate", least=0.0, most=1.0, default=0.0),
        table=str(Path(file).parent / table.text("table")) if table.has("table") else None,
    )
    table.end()
    return read


def _cheats(table: Table, places: Mapping[str, Place]) -> Cheats:
    read = Cheats(
        agents=table.word("agents", AgentKind, AgentKind.HONEST),
        at=tuple(_place(table, "at", name, places) for name in table.texts("at")),
        delay_ms=table.number("delay_ms", least=0.0, most=10_000.0, default=0.0),
        count=table.integer("count", least=1, most=64, default=2),
        landmarks=table.word("landmarks", LandmarkKind, LandmarkKind.HONEST),
        faulty=table.integer("faulty", least=0, most=1_000, default=0),
        faulty_owners=table.texts("faulty_owners"),
        factor=table.number("factor", least=0.001, most=1.0, default=1.0),
        verifier=table.word("verifier", VerifierKind, VerifierKind.HONEST),
        network=table.word("network", NetworkKind, NetworkKind.HONEST),
    )
    table.end()
    return read


def _expected(table: Table) -> Expected:
    outcomes = table.words("outcomes", Expectation, (Expectation.NOTHING_FALSE,))
    code: str | None = None
    if Expectation.ABORTS in outcomes:
        code = table.word("code", Why)
    elif {Expectation.ALL_REFUSED, Expectation.LANDMARK_REFUSED} & set(outcomes):
        code = table.word("code", ErrorCode)
    read = Expected(
        outcomes=outcomes,
        sound=tuple(str(proof) for proof in table.words("sound", Proof, tuple(Proof))),
        code=code,
        standings=tuple(str(standing) for standing in table.words("standings", Standing)),
    )
    table.end()
    return read
