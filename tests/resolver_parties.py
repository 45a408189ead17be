"""A resolver on the loopback, and a small web of did:web and did:webvh documents for it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx

from did_health.did.methods import webvh
from did_health.errors import StoreError, TransportError
from did_health.roles.evidence import Need, Source
from did_health.services.json_log import JSONLog
from did_health.services.rate_limit import RateLimit
from did_health.services.resolver_app import resolver_app
from tests.serving import serving
from tests.webvh_samples import LATER, day, did_key, key, new_log, signer, two_entries

WEB = "did:web:clinic.example"
KEY = did_key(1)
DOCUMENT: dict[str, Any] = {
    "id": WEB,
    "verificationMethod": [{"id": f"{WEB}#key-1", "type": "Multikey", "controller": WEB, "publicKeyMultibase": key(1)}],
    "authentication": [f"{WEB}#key-1"],
    "service": [
        {"id": "#files", "type": "Files", "serviceEndpoint": ["https://files.example/of/clinic/", "https://mirror.example/clinic/"]},
        {"id": "#linkedDomain", "type": ["LinkedDomains", "Files"], "serviceEndpoint": "https://clinic.example/"},
        {"id": "#mapped", "type": "Mapped", "serviceEndpoint": {"origins": ["https://clinic.example/"]}},
    ],
}
LOG = two_entries(location="board.example/dids/az")
ENDED = webvh.deactivate(new_log(location="board.example/dids/gone"), signer=signer(1), now=day(1))


class Web:
    """What is published, by URL; hosts below ``silent.example`` do not answer, and those below ``wild.example`` break the source."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {
            "https://clinic.example/.well-known/did.json": json.dumps(DOCUMENT).encode(),
            "https://broken.example/.well-known/did.json": b'{"id": "did:web:other.example"}',
        }
        for log, folder in ((LOG, "az"), (ENDED, "gone")):
            self.pages[f"https://board.example/dids/{folder}/did.jsonl"] = log.encode()

    def fetch(self, need: Need) -> bytes | None:
        if ".silent.example" in need.url:
            raise TransportError(f"no answer from {need.url}", code="transport")
        if ".wild.example" in need.url:
            raise StoreError(f"no memory of {need.url}")
        if need.url.endswith("did-witness.json"):
            raise TransportError("no answer", code="transport")
        return self.pages.get(need.url)


class Resolver:
    """The resolver's client. ``base`` is its URL without a slash at the end."""

    def __init__(self, base: str, log: io.StringIO) -> None:
        self.base, self.log = base, log
        self.client = httpx.Client(base_url=base, timeout=10)

    def get(self, did_url: str, accept: str | None = None, **options: str) -> httpx.Response:
        """As §12.1 says: encoded where there are options, or a fragment after a query, and otherwise as it is."""
        path = quote(did_url, safe="") if options or "#" in did_url.partition("?")[2] else did_url.replace("#", "%23")
        return self.client.get(f"/identifiers/{path}", headers={} if accept is None else {"Accept": accept}, params=options or None)


@contextmanager
def resolver(source: Source | None = None, **options: Any) -> Iterator[Resolver]:
    """A resolver that knows the ``Web``, or another ``source``."""
    log = io.StringIO()
    limit = RateLimit(options.pop("requests_per_minute", 100_000))
    app = resolver_app(source or Web(), clock=lambda: LATER, log=JSONLog("resolver", log), limit=limit, **options)
    with serving(app) as base:
        running = Resolver(base, log)
        with running.client:
            yield running
