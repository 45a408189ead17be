"""The registry's statement about an institution: ``BoardAccreditationCredential`` (the registry record, in the words of ToIP TRQP v2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.health import claims, fields, jurisdictions
from did_health.health.issuer_details import Issuer

ENTITY_TYPES: Final = frozenset({"medical_board", "osteopathic_board", "combined_board", "pharmacy_board", "pharmacy", "csp", "compact_commission", "registry"})
ACTIONS: Final = frozenset({"issue", "verify", "recognize"})
COMPACT_ROLES: Final = frozenset({"spl", "issue_only", "enacted", "none"})

_PROFESSION: Final = re.compile(r"[A-Za-z][A-Za-z.-]{1,15}")
_RESOURCE: Final = re.compile(r"[A-Z][A-Za-z0-9]{1,63}")


@dataclass(frozen=True, slots=True)
class CompactRole:
    """What part an institution takes in an interstate compact."""

    name: str
    role: str

    def __post_init__(self) -> None:
        fields.text(self.name, "/compact/name", "compact's name", longest=32)
        fields.one_of(self.role, COMPACT_ROLES, "/compact/role", "role in the compact")

    def to_json(self) -> JSONObject:
        """``{name, role}``."""
        return {"name": self.name, "role": self.role}

    @classmethod
    def from_json(cls, value: object) -> CompactRole:
        """Read what ``to_json`` wrote; raises ``FormatError``."""
        document = fields.json_object(value, "/compact", "compact")
        return cls(fields.member(document, "name", "/compact"), fields.member(document, "role", "/compact"))


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardAccreditation:
    """Who may do ``action`` with ``resource`` (a credential type), where, and for which professions; the authority is the credential's issuer.

    ``jurisdiction`` is ``US-NC``, or ``US`` for the whole country; ``professions`` is empty where none applies (an identity provider).
    Raises ``FormatError`` naming the member that is wrong.
    """

    credential_type: ClassVar[str] = "BoardAccreditationCredential"
    schema_url: ClassVar[str] = claims.schema_url(credential_type)
    contexts: ClassVar[tuple[str, ...]] = claims.CONTEXTS

    name: str
    entity_type: str
    jurisdiction: str
    resource: str
    valid_until: datetime
    professions: tuple[str, ...] = ()
    action: str = "issue"
    valid_from: datetime | None = None
    compact: CompactRole | None = None

    def __post_init__(self) -> None:
        fields.text(self.name, "/name", "institution's name")
        fields.one_of(self.entity_type, ENTITY_TYPES, "/entityType", "type of institution")
        jurisdictions.check(self.jurisdiction, nationwide=True)
        fields.items(self.professions, "/professions", "professions", _check_profession)
        if len(set(self.professions)) != len(self.professions):
            raise FormatError("a profession is named twice", where="/professions")
        fields.one_of(self.action, ACTIONS, "/action", "action")
        if not isinstance(self.resource, str) or not _RESOURCE.fullmatch(self.resource):
            raise FormatError("the resource is not the name of a credential type", where="/resource", hint="Write it as PhysicianLicenseCredential")
        fields.period(self.valid_from, self.valid_until)
        if self.compact is not None:
            fields.instance(self.compact, CompactRole, "/compact", "compact")

    @property
    def number(self) -> str:
        """Empty: an accreditation has no number, and its ledger subject is named by authority, entity, action and resource."""
        return ""

    def to_subject(self, subject_id: str, issuer: Issuer) -> JSONObject:  # noqa: ARG002  # the issuer stands in the credential itself
        """The ``credentialSubject``: the registry record; ``subject_id`` is the accredited institution's DID."""
        subject: JSONObject = {
            "id": fields.did(subject_id, "/id", "institution's id"),
            "name": self.name,
            "entityType": self.entity_type,
            "jurisdiction": self.jurisdiction,
            "professions": list(self.professions),
            "action": self.action,
            "resource": self.resource,
        }
        return subject | fields.present(compact=self.compact.to_json() if self.compact else None)

    @classmethod
    def from_subject(cls, subject: Mapping[str, Any], *, valid_until: datetime, valid_from: datetime | None = None) -> BoardAccreditation:
        """Read a ``credentialSubject``; the validity stands in the credential around it. Raises ``FormatError``."""
        document = fields.json_object(subject, "", "credentialSubject")
        return cls(
            name=fields.member(document, "name"),
            entity_type=fields.member(document, "entityType"),
            jurisdiction=fields.member(document, "jurisdiction"),
            resource=fields.member(document, "resource"),
            valid_until=valid_until,
            professions=fields.json_list(document.get("professions"), "/professions", "professions"),
            action=fields.member(document, "action"),
            valid_from=valid_from,
            compact=CompactRole.from_json(document["compact"]) if "compact" in document else None,
        )


def _check_profession(value: object, where: str) -> None:
    if not isinstance(value, str) or not _PROFESSION.fullmatch(value):
        raise FormatError("a profession is a short word such as MD", where=where)
