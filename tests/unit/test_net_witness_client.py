"""A log that asks witnesses over HTTP: real ones, and servers that answer late, wrongly, twice or never."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from did_health.errors import EdgeError, TransportError
from did_health.keys import Algorithm, signer_from_secret
from did_health.ledger.witness import ask, collect
from did_health.limits import MAX_COSIGNATURE_SKEW_SECONDS, MAX_NOTE_BYTES
from did_health.net.exchange import HTTPExchange
from did_health.net.witness_client import HTTPCosigner
from did_health.stores import files
from did_health.stores.witness_directory import WitnessDirectory
from did_health.tlog.cosignature import cosign, cosignature_time, cosigner_key, verified_cosignatures
from did_health.tlog.note import Signature
from did_health.tlog.witness_protocol import SIZE_CONTENT_TYPE, WitnessRefusal, WitnessState, encode_cosignatures
from tests.serving import HOST, answering, canned
from tests.witness_parties import LOG, NOW, ORIGIN, OTHER, STRANGER, TREE, Running, open_witness, request, running

T = TypeVar("T")
SIGNER = signer_from_secret(Algorithm.ED25519, b"w" * 32)
KEY = cosigner_key("w.example", SIGNER.public_key)
AT = int(NOW.timestamp())
COSIGNATURE = cosign(request(0, 9).note, "w.example", SIGNER, AT)


@pytest.fixture
def exchange() -> Iterator[HTTPExchange]:
    exchange = HTTPExchange([HOST], timeout_seconds=5)
    yield exchange
    exchange.close()


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Running]:
    directory = open_witness(tmp_path / "w")
    with running(directory) as served:
        yield served
    directory.close()


def cosigner_of(witness: Running, exchange: HTTPExchange, *, proves: bool = True) -> HTTPCosigner:
    return HTTPCosigner(witness.directory.witness.key, f"{witness.url}/", exchange, prove=TREE.consistency_proof if proves else None)


def answer(status: int, body: bytes, content_type: str = "text/plain") -> bytes:
    return f"HTTP/1.1 {status} Whatever\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


def conflict(size: int) -> bytes:
    return answer(409, b"%d\n" % size, SIZE_CONTENT_TYPE)


class Script:
    """Answers one request after the other with what it was given, the last one for ever; keeps what it was asked."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = answers
        self.asked: list[bytes] = []

    def __call__(self, connection: socket.socket) -> None:
        data = connection.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        if head.startswith(b"POST"):
            length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
            while len(body) < length:
                body += connection.recv(65536)
        self.asked.append(body)
        connection.sendall(self.answers[min(len(self.asked), len(self.answers)) - 1])


def talking(talk: Callable[[socket.socket], None], exchange: HTTPExchange, then: Callable[[HTTPCosigner], T], *, proves: bool = False) -> T:
    with answering(talk) as place:
        return then(HTTPCosigner(KEY, f"http://{place}", exchange, prove=TREE.consistency_proof if proves else None))


def refused(talk: Callable[[socket.socket], None], exchange: HTTPExchange, then: Callable[[HTTPCosigner], object], *, proves: bool = False) -> TransportError:
    with pytest.raises(TransportError) as caught:
        talking(talk, exchange, then, proves=proves)
    return caught.value


def adding(cosigner: HTTPCosigner) -> Signature:
    return cosigner.add_checkpoint(request(0, 9), now=NOW)


def reading(cosigner: HTTPCosigner) -> WitnessState:
    return cosigner.latest(ORIGIN)


# ---- a real witness


def test_a_witness_cosigns_and_tells_what_it_saw(witness: Running, exchange: HTTPExchange) -> None:
    cosigner = cosigner_of(witness, exchange)
    assert cosigner.latest(ORIGIN) == WitnessState()
    signature = cosigner.add_checkpoint(request(0, 9), now=NOW)
    assert verified_cosignatures(request(0, 9).note.with_signatures([signature]), [cosigner.key]) == {cosigner.key: AT}
    assert cosigner.latest(ORIGIN) == WitnessState(9, TREE.root(9))


def test_a_request_that_is_out_of_date_is_sent_again_with_a_proof_from_the_recorded_size(witness: Running, exchange: HTTPExchange) -> None:
    cosigner = cosigner_of(witness, exchange)
    cosigner.add_checkpoint(request(0, 9), now=NOW)
    for old in (0, 3, 9):
        cosigner.add_checkpoint(request(old, 20 + old), now=NOW)
        assert witness.directory.state(ORIGIN) == WitnessState(20 + old, TREE.root(20 + old))


def test_an_answer_that_was_lost_does_no_harm(witness: Running, exchange: HTTPExchange) -> None:
    cosigner = cosigner_of(witness, exchange)
    first = cosigner.add_checkpoint(request(0, 9), now=NOW)
    assert cosigner.add_checkpoint(request(0, 9), now=NOW) == first


def test_without_proofs_a_conflict_is_a_refusal(witness: Running, exchange: HTTPExchange) -> None:
    cosigner = cosigner_of(witness, exchange, proves=False)
    cosigner.add_checkpoint(request(0, 9), now=NOW)
    with pytest.raises(WitnessRefusal) as caught:
        cosigner.add_checkpoint(request(3, 12), now=NOW)
    assert (caught.value.status, caught.value.body, caught.value.content_type) == (409, "9\n", SIZE_CONTENT_TYPE)


def test_a_fork_and_an_older_size_are_refused_with_the_recorded_size(witness: Running, exchange: HTTPExchange) -> None:
    cosigner = cosigner_of(witness, exchange)
    cosigner.add_checkpoint(request(0, 9), now=NOW)
    for asked in (request(9, 9, OTHER), request(0, 9, OTHER), request(3, 8), request(0, 0)):
        with pytest.raises(WitnessRefusal) as caught:
            cosigner.add_checkpoint(asked, now=NOW)
        assert (caught.value.status, caught.value.body) == (409, "9\n")
    with pytest.raises(WitnessRefusal) as caught:
        cosigner.add_checkpoint(request(9, 12, OTHER), now=NOW)
    assert caught.value.status == 422


def test_other_refusals_carry_their_status_and_words(witness: Running, exchange: HTTPExchange) -> None:
    cosigner = cosigner_of(witness, exchange)
    for asked, status, words in ((request(0, 9, origin="x.example"), 404, "unknown log"), (request(0, 9, signer=STRANGER), 403, "invalid signature")):
        with pytest.raises(WitnessRefusal, match=words) as caught:
            cosigner.add_checkpoint(asked, now=NOW)
        assert caught.value.status == status


def test_a_log_collects_from_witnesses_in_processes_and_behind_urls(witness: Running, exchange: HTTPExchange, tmp_path: Path) -> None:
    near = open_witness(tmp_path / "near", name="near.example")
    cosigners = [cosigner_of(witness, exchange), near.witness]
    assert ask(cosigners, ORIGIN, needed=2) == {"w.example": WitnessState(), "near.example": WitnessState()}
    for size in (9, 9, 20):
        found = collect(request(0, size).note, TREE, cosigners, now=NOW)
        assert not found.failures
        assert len(verified_cosignatures(found.note, [one.key for one in cosigners])) == 2
    near.close()


def test_a_monitoring_prefix_that_lags_is_made_good_by_the_conflict(witness: Running, exchange: HTTPExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    cosigner = cosigner_of(witness, exchange)
    collect(request(0, 9).note, TREE, [cosigner], now=NOW)
    with monkeypatch.context() as patched:
        patched.setattr(files, "write_atomically", lambda *_, **__: None)
        collect(request(0, 20).note, TREE, [cosigner], now=NOW)
    assert cosigner.latest(ORIGIN).size == 9
    assert not collect(request(0, 30).note, TREE, [cosigner], now=NOW).failures
    assert witness.directory.state(ORIGIN).size == 30


def test_a_rate_limit_is_no_refusal(tmp_path: Path, exchange: HTTPExchange) -> None:
    directory = open_witness(tmp_path / "w")
    with running(directory, per_minute=1) as witness:
        cosigner = cosigner_of(witness, exchange)
        cosigner.latest(ORIGIN)
        with pytest.raises(TransportError, match="429") as caught:
            cosigner.add_checkpoint(request(0, 9), now=NOW)
        assert "busy" in caught.value.hint
    directory.close()


def test_prefixes_may_differ(tmp_path: Path, exchange: HTTPExchange) -> None:
    directory = open_witness(tmp_path / "w")
    with running(directory, prefix="/submit") as writing, running(directory, prefix="/monitor") as watching:
        cosigner = HTTPCosigner(directory.witness.key, f"{writing.url}/submit", exchange, monitoring_url=f"{watching.url}/monitor")
        adding(cosigner)
        assert reading(cosigner).size == 9
    directory.close()


# ---- never, late


def test_a_witness_that_is_not_there(exchange: HTTPExchange) -> None:
    with socket.create_server((HOST, 0)) as listener:
        place = f"{HOST}:{listener.getsockname()[1]}"
    cosigner = HTTPCosigner(KEY, f"http://{place}", exchange)
    for act in (adding, reading):
        with pytest.raises(TransportError) as caught:
            act(cosigner)
        assert caught.value.code == "no_connection"


def test_a_witness_that_never_answers_and_one_that_answers_late(tmp_path: Path) -> None:
    enough = threading.Event()

    def silent(connection: socket.socket) -> None:
        connection.recv(65536)
        enough.wait(5)

    def drop_by_drop(connection: socket.socket) -> None:
        connection.recv(65536)
        for byte in answer(200, encode_cosignatures([COSIGNATURE])):
            connection.sendall(bytes([byte]))
            if enough.wait(0.02):
                return

    for talk in (silent, drop_by_drop):
        enough.clear()
        exchange = HTTPExchange([HOST], timeout_seconds=0.3)
        try:
            assert refused(talk, exchange, lambda cosigner: (adding(cosigner), enough.set())).code == "timeout"
        finally:
            enough.set()
            exchange.close()


def test_a_private_address_is_asked_only_if_it_was_named() -> None:
    exchange = HTTPExchange()
    with pytest.raises(TransportError) as caught:
        adding(HTTPCosigner(KEY, f"https://{HOST}:1", exchange))
    assert caught.value.code == "address_refused"
    with pytest.raises(TransportError) as caught:
        adding(HTTPCosigner(KEY, "http://w.example", exchange))
    assert caught.value.code == "url_refused"


def test_a_quorum_is_had_without_those_that_fail(witness: Running, exchange: HTTPExchange) -> None:
    liar = HTTPCosigner(KEY, f"{witness.url}", exchange)
    nobody = HTTPCosigner(KEY, "https://192.0.2.1.invalid", exchange)
    found = collect(request(0, 9).note, TREE, [cosigner_of(witness, exchange), nobody], now=NOW)
    assert len(verified_cosignatures(found.note, [witness.directory.witness.key])) == 1
    assert list(found.failures) == ["w.example"]
    # The checkpoint shown there is cosigned by another key than the one expected: the witness does not answer.
    with pytest.raises(EdgeError):
        ask([liar], ORIGIN, needed=1)


# ---- wrong


def other_key() -> Signature:
    return cosign(request(0, 9).note, "w.example", signer_from_secret(Algorithm.ED25519, b"x" * 32), AT)


@pytest.mark.parametrize("body", [
    b"", b"garbage", b"\xff\n", encode_cosignatures([COSIGNATURE])[:-1], b"\n" + encode_cosignatures([COSIGNATURE]),
    encode_cosignatures([other_key()]),
    encode_cosignatures([replace(COSIGNATURE, name="v.example")]),
    encode_cosignatures([cosign(request(0, 8).note, "w.example", SIGNER, AT)]),
    encode_cosignatures([replace(COSIGNATURE, blob=COSIGNATURE.blob[:-1] + bytes([COSIGNATURE.blob[-1] ^ 1]))]),
    encode_cosignatures([replace(COSIGNATURE, blob=bytes(8) + COSIGNATURE.blob[8:])]),
    encode_cosignatures([replace(COSIGNATURE, blob=COSIGNATURE.blob[:70])]),
    encode_cosignatures([COSIGNATURE, replace(COSIGNATURE, blob=bytes(72))]),
    encode_cosignatures([cosign(request(0, 9).note, "w.example", SIGNER, AT + MAX_COSIGNATURE_SKEW_SECONDS + 1)]),
    encode_cosignatures([COSIGNATURE]) * 100,
], ids=[
    "empty", "garbage", "not_utf8", "no_newline_at_the_end", "empty_line", "another_key", "another_name", "of_another_checkpoint", "broken_signature",
    "time_zero", "too_short", "a_bad_one_beside_the_good", "of_the_future", "too_many",
])  # fmt: skip
def test_a_wrong_cosignature_is_of_no_use(exchange: HTTPExchange, body: bytes) -> None:
    assert refused(canned(answer(200, body)), exchange, adding).code == "malformed_response"


def test_an_answer_that_is_too_large_is_not_read(exchange: HTTPExchange) -> None:
    assert refused(canned(answer(200, bytes(MAX_NOTE_BYTES + 1))), exchange, adding).code == "response_too_large"


@pytest.mark.parametrize("raw", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"])
def test_what_is_no_http_or_breaks_off(exchange: HTTPExchange, raw: bytes) -> None:
    assert refused(canned(raw), exchange, adding).code == "broken_connection"


@pytest.mark.parametrize("status", [201, 204, 302, 307, 401, 418, 429, 500, 503])
def test_other_statuses_are_no_answer(exchange: HTTPExchange, status: int) -> None:
    for act in (adding, reading):
        assert refused(canned(answer(status, b"")), exchange, act).code == "unexpected_status"


@pytest.mark.parametrize("raw", [
    answer(409, b"9", SIZE_CONTENT_TYPE), answer(409, b"09\n", SIZE_CONTENT_TYPE), answer(409, b"\n", SIZE_CONTENT_TYPE), answer(409, b"9\n", "text/html"),
    answer(409, b"9" * 40 + b"\n", SIZE_CONTENT_TYPE),
])  # fmt: skip
def test_a_conflict_that_does_not_say_with_what_is_of_no_use(exchange: HTTPExchange, raw: bytes) -> None:
    assert refused(canned(raw), exchange, adding).code == "malformed_response"


def test_a_refusal_without_words_and_one_with_far_too_many(exchange: HTTPExchange) -> None:
    with pytest.raises(WitnessRefusal, match="no reason"):
        talking(canned(answer(403, b"")), exchange, adding)
    with pytest.raises(WitnessRefusal) as caught:
        talking(canned(answer(403, b"\x1b[2Jno\xff" + b"!" * 5000)), exchange, adding)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 400


# ---- twice, and again and again


def test_of_several_cosignatures_of_the_witness_the_newest_is_taken(exchange: HTTPExchange) -> None:
    later = cosign(request(0, 9).note, "w.example", SIGNER, AT + 5)
    lines = encode_cosignatures([other_key(), COSIGNATURE, later, COSIGNATURE])
    assert talking(canned(answer(200, lines)), exchange, adding) == later


def test_a_witness_that_always_has_another_size_is_given_up(exchange: HTTPExchange) -> None:
    script = Script(*[conflict(size) for size in (3, 4, 5, 6)])
    with pytest.raises(WitnessRefusal):
        talking(script, exchange, adding, proves=True)
    assert [body.split(b"\n")[0] for body in script.asked] == [b"old 0", b"old 3", b"old 4"]


def test_a_witness_that_repeats_itself_is_given_up(exchange: HTTPExchange) -> None:
    script = Script(conflict(3))
    with pytest.raises(WitnessRefusal):
        talking(script, exchange, adding, proves=True)
    assert len(script.asked) == 2


def test_a_witness_that_claims_more_than_there_is_is_not_asked_again(exchange: HTTPExchange) -> None:
    script = Script(conflict(10))
    with pytest.raises(WitnessRefusal):
        talking(script, exchange, adding, proves=True)
    assert len(script.asked) == 1


# ---- what it shows


def shown(*lines: Signature, size: int = 9, origin: str = ORIGIN) -> bytes:
    return answer(200, request(0, size, origin=origin).note.with_signatures(lines).encode())


def test_a_shown_checkpoint_is_believed_if_the_witness_cosigned_it(exchange: HTTPExchange) -> None:
    assert talking(canned(shown(COSIGNATURE)), exchange, reading) == WitnessState(9, TREE.root(9))


@pytest.mark.parametrize("raw", [
    shown(), shown(other_key()), shown(COSIGNATURE, size=8), shown(replace(COSIGNATURE, blob=bytes(72))), answer(200, b"garbage"),
    shown(cosign(request(0, 9, origin="x.example").note, "w.example", SIGNER, AT), origin="x.example"),
], ids=["not_cosigned", "another_key", "of_another_checkpoint", "broken", "garbage", "another_log"])  # fmt: skip
def test_a_shown_checkpoint_that_the_witness_did_not_cosign_is_no_answer(exchange: HTTPExchange, raw: bytes) -> None:
    assert refused(canned(raw), exchange, reading).code == "malformed_response"


@pytest.mark.parametrize("status", [404, 410])
def test_nothing_shown_is_the_empty_tree(exchange: HTTPExchange, status: int) -> None:
    assert talking(canned(answer(status, b"")), exchange, reading) == WitnessState()


def test_a_witness_has_a_cosignature_key(exchange: HTTPExchange) -> None:
    with pytest.raises(ValueError, match="0x04"):
        HTTPCosigner(LOG.key, "https://w.example", exchange)


def test_a_closed_exchange_opens_again(witness: Running, exchange: HTTPExchange) -> None:
    cosigner = cosigner_of(witness, exchange)
    adding(cosigner)
    exchange.close()
    assert reading(cosigner).size == 9


def test_cosignatures_in_the_past_are_given_as_they_are(tmp_path: Path, exchange: HTTPExchange) -> None:
    directory: WitnessDirectory = open_witness(tmp_path / "w")
    with running(directory, clock=lambda: NOW - timedelta(days=1)) as witness:
        signature = adding(cosigner_of(witness, exchange))
    assert cosignature_time(signature) == AT - 86_400
    directory.close()
