"""PostgreSQL, by URL: one schema of one database (that which the user's ``search_path`` names first).

Writers queue for an advisory lock and wait for it at most ``BUSY_SECONDS``; so each sees what the one before it wrote, as with SQLite.
Readers see one consistent state and wait for nobody; they may also read a stand-by server. A commit is durable when it returns, and on
the synchronous stand-bys too where the server has any: without them a fail-over can lose what was signed, and that is a fork.

A pooler between here and the server must give each client a connection of its own (session mode).
"""

from __future__ import annotations

import hashlib
import re
import threading
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from did_health.errors import ConflictError, EdgeError, FormatError, StoreError, UnsupportedError
from did_health.stores.system import BUSY_SECONDS, Leader, foreign, require_leader_name, unforeseen
from did_health.stores.tables import schema_version

SCHEMES: Final = frozenset({"postgresql", "postgresql+psycopg"})
_DRIVER: Final = "postgresql+psycopg"
# Kept out of the engine's URL, which its own repr shows.
_SECRETS: Final = ("password", "sslpassword")
# The other side may vanish without a word (a cable, a power cut): both sides ask after each other, and give up after about 15 s.
_CONNECT: Final = MappingProxyType({"connect_timeout": 10, "keepalives_idle": 5, "keepalives_interval": 3, "keepalives_count": 3, "tcp_user_timeout": 15_000})
_SESSION: Final = (
    "SELECT set_config('lock_timeout', %(lock)s, false), set_config('tcp_keepalives_idle', '5', false),"
    " set_config('tcp_keepalives_interval', '3', false), set_config('tcp_keepalives_count', '3', false),"
    # A server that is told to lose what it has confirmed is told otherwise.
    " CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN set_config('synchronous_commit', 'on', false) END"
)
_WRITE_LOCK: Final = "write"
_UNAVAILABLE: Final = ("store_unavailable", "the connection to the database was lost", "Look what was kept before you try again")

# SQLSTATE, or its first two characters: (error, stable code, what, what to do)
_CAUSES: Final = MappingProxyType[str, tuple[type[EdgeError], str, str, str]]({
    "40": (ConflictError, "store_conflict", "another transaction came first; nothing was changed", "Try again"),
    "55P03": (ConflictError, "store_locked", "another process is writing to the database", "Try again"),
    "25006": (StoreError, "store_read_only", "the database may not be written", "Name the primary server, and a user who may write"),
    "42501": (StoreError, "store_read_only", "the database does not allow this to its user", "Grant the user the rights on the schema and its tables"),
    "53100": (StoreError, "store_full", "there is no room to write to the database", "Free some space and try again; nothing was changed"),
    "53": (StoreError, "store_unavailable", "the database server lacks connections or memory", "Try again later, or allow it more"),
    "28": (StoreError, "store_refused", "the database refused the user or the password", "Check both, and the server's pg_hba.conf"),
    "3D": (StoreError, "store_missing", "there is no such database on the server", "Check the name, or make it first with createdb"),
    "3F": (StoreError, "store_missing", "there is no such schema in the database", "Check the search_path, or make it first with CREATE SCHEMA"),
    "08": (StoreError, *_UNAVAILABLE),
    "57": (StoreError, *_UNAVAILABLE),
    "58": (StoreError, "store_unavailable", "the database server's disk failed", "Check the server's log; the transaction was not kept"),
    "XX": (StoreError, "store_corrupt", "the database is damaged", "Check the server's log; restore a copy; witnesses tell if it is too old"),
    "22": (StoreError, "store_value", "the database cannot hold one of the values", "Text may not hold the character U+0000; nothing was changed"),
})
_UNREACHABLE: Final = (StoreError, "store_unavailable", "the database server cannot be reached", "Check host and port, and that the server runs")
# A connection that never came to be has no SQLSTATE, only the server's words, which may be in another language.
_REFUSALS: Final = (
    (re.compile("authentication failed|no password supplied|no pg_hba.conf entry|role .* (does not exist|is not permitted)"), "28"),
    (re.compile("database .* does not exist"), "3D"),
    (re.compile("too many (connections|clients)|remaining connection slots"), "53"),
)


class PostgreSQL:
    """A schema on a server. ``url`` is ``postgresql://user:password@host:port/database?…``; what libpq knows may follow as query."""

    def __init__(self, url: str) -> None:
        parsed = _parse(url)
        self.where = _public(parsed)
        self.single = False
        # READ COMMITTED for writers: what they read once they have the lock is what the writer before them left.
        self.reading: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "only_reading": True}
        self.writing: dict[str, Any] = {"isolation_level": "READ COMMITTED", "immediate": True}
        arguments: dict[str, Any] = {name: value for name, value in _CONNECT.items() if name not in parsed.query}
        arguments.update({name: parsed.query[name] for name in _SECRETS if name in parsed.query})
        try:
            self.engine: Engine = create_engine(
                parsed.difference_update_query(_SECRETS).set(drivername=_DRIVER),
                connect_args=arguments,
                # A connection that was cut while it lay idle is replaced before it is used.
                pool_pre_ping=True,
                # Parameters may be claims, and have no place in a traceback.
                hide_parameters=True,
            )
        except ImportError as error:
            raise UnsupportedError("PostgreSQL needs the package psycopg", hint="Install it: pip install 'did-health[postgres]'") from error
        event.listen(self.engine, "connect", _configure)
        event.listen(self.engine, "begin", _begin)

    def exists(self) -> bool:
        return True

    def version(self, connection: Connection) -> int | None:
        query = "SELECT current_schema(), count(*), count(*) FILTER (WHERE tablename = %(ours)s) FROM pg_tables WHERE schemaname = current_schema()"
        schema, tables, ours = connection.exec_driver_sql(query, {"ours": schema_version.name}).one()
        if schema is None:
            raise self._error(_CAUSES["3F"])
        if not tables:
            return None
        if not ours:
            raise foreign(self.where)
        found = connection.execute(schema_version.select()).scalars().all()
        if len(found) != 1 or not found[0].isdecimal():
            raise self._error(_CAUSES["XX"])
        return int(found[0])

    def settle(self, *, fresh: bool) -> None:
        """Nothing is set outside transactions here."""

    def mark(self, connection: Connection, version: int) -> None:
        """The version's own table is the mark."""

    def error(self, error: SQLAlchemyError) -> EdgeError:
        if isinstance(error, PoolTimeoutError):
            return self._error((ConflictError, "store_locked", "all connections of this process to the database are in use", "Try again"))
        original = error.orig if isinstance(error, DBAPIError) else None
        state = getattr(original, "sqlstate", None)
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            state = "08"
        elif state is None and isinstance(error, OperationalError):
            return self._error(_refusal(str(original)))
        elif state is None and isinstance(error, DataError):
            # Refused by the driver, before the server saw it.
            state = "22"
        cause = _CAUSES.get(state or "") or _CAUSES.get((state or "")[:2])
        return self._error(cause) if cause else unforeseen(original or error, self.where)

    def _error(self, cause: tuple[type[EdgeError], str, str, str]) -> EdgeError:
        kind, code, what, hint = cause
        return kind(what, where=self.where, hint=hint, code=code)

    def leader(self, name: str) -> Leader:
        require_leader_name(name)
        return SessionLeader(self, name)


class SessionLeader:
    """A claim by an advisory lock of a session, on a connection of its own. The server takes it back when the session ends, however it ends."""

    def __init__(self, system: PostgreSQL, name: str) -> None:
        self._system, self._name = system, name
        self._connection: Connection | None = None
        self._turn = threading.Lock()

    def acquire(self) -> bool:
        with self._turn:
            if self._held():
                return True
            try:
                self._connection = self._system.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
                # Not the pool's any more, which would keep the session, and with it the lock, for the next who asks.
                self._connection.detach()
                # The server may end sessions that seem idle; a leader's never is.
                query = f"SELECT pg_try_advisory_lock({_lock_key(f'leader {self._name}')}), set_config('idle_session_timeout', '0', false)"
                won = self._connection.exec_driver_sql(query).one()[0]
            except SQLAlchemyError as error:
                self._release()
                raise self._system.error(error) from error
            if not won:
                self._release()
            return bool(won)

    def held(self) -> bool:
        with self._turn:
            return self._held()

    def _held(self) -> bool:
        if self._connection is None:
            return False
        try:
            # The session is there, so the lock is.
            self._connection.execute(text("SELECT 1"))
        except SQLAlchemyError:
            self._release()
            return False
        return True

    def release(self) -> None:
        with self._turn:
            self._release()

    def _release(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # It belongs to no pool, so this is the end of the session.
            connection.close()


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Their messages may show the URL, and so the password.
        raise FormatError("the database's URL is malformed", hint="Write it as postgresql://user:password@host:5432/database") from None
    return parsed


def _public(url: URL) -> str:
    return URL.create("postgresql", host=url.host, port=url.port, database=url.database).render_as_string()


def _configure(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_SESSION, {"lock": f"{BUSY_SECONDS}s"})
    connection.commit()


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    # Sent with BEGIN. SQLAlchemy's own option would turn into READ WRITE afterwards, and overrule what the server says of its users.
    driver: Any = connection.connection.dbapi_connection
    driver.read_only = options.get("only_reading")
    if options.get("immediate"):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_lock_key(_WRITE_LOCK)})")


def _lock_key(purpose: str) -> str:
    # An SQL expression: two schemas of one database do not hinder each other.
    number = int.from_bytes(hashlib.sha256(f"did-health {purpose}".encode()).digest()[:8], signed=True)
    return f"hashtextextended(current_schema(), ({number}))"


def _refusal(message: str) -> tuple[type[EdgeError], str, str, str]:
    return next((_CAUSES[state] for pattern, state in _REFUSALS if pattern.search(message)), _UNREACHABLE)
