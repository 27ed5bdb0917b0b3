"""A log and real witnesses, each a process: what both were told ends under one checkpoint, and a fork under none."""

import json
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from lightbound.tlog.checkpoint import open_checkpoint
from lightbound.tlog.cosignature import cosignatures
from lightbound.tlog.note import NoteKey, read_vkey
from tests.roles.landmark.running import free_port, world
from tests.roles.log.running import new_log, running
from tests.roles.log.test_several import submit


@contextmanager
def witness(folder: Path, name: str, port: int, log: NoteKey) -> Iterator[NoteKey]:
    """A witness process that answers until the block ends; begun again, it goes on with what it has."""
    command = [str(Path(sys.executable).with_name("lightbound")), "witness"]
    if not folder.exists():
        arguments = ["init", "--data", str(folder), "--name", name, "--json"]
        made = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
        (folder / "vkey").write_text(json.loads(made.stdout)["vkey"])
    run = ["run", "--data", str(folder), "--log", str(log), "--listen", f"127.0.0.1:{port}"]
    with (folder / "log").open("ab") as output, subprocess.Popen([*command, *run], stdout=output, stderr=output) as one:
        give_up = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError as error:
                if one.poll() is not None or time.monotonic() > give_up:
                    raise AssertionError((folder / "log").read_text()) from error
                select.select([], [], [], 0.02)
        try:
            yield read_vkey((folder / "vkey").read_text())
        finally:
            one.send_signal(signal.SIGTERM)


@pytest.mark.long
def test_two_witnesses_cosign_what_a_log_shows_and_neither_a_history_that_went_back(tmp_path: Path) -> None:
    ports = [free_port("127.0.0.1") for _ in range(2)]
    with world(tmp_path, count=1) as made:
        log, landmark = new_log(tmp_path / "log", tmp_path / "admission", free_port("127.0.0.1")), made.landmarks[0]
        with (
            witness(tmp_path / "w0", "witness.example/0", ports[0], log.named) as first,
            witness(tmp_path / "w1", "witness.example/1", ports[1], log.named) as second,
        ):
            witnesses = (first, second)
            options = [f"{key} http://127.0.0.1:{port}" for key, port in zip(witnesses, ports, strict=True)]
            log.more = ["--witness-wait-s", "5", *(part for one in options for part in ("--witness", one))]

            def cosigned() -> tuple[int, int]:
                read, note = open_checkpoint(httpx.get(f"{log.url}/checkpoint").content, log.named)
                return read.size, len(cosignatures(note, witnesses))

            with running(log):
                for number in range(3):
                    submit(log, landmark, number)
                assert cosigned() == (6, 2)
            kept = (log.data / "log.sqlite").read_bytes()
            with running(log):
                submit(log, landmark, 3)
                assert cosigned() == (7, 2)
            (log.data / "log.sqlite").write_bytes(kept)
            for leftover in ("log.sqlite-wal", "log.sqlite-shm"):
                (log.data / leftover).unlink(missing_ok=True)
            with running(log):
                for number in (10, 11):
                    submit(log, landmark, number)
                assert cosigned() == (8, 0)
