"""SQLite: one file, in WAL mode with full durability, so that what a committed transaction wrote survives a power cut.

Several threads and processes may use one file; writers queue for the write lock, and wait for it at most ``BUSY_SECONDS``.
"""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, StaticPool, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from did_health.errors import ConflictError, EdgeError, StoreError
from did_health.stores.system import APPLICATION_ID, BUSY_SECONDS, Leader, foreign, require_leader_name, unforeseen


@dataclass(frozen=True, slots=True)
class Paging:
    """In what pieces a file is read and written, and how much of it each connection keeps in memory. A file keeps the pages it was made with.

    ``log_pages`` is how many pages the write-ahead log has before they are moved into the file: a page that changes again until then is moved once.
    """

    page_bytes: int
    cache_kibibytes: int
    log_pages: int


LARGE_ROWS: Final = Paging(16_384, 65_536, 1_000)
"""A credential with its receipt fits on one page, which halves the time of a bulk insert; one that fits in the cache is written once."""
SMALL_ROWS: Final = Paging(4_096, 16_384, 16_000)
"""For rows of a few hundred bytes in the order of their hashes, each on another page: a large page would be written for the sake of one."""

# The primary result code: (error, stable code, what, what to do)
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


class SQLite:
    """A file, or a database in memory (``path`` is ``None``) that is gone with this object."""

    def __init__(self, path: Path | None, *, read_only: bool = False, paging: Paging = LARGE_ROWS) -> None:
        self.path, self.read_only, self.paging = path, read_only, paging
        self.where = str(path) if path else "memory"
        self.single = path is None
        self.reading: dict[str, Any] = {}
        self.writing: dict[str, Any] = {"immediate": True}
        self._led: dict[str, object] = {}
        # Parameters may be claims, and have no place in a traceback.
        arguments: dict[str, Any] = {"connect_args": {"check_same_thread": False, "timeout": BUSY_SECONDS}, "hide_parameters": True}
        if path is None:
            arguments["poolclass"] = StaticPool
        self.engine = create_engine(URL.create("sqlite", database=str(path) if path else None), **arguments)
        event.listen(self.engine, "connect", self._configure)
        event.listen(self.engine, "begin", _begin)

    def _configure(self, connection: Any, _record: object) -> None:
        # _begin says BEGIN; the driver's own implicit transactions would leave reads without one.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        # Negative means KiB.
        connection.execute(f"PRAGMA cache_size = -{self.paging.cache_kibibytes}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {self.paging.log_pages}")
        if self.read_only:
            connection.execute("PRAGMA query_only = ON")

    def exists(self) -> bool:
        return self.path is None or self.path.exists()

    def version(self, connection: Connection) -> int | None:
        application, version, tables = (
            connection.exec_driver_sql(query).scalar_one()
            for query in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
        )
        if (application, version, tables) == (0, 0, 0):
            return None
        if application != APPLICATION_ID:
            raise foreign(self.where)
        return int(version)

    def settle(self, *, fresh: bool) -> None:
        with self.engine.connect() as connection:
            # Outside a transaction, as SQLite wants it.
            driver: Any = connection.connection.dbapi_connection
            if fresh:
                driver.execute(f"PRAGMA page_size = {self.paging.page_bytes}")
            driver.execute("PRAGMA journal_mode = WAL")

    def mark(self, connection: Connection, version: int) -> None:
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version = {version}")

    def error(self, error: SQLAlchemyError) -> EdgeError:
        original = error.orig if isinstance(error, DBAPIError) else None
        # The extended codes carry the primary one in their low byte.
        code = getattr(original, "sqlite_errorcode", -1) & 0xFF
        if code in _CAUSES:
            kind, name, what, hint = _CAUSES[code]
            return kind(what, where=self.where, hint=hint, code=name)
        return unforeseen(original or error, self.where)

    def leader(self, name: str) -> Leader:
        require_leader_name(name)
        return MemoryLeader(self._led, name) if self.path is None else FileLeader(self.path.with_name(f"{self.path.name}.leader-{name}"))


def _begin(connection: Connection) -> None:
    # A writer that asked for the lock late could find that what it read is out of date.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("immediate") else "BEGIN")


class MemoryLeader:
    """A claim among the threads of this process, for a database that no other process can see."""

    def __init__(self, led: dict[str, object], name: str) -> None:
        self._led, self._name = led, name

    def acquire(self) -> bool:
        return self._led.setdefault(self._name, self) is self

    def held(self) -> bool:
        return self._led.get(self._name) is self

    def release(self) -> None:
        if self.held():
            del self._led[self._name]


class FileLeader:
    """A claim by a lock on an empty file beside the database. The operating system takes it from a process that ends, however it ends.

    The lock is SQLite's own (an open exclusive transaction that never writes), which works alike on every system that SQLite knows.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._file = 0
        self._turn = threading.Lock()

    def acquire(self) -> bool:
        with self._turn:
            if self._held():
                return True
            self._release()
            connection = None
            try:
                connection = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
                connection.execute("BEGIN EXCLUSIVE")
                self._file = self._path.stat().st_ino
            except (sqlite3.Error, OSError) as error:
                if connection is not None:
                    connection.close()
                if getattr(error, "sqlite_errorcode", -1) & 0xFF == sqlite3.SQLITE_BUSY:
                    return False
                hint = "Check that the folder may be written"
                raise StoreError("the file that shows who leads cannot be locked", where=str(self._path), hint=hint, code="store_unavailable") from error
            self._connection = connection
            return True

    def held(self) -> bool:
        with self._turn:
            return self._held()

    def _held(self) -> bool:
        try:
            # Somebody who removes the file can lock a new one of the same name.
            return self._connection is not None and self._path.stat().st_ino == self._file
        except OSError:
            return False

    def release(self) -> None:
        with self._turn:
            self._release()

    def _release(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
