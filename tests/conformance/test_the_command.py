"""`lightbound conformance` against adapters that are right and wrong: what it finds, says and ends with."""

import json
import os
import select
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lightbound.cli.app import main
from lightbound.cli.exits import ExitCode
from lightbound.conformance.command import Command
from lightbound.errors import Unavailable

HERE = Path(__file__).resolve().parent
Run = Callable[..., tuple[int, str, str]]


def adapter(how: str) -> str:
    """The command line of a broken adapter."""
    return shlex.join([sys.executable, str(HERE / "broken.py"), how])


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command; returns exit code, standard output and standard error."""

    def on(*options: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["conformance", *options])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return on


def told(run: Run, *options: str) -> tuple[int, dict[str, Any]]:
    """Exit code and what stands in the object."""
    code, out, _ = run("--json", *options)
    assert out.count("\n") == 1
    found: dict[str, Any] = json.loads(out)
    return code, found


def test_our_own_reference_passes(run: Run) -> None:
    code, out, err = run()
    assert code == ExitCode.DONE, err
    assert "passed, asked of our own reference" in out


def test_our_own_adapter_passes_every_vector_as_another_process(run: Run) -> None:
    command = shlex.join(
        [sys.executable, "-c", "from lightbound.cli.app import main; main()", "conformance", "--answer"]
    )
    code, found = told(run, "--command", command)
    assert code == ExitCode.DONE, found["differ"][:3]
    assert found["vectors"] == found["passed"] > 1_000
    assert (found["format"], found["command"]) == ("lightbound.conformance/1", command)


def test_the_second_landmark_passes_what_is_asked_of_landmarks(run: Run) -> None:
    code, found = told(run, "--role", "landmark", "--command", f"{sys.executable} {HERE / 'independent.py'}")
    assert code == ExitCode.DONE, found["differ"][:3]
    assert found["vectors"] == found["passed"] > 400


def test_the_second_landmark_shares_no_code_with_the_first() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (HERE / "independent.py", *(HERE / "second").glob("*.py"))]
    assert len(texts) > 4
    imports = [line for text in texts for line in text.splitlines() if line.lstrip().startswith(("import ", "from "))]
    assert [line for line in imports if "lightbound" in line or "cbor2" in line] == []


def test_an_implementation_that_accepts_everything_is_caught_at_every_refusal(run: Run) -> None:
    code, found = told(run, "--only", "session*", "--only", "ack-*", "--command", adapter("accepting"))
    assert code == ExitCode.REFUSED
    names = {one["name"] for one in found["differ"]}
    assert {"session-flipped-signature", "session-duplicate-key", "ack-close-short"} <= names
    assert "session" not in names
    assert {one["path"] for one in found["differ"]} == {"refusal"}


def test_an_implementation_that_swaps_the_directions_is_caught_and_shown_where(run: Run) -> None:
    code, out, _ = run("--only", "timed-keys-*", "--command", adapter("swapping"))
    assert code == ExitCode.REFUSED
    assert "timed-keys-landmark: as the landmark derives them" in out
    assert "result.to_landmark from byte 0" in out
    assert "7 of 11 passed" in out


def test_a_refusal_for_another_reason_is_a_difference(run: Run) -> None:
    code, found = told(run, "--only", "packet-*", "--command", adapter("misnaming"))
    assert code == ExitCode.REFUSED
    assert {one["found"] for one in found["differ"]} == {"refused (wrong_key)"}
    assert {one["expected"] for one in found["differ"]} == {"malformed (packet_malformed)"}


def test_an_operation_that_is_not_supported_is_a_difference(run: Run) -> None:
    code, found = told(run, "--only", "key-id", "--command", adapter("ignorant"))
    assert (code, found["passed"]) == (ExitCode.REFUSED, 0)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("silent", "expected an answer within 0.5 s, found none at vector"),
        ("unread", "expected an answer within 0.5 s, found none at vector"),
        ("deaf", "found the end of what it says"),
        ("killed", "found that it was ended by signal 9"),
        ("garbage", r"a JSON object, at most 32 deep, found 'Segmentation fault (not really)\x1b[31m' at vector"),
        ("array", "expected a line with a JSON object, at most 32 deep, found '[1]'"),
        ("deep", """a JSON object, at most 32 deep, found '{"id":1,"result":[[["""),
        ("deeper", """a JSON object, at most 32 deep, found '{"id":1,"result":[[["""),
        ("endless", "a longer one"),
    ],
)
def test_who_does_not_answer_is_unavailable(run: Run, how: str, says: str) -> None:
    patience = "5" if how == "endless" else "0.5"
    code, out, err = run("--only", "session-oversize", "--timeout-s", patience, "--command", adapter(how))
    assert (code, out) == (ExitCode.UNAVAILABLE, "")
    assert err.startswith("unavailable (read_failed): ")
    assert says in err
    assert err.count("\n") == 1


def test_a_crash_is_told_with_its_exit_code_and_the_vector_at_which_it_happened(run: Run) -> None:
    code, _, err = run("--only", "key-id-*", "--command", adapter("crashing"))
    assert code == ExitCode.UNAVAILABLE
    assert "found that it ended with exit code 7 at vector key-id-" in err


def test_answers_to_another_question_are_not_taken(run: Run) -> None:
    code, _, err = run("--only", "key-id-*", "--command", adapter("twice"))
    assert code == ExitCode.UNAVAILABLE
    assert "expected the answer to question 2, found one with id 1" in err


@pytest.mark.parametrize("command", ["/nowhere/to/be/found", "", "'unbalanced", "/"])
def test_a_command_that_cannot_be_run_is_unavailable(run: Run, command: str) -> None:
    code, out, err = run("--only", "key-id", "--command", command)
    assert (code, out) == (ExitCode.UNAVAILABLE, "")
    assert "expected a command that can be run" in err


def test_no_shell_looks_at_the_command(run: Run, tmp_path: Path) -> None:
    code, _, _ = run("--only", "key-id", "--command", f"echo $HOME > {tmp_path / 'made'}")
    assert code == ExitCode.UNAVAILABLE
    assert not (tmp_path / "made").exists()


def test_what_a_command_started_ends_with_it(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Unavailable), Command(adapter("spawning"), timeout_s=1.0) as running:
        running.ask({"do": "key_id"})
    try:
        child = os.pidfd_open(int(capfd.readouterr().err))
    except ProcessLookupError:
        return  # gone already
    # Killed, it ends when it is next given the processor; readable means ended, whether or not anybody waited for it.
    ended, _, _ = select.select([child], [], [], 10.0)
    os.close(child)
    assert ended


def test_vectors_are_listed_without_asking_anybody(run: Run) -> None:
    code, out, _ = run("--list", "--only", "session-d*", "--command", "/nowhere/to/be/found")
    assert code == ExitCode.DONE
    assert "session-duplicate-key" in out
    assert "malformed" in out


def test_the_list_as_an_object_holds_the_vectors_whole(run: Run) -> None:
    code, found = told(run, "--list", "--only", "key-id")
    assert code == ExitCode.DONE
    (vector,) = found["list"]
    assert vector["operation"]["do"] == "key_id"
    assert vector["roles"] == ["landmark", "agent", "checker"]
    assert vector["expect"]["result"]["id"]


@pytest.mark.parametrize(
    "options", [["--only", "nothing"], ["--role", "operator"], ["--answer", "--list"], ["--timeout-s", "0"]]
)
def test_a_question_that_makes_no_sense_is_a_mistake_of_usage(run: Run, options: list[str]) -> None:
    code, out, _ = run(*options)
    assert (code, out) == (ExitCode.USAGE, "")
