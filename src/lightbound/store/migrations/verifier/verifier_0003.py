"""What is pinned of chips at enrolment, and what sessions found otherwise."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "verifier_0003"
down_revision: Final = "verifier_0002"


def upgrade() -> None:
    """Make the tables."""
    op.add_column("agents", sa.Column("quote_key", sa.LargeBinary, nullable=True))
    op.create_table(
        "pins",
        sa.Column("chip_id", sa.LargeBinary, sa.ForeignKey("chips.chip_id"), primary_key=True),
        sa.Column("product", sa.Text, nullable=False),
        sa.Column("serial", sa.Text, nullable=False),
        sa.Column("board", sa.Text, nullable=True),
        sa.Column("firmware_id", sa.LargeBinary, nullable=False),
        sa.Column("vbios", sa.Text, nullable=True),
        sa.Column("driver", sa.Text, nullable=True),
        sa.Column("root", sa.Text, nullable=False),
        sa.Column("is_simulated", sa.Integer, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "findings",
        sa.Column("agent_id", sa.LargeBinary, sa.ForeignKey("agents.agent_id"), primary_key=True),
        sa.Column("chip_id", sa.LargeBinary, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("session_digest", sa.LargeBinary, nullable=True),
        sa.Column("first_ns", sa.Integer, nullable=False),
        sa.Column("last_ns", sa.Integer, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sqlite_strict=True,
    )
