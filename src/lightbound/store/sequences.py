"""What landmarks signed about our agents, as far as it is here: statements by session, and sequences by landmark."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, and_, exists, select
from sqlalchemy.dialects.sqlite import insert

from lightbound.keys.signing import digest
from lightbound.ranging.sessions.chain import Breaks, Linked, breaks
from lightbound.ranging.statements.kinds import Kind
from lightbound.ranging.statements.opening import Link
from lightbound.store.engine import reading, writing
from lightbound.store.verifier_tables import STATEMENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A statement of a landmark about an agent, checked against its key."""

    kind: Kind
    session: bytes
    """Digest of the SESSION that it is of."""
    landmark: bytes
    agent: bytes
    data: bytes
    link: Link | None = None


class Sequences:
    """Statements of landmarks. Every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        """Of this database."""
        self._engine = engine

    def add(self, statements: Sequence[Signed]) -> int:
        """Keep statements; how many of them were not here before."""
        added = 0
        with writing(self._engine) as connection:
            for one in statements:
                done = connection.execute(
                    insert(STATEMENTS)
                    .values(
                        digest=digest(one.data),
                        session_digest=one.session,
                        landmark_id=one.landmark,
                        agent_id=one.agent,
                        kind=str(one.kind),
                        seq=None if one.link is None else one.link.seq,
                        prev=None if one.link is None else one.link.prev,
                        data=one.data,
                    )
                    .on_conflict_do_nothing()
                )
                added += done.rowcount
        return added

    def of_session(self, session: bytes) -> dict[bytes, dict[Kind, bytes]]:
        """Statements of a session by landmark and type."""
        query = select(STATEMENTS).where(STATEMENTS.c.session_digest == session)
        found: defaultdict[bytes, dict[Kind, bytes]] = defaultdict(dict)
        with reading(self._engine) as connection:
            for row in connection.execute(query):
                found[row.landmark_id][Kind(row.kind)] = row.data
        return dict(found)

    def not_here(self, landmark: bytes, agent: bytes) -> list[bytes]:
        """Digests that statements of a sequence name as the one before, and that are not here; the newest first."""
        before = STATEMENTS.alias()
        query = (
            select(STATEMENTS.c.prev)
            .where(
                STATEMENTS.c.landmark_id == landmark,
                STATEMENTS.c.agent_id == agent,
                STATEMENTS.c.prev.is_not(None),
                ~exists().where(and_(before.c.digest == STATEMENTS.c.prev)),
            )
            .order_by(STATEMENTS.c.seq.desc())
        )
        with reading(self._engine) as connection:
            return list(connection.execute(query).scalars())

    def breaks(self, agent: bytes) -> dict[bytes, Breaks]:
        """What is wrong with the sequences about an agent, by landmark; those with nothing wrong are left out."""
        query = select(STATEMENTS).where(STATEMENTS.c.agent_id == agent, STATEMENTS.c.seq.is_not(None))
        linked: defaultdict[bytes, list[Linked]] = defaultdict(list)
        with reading(self._engine) as connection:
            for row in connection.execute(query):
                link = Link(landmark=row.landmark_id, agent=agent, seq=row.seq, prev=row.prev)
                linked[row.landmark_id].append(Linked(link=link, digest=row.digest))
        found = {landmark: breaks(statements) for landmark, statements in sorted(linked.items())}
        return {landmark: broken for landmark, broken in found.items() if broken}
