"""Where a ledger's log is kept: in a SQLite file of its folder, or in a PostgreSQL database."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final

from did_health.errors import ConflictError
from did_health.stores.database import Database
from did_health.stores.ledger_store import LedgerStore

_FILE: Final = "ledger.sqlite"


def ledger_place(directory: Path, database_url: str | None) -> str | Path:
    """What to open for the ledger of this folder."""
    return directory / _FILE if database_url is None else database_url


def require_vacant(directory: Path, database_url: str | None) -> None:
    """Raises ``ConflictError`` (``ledger_exists``) where a ledger is kept already, and what ``Database.open`` raises."""
    if database_url is None:
        taken = (directory / _FILE).exists()
    else:
        with closing(Database.open(database_url)) as database:
            taken = bool(LedgerStore(database).settings())
    if taken:
        raise ConflictError("there is a ledger already", where=str(directory), hint="Open it, or choose another place", code="ledger_exists")
