"""The issuer's own details, as they appear in what it issues."""

from __future__ import annotations

from dataclasses import dataclass

from did_health.encoding.strict_json import JSONObject
from did_health.health import fields, jurisdictions


@dataclass(frozen=True, slots=True)
class Issuer:
    """An institution that issues: its DID, its name, and the jurisdiction that it acts for (``US-NC``, or ``US`` for the whole country)."""

    id: str
    name: str
    jurisdiction: str

    def __post_init__(self) -> None:
        fields.did(self.id, "/id", "issuer's id")
        fields.text(self.name, "/name", "issuer's name")
        jurisdictions.check(self.jurisdiction, "/jurisdiction", nationwide=True)

    def to_json(self) -> JSONObject:
        """``{id, name, jurisdiction}``."""
        return {"id": self.id, "name": self.name, "jurisdiction": self.jurisdiction}
