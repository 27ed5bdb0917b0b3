"""A verifier's database from nothing."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "verifier_0001"
down_revision: Final = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "settings",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "invitations",
        sa.Column("secret_digest", sa.LargeBinary, primary_key=True),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("licensed_area", sa.Text, nullable=False),
        sa.Column("excluded_area", sa.Text, nullable=False),
        sa.Column("near_latitude_e7", sa.Integer, nullable=True),
        sa.Column("near_longitude_e7", sa.Integer, nullable=True),
        sa.Column("landmark_id", sa.LargeBinary, nullable=True),
        sa.Column("chips_expected", sa.Integer, nullable=True),
        sa.Column("replaces_agent_id", sa.LargeBinary, nullable=True),
        sa.Column("made_ns", sa.Integer, nullable=False),
        sa.Column("expires_ns", sa.Integer, nullable=False),
        sa.CheckConstraint("length(secret_digest) = 32", name="secret_digest_is_32_bytes"),
        sa.CheckConstraint("length(landmark_id) = 16", name="landmark_id_is_16_bytes"),
        sqlite_strict=True,
    )
    op.create_table(
        "agents",
        sa.Column("agent_id", sa.LargeBinary, primary_key=True),
        sa.Column("key", sa.LargeBinary, nullable=False, unique=True),
        sa.Column(
            "secret_digest", sa.LargeBinary, sa.ForeignKey("invitations.secret_digest"), nullable=False, unique=True
        ),
        sa.Column("tier", sa.Text, nullable=False),
        sa.Column("software", sa.Text, nullable=False),
        sa.Column("enrol", sa.LargeBinary, nullable=False),
        sa.Column("enrolled_ns", sa.Integer, nullable=False),
        sa.Column("replaced_ns", sa.Integer, nullable=True),
        sa.Column("poll_at_ns", sa.Integer, nullable=True),
        sa.Column("polled_ns", sa.Integer, nullable=True),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("silent_since_ns", sa.Integer, nullable=True),
        sa.CheckConstraint("length(agent_id) = 16", name="agent_id_is_16_bytes"),
        sa.CheckConstraint("length(key) = 32", name="key_is_32_bytes"),
        sqlite_strict=True,
    )
    op.create_table(
        "chips",
        sa.Column("chip_id", sa.LargeBinary, primary_key=True),
        sa.Column("agent_id", sa.LargeBinary, sa.ForeignKey("agents.agent_id"), nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("standing", sa.Text, nullable=True),
        sa.Column("standing_since_ns", sa.Integer, nullable=True),
        sa.Column("proven_ns", sa.Integer, nullable=True),
        sa.Column("decided_ns", sa.Integer, nullable=True),
        sa.CheckConstraint("length(chip_id) = 32", name="chip_id_is_32_bytes"),
        sqlite_strict=True,
    )
    op.create_index("chips_of_agent", "chips", ["agent_id"])
    op.create_table(
        "sessions",
        sa.Column("session_digest", sa.LargeBinary, primary_key=True),
        sa.Column("sid", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("agent_id", sa.LargeBinary, sa.ForeignKey("agents.agent_id"), nullable=False),
        sa.Column("statement", sa.LargeBinary, nullable=False),
        sa.Column("salts", sa.LargeBinary, nullable=False),
        sa.Column("issued_ns", sa.Integer, nullable=False),
        sa.Column("expiry_ns", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("failed_step", sa.Text, nullable=True),
        sa.Column("failed_why", sa.Text, nullable=True),
        sa.Column("delivery", sa.LargeBinary, nullable=True),
        sa.Column("content_digest", sa.LargeBinary, nullable=True),
        sa.Column("delivered_ns", sa.Integer, nullable=True),
        sa.Column("decided_ns", sa.Integer, nullable=True),
        sa.CheckConstraint("state IN ('asked', 'delivered', 'unanswered', 'failed', 'checked')", name="state_is_known"),
        sa.CheckConstraint("(delivery IS NULL) = (delivered_ns IS NULL)", name="delivered_at_an_instant"),
        sa.CheckConstraint("length(session_digest) = 32", name="session_digest_is_32_bytes"),
        sqlite_strict=True,
    )
    op.create_index("sessions_by_state", "sessions", ["state", "expiry_ns"])
    op.create_index("sessions_of_agent", "sessions", ["agent_id", "issued_ns"])
    op.create_table(
        "parts",
        sa.Column("session_digest", sa.LargeBinary, sa.ForeignKey("sessions.session_digest"), primary_key=True),
        sa.Column("landmark_id", sa.LargeBinary, primary_key=True),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("step", sa.Text, nullable=True),
        sa.Column("why", sa.Text, nullable=True),
        sa.Column("asks", sa.Integer, nullable=False),
        sa.Column("ask_ns", sa.Integer, nullable=True),
        sqlite_strict=True,
    )
    op.create_index("parts_to_ask", "parts", ["ask_ns"])
    op.create_table(
        "statements",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("session_digest", sa.LargeBinary, nullable=False),
        sa.Column("landmark_id", sa.LargeBinary, nullable=False),
        sa.Column("agent_id", sa.LargeBinary, sa.ForeignKey("agents.agent_id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=True),
        sa.Column("prev", sa.LargeBinary, nullable=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.CheckConstraint("length(digest) = 32", name="digest_is_32_bytes"),
        sqlite_strict=True,
    )
    op.create_index("statements_of_sequence", "statements", ["landmark_id", "agent_id", "seq"])
    op.create_index("statements_of_session", "statements", ["session_digest"])
    op.create_table(
        "documents",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.CheckConstraint("length(digest) = 32", name="digest_is_32_bytes"),
        sqlite_strict=True,
    )
    op.create_table(
        "verdicts",
        sa.Column("chip_id", sa.LargeBinary, sa.ForeignKey("chips.chip_id"), primary_key=True),
        sa.Column("decided_ns", sa.Integer, primary_key=True),
        sa.Column("standing", sa.Text, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("basis", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
    )
