"""Errors of our tree as problems of RFC 9457, and back: what a ledger service refuses reaches the caller as the error it would raise here.

A problem has the members ``code`` (``DidHealthError.code``) and, where they say something, ``where`` and ``hint``.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from did_health.errors import ConflictError, DidHealthError, EdgeError, FormatError, UnsupportedError
from did_health.ledger.submission_format import TOO_LARGE
from did_health.services.problems import problem_response

if TYPE_CHECKING:
    from starlette.responses import Response

_RETRY_SECONDS: Final = "5"
# The rate counts an hour back, so it falls a little every minute.
_RATE_SECONDS: Final = "60"
_STATUS: Final[Mapping[str, HTTPStatus]] = MappingProxyType({
    TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "rate_exceeded": HTTPStatus.TOO_MANY_REQUESTS,
    "entry_superseded": HTTPStatus.CONFLICT,
    "entry_out_of_order": HTTPStatus.CONFLICT,
    "already_revoked": HTTPStatus.CONFLICT,
    "ledger_conflict": HTTPStatus.CONFLICT,
    "author_unknown": HTTPStatus.FORBIDDEN,
    "author_not_entitled": HTTPStatus.FORBIDDEN,
    "entry_signature_invalid": HTTPStatus.FORBIDDEN,
    "map_head_reserved": HTTPStatus.FORBIDDEN,
})


def status_of(error: DidHealthError) -> HTTPStatus:
    """The status by which a refused submission is answered: by the error's code, else by its class."""
    if error.code in _STATUS:
        return _STATUS[error.code]
    if isinstance(error, EdgeError):
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.BAD_REQUEST if isinstance(error, FormatError | UnsupportedError) else HTTPStatus.UNPROCESSABLE_ENTITY


def refusal(error: DidHealthError) -> Response:
    """The answer to a submission that ``error`` refuses. Of an error of the store only the code leaves the service."""
    status = status_of(error)
    headers = {}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = _RETRY_SECONDS
    elif status is HTTPStatus.TOO_MANY_REQUESTS:
        headers["Retry-After"] = _RATE_SECONDS
    if isinstance(error, EdgeError) and not isinstance(error, ConflictError):
        return problem_response(status, "The ledger cannot write at the moment; nothing was written", headers=headers, members={"code": error.code})
    members = {name: value for name, value in (("code", error.code), ("where", error.where), ("hint", error.hint)) if value}
    return problem_response(status, error.what, headers=headers, members=members)
