"""Problem details for HTTP APIs, RFC 9457."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from did_health.encoding import strict_json

if TYPE_CHECKING:
    from starlette.responses import Response


NO_MEMBERS: Final[Mapping[str, str]] = MappingProxyType({})


def problem(status: HTTPStatus, detail: str, members: Mapping[str, str] = NO_MEMBERS) -> dict[str, object]:
    """The members of a problem without a type of its own (RFC 9457 §4.2.1): the title is the status's phrase. ``members`` are extensions."""
    return {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail, **members}


def problem_response(
    status: HTTPStatus, detail: str, *, headers: Mapping[str, str] | None = None, members: Mapping[str, str] = NO_MEMBERS
) -> Response:
    """The answer ``application/problem+json``; ``detail`` is a sentence for the caller and holds no internals."""
    from starlette.responses import Response

    body = strict_json.dumps(problem(status, detail, members))
    return Response(body, int(status), {"Cache-Control": "no-store", **(headers or {})}, media_type="application/problem+json")
