"""PostgreSQL by URL: what goes wrong is told clearly, and a password is shown nowhere."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from psycopg import sql
from sqlalchemy import insert
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from did_health.errors import ConflictError, DidHealthError, EdgeError, FormatError, StoreError, UnsupportedError
from did_health.stores import postgres as postgresql
from did_health.stores.database import Database
from did_health.stores.ledger_store import LedgerStore
from did_health.stores.register_store import SQLRegister
from did_health.stores.tables import documents
from did_health.stores.witness_store import SQLWitnessStore
from did_health.tlog.witness_protocol import WitnessState
from tests.contract.test_stores import credential

if TYPE_CHECKING:
    from tests.postgres import Postgres

SECRET = "correct-horse"


@pytest.fixture(scope="module")
def stranger(postgres: Postgres) -> Iterator[str]:
    """A role that is asked for its password, which is ``SECRET``; may read everything that is made from now on."""
    postgres.execute(sql.SQL("CREATE ROLE alice LOGIN PASSWORD {} IN ROLE stranger").format(SECRET))
    postgres.execute("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO alice")
    postgres.execute("ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO alice")
    yield "alice"
    postgres.execute("DROP OWNED BY alice")
    postgres.execute("ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM alice")
    postgres.execute("ALTER DEFAULT PRIVILEGES REVOKE USAGE ON SCHEMAS FROM alice")
    postgres.execute("DROP ROLE alice")


def refusal(url: str, **options: bool) -> DidHealthError:
    with pytest.raises(DidHealthError) as refused:
        Database.open(url, **options)
    error = refused.value
    assert SECRET not in "".join(traceback.format_exception(error))
    assert SECRET not in repr(error)
    assert error.hint
    return error


# ---- opening


@pytest.mark.parametrize("driver", ["postgresql", "postgresql+psycopg"])
def test_both_schemes_open_the_same(postgres: Postgres, driver: str) -> None:
    url = postgres.url(driver=driver)
    database = Database.open(url)
    assert LedgerStore(database).settings() == {}
    database.close()
    Database.open(url, create=False).close()
    postgres.drop(url)


def as_stranger(url: str, password: str) -> str:
    return url.replace("postgres@/", f"alice{password}@/")


@pytest.mark.parametrize("password", [f":{SECRET}x", ":wrong", ""])
def test_a_wrong_or_missing_password_is_refused(url: str, stranger: str, password: str) -> None:
    assert refusal(as_stranger(url, password)).code == "store_refused"


@pytest.mark.parametrize("place", ["url", "query"])
def test_no_password_is_ever_shown(url: str, stranger: str, place: str) -> None:
    Database.open(url).close()
    front = as_stranger(url, f":{SECRET}") if place == "url" else as_stranger(url, "") + f"&password={SECRET}"
    database = Database.open(front, read_only=True)
    assert SQLRegister(database).get("urn:uuid:1") is None
    assert SECRET not in f"{database!r} {database.engine!r} {database.where}"
    with pytest.raises(StoreError) as refused, database.read() as connection:
        connection.exec_driver_sql("SELECT nonsense")
    assert SECRET not in "".join(traceback.format_exception(refused.value))
    database.close()


def test_an_unknown_user_is_refused(url: str) -> None:
    assert refusal(url.replace("postgres@/", "nobody-such@/")).code == "store_refused"


def test_a_missing_database_is_told(url: str) -> None:
    error = refusal(url.replace("@/postgres?", "@/no_such?"))
    assert error.code == "store_missing"
    assert "no_such" in error.where


def test_a_missing_schema_is_told(url: str) -> None:
    assert refusal(url.rpartition("test_")[0] + "no_such").code == "store_missing"


@pytest.mark.parametrize("host", [f"someone:{SECRET}@127.0.0.1:1/db", f"someone:{SECRET}@/db?host=/no/such/folder"], ids=["port", "socket"])
def test_a_server_that_is_not_there_is_told(host: str) -> None:
    error = refusal(f"postgresql://{host}")
    assert error.code == "store_unavailable"
    assert "reached" in error.what


@pytest.mark.parametrize("url", [f"postgresql://u:{SECRET}@host:port/db", f"postgresql://u:{SECRET}@[::1/db"])
def test_a_malformed_url_is_told_without_showing_it(url: str) -> None:
    assert isinstance(refusal(url), FormatError)


def test_other_systems_are_told_without_showing_the_url() -> None:
    assert isinstance(refusal(f"mysql://u:{SECRET}@host/db"), UnsupportedError)


def test_without_the_driver_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacks(*_args: object, **_kwargs: object) -> None:
        raise ModuleNotFoundError("No module named 'psycopg'")

    monkeypatch.setattr(postgresql, "create_engine", lacks)
    assert "did-health[postgres]" in refusal(f"postgresql://u:{SECRET}@host/db").hint


def test_a_foreign_schema_is_refused_and_left_as_it_is(postgres: Postgres, url: str) -> None:
    schema = sql.Identifier(postgres.schema(url))
    postgres.execute(sql.SQL("CREATE TABLE {}.patients (name text)").format(schema))
    assert refusal(url).code == "store_foreign"
    assert postgres.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", postgres.schema(url)) == [("patients",)]


def test_an_empty_schema_is_not_made_into_a_store_unless_asked(url: str) -> None:
    assert refusal(url, create=False).code == "store_missing"
    assert refusal(url, read_only=True).code == "store_missing"


def test_a_user_without_rights_is_told(url: str, stranger: str) -> None:
    assert refusal(as_stranger(url, f":{SECRET}")).code == "store_read_only"
    Database.open(url).close()
    front = Database.open(as_stranger(url, f":{SECRET}"))
    with pytest.raises(StoreError) as refused:
        SQLRegister(front).add([credential(1)])
    assert refused.value.code == "store_read_only"
    front.close()


# ---- front ends that only read


@pytest.mark.parametrize("location", ["sqlite-file", "postgresql"], indirect=True)
def test_front_ends_read_what_the_writer_has_committed(location: str) -> None:
    writer = Database.open(location)
    fronts = [Database.open(location, read_only=True) for _ in range(3)]
    SQLRegister(writer).add([credential(1)])
    with writer.write() as connection:
        connection.execute(insert(documents).values(url="u", host="h", data=b"not yet"))
        assert [LedgerStore(front).document("u") for front in fronts] == [None] * 3
    for front in fronts:
        assert SQLRegister(front).get("urn:uuid:1") == credential(1)
        with pytest.raises(StoreError) as refused:
            SQLRegister(front).add([credential(2)])
        assert refused.value.code == "store_read_only"
        with pytest.raises(StoreError) as refused, front.read() as connection:
            connection.execute(insert(documents).values(url="v", host="h", data=b""))
        assert refused.value.code == "store_read_only"
        front.close()
    writer.close()


def test_a_reader_sees_one_state_from_first_to_last(url: str) -> None:
    database = Database.open(url)
    store = LedgerStore(database)
    with database.read() as connection:
        assert connection.execute(documents.select()).all() == []
        store.publish("u", "h", b"new")
        assert connection.execute(documents.select()).all() == []
    assert store.document("u") == b"new"
    database.close()


def test_a_server_that_is_read_only_is_told(postgres: Postgres, url: str) -> None:
    Database.open(url).close()
    database = Database.open(f"{url}%20-cdefault_transaction_read_only%3Don")
    with pytest.raises(StoreError) as refused:
        SQLRegister(database).add([credential(1)])
    assert refused.value.code == "store_read_only"
    database.close()


# ---- transactions


def test_a_connection_that_is_cut_in_the_middle_keeps_nothing_and_is_told(postgres: Postgres, url: str) -> None:
    database = Database.open(url)
    store = LedgerStore(database)

    def write_and_be_cut() -> None:
        with database.write() as connection:
            connection.execute(insert(documents).values(url="u", host="h", data=b""))
            postgres.cut()

    with pytest.raises(StoreError) as refused:
        write_and_be_cut()
    assert refused.value.code == "store_unavailable"
    assert "lost" in refused.value.what
    assert store.document("u") is None
    store.publish("u", "h", b"again")
    assert store.document("u") == b"again"
    database.close()


def test_connections_that_are_cut_while_they_lie_idle_are_not_noticed(postgres: Postgres, url: str) -> None:
    database = Database.open(url)
    assert postgres.cut() >= 1
    assert LedgerStore(database).settings() == {}
    postgres.cut()
    LedgerStore(database).publish("u", "h", b"")
    database.close()


def test_a_writer_waits_and_then_says_that_it_is_locked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Database.open(url)
    monkeypatch.setattr(postgresql, "BUSY_SECONDS", 0.05)
    second = Database.open(url)
    with first.write():
        assert LedgerStore(second).settings() == {}
        with pytest.raises(ConflictError) as refused:
            LedgerStore(second).publish("u", "h", b"")
    assert refused.value.code == "store_locked"
    LedgerStore(second).publish("u", "h", b"")
    first.close()
    second.close()


STATES = {
    "40001": (ConflictError, "store_conflict"),
    "40P01": (ConflictError, "store_conflict"),
    "53100": (StoreError, "store_full"),
    "53300": (StoreError, "store_unavailable"),
    "57P01": (StoreError, "store_unavailable"),
    "58030": (StoreError, "store_unavailable"),
    "XX001": (StoreError, "store_corrupt"),
    "42601": (StoreError, "store"),
}


@pytest.fixture(scope="module")
def opened(postgres: Postgres) -> Iterator[Database]:
    url = postgres.url()
    database = Database.open(url)
    yield database
    database.close()
    postgres.drop(url)


@pytest.mark.parametrize("state", STATES)
def test_what_the_server_says_is_said_in_our_words(opened: Database, state: str) -> None:
    with pytest.raises(EdgeError) as refused, opened.write() as connection:
        connection.exec_driver_sql(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$")
    assert (type(refused.value), refused.value.code) == STATES[state]
    assert refused.value.where.startswith("postgresql://")


def test_a_character_that_it_cannot_hold_is_told(opened: Database) -> None:
    with pytest.raises(StoreError) as refused:
        SQLRegister(opened).add([credential(1, subject="did:key:\0")])
    assert refused.value.code == "store_value"
    assert SQLRegister(opened).get("urn:uuid:1") is None


def test_a_deadlock_is_a_conflict_of_one_and_the_other_wins(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Two writers that bypass the write lock would meet here; it is what lets them queue.
    database = Database.open(url)
    store = SQLWitnessStore(database)
    store.swap("log.example", WitnessState(), WitnessState(1, bytes(32)))
    with database.engine.connect().execution_options(isolation_level="SERIALIZABLE") as first, first.begin():
        first.exec_driver_sql("SELECT size FROM witness_states")
        store.swap("log.example", WitnessState(1, bytes(32)), WitnessState(2, bytes(32)))
        with pytest.raises(ConflictError) as refused, database._mapped():
            first.exec_driver_sql("UPDATE witness_states SET size = 9")
    assert refused.value.code == "store_conflict"
    assert store.read("log.example").size == 2
    database.close()


def test_a_pool_without_a_free_connection_is_a_conflict(opened: Database) -> None:
    with pytest.raises(ConflictError) as refused, opened._mapped():
        raise PoolTimeoutError
    assert refused.value.code == "store_locked"


def test_what_is_confirmed_is_durable_even_if_the_server_was_told_otherwise(url: str) -> None:
    database = Database.open(f"{url}%20-csynchronous_commit%3Doff")
    with database.read() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
    database.close()


def test_a_path_that_looks_like_a_url_of_ours_is_one(tmp_path: Path) -> None:
    Database.open(f"sqlite:///{tmp_path / 'a.sqlite'}").close()
    assert (tmp_path / "a.sqlite").exists()
