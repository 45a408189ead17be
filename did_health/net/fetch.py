"""Sources on the web, synchronous and asynchronous: GET with guards, bounds and one kind of error."""

from __future__ import annotations

import ssl
from types import TracebackType
from typing import TYPE_CHECKING, Final

from did_health.errors import TransportError
from did_health.limits import MAX_CONCURRENT_REQUESTS, MAX_RESPONSE_BYTES
from did_health.net.body import BoundedBody
from did_health.net.client import BlockingClient, Client
from did_health.net.target import Target, header
from did_health.roles.evidence import Need

if TYPE_CHECKING:
    import httpcore

_HEADERS: Final = ((b"Accept", b"*/*"), (b"Accept-Encoding", b"gzip"), (b"User-Agent", b"did-health"))
_NOTHING: Final = frozenset({404, 410})


class HTTPSource(BlockingClient):
    """``roles.evidence.Source`` over HTTPS; see ``net.client.Client`` for its arguments. Safe for several threads; close it after use."""

    def fetch(self, need: Need) -> bytes | None:
        """The bytes at ``need.url``, after at most ``MAX_REDIRECTS`` redirects; ``None`` if the answer is 404 or 410.

        Raises ``TransportError`` for a refused place, another status, too many bytes, a time-out, or any failure of TLS or HTTP.
        """
        from did_health.net.connections import deadline

        with deadline(self._timeout):
            target = Target(self._guard, need.url)
            while True:
                with target.errors(self._timeout), self._open().stream("GET", target.url, headers=_HEADERS) as response:
                    if target.follow(response):
                        continue
                    if (body := _body(response, need)) is None:
                        return None
                    for chunk in response.iter_stream():
                        body.feed(chunk)
                    return body.finish()


class AsyncHTTPSource(Client["httpcore.AsyncConnectionPool"]):
    """As ``HTTPSource``, for one event loop of asyncio or trio."""

    async def fetch(self, need: Need) -> bytes | None:
        """As ``HTTPSource.fetch``; the time-out includes name resolution."""
        from anyio import fail_after

        target = Target(self._guard, need.url)
        with target.errors(self._timeout), fail_after(self._timeout):
            while True:
                async with self._open().stream("GET", target.url, headers=_HEADERS) as response:
                    if target.follow(response):
                        continue
                    if (body := _body(response, need)) is None:
                        return None
                    async for chunk in response.aiter_stream():
                        body.feed(chunk)
                    return body.finish()

    async def aclose(self) -> None:
        """Close all connections; the source may be used again."""
        if self._pool:
            pool, self._pool = self._pool, None
            await pool.aclose()

    async def __aenter__(self) -> AsyncHTTPSource:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    def _new_pool(self, tls: ssl.SSLContext) -> httpcore.AsyncConnectionPool:
        import httpcore

        from did_health.net.connections import AsyncGuardedBackend

        return httpcore.AsyncConnectionPool(ssl_context=tls, max_connections=MAX_CONCURRENT_REQUESTS, network_backend=AsyncGuardedBackend(self._guard))


def _body(response: httpcore.Response, need: Need) -> BoundedBody | None:
    if response.status in _NOTHING:
        return None
    if response.status != 200:
        raise TransportError(f"the answer has status {response.status}", code="unexpected_status")
    return BoundedBody(
        min(need.max_bytes, MAX_RESPONSE_BYTES),
        encoding=header(response, b"content-encoding").strip().lower(),
        announced=header(response, b"content-length"),
    )
