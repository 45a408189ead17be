"""What a ledger publishes, over HTTP and read-only: C2SP log files, contents, latest-entry proofs, ``did.jsonl``, status lists.

The app maps ``/path`` to ``https://<host>/path`` and asks a ``Source`` (an embedded ledger is one) for it, so it knows nothing of how
any of it is kept. TLS, rate limits and caching for many clients belong to a proxy before it. Needs the ``server`` extra.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeAlias

from did_health.encoding import strict_json
from did_health.errors import EdgeError, FormatError, TransportError
from did_health.limits import MAX_ENTRY_BYTES, MAX_URL_CHARACTERS
from did_health.roles.evidence import Need, Source
from did_health.services.kept_answers import KeptAnswers
from did_health.services.media_ranges import preferred
from did_health.services.problems import problem_response
from did_health.vc.media_types import CREDENTIAL, CREDENTIAL_FORMS

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

    Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]

# The largest thing there is: a full bundle of the longest entries (C2SP tlog-tiles).
_MAX_BYTES: Final = 256 * (MAX_ENTRY_BYTES + 2)
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_SECONDS: Final = "public, max-age=5"
_ASK_EACH_TIME: Final = "public, no-cache"
# By the end of the path: (media type, how long it may be kept). Tiles and contents never change; C2SP tlog-tiles, did:webvh 1.0.
_KINDS: Final = (
    (re.compile(r"/checkpoint$"), "text/plain; charset=utf-8", _SECONDS),
    (re.compile(r"/tile/[0-9a-z/.]+$"), "application/octet-stream", _FOR_EVER),
    (re.compile(r"/content/[0-9a-f]{64}$"), "application/octet-stream", _FOR_EVER),
    (re.compile(r"/documents/[0-9x/.p]+$"), "application/octet-stream", _FOR_EVER),
    (re.compile(r"/latest/[0-9a-f]{64}$"), "application/cbor", _SECONDS),
    (re.compile(r"/did\.jsonl$"), "text/jsonl; charset=utf-8", _ASK_EACH_TIME),
    (re.compile(r"\.json$"), "application/json", _ASK_EACH_TIME),
)


def published_app(source: Source, hosts: Sequence[str]) -> Starlette:
    """An ASGI app that serves what ``source`` has under ``https://<host>/`` for each of ``hosts`` (``name`` or
    ``name:port``, in lower case as in URLs).

    The request's Host header chooses among several; a single host answers for every name. Errors are RFC 9457 problem details without
    internals. Raises ``ValueError`` without a host, ``ImportError`` without the ``server`` extra.
    """
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.routing import Route

    known = frozenset(host.lower() for host in hosts)
    if not known:
        raise ValueError("at least one host is needed")

    async def refused(_request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException):
            return problem_response(HTTPStatus(error.status_code), "Only GET and HEAD are answered here", headers=error.headers)
        return problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, "The request could not be answered; the operator's log says more")

    route = Route("/{path:path}", published(source, lambda host: f"https://{name}" if (name := _host(host, known)) else None), methods=["GET"])
    return Starlette(routes=[route], exception_handlers={HTTPException: refused, Exception: refused})


def published(source: Source, base_of: Callable[[str], str | None]) -> Endpoint:
    """The endpoint of a route: the answer to a GET of what ``source`` has at the request's path.

    ``base_of`` gives what to put before the path, as ``https://ledger.example``, by the request's Host header (in lower case); ``None`` is
    answered with 421.
    """
    from starlette.concurrency import run_in_threadpool

    def found(request: Request) -> Response:
        base = base_of(request.headers.get("host", "").lower())
        if base is None:
            return problem_response(HTTPStatus.MISDIRECTED_REQUEST, "Nothing is published here under this host name")
        return answered(source, base, path_of(request), request.headers)

    async def answer(request: Request) -> Response:
        # In one piece: each change of threads costs as much as reading a tile.
        return await run_in_threadpool(found, request)

    return answer


def published_for_ever(source: Source, base: str) -> Endpoint:
    """As ``published``, for paths below ``base`` whose content never changes: what was found once is kept in memory, within a bound."""
    from starlette.concurrency import run_in_threadpool

    kept = KeptAnswers()

    async def answer(request: Request) -> Response:
        path = path_of(request)
        found = kept.find(path, request.headers.get("if-none-match", ""))
        if found is None:
            found = await run_in_threadpool(answered, source, base, path, request.headers)
            # Not what nothing is at yet, and not another kind of thing that the route lets through.
            if found.status_code == HTTPStatus.OK and found.headers["cache-control"] == _FOR_EVER:
                kept.keep(path, found)
        return found

    return answer


def path_of(request: Request) -> str:
    """The path as the client wrote it, for percent-encodings are part of URLs."""
    raw: bytes = request.scope.get("raw_path", request.url.path.encode())
    return raw.decode("ascii", "replace").partition("?")[0]


def answered(source: Source, base: str, path: str, asked: Mapping[str, str]) -> Response:
    """What ``source`` has at ``base`` and ``path``, with its type and how long it may be kept; ``asked`` are the request's headers."""
    url = base + path
    if len(url) > MAX_URL_CHARACTERS:
        return problem_response(HTTPStatus.REQUEST_URI_TOO_LONG, "The path is too long")
    try:
        content = source.fetch(Need(url, _MAX_BYTES))
    except (TransportError, FormatError):
        # The source serves no such host, or the path makes no URL.
        content = None
    except EdgeError:
        return problem_response(HTTPStatus.SERVICE_UNAVAILABLE, "The store does not answer at the moment", headers={"Retry-After": "5"})
    if content is None:
        return problem_response(HTTPStatus.NOT_FOUND, "Nothing is published at this path")
    return _answer(path, content, asked)


def _host(name: str, known: frozenset[str]) -> str | None:
    if len(known) == 1:
        return next(iter(known))
    return next((host for host in (name, re.sub(r":\d+$", "", name)) if host in known), None)


def _answer(path: str, content: bytes, asked: Mapping[str, str]) -> Response:
    from starlette.responses import Response

    media_type, kept = next(((media_type, kept) for pattern, media_type, kept in _KINDS if pattern.search(path)), (_document_type(content), _ASK_EACH_TIME))
    tag = hashlib.sha256(content).hexdigest()
    # Everything here is public, so any web page may read it; nosniff, because none of it is a web page.
    headers = {"Cache-Control": kept, "Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}
    if media_type == CREDENTIAL:
        media_type = preferred(asked.get("accept", ""), CREDENTIAL_FORMS)
        headers["Vary"] = "Accept"
        if media_type != CREDENTIAL:
            # A strong tag is of one form only (RFC 9110 §8.8.1).
            tag = f"{tag}-{media_type.partition('/')[2]}"
    headers["ETag"] = f'"{tag}"'
    if headers["ETag"] in asked.get("if-none-match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(content, headers={**headers, "Content-Type": media_type})


def _document_type(content: bytes) -> str:
    """A status list or another credential is ``application/vc`` (VC Data Model 2.0 §6.2)."""
    try:
        document = strict_json.loads_object(content)
    except FormatError:
        return "application/octet-stream"
    types = document.get("type")
    return CREDENTIAL if "VerifiableCredential" in (types if isinstance(types, list) else [types]) else "application/json"
