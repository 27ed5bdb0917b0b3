"""`lightbound keys`, and the commands that read protected keys, as people meet them."""

import json
import os
import pty
import re
import select
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from lightbound.cli.app import main
from lightbound.cli.exits import ExitCode
from lightbound.files.keys import key_path, read_key_and_passphrase
from lightbound.files.passphrases import IN_ENVIRONMENT, IN_FILE
from lightbound.keys.purposes import Purpose
from lightbound.keys.rotation import read_rotation

Run = Callable[..., tuple[int, str, str]]

PROGRAM = [sys.executable, "-c", "from lightbound.cli.app import main; main()"]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in a folder of its own, with a passphrase in a file; exit code, standard output and error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(IN_ENVIRONMENT, raising=False)
    _word("word", "correct horse")
    monkeypatch.setenv(IN_FILE, "word")

    def on(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return on


def _word(name: str, text: str) -> None:
    Path(name).write_text(f"{text}\n")
    Path(name).chmod(0o600)


def _done(run: Run, *words: str) -> str:
    code, out, err = run(*words)
    assert code == ExitCode.DONE, err
    return out


def _operator(run: Run, *more: str) -> Path:
    _done(run, "operator", "init", "--data", "op", "--name", "Us", "--owner", "We", "--out", "operator.cose", *more)
    return Path("op/keys/operator.pem")


def _shown(run: Run, path: Path | str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(_done(run, "keys", "show", str(path), "--json"))
    return told


def test_a_key_is_protected_and_unprotected_and_stays_the_same(run: Run) -> None:
    path = _operator(run)
    before, whole = _shown(run, path), path.read_bytes()
    assert before["protected"] is False
    assert before["key"] in _done(run, "keys", "protect", str(path))
    assert _shown(run, path) == {**before, "protected": True}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert before["key"] in _done(run, "keys", "unprotect", str(path))
    assert path.read_bytes() == whole


@pytest.mark.parametrize("party", ["operator", "directory"])
def test_an_offline_key_can_be_made_protected_and_signs_with_the_passphrase_alone(run: Run, party: str) -> None:
    if party == "operator":
        path = _operator(run, "--protect")
    else:
        _done(run, "directory", "init", "--data", "p", "--protect")
        path = Path("p/keys/directory.pem")
    assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED")
    assert _shown(run, path)["protected"] is True


def test_a_protected_operator_signs_where_a_landmark_stands(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    _operator(run, "--protect")
    place = "--latitude 1 --longitude 2 --error-m 9 --altitude-m 1 --hosting H --jurisdiction SG --surveyed S"
    _done(run, "landmark", "init", "--data", "lm", "--out", "request.json", *place.split())
    sign = ("operator", "sign", "request.json", "--data", "op", "--out", "position.cose")
    _word("word", "wrong")
    code, _, err = run(*sign)
    assert code == ExitCode.REFUSED
    assert "passphrase_refused" in err
    assert "op/keys/operator.pem" in err
    assert not Path("position.cose").exists()
    monkeypatch.delenv(IN_FILE)
    monkeypatch.setenv(IN_ENVIRONMENT, "correct horse")
    _done(run, *sign)
    assert Path("position.cose").exists()


def test_protect_is_for_a_new_key(run: Run) -> None:
    _operator(run)
    words = ("--data", "op", "--name", "Us", "--owner", "We", "--out", "again.cose", "--keep-key", "--protect")
    code, _, err = run("operator", "init", *words)
    assert code == ExitCode.USAGE
    assert "lightbound keys protect" in err


def test_a_passphrase_that_is_not_there_leaves_no_key(run: Run) -> None:
    Path("word").unlink()
    code, _, err = run("directory", "init", "--data", "p", "--protect")
    assert code == ExitCode.UNAVAILABLE
    assert "word" in err
    assert not Path("p").exists()


def test_a_protected_key_gets_another_passphrase(run: Run) -> None:
    path = _operator(run, "--protect")
    _word("new", "battery")
    _done(run, "keys", "protect", str(path), "--new-passphrase-file", "new")
    assert run("keys", "show", str(path))[0] == ExitCode.REFUSED
    _word("word", "battery")
    assert _shown(run, path)["protected"] is True


@pytest.mark.parametrize("command", ["protect", "unprotect"])
def test_what_cannot_be_rewritten_stays_as_it_was(run: Run, command: str) -> None:
    path = _operator(run, "--protect")
    before = path.read_bytes()
    _word("word", "wrong")
    assert run("keys", command, str(path))[0] == ExitCode.REFUSED
    path.chmod(0o644)
    assert run("keys", command, str(path))[0] == ExitCode.REFUSED
    path.chmod(0o600)
    assert path.read_bytes() == before
    path.write_bytes(before[:-40])
    assert run("keys", command, str(path))[0] == ExitCode.MALFORMED
    assert path.read_bytes() == before[:-40]
    assert run("keys", command, "nowhere.pem")[0] == ExitCode.UNAVAILABLE


def _at_a_terminal(words: Sequence[str], answers: Sequence[bytes], folder: Path) -> tuple[int, bytes]:
    """Exit code of a command at a terminal, and what stood there; an answer is typed at each question."""
    environment = {name: value for name, value in os.environ.items() if name not in {IN_FILE, IN_ENVIRONMENT}}
    terminal, inside = pty.openpty()
    # Its own session, with this terminal as the one that /dev/tty names.
    program = f"import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY); {PROGRAM[2]}"
    child = subprocess.Popen(
        [sys.executable, "-c", program, *words], cwd=folder, env=environment, start_new_session=True,
        stdin=inside, stdout=inside, stderr=inside,
    )  # fmt: skip
    os.close(inside)
    seen, left, looked, give_up = b"", list(answers), 0, time.monotonic() + 60
    while time.monotonic() < give_up:
        if left and re.search(rb": $", seen[looked:]):
            looked = len(seen)
            os.write(terminal, left.pop(0) + b"\n")
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                seen += os.read(terminal, 4_096)
            except OSError:  # Linux: the other end was closed
                break
    os.close(terminal)
    return child.wait(timeout=60), seen


def test_somebody_at_a_terminal_is_asked_and_nothing_that_was_typed_is_shown(run: Run, tmp_path: Path) -> None:
    path = _operator(run)
    word = "pässword".encode()
    code, seen = _at_a_terminal(["keys", "protect", str(path)], [word, word], tmp_path)
    assert code == ExitCode.DONE, seen
    assert word not in seen
    assert b"Once more" in seen
    code, seen = _at_a_terminal(["keys", "show", str(path)], [b"wrong"], tmp_path)
    assert code == ExitCode.REFUSED
    assert b"passphrase_refused" in seen
    code, seen = _at_a_terminal(["keys", "unprotect", str(path)], [word], tmp_path)
    assert code == ExitCode.DONE, seen
    assert _shown(run, path)["protected"] is False


def test_a_passphrase_mistyped_once_protects_nothing(run: Run, tmp_path: Path) -> None:
    path = _operator(run)
    before = path.read_bytes()
    code, seen = _at_a_terminal(["keys", "protect", str(path)], [b"one", b"two"], tmp_path)
    assert code == ExitCode.REFUSED, seen
    assert path.read_bytes() == before


def test_a_process_that_runs_reads_its_protected_key(run: Run) -> None:
    """As far as the address that it may not have: its key was read before."""
    _done(run, "witness", "init", "--data", "w", "--name", "w.example/1")
    _done(run, "keys", "protect", "w/keys/witness.pem")
    vkey = json.loads(_done(run, "log", "init", "--data", "l", "--origin", "l.example/1", "--json"))["vkey"]
    words = ["witness", "run", "--data", "w", "--log", vkey, "--listen", "192.0.2.1:1"]
    done = subprocess.run([*PROGRAM, *words], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == ExitCode.UNAVAILABLE
    assert "192.0.2.1" in done.stderr
    environment = {name: value for name, value in os.environ.items() if name != IN_FILE}
    done = subprocess.run(
        [*PROGRAM, *words], capture_output=True, text=True, check=False, timeout=60, env=environment,
        start_new_session=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == ExitCode.REFUSED
    assert IN_FILE in done.stderr


@pytest.mark.parametrize(("what", "name"), [("log", "--origin"), ("witness", "--name")])
def test_a_rotation_leaves_the_old_key_and_puts_the_new_one_beside_it(run: Run, what: str, name: str) -> None:
    made = json.loads(_done(run, what, "init", "--data", "d", name, "a.example/b", "--json"))
    old = Path(f"d/keys/{what}.pem").read_bytes()
    rotate = ("keys", "rotate", what, "--data", "d", "--name", "a.example/b", "--out", "rotation.cose")
    told = json.loads(_done(run, *rotate, "--from", "2026-03-01T12:00:00Z", "--json"))
    assert Path(f"d/keys/{what}.pem").read_bytes() == old
    beside = Path(f"d/keys/{what}.next.pem")
    assert (told["what"], told["name"], told["old_vkey"]) == (what, "a.example/b", made["vkey"])
    assert (told["old"], told["new"]) == (made["key"], _shown(run, beside)["key"])
    assert told["from"] == "2026-03-01T12:00:00Z"
    assert _shown(run, "rotation.cose") == told
    # Again: the new key is not replaced, and the statement is the same.
    before = Path("rotation.cose").read_bytes()
    _done(run, *rotate, "--from", "2026-03-01T12:00:00Z")
    assert Path("rotation.cose").read_bytes() == before


def test_the_next_key_is_under_the_same_passphrase(run: Run) -> None:
    _done(run, "log", "init", "--data", "l", "--origin", "a.example/b")
    _done(run, "keys", "protect", "l/keys/log.pem")
    _done(run, "keys", "rotate", "log", "--data", "l", "--name", "a.example/b", "--out", "r.cose")
    assert read_key_and_passphrase(Path("l/keys/log.next.pem"), Purpose.LOG)[1] == b"correct horse"


def test_a_landmarks_next_key_is_a_new_landmarks(run: Run) -> None:
    place = "--latitude 1 --longitude 2 --error-m 9 --altitude-m 1 --hosting H --jurisdiction SG --surveyed S"
    for folder in ("lm", "lm-2"):
        _done(run, "landmark", "init", "--data", folder, "--out", f"{folder}.json", *place.split())
    new = str(key_path(Path("lm-2"), Purpose.LANDMARK))
    _done(run, "keys", "rotate", "landmark", "--data", "lm", "--new", new, "--out", "r.cose")
    read = read_rotation(Path("r.cose").read_bytes())
    assert read.new.raw.hex() == _shown(run, new)["key"]
    assert read.name == _shown(run, "lm/keys/landmark.pem")["id"]
    assert _shown(run, "r.cose")["new_vkey"] is None


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["operator", "--out", "r.cose"], "landmark"),
        (["log", "--data", "l", "--out", "r.cose"], "--name"),
        (["log", "--data", "l", "--name", "a b", "--out", "r.cose"], "--name"),
        (["landmark", "--data", "l", "--name", "x", "--out", "r.cose"], "--name"),
        (["log", "--data", "l", "--name", "a.example/b", "--out", "r"], ".cose"),
        (["log", "--data", "l", "--name", "a.example/b", "--out", "no/r.cose"], "no folder"),
        (["log", "--data", "l", "--name", "a.example/b", "--out", "r.cose", "--new", "l/keys/log.pem"], "another file"),
        (["log", "--data", "l", "--name", "a.example/b", "--out", "r.cose", "--new", "copy/log.pem"], "another key"),
    ],
)
def test_a_wrong_use_is_told_and_makes_nothing(run: Run, words: list[str], says: str) -> None:
    _done(run, "log", "init", "--data", "l", "--origin", "a.example/b")
    Path("copy").mkdir()
    Path("copy/log.pem").write_bytes(Path("l/keys/log.pem").read_bytes())
    Path("copy/log.pem").chmod(0o600)
    code, _, err = run("keys", "rotate", *words)
    assert code == ExitCode.USAGE
    assert says in " ".join(err.split())
    assert not Path("r.cose").exists()
    assert [path.name for path in Path("l/keys").iterdir()] == ["log.pem"]


def test_a_rotation_that_was_changed_is_refused(run: Run) -> None:
    _done(run, "log", "init", "--data", "l", "--origin", "a.example/b")
    _done(run, "keys", "rotate", "log", "--data", "l", "--name", "a.example/b", "--out", "r.cose")
    data = Path("r.cose").read_bytes()
    Path("r.cose").write_bytes(data.replace(b"a.example/b", b"a.example/c"))
    code, _, err = run("keys", "show", "r.cose")
    assert code == ExitCode.REFUSED
    assert "signature_invalid" in err
    assert "r.cose" in err
    Path("r.cose").write_bytes(data[:-1])
    assert run("keys", "show", "r.cose")[0] == ExitCode.MALFORMED


def test_no_command_takes_a_passphrase_as_an_argument(run: Run) -> None:
    for command in ("protect", "unprotect", "show", "rotate"):
        told = _done(run, "keys", command, "--help")
        assert "--passphrase " not in told
        assert not [option for option in re.findall(r"--[\w-]*passphrase[\w-]*", told) if not option.endswith("-file")]
