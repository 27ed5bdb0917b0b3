"""A witness's database from nothing: its name, how far each log was cosigned, and what was refused."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "witness_0001"
down_revision: Final = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "self",
        sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "logs",
        sa.Column("origin", sa.Text, primary_key=True),
        sa.Column("size", sa.Integer, sa.CheckConstraint("size >= 0"), nullable=False),
        sa.Column("root", sa.LargeBinary, sa.CheckConstraint("length(root) = 32"), nullable=False),
        sa.Column("note", sa.LargeBinary, nullable=False),
        sa.Column("at_s", sa.Integer, nullable=False),
        sa.Column("cosignatures", sa.Integer, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "refused",
        sa.Column("origin", sa.Text, primary_key=True),
        sa.Column("size", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("root", sa.LargeBinary, primary_key=True),
        sa.Column("why", sa.Text, sa.CheckConstraint("why IN ('forked', 'unproven')"), nullable=False),
        sa.Column("note", sa.LargeBinary, nullable=False),
        sa.Column("beside", sa.LargeBinary, nullable=True),
        sa.Column("at_s", sa.Integer, nullable=False),
        sqlite_strict=True,
    )
