"""What Alembic runs to get a connection: the caller's, with its transaction. There is no ini file, and no other way in."""

from __future__ import annotations

from alembic import context

from did_health.stores.tables import metadata, schema_version

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=schema_version.name,
    # SQLite changes a column by making the table anew.
    render_as_batch=True,
)
context.run_migrations()
