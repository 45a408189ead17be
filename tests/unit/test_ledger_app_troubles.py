"""A ledger service whose witnesses, writer or store fail, or whose callers come all at once: each is told how its entries stand, and none is lost."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from did_health.errors import ConflictError, StoreError, TransportError
from did_health.keys import Algorithm, signer_from_secret
from did_health.ledger.entry import Entry
from did_health.ledger.log import Submission
from did_health.ledger.submission_format import parse_logged, parse_receipts
from did_health.ledger.submission_receipt import SubmissionReceipt
from did_health.ledger.witness import Witness
from did_health.net.remote_ledger import AwaitingPublication
from did_health.stores.embedded import EmbeddedLedger
from did_health.tlog.note import Signature, SignedNote, VerifierKey
from did_health.tlog.witness_protocol import AddCheckpoint, WitnessState
from tests.conftest import repeatable_bytes
from tests.ledger_parties import START, Board
from tests.ledger_service import Service, ledger_service, problem_of


@pytest.fixture
def board(service: Service) -> Board:
    return Board("board.example", repeatable_bytes("board")).join(service.ledger)


def other_document(board: Board, service: Service) -> Submission:
    """One that is refused."""
    return replace(board.status_list(service.ledger), content=b"{}")


# ---- many at once


def test_concurrent_submitters_share_batches_and_the_bad_ones_spoil_nothing(service: Service, board: Board) -> None:
    boards = [Board(f"b{number}.example", repeatable_bytes(f"b{number}")) for number in range(8)]
    size = service.ledger.size
    together = threading.Barrier(16)

    def join(number: int) -> httpx.Response:
        together.wait()
        if number % 2:
            return service.post([other_document(board, service)])
        return service.post([boards[number // 2].first_line()])

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(join, range(16)))
    assert [answer.status_code for answer in answers] == [200, 422] * 8
    assert all(service.ledger.latest(one.subject) for one in boards)
    # Eight entries, and fewer map heads than entries: they shared batches.
    assert 8 < service.ledger.size - size < 16


def test_the_same_entry_from_many_at_once_is_logged_once(service: Service, board: Board) -> None:
    submission = board.status_list(service.ledger)
    size = service.ledger.size
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: service.post([submission]), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert service.ledger.size == size + 2
    assert len({parse_logged(answer.content, [submission.entry])[0].index for answer in answers}) == 1


# ---- trouble


class Moody:
    """A witness that answers while it is in the mood."""

    def __init__(self, name: str) -> None:
        self.answers = True
        self._known: dict[str, list[VerifierKey]] = {}
        self._states: dict[str, WitnessState] = {}
        self._witness = Witness(name, signer_from_secret(Algorithm.ED25519, name.encode().ljust(32)), self, self._known)
        self.key = self._witness.key

    def read(self, origin: str) -> WitnessState:
        return self._states.get(origin, WitnessState())

    def swap(self, origin: str, old: WitnessState, new: WitnessState) -> None:
        self._states[origin] = new

    def follow(self, ledger: EmbeddedLedger) -> None:
        self._known[ledger.origin] = [VerifierKey.parse(ledger.vkey)]

    def latest(self, origin: str) -> WitnessState:
        return self.read(origin)

    def add_checkpoint(self, request: AddCheckpoint, *, now: datetime) -> Signature:
        if not self.answers:
            raise TransportError("out for the night")
        return self._witness.add_checkpoint(request, now=now)


def test_without_a_quorum_receipts_promise_what_later_is_kept(tmp_path: Path) -> None:
    witnesses = [Moody(f"w{number}") for number in range(3)]
    with ledger_service(tmp_path / "ledger", cosigners=witnesses, quorum=2, heartbeat_seconds=0.1) as service:
        for witness in witnesses:
            witness.follow(service.ledger)
        remote = service.remote()
        board = Board("board.example", repeatable_bytes("board")).join(remote)
        for witness in witnesses[:2]:
            witness.answers = False
        submission, other = board.status_list(remote, "one"), Board("other.example", repeatable_bytes("other")).first_line()
        answer = service.post([submission])
        assert answer.status_code == 202
        (receipt,) = parse_receipts(answer.content, 1)
        entry = Entry.parse(submission.entry)
        promise = SubmissionReceipt.verify(receipt, VerifierKey.parse(service.ledger.vkey), entry)
        assert promise.deadline > promise.time == int(START.timestamp())
        with pytest.raises(AwaitingPublication) as waiting:
            remote.submit([submission])
        assert waiting.value.deadline == promise.deadline
        # Nothing else is taken meanwhile, and nothing of it written.
        document = problem_of(service.post([other]), 503, "quorum_not_met")
        assert "w0" not in document["detail"]
        with pytest.raises(StoreError) as refused:
            remote.submit([other])
        assert refused.value.code == "quorum_not_met"
        for witness in witnesses:
            witness.answers = True
        # The heartbeat publishes it, without anybody asking.
        for _ in range(200):
            newest = remote.latest(entry.subject)
            if newest is not None:
                break
            threading.Event().wait(0.05)
        assert newest is not None
        assert newest.entry == submission.entry
        (logged,) = remote.submit([submission])
        assert logged.index == newest.index
        assert next(line["code"] for line in service.lines if line["event"] in ("batch", "heartbeat")) == "quorum_not_met"
        remote.close()


def test_refusals_keep_no_heartbeat_back(tmp_path: Path) -> None:
    with ledger_service(tmp_path / "ledger", heartbeat_seconds=0.05) as service:
        board = Board("board.example", repeatable_bytes("board")).join(service.ledger)
        bad = other_document(board, service)
        service.clock.move(hours=1)
        for _ in range(200):
            problem_of(service.post([bad]), 422, "entry_content_mismatch")
            if service.policy.check(service_note(service)).timestamp == int(service.clock().timestamp()):
                return
        pytest.fail("no heartbeat came")


def test_heartbeats_keep_a_quiet_log_fresh(tmp_path: Path) -> None:
    with ledger_service(tmp_path / "ledger", heartbeat_seconds=0.05) as service:
        Board("board.example", repeatable_bytes("board")).join(service.ledger)
        service.clock.move(hours=1)
        for _ in range(200):
            if service.policy.check(service_note(service)).timestamp == int(service.clock().timestamp()):
                break
            threading.Event().wait(0.02)
        assert service.policy.check(service_note(service)).timestamp == int(service.clock().timestamp())
        assert 'heartbeats_total{outcome="cosigned"}' in service.get("metrics").text


def service_note(service: Service) -> SignedNote:
    return SignedNote.parse(service.get("checkpoint").content)


def test_a_batch_that_takes_too_long_is_told_so_and_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ledger_service(tmp_path / "ledger", wait_seconds=0.2) as service:
        board = Board("board.example", repeatable_bytes("board"))
        begun, go_on = threading.Event(), threading.Event()
        submit = EmbeddedLedger.submit_groups

        def slow(self: EmbeddedLedger, groups: Any) -> Any:
            begun.set()
            go_on.wait(10)
            return submit(self, groups)

        monkeypatch.setattr(EmbeddedLedger, "submit_groups", slow)
        problem_of(service.post([board.first_line()]), 503, "submission_waiting")
        # The writer is busy with it, so the next one is taken back.
        problem_of(service.post([Board("other.example", repeatable_bytes("o")).first_line()]), 503, "ledger_busy")
        go_on.set()
        for _ in range(200):
            if service.ledger.size:
                break
            threading.Event().wait(0.02)
        assert service.post([board.first_line()]).status_code == 200
        assert service.ledger.size == 2


def test_another_writer_is_waited_for(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    submit = EmbeddedLedger.submit_groups
    outcomes = iter([ConflictError("another writer", code="ledger_conflict")])

    def contested(self: EmbeddedLedger, groups: Any) -> Any:
        if error := next(outcomes, None):
            raise error
        return submit(self, groups)

    monkeypatch.setattr(EmbeddedLedger, "submit_groups", contested)
    assert service.post([Board("board.example", repeatable_bytes("board")).first_line()]).status_code == 200


@pytest.mark.parametrize(("error", "status", "code"), [
    (StoreError("a secret path", where="/secret", code="store_full"), 503, "store_full"),
    (ConflictError("another writer", code="ledger_conflict"), 409, "ledger_conflict"),
    (RuntimeError("a secret"), 500, None),
])  # fmt: skip
def test_a_ledger_that_fails_tells_nothing_of_itself_and_goes_on(
    service: Service, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str | None
) -> None:
    def failing(self: EmbeddedLedger, groups: Any) -> Any:
        raise error

    board = Board("board.example", repeatable_bytes("board"))
    with monkeypatch.context() as patched:
        patched.setattr(EmbeddedLedger, "submit_groups", failing)
        answer = service.post([board.first_line()])
    assert (answer.status_code, answer.json().get("code")) == (status, code)
    assert "secret" not in answer.text
    assert service.post([board.first_line()]).status_code == 200


def test_hosting_that_fails_is_made_up_for(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(self: EmbeddedLedger) -> None:
        raise StoreError("full", code="store_full")

    board = Board("board.example", repeatable_bytes("board"))
    with monkeypatch.context() as patched:
        patched.setattr(EmbeddedLedger, "host", failing)
        assert service.post([board.first_line()]).status_code == 200
    assert service.get("hosted/board.example/.well-known/did.jsonl").status_code == 421
    service.post([Board("other.example", repeatable_bytes("o")).first_line()])
    assert service.get("hosted/board.example/.well-known/did.jsonl").content == board.log.encode()


def test_after_its_end_nothing_is_taken(tmp_path: Path) -> None:
    with ledger_service(tmp_path / "ledger") as service:
        service.sequencing.__exit__()
        problem_of(service.post([Board("board.example", repeatable_bytes("board")).first_line()]), 503, "ledger_busy")
        service.sequencing._thread = threading.Thread()
        service.sequencing._thread.start()
