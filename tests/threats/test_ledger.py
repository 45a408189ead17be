"""What may go wrong around a log, by malice or by accident, and that it is noticed, refused or made good (LEDGER, section 6)."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from did_health.did.methods import webvh
from did_health.did.methods.webvh.create import signed_line
from did_health.encoding import timestamps
from did_health.errors import ConflictError, DidHealthError, StoreError, VerificationError
from did_health.keys import generate
from did_health.ledger.entry import Entry, Kind, revocation_subject, subject_of
from did_health.ledger.log import Submission, prepare
from did_health.ledger.witness import Witness, ask, collect, require_no_rollback
from did_health.roles.evidence import Need
from did_health.stores.database import Database
from did_health.stores.embedded import EmbeddedLedger
from did_health.stores.ledger_store import LedgerStore
from did_health.stores.tile_files import TileFiles
from did_health.stores.witness_store import SQLWitnessStore
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.cosignature import cosigner_key
from did_health.tlog.merkle import Tree, leaf_hash
from did_health.tlog.note import NoteSigner, SignedNote, sign_note
from did_health.tlog.witness_policy import WitnessPolicy, verify_proof
from did_health.tlog.witness_protocol import AddCheckpoint, WitnessRefusal, WitnessState
from tests.conftest import repeatable_bytes
from tests.ledger_parties import START, URL, Board, Clock, new_ledger, reopened

KEY = generate(repeatable_bytes("throwaway"))
AUTHOR = f"did:key:{KEY.public_key.multikey}#{KEY.public_key.multikey}"


def revocation(number: int) -> Submission:
    """An entry that anybody can write: one leaf of its own subject."""
    handle = hashlib.sha256(str(number).encode()).digest()
    return prepare(Kind.REVOCATION, revocation_subject(handle), handle, author=AUTHOR, signer=KEY, now=START)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def ledger(folder: Path, clock: Clock) -> Iterator[EmbeddedLedger]:
    ledger = new_ledger(folder, clock)
    yield ledger
    ledger.close()


def size_published(ledger: EmbeddedLedger) -> int:
    data = ledger.fetch(Need(f"{URL}/checkpoint"))
    return Checkpoint.parse(SignedNote.parse(data).text).size if data else 0


# ---- stolen keys


def stolen_line(board: Board, thief_key: str, *, next_hashes: list[str]) -> bytes:
    """A line by which the holder of the present update key alone tries to take the DID over."""
    preliminary = {
        "versionId": board.log.latest.version_id,
        "versionTime": timestamps.format(START - timedelta(minutes=1)),
        "parameters": {"updateKeys": [thief_key], "nextKeyHashes": next_hashes},
        "state": board.log.latest.state,
    }
    return signed_line(preliminary, board.log.latest.version_id, 2, board.update_key)


@pytest.mark.parametrize("own_hashes", [True, False], ids=["commits_to_own_key", "ends_pre_rotation"])
def test_a_stolen_update_key_without_the_next_key_is_refused_and_the_owner_recovers(ledger: EmbeddedLedger, own_hashes: bool) -> None:
    board = Board("board.example", repeatable_bytes("victim")).join(ledger)
    hashes = [webvh.next_key_hash(KEY.public_key.multikey)] if own_hashes else []
    for new_key in (board.update_key.public_key.multikey, KEY.public_key.multikey):
        stolen = prepare(
            Kind.DID,
            board.subject,
            stolen_line(board, new_key, next_hashes=hashes),
            author=board.update_key.public_key.multikey,
            signer=board.update_key,
            now=START,
            previous=ledger.latest(board.subject),
        )
        with pytest.raises(DidHealthError):
            ledger.submit([stolen])
    assert ledger.size == 2
    log, _ = board.rotated()
    key = board.next_key
    recovery = prepare(
        Kind.DID, board.subject, log.lines[1], author=key.public_key.multikey, signer=key, now=START, previous=ledger.latest(board.subject)
    )
    assert ledger.submit([recovery])[0].parsed.seq == 1


def test_a_key_that_the_document_dropped_writes_nothing_more(ledger: EmbeddedLedger) -> None:
    board = Board("board.example", repeatable_bytes("dropped")).join(ledger)
    stolen_key, author = board.issuing_key, board.author
    board.issuing_key = generate(repeatable_bytes("fresh"))
    key = board.next_key
    log = webvh.update(board.log, signer=key, now=START - timedelta(minutes=1), state=board._document, next_key_hashes=[])
    ledger.submit(
        [prepare(Kind.DID, board.subject, log.lines[1], author=key.public_key.multikey, signer=key, now=START, previous=ledger.latest(board.subject))]
    )
    with pytest.raises(VerificationError) as refused:
        ledger.submit([board.signed(Kind.STATUS_LIST, bytes(32), b'{"issuer":"x"}', ledger, signer=stolen_key, author=author)])
    assert refused.value.code in {"author_not_entitled", "entry_signature_invalid"}
    submission = board.status_list(ledger)
    forged = Entry.create(
        kind=Kind.STATUS_LIST,
        subject=Entry.parse(submission.entry).subject,
        content=hashlib.sha256(submission.content).digest(),
        author=author,
        now=START,
        signer=stolen_key,
    )
    with pytest.raises(VerificationError) as invalid:
        ledger.submit([Submission(forged.encode(), submission.content)])
    assert invalid.value.code == "entry_signature_invalid"


# ---- forged, replayed, out of order


def test_a_replayed_entry_is_refused(ledger: EmbeddedLedger) -> None:
    board = Board("board.example", repeatable_bytes("replay")).join(ledger)
    first, second = board.status_list(ledger, "one"), None
    ledger.submit([first])
    second = board.status_list(ledger, "two")
    ledger.submit([second])
    for replayed in (first, second, board.first_line()):
        with pytest.raises(ConflictError) as refused:
            ledger.submit([replayed])
        assert refused.value.code == "entry_superseded"
    with pytest.raises(ConflictError):
        ledger.submit([revocation(1), revocation(1)])
    assert ledger.size == 6


def test_an_entry_that_skips_or_forks_the_history_is_refused(ledger: EmbeddedLedger) -> None:
    board = Board("board.example", repeatable_bytes("order")).join(ledger)
    ledger.submit([board.status_list(ledger, "one")])
    submission = board.status_list(ledger, "two")
    entry = Entry.parse(submission.entry)
    for changed in (replace(entry, seq=2), replace(entry, prev=bytes(32))):
        resigned = replace(changed, signature=board.issuing_key.sign(changed.signed_bytes()))
        with pytest.raises(VerificationError) as refused:
            ledger.submit([Submission(resigned.encode(), submission.content)])
        assert refused.value.code == "entry_out_of_order"
    assert ledger.size == 4


# ---- rollback


def test_an_old_database_does_not_sign_because_the_witnesses_are_ahead(folder: Path, ledger: EmbeddedLedger, clock: Clock) -> None:
    ledger.submit([revocation(1)])
    ledger.close()
    shutil.copy(folder / "ledger.sqlite", folder / "backup.sqlite")
    newer = reopened(folder, clock)
    newer.submit([revocation(2)])
    newer.close()
    shutil.copy(folder / "backup.sqlite", folder / "ledger.sqlite")
    for stray in folder.glob("ledger.sqlite-*"):
        stray.unlink()
    with pytest.raises(StoreError) as refused:
        reopened(folder, clock)
    assert refused.value.code == "ledger_rolled_back"
    assert "nothing was signed" in str(refused.value)


def test_a_database_of_another_history_does_not_sign(tmp_path: Path, folder: Path, ledger: EmbeddedLedger, clock: Clock) -> None:
    ledger.submit([revocation(1)])
    ledger.close()
    shutil.copytree(folder, tmp_path / "twin")
    for place, number in ((folder, 2), (tmp_path / "twin", 3)):
        one = reopened(place, clock)
        one.submit([revocation(number)])
        one.close()
    shutil.copy(tmp_path / "twin" / "ledger.sqlite", folder / "ledger.sqlite")
    with pytest.raises(StoreError) as refused:
        reopened(folder, clock)
    assert refused.value.code == "ledger_forked"


def test_a_database_swapped_under_a_running_process_does_not_sign(folder: Path, ledger: EmbeddedLedger, clock: Clock) -> None:
    ledger.submit([revocation(1)])
    ledger._store._database.close()
    shutil.copy(folder / "ledger.sqlite", folder / "backup.sqlite")
    ledger.submit([revocation(2)])
    ledger._store._database.close()
    shutil.copy(folder / "backup.sqlite", folder / "ledger.sqlite")
    for attempt in (lambda: ledger.submit([revocation(3)]), lambda: ledger.latest(revocation_subject(hashlib.sha256(b"1").digest()))):
        with pytest.raises(StoreError) as refused:
            attempt()
        assert refused.value.code == "ledger_rolled_back"


def test_entries_changed_in_the_database_are_noticed(folder: Path, ledger: EmbeddedLedger, clock: Clock) -> None:
    ledger.submit([revocation(1), revocation(2)])
    ledger.close()
    connection = sqlite3.connect(folder / "ledger.sqlite")
    connection.execute("UPDATE entries SET leaf_hash = zeroblob(32) WHERE position = 0")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError) as refused:
        reopened(folder, clock)
    assert refused.value.code == "store_corrupt"


def test_a_missing_line_of_a_did_log_is_noticed(folder: Path, ledger: EmbeddedLedger, clock: Clock) -> None:
    board = Board("board.example", repeatable_bytes("missing")).join(ledger)
    ledger.close()
    connection = sqlite3.connect(folder / "ledger.sqlite")
    connection.execute("DELETE FROM contents WHERE digest = (SELECT content FROM entries WHERE position = 0)")
    connection.commit()
    connection.close()
    again = reopened(folder, clock)
    with pytest.raises(StoreError) as refused:
        again.submit([board.status_list(again)])
    assert refused.value.code == "store_corrupt"
    again.close()


# ---- witnesses


def break_memory(folder: Path, *numbers: int) -> None:
    """Take witnesses out of service: what they saw last can be neither read nor written."""
    for number in numbers:
        connection = sqlite3.connect(folder / "witnesses" / f"witness-{number}.sqlite", isolation_level=None)
        connection.execute("DROP TABLE witness_states")
        connection.close()


def test_one_witness_of_four_may_be_down(folder: Path, ledger: EmbeddedLedger) -> None:
    break_memory(folder, 2)
    (logged,) = ledger.submit([revocation(1)])
    verified = verify_proof(logged.proof, logged.entry, WitnessPolicy.parse(ledger.policy_text))
    assert [cosigner.witness for cosigner in verified.cosigners] == ["witness-1", "witness-3", "witness-4"]


def test_below_the_quorum_nothing_is_signed_and_the_old_checkpoint_stays(folder: Path, ledger: EmbeddedLedger, clock: Clock) -> None:
    ledger.submit([revocation(1)])
    break_memory(folder, 2, 3)
    for attempt in (lambda: ledger.submit([revocation(2)]), ledger.heartbeat):
        with pytest.raises(StoreError) as refused:
            attempt()
        assert refused.value.code == "quorum_not_met"
        assert "nothing was written" in str(refused.value)
    assert size_published(ledger) == 2
    assert LedgerStore(Database.open(folder / "ledger.sqlite")).state().size == 2
    ledger.close()
    # Reading goes on without them.
    again = reopened(folder, clock)
    assert again.latest(revocation_subject(hashlib.sha256(b"1").digest())) is not None
    again.close()


def test_what_was_stored_when_the_witnesses_went_down_is_published_when_they_are_back(
    folder: Path, ledger: EmbeddedLedger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.submit([revocation(1)])

    def down(self: Witness, request: AddCheckpoint, *, now: datetime) -> None:
        raise StoreError("out of service")

    with monkeypatch.context() as outage:
        outage.setattr(Witness, "add_checkpoint", down)
        with pytest.raises(StoreError) as refused:
            ledger.submit([revocation(2)])
        assert refused.value.code == "quorum_not_met"
        assert "is kept" in str(refused.value)
        ledger.close()
        ledger = reopened(folder, clock)
        assert size_published(ledger) == 2
        assert ledger.latest(revocation_subject(hashlib.sha256(b"2").digest())) is None
    ledger.submit([revocation(3)])
    assert size_published(ledger) == 6
    assert ledger.latest(revocation_subject(hashlib.sha256(b"2").digest())) is not None
    ledger.close()


def test_a_witness_whose_memory_is_gone_is_not_opened(folder: Path, ledger: EmbeddedLedger, clock: Clock) -> None:
    ledger.close()
    (folder / "witnesses" / "witness-1.sqlite").unlink()
    with pytest.raises(StoreError) as refused:
        reopened(folder, clock)
    assert refused.value.code == "store_missing"


def witness_and_log() -> tuple[Witness, NoteSigner, Tree, SQLWitnessStore]:
    log = NoteSigner("log.example", generate(repeatable_bytes("log")))
    store = SQLWitnessStore(Database.open("sqlite://"))
    witness = Witness("w.example", generate(repeatable_bytes("witness")), store, {"log.example": [log.key]})
    return witness, log, Tree.from_leaf_hashes([leaf_hash(bytes([number])) for number in range(5)]), store


def signed(log: NoteSigner, tree: Tree, size: int) -> SignedNote:
    return sign_note(Checkpoint("log.example", size, tree.root(size)).encode(), [log])


def test_a_witness_remembers_before_it_cosigns_and_never_sees_a_fork(clock: Clock) -> None:
    witness, log, tree, store = witness_and_log()
    assert collect(signed(log, tree, 3), tree, [witness], now=START).failures == {}
    assert store.read("log.example") == WitnessState(3, tree.root(3))
    other = Tree.from_leaf_hashes([leaf_hash(bytes([9 + number])) for number in range(5)])
    for size in (3, 5):
        refusal = collect(signed(log, other, size), other, [witness], now=START).failures["w.example"]
        assert isinstance(refusal, WitnessRefusal)
        assert refusal.status in (409, 422)
    older = collect(signed(log, tree, 2), tree, [witness], now=START)
    assert older.failures["w.example"].code == "checkpoint_superseded"
    assert older.note.signatures == signed(log, tree, 2).signatures
    with pytest.raises(StoreError) as forked:
        require_no_rollback(other, {"w.example": store.read("log.example")})
    assert forked.value.code == "ledger_forked"


def test_a_witness_that_lost_a_race_gives_no_cosignature() -> None:
    witness, log, tree, store = witness_and_log()

    class Overtaken:
        def read(self, origin: str) -> WitnessState:
            state = store.read(origin)
            store.swap(origin, state, WitnessState(4, tree.root(4)))
            return state

        def swap(self, origin: str, old: WitnessState, new: WitnessState) -> None:
            store.swap(origin, old, new)

    overtaken = Witness("w.example", generate(repeatable_bytes("witness")), Overtaken(), {"log.example": [log.key]})
    with pytest.raises(ConflictError):
        overtaken.add_checkpoint(AddCheckpoint(0, (), signed(log, tree, 3)), now=START)
    assert store.read("log.example").size == 4
    assert witness.latest("log.example").size == 4


def test_a_witness_that_cannot_be_asked_counts_as_absent() -> None:
    witness, _, _, _ = witness_and_log()

    class Down:
        key = cosigner_key("down.example", generate(repeatable_bytes("down")).public_key)

        def latest(self, origin: str) -> WitnessState:
            raise StoreError("no answer")

        def add_checkpoint(self, request: AddCheckpoint, *, now: datetime) -> None:
            raise StoreError("no answer")

    assert ask([witness, Down()], "log.example", needed=1) == {"w.example": WitnessState()}
    with pytest.raises(StoreError) as refused:
        ask([witness, Down()], "log.example", needed=2)
    assert refused.value.code == "quorum_not_met"


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
        logged = again.latest(revocation_subject(hashlib.sha256(str(number).encode()).digest()))
        assert logged is not None
        verify_proof(logged.proof, logged.entry, policy)
    again.close()


def test_somebody_elses_url_cannot_be_taken_from_the_ledger(ledger: EmbeddedLedger) -> None:
    board = Board("board.example", repeatable_bytes("first")).join(ledger)
    squatter = Board("squatter.example", repeatable_bytes("second")).join(ledger)
    ledger.submit([board.status_list(ledger)])
    with pytest.raises(VerificationError) as refused:
        ledger.submit([squatter.status_list(ledger, url="https://board.example/status/1")])
    assert refused.value.code == "author_not_entitled"
    latest = ledger.latest(subject_of(Kind.STATUS_LIST, "https://board.example/status/1"))
    assert latest is not None
    assert latest.parsed.author == board.author


