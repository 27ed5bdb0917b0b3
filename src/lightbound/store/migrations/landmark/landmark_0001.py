"""A landmark's database from nothing: sessions that were opened, and what was signed in them."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "landmark_0001"
down_revision: Final = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "sessions",
        sa.Column("session_digest", sa.LargeBinary, primary_key=True),
        sa.Column("sid", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("agent_id", sa.LargeBinary, nullable=False),
        sa.Column("expiry_ns", sa.Integer, nullable=False),
        sa.Column("ended_ns", sa.Integer, nullable=True),
        sqlite_strict=True,
    )
    op.create_table(
        "statements",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("session_digest", sa.LargeBinary, sa.ForeignKey("sessions.session_digest"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("agent_id", sa.LargeBinary, nullable=False),
        sa.Column("seq", sa.Integer, nullable=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("agent_id", "seq"),
        sqlite_strict=True,
    )
    op.create_index("statements_of_session", "statements", ["session_digest"])
