"""FHIR R4 AuditEvent: who looked at which claims of a patient's, when and for what. Names of claims, never their values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from did_health.encoding.strict_json import JSON, JSONObject
from did_health.health import fields
from did_health.health.fhir.writing import URI_SYSTEM, instant, logical, new_resource, url_of
from did_health.health.verification_receipt import VerificationReceipt

_LIFECYCLE: Final = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
_ACT_REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
_ENTITY: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
# v3-ActReason: treatment, and the operations of a health-care organisation. A purpose that is not here is told in words only.
_REASONS: Final[Mapping[str, str]] = MappingProxyType({
    "pickup": "TREAT", "checkin": "TREAT", "prescriber": "TREAT", "credentialing": "HOPERAT", "licensure": "HOPERAT",
})  # fmt: skip
_DONE: Final = "0"
_REFUSED: Final = "4"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One look at a holder's claims: which receipt tells of it, by whom (a DID and a name), at whom (a DID), what for, which claims, with which verdict."""

    receipt: str
    verifier: str
    holder: str
    at: datetime
    purpose: str
    claims: Sequence[str]
    verdict: str
    verifier_name: str = ""
    overridden: bool = False
    """Whether a person decided against the verdict."""

    def __post_init__(self) -> None:
        fields.uri(self.receipt, "/receiptId", "receipt's id")
        fields.moment(self.at, "/at", "time of the disclosure")
        fields.text(self.purpose, "/purpose", "purpose", longest=64)

    @classmethod
    def of(cls, receipt: VerificationReceipt, holder: str) -> AuditEvent:
        """What a verifier's receipt says about its look at ``holder`` (a DID)."""
        return cls(
            receipt=receipt.receipt_id,
            verifier=receipt.verifier,
            holder=holder,
            at=receipt.at,
            purpose=receipt.purpose,
            claims=tuple(map(str, receipt.claims_disclosed)),
            verdict=receipt.verdict,
            overridden=receipt.override is not None,
        )

    def to_json(self, url: str) -> JSONObject:
        """The AuditEvent; ``url`` is its ``urn:uuid``."""
        reason = _REASONS.get(self.purpose)
        purpose: JSONObject = {**({"coding": [{"system": _ACT_REASON, "code": reason}]} if reason else {}), "text": self.purpose}
        claims: list[JSON] = [{"type": "claim", "valueString": name} for name in self.claims]
        verifier = logical(URI_SYSTEM, self.verifier, kind="Organization", display=self.verifier_name)
        return new_resource(
            "AuditEvent",
            url,
            type={"system": _LIFECYCLE, "code": "disclose"},
            subtype=[{"system": _LIFECYCLE, "code": "verify"}],
            action="R",
            recorded=instant(self.at),
            # R4 has "success" and kinds of failure; that somebody was refused is a minor one: nothing broke.
            outcome=_REFUSED if self.verdict == "refuse" and not self.overridden else _DONE,
            outcomeDesc=f"verdict: {self.verdict}{', overridden by a person' if self.overridden else ''}",
            purposeOfEvent=[purpose],
            agent=[{"who": verifier, "requestor": True}],
            source={"observer": verifier},
            entity=[
                {"what": logical(URI_SYSTEM, self.holder, kind="Patient"), "type": {"system": _ENTITY, "code": "1"}, "role": {"system": _ROLE, "code": "1"}},
                fields.present(
                    what={"identifier": {"system": URI_SYSTEM, "value": self.receipt}},
                    type={"system": _ENTITY, "code": "4"},
                    role={"system": _ROLE, "code": "4"},
                    name="claims that were shown",
                    detail=claims,
                ),
            ],
        )


def activity_bundle(receipts: Iterable[tuple[VerificationReceipt, str]]) -> JSONObject:
    """A holder's activity log: a Bundle (``collection``) with an AuditEvent for each receipt and the DID that it is about."""
    entries: list[JSON] = []
    for receipt, holder in receipts:
        url = url_of("AuditEvent", receipt.receipt_id)
        entries.append({"fullUrl": url, "resource": AuditEvent.of(receipt, holder).to_json(url)})
    return {"resourceType": "Bundle", "type": "collection", **fields.present(entry=entries)}
