"""What a verifier asked and what was brought: sessions, and what became of them at each landmark."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, case, func, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from lightbound.canonical.cbor import Value, decode, encode
from lightbound.canonical.commitments import Disclosure
from lightbound.errors import ErrorCode, refused
from lightbound.keys.signing import digest
from lightbound.store.engine import reading, writing
from lightbound.store.verifier_tables import AGENTS, DOCUMENTS, PARTS, SESSIONS

ASKED: Final = "asked"
DELIVERED: Final = "delivered"
UNANSWERED: Final = "unanswered"
FAILED: Final = "failed"
CHECKED: Final = "checked"

MOST_SALTS_BYTES: Final = 100_000
"""1,024 chips with their salts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A session that was asked for, and what is needed to say later what was asked."""

    statement: bytes
    sid: bytes
    agent: bytes
    """Id of the enrolment key."""
    chips: tuple[tuple[bytes, bytes], ...]
    """Ids and salts, in the order of the tree."""
    site: Disclosure
    issued_ns: int
    """When it was asked for; SESSION itself is dated a little earlier."""
    expiry_ns: int
    state: str = ASKED
    step: str | None = None
    """Where it failed, and why."""
    why: str | None = None
    delivery: bytes | None = None
    delivered_ns: int | None = None
    decided_ns: int | None = None

    @property
    def digest(self) -> bytes:
        """By which landmarks know it."""
        return digest(self.statement)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartKept:
    """What became of a session at one landmark."""

    landmark: bytes
    outcome: str
    step: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToAsk:
    """A landmark that is to be asked for what is missing of a session."""

    session: bytes
    agent: bytes
    landmark: bytes
    outcome: str
    asks: int
    """How often it was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When an agent was last asked, when it last answered, and when that was last decided about."""

    asked_ns: int | None = None
    answered_ns: int | None = None
    heard_ns: int | None = None
    """When the newest question that it answered was asked: an answer that was held back is as old as its question."""
    decided_ns: int | None = None


class AskedSessions:
    """Sessions of all agents. Every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        """Of this database."""
        self._engine = engine

    def give(self, agent: bytes, choose: Callable[[Asked | None], Asked | bytes | None]) -> bytes | None:
        """What an agent that polls is given: a SESSION, or nothing.

        `choose` is shown its newest session, and makes another, gives that one again, or gives nothing. Nobody else
        decides about this agent meanwhile, so that two polls at once get one session.

        Raises:
            Unavailable: the database failed; nothing was given.
        """
        with writing(self._engine) as connection:
            chosen = choose(_newest(connection, agent))
            if isinstance(chosen, Asked):
                connection.execute(SESSIONS.insert(), _written(chosen))
                return chosen.statement
            return chosen

    def newest(self, agent: bytes) -> Asked | None:
        """The session that an agent was given last."""
        with reading(self._engine) as connection:
            return _newest(connection, agent)

    def session(self, name: bytes) -> Asked | None:
        """The session of this digest."""
        with reading(self._engine) as connection:
            row = connection.execute(select(SESSIONS).where(SESSIONS.c.session_digest == name)).one_or_none()
            return None if row is None else _read(row)

    def deliver(self, name: bytes, data: bytes, *, content: bytes, now_ns: int, in_time_ns: int) -> bool:
        """Keep a delivery as it came; False if one of the same content was kept before. `content` is its digest.

        Who was silent is not any more, if the question ran out no earlier than `in_time_ns`.

        Raises:
            Refused: another one was kept before.
            Unavailable: the database failed; nothing is kept.
        """
        with writing(self._engine) as connection:
            row = connection.execute(select(SESSIONS).where(SESSIONS.c.session_digest == name)).one()
            if row.delivery is not None:
                if row.content_digest == content:
                    return False
                raise refused(ErrorCode.OUT_OF_ORDER, "one delivery a session", "another", "delivery.content")
            connection.execute(
                update(SESSIONS)
                .where(SESSIONS.c.session_digest == name)
                .values(delivery=data, content_digest=content, delivered_ns=now_ns, state=DELIVERED)
            )
            if row.expiry_ns >= in_time_ns:
                connection.execute(update(AGENTS).where(AGENTS.c.agent_id == row.agent_id).values(silent_since_ns=None))
        return True

    def conclude(
        self,
        name: bytes,
        *,
        state: str,
        step: str | None,
        why: str | None,
        parts: Sequence[PartKept],
        evidence: bytes | None,
        ask_ns: int,
    ) -> None:
        """Keep what a session came to. Landmarks that were not asked before are to be asked from `ask_ns` on."""
        with writing(self._engine) as connection:
            connection.execute(
                update(SESSIONS)
                .where(SESSIONS.c.session_digest == name)
                .values(state=state, failed_step=step, failed_why=why)
            )
            for part in parts:
                said = {"outcome": part.outcome, "step": part.step, "why": part.why}
                connection.execute(
                    insert(PARTS)
                    .values(session_digest=name, landmark_id=part.landmark, asks=0, ask_ns=ask_ns, **said)
                    .on_conflict_do_update(index_elements=["session_digest", "landmark_id"], set_=said)
                )
            if evidence is not None:
                document = {"digest": digest(evidence), "data": evidence}
                connection.execute(insert(DOCUMENTS).values(**document).on_conflict_do_nothing())

    def asked_landmark(self, one: ToAsk, *, ask_ns: int | None) -> None:
        """Keep that a landmark was asked, and when to ask it again."""
        with writing(self._engine) as connection:
            connection.execute(
                update(PARTS)
                .where(PARTS.c.session_digest == one.session, PARTS.c.landmark_id == one.landmark)
                .values(asks=one.asks + 1, ask_ns=ask_ns)
            )

    def to_ask(self, *, now_ns: int, most: int, of_each: int) -> list[ToAsk]:
        """Landmarks that are to be asked by now, the longest overdue first, each about so many sessions at most."""
        place = func.row_number().over(partition_by=PARTS.c.landmark_id, order_by=PARTS.c.ask_ns).label("place")
        due = select(PARTS, place).where(PARTS.c.ask_ns <= now_ns).subquery()
        query = (
            select(due, SESSIONS.c.agent_id)
            .join(SESSIONS, SESSIONS.c.session_digest == due.c.session_digest)
            .where(due.c.place <= of_each)
            .order_by(due.c.ask_ns)
            .limit(most)
        )
        with reading(self._engine) as connection:
            return [
                ToAsk(
                    session=row.session_digest,
                    agent=row.agent_id,
                    landmark=row.landmark_id,
                    outcome=row.outcome,
                    asks=row.asks,
                )
                for row in connection.execute(query)
            ]

    def parts(self, name: bytes) -> list[PartKept]:
        """What became of a session at each landmark, in the order of their ids."""
        query = select(PARTS).where(PARTS.c.session_digest == name).order_by(PARTS.c.landmark_id)
        with reading(self._engine) as connection:
            return [
                PartKept(landmark=row.landmark_id, outcome=row.outcome, step=row.step, why=row.why)
                for row in connection.execute(query)
            ]

    def unlooked_at(self, *, expired_ns: int) -> list[Asked]:
        """Sessions that were delivered and not looked at, and such as ran out before this instant undelivered."""
        query = select(SESSIONS).where(
            or_(SESSIONS.c.state == DELIVERED, (SESSIONS.c.state == ASKED) & (SESSIONS.c.expiry_ns < expired_ns))
        )
        with reading(self._engine) as connection:
            return [_read(row) for row in connection.execute(query.order_by(SESSIONS.c.issued_ns))]

    def delivered(self, agent: bytes, *, issued_after_ns: int = -1) -> list[Asked]:
        """Sessions of an agent that were delivered and looked at, the oldest first."""
        query = select(SESSIONS).where(
            SESSIONS.c.agent_id == agent,
            SESSIONS.c.issued_ns > issued_after_ns,
            SESSIONS.c.state.in_((FAILED, CHECKED)),
        )
        with reading(self._engine) as connection:
            return [_read(row) for row in connection.execute(query.order_by(SESSIONS.c.issued_ns))]

    def times(self) -> dict[bytes, Times]:
        """When each agent was last asked, answered and decided about, by its id."""
        query = select(
            SESSIONS.c.agent_id,
            func.max(SESSIONS.c.issued_ns).label("asked_ns"),
            func.max(SESSIONS.c.delivered_ns).label("answered_ns"),
            func.max(case((SESSIONS.c.delivered_ns.is_not(None), SESSIONS.c.issued_ns))).label("heard_ns"),
            func.max(SESSIONS.c.decided_ns).label("decided_ns"),
        ).group_by(SESSIONS.c.agent_id)
        with reading(self._engine) as connection:
            return {
                row.agent_id: Times(
                    asked_ns=row.asked_ns,
                    answered_ns=row.answered_ns,
                    heard_ns=row.heard_ns,
                    decided_ns=row.decided_ns,
                )
                for row in connection.execute(query)
            }

    def undecided(self) -> list[Asked]:
        """Sessions that were delivered and looked at, and about which nothing was decided yet."""
        query = select(SESSIONS).where(SESSIONS.c.state.in_((FAILED, CHECKED)), SESSIONS.c.decided_ns.is_(None))
        with reading(self._engine) as connection:
            return [_read(row) for row in connection.execute(query.order_by(SESSIONS.c.issued_ns))]

    def newest_concluded(self, agent: bytes) -> Asked | None:
        """The newest session of an agent that is not open any more."""
        query = (
            select(SESSIONS)
            .where(SESSIONS.c.agent_id == agent, SESSIONS.c.state.in_((UNANSWERED, FAILED, CHECKED)))
            .order_by(SESSIONS.c.issued_ns.desc())
            .limit(1)
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
            return None if row is None else _read(row)

    def newest_delivered(self, agent: bytes) -> Asked | None:
        """The newest of them."""
        query = (
            select(SESSIONS)
            .where(SESSIONS.c.agent_id == agent, SESSIONS.c.state.in_((FAILED, CHECKED)))
            .order_by(SESSIONS.c.issued_ns.desc())
            .limit(1)
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
            return None if row is None else _read(row)


def _newest(connection: Connection, agent: bytes) -> Asked | None:
    query = select(SESSIONS).where(SESSIONS.c.agent_id == agent).order_by(SESSIONS.c.issued_ns.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else _read(row)


def _written(asked: Asked) -> dict[str, Any]:
    chips: list[Value] = [[chip, salt] for chip, salt in asked.chips]
    return {
        "session_digest": asked.digest,
        "sid": asked.sid,
        "agent_id": asked.agent,
        "statement": asked.statement,
        "salts": encode({"chips": chips, "site": {"salt": asked.site.salt, "value": asked.site.value}}),
        "issued_ns": asked.issued_ns,
        "expiry_ns": asked.expiry_ns,
        "state": asked.state,
    }


def _read(row: Row[Any]) -> Asked:
    salts: Any = decode(row.salts, what="salts", most_bytes=MOST_SALTS_BYTES)
    return Asked(
        statement=row.statement,
        sid=row.sid,
        agent=row.agent_id,
        chips=tuple((chip, salt) for chip, salt in salts["chips"]),
        site=Disclosure(field="site", salt=salts["site"]["salt"], value=salts["site"]["value"]),
        issued_ns=row.issued_ns,
        expiry_ns=row.expiry_ns,
        state=row.state,
        step=row.failed_step,
        why=row.failed_why,
        delivery=row.delivery,
        delivered_ns=row.delivered_ns,
        decided_ns=row.decided_ns,
    )
