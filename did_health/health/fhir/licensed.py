"""Licences and prescriber registrations → FHIR R4 Practitioner and PractitionerRole, in the shape of US Core.

A licence is a ``qualification``: its number with the board's DID as its system and US Core's jurisdiction, the degree by HL7 v2 table 0360, the
period, the board. Restrictions stand in an extension of ours on it, in words. A registration with the DEA is an ``identifier``. What R4 has
no place for is named in ``Written.unsaid``.

Taxonomy codes stand in a PractitionerRole. It does not claim US Core's profile, which wants a telephone number and a place of work, and
neither is a claim of a licence.
"""

from __future__ import annotations

from collections.abc import Sequence

from did_health.encoding.strict_json import JSON, JSONObject
from did_health.health.fhir.profession import NUCC_SYSTEM
from did_health.health.fhir.writing import (
    DEA_SYSTEM,
    EXTENSIONS,
    NPI_SYSTEM,
    US_CORE,
    V2_0360,
    Written,
    did_identifier,
    ends_with_its_day,
    human_name,
    identifier,
    last_day,
    new_resource,
    terminology,
    url_of,
)  # fmt: skip
from did_health.health.fields import present
from did_health.health.issuer_details import Issuer
from did_health.health.physician_license import PROFESSIONS, PhysicianLicense
from did_health.health.prescriber_registration import PrescriberRegistration


def practitioner(
    did: str, licenses: Sequence[tuple[PhysicianLicense, Issuer]], registrations: Sequence[PrescriberRegistration] = ()
) -> Written:
    """One Practitioner with all licences (each with its board) and registrations of the person with this DID.

    The name is that of the first licence. Raises ``ValueError`` if there is no licence: a registration names nobody.
    """
    if not licenses:
        raise ValueError("a Practitioner needs a licence, from which the name comes")
    url = url_of("Practitioner", did)
    numbers = dict.fromkeys(granted.npi for granted, _ in licenses if granted.npi)
    identifiers: list[JSON] = [
        *(identifier(NPI_SYSTEM, number, kind="NPI") for number in numbers),
        *(_registered(one) for one in registrations),
        did_identifier(did),
    ]
    name = licenses[0][0].name
    resource = new_resource(
        "Practitioner",
        url,
        meta={"profile": [f"{US_CORE}us-core-practitioner"]},
        identifier=identifiers,
        name=[human_name(name)],
        qualification=[_qualification(granted, board) for granted, board in licenses],
    )
    lost = [member for granted, board in licenses for member in _unsaid(granted, board)]
    if any(granted.name != name for granted, _ in licenses):
        lost.append("name")
    if registrations:
        lost.append("schedules")
    return Written(url, resource, tuple(dict.fromkeys(lost)))


def practitioner_role(person: Written, granted: PhysicianLicense) -> Written | None:
    """The role of a physician with the taxonomy codes of one licence; ``None`` if it has none."""
    if not granted.taxonomy:
        return None
    url = url_of("PractitionerRole", f"{person.url} {granted.jurisdiction} {granted.license_number}")
    resource = new_resource(
        "PractitionerRole",
        url,
        practitioner=person.reference,
        code=[terminology("practitioner-role", "doctor")],
        specialty=[{"coding": [{"system": NUCC_SYSTEM, "code": code}]} for code in granted.taxonomy],
    )
    return Written(url, resource)


def _qualification(granted: PhysicianLicense, board: Issuer) -> JSONObject:
    number = identifier(board.id, granted.license_number, kind=granted.profession, state=granted.jurisdiction or board.jurisdiction, assigner=board.name)
    degree: list[JSON] = [{"system": V2_0360, "code": granted.degree}] if granted.degree in PROFESSIONS else []
    restrictions: list[JSON] = [
        {"url": f"{EXTENSIONS}license-restriction", "valueString": f"{one.code}: {one.text}"} for one in granted.restrictions
    ]
    return present(
        extension=restrictions,
        identifier=[number],
        code=present(coding=degree, text=granted.degree or f"{granted.profession} licence ({granted.license_class})"),
        period={"start": granted.original_issue_date.isoformat(), "end": last_day(granted.valid_until, granted.jurisdiction or board.jurisdiction)},
        issuer={"reference": url_of("Organization", board.id), "type": "Organization", "display": board.name},
    )


def _registered(registration: PrescriberRegistration) -> JSONObject:
    document = identifier(DEA_SYSTEM, registration.dea_number, kind="DEA", state=registration.state)
    return {**document, "period": {"end": last_day(registration.valid_until, registration.state)}}


def _unsaid(granted: PhysicianLicense, board: Issuer) -> list[str]:
    """The members of a licence that a reader of the Practitioner cannot get back."""
    lost = {
        "licenseClass": granted.license_class != "full",
        "fid": granted.fid,
        "degree": granted.degree and granted.degree not in PROFESSIONS,
        "restrictions": granted.restrictions,
        "boardOrderRefs": granted.board_order_refs,
        "compact": granted.compact,
        "validFrom": granted.valid_from,
        "validUntil": not ends_with_its_day(granted.valid_until, granted.jurisdiction or board.jurisdiction),
    }
    return [member for member, there in lost.items() if there]

