"""What the server answers before any app is asked is a problem like every other: what is no HTTP, and one connection too many."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from did_health.limits import MAX_REQUEST_HEAD_BYTES
from did_health.services import connections
from did_health.services.connections import Connection
from tests.serving import HOST, serving


@pytest.fixture
def port() -> Iterator[int]:
    app = Starlette(routes=[Route("/", lambda _request: PlainTextResponse("well"))])
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
