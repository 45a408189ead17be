"""Where a request stands: the URL to ask, its redirects, and what goes wrong on the way, as one kind of error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from did_health.errors import TransportError
from did_health.limits import MAX_REDIRECTS, MAX_URL_CHARACTERS
from did_health.net.guards import Guard

if TYPE_CHECKING:
    import httpcore
    import httpx

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


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


def header(response: httpcore.Response, name: bytes) -> str:
    """The first header of this name (in lower case), or an empty text."""
    return next((value.decode("latin-1") for key, value in response.headers if key.lower() == name), "")
