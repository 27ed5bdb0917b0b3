"""Databases of ours: opened, migrated, and refused if they are somebody else's, damaged or newer than this program.

SQLite in one file. Every write that is told of as done is on disk (WAL, synchronous=FULL); a transaction takes the
right to write when it begins, so that it never finds half-way that another was quicker. Several processes may use one.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from lightbound.errors import ErrorCode, Fault, Refused, Unavailable

MODE: Final = 0o600

BUSY_MS: Final = 10_000
"""How long a write waits for another process's. Ours take milliseconds; a copy being made, seconds."""

AGAIN_S: Final = 0.01

ASKED_AT_ONCE: Final = 500
"""Values looked for in one query; SQLite's own limit on variables was 999 for long."""

MIGRATIONS: Final = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What a database holds: the folder of its migrations, and what is written into its header."""

    name: str
    application_id: int
    """SQLite's own field for it: a file of another program, or of another role, is not touched."""


VERIFIER: Final = Schema(name="verifier", application_id=0x4C42_5652)
LANDMARK: Final = Schema(name="landmark", application_id=0x4C42_4C4D)


def open_store(path: Path, schema: Schema) -> Engine:
    """The database in a file, made if it is missing and brought up to date.

    A migration is one transaction: whoever dies in it leaves the database as it was.

    Raises:
        Refused: the file is no database of this schema, damaged, or was written by a newer program; it is as it was.
        Unavailable: it cannot be read or written.
    """
    script = ScriptDirectory(str(MIGRATIONS), version_locations=[str(MIGRATIONS / schema.name)])
    _check_ours(path, schema, script)
    with suppress(FileExistsError):
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, MODE))
        except FileExistsError:
            raise
        except OSError as error:
            found = error.strerror or type(error).__name__
            raise Unavailable(_fault(ErrorCode.WRITE_FAILED, path, "a file that can be written", found)) from error
    engine = _engine(path)
    try:
        _migrate(engine, schema, script)
    except SQLAlchemyError as error:
        engine.dispose()
        raise _failed(path, error) from error
    except CommandError as error:
        engine.dispose()
        raise _broken(path, "revisions that this program knows", str(error)) from error
    return engine


def empty_store(schema: Schema) -> Engine:
    """A database that nothing was ever kept in, in memory, for one thread that only reads: no file is made for it."""
    engine = _engine(Path(":memory:"))
    _migrate(engine, schema, ScriptDirectory(str(MIGRATIONS), version_locations=[str(MIGRATIONS / schema.name)]))
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one moment of the database, and waits for no writer.

    Raises:
        Unavailable: the database failed.
    """
    with _told(engine), engine.connect().execution_options(reads=True) as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction: on disk when the block has ended, undone if it ends by an error.

    `IntegrityError` comes through: what it means, only whoever wrote the row knows.

    Raises:
        Unavailable: the database failed; nothing of the block is kept.
    """
    with _told(engine), engine.begin() as connection:
        yield connection


@contextmanager
def _told(engine: Engine) -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except SQLAlchemyError as error:
        raise _failed(Path(engine.url.database or ""), error) from error


def _check_ours(path: Path, schema: Schema, script: ScriptDirectory) -> None:
    """Nothing, if the file is missing, empty, or a database of this schema no newer than we are. It is only read."""
    try:
        if not path.exists() or path.stat().st_size == 0:
            return
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=BUSY_MS / 1_000)) as found:
            # One moment of it: between two, another process may have made it.
            found.execute("BEGIN")
            (application,) = found.execute("PRAGMA application_id").fetchone()
            tables = {name for (name,) in found.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
            if application == 0 and not tables:
                return
            if application != schema.application_id:
                raise _broken(path, f"a database of a {schema.name}", "one of something else")
            rows = found.execute("SELECT version_num FROM alembic_version") if "alembic_version" in tables else ()
            known = {revision.revision for revision in script.walk_revisions()}
            newer = [str(version) for (version,) in rows if version not in known]
    except sqlite3.OperationalError as error:
        raise Unavailable(_fault(ErrorCode.READ_FAILED, path, "a database that can be read", str(error))) from error
    except sqlite3.DatabaseError as error:
        raise _broken(path, f"a database of a {schema.name}", str(error)) from error
    except OSError as error:
        found_instead = error.strerror or type(error).__name__
        raise Unavailable(_fault(ErrorCode.READ_FAILED, path, "a file that can be read", found_instead)) from error
    if newer:
        raise _broken(path, "a database that this program knows", f"revision {newer[0]}, of a newer one")


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_MS / 1_000})

    def connected(connection: Any, _record: object) -> None:
        # Transactions are begun by us: Python's own module begins them late, and without the right to write.
        connection.isolation_level = None
        _keep_a_journal_ahead(connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}"):
            connection.execute(f"PRAGMA {pragma}")

    def began(connection: Connection) -> None:
        reads = connection.get_execution_options().get("reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", began)
    return engine


def _keep_a_journal_ahead(connection: sqlite3.Connection) -> None:
    """Write ahead (WAL). Where others open a new file in the same moment, SQLite says so at once instead of waiting."""
    give_up = time.monotonic() + BUSY_MS / 1_000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(AGAIN_S)
        else:
            return


def _migrate(engine: Engine, schema: Schema, script: ScriptDirectory) -> None:
    with engine.connect() as connection, connection.begin():
        context = MigrationContext.configure(
            connection,
            opts={
                "fn": lambda revision, _context: script._upgrade_revs("head", revision),  # noqa: SLF001 - as Alembic's own command does
                "transactional_ddl": True,
            },
        )
        connection.exec_driver_sql(f"PRAGMA application_id = {schema.application_id}")
        with Operations.context(context):
            context.run_migrations()


def _failed(path: Path, error: SQLAlchemyError) -> Refused | Unavailable:
    cause = error.orig if isinstance(error, DBAPIError) else error
    found = str(cause) or type(error).__name__
    if type(cause) is sqlite3.DatabaseError:
        # "file is not a database", "database disk image is malformed"; all else has a class of its own.
        return _broken(path, "a whole database", found)
    return Unavailable(_fault(ErrorCode.WRITE_FAILED, path, "a database that can be written", found))


def _broken(path: Path, expected: str, found: str) -> Refused:
    return Refused(_fault(ErrorCode.STORE_BROKEN, path, expected, found, "restore it from a copy, or update"))


def _fault(code: ErrorCode, path: Path, expected: str, found: str, advice: str | None = None) -> Fault:
    return Fault(code=code, expected=expected, found=found, file=str(path), next=advice)
