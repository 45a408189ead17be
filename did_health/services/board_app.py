"""A board's public directory over HTTP: anybody may look a licence up, without its holder and without a key.

::

    GET /licenses?npi=1234567893          by number=, name= (and given=) or holder= likewise; type=, limit=, after=, evidence=false
    GET /licenses/<uuid>.json             one credential with its issuance receipt
    GET /openapi.json                     the OpenAPI document

Answers are those of ``roles.board_directory``. Nothing private is in reach: the register finds only what is listed as public. Needs the
``server`` extra.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from threading import Lock
from typing import TYPE_CHECKING, Final

from did_health.errors import FormatError, TransportError
from did_health.health.public_listing import Lookup
from did_health.limits import MAX_DIRECTORY_ITEMS, MAX_DIRECTORY_RESULTS
from did_health.net.gather import gather
from did_health.roles.board_directory import LICENSES, BoardDirectory
from did_health.roles.evidence import Evidence, Need, Source
from did_health.roles.verifier import Verifier
from did_health.services import board_openapi, openapi
from did_health.services.json_log import JSONLog
from did_health.services.metrics import Metrics
from did_health.services.operation import service_app
from did_health.services.problems import problem_response
from did_health.services.rate_limit import RateLimit

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.datastructures import QueryParams
    from starlette.requests import Request
    from starlette.responses import Response

_TEXTS: Final = ("npi", "number", "name", "given", "holder", "type")
_PAGE: Final = ("limit", "after", "evidence")
_HEADERS: Final = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=5"}
# A credential never changes under its id.
_LASTING: Final = {**_HEADERS, "Cache-Control": "public, max-age=3600"}
_KEPT_FOR: Final = timedelta(seconds=5)


class LedgerEvidence:
    """Gathers what the credentials of one board are judged by, from the ledger at ``url`` that ``source`` reads; safe for several threads.

    What was read is used again for some seconds: look-ups that follow each other need the same lists and records.
    """

    def __init__(self, source: Source, url: str, verifier: Verifier, clock: Callable[[], datetime]) -> None:
        self._source, self._verifier, self._clock = source, verifier, clock
        # Of these the ledger alone can say that there is nothing.
        self._its_own = (f"{url}/latest/", f"{url}/content/")
        self._kept: dict[str, tuple[datetime, bytes | None]] = {}
        self._lock = Lock()

    def __call__(self, documents: Sequence[bytes]) -> Evidence:
        """The evidence, as far as the ledger has it."""

        def missing(have: Evidence) -> list[Need]:
            needs = {need.url: need for document in documents for need in self._verifier.missing(document, have)}
            return list(needs.values())

        with self._lock:
            return Evidence(gather(missing, [self], evidence=Evidence(), clock=self._clock).items)

    def fetch(self, need: Need) -> bytes | None:
        """As ``Source``; what this ledger does not host is a ``TransportError``, for somebody else may have it."""
        now = self._clock()
        read_at, content = self._kept.get(need.url, (None, None))
        if read_at is None or not timedelta(0) <= now - read_at < _KEPT_FOR:
            content = self._source.fetch(need)
            if len(self._kept) >= MAX_DIRECTORY_ITEMS:
                self._kept.clear()
            self._kept[need.url] = now, content
        if content is None and not need.url.startswith(self._its_own):
            raise TransportError("the ledger does not host this", where=need.url, code="not_hosted")
        return content


def board_app(directory: BoardDirectory, *, ready: Callable[[], None], log: JSONLog, limit: RateLimit, metrics: Metrics, prefix: str = "") -> Starlette:
    """The ASGI app; ``ready`` raises ``EdgeError`` while the register cannot be read, ``limit`` is for each client address."""
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import Response
    from starlette.routing import Route

    metrics.counter("lookups", "Look-ups answered, by whether anything was found.")

    def looked_up(query: QueryParams) -> Response:
        try:
            lookup, page = _read(query)
            answer = directory.look_up(lookup, **page)  # type: ignore[arg-type]  # the members that _read says
        except FormatError as error:
            members = {name: value for name, value in (("code", error.code), ("where", error.where), ("hint", error.hint)) if value}
            return problem_response(HTTPStatus.BAD_REQUEST, error.what, members=members)
        metrics.count("lookups", found="yes" if answer.entries else "no")
        return Response(answer.to_json(), headers=_HEADERS, media_type="application/json")

    async def look_up(request: Request) -> Response:
        return await run_in_threadpool(looked_up, request.query_params)

    async def license_(request: Request) -> Response:
        document = await run_in_threadpool(directory.license, request.path_params["name"])
        if document is None:
            return problem_response(HTTPStatus.NOT_FOUND, "This board has published no such credential")
        return Response(document, headers=_LASTING, media_type="application/json")

    async def described(_request: Request) -> Response:
        return openapi.response(board_openapi.document(prefix))

    routes = [
        Route(f"{prefix}/{LICENSES}", look_up, methods=["GET"]),
        Route(f"{prefix}/{LICENSES}/{{name}}", license_, methods=["GET"]),
        Route(f"{prefix}/openapi.json", described, methods=["GET"]),
    ]
    return service_app(routes, ready=ready, metrics=metrics, log=log, limit=limit)


def _read(query: QueryParams) -> tuple[Lookup, dict[str, object]]:
    """What is looked for, and which page of it. Raises ``FormatError`` that names the parameter."""
    given = dict(query)
    if len(given) != len(query.multi_items()):
        raise FormatError("a parameter is given twice")
    for name in given:
        if name not in (*_TEXTS, *_PAGE):
            raise FormatError("the parameter means nothing", where=name[:64], hint=f"There are: {', '.join((*_TEXTS, *_PAGE))}")
    page: dict[str, object] = {"after": given.get("after", "")}
    if (size := given.get("limit")) is not None:
        if not (size.isascii() and size.isdecimal() and len(size) < 4):
            raise FormatError(f"a page has 1 to {MAX_DIRECTORY_RESULTS} results", where="limit")
        page["limit"] = int(size)
    if (wanted := given.get("evidence", "true")) not in ("true", "false"):
        raise FormatError("this is neither true nor false", where="evidence")
    page["with_evidence"] = wanted == "true"
    return Lookup(**{name: given[name] for name in _TEXTS if name in given}), page
