"""The public directory's index on SQL: which public credentials there are, by NPI, number, name and holder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, insert, select
from sqlalchemy.sql import ColumnElement

from did_health.encoding import strict_json
from did_health.errors import FormatError
from did_health.health.public_listing import PUBLIC_TYPES, Lookup, folded, listing_of
from did_health.roles.register import IssuedCredential, Listed
from did_health.stores.database import Database
from did_health.stores.moments import from_microseconds
from did_health.stores.tables import credentials, listings

# In the order of the table, which is also that of IssuedCredential.
COLUMNS: Final = [column for column in credentials.columns if column.name not in ("position", "revoked")]
_LAST_CHARACTER: Final = "\U0010ffff"


class SQLListings:
    """Implements the part of ``Register`` about the public directory."""

    _database: Database

    def listed(self, issuer: str, lookup: Lookup, *, before: int | None = None, limit: int = 100) -> Sequence[Listed]:
        query = (
            select(*COLUMNS, credentials.c.position, credentials.c.revoked)
            .join(listings, listings.c.credential == credentials.c.id)
            .where(credentials.c.issuer == issuer, *_wanted(lookup))
        )
        if before is not None:
            query = query.where(credentials.c.position < before)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(credentials.c.position.desc()).limit(limit)).all()
        return [Listed(row.position, issued_of(row), not row.revoked) for row in rows]

    def public(self, issuer: str, credential_id: str) -> IssuedCredential | None:
        query = (
            select(*COLUMNS)
            .join(listings, listings.c.credential == credentials.c.id)
            .where(credentials.c.id == credential_id, credentials.c.issuer == issuer)
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else issued_of(row)


def insert_listings(connection: Connection, issued: Iterable[tuple[str, str, bytes]]) -> None:
    """List those that are public of credentials given as ``(id, type, document)``."""
    found = [(identifier, listing_of(kind, _subject(document))) for identifier, kind, document in issued if kind in PUBLIC_TYPES]
    rows = [
        {"credential": identifier, "npi": listing.npi, "name": listing.name, "given": listing.given}
        for identifier, listing in found
        if listing is not None
    ]
    if rows:
        connection.execute(insert(listings), rows)


def issued_of(row: Sequence[Any]) -> IssuedCredential:
    """A credential from its row, which begins with ``COLUMNS``."""
    identifier, issuer, kind, subject, number, status_set, index, issued_at, document, receipt = row[:10]
    return IssuedCredential(identifier, issuer, kind, subject, number, status_set, index, from_microseconds(issued_at), document, receipt)


def _wanted(lookup: Lookup) -> Iterable[ColumnElement[bool]]:
    if lookup.type:
        yield credentials.c.type == lookup.type
    if lookup.npi:
        yield listings.c.npi == lookup.npi
        # Repeats the partial index's condition, so that the planner may use it.
        yield listings.c.npi != ""
    if lookup.number:
        yield credentials.c.number == lookup.number
        yield credentials.c.number != ""
    if lookup.holder:
        yield credentials.c.subject == lookup.holder
    for column, name in ((listings.c.name, folded(lookup.name)), (listings.c.given, folded(lookup.given))):
        if name:
            # A range and not LIKE: it uses the index everywhere, and no name is taken for a pattern.
            yield column >= name
            yield column < name + _LAST_CHARACTER


def _subject(document: bytes) -> object:
    try:
        return strict_json.loads_object(document, max_bytes=max(len(document), 1)).get("credentialSubject")
    except FormatError:
        return None

