"""Of all processes that use a database one leads, and when it ends, however it ends, another one can."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from did_health.errors import StoreError
from did_health.stores.database import Database

if TYPE_CHECKING:
    from tests.postgres import Postgres

REPOSITORY = Path(__file__).resolve().parents[2]
LEAD = """
import sys, time
from did_health.stores.database import Database
leader = Database.open(sys.argv[1]).leader("log")
print(leader.acquire(), flush=True)
time.sleep(60)
"""


def test_one_leads_until_it_steps_down(database: Database) -> None:
    first, second, other = database.leader("log"), database.leader("log"), database.leader("another.log-1")
    assert not first.held()
    assert first.acquire()
    assert first.acquire()
    assert first.held()
    assert not second.acquire()
    assert not second.held()
    assert other.acquire()
    second.release()
    assert first.held()
    first.release()
    assert not first.held()
    first.release()
    assert second.acquire()
    assert not first.acquire()
    second.release()
    other.release()


def test_one_of_many_threads_wins(database: Database) -> None:
    leaders = [database.leader("log") for _ in range(8)]
    won: list[bool] = []
    threads = [threading.Thread(target=lambda leader=leader: won.append(leader.acquire())) for leader in leaders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]
    assert [leader.held() for leader in leaders].count(True) == 1
    for leader in leaders:
        leader.release()


@pytest.mark.parametrize("name", ["", "A", "a/b", "a b", "-a", "a" * 64, "ä"])
def test_a_name_that_cannot_be_one_is_the_callers_mistake(database: Database, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        database.leader(name)


def test_leading_does_not_hinder_writing(database: Database) -> None:
    leader = database.leader("log")
    assert leader.acquire()
    with database.write():
        pass
    assert leader.held()
    leader.release()


@pytest.mark.parametrize("location", ["sqlite-file", "postgresql"], indirect=True)
def test_who_only_reads_cannot_lead(location: str) -> None:
    Database.open(location).close()
    front = Database.open(location, read_only=True)
    with pytest.raises(StoreError) as refused:
        front.leader("log")
    assert refused.value.code == "store_read_only"
    front.close()


@pytest.mark.parametrize("location", ["sqlite-file", "postgresql"], indirect=True)
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_leader_is_followed_by_the_one_who_stands_by(location: str, end: signal.Signals) -> None:
    database = Database.open(location)
    stand_by = database.leader("log")
    with subprocess.Popen([sys.executable, "-c", LEAD, location], stdout=subprocess.PIPE, cwd=REPOSITORY, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        assert not stand_by.acquire()
        os.kill(process.pid, end)
        process.wait(10)
    begun = time.monotonic()
    while not stand_by.acquire():
        assert time.monotonic() < begun + 10
        time.sleep(0.02)
    assert stand_by.held()
    stand_by.release()
    database.close()


def test_a_leader_whose_connection_is_cut_leads_no_more(postgres: Postgres, url: str) -> None:
    database = Database.open(url)
    first, second = database.leader("log"), database.leader("log")
    assert first.acquire()
    postgres.cut()
    assert second.acquire()
    assert not first.held()
    assert not first.acquire()
    assert second.held()
    second.release()
    assert first.acquire()
    first.release()
    database.close()


def test_two_schemas_of_one_database_have_a_leader_each(postgres: Postgres) -> None:
    databases = [Database.open(postgres.url()) for _ in range(2)]
    leaders = [database.leader("log") for database in databases]
    assert [leader.acquire() for leader in leaders] == [True, True]
    for leader, database in zip(leaders, databases, strict=True):
        leader.release()
        database.close()


def test_a_leader_that_is_let_in_no_more_is_told(postgres: Postgres, url: str) -> None:
    postgres.execute("CREATE ROLE keeper SUPERUSER LOGIN")
    database = Database.open(url.replace("postgres@/", "keeper@/"))
    leader = database.leader("log")
    assert leader.acquire()
    postgres.execute("ALTER ROLE keeper NOLOGIN")
    postgres.cut()
    with pytest.raises(StoreError) as refused:
        leader.acquire()
    assert refused.value.code == "store_refused"
    assert not leader.held()
    database.close()


def test_a_removed_lock_file_ends_the_leadership_that_it_showed(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "store.sqlite")
    first, second = database.leader("log"), database.leader("log")
    assert first.acquire()
    (tmp_path / "store.sqlite.leader-log").unlink()
    assert not first.held()
    assert second.acquire()
    assert not first.acquire()
    second.release()
    database.close()


def test_a_lock_file_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "store.sqlite")
    (tmp_path / "store.sqlite.leader-log").mkdir()
    with pytest.raises(StoreError) as refused:
        database.leader("log").acquire()
    assert refused.value.code == "store_unavailable"
    assert "store.sqlite.leader-log" in str(refused.value)
    database.close()
