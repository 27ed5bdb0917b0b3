"""What a landmark still has to have logged, and the receipts of what is.

The queue is no list of its own: it is every numbered statement that has no answer of the log yet. So nothing is
forgotten by whoever dies between saying and logging, and nothing about logging delays what is said.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, select, text, update

from lightbound.keys.ed25519 import SigningKey
from lightbound.store.engine import reading, writing
from lightbound.store.landmark_tables import LOGGED, STATEMENTS
from lightbound.tlog.entries import Commitment, Opening, Sequel, write_commitment


@dataclass(frozen=True, slots=True, kw_only=True)
class ToLog:
    """A statement whose entry the log has not answered."""

    digest: bytes
    opening: Opening
    entry: bytes
    """The statement COMMITMENT that stands for it in the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotLogged:
    """An entry that the log refused, and what it said."""

    entry: bytes
    why: str


class LoggedStatements:
    """The entries of one landmark. Every method is one transaction: what it kept is on disk when it returns."""

    def __init__(self, engine: Engine, key: SigningKey) -> None:
        """Of the landmark with this key."""
        self._engine, self._key = engine, key

    def prepare(self, most: int, salt: Callable[[], bytes]) -> Sequence[ToLog]:
        """The oldest statements without an answer, in the order in which they were said, each with an entry of its own.

        Raises:
            Unavailable: the database failed.
        """
        with reading(self._engine) as connection:
            is_new = bool(_without_entry(connection, 1))
        if is_new:
            # The landmark writes into the same file, and waits for us as long as this takes.
            with writing(self._engine) as connection:
                for row in _without_entry(connection, most):
                    self._add(connection, row, salt())
        with reading(self._engine) as connection:
            query = (
                select(LOGGED)
                .where(LOGGED.c.receipt.is_(None), LOGGED.c.refused.is_(None))
                .order_by(text("logged.rowid"))
                .limit(most)
            )
            rows = connection.execute(query).all()
        return [ToLog(digest=bytes(row.digest), opening=_opening(row), entry=bytes(row.entry)) for row in rows]

    def received(self, receipts: Sequence[tuple[bytes, bytes]]) -> None:
        """Keep the receipts of statements, by their digests.

        Raises:
            Unavailable: the database failed; nothing is kept.
        """
        with writing(self._engine) as connection:
            for digest, receipt in receipts:
                connection.execute(update(LOGGED).where(LOGGED.c.digest == digest).values(receipt=receipt))

    def refused(self, digest: bytes, why: str) -> None:
        """Keep that the log refused an entry: it is published, and not sent again.

        Raises:
            Unavailable: the database failed; nothing is kept.
        """
        with writing(self._engine) as connection:
            connection.execute(update(LOGGED).where(LOGGED.c.digest == digest).values(refused=why))

    def receipt(self, digest: bytes) -> bytes | None:
        """The receipt of a statement; None if there is none yet.

        Raises:
            Unavailable: the database failed.
        """
        with reading(self._engine) as connection:
            found = connection.execute(select(LOGGED.c.receipt).where(LOGGED.c.digest == digest)).scalar()
        return None if found is None else bytes(found)

    def of(self, digests: Sequence[bytes]) -> list[tuple[bytes, bytes, bytes]]:
        """Of these statements those that are logged: digest, the entry that stands for it in the log, and its receipt.

        Raises:
            Unavailable: the database failed.
        """
        query = select(LOGGED).where(LOGGED.c.digest.in_(digests), LOGGED.c.receipt.is_not(None))
        with reading(self._engine) as connection:
            return [(bytes(row.digest), bytes(row.entry), bytes(row.receipt)) for row in connection.execute(query)]

    def not_logged(self, most: int) -> list[NotLogged]:
        """The newest entries that the log refused.

        Raises:
            Unavailable: the database failed.
        """
        query = select(LOGGED.c.entry, LOGGED.c.refused).where(LOGGED.c.refused.is_not(None))
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(text("logged.rowid DESC")).limit(most)).all()
        return [NotLogged(entry=bytes(row.entry), why=row.refused) for row in rows]

    def ask_again(self) -> None:
        """Take what was refused for something that is still to be sent: the log may know more directories now.

        Raises:
            Unavailable: the database failed; nothing is changed.
        """
        with writing(self._engine) as connection:
            connection.execute(update(LOGGED).where(LOGGED.c.refused.is_not(None)).values(refused=None))

    def _add(self, connection: Connection, row: Row[Any, Any], salt: bytes) -> None:
        before = None
        if row.seq > 0:
            earlier = (
                select(LOGGED.c.salt, LOGGED.c.before)
                .join(STATEMENTS, STATEMENTS.c.digest == LOGGED.c.digest)
                .where(STATEMENTS.c.agent_id == row.agent_id, STATEMENTS.c.seq == row.seq - 1)
            )
            before = _opening(connection.execute(earlier).one()).link()
        opening = Opening(salt=salt, before=before)
        sequel = Sequel(landmark=self._key.key_id, agent=bytes(row.agent_id), seq=row.seq, before=before)
        said = Commitment(landmark=self._key.key_id, slot=sequel.slot(), commitment=opening.commitment(bytes(row.data)))
        entry = write_commitment(said, self._key)
        connection.execute(LOGGED.insert(), {"digest": row.digest, "salt": salt, "before": before, "entry": entry})


def _without_entry(connection: Connection, most: int) -> Sequence[Row[Any, Any]]:
    """Entries are made in the order in which statements were kept, so that the newest entry says where to go on."""
    newest = select(LOGGED.c.digest).order_by(text("logged.rowid DESC")).limit(1).scalar_subquery()
    reached = select(text("statements.rowid")).select_from(STATEMENTS).where(STATEMENTS.c.digest == newest)
    start = connection.execute(reached).scalar() or 0
    later = STATEMENTS.c.seq.is_not(None), text("statements.rowid > :start")
    query = select(STATEMENTS).where(*later).order_by(text("statements.rowid")).limit(most)
    return connection.execute(query, {"start": start}).all()


def _opening(row: Row[Any, Any]) -> Opening:
    return Opening(salt=bytes(row.salt), before=None if row.before is None else bytes(row.before))
