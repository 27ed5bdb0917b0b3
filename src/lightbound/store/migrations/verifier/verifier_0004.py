"""Receipts of the log for what landmarks said."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "verifier_0004"
down_revision: Final = "verifier_0003"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "receipts",
        sa.Column("digest", sa.LargeBinary, sa.ForeignKey("statements.digest"), primary_key=True),
        sa.Column("entry", sa.LargeBinary, nullable=False),
        sa.Column("proof", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
    )
