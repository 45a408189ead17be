"""A board's decisions about what it issued, and what became of each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Decisions that were made before stand in the status lists and their history only."""
    op.create_table(
        "decisions",
        sa.Column("position", _NUMBER, primary_key=True),
        sa.Column("id", _TEXT, nullable=False, unique=True),
        sa.Column("issuer", _TEXT, nullable=False),
        sa.Column("credential", _TEXT, sa.ForeignKey("credentials.id"), nullable=False, index=True),
        sa.Column("axis", _TEXT, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("reason", _TEXT, nullable=False),
        sa.Column("board_order", _TEXT, nullable=False),
        sa.Column("effective", _NUMBER, nullable=False),
        sa.Column("until", _NUMBER),
        sa.Column("due", _NUMBER, nullable=False),
        sa.Column("entered_by", _TEXT, nullable=False),
        sa.Column("entered_at", _NUMBER, nullable=False),
        sa.Column("needs_approval", sa.Integer(), nullable=False),
        sa.Column("restrictions", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "decision_events",
        sa.Column("decision", _TEXT, sa.ForeignKey("decisions.id"), nullable=False),
        sa.Column("seq", _NUMBER, nullable=False),
        sa.Column("event", _TEXT, nullable=False),
        sa.Column("by", _TEXT, nullable=False),
        sa.Column("at", _NUMBER, nullable=False),
        sa.Column("why", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("decision", "seq"),
    )
