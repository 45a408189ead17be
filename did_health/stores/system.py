"""What differs between kinds of databases, and nothing else: the rest of the store's code is the same for all."""

from __future__ import annotations

import re
from typing import Any, Final, Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from did_health.errors import EdgeError, StoreError

APPLICATION_ID: Final = 0x64_69_64_48
"""Marks a database as ours ("didH")."""
BUSY_SECONDS: Final = 10
"""How long a writer waits for another one."""

_LEADER_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")


class Leader(Protocol):
    """A claim to be the one process that does something: to write a log, say.

    The process that holds it may still be stopped for so long that the database gives it to another one. So whoever relies on it also
    compares and swaps what it writes; leadership only spares the losers their work.
    """

    def acquire(self) -> bool:
        """Become the leader, unless another one is; says whether this is the leader now. Never waits. Raises ``StoreError``."""
        ...

    def held(self) -> bool:
        """Whether this is the leader still; asks the database each time. A lost connection is a lost leadership."""
        ...

    def release(self) -> None:
        """Step down. Does nothing where it is not held."""
        ...


class System(Protocol):
    """One kind of database, and the one that is meant."""

    engine: Engine
    where: str
    """Names the database in errors, without any secret."""
    single: bool
    """There is one connection only, on which transactions of several threads must take turns."""
    reading: dict[str, Any]
    """Execution options of a transaction that sees one consistent state."""
    writing: dict[str, Any]
    """Execution options of a transaction that is alone with its wish to write, from its start."""

    def exists(self) -> bool:
        """Whether there is something to open; where only opening tells, true."""
        ...

    def version(self, connection: Connection) -> int | None:
        """The version of our tables; ``None`` if there are no tables. Raises ``StoreError`` (``store_foreign``) if they are another's."""
        ...

    def settle(self, *, fresh: bool) -> None:
        """Set what is set outside a transaction, once the database is known to be ours or empty (``fresh``)."""
        ...

    def mark(self, connection: Connection, version: int) -> None:
        """Mark the database as ours, with tables of this version."""
        ...

    def error(self, error: SQLAlchemyError) -> EdgeError:
        """What went wrong, in our words."""
        ...

    def leader(self, name: str) -> Leader:
        """A claim, not yet acquired."""
        ...


def require_leader_name(name: str) -> None:
    """Names become parts of file names; raises ``ValueError`` for one that cannot."""
    if not _LEADER_NAME.fullmatch(name):
        raise ValueError("a leader's name is of 1 to 63 small letters, digits, dots and hyphens")


def foreign(where: str) -> StoreError:
    """The refusal of a database that holds another program's tables."""
    return StoreError("the database belongs to another program", where=where, hint="Name another one; this one was not changed", code="store_foreign")


def unforeseen(error: BaseException, where: str) -> StoreError:
    """What is said of an error that nobody has thought of."""
    return StoreError(f"the database refused: {type(error).__name__}", where=where, hint="Report this with the version of did-health", code="store")
