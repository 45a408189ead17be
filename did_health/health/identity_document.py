"""The document that a person showed: its kind, who issued it, and the last four characters of its number, never more."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.health import fields

DOCUMENT_TYPES: Final = frozenset({
    "DriversLicense", "StateIdentificationCard", "MobileDriversLicense", "Passport", "PermanentResidentCard", "MilitaryIdentificationCard",
})

# A state, or the country that issued a passport (ISO 3166-1).
_JURISDICTION: Final = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?")
_LAST_FOUR: Final = re.compile(r"[0-9A-Z]{4}")


@dataclass(frozen=True, slots=True)
class IdentityDocument:
    """``type`` is one of ``DOCUMENT_TYPES``, ``jurisdiction`` a state (``US-NC``) or a country (``US``), ``last4`` empty where it is not kept."""

    type: str
    jurisdiction: str
    last4: str = ""

    def __post_init__(self) -> None:
        fields.one_of(self.type, DOCUMENT_TYPES, "/idDocument/type", "type of the identity document")
        if not isinstance(self.jurisdiction, str) or not _JURISDICTION.fullmatch(self.jurisdiction):
            raise FormatError("not a state or country", where="/idDocument/jurisdiction", hint="Write it as US-NC or US")
        if self.last4 != "" and not (isinstance(self.last4, str) and _LAST_FOUR.fullmatch(self.last4)):
            raise FormatError("not the last four characters of a document number", where="/idDocument/last4", hint="Never store the whole number")

    def to_json(self) -> JSONObject:
        """``{type, jurisdiction, last4}``."""
        return fields.present(type=self.type, jurisdiction=self.jurisdiction, last4=self.last4)

    @classmethod
    def from_json(cls, value: object) -> IdentityDocument:
        """Read what ``to_json`` wrote; raises ``FormatError``."""
        document = fields.json_object(value, "/idDocument", "identity document")
        return cls(fields.member(document, "type", "/idDocument"), fields.member(document, "jurisdiction", "/idDocument"), document.get("last4", ""))
