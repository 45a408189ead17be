"""What a ledger hosts follows from what was logged: whose document stands at a URL, and which documents do not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from did_health.did.methods import webvh
from did_health.ledger.entry import Kind, subject_of
from did_health.ledger.log import prepare
from did_health.stores.embedded import EmbeddedLedger
from tests.conftest import repeatable_bytes
from tests.ledger_parties import START, Board, Clock, new_ledger

DID_LOG, DID_WEB = "https://nc.example/.well-known/did.jsonl", "https://nc.example/.well-known/did.json"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[EmbeddedLedger]:
    ledger = new_ledger(tmp_path / "ledger", Clock())
    yield ledger
    ledger.close()


@pytest.fixture
def board(ledger: EmbeddedLedger) -> Board:
    return Board("nc.example", repeatable_bytes("board")).join(ledger)


def hosted(ledger: EmbeddedLedger, url: str) -> bytes | None:
    ledger.host()
    return ledger._store.document(url)


def log_line(ledger: EmbeddedLedger, board: Board, log: webvh.Log) -> None:
    """The newest line of the board's DID log, signed with the key that was committed to."""
    previous = ledger.latest(board.subject)
    assert previous is not None
    signer = board.next_key
    author = signer.public_key.multikey
    ledger.submit([prepare(Kind.DID, board.subject, log.lines[-1], author=author, signer=signer, now=START, previous=previous)])


def test_a_did_has_its_log_and_the_parallel_document_at_its_place(ledger: EmbeddedLedger, board: Board) -> None:
    assert hosted(ledger, DID_LOG) == board.log.encode()
    document = json.loads(hosted(ledger, DID_WEB) or b"")
    assert document["id"] == "did:web:nc.example"
    assert board.did in document["alsoKnownAs"]
    assert ledger.hosts("nc.example")


def test_a_later_line_replaces_both(ledger: EmbeddedLedger, board: Board) -> None:
    assert hosted(ledger, DID_LOG) is not None
    rotated, _ = board.rotated()
    log_line(ledger, board, rotated)
    assert hosted(ledger, DID_LOG) == rotated.encode()


def test_a_deactivated_did_keeps_its_log_and_loses_the_document(ledger: EmbeddedLedger, board: Board) -> None:
    assert hosted(ledger, DID_WEB) is not None
    gone = webvh.deactivate(board.log, signer=board.next_key, now=START)
    log_line(ledger, board, gone)
    assert hosted(ledger, DID_LOG) == gone.encode()
    assert ledger._store.document(DID_WEB) is None


def test_a_document_without_a_parallel_one_is_hosted_as_its_log_alone(ledger: EmbeddedLedger) -> None:
    board = Board("nc.example", repeatable_bytes("odd"))
    board.log = webvh.create(
        board.host,
        lambda did: {**board._document(did), "alsoKnownAs": "no list"},
        update_keys=[board.update_key.public_key.multikey],
        signer=board.update_key,
        next_key_hashes=[webvh.next_key_hash(board.next_key.public_key.multikey)],
        now=START,
    )
    board.join(ledger)
    assert hosted(ledger, DID_LOG) == board.log.encode()
    assert ledger._store.document(DID_WEB) is None


@pytest.mark.parametrize("in_one_batch", [False, True])
def test_a_url_stays_with_the_did_that_was_logged_for_it_first(ledger: EmbeddedLedger, in_one_batch: bool) -> None:
    first, second = (Board("nc.example", repeatable_bytes(name)) for name in ("first", "second"))
    lines = [first.first_line(), second.first_line()]
    for batch in [lines] if in_one_batch else [[line] for line in lines]:
        ledger.submit(batch)
        assert hosted(ledger, DID_LOG) == first.log.encode()


@pytest.mark.parametrize("there", [b"{}\n", b"no JSON", b'{"parameters": []}', b'{"parameters": {}}'])
def test_what_an_operator_published_at_the_url_is_not_replaced(ledger: EmbeddedLedger, there: bytes) -> None:
    ledger.publish(DID_LOG, there)
    Board("nc.example", repeatable_bytes("board")).join(ledger)
    assert hosted(ledger, DID_LOG) == there


def test_a_list_is_hosted_at_its_url_in_its_newest_form(ledger: EmbeddedLedger, board: Board) -> None:
    for text in ("first", "second"):
        submission = board.status_list(ledger, text)
        ledger.submit([submission])
        assert hosted(ledger, "https://nc.example/status/1") == submission.content


@pytest.mark.parametrize("name", ["did.jsonl", "did.json", "a/did-witness.json", "list?version=1", "list#part"])
def test_a_list_at_an_unfit_url_is_on_the_ledger_and_not_hosted(ledger: EmbeddedLedger, board: Board, name: str) -> None:
    url = f"https://nc.example/lists/{name}"
    ledger.submit([board.status_list(ledger, url=url)])
    assert hosted(ledger, url) is None
    assert ledger.latest(subject_of(Kind.STATUS_LIST, url)) is not None


def test_what_is_not_published_is_not_hosted(ledger: EmbeddedLedger, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hosted(ledger, DID_LOG) == board.log.encode()
    through = ledger._store.hosted_through()
    rotated, _ = board.rotated()
    publish: Callable[..., object] = ledger._publish_pending
    calls: list[object] = []

    def interrupted(now: object) -> object:
        calls.append(now)
        # Before the batch, and then instead of publishing it.
        if len(calls) > 1:
            raise RuntimeError("killed")
        return publish(now)

    monkeypatch.setattr(ledger, "_publish_pending", interrupted)
    with pytest.raises(RuntimeError, match="killed"):
        log_line(ledger, board, rotated)
    assert hosted(ledger, DID_LOG) == board.log.encode()
    assert ledger._store.hosted_through() == through
    monkeypatch.undo()
    ledger.submit([board.status_list(ledger)])
    assert hosted(ledger, DID_LOG) == rotated.encode()


def test_many_entries_are_gone_through_in_parts(ledger: EmbeddedLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("did_health.stores.hosting._AT_ONCE", 2)
    boards = [Board(f"{number}.example", repeatable_bytes(str(number))) for number in range(5)]
    ledger.submit([board.first_line() for board in boards])
    ledger.host()
    for board in boards:
        assert ledger._store.document(board.log.did.log_url) == board.log.encode()
    assert ledger._store.hosted_through() == 6
