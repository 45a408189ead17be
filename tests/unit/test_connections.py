"""What the server answers before any app is asked is a problem like every other: what is no HTTP, one connection too many, and one too slow."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from did_health.limits import MAX_REQUEST_HEAD_BYTES
from did_health.services import connections
from did_health.services.connections import Connection
from tests.serving import HOST, serving


async def slow(request: Request) -> PlainTextResponse:
    """Answers when it has the whole body, and no sooner than after 0.6 seconds."""
    await asyncio.sleep(0.6)
    return PlainTextResponse(f"{len(await request.body())} bytes")


@pytest.fixture
def port() -> Iterator[int]:
    app = Starlette(routes=[Route("/", lambda _request: PlainTextResponse("well")), Route("/slow", slow, methods=["POST"])])
    with serving(app, http=Connection, h11_max_incomplete_event_size=MAX_REQUEST_HEAD_BYTES) as url:
        yield int(url.rpartition(":")[2])


def answer(connection: socket.socket) -> tuple[bytes, dict[str, str], dict[str, Any]]:
    """Status line, headers and JSON body of an answer after which the server closes the connection."""
    data = b""
    while part := connection.recv(65_536):
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    assert headers["content-type"] == "application/problem+json"
    assert int(headers["content-length"]) == len(body)
    assert (headers["connection"].lower(), headers["cache-control"]) == ("close", "no-store")
    return status.encode(), headers, json.loads(body)


@pytest.mark.parametrize(
    "request_bytes",
    [b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nX-Long: " + b"x" * MAX_REQUEST_HEAD_BYTES],
    ids=["TLS", "no path", "no host", "endless head"],
)
def test_what_is_no_http_is_told_so_and_nothing_more(port: int, request_bytes: bytes) -> None:
    with socket.create_connection((HOST, port), timeout=10) as connection:
        connection.sendall(request_bytes)
        status, _, problem = answer(connection)
    assert status == b"HTTP/1.1 400 Bad Request"
    assert problem == {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "The request is not HTTP/1.1, or its head is too long"}


def test_one_connection_too_many_is_told_to_come_back_and_the_others_go_on(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_SERVICE_CONNECTIONS", 2)
    ask = b"GET / HTTP/1.1\r\nHost: w.example\r\n\r\n"
    with ExitStack() as stack:
        first, second, third = (stack.enter_context(socket.create_connection((HOST, port), timeout=10)) for _ in range(3))
        for connection in (first, second):
            connection.sendall(ask)
            assert connection.recv(1_000).startswith(b"HTTP/1.1 200 OK")
        third.sendall(ask)
        status, headers, problem = answer(third)
        assert status == b"HTTP/1.1 503 Service Unavailable"
        assert headers["retry-after"] == "5"
        assert problem["detail"] == "Too many connections are open"
        first.sendall(ask)
        assert first.recv(1_000).startswith(b"HTTP/1.1 200 OK")
    monkeypatch.undo()
    assert httpx.get(f"http://{HOST}:{port}/", trust_env=False).text == "well"


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_HEAD_SECONDS", 0.3)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("parts", [[], [b"GET / HT"], [b"GET / HTTP/1.1\r\n", *[b"X-A: b\r\n"] * 100]], ids=["nothing", "half a line", "dribbles"])
def test_a_request_that_does_not_come_is_not_waited_for(port: int, parts: list[bytes]) -> None:
    with socket.create_connection((HOST, port), timeout=10) as connection:
        begun = time.monotonic()
        dribble(connection, parts)
        status, _, problem = answer(connection)
    assert time.monotonic() - begun < 5
    assert status.startswith(b"HTTP/1.1 408 ")
    assert (problem["status"], problem["detail"]) == (408, "The request took too long to arrive")


@pytest.mark.usefixtures("hurried")
def test_the_next_request_and_a_body_that_nobody_reads_are_not_waited_for_either(port: int) -> None:
    ask = b"GET / HTTP/1.1\r\nHost: w.example\r\n"
    with socket.create_connection((HOST, port), timeout=10) as connection:
        connection.sendall(ask + b"\r\n")
        assert connection.recv(1_000).startswith(b"HTTP/1.1 200 OK")
        connection.sendall(ask)
        assert answer(connection)[0].startswith(b"HTTP/1.1 408 ")
    with socket.create_connection((HOST, port), timeout=10) as connection:
        connection.sendall(ask + b"Content-Length: 1000000\r\n\r\n")
        assert connection.recv(1_000).startswith(b"HTTP/1.1 200 OK")
        begun = time.monotonic()
        dribble(connection, [b"x"] * 100)
        # It has its answer; there is no second one.
        assert all(not part for part in iter(lambda: ended(connection), b""))
    assert time.monotonic() - begun < 5


@pytest.mark.usefixtures("hurried")
def test_who_is_being_answered_is_given_the_time_it_takes(port: int) -> None:
    with socket.create_connection((HOST, port), timeout=10) as connection:
        connection.sendall(b"POST /slow HTTP/1.1\r\nHost: w.example\r\nContent-Length: 2\r\n\r\nx")
        time.sleep(0.4)
        connection.sendall(b"y")
        assert connection.recv(1_000).endswith(b"2 bytes")
        # And waiting for the next one is the matter of another timer.
        time.sleep(0.5)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: w.example\r\n\r\n")
        assert connection.recv(1_000).endswith(b"well")


def test_a_body_that_goes_wrong_is_one_fault_and_no_failure_of_the_service(port: int, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_connection((HOST, port), timeout=10) as connection, caplog.at_level(logging.ERROR):
        connection.sendall(b"POST / HTTP/1.1\r\nHost: w.example\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n\r\n")
        status, _, problem = answer(connection)
        # The app answers at the same time.
        time.sleep(0.2)
    assert status == b"HTTP/1.1 400 Bad Request"
    assert problem["status"] == 400
    assert caplog.records == []


def dribble(connection: socket.socket, parts: list[bytes]) -> None:
    for part in parts:
        try:
            connection.sendall(part)
        except OSError:
            return
        time.sleep(0.02)


def ended(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1_000)
    except ConnectionResetError:
        return b""
