"""A pickup at hand: who is here, for whom, what is to be handed over, and what the counter has at hand to compare with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from did_health.health import fields
from did_health.health.act import Act
from did_health.health.patient_identity import PatientIdentity
from did_health.health.person_name import PersonName
from did_health.health.pickup_delegation import PickupDelegation
from did_health.health.purposes import ClaimName
from did_health.roles.checked_prescriber import CheckedPrescriber

IDENTITY: Final = PatientIdentity.credential_type
DELEGATION: Final = PickupDelegation.credential_type


class Collector(StrEnum):
    """Who is at the counter, as they say themselves."""

    PATIENT = "patient"
    AGENT = "agent"
    GUARDIAN = "guardian"


def claims_of(collector: Collector, *, portrait: bool = False) -> tuple[ClaimName, ...]:
    """What a counter asks for: name and birth date of the patient, and of others than the patient the delegation.

    With ``portrait`` the digest of the portrait too, for a counter that holds a picture.
    """
    asked = [ClaimName(IDENTITY, "name"), ClaimName(IDENTITY, "birthDate")]
    if portrait:
        asked.append(ClaimName(IDENTITY, "portraitDigest"))
    if collector is not Collector.PATIENT:
        asked += [ClaimName(DELEGATION, name) for name in ("relationship", "pharmacies", "scope", "maxUses")]
    return tuple(asked)


@dataclass(frozen=True, slots=True)
class Visit:
    """A pickup at hand: the patient by the pharmacy's record, as the person has stated it too, and what is to be handed over.

    ``act`` says where, for which pharmacy (a DID), and the strictest schedule among the bags. No drug is named. ``portrait`` is the file of a
    picture of who is here, if the counter holds one; ``prescriber`` what was found of the prescriber at fill.
    Raises ``FormatError`` for a name or a day of another type.
    """

    name: PersonName = field(repr=False)
    birth_date: date = field(repr=False)
    act: Act
    collector: Collector = Collector.PATIENT
    bags: int = 1
    portrait: bytes | None = field(default=None, repr=False)
    prescriber: CheckedPrescriber | None = None

    def __post_init__(self) -> None:
        # A text would differ from every birth date, and somebody would be turned away for it.
        fields.instance(self.name, PersonName, "name", "patient's name")
        fields.day(self.birth_date, "birth_date", "birth date")


@dataclass(frozen=True, slots=True)
class Delegated:
    """The delegation that was shown: by what it is counted, what the agent is to the patient, how often it may be used, and was at this pharmacy."""

    id: str
    relationship: str
    max_uses: int
    used: int
