"""A ledger over HTTP: entries are submitted, and everything that is published is read.

::

    POST <prefix>/entries                       logs entries: 200 with proofs, 202 with receipts, or a problem (see ledger.submission_format)
    GET  <prefix>/checkpoint                    C2SP tlog-tiles: the checkpoint with its cosignatures
    GET  <prefix>/tile/…                        tiles and entry bundles
    GET  <prefix>/content/<SHA-256 hex>         a logged document by its hash
    GET  <prefix>/documents/<N>[.p/<W>]         the documents of the entries of a tile, for mirrors (see ledger.document_bundle)
    GET  <prefix>/latest/<subject hex>          the proof of a subject's newest entry, or that it has none (see ledger.latest)
    GET  <prefix>/hosted/<host>/<path>          what is hosted at https://<host>/<path>; 421 for a host of which nothing is
    GET  /<path>                                the same by the Host header: did.jsonl, did.json, did-witness.json, status lists
    GET  /healthz /readyz /metrics              for the operator

``prefix`` is the path of the ledger's URL. Refusals are problems of RFC 9457 whose ``code`` is that of the library's error; nothing is
written then. Submitting the same entries again is answered as before, so an answer that was lost does no harm. Needs the ``server`` extra.
"""

from __future__ import annotations

import re
from asyncio import shield, wait_for, wrap_future
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from did_health.errors import DidHealthError, FormatError, StoreError, UnsupportedError
from did_health.ledger.entry import Entry
from did_health.ledger.log import Submission
from did_health.ledger.submission_format import MEDIA_TYPE, encode_logged, encode_receipts, parse_request
from did_health.limits import MAX_SUBMISSION_BYTES, MAX_SUBMISSION_WAIT_SECONDS
from did_health.services.json_log import JSONLog
from did_health.services.metrics import Metrics
from did_health.services.operation import service_app
from did_health.services.problems import problem_response
from did_health.services.published import answered, path_of, published, published_for_ever
from did_health.services.rate_limit import RateLimit
from did_health.services.refusals import refusal
from did_health.services.request_body import read_body
from did_health.services.sequencing import Logged, Sequencing
from did_health.stores.embedded import EmbeddedLedger
from did_health.stores.front_end import FrontEnd
from did_health.stores.log_reader import LogReader

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

PUBLISHED_WITHIN: Final = timedelta(hours=24)
"""The deadline of a submission receipt: witnesses may be out for a night."""


def ledger_app(
    ledger: EmbeddedLedger,
    sequencing: Sequencing,
    *,
    clock: Callable[[], datetime],
    log: JSONLog,
    limit: RateLimit,
    metrics: Metrics,
    wait_seconds: float = MAX_SUBMISSION_WAIT_SECONDS,
) -> Starlette:
    """The ASGI app of an open ledger, which ``sequencing`` writes to. ``limit`` is for each client address."""
    from starlette.routing import Route

    metrics.counter("refusals", "Submissions refused, by status.")
    metrics.gauge("size", "Published leaves of the log.", lambda: _size(ledger))
    reception = _Reception(ledger, sequencing, clock, metrics, wait_seconds)
    routes = [Route(f"{urlsplit(ledger.url).path}/entries", reception.entries, methods=["POST"]), *log_routes(ledger), host_route([ledger])]
    return service_app(routes, ready=lambda: _ready(ledger), metrics=metrics, log=log, limit=limit)


def front_end_app(log_read: FrontEnd, *, log: JSONLog, limit: RateLimit, metrics: Metrics) -> Starlette:
    """The ASGI app of an open front end: everything that is read; who submits is told to ask the process that writes."""
    from starlette.routing import Route

    async def entries(_request: Request) -> Response:
        detail = "This front end only reads; submit to the ledger's own process"
        return problem_response(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "5"}, members={"code": "ledger_read_only"})

    metrics.gauge("size", "Published leaves of the log.", lambda: _size(log_read))
    routes = [Route(f"{path_below(log_read)}/entries", entries, methods=["POST"]), *log_routes(log_read), host_route([log_read])]
    return service_app(routes, ready=lambda: _ready(log_read), metrics=metrics, log=log, limit=limit)


def path_below(log: LogReader) -> str:
    """The path of a log's URL, below which it is served."""
    return urlsplit(log.url).path


def log_routes(log: LogReader) -> list[BaseRoute]:
    """The routes below a log's URL of everything that is read, the same for a ledger and a mirror of it."""
    from starlette.routing import Route

    place = urlsplit(log.url)
    base = f"{place.scheme}://{place.netloc}"
    changing, for_ever = published(log, lambda _host: base), published_for_ever(log, base)
    return [
        # Each kind has a route of its own, so that metrics tell them apart.
        *[Route(f"{place.path}/{kind}", for_ever, methods=["GET"]) for kind in ("tile/{tile:path}", "content/{digest}", "documents/{tile:path}")],
        *[Route(f"{place.path}/{kind}", changing, methods=["GET"]) for kind in ("checkpoint", "latest/{subject}")],
        Route(f"{place.path}/hosted/{{host}}/{{path:path}}", _hosted(log, f"{place.path}/hosted/"), methods=["GET"]),
    ]


def host_route(logs: Sequence[LogReader]) -> BaseRoute:
    """The route of every path that is left: what these logs host, by the Host header."""
    from starlette.routing import Route

    def found(request: Request) -> Response:
        host = request.headers.get("host", "").lower()
        named = ((log, name) for log in logs for name in (host, re.sub(r":\d+$", "", host)) if log.hosts(name))
        log, name = next(named, (logs[0], urlsplit(logs[0].url).netloc))
        return answered(log, f"https://{name}", path_of(request), request.headers)

    return Route("/{path:path}", found, methods=["GET"])


class _Reception:
    """Takes submissions, waits for their batch, and says how they stand."""

    def __init__(
        self, ledger: EmbeddedLedger, sequencing: Sequencing, clock: Callable[[], datetime], metrics: Metrics, wait_seconds: float
    ) -> None:
        self._ledger, self._sequencing, self._clock, self._metrics, self._wait = ledger, sequencing, clock, metrics, wait_seconds

    async def entries(self, request: Request) -> Response:
        """The endpoint."""
        from starlette.concurrency import run_in_threadpool

        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
            return self._counted(problem_response(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Entries are submitted as {MEDIA_TYPE}"))
        body = await read_body(request, max_bytes=MAX_SUBMISSION_BYTES)
        try:
            submissions, entries = await run_in_threadpool(_parsed, body)
            outcome = self._sequencing.offer(submissions)
        except DidHealthError as error:
            return self._counted(refusal(error))
        waiting = wrap_future(outcome)
        # Whoever stops waiting does not ask why it failed, and asyncio would complain of that.
        waiting.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            logged = await wait_for(shield(waiting), self._wait)
        except (DidHealthError, TimeoutError) as error:
            return self._counted(await run_in_threadpool(self._standing, entries, outcome, error))
        return _logged(logged)

    def _standing(self, entries: Sequence[Entry], outcome: Future[Logged], error: Exception) -> Response:
        """Why there are no proofs: refused; or kept, and published later; or logged before, by an earlier request with the same entries."""
        # Taken back, if their batch has not begun.
        taken_back = outcome.cancel()
        if not taken_back and all(self._ledger.keeps(entry) for entry in entries):
            logged = self._ledger.logged(entries)
            return _logged(logged) if logged else self._receipts(entries)
        if isinstance(error, DidHealthError):
            return refusal(error)
        if taken_back:
            return refusal(StoreError("the ledger has too much to do", code="ledger_busy"))
        # A batch that is under way may still log them, and whoever asks again will be told.
        detail = "The batch with these entries is not finished; submit them again to learn what became of them"
        members = {"code": "submission_waiting"}
        return problem_response(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "5"}, members=members)

    def _receipts(self, entries: Sequence[Entry]) -> Response:
        deadline = self._clock() + PUBLISHED_WITHIN
        receipts = [self._ledger.promise(entry.digest, deadline) for entry in entries]
        return _answer(encode_receipts(receipts), HTTPStatus.ACCEPTED)

    def _counted(self, response: Response) -> Response:
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            self._metrics.count("refusals", status=str(response.status_code))
        return response


def _parsed(body: bytes) -> tuple[tuple[Submission, ...], list[Entry]]:
    submissions = parse_request(body)
    return submissions, [_entry(submission, number) for number, submission in enumerate(submissions)]


def _entry(submission: Submission, number: int) -> Entry:
    try:
        return Entry.parse(submission.entry)
    except (FormatError, UnsupportedError) as error:
        error.where = f"entry {number} {error.where}".rstrip()
        raise


def _logged(logged: Logged) -> Response:
    return _answer(encode_logged(logged), HTTPStatus.OK)


def _answer(body: bytes, status: HTTPStatus) -> Response:
    from starlette.responses import Response

    return Response(body, int(status), {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store"})


def _hosted(ledger: LogReader, before: str) -> Callable[[Request], Response]:
    def hosted(request: Request) -> Response:
        host, _, path = path_of(request).removeprefix(before).partition("/")
        host = host.lower().replace("%3a", ":")
        if not ledger.hosts(host):
            return problem_response(HTTPStatus.MISDIRECTED_REQUEST, "Nothing of this host is published here")
        return answered(ledger, f"https://{host}", f"/{path}", request.headers)

    return hosted


def _ready(ledger: LogReader) -> None:
    # Reads the checkpoint row.
    ledger.size  # noqa: B018


def _size(ledger: LogReader) -> dict[tuple[tuple[str, str], ...], float]:
    try:
        return {(): ledger.size}
    except StoreError:
        # Metrics are wanted most when something fails.
        return {}
