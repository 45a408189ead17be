"""Bodies of requests, bounded in bytes and in time while they arrive."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from did_health.limits import MAX_BODY_SECONDS

if TYPE_CHECKING:
    from starlette.requests import Request


class BodyRefused(Exception):
    """The body is not read on; answered as a problem with ``status`` and ``detail``."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


async def read_body(request: Request, *, max_bytes: int, seconds: float = MAX_BODY_SECONDS) -> bytes:
    """The whole body. Raises ``BodyRefused``: 413 for more than ``max_bytes``, 408 for one that takes too long, 415 for a compressed one.

    The media type is not looked at: C2SP's requests have none, and parsers judge the bytes alone.
    """
    from anyio import fail_after
    from starlette.requests import ClientDisconnect

    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise BodyRefused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must not be compressed")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and (len(announced) > 19 or int(announced) > max_bytes):
        raise _too_large(max_bytes)
    parts: list[bytes] = []
    size = 0
    try:
        with fail_after(seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size > max_bytes:
                    raise _too_large(max_bytes)
                parts.append(chunk)
    except TimeoutError as error:
        raise BodyRefused(HTTPStatus.REQUEST_TIMEOUT, "The body took too long to arrive") from error
    except ClientDisconnect as error:
        raise BodyRefused(HTTPStatus.BAD_REQUEST, "The body did not arrive as a whole") from error
    return b"".join(parts)


def _too_large(max_bytes: int) -> BodyRefused:
    return BodyRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body has more than the {max_bytes} bytes allowed")
