"""A VC-API on the loopback, for tests: real keys, a clock that can be moved, and no outside world but what a test gives."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from did_health.errors import TransportError
from did_health.roles.evidence import Need
from did_health.services.bearer import BearerTokens
from did_health.services.json_log import JSONLog
from did_health.services.rate_limit import RateLimit
from did_health.services.vc_api.app import vc_api_app
from did_health.services.vc_api.instance import Instance
from did_health.vc.problem_details import TYPES
from tests.conftest import repeatable_bytes
from tests.serving import serving

BASE = "https://issuer.example"
V2 = "https://www.w3.org/ns/credentials/v2"
Document = dict[str, Any]


@dataclass
class Outside:
    """A ``Source`` of what a test puts into it."""

    files: dict[str, bytes] = field(default_factory=dict)

    def fetch(self, need: Need) -> bytes | None:
        if need.url not in self.files:
            raise TransportError("nobody answers", where=need.url)
        return self.files[need.url]


@dataclass
class VCAPI:
    """A running service and how to talk to it."""

    instance: Instance
    outside: Outside
    log: io.StringIO
    client: httpx.Client
    clock: list[datetime]

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.client.post(path, json=body, headers=headers)

    def later(self, **step: int) -> None:
        self.clock[0] += timedelta(**step)

    def credential(self, at: str = "eddsa-rdfc-2022", /, **changes: Any) -> Document:
        whole: Document = {
            "@context": [V2],
            "id": "urn:uuid:2c14ef3f-c7ae-4b33-8f3e-1a4d0b5a2f10",
            "type": ["VerifiableCredential"],
            "issuer": self.instance.issuers[at].party.did,
            "credentialSubject": {"id": "did:example:subject", "name": "Alice"},
        } | changes
        return {name: value for name, value in whole.items() if value is not ...}

    def issued(self, at: str = "eddsa-rdfc-2022", /, options: Mapping[str, Any] | None = None, **changes: Any) -> Document:
        answer = self.post(f"/issuers/{at}/credentials/issue", {"credential": self.credential(at, **changes), "options": options or {}})
        assert answer.status_code == 201, answer.text
        found: Document = answer.json()["verifiableCredential"]
        return found

    def verified(self, credential: Document, **options: Any) -> httpx.Response:
        return self.post("/credentials/verify", {"verifiableCredential": credential, "options": options})


@contextmanager
def vc_api(tokens: BearerTokens | None = None) -> Iterator[VCAPI]:
    """Serve one."""
    clock = [datetime(2026, 3, 1, 12, 0, tzinfo=UTC)]
    outside, log = Outside(), io.StringIO()
    instance = Instance(BASE, outside, clock=lambda: clock[0], random=repeatable_bytes("vc-api"))
    app = vc_api_app(instance, tokens=tokens or BearerTokens(), log=JSONLog("vc-api", log, lambda: clock[0]), limit=RateLimit(1_000_000))
    with serving(app) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        yield VCAPI(instance, outside, log, client, clock)


def code(answer: Any) -> str:
    """The specifications' code of a problem."""
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert found["status"] == answer.status_code
    assert found["title"]
    assert TYPES[found["type"].partition("#")[2]] == found["type"]
    return str(found["type"].partition("#")[2])
