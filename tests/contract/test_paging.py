"""A SQLite file is made with the pages that its rows want, and keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest

from did_health.stores.database import Database
from did_health.stores.sqlite import LARGE_ROWS, SMALL_ROWS, Paging
from tests.ledger_parties import Clock, new_ledger


def paging_of(database: Database) -> Paging:
    with database.read() as connection:
        page, cache, log = (connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("page_size", "cache_size", "wal_autocheckpoint"))
    return Paging(page, -cache, log)


@pytest.mark.parametrize("paging", [LARGE_ROWS, SMALL_ROWS], ids=["large", "small"])
def test_a_new_file_has_the_paging_asked_for(tmp_path: Path, paging: Paging) -> None:
    database = Database.open(tmp_path / "store.sqlite", paging=paging)
    assert paging_of(database) == paging
    database.close()
    again = Database.open(tmp_path / "store.sqlite")
    assert paging_of(again) == Paging(paging.page_bytes, LARGE_ROWS.cache_kibibytes, LARGE_ROWS.log_pages)
    again.close()


def test_a_ledger_is_made_of_small_rows(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path / "ledger", Clock())
    ledger.close()
    database = Database.open(tmp_path / "ledger" / "ledger.sqlite", paging=SMALL_ROWS)
    assert paging_of(database) == SMALL_ROWS
    database.close()
