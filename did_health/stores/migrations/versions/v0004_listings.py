"""The public directory's index: what is public of the credentials that are in the register already, read from their documents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from did_health.encoding import strict_json
from did_health.errors import FormatError
from did_health.health.public_listing import listing_of

revision = "0004"
down_revision = "0003"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_NAMED = sa.text("npi <> ''")
_ROWS = 1_000


def upgrade() -> None:
    """A document that cannot be read is listed all the same, and found by its number alone."""
    op.create_table(
        "listings",
        sa.Column("credential", _TEXT, sa.ForeignKey("credentials.id"), primary_key=True),
        sa.Column("npi", _TEXT, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("given", _TEXT, nullable=False),
    )
    op.create_index("listings_by_npi", "listings", ["npi"], sqlite_where=_NAMED, postgresql_where=_NAMED)
    op.create_index("listings_by_name", "listings", ["name", "given"])
    _fill(op.get_bind())


def _fill(connection: sa.Connection) -> None:
    credentials = sa.table("credentials", *map(sa.column, ("position", "id", "type", "document")))
    listings = sa.table("listings", *map(sa.column, ("credential", "npi", "name", "given")))
    last = -1
    while True:
        query = sa.select(credentials).where(credentials.c.position > last).order_by(credentials.c.position).limit(_ROWS)
        rows = connection.execute(query).all()
        if not rows:
            return
        found = [(row.id, listing_of(row.type, _subject(row.document))) for row in rows]
        listed = [{"credential": id_, "npi": one.npi, "name": one.name, "given": one.given} for id_, one in found if one is not None]
        if listed:
            connection.execute(listings.insert(), listed)
        last = rows[-1].position


def _subject(document: bytes) -> object:
    try:
        return strict_json.loads_object(document, max_bytes=max(len(document), 1)).get("credentialSubject")
    except FormatError:
        return None
