"""The tables of every store, in SQLAlchemy's words. Times are microseconds since 1970 UTC (exact, sortable); hashes are raw bytes."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

SCHEMA_VERSION: Final = 5
"""Rises with every change of a table, which needs a migration of this number; a database of a newer version is refused."""

metadata: Final = MetaData()

# The migrations' own table; not one of the schema's.
schema_version: Final = Table(
    "did_health_schema", MetaData(), Column("version_num", String(32), nullable=False), PrimaryKeyConstraint("version_num", name="did_health_schema_pkc")
)

# SQLite gives automatic numbers to INTEGER keys only; PostgreSQL wants BIGINT.
_Number = BigInteger().with_variant(Integer(), "sqlite")
# Compared by code point on both, whatever the language of a server: so a prefix is a range, and every list has one order.
_Text = Text().with_variant(Text(collation="C"), "postgresql")

settings: Final = Table("settings", metadata, Column("name", _Text, primary_key=True), Column("value", _Text, nullable=False))

# ---- ledger

checkpoint: Final = Table(
    "checkpoint",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # The newest tree that was ever signed: what the next batch compares and swaps.
    Column("size", _Number, nullable=False),
    Column("root", LargeBinary, nullable=False),
    # Signed, not yet published; while there is one nothing else may be signed.
    Column("pending", LargeBinary),
    # Published, with cosignatures.
    Column("published_size", _Number, nullable=False),
    Column("published", LargeBinary),
    CheckConstraint("id = 1"),
)

entries: Final = Table(
    "entries",
    metadata,
    Column("position", _Number, primary_key=True, autoincrement=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    Column("kind", _Text, nullable=False),
    Column("subject", LargeBinary, nullable=False),
    Column("seq", _Number, nullable=False),
    Column("content", LargeBinary, ForeignKey("contents.digest"), nullable=False),
    Column("author", _Text, nullable=False),
    Column("admitted", _Number, nullable=False),
    Column("data", LargeBinary, nullable=False),
    # Also the way to a subject's latest entry.
    UniqueConstraint("subject", "seq"),
    Index("entries_by_author", "author", "admitted"),
)

# The published map: the position of each subject's newest entry, and what the map has for the subject. Sorted by its key, because proofs
# are made from ranges of it.
map_items: Final = Table(
    "map_items",
    metadata,
    Column("subject", LargeBinary, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Column("position", _Number, nullable=False),
    sqlite_with_rowid=False,
)

contents: Final = Table("contents", metadata, Column("digest", LargeBinary, primary_key=True), Column("data", LargeBinary, nullable=False))

documents: Final = Table(
    "documents",
    metadata,
    Column("url", _Text, primary_key=True),
    Column("host", _Text, nullable=False, index=True),
    Column("data", LargeBinary, nullable=False),
)

witness_states: Final = Table(
    "witness_states",
    metadata,
    Column("origin", _Text, primary_key=True),
    Column("size", _Number, nullable=False),
    Column("root", LargeBinary, nullable=False),
)

# ---- register

credentials: Final = Table(
    "credentials",
    metadata,
    Column("position", _Number, primary_key=True),
    Column("id", _Text, nullable=False, unique=True),
    Column("issuer", _Text, nullable=False),
    Column("type", _Text, nullable=False),
    Column("subject", _Text, nullable=False),
    Column("number", _Text, nullable=False),
    Column("status_set", _Text, nullable=False),
    Column("status_index", _Number, nullable=False),
    Column("issued_at", _Number, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("receipt", LargeBinary, nullable=False),
    # 0 until the credential is revoked or superseded, then its position: one index keeps numbers unique among those in force, and finds the others too.
    Column("revoked", _Number, nullable=False, server_default="0"),
    Index("credentials_by_subject", "subject"),
    Index(
        "credentials_by_number",
        "number",
        "issuer",
        "type",
        "revoked",
        unique=True,
        sqlite_where=text("number <> ''"),
        postgresql_where=text("number <> ''"),
    ),
)

# The public directory: one row for each credential of a public type, whatever became of it.
listings: Final = Table(
    "listings",
    metadata,
    Column("credential", _Text, ForeignKey("credentials.id"), primary_key=True),
    Column("npi", _Text, nullable=False),
    # Folded for comparison, see health.public_listing.
    Column("name", _Text, nullable=False),
    Column("given", _Text, nullable=False),
    Index("listings_by_npi", "npi", sqlite_where=text("npi <> ''"), postgresql_where=text("npi <> ''")),
    Index("listings_by_name", "name", "given"),
)

# What the board decided, and what became of it: rows are added and never changed.
decisions: Final = Table(
    "decisions",
    metadata,
    Column("position", _Number, primary_key=True),
    Column("id", _Text, nullable=False, unique=True),
    Column("issuer", _Text, nullable=False),
    Column("credential", _Text, ForeignKey("credentials.id"), nullable=False, index=True),
    Column("axis", _Text, nullable=False),
    Column("state", _Text, nullable=False),
    Column("reason", _Text, nullable=False),
    Column("board_order", _Text, nullable=False),
    Column("effective", _Number, nullable=False),
    Column("until", _Number),
    Column("due", _Number, nullable=False),
    Column("entered_by", _Text, nullable=False),
    Column("entered_at", _Number, nullable=False),
    Column("needs_approval", Integer, nullable=False),
    Column("restrictions", LargeBinary, nullable=False),
)

decision_events: Final = Table(
    "decision_events",
    metadata,
    Column("decision", _Text, ForeignKey("decisions.id"), nullable=False),
    # Of two who continue a decision at once, the second finds its number taken.
    Column("seq", _Number, nullable=False),
    Column("event", _Text, nullable=False),
    Column("by", _Text, nullable=False),
    Column("at", _Number, nullable=False),
    Column("why", _Text, nullable=False),
    PrimaryKeyConstraint("decision", "seq"),
)

status_sets: Final = Table(
    "status_sets",
    metadata,
    Column("status_set", _Text, primary_key=True),
    Column("size", _Number, nullable=False),
    # One bit for every index, set once it has been given out.
    Column("allocated", LargeBinary, nullable=False),
    Column("version", _Number, nullable=False),
)

status_changes: Final = Table(
    "status_changes",
    metadata,
    Column("position", _Number, primary_key=True),
    Column("credential", _Text, ForeignKey("credentials.id"), nullable=False, index=True),
    Column("purpose", _Text, nullable=False),
    Column("value", Integer, nullable=False),
    Column("reason", _Text, nullable=False),
    Column("board_order", _Text, nullable=False),
    Column("effective", _Number, nullable=False),
    Column("recorded", _Number, nullable=False),
)

status_lists: Final = Table(
    "status_lists",
    metadata,
    Column("url", _Text, primary_key=True),
    Column("version", _Number, nullable=False),
    Column("document", LargeBinary, nullable=False),
)

# ---- verifier

# Every row has the digest of the one before: rows are added and never changed.
verifier_log: Final = Table(
    "verifier_log",
    metadata,
    Column("verifier", _Text, nullable=False),
    Column("position", _Number, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    PrimaryKeyConstraint("verifier", "position"),
)

verification_receipts: Final = Table(
    "verification_receipts",
    metadata,
    Column("position", _Number, primary_key=True),
    Column("id", _Text, nullable=False, unique=True),
    Column("verifier", _Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("document", LargeBinary, nullable=False),
    # Of the receipt batch that it belongs to, once there is one.
    Column("batch", _Number),
    Column("place", _Number),
    Index("verification_receipts_by_batch", "verifier", "batch"),
)

receipt_batches: Final = Table(
    "receipt_batches",
    metadata,
    Column("verifier", _Text, nullable=False),
    Column("number", _Number, nullable=False),
    # The digests of its members in a row, the log's head last.
    Column("members", LargeBinary, nullable=False),
    Column("head", _Number, nullable=False),
    Column("ledger_proof", _Text, nullable=False),
    PrimaryKeyConstraint("verifier", "number"),
)

# One row for every time that a delegation was used at this pharmacy.
delegation_uses: Final = Table(
    "delegation_uses",
    metadata,
    Column("delegation", _Text, nullable=False),
    Column("seq", _Number, nullable=False),
    Column("use", _Text, nullable=False),
    Column("at", _Number, nullable=False),
    PrimaryKeyConstraint("delegation", "seq"),
    UniqueConstraint("delegation", "use"),
)

# Of presentations: a second answer to one is a replay.
answered_nonces: Final = Table(
    "answered_nonces", metadata, Column("nonce", _Text, primary_key=True), Column("at", _Number, nullable=False, index=True)
)

# What was done without a network and has to be checked again; taken out when that is done.
rechecks: Final = Table(
    "rechecks",
    metadata,
    Column("id", _Text, primary_key=True),
    Column("verifier", _Text, nullable=False, index=True),
    Column("queued", _Number, nullable=False),
    Column("act", LargeBinary, nullable=False),
    Column("document", LargeBinary, nullable=False),
)
