"""How far a witness has cosigned each log, kept so that it never cosigns two histories.

What it promises, to several processes and threads at once:

1. `move` answers True only if what was seen until then is still what is kept, and what is seen now is on disk: a
   power loss takes nothing back. Whoever cosigns after that has cosigned no other continuation, and never will.
2. Whatever fails, what is kept is what was seen before or what is seen now. Neither contradicts a cosignature, because
   none has left yet.

It cannot see that its file was put back to an old copy: it would cosign again what it cosigned since, or another
continuation. A file that is missing is therefore never made anew for a key that has cosigned: `open_witness` refuses.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, func, insert, select, update
from sqlalchemy.dialects import sqlite

from lightbound.errors import ErrorCode, Fault, Refused
from lightbound.store.engine import open_store, reading, writing
from lightbound.store.witness_tables import LOGS, REFUSED, SELF, WITNESS
from lightbound.tlog.witness import Seen

MOST_REFUSED: Final = 100
"""Checkpoints kept of one log and for one reason, the oldest ones: the first contradiction shows all that the
hundredth does, and a log must not be able to fill the disk."""

FORGOT: Final = "make a new witness with a new key, unless the newest file can be found: an old copy cosigns forks"

FORKED: Final = "forked"
UNPROVEN: Final = "unproven"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigned:
    """The newest checkpoint of a log that was cosigned."""

    origin: str
    seen: Seen
    note: bytes
    """As the log signed it."""
    at_s: int
    cosignatures: int
    """Cosignatures given for this log so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotCosigned:
    """A checkpoint that a log signed and that was refused."""

    origin: str
    seen: Seen
    why: str
    """forked: it has another root than was cosigned of this size. unproven: nothing showed that it continues."""
    note: bytes
    beside: bytes | None
    """What had been cosigned of the log then."""
    at_s: int


def make_witness(path: Path, name: str) -> Engine:
    """The database of a new witness; or the one that is there, if it has this name.

    Raises:
        Refused: it is no database of a witness, of another one, or damaged.
        Unavailable: it cannot be read or written.
    """
    engine = open_store(path, WITNESS)
    found = _name(engine, instead=name)
    if found != name:
        engine.dispose()
        raise _not_ours(path, f"the witness {name}", f"the witness {found}")
    return engine


def open_witness(path: Path) -> tuple[Engine, str]:
    """The database of a witness that was made before, and its name.

    Raises:
        Refused: it is missing or empty, no database of a witness, or damaged.
        Unavailable: it cannot be read or written.
    """
    # Looked at first, because opening makes it: a witness that forgot what it saw would cosign anything.
    if not path.exists():
        if not path.parent.exists():
            advice = "make a witness by `lightbound witness init`, or give another --data"
            raise _not_ours(path, "what this witness has cosigned so far", "no such folder", advice)
        raise _not_ours(path, "what this witness has cosigned so far", "no file")
    engine = open_store(path, WITNESS)
    name = _name(engine)
    if name is None:
        engine.dispose()
        raise _not_ours(path, "what this witness has cosigned so far", "an empty database")
    return engine, name


class WitnessStore:
    """What one witness has cosigned. Every method is one transaction: what it kept is on disk when it returns."""

    def __init__(self, engine: Engine) -> None:
        """Over a database that `make_witness` or `open_witness` opened."""
        self._engine = engine

    def cosigned(self, origin: str) -> Cosigned | None:
        """The newest checkpoint of this log that was cosigned; None before the first.

        Raises:
            Unavailable: the database failed.
        """
        with reading(self._engine) as connection:
            row = connection.execute(select(LOGS).where(LOGS.c.origin == origin)).one_or_none()
        return None if row is None else _cosigned(row)

    def move(self, before: Cosigned | None, origin: str, now: Seen, note: bytes, *, at_s: int) -> bool:
        """Whether `now` is what is kept from now on, on disk: only if `before` still was, and time does not run back.

        The cosignature may leave after this, and not before. What was refused before, is of the size that is cosigned
        now and has another root is the proof of a fork from now on.

        Raises:
            Unavailable: the database failed; it may be kept or not, and nothing may be cosigned.
        """
        values = {"size": now.size, "root": now.root, "note": note, "at_s": at_s}
        with writing(self._engine) as connection:
            if before is None:
                first = sqlite.insert(LOGS).values(origin=origin, cosignatures=1, **values).on_conflict_do_nothing()
                is_moved = connection.execute(first).rowcount == 1
            else:
                swap = update(LOGS).where(
                    LOGS.c.origin == origin,
                    LOGS.c.size == before.seen.size,
                    LOGS.c.root == before.seen.root,
                    LOGS.c.size <= now.size,
                    LOGS.c.at_s <= at_s,
                )
                moved = swap.values(cosignatures=LOGS.c.cosignatures + 1, **values)
                is_moved = connection.execute(moved).rowcount == 1
            if is_moved:
                _tell_forks(connection, origin, now, note)
            return is_moved

    def keep_refused(self, refused: NotCosigned) -> None:
        """Keep a checkpoint that was refused, if it is the first such one and there are not too many.

        One that was kept as unproven, and now has another root than was cosigned of its size, becomes the proof of a
        fork: a log that showed it early, with a proof that leads nowhere, gains nothing by that.

        Raises:
            Unavailable: the database failed.
        """
        alike = (REFUSED.c.origin == refused.origin, REFUSED.c.why == refused.why)
        same = (*alike[:1], REFUSED.c.size == refused.seen.size, REFUSED.c.root == refused.seen.root)
        with writing(self._engine) as connection:
            kept = connection.execute(select(REFUSED.c.why).where(*same)).scalar_one_or_none()
            if kept == UNPROVEN and refused.why == FORKED:
                worse = update(REFUSED).where(*same)
                connection.execute(worse.values(why=FORKED, beside=refused.beside, at_s=refused.at_s))
            count = connection.execute(select(func.count()).where(*alike)).scalar_one()
            if count >= MOST_REFUSED or kept is not None:
                return
            connection.execute(
                insert(REFUSED).values(
                    origin=refused.origin,
                    size=refused.seen.size,
                    root=refused.seen.root,
                    why=refused.why,
                    note=refused.note,
                    beside=refused.beside,
                    at_s=refused.at_s,
                )
            )

    def all_cosigned(self) -> list[Cosigned]:
        """The newest cosigned checkpoint of every log, by origin.

        Raises:
            Unavailable: the database failed.
        """
        with reading(self._engine) as connection:
            return [_cosigned(row) for row in connection.execute(select(LOGS).order_by(LOGS.c.origin))]

    def all_refused(self) -> list[NotCosigned]:
        """Every checkpoint that was kept because it was refused, by origin and size.

        Raises:
            Unavailable: the database failed.
        """
        query = select(REFUSED).order_by(REFUSED.c.origin, REFUSED.c.size, REFUSED.c.at_s)
        with reading(self._engine) as connection:
            return [
                NotCosigned(
                    origin=row.origin,
                    seen=Seen(size=row.size, root=bytes(row.root)),
                    why=row.why,
                    note=bytes(row.note),
                    beside=None if row.beside is None else bytes(row.beside),
                    at_s=row.at_s,
                )
                for row in connection.execute(query)
            ]


def _tell_forks(connection: Connection, origin: str, now: Seen, note: bytes) -> None:
    """What was unproven, is of this size and has another root, is the proof of a fork beside this note."""
    other = (REFUSED.c.origin == origin, REFUSED.c.size == now.size, REFUSED.c.root != now.root)
    connection.execute(update(REFUSED).where(*other, REFUSED.c.why == UNPROVEN).values(why=FORKED, beside=note))


def _cosigned(row: Row[Any]) -> Cosigned:
    return Cosigned(
        origin=row.origin,
        seen=Seen(size=row.size, root=bytes(row.root)),
        note=bytes(row.note),
        at_s=row.at_s,
        cosignatures=row.cosignatures,
    )


def _name(engine: Engine, *, instead: str | None = None) -> str | None:
    """The name in a database; `instead` is written where there is none yet."""
    try:
        with writing(engine) as connection:
            if instead is not None:
                connection.execute(sqlite.insert(SELF).values(id=1, name=instead).on_conflict_do_nothing())
            return connection.execute(select(SELF.c.name)).scalar_one_or_none()
    except BaseException:
        engine.dispose()
        raise


def _not_ours(path: Path, expected: str, found: str, advice: str = FORGOT) -> Refused:
    fault = Fault(code=ErrorCode.STORE_BROKEN, expected=expected, found=found, file=str(path), next=advice)
    return Refused(fault)
