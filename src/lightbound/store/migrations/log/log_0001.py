"""A log's database from nothing: entries, tiles of hashes, and the head."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "log_0001"
down_revision: Final = None

COUNT: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")
SMALL: Final = sa.SmallInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "head",
        sa.Column("id", SMALL, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("size", COUNT, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("signed_size", COUNT, nullable=False),
        sa.Column("signed", sa.LargeBinary, nullable=True),
        sa.Column("published_size", COUNT, nullable=False),
        sa.Column("published", sa.LargeBinary, nullable=True),
        sa.CheckConstraint("signed_size <= size"),
        sa.CheckConstraint("published_size <= signed_size"),
        sqlite_strict=True,
    )
    op.create_table(
        "entries",
        sa.Column("number", COUNT, primary_key=True, autoincrement=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("place", sa.LargeBinary, nullable=True, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("ix_entries_kind", "entries", ["kind"])
    op.create_table(
        "tiles",
        sa.Column("level", SMALL, primary_key=True, autoincrement=False),
        sa.Column("number", COUNT, primary_key=True, autoincrement=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
    )
