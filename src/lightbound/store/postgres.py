"""Databases of ours on a PostgreSQL server: opened by URL, migrated, and refused where commits are not on disk.

Tables stand in a schema named after their role, beside whatever else the database holds. Everything that `engine`
promises holds here: what is told of as done is on disk, and several processes may use one.
"""

from typing import Final

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from lightbound.errors import ErrorCode, Fault, Malformed, Refused, Unavailable
from lightbound.store.engine import MIGRATIONS, Schema

CONNECT_S: Final = 10
"""A server that does not answer within this is told as not there; one that starts again takes a few seconds."""

STATEMENT_MS: Final = 30_000
"""A statement that takes longer waits for somebody who is stuck."""

SAFE: Final = ("fsync", "full_page_writes", "synchronous_commit")
"""Each of them off means that what was told of as done may be gone after a power loss."""


def is_server(location: str) -> bool:
    """Whether a place for a database is a URL of a PostgreSQL server, and not a path."""
    return location.startswith(("postgresql://", "postgres://"))


def open_on_server(location: str, schema: Schema) -> Engine:
    """The tables of a schema in the database of this URL, made if they are missing and brought up to date.

    Raises:
        Malformed: it is no such URL.
        Refused: the server does not put commits on disk, or the tables were made by a newer program.
        Unavailable: there is no such server, or it failed.
    """
    url = _url(location)
    engine = create_engine(
        url,
        connect_args={
            "connect_timeout": CONNECT_S,
            "options": f"-c search_path={_name(schema)} -c synchronous_commit=on "
            f"-c statement_timeout={STATEMENT_MS} -c lock_timeout={STATEMENT_MS}",
        },
        pool_pre_ping=True,
    )
    try:
        with engine.begin() as connection:
            _check_safe(connection, url)
            _migrate(connection, schema)
    except SQLAlchemyError as error:
        engine.dispose()
        raise Unavailable(_fault(ErrorCode.WRITE_FAILED, url, "a database that can be written", str(error))) from error
    except CommandError as error:
        engine.dispose()
        expected = "revisions that this program knows"
        raise Refused(_fault(ErrorCode.STORE_BROKEN, url, expected, str(error))) from error
    except Refused:
        engine.dispose()
        raise
    return engine


def _url(location: str) -> URL:
    try:
        return make_url(location).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError) as error:  # the latter of a port that is no number
        fault = Fault(
            code=ErrorCode.SETTING_MALFORMED, expected="a URL as postgresql://HOST/NAME", found="another text"
        )
        raise Malformed(fault) from error


def _name(schema: Schema) -> str:
    return f"lightbound_{schema.name}"


def _check_safe(connection: Connection, url: URL) -> None:
    for name in SAFE:
        found = str(connection.exec_driver_sql(f"SHOW {name}").scalar())
        if found == "off":
            raise Refused(_fault(ErrorCode.STORE_BROKEN, url, f"a server with {name} on", found))


def _migrate(connection: Connection, schema: Schema) -> None:
    """All steps in one transaction, of one process at a time."""
    script = ScriptDirectory(str(MIGRATIONS), version_locations=[str(MIGRATIONS / schema.name)])
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": schema.application_id})
    connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {_name(schema)}")
    context = MigrationContext.configure(
        connection,
        opts={
            "fn": lambda revision, _context: script._upgrade_revs("head", revision),  # noqa: SLF001 - as Alembic's own command does
            "transactional_ddl": True,
        },
    )
    with Operations.context(context):
        context.run_migrations()


def _fault(code: ErrorCode, url: URL, expected: str, found: str) -> Fault:
    # Without its password: errors are printed.
    return Fault(code=code, expected=expected, found=found[:300], file=url.render_as_string(hide_password=True))
