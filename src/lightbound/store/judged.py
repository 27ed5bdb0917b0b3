"""What was concluded about chips, and on which sessions each conclusion rests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, and_, select, update
from sqlalchemy.dialects.sqlite import insert

from lightbound.canonical.cbor import decode, encode
from lightbound.store.engine import reading, writing
from lightbound.store.verifier_tables import CHIPS, SESSIONS, VERDICTS

PROVES: Final = ("verified", "cleared")
"""Standings whose loss is told of."""

MOST_BASIS_BYTES: Final = 1_000_000
"""Digests of sessions, 34 bytes each: far more than the window of a decision holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A verdict on one chip."""

    chip: bytes
    standing: str
    line: str
    """The verdict as one line of JSON, without its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipKept:
    """A chip, and the newest decision about it."""

    chip: bytes
    agent: bytes
    label: str
    standing: str | None
    standing_since_ns: int | None
    proven_ns: int | None
    """When it was last verified or cleared."""
    decided_ns: int | None
    line: str | None
    basis: tuple[bytes, ...]
    """Digests of the sessions that the decision rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A verdict that was given on a chip."""

    decided_ns: int
    line: str
    basis: tuple[bytes, ...]


class Judgements:
    """Decisions about chips. Every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        """Of this database."""
        self._engine = engine

    def decide(
        self, decisions: Sequence[Decision], *, basis: Sequence[bytes], looked_at: Sequence[bytes], now_ns: int
    ) -> None:
        """Keep decisions that rest on the same sessions, made after these were looked at."""
        kept = encode(list(basis))
        with writing(self._engine) as connection:
            for one in decisions:
                was = connection.execute(select(CHIPS.c.standing).where(CHIPS.c.chip_id == one.chip)).scalar_one()
                values: dict[str, object] = {"standing": one.standing, "decided_ns": now_ns}
                if was != one.standing:
                    values["standing_since_ns"] = now_ns
                if one.standing in PROVES:
                    values["proven_ns"] = now_ns
                connection.execute(update(CHIPS).where(CHIPS.c.chip_id == one.chip).values(**values))
                said = {"standing": one.standing, "line": one.line, "basis": kept}
                connection.execute(
                    insert(VERDICTS)
                    .values(chip_id=one.chip, decided_ns=now_ns, **said)
                    .on_conflict_do_update(index_elements=["chip_id", "decided_ns"], set_=said)
                )
            connection.execute(
                update(SESSIONS).where(SESSIONS.c.session_digest.in_(looked_at)).values(decided_ns=now_ns)
            )

    def chips(self) -> list[ChipKept]:
        """Every chip, by agent and id, with the newest decision about it."""
        newest = and_(VERDICTS.c.chip_id == CHIPS.c.chip_id, VERDICTS.c.decided_ns == CHIPS.c.decided_ns)
        query = (
            select(CHIPS, VERDICTS.c.line, VERDICTS.c.basis)
            .join(VERDICTS, newest, isouter=True)
            .order_by(CHIPS.c.agent_id, CHIPS.c.chip_id)
        )
        with reading(self._engine) as connection:
            return [
                ChipKept(
                    chip=row.chip_id,
                    agent=row.agent_id,
                    label=row.label,
                    standing=row.standing,
                    standing_since_ns=row.standing_since_ns,
                    proven_ns=row.proven_ns,
                    decided_ns=row.decided_ns,
                    line=row.line,
                    basis=() if row.basis is None else _basis(row.basis),
                )
                for row in connection.execute(query)
            ]

    def given(self, chip: bytes, *, from_ns: int, to_ns: int) -> list[Given]:
        """What was decided about a chip from one instant on and before another, the oldest first."""
        query = (
            select(VERDICTS.c.decided_ns, VERDICTS.c.line, VERDICTS.c.basis)
            .where(VERDICTS.c.chip_id == chip, VERDICTS.c.decided_ns >= from_ns, VERDICTS.c.decided_ns < to_ns)
            .order_by(VERDICTS.c.decided_ns)
        )
        with reading(self._engine) as connection:
            return [
                Given(decided_ns=row.decided_ns, line=row.line, basis=_basis(row.basis))
                for row in connection.execute(query)
            ]


def _basis(data: bytes) -> tuple[bytes, ...]:
    read = decode(data, what="basis", most_bytes=MOST_BASIS_BYTES)
    if not isinstance(read, list):
        raise TypeError(type(read).__name__)
    return tuple(name for name in read if isinstance(name, bytes))
