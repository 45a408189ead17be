"""Tables of an older version are brought up to date in place, with all that is in them; those of a newer version are refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, select, update

from did_health.errors import StoreError
from did_health.keys import generate
from did_health.ledger.entry import Kind, revocation_subject
from did_health.ledger.log import Submission, prepare
from did_health.stores import migrations
from did_health.stores.database import Database
from did_health.stores.register_store import SQLRegister
from did_health.stores.tables import SCHEMA_VERSION, entries, metadata, schema_version, settings
from tests.conftest import repeatable_bytes

VERSION_1 = Path(__file__).with_name("version_1.sql")
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def shape(connection: Connection) -> dict[str, Any]:
    """What the database itself says of its tables; columns by name, for an added one stands last."""
    found = inspect(connection)
    return {
        table: {
            "columns": sorted((column["name"], repr(column["type"]), column["nullable"], column["default"]) for column in found.get_columns(table)),
            "key": found.get_pk_constraint(table)["constrained_columns"],
            "foreign": [(key["constrained_columns"], key["referred_table"], key["referred_columns"]) for key in found.get_foreign_keys(table)],
            "unique": sorted(unique["column_names"] for unique in found.get_unique_constraints(table)),
            "checks": sorted(check["sqltext"] for check in found.get_check_constraints(table)),
            "indexes": sorted((str(index["name"]), index["column_names"], bool(index["unique"])) for index in found.get_indexes(table)),
        }
        for table in sorted(found.get_table_names())
    }


@pytest.mark.parametrize("location", ["sqlite-file", "postgresql"], indirect=True)
def test_the_steps_make_the_same_tables_as_a_new_database_has(location: str) -> None:
    database = Database.open(location)
    with database.write() as connection:
        wanted = shape(connection)
        metadata.drop_all(connection)
        schema_version.drop(connection)
        migrations.upgrade(connection, 0)
        assert shape(connection) == wanted
    database.close()
    Database.open(location, create=False).close()


def test_there_is_one_step_for_every_version() -> None:
    steps = sorted(path.name for path in Path(migrations.__path__[0], "versions").glob("v*.py"))
    assert [name[:5] for name in steps] == [f"v{migrations.revision(version)}" for version in range(1, SCHEMA_VERSION + 1)]


def revocation() -> Submission:
    key = generate(repeatable_bytes("author"))
    return prepare(Kind.REVOCATION, revocation_subject(bytes(32)), bytes(32), author=f"did:key:{key.public_key.multikey}", signer=key, now=NOW)


def version_1(path: Path) -> None:
    """A file as version 1 left it: a register with one credential, and a log with one entry."""
    submission = revocation()
    connection = sqlite3.connect(path)
    connection.executescript(VERSION_1.read_text())
    connection.execute("INSERT INTO settings VALUES ('url', 'https://ledger.example')")
    connection.execute("INSERT INTO contents VALUES (?, ?)", (bytes(32), submission.content))
    connection.execute("INSERT INTO entries VALUES (0, ?, ?, 0, ?, 'author', 1, ?)", (b"l" * 32, b"s" * 32, bytes(32), submission.entry))
    connection.execute(
        "INSERT INTO credentials (id, issuer, type, subject, number, status_set, status_index, issued_at, document, receipt)"
        " VALUES ('urn:uuid:1', 'did:web:board.example', 'PhysicianLicenseCredential', 'did:key:z', 'L-1', 'https://board.example/status', 7, 1, x'7b7d', x'')"
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.commit()
    connection.close()


def test_a_file_of_version_1_is_brought_up_to_date_in_place(tmp_path: Path) -> None:
    old, new = tmp_path / "old.sqlite", tmp_path / "new.sqlite"
    version_1(old)
    with pytest.raises(StoreError) as too_old:
        Database.open(old, read_only=True)
    assert too_old.value.code == "store_older"
    for _ in range(2):
        database = Database.open(old, create=False)
        with database.read() as connection:
            assert connection.execute(select(entries.c.data, entries.c.kind)).one() == (revocation().entry, "revocation")
            assert connection.execute(select(settings.c.value)).scalar_one() == "https://ledger.example"
            assert connection.exec_driver_sql("PRAGMA user_version").scalar_one() == SCHEMA_VERSION
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
            upgraded = shape(connection)
        found = SQLRegister(database).get("urn:uuid:1")
        assert found is not None
        assert (found.number, found.index) == ("L-1", 7)
        database.close()
    fresh = Database.open(new)
    with fresh.read() as connection:
        assert upgraded == shape(connection)
    fresh.close()


def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    version_1(path)
    connection = sqlite3.connect(path)
    # A view that stands in the way of the table that the step makes.
    connection.execute("CREATE VIEW map_items AS SELECT 1")
    connection.close()
    with pytest.raises(StoreError):
        Database.open(path)
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name IN ('did_health_schema', '_alembic_tmp_entries')").fetchone() == (0,)
    assert connection.execute("SELECT count(*) FROM pragma_table_info('entries') WHERE name = 'kind'").fetchone() == (0,)
    connection.close()


def test_an_entry_that_cannot_be_read_stops_the_step(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    version_1(path)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE entries SET data = x'00'")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError) as refused:
        Database.open(path)
    assert (refused.value.code, refused.value.where) == ("store_corrupt", "entry 0")


def set_version(location: str, version: int) -> None:
    database = Database.open(location)
    with database.write() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(f"PRAGMA user_version = {version}")
        connection.execute(update(schema_version).values(version_num=migrations.revision(version)))
    database.close()


@pytest.mark.parametrize("location", ["sqlite-file", "postgresql"], indirect=True)
@pytest.mark.parametrize(("version", "code"), [(SCHEMA_VERSION + 1, "store_newer"), (0, "store_older")])
def test_a_version_that_this_program_does_not_know_is_refused(location: str, version: int, code: str) -> None:
    set_version(location, version)
    with pytest.raises(StoreError) as refused:
        Database.open(location)
    assert refused.value.code == code
    assert str(version) in str(refused.value)
    assert refused.value.hint


Spoil = Callable[[Connection], object]


@pytest.mark.parametrize("spoil", [lambda c: c.execute(schema_version.delete()), lambda c: c.execute(update(schema_version).values(version_num="x"))])
def test_a_spoilt_version_is_told(url: str, spoil: Spoil) -> None:
    database = Database.open(url)
    with database.write() as connection:
        spoil(connection)
    database.close()
    with pytest.raises(StoreError) as refused:
        Database.open(url)
    assert refused.value.code == "store_corrupt"
