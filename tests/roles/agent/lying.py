"""A landmark that hands out whatever a test says, and an agent's receipts that are asked for without a thread."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lightbound.canonical.cbor import Value, encode
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.signing import digest
from lightbound.ranging.statements.measurement import Abort, Why, write_abort
from lightbound.ranging.statements.opening import Link, Open, write_open
from lightbound.roles.agent.receipts import FOLDER, Receipts
from lightbound.roles.agent.trust_file import Host, Trusted
from lightbound.tlog import merkle
from lightbound.tlog.checkpoint import Checkpoint, sign_checkpoint
from lightbound.tlog.entries import Commitment, Opening, Sequel, write_commitment, write_entry
from lightbound.tlog.proof import LogProof
from tests.ranging.parties import AGENT, VERIFIER
from tests.tlog.histories import LOG, ORIGIN

NOW_S = float(int(time.time()))
NOW_NS = int(NOW_S) * 1_000_000_000
"""Not an instant of its own: files are as old as the system says."""


@dataclass(slots=True, kw_only=True)
class Liar:
    """A landmark: what it answers to GET of a path, as a status and a body."""

    key: SigningKey
    answer: Callable[[str], tuple[int, bytes]]
    url: str = ""
    asked: list[str] = field(default_factory=list)

    @property
    def id(self) -> bytes:
        """Of its key."""
        return self.key.key_id

    @property
    def host(self) -> Host:
        """As `trust.toml` names it."""
        return Host(key=self.key.verifying, name="liar", url=self.url)

    def opened(self, session: bytes, *, at_ns: int = NOW_NS) -> bytes:
        """An OPEN of a session, its number 0."""
        link = Link(landmark=self.id, agent=AGENT.key_id, seq=0, prev=None)
        return write_open(Open(link=link, sid=bytes(16), session=session, at_ns=at_ns), self.key)

    def aborted(self, session: bytes, *, at_ns: int = NOW_NS) -> bytes:
        """An ABORT of it, its number 1."""
        link = Link(landmark=self.id, agent=AGENT.key_id, seq=1, prev=bytes(32))
        said = Abort(
            link=link, sid=bytes(16), session=session, why=Why.CLOCK, rounds_sent=1, rounds_valid=0, at_ns=at_ns
        )
        return write_abort(said, self.key)

    def receipt(self, statement: bytes, seq: int = 0, *, log: SigningKey = LOG, padding: bytes = b"") -> Value:
        """What it hands out as receipt of one statement: of a log that holds nothing else."""
        opening = Opening(salt=bytes(32), before=None if seq == 0 else bytes(32))
        sequel = Sequel(landmark=self.id, agent=AGENT.key_id, seq=seq, before=opening.before)
        commitment = Commitment(landmark=self.id, slot=sequel.slot(), commitment=opening.commitment(statement))
        entry = write_commitment(commitment, self.key)
        leaves = [write_entry(entry)]
        checkpoint = sign_checkpoint(Checkpoint(origin=ORIGIN, size=1, root=merkle.root(leaves)), log)
        proof = LogProof(index=0, hashes=(), checkpoint=checkpoint + padding, extra=opening.encoded())
        return [digest(statement), entry, proof.encoded()]


def session_of(path: str) -> bytes:
    """The session that a path is about."""
    return bytes.fromhex(path.split("/")[3])


def honest(key: SigningKey) -> Liar:
    """One that opened every session, had it logged, and says no more."""

    def answer(path: str) -> tuple[int, bytes]:
        said = made.opened(session_of(path))
        return 200, encode([made.receipt(said)]) if path.endswith("/logged") else encode({"open": said})

    made = Liar(key=key, answer=answer)
    return made


@contextmanager
def served(landmarks: Sequence[Liar]) -> Iterator[None]:
    """Each at an address of its own."""
    servers = []
    for landmark in landmarks:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(landmark))
        landmark.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
    try:
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def receipts_of(folder: Path, landmarks: Sequence[Liar], *, kept_days: int = 30) -> Receipts:
    """Of an agent that trusts these, with what the folder has."""
    made = Receipts(
        data=folder,
        trusted=Trusted(
            verifier=Host(key=VERIFIER.verifying, name="v", url="http://127.0.0.1:9"),
            directories=frozenset(),
            landmarks={one.id: one.host for one in landmarks},
        ),
        agent=AGENT.key_id,
        software="test",
        kept_days=kept_days,
    )
    made.prepare()
    return made


def take(
    receipts: Receipts, session: bytes, landmarks: Sequence[Liar], *, now_s: float = NOW_S, running_s: float = 0
) -> None:
    """Have it wait for what these said in a session; they are asked five seconds later."""
    receipts.add(session, dict.fromkeys(one.id for one in landmarks), now_s=now_s)
    receipts.turn(now_s=now_s, running_s=running_s)


def held(folder: Path, ending: str = "*") -> list[Path]:
    """What is held."""
    return sorted((folder / FOLDER).glob(f"*.{ending}"))


def _handler(landmark: Liar) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            landmark.asked.append(self.path)
            status, body = landmark.answer(self.path)
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    return Handler
