"""`lightbound log` as a person or a script meets it before there is a log."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from lightbound.cli.landmark import landmark_app
from lightbound.cli.log import log_app
from lightbound.errors import ErrorCode, LightboundError, Malformed, Refused, Unavailable
from lightbound.files.keys import key_path, read_key
from lightbound.keys.purposes import Purpose
from lightbound.roles.log.origin import origin_of
from lightbound.tlog.checkpoint import log_key
from lightbound.tlog.cosignature import witness_key
from lightbound.tlog.entries import write_entry
from lightbound.tlog.note import read_vkey
from lightbound.tlog.proof import check_proof, read_proof
from lightbound.tlog.submission import MOST_BYTES
from tests.net.logs import NAMED, SmallLog, answering
from tests.net.test_log_submission import statement
from tests.ranging.parties import key

ORIGIN = "log.example/test"
VKEY = str(log_key(ORIGIN, key(Purpose.LOG).verifying))
WITNESS = str(witness_key("witness.example", key(Purpose.WITNESS).verifying))


def test_init_makes_a_key_once_and_prints_what_others_know_the_log_by(tmp_path: Path) -> None:
    arguments = ["init", "--data", str(tmp_path / "log"), "--origin", ORIGIN, "--json"]
    first = CliRunner().invoke(log_app, arguments)
    assert first.exit_code == 0
    told = json.loads(first.output)
    kept = read_key(key_path(tmp_path / "log", Purpose.LOG), Purpose.LOG).verifying
    assert read_vkey(told["vkey"]) == log_key(ORIGIN, kept)
    again = CliRunner().invoke(log_app, arguments)
    assert isinstance(again.exception, LightboundError)
    assert again.exception.faults[0].code is ErrorCode.DUPLICATE
    assert json.loads(CliRunner().invoke(log_app, [*arguments, "--keep-key"]).output) == told


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "line\nbreak", "tab\there", "x" * 257])
def test_a_name_that_no_log_can_have_is_refused_before_there_is_a_key(origin: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(log_app, ["init", "--data", str(tmp_path / "log"), "--origin", origin])
    assert isinstance(result.exception, LightboundError)
    assert not (tmp_path / "log").exists()


def test_a_log_runs_under_the_name_of_its_init_and_no_other(tmp_path: Path) -> None:
    data = ["--data", str(tmp_path / "log")]
    CliRunner().invoke(log_app, ["init", *data, "--origin", ORIGIN])
    for command in (["run", "--admission", str(tmp_path)], ["init", "--keep-key"]):
        result = CliRunner().invoke(log_app, [*command, *data, "--origin", "log.example/tset"])
        assert isinstance(result.exception, Refused), result.output
        assert ORIGIN in str(result.exception)
    for given in ([], ["--origin", ORIGIN]):
        result = CliRunner().invoke(log_app, ["run", "--admission", str(tmp_path), *data, *given])
        # What is missing is the next thing that is looked for, the admission folder.
        assert isinstance(result.exception, Unavailable), result.output
    assert origin_of(tmp_path / "log", None) == ORIGIN


def test_a_log_without_a_name_has_the_one_that_is_given(tmp_path: Path) -> None:
    assert origin_of(tmp_path, ORIGIN) == ORIGIN
    assert origin_of(tmp_path, None) is None
    (tmp_path / "origin").write_bytes(b"\xff")
    with pytest.raises(Malformed):
        origin_of(tmp_path, ORIGIN)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "--origin", ORIGIN], "--admission"),
        (["run", "--admission", "."], "--origin"),
        (
            ["run", "--origin", ORIGIN, "--admission", ".", "--witness", f"{WITNESS} nowhere"],
            "vkey, a space and its URL",
        ),
        (["audit", ".", "--log-key", VKEY, "--witness-threshold", "1"], "there are 0 witnesses"),
        (["audit", ".", "--log-key", VKEY, "--witness", WITNESS, "--witness", WITNESS], "expected each witness once"),
        (["audit", "."], "--log-key"),
        (["monitor", ".", "--log-key", VKEY, "--held", "."], "--state"),
    ],
)
def test_a_wrong_use_is_told_with_what_was_expected(arguments: list[str], says: str) -> None:
    result = CliRunner().invoke(log_app, arguments)
    assert result.exit_code == 2
    assert says in " ".join(result.output.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--origin", ORIGIN, "--admission", ".", "--witness", f"{VKEY} http://w.example"],
        ["audit", ".", "--log-key", WITNESS],
        ["audit", ".", "--log-key", VKEY, "--witness", VKEY],
        ["monitor", ".", "--log-key", WITNESS, "--held", ".", "--state", "state"],
        ["submit", "http://127.0.0.1:1", __file__, "--log-key", WITNESS],
    ],
)
def test_the_key_of_a_witness_is_taken_for_no_logs_nor_the_other_way(arguments: list[str]) -> None:
    """It would be one of which no signature is ever found."""
    result = CliRunner().invoke(log_app, arguments)
    assert isinstance(result.exception, LightboundError)
    assert result.exception.faults[0].code is ErrorCode.KEY_MALFORMED


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["audit", ".", "--log-key", "nonsense"], ErrorCode.KEY_MALFORMED),
        (["audit", "/nowhere", "--log-key", VKEY], ErrorCode.READ_FAILED),
        (["audit", "http://127.0.0.1:1", "--log-key", VKEY], ErrorCode.PEER_UNREACHABLE),
    ],
)
def test_what_cannot_be_looked_at_is_an_error_of_ours(arguments: list[str], code: ErrorCode) -> None:
    result = CliRunner().invoke(log_app, arguments)
    assert isinstance(result.exception, LightboundError)
    assert result.exception.faults[0].code is code


def test_a_landmark_needs_a_log_and_its_key_together() -> None:

    for given in (["--log", "http://127.0.0.1:1"], ["--log-key", VKEY], ["--log", "ftp://x", "--log-key", VKEY]):
        result = CliRunner().invoke(landmark_app, ["run", "--verifier", "5f" * 32, *given])
        assert result.exit_code == 2


@pytest.fixture
def small() -> Iterator[SmallLog]:
    with answering(SmallLog()) as log:
        yield log


def files(folder: Path, lengths: Sequence[int]) -> list[Path]:
    """Statements of these lengths, each a file."""
    made = [folder / f"s{number}.cose" for number in range(len(lengths))]
    for number, (path, length) in enumerate(zip(made, lengths, strict=True)):
        path.write_bytes(statement(number, length))
    return made


def submit(log: SmallLog, *arguments: Path | str) -> Result:
    return CliRunner().invoke(log_app, ["submit", log.url, *map(str, arguments), "--log-key", str(NAMED), "--json"])


def faults_of(result: Result) -> list[tuple[ErrorCode, str | None]]:
    """Of a command that ends with exit code 5, that is: the others are of other classes."""
    assert type(result.exception) is Unavailable
    return [(fault.code, fault.file) for fault in result.exception.faults]


def receipts(keep: Path) -> list[str]:
    return sorted(path.name for path in keep.iterdir())


def test_receipts_of_all_that_is_submitted_are_kept_however_long_it_is(small: SmallLog, tmp_path: Path) -> None:
    """Sixteen statements of this length would be more than a log takes at once."""
    given = files(tmp_path, [50_000] * 12 + [0] * 20)
    result = submit(small, *given, "--keep", tmp_path / "keep" / "here")
    assert result.exit_code == 0, result.output
    assert max(small.bodies) <= MOST_BYTES
    for number, path in enumerate(given):
        proof = read_proof((tmp_path / "keep" / "here" / f"{path.stem}.tlog-proof").read_bytes())
        check_proof(proof, write_entry(path.read_bytes()), NAMED)
        assert proof.index == number


@pytest.mark.parametrize("keep", ["file/keep", "file/keep/deeper", "/proc/nowhere/keep"])
def test_where_receipts_cannot_be_kept_nothing_is_sent(keep: str, small: SmallLog, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    place = tmp_path / keep
    assert faults_of(submit(small, *files(tmp_path, [0]), "--keep", place)) == [(ErrorCode.WRITE_FAILED, str(place))]
    assert small.bodies == []


def test_a_receipt_that_cannot_be_written_is_named_and_the_others_are_kept(small: SmallLog, tmp_path: Path) -> None:
    keep = tmp_path / "keep"
    (keep / "s1.tlog-proof").mkdir(parents=True)
    result = submit(small, *files(tmp_path, [0] * 3), "--keep", keep)
    assert faults_of(result) == [(ErrorCode.WRITE_FAILED, str(keep / "s1.tlog-proof"))]
    assert receipts(keep) == ["s0.tlog-proof", "s1.tlog-proof", "s2.tlog-proof"]
    assert [row["entry"] for row in json.loads(result.output)["submitted"]] == [0, 1, 2]


def test_two_files_that_would_have_one_receipt_are_a_wrong_use(small: SmallLog, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    given = [*files(tmp_path / "a", [0]), *files(tmp_path / "b", [1])]
    result = submit(small, *given, "--keep", tmp_path / "keep")
    assert (result.exit_code, small.bodies, (tmp_path / "keep").exists()) == (2, [], False)
    assert "s0" in result.output
    assert submit(small, *given).exit_code == 0


def test_a_false_proof_is_the_logs_fault_and_costs_no_other_its_receipt(small: SmallLog, tmp_path: Path) -> None:
    given, keep = files(tmp_path, [0, 1, 2]), tmp_path / "keep"
    small.is_false = lambda one: one == given[1].read_bytes()
    result = submit(small, *given, "--keep", keep)
    assert faults_of(result) == [(ErrorCode.PEER_MISBEHAVED, str(given[1]))]
    assert receipts(keep) == ["s0.tlog-proof", "s2.tlog-proof"]
    assert [row.get("entry", row.get("unproven")) for row in json.loads(result.output)["submitted"]] == [
        0,
        "peer_misbehaved",
        2,
    ]


def test_receipts_from_before_a_log_went_down_are_kept(small: SmallLog, tmp_path: Path) -> None:
    small.answers = 1
    result = submit(small, *files(tmp_path, [0] * 20), "--keep", tmp_path / "keep")
    assert faults_of(result) == [(ErrorCode.PEER_MISBEHAVED, small.url)]
    assert len(receipts(tmp_path / "keep")) == len(json.loads(result.output)["submitted"]) == 16


def test_a_statement_too_long_for_an_entry_keeps_all_from_being_sent(small: SmallLog, tmp_path: Path) -> None:
    given = files(tmp_path, [0, 65_380])
    result = submit(small, *given)
    assert isinstance(result.exception, LightboundError)
    assert result.exception.faults[0].file == str(given[1])
    assert small.bodies == []
