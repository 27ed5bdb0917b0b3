"""What a landmark has said, kept before it is said to anybody."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, select, update
from sqlalchemy.exc import IntegrityError

from lightbound.errors import ErrorCode, refused
from lightbound.keys.signing import digest
from lightbound.ranging.sessions.chain import Linked
from lightbound.ranging.statements.kinds import Kind
from lightbound.ranging.statements.opening import Link
from lightbound.store.engine import reading, writing
from lightbound.store.landmark_tables import SESSIONS, STATEMENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A statement to be kept."""

    kind: Kind
    data: bytes
    link: Link | None = None
    """Of what is numbered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unended:
    """A session that was opened and never ended."""

    session: bytes
    """Digest of SESSION."""
    sid: bytes
    agent: bytes


class LandmarkStore:
    """One landmark's memory. Every method is one transaction: what it kept is on disk when it returns."""

    def __init__(self, engine: Engine, landmark: bytes) -> None:
        """Of the landmark with this id."""
        self._engine, self._landmark = engine, landmark

    def open(self, *, session: bytes, sid: bytes, agent: bytes, expiry_ns: int, said: Said) -> None:
        """Keep that a session was opened, with its OPEN.

        Raises:
            Refused: its sid was opened before, by this SESSION or another; nothing is kept.
            Unavailable: the database failed; nothing is kept.
        """
        row = {"session_digest": session, "sid": sid, "agent_id": agent, "expiry_ns": expiry_ns}
        try:
            with writing(self._engine) as connection:
                connection.execute(SESSIONS.insert(), row)
                _add(connection, session, agent, said)
        except IntegrityError as error:
            raise refused(
                ErrorCode.OUT_OF_ORDER, "a session that was not opened before", "one that was", "sid"
            ) from error

    def end(self, *, session: bytes, agent: bytes, at_ns: int, said: Sequence[Said]) -> None:
        """Keep how a session ended: MEASUREMENT or ABORT, and CLOSE and ACK beside it.

        Raises:
            Refused: it has ended before, or the number is taken; nothing is kept.
            Unavailable: the database failed; nothing is kept.
        """
        ending = (
            update(SESSIONS)
            .where(SESSIONS.c.session_digest == session, SESSIONS.c.ended_ns.is_(None))
            .values(ended_ns=at_ns)
        )
        try:
            with writing(self._engine) as connection:
                if connection.execute(ending).rowcount != 1:
                    raise refused(ErrorCode.OUT_OF_ORDER, "a session that has not ended", "one that has", "session")
                for one in said:
                    _add(connection, session, agent, one)
        except IntegrityError as error:
            raise refused(ErrorCode.SEQUENCE_BROKEN, "a number that is free", "one taken", "seq") from error

    def newest(self, agent: bytes) -> Linked | None:
        """The newest statement about an agent; None if there is none.

        Raises:
            Unavailable: the database failed.
        """
        numbered = STATEMENTS.c.agent_id == agent, STATEMENTS.c.seq.is_not(None)
        query = (
            select(STATEMENTS.c.seq, STATEMENTS.c.digest).where(*numbered).order_by(STATEMENTS.c.seq.desc()).limit(2)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        if not rows:
            return None
        prev = bytes(rows[1].digest) if len(rows) > 1 else None
        link = Link(landmark=self._landmark, agent=agent, seq=rows[0].seq, prev=prev)
        return Linked(link=link, digest=bytes(rows[0].digest))

    def unended(self) -> list[Unended]:
        """Sessions that were opened and have no end, in the order in which they were opened.

        Raises:
            Unavailable: the database failed.
        """
        query = select(SESSIONS).where(SESSIONS.c.ended_ns.is_(None)).order_by(SESSIONS.c.expiry_ns)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return [
            Unended(session=bytes(row.session_digest), sid=bytes(row.sid), agent=bytes(row.agent_id)) for row in rows
        ]

    def statements(self, session: bytes) -> dict[Kind, bytes]:
        """What was said in a session, by type; empty if there was no such session.

        Raises:
            Unavailable: the database failed.
        """
        query = select(STATEMENTS.c.kind, STATEMENTS.c.data).where(STATEMENTS.c.session_digest == session)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return {Kind(row.kind): bytes(row.data) for row in rows}

    def statement(self, wanted: bytes) -> bytes | None:
        """The numbered statement of this digest.

        Raises:
            Unavailable: the database failed.
        """
        query = select(STATEMENTS.c.data).where(STATEMENTS.c.digest == wanted, STATEMENTS.c.seq.is_not(None))
        with reading(self._engine) as connection:
            data: bytes | None = connection.execute(query).scalar()
        return data

    def counts(self) -> dict[str, int]:
        """How many statements there are of each type.

        Raises:
            Unavailable: the database failed.
        """
        query = select(STATEMENTS.c.kind, func.count()).group_by(STATEMENTS.c.kind)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return {Kind(kind).short: count for kind, count in rows}


def _add(connection: Connection, session: bytes, agent: bytes, said: Said) -> None:
    row = {
        "digest": digest(said.data),
        "session_digest": session,
        "kind": str(said.kind),
        "agent_id": agent,
        "seq": None if said.link is None else said.link.seq,
        "data": said.data,
    }
    connection.execute(STATEMENTS.insert(), row)
