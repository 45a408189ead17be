"""FHIR Patient ↔ the identity that a provider issues.

Taken are the name, the birth date, the address, a phone number and an e-mail address, and nothing else: no identifier of any kind
(SSN, record, licence, passport, plan), no extension, no contact, no portrait. Written are the same five, and the DID as the identifier that
US Core asks for; its ``gender`` is ``unknown``, for no credential of ours says it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from typing import Final

from did_health.encoding.strict_json import JSON
from did_health.errors import FormatError
from did_health.health import fields, jurisdictions
from did_health.health.address import Address
from did_health.health.assurance import Assurance
from did_health.health.fhir import elements
from did_health.health.fhir.elements import Element
from did_health.health.fhir.resources import Resource, read_resources
from did_health.health.fhir.rows import Imported, RowError, RowNote
from did_health.health.fhir.writing import US_CORE, Written, did_identifier, human_name, new_resource, url_of
from did_health.health.fhir.writing import address as written_address
from did_health.health.patient_identity import PatientIdentity, is_email, is_phone

ADDRESS_USES: Final = ("home", "", "temp", "work", "billing", "old")
TELECOM_USES: Final = ("mobile", "home", "", "work", "temp", "old")


def read_patients(data: bytes | Iterable[bytes], *, assurance: Assurance, valid_until: datetime) -> Iterator[Imported[PatientIdentity] | RowError]:
    """An identity for every Patient in ``data`` (see ``read_resources``), or why there is none; other resources are passed over.

    ``assurance`` is what the identity provider vouches for. A contact detail that no credential could hold is left out, with a note;
    somebody who has died is imported like anybody else, with a note.

    Raises ``FormatError`` at once if ``valid_until`` has no time zone or lies beyond what ``assurance`` covers.
    """
    assurance.check_covers(fields.moment(valid_until, "/validUntil", "end of validity"))
    return _rows(data, assurance, valid_until)


def _rows(data: bytes | Iterable[bytes], assurance: Assurance, valid_until: datetime) -> Iterator[Imported[PatientIdentity] | RowError]:
    for resource in read_resources(data):
        if isinstance(resource, RowError):
            yield resource
        elif resource.type == "Patient":
            try:
                yield _identity(resource, assurance, valid_until)
            except FormatError as error:
                yield RowError.of(resource.row, error)


def _identity(resource: Resource, assurance: Assurance, valid_until: datetime) -> Imported[PatientIdentity]:
    person = Element("", resource.body)
    notes: list[RowNote] = []
    name, source = elements.person_name(person)
    if not source.in_use:
        notes.append(RowNote(resource.row, source.path, "only a former name is given; it was taken"))
    if resource.body.get("deceasedBoolean") is True or "deceasedDateTime" in resource.body:
        notes.append(RowNote(resource.row, "deceased", "the patient has died"))
    claims = PatientIdentity(
        name=name,
        birth_date=_birth_date(person),
        assurance=assurance,
        valid_until=valid_until,
        address=_address(person, resource.row, notes),
        phone=_contact(person, "phone", is_phone, resource.row, notes),
        email=_contact(person, "email", is_email, resource.row, notes),
    )
    return Imported(resource.row, resource.id, claims, tuple(notes))


def _birth_date(person: Element) -> date:
    text = person.text("birthDate")
    if not text:
        raise FormatError("there is no birth date", where="birthDate")
    try:
        day = elements.full_day(text)
    except FormatError as error:
        raise FormatError(error.what, where="birthDate", hint=error.hint) from error
    if day is None:
        raise FormatError("the birth date names no day", where="birthDate", hint="A credential needs year, month and day")
    return day


def _address(person: Element, row: int, notes: list[RowNote]) -> Address | None:
    element = elements.chosen(person.children("address"), ADDRESS_USES)
    if element is None:
        return None
    state_text = element.text("state")
    state = jurisdictions.code_of(state_text) or ""
    if state_text and not state:
        notes.append(RowNote(row, f"{element.path}.state", "left out: not a US state or territory"))
    try:
        address = Address(element.texts("line"), element.text("city"), state, element.text("postalCode"), element.text("country") or ("US" if state else ""))
    except FormatError as error:
        notes.append(RowNote(row, element.path, f"left out: {error.what}"))
        return None
    return address if address != Address(country="") else None


def _contact(person: Element, system: str, is_one: Callable[[str], bool], row: int, notes: list[RowNote]) -> str:
    element = elements.chosen([contact for contact in person.children("telecom") if contact.text("system") == system], TELECOM_USES)
    if element is None:
        return ""
    value = element.text("value")
    if not is_one(value):
        notes.append(RowNote(row, f"{element.path}.value", f"left out: not {'an e-mail address' if system == 'email' else 'a phone number'}"))
        return ""
    return value


def patient(did: str, identity: PatientIdentity) -> Written:
    """The Patient with this DID. No document, portrait or level of assurance: none of them is US Core's to say, and a number is never written."""
    url = url_of("Patient", did)
    telecom: list[JSON] = [{"system": system, "value": value} for system, value in (("phone", identity.phone), ("email", identity.email)) if value]
    resource = new_resource(
        "Patient",
        url,
        meta={"profile": [f"{US_CORE}us-core-patient"]},
        identifier=[did_identifier(did)],
        active=True,
        name=[human_name(identity.name)],
        telecom=telecom,
        gender="unknown",
        birthDate=identity.birth_date.isoformat(),
        address=[written_address(identity.address)] if identity.address else [],
    )
    lost = {
        "assurance": True,
        "portraitDigest": identity.portrait_digest,
        "idDocument": identity.id_document,
        "ageOver": identity.age_over,
        "digitalIdentifier": identity.digital_identifier,
        "validFrom": identity.valid_from,
        "validUntil": True,
    }
    return Written(url, resource, tuple(member for member, there in lost.items() if there))
