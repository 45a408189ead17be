"""Running a service: one process, one address, JSON logs, and an end that waits for what was begun. Needs the ``server`` extra."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final

import uvicorn

from did_health.errors import EdgeError
from did_health.limits import MAX_REQUEST_HEAD_BYTES, MAX_SERVICE_CONNECTIONS, MAX_SHUTDOWN_SECONDS
from did_health.services.connections import Connection
from did_health.services.json_log import JSONLog
from did_health.services.setting_values import Address

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from did_health.services.certificate import Certificate

_KEEP_ALIVE_SECONDS: Final = 30


def listening(address: Address) -> socket.socket:
    """A socket that listens at ``address``. Raises ``EdgeError`` (``cannot_listen``)."""
    try:
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        return socket.create_server((address.host, address.port), family=family, backlog=MAX_SERVICE_CONNECTIONS)
    except OSError as error:
        hint = "Choose another port, or end what uses this one"
        raise EdgeError(f"the service cannot listen: {error.strerror or error}", where=str(address), hint=hint, code="cannot_listen") from error


def serve(
    app: ASGIApp,
    listener: socket.socket,
    *,
    log: JSONLog,
    started: Callable[[], None],
    trusted_proxies: Sequence[str] = (),
    tls_listener: socket.socket | None = None,
    certificate: Certificate | None = None,
) -> None:
    """Serve ``app`` until SIGTERM or SIGINT, then finish what was begun, for at most ``MAX_SHUTDOWN_SECONDS``, and return.

    ``started`` is called when requests are answered; the listeners are closed at the end. X-Forwarded-For is believed from
    ``trusted_proxies`` only. With a ``certificate`` the same is served over TLS at ``tls_listener``. Raises ``EdgeError`` (``not_started``)
    if the app's own start fails, ``FormatError`` for a certificate that cannot be used.
    """
    log.capture("uvicorn", "uvicorn.error")
    config = _config(app, trusted_proxies)
    where = str(address_of(listener))

    def answering() -> None:
        log.write("started", address=where)
        started()

    with ExitStack() as stack:
        if tls_listener is not None and certificate is not None:
            secured = _config(app, trusted_proxies)
            secured.load()
            secured.ssl = certificate.context()
            stack.enter_context(_beside(_Server(secured, lambda: None), stack.enter_context(tls_listener)))
        stack.enter_context(listener)
        server = _Server(config, answering)
        with _ended_by_signals(server):
            server.run(sockets=[listener])
    if not server.started:
        raise EdgeError("the service could not be started", where=where, hint="Its log says why", code="not_started")
    log.write("ended")


@contextmanager
def _beside(server: uvicorn.Server, listener: socket.socket) -> Iterator[None]:
    """Within this block another server answers in a thread of its own."""
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="tls")
    thread.start()
    try:
        while not server.started and thread.is_alive():
            thread.join(0.01)
        yield
    finally:
        server.should_exit = True
        thread.join()


def _config(app: ASGIApp, trusted_proxies: Sequence[str]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        # On h11: the other parser, httptools, collects a request's head whatever its length.
        http=Connection,
        h11_max_incomplete_event_size=MAX_REQUEST_HEAD_BYTES,
        log_config=None,
        access_log=False,
        lifespan="on",
        ws="none",
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=MAX_SHUTDOWN_SECONDS,
    )


def address_of(listener: socket.socket) -> Address:
    """Where a socket listens; its port is a real one, also where any was asked for."""
    host, port = listener.getsockname()[:2]
    return Address(host, port)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, answering: Callable[[], None]) -> None:
        super().__init__(config)
        self._answering = answering

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit:
            # uvicorn would leave the process; whoever called serve wants to say more.
            self.should_exit = True
        if self.started:
            self._answering()


@contextmanager
def _ended_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """Within this block SIGTERM and SIGINT end the server and not the process: uvicorn raises them once more when it has ended."""

    def end(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    # Python lets only the main thread handle signals; elsewhere whoever started the thread ends the process.
    main = threading.current_thread() is threading.main_thread()
    before = {one: signal.signal(one, end) for one in (signal.SIGTERM, signal.SIGINT)} if main else {}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
