"""Problem details for HTTP APIs, RFC 9457."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from did_health.encoding import strict_json

if TYPE_CHECKING:
    from starlette.responses import Response


def problem(status: HTTPStatus, detail: str) -> dict[str, object]:
    """The members of a problem without a type of its own (RFC 9457 §4.2.1): the title is the status's phrase."""
    return {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail}


def problem_response(status: HTTPStatus, detail: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """The answer ``application/problem+json``; ``detail`` is a sentence for the caller and holds no internals."""
    from starlette.responses import Response

    return Response(
        strict_json.dumps(problem(status, detail)), int(status), {"Cache-Control": "no-store", **(headers or {})}, media_type="application/problem+json"
    )
