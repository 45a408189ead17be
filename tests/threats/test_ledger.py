"""What may go wrong around a log, by malice or by accident, and that it is noticed, refused or made good (LEDGER, section 6)."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from did_health.did.methods import webvh
from did_health.did.methods.webvh.create import signed_line
from did_health.encoding import timestamps
from did_health.errors import ConflictError, DidHealthError, StoreError, VerificationError
from did_health.keys import generate
from did_health.ledger.entry import Entry, Kind, revocation_subject, subject_of
from did_health.ledger.log import Submission, prepare
from did_health.stores.embedded import EmbeddedLedger
from tests.any_log import KEY, handle, revocation
from tests.conftest import repeatable_bytes
from tests.ledger_parties import START, Board, Clock, reopened

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
    for attempt in (lambda: ledger.submit([revocation(3)]), lambda: ledger.latest(revocation_subject(handle(1)))):
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
