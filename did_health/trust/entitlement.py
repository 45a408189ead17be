"""Entitlement: may this entity do this with this resource, at this time? Asked twice of every credential: at its issuing, and now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from did_health.trust.registry import RegistryRecord

NATIONWIDE: Final = "US"
"""The jurisdiction of whoever acts for the whole country."""


@dataclass(frozen=True, slots=True)
class Entitlement:
    """The answer: ``code`` is ``entitled``, or why not; ``sentence`` says it in plain words."""

    entitled: bool
    code: str
    sentence: str


_ENTITLED: Final = Entitlement(True, "entitled", "the registry authority lets the issuer issue this")


def entitlement(
    record: RegistryRecord | None, *, action: str, resource: str, profession: str | None, jurisdiction: str | None, at: datetime
) -> Entitlement:
    """Whether ``record`` lets its entity do ``action`` with ``resource`` at the moment ``at``.

    ``profession`` and ``jurisdiction`` are those that the credential claims (``None``: it names none); a record for ``US`` is one for every
    state. No record means no.
    """
    if record is None:
        return Entitlement(False, "issuer_not_accredited", f"the registry authority has no record that lets this issuer issue a {resource}")
    if record.action != action or record.resource != resource:
        return Entitlement(False, "issuer_not_accredited", f"the issuer's registry record is about something else than to {action} a {resource}")
    if record.valid_from is not None and at < record.valid_from:
        return Entitlement(False, "accreditation_not_yet_valid", "the issuer was not yet accredited at that time")
    if record.valid_until is not None and at >= record.valid_until:
        return Entitlement(False, "accreditation_ended", "the issuer's accreditation had ended at that time")
    if profession is not None and profession not in record.professions:
        return Entitlement(False, "wrong_profession", "the issuer is accredited for another profession")
    if jurisdiction is not None and record.jurisdiction not in (jurisdiction, NATIONWIDE):
        return Entitlement(False, "wrong_jurisdiction", "the issuer is accredited for another jurisdiction")
    return _ENTITLED
