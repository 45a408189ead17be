"""uvicorn's protocol on one connection, but for its own two answers: those, too, are problem details (RFC 9457). Needs the ``server`` extra."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from did_health.encoding import strict_json
from did_health.limits import MAX_SERVICE_CONNECTIONS
from did_health.services.problems import problem, problem_response

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_NOT_HTTP: Final = "The request is not HTTP/1.1, or its head is too long"
_OVERLOADED: Final = "Too many connections are open"
_RETRY_SECONDS: Final = "5"


class Connection(H11Protocol):
    """One connection; one over ``MAX_SERVICE_CONNECTIONS`` is told to come back, whatever it asks, and closed."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MAX_SERVICE_CONNECTIONS:
            self.app: Any = _overloaded

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # it is for all faults the same
        body = strict_json.dumps(problem(HTTPStatus.BAD_REQUEST, _NOT_HTTP))
        headers = [("Content-Type", "application/problem+json"), ("Content-Length", str(len(body))), ("Cache-Control", "no-store"), ("Connection", "close")]
        head = h11.Response(status_code=HTTPStatus.BAD_REQUEST, headers=headers, reason=HTTPStatus.BAD_REQUEST.phrase)
        for event in (head, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


async def _overloaded(scope: Scope, receive: Receive, send: Send) -> None:
    headers = {"Retry-After": _RETRY_SECONDS, "Connection": "close"}
    await problem_response(HTTPStatus.SERVICE_UNAVAILABLE, _OVERLOADED, headers=headers)(scope, receive, send)
