from __future__ import annotations

import copy
import json
import re
from datetime import UTC, date, datetime
from typing import Any

import jsonschema
import jsonschema_rs
import pytest

from did_health.health.address import Address
from did_health.health.assurance import Assurance
from did_health.health.board_accreditation import BoardAccreditation, CompactRole
from did_health.health.claims import CREDENTIALS_CONTEXT, HEALTH_CONTEXT, CredentialClaims
from did_health.health.identity_document import DOCUMENT_TYPES, IdentityDocument
from did_health.health.issuer_details import Issuer
from did_health.health.letter_of_qualification import CHECKS as QUALIFICATION_CHECKS
from did_health.health.letter_of_qualification import LetterOfQualification, PrincipalLicense, QualificationCheck
from did_health.health.patient_identity import AGES, PatientIdentity
from did_health.health.person_name import PersonName
from did_health.health.pharmacy import PHARMACY_CLASSES, Pharmacy
from did_health.health.physician_license import LICENSE_CLASSES, PROFESSIONS, CompactOrigin, PhysicianLicense
from did_health.health.pickup_delegation import Minor, PickupDelegation
from did_health.health.prescriber_registration import PrescriberRegistration
from did_health.health.restrictions import Restriction, Scope
from did_health.vc.packaged import schema_file
from tests.conftest import shared

BOARD = Issuer("did:webvh:QmExample:ncmedboard.example", "Board of Testing", "US-NC")
HOLDER = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"
UNTIL = datetime(2027, 12, 31, tzinfo=UTC)
NAME = PersonName("Núñez-O'Hara", "Ana3 María", prefix="Dr.", suffix="Jr.")

LICENSE = PhysicianLicense(
    name=NAME,
    profession="DO",
    license_number="2019-00123",
    original_issue_date=date(2019, 4, 1),
    valid_until=UNTIL,
    license_class="compact_expedited",
    jurisdiction="US-NC",
    npi="1234567893",
    fid="123456789",
    degree="DO",
    taxonomy=("207R00000X", "2084P0800X"),
    restrictions=(
        Restriction("no_schedule_2", "May not prescribe Schedule II.", date(2025, 1, 1), date(2026, 1, 1), Scope(("prescribe",), ("2",), ("clinic",))),
        Restriction("chaperone", "Examines with a chaperone.", date(2025, 1, 1)),
    ),
    board_order_refs=("https://ncmedboard.example/orders/1",),
    compact=CompactOrigin("IMLC", "urn:uuid:0b1c6b1e-6d3f-4d5e-9c55-1c1ad8f3a4b0", "https://vamedicine.example/licenses/1"),
)
PATIENT = PatientIdentity(
    name=NAME,
    birth_date=date(1990, 2, 3),
    assurance=Assurance("HL7 Identity Matching", "IDIAL1.8", date(2025, 6, 1), "remote_supervised"),
    valid_until=UNTIL,
    address=Address(("1 Test Street", "Apt 2"), "Raleigh", "US-NC", "27601"),
    phone="555-555-0100",
    email="ana@mail.example",
    portrait_digest="uEiDBxM8a1tP3mZ6cW1yTqQk0cWc0n0uYqf8v9b3yJ0yq3w",
    id_document=IdentityDocument("DriversLicense", "US-NC", "1234"),
    age_over=((18, True), (65, False)),
    digital_identifier="https://csp.example/people/1",
)
ACCREDITATION = BoardAccreditation(
    name="Board of Testing",
    entity_type="medical_board",
    jurisdiction="US-NC",
    professions=("MD", "PA"),
    resource="PhysicianLicenseCredential",
    valid_until=UNTIL,
    compact=CompactRole("IMLC", "spl"),
)
PHARMACY = Pharmacy(
    name="Test Pharmacy", license_number="P-1", jurisdiction="US-NC", valid_until=UNTIL, npi="1234567893", ncpdp_id="1234567", dea="AP5836727"
)
LETTER = LetterOfQualification(
    spl=PrincipalLicense(BOARD.id, "urn:uuid:0b1c6b1e-6d3f-4d5e-9c55-1c1ad8f3a4b0", "https://ncmedboard.example/licenses/1"),
    spl_basis="practice25",
    decision="denied",
    issued_on=date(2027, 1, 1),
    valid_until=UNTIL,
    checks={name: QualificationCheck("fail" if name == "discipline" else "pass", date(2026, 12, 1)) for name in QUALIFICATION_CHECKS},
)
REGISTRATION = PrescriberRegistration(dea_number="AP5836727", schedules=("2", "2N", "4"), state="US-NC", valid_until=UNTIL)
DELEGATION = PickupDelegation(
    relationship="parent",
    valid_until=UNTIL,
    pharmacies=("did:web:pharmacy.example",),
    scope="rx_hash",
    prescriptions=("uEiBDxM8a1tP3mZ6cW1yTqQk0cWc0n0uYqf8v9b3yJ0yq3w",),
    max_uses=3,
    on_behalf_of=Minor(NAME, date(2015, 2, 3)),
)
ALL: tuple[CredentialClaims, ...] = (LICENSE, PATIENT, ACCREDITATION, PHARMACY, LETTER, REGISTRATION, DELEGATION)
FULL = pytest.mark.parametrize("claims", ALL, ids=lambda claims: claims.credential_type)


def credential_of(claims: CredentialClaims) -> dict[str, Any]:
    return {
        "@context": list(claims.contexts),
        "id": "urn:uuid:11111111-1111-4111-8111-111111111111",
        "type": ["VerifiableCredential", claims.credential_type],
        "issuer": BOARD.id,
        "validFrom": "2026-01-01T00:00:00Z",
        "validUntil": "2027-12-31T00:00:00Z",
        "credentialSchema": {"id": claims.schema_url, "type": "JsonSchema"},
        "evidence": [{"type": "PrimarySourceVerification", "source": "Test University", "method": "transcript", "checkedOn": "2025-12-01"}],
        "credentialSubject": claims.to_subject(HOLDER, BOARD),
    }


def schema_of(claims: CredentialClaims) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(schema_file(f"{claims.credential_type}.json"))
    return schema


@FULL
def test_a_full_credential_conforms_to_its_schema(claims: CredentialClaims) -> None:
    schema, credential = schema_of(claims), credential_of(claims)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(credential)
    assert jsonschema_rs.validator_for(schema, validate_formats=True).is_valid(credential)
    assert schema["$id"] == claims.schema_url


@FULL
def test_claims_survive_the_way_into_a_credential_and_back(claims: Any) -> None:
    subject = json.loads(json.dumps(claims.to_subject(HOLDER, BOARD)))
    assert type(claims).from_subject(subject, valid_until=UNTIL) == claims


@FULL
def test_each_required_member_is_required(claims: CredentialClaims) -> None:
    schema, good = jsonschema_rs.validator_for(schema_of(claims)), credential_of(claims)
    for member in ("@context", "id", "type", "issuer", "validFrom", "validUntil", "credentialSubject"):
        bad = copy.deepcopy(good)
        del bad[member]
        assert not schema.is_valid(bad), member
    required = schema_of(claims)["properties"]["credentialSubject"]["required"]
    assert required
    for member in required:
        bad = copy.deepcopy(good)
        del bad["credentialSubject"][member]
        assert not schema.is_valid(bad), member


@FULL
def test_a_subject_with_a_member_of_a_wrong_type_is_refused_by_schema_and_by_class(claims: Any) -> None:
    schema, good = jsonschema_rs.validator_for(schema_of(claims)), credential_of(claims)
    for member in good["credentialSubject"]:
        bad = copy.deepcopy(good)
        bad["credentialSubject"][member] = 7 if member != "maxUses" else "7"
        assert not schema.is_valid(bad), member
        if member != "id":
            with pytest.raises(ValueError):
                type(claims).from_subject(bad["credentialSubject"], valid_until=UNTIL)


@FULL
@pytest.mark.parametrize("member", ["ssn", "mrn", "plan", "drug", "driversLicenseNumber"])
def test_a_subject_has_no_place_for_anything_else(claims: CredentialClaims, member: str) -> None:
    credential = credential_of(claims)
    credential["credentialSubject"][member] = "999-99-9999"
    assert not jsonschema_rs.validator_for(schema_of(claims)).is_valid(credential)


@FULL
def test_the_envelope_is_open_and_takes_an_issuer_object_and_a_proof(claims: CredentialClaims) -> None:
    credential = credential_of(claims) | {"issuer": {"id": BOARD.id, "name": BOARD.name}, "proof": {"type": "DataIntegrityProof"}, "termsOfUse": []}
    assert jsonschema_rs.validator_for(schema_of(claims)).is_valid(credential)


@FULL
def test_another_type_or_context_is_refused(claims: CredentialClaims) -> None:
    schema, good = jsonschema_rs.validator_for(schema_of(claims)), credential_of(claims)
    assert not schema.is_valid(good | {"type": ["VerifiableCredential", "UniversityDegreeCredential"]})
    assert not schema.is_valid(good | {"type": [claims.credential_type]})
    assert not schema.is_valid(good | {"@context": [HEALTH_CONTEXT]})
    assert not schema.is_valid(good | {"@context": [CREDENTIALS_CONTEXT]})
    assert not schema.is_valid(good | {"issuer": "https://board.example"})


def test_the_schemas_and_the_classes_know_the_same_words() -> None:
    def enum(claims: CredentialClaims, *path: str) -> set[str]:
        node = schema_of(claims)["properties"]["credentialSubject"]
        for name in path:
            node = node["properties"][name]
        return set(node["enum"])

    assert enum(LICENSE, "profession") == PROFESSIONS
    assert enum(LICENSE, "licenseClass") == LICENSE_CLASSES
    assert enum(PATIENT, "idDocument", "type") == DOCUMENT_TYPES
    assert enum(PHARMACY, "class") == PHARMACY_CLASSES
    members = schema_of(PATIENT)["properties"]["credentialSubject"]["properties"]
    assert {int(member.removeprefix("ageOver")) for member in members if member.startswith("ageOver")} == set(AGES)


def test_the_minimal_subjects_conform_too() -> None:
    minimal: tuple[CredentialClaims, ...] = (
        PhysicianLicense(name=PersonName("A", "B"), profession="MD", license_number="1", original_issue_date=date(2020, 1, 1), valid_until=UNTIL),
        PatientIdentity(name=PersonName("A", "B"), birth_date=date(2000, 1, 1), assurance=PATIENT.assurance, valid_until=UNTIL),
        BoardAccreditation(name="A", entity_type="csp", jurisdiction="US", resource="PatientIdentityCredential", valid_until=UNTIL),
        Pharmacy(name="A", license_number="1", jurisdiction="US-NC", valid_until=UNTIL),
    )
    for claims in minimal:
        assert jsonschema_rs.validator_for(schema_of(claims)).is_valid(credential_of(claims)), claims.credential_type


# JSON-LD


def context_loader(url: str, _options: object = None) -> dict[str, Any]:
    if url == HEALTH_CONTEXT:
        document = json.loads(schema_file("contexts/did-health-v1.json"))
    elif url == CREDENTIALS_CONTEXT:
        document = json.loads(shared("contexts", "credentials-v2.jsonld").read_bytes())
    else:
        raise AssertionError(f"{url} would be fetched")
    return {"contextUrl": None, "documentUrl": url, "document": document, "contentType": "application/ld+json"}


def leaves(value: Any) -> int:
    """How many values other than identifiers and types a JSON document holds."""
    if isinstance(value, dict):
        return sum(leaves(item) for name, item in value.items() if name not in ("@context", "id", "type", "@id", "@type", "@language"))
    return sum(leaves(item) for item in value) if isinstance(value, list) else 1


def id_references(value: Any) -> int:
    """How many nodes of an expanded document are mere references: ``{"@id": …}``."""
    if isinstance(value, dict):
        return 1 if set(value) == {"@id"} else sum(id_references(item) for item in value.values())
    return sum(id_references(item) for item in value) if isinstance(value, list) else 0


@FULL
def test_no_term_is_lost_when_the_credential_is_expanded(claims: CredentialClaims) -> None:
    jsonld = pytest.importorskip("pyld.jsonld")
    credential = credential_of(claims)
    [expanded] = jsonld.expand(credential, {"documentLoader": context_loader})
    # The issuer is a reference in both; credentialSchema has nothing but an identifier and a type.
    assert leaves(expanded) + id_references(expanded) == leaves(credential)
    properties = set(re.findall(r'"(https?://[^"]+)":', json.dumps(expanded)))
    named = {"https://schema.org/name"} if "name" in credential["credentialSubject"] else set()
    assert {"https://www.w3.org/2018/credentials#credentialSubject"} | named <= properties
    types = set(re.findall(r'"@type": \[([^\]]+)\]', json.dumps(expanded)))
    assert all("://" in name for entry in types for name in entry.split(", "))


def test_an_undefined_member_would_be_noticed() -> None:
    jsonld = pytest.importorskip("pyld.jsonld")
    credential = credential_of(LICENSE)
    credential["credentialSubject"]["favouriteColour"] = "green"
    [expanded] = jsonld.expand(credential, {"documentLoader": context_loader})
    assert leaves(expanded) + id_references(expanded) == leaves(credential) - 1


@FULL
def test_the_schemas_name_no_member_that_the_context_does_not_define(claims: CredentialClaims) -> None:
    context = json.loads(schema_file("contexts/did-health-v1.json"))["@context"]

    def undefined(node: dict[str, Any], terms: dict[str, Any]) -> set[str]:
        missing = set()
        for name, schema in node.get("properties", {}).items():
            if name not in terms and name != "name":
                missing.add(name)
            definition = terms.get(name)
            inner = terms | definition["@context"] if isinstance(definition, dict) and "@context" in definition else terms
            missing |= undefined(schema.get("items", schema), inner)
        return missing

    assert undefined(schema_of(claims)["properties"]["credentialSubject"], context) == set()


def test_a_presentation_carries_its_receipts_through_rdf() -> None:
    jsonld = pytest.importorskip("pyld.jsonld")
    receipt = {"index": 3, "path": ["AAAA"], "ledgerProof": "c2sp.org/tlog-proof@v1"}
    presentation = {"@context": [CREDENTIALS_CONTEXT, HEALTH_CONTEXT], "type": "VerifiablePresentation", "holder": HOLDER, "issuanceReceipt": [receipt]}
    [expanded] = jsonld.expand(presentation, {"documentLoader": context_loader})
    [value] = expanded["https://did-health.example/vocab#issuanceReceipt"]
    assert value == {"@type": "@json", "@value": [receipt]}


def test_the_context_protects_its_terms() -> None:
    context = json.loads(schema_file("contexts/did-health-v1.json"))["@context"]
    assert context["@version"] == 1.1
    assert context["@protected"] is True
    assert all(term["@context"]["@protected"] is True for term in context.values() if isinstance(term, dict) and "@context" in term)
