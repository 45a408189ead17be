"""DID documents (DID Core 1.0 §5, Controlled Identifiers 1.0): a frozen view on the JSON object that was received."""

from __future__ import annotations

from dataclasses import dataclass

from did_health.encoding.strict_json import JSONObject


@dataclass(frozen=True, slots=True)
class DIDDocument:
    """A DID document. ``raw`` is the document as received, unknown members included."""

    id: str
    raw: JSONObject

    @classmethod
    def parse(cls, document: JSONObject) -> DIDDocument:
        """Raises ``FormatError``."""
        return cls(document["id"], document)
