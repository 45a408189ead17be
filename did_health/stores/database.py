"""One database, opened safely: nothing is kept in it before it is known to be ours, and every failure is an error of our tree.

SQLite today, in WAL mode with full durability: what a committed transaction wrote survives a power cut. Several threads and processes
may use one file; writers queue for the write lock, and wait for it at most ``BUSY_SECONDS``.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from did_health.errors import ConflictError, EdgeError, StoreError, UnsupportedError
from did_health.stores.tables import SCHEMA_VERSION, metadata

APPLICATION_ID: Final = 0x64_69_64_48
"""Marks a SQLite file as ours ("didH")."""
BUSY_SECONDS: Final = 10
PAGE_BYTES: Final = 16_384
CACHE_KIBIBYTES: Final = 65_536
MEMORY: Final = "sqlite://"

# SQLite's primary result code: (error, stable code, what, what to do)
_CAUSES: Final = MappingProxyType[int, tuple[type[EdgeError], str, str, str]]({
    sqlite3.SQLITE_FULL: (StoreError, "store_full", "there is no room to write to the database", "Free some space and try again; nothing was changed"),
    sqlite3.SQLITE_BUSY: (ConflictError, "store_locked", "another process is writing to the database", "Try again"),
    sqlite3.SQLITE_LOCKED: (ConflictError, "store_locked", "another connection is writing to the database", "Try again"),
    sqlite3.SQLITE_READONLY: (StoreError, "store_read_only", "the database may not be written", "Check the owner and permissions of file and folder"),
    sqlite3.SQLITE_CANTOPEN: (StoreError, "store_unavailable", "the database file cannot be opened", "Check that its folder exists and may be written"),
    sqlite3.SQLITE_PERM: (StoreError, "store_read_only", "the database may not be opened", "Check the owner and permissions of file and folder"),
    sqlite3.SQLITE_NOTADB: (StoreError, "store_foreign", "the file is not a database", "Name the right file; this one was not changed"),
    sqlite3.SQLITE_CORRUPT: (StoreError, "store_corrupt", "the database file is damaged", "Restore it from a copy; witnesses tell if it is too old"),
    sqlite3.SQLITE_IOERR: (StoreError, "store_unavailable", "the disk failed to read or write the database", "Check the disk; the transaction was not kept"),
})


class Database:
    """An open database. ``read`` and ``write`` give connections; both raise ``StoreError`` or ``ConflictError`` for what goes wrong inside."""

    def __init__(self, engine: Engine, where: str, *, shared: bool) -> None:
        self.engine = engine
        self.where = where
        # A database in memory has a single connection, and transactions of two threads must not mix on it.
        self._turn = threading.RLock() if shared else nullcontext()

    @classmethod
    def open(cls, location: str | Path, *, create: bool = True) -> Database:
        """Open the database at a path, ``sqlite:///path`` URL or ``sqlite://`` (in memory, gone with the object).

        Raises ``StoreError`` with the code ``store_missing`` (there is none, and ``create`` is false), ``store_foreign`` (not ours; it is
        left untouched), ``store_newer`` (made by a newer version), ``store_corrupt`` and so on, ``UnsupportedError`` for another system.
        """
        path = _path(location)
        where = str(path) if path else "memory"
        if path and not create and not path.exists():
            raise StoreError("there is no database", where=where, hint="Check the name, or make one first", code="store_missing")
        database = cls(_engine(path), where, shared=path is None)
        try:
            database._prepare(create=create)
        except EdgeError:
            database.close()
            raise
        return database

    def _prepare(self, *, create: bool) -> None:
        with self.read() as connection:
            ours = self._is_ours(connection)
        if not ours and not create:
            raise StoreError("the database is empty", where=self.where, hint="Check the name, or make one first", code="store_missing")
        with self._mapped(), self.engine.connect() as connection:
            # Not before the file is known to be ours, for it changes the file; and outside a transaction, as SQLite wants it.
            driver: Any = connection.connection.dbapi_connection
            if not ours:
                # Large pages: a credential with its receipt fits on one, which halves the time of a bulk insert.
                driver.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            driver.execute("PRAGMA journal_mode = WAL")
        if ours:
            return
        with self.write() as connection:
            # Another process may have been first.
            if not self._is_ours(connection):
                metadata.create_all(connection)
                connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _is_ours(self, connection: Connection) -> bool:
        application, version, tables = (
            connection.exec_driver_sql(query).scalar_one()
            for query in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
        )
        if (application, version, tables) == (0, 0, 0):
            return False
        if application != APPLICATION_ID:
            raise StoreError(
                "the database belongs to another program", where=self.where, hint="Name another file; this one was not changed", code="store_foreign"
            )
        if version != SCHEMA_VERSION:
            raise StoreError(
                f"the database has schema version {version}; this program knows version {SCHEMA_VERSION}",
                where=self.where,
                hint="Use the did-health that made it",
                code="store_newer" if version > SCHEMA_VERSION else "store_older",
            )
        return True

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent state and is not meant to write."""
        with self._mapped(), self._turn, self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start; committed at the end of the block, undone by any exception."""
        with self._mapped(), self._turn, self.engine.connect().execution_options(immediate=True) as connection, connection.begin():
            yield connection

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise _store_error(error, self.where) from error

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()


def _path(location: str | Path) -> Path | None:
    if isinstance(location, Path):
        return location
    if location in (MEMORY, ":memory:"):
        return None
    scheme, separator, rest = location.partition(":///")
    if separator and scheme == "sqlite":
        return Path(rest)
    if "://" in location:
        raise UnsupportedError("databases of this kind are not supported", where=location.partition("://")[0], hint="Give a file's path or sqlite:///path")
    return Path(location)


def _engine(path: Path | None) -> Engine:
    arguments: dict[str, Any] = {"connect_args": {"check_same_thread": False, "timeout": BUSY_SECONDS}}
    if path is None:
        arguments["poolclass"] = StaticPool
    engine = create_engine(URL.create("sqlite", database=str(path) if path else None), **arguments)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        # SQLAlchemy says BEGIN below; the driver's own implicit transactions would leave reads without one.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        # Negative means KiB; a bulk insert that fits is written once.
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer that asked for the lock late could find that what it read is out of date.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("immediate") else "BEGIN")

    return engine


def _store_error(error: SQLAlchemyError, where: str) -> EdgeError:
    original = error.orig if isinstance(error, DBAPIError) else None
    # The extended codes carry the primary one in their low byte.
    code = getattr(original, "sqlite_errorcode", -1) & 0xFF
    if code in _CAUSES:
        kind, name, what, hint = _CAUSES[code]
        return kind(what, where=where, hint=hint, code=name)
    return StoreError(f"the database refused: {type(original or error).__name__}", where=where, hint="Report this with the version of did-health", code="store")
