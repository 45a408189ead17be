"""Claims → FHIR R4 and back: what FHIR can say survives, what it cannot is named, and a FHIR library accepts all of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from did_health.encoding import strict_json
from did_health.errors import FormatError
from did_health.health.address import Address
from did_health.health.assurance import Assurance
from did_health.health.board_accreditation import BoardAccreditation
from did_health.health.claims import CONTEXTS, CredentialClaims
from did_health.health.fhir import (
    Exported,
    Imported,
    LicenseDefaults,
    PharmacyDefaults,
    export,
    read_patients,
    read_pharmacies,
    read_practitioners,
    read_roles,
)
from did_health.health.fhir.licensed import practitioner
from did_health.health.identity_document import IdentityDocument
from did_health.health.issuer_details import Issuer
from did_health.health.letter_of_qualification import LetterOfQualification
from did_health.health.patient_identity import PatientIdentity
from did_health.health.person_name import PersonName
from did_health.health.pharmacy import Pharmacy
from did_health.health.physician_license import CompactOrigin, PhysicianLicense
from did_health.health.prescriber_registration import PrescriberRegistration
from did_health.health.restrictions import Restriction
from did_health.vc.credential import Credential
from tests.fhir_models import checked

DID = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
BOARD = Issuer("did:web:board.example", "North Carolina Medical Board", "US-NC")
VIRGINIA = Issuer("did:web:va.example", "Virginia Board of Medicine", "US-VA")
UNTIL = datetime(2028, 4, 1, 4, 59, 59, tzinfo=UTC)
# The last second of 31 March in North Carolina, by standard time.
NOW = datetime(2026, 11, 22, tzinfo=UTC)
LICENSE = PhysicianLicense(
    name=PersonName("Vance", "Teodor A.", "Dr.", "Jr."),
    profession="DO",
    license_number="2008-10862",
    original_issue_date=date(2008, 11, 23),
    valid_until=UNTIL,
    jurisdiction="US-NC",
    npi="1234567893",
    degree="DO",
    taxonomy=("207R00000X", "208D00000X"),
)
IDENTITY = PatientIdentity(
    name=PersonName("Brook", "Ada"),
    birth_date=date(1971, 8, 14),
    assurance=Assurance("HL7", "IDIAL1.8", date(2026, 1, 1), "in_person"),
    valid_until=datetime(2028, 1, 1, tzinfo=UTC),
    address=Address(("1 Test Street", "Apt 2"), "Raleigh", "US-NC", "27601", "US"),
    phone="555-555-0100",
    email="ada@mail.example",
    id_document=IdentityDocument("DriversLicense", "US-NC", "4821"),
    age_over=((21, True),),
)
PHARMACY = Pharmacy(
    name="Corner Pharmacy",
    license_number="PH-77",
    jurisdiction="US-NC",
    valid_until=UNTIL,
    npi="1234567893",
    ncpdp_id="3400001",
    dea="AP5836727",
)
REGISTRATION = PrescriberRegistration(dea_number="AP5836727", schedules=("2", "3"), state="US-NC", valid_until=UNTIL)


def credential(claims: CredentialClaims, issuer: Issuer = BOARD, about: str = DID) -> Credential:
    """The credential of these claims; nobody signed it, for writing FHIR does not look at proofs."""
    return Credential.parse({
        "@context": list(CONTEXTS),
        "type": ["VerifiableCredential", claims.credential_type],
        "issuer": issuer.id,
        "validUntil": claims.valid_until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "credentialSubject": claims.to_subject(about, issuer),
    })


def written(*credentials: Credential) -> tuple[Exported, dict[str, Any]]:
    exported = export(credentials)
    bundle = exported.bundle(NOW)
    checked(bundle)
    for entry in bundle["entry"]:
        checked(entry["resource"])
        assert entry["fullUrl"] == f"urn:uuid:{entry['resource']['id']}"
    return exported, bundle


def of_type(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


def read_licenses(bundle: dict[str, Any], **changes: Any) -> Sequence[PhysicianLicense]:
    data = strict_json.dumps(bundle)
    roles = read_roles(data)
    assert roles.errors == ()
    defaults = replace(LicenseDefaults(date(2020, 1, 1), NOW), **changes)
    rows = list(read_practitioners(data, defaults=defaults, roles=roles))
    assert all(isinstance(row, Imported) and row.notes == () for row in rows), rows
    return [row.claims for row in rows if isinstance(row, Imported)]


# ---- licences


def test_a_licence_survives_the_way_there_and_back() -> None:
    exported, bundle = written(credential(LICENSE))
    assert exported.unsaid == ()
    assert read_licenses(bundle) == [LICENSE]


def test_a_licence_is_written_as_us_core_has_it() -> None:
    _, bundle = written(credential(LICENSE))
    [person] = of_type(bundle, "Practitioner")
    assert person["meta"]["profile"] == ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-practitioner"]
    assert {one["system"]: one["value"] for one in person["identifier"]} == {"http://hl7.org/fhir/sid/us-npi": "1234567893", "urn:ietf:rfc:3986": DID}
    [qualification] = person["qualification"]
    assert qualification["code"]["coding"] == [{"system": "http://terminology.hl7.org/CodeSystem/v2-0360", "code": "DO"}]
    assert qualification["period"] == {"start": "2008-11-23", "end": "2028-03-31"}
    [number] = qualification["identifier"]
    assert (number["system"], number["value"]) == (BOARD.id, "2008-10862")
    assert number["type"]["coding"] == [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "DO"}]
    assert number["extension"][0]["valueCodeableConcept"]["coding"] == [{"system": "https://www.usps.com/", "code": "NC"}]
    [board] = of_type(bundle, "Organization")
    assert qualification["issuer"]["reference"] == f"urn:uuid:{board['id']}"
    assert (board["name"], board["active"]) == (BOARD.name, True)
    [role] = of_type(bundle, "PractitionerRole")
    assert role["practitioner"]["reference"] == f"urn:uuid:{person['id']}"
    assert [concept["coding"][0]["code"] for concept in role["specialty"]] == ["207R00000X", "208D00000X"]


@pytest.mark.parametrize(
    ("changes", "unsaid"),
    [
        ({"license_class": "training"}, "licenseClass"),
        ({"fid": "123456789"}, "fid"),
        ({"restrictions": (Restriction("no_schedule_2", "No Schedule II drugs.", date(2026, 1, 1)),)}, "restrictions"),
        ({"board_order_refs": ("https://board.example/orders/1",)}, "boardOrderRefs"),
        ({"compact": CompactOrigin("IMLC", "urn:uuid:1")}, "compact"),
        ({"valid_until": datetime(2028, 3, 31, 12, tzinfo=UTC)}, "validUntil"),
    ],
)
def test_what_fhir_cannot_say_of_a_licence_is_named_and_the_rest_survives(changes: dict[str, Any], unsaid: str) -> None:
    exported, bundle = written(credential(replace(LICENSE, **changes)))
    assert exported.unsaid == (f"PhysicianLicenseCredential.{unsaid}",)
    assert read_licenses(bundle) == [LICENSE]


def test_restrictions_are_told_in_words_to_whoever_reads_on() -> None:
    _, bundle = written(credential(replace(LICENSE, restrictions=(Restriction("no_schedule_2", "No Schedule II drugs.", date(2026, 1, 1)),))))
    [extension] = of_type(bundle, "Practitioner")[0]["qualification"][0]["extension"]
    assert extension["valueString"] == "no_schedule_2: No Schedule II drugs."


@pytest.mark.parametrize("degree", ["", "MBBS"])
def test_a_degree_that_the_table_lacks_is_no_code(degree: str) -> None:
    granted = replace(LICENSE, profession="MD", degree=degree)
    exported, bundle = written(credential(granted))
    assert exported.unsaid == (("PhysicianLicenseCredential.degree",) if degree else ())
    code = of_type(bundle, "Practitioner")[0]["qualification"][0]["code"]
    assert "coding" not in code
    assert code["text"] == (degree or "MD licence (full)")
    assert read_licenses(bundle) == [replace(granted, degree="")]


def test_all_licences_and_registrations_of_one_person_are_one_practitioner() -> None:
    other = replace(LICENSE, license_number="0102-7", jurisdiction="US-VA", name=PersonName("Vance", "Ted"), taxonomy=())
    exported, bundle = written(credential(LICENSE), credential(REGISTRATION), credential(other, VIRGINIA))
    [person] = of_type(bundle, "Practitioner")
    assert [one["identifier"][0]["value"] for one in person["qualification"]] == ["2008-10862", "0102-7"]
    assert len(of_type(bundle, "Organization")) == 2
    assert len(of_type(bundle, "PractitionerRole")) == 1
    [dea] = [one for one in person["identifier"] if one["system"] == "urn:oid:2.16.840.1.113883.4.814"]
    assert (dea["value"], dea["period"]) == ("AP5836727", {"end": "2028-03-31"})
    assert exported.unsaid == ("PhysicianLicenseCredential.name", "PhysicianLicenseCredential.schedules")


def test_a_registration_alone_names_nobody() -> None:
    exported = export([credential(REGISTRATION)])
    assert (exported.resources, exported.unsaid) == ((), ("PrescriberRegistrationCredential",))
    with pytest.raises(ValueError, match="licence"):
        practitioner(DID, [])


# ---- patients, pharmacies, boards


def test_a_patient_survives_but_for_what_is_not_fhirs_to_say() -> None:
    exported, bundle = written(credential(IDENTITY))
    assert {name.partition(".")[2] for name in exported.unsaid} == {"assurance", "idDocument", "ageOver", "validUntil"}
    [row] = read_patients(strict_json.dumps(bundle), assurance=IDENTITY.assurance, valid_until=IDENTITY.valid_until)
    assert isinstance(row, Imported)
    assert row.claims == replace(IDENTITY, id_document=None, age_over=())


def test_a_patient_has_no_number_but_the_did() -> None:
    _, bundle = written(credential(IDENTITY))
    [person] = of_type(bundle, "Patient")
    assert person["identifier"] == [{"system": "urn:ietf:rfc:3986", "value": DID}]
    assert person["gender"] == "unknown"
    assert "4821" not in json.dumps(person)
    _, least = written(credential(replace(IDENTITY, address=None, phone="", email="")))
    assert {"address", "telecom"}.isdisjoint(of_type(least, "Patient")[0])


PHARMACY_DEFAULTS = PharmacyDefaults(NOW)


@pytest.mark.parametrize("kind", ["community", "institutional", "mail_order", "long_term_care", "specialty", "compounding", "nuclear", "other"])
def test_a_pharmacy_survives(kind: str) -> None:
    pharmacy = replace(PHARMACY, pharmacy_class=kind)
    exported, bundle = written(credential(pharmacy))
    assert exported.unsaid == ()
    [row] = read_pharmacies(strict_json.dumps(bundle), defaults=PHARMACY_DEFAULTS)
    assert isinstance(row, Imported)
    assert row.claims == pharmacy


def test_what_fhir_cannot_say_of_a_pharmacy_is_named() -> None:
    exported, _ = written(credential(replace(PHARMACY, pharmacy_class="telepharmacy", valid_until=NOW, npi="", ncpdp_id="", dea="")))
    assert exported.unsaid == ("PharmacyCredential.class", "PharmacyCredential.validUntil")


def test_an_accredited_institution_is_an_organization() -> None:
    record = BoardAccreditation(
        name="North Carolina Medical Board", entity_type="medical_board", jurisdiction="US", resource="PhysicianLicenseCredential", valid_until=UNTIL
    )
    exported, bundle = written(credential(record, about=BOARD.id))
    [organization] = of_type(bundle, "Organization")
    assert (organization["name"], organization["type"]) == (record.name, [{"text": "medical_board"}])
    assert "address" not in organization
    assert "BoardAccreditationCredential.resource" in exported.unsaid


def test_a_credential_that_fhir_has_nothing_for_is_named() -> None:
    letter = Credential.parse({**credential(LICENSE).raw, "type": ["VerifiableCredential", LetterOfQualification.credential_type]})
    bare = Credential.parse({**credential(LICENSE).raw, "type": ["VerifiableCredential"]})
    assert export([letter, bare]).unsaid == ("LetterOfQualificationCredential", "VerifiableCredential")


@pytest.mark.parametrize(
    "change", [{"validUntil": None}, {"credentialSubject": {"id": DID}}, {"credentialSubject": [{"id": DID}, {"id": DID}]}, {"credentialSubject": {"a": 1}}]
)
def test_malformed_claims_are_refused(change: dict[str, Any]) -> None:
    document = {name: value for name, value in {**credential(LICENSE).raw, **change}.items() if value is not None}
    with pytest.raises(FormatError):
        export([Credential.parse(document)])


def test_the_same_person_has_the_same_uuid_everywhere() -> None:
    first, second = (export([credential(one)]) for one in (LICENSE, replace(LICENSE, license_number="9")))
    assert {one.url for one in first.resources if one.resource["resourceType"] == "Practitioner"} <= {one.url for one in second.resources}


# ---- reading organisations and roles


def organization(**members: Any) -> bytes:
    pharmacy = export([credential(PHARMACY)]).resources[0].resource
    return json.dumps({name: value for name, value in {**pharmacy, **members}.items() if value is not None}).encode()


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"type": None}, "type"),
        ({"type": [{"text": "hospital"}]}, "type"),
        ({"identifier": None}, "identifier"),
        ({"name": None}, "name"),
        ({"identifier": [{"type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "LN"}]}, "value": "1"}], "address": None},
         "jurisdiction"),
        ({"identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1"}]}, "identifier"),
        ({"type": 7}, "type"),
    ],
)  # fmt: skip
def test_an_organization_that_is_no_pharmacy_is_told_by_row_and_field(members: dict[str, Any], field: str) -> None:
    [row] = read_pharmacies(organization(**members), defaults=PHARMACY_DEFAULTS)
    assert not isinstance(row, Imported)
    assert (row.row, row.field) == (1, field)
    assert row.problem


def test_what_an_organization_does_not_say_comes_from_the_defaults() -> None:
    permit = {"type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "LN"}]}, "value": "1"}
    data = organization(type=None, active=False, identifier=[permit], address=None)
    [row] = read_pharmacies(data, defaults=PharmacyDefaults(NOW, "nuclear", "US-VA"))
    assert isinstance(row, Imported)
    assert (row.claims.pharmacy_class, row.claims.jurisdiction, row.claims.valid_until) == ("nuclear", "US-VA", NOW)
    assert [note.field for note in row.notes] == ["active"]
    [spoken] = read_pharmacies(organization(type=[{"text": "Retail Pharmacy"}]), defaults=PHARMACY_DEFAULTS)
    assert isinstance(spoken, Imported)
    assert spoken.claims.pharmacy_class == "other"
    [broken, other] = read_pharmacies(b"[]\n" + organization() + b"\n" + json.dumps({"resourceType": "Patient"}).encode(), defaults=PHARMACY_DEFAULTS)
    assert not isinstance(broken, Imported)
    assert isinstance(other, Imported)


@pytest.mark.parametrize("changes", [{"pharmacy_class": "x"}, {"jurisdiction": "NC"}, {"valid_until": datetime(2028, 1, 1)}])  # noqa: DTZ001
def test_bad_defaults_are_refused_before_any_row_is_read(changes: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        replace(PHARMACY_DEFAULTS, **changes)


def role(practitioner: Any, **members: Any) -> bytes:
    specialty = [{"coding": [{"system": "http://nucc.org/provider-taxonomy", "code": "207R00000X"}, {"system": "urn:x", "code": "y"}]}]
    return json.dumps({"resourceType": "PractitionerRole", "practitioner": practitioner, "specialty": specialty, **members}).encode()


NPI = {"identifier": {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}}


def test_roles_are_found_by_reference_and_by_npi() -> None:
    roles = read_roles(b"\n".join([role(NPI), role({"reference": "Practitioner/p1"}), role({"reference": "urn:uuid:p2"}), b"x", role(NPI, active=False)]))
    assert roles.errors == ()
    assert roles.taxonomy("p1", "") == roles.taxonomy("p2", "") == roles.taxonomy("p1", "1234567893") == ("207R00000X",)
    assert roles.taxonomy("p3", "") == ()


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (role({}), "practitioner"),
        (role({"identifier": {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1"}}), "practitioner.identifier.value"),
        (role(NPI, specialty=[{"coding": [{"system": "http://nucc.org/provider-taxonomy", "code": "1"}]}]), "specialty[0].coding"),
        (role(7), "practitioner"),
    ],
)
def test_a_role_that_cannot_be_read_is_told(data: bytes, field: str) -> None:
    [error] = read_roles(data).errors
    assert (error.row, error.field) == (1, field)


def test_roles_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("did_health.health.fhir.roles.MAX_FHIR_ROLES", 1)
    with pytest.raises(FormatError, match="more than 1 roles"):
        read_roles(role(NPI) + b"\n" + role(NPI))
