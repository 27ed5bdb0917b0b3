"""Databases are made, migrated and kept, and what is not ours is refused as it was."""

import sqlite3
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, create_engine, select, text
from sqlalchemy.exc import IntegrityError

from lightbound.errors import ErrorCode, LightboundError, Refused, Unavailable
from lightbound.store import engine, landmark_tables, log_tables, verifier_tables, witness_tables
from lightbound.store.engine import LANDMARK, VERIFIER, Schema, open_store, reading, writing
from lightbound.store.verifier_tables import AGENTS, CHIPS, SETTINGS

SCHEMAS = [
    (VERIFIER, verifier_tables.METADATA),
    (LANDMARK, landmark_tables.METADATA),
    (log_tables.LOG, log_tables.METADATA),
    (witness_tables.WITNESS, witness_tables.METADATA),
]
NAMES = [schema.name for schema, _ in SCHEMAS]


def schema_of(path: Path) -> list[tuple[str, str]]:
    """Name and text of every table and index, apart from those of the migrations and of SQLite itself."""
    query = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%' ORDER BY name"
    with closing(sqlite3.connect(path)) as connection:
        return [(name, " ".join(sql.split())) for name, sql in connection.execute(query)]


@pytest.mark.parametrize(("schema", "metadata"), SCHEMAS, ids=NAMES)
def test_migrations_from_nothing_give_the_tables_that_the_code_has(
    schema: Schema, metadata: MetaData, tmp_path: Path
) -> None:
    open_store(tmp_path / "migrated", schema).dispose()
    engine = create_engine(f"sqlite:///{tmp_path}/made")
    metadata.create_all(engine)
    engine.dispose()
    assert schema_of(tmp_path / "migrated") == schema_of(tmp_path / "made")
    assert len(schema_of(tmp_path / "made")) >= len(metadata.tables)


@pytest.mark.parametrize(("schema", "metadata"), SCHEMAS, ids=NAMES)
def test_every_table_is_strict(schema: Schema, metadata: MetaData, tmp_path: Path) -> None:
    open_store(tmp_path / "db", schema).dispose()
    texts = dict(schema_of(tmp_path / "db"))
    assert [name for name in metadata.tables if not texts[name].endswith("STRICT")] == []


def test_what_was_kept_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    for _ in range(2):
        engine = open_store(tmp_path / "db", VERIFIER)
        with reading(engine) as connection:
            found = connection.execute(select(SETTINGS)).all()
        with writing(engine) as connection:
            connection.execute(SETTINGS.insert(), {"name": f"n{len(found)}", "value": "1"})
        engine.dispose()
    assert len(found) == 1


def test_a_database_is_for_its_owner_alone_and_syncs_what_it_keeps(tmp_path: Path) -> None:
    engine = open_store(tmp_path / "db", VERIFIER)
    assert stat.S_IMODE((tmp_path / "db").stat().st_mode) == 0o600
    with reading(engine) as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    engine.dispose()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def refused(path: Path) -> Refused:
    before = path.read_bytes()
    with pytest.raises(Refused) as caught:
        open_store(path, VERIFIER)
    assert caught.value.faults[0].code is ErrorCode.STORE_BROKEN
    assert path.read_bytes() == before
    return caught.value


def test_a_database_of_another_program_is_refused_as_it_was(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "db")) as connection:
        connection.execute("CREATE TABLE accounts (id INTEGER)")
        connection.commit()
    refused(tmp_path / "db")


def test_a_database_of_another_role_is_refused_as_it_was(tmp_path: Path) -> None:
    open_store(tmp_path / "db", LANDMARK).dispose()
    refused(tmp_path / "db")


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\0" + bytes(200)])
def test_what_is_no_database_is_refused_as_it_was(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "db").write_bytes(content)
    refused(tmp_path / "db")


def test_a_database_of_a_newer_program_is_refused_as_it_was(tmp_path: Path) -> None:
    open_store(tmp_path / "db", VERIFIER).dispose()
    with closing(sqlite3.connect(tmp_path / "db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'verifier_9999'")
        connection.commit()
    assert "verifier_9999" in str(refused(tmp_path / "db"))


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    (tmp_path / "db").touch(mode=0o600)
    open_store(tmp_path / "db", VERIFIER).dispose()
    assert schema_of(tmp_path / "db")


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        open_store(tmp_path / "missing" / "db", VERIFIER)


def test_a_database_of_an_older_program_is_brought_up_to_date_and_keeps_what_it_has(tmp_path: Path) -> None:
    for name in ("old", "new"):
        open_store(tmp_path / name, VERIFIER).dispose()
    with closing(sqlite3.connect(tmp_path / "old")) as connection:
        for table in ("sought", "pins", "findings", "receipts"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("ALTER TABLE agents DROP COLUMN quote_key")
        connection.execute("INSERT INTO settings VALUES ('every_ns', '1')")
        connection.execute("UPDATE alembic_version SET version_num = 'verifier_0001'")
        connection.commit()
    engine = open_store(tmp_path / "old", VERIFIER)
    with reading(engine) as connection:
        assert connection.execute(select(SETTINGS)).all() == [("every_ns", "1")]
    engine.dispose()
    assert schema_of(tmp_path / "old") == schema_of(tmp_path / "new")


def test_many_that_open_a_new_database_at_once_find_one(tmp_path: Path) -> None:
    def opened(_number: int) -> LightboundError | None:
        try:
            open_store(tmp_path / "db", VERIFIER).dispose()
        except LightboundError as error:
            return error
        return None

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(opened, range(6))) == [None] * 6
    assert schema_of(tmp_path / "db")


def test_a_new_database_that_another_process_writes_to_is_waited_for(tmp_path: Path) -> None:
    """While another holds the right to write, SQLite refuses at once to write ahead, however long it may wait."""
    (tmp_path / "db").touch()
    with closing(sqlite3.connect(tmp_path / "db", isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        ending = threading.Timer(0.2, other.execute, ["ROLLBACK"])
        ending.start()
        open_store(tmp_path / "db", VERIFIER).dispose()
        ending.join()


def test_a_transaction_that_fails_keeps_nothing(tmp_path: Path) -> None:
    engine = open_store(tmp_path / "db", VERIFIER)

    def keep_and_fail() -> None:
        with writing(engine) as connection:
            connection.execute(SETTINGS.insert(), {"name": "kept", "value": "1"})
            raise KeyError("of the caller")

    with pytest.raises(KeyError):
        keep_and_fail()
    with reading(engine) as connection:
        assert connection.execute(select(SETTINGS)).all() == []
    engine.dispose()


@pytest.mark.parametrize(
    ("table", "row"),
    [
        (CHIPS, {"chip_id": bytes(31), "agent_id": bytes(16), "label": "short id"}),
        (CHIPS, {"chip_id": bytes(32), "agent_id": bytes(16), "label": "of nobody"}),
        (AGENTS, {"agent_id": bytes(16), "key": bytes(32), "secret_digest": bytes(32), "tier": "A0", "software": "",
                  "enrol": b"", "enrolled_ns": 1, "error": ""}),
    ],
)  # fmt: skip
def test_the_database_itself_refuses_what_cannot_be(table: object, row: dict[str, object], tmp_path: Path) -> None:
    engine = open_store(tmp_path / "db", VERIFIER)
    with pytest.raises(IntegrityError), writing(engine) as connection:
        connection.execute(table.insert(), row)  # type: ignore[attr-defined]
    engine.dispose()


def test_a_database_that_another_process_is_just_making_is_never_taken_for_somebody_elses(tmp_path: Path) -> None:
    script = ScriptDirectory(str(engine.MIGRATIONS), version_locations=[str(engine.MIGRATIONS / VERIFIER.name)])
    made = threading.Event()

    def look_on(path: Path) -> None:
        while not made.is_set():
            engine._check_ours(path, VERIFIER, script)  # noqa: SLF001 - what each opening begins with, many times over

    for number in range(10):
        path = tmp_path / str(number)
        made.clear()
        with ThreadPoolExecutor(3) as pool:
            looking = [pool.submit(look_on, path) for _ in range(3)]
            try:
                open_store(path, VERIFIER).dispose()
            finally:
                made.set()
            for one in looking:
                one.result()
