"""Scenario files are read strictly: what is not of the format is refused, with the file and the key."""

import random
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from lightbound.errors import ErrorCode, Malformed, Unavailable
from lightbound.geo.earth import Position
from lightbound.sim.campaign import Engine, run
from lightbound.sim.scenario import AgentKind, Cheats, LandmarkKind
from lightbound.sim.scenario_file import MOST_BYTES, packaged_names, read_scenario
from lightbound.sim.world import build
from tests.house import tree

PLAIN: Final = """\
format = "lightbound.scenario/1"
name = "plain"
about = "A small world."

[session]
seed = 7
sessions = 8
fault_budget = 1
nearest = 2
extras = 1

[world]
agents = 2
scatter_km = 5
axes = ["hosting"]

[[places]]
name = "Bayan Lepas"
latitude = 5.297
longitude = 100.277
country = "MY"

[[sites]]
place = "Bayan Lepas"
name = "first"
licensed = "circle(5.3,100.28,100)|MY"
excluded = "CN+HK"

[[landmarks]]
name = "sin-1"
place = "Singapore"
operator = "Meridian"
owner = "Meridian Holding"
hosting = "Rack"
error_m = 30

[[landmarks]]
name = "kul-1"
place = "Kuala Lumpur"
operator = "Tropic"

[[landmarks]]
name = "han-1"
place = "Hanoi, VN"
operator = "Tropic"

[paths]
speed = 0.9
detour = [1.0, 1.3]
overhead_us = [20, 100]
jitter_us = 30
loss = 0.1
duplicate = 0.1

[cheats]
agents = "elsewhere"
at = ["Singapore"]
delay_ms = 1.5
count = 2
landmarks = "short"
faulty = 1
faulty_owners = ["Tropic"]
factor = 0.5
verifier = "honest"
network = "honest"

[expect]
outcomes = ["wins", "all_refused"]
sound = ["alone"]
code = "wrong_key"
standings = ["misplaced"]
"""

Read = Callable[[str | bytes], None]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mine.toml"


def with_line(key: str, line: str, text: str = PLAIN) -> str:
    """The plain scenario, in which the first line of this key, or one that begins so, is another."""
    lines = text.splitlines()
    begins = key if "=" in key else f"{key} "
    place = next(number for number, each in enumerate(lines) if each.startswith(begins))
    return "\n".join([*lines[:place], line, *lines[place + 1 :]])


def refused(file: Path, content: str | bytes) -> str:
    """How this content is refused: for one fault, whose file is named."""
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(Malformed) as caught:
        read_scenario(str(file))
    (fault,) = caught.value.faults
    assert fault.code is ErrorCode.SCENARIO_MALFORMED
    assert fault.file == str(file)
    assert len(fault.found) <= 300
    return fault.column or ""


# -- what is read ------------------------------------------------------------------------------------------------


def test_a_whole_scenario_is_read_as_it_says(file: Path) -> None:
    file.write_text(PLAIN)
    read = read_scenario(str(file))
    assert (read.name, read.about, read.seed, read.sessions) == ("plain", "A small world.", 7, 8)
    assert (read.fault_budget, read.nearest, read.extras, read.agents) == (1, 2, 1, 2)
    (site,) = read.sites
    assert (site.name, site.place.name, site.place.position) == ("first", "Bayan Lepas", Position(5.297, 100.277))
    assert [one.name for one in read.landmarks] == ["sin-1", "kul-1", "han-1"]
    assert (read.landmarks[0].owner, read.landmarks[0].hosting, read.landmarks[0].error_m) == (
        "Meridian Holding", "Rack", 30
    )  # fmt: skip
    assert (read.landmarks[1].owner, read.landmarks[1].hosting, read.landmarks[1].error_m) == ("Tropic", "Tropic", 50)
    assert (read.paths.speed, read.paths.detour, read.paths.table) == (0.9, (1.0, 1.3), None)
    assert read.cheats == Cheats(
        agents=AgentKind.ELSEWHERE,
        at=(read.landmarks[0].place,),
        delay_ms=1.5,
        count=2,
        landmarks=LandmarkKind.SHORT,
        faulty=1,
        faulty_owners=("Tropic",),
        factor=0.5,
    )
    assert (read.expected.outcomes, read.expected.sound) == (("wins", "all_refused"), ("alone",))
    assert (read.expected.code, read.expected.standings) == ("wrong_key", ("misplaced",))


def test_a_scenario_takes_over_what_it_does_not_say_and_what_that_one_takes_over(file: Path) -> None:
    file.write_text(
        'format = "lightbound.scenario/1"\nextends = "smuggled-fast-paths"\nname = "mine"\nabout = "Mine."\n'
        "[session]\nnearest = 5\n[paths]\njitter_us = 7\n"
    )
    mine, smuggled, world = map(read_scenario, (str(file), "smuggled-fast-paths", "world"))
    assert (mine.name, mine.nearest, mine.extras) == ("mine", 5, smuggled.extras)
    assert (mine.paths.jitter_us, mine.paths.speed) == (7, smuggled.paths.speed)
    assert (mine.landmarks, mine.sites, mine.seed) == (world.landmarks, world.sites, world.seed)
    assert mine.cheats == smuggled.cheats
    assert mine.expected.standings == ()


def test_measured_paths_lie_beside_the_scenario_and_name_its_places(file: Path) -> None:
    folder = tree.ROOT / "examples" / "azure"
    (file.parent / "azure").symlink_to(folder)
    text = PLAIN.replace("[cheats]", "[cheats]\n").replace('"Singapore"', '"southeastasia"')
    file.write_text(text.replace("speed = 0.9", 'table = "azure"'))
    read = read_scenario(str(file))
    assert read.landmarks[0].place.country == "SG"
    world = build(read)
    assert len(world.paths.table_ns) > 2_000
    report = run(world, engine=Engine.PACKETS, seed=1, sessions=2)
    assert report.measurements > 0


# -- what is not -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "line", "column"),
    [
        # unknown keys, in every table
        ("about", 'about = "x"\nabaut = "y"', "abaut"),
        ("seed", "seed = 7\nsede = 8", "session.sede"),
        ("agents", "agents = 2\nagent = 2", "world.agent"),
        ("latitude", "latitude = 5\naltitude = 3", "places[0].altitude"),
        ("licensed", 'licensed = "MY"\nlicenced = "SG"', "sites[0].licenced"),
        ("error_m", "error_m = 30\nerror_km = 1", "landmarks[0].error_km"),
        ("speed", "speed = 0.9\nspeeds = 1", "paths.speeds"),
        ("count", "count = 2\ncounts = 2", "cheats.counts"),
        ("sound", 'sound = ["alone"]\nsounds = []', "expect.sounds"),
        # wrong types
        ("name", "name = 7", "name"),
        ("name", 'name = ""', "name"),
        ("name", 'name = " x"', "name"),
        ("name", 'name = "a\\u202eb"', "name"),
        ("about", "about = []", "about"),
        ("seed", 'seed = "7"', "session.seed"),
        ("seed", "seed = 7.0", "session.seed"),
        ("seed", "seed = true", "session.seed"),
        ("seed", "seed = -1", "session.seed"),
        ("seed", f"seed = 0x{'f' * 5_000}", "session.seed"),
        ("agents", "agents = 0", "world.agents"),
        ("scatter_km", "scatter_km = true", "world.scatter_km"),
        ("axes", 'axes = "hosting"', "world.axes"),
        ("axes", "axes = [1]", "world.axes"),
        ("detour", "detour = 1.0", "paths.detour"),
        ("detour", "detour = [1.0]", "paths.detour"),
        ("detour", "detour = [1.3, 1.0]", "paths.detour"),
        ("detour", "detour = [0.5, 1.0]", "paths.detour"),
        ("at", 'at = "Singapore"', "cheats.at"),
        ("at", "at = [7]", "cheats.at"),
        ("faulty_owners", "faulty_owners = [[]]", "cheats.faulty_owners"),
        ("latitude", "latitude = 1979-05-27", "places[0].latitude"),
        ("latitude", "latitude = 91", "places[0].latitude"),
        ("longitude", "longitude = -181", "places[0].longitude"),
        ("country", 'country = "Malaysia"', "places[0].country"),
        ("operator", f'operator = "{"x" * 257}"', "landmarks[0].operator"),
        ("about", f'about = "{"x" * 1_001}"', "about"),
        # numbers that are none
        ("jitter_us", "jitter_us = nan", "paths.jitter_us"),
        ("jitter_us", "jitter_us = inf", "paths.jitter_us"),
        ("jitter_us", "jitter_us = 1e400", "paths.jitter_us"),
        ("latitude", "latitude = nan", "places[0].latitude"),
        ("overhead_us", "overhead_us = [0, nan]", "paths.overhead_us"),
        ("overhead_us", "overhead_us = [-inf, 1]", "paths.overhead_us"),
        ("factor", "factor = nan", "cheats.factor"),
        ("loss", "loss = 1.0", "paths.loss"),
        ("speed", "speed = 1.01", "paths.speed"),
        # words
        ("axes", 'axes = ["owner"]', "world.axes"),
        ("axes", 'axes = ["hosting", "hosting"]', "world.axes"),
        ('agents = "', 'agents = "lazy"', "cheats.agents"),
        ("landmarks", 'landmarks = "lazy"', "cheats.landmarks"),
        ("verifier", 'verifier = "lazy"', "cheats.verifier"),
        ("network", 'network = "lazy"', "cheats.network"),
        ("outcomes", 'outcomes = ["loses"]', "expect.outcomes"),
        ("sound", 'sound = ["both"]', "expect.sound"),
        ("standings", 'standings = ["fine"]', "expect.standings"),
        ("code", 'code = "lazy"', "expect.code"),
        ("code", "", "expect.code"),
        ("outcomes", 'outcomes = ["aborts"]', "expect.code"),
        ("outcomes", 'outcomes = ["wins"]', "expect.code"),
        ("format", 'format = "lightbound.scenario/2"', "format"),
        # keys that are missing
        ("format", "", "format"),
        ("about", "", "about"),
        ("latitude", "", "places[0].latitude"),
        ("operator", "", "landmarks[0].operator"),
        # places and areas
        ("place", 'place = "Atlantis"', "sites[0].place"),
        ("at", 'at = ["Singapore", "Atlantis"]', "cheats.at"),
        ("place", 'place = "Hyderabad"', "sites[0].place"),  # one in India, one in Pakistan
        ("place", 'place = "Suzhou, CN"', "sites[0].place"),  # two in China
        ("licensed", 'licensed = "circle(1,2)"', "sites[0].licensed"),
        ("licensed", 'licensed = "XX"', "sites[0].licensed"),
        ("licensed", 'licensed = "@a.geojson"', "sites[0].licensed"),
        ("excluded", 'excluded = "CN,HK"', "sites[0].excluded"),
        ("excluded", 'excluded = ""', "sites[0].excluded"),
        # what goes together
        ("nearest", "nearest = 4", "session.nearest"),
        ('name = "kul', 'name = "sin-1"', "landmarks"),
        ('operator = "Tropic', 'operator = "Meridian"', "landmarks"),
        ("faulty_owners", 'faulty_owners = ["Tropics"]', "cheats.faulty_owners"),
        ("landmarks", 'landmarks = "honest"', "cheats.landmarks"),
        ("at", "at = []", "cheats.at"),
        # another scenario
        ("format", 'format = "lightbound.scenario/1"\nextends = "nowhere"', "extends"),
        ("format", 'format = "lightbound.scenario/1"\nextends = "../world"', "extends"),
        ("format", 'format = "lightbound.scenario/1"\nextends = 7', "extends"),
        ("format", 'extends = "world"', "format"),
    ],
)
def test_what_is_not_of_the_format_is_refused_by_its_key(file: Path, key: str, line: str, column: str) -> None:
    assert refused(file, with_line(key, line)) == column


@pytest.mark.parametrize(
    ("table", "column"),
    [("[[landmarks]]", "landmarks"), ("[[sites]]", "sites"), ("[[places]]", "places"), ("[paths]", "paths")],
)
def test_a_table_that_is_something_else_is_refused(file: Path, table: str, column: str) -> None:
    without, _, _ = PLAIN.partition("[[places]]")
    assert refused(file, without.replace("[session]", f"{column} = 7\n[session]")) == column
    assert refused(file, without.replace("[session]", f'{column} = ["x"]\n[session]')) == column
    assert table.strip("[]") == column


@pytest.mark.parametrize("key", ["landmarks", "sites"])
def test_a_world_without_landmarks_or_sites_is_none(file: Path, key: str) -> None:
    head, _, rest = PLAIN.partition(f"[[{key}]]")
    _, _, tail = rest.rpartition(f"[[{key}]]")
    following = tail[tail.index("\n[") + 1 :]
    assert refused(file, head + following) == key


def test_two_places_of_one_name_are_refused(file: Path) -> None:
    place = PLAIN[PLAIN.index("[[places]]") : PLAIN.index("[[sites]]")]
    assert refused(file, PLAIN.replace(place, place + place)) == "places[1].name"


@pytest.mark.parametrize(
    "content",
    [
        b"name = ",
        b"= 7",
        b"\xff\xfe",
        PLAIN.encode("utf-16"),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.encode() + b"\nformat = 'twice'\n[session]\n",
        f"seed = {'9' * 5_000}".encode(),
        f"x = {'[' * 5_000}{']' * 5_000}".encode(),
        f"x = {'{x = ' * 5_000}7{'}' * 5_000}".encode(),
        b"x = 2021-13-41",
        b'x = "\\ud800"',
        b"x = 'a\x00b'",
        PLAIN.encode().ljust(MOST_BYTES + 1),
    ],
    ids=range(13),
)
def test_what_is_no_toml_in_utf_8_of_a_sane_size_is_refused(file: Path, content: bytes) -> None:
    assert refused(file, content) == ""


@pytest.mark.parametrize("content", ["", "sites.a" + ".a" * 6_000 + " = 7", PLAIN + "\n[a" + ".a" * 6_000 + "]\n"])
def test_what_is_toml_and_no_scenario_is_refused_however_deep_it_is(file: Path, content: str) -> None:
    refused(file, content)


def test_the_largest_file_that_is_allowed_is_read(file: Path) -> None:
    file.write_bytes(PLAIN.encode() + b"#" * (MOST_BYTES - len(PLAIN)))
    assert read_scenario(str(file)).name == "plain"


def test_a_name_that_no_packaged_scenario_has_says_how_to_list_them() -> None:
    with pytest.raises(Malformed, match="simulate --list"):
        read_scenario("nowhere")


def test_a_file_that_is_not_there_is_unavailable(file: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        read_scenario(str(file))
    assert caught.value.faults[0].file == str(file)


def test_a_table_of_measurements_that_is_not_there_is_unavailable(file: Path) -> None:
    file.write_text(PLAIN.replace("speed = 0.9", 'table = "nowhere"'))
    with pytest.raises(Unavailable) as caught:
        read_scenario(str(file))
    assert "nowhere" in (caught.value.faults[0].file or "")


# -- thousands of damaged files ----------------------------------------------------------------------------------

PIECES: Final = [
    "", "7", "-1", "nan", "inf", "1e400", "true", '"x"', '""', "[]", "{}", "[[]]", "2021-01-01", "0xffffffffffffffffff",
    '"Atlantis"', '"honest"', '"aiming"', '"short"', "\n", "=", "#", "[", "]]", "\\", '"', "'''", "\x00", "é", "\u202e",
    "[cheats]", "[[sites]]", "landmarks", '"world"', "100000", "0.5",
]  # fmt: skip


def damaged(text: str, dice: random.Random) -> str:
    """A scenario in which a value, a line or some letters are others."""
    lines = text.splitlines()
    place = dice.randrange(len(lines))
    match dice.randrange(6):
        case 0:
            key, is_pair, _ = lines[place].partition(" = ")
            lines[place] = f"{key} = {dice.choice(PIECES)}" if is_pair else dice.choice(PIECES)
        case 1:
            del lines[place]
        case 2:
            lines.insert(dice.randrange(len(lines)), lines[place])
        case 3:
            key, _, value = lines[place].partition(" = ")
            lines[place] = f"{key[::-1]} = {value}"
        case 4:
            lines[place] = lines[place].replace(dice.choice('abeos0157"[], '), dice.choice(PIECES), 1)
        case _:
            whole = "\n".join(lines)
            one, other = sorted(dice.randrange(len(whole)) for _ in range(2))
            return whole[:one] + dice.choice(PIECES) + whole[min(other, one + dice.randrange(60)) :]
    return "\n".join(lines)


@pytest.mark.long
def test_thousands_of_damaged_files_are_read_or_malformed_and_what_is_read_makes_a_world(file: Path) -> None:
    """By one change or two. A world is built of those that are small, and a session played in it."""
    dice = random.Random(20_261_125)
    folder = tree.PACKAGE / "sim" / "scenarios"
    texts = [PLAIN] * 30 + [(folder / f"{name}.toml").read_text(encoding="utf-8") for name in packaged_names()]
    read = built = 0
    for _ in range(2_000):
        text = damaged(dice.choice(texts), dice)
        file.write_text(damaged(text, dice) if dice.random() < 0.5 else text, encoding="utf-8")
        try:
            scenario = read_scenario(str(file))
        except Malformed as error:
            (fault,) = error.faults
            assert fault.file == str(file)
            assert fault.column or fault.expected in {"TOML", f"at most {MOST_BYTES:,} bytes"}
            continue
        read += 1
        if scenario.agents <= 10 and len(scenario.landmarks) <= 10:
            report = run(build(scenario), engine=Engine.PACKETS, seed=1, sessions=1)
            assert report.tally.sessions == 1
            assert not scenario.expected.sound or "not_admitted" not in report.sessions_refused
            built += 1
    assert read > 300
    assert built > 100


def test_the_plain_scenario_is_what_the_damaged_ones_are_made_of(file: Path) -> None:
    assert set(tomllib.loads(PLAIN)) == {
        "format", "name", "about", "session", "world", "places", "sites", "landmarks", "paths", "cheats", "expect"
    }  # fmt: skip
    file.write_text(PLAIN)
    report = run(build(read_scenario(str(file))), engine=Engine.PACKETS, seed=7, sessions=2)
    assert report.measurements == 2 * 3
