"""A log that is read over HTTP as C2SP tlog-tiles say, and its documents: what a mirror copies from, or a monitor looks at.

Nothing it says is believed: leaf hashes have to give a signed root, entries their leaf hashes, and documents their digests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import sleep
from typing import Final

from did_health.errors import FormatError, TransportError
from did_health.ledger.document_bundle import documents_path, parse_documents
from did_health.limits import MAX_CONCURRENT_REQUESTS, MAX_DOCUMENT_BUNDLE_BYTES, MAX_DOCUMENT_BYTES, MAX_ENTRY_BYTES, MAX_NOTE_BYTES
from did_health.net.exchange import HTTPExchange
from did_health.tlog.lines import HASH_BYTES
from did_health.tlog.merkle import leaf_hash
from did_health.tlog.tiles import FULL_WIDTH, Tile, parse_bundle, parse_tile

_OK: Final = 200
_NOTHING: Final = frozenset({404, 410})
_BUSY: Final = frozenset({429, 503})
_ATTEMPTS: Final = 4
_LONGEST_WAIT: Final = 5
_MAX_BUNDLE_BYTES: Final = FULL_WIDTH * (MAX_ENTRY_BYTES + 2)


class FollowedLog:
    """The log below ``url``; implements ``stores.mirror.LogSource``. Safe for several threads; ``exchange`` is closed by whoever made it."""

    def __init__(self, url: str, exchange: HTTPExchange) -> None:
        self.url = url.rstrip("/")
        self._exchange = exchange

    def checkpoint(self) -> bytes | None:
        """The published checkpoint as it came; ``None`` while there is none. Raises ``TransportError``."""
        return self._get("checkpoint", MAX_NOTE_BYTES)

    def leaf_hashes(self, start: int, size: int) -> Iterator[bytes]:
        """The hashes of the leaves from ``start`` on in the tree of ``size``, from its tiles. Raises ``TransportError``."""
        for tile in _tiles(start, size):
            yield from self.tile_hashes(tile)[max(0, start - tile.start) :]

    def entries(self, start: int, size: int, expected: Sequence[bytes]) -> Iterator[bytes]:
        """The leaves from ``start`` to ``size``, each with the hash that is ``expected``. Raises ``TransportError``."""
        position = start
        for tile in _tiles(start, size):
            for data in self._bundle(tile)[max(0, start - tile.start) :]:
                if leaf_hash(data) != expected[position - start]:
                    raise _unusable(f"entry {position} is not the one that the tree has")
                yield data
                position += 1

    def documents(self, start: int, end: int, digests: Collection[bytes]) -> dict[bytes, bytes]:
        """Documents by their SHA-256, of the leaves from ``start`` to ``end``: from bundles, as far as the log has any, and the others one
        by one, several at a time. Raises ``TransportError`` if one is missing or another.
        """
        found: dict[bytes, bytes] = {}
        if len(digests) > 1:
            for tile in _tiles(start, end):
                found.update([(digest, document) for digest, document in self._bundled(tile) if digest in digests])
        wanted = [digest for digest in digests if digest not in found]
        with ThreadPoolExecutor(min(MAX_CONCURRENT_REQUESTS, max(1, len(wanted)))) as workers:
            return found | dict(zip(wanted, workers.map(self._content, wanted), strict=True))

    def _bundled(self, tile: Tile) -> list[tuple[bytes, bytes]]:
        data = self._get(documents_path(tile), MAX_DOCUMENT_BUNDLE_BYTES)
        if data is None:
            return []
        try:
            return [(hashlib.sha256(document).digest(), document) for document in parse_documents(data, tile.width)]
        except FormatError as error:
            raise _unusable(error.what) from error

    def _content(self, digest: bytes) -> bytes:
        data = self._needed(f"content/{digest.hex()}", MAX_DOCUMENT_BYTES)
        if hashlib.sha256(data).digest() != digest:
            raise _unusable("a document does not have its digest")
        return data

    def tile_hashes(self, tile: Tile) -> Sequence[bytes]:
        """The hashes of a tile of any level, or so many of the full one. Raises ``TransportError``."""
        data, width = self._partial_or_full(tile.path, Tile(tile.level, tile.index).path, tile.width, FULL_WIDTH * HASH_BYTES)
        try:
            return parse_tile(data, width)[: tile.width]
        except FormatError as error:
            raise _unusable(error.what) from error

    def _bundle(self, tile: Tile) -> Sequence[bytes]:
        data, width = self._partial_or_full(tile.entries_path, Tile(0, tile.index).entries_path, tile.width, _MAX_BUNDLE_BYTES)
        try:
            return parse_bundle(data, width)[: tile.width]
        except FormatError as error:
            raise _unusable(error.what) from error

    def _partial_or_full(self, path: str, full: str, width: int, max_bytes: int) -> tuple[bytes, int]:
        """A log may take partial tiles away once there is the full one (C2SP tlog-tiles § Partial Tiles)."""
        data = self._get(path, max_bytes)
        return (data, width) if data is not None else (self._needed(full, max_bytes), FULL_WIDTH)

    def _needed(self, path: str, max_bytes: int) -> bytes:
        data = self._get(path, max_bytes)
        if data is None:
            raise _unusable(f"it does not have {path}")
        return data

    def _get(self, path: str, max_bytes: int) -> bytes | None:
        for attempt in range(_ATTEMPTS):
            answer = self._exchange.get(f"{self.url}/{path}", max_bytes=max_bytes)
            if answer.status == _OK:
                return answer.body
            if answer.status in _NOTHING:
                return None
            if answer.status not in _BUSY or attempt == _ATTEMPTS - 1:
                break
            sleep(answer.wait_seconds(_LONGEST_WAIT))
        raise TransportError(f"the log answers with status {answer.status}", where=path, code="unexpected_status")


def _tiles(start: int, size: int) -> Iterator[Tile]:
    for index in range(start // FULL_WIDTH, -(-size // FULL_WIDTH)):
        yield Tile(0, index, min(FULL_WIDTH, size - index * FULL_WIDTH))


def _unusable(why: str) -> TransportError:
    return TransportError(f"what the log serves is of no use: {why}", code="malformed_response")
