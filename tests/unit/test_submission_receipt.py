"""Submission receipts: signed promises, and how a broken one convicts its log."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from did_health.errors import FormatError, VerificationError
from did_health.keys import Algorithm, signer_from_secret
from did_health.ledger.entry import Entry
from did_health.ledger.latest import VerifiedLatest
from did_health.ledger.submission_receipt import FIRST_LINE, SubmissionReceipt
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.note import NoteSigner, SignedNote, sign_note
from did_health.tlog.witness_policy import VerifiedCheckpoint
from tests.conftest import repeatable_bytes
from tests.ledger_parties import Board, Clock, new_ledger

LOG = NoteSigner("log.example", signer_from_secret(Algorithm.ED25519, b"l" * 32))
OTHER = NoteSigner("other.example", signer_from_secret(Algorithm.ED25519, b"o" * 32))
BOARD = Board("board.example", repeatable_bytes("board"))
ENTRY = Entry.parse(BOARD.first_line().entry)
RECEIPT = SubmissionReceipt("log.example", ENTRY.digest, 1000, 2000)


def test_a_receipt_is_a_note_that_says_the_same_again() -> None:
    data = RECEIPT.sign(LOG).encode()
    assert data.startswith(f"{FIRST_LINE}\nlog.example\n{ENTRY.digest.hex()}\n1000\n2000\n\n".encode())
    assert SubmissionReceipt.verify(data, LOG.key) == SubmissionReceipt.verify(data, LOG.key, ENTRY) == RECEIPT


def test_it_can_not_be_taken_for_a_checkpoint() -> None:
    with pytest.raises(FormatError):
        Checkpoint.parse(RECEIPT.sign(LOG).text)
    with pytest.raises(FormatError):
        SubmissionReceipt.parse(SignedNote(Checkpoint("log.example", 1, bytes(32)).encode(), ()))


def test_of_another_log_another_entry_or_unsigned() -> None:
    data = RECEIPT.sign(LOG).encode()
    with pytest.raises(VerificationError) as other:
        SubmissionReceipt.verify(data, OTHER.key)
    assert other.value.code == "receipt_of_another_log"
    with pytest.raises(VerificationError) as entry:
        SubmissionReceipt.verify(data, LOG.key, replace(ENTRY, time=1))
    assert entry.value.code == "receipt_of_another_entry"
    with pytest.raises(VerificationError) as forged:
        SubmissionReceipt.verify(data.replace(b"\n2000\n", b"\n3000\n"), LOG.key)
    assert forged.value.code == "note_signature_invalid"
    with pytest.raises(ValueError, match="its own"):
        RECEIPT.sign(OTHER)


@pytest.mark.parametrize("text", [
    "", f"{FIRST_LINE}\n", f"{FIRST_LINE}\nlog.example\n00\n1\n2\n", f"{FIRST_LINE}\nlog.example\n{'A' * 64}\n1\n2\n",
    f"{FIRST_LINE}\nlog.example\n{'a' * 64}\n01\n2\n", f"{FIRST_LINE}\nlog.example\n{'a' * 64}\n3\n2\n", f"{FIRST_LINE}\nlog.example\n{'a' * 64}\n-1\n2\n",
    f"{FIRST_LINE}\nlog example\n{'a' * 64}\n1\n2\n", f"{FIRST_LINE}\nlog.example\n{'a' * 64}\n1\n2\n3\n",
    f"{FIRST_LINE}\nlog.example\n{'a' * 64}\n1\n{'9' * 13}\n",
])  # fmt: skip
def test_malformed_ones(text: str) -> None:
    with pytest.raises(FormatError):
        SubmissionReceipt.verify(sign_note(text or "\n", [LOG]).encode(), LOG.key)


def test_too_large() -> None:
    with pytest.raises(FormatError, match="more than"):
        SubmissionReceipt.verify(bytes(1 << 17), LOG.key)


def seen(subject: bytes, entry: Entry | None, at: int | None, origin: str = "log.example") -> VerifiedLatest:
    return VerifiedLatest(subject, entry, None if entry is None else 0, VerifiedCheckpoint(Checkpoint(origin, 9, bytes(32)), at, ()))


def test_a_log_that_did_not_publish_in_time_is_convicted(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path / "ledger", Clock())
    BOARD.join(ledger)
    first = Entry.parse(BOARD.status_list(ledger, "one").entry)
    receipt = SubmissionReceipt("log.example", first.digest, 1000, 2000)
    about = first.subject
    assert receipt.is_broken_by(first, seen(about, None, 2001))
    assert receipt.is_broken_by(first, seen(about, replace(first, time=7), 2001))
    # In time, still in time, of unknown time, of another log, kept, superseded: nobody is convicted.
    undecided = [seen(about, None, 2000), seen(about, None, None), seen(about, None, 2001, "other.example")]
    for latest in (*undecided, seen(about, first, 2001), seen(about, replace(first, seq=1), 2001)):
        assert not receipt.is_broken_by(first, latest)
    assert not receipt.is_broken_by(ENTRY, seen(ENTRY.subject, None, 2001))
    ledger.close()


def test_what_is_proved_of_another_subject_convicts_nobody() -> None:
    assert RECEIPT.is_broken_by(ENTRY, seen(ENTRY.subject, None, 2001))
    for other in (seen(bytes(32), None, 2001), seen(bytes(32), replace(ENTRY, subject=bytes(32)), 2001)):
        assert not RECEIPT.is_broken_by(ENTRY, other)
