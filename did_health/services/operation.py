"""What every service does around its own routes: problems for errors, request log, metrics, rate limit, health and readiness."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from did_health.encoding import strict_json
from did_health.errors import EdgeError
from did_health.services.json_log import JSONLog
from did_health.services.metrics import CONTENT_TYPE, Metrics
from did_health.services.problems import problem_response
from did_health.services.rate_limit import RateLimit, client_of
from did_health.services.request_body import BodyRefused

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

RETRY_SECONDS: Final = "5"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_UNLIMITED: Final = frozenset({"/healthz", "/readyz", "/metrics"})
_CLIENT_GONE: Final = 499


class NotReady(EdgeError):
    """The service must not be relied on, for a reason that the operator has to know: ``/readyz`` says it, with its code."""

    default_code = "not_ready"


def service_app(routes: Sequence[BaseRoute], *, ready: Callable[[], None], metrics: Metrics, log: JSONLog, limit: RateLimit) -> Starlette:
    """A Starlette app of ``routes`` and ``/healthz`` (the process lives), ``/readyz`` (``ready`` raised no ``EdgeError``), ``/metrics``.

    Whatever a route raises is answered as a problem (RFC 9457) without internals: ``BodyRefused`` with its status, ``EdgeError`` with
    503, anything else with 500, which the log explains. Each client may ask as often as ``limit`` says; health and metrics are not counted.
    """
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.exceptions import HTTPException
    from starlette.middleware import Middleware
    from starlette.responses import Response
    from starlette.routing import Route

    async def healthz(_request: Request) -> Response:
        return _status("ok")

    async def readyz(_request: Request) -> Response:
        await run_in_threadpool(ready)
        return _status("ready")

    async def exposition(_request: Request) -> Response:
        return Response(await run_in_threadpool(metrics.text), headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})

    async def refused(_request: Request, error: Exception) -> Response:
        if isinstance(error, BodyRefused):
            # What is left of the body is not read, so nothing can follow on this connection.
            return problem_response(error.status, error.detail, headers={"Connection": "close"})
        if isinstance(error, HTTPException):
            status = HTTPStatus(error.status_code)
            detail = "Nothing is at this path" if status is HTTPStatus.NOT_FOUND else "This method is not answered at this path"
            return problem_response(status, detail, headers=error.headers)
        if isinstance(error, NotReady):
            return problem_response(HTTPStatus.SERVICE_UNAVAILABLE, error.what, members={"code": error.code})
        log.failure("store", error)
        return problem_response(HTTPStatus.SERVICE_UNAVAILABLE, "The store does not answer at the moment", headers={"Retry-After": RETRY_SECONDS})

    metrics.counter("requests", "Requests answered, by method, route and status.")
    metrics.durations("request_seconds", "Time from a request's head to the end of its answer, by route.")
    operational = [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", exposition)]
    app = Starlette(
        routes=[*operational, *routes],
        middleware=[Middleware(_Observed, metrics=metrics, log=log, limit=limit)],
        exception_handlers={HTTPException: refused, BodyRefused: refused, EdgeError: refused},
    )
    # A path with a slash too many is another path; a redirect would only repeat what the client sent.
    app.router.redirect_slashes = False
    return app


class _Observed:
    """Counts, times and logs each request by its route's template, limits rates, and answers 500 for what nobody foresaw."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, log: JSONLog, limit: RateLimit) -> None:
        self._app, self._metrics, self._log, self._limit = app, metrics, log, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            answer = self._too_often(scope)
            await (answer or self._app)(scope, receive, sending)
        except Exception as error:  # noqa: BLE001  # the outermost place: an error may not leave the service, nor end it
            self._log.failure("unforeseen", error, route=_route(scope))
            if not status:
                detail = "The request could not be answered; the operator's log says more"
                await problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, detail)(scope, receive, sending)
        finally:
            self._observe(scope, status or _CLIENT_GONE, perf_counter() - started)

    def _too_often(self, scope: Scope) -> Response | None:
        if scope["path"] in _UNLIMITED:
            return None
        wait = self._limit.wait_seconds(client_of((scope.get("client") or ("",))[0]))
        if not wait:
            return None
        headers = {"Retry-After": str(wait), "Connection": "close"}
        return problem_response(HTTPStatus.TOO_MANY_REQUESTS, "This client asks too often", headers=headers)

    def _observe(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = _route(scope)
        self._metrics.count("requests", method=method, route=route, status=str(status))
        self._metrics.observe("request_seconds", seconds, route=route)
        self._log.write("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


def _route(scope: Scope) -> str:
    """The template of the route that answered: a path itself may hold what a client should not have sent."""
    route: Any = scope.get("route")
    return str(getattr(route, "path", "-"))


def _status(word: str) -> Response:
    from starlette.responses import Response

    return Response(strict_json.dumps({"status": word}), headers={"Cache-Control": "no-store"}, media_type="application/json")
