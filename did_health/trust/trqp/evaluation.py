"""What a registry record answers to a query, at a time. Pure: whether the record is the newest is for the caller to have proved.

A record whose action is ``recognize`` is a recognition statement: its authority recognizes the entity as an authority for the resource. Every
other record is an authorization statement. Neither answers the other's question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from did_health.errors import VerificationError
from did_health.trust.entitlement import entitlement
from did_health.trust.registry import ACTION_RECOGNIZE, RegistryRecord
from did_health.trust.trqp.query import JURISDICTION, PROFESSION, Query, QueryKind


class NotRecognized(VerificationError):
    """The registry does not speak for this authority, or the authority defines no such action: 404, and never a yes (section "Error Handling")."""

    default_code = "not_recognized"


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes or no, why (a stable ``code``), and the same in a sentence."""

    granted: bool
    code: str
    message: str


# By the code of ``Entitlement``, which speaks of issuers alone.
_WORDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({
    "entitled": ("stated", "The authority says so, by a statement that is valid at that time"),
    "issuer_not_accredited": ("not_stated", "The authority has made no such statement about this entity"),
    "accreditation_not_yet_valid": ("not_yet_valid", "The authority's statement is not valid yet at that time"),
    "accreditation_ended": ("ended", "The authority's statement has ended by that time"),
    "wrong_profession": ("wrong_profession", "The authority's statement is for other professions"),
    "wrong_jurisdiction": ("wrong_jurisdiction", "The authority's statement is for another jurisdiction"),
})
_CAN_CHANGE: Final = "; that time is still to come, and the statement can change until then"


def require_answerable(query: Query, authority: str) -> None:
    """Raises ``NotRecognized`` for another authority, and for an action of the other kind of statements; ``FormatError`` for a condition that means nothing."""
    if query.authority != authority:
        raise NotRecognized("this registry does not speak for this authority", where="/authority_id", code="authority_not_recognized")
    if (query.action == ACTION_RECOGNIZE) is not (query.kind is QueryKind.RECOGNITION):
        hint = f"The action of recognition statements is {ACTION_RECOGNIZE}, and no other statement has it"
        raise NotRecognized(f"the authority makes no statements of {query.kind} with this action", where="/action", hint=hint, code="action_not_recognized")
    query.condition(JURISDICTION)
    query.condition(PROFESSION)


def evaluate(query: Query, record: RegistryRecord | None, *, now: datetime) -> Decision:
    """The answer of the newest ``record`` (``None``: it is proved that there is none), for the time that the query names, or else ``now``.

    Raises as ``require_answerable``.
    """
    if record is not None and (record.authority, record.entity) != (query.authority, query.entity):
        record = None
    require_answerable(query, query.authority)
    at = query.time or now
    found = entitlement(
        record, action=query.action, resource=query.resource, profession=query.condition(PROFESSION), jurisdiction=query.condition(JURISDICTION), at=at
    )
    code, message = _WORDS[found.code]
    return Decision(found.entitled, code, message + _CAN_CHANGE if found.entitled and at > now else message)
