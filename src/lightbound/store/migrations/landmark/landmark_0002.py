"""A landmark's statements are logged: with which salt, and what the log answered."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "landmark_0002"
down_revision: Final = "landmark_0001"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "logged",
        sa.Column("digest", sa.LargeBinary, sa.ForeignKey("statements.digest"), primary_key=True),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("before", sa.LargeBinary, nullable=True),
        sa.Column("entry", sa.LargeBinary, nullable=False),
        sa.Column("receipt", sa.LargeBinary, nullable=True),
        sa.Column("refused", sa.Text, nullable=True),
        sqlite_strict=True,
    )
