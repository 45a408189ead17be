"""An audit of leaves that are at hand; over HTTP see ``test_cli_ledger_remote``."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from did_health.errors import VerificationError
from did_health.ledger.audit import Audit, AuditedLog
from did_health.ledger.entry import Entry, Kind
from did_health.tlog.checkpoint import Checkpoint
from tests.any_log import AnyLog, handle
from tests.conftest import repeatable_bytes
from tests.ledger_parties import Board, Clock, new_ledger
from tests.mirror_parties import add, batch, new_log


def audited(log: AnyLog, *, authors: bool = True, documents: bool = True) -> AuditedLog:
    known = {hashlib.sha256(handle(number)).digest(): handle(number) for number in range(20)}
    audit = Audit(log.signer.name, log.signer.key.public_key, authors=authors)  # type: ignore[arg-type]
    for leaf in log.leaves:
        audit.add(leaf, known.get(Entry.parse(leaf).content) if documents else None)
    return audit.finish(Checkpoint(log.signer.name, len(log.leaves), log.tree.root()))


def refused(log: AnyLog, **options: bool) -> tuple[str, str]:
    with pytest.raises(VerificationError) as error:
        audited(log, **options)
    return error.value.code, error.value.where


def two_batches() -> AnyLog:
    log = new_log()
    batch(log, 1, 2)
    batch(log, 3)
    return log


def test_what_is_counted() -> None:
    log = two_batches()
    found = audited(log)
    assert (dict(found.kinds), found.documents, found.authors_judged) == ({"revocation": 3, "map-head": 2}, 3, True)
    assert found.head is not None
    assert found.head.head.count == 3


def test_a_document_is_needed_where_authors_are_judged() -> None:
    assert refused(two_batches(), documents=False) == ("log_damaged", "entry 0")
    found = audited(two_batches(), documents=False, authors=False)
    assert (found.documents, found.authors_judged) == (0, False)


def test_an_empty_log() -> None:
    found = audited(new_log())
    assert (dict(found.kinds), found.head) == ({}, None)


def test_a_log_that_does_not_end_with_a_head() -> None:
    log = two_batches()
    add(log, 4)
    assert refused(log) == ("map_head_missing", "entry 5")


def test_a_checkpoint_of_something_else() -> None:
    log = two_batches()
    for point in (Checkpoint("other.example", 5, log.tree.root()), Checkpoint("log.example", 5, bytes(32)), Checkpoint("log.example", 4, log.tree.root())):
        audit = Audit("log.example", log.signer.key.public_key, authors=False)  # type: ignore[arg-type]
        for leaf in log.leaves:
            audit.add(leaf, None)
        with pytest.raises(VerificationError) as error:
            audit.finish(point)
        assert error.value.code == "log_damaged"


def test_a_log_that_never_closes_a_batch_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("did_health.ledger.audit._MOST_WITHOUT_HEAD", 3)
    log = new_log()
    add(log, 1, 2, 3, 4)
    assert refused(log)[0] == "map_head_missing"


def test_a_document_that_is_another() -> None:
    log = two_batches()
    audit = Audit("log.example", log.signer.key.public_key, authors=False)  # type: ignore[arg-type]
    audit.add(log.leaves[0], b"else")
    with pytest.raises(VerificationError, match="not the one that was logged"):
        audit.finish(Checkpoint("log.example", 1, bytes(32)))


def test_boards_are_entitled_by_their_own_logs(tmp_path: Path) -> None:
    """A DID that began, a list, and the list again: each judged by what came before it."""
    ledger = new_ledger(tmp_path / "ledger", Clock())
    board = Board("board.example", repeatable_bytes("board")).join(ledger)
    for text in ("one", "two"):
        ledger.submit([board.status_list(ledger, text)])
    audit = Audit("ledger.example", ledger._signer.key.public_key, authors=True)  # type: ignore[arg-type]
    leaves = ledger._store.entry_data(0, ledger.size)
    for leaf in leaves:
        audit.add(leaf, ledger._store.content(Entry.parse(leaf).content))
    found = audit.finish(Checkpoint("ledger.example", ledger.size, audit.tree.root()))
    assert found.kinds[Kind.STATUS_LIST] == 2
    # Without its first entry the board is nobody.
    audit = Audit("ledger.example", ledger._signer.key.public_key, authors=True)  # type: ignore[arg-type]
    audit.add(leaves[2], ledger._store.content(Entry.parse(leaves[2]).content))
    with pytest.raises(VerificationError) as error:
        audit.add(leaves[3], None)
    assert (error.value.code, error.value.where) == ("author_unknown", "entry 0 key 7")
    ledger.close()
