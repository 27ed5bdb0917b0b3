"""`lightbound import` from the command line: what it writes, what it tells, and how it ends."""

import gzip
import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lightbound.cli.app import main
from lightbound.cli.exits import ExitCode
from lightbound.cli.importing import FaultUnitsChoice, LandmarksAreChoice, TargetsByChoice
from lightbound.files.importing.atlas import LandmarksAre, TargetsBy
from lightbound.files.importing.atlas_places import FaultUnits
from lightbound.files.landmarks import read_landmarks
from tests.importing.atlas_files import (
    AT_S,
    TARGET,
    api_anchor,
    api_probe,
    archived_probe,
    result,
    write_array,
    write_lines,
)
from tests.importing.round_trip import read_back

HEADER = "landmark_id,chip_id,round_trip_ns,measured_at,samples\n"


class Command:
    """Runs `lightbound import ...` in a folder of its own."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        """What is said is taken from there."""
        self._capsys = capsys

    def __call__(self, *arguments: str | Path) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        with pytest.raises(SystemExit) as ended:
            main(["import", *map(str, arguments)])
        said = self._capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, said.out, said.err

    def fine(self, *arguments: str | Path) -> tuple[str, str]:
        """The same, where all goes well."""
        code, out, err = self(*arguments)
        assert code == ExitCode.DONE, err
        return out, err


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    return Command(capsys)


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A file with something of everything."""
    return write_array(
        tmp_path / "mixed.json",
        [
            result(12.5, 11.25),
            result(1.0, type="traceroute"),
            result(result=[{"x": "*"}]),
            result(2.0, prb_id="one"),
            result(9.75, prb_id=5),
            result(3.0, result=[{"rtt": "3.0"}]),
        ],
    )


def test_the_choices_are_those_of_the_import() -> None:
    for ours, theirs in (
        (LandmarksAreChoice, LandmarksAre),
        (TargetsByChoice, TargetsBy),
        (FaultUnitsChoice, FaultUnits),
    ):
        assert [choice.value for choice in ours] == [choice.value for choice in theirs]


def test_results_become_rows_on_standard_output_and_the_rest_is_told(run: Command, mixed: Path) -> None:
    out, err = run.fine("ripe-atlas", mixed.name)
    assert out == (
        HEADER
        + f"probe:6771,target:{TARGET},11250000,2026-03-01T12:00:00Z,2\n"
        + f"probe:5,target:{TARGET},9750000,2026-03-01T12:00:00Z,1\n"
    )
    assert err.splitlines() == [
        "read 6 items of mixed.json; wrote 2 rows to standard output",
        "left out        reason      meaning",
        "       2 item   malformed   not as its format says",
        "       1 item   other_kind  another kind of measurement, or no measurement",
        "       1 item   no_reply    nothing answered in time",
        "       1 reply  timeout     not answered in time",
        "malformed: mixed.json item 4, field prb_id: expected a whole number, found 'one'",
        "malformed: mixed.json item 6, field result[0].rtt: expected a number of milliseconds, found '3.0'",
    ]


def test_the_summary_is_one_object_on_request(run: Command, mixed: Path) -> None:
    out, _ = run.fine("ripe-atlas", mixed.name, "--out", "rtt.csv", "--json")
    assert json.loads(out) == {
        "format": "lightbound.import/1",
        "kind": "ripe-atlas",
        "files": ["mixed.json"],
        "items_read": 6,
        "out": "rtt.csv",
        "rows_written": 2,
        "landmarks_out": None,
        "landmarks_written": None,
        "left_out": [
            {"reason": "malformed", "unit": "item", "count": 2},
            {"reason": "other_kind", "unit": "item", "count": 1},
            {"reason": "no_reply", "unit": "item", "count": 1},
            {"reason": "timeout", "unit": "reply", "count": 1},
        ],
        "malformed": [
            {
                "reason": "malformed",
                "file": "mixed.json",
                "line": None,
                "item": item,
                "field": field,
                "expected": expected,
                "found": found,
            }
            for item, field, expected, found in (
                (4, "prb_id", "a whole number", "'one'"),
                (6, "result[0].rtt", "a number of milliseconds", "'3.0'"),
            )
        ],
        "notes": [],
    }


@pytest.mark.parametrize("name", ["rtt.csv", "rtt.csv.gz", "rtt.parquet"])
def test_all_formats_of_output_hold_the_same_measurements(run: Command, mixed: Path, tmp_path: Path, name: str) -> None:
    run.fine("ripe-atlas", mixed.name, "--out", name)
    path = tmp_path / name
    if name.endswith(".gz"):
        path = tmp_path / "unpacked.csv"
        path.write_bytes(gzip.decompress((tmp_path / name).read_bytes()))
    readings = read_back(path)
    assert readings.round_trip_ns.tolist() == [11_250_000, 9_750_000]
    assert readings.measured_at_ns is not None
    assert readings.measured_at_ns.tolist() == [AT_S * 10**9] * 2


def test_the_same_input_gives_the_same_bytes(run: Command, mixed: Path, tmp_path: Path) -> None:
    for name in ("a.csv.gz", "b.csv.gz"):
        run.fine("ripe-atlas", mixed.name, "--out", name)
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()


def test_several_files_are_read_in_order_and_each_keeps_its_own_places(run: Command, tmp_path: Path) -> None:
    write_array(tmp_path / "a.json", [result(1.0), 7])
    write_lines(tmp_path / "b.json", [["atlas_result", result(2.0)], 8])
    (tmp_path / "c.json").write_text('[{"fw": 5080', encoding="utf-8")
    out, err = run.fine("ripe-atlas", "a.json", "b.json", "c.json")
    assert [line.split(",")[2] for line in out.splitlines()[1:]] == ["1000000", "2000000"]
    located = [line for line in err.splitlines() if line.startswith(("malformed", "unreadable"))]
    assert [line.partition(":")[2].partition(":")[0] for line in located] == [
        " a.json item 2",
        " b.json line 2",
        " c.json item 1",
    ]


@pytest.mark.parametrize("content", ["", "[]", "[1, 2]", "nonsense\n", json.dumps([result()]), "<html>\n</html>"])
def test_where_nothing_is_usable_nothing_is_written(run: Command, tmp_path: Path, content: str) -> None:
    (tmp_path / "in.json").write_text(content, encoding="utf-8")
    code, out, err = run("ripe-atlas", "in.json", "--out", "rtt.csv")
    assert (code, out) == (ExitCode.MALFORMED, "")
    assert "expected at least one usable round trip" in err
    assert [path.name for path in tmp_path.iterdir()] == ["in.json"]
    assert run("ripe-atlas", "in.json")[:2] == (ExitCode.MALFORMED, "")


def test_strictly_one_malformed_item_is_too_many(run: Command, mixed: Path, tmp_path: Path) -> None:
    (tmp_path / "rtt.csv").write_text("as before", encoding="utf-8")
    code, out, err = run("ripe-atlas", mixed.name, "--strict", "--out", "rtt.csv")
    assert (code, out) == (ExitCode.MALFORMED, "")
    at_4, at_6 = "mixed.json item 4, column prb_id", "mixed.json item 6, column result[0].rtt"
    assert err.splitlines() == [
        f"malformed (value_malformed): expected a whole number, found 'one' at {at_4}",
        f"malformed (value_malformed): expected a number of milliseconds, found '3.0' at {at_6}",
    ]
    assert (tmp_path / "rtt.csv").read_text(encoding="utf-8") == "as before"
    assert run("ripe-atlas", mixed.name, "--strict")[:2] == (ExitCode.MALFORMED, "")


def test_strictly_what_was_merely_not_answered_is_no_fault(run: Command, tmp_path: Path) -> None:
    write_array(tmp_path / "in.json", [result(1.0), result(), result(2.0, type="dns")])
    assert run.fine("ripe-atlas", "in.json", "--strict")[0].count("\n") == 2


def test_landmarks_are_written_as_far_as_they_were_heard(run: Command, tmp_path: Path) -> None:
    write_array(tmp_path / "in.json", [result(1.0), result(2.0, prb_id=5), result(3.0, prb_id=8), result(1.5)])
    write_array(
        tmp_path / "probes.json", [api_probe(), archived_probe(5, asn_v4=None, country_code=None), api_probe(9)]
    )
    places = ["--probes", "probes.json", "--position-error-m", "5000"]
    _, err = run.fine("ripe-atlas", "in.json", *places, "--landmarks-out", "lm.csv", "--out", "rtt.csv")
    assert (tmp_path / "lm.csv").read_text(encoding="utf-8") == (
        "landmark_id,latitude,longitude,position_error_m,fault_unit,country\n"
        "probe:6771,50.11,8.68,5000.0,AS64500,DE\n"
        "probe:5,50.11,8.68,5000.0,AS-unknown,\n"
    )
    assert "wrote 3 rows to rtt.csv, 2 landmarks to lm.csv" in err
    assert "1 item  unplaced_landmark" in err
    landmarks = read_landmarks(tmp_path / "lm.csv")
    assert [landmark.landmark_id for landmark in landmarks] == ["probe:6771", "probe:5"]
    assert len(read_back(tmp_path / "rtt.csv")) == 3
    run.fine("ripe-atlas", "in.json", *places, "--landmarks-out", "lm.parquet", "--out", "rtt.csv")
    assert read_landmarks(tmp_path / "lm.parquet") == landmarks


def test_targets_can_be_the_landmarks_and_then_it_is_said_that_nothing_is_proof(run: Command, tmp_path: Path) -> None:
    write_array(tmp_path / "in.json", [result(1.0)])
    write_array(tmp_path / "anchors.json", [api_anchor()])
    arguments = ["--landmarks-are", "targets", "--probes", "anchors.json", "--anchors-only"]
    out, err = run.fine("ripe-atlas", "in.json", *arguments)
    assert out.splitlines()[1].startswith(f"target:{TARGET},probe:6771,1000000,")
    assert "no verdict from these rows is proof" in err


def test_probes_that_are_no_anchors_can_be_left_out(run: Command, tmp_path: Path) -> None:
    write_array(tmp_path / "in.json", [result(1.0), result(2.0, prb_id=5)])
    write_array(tmp_path / "probes.json", [api_probe(), api_probe(5, is_anchor=True)])
    out, err = run.fine("ripe-atlas", "in.json", "--probes", "probes.json", "--anchors-only")
    assert out.splitlines()[1].startswith("probe:5,")
    assert "1 item  not_anchor" in err


def test_targets_can_be_called_by_name(run: Command, tmp_path: Path) -> None:
    write_array(tmp_path / "in.json", [result(1.0, dst_name="a.example"), result(1.0, dst_name=None)])
    out, err = run.fine("ripe-atlas", "in.json", "--targets-by", "name")
    assert out.splitlines()[1].startswith("probe:6771,target:a.example,")
    assert "in.json item 2, field dst_name: expected the target's name, found none" in err


def test_results_of_clocks_that_were_not_right_lately_can_be_left_out(run: Command, tmp_path: Path) -> None:
    write_array(tmp_path / "in.json", [result(1.0, lts=lts) for lts in (0, 3600, 3601, -1)])
    out, err = run.fine("ripe-atlas", "in.json", "--synced-within", "1h")
    assert out.count("\n") == 1 + 2
    assert "2 item  clock_not_synced" in err


def test_a_place_more_exact_than_it_is_published_is_warned_of(run: Command, tmp_path: Path) -> None:
    write_array(tmp_path / "in.json", [result(1.0)])
    write_array(tmp_path / "probes.json", [api_probe()])
    arguments = ["--probes", "probes.json", "--position-error-m", "50", "--landmarks-out", "lm.csv"]
    assert "blurs places by up to 1000 m" in run.fine("ripe-atlas", "in.json", *arguments)[1]


PING = (
    "PING a.example (192.0.2.1) 56(84) bytes of data.\n"
    "[1772366400.5] 64 bytes from 192.0.2.1: icmp_seq=1 ttl=5 time=12.3 ms\n"
    "[1772366401.5] 64 bytes from 192.0.2.1: icmp_seq=2 ttl=5 time=9.99 ms\n"
)


def test_ping_gives_the_quickest_answer_or_every_one(run: Command, tmp_path: Path) -> None:
    (tmp_path / "out").write_text(PING, encoding="utf-8")
    best = "fra,target:192.0.2.1,9995000,2026-03-01T12:00:01.500Z,"
    assert run.fine("ping", "out", "--landmark", "fra")[0] == f"{HEADER}{best}2\n"
    out, _ = run.fine("ping", "out", "--landmark", "fra", "--every", "--chip", "c7")
    assert [line.split(",")[1:3] for line in out.splitlines()[1:]] == [["c7", "12350000"], ["c7", "9995000"]]


def test_a_time_can_be_given_to_answers_without(run: Command, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("192.0.2.1 : 0.5\n", encoding="utf-8")
    out, _ = run.fine("ping", "out", "--landmark", "fra", "--measured-at", "2026-03-01T13:00:00+01:00")
    assert out == f"{HEADER}fra,target:192.0.2.1,550000,2026-03-01T12:00:00Z,1\n"


def test_csv_of_others_is_imported_by_its_map(run: Command, tmp_path: Path) -> None:
    (tmp_path / "in.tsv").write_text("s\td\tms\nfra\tc\t2\nfra\tc\t1\nfra\tx\tbad\n", encoding="utf-8")
    mapped = ["--map", "landmark_id=s,chip_id=d", "--map", "round_trip_ms=ms", "--separator", "tab", "--add-ms", "0.5"]
    out, err = run.fine("ping", "in.tsv", *mapped)
    assert out == "landmark_id,chip_id,round_trip_ns,samples\nfra,c,1500000,2\n"
    assert "malformed: in.tsv line 4, field ms: expected a number, found 'bad'" in err
    summary, _ = run.fine("ping", "in.tsv", *mapped, "--out", "o.parquet", "--json")
    assert json.loads(summary)["rows_written"] == 1
    assert pq.read_table(tmp_path / "o.parquet").column_names == ["landmark_id", "chip_id", "round_trip_ns", "samples"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["ripe-atlas", "in", "--json"],
        ["ripe-atlas", "in", "--out", "rtt.txt"],
        ["ripe-atlas", "in", "--landmarks-out", "lm.csv", "--position-error-m", "1"],
        ["ripe-atlas", "in", "--landmarks-out", "lm.csv", "--probes", "in"],
        ["ripe-atlas", "in", "--landmarks-out", "lm.txt", "--probes", "in", "--position-error-m", "1"],
        ["ripe-atlas", "in", "--landmarks-out", "a.csv", "--out", "a.csv", "--probes", "in", "--position-error-m", "1"],
        ["ripe-atlas", "in", "--anchors-only"],
        ["ripe-atlas", "in", "--synced-within", "soon"],
        ["ripe-atlas", "in", "--landmarks-are", "both"],
        ["ripe-atlas", "missing"],
        ["ping", "in"],
        ["ping", "in", "--landmark", "a\tb"],
        ["ping", "in", "--landmark", "a", "--add-ms", "1"],
        ["ping", "in", "--landmark", "a", "--separator", ";"],
        ["ping", "in", "--landmark", "a", "--measured-at", "2026-03-01T12:00:00"],
        ["ping", "in", "--map", "landmark_id"],
        ["ping", "in", "--map", "landmark_id=a,chip_id=b"],
        ["ping", "in", "--map", "landmark_id=a,chip_id=b,rtt=c"],
        ["ping", "in", "--map", "landmark_id=a,chip_id=b,round_trip_ms=c,round_trip_ns=d"],
        ["ping", "in", "--map", "landmark_id=a,landmark_id=b,chip_id=b,round_trip_ms=c"],
        ["ping", "in", "--map", "landmark_id=a,round_trip_ms=c"],
        ["ping", "in", "--map", "landmark_id=a,chip_id=b,round_trip_ms=c", "--chip", "x"],
        ["ping", "in", "--map", "landmark_id=a,chip_id=b,round_trip_ms=c", "--separator", "::"],
        ["ping", "in", "--map", "landmark_id=a,chip_id=b,round_trip_ms=c,measured_at=d,measured_at_unix_s=e"],
        ["ping", "in", "--map", "landmark_id=a,chip_id=b,round_trip_ms=c,measured_at=d", "--measured-at",
         "2026-03-01T12:00:00Z"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_cannot_be_meant_is_a_mistake_of_usage(run: Command, tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "in").write_text(PING, encoding="utf-8")
    code, out, _ = run(*arguments)
    assert (code, out) == (ExitCode.USAGE, "")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_standard_input_is_a_file_too(run: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(gzip.compress(PING.encode()))
    with (tmp_path / "in").open("rb") as file:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(file))
        out, err = run.fine("ping", "-", "--landmark", "fra")
    assert out.count("\n") == 2
    assert err.startswith("read 3 items of standard input; wrote 1 row to")


def test_help_shows_examples(run: Command) -> None:
    for command in ("ripe-atlas", "ping"):
        assert f"lightbound import {command} " in run.fine(command, "--help")[0]
