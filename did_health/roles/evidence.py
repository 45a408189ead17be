"""Evidence: what a verification needs besides the presentation, fetched by somebody else and kept as it was received.

The same object is a cache, the bundle a pharmacy carries offline for a shift, a test fixture, and the record that an auditor replays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from did_health.encoding import strict_json, timestamps
from did_health.encoding.base64 import base64_decode, base64_encode
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.limits import MAX_DOCUMENT_BYTES, MAX_GATHER_BYTES

_FORMAT = "did-health/evidence/v1"


@dataclass(frozen=True, slots=True)
class Need:
    """Something to fetch: a URL, and how many bytes of it will be read at most."""

    url: str
    max_bytes: int = MAX_DOCUMENT_BYTES


@dataclass(frozen=True, slots=True)
class Item:
    """What a URL gave, and when. ``content`` is ``None`` when the server said that there is nothing (404, 410), which is an answer too."""

    content: bytes | None
    fetched_at: datetime


class Source(Protocol):
    """Where needs are met: the web, an embedded ledger, a mirror, a file."""

    def fetch(self, need: Need) -> bytes | None:
        """The bytes at ``need.url``; ``None`` if there is nothing at that place. Raises ``TransportError`` if it cannot be told."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """An immutable collection of what was fetched, by URL."""

    items: Mapping[str, Item] = field(default_factory=lambda: MappingProxyType({}))

    def __contains__(self, url: object) -> bool:
        return url in self.items

    def __iter__(self) -> Iterator[str]:
        return iter(self.items)

    def get(self, url: str) -> Item | None:
        """What was fetched from ``url``, or ``None`` if nobody asked."""
        return self.items.get(url)

    def with_items(self, new: Mapping[str, Item]) -> Evidence:
        """This evidence and ``new``, which replaces what it has under the same URL."""
        return Evidence(MappingProxyType({**self.items, **new}))

    def without(self, urls: Iterable[str]) -> Evidence:
        """This evidence less what came from ``urls``."""
        dropped = set(urls)
        return Evidence(MappingProxyType({url: item for url, item in self.items.items() if url not in dropped}))

    def to_json(self) -> bytes:
        """As a JSON document that ``parse`` reads again."""
        return strict_json.dumps(self.to_object())

    def to_object(self) -> JSONObject:
        """The JSON document of ``to_json``."""
        return {
            "format": _FORMAT,
            "items": {
                url: {"fetchedAt": timestamps.format(item.fetched_at), "content": None if item.content is None else base64_encode(item.content)}
                for url, item in self.items.items()
            },
        }

    @classmethod
    def parse(cls, data: bytes) -> Evidence:
        """Read what ``to_json`` wrote; raises ``FormatError``."""
        return cls.from_object(strict_json.loads_object(data, what="evidence file", max_bytes=2 * MAX_GATHER_BYTES))

    @classmethod
    def from_object(cls, document: JSONObject) -> Evidence:
        """As ``parse``, of a document that was read already."""
        entries = document.get("items")
        if document.get("format") != _FORMAT or not isinstance(entries, dict):
            raise FormatError("the file is not did-health evidence", hint="Make one with: did-health verify --save-evidence FILE")
        items = {}
        for url, entry in entries.items():
            if not isinstance(entry, dict) or not isinstance(entry.get("fetchedAt"), str) or not isinstance(entry.get("content"), str | None):
                raise FormatError("an item of the evidence file is malformed", where=f"/items/{url}")
            content = entry["content"]
            items[url] = Item(None if content is None else base64_decode(content, what="evidence item"), timestamps.parse(entry["fetchedAt"]))
        return cls(MappingProxyType(items))
