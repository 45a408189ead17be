"""A ledger as a process reads it that has no keys and never writes: one of several front ends of the same database.

Each answer is read from the database when it is asked for, so two front ends of one database never show different states: who has seen a
checkpoint at one of them sees no older one at another. Tiles are made of the database where the folder has no files.
"""

from __future__ import annotations

from pathlib import Path

from did_health.errors import StoreError
from did_health.stores.database import Database
from did_health.stores.embedded import POLICY_SETTING, URL_SETTING
from did_health.stores.ledger_place import ledger_place
from did_health.stores.ledger_store import LedgerStore
from did_health.stores.log_reader import Clock, LogReader
from did_health.stores.tile_files import TileFiles
from did_health.tlog.witness_policy import WitnessPolicy


class FrontEnd(LogReader):
    """An open front end; ``open`` is the way in."""

    def __init__(self, folder: Path, database: Database, url: str, policy: WitnessPolicy, clock: Clock) -> None:
        super().__init__(url, LedgerStore(database), TileFiles(folder / "published"), clock)
        self._database = database
        self.policy = policy

    @classmethod
    def open(cls, folder: Path, *, clock: Clock, database_url: str | None = None) -> FrontEnd:
        """The ledger whose log is in ``folder``, or at ``database_url`` (``folder`` may then be empty). Raises ``StoreError`` (``store_missing``)."""
        database = Database.open(ledger_place(folder, database_url), create=False, read_only=True)
        try:
            settings = LedgerStore(database).settings()
            if POLICY_SETTING not in settings:
                raise StoreError("the database holds no ledger", where=str(folder), code="store_missing")
            return cls(folder, database, settings[URL_SETTING], WitnessPolicy.parse(settings[POLICY_SETTING]), clock)
        except BaseException:
            database.close()
            raise

    def close(self) -> None:
        """Give back the database connections."""
        self._database.close()
