"""uvicorn's protocol on one connection. Its own answers are problem details (RFC 9457) too, and no client keeps a connection for
nothing: uvicorn alone waits for ever for a request's head. Needs the ``server`` extra.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from did_health.encoding import strict_json
from did_health.limits import MAX_HEAD_SECONDS, MAX_SERVICE_CONNECTIONS
from did_health.services.problems import problem, problem_response

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_NOT_HTTP: Final = "The request is not HTTP/1.1, or its head is too long"
_TOO_SLOW: Final = "The request took too long to arrive"
_OVERLOADED: Final = "Too many connections are open"
_RETRY_SECONDS: Final = "5"


class Connection(H11Protocol):
    """One connection; one over ``MAX_SERVICE_CONNECTIONS`` is told to come back, whatever it asks, and closed.

    So is one whose next request, or what is left of one that is answered already, does not come within ``MAX_HEAD_SECONDS``.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()
        if len(self.connections) > MAX_SERVICE_CONNECTIONS:
            self.app: Any = _overloaded

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unwatch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # What is being answered is bounded by its route, and what was answered by uvicorn's own timer, until more of anything comes.
        if self._answering or self.timeout_keep_alive_task is not None:
            self._unwatch()
        else:
            self._watch()

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _watch(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(MAX_HEAD_SECONDS, self._too_slow)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if self._answering or self.transport.is_closing():
            return
        if self.conn.our_state is h11.IDLE:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, _TOO_SLOW)
        else:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # it is for all faults the same
        if self._answering:
            # Its body went wrong: what the app still has to say would be said after the end.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._refuse(HTTPStatus.BAD_REQUEST, _NOT_HTTP)
        else:
            self.transport.close()

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        body = strict_json.dumps(problem(status, detail))
        headers = [("Content-Type", "application/problem+json"), ("Content-Length", str(len(body))), ("Cache-Control", "no-store"), ("Connection", "close")]
        head = h11.Response(status_code=status, headers=headers, reason=status.phrase)
        for event in (head, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


async def _overloaded(scope: Scope, receive: Receive, send: Send) -> None:
    headers = {"Retry-After": _RETRY_SECONDS, "Connection": "close"}
    await problem_response(HTTPStatus.SERVICE_UNAVAILABLE, _OVERLOADED, headers=headers)(scope, receive, send)
