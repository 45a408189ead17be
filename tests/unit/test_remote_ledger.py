"""A ledger behind a URL that lies, forgets, answers with something else, or is not the one that is meant; and what is fetched from it."""

from __future__ import annotations

import pytest

from did_health.encoding import cbor
from did_health.errors import EdgeError, StoreError, TransportError, VerificationError
from did_health.keys import Algorithm, signer_from_secret
from did_health.ledger.submission_format import MEDIA_TYPE
from did_health.net.remote_ledger import RemoteLedger
from did_health.roles.evidence import Need
from did_health.tlog.note import VerifierKey
from did_health.tlog.witness_policy import PolicyLog, WitnessPolicy
from tests.conftest import repeatable_bytes
from tests.ledger_parties import Board
from tests.ledger_service import ORIGIN, Service
from tests.serving import HOST, answering, canned


@pytest.fixture
def board(service: Service) -> Board:
    return Board("board.example", repeatable_bytes("board")).join(service.ledger)


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
    with pytest.raises(StoreError):
        remote.publish_all({board.log.did.log_url: board.log.encode(), "https://board.example/nothing": b""})
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
