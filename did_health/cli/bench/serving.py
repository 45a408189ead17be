"""Measured: how fast a ledger's service answers with tiles, beside what the same server answers with a constant body of the same size.

The server is uvicorn in a process of its own, as ``serve ledger`` runs it, the client a few sockets on the loopback that keep it busy.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from did_health.cli.bench.measure import Ratio, in_turns, rotating
from did_health.errors import StoreError
from did_health.stores.clock import system_clock
from did_health.stores.database import Database
from did_health.stores.ledger_place import ledger_place
from did_health.stores.ledger_store import LedgerStore
from did_health.stores.log_reader import LogReader
from did_health.stores.tile_files import TileFiles
from did_health.tlog.tiles import FULL_WIDTH, Tile

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from starlette.types import ASGIApp, Receive, Scope, Send

LIMIT_TILES = 0.5
CONNECTIONS: Final = 4
TILES: Final = 512
_SECONDS: Final = 60
_CONSTANT: Final = "/constant"


def tiles(folder: Path, url: str, size: int) -> list[Ratio]:
    """The ratio of a ledger in ``folder`` with ``size`` leaves; nothing where the ``server`` extra is not installed, or no tile is full."""
    full = size // FULL_WIDTH
    if not full or find_spec("uvicorn") is None:
        return []
    prefix = urlsplit(url).path
    paths = [f"{prefix}/{Tile(0, number * full // min(full, TILES), FULL_WIDTH).path}" for number in range(min(full, TILES))]
    with _serving(folder, url) as port, ExitStack() as stack:
        connections = [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=_SECONDS)) for _ in range(CONNECTIONS)]
        # Whatever is asked for first is read from its file.
        for path in paths:
            _ask(connections[:1], [path])
        bursts = [[paths[(start + number) % len(paths)] for number in range(CONNECTIONS)] for start in range(0, len(paths), CONNECTIONS)]
        made, constant = in_turns(rotating(bursts, lambda burst: _ask(connections, burst)), lambda: _ask(connections, [_CONSTANT] * CONNECTIONS))
    detail = f"{CONNECTIONS / made:.0f} a second over {CONNECTIONS} connections, of {len(paths)} full tiles; {CONNECTIONS / constant:.0f} of the constant"
    return [Ratio("tiles served / constant body served", constant / made, LIMIT_TILES, detail, at_least=True)]


def _ask(connections: Sequence[socket.socket], paths: Sequence[str]) -> None:
    """One request on each connection, all of them under way together."""
    for connection, path in zip(connections, paths, strict=True):
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: bench.example\r\n\r\n".encode())
    for connection, path in zip(connections, paths, strict=True):
        answer = bytearray()
        while (end := answer.find(b"\r\n\r\n")) < 0 or len(answer) < end + 4 + FULL_WIDTH * 32:
            part = connection.recv(1 << 16)
            if not part:
                raise StoreError("the server closed a connection", where=path, code="bench")
            answer += part
            if len(answer) > 12 and not answer.startswith(b"HTTP/1.1 200"):
                raise StoreError("the server did not answer with what was asked for", where=path, code="bench")


@contextmanager
def _serving(folder: Path, url: str) -> Iterator[int]:
    """A server in another process; gives its port."""
    context = get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=serve_reading, args=(folder, url, there), daemon=True)
    process.start()
    there.close()
    try:
        try:
            yield here.recv()
        except EOFError as error:
            raise StoreError("the server to be measured did not start", code="bench") from error
    finally:
        process.terminate()
        process.join()


def serve_reading(folder: Path, url: str, started: Connection) -> None:
    """What the other process does until it is told to end: everything of the ledger that is read, and the constant beside it."""
    from did_health.services.json_log import JSONLog
    from did_health.services.ledger_app import log_routes
    from did_health.services.metrics import Metrics
    from did_health.services.operation import service_app
    from did_health.services.rate_limit import RateLimit
    from did_health.services.run import address_of, listening, serve
    from did_health.services.setting_values import Address

    with Path(os.devnull).open("w") as stream, _reading(folder, url) as reader:
        log = JSONLog("ledger", stream)
        app = service_app(log_routes(reader), ready=lambda: None, metrics=Metrics("ledger"), log=log, limit=RateLimit(1 << 30))
        listener = listening(Address("127.0.0.1", 0))
        port = address_of(listener).port
        serve(_beside_a_constant(app), listener, log=log, started=lambda: started.send(port))


@contextmanager
def _reading(folder: Path, url: str) -> Iterator[LogReader]:
    """The ledger in ``folder`` as a process without its keys reads it."""
    database = Database.open(ledger_place(folder, None), create=False, read_only=True)
    try:
        yield LogReader(url, LedgerStore(database), TileFiles(folder / "published"), system_clock)
    finally:
        database.close()


def _beside_a_constant(app: ASGIApp) -> ASGIApp:
    body = bytes(FULL_WIDTH * 32)
    headers = [(b"content-type", b"application/octet-stream"), (b"content-length", str(len(body)).encode())]

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != _CONSTANT:
            await app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer
