"""The ledger service over real HTTP on the loopback: what it takes, what it refuses, and that a refusal writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from did_health.encoding import cbor
from did_health.errors import ConflictError, FormatError, TransportError, UnsupportedError, VerificationError
from did_health.keys import Algorithm, signer_from_secret
from did_health.ledger.entry import Entry, Kind, subject_of
from did_health.ledger.latest import LatestBundle
from did_health.ledger.log import Submission, prepare
from did_health.ledger.map_head import head_subject
from did_health.ledger.submission_format import MEDIA_TYPE, encode_request, parse_logged
from did_health.limits import MAX_DOCUMENT_BYTES, MAX_SUBMISSION_BYTES, MAX_SUBMISSIONS
from did_health.net.remote_ledger import RemoteLedger
from did_health.tlog.tiles import parse_bundle
from tests.conftest import repeatable_bytes
from tests.ledger_parties import START, Board
from tests.ledger_service import ORIGIN, Service, ledger_service, problem_of


@pytest.fixture
def board(service: Service) -> Board:
    return Board("board.example", repeatable_bytes("board")).join(service.ledger)


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
