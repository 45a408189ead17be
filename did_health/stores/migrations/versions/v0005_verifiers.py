"""What a verifier keeps: its log, the receipts that it signed and their batches, uses of delegations, answered nonces, and what is to be checked again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Nothing of it was kept before."""
    op.create_table(
        "verifier_log",
        sa.Column("verifier", _TEXT, nullable=False),
        sa.Column("position", _NUMBER, nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("verifier", "position"),
    )
    op.create_table(
        "verification_receipts",
        sa.Column("position", _NUMBER, primary_key=True),
        sa.Column("id", _TEXT, nullable=False, unique=True),
        sa.Column("verifier", _TEXT, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("batch", _NUMBER),
        sa.Column("place", _NUMBER),
        sa.Index("verification_receipts_by_batch", "verifier", "batch"),
    )
    op.create_table(
        "receipt_batches",
        sa.Column("verifier", _TEXT, nullable=False),
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("members", sa.LargeBinary(), nullable=False),
        sa.Column("head", _NUMBER, nullable=False),
        sa.Column("ledger_proof", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("verifier", "number"),
    )
    op.create_table(
        "delegation_uses",
        sa.Column("delegation", _TEXT, nullable=False),
        sa.Column("seq", _NUMBER, nullable=False),
        sa.Column("use", _TEXT, nullable=False),
        sa.Column("at", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("delegation", "seq"),
        sa.UniqueConstraint("delegation", "use"),
    )
    op.create_table("answered_nonces", sa.Column("nonce", _TEXT, primary_key=True), sa.Column("at", _NUMBER, nullable=False, index=True))
    op.create_table(
        "rechecks",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("verifier", _TEXT, nullable=False, index=True),
        sa.Column("queued", _NUMBER, nullable=False),
        sa.Column("act", sa.LargeBinary(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
    )
