"""Registry records: a registry authority says who may issue, verify or recognise what, where, and from when to when.

A record is a ``BoardAccreditationCredential`` (DOMAIN facts of ToIP TRQP v2: entity, authority, action, resource), secured by the
authority and logged on the ledger under ``record_identifier``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from did_health.errors import FormatError
from did_health.vc.credential import Credential

RECORD_TYPE: Final = "BoardAccreditationCredential"
ACTION_ISSUE: Final = "issue"
ACTION_RECOGNIZE: Final = "recognize"
"""The authority recognizes the entity, another authority or registry, for the resource."""


def record_identifier(authority: str, entity: str, action: str, resource: str) -> str:
    """What the ledger's subject of a record is made from: one record for each (authority, entity, action, resource)."""
    return " ".join((authority, entity, action, resource))


@dataclass(frozen=True, slots=True)
class RegistryRecord:
    """One statement of the authority, with its time window (aware UTC; ``None`` is open).

    ``professions`` is empty for a resource that no profession applies to.
    """

    authority: str
    entity: str
    name: str
    entity_type: str
    jurisdiction: str
    professions: tuple[str, ...]
    action: str
    resource: str
    valid_from: datetime | None
    valid_until: datetime | None
    compact: str = ""
    """The compact that the entity takes part in; empty for none."""
    compact_role: str = ""
    """Its part in it: ``spl`` (it may be a principal state), ``issue_only``, ``enacted`` or ``none``."""

    @property
    def identifier(self) -> str:
        """The identifier of the record's subject on the ledger."""
        return record_identifier(self.authority, self.entity, self.action, self.resource)

    @classmethod
    def from_credential(cls, credential: Credential) -> RegistryRecord:
        """Read the record from its credential, whose proof the caller has checked; raises ``FormatError``."""
        if RECORD_TYPE not in credential.types:
            raise FormatError(f"the registry record is not a {RECORD_TYPE}", where="/type")
        if len(credential.subjects) != 1:
            raise FormatError("a registry record has exactly one subject", where="/credentialSubject")
        subject = credential.subjects[0]
        return cls(
            authority=credential.issuer_id,
            entity=_text(subject, "id"),
            name=_text(subject, "name"),
            entity_type=_text(subject, "entityType"),
            jurisdiction=_text(subject, "jurisdiction"),
            professions=_texts(subject, "professions"),
            action=_text(subject, "action"),
            resource=_text(subject, "resource"),
            valid_from=credential.valid_from,
            valid_until=credential.valid_until,
            **_compact(subject),
        )


def _text(subject: Mapping[str, object], name: str) -> str:
    value = subject.get(name)
    if not isinstance(value, str) or not value:
        raise FormatError("the registry record lacks a text", where=f"/credentialSubject/{name}")
    return value


def _compact(subject: Mapping[str, object]) -> dict[str, str]:
    compact = subject.get("compact")
    if compact is None:
        return {}
    if not isinstance(compact, dict):
        raise FormatError("the registry record's compact is not an object", where="/credentialSubject/compact")
    return {"compact": _text(compact, "name"), "compact_role": _text(compact, "role")}


def _texts(subject: Mapping[str, object], name: str) -> tuple[str, ...]:
    values = subject.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise FormatError("the registry record's member is not a list of texts", where=f"/credentialSubject/{name}")
    return tuple(values)
