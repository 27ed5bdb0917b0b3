"""That what landmarks said stands in a log: the entry that stands for a statement, and the proof that it is there."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Engine, select
from sqlalchemy.dialects.sqlite import insert

from lightbound.ranging.statements.kinds import NUMBERED
from lightbound.store.engine import ASKED_AT_ONCE, reading, writing
from lightbound.store.verifier_tables import RECEIPTS, STATEMENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """That a statement stands in a log."""

    digest: bytes
    """Of the statement."""
    entry: bytes
    """The landmark's COMMITMENT."""
    proof: bytes
    """tlog-proof, with the opening in it."""


class Receipts:
    """Receipts. Every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        """Of this database."""
        self._engine = engine

    def keep(self, receipt: Receipt) -> None:
        """Keep one; the first stays.

        Raises:
            Unavailable: the database failed.
        """
        values = {"digest": receipt.digest, "entry": receipt.entry, "proof": receipt.proof}
        with writing(self._engine) as connection:
            connection.execute(insert(RECEIPTS).values(**values).on_conflict_do_nothing())

    def lacking(self, session: bytes, landmark: bytes) -> list[bytes]:
        """What a landmark said of a session, and has to have logged, of which there is no receipt here."""
        query = (
            select(STATEMENTS.c.data)
            .join(RECEIPTS, RECEIPTS.c.digest == STATEMENTS.c.digest, isouter=True)
            .where(
                STATEMENTS.c.session_digest == session,
                STATEMENTS.c.landmark_id == landmark,
                STATEMENTS.c.kind.in_([str(kind) for kind in NUMBERED]),
                RECEIPTS.c.digest.is_(None),
            )
        )
        with reading(self._engine) as connection:
            return list(connection.execute(query).scalars())

    def held(self) -> Iterator[tuple[bytes, Receipt]]:
        """Everything that landmarks numbered and that is here with its receipt: the statement, and that.

        Raises:
            Unavailable: the database failed.
        """
        query = (
            select(STATEMENTS.c.data, RECEIPTS)
            .join(RECEIPTS, RECEIPTS.c.digest == STATEMENTS.c.digest)
            .order_by(STATEMENTS.c.landmark_id, STATEMENTS.c.agent_id, STATEMENTS.c.seq)
        )
        with reading(self._engine) as connection:
            for row in connection.execute(query):
                yield row.data, Receipt(digest=row.digest, entry=row.entry, proof=row.proof)

    def of(self, digests: Iterable[bytes]) -> list[Receipt]:
        """The receipts of these statements that are here, ascending by digest."""
        wanted = sorted({*digests})
        found = []
        with reading(self._engine) as connection:
            for start in range(0, len(wanted), ASKED_AT_ONCE):
                part = wanted[start : start + ASKED_AT_ONCE]
                rows = connection.execute(
                    select(RECEIPTS).where(RECEIPTS.c.digest.in_(part)).order_by(RECEIPTS.c.digest)
                )
                found += [Receipt(digest=row.digest, entry=row.entry, proof=row.proof) for row in rows]
        return found
