"""The ledger service over real HTTP on the loopback: what it takes, what it refuses, and that a refusal writes nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from did_health.encoding import cbor
from did_health.errors import ConflictError, EdgeError, FormatError, StoreError, TransportError, UnsupportedError, VerificationError
from did_health.keys import Algorithm, signer_from_secret
from did_health.ledger.entry import Entry, Kind, subject_of
from did_health.ledger.latest import LatestBundle
from did_health.ledger.log import Submission, prepare
from did_health.ledger.map_head import head_subject
from did_health.ledger.submission_format import MEDIA_TYPE, encode_request, parse_logged, parse_receipts
from did_health.ledger.submission_receipt import SubmissionReceipt
from did_health.ledger.witness import Witness
from did_health.limits import MAX_DOCUMENT_BYTES, MAX_SUBMISSION_BYTES, MAX_SUBMISSIONS
from did_health.net.remote_ledger import AwaitingPublication, RemoteLedger
from did_health.roles.evidence import Need
from did_health.stores.embedded import EmbeddedLedger
from did_health.tlog.note import Signature, SignedNote, VerifierKey
from did_health.tlog.tiles import parse_bundle
from did_health.tlog.witness_policy import PolicyLog, WitnessPolicy
from did_health.tlog.witness_protocol import AddCheckpoint, WitnessState
from tests.conftest import repeatable_bytes
from tests.ledger_parties import START, Board
from tests.ledger_service import ORIGIN, Service, ledger_service
from tests.serving import HOST, answering, canned


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with ledger_service(tmp_path / "ledger") as running:
        yield running


@pytest.fixture
def remote(service: Service) -> Iterator[RemoteLedger]:
    ledger = service.remote()
    yield ledger
    ledger.close()


@pytest.fixture
def board(service: Service) -> Board:
    return Board("board.example", repeatable_bytes("board")).join(service.ledger)


def problem_of(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert (answer.status_code, document["status"], document.get("code")) == (status, status, code), document
    assert "Traceback" not in answer.text
    return document


# ---- what is taken


def test_entries_are_logged_with_proofs_and_the_same_again_gives_the_same(service: Service, board: Board) -> None:
    submissions = [board.status_list(service.ledger, "one")]
    first = service.post(submissions)
    assert (first.status_code, first.headers["content-type"], first.headers["cache-control"]) == (200, MEDIA_TYPE, "no-store")
    (logged,) = parse_logged(first.content, [submissions[0].entry])
    checkpoint = service.policy.check(logged.proof.checkpoint).checkpoint
    logged.proof.verify_inclusion(logged.entry, checkpoint)
    size = service.ledger.size
    again = service.post(submissions)
    assert again.status_code == 200
    assert parse_logged(again.content, [submissions[0].entry])[0].index == logged.index
    assert service.ledger.size == size == checkpoint.size


def test_what_is_read_is_what_c2sp_says_with_headers_for_caches(service: Service, board: Board) -> None:
    subject = board.subject
    size = service.ledger.size
    kept = {
        "checkpoint": ("text/plain; charset=utf-8", "public, max-age=5"),
        f"tile/0/000.p/{size}": ("application/octet-stream", "public, max-age=31536000, immutable"),
        f"tile/entries/000.p/{size}": ("application/octet-stream", "public, max-age=31536000, immutable"),
        f"latest/{subject.hex()}": ("application/cbor", "public, max-age=5"),
    }
    for path, (media_type, caching) in kept.items():
        answer = service.get(path)
        assert (answer.status_code, answer.headers["content-type"], answer.headers["cache-control"]) == (200, media_type, caching), path
    entries = parse_bundle(service.get(f"tile/entries/000.p/{size}").content)
    entry = Entry.parse(entries[0])
    content = service.get(f"content/{entry.content.hex()}")
    assert content.content == board.log.lines[0]
    assert content.headers["cache-control"].endswith("immutable")
    absent = LatestBundle.parse(service.get(f"latest/{'0' * 64}").content)
    assert absent.verify(bytes(32), service.policy).entry is None
    assert service.get("checkpoint", **{"If-None-Match": service.get("checkpoint").headers["etag"]}).status_code == 304
    for path in ("tile/0/001", "tile/x", f"content/{'0' * 64}", "latest/zz", "nothing", "entries"):
        assert service.get(path).status_code == 404, path


def test_a_ledger_below_a_path(tmp_path: Path) -> None:
    with ledger_service(tmp_path / "ledger", path="/log") as service:
        remote = service.remote()
        board = Board("board.example", repeatable_bytes("board")).join(remote)
        assert remote.latest(board.subject) is not None
        assert service.get("checkpoint").status_code == 200
        assert httpx.get(service.base.removesuffix("/log") + "/checkpoint", trust_env=False).status_code == 404
        remote.close()


def test_health_readiness_and_metrics(service: Service, board: Board) -> None:
    service.post(b"garbage")
    assert service.get("healthz").json() == {"status": "ok"}
    assert service.get("readyz").json() == {"status": "ready"}
    service.post([board.status_list(service.ledger)])
    text = service.get("metrics").text
    for line in ('refusals_total{status="400"} 1', "entries_total 1", "batches_total 1", f"size {service.ledger.size}", "waiting 0"):
        assert f"did_health_ledger_{line}\n" in text
    assert 'route="/entries"' in text


# ---- what is refused


def changed(submission: Submission, **changes: Any) -> Submission:
    return Submission(changes.get("entry", submission.entry), changes.get("content", submission.content))


def of_kind(kind: Kind, subject: bytes, content: bytes) -> Callable[[Board, Service], Submission]:
    return lambda board, service: board.signed(kind, subject, content, service.ledger)


def unknown_author(_: Board, service: Service) -> Submission:
    return Board("other.example", repeatable_bytes("other")).status_list(service.ledger)


def wrong_key(board: Board, service: Service) -> Submission:
    other = signer_from_secret(Algorithm.ED25519, b"o" * 32)
    content = b'{"id":"https://board.example/status/1","issuer":"%b"}' % board.did.encode()
    return board.signed(Kind.STATUS_LIST, subject_of(Kind.STATUS_LIST, "https://board.example/status/1"), content, service.ledger, signer=other)


def replayed_with_other_content(board: Board, service: Service) -> Submission:
    first = board.status_list(service.ledger, "one")
    second = board.status_list(service.ledger, "two")
    service.ledger.submit([first])
    return second


def too_early(board: Board, service: Service) -> Submission:
    first = board.status_list(service.ledger, "one")
    parsed = Entry.parse(first.entry)
    later = Entry.create(
        kind=parsed.kind, subject=parsed.subject, content=parsed.content, author=board.author, now=START, signer=board.issuing_key, previous=parsed
    )
    return Submission(later.encode(), first.content)


def elsewhere(board: Board, service: Service) -> Submission:
    return board.status_list(service.ledger, url="https://other.example/status/1")


def registry(board: Board, service: Service) -> Submission:
    content = b'{"issuer":"%b"}' % board.did.encode()
    return board.signed(Kind.REGISTRY_RECORD, bytes(32), content, service.ledger)


def other_content(board: Board, service: Service) -> Submission:
    return changed(board.status_list(service.ledger), content=b"{}")


def broken_entry(board: Board, service: Service) -> Submission:
    return changed(board.status_list(service.ledger), entry=b"\xa0")


def other_version(board: Board, service: Service) -> Submission:
    members = cbor.loads(board.status_list(service.ledger).entry)
    return changed(board.status_list(service.ledger), entry=cbor.dumps({**members, 1: 2}))


def large_content(board: Board, service: Service) -> Submission:
    return changed(board.status_list(service.ledger), content=bytes(MAX_DOCUMENT_BYTES + 1))


def large_entry(board: Board, service: Service) -> Submission:
    return changed(board.status_list(service.ledger), entry=bytes(65_536))


def unsigned(board: Board, service: Service) -> Submission:
    members = cbor.loads(board.status_list(service.ledger).entry)
    return changed(board.status_list(service.ledger), entry=cbor.dumps({**members, 9: bytes(64)}))


def content_that_is_no_line(board: Board, _: Service) -> Submission:
    key = board.update_key
    return prepare(Kind.DID, bytes(32), b"{}", author=key.public_key.multikey, signer=key, now=START)


BAD: list[tuple[Callable[[Board, Service], Submission], int, str, type[Exception]]] = [
    (unknown_author, 403, "author_unknown", VerificationError),
    (elsewhere, 403, "author_not_entitled", VerificationError),
    (registry, 403, "author_not_entitled", VerificationError),
    (wrong_key, 403, "entry_signature_invalid", VerificationError),
    (unsigned, 403, "entry_signature_invalid", VerificationError),
    (of_kind(Kind.MAP_HEAD, head_subject(ORIGIN), b"{}"), 403, "map_head_reserved", VerificationError),
    (of_kind(Kind.MAP_HEAD, bytes(32), b"{}"), 403, "map_head_reserved", VerificationError),
    (replayed_with_other_content, 409, "entry_superseded", ConflictError),
    (too_early, 409, "entry_out_of_order", VerificationError),
    (other_content, 422, "entry_content_mismatch", VerificationError),
    (content_that_is_no_line, 400, "malformed", FormatError),
    (of_kind(Kind.STATUS_LIST, bytes(32), b"[]"), 400, "malformed", FormatError),
    (broken_entry, 400, "malformed", FormatError),
    (other_version, 400, "unsupported", UnsupportedError),
    (large_content, 413, "submission_too_large", FormatError),
    (large_entry, 413, "submission_too_large", FormatError),
]


@pytest.mark.parametrize(("make", "status", "code", "kind"), BAD, ids=[f"{number}-{one[2]}" for number, one in enumerate(BAD)])
def test_a_refusal_writes_nothing_and_reaches_a_remote_party_as_the_same_error(
    service: Service, board: Board, remote: RemoteLedger, make: Callable[[Board, Service], Submission], status: int, code: str, kind: type[Exception]
) -> None:
    bad = make(board, service)
    size = service.ledger.size
    problem_of(service.post([bad]), status, code)
    with pytest.raises(kind) as refused:
        remote.submit([bad])
    assert getattr(refused.value, "code", "") == code
    assert type(refused.value) is kind
    # All of a group or nothing of it.
    problem_of(service.post([board.batch(service.ledger, [b"d" * 32])[1], bad]), status, code)
    assert service.ledger.size == size


@pytest.mark.parametrize(("body", "status", "code"), [
    (b"", 400, "malformed"),
    (b"garbage", 400, "malformed"),
    (b'{"entries":[]}', 400, "malformed"),
    (cbor.dumps({1: 1, 2: []}), 400, "malformed"),
    (cbor.dumps({1: 1, 2: [[b"a"]]}), 400, "malformed"),
    (cbor.dumps({1: 1, 2: [[b"a", "b"]]}), 400, "malformed"),
    (cbor.dumps({1: 1, 2: {}}), 400, "malformed"),
    (cbor.dumps({1: 1, 2: [], 3: 0}), 400, "malformed"),
    (cbor.dumps({1: 1}), 400, "malformed"),
    (cbor.dumps({1: "1", 2: []}), 400, "malformed"),
    (cbor.dumps({1: 2, 2: []}), 400, "unsupported"),
    (cbor.dumps({1: 1, 2: [[b"", b""]] * (MAX_SUBMISSIONS + 1)}), 413, "submission_too_large"),
])  # fmt: skip
def test_bodies_that_are_no_submission(service: Service, body: bytes, status: int, code: str) -> None:
    problem_of(service.post(body), status, code)
    assert service.ledger.size == 0


def test_bodies_that_are_too_large_compressed_or_of_another_type(service: Service) -> None:
    assert service.post(bytes(MAX_SUBMISSION_BYTES + 1)).status_code == 413
    assert service.post(b"", **{"Content-Encoding": "gzip"}).status_code == 415
    assert service.post(b"", **{"Content-Type": "application/json"}).status_code == 415
    assert httpx.put(f"{service.base}/entries", trust_env=False).status_code == 405
    assert service.ledger.size == 0


def test_too_much_is_refused_before_it_is_sent() -> None:
    with pytest.raises(FormatError, match="more than"):
        encode_request([Submission(b"", b"")] * (MAX_SUBMISSIONS + 1))
    with pytest.raises(FormatError, match="more than"):
        encode_request([Submission(b"", bytes(MAX_DOCUMENT_BYTES))] * 4)


def test_an_author_who_writes_too_much_is_429(service: Service, board: Board, remote: RemoteLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("did_health.ledger.admission.MAX_AUTHOR_ENTRIES_PER_HOUR", 0)
    answer = service.post([board.status_list(service.ledger)])
    problem_of(answer, 429, "rate_exceeded")
    assert answer.headers["retry-after"] == "60"
    with pytest.raises(VerificationError) as refused:
        remote.submit([board.status_list(service.ledger)])
    assert refused.value.code == "rate_exceeded"


def test_a_client_that_asks_too_often_is_429(tmp_path: Path) -> None:
    with ledger_service(tmp_path / "ledger", per_minute=1) as service:
        service.get("checkpoint")
        assert service.post(b"").status_code == 429
        remote = service.remote()
        with pytest.raises(TransportError, match="429"):
            remote.latest(bytes(32))
        remote.close()


# ---- many at once


def test_concurrent_submitters_share_batches_and_the_bad_ones_spoil_nothing(service: Service, board: Board) -> None:
    boards = [Board(f"b{number}.example", repeatable_bytes(f"b{number}")) for number in range(8)]
    size = service.ledger.size
    together = threading.Barrier(16)

    def join(number: int) -> httpx.Response:
        together.wait()
        if number % 2:
            return service.post([other_content(board, service)])
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
        bad = other_content(board, service)
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


# ---- a ledger that lies or fails, seen from elsewhere


def lying(remote_url: str, service: Service) -> RemoteLedger:
    return RemoteLedger(remote_url, service.policy, allow_hosts=[HOST], clock=service.clock)


def response(status: int, body: bytes, media_type: str = MEDIA_TYPE) -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Type: %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (status, media_type.encode(), len(body), body)


@pytest.mark.parametrize(("status", "body", "kind"), [
    (200, b"garbage", TransportError),
    (200, cbor.dumps({1: 1, 2: b"", 3: []}), TransportError),
    (200, cbor.dumps({1: 1, 2: b"a\n\n\xe2\x80\x94 a AAAAAAA=\n", 3: [[0, b"x"]]}), TransportError),
    (200, cbor.dumps({1: 1, 2: b"a\n\n\xe2\x80\x94 a AAAAAAA=\n", 3: [[0]]}), TransportError),
    (200, cbor.dumps({1: 2}), TransportError),
    (202, cbor.dumps({1: 1, 2: []}), TransportError),
    (202, cbor.dumps({1: 1, 2: [b"garbage"]}), TransportError),
    (404, b"", TransportError),
    (500, b"{}", TransportError),
])  # fmt: skip
def test_answers_that_are_of_no_use(service: Service, status: int, body: bytes, kind: type[EdgeError]) -> None:
    with answering(canned(response(status, body))) as place:
        remote = lying(f"http://{place}", service)
        with pytest.raises(kind):
            remote.submit([Board("board.example", repeatable_bytes("board")).first_line()])
        remote.close()


def test_a_proof_of_something_else_is_refused(service: Service, board: Board) -> None:
    first = board.status_list(service.ledger, "one")
    answer = service.post([first]).content
    second = board.status_list(service.ledger, "two")
    with answering(canned(response(200, answer))) as place:
        remote = lying(f"http://{place}", service)
        with pytest.raises(VerificationError) as refused:
            remote.submit([second])
        assert refused.value.code == "inclusion_proof_invalid"
        remote.close()


def test_a_log_may_not_shrink(service: Service, board: Board) -> None:
    old = service.get(f"latest/{board.subject.hex()}").content
    service.post([board.status_list(service.ledger)])
    answers = iter([service.get(f"latest/{board.subject.hex()}").content, old])
    with answering(lambda connection: canned(response(200, next(answers)))(connection)) as place:
        remote = lying(f"http://{place}", service)
        assert remote.latest(board.subject) is not None
        with pytest.raises(StoreError) as refused:
            remote.latest(board.subject)
        assert refused.value.code == "ledger_rolled_back"
        remote.close()


def test_a_log_that_was_seen_may_not_fall_silent(service: Service, board: Board) -> None:
    newest = service.get(f"latest/{board.subject.hex()}").content
    answers = iter([response(404, b""), response(200, newest), response(404, b""), response(200, b"x"), response(503, b"")])
    with answering(lambda connection: canned(next(answers))(connection)) as place:
        remote = lying(f"http://{place}", service)
        assert remote.latest(board.subject) is None
        assert remote.latest(board.subject) is not None
        for _ in range(3):
            with pytest.raises(TransportError):
                remote.latest(board.subject)
        remote.close()


def test_what_a_remote_ledger_fetches(service: Service, board: Board, remote: RemoteLedger) -> None:
    service.ledger.host()
    assert remote.fetch(Need(f"{service.base}/checkpoint")) == service.get("checkpoint").content
    assert remote.fetch(Need(f"{service.base}/content/{'0' * 64}")) is None
    assert remote.fetch(Need("https://board.example/nothing")) is None
    for url in ("https://elsewhere.example/did.jsonl", "http://board.example/x", "https://board.example"):
        with pytest.raises(TransportError) as refused:
            remote.fetch(Need(url))
        assert refused.value.code == "host_unknown"
    remote.publish(board.log.did.log_url, board.log.encode())
    for url, content in ((board.log.did.log_url, b"another"), ("https://board.example/nothing", b""), ("https://elsewhere.example/x", b"")):
        with pytest.raises(StoreError) as missing:
            remote.publish(url, content)
        assert missing.value.code == "not_hosted"
    assert (remote.origin, remote.vkey) == (ORIGIN, service.ledger.vkey)


def test_the_policy_has_to_say_which_log_is_meant(service: Service) -> None:
    key = service.policy.logs[0].key
    other = VerifierKey("c", key.type, signer_from_secret(Algorithm.ED25519, b"c" * 32).public_key.raw)
    logs = (PolicyLog(key, "https://b.example"), PolicyLog(other, "https://c.example"))
    assert RemoteLedger("https://b.example/", WitnessPolicy(logs)).origin == key.name
    with pytest.raises(ValueError, match="which log"):
        RemoteLedger("https://a.example", WitnessPolicy(logs))
