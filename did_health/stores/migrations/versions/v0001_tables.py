"""The tables of version 1, as they were published first: entries, documents, checkpoint, witnesses' states, registers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_NUMBERED = sa.text("number <> ''")


def upgrade() -> None:
    """Make the tables in an empty database."""
    op.create_table(
        "checkpoint",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("size", _NUMBER, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("pending", sa.LargeBinary()),
        sa.Column("published_size", _NUMBER, nullable=False),
        sa.Column("published", sa.LargeBinary()),
        sa.CheckConstraint("id = 1"),
    )
    op.create_table(
        "contents",
        sa.Column("digest", sa.LargeBinary(), primary_key=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "credentials",
        sa.Column("position", _NUMBER, primary_key=True),
        sa.Column("id", _TEXT, nullable=False, unique=True),
        sa.Column("issuer", _TEXT, nullable=False),
        sa.Column("type", _TEXT, nullable=False),
        sa.Column("subject", _TEXT, nullable=False),
        sa.Column("number", _TEXT, nullable=False),
        sa.Column("status_set", _TEXT, nullable=False),
        sa.Column("status_index", _NUMBER, nullable=False),
        sa.Column("issued_at", _NUMBER, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=False),
        sa.Column("revoked", _NUMBER, nullable=False, server_default="0"),
    )
    op.create_index(
        "credentials_by_number",
        "credentials",
        ["number", "issuer", "type", "revoked"],
        unique=True,
        sqlite_where=_NUMBERED,
        postgresql_where=_NUMBERED,
    )
    op.create_index("credentials_by_subject", "credentials", ["subject"])
    op.create_table(
        "documents",
        sa.Column("url", _TEXT, primary_key=True),
        sa.Column("host", _TEXT, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_documents_host", "documents", ["host"])
    op.create_table(
        "settings",
        sa.Column("name", _TEXT, primary_key=True),
        sa.Column("value", _TEXT, nullable=False),
    )
    op.create_table(
        "status_lists",
        sa.Column("url", _TEXT, primary_key=True),
        sa.Column("version", _NUMBER, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "status_sets",
        sa.Column("status_set", _TEXT, primary_key=True),
        sa.Column("size", _NUMBER, nullable=False),
        sa.Column("allocated", sa.LargeBinary(), nullable=False),
        sa.Column("version", _NUMBER, nullable=False),
    )
    op.create_table(
        "witness_states",
        sa.Column("origin", _TEXT, primary_key=True),
        sa.Column("size", _NUMBER, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "entries",
        sa.Column("position", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("seq", _NUMBER, nullable=False),
        sa.Column("content", sa.LargeBinary(), sa.ForeignKey("contents.digest"), nullable=False),
        sa.Column("author", _TEXT, nullable=False),
        sa.Column("admitted", _NUMBER, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("subject", "seq"),
    )
    op.create_index("entries_by_author", "entries", ["author", "admitted"])
    op.create_table(
        "status_changes",
        sa.Column("position", _NUMBER, primary_key=True),
        sa.Column("credential", _TEXT, sa.ForeignKey("credentials.id"), nullable=False),
        sa.Column("purpose", _TEXT, nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("reason", _TEXT, nullable=False),
        sa.Column("board_order", _TEXT, nullable=False),
        sa.Column("effective", _NUMBER, nullable=False),
        sa.Column("recorded", _NUMBER, nullable=False),
    )
    op.create_index("ix_status_changes_credential", "status_changes", ["credential"])
