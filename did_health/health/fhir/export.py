"""Verified credentials → a FHIR R4 Bundle: Practitioner, PractitionerRole, Organization, Patient.

Whether a credential is genuine and current is not looked at here: give the credentials of an accepted report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError
from did_health.health import fields
from did_health.health.board_accreditation import BoardAccreditation
from did_health.health.claim_types import claims_of
from did_health.health.claims import CredentialClaims
from did_health.health.fhir.licensed import practitioner, practitioner_role
from did_health.health.fhir.organizations import accredited_organization, board_organization, pharmacy_organization
from did_health.health.fhir.patients import patient
from did_health.health.fhir.writing import Written, instant
from did_health.health.issuer_details import Issuer
from did_health.health.patient_identity import PatientIdentity
from did_health.health.pharmacy import Pharmacy
from did_health.health.physician_license import PhysicianLicense
from did_health.health.prescriber_registration import PrescriberRegistration
from did_health.vc.credential import Credential


@dataclass(frozen=True, slots=True)
class Exported:
    """Resources that refer to each other, and what they do not say: ``<credential type>.<member>``, or a type alone that FHIR has nothing for."""

    resources: tuple[Written, ...]
    unsaid: tuple[str, ...]

    def bundle(self, at: datetime, *more: Written) -> JSONObject:
        """A Bundle (``collection``) of the resources and of ``more``, made ``at``."""
        entries: list[JSON] = [{"fullUrl": one.url, "resource": one.resource} for one in (*self.resources, *more)]
        return {"resourceType": "Bundle", "type": "collection", "timestamp": instant(at), "entry": entries}


@dataclass(frozen=True, slots=True)
class _Statement:
    """One credential's claims, about whom, by whom."""

    about: str
    claims: CredentialClaims
    issuer: Issuer


def export(credentials: Sequence[Credential]) -> Exported:
    """The resources that these credentials amount to, one for each person or institution that they are about.

    A registration goes with a licence of the same person, and is unsaid without one. Raises ``FormatError`` for claims that are malformed.
    """
    statements = [statement for credential in credentials if (statement := _statement(credential)) is not None]
    unsaid = [(credential.kinds or credential.types)[0] for credential in credentials if _statement_type(credential) is None]
    resources: dict[str, Written] = {}
    for one in statements:
        for written in _written(one, statements):
            resources.setdefault(written.url, written)
            unsaid += [f"{one.claims.credential_type}.{member}" for member in written.unsaid]
    licensed = {one.about for one in statements if isinstance(one.claims, PhysicianLicense)}
    unsaid += [one.claims.credential_type for one in statements if isinstance(one.claims, PrescriberRegistration) and one.about not in licensed]
    return Exported(tuple(resources.values()), tuple(dict.fromkeys(unsaid)))


def _written(one: _Statement, all_: Sequence[_Statement]) -> Sequence[Written]:
    match one.claims:
        case PhysicianLicense() as granted:
            person = practitioner(
                one.about,
                [(other.claims, other.issuer) for other in all_ if other.about == one.about and isinstance(other.claims, PhysicianLicense)],
                [other.claims for other in all_ if other.about == one.about and isinstance(other.claims, PrescriberRegistration)],
            )
            role = practitioner_role(person, granted)
            return (board_organization(one.issuer), person, *([role] if role else []))
        case Pharmacy() as pharmacy:
            return (pharmacy_organization(one.about, pharmacy, one.issuer),)
        case PatientIdentity() as identity:
            return (patient(one.about, identity),)
        case BoardAccreditation() as accreditation:
            return (accredited_organization(one.about, accreditation),)
        case _:
            return ()


_SAID = (PhysicianLicense, PrescriberRegistration, Pharmacy, PatientIdentity, BoardAccreditation)


def _statement_type(credential: Credential) -> str | None:
    """The credential's type among those that FHIR has resources for."""
    return next((one.credential_type for one in _SAID if credential.has_type(one.credential_type)), None)


def _statement(credential: Credential) -> _Statement | None:
    kind = _statement_type(credential)
    if kind is None:
        return None
    if len(credential.subjects) != 1 or credential.subject_id is None or credential.valid_until is None:
        raise FormatError("the credential does not say whom it is about, or when it ends", where="/credentialSubject")
    subject = credential.subjects[0]
    claims = claims_of(kind, subject, valid_until=credential.valid_until)
    return _Statement(credential.subject_id, claims, _issuer(credential, subject))


def _issuer(credential: Credential, subject: JSONObject) -> Issuer:
    """The board as the claims name it, or what little the credential says."""
    board = subject.get("board")
    if isinstance(board, dict):
        where = "/credentialSubject/board"
        return Issuer(credential.issuer_id, fields.member(board, "name", where), fields.member(board, "jurisdiction", where))
    state = subject.get("jurisdiction", subject.get("state", "US"))
    return Issuer(credential.issuer_id, credential.issuer_id, cast(str, state))


