"""Asking another trust registry (ToIP TRQP 2.0, HTTPS binding). What it says is its word: nothing of it is proved here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from did_health.errors import FormatError, TransportError
from did_health.limits import MAX_TRQP_ANSWER_AGE_SECONDS, MAX_TRQP_ANSWER_BYTES, MAX_URL_CHARACTERS
from did_health.net.exchange import HTTPExchange
from did_health.trust.trqp.answer import Answer
from did_health.trust.trqp.query import Query

_JSON: Final = "application/json"
_PROBLEM: Final = "application/problem+json"
_MAX_AGE: Final = timedelta(seconds=MAX_TRQP_ANSWER_AGE_SECONDS)


class TrustRegistryClient:
    """The registry at ``base_url``, asked by ``exchange``, which says where requests may go: without one that the caller made, nobody is asked.

    ``clock`` gives the time (aware UTC). Safe for several threads. Raises ``FormatError`` for what is no URL of a registry.
    """

    def __init__(self, base_url: str, exchange: HTTPExchange, *, clock: Callable[[], datetime]) -> None:
        scheme, _, place = base_url.partition("://")
        if scheme not in ("https", "http") or not place or any(character in place for character in "?#@ ") or len(base_url) > MAX_URL_CHARACTERS // 2:
            raise FormatError("this is no URL of a trust registry", hint="Write it as https://registry.example or https://host.example/registry")
        self.base_url = base_url.rstrip("/")
        self._exchange, self._clock = exchange, clock

    def ask(self, query: Query) -> Answer | None:
        """Its answer; ``None`` if it knows no such entity, authority, action or resource, which is not a yes (section "Error Handling").

        Raises ``TransportError`` if it cannot be told what the registry says: it does not answer, is busy or stale, answers another question,
        for another time, or by a clock that is minutes from this one (``answer_stale``).
        """
        answer = self._exchange.post(f"{self.base_url}/{query.kind}", query.to_json(), content_type=_JSON, max_bytes=MAX_TRQP_ANSWER_BYTES)
        if answer.status == 404 and answer.content_type == _PROBLEM:
            return None
        if answer.status != 200:
            hint = "It does not know at the moment: ask again later" if answer.status in (429, 503) else ""
            raise TransportError(f"the trust registry answers with status {answer.status}", where=self.base_url, hint=hint, code="unexpected_status")
        if answer.content_type != _JSON:
            raise TransportError("the trust registry does not answer in JSON", where=self.base_url, code="malformed_response")
        try:
            found = Answer.parse(query, answer.body)
        except FormatError as error:
            raise TransportError(f"the trust registry's answer is of no use: {error.what}", where=self.base_url, code="malformed_response") from error
        if abs(self._clock() - found.time_evaluated) > _MAX_AGE:
            raise TransportError("the trust registry's answer is old, or its clock is wrong", where=self.base_url, code="answer_stale")
        return found
