"""What landmarks were asked for in vain, and when."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "verifier_0002"
down_revision: Final = "verifier_0001"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "sought",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("first_ns", sa.Integer, nullable=False),
        sa.Column("last_ns", sa.Integer, nullable=False),
        sa.CheckConstraint("first_ns <= last_ns", name="sought_in_order"),
        sa.CheckConstraint("length(digest) = 32", name="digest_is_32_bytes"),
        sqlite_strict=True,
    )
