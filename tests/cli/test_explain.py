"""`lightbound explain` as a person or a script meets it, and the page that describes it."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lightbound.adjudication.explanation import Reason
from lightbound.adjudication.places import ReferenceKind
from lightbound.adjudication.verdicts import Proof, Verdict
from lightbound.cli.app import app, main
from lightbound.cli.exits import ExitCode
from lightbound.cli.explain import chip_number, explain
from lightbound.cli.explanation_text import FROM, MEANS, MOST_UNITS, WHY
from lightbound.geo.cities import packaged_cities
from tests.house import tree

PAGE = (tree.ROOT / "docs" / "explaining.md").read_text(encoding="utf-8")
LANDMARKS = """landmark_id,latitude,longitude,position_error_m,fault_unit,country
singapore-1,1.30,103.80,100,a,SG
singapore-2,1.35,103.85,100,b,SG
frankfurt,50.1,8.7,100,c,DE
paris,48.9,2.4,100,d,FR
vienna,48.2,16.4,100,e,AT
shenzhen,22.54,114.06,100,f,CN
idle,0,0,100,g,
"""
CHIPS = """chip_id,licensed_area,excluded_area
rack-1,"circle(1.3,103.8,100)",CN+HK+MO
rack-2,"circle(1.3,103.8,100)",CN+HK+MO
nowhere,DE,CN
everywhere,,CN
fair,"circle(49.4,9.9,300)",
unmeasured,SG,CN
"""
MEASUREMENTS = """landmark_id,chip_id,round_trip_ms,measured_at
singapore-1,rack-1,0.3,2026-03-01T12:00:00Z
singapore-2,rack-1,0.4,2026-03-01T12:00:00.5Z
singapore-2,rack-1,0.2,2026-03-01T09:00:00Z
singapore-1,rack-1,0.9,2026-03-01T12:00:00Z
shenzhen,rack-1,0.01,2026-03-01T12:00:00Z
singapore-1,rack-2,40,2026-03-01T12:00:00Z
singapore-2,rack-2,11,2026-03-01T12:00:00Z
singapore-1,everywhere,1,2026-03-01T12:00:00Z
frankfurt,everywhere,1,2026-03-01T12:00:00Z
frankfurt,fair,2.4,2026-03-01T12:00:00Z
paris,fair,4.0,2026-03-01T12:00:00Z
vienna,fair,3.6,2026-03-01T12:00:00Z
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command on the files above; returns exit code, standard output and standard error."""
    if explain not in [command.callback for command in app.registered_commands]:
        monkeypatch.setattr(app, "registered_commands", list(app.registered_commands))
        app.command()(explain)
    for name, text in (("landmarks", LANDMARKS), ("chips", CHIPS), ("measurements", MEASUREMENTS)):
        (tmp_path / f"{name}.csv").write_text(text)
    files = [str(tmp_path / "measurements.csv")]
    files += ["--landmarks", str(tmp_path / "landmarks.csv"), "--chips", str(tmp_path / "chips.csv")]

    def on(chip: str, *options: str, command: str = "explain") -> tuple[int, str, str]:
        named = ["--chip", chip] if command == "explain" else []
        with pytest.raises(SystemExit) as ended:
            main([command, *files, *named, *options])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return on


def _told(run: Run, chip: str, *options: str) -> dict[str, Any]:
    code, out, _ = run(chip, "--json", *options)
    assert code == ExitCode.DONE
    told: dict[str, Any] = json.loads(out)
    assert out.count("\n") == 1
    return told


@pytest.mark.parametrize("options", [[], ["--fault-budget", "0"], ["--speed", "fibre", "--proof", "alone"]])
def test_the_verdict_inside_is_the_one_that_adjudicate_gives(run: Run, options: list[str]) -> None:
    _, out, _ = run("", "--json", "--region", *options, command="adjudicate")
    verdicts = {verdict["chip_id"]: verdict for verdict in map(json.loads, out.splitlines())}
    assert len(verdicts) == 6
    for chip in ("rack-1", "rack-2", "everywhere", "fair"):
        assert _told(run, chip, *options)["verdict"] == verdicts[chip]


def test_a_proven_chip_is_told_with_who_decided(run: Run) -> None:
    code, out, err = run("rack-1")
    assert code == ExitCode.DONE
    assert err == ""
    assert out.startswith("rack-1: verified (A0)\n")
    assert "from 2026-03-01T11:00:00.5Z to 2026-03-01T12:00:00.5Z" in out
    assert out.count("Decided by a, b (*).") == 2
    assert "1 landmark may stand in the excluded area" in out
    assert "singapore-2 (1 row)" in out.split("measured outside the window: ")[1]
    assert "singapore-1 (1 row)" in out.split("have rows that a quicker answer")[1]
    assert "For within" not in out
    assert out.rstrip().endswith("or where it is after the window.")


def test_an_undetermined_chip_is_told_with_what_would_settle_it(run: Run) -> None:
    code, out, _ = run("rack-2")
    assert code == ExitCode.DONE
    text = " ".join(out.split())
    assert "For outside to be proven alone, 2 fault units must each prove it; of 2 heard, 1 does." in text
    assert "round trip from singapore-1 (a) must fall from 40.000 ms to " in text
    assert "One landmark at any of these places, in a fault unit that does not prove it yet, would settle it:" in text
    assert "a landmark at Singapore (SG), surely within 10 km of 1.29, 103.85, answering within 13.016 ms" in text
    assert "a landmark at the licensed site, surely within 0.1 km of 1.30, 103.80, answering within" in text


def test_a_contradiction_is_told_as_what_cannot_all_be_true(run: Run) -> None:
    _, out, _ = run("everywhere", "--fault-budget", "0")
    assert "everywhere: contradiction" in out
    assert "These cannot all be true:\n" in out
    assert "no place is near enough to both" in out
    assert "It is no finding about the chip." in out
    assert "would settle it" not in out


def test_a_joint_proof_is_told_with_the_bounds_it_rests_on(run: Run) -> None:
    told = _told(run, "fair", "--fault-budget", "0")
    assert told["licensed"]["proof"] == "joint"
    _, out, _ = run("fair", "--fault-budget", "0")
    assert "within, proven jointly: the bounds overlap only there" in out
    assert f"none of them can be spared: {', '.join(told['licensed']['rests_on'])}." in out


def test_a_chip_without_rows_is_told_so_and_not_blamed(run: Run) -> None:
    code, out, _ = run("unmeasured")
    assert code == ExitCode.DONE
    assert "Nothing that counts was measured about this chip. That is held against nobody." in out
    assert "2 more independent fault units must be heard" in out


def test_what_is_taken_for_granted_and_what_is_not_shown_stands_in_every_explanation(run: Run) -> None:
    for chip in ("rack-1", "everywhere", "unmeasured"):
        _, out, _ = run(chip)
        assert "  faults_within_budget: at most 1 of the fault units" in out
        assert "Not shown, at assurance tier A0: that the key sits in the genuine chip" in out


def test_landmarks_without_fault_units_are_told_why_they_prove_nothing(run: Run, tmp_path: Path) -> None:
    rows = [line.split(",")[:4] for line in LANDMARKS.splitlines()]
    (tmp_path / "landmarks.csv").write_text("".join(",".join(row) + "\n" for row in rows))
    _, out, _ = run("rack-1")
    assert "With fewer than 2 fault units nothing can be proven." in out
    assert "landmarks without a fault_unit count as one" in out
    assert _told(run, "rack-1")["bounds"][0]["fault_unit"] is None


def test_an_unknown_chip_is_a_mistake_of_usage_that_names_the_nearest(run: Run) -> None:
    code, out, err = run("Rack-3")
    assert code == ExitCode.USAGE
    assert out == ""
    assert "'Rack-3'" in err
    assert "'rack-1'" in err
    assert "'rack-2'" in err
    code, _, err = run("zzz")
    assert code == ExitCode.USAGE
    assert "near it" not in err


def test_a_chip_is_found_by_its_whole_name_only() -> None:
    assert chip_number("b", ["a", "b", "bb"]) == 1


def test_long_tables_are_cut_in_text_and_whole_in_json(run: Run, tmp_path: Path) -> None:
    names = [f"lm{number}" for number in range(MOST_UNITS + 3)]
    head, chips = LANDMARKS.splitlines()[0], "chip_id,licensed_area,excluded_area\n[red]x,,CN\n"
    (tmp_path / "landmarks.csv").write_text(
        head + "\n" + "".join(f"{name},1.{number:02},103.8,100,{name},\n" for number, name in enumerate(names))
    )
    (tmp_path / "chips.csv").write_text(chips)
    (tmp_path / "measurements.csv").write_text(
        "landmark_id,chip_id,round_trip_ms\n" + "".join(f"{name},[red]x,50\n" for name in names)
    )
    _, out, _ = run("[red]x")
    assert out.startswith("[red]x: undetermined (A0)\n")
    assert "... and 3 more fault units; --json gives them all." in out
    told = _told(run, "[red]x")
    assert len(told["excluded"]["fault_units"]) == len(names)
    assert len(told["excluded"]["missing"]["falls"]) == len(names)


def test_every_word_has_its_sentence() -> None:
    assert set(WHY) == set(Reason)
    assert set(FROM) == set(ReferenceKind)
    proven = {(verdict, proof) for verdict in (Verdict.WITHIN, Verdict.OUTSIDE) for proof in Proof}
    assert set(MEANS) == proven | {(Verdict.UNDETERMINED, None), (Verdict.VOID, None)}


def _names(value: object) -> Iterator[str]:
    """Names of all fields at any depth, those of the verdict inside left out."""
    if isinstance(value, list):
        for one in value:
            yield from _names(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            yield name
            if name != "verdict":
                yield from _names(one)


def test_the_page_names_exactly_the_fields_there_are(run: Run) -> None:
    objects = [_told(run, chip) for chip in ("rack-1", "rack-2")]
    objects.append(_told(run, "everywhere", "--fault-budget", "0"))
    given = {name for one in objects for name in _names(one)}
    rows = re.findall(r"^\| (`.*)$", PAGE.split("\n## JSON\n")[1], re.MULTILINE)
    told = {name for row in rows for name in re.findall("`([a-z0-9_]+)`", row)}
    words = {*Reason, *ReferenceKind, "contradiction", "null"}
    assert told - words == given
    assert words <= told


def test_the_page_tells_how_many_cities_there_are() -> None:
    assert f"holds {len(packaged_cities().cities)} cities" in PAGE
