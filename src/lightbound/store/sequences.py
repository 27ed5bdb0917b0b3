"""What landmarks signed about our agents, as far as it is here: statements by session, and sequences by landmark."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Engine, and_, exists, func, or_, select
from sqlalchemy.dialects.sqlite import insert

from lightbound.keys.signing import digest
from lightbound.ranging.sessions.chain import Breaks, Linked, breaks
from lightbound.ranging.statements.kinds import Kind
from lightbound.ranging.statements.opening import Link
from lightbound.store.engine import reading, writing
from lightbound.store.verifier_tables import SOUGHT, STATEMENTS


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

    def in_vain(self, names: Sequence[bytes], *, now_ns: int) -> None:
        """Keep that a landmark was asked for statements of these digests just now, and did not show them."""
        if not names:
            return  # most askings: nothing is to be written, and nobody is kept waiting
        with writing(self._engine) as connection:
            for name in names:
                added = insert(SOUGHT).values(digest=name, first_ns=now_ns, last_ns=now_ns)
                # A clock that was set back moves neither.
                later = {"last_ns": func.max(SOUGHT.c.last_ns, now_ns)}
                connection.execute(added.on_conflict_do_update(index_elements=["digest"], set_=later))

    def breaks(self, *, patience_ns: int | None) -> dict[bytes, dict[bytes, Breaks]]:
        """What is wrong with sequences, by agent and landmark; those with nothing wrong are left out.

        Numbers are missing only if the landmark was asked for the newest of them in vain, and in vain again so much
        later: what is merely not fetched yet says nothing about it. Without patience, all that is not here is missing.
        """
        found: defaultdict[bytes, dict[bytes, Breaks]] = defaultdict(dict)
        with reading(self._engine) as connection:
            refused = None
            if patience_ns is not None:
                query = select(SOUGHT.c.digest).where(SOUGHT.c.last_ns - SOUGHT.c.first_ns >= patience_ns)
                refused = frozenset(connection.execute(query).scalars())
            for agent, landmark in connection.execute(_DOUBTFUL).all():
                query = select(STATEMENTS).where(
                    STATEMENTS.c.agent_id == agent,
                    STATEMENTS.c.landmark_id == landmark,
                    STATEMENTS.c.seq.is_not(None),
                )
                linked = [
                    Linked(link=Link(landmark=landmark, agent=agent, seq=row.seq, prev=row.prev), digest=row.digest)
                    for row in connection.execute(query)
                ]
                broken = breaks(linked)
                if refused is not None:
                    broken = _refused(broken, linked, refused)
                if broken:
                    found[agent][landmark] = broken
        return dict(found)


def _refused(broken: Breaks, linked: Sequence[Linked], refused: frozenset[bytes]) -> Breaks:
    """The same without the numbers that the landmark was not asked for long enough.

    What it is asked for is the statement before one that is here, so that numbers missing in a row are sought together.
    """
    named: defaultdict[int, set[bytes | None]] = defaultdict(set)
    for one in linked:
        named[one.link.seq].add(one.link.prev)
    waiting: list[range] = []
    expected = 0
    for seq in sorted(named):
        # One that names nothing before it cannot be asked for that.
        if seq > expected and not any(prev is None or prev in refused for prev in named[seq]):
            waiting.append(range(expected, seq))
        expected = seq + 1
    missing = tuple(seq for seq in broken.missing if not any(seq in numbers for numbers in waiting))
    return replace(broken, missing=missing)


_BEFORE = STATEMENTS.alias()

_DOUBTFUL = (
    select(STATEMENTS.c.agent_id, STATEMENTS.c.landmark_id)
    .outerjoin(
        _BEFORE,
        and_(
            _BEFORE.c.digest == STATEMENTS.c.prev,
            _BEFORE.c.seq == STATEMENTS.c.seq - 1,
            _BEFORE.c.landmark_id == STATEMENTS.c.landmark_id,
            _BEFORE.c.agent_id == STATEMENTS.c.agent_id,
        ),
    )
    .where(STATEMENTS.c.seq.is_not(None))
    .group_by(STATEMENTS.c.agent_id, STATEMENTS.c.landmark_id)
    .having(
        or_(
            func.min(STATEMENTS.c.seq) != 0,
            func.count() != func.max(STATEMENTS.c.seq) + 1,
            # All but the first have the one before them here.
            func.count(_BEFORE.c.digest) != func.count() - 1,
        )
    )
    .order_by(STATEMENTS.c.agent_id, STATEMENTS.c.landmark_id)
)
"""Sequences in which something may be wrong. In all others the first statement is here, as many as the newest number
says, and each but one follows another that is here: nothing is missing, forked or unlinked, and no row is looked at."""
