"""A ledger service in this process, for tests that speak HTTP to it, and parties that write to it from elsewhere."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from did_health.ledger.log import Submission
from did_health.ledger.submission_format import MEDIA_TYPE, encode_request
from did_health.ledger.witness import Cosigner
from did_health.net.remote_ledger import RemoteLedger
from did_health.services.json_log import JSONLog
from did_health.services.ledger_app import ledger_app
from did_health.services.metrics import Metrics
from did_health.services.rate_limit import RateLimit
from did_health.services.sequencing import Sequencing
from did_health.stores.embedded import EmbeddedLedger
from did_health.tlog.witness_policy import WitnessPolicy
from tests.conftest import repeatable_bytes
from tests.ledger_parties import CHEAP, PASSPHRASE, Clock
from tests.serving import HOST, serving

ORIGIN = "ledger.example"


@dataclass
class Service:
    """What runs: its base URL on the loopback, and its parts."""

    base: str
    ledger: EmbeddedLedger
    sequencing: Sequencing
    clock: Clock
    _log: io.StringIO

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.getvalue().splitlines()]

    @property
    def policy(self) -> WitnessPolicy:
        """The ledger's own policy, at the URL where it is served."""
        return WitnessPolicy.parse(self.ledger.policy_text)

    def remote(self) -> RemoteLedger:
        return RemoteLedger(self.base, self.policy, allow_hosts=[HOST], clock=self.clock)

    def post(self, body: bytes | Sequence[Submission], **headers: str) -> httpx.Response:
        data = body if isinstance(body, bytes) else encode_request(body)
        return httpx.post(f"{self.base}/entries", content=data, headers={"Content-Type": MEDIA_TYPE, **headers}, trust_env=False, timeout=30)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(f"{self.base}/{path}", headers=headers, trust_env=False, timeout=30)


class Relay:
    """An ASGI app that is put behind the server once its address is known."""

    def __init__(self) -> None:
        self.app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


@contextmanager
def ledger_service(
    folder: Path,
    *,
    clock: Clock | None = None,
    per_minute: int = 1_000_000,
    cosigners: Sequence[Cosigner] = (),
    quorum: int = 3,
    heartbeat_seconds: float = 3600,
    wait_seconds: float = 20,
    path: str = "",
) -> Iterator[Service]:
    """A new ledger whose URL is where it is served, below ``path``."""
    clock, stream, relay = clock or Clock(), io.StringIO(), Relay()
    with serving(relay) as address:
        ledger = EmbeddedLedger.create(
            folder, origin=ORIGIN, url=address + path, clock=clock, random=repeatable_bytes("ledger"), passphrase=PASSPHRASE, cost=CHEAP,
            cosigners=cosigners, quorum=quorum,
        )  # fmt: skip
        log, metrics = JSONLog("ledger", stream), Metrics("ledger")
        with Sequencing(ledger, log=log, metrics=metrics, heartbeat_seconds=heartbeat_seconds) as sequencing:
            relay.app = ledger_app(ledger, sequencing, clock=clock, log=log, limit=RateLimit(per_minute), metrics=metrics, wait_seconds=wait_seconds)
            yield Service(address + path, ledger, sequencing, clock, stream)
    ledger.close()


def problem_of(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem (RFC 9457) that an answer has to be, with this status and code."""
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert (answer.status_code, document["status"], document.get("code")) == (status, status, code), document
    assert "Traceback" not in answer.text
    return document
