"""Bringing the tables of an older version up to date, with Alembic; each step is one file of ``versions/``, named by the version it leads to.

A change of ``tables.py`` needs a step, and a higher ``SCHEMA_VERSION``; a test compares what the steps make with what ``tables.py`` says.
The steps run on SQLite and PostgreSQL, in the transaction of the caller: all of them, or none.
"""

from __future__ import annotations

from sqlalchemy import Connection

from did_health.stores.tables import SCHEMA_VERSION, metadata, schema_version


def create(connection: Connection) -> None:
    """Make all tables in an empty database, at once in their newest form."""
    metadata.create_all(connection)
    stamp(connection, SCHEMA_VERSION)


def stamp(connection: Connection, version: int) -> None:
    """Note the version where Alembic looks for it."""
    schema_version.create(connection, checkfirst=True)
    connection.execute(schema_version.delete())
    connection.execute(schema_version.insert().values(version_num=revision(version)))


def revision(version: int) -> str:
    """The name of the step that leads to a version."""
    return f"{version:04d}"


def upgrade(connection: Connection, version: int) -> None:
    """Take the tables from ``version`` to ``SCHEMA_VERSION``, in the transaction that ``connection`` is in."""
    # Alembic is needed rarely, and takes a while to import.
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", f"{__name__.rpartition('.')[0]}:migrations")
    if version:
        stamp(connection, version)
    command.upgrade(config, revision(SCHEMA_VERSION))
