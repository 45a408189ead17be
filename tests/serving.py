"""Real servers on the loopback, for tests of what speaks HTTP: an ASGI app in a thread, or a socket that says what a test wants."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from did_health.services import run as run_module

HOST = "127.0.0.1"


@contextmanager
def serving(app: Any, **options: Any) -> Iterator[str]:
    """Serve an ASGI app, with ``options`` of uvicorn; gives its base URL, without a slash at the end."""
    listener = socket.create_server((HOST, 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1, **options))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.005)
        yield f"http://{HOST}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@contextmanager
def answering(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """Accept connections one after the other and let ``talk`` say what it wants on each; gives ``host:port``."""
    listener = socket.create_server((HOST, 0))

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(5)
                talk(connection)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"{HOST}:{listener.getsockname()[1]}"
    finally:
        # Closing alone does not wake a thread that waits in accept.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def canned(response: bytes) -> Callable[[socket.socket], None]:
    """A ``talk`` that reads a request and answers with these bytes."""

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(response)

    return talk


def while_serving(monkeypatch: pytest.MonkeyPatch, ask: Callable[[int, int | None], None], listeners: int = 2) -> threading.Thread:
    """Call ``ask`` with the ports, of HTTP and of HTTPS if it is served, and end the process's service then."""
    servers: list[Any] = []
    make = run_module._Server.__init__

    def kept(self: Any, *arguments: Any) -> None:
        make(self, *arguments)
        servers.append(self)

    def port(server: Any) -> int:
        return int(server.servers[0].sockets[0].getsockname()[1])

    def run() -> None:
        try:
            while len(servers) < listeners or not all(server.started for server in servers):
                time.sleep(0.01)
            ask(port(servers[-1]), port(servers[0]) if len(servers) > 1 else None)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(run_module._Server, "__init__", kept)
    thread = threading.Thread(target=run)
    thread.start()
    return thread
