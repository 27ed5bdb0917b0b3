"""What a landmark keeps: every session that it opened, and everything that it signed in one.

The signed bytes are the truth, and the columns an index to them.
"""

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint

METADATA: Final = MetaData()

SESSIONS: Final = Table(
    "sessions",
    METADATA,
    Column("session_digest", LargeBinary, primary_key=True),
    Column("sid", LargeBinary, nullable=False, unique=True),
    Column("agent_id", LargeBinary, nullable=False),
    Column("expiry_ns", Integer, nullable=False),
    Column("ended_ns", Integer, nullable=True),
    sqlite_strict=True,
)
"""A sid stands here from before its CONTRIB is given out, for ever: no session is opened twice."""

STATEMENTS: Final = Table(
    "statements",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("session_digest", LargeBinary, ForeignKey("sessions.session_digest"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("agent_id", LargeBinary, nullable=False),
    Column("seq", Integer, nullable=True),
    Column("data", LargeBinary, nullable=False),
    UniqueConstraint("agent_id", "seq"),
    Index("statements_of_session", "session_digest"),
    sqlite_strict=True,
)
"""OPEN, MEASUREMENT and ABORT with their number in the sequence about an agent; CLOSE and ACK without one. That a
number stands once is the database's promise as well: whatever the program does, a landmark cannot fork its sequence."""

LOGGED: Final = Table(
    "logged",
    METADATA,
    Column("digest", LargeBinary, ForeignKey("statements.digest"), primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("before", LargeBinary, nullable=True),
    Column("entry", LargeBinary, nullable=False),
    Column("receipt", LargeBinary, nullable=True),
    Column("refused", Text, nullable=True),
    sqlite_strict=True,
)
"""What a numbered statement is logged as. The salt stands here before the entry is sent, so that whatever is sent again
is the same entry. With neither receipt nor refusal, it is still to be sent; a statement without a row is, too."""
