"""A witness as a process: asked over HTTP (C2SP tlog-witness), by hand and by a log; killed, and shown a fork."""

import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from lightbound.tlog.checkpoint import read_text, sign_checkpoint
from lightbound.tlog.cosignature import cosignatures, read_cosignature
from lightbound.tlog.note import read_note, read_signature_line, write_note
from lightbound.tlog.witness import MOST_REQUEST_BYTES, AddCheckpoint
from tests.roles.landmark.running import free_port, world
from tests.roles.log.running import new_log, until
from tests.roles.log.running import running as running_log
from tests.roles.witness.running import WitnessProcess, looked, new_witness, running
from tests.tlog.histories import LOG, LOG_KEY, ORIGIN, asked, branched, checkpoint, leaves


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WitnessProcess]:
    folder = tmp_path_factory.mktemp("witness") / "data"
    with running(new_witness(folder, "witness.example/w1", free_port("127.0.0.1"), [LOG_KEY])) as one:
        yield one


def add(witness: WitnessProcess, request: AddCheckpoint | bytes) -> httpx.Response:
    body = request if isinstance(request, bytes) else request.encoded()
    return httpx.post(f"{witness.url}/add-checkpoint", content=body, timeout=20)


def test_every_answer_has_its_status(witness: WitnessProcess) -> None:
    answer = add(witness, asked(leaves(4), 0))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert answer.text.endswith("\n")
    (line,) = answer.text.splitlines()
    read_cosignature(read_signature_line(line), checkpoint(leaves(4)).text(), witness.named)
    # The answer can be put below the checkpoint as it is.
    note = read_note(asked(leaves(4), 0).checkpoint + answer.content)
    assert len(cosignatures(note, (witness.named,))) == 1

    for request in (asked(leaves(6), 0), asked(leaves(6), 5), asked(leaves(3), 3), asked(branched(1, 4), 4)):
        answer = add(witness, request)
        assert (answer.status_code, answer.text) == (409, "4\n")
        assert answer.headers["content-type"] == "text/x.tlog.size"
    assert add(witness, asked(branched(1, 6), 4)).status_code == 422
    assert add(witness, replace(asked(leaves(6), 4), proof=())).status_code == 422
    assert add(witness, replace(asked(leaves(3), 3), old=4)).status_code == 400
    for body in (b"", b"old 4\n\nno note", asked(leaves(6), 4).encoded().replace(b"old", b"new")):
        assert add(witness, body).status_code == 400
    other_note = write_note("no checkpoint\n", ORIGIN, LOG)
    assert add(witness, AddCheckpoint(old=4, proof=(), checkpoint=other_note)).status_code == 400
    assert add(witness, bytes(MOST_REQUEST_BYTES + 1)).status_code == 413
    other = sign_checkpoint(checkpoint(leaves(6), origin="log.example/unknown"), LOG)
    assert add(witness, replace(asked(leaves(6), 4), checkpoint=other)).status_code == 404
    forged = replace(read_note(asked(leaves(6), 4).checkpoint), text=checkpoint(leaves(7)).text())
    assert add(witness, replace(asked(leaves(6), 4), checkpoint=forged.encoded())).status_code == 403
    assert httpx.get(f"{witness.url}/add-checkpoint").status_code == 405
    # Through all of that it has stayed where it was.
    assert add(witness, asked(leaves(4), 4)).status_code == 200


def test_what_it_does_is_counted_and_its_health_is_told(witness: WitnessProcess) -> None:
    health = httpx.get(f"{witness.url}/health").json()
    assert (health["ok"], health["key"], health["logs"]) == (True, str(witness.named), [ORIGIN])
    add(witness, asked(leaves(4), 0))
    metrics = httpx.get(f"{witness.url}/metrics").text
    assert 'lightbound_witness_asked_total{end="elsewhere"}' in metrics


@pytest.mark.long
def test_a_fork_is_shown_with_what_the_log_signed(tmp_path: Path) -> None:
    with running(new_witness(tmp_path / "data", "witness.example/w2", free_port("127.0.0.1"), [LOG_KEY])) as one:
        assert add(one, asked(leaves(4), 0)).status_code == 200
        code, output = looked("show", "--data", str(one.data), "--json")
        assert (code, json.loads(output)["refused"]) == (0, [])
        assert add(one, asked(branched(1, 4), 4)).status_code == 409
    code, output = looked("show", "--data", str(one.data), "--keep", str(tmp_path / "kept"))
    assert code == 4
    assert "log_forked" in output
    assert "cosigned log.example/test  size 4" in output
    assert (tmp_path / "kept" / "forked-1").read_bytes() == asked(branched(1, 4), 4).checkpoint
    assert (tmp_path / "kept" / "forked-1.cosigned").read_bytes() == asked(leaves(4), 0).checkpoint


@pytest.mark.long
def test_a_witness_that_has_a_key_never_begins_again_with_nothing_seen(tmp_path: Path) -> None:
    one = new_witness(tmp_path / "data", "witness.example/w3", free_port("127.0.0.1"), [LOG_KEY])
    code, output = looked("init", "--data", str(one.data), "--name", "witness.example/w3")
    assert code != 0
    assert "must not begin again" in output
    (one.data / "witness.sqlite").unlink()
    code, output = looked("run", "--data", str(one.data), "--log", str(LOG_KEY))
    assert code == 4
    assert "store_broken" in output
    assert not (one.data / "witness.sqlite").exists()
    assert looked("init", "--data", str(tmp_path / "other"), "--name", "a name")[0] != 0
    assert looked("run", "--data", str(one.data), "--log", str(one.named))[0] == 3


@pytest.mark.long
def test_a_new_key_goes_on_with_what_was_seen(tmp_path: Path) -> None:
    one = new_witness(tmp_path / "data", "witness.example/w4", free_port("127.0.0.1"), [LOG_KEY])
    with running(one):
        assert add(one, asked(leaves(4), 0)).status_code == 200
    (one.data / "keys" / "witness.pem").unlink()
    new = new_witness(tmp_path / "data", "witness.example/w4", free_port("127.0.0.1"), [LOG_KEY])
    assert new.named != one.named
    with running(new):
        assert add(new, asked(branched(1, 4), 0)).status_code == 409
        answer = add(new, asked(leaves(5), 4))
        read_cosignature(read_signature_line(answer.text.rstrip()), checkpoint(leaves(5)).text(), new.named)
    assert looked("init", "--data", str(new.data), "--name", "witness.example/w5")[0] != 0


@pytest.mark.long
def test_a_log_is_cosigned_by_its_witnesses_also_by_one_that_was_killed_and_came_back(tmp_path: Path) -> None:
    with ExitStack() as stack:
        log = new_log(tmp_path / "log", tmp_path / "admission", free_port("127.0.0.1"))
        made = stack.enter_context(world(tmp_path, count=1, more=["--log", log.url, "--log-key", str(log.named)]))
        witnesses = [
            stack.enter_context(
                running(new_witness(tmp_path / name, f"{name}.example", free_port("127.0.0.1"), [log.named]))
            )
            for name in ("steady", "killed")
        ]
        # So long that a machine with much to do is waited for, and a witness that does not answer never fits in.
        log.more = [part for one in witnesses for part in ("--witness", one.option)] + ["--witness-wait-s", "20"]
        stack.enter_context(running_log(log))

        def cosigned(least: int) -> bool:
            """Whether the newest checkpoint has so many entries, and a cosignature of each."""
            note = read_note(httpx.get(f"{log.url}/checkpoint").content)
            seen = cosignatures(note, tuple(one.named for one in witnesses))
            return read_text(note.text).size >= least and len(seen) == len(witnesses)

        made.whole_session()
        # Directory, operator and position; OPEN and MEASUREMENT. Nobody is asked again before there is more.
        before = 5
        until(lambda: cosigned(before))
        witnesses[1].stop(signal.SIGKILL)
        witnesses[1].start()
        made.whole_session()
        until(lambda: cosigned(before + 1))
    for one in witnesses:
        code, output = looked("show", "--data", str(one.data), "--json")
        assert code == 0
        (kept,) = json.loads(output)["cosigned"]
        assert kept["size"] > before
        assert json.loads(output)["refused"] == []
