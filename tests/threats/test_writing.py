"""Writing that is cut off, runs out of space, or is not alone: nothing acknowledged is lost, and there is one history."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest

from did_health.errors import ConflictError, StoreError
from did_health.ledger.entry import revocation_subject
from did_health.stores.database import Database
from did_health.stores.embedded import EmbeddedLedger
from did_health.stores.ledger_store import LedgerStore
from did_health.stores.tile_files import TileFiles
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.note import SignedNote
from did_health.tlog.witness_policy import WitnessPolicy, verify_proof
from tests.any_log import handle, revocation
from tests.conftest import repeatable_bytes
from tests.ledger_parties import Board, Clock, reopened, size_published

# ---- crashes


def refuse(*_arguments: object, **_options: object) -> None:
    raise StoreError("the power went out")


@pytest.mark.parametrize("step", ["write_tiles", "write_checkpoint"])
def test_a_batch_cut_off_at_any_step_is_finished_by_the_next_process(
    folder: Path, ledger: EmbeddedLedger, clock: Clock, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    ledger.submit([revocation(1)])
    with monkeypatch.context() as crash:
        crash.setattr(TileFiles, step, refuse)
        with pytest.raises(StoreError, match="power"):
            ledger.submit([revocation(2)])
    signed_size = LedgerStore(Database.open(folder / "ledger.sqlite")).state()
    ledger.close()
    again = reopened(folder, clock)
    assert size_published(again) == 4
    checkpoint = Checkpoint.parse(SignedNote.parse((folder / "published" / "checkpoint").read_bytes()).text)
    # The tree that was signed before the crash is the one that is published after it.
    assert (checkpoint.size, checkpoint.root) == (signed_size.size, signed_size.root)
    assert (folder / "published" / "tile" / "0" / "000.p" / "4").exists()
    again.submit([revocation(3)])
    assert size_published(again) == 6
    again.close()


def test_a_batch_that_could_not_be_stored_leaves_no_trace(ledger: EmbeddedLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.submit([revocation(1)])
    with monkeypatch.context() as crash:
        crash.setattr(LedgerStore, "append", refuse)
        with pytest.raises(StoreError, match="power"):
            ledger.submit([revocation(2)])
    (logged,) = ledger.submit([revocation(3)])
    assert logged.index == 2
    verify_proof(logged.proof, logged.entry, WitnessPolicy.parse(ledger.policy_text))


def die(*_arguments: object, **_options: object) -> None:
    os._exit(9)


def submit_and_die(folder: Path, step: str) -> None:
    ledger = reopened(folder, Clock())
    setattr(LedgerStore if hasattr(LedgerStore, step) else TileFiles, step, die)
    ledger.submit([revocation(2)])


@pytest.mark.parametrize(("step", "kept"), [("append", 2), ("write_tiles", 4), ("mark_published", 4), ("write_checkpoint", 4)])
def test_a_process_killed_half_way_loses_nothing(folder: Path, ledger: EmbeddedLedger, clock: Clock, step: str, kept: int) -> None:
    ledger.submit([revocation(1)])
    ledger.close()
    process = multiprocessing.get_context("spawn").Process(target=submit_and_die, args=(folder, step))
    process.start()
    process.join()
    assert process.exitcode == 9
    again = reopened(folder, clock)
    assert size_published(again) == kept
    again.submit([revocation(3)])
    assert size_published(again) == kept + 2
    again.close()


def test_a_full_disk_is_told_and_nothing_is_lost(folder: Path, ledger: EmbeddedLedger) -> None:
    board = Board("board.example", repeatable_bytes("full")).join(ledger)
    database = ledger._store._database
    with database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StoreError) as full:
        ledger.submit([board.status_list(ledger, "x" * 100_000)])
    assert full.value.code == "store_full"
    assert size_published(ledger) == 2
    with database.read() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {1 << 30}")
    ledger.submit([board.status_list(ledger, "x" * 100_000)])
    assert size_published(ledger) == 4


def test_a_foreign_file_in_the_place_of_the_database_is_left_alone(folder: Path, ledger: EmbeddedLedger, clock: Clock) -> None:
    ledger.close()
    for stray in folder.glob("ledger.sqlite*"):
        stray.unlink()
    (folder / "ledger.sqlite").write_bytes(b"patients,of,somebody\n" * 100)
    with pytest.raises(StoreError) as refused:
        reopened(folder, clock)
    assert refused.value.code == "store_foreign"
    assert (folder / "ledger.sqlite").read_bytes() == b"patients,of,somebody\n" * 100


# ---- two writers


def test_the_writer_that_comes_second_is_told_and_can_go_on(folder: Path, ledger: EmbeddedLedger, clock: Clock) -> None:
    second = reopened(folder, clock)
    real_append = second._store.append

    def overtaken(*arguments: object, **options: object) -> None:
        ledger.submit([revocation(1)])
        real_append(*arguments, **options)  # type: ignore[arg-type]

    second._store.append = overtaken  # type: ignore[method-assign]
    with pytest.raises(ConflictError) as refused:
        second.submit([revocation(2)])
    assert refused.value.code == "ledger_conflict"
    second._store.append = real_append  # type: ignore[method-assign]
    (logged,) = second.submit([revocation(2)])
    assert logged.index == 2
    # The first one notices, too.
    assert ledger.submit([revocation(3)])[0].index == 4
    second.close()


def test_a_writer_overtaken_while_publishing_still_gets_its_proofs(folder: Path, ledger: EmbeddedLedger, clock: Clock) -> None:
    slow = reopened(folder, clock)
    real_write = slow._files.write_tiles

    def overtaken(*arguments: object) -> None:
        real_write(*arguments)  # type: ignore[arg-type]
        slow._files.write_tiles = real_write  # type: ignore[method-assign]
        ledger.submit([revocation(2)])

    slow._files.write_tiles = overtaken  # type: ignore[method-assign]
    (logged,) = slow.submit([revocation(1)])
    assert logged.index == 0
    assert Checkpoint.parse(logged.proof.checkpoint.text).size == 4
    verify_proof(logged.proof, logged.entry, WitnessPolicy.parse(slow.policy_text))
    assert Checkpoint.parse(SignedNote.parse((folder / "published" / "checkpoint").read_bytes()).text).size == 4
    slow.close()


def write_many(folder: Path, start: int, failures: multiprocessing.Queue[str]) -> None:
    ledger = reopened(folder, Clock())
    for number in range(start, start + 12):
        for _ in range(200):
            try:
                ledger.submit([revocation(number)])
                break
            except ConflictError:
                continue
        else:
            failures.put(f"{number} was never logged")
    ledger.close()


def test_two_processes_write_one_history(folder: Path, ledger: EmbeddedLedger, clock: Clock) -> None:
    ledger.close()
    context = multiprocessing.get_context("spawn")
    failures: multiprocessing.Queue[str] = context.Queue()
    processes = [context.Process(target=write_many, args=(folder, start, failures)) for start in (0, 100)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert failures.empty()
    again = reopened(folder, clock)
    assert size_published(again) == 48
    policy = WitnessPolicy.parse(again.policy_text)
    for number in [*range(12), *range(100, 112)]:
        logged = again.latest(revocation_subject(handle(number)))
        assert logged is not None
        verify_proof(logged.proof, logged.entry, policy)
    again.close()
