"""What every store promises; run for each kind of database. A new kind is one more parameter of ``database``."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from did_health.errors import ConflictError, EdgeError, StoreError, UnsupportedError
from did_health.keys import generate
from did_health.ledger.admission import Admitted
from did_health.ledger.entry import Entry, Kind, revocation_subject
from did_health.ledger.log import prepare
from did_health.ledger.sequencer import Batch, plan
from did_health.roles.register import IssuedCredential, Register, StatusChange, StatusListState
from did_health.stores import indices
from did_health.stores.clock import system_clock
from did_health.stores.database import APPLICATION_ID, Database
from did_health.stores.ledger_map import head_at
from did_health.stores.ledger_store import LedgerStore, LogState
from did_health.stores.register_store import SQLRegister
from did_health.stores.tables import checkpoint, documents
from did_health.stores.witness_store import SQLWitnessStore
from did_health.tlog.merkle import Tree
from did_health.tlog.note import NoteSigner
from did_health.tlog.prefix_map_tree import MemoryItems, PrefixTree
from did_health.tlog.witness_protocol import WitnessState
from tests.conftest import repeatable_bytes

BOARD = "did:webvh:Qm:board.example"
SET = "https://board.example/status/1/"
SIZE = 131_072
NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def register(database: Database) -> Register:
    return SQLRegister(database)


def credential(number: int, /, **changes: object) -> IssuedCredential:
    fields: dict[str, object] = {
        "id": f"urn:uuid:{number}",
        "issuer": BOARD,
        "type": "PhysicianLicenseCredential",
        "subject": f"did:key:{number % 3}",
        "number": f"L-{number}",
        "status_set": SET,
        "index": number,
        "issued_at": NOW,
        "document": b'{"n":%d}' % number,
        "receipt": b"{}",
    }
    return IssuedCredential(**{**fields, **changes})  # type: ignore[arg-type]


# ---- register: credentials


def test_what_was_added_is_found_again_as_it_was(register: Register) -> None:
    added = [credential(number) for number in range(5)]
    register.add(added)
    assert [register.get(one.id) for one in added] == added
    assert register.get("urn:uuid:none") is None


def test_a_time_of_any_zone_is_kept_as_its_instant(register: Register) -> None:
    register.add([credential(1, issued_at=NOW.astimezone(timezone(timedelta(hours=-5))))])
    found = register.get("urn:uuid:1")
    assert found is not None
    assert found.issued_at == NOW
    with pytest.raises(ValueError, match="time zone"):
        register.add([credential(2, issued_at=datetime(2026, 1, 1))])  # noqa: DTZ001


def test_adding_nothing_is_allowed(register: Register) -> None:
    register.add([])


@pytest.mark.parametrize("second", [credential(1, number="L-other"), credential(2, number="L-1")], ids=["same_id", "same_number"])
def test_a_credential_is_issued_once_or_none_of_its_batch_is(register: Register, second: IssuedCredential) -> None:
    register.add([credential(1)])
    with pytest.raises(ConflictError) as refused:
        register.add([credential(7), second])
    assert refused.value.code == "already_issued"
    assert register.get("urn:uuid:7") is None


def test_numbers_are_unique_only_within_issuer_and_type_and_only_if_there_is_one(register: Register) -> None:
    register.add([credential(1), credential(2, number="L-1", type="PharmacyCredential"), credential(3, number="L-1", issuer="did:webvh:Qm:other")])
    register.add([credential(4, number=""), credential(5, number="")])
    assert [one.id for one in register.find(BOARD, number="L-1")] == ["urn:uuid:2", "urn:uuid:1"]
    assert [one.id for one in register.find(BOARD, number="")] == ["urn:uuid:5", "urn:uuid:4"]


def test_find_gives_the_newest_first_and_not_more_than_asked(register: Register) -> None:
    register.add([credential(number) for number in range(9)])
    assert [one.id for one in register.find(BOARD, subject="did:key:1")] == ["urn:uuid:7", "urn:uuid:4", "urn:uuid:1"]
    assert [one.id for one in register.find(BOARD, limit=2)] == ["urn:uuid:8", "urn:uuid:7"]
    assert register.find("did:webvh:Qm:other") == []


def test_numbers_tells_which_are_taken(register: Register) -> None:
    register.add([credential(1), credential(2), credential(3, number="")])
    assert register.numbers(BOARD, "PhysicianLicenseCredential", ["L-1", "L-3", ""]) == {"L-1"}
    assert register.numbers(BOARD, "PharmacyCredential", ["L-1"]) == frozenset()
    assert register.numbers(BOARD, "PhysicianLicenseCredential", [f"L-{number}" for number in range(40_000)]) == {"L-1", "L-2"}


def test_all_reads_every_page_in_order_while_more_is_added(register: Register) -> None:
    register.add([credential(number) for number in range(1_100)])
    register.add([credential(5_000, issuer="did:webvh:Qm:other")])
    seen = []
    for one in register.all(BOARD):
        if not seen:
            register.add([credential(2_000)])
        seen.append(one.id)
    assert seen == [f"urn:uuid:{number}" for number in [*range(1_100), 2_000]]


# ---- register: status


def test_changes_are_kept_in_order_with_their_reasons(register: Register) -> None:
    register.add([credential(1), credential(2)])
    changes = [
        StatusChange("urn:uuid:1", "suspension", 1, "order 7", "https://board.example/orders/7", NOW, NOW),
        StatusChange("urn:uuid:1", "suspension", 0, "appeal", "", NOW + timedelta(days=1), NOW),
    ]
    register.change(changes[:1], [StatusListState(f"{SET}suspension", 1, b"one")])
    register.change(changes[1:], [StatusListState(f"{SET}suspension", 2, b"two"), StatusListState(f"{SET}message", 1, b"m")])
    assert register.history("urn:uuid:1") == changes
    assert register.history("urn:uuid:2") == []
    assert register.status_lists(SET) == {
        f"{SET}message": StatusListState(f"{SET}message", 1, b"m"),
        f"{SET}suspension": StatusListState(f"{SET}suspension", 2, b"two"),
    }
    assert register.status_lists("https://board.example/status_1/") == {}


def test_a_list_is_replaced_only_by_the_next_version_and_takes_its_changes_with_it(register: Register) -> None:
    register.add([credential(1)])
    register.change([], [StatusListState(f"{SET}revocation", 1, b"one")])
    for version in (1, 3):
        with pytest.raises(ConflictError):
            register.change([StatusChange("urn:uuid:1", "revocation", 1, "", "", NOW, NOW)], [StatusListState(f"{SET}revocation", version, b"x")])
    assert register.history("urn:uuid:1") == []
    assert register.status_lists(SET)[f"{SET}revocation"].document == b"one"


def test_a_change_of_an_unknown_credential_changes_nothing(register: Register) -> None:
    with pytest.raises(StoreError) as refused:
        register.change([StatusChange("urn:uuid:none", "revocation", 1, "", "", NOW, NOW)], [StatusListState(f"{SET}revocation", 1, b"one")])
    assert refused.value.code == "credential_unknown"
    assert register.status_lists(SET) == {}


# ---- register: indices


def test_indices_are_never_given_out_twice(register: Register) -> None:
    random = repeatable_bytes("indices")
    drawn = [index for _ in range(4) for index in register.reserve(SET, 2_500, SIZE, random)]
    assert len(set(drawn)) == 10_000
    assert all(0 <= index < SIZE for index in drawn)
    assert drawn != sorted(drawn)
    assert set(register.reserve("https://board.example/status/2/", 10, SIZE, random)) != set(drawn[:10])


def test_a_set_is_used_up_to_its_last_index(register: Register) -> None:
    random = repeatable_bytes("all of it")
    drawn = [index for count in (50, 40, 11) for index in register.reserve(SET, count, 101, random)]
    assert sorted(drawn) == list(range(101))
    assert register.reserve(SET, 0, 101, random) == []
    with pytest.raises(StoreError) as full:
        register.reserve(SET, 1, 101, random)
    assert full.value.code == "status_list_full"


def test_a_reservation_that_cannot_be_had_whole_takes_nothing(register: Register) -> None:
    random = repeatable_bytes("whole")
    with pytest.raises(StoreError):
        register.reserve(SET, 9, 8, random)
    assert sorted(register.reserve(SET, 8, 8, random)) == list(range(8))


def test_a_set_keeps_its_size(register: Register) -> None:
    register.reserve(SET, 1, 16, repeatable_bytes("size"))
    with pytest.raises(StoreError) as refused:
        register.reserve(SET, 1, 32, repeatable_bytes("size"))
    assert refused.value.code == "status_set_size"


@pytest.mark.parametrize(("count", "size"), [(-1, 8), (1, 0), (1, indices.MAX_INDICES + 1)])
def test_impossible_reservations_are_the_callers_mistake(register: Register, count: int, size: int) -> None:
    with pytest.raises(ValueError, match="size"):
        register.reserve(SET, count, size, repeatable_bytes("x"))


def test_two_threads_never_get_the_same_index(register: Register) -> None:
    drawn: list[int] = []

    def reserve(seed: str) -> None:
        for _ in range(5):
            drawn.extend(register.reserve(SET, 20, 512, repeatable_bytes(seed)))

    threads = [threading.Thread(target=reserve, args=(seed,)) for seed in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(drawn) == len(set(drawn)) == 200


# ---- witness


def test_a_witness_state_is_swapped_only_for_the_one_that_was_read(database: Database) -> None:
    store = SQLWitnessStore(database)
    empty, one, two = WitnessState(), WitnessState(1, b"1" * 32), WitnessState(2, b"2" * 32)
    assert store.read("log.example") == empty
    store.swap("log.example", empty, one)
    with pytest.raises(ConflictError):
        store.swap("log.example", empty, two)
    store.swap("log.example", one, one)
    store.swap("log.example", one, two)
    assert store.read("log.example") == two
    assert store.read("other.example") == empty


# ---- ledger


def test_a_database_holds_one_ledger_and_says_if_it_holds_none(database: Database) -> None:
    store = LedgerStore(database)
    with pytest.raises(StoreError) as missing:
        store.state()
    assert missing.value.code == "store_missing"
    store.initialise({"a": "1"})
    with pytest.raises(ConflictError) as exists:
        store.initialise({"b": "2"})
    assert exists.value.code == "ledger_exists"
    assert store.settings() == {"a": "1"}


def test_a_setting_is_swapped_only_for_the_one_that_was_read(database: Database) -> None:
    store = LedgerStore(database)
    store.initialise({"a": "1"})
    store.set("a", "1", "2")
    with pytest.raises(ConflictError):
        store.set("a", "1", "3")
    assert store.settings() == {"a": "2"}


def test_published_documents_are_replaced(database: Database) -> None:
    store = LedgerStore(database)
    assert store.document("https://a.example/x") is None
    assert not store.serves("a.example")
    for data in (b"old", b"new"):
        store.publish("https://a.example/x", "a.example", data)
    assert store.document("https://a.example/x") == b"new"
    assert store.serves("a.example")


def first_batch(tree: Tree) -> Batch:
    key = generate(repeatable_bytes("author"))
    author = f"did:key:{key.public_key.multikey}#{key.public_key.multikey}"
    submission = prepare(Kind.REVOCATION, revocation_subject(bytes(32)), bytes(32), author=author, signer=key, now=NOW)
    admitted = Admitted(Entry.parse(submission.entry), submission.entry, submission.content)
    return plan(tree, PrefixTree(MemoryItems(), 0), [admitted], previous=None, signer=NoteSigner("log.example", key), now=NOW)


def test_a_batch_is_appended_once_and_is_pending_until_it_is_published(database: Database) -> None:
    store = LedgerStore(database)
    store.initialise({"a": "1"})
    batch = first_batch(Tree())
    store.append(batch, now=NOW)
    pending = batch.note.encode()
    assert store.state() == LogState(2, batch.new.root, pending, 0, None)
    with pytest.raises(ConflictError):
        store.append(batch, now=NOW)
    store.mark_published(b"another", b"never")
    assert store.state().pending == pending
    store.mark_published(pending, b"cosigned")
    assert store.state() == LogState(2, batch.new.root, None, 2, b"cosigned")
    with pytest.raises(ConflictError):
        store.refresh_published(b"another", b"never")
    store.refresh_published(b"cosigned", b"cosigned again")
    assert store.state().published == b"cosigned again"
    author = batch.entries[0].author
    assert store.entries_within_hour(author, now=NOW + timedelta(minutes=59)) == 1
    assert store.entries_within_hour(author, now=NOW + timedelta(minutes=60)) == 0


def test_an_entry_that_is_there_already_though_the_checkpoint_fits_is_damage_and_no_conflict(database: Database) -> None:
    store = LedgerStore(database)
    store.initialise({"a": "1"})
    batch = first_batch(Tree())
    store.append(batch, now=NOW)
    with database.write() as connection:
        connection.execute(update(checkpoint).values(size=0, root=batch.old.root, pending=None))
    with pytest.raises(StoreError) as refused:
        store.append(batch, now=NOW)
    assert (refused.value.code, refused.value.where) == ("store_corrupt", "entries 0 to 1")
    assert "mirror" in refused.value.hint
    assert store.state().size == 0


def test_documents_are_found_many_at_once(database: Database) -> None:
    store = LedgerStore(database)
    store.initialise({"a": "1"})
    batch = first_batch(Tree())
    store.append(batch, now=NOW)
    known = {leaf.entry.content: leaf.content for leaf in batch.leaves}
    assert store.contents_of([*known, b"another" * 4 + bytes(4)]) == known
    assert store.contents_of([]) == {}
    both = [leaf.content for leaf in batch.leaves]
    assert store.documents_between(0, 2, max_bytes=sum(map(len, both))) == both
    assert store.documents_between(1, 2, max_bytes=1_000) == both[1:]
    assert store.documents_between(0, 2, max_bytes=sum(map(len, both)) - 1) is None
    assert store.documents_between(0, 3, max_bytes=1_000) is None


def test_the_head_of_a_log_from_before_the_map_is_told_to_be_none(database: Database) -> None:
    store = LedgerStore(database)
    store.initialise({"a": "1"})
    store.append(first_batch(Tree()), now=NOW)
    with database.read() as connection:
        assert head_at(connection, 0) is None
        assert head_at(connection, 2) is not None
        for size, where in ((1, "entry 0"), (3, "entry 2")):
            with pytest.raises(StoreError) as refused:
                head_at(connection, size)
            assert refused.value.where == where
            assert refused.value.hint
            assert refused.value.code == ("store_older" if size == 1 else "store_corrupt")


# ---- transactions


def test_an_exception_undoes_the_transaction(database: Database) -> None:
    store = LedgerStore(database)

    def write_and_fail() -> None:
        with database.write() as connection:
            connection.execute(insert(documents).values(url="u", host="h", data=b"\0"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    assert store.document("u") is None


def test_a_full_disk_is_told_and_loses_nothing(sqlite_database: Database) -> None:
    database, register = sqlite_database, SQLRegister(sqlite_database)
    register.add([credential(1)])
    with database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 4}")
    with pytest.raises(StoreError) as full:
        register.add([credential(number, document=bytes(4_000)) for number in range(2, 200)])
    assert full.value.code == "store_full"
    assert "space" in str(full.value)
    assert [one.id for one in register.all(BOARD)] == ["urn:uuid:1"]
    with database.read() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {1 << 30}")
    register.add([credential(2)])


def test_a_read_only_database_is_told(sqlite_database: Database) -> None:
    with sqlite_database.read() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(StoreError) as refused:
        SQLRegister(sqlite_database).add([credential(1)])
    assert refused.value.code == "store_read_only"


def test_an_unforeseen_failure_is_a_store_error(database: Database) -> None:
    with pytest.raises(StoreError) as refused, database.read() as connection:
        connection.exec_driver_sql("SELECT nonsense")
    assert refused.value.code == "store"


# ---- files


def test_what_was_committed_is_there_after_opening_again(tmp_path: Path) -> None:
    first = Database.open(tmp_path / "a.sqlite")
    SQLRegister(first).add([credential(1)])
    first.close()
    again = Database.open(f"sqlite:///{tmp_path / 'a.sqlite'}", create=False)
    assert SQLRegister(again).get("urn:uuid:1") == credential(1)
    again.close()


def test_the_file_is_durable_and_marked_as_ours(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "a.sqlite")
    with database.read() as connection:
        values = [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("journal_mode", "synchronous", "foreign_keys", "application_id")]
    assert values == ["wal", 2, 1, APPLICATION_ID]
    database.close()


def test_a_writer_waits_and_then_says_that_it_is_locked(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "a.sqlite")
    with database.read() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 20")
    other = sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(ConflictError) as refused:
        SQLRegister(database).add([credential(1)])
    assert refused.value.code == "store_locked"
    other.execute("ROLLBACK")
    other.close()
    SQLRegister(database).add([credential(1)])
    database.close()


def foreign_sqlite(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE patients (name TEXT)")
    connection.commit()
    connection.close()


def newer_schema(path: Path) -> None:
    Database.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def older_schema(path: Path) -> None:
    Database.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 0")
    connection.close()


def damaged(path: Path) -> None:
    Database.open(path).close()
    data = path.read_bytes()
    path.write_bytes(data[:100] + b"\xff" * (len(data) - 100))


FAULTS = {
    "store_foreign": [foreign_sqlite, lambda path: path.write_text("name,number\n" * 500)],
    "store_newer": [newer_schema],
    "store_older": [older_schema],
    "store_corrupt": [damaged],
    "store_unavailable": [lambda path: path.mkdir()],
}


@pytest.mark.parametrize(("code", "number"), [(code, number) for code, makers in FAULTS.items() for number in range(len(makers))])
def test_a_file_that_is_not_ours_is_refused_and_left_as_it_is(tmp_path: Path, code: str, number: int) -> None:
    path = tmp_path / "file.sqlite"
    FAULTS[code][number](path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StoreError) as refused:
        Database.open(path)
    assert refused.value.code == code
    assert str(path) in str(refused.value)
    assert refused.value.hint
    assert (path.read_bytes() if path.is_file() else None) == before


def test_opening_what_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty.sqlite").touch()
    for name in ("none.sqlite", "empty.sqlite"):
        with pytest.raises(StoreError) as refused:
            Database.open(tmp_path / name, create=False)
        assert refused.value.code == "store_missing"
    assert not (tmp_path / "none.sqlite").exists()
    with pytest.raises(EdgeError):
        Database.open(tmp_path / "no" / "folder" / "a.sqlite")


def test_plain_paths_and_memory_are_understood_and_other_systems_are_not(tmp_path: Path) -> None:
    Database.open(str(tmp_path / "plain.sqlite")).close()
    assert (tmp_path / "plain.sqlite").exists()
    Database.open(":memory:").close()
    with pytest.raises(UnsupportedError):
        Database.open("mysql://user:secret@host/db")


def test_the_system_clock_is_aware_and_utc() -> None:
    assert system_clock().utcoffset() == timedelta(0)
