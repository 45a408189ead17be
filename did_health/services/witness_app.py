"""A witness over HTTP, C2SP tlog-witness v1.0.0.

::

    POST <prefix>/add-checkpoint                            200 cosignature lines, or 400 403 404 409 422 as the specification says
    GET  <prefix>/<hex SHA-256(origin)>/checkpoint          the latest checkpoint that it cosigned, for monitors
    GET  /healthz /readyz /metrics                          for the operator

Where the specification prescribes no answer (a body that is too large, a client that asks too often, a store that fails) it is a
problem of RFC 9457. Needs the ``server`` extra.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from did_health.errors import ConflictError, EdgeError, FormatError
from did_health.limits import MAX_ADD_CHECKPOINT_BYTES
from did_health.services.json_log import JSONLog
from did_health.services.metrics import Metrics
from did_health.services.operation import service_app
from did_health.services.problems import problem_response
from did_health.services.rate_limit import RateLimit
from did_health.services.request_body import read_body
from did_health.stores.witness_directory import WitnessDirectory
from did_health.tlog.note import Signature
from did_health.tlog.witness_protocol import AddCheckpoint, WitnessRefusal, encode_cosignatures

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

_ATTEMPTS: Final = 3
_TEXT: Final = "text/plain; charset=utf-8"
# Monitors and logs want what is known now; a copy on the way could hide that a log went on.
_NOT_KEPT: Final = "no-store"


def witness_app(
    directory: WitnessDirectory, *, clock: Callable[[], datetime], log: JSONLog, limit: RateLimit, prefix: str = "", metrics: Metrics | None = None
) -> Starlette:
    """The ASGI app of an open witness, below the path ``prefix`` (empty, or ``/name``). ``limit`` is for each client address."""
    metrics = metrics or Metrics("witness")
    routes = witness_routes(directory, clock=clock, log=log, metrics=metrics, prefix=prefix)
    return service_app(routes, ready=directory.check, metrics=metrics, log=log, limit=limit)


def witness_routes(
    directory: WitnessDirectory,
    *,
    clock: Callable[[], datetime],
    log: JSONLog,
    metrics: Metrics,
    prefix: str = "",
    beforehand: Callable[[AddCheckpoint], None] = lambda _request: None,
) -> list[BaseRoute]:
    """The routes of a witness: that to submit to, and that for monitors.

    ``beforehand`` sees a request that parses before anything is decided on it; what it raises is the answer.
    """
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import Response
    from starlette.routing import Route

    metrics.counter("cosignatures", "Checkpoints cosigned, by log.")
    metrics.counter("refusals", "Requests refused as C2SP tlog-witness says, by status.")
    metrics.gauge("log_size", "Size of the latest checkpoint cosigned, by log.", lambda: _sizes(directory))

    def cosigned(body: bytes) -> Response:
        try:
            request = AddCheckpoint.parse(body)
            beforehand(request)
            cosignature = _cosign(directory, request, clock)
        except FormatError as error:
            return _refused(WitnessRefusal.malformed(error), metrics)
        except WitnessRefusal as refusal:
            return _refused(refusal, metrics)
        metrics.count("cosignatures", log=request.note.text.partition("\n")[0])
        try:
            directory.show(request.note, cosignature)
        except EdgeError as error:
            # The memory is written, which is what counts; what monitors see is made good by the next heartbeat.
            log.failure("monitoring", error)
        return Response(encode_cosignatures([cosignature]), headers={"Content-Type": _TEXT, "Cache-Control": _NOT_KEPT})

    async def add_checkpoint(request: Request) -> Response:
        return await run_in_threadpool(cosigned, await read_body(request, max_bytes=MAX_ADD_CHECKPOINT_BYTES))

    async def checkpoint(request: Request) -> Response:
        note = await run_in_threadpool(directory.shown, request.path_params["log"])
        if note is None:
            return problem_response(HTTPStatus.NOT_FOUND, "This witness has cosigned no checkpoint of such a log")
        return Response(note, headers={"Content-Type": _TEXT, "Cache-Control": _NOT_KEPT, "Access-Control-Allow-Origin": "*"})

    return [
        Route(f"{prefix}/add-checkpoint", add_checkpoint, methods=["POST"]),
        Route(f"{prefix}/{{log}}/checkpoint", checkpoint, methods=["GET"]),
    ]


def _cosign(directory: WitnessDirectory, request: AddCheckpoint, clock: Callable[[], datetime]) -> Signature:
    for _ in range(_ATTEMPTS - 1):
        try:
            return directory.witness.add_checkpoint(request, now=clock())
        except ConflictError as error:
            # Another request moved the memory between our reading and writing it; decided anew, this one is a 409. For a lock the
            # store has waited long enough already.
            if error.code != ConflictError.default_code:
                raise
    return directory.witness.add_checkpoint(request, now=clock())


def _refused(refusal: WitnessRefusal, metrics: Metrics) -> Response:
    from starlette.responses import Response

    metrics.count("refusals", status=str(refusal.status))
    return Response(refusal.body, refusal.status, {"Content-Type": refusal.content_type, "Cache-Control": _NOT_KEPT})


def _sizes(directory: WitnessDirectory) -> dict[tuple[tuple[str, str], ...], float]:
    try:
        return {(("log", origin),): directory.state(origin).size for origin in directory.known_logs}
    except EdgeError:
        # Metrics are wanted most when something fails.
        return {}
