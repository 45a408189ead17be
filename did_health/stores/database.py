"""One database, opened safely: nothing is kept in it before it is known to be ours, and every failure is an error of our tree.

SQLite by a path, PostgreSQL by a URL; the code above this file is the same for both. What a committed transaction wrote is durable.
Tables of an older version are brought up to date when the database is opened; tables of a newer one are refused.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from did_health.errors import StoreError, UnsupportedError
from did_health.stores import migrations
from did_health.stores.postgres import SCHEMES, PostgreSQL
from did_health.stores.sqlite import LARGE_ROWS, Paging, SQLite
from did_health.stores.system import APPLICATION_ID, BUSY_SECONDS, Leader, System
from did_health.stores.tables import SCHEMA_VERSION

__all__ = ["APPLICATION_ID", "BUSY_SECONDS", "MEMORY", "Database", "Leader"]

MEMORY: Final = "sqlite://"
_OLDEST: Final = 1


class Database:
    """An open database. ``read`` and ``write`` give connections; both raise ``StoreError`` or ``ConflictError`` for what goes wrong inside."""

    def __init__(self, system: System, *, read_only: bool) -> None:
        self._system, self.read_only = system, read_only
        self.engine = system.engine
        self.where = system.where
        # A database in memory has a single connection, and transactions of two threads must not mix on it.
        self._turn = threading.RLock() if system.single else nullcontext()
        self._shared = _Shared()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.where}>"

    @classmethod
    def open(cls, location: str | Path, *, create: bool = True, read_only: bool = False, paging: Paging = LARGE_ROWS) -> Database:
        """Open the database at a path, ``sqlite:///path`` or ``postgresql://…`` URL, or ``sqlite://`` (in memory, gone with the object).

        A ``read_only`` one is neither made nor brought up to date, and its ``write`` refuses. ``paging`` is for SQLite alone.

        Raises ``StoreError`` with the code ``store_missing`` (there is none, and ``create`` is false), ``store_foreign`` (not ours; it is
        left untouched), ``store_newer`` (made by a newer version), ``store_older`` (read-only, and not up to date), ``store_corrupt``,
        ``store_refused`` (user or password), ``store_unavailable`` and so on, ``UnsupportedError`` for another system, ``FormatError``
        for what is no URL. No message and no ``repr`` shows a password.
        """
        system = _system(location, read_only=read_only, paging=paging)
        create = create and not read_only
        if not create and not system.exists():
            raise StoreError("there is no database", where=system.where, hint="Check the name, or make one first", code="store_missing")
        database = cls(system, read_only=read_only)
        try:
            database._prepare(create=create)
        except BaseException:
            database.close()
            raise
        return database

    def _prepare(self, *, create: bool) -> None:
        with self.read() as connection:
            version = self._version(connection)
        if version is None and not create:
            raise StoreError("the database is empty", where=self.where, hint="Check the name, or make one first", code="store_missing")
        if self.read_only:
            if version != SCHEMA_VERSION:
                raise self._other(version, "Let a process that may write open it first: it brings the tables up to date", "store_older")
            return
        with self._mapped():
            # Not before the file is known to be ours, for it changes the file.
            self._system.settle(fresh=version is None)
        if version == SCHEMA_VERSION:
            return
        with self.write() as connection:
            # Another process may have been first.
            version = self._version(connection)
            if version is None:
                migrations.create(connection)
            elif version < SCHEMA_VERSION:
                migrations.upgrade(connection, version)
            self._system.mark(connection, SCHEMA_VERSION)

    def _version(self, connection: Connection) -> int | None:
        version = self._system.version(connection)
        if version is not None and version > SCHEMA_VERSION:
            raise self._other(version, "Use the did-health that made it", "store_newer")
        if version is not None and version < _OLDEST:
            raise self._other(version, "No did-health that was ever published made it", "store_older")
        return version

    def _other(self, version: int | None, hint: str, code: str) -> StoreError:
        return StoreError(f"the database has schema version {version}; this program knows version {SCHEMA_VERSION}", where=self.where, hint=hint, code=code)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent state and is not meant to write."""
        if self._shared.connection is not None:
            with self._mapped():
                yield self._shared.connection
            return
        with self._mapped(), self._turn, self.engine.connect().execution_options(**self._system.reading) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start; committed at the end of the block, undone by any exception."""
        if self.read_only:
            raise StoreError("the database was opened for reading only", where=self.where, hint="Write in the ledger's own process", code="store_read_only")
        if self._shared.connection is not None:
            with self._mapped():
                yield self._shared.connection
            return
        with self._mapped(), self._turn, self.engine.connect().execution_options(**self._system.writing) as connection, connection.begin():
            yield connection

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make every ``read`` and ``write`` of this thread within the block part of one transaction: committed at its end, undone by any exception.

        An error within must leave the block: what came before it is undone only there.
        """
        with self.write() as connection:
            if self._shared.connection is not None:
                yield
                return
            self._shared.connection = connection
            try:
                yield
            finally:
                self._shared.connection = None

    def leader(self, name: str) -> Leader:
        """A claim, not yet acquired, to lead all processes that use this database in what ``name`` says.

        Raises ``ValueError`` for a name that is not of 1 to 63 small letters, digits, dots and hyphens; ``StoreError`` (``store_read_only``).
        """
        if self.read_only:
            raise StoreError("who only reads cannot lead", where=self.where, hint="Open the database for writing", code="store_read_only")
        return self._system.leader(name)

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise self._system.error(error) from error

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()


class _Shared(threading.local):
    """The transaction that a thread has opened for several writers."""

    connection: Connection | None = None


def _system(location: str | Path, *, read_only: bool, paging: Paging) -> System:
    if isinstance(location, Path):
        return SQLite(location, read_only=read_only, paging=paging)
    if location in (MEMORY, ":memory:"):
        return SQLite(None, read_only=read_only, paging=paging)
    scheme, separator, rest = location.partition("://")
    if not separator:
        return SQLite(Path(location), read_only=read_only, paging=paging)
    if scheme == "sqlite" and rest.startswith("/"):
        return SQLite(Path(rest[1:]), read_only=read_only, paging=paging)
    if scheme in SCHEMES:
        return PostgreSQL(location)
    raise UnsupportedError("databases of this kind are not supported", where=scheme, hint="Give a file's path, sqlite:///path or postgresql://user@host/database")
