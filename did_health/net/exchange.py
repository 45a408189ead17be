"""One request and its answer, whatever its status: for the protocols of services, where a refusal is an answer like another.

The guards, the deadline and the bounds are those of ``net.fetch``. Redirects are not followed: whoever is asked to write answers itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from did_health.limits import MAX_RESPONSE_BYTES
from did_health.net.body import BoundedBody
from did_health.net.client import BlockingClient
from did_health.net.target import Target, header


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said: nothing of it is believed yet."""

    status: int
    content_type: str
    """The media type in lower case, without parameters; empty if there is none."""
    body: bytes
    retry_after: str = ""
    """The header ``Retry-After`` as it came."""

    def wait_seconds(self, longest: int) -> int:
        """How long it asks to wait, within reason; a second if it does not say so in seconds."""
        asked = self.retry_after
        return min(int(asked), longest) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 1


class HTTPExchange(BlockingClient):
    """Asks servers over HTTPS; see ``net.client.Client`` for its arguments. Safe for several threads; close it after use."""

    def get(self, url: str, *, max_bytes: int = MAX_RESPONSE_BYTES) -> Answer:
        """The answer to a GET. Raises ``TransportError`` as ``HTTPSource.fetch``, but never for a status."""
        return self._ask("GET", url, b"", "", max_bytes)

    def post(self, url: str, body: bytes, *, content_type: str, max_bytes: int = MAX_RESPONSE_BYTES) -> Answer:
        """The answer to a POST; whether the server acted on it is not known if this raises ``TransportError``."""
        return self._ask("POST", url, body, content_type, max_bytes)

    def _ask(self, method: str, url: str, body: bytes, content_type: str, max_bytes: int) -> Answer:
        from did_health.net.connections import deadline

        target = Target(self._guard, url)
        headers = [(b"Accept", b"*/*"), (b"Accept-Encoding", b"identity"), (b"User-Agent", b"did-health")]
        if method == "POST":
            headers += [(b"Content-Type", content_type.encode("ascii")), (b"Content-Length", b"%d" % len(body))]
        with (
            deadline(self._timeout),
            target.errors(self._timeout),
            self._open().stream(method, target.url, headers=headers, content=body or None) as response,
        ):
            bounded = BoundedBody(max_bytes, encoding=header(response, b"content-encoding").strip().lower(), announced=header(response, b"content-length"))
            for chunk in response.iter_stream():
                bounded.feed(chunk)
            media_type = header(response, b"content-type").partition(";")[0].strip().lower()
            return Answer(response.status, media_type, bounded.finish(), header(response, b"retry-after"))
