"""Sources on the web, synchronous and asynchronous: GET with guards, bounds and one kind of error.

No proxy, cookie, netrc or environment variable is used: each would be a way around the guard, or would tell servers who asks.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Final

from did_health.errors import TransportError
from did_health.limits import MAX_CONCURRENT_REQUESTS, MAX_REDIRECTS, MAX_RESPONSE_BYTES, MAX_URL_CHARACTERS, REQUEST_TIMEOUT_SECONDS
from did_health.net.body import BoundedBody
from did_health.net.guards import Guard, Resolver, resolve_by_system
from did_health.roles.evidence import Need

if TYPE_CHECKING:
    import httpcore
    import httpx

_HEADERS: Final = ((b"Accept", b"*/*"), (b"Accept-Encoding", b"gzip"), (b"User-Agent", b"did-health"))
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_NOTHING: Final = frozenset({404, 410})


class HTTPSource:
    """``roles.evidence.Source`` over HTTPS; see ``net.guards`` for where it goes. Safe for several threads; close it after use.

    ``allow_hosts`` names hosts (``name`` or ``name:port``) that may have a private address and be spoken to without TLS;
    ``timeout_seconds`` bounds a whole fetch, except for the system's name resolution; ``ssl_context`` replaces the certificates that
    httpx trusts; ``resolve`` replaces the system's resolver.
    """

    def __init__(
        self,
        allow_hosts: Iterable[str] = frozenset(),
        *,
        timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
        ssl_context: ssl.SSLContext | None = None,
        resolve: Resolver = resolve_by_system,
    ) -> None:
        self._guard = Guard(frozenset(name.lower() for name in allow_hosts), resolve)
        self._timeout = timeout_seconds
        self._ssl_context = ssl_context
        self._lock = Lock()
        self._pool: httpcore.ConnectionPool | None = None

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

    def close(self) -> None:
        """Close all connections; the source may be used again."""
        with self._lock:
            if self._pool:
                self._pool.close()
                self._pool = None

    def __enter__(self) -> HTTPSource:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _open(self) -> httpcore.ConnectionPool:
        import httpcore

        from did_health.net.connections import GuardedBackend

        with self._lock:
            if not self._pool:
                self._pool = httpcore.ConnectionPool(
                    ssl_context=self._ssl_context or trusting_public_authorities(), network_backend=GuardedBackend(self._guard)
                )
            return self._pool


class AsyncHTTPSource:
    """As ``HTTPSource``, for one event loop of asyncio or trio."""

    def __init__(
        self,
        allow_hosts: Iterable[str] = frozenset(),
        *,
        timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
        ssl_context: ssl.SSLContext | None = None,
        resolve: Resolver = resolve_by_system,
    ) -> None:
        self._guard = Guard(frozenset(name.lower() for name in allow_hosts), resolve)
        self._timeout = timeout_seconds
        self._ssl_context = ssl_context
        self._pool: httpcore.AsyncConnectionPool | None = None

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

    def _open(self) -> httpcore.AsyncConnectionPool:
        import httpcore

        from did_health.net.connections import AsyncGuardedBackend

        if not self._pool:
            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=self._ssl_context or trusting_public_authorities(),
                max_connections=MAX_CONCURRENT_REQUESTS,
                network_backend=AsyncGuardedBackend(self._guard),
            )
        return self._pool


class Target:
    """Where a request stands: the URL to ask next, checked, and how many redirects led to it."""

    def __init__(self, guard: Guard, url: str) -> None:
        import httpx

        self._guard = guard
        self._redirects = 0
        self._place = "the URL"
        if len(url) > MAX_URL_CHARACTERS:
            raise TransportError(f"the URL has more than {MAX_URL_CHARACTERS} characters", code="url_refused")
        with _malformed_url():
            self._go(httpx.URL(url))

    @property
    def url(self) -> httpcore.URL:
        """The URL to ask next."""
        import httpcore

        return httpcore.URL(scheme=self._url.raw_scheme, host=self._url.raw_host, port=self._url.port, target=self._url.raw_path)

    def follow(self, response: httpcore.Response) -> bool:
        """Whether the response is a redirect, which is then the place to ask next. Raises ``TransportError`` if it is refused."""
        if response.status not in _REDIRECTS:
            return False
        self._redirects += 1
        location = header(response, b"location")
        if self._redirects > MAX_REDIRECTS:
            raise TransportError(f"{self._place} redirects more than {MAX_REDIRECTS} times", code="too_many_redirects")
        if not location or len(location) > MAX_URL_CHARACTERS:
            raise TransportError(f"{self._place} redirects without saying where, or too lengthily", code="malformed_response")
        with _malformed_url():
            self._go(self._url.join(location))
        return True

    @contextmanager
    def errors(self, seconds: float) -> Iterator[None]:
        """Every failure of a connection as ``TransportError``, which names the host and never path, query or content."""
        import httpcore

        try:
            yield
        except TransportError as error:
            if self._place in error.what:
                raise
            raise TransportError(error.what, where=self._place, hint=error.hint, code=error.code) from error
        except (httpcore.TimeoutException, TimeoutError) as error:
            raise TransportError(f"{self._place} did not answer in full within {seconds:g} s", code="timeout") from error
        except httpcore.ConnectError as error:
            raise TransportError(f"no connection to {self._place}", hint=f"The system says: {error}"[:200], code="no_connection") from error
        # h11's words for what it refuses hold bytes of the answer, so they are left out.
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, OSError) as error:
            raise TransportError(f"the connection to {self._place} broke, or what came is not HTTP", code="broken_connection") from error

    def _go(self, url: httpx.URL) -> None:
        port = url.port or (443 if url.scheme == "https" else 80)
        host = url.raw_host.decode("ascii")
        self._guard.check_url(url.scheme, host, port, has_credentials=bool(url.userinfo))
        self._url, self._place = url, host


@contextmanager
def _malformed_url() -> Iterator[None]:
    import httpx

    try:
        yield
    except (httpx.InvalidURL, ValueError) as error:
        raise TransportError("the URL is malformed", code="url_refused") from error


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


def header(response: httpcore.Response, name: bytes) -> str:
    """The first header of this name (in lower case), or an empty text."""
    return next((value.decode("latin-1") for key, value in response.headers if key.lower() == name), "")


def trusting_public_authorities() -> ssl.SSLContext:
    """TLS with the certificate authorities that httpx brings, whatever the environment says."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)
