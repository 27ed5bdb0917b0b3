"""How fast a log takes entries and proves them: `python bench/log.py`. Ratios travel between machines."""

import hashlib
import random
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Engine
from tests.ranging.parties import NOW_NS, TRUST, secret, world
from tests.store.logs import ORIGIN, new_database, postgres_server

from lightbound.canonical import cose
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.roles.log.admitting import Admitting
from lightbound.roles.log.run import signer
from lightbound.store.engine import writing
from lightbound.store.log import LogStore, open_log
from lightbound.store.log_tables import HEAD
from lightbound.store.log_tree import Tree
from lightbound.tlog.entries import Commitment, write_commitment, write_entry
from lightbound.tlog.merkle import includes
from lightbound.tlog.tiles import TiledTree

ENTRIES, BATCH = 20_000, 1_000
LEAVES = 10_000_000
PROOFS = 500

PLACES = world()
LOG = SigningKey.of_seed(Purpose.LOG, secret("bench log"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Entries a second, and of the reference in the same run."""

    what: str
    per_s: float
    reference_per_s: float

    @property
    def ratio(self) -> float:
        """How many times longer than the reference an entry takes."""
        return self.reference_per_s / self.per_s


@contextmanager
def logs(folder: Path) -> Iterator[list[tuple[str, str]]]:
    """A place for a log on each kind of database."""
    with postgres_server() as server, new_database(server) as url:
        yield [("SQLite", str(folder / "log.sqlite")), ("PostgreSQL", url)]


def submissions(label: str) -> list[bytes]:
    """As many commitments of admitted landmarks."""
    signers = [PLACES.landmark(landmark) for landmark in sorted(PLACES.admitted.by_id)]
    made = []
    for number in range(ENTRIES):
        key = signers[number % len(signers)]
        slot, commitment = secret(label, "slot", number), secret(label, number)
        made.append(write_commitment(Commitment(landmark=key.key_id, slot=slot, commitment=commitment), key))
    return made


def logged_s(store: LogStore, statements: list[bytes]) -> float:
    """Seconds for checking all of these, numbering them in batches, and signing for each batch."""
    admitting, signed = Admitting(store, TRUST), signer(ORIGIN, LOG)
    store.append([admitting.check(PLACES.directory, now_ns=NOW_NS)])
    admitting.read_roll()
    store.append([admitting.check(one, now_ns=NOW_NS) for one in (*PLACES.operator_statements, *PLACES.positions)])
    start = time.perf_counter()
    for at in range(0, len(statements), BATCH):
        admitting.read_roll()
        checked = [admitting.check(one, now_ns=NOW_NS) for one in statements[at : at + BATCH]]
        numbers = store.append(checked)
        store.publish(store.sign(signed))
        if None in numbers:
            raise AssertionError("an entry was refused")
    return time.perf_counter() - start


def reference_s(location: str, statements: list[bytes]) -> float:
    """Seconds for one bare signature check and one bare row of each, committed in the same batches."""
    known = [one.key for one in PLACES.admitted.by_id.values()]
    keys = {one.key_id: Ed25519PublicKey.from_public_bytes(one.raw) for one in known}
    envelopes = [cose.read(one) for one in statements]
    signed = [(keys[one.signatures[0].key_id], one.signatures[0].signature, one.to_be_signed(0)) for one in envelopes]
    rows = [(number, write_entry(one)) for number, one in enumerate(statements)]
    is_file = not location.startswith("postgresql")
    opened = sqlite3.connect(location + ".bare") if is_file else psycopg.connect(location)
    with closing(opened) as connection:
        cursor = connection.cursor()
        if is_file:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute(f"CREATE TABLE bare (number BIGINT PRIMARY KEY, data {'BLOB' if is_file else 'BYTEA'})")
        connection.commit()
        insert = "INSERT INTO bare VALUES (?, ?)" if is_file else "INSERT INTO bare VALUES (%s, %s)"
        start = time.perf_counter()
        for at in range(0, len(rows), BATCH):
            for key, signature, message in signed[at : at + BATCH]:
                key.verify(signature, message)
            cursor.executemany(insert, rows[at : at + BATCH])
            connection.commit()
        return time.perf_counter() - start


def rates(folder: Path) -> list[Rate]:
    """Both kinds of databases, this and the reference by turns."""
    found = []
    with logs(folder) as places:
        for name, location in places:
            statements = submissions(name)
            bare = reference_s(location, statements)
            engine = open_log(location, ORIGIN)
            ours = logged_s(LogStore(engine), statements)
            engine.dispose()
            found.append(Rate(what=name, per_s=ENTRIES / ours, reference_per_s=ENTRIES / bare))
    return found


def grow(engine: Engine) -> bytes:
    """A tree of ten million leaves without entries under them; its root."""
    step = 200_000
    for start in range(0, LEAVES, step):
        with writing(engine) as connection:
            hashes = [hashlib.sha256(b"\0" + at.to_bytes(8, "big")).digest() for at in range(start, start + step)]
            tree = Tree(connection)
            tree.append(start, hashes)
            root = tree.root(start + step)
            connection.execute(HEAD.update().values(size=start + step, root=root))
    return root


def proof_ms(store: LogStore, root: bytes) -> tuple[float, float]:
    """Milliseconds of a proof from a database: the median, and the slowest of a hundred."""
    spent, dice = [], random.Random(1)
    for _ in range(PROOFS):
        index = dice.randrange(LEAVES)
        start = time.perf_counter()
        with store.hashes() as read:
            proof = TiledTree(LEAVES, read).inclusion_proof(index)
        spent.append(1_000 * (time.perf_counter() - start))
        if not includes(index.to_bytes(8, "big"), index, LEAVES, proof, root):
            raise AssertionError("a proof that does not hold")
    return statistics.median(spent), sorted(spent)[len(spent) * 99 // 100]


def main() -> None:
    """All figures of a log."""
    print(f"Entries of landmarks, checked, numbered and signed for in batches of {BATCH:,}, one process;")
    print("reference: one bare signature check and one bare row an entry, committed in the same batches")
    print(f"{'entries/s':>12} {'reference/s':>12} {'times':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for one in rates(Path(folder)):
            print(f"{one.per_s:12,.0f} {one.reference_per_s:12,.0f} {one.ratio:8.2f}  {one.what}", flush=True)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        engine = open_log(Path(folder) / "long.sqlite", ORIGIN)
        root = grow(engine)
        median, slow = proof_ms(LogStore(engine), root)
        engine.dispose()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1_024
    print(
        f"A proof in a log of {LEAVES:,}, from SQLite with nothing remembered: {median:.2f} ms; 1 in 100 {slow:.2f} ms"
    )
    print(f"Memory that growing to {LEAVES:,} added: {grown:.0f} MiB")


if __name__ == "__main__":
    main()
