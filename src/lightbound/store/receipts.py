"""That what landmarks said stands in a log: the entry that stands for a statement, and the proof that it is there."""

from collections.abc import Iterable, Iterator

from sqlalchemy import Engine, select
from sqlalchemy.dialects.sqlite import insert

from lightbound.ranging.sessions.receipts import Receipt
from lightbound.ranging.statements.kinds import NUMBERED
from lightbound.store.engine import ASKED_AT_ONCE, reading, writing
from lightbound.store.verifier_tables import RECEIPTS, STATEMENTS


class Receipts:
    """Receipts. Every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        """Of this database."""
        self._engine = engine

    def keep(self, digest: bytes, receipt: Receipt) -> None:
        """Keep that of the statement with this digest; the first stays.

        Raises:
            Unavailable: the database failed.
        """
        values = {"digest": digest, "entry": receipt.commitment, "proof": receipt.proof}
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
                yield row.data, Receipt(commitment=row.entry, proof=row.proof)

    def of(self, digests: Iterable[bytes]) -> dict[bytes, Receipt]:
        """The receipts of these statements that are here, by their digests, which ascend."""
        wanted = sorted({*digests})
        found = dict[bytes, Receipt]()
        with reading(self._engine) as connection:
            for start in range(0, len(wanted), ASKED_AT_ONCE):
                part = wanted[start : start + ASKED_AT_ONCE]
                rows = connection.execute(
                    select(RECEIPTS).where(RECEIPTS.c.digest.in_(part)).order_by(RECEIPTS.c.digest)
                )
                found |= {row.digest: Receipt(commitment=row.entry, proof=row.proof) for row in rows}
        return found
