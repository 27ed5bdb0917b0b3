"""A log process as it is run in earnest, witnesses of a few lines beside it, and landmarks that submit."""

import base64
import secrets
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lightbound.files.keys import key_path, write_new_key
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.tlog.checkpoint import log_key, open_checkpoint
from lightbound.tlog.consistency import continues
from lightbound.tlog.cosignature import cosign_text, witness_key
from lightbound.tlog.note import NoteKey

ORIGIN = "log.example/test"
UP_WITHIN_S = 20.0

COMMAND = (str(Path(sys.executable).with_name("lightbound")), "log")


@dataclass(slots=True, kw_only=True)
class Log:
    """A log process of this test."""

    key: SigningKey
    port: int
    data: Path
    admission: Path
    more: Sequence[str] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def named(self) -> NoteKey:
        """What others know it by."""
        return log_key(ORIGIN, self.key.verifying)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        arguments = ["--data", self.data, "--origin", ORIGIN, "--admission", self.admission]
        arguments += ["--listen", f"127.0.0.1:{self.port}", *self.more]
        with (self.data / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*COMMAND, "run", *map(str, arguments)], stderr=log, stdout=log, stdin=subprocess.DEVNULL
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


def new_log(folder: Path, admission: Path, port: int, more: Sequence[str] = ()) -> Log:
    """A log that has not started, with its key."""
    folder.mkdir()
    key = SigningKey.of_seed(Purpose.LOG, secrets.token_bytes(32))
    write_new_key(key_path(folder, Purpose.LOG), key)
    return Log(key=key, port=port, data=folder, admission=admission, more=more)


@contextmanager
def running(log: Log) -> Iterator[Log]:
    """It runs until the block ends."""
    log.start()
    try:
        yield log
    finally:
        log.stop()


def looked(*arguments: str) -> tuple[int, str]:
    """Exit code and output of a command of `lightbound log`."""
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


@dataclass(slots=True, kw_only=True)
class Witness:
    """A witness of a few lines: keeps size and root, refuses what does not continue them."""

    name: str
    log: NoteKey
    key: SigningKey = field(default_factory=lambda: SigningKey.of_seed(Purpose.WITNESS, secrets.token_bytes(32)))
    size: int = 0
    root: bytes = b""
    refused: int = 0
    asked: int = 0
    port: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def named(self) -> NoteKey:
        """What others know it by."""
        return witness_key(self.name, self.key.verifying)

    @property
    def option(self) -> str:
        """How a log is told of it."""
        return f"{self.named} http://127.0.0.1:{self.port}"

    def add(self, body: bytes) -> tuple[int, bytes]:
        """Status and answer."""
        head, _, note = body.partition(b"\n\n")
        old, *proof = head.decode().split("\n")
        checkpoint, signed = open_checkpoint(note, self.log)
        with self.lock:
            self.asked += 1
            if int(old.removeprefix("old ")) != self.size:
                return 409, str(self.size).encode()
            steps = [base64.b64decode(step) for step in proof]
            if not continues(self.size, self.root, checkpoint.size, checkpoint.root, steps):
                self.refused += 1
                return 422, b""
            self.size, self.root = checkpoint.size, checkpoint.root
        return 200, cosign_text(signed.text, self.name, self.key, at_s=int(time.time())).line().encode()


@contextmanager
def answering(witness: Witness, port: int = 0) -> Iterator[Witness]:
    """The witness answers until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, answer = witness.add(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(status)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    witness.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield witness
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def until(holds: Callable[[], bool], *, within_s: float = 20.0) -> None:
    """Wait until it holds."""
    give_up = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < give_up, "it did not come to hold"
        select.select([], [], [], 0.05)
