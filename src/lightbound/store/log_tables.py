"""What a log keeps: its entries, the hashes over them, and how far it has signed.

One row holds the head: the size and root of the tree, and the newest note that was signed and that was published. It
is compared and swapped, so that whoever appends continues the one history that there is.
"""

from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, LargeBinary, MetaData, SmallInteger, Table, Text

from lightbound.store.engine import Schema

LOG: Final = Schema(name="log", application_id=0x4C42_4C47)

METADATA: Final = MetaData()

COUNT: Final = BigInteger().with_variant(Integer, "sqlite")
"""64 bits: SQLite's strict tables call that INTEGER."""

SMALL: Final = SmallInteger().with_variant(Integer, "sqlite")

HEAD: Final = Table(
    "head",
    METADATA,
    Column("id", SMALL, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("origin", Text, nullable=False),
    Column("size", COUNT, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("signed_size", COUNT, nullable=False),
    Column("signed", LargeBinary, nullable=True),
    Column("published_size", COUNT, nullable=False),
    Column("published", LargeBinary, nullable=True),
    CheckConstraint("signed_size <= size"),
    CheckConstraint("published_size <= signed_size"),
    sqlite_strict=True,
)
"""One row. `origin` is whose log this is: a database is never continued under another name."""

ENTRIES: Final = Table(
    "entries",
    METADATA,
    Column("number", COUNT, primary_key=True, autoincrement=False),
    Column("leaf", LargeBinary, nullable=False, unique=True),
    Column("place", LargeBinary, nullable=True, unique=True),
    Column("kind", Text, nullable=False, index=True),
    Column("data", LargeBinary, nullable=False),
    sqlite_strict=True,
)
"""`leaf` is the hash of `data`: an entry stands once. `place` is where it stands in its landmark's sequence, blinded:
that a place is taken once is the database's promise as well."""

TILES: Final = Table(
    "tiles",
    METADATA,
    Column("level", SMALL, primary_key=True, autoincrement=False),
    Column("number", COUNT, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
    sqlite_strict=True,
)
"""Up to 256 hashes each, one after the other. A tile that is not full grows at its end and changes nowhere else."""
