"""A trust registry over HTTP: the HTTPS binding of ToIP TRQP 2.0.

::

    POST /authorization       does the authority authorize the entity to take the action on the resource?
    POST /recognition         does it recognize the entity, another authority, for the resource?
    GET  /metadata            whose statements are answered, the version of TRQP, the governance framework
    GET  /openapi.json        the OpenAPI document

Answers are those of ``roles.registry``: yes and no only with proof that the authority's statement is the newest on the ledger, or that there
is none. What is not known is 503 with the reason, and never a yes or a no. Needs the ``server`` extra.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from did_health.encoding import strict_json, timestamps
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.limits import MAX_TRQP_QUERY_BYTES
from did_health.roles.ledger_state import Unproven
from did_health.roles.registry import Registry
from did_health.services import openapi, registry_openapi
from did_health.services.json_log import JSONLog
from did_health.services.metrics import Metrics
from did_health.services.operation import RETRY_SECONDS, NotReady, service_app
from did_health.services.problems import problem_response
from did_health.services.rate_limit import RateLimit
from did_health.services.request_body import read_body
from did_health.trust.trqp.evaluation import NotRecognized
from did_health.trust.trqp.query import KNOWN_CONTEXT, Query, QueryKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

VERSION: Final = "2.0"
_JSON: Final = "application/json"
_REQUEST_ID: Final = "X-Request-ID"
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)
# An answer is of the moment in which it was made.
_HEADERS: Final = {"Cache-Control": "no-store"}
_LASTING: Final = {"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}


@dataclass(frozen=True, slots=True)
class Governance:
    """What the authority publishes about itself: the URL of the governance framework, which anybody has to find by the authority's identifier."""

    framework: str

    def metadata(self, authority: str) -> JSONObject:
        """The answer of ``/metadata``."""
        return {
            "trqp_version": VERSION,
            "authority_id": authority,
            "governance_framework": self.framework,
            "queries": list(QueryKind),
            "context": list(KNOWN_CONTEXT),
        }


def registry_app(
    registry: Registry, governance: Governance, *, log: JSONLog, limit: RateLimit, metrics: Metrics | None = None, prefix: str = ""
) -> Starlette:
    """The ASGI app, below ``prefix``; ``limit`` is for each client address. It is ready while the authority's own newest state can be proved."""
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import Response
    from starlette.routing import Route

    counted = metrics or Metrics("registry")
    counted.counter("queries", "Queries answered, by kind and by the code of the answer.")

    def answered(kind: QueryKind, body: bytes) -> Response:
        try:
            query = Query.parse(kind, body)
            answer = registry.answer(query)
        except FormatError as error:
            counted.count("queries", kind=kind, code="malformed")
            return _refused(HTTPStatus.BAD_REQUEST, error)
        except NotRecognized as error:
            counted.count("queries", kind=kind, code=error.code)
            return _refused(HTTPStatus.NOT_FOUND, error)
        except Unproven as error:
            counted.count("queries", kind=kind, code="unproven")
            log.write("unproven", "warning", code=error.code)
            return _unknown(error)
        counted.count("queries", kind=kind, code=answer.basis.code if answer.basis else "")
        return Response(answer.to_json(), headers=_HEADERS, media_type=_JSON)

    def asked(kind: QueryKind) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            body = await read_body(request, max_bytes=MAX_TRQP_QUERY_BYTES)
            if media_type == _JSON:
                response = await run_in_threadpool(answered, kind, body)
            else:
                response = problem_response(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"A query is sent with Content-Type: {_JSON}")
            traced = request.headers.get(_REQUEST_ID, "")
            if _UUID.fullmatch(traced):
                response.headers[_REQUEST_ID] = traced
            return response

        return endpoint

    async def metadata(request: Request) -> Response:
        if request.query_params.get("authority_id", registry.authority) != registry.authority:
            return problem_response(HTTPStatus.NOT_FOUND, "This registry does not speak for this authority", members={"code": "authority_not_recognized"})
        return Response(strict_json.dumps(governance.metadata(registry.authority)), headers=_LASTING, media_type=_JSON)

    async def described(_request: Request) -> Response:
        return openapi.response(registry_openapi.document(prefix))

    def ready() -> None:
        try:
            registry.as_of()
        except Unproven as error:
            raise NotReady(error.what, code=error.code) from error

    routes = [
        *(Route(f"{prefix}/{kind}", asked(kind), methods=["POST"]) for kind in QueryKind),
        Route(f"{prefix}/metadata", metadata, methods=["GET"]),
        Route(f"{prefix}/openapi.json", described, methods=["GET"]),
    ]
    return service_app(routes, ready=ready, metrics=counted, log=log, limit=limit)


def _refused(status: HTTPStatus, error: FormatError | NotRecognized) -> Response:
    return problem_response(status, error.what, members=_said(code=error.code, where=error.where, hint=error.hint))


def _unknown(error: Unproven) -> Response:
    """What the registry cannot prove it does not know: neither yes nor no. A stale one says for which time its last proof is."""
    members = _said(code=error.code, as_of=timestamps.format(error.as_of) if error.as_of else "")
    detail = f"This registry does not know: {error.what}"
    return problem_response(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": RETRY_SECONDS}, members=members)


def _said(**members: str) -> Mapping[str, str]:
    return {name: value for name, value in members.items() if value}
