"""A patient's word that somebody else may pick up their medicines: ``PickupDelegationCredential``, issued by the patient (or a guardian)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, Final

from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.health import claims, fields
from did_health.health.act import Act
from did_health.health.issuer_details import Issuer
from did_health.health.person_name import PersonName
from did_health.limits import MAX_DELEGATION_USES

RELATIONSHIPS: Final = frozenset({"self", "parent", "guardian", "spouse", "caregiver", "friend", "facility", "other"})
"""What the agent is to the patient."""
SCOPE_ALL: Final = "all"
SCOPE_NON_CONTROLLED: Final = "non_controlled"
SCOPE_PRESCRIPTIONS: Final = "rx_hash"
SCOPES: Final = frozenset({SCOPE_ALL, SCOPE_NON_CONTROLLED, SCOPE_PRESCRIPTIONS})
_HASH: Final = re.compile(r"[uz][A-Za-z0-9_-]{20,200}")


@dataclass(frozen=True, slots=True)
class Minor:
    """The patient for whom a guardian speaks, as the pharmacy knows them."""

    name: PersonName
    birth_date: date

    def __post_init__(self) -> None:
        fields.instance(self.name, PersonName, "/onBehalfOf/name", "name")
        fields.day(self.birth_date, "/onBehalfOf/birthDate", "birth date")

    def to_json(self) -> JSONObject:
        """``{name, birthDate}``."""
        return {"name": self.name.to_json(), "birthDate": self.birth_date.isoformat()}

    @classmethod
    def from_json(cls, value: object) -> Minor:
        """Read what ``to_json`` wrote; raises ``FormatError``."""
        document = fields.json_object(value, "/onBehalfOf", "patient")
        day = fields.parse_day(fields.member(document, "birthDate", "/onBehalfOf"), "/onBehalfOf/birthDate", "birth date")
        return cls(PersonName.from_json(fields.member(document, "name", "/onBehalfOf")), day)


@dataclass(frozen=True, slots=True, kw_only=True)
class PickupDelegation:
    """Who may pick up (the credential's subject), where, what, and how often.

    ``pharmacies`` are DIDs (none: any pharmacy), ``scope`` is ``all``, ``non_controlled`` or ``rx_hash``, which names ``prescriptions`` by
    multibase hashes that the pharmacy made with a salt of its own. ``on_behalf_of`` is the minor for whom a guardian delegates. Raises
    ``FormatError`` naming the member that is wrong.
    """

    credential_type: ClassVar[str] = "PickupDelegationCredential"
    schema_url: ClassVar[str] = claims.schema_url(credential_type)
    contexts: ClassVar[tuple[str, ...]] = claims.CONTEXTS

    relationship: str
    valid_until: datetime
    pharmacies: tuple[str, ...] = ()
    scope: str = SCOPE_NON_CONTROLLED
    prescriptions: tuple[str, ...] = ()
    max_uses: int = 1
    on_behalf_of: Minor | None = None
    valid_from: datetime | None = None

    def __post_init__(self) -> None:
        fields.one_of(self.relationship, RELATIONSHIPS, "/relationship", "relationship")
        fields.period(self.valid_from, self.valid_until)
        fields.items(self.pharmacies, "/pharmacies", "pharmacies", lambda item, where: fields.did(item, where, "pharmacy"))
        fields.one_of(self.scope, SCOPES, "/scope", "scope")
        fields.items(self.prescriptions, "/prescriptions", "prescriptions", _check_hash)
        if (self.scope == SCOPE_PRESCRIPTIONS) != bool(self.prescriptions):
            raise FormatError("prescriptions are named when, and only when, the scope is rx_hash", where="/prescriptions")
        if type(self.max_uses) is not int or not 1 <= self.max_uses <= MAX_DELEGATION_USES:
            raise FormatError(f"a delegation is good for 1 to {MAX_DELEGATION_USES} uses", where="/maxUses")
        if self.on_behalf_of is not None:
            fields.instance(self.on_behalf_of, Minor, "/onBehalfOf", "patient")

    @property
    def number(self) -> str:
        """Empty: a delegation has no number."""
        return ""

    def covers(self, act: Act) -> bool | None:
        """Whether the drug at hand is within the scope; ``None`` if the act does not say enough to tell."""
        if self.scope == SCOPE_ALL:
            return True
        if self.scope == SCOPE_NON_CONTROLLED:
            return not act.is_controlled if act.schedule else None
        return act.prescription in self.prescriptions if act.prescription else None

    def to_subject(self, subject_id: str, issuer: Issuer | None = None) -> JSONObject:  # noqa: ARG002  # a person issues it, who has no details
        """The ``credentialSubject``; ``subject_id`` is the agent's DID."""
        subject: JSONObject = {
            "id": fields.did(subject_id, "/id", "agent's id"),
            "relationship": self.relationship,
            "pharmacies": list(self.pharmacies),
            "scope": self.scope,
            "maxUses": self.max_uses,
        }
        return subject | fields.present(prescriptions=list(self.prescriptions), onBehalfOf=self.on_behalf_of.to_json() if self.on_behalf_of else None)

    @classmethod
    def from_subject(cls, subject: Mapping[str, Any], *, valid_until: datetime, valid_from: datetime | None = None) -> PickupDelegation:
        """Read a ``credentialSubject``; the validity stands in the credential around it. Raises ``FormatError``."""
        document = fields.json_object(subject, "", "credentialSubject")
        return cls(
            relationship=fields.member(document, "relationship"),
            valid_until=valid_until,
            pharmacies=fields.json_list(document.get("pharmacies"), "/pharmacies", "pharmacies"),
            scope=fields.member(document, "scope"),
            prescriptions=fields.json_list(document.get("prescriptions"), "/prescriptions", "prescriptions"),
            max_uses=fields.member(document, "maxUses"),
            on_behalf_of=Minor.from_json(document["onBehalfOf"]) if "onBehalfOf" in document else None,
            valid_from=valid_from,
        )


def _check_hash(value: object, where: str) -> None:
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise FormatError("a prescription is not named by a multibase hash", where=where)
