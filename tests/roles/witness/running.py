"""A witness process as it is run in earnest."""

import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lightbound.tlog.note import NoteKey, read_vkey

UP_WITHIN_S = 20.0

COMMAND = (str(Path(sys.executable).with_name("lightbound")), "witness")


@dataclass(slots=True, kw_only=True)
class WitnessProcess:
    """A witness of this test."""

    data: Path
    port: int
    logs: Sequence[NoteKey]
    named: NoteKey
    """What others know it by."""
    under: Sequence[str] = ()
    """A program, with its arguments, that runs it."""
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def option(self) -> str:
        """How a log is told of it."""
        return f"{self.named} {self.url}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        arguments = ["--data", str(self.data), "--listen", f"127.0.0.1:{self.port}"]
        arguments += [part for log in self.logs for part in ("--log", str(log))]
        with (self.data / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.under, *COMMAND, "run", *arguments], stderr=log, stdout=log, stdin=subprocess.DEVNULL
            )
        give_up = time.monotonic() + UP_WITHIN_S
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    return
            except OSError as error:
                if self.process.poll() is not None or time.monotonic() > give_up:
                    raise AssertionError((self.data / "log").read_text()) from error
                select.select([], [], [], 0.02)

    def stop(self, how: int = signal.SIGTERM) -> int:
        """End it, and wait; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(timeout=20)


def looked(*arguments: str) -> tuple[int, str]:
    """Exit code and output of a command of `lightbound witness`."""
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def new_witness(folder: Path, name: str, port: int, logs: Sequence[NoteKey]) -> WitnessProcess:
    """A witness that has not started, prepared by the command for it."""
    code, output = looked("init", "--data", str(folder), "--name", name)
    assert code == 0, output
    (vkey,) = (line.split()[1] for line in output.splitlines() if line.startswith("vkey"))
    return WitnessProcess(data=folder, port=port, logs=logs, named=read_vkey(vkey))


@contextmanager
def running(witness: WitnessProcess) -> Iterator[WitnessProcess]:
    """It runs until the block ends."""
    witness.start()
    try:
        yield witness
    finally:
        witness.stop()
