"""The parts that services share: metrics, rates, logs, sockets."""

from __future__ import annotations

import io
import json
import logging
import socket
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from did_health.errors import EdgeError
from did_health.limits import MAX_RATED_CLIENTS
from did_health.services import run
from did_health.services.json_log import JSONLog
from did_health.services.metrics import Metrics
from did_health.services.operation import service_app
from did_health.services.rate_limit import RateLimit, client_of
from did_health.services.run import address_of, listening, serve
from did_health.services.setting_values import Address
from tests.serving import serving


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


# ---- rates


def test_a_client_may_ask_so_often_and_again_after_the_wait() -> None:
    clock = Clock()
    limit = RateLimit(6, clock)
    assert [limit.wait_seconds("a") for _ in range(8)] == [0, 0, 0, 0, 0, 0, 10, 10]
    assert limit.wait_seconds("b") == 0
    clock.seconds += 9
    assert limit.wait_seconds("a") == 1
    clock.seconds += 1
    assert (limit.wait_seconds("a"), limit.wait_seconds("a")) == (0, 10)
    clock.seconds += 100_000
    assert [limit.wait_seconds("a") for _ in range(7)] == [0] * 6 + [10]


def test_only_so_many_clients_are_remembered_and_the_silent_are_forgotten() -> None:
    limit = RateLimit(1, Clock())
    limit.wait_seconds("loud")
    limit.wait_seconds("silent")
    for number in range(MAX_RATED_CLIENTS - 1):
        limit.wait_seconds(f"client {number}")
        assert limit.wait_seconds("loud") > 0
    assert len(limit._buckets) == MAX_RATED_CLIENTS
    assert limit.wait_seconds("silent") == 0


@pytest.mark.parametrize(("address", "client"), [
    ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("2001:db8:1:2::", "2001:db8:1:2::/64"),
    ("", ""), ("testclient", ""),
])  # fmt: skip
def test_who_a_client_is(address: str, client: str) -> None:
    assert client_of(address) == client


# ---- metrics


def test_metrics_are_written_as_openmetrics() -> None:
    metrics = Metrics("x")
    metrics.counter("things", 'What "is" counted\nhere.')
    metrics.gauge("depth", "How deep.", lambda: {(("log", 'a"\\\n'),): 3, (): 1.5})
    metrics.durations("work_seconds", "How long.")
    metrics.count("things")
    metrics.count("things", kind="a")
    metrics.count("things", kind="a")
    for seconds in (0.001, 0.3, 99.0):
        metrics.observe("work_seconds", seconds)
    lines = metrics.text().decode().split("\n")
    assert lines[:4] == [
        "# TYPE did_health_x_things counter", '# HELP did_health_x_things What \\"is\\" counted\\nhere.',
        "did_health_x_things_total 1", 'did_health_x_things_total{kind="a"} 2',
    ]  # fmt: skip
    assert 'did_health_x_depth{log="a\\"\\\\\\n"} 3' in lines
    assert "did_health_x_depth 1.5" in lines
    buckets = [line for line in lines if "_bucket" in line]
    assert buckets[0] == 'did_health_x_work_seconds_bucket{le="0.005"} 1'
    assert buckets[-2:] == ['did_health_x_work_seconds_bucket{le="10.0"} 2', 'did_health_x_work_seconds_bucket{le="+Inf"} 3']
    assert "did_health_x_work_seconds_count 3" in lines
    assert "did_health_x_work_seconds_sum 99.301000" in lines
    assert lines[-2:] == ["# EOF", ""]


# ---- logs


def test_a_log_is_one_json_object_a_line() -> None:
    stream = io.StringIO()
    log = JSONLog("x", stream, clock=lambda: datetime(2026, 3, 1, tzinfo=UTC))
    log.write("started", address="a\nb")
    assert json.loads(stream.getvalue()) == {"time": "2026-03-01T00:00:00Z", "level": "info", "service": "x", "event": "started", "address": "a\nb"}
    assert stream.getvalue().count("\n") == 1


def test_failures_are_told_without_their_words() -> None:
    stream = io.StringIO()
    log = JSONLog("x", stream)
    log.capture("some.server")
    try:
        raise ValueError("a secret")
    except ValueError as error:
        log.failure("broken", error)
        logging.getLogger("some.server").exception("while working")
    logging.getLogger("some.server").warning("request %s refused", "a secret")
    logging.getLogger("some.server").info("a secret")
    first, second, third = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (first["event"], first["level"], first["error"]) == ("broken", "error", "ValueError")
    assert "test_failures_are_told" in first["frames"][0]
    assert (second["event"], second["error"]) == ("server", "ValueError")
    assert (third["message"], third["level"]) == ("request %s refused", "warning")
    assert "secret" not in stream.getvalue()


def test_a_log_that_cannot_be_written_stops_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    stream.close()
    JSONLog("x", stream).write("started")
    JSONLog("x").write("started")
    assert json.loads(capsys.readouterr().err)["event"] == "started"


# ---- serving


def test_a_port_that_is_taken() -> None:
    with listening(Address("127.0.0.1", 0)) as first:
        taken = address_of(first)
        assert taken.port
        with pytest.raises(EdgeError) as caught:
            listening(taken)
    assert (caught.value.code, caught.value.where) == ("cannot_listen", str(taken))
    with pytest.raises(EdgeError):
        listening(Address("name.invalid", 0))


@pytest.mark.skipif(not socket.has_ipv6, reason="there is no IPv6 here")
def test_ipv6_addresses() -> None:
    try:
        listener = listening(Address("::1", 0))
    except EdgeError:
        pytest.skip("the loopback has no IPv6 address")
    with listener:
        assert str(address_of(listener)).startswith("[::1]:")


@pytest.mark.parametrize(("trusted", "client"), [((), "127.0.0.1"), (("192.0.2.1",), "127.0.0.1"), (("127.0.0.1",), "192.0.2.7")])
def test_a_forwarded_address_is_believed_only_from_a_named_proxy(monkeypatch: pytest.MonkeyPatch, trusted: tuple[str, ...], client: str) -> None:
    async def who(request: Request) -> Response:
        return Response(request.client.host if request.client else "")

    servers: list[run._Server] = []
    started = threading.Event()
    startup = run._Server.startup

    async def kept(self: run._Server, sockets: list[socket.socket] | None = None) -> None:
        servers.append(self)
        await startup(self, sockets)

    monkeypatch.setattr(run._Server, "startup", kept)
    listener = listening(Address("127.0.0.1", 0))
    log, url = JSONLog("x", io.StringIO()), f"http://{address_of(listener)}"
    app = Starlette(routes=[Route("/", who)])
    thread = threading.Thread(target=lambda: serve(app, listener, log=log, started=started.set, trusted_proxies=trusted))
    thread.start()
    assert started.wait(10)
    answer = httpx.get(url, headers={"X-Forwarded-For": "192.0.2.7"}, trust_env=False)
    servers[0].should_exit = True
    thread.join(10)
    assert answer.text == client
    assert "server" not in answer.headers


def test_an_app_that_does_not_start() -> None:
    async def app(scope: dict[str, object], receive: object, send: object) -> None:
        raise RuntimeError("a secret")

    stream = io.StringIO()
    with pytest.raises(EdgeError) as caught:
        serve(app, listening(Address("127.0.0.1", 0)), log=JSONLog("x", stream), started=pytest.fail)  # type: ignore[arg-type]
    assert caught.value.code == "not_started"
    assert "secret" not in stream.getvalue()


def test_an_answer_that_breaks_off_is_logged_and_not_begun_again() -> None:
    async def breaking(_request: Request) -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"begun"
            raise RuntimeError("a secret")

        return StreamingResponse(chunks())

    stream = io.StringIO()
    app = service_app([Route("/broken", breaking)], ready=lambda: None, metrics=Metrics("x"), log=JSONLog("x", stream), limit=RateLimit(9))
    with serving(app) as url, pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{url}/broken", trust_env=False)
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], line.get("route"), line.get("status")) for line in events] == [("unforeseen", "/broken", None), ("request", "/broken", 200)]
    assert "secret" not in stream.getvalue()


def test_other_protocols_than_http_go_by(capsys: pytest.CaptureFixture[str]) -> None:
    app = service_app([], ready=lambda: None, metrics=Metrics("x"), log=JSONLog("x"), limit=RateLimit(1))
    sent: list[str] = []

    async def lifespan() -> None:
        messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

        async def receive() -> dict[str, str]:
            return next(messages)

        async def send(message: dict[str, str]) -> None:
            sent.append(message["type"])

        await app({"type": "lifespan"}, receive, send)  # type: ignore[arg-type]

    anyio.run(lifespan)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert capsys.readouterr().err == ""
