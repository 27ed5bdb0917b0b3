"""A log of a few lines that whoever submits can be tested against: it takes everything, and can give false proofs."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from lightbound.keys.purposes import Purpose
from lightbound.tlog import merkle
from lightbound.tlog.checkpoint import Checkpoint, log_key, sign_checkpoint
from lightbound.tlog.entries import write_entry
from lightbound.tlog.proof import LogProof
from lightbound.tlog.submission import MOST_BYTES, Entered, NotEntered, read_submission, write_answers
from tests.ranging.parties import key

ORIGIN: Final = "log.example/test"
KEY: Final = key(Purpose.LOG)
NAMED: Final = log_key(ORIGIN, KEY.verifying)


@dataclass(slots=True, kw_only=True)
class SmallLog:
    """What was submitted to it, and what it gives no true proof of."""

    is_false: Callable[[bytes], bool] = lambda _statement: False
    """Whether the proof of a statement is to be a false one."""
    answers: int = 1_000
    """Submissions that it answers. Then it is down."""
    bodies: list[int] = field(default_factory=list)
    """The length of each submission."""
    submissions: list[list[bytes]] = field(default_factory=list)
    entries: list[bytes] = field(default_factory=list)
    url: str = ""

    def said(self, body: bytes) -> tuple[int, bytes]:
        """Status and answer."""
        self.bodies.append(len(body))
        if len(body) > MOST_BYTES:
            return 413, b""
        if len(self.submissions) >= self.answers:
            return 503, b""
        statements = read_submission(body)
        self.submissions.append(statements)
        start = len(self.entries)
        self.entries += [write_entry(one) for one in statements]
        root = merkle.root(self.entries)
        note = sign_checkpoint(Checkpoint(origin=ORIGIN, size=len(self.entries), root=root), KEY)
        told = list[Entered | NotEntered]()
        for number, statement in enumerate(statements, start):
            hashes = merkle.inclusion_proof(self.entries, number)
            proof = LogProof(index=number, hashes=hashes, checkpoint=note).encoded()
            told.append(Entered(number=number, proof=b"junk" if self.is_false(statement) else proof))
        return 200, write_answers(told, cosigned=0)


@contextmanager
def answering(log: SmallLog) -> Iterator[SmallLog]:
    """It answers until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, answer = log.said(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(status)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    log.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield log
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
