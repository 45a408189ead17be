"""The map, and the kind of each entry, which tells the map's heads from the others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from did_health.errors import FormatError, StoreError
from did_health.ledger.entry import Entry

revision = "0002"
down_revision = "0001"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_ROWS = 1_000


def upgrade() -> None:
    """Read the kinds from the entries' bytes; the map is made from the entries by the ledger when it finds it empty."""
    op.create_table(
        "map_items",
        sa.Column("subject", sa.LargeBinary(), primary_key=True),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("position", _NUMBER, nullable=False),
        sqlite_with_rowid=False,
    )
    # The empty default is for the rows that are there, until they are filled.
    op.add_column("entries", sa.Column("kind", _TEXT, nullable=False, server_default=""))
    _fill(op.get_bind())
    with op.batch_alter_table("entries") as entries:
        entries.alter_column("kind", server_default=None)


def _fill(connection: sa.Connection) -> None:
    entries = sa.table("entries", sa.column("position"), sa.column("kind"), sa.column("data"))
    put = entries.update().where(entries.c.position == sa.bindparam("at")).values(kind=sa.bindparam("its_kind"))
    last = -1
    while True:
        query = sa.select(entries.c.position, entries.c.data).where(entries.c.position > last).order_by(entries.c.position).limit(_ROWS)
        rows = connection.execute(query).all()
        if not rows:
            return
        connection.execute(put, [{"at": row.position, "its_kind": _kind(row.position, row.data)} for row in rows])
        last = rows[-1].position


def _kind(position: int, data: bytes) -> str:
    try:
        return str(Entry.parse(data).kind)
    except FormatError as error:
        hint = "Recover the log from a mirror; nothing was changed"
        raise StoreError("the database holds an entry that is none", where=f"entry {position}", hint=hint, code="store_corrupt") from error
