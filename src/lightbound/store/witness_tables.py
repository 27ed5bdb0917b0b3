"""What a witness keeps: whose it is, how far it has cosigned each log, and what contradicts that."""

from typing import Final

from sqlalchemy import CheckConstraint, Column, Integer, LargeBinary, MetaData, Table, Text

from lightbound.store.engine import Schema

WITNESS: Final = Schema(name="witness", application_id=0x4C42_5754)

METADATA: Final = MetaData()

SELF: Final = Table(
    "self",
    METADATA,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True),
    Column("name", Text, nullable=False),
    sqlite_strict=True,
)
"""One row: the name under which it cosigns. What is signed does not say the name, so a key has one for ever."""

LOGS: Final = Table(
    "logs",
    METADATA,
    Column("origin", Text, primary_key=True),
    Column("size", Integer, CheckConstraint("size >= 0"), nullable=False),
    Column("root", LargeBinary, CheckConstraint("length(root) = 32"), nullable=False),
    Column("note", LargeBinary, nullable=False),
    Column("at_s", Integer, nullable=False),
    Column("cosignatures", Integer, nullable=False),
    sqlite_strict=True,
)
"""One row a log: the newest checkpoint that was cosigned, as the log signed it, and when. It is compared and swapped.

`cosignatures` grows with each, so that each one writes. A row that stays as it was is not synced: then what was found
after a process was killed between a write and its sync would not be on disk when the next cosignature leaves.
"""

REFUSED: Final = Table(
    "refused",
    METADATA,
    Column("origin", Text, primary_key=True),
    Column("size", Integer, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, primary_key=True),
    Column("why", Text, CheckConstraint("why IN ('forked', 'unproven')"), nullable=False),
    Column("note", LargeBinary, nullable=False),
    Column("beside", LargeBinary, nullable=True),
    Column("at_s", Integer, nullable=False),
    sqlite_strict=True,
)
"""Checkpoints that their log signed and that were not cosigned. `beside` is what had been cosigned then; of a fork, the
other checkpoint of that size."""
