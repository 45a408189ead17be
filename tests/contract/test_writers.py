"""Several writers at once: one wins, the others are told, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from did_health.errors import ConflictError
from did_health.stores.database import Database
from did_health.stores.ledger_store import LedgerStore
from did_health.stores.witness_store import SQLWitnessStore
from did_health.tlog.merkle import Tree
from did_health.tlog.witness_protocol import WitnessState
from tests.contract.test_stores import NOW, first_batch

REPOSITORY = Path(__file__).resolve().parents[2]
COUNT = """
import sys
from did_health.errors import ConflictError
from did_health.stores.database import Database
from did_health.stores.ledger_store import LedgerStore

store, done, lost = LedgerStore(Database.open(sys.argv[1])), 0, 0
while done < 25:
    old = store.settings()["count"]
    try:
        store.set("count", old, str(int(old) + 1))
        done += 1
    except ConflictError:
        lost += 1
print(done, lost)
"""


def test_of_two_threads_with_one_batch_one_wins(database: Database) -> None:
    store = LedgerStore(database)
    store.initialise({"a": "1"})
    batch = first_batch(Tree())
    start = threading.Barrier(4)
    outcomes: list[str] = []

    def append() -> None:
        start.wait()
        try:
            store.append(batch, now=NOW)
            outcomes.append("won")
        except ConflictError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=append) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["ledger_conflict"] * 3 + ["won"]
    assert (store.state().size, store.state().root) == (batch.new.size, batch.new.root)
    assert store.entry_data(0, 9) == [leaf.data for leaf in batch.leaves]


def test_two_threads_move_a_witness_forward_one_at_a_time(database: Database) -> None:
    store = SQLWitnessStore(database)
    moved: list[int] = []

    def move() -> None:
        for _ in range(20):
            old = store.read("log.example")
            try:
                store.swap("log.example", old, WitnessState(old.size + 1, bytes(32)))
                moved.append(old.size)
            except ConflictError:
                pass

    threads = [threading.Thread(target=move) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(moved) == list(range(store.read("log.example").size))


@pytest.mark.parametrize("location", ["sqlite-file", "postgresql"], indirect=True)
def test_what_two_processes_count_is_the_sum(location: str) -> None:
    database = Database.open(location)
    store = LedgerStore(database)
    store.initialise({"count": "0"})
    processes = [subprocess.Popen([sys.executable, "-c", COUNT, location], stdout=subprocess.PIPE, cwd=REPOSITORY, text=True) for _ in range(2)]
    for process in processes:
        output, _ = process.communicate(timeout=60)
        assert output.split()[0] == "25"
    assert store.settings() == {"count": "50"}
    database.close()


@pytest.mark.parametrize("location", ["sqlite-file", "postgresql"], indirect=True)
def test_a_new_database_that_many_open_at_once_is_made_once(location: str) -> None:
    start = threading.Barrier(4)
    opened: list[Database] = []

    def open_it() -> None:
        start.wait()
        opened.append(Database.open(location))

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 4
    for database in opened:
        database.close()
