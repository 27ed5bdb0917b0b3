"""How the program starts and how it can end."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.main import get_command
from typer.models import CommandInfo

from lightbound import __version__
from lightbound.cli.app import app, complaint, main
from lightbound.cli.exits import EXIT_OF, ExitCode, exit_code
from lightbound.cli.panels import Panel
from lightbound.errors import ErrorCode, Fault, LightboundError, Malformed, Refused, Unavailable

LIGHTBOUND = Path(sys.executable).with_name("lightbound")
FAULT = Fault(code=ErrorCode.VALUE_MALFORMED, expected="a number", found="'x'", file="a.csv", line=3, column="rtt")


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Give the program one command more, named `do`, for the length of a test."""

    def register(callback: Callable[[], None]) -> None:
        more = [*app.registered_commands, CommandInfo(name="do", callback=callback)]
        monkeypatch.setattr(app, "registered_commands", more)

    return register


def _raises(error: BaseException) -> Callable[[], None]:
    def do() -> None:
        raise error

    return do


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == ExitCode.DONE
    assert capsys.readouterr().out == f"lightbound {__version__}\n"


def test_help_tells_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == ExitCode.DONE
    told = " ".join(capsys.readouterr().out.split())
    assert all(f" {int(code)} " in told for code in ExitCode)


def test_help_lists_every_command_on_one_line_under_who_uses_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out
    lines = told.splitlines()
    shown = [line.split()[0] for line in lines[lines.index(f"{Panel.ALL}:") :] if line.startswith("  ")]
    assert sorted(shown) == sorted(getattr(get_command(app), "commands", {}))
    assert [line for line in lines if len(line) > 80 or "..." in line.removesuffix("[ARGS]...")] == []
    assert [line[:-1] for line in lines if line.removesuffix(":") in set(Panel)] == list(Panel)


def test_an_unknown_option_is_a_mistake_of_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--nonsense"])
    assert ended.value.code == ExitCode.USAGE
    assert "--nonsense" in capsys.readouterr().err


def test_every_class_of_error_has_its_exit_code() -> None:
    assert set(EXIT_OF) == set(LightboundError.__subclasses__())
    assert len(set(EXIT_OF.values())) == len(EXIT_OF)


@pytest.mark.parametrize("kind", [Malformed, Refused, Unavailable])
def test_an_error_ends_the_process_with_its_code_and_one_line_a_fault(
    kind: type[LightboundError],
    command: Callable[[Callable[[], None]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    command(_raises(kind([FAULT, FAULT], total=7)))
    with pytest.raises(SystemExit) as ended:
        main(["do"])
    said = capsys.readouterr()
    assert ended.value.code == exit_code(kind(FAULT))
    assert said.out == ""
    line = f"{kind.__name__.lower()} (value_malformed): expected a number, found 'x' at a.csv line 3, column rtt"
    assert said.err.splitlines() == [line, line, "... and 5 more"]


def test_an_interrupted_command_says_so(command: Callable[[Callable[[], None]], None]) -> None:
    command(_raises(KeyboardInterrupt()))
    with pytest.raises(SystemExit) as ended:
        main(["do"])
    assert ended.value.code == ExitCode.INTERRUPTED == 128 + signal.SIGINT


def test_a_bug_is_not_hidden(command: Callable[[Callable[[], None]], None]) -> None:
    command(_raises(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        main(["do"])


def test_what_a_file_holds_cannot_write_to_the_terminal() -> None:
    fault = Fault(code=ErrorCode.VALUE_MALFORMED, expected="an id", found="'a\x1b[2J\nb\u202e\ud800é'")
    assert complaint(Malformed(fault)) == (
        "malformed (value_malformed): expected an id, found 'a\\x1b[2J\\nb\\u202e\\ud800é'"
    )


def test_output_that_nobody_reads_any_more_is_not_a_success() -> None:
    command = f"{LIGHTBOUND} --help | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["/bin/bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (ExitCode.UNAVAILABLE, "")


def test_a_full_disk_is_not_a_bug() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run([LIGHTBOUND, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == ExitCode.UNAVAILABLE
    assert done.stderr == "unavailable: standard output cannot be written: No space left on device\n"


def test_help_loads_nothing_heavy() -> None:
    look = "import sys, lightbound.cli.app; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"numba", "numpy", "pyarrow", "rich", "shapely", "asyncio", "email"}
