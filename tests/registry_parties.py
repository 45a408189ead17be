"""A town whose registry authority has said this and that, and its trust registry: in this process, and behind HTTP."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from did_health.health.board_accreditation import BoardAccreditation
from did_health.net.gather import gather
from did_health.roles.evidence import Evidence, Source
from did_health.roles.registry import Registry
from did_health.services.json_log import JSONLog
from did_health.services.metrics import Metrics
from did_health.services.rate_limit import RateLimit
from did_health.services.registry_app import Governance, registry_app
from did_health.trust.trqp.query import Query, QueryKind
from tests.town import LATER, Town

LICENSE = "PhysicianLicenseCredential"
LETTER = "LetterOfQualificationCredential"
PHARMACY = "PharmacyCredential"
FRAMEWORK = "https://registry.example/framework"
COMMISSION = "did:web:commission.example"
UNKNOWN = "did:web:nobody.example"


class RegistryTown:
    """Of ``town`` the North Carolina board may issue licences; the authority recognizes ``COMMISSION`` for letters of qualification."""

    def __init__(self, folder: Path, seed: str = "registry") -> None:
        self.town = Town(folder, seed=seed)
        self.board = self.town.board.institution.did
        self.authority = self.town.directory.authority()
        self.state(COMMISSION, action="recognize", resource=LETTER, jurisdiction="US", entity_type="compact_commission")
        self.registry = self.opened()

    def state(self, entity: str, **changes: Any) -> None:
        """Have the authority log a statement about ``entity``."""
        claims: dict[str, Any] = {
            "name": "An institution", "entity_type": "medical_board", "jurisdiction": "US-NC", "resource": LICENSE, "valid_until": LATER
        }  # fmt: skip
        self.authority.accredit(BoardAccreditation(**{**claims, **changes}), entity=entity)

    def opened(self, sources: Sequence[Source] | None = None, **options: Any) -> Registry:
        """A registry of the authority, by default of the town's ledger."""
        clock, asked = self.town.clock, [self.town.directory.ledger] if sources is None else sources
        policy = options.pop("policy", self.town.directory.policy)
        return Registry(policy, clock=clock, gather=lambda missing: gather(missing, asked, evidence=Evidence(), clock=clock), **options)

    def authorization(self, **changes: Any) -> Query:
        """Whether the board may issue licences, or something else."""
        asked: dict[str, Any] = {"entity": self.board, "authority": self.authority.did, "action": "issue", "resource": LICENSE}
        return Query.asking(QueryKind.AUTHORIZATION, **{**asked, **changes})

    def recognition(self, **changes: Any) -> Query:
        """Whether the commission is recognized, or something else."""
        asked: dict[str, Any] = {"entity": COMMISSION, "authority": self.authority.did, "action": "recognize", "resource": LETTER}
        return Query.asking(QueryKind.RECOGNITION, **{**asked, **changes})

    def later(self, **by: float) -> datetime:
        return self.town.clock() + timedelta(**by)

    def app(self, registry: Registry | None = None, *, per_minute: int = 100_000, prefix: str = "", log: io.StringIO | None = None) -> Any:
        return registry_app(
            registry or self.registry, Governance(FRAMEWORK), log=JSONLog("registry", log or io.StringIO()), limit=RateLimit(per_minute),
            metrics=Metrics("registry"), prefix=prefix,
        )  # fmt: skip


def post(url: str, query: Query | bytes | dict[str, Any], **headers: str) -> httpx.Response:
    """Send a query (to the path of its kind, or to ``url`` itself), as JSON unless ``headers`` say otherwise."""
    if isinstance(query, Query):
        url, data = f"{url}/{query.kind}", query.to_json()
    else:
        data = query if isinstance(query, bytes) else json.dumps(query).encode()
    return httpx.post(url, content=data, headers={"Content-Type": "application/json", **headers}, trust_env=False, timeout=30)
