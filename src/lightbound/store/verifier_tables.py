"""What a verifier keeps: whom it let in, what it asked, what came back, and what it concluded.

The signed bytes are the truth, and the columns an index to them. Instants are nanoseconds since 1970 UTC.
"""

from typing import Final

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text

METADATA: Final = MetaData()


def _octets(name: str, count: int) -> CheckConstraint:
    return CheckConstraint(f"length({name}) = {count}", name=f"{name}_is_{count}_bytes")


SETTINGS: Final = Table(
    "settings",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_strict=True,
)
"""What the process that last ran was told, as JSON: `status` and `export` say it again."""

INVITATIONS: Final = Table(
    "invitations",
    METADATA,
    Column("secret_digest", LargeBinary, primary_key=True),
    Column("site", Text, nullable=False),
    Column("licensed_area", Text, nullable=False),
    Column("excluded_area", Text, nullable=False),
    Column("near_latitude_e7", Integer, nullable=True),
    Column("near_longitude_e7", Integer, nullable=True),
    Column("landmark_id", LargeBinary, nullable=True),
    Column("chips_expected", Integer, nullable=True),
    Column("replaces_agent_id", LargeBinary, nullable=True),
    Column("made_ns", Integer, nullable=False),
    Column("expires_ns", Integer, nullable=False),
    _octets("secret_digest", 32),
    _octets("landmark_id", 16),
    sqlite_strict=True,
)
"""Codes that were given out. Of the secret only a digest is kept."""

AGENTS: Final = Table(
    "agents",
    METADATA,
    Column("agent_id", LargeBinary, primary_key=True),
    Column("key", LargeBinary, nullable=False, unique=True),
    Column("secret_digest", LargeBinary, ForeignKey("invitations.secret_digest"), nullable=False, unique=True),
    Column("tier", Text, nullable=False),
    Column("software", Text, nullable=False),
    Column("enrol", LargeBinary, nullable=False),
    Column("enrolled_ns", Integer, nullable=False),
    Column("replaced_ns", Integer, nullable=True),
    Column("poll_at_ns", Integer, nullable=True),
    Column("polled_ns", Integer, nullable=True),
    Column("error", Text, nullable=False),
    Column("silent_since_ns", Integer, nullable=True),
    Column("quote_key", LargeBinary, nullable=True),
    _octets("agent_id", 16),
    _octets("key", 32),
    sqlite_strict=True,
)
"""One row a code at most: the database itself sees to it that a code lets in one agent. `poll_at_ns` is the instant
inside the newest POLL that was taken, `polled_ns` when that was, by our clock. `tier` is the one that was verified at
enrolment, `quote_key` the name of the key that the host's quotes are signed with, null if it gave none."""

CHIPS: Final = Table(
    "chips",
    METADATA,
    Column("chip_id", LargeBinary, primary_key=True),
    Column("agent_id", LargeBinary, ForeignKey("agents.agent_id"), nullable=False),
    Column("label", Text, nullable=False),
    Column("standing", Text, nullable=True),
    Column("standing_since_ns", Integer, nullable=True),
    Column("proven_ns", Integer, nullable=True),
    Column("decided_ns", Integer, nullable=True),
    Index("chips_of_agent", "agent_id"),
    _octets("chip_id", 32),
    sqlite_strict=True,
)
"""A chip answers through one agent. `proven_ns` is when it was last verified or cleared."""

PINS: Final = Table(
    "pins",
    METADATA,
    Column("chip_id", LargeBinary, ForeignKey("chips.chip_id"), primary_key=True),
    Column("product", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("board", Text, nullable=True),
    Column("firmware_id", LargeBinary, nullable=False),
    Column("vbios", Text, nullable=True),
    Column("driver", Text, nullable=True),
    Column("root", Text, nullable=False),
    Column("is_simulated", Integer, nullable=False),
    sqlite_strict=True,
)
"""A chip that attested itself when its agent enrolled, as it was then. One without a row is known by its name alone."""

FINDINGS: Final = Table(
    "findings",
    METADATA,
    Column("agent_id", LargeBinary, ForeignKey("agents.agent_id"), primary_key=True),
    Column("chip_id", LargeBinary, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("detail", Text, nullable=False),
    Column("session_digest", LargeBinary, nullable=True),
    Column("first_ns", Integer, nullable=False),
    Column("last_ns", Integer, nullable=False),
    Column("times", Integer, nullable=False),
    sqlite_strict=True,
)
"""What the evidence of an agent's sessions showed otherwise than pinned: when first, when last, how often; detail and
session are those of the last. `chip_id` is empty for what concerns the host, and may be that of an unknown chip."""

SESSIONS: Final = Table(
    "sessions",
    METADATA,
    Column("session_digest", LargeBinary, primary_key=True),
    Column("sid", LargeBinary, nullable=False, unique=True),
    Column("agent_id", LargeBinary, ForeignKey("agents.agent_id"), nullable=False),
    Column("statement", LargeBinary, nullable=False),
    Column("salts", LargeBinary, nullable=False),
    Column("issued_ns", Integer, nullable=False),
    Column("expiry_ns", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("failed_step", Text, nullable=True),
    Column("failed_why", Text, nullable=True),
    Column("delivery", LargeBinary, nullable=True),
    Column("content_digest", LargeBinary, nullable=True),
    Column("delivered_ns", Integer, nullable=True),
    Column("decided_ns", Integer, nullable=True),
    CheckConstraint("state IN ('asked', 'delivered', 'unanswered', 'failed', 'checked')", name="state_is_known"),
    CheckConstraint("(delivery IS NULL) = (delivered_ns IS NULL)", name="delivered_at_an_instant"),
    Index("sessions_of_agent", "agent_id", "issued_ns"),
    Index("sessions_by_state", "state", "expiry_ns"),
    _octets("session_digest", 32),
    sqlite_strict=True,
)
"""What was asked. `salts` shows which chips the statement stands for, and what its site is. States: `asked`;
`delivered`, until that has been looked at; `unanswered`, if it ran out first; `failed`, if what was brought proves
nothing; `checked`, if it holds together."""

PARTS: Final = Table(
    "parts",
    METADATA,
    Column("session_digest", LargeBinary, ForeignKey("sessions.session_digest"), primary_key=True),
    Column("landmark_id", LargeBinary, primary_key=True),
    Column("outcome", Text, nullable=False),
    Column("step", Text, nullable=True),
    Column("why", Text, nullable=True),
    Column("asks", Integer, nullable=False),
    Column("ask_ns", Integer, nullable=True),
    Index("parts_to_ask", "ask_ns"),
    sqlite_strict=True,
)
"""What became of a session at each landmark, the step that failed and why; and when to ask that landmark for what is
missing, null once there is nothing left to ask."""

STATEMENTS: Final = Table(
    "statements",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("session_digest", LargeBinary, nullable=False),
    Column("landmark_id", LargeBinary, nullable=False),
    Column("agent_id", LargeBinary, ForeignKey("agents.agent_id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("seq", Integer, nullable=True),
    Column("prev", LargeBinary, nullable=True),
    Column("data", LargeBinary, nullable=False),
    Index("statements_of_sequence", "landmark_id", "agent_id", "seq"),
    Index("statements_of_session", "session_digest"),
    _octets("digest", 32),
    sqlite_strict=True,
)
"""What landmarks signed about our agents, checked against their keys: what the delivery did not hold, and everything
numbered. Two with one number are both kept, for they show a fork. A session may be another verifier's."""

SOUGHT: Final = Table(
    "sought",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("first_ns", Integer, nullable=False),
    Column("last_ns", Integer, nullable=False),
    CheckConstraint("first_ns <= last_ns", name="sought_in_order"),
    _octets("digest", 32),
    sqlite_strict=True,
)
"""Statements that a landmark named as the one before, and did not show: when it was first and last asked in vain."""

RECEIPTS: Final = Table(
    "receipts",
    METADATA,
    Column("digest", LargeBinary, ForeignKey("statements.digest"), primary_key=True),
    Column("entry", LargeBinary, nullable=False),
    Column("proof", LargeBinary, nullable=False),
    sqlite_strict=True,
)
"""Of a landmark's statement, the entry that stands for it in the log, and the proof that it does."""

DOCUMENTS: Final = Table(
    "documents",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    _octets("digest", 32),
    sqlite_strict=True,
)
"""Evidence that a BIND was made with, by the digest that BIND names."""

VERDICTS: Final = Table(
    "verdicts",
    METADATA,
    Column("chip_id", LargeBinary, ForeignKey("chips.chip_id"), primary_key=True),
    Column("decided_ns", Integer, primary_key=True),
    Column("standing", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("basis", LargeBinary, nullable=False),
    sqlite_strict=True,
)
"""Every decision: the verdict as JSON, and the digests of the sessions that it rests on."""
