"""The witness service over real HTTP on the loopback."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from did_health.errors import ConflictError, StoreError
from did_health.limits import MAX_ADD_CHECKPOINT_BYTES
from did_health.services import request_body
from did_health.stores import files
from did_health.tlog.checkpoint import Checkpoint
from did_health.tlog.cosignature import verified_cosignatures
from did_health.tlog.note import Signature, SignedNote, VerifierKey
from did_health.tlog.witness_protocol import AddCheckpoint, WitnessState, monitoring_path, parse_cosignatures
from tests.conftest import shared
from tests.witness_parties import LOG, NOW, ORIGIN, OTHER, STRANGER, TREE, Running, open_witness, request, running

MONITORING = monitoring_path(ORIGIN)


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Running]:
    directory = open_witness(tmp_path / "w")
    with running(directory) as served:
        yield served
    directory.close()


def post(witness: Running, asked: AddCheckpoint | bytes, **headers: str) -> httpx.Response:
    body = asked if isinstance(asked, bytes) else asked.encode()
    return httpx.post(f"{witness.url}/add-checkpoint", content=body, headers=headers, trust_env=False)


def get(witness: Running, path: str) -> httpx.Response:
    return httpx.get(f"{witness.url}/{path}", trust_env=False)


def is_problem(answer: httpx.Response, status: int) -> bool:
    document = answer.json()
    return answer.status_code == document["status"] == status and answer.headers["content-type"] == "application/problem+json" and bool(document["detail"])


# ---- add-checkpoint


def test_a_growing_log_is_cosigned_and_the_memory_is_written_before_the_answer(witness: Running) -> None:
    for old, new in ((0, 1), (1, 7), (7, 7), (7, 40)):
        asked = request(old, new)
        answer = post(witness, asked)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
        note = asked.note.with_signatures(parse_cosignatures(answer.content))
        assert verified_cosignatures(note, [witness.directory.witness.key]) == {witness.directory.witness.key: int(NOW.timestamp())}
        assert witness.directory.state(ORIGIN) == WitnessState(new, TREE.root(new))


def test_the_nine_requests_of_another_witness_in_order(tmp_path: Path) -> None:
    """The set answers 403 to an unknown log; tlog-witness v1.0.0 says 404."""
    vectors = json.loads(shared("vectors", "tlog", "witness-add-checkpoint.json").read_text("utf-8"))
    directory = open_witness(tmp_path / "w", name="example.com/witness", logs=[VerifierKey.parse(vectors["log"]["vkey"])])
    with running(directory) as witness:
        for step in vectors["steps"]:
            answer = post(witness, step["requestBody"].encode())
            assert answer.status_code == (404 if step["body"] == "unknown log" else step["status"])
            if step["bodyAssert"] == "==":
                assert (answer.text, answer.headers["content-type"]) == (step["body"], "text/x.tlog.size")
            else:
                assert step["body"] in answer.text
    assert len(vectors["steps"]) == 9
    assert directory.state(vectors["log"]["origin"]).size == 5
    directory.close()


@pytest.mark.parametrize(("asked", "status"), [
    (request(0, 5, origin="elsewhere.example"), 404),
    (request(0, 5, signer=STRANGER), 403),
    (request(9, 8), 400),
    (AddCheckpoint(7, TREE.consistency_proof(7, 9)[:-1], request(7, 9).note), 422),
    (AddCheckpoint(7, OTHER.consistency_proof(7, 9), request(7, 9, OTHER).note), 422),
], ids=["unknown_log", "untrusted_signature", "old_size_above_new", "short_proof", "split_view"])
def test_refusals_are_plain_text_and_change_nothing(witness: Running, asked: AddCheckpoint, status: int) -> None:
    assert post(witness, request(0, 7)).status_code == 200
    answer = post(witness, asked)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/plain; charset=utf-8")
    assert answer.text.endswith("\n")
    assert witness.directory.state(ORIGIN) == WitnessState(7, TREE.root(7))


@pytest.mark.parametrize("asked", [request(0, 9), request(3, 9), request(7, 7, OTHER)], ids=["from_nothing", "from_an_old_size", "other_root_of_the_size"])
def test_conflicts_name_the_recorded_size(witness: Running, asked: AddCheckpoint) -> None:
    post(witness, request(0, 7))
    answer = post(witness, asked)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (409, b"7\n", "text/x.tlog.size")


@pytest.mark.parametrize("body", [
    b"", b"\n", b"old 0", b"old 00\n\n", b"old -1\n\n", b"old 0\r\n\r\n", b"new 0\n\n", b"old 0\n" + b"A" * 43 + b"=\n" * 64 + b"\n", b"\xff\xfe", b"{}",
    request(0, 5).encode()[:-1], request(0, 5).encode().replace(b"\n", b"\r\n"), request(0, 5).encode().replace(b"\n5\n", b"\n05\n"),
])  # fmt: skip
def test_garbage_is_400(witness: Running, body: bytes) -> None:
    answer = post(witness, body)
    assert answer.status_code == 400
    assert "Traceback" not in answer.text


def test_a_signature_that_is_spelt_wrongly_is_403(witness: Running) -> None:
    assert post(witness, request(0, 5).encode()[:-3] + b"!=\n").status_code == 403


@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream", "application/json", "multipart/form-data; boundary=x", "nonsense"])
def test_the_content_type_of_a_request_does_not_matter_for_c2sp_names_none(witness: Running, kind: str) -> None:
    assert post(witness, request(0, 5), **{"Content-Type": kind}).status_code == 200


def test_a_compressed_body_is_415(witness: Running) -> None:
    assert is_problem(post(witness, request(0, 5), **{"Content-Encoding": "gzip"}), 415)


def test_a_body_that_is_too_large_is_413(witness: Running) -> None:
    assert post(witness, bytes(MAX_ADD_CHECKPOINT_BYTES)).status_code == 400
    assert is_problem(post(witness, bytes(MAX_ADD_CHECKPOINT_BYTES + 1)), 413)
    assert witness.directory.state(ORIGIN).size == 0


def test_a_body_that_does_not_say_how_large_it_is_is_bounded_too(witness: Running) -> None:
    chunks = (bytes(8192) for _ in range(MAX_ADD_CHECKPOINT_BYTES // 8192 + 2))
    assert is_problem(httpx.post(f"{witness.url}/add-checkpoint", content=chunks, trust_env=False), 413)
    assert get(witness, "healthz").status_code == 200


def raw(witness: Running, data: bytes) -> bytes:
    place = urlsplit(witness.url)
    with socket.create_connection((str(place.hostname), place.port or 0), timeout=5) as connection:
        connection.sendall(data)
        return connection.recv(65536)


def test_an_absurd_length_is_413(witness: Running) -> None:
    answer = raw(witness, b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 99999999999\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_body_that_never_comes_is_408(witness: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body.read_body, "__kwdefaults__", {"seconds": 0.05})
    answer = raw(witness, b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 10\r\n\r\nold")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"application/problem+json" in answer


def test_a_client_that_leaves_does_no_harm(witness: Running) -> None:
    place = urlsplit(witness.url)
    with socket.create_connection((str(place.hostname), place.port or 0)) as connection:
        connection.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 10\r\n\r\nold")
    assert get(witness, "healthz").status_code == 200


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "add-checkpoint", 405), ("PUT", "add-checkpoint", 405), ("POST", MONITORING, 405), ("GET", "", 404), ("GET", "add-checkpoint/", 404),
    ("POST", "elsewhere/add-checkpoint", 404), ("GET", "0/checkpoint", 404), ("GET", f"{'A' * 64}/checkpoint", 404), ("GET", f"{'0' * 64}/checkpoint", 404),
    ("GET", "..%2f..%2fw/checkpoint", 404), ("DELETE", "healthz", 405),
])  # fmt: skip
def test_other_methods_and_paths_are_problems(witness: Running, method: str, path: str, status: int) -> None:
    assert is_problem(httpx.request(method, f"{witness.url}/{path}", trust_env=False), status)


def test_two_checkpoints_of_one_size_at_once_and_only_one_is_cosigned(tmp_path: Path) -> None:
    for attempt in range(5):
        directory = open_witness(tmp_path / f"w{attempt}")
        with running(directory) as witness, ThreadPoolExecutor(8) as threads:
            together = threading.Barrier(8)

            def ask(number: int, witness: Running = witness, together: threading.Barrier = together) -> httpx.Response:
                together.wait()
                return post(witness, request(0, 9, OTHER if number % 2 else TREE))

            answers = list(threads.map(ask, range(8)))
            assert [answer.status_code for answer in answers].count(200) == 1
            refused = [answer for answer in answers if answer.status_code != 200]
            assert {(answer.status_code, answer.content) for answer in refused} == {(409, b"9\n")}
            winner = TREE if answers.index(next(one for one in answers if one.status_code == 200)) % 2 == 0 else OTHER
            assert directory.state(ORIGIN) == WitnessState(9, winner.root(9))
        directory.close()


def test_growth_asked_for_at_once_never_rolls_back(witness: Running) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda size: post(witness, request(0, size)), range(1, 9)))
    (cosigned,) = [size for size, answer in enumerate(answers, 1) if answer.status_code == 200]
    assert {answer.content for answer in answers if answer.status_code == 409} == {b"%d\n" % cosigned}
    assert witness.directory.state(ORIGIN).size == cosigned


def test_what_it_cosigned_stays_refused_after_a_restart(tmp_path: Path) -> None:
    directory = open_witness(tmp_path / "w")
    with running(directory) as witness:
        assert post(witness, request(0, 9)).status_code == 200
    directory.close()
    directory = open_witness(tmp_path / "w")
    with running(directory) as witness:
        assert post(witness, request(0, 8, OTHER)).status_code == 409
        assert post(witness, request(9, 9, OTHER)).status_code == 409
        assert post(witness, request(9, 9)).status_code == 200
    directory.close()


# ---- monitoring


def test_monitors_see_the_latest_checkpoint_with_both_signatures(witness: Running) -> None:
    assert get(witness, MONITORING).status_code == 404
    for old, new in ((0, 3), (3, 9)):
        post(witness, request(old, new))
        answer = get(witness, MONITORING)
        assert (answer.status_code, answer.headers["content-type"], answer.headers["cache-control"]) == (200, "text/plain; charset=utf-8", "no-store")
        note = SignedNote.parse(answer.content)
        assert Checkpoint.parse(note.text) == Checkpoint(ORIGIN, new, TREE.root(new))
        assert [line.name for line in note.signatures] == [ORIGIN, "w.example"]
        assert verified_cosignatures(note, [witness.directory.witness.key])
    assert f"{sha256(ORIGIN.encode()).hexdigest()}/checkpoint" == MONITORING


def test_monitors_are_shown_no_lines_of_strangers(witness: Running) -> None:
    asked = request(0, 3)
    advertisement = Signature("buy.example", b"1234", b"something")
    post(witness, AddCheckpoint(0, (), asked.note.with_signatures([advertisement])))
    assert "buy.example" not in get(witness, MONITORING).text


def test_a_cosignature_is_given_although_it_cannot_be_shown(witness: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreError("there is no room to write", code="store_full")

    monkeypatch.setattr(files, "write_atomically", full)
    assert post(witness, request(0, 3)).status_code == 200
    assert witness.directory.state(ORIGIN).size == 3
    assert "monitoring" in [line["event"] for line in witness.lines]


# ---- trouble


class Failing:
    """A store that raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise self.error


@pytest.mark.parametrize("error", [StoreError("the disk failed"), ConflictError("another process is writing", code="store_locked")])
def test_a_store_that_fails_is_503_with_nothing_of_its_words(witness: Running, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(type(witness.directory.witness), "add_checkpoint", Failing(error))
    answer = post(witness, request(0, 3))
    assert is_problem(answer, 503)
    assert answer.headers["retry-after"] == "5"
    assert str(error) not in answer.text
    assert str(error) in [line.get("what") for line in witness.lines]


def test_a_conflict_that_does_not_end_is_503(witness: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(witness.directory._store), "swap", Failing(ConflictError("the witness has cosigned another checkpoint meanwhile")))
    assert is_problem(post(witness, request(0, 3)), 503)


def test_a_conflict_with_another_process_is_decided_anew(witness: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    swap = type(witness.directory._store).swap
    outcomes = iter([ConflictError("the witness has cosigned another checkpoint of this log meanwhile")])

    def contested(self: Any, *arguments: Any) -> None:
        if error := next(outcomes, None):
            raise error
        swap(self, *arguments)

    monkeypatch.setattr(type(witness.directory._store), "swap", contested)
    assert post(witness, request(0, 3)).status_code == 200


def test_what_nobody_foresaw_is_500_without_a_trace_and_the_service_goes_on(witness: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(type(witness.directory.witness), "add_checkpoint", Failing(RuntimeError("a secret")))
        answer = post(witness, request(0, 3))
    assert is_problem(answer, 500)
    assert "secret" not in answer.text
    assert "Error" not in answer.json()["detail"]
    assert post(witness, request(0, 3)).status_code == 200
    (line,) = [line for line in witness.lines if line["event"] == "unforeseen"]
    assert (line["error"], line["route"]) == ("RuntimeError", "/add-checkpoint")
    assert "secret" not in json.dumps(line)


# ---- operation


def test_health_and_readiness(witness: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    assert get(witness, "healthz").json() == {"status": "ok"}
    assert get(witness, "readyz").json() == {"status": "ready"}
    monkeypatch.setattr(witness.directory._database, "read", Failing(StoreError("the disk failed")))
    assert is_problem(get(witness, "readyz"), 503)
    assert get(witness, "healthz").status_code == 200
    assert "log_size{" not in get(witness, "metrics").text


def test_metrics_count_what_happened(witness: Running) -> None:
    post(witness, request(0, 3))
    post(witness, request(0, 4))
    post(witness, b"garbage")
    answer = get(witness, "metrics")
    assert answer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert answer.text.endswith("\n# EOF\n")
    assert f'did_health_witness_cosignatures_total{{log="{ORIGIN}"}} 1\n' in answer.text
    assert 'did_health_witness_refusals_total{status="409"} 1\n' in answer.text
    assert f'did_health_witness_log_size{{log="{ORIGIN}"}} 3\n' in answer.text
    assert 'did_health_witness_requests_total{method="POST",route="/add-checkpoint",status="400"} 1\n' in answer.text
    assert re.search(r'request_seconds_count\{route="/add-checkpoint"\} 3\n', answer.text)


def test_the_log_has_a_line_for_each_request_and_nothing_that_a_client_sent(witness: Running) -> None:
    post(witness, b"old 0 a secret body", Authorization="Bearer a-secret-token")
    httpx.get(f"{witness.url}/a-secret-path?q=a-secret-query", trust_env=False)
    get(witness, MONITORING)
    raw(witness, b"SECRET /healthz HTTP/1.1\r\nHost: w\r\n\r\n")
    # The line is written after the answer was sent.
    seen = [(line["method"], line["route"], line["status"]) for line in until(witness, 3) if line["event"] == "request"]
    assert seen[:3] == [("POST", "/add-checkpoint", 400), ("GET", "-", 404), ("GET", "/{log}/checkpoint", 404)]
    assert "secret" not in json.dumps(witness.lines).lower()
    assert all(set(line) == {"time", "level", "service", "event", "method", "route", "status", "ms"} for line in witness.lines if line["event"] == "request")


def until(witness: Running, lines: int) -> list[dict[str, Any]]:
    for _ in range(200):
        if len(witness.lines) >= lines:
            break
        threading.Event().wait(0.01)
    return witness.lines


def test_a_client_that_asks_too_often_is_429(tmp_path: Path) -> None:
    directory = open_witness(tmp_path / "w")
    with running(directory, per_minute=2) as witness:
        statuses = [get(witness, MONITORING).status_code for _ in range(2)]
        answer = post(witness, request(0, 3))
        assert statuses == [404, 404]
        assert is_problem(answer, 429)
        assert 0 < int(answer.headers["retry-after"]) <= 30
        assert get(witness, "healthz").status_code == get(witness, "metrics").status_code == 200
        assert directory.state(ORIGIN).size == 0
    directory.close()


def test_it_answers_below_its_prefix_only(tmp_path: Path) -> None:
    directory = open_witness(tmp_path / "w")
    with running(directory, prefix="/w") as witness:
        assert post(witness, request(0, 3)).status_code == 404
        assert httpx.post(f"{witness.url}/w/add-checkpoint", content=request(0, 3).encode(), trust_env=False).status_code == 200
        assert get(witness, f"w/{MONITORING}").status_code == 200
    directory.close()


def test_a_log_may_have_two_keys(tmp_path: Path) -> None:
    directory = open_witness(tmp_path / "w", logs=[LOG.key, STRANGER.key])
    with running(directory) as witness:
        assert post(witness, request(0, 3)).status_code == 200
        assert post(witness, request(3, 5, signer=STRANGER)).status_code == 200
    directory.close()
