"""An append-only log, kept so that it has one history.

What it promises, over SQLite and over PostgreSQL, to several processes at once:

1. Once a number is returned, the entry stands under it for ever: it is on disk, and a power loss takes nothing back.
2. What is given to be signed is on disk already, and continues everything that was given to be signed before. So no two
   trees of one size can be signed, nor two of which neither continues the other.
3. Whatever fails, an entry is there wholly or not at all. Whoever was told of a failure gives the entry again, and
   gets the number it has if it was kept after all.

It cannot see that its database was put back to an old copy: what was signed since is then contradicted by what is
signed next. Witnesses see it, and refuse.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from lightbound.errors import ErrorCode, Fault, Refused, Unavailable
from lightbound.store.engine import ASKED_AT_ONCE, open_store, reading, writing
from lightbound.store.log_tables import ENTRIES, HEAD, LOG
from lightbound.store.log_tree import Tree
from lightbound.store.postgres import is_server, open_on_server
from lightbound.tlog import merkle
from lightbound.tlog.tiles import TileReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """How many entries there are, and the root over them."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """An entry that was checked and is to be given a number."""

    data: bytes
    kind: str
    """Type of the statement in it, by which it can be found again."""
    place: bytes | None = None
    """What no other entry may have: where it stands in a sequence. None: it stands in none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A checkpoint as it was signed or published."""

    size: int
    data: bytes


def open_log(location: str | Path, origin: str) -> Engine:
    """The database of the log with this name, in a file or on a server; made if it is missing.

    Raises:
        Refused: it is no database of a log, of another log, damaged, or was written by a newer program.
        Unavailable: it cannot be read or written.
    """
    text = str(location)
    engine = open_on_server(text, LOG) if is_server(text) else open_store(Path(location), LOG)
    try:
        _begin(engine, origin)
    except BaseException:
        engine.dispose()
        raise
    return engine


class LogStore:
    """One log. Every method is one transaction: what it kept is on disk when it returns."""

    def __init__(self, engine: Engine) -> None:
        """Over a database that `open_log` opened."""
        self._engine = engine

    def append(self, entries: Sequence[NewEntry]) -> list[int | None]:
        """The number of each entry: the one it had, if it was there already, or the next one that is free.

        None for an entry whose place another one has; that one is not kept, and the rest of them is.

        Raises:
            Unavailable: the database failed; whether anything was kept is not known, and giving it again tells.
        """
        leaves = [merkle.leaf_hash(entry.data) for entry in entries]
        try:
            with writing(self._engine) as connection:
                head = _head(connection, lock=True)
                numbers = _find(connection, ENTRIES.c.leaf, leaves)
                places = _find(connection, ENTRIES.c.place, {one.place for one in entries if one.place is not None})
                found, rows = _numbered(entries, leaves, head.size, numbers, places)
                if rows:
                    _continue(connection, head, rows)
        except IntegrityError as error:
            # Only if somebody wrote without the lock: the tables refuse what two of us would disagree about.
            raise _overtaken(self._engine) from error
        return found

    def known(self, entries: Sequence[NewEntry]) -> list[int | None]:
        """The number of each entry that is there; None for the others.

        Raises:
            Unavailable: the database failed.
        """
        leaves = [merkle.leaf_hash(entry.data) for entry in entries]
        with reading(self._engine) as connection:
            numbers = _find(connection, ENTRIES.c.leaf, leaves)
        return [numbers.get(leaf) for leaf in leaves]

    def head(self) -> Head:
        """What is on disk now.

        Raises:
            Unavailable: the database failed.
        """
        with reading(self._engine) as connection:
            row = _head(connection, lock=False)
        return Head(size=row.size, root=bytes(row.root))

    def sign(self, signed: Callable[[Head], bytes]) -> Note:
        """The newest checkpoint, signed and kept; `signed` is called only for a tree that is on disk.

        Raises:
            Unavailable: the database failed. What was signed may be kept or not, and contradicts nothing either way.
        """
        head = self.head()
        data = signed(head)
        newer = update(HEAD).where(HEAD.c.signed_size < head.size, HEAD.c.size >= head.size)
        first = update(HEAD).where(HEAD.c.signed.is_(None), HEAD.c.size >= head.size)
        with writing(self._engine) as connection:
            for statement in (newer, first):
                connection.execute(statement.values(signed_size=head.size, signed=data))
            row = connection.execute(select(HEAD.c.signed_size, HEAD.c.signed)).one()
            kept = bytes(row.signed)
            if kept != data and _text(kept) == _text(data):
                # By the key that the log had before: the same words with the signature of the one that it has now.
                connection.execute(update(HEAD).where(HEAD.c.signed == kept).values(signed=data))
                kept = data
        # Of another process, if that was quicker: its tree continues ours.
        return Note(size=row.signed_size, data=kept)

    def publish(self, note: Note) -> Note:
        """What is published from now on: this signed checkpoint with whatever cosignatures it has, or a newer one.

        Raises:
            Unavailable: the database failed.
        """
        statement = (
            update(HEAD)
            .where(HEAD.c.published_size <= note.size, HEAD.c.signed_size >= note.size)
            .values(published_size=note.size, published=note.data)
        )
        with writing(self._engine) as connection:
            connection.execute(statement)
            row = connection.execute(select(HEAD.c.published_size, HEAD.c.published)).one()
        if row.published is None:
            raise ValueError("a note that was not signed before it is published")
        return Note(size=row.published_size, data=bytes(row.published))

    def published(self) -> Note | None:
        """What is published; None before the first time.

        Raises:
            Unavailable: the database failed.
        """
        with reading(self._engine) as connection:
            row = connection.execute(select(HEAD.c.published_size, HEAD.c.published)).one()
        return None if row.published is None else Note(size=row.published_size, data=bytes(row.published))

    def tile(self, level: int, number: int) -> bytes | None:
        """The hashes of a tile as far as there are any, 32 bytes each; None if there is none.

        Raises:
            Unavailable: the database failed.
        """
        with reading(self._engine) as connection:
            return Tree(connection).tile(level, number)

    @contextmanager
    def hashes(self) -> Iterator[TileReader]:
        """A reader of the hashes of tiles, as many as their width says, until the block ends.

        Raises:
            Unavailable: the database failed.
        """
        with reading(self._engine) as connection:
            tree = Tree(connection)
            yield lambda tile: (tree.tile(tile.level or 0, tile.number) or b"")[: tile.width * merkle.DIGEST_BYTES]

    def entries(self, start: int, end: int) -> list[bytes]:
        """The entries from one number up to before another, as far as there are any.

        Raises:
            Unavailable: the database failed.
        """
        query = select(ENTRIES.c.data).where(ENTRIES.c.number >= start, ENTRIES.c.number < end)
        with reading(self._engine) as connection:
            return [bytes(data) for data in connection.execute(query.order_by(ENTRIES.c.number)).scalars()]

    def of_kinds(self, kinds: Collection[str]) -> list[bytes]:
        """All entries of these types, in their order.

        Raises:
            Unavailable: the database failed.
        """
        query = select(ENTRIES.c.data).where(ENTRIES.c.kind.in_(kinds)).order_by(ENTRIES.c.number)
        with reading(self._engine) as connection:
            return [bytes(data) for data in connection.execute(query).scalars()]

    def count_of_kinds(self, kinds: Collection[str]) -> int:
        """How many entries of these types there are.

        Raises:
            Unavailable: the database failed.
        """
        query = select(func.count()).where(ENTRIES.c.kind.in_(kinds))
        with reading(self._engine) as connection:
            return int(connection.execute(query).scalar_one())


def _begin(engine: Engine, origin: str) -> None:
    """Make the head of a new log; of one that is there, look whose it is."""
    empty = {
        "id": 1,
        "origin": origin,
        "size": 0,
        "root": merkle.root([]),
        "signed_size": 0,
        "signed": None,
        "published_size": 0,
        "published": None,
    }
    try:
        with writing(engine) as connection:
            row = connection.execute(select(HEAD.c.origin)).one_or_none()
            if row is None:
                connection.execute(insert(HEAD), empty)
    except IntegrityError:
        # Another process made it just now.
        with reading(engine) as connection:
            row = connection.execute(select(HEAD.c.origin)).one()
    if row is not None and row.origin != origin:
        fault = Fault(
            code=ErrorCode.STORE_BROKEN,
            expected=f"the log {origin}",
            found=f"the log {row.origin}",
            file=engine.url.render_as_string(hide_password=True),
        )
        raise Refused(fault)


def _head(connection: Connection, *, lock: bool) -> Row[Any, Any]:
    query = select(HEAD.c.size, HEAD.c.root)
    return connection.execute(query.with_for_update() if lock else query).one()


def _find(connection: Connection, column: Any, wanted: Iterable[bytes]) -> dict[bytes, int]:
    """The numbers of the entries that have one of these values."""
    values, found = list(wanted), dict[bytes, int]()
    for start in range(0, len(values), ASKED_AT_ONCE):
        query = select(column, ENTRIES.c.number).where(column.in_(values[start : start + ASKED_AT_ONCE]))
        found.update({bytes(value): number for value, number in connection.execute(query)})
    return found


def _numbered(
    entries: Sequence[NewEntry],
    leaves: Sequence[bytes],
    size: int,
    numbers: dict[bytes, int],
    places: dict[bytes, int],
) -> tuple[list[int | None], list[dict[str, Any]]]:
    """The number of each entry, and the rows of those that are new; both maps learn of the new ones."""
    found, rows = list[int | None](), list[dict[str, Any]]()
    for entry, leaf in zip(entries, leaves, strict=True):
        number = numbers.get(leaf)
        if number is None and entry.place in places:
            found.append(None)
            continue
        if number is None:
            number = numbers[leaf] = size + len(rows)
            if entry.place is not None:
                places[entry.place] = number
            rows.append({"number": number, "leaf": leaf, "place": entry.place, "kind": entry.kind, "data": entry.data})
        found.append(number)
    return found, rows


def _continue(connection: Connection, head: Row[Any, Any], rows: Sequence[dict[str, Any]]) -> None:
    """Put the rows after the last one, and the head over them: only if the head is still the one that was read."""
    connection.execute(insert(ENTRIES), rows)
    tree = Tree(connection)
    tree.append(head.size, [row["leaf"] for row in rows])
    size = head.size + len(rows)
    swap = update(HEAD).where(HEAD.c.size == head.size, HEAD.c.root == head.root)
    if connection.execute(swap.values(size=size, root=tree.root(size))).rowcount != 1:
        raise _overtaken(connection.engine)


def _overtaken(engine: Engine) -> Unavailable:
    fault = Fault(
        code=ErrorCode.WRITE_FAILED,
        expected="to be the only one who appends at this moment",
        found="another who did not wait",
        file=engine.url.render_as_string(hide_password=True),
    )
    return Unavailable(fault)


def _text(note: bytes) -> bytes:
    """What a note says, without who signed it."""
    return note.partition(b"\n\n")[0]
