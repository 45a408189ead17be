"""What asks servers over HTTPS: where it may go, how long that may take, and the connections that it keeps.

No proxy, cookie, netrc or environment variable is used: each would be a way around the guard, or would tell servers who asks.
"""

from __future__ import annotations

import ssl
from abc import ABC, abstractmethod
from collections.abc import Iterable
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from did_health.limits import REQUEST_TIMEOUT_SECONDS
from did_health.net.guards import Guard, Resolver, resolve_by_system

if TYPE_CHECKING:
    import httpcore

Pool = TypeVar("Pool")


class Client(ABC, Generic[Pool]):
    """Goes where ``net.guards`` permits; opens its connections when they are first needed.

    ``allow_hosts`` names hosts (``name`` or ``name:port``) that may have a private address and be spoken to without TLS;
    ``timeout_seconds`` bounds a whole request, except for the system's name resolution; ``ssl_context`` replaces the certificates that
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
        self._pool: Pool | None = None

    def _open(self) -> Pool:
        import httpx

        with self._lock:
            if not self._pool:
                # The certificate authorities that httpx brings, whatever the environment says.
                self._pool = self._new_pool(self._ssl_context or httpx.create_ssl_context(trust_env=False))
            return self._pool

    @abstractmethod
    def _new_pool(self, tls: ssl.SSLContext) -> Pool: ...


class BlockingClient(Client["httpcore.ConnectionPool"]):
    """A client whose calls return when all has come. Safe for several threads; close it after use."""

    def close(self) -> None:
        """Close all connections; the client may be used again."""
        with self._lock:
            if self._pool:
                self._pool.close()
                self._pool = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _new_pool(self, tls: ssl.SSLContext) -> httpcore.ConnectionPool:
        import httpcore

        from did_health.net.connections import GuardedBackend

        return httpcore.ConnectionPool(ssl_context=tls, network_backend=GuardedBackend(self._guard))
