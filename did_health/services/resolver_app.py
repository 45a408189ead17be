"""A DID resolver over HTTP (DID Resolution 1.0 §12.1).

::

    GET, POST /identifiers/<DID or DID URL>       200 what ``Accept`` asks for, 303 to a service's URL, 410 for a deactivated DID
    GET       /openapi.json                       the OpenAPI document

An error is answered with the status that §12.1 gives its type, as a result whose metadata hold it. ``/1.0/identifiers/`` is the same.
Nothing is kept: what a DID needs is fetched for each request. Needs the ``server`` extra.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from did_health.did.resolution import Dereferenced, dereference, error_metadata, expand_relative_urls, required_urls, resolve
from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import DidHealthError, ResolutionError, TransportError
from did_health.limits import MAX_DID_LOG_BYTES, MAX_RESOLVER_BODY_BYTES
from did_health.roles.evidence import Need, Source
from did_health.services import openapi, resolver_openapi
from did_health.services.json_log import JSONLog
from did_health.services.metrics import Metrics
from did_health.services.operation import service_app
from did_health.services.rate_limit import RateLimit
from did_health.services.request_body import read_body
from did_health.services.resolver_request import Form, ResolverRequest

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

PREFIXES: Final = ("/identifiers/", "/1.0/identifiers/")
STATUSES: Final = MappingProxyType({
    "INVALID_DID": HTTPStatus.BAD_REQUEST,
    "INVALID_DID_URL": HTTPStatus.BAD_REQUEST,
    "INVALID_OPTIONS": HTTPStatus.BAD_REQUEST,
    "NOT_FOUND": HTTPStatus.NOT_FOUND,
    "REPRESENTATION_NOT_SUPPORTED": HTTPStatus.NOT_ACCEPTABLE,
    "METHOD_NOT_SUPPORTED": HTTPStatus.NOT_IMPLEMENTED,
    "FEATURE_NOT_SUPPORTED": HTTPStatus.NOT_IMPLEMENTED,
    "DEACTIVATED": HTTPStatus.GONE,
})
"""§12.1: of errors; 500 for any other."""
_HEADERS: Final = MappingProxyType({"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*", "Vary": "Accept"})
# Before there were types of errors there were words for them.
_WORDS: Final = MappingProxyType({"INVALID_DID_DOCUMENT": "invalidDid"})


def resolver_app(
    source: Source, *, clock: Callable[[], datetime], log: JSONLog, limit: RateLimit, metrics: Metrics | None = None, word_errors: bool = False
) -> Starlette:
    """The ASGI app; ``source`` fetches what DIDs need, ``limit`` is for each client address.

    With ``word_errors`` an error is a word such as ``notFound``, as in the drafts before 2025, and not an object.
    """
    from starlette.concurrency import run_in_threadpool
    from starlette.routing import Route

    def answer(path: str, query: str, accept: str, body: bytes) -> Response:
        asked: ResolverRequest | None = None
        try:
            asked = ResolverRequest.read(path, query, accept, body)
            return _answer(asked, source, clock())
        except ResolutionError as error:
            return _refusal(error, asked, accept, word_errors)
        except TransportError as error:
            # Its words would name the host, which is of the client's choice.
            log.write("fetch", level="warning", code=error.code)
            return _refusal(ResolutionError("what the DID needs could not be fetched", code="INTERNAL_ERROR"), asked, accept, word_errors)
        except DidHealthError as error:
            log.write("resolution", level="error", code=error.code, error=type(error).__name__)
            return _refusal(ResolutionError("the DID could not be resolved", code="INTERNAL_ERROR"), asked, accept, word_errors)

    async def identifiers(request: Request) -> Response:
        body = await read_body(request, max_bytes=MAX_RESOLVER_BODY_BYTES) if request.method == "POST" else b""
        path = request.scope["raw_path"].decode("ascii", "replace").partition("?")[0]
        prefix = next(prefix for prefix in PREFIXES if path.startswith(prefix))
        query = request.scope["query_string"].decode("ascii", "replace")
        return await run_in_threadpool(answer, path.removeprefix(prefix), query, request.headers.get("accept", ""), body)

    async def described(_request: Request) -> Response:
        return openapi.response(resolver_openapi.document())

    routes = [Route(f"{prefix}{{identifier:path}}", identifiers, methods=["GET", "POST"]) for prefix in PREFIXES]
    for route in routes:
        # What has a line feed is no DID, but it is answered as such, too.
        route.path_regex = re.compile(route.path_regex.pattern, re.DOTALL)
    routes.append(Route("/openapi.json", described, methods=["GET"]))
    return service_app(routes, ready=lambda: None, metrics=metrics or Metrics("resolver"), log=log, limit=limit)


def _answer(asked: ResolverRequest, source: Source, now: datetime) -> Response:
    resources = _resources(asked.did_url, source)
    if asked.is_dereferencing:
        found = dereference(
            asked.did_url, resources, now=now, accept=asked.accept, relationship=asked.options.get("verificationRelationship", "")
        )
        return _dereferenced(found, asked)
    resolution = resolve(asked.did_url, resources, now=now)
    metadata = resolution.metadata.to_json()
    document = _document(resolution.document.raw, asked) if resolution.document else None
    if asked.form is not Form.RESOLUTION and document is not None and not resolution.metadata.deactivated:
        return _represented(document, asked.form)
    result = {"didDocument": document, "didResolutionMetadata": {"contentType": resolution.content_type}, "didDocumentMetadata": metadata}
    # §12.1: also for an earlier version of a DID that is deactivated by now.
    return _json(result, Form.RESOLUTION, HTTPStatus.GONE if resolution.metadata.deactivated else HTTPStatus.OK)


def _resources(did_url: str, source: Source) -> dict[str, bytes | None]:
    """What is needed and can be had; raises ``TransportError`` if that is not even the first, without which there is nothing."""
    resources: dict[str, bytes | None] = {}
    for place, url in enumerate(required_urls(did_url)):
        try:
            resources[url] = source.fetch(Need(url, MAX_DID_LOG_BYTES))
        except TransportError:
            if not place:
                raise
    return resources


def _document(document: JSONObject, asked: ResolverRequest) -> JSONObject:
    return expand_relative_urls(document) if asked.expands else document


def _dereferenced(found: Dereferenced, asked: ResolverRequest) -> Response:
    from starlette.responses import Response

    form = asked.form

    if found.urls:
        return Response(status_code=int(HTTPStatus.SEE_OTHER), headers={**_HEADERS, "Location": found.urls[0]})
    content = _document(found.content or {}, asked)
    if form is not Form.DEREFERENCING:
        return _represented(content, form)
    metadata = found.resolution.metadata.to_json()
    return _json(_dereferencing({"contentType": found.content_type}, content, metadata), Form.DEREFERENCING)


def _dereferencing(metadata: JSONObject, content: JSON = None, of_content: JSONObject | None = None) -> JSONObject:
    # ``contentStream`` is what ``content`` was called in the drafts.
    return {"content": content, "contentStream": content, "dereferencingMetadata": metadata, "contentMetadata": of_content or {}}


def _represented(document: JSONObject, form: Form) -> Response:
    """The document, or a part of it, alone."""
    if form is Form.DOCUMENT_JSON_LD and "@context" not in document:
        raise ResolutionError("the DID document is not JSON-LD", code="REPRESENTATION_NOT_SUPPORTED")
    return _json(document, form)


def _refusal(error: ResolutionError, asked: ResolverRequest | None, accept: str, word_errors: bool) -> Response:
    metadata = {"error": _word(error.code)} if word_errors else error_metadata(error)
    status = STATUSES.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)
    if asked.is_dereferencing if asked else Form.DEREFERENCING in accept:
        of_content = {"deactivated": True} if status is HTTPStatus.GONE else {}
        return _json(_dereferencing(metadata, of_content=of_content), Form.DEREFERENCING, status)
    return _json({"didDocument": None, "didResolutionMetadata": metadata, "didDocumentMetadata": {}}, Form.RESOLUTION, status)


def _word(code: str) -> str:
    first, *others = code.lower().split("_")
    return _WORDS.get(code, first + "".join(other.capitalize() for other in others))


def _json(content: JSONObject, form: Form, status: HTTPStatus = HTTPStatus.OK) -> Response:
    from starlette.responses import Response

    return Response(strict_json.dumps(content), int(status), {**_HEADERS, "Content-Type": str(form)})
