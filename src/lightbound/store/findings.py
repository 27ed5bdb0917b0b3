"""What sessions found otherwise than pinned: each kind once for each chip, with when first, when last and how often."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, select
from sqlalchemy.dialects.sqlite import insert

from lightbound.enrolment.pinned import Finding
from lightbound.store.engine import reading, writing
from lightbound.store.verifier_tables import FINDINGS


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingKept:
    """A finding, and how often it was made."""

    agent: bytes
    chip: bytes | None
    kind: str
    detail: str
    session: bytes | None
    first_ns: int
    last_ns: int
    times: int


class Findings:
    """Findings about all agents. Every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        """Of this database."""
        self._engine = engine

    def note(self, agent: bytes, found: Sequence[Finding], *, session: bytes | None, now_ns: int) -> None:
        """Keep what was found in one session, or at an enrolment. The same of one session again changes nothing.

        Raises:
            Unavailable: the database failed; nothing is kept.
        """
        if not found:
            return
        with writing(self._engine) as connection:
            for one in found:
                said = {"detail": one.detail, "session_digest": session, "last_ns": now_ns}
                made = insert(FINDINGS).values(
                    agent_id=agent, chip_id=one.chip or b"", kind=str(one.kind), first_ns=now_ns, times=1, **said
                )
                connection.execute(
                    made.on_conflict_do_update(
                        index_elements=["agent_id", "chip_id", "kind"],
                        set_={**said, "times": FINDINGS.c.times + 1},
                        where=FINDINGS.c.session_digest.is_distinct_from(session),
                    )
                )

    def all(self) -> list[FindingKept]:
        """Every finding, by agent, chip and kind."""
        query = select(FINDINGS).order_by(FINDINGS.c.agent_id, FINDINGS.c.chip_id, FINDINGS.c.kind)
        with reading(self._engine) as connection:
            return [
                FindingKept(
                    agent=row.agent_id,
                    chip=row.chip_id or None,
                    kind=row.kind,
                    detail=row.detail,
                    session=row.session_digest,
                    first_ns=row.first_ns,
                    last_ns=row.last_ns,
                    times=row.times,
                )
                for row in connection.execute(query)
            ]
