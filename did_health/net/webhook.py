"""Posting JSON to a URL that somebody configured, a few times if it is not taken at once. The URL may hold a secret: no error names more than its host."""

from __future__ import annotations

from collections.abc import Callable
from time import sleep
from typing import Final

from did_health.errors import TransportError
from did_health.limits import MAX_NOTE_BYTES
from did_health.net.exchange import HTTPExchange

_ATTEMPTS: Final = 3
_LONGEST_WAIT: Final = 5
_REFUSED_HERE: Final = frozenset({"url_refused", "address_refused"})
_TAKEN: Final = range(200, 300)
_WORTH_RETRYING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class Webhook:
    """The receiver at ``url``; ``exchange`` keeps the guards, and is closed by whoever made it."""

    def __init__(self, url: str, exchange: HTTPExchange, *, wait: Callable[[float], None] = sleep) -> None:
        self._url, self._exchange, self._wait = url, exchange, wait

    def post(self, body: bytes) -> None:
        """Have a JSON document taken (any status 2xx), or raise ``TransportError``; then it may have been taken nevertheless."""
        for attempt in range(_ATTEMPTS):
            last = attempt == _ATTEMPTS - 1
            try:
                answer = self._exchange.post(self._url, body, content_type="application/json", max_bytes=MAX_NOTE_BYTES)
            except TransportError as error:
                if last or error.code in _REFUSED_HERE:
                    raise
                self._wait(1)
                continue
            if answer.status in _TAKEN:
                return
            if last or answer.status not in _WORTH_RETRYING:
                raise TransportError(f"the webhook answers with status {answer.status}", code="unexpected_status")
            self._wait(answer.wait_seconds(_LONGEST_WAIT))
