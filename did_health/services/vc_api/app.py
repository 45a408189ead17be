"""The VC-API over HTTP.

::

    POST /credentials/issue, /issuers/<name>/credentials/issue    201 {"verifiableCredential"}
    POST /credentials/status, /issuers/<name>/credentials/status  200
    POST /credentials/verify                                      200 {"verified": true}, 400 with what was wrong
    POST /credentials/derive                                      201 the credential
    POST /presentations/prove                                     201 {"verifiablePresentation"}
    POST /presentations/verify                                    200 {"verified": true}, 400 with what was wrong
    GET  /status/<name>/<purpose>, /issuers, /openapi.json

Whatever is refused is a problem of RFC 9457 with the type that the specifications have for it. A document that does not verify is answered
with 400 too, as conformance tests expect, and its problem carries the result. Needs the ``server`` extra.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeAlias

from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import ConflictError, DidHealthError, EdgeError, ResolutionError
from did_health.limits import MAX_DOCUMENT_BYTES
from did_health.services import openapi
from did_health.services.bearer import BearerTokens
from did_health.services.json_log import JSONLog
from did_health.services.media_ranges import preferred
from did_health.services.metrics import Metrics
from did_health.services.operation import service_app
from did_health.services.problems import problem_response
from did_health.services.rate_limit import RateLimit
from did_health.services.request_body import read_body
from did_health.services.vc_api import issuing, verifying
from did_health.services.vc_api.instance import Instance
from did_health.services.vc_api.issuers import Issuer
from did_health.services.vc_api.openapi import document as openapi_document
from did_health.services.vc_api.requests import Body
from did_health.services.vc_api.status_lists import TIME_TO_LIVE
from did_health.services.vc_api.verifying import Findings
from did_health.vc import media_types
from did_health.vc.problem_details import MEDIA_TYPE, problem_details

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

Action: TypeAlias = "Callable[[Body, Issuer | None], Response]"

_JSON: Final = frozenset({"", "application/json", "application/ld+json", media_types.CREDENTIAL, media_types.PRESENTATION})


def vc_api_app(instance: Instance, *, tokens: BearerTokens, log: JSONLog, limit: RateLimit, metrics: Metrics | None = None) -> Starlette:
    """The ASGI app of ``instance``; a POST needs one of ``tokens`` if there are any. ``limit`` is for each client address."""
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import Response
    from starlette.routing import Route

    def post(path: str, action: Action) -> Route:
        def decided(body: bytes, issuer: Issuer | None) -> Response:
            try:
                return action(Body.parse(body), issuer)
            except DidHealthError as error:
                return _refused(error)

        async def endpoint(request: Request) -> Response:
            if (refusal := tokens.refusal(request)) is not None:
                return refusal
            if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _JSON:
                return problem_response(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body has to be JSON")
            name = request.path_params.get("issuer")
            if name is not None and name not in instance.issuers:
                return problem_response(HTTPStatus.NOT_FOUND, "There is no such issuer; GET /issuers names them")
            body = await read_body(request, max_bytes=MAX_DOCUMENT_BYTES)
            return await run_in_threadpool(decided, body, None if name is None else instance.issuers[name])

        return Route(path, endpoint, methods=["POST"])

    def issue(body: Body, issuer: Issuer | None) -> Response:
        return _created({"verifiableCredential": issuing.issue(instance, body.document("credential"), body.securing(), issuer)})

    def update(body: Body, _issuer: Issuer | None) -> Response:
        wanted = body.status_update()
        instance.status_lists.update(wanted.credential_id, wanted.purpose, wanted.value, index=wanted.index, list_url=wanted.list_url)
        return _answer({})

    def derive(body: Body, _issuer: Issuer | None) -> Response:
        return _created(issuing.derive(instance, body.document("verifiableCredential"), body.selective_pointers()))

    def prove(body: Body, _issuer: Issuer | None) -> Response:
        return _created({"verifiablePresentation": issuing.prove(instance, body.document("presentation"), body.securing())})

    def verify_credential(body: Body, _issuer: Issuer | None) -> Response:
        document, options = body.document("verifiableCredential"), body.verifying()
        return _result(verifying.verify_credential(instance, document, options), "verifiableCredential", document if options.return_document else None)

    def verify_presentation(body: Body, _issuer: Issuer | None) -> Response:
        secured = "verifiablePresentation" in body.members or "presentation" not in body.members
        document, options = body.document("verifiablePresentation" if secured else "presentation"), body.verifying()
        verify = verifying.verify_presentation if secured else verifying.verify_unsecured
        return _result(verify(instance, document, options), "verifiablePresentation", document if options.return_document else None)

    async def status_list(request: Request) -> Response:
        content = await run_in_threadpool(instance.status_lists.document, instance.base_url + request.url.path)
        if content is None:
            return problem_response(HTTPStatus.NOT_FOUND, "There is no such status list")
        media_type = preferred(request.headers.get("accept", ""), media_types.CREDENTIAL_FORMS)
        kept = f"public, max-age={int(TIME_TO_LIVE.total_seconds())}"
        return Response(content, headers={"Content-Type": media_type, "Cache-Control": kept, "Vary": "Accept", "Access-Control-Allow-Origin": "*"})

    async def issuers(_request: Request) -> Response:
        return _answer(described(instance))

    async def described_api(_request: Request) -> Response:
        return openapi.response(openapi_document(instance.issuers, bearer=tokens.demanded))

    routes = [
        post("/credentials/issue", issue),
        post("/issuers/{issuer}/credentials/issue", issue),
        post("/credentials/status", update),
        post("/issuers/{issuer}/credentials/status", update),
        post("/credentials/verify", verify_credential),
        post("/credentials/derive", derive),
        post("/presentations/prove", prove),
        post("/presentations/verify", verify_presentation),
        Route("/status/{list}/{purpose}", status_list, methods=["GET"]),
        Route("/issuers", issuers, methods=["GET"]),
        Route("/openapi.json", described_api, methods=["GET"]),
    ]
    return service_app(routes, ready=lambda: None, metrics=metrics or Metrics("vc_api"), log=log, limit=limit)


def described(instance: Instance) -> JSONObject:
    """Every issuer by name, as a tester needs it: its DID, its verification method, its path."""
    return {
        name: {
            "id": issuer.party.did,
            "verificationMethod": issuer.party.verification_method,
            "suite": issuer.securing.name,
            "keyType": str(issuer.party.algorithm),
            "path": f"/issuers/{name}/credentials/issue",
        }
        for name, issuer in instance.issuers.items()
    }


def _answer(content: JSON, status: HTTPStatus = HTTPStatus.OK, media_type: str = "application/json") -> Response:
    from starlette.responses import Response

    return Response(strict_json.dumps(content), int(status), {"Cache-Control": "no-store"}, media_type=media_type)


def _created(content: JSONObject) -> Response:
    return _answer(content, HTTPStatus.CREATED)


def _result(findings: Findings, name: str, document: JSONObject | None) -> Response:
    """The result of a verification (the published shape); where something was wrong it is a problem as well."""
    result: JSONObject = {"verified": findings.verified, "problemDetails": findings.problems, "results": findings.results}
    if document is not None:
        result[name] = document
    if findings.verified:
        return _answer(result)
    first = findings.problems[0]
    status = HTTPStatus.BAD_REQUEST
    return _answer({"type": first["type"], "title": first["title"], "status": int(status), "detail": first["detail"], **result}, status, MEDIA_TYPE)


def _refused(error: DidHealthError) -> Response:
    if isinstance(error, ConflictError):
        return problem_response(HTTPStatus.CONFLICT, error.what, members={"where": error.where} if error.where else {})
    if isinstance(error, EdgeError):
        # Of the outside world only that it failed.
        raise error
    status = HTTPStatus.NOT_FOUND if isinstance(error, ResolutionError) else HTTPStatus.BAD_REQUEST
    return _answer(problem_details(error, int(status)), status, MEDIA_TYPE)
