"""DID logs and status lists from the ledgers that host them, instead of from their own hosts: whoever verifies is then not seen by the issuer.

A ledger serves what it hosts of ``https://<host>/<path>`` at ``<ledger>/hosted/<host>/<path>`` too, and answers 421 for other hosts. What it
says is proved like anything else: by the ledger's checkpoint and its witnesses.
"""

from __future__ import annotations

from collections.abc import Sequence

from did_health.errors import TransportError
from did_health.net.gather import AsyncSource
from did_health.roles.evidence import Need, Source


def hosted_url(ledger_url: str, url: str) -> str | None:
    """Where a ledger with this URL serves ``url`` if it hosts it; ``None`` for what is below the ledger itself, or has no host and path."""
    scheme, _, place = url.partition("://")
    if url.startswith(f"{ledger_url}/") or scheme != "https" or "/" not in place or "?" in place or "#" in place or "@" in place:
        return None
    return f"{ledger_url}/hosted/{place}"


class HostedSource:
    """A ``Source`` of what the ledgers of ``ledger_urls`` host, fetched by ``source``; everything else is a ``TransportError`` (``not_hosted``)."""

    def __init__(self, source: Source, ledger_urls: Sequence[str]) -> None:
        self._source, self._ledger_urls = source, ledger_urls

    def fetch(self, need: Need) -> bytes | None:
        for place in _places(need, self._ledger_urls):
            try:
                return self._source.fetch(place)
            except TransportError:
                continue
        raise _not_hosted(need)


class AsyncHostedSource:
    """As ``HostedSource``, awaited."""

    def __init__(self, source: AsyncSource, ledger_urls: Sequence[str]) -> None:
        self._source, self._ledger_urls = source, ledger_urls

    async def fetch(self, need: Need) -> bytes | None:
        for place in _places(need, self._ledger_urls):
            try:
                return await self._source.fetch(place)
            except TransportError:
                continue
        raise _not_hosted(need)


def _places(need: Need, ledger_urls: Sequence[str]) -> list[Need]:
    if any(need.url.startswith(f"{url}/") for url in ledger_urls):
        return []
    return [Need(place, need.max_bytes) for url in ledger_urls if (place := hosted_url(url, need.url))]


def _not_hosted(need: Need) -> TransportError:
    return TransportError("no ledger of the policy hosts this", where=need.url, code="not_hosted")
