"""Bearer tokens (RFC 6750) that a service accepts: compared in constant time, kept as digests, never logged."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from did_health.errors import FormatError
from did_health.limits import MAX_BEARER_TOKENS, MAX_SETTING_CHARACTERS
from did_health.services.problems import problem_response

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

# RFC 6750 §2.1: b64token.
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)
_MIN_CHARACTERS: Final = 16


class BearerTokens:
    """The tokens of which a request has to bring one; without any, every request is let through."""

    __slots__ = ("_digests",)

    def __init__(self, tokens: Iterable[str] = ()) -> None:
        self._digests = tuple(hashlib.sha256(token.encode()).digest() for token in tokens)

    @classmethod
    def parse(cls, text: str) -> BearerTokens:
        """Tokens one a line; blank lines and lines that begin with # count for nothing. Raises ``FormatError``, which quotes no token."""
        lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
        found = [(number, line) for number, line in lines if line and not line.startswith("#")]
        if not 0 < len(found) <= MAX_BEARER_TOKENS:
            raise FormatError(f"the file holds {len(found)} tokens, not 1 to {MAX_BEARER_TOKENS}")
        for number, line in found:
            if not _MIN_CHARACTERS <= len(line) <= MAX_SETTING_CHARACTERS or not _TOKEN.fullmatch(line):
                hint = f"It has at least {_MIN_CHARACTERS} letters, digits and characters of -._~+/, such as `openssl rand -hex 32` gives"
                raise FormatError("not a bearer token", where=f"line {number}", hint=hint)
        return cls(line for _, line in found)

    @property
    def demanded(self) -> bool:
        """Whether a request has to bring one."""
        return bool(self._digests)

    def accept(self, authorization: str) -> bool:
        """Whether a header ``Authorization`` (empty if there is none) brings one; in a time that tells nothing about the tokens."""
        if not self._digests:
            return True
        scheme, _, token = authorization.partition(" ")
        given = hashlib.sha256(token.strip().encode("utf-8", "surrogateescape")).digest()
        matches = [hmac.compare_digest(given, digest) for digest in self._digests]
        return scheme.lower() == "bearer" and any(matches)

    def refusal(self, request: Request) -> Response | None:
        """The answer 401 to a request that brings none; ``None`` to one that may go on."""
        given = request.headers.get("authorization", "")
        if self.accept(given):
            return None
        challenge = 'Bearer error="invalid_token"' if given else "Bearer"
        return problem_response(HTTPStatus.UNAUTHORIZED, "The request needs a bearer token that is accepted here", headers={"WWW-Authenticate": challenge})
