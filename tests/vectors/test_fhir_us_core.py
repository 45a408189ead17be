"""US Core's examples and Synthea's: organisations and roles are read, and the FHIR library takes the same files as it takes ours."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from did_health.encoding import strict_json
from did_health.health.assurance import Assurance
from did_health.health.fhir import Imported, LicenseDefaults, PharmacyDefaults, RowError, read_patients, read_pharmacies, read_practitioners, read_roles
from did_health.health.fhir.licensed import practitioner, practitioner_role
from did_health.health.fhir.patients import patient
from did_health.health.issuer_details import Issuer
from tests.conftest import shared
from tests.fhir_models import checked

pytestmark = pytest.mark.vectors

UNTIL = datetime(2028, 1, 1, tzinfo=UTC)
DEFAULTS = LicenseDefaults(date(2020, 1, 1), UNTIL)


def us_core(name: str) -> bytes:
    return shared("vectors", "fhir", "us-core", name).read_bytes()


EXAMPLES = ["patient-example", "patient-child-example", "practitioner-1", "practitioner-3", "organization-acme-lab", "organization-acme-payer"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_library_by_which_ours_are_checked_takes_the_official_examples(name: str) -> None:
    document = json.loads(us_core(f"{name}.json"))
    assert checked(document).id == document["id"]


@pytest.mark.parametrize("name", ["organization-acme-lab.json", "organization-acme-payer.json"])
def test_an_organization_that_is_no_pharmacy_is_not_made_one(name: str) -> None:
    [row] = read_pharmacies(us_core(name), defaults=PharmacyDefaults(UNTIL))
    assert isinstance(row, RowError)
    assert row.field == "type"


def test_a_role_gives_its_practitioner_a_specialty() -> None:
    data = us_core("PractitionerRole_Practitioner_Endpoint_Bundle_Example.json")
    roles = read_roles(data)
    assert roles.errors == ()
    [richard] = read_practitioners(data, defaults=DEFAULTS, roles=roles)
    assert isinstance(richard, Imported)
    assert richard.claims.taxonomy == ("208D00000X",)


def test_synthea_names_practitioners_by_npi() -> None:
    data = shared("vectors", "fhir", "synthea", "PractitionerRole.000.ndjson").read_bytes()
    numbers = [json.loads(line)["practitioner"]["identifier"]["value"] for line in data.splitlines()]
    roles = read_roles(data)
    assert (len(numbers), roles.errors) == (3, ())
    assert {roles.taxonomy("", number) for number in numbers} == {("208D00000X",)}


def test_an_official_practitioner_comes_back_as_it_went() -> None:
    data = us_core("PractitionerRole_Practitioner_Endpoint_Bundle_Example.json")
    [richard] = read_practitioners(data, defaults=DEFAULTS, roles=read_roles(data))
    assert isinstance(richard, Imported)
    person = practitioner("did:key:z6Mk", [(richard.claims, Issuer("did:web:board.example", "Board", "US-MI"))])
    role = practitioner_role(person, richard.claims)
    assert role is not None
    official = json.loads(us_core("practitioner-1.json"))
    assert official["meta"]["profile"][0].partition("|")[0] in person.resource["meta"]["profile"]
    written = b"\n".join(strict_json.dumps(one.resource) for one in (role, person))
    [again] = read_practitioners(written, defaults=DEFAULTS, roles=read_roles(written))
    assert isinstance(again, Imported)
    assert again.claims.name == richard.claims.name
    assert (again.claims.license_number, again.claims.npi, again.claims.taxonomy) == ("LARA-1011", "9999991018", ("208D00000X",))
    assert (again.claims.jurisdiction, again.claims.profession) == ("US-MI", "MD")


def test_synthetic_patients_come_back_as_they_went_and_are_valid_fhir() -> None:
    assurance = Assurance("HL7", "IDIAL1.8", date(2026, 1, 1), "in_person")
    with shared("data", "synthea", "Patient.ndjson").open("rb") as file:
        found = [row.claims for row in read_patients(file, assurance=assurance, valid_until=UNTIL) if isinstance(row, Imported)]
    assert len(found) == 300
    written = [patient(f"did:example:{place}", claims) for place, claims in enumerate(found)]
    for one in written:
        checked(one.resource)
        assert one.unsaid == ("assurance", "validUntil")
    rows = read_patients(b"\n".join(strict_json.dumps(one.resource) for one in written), assurance=assurance, valid_until=UNTIL)
    assert [row.claims for row in rows if isinstance(row, Imported)] == found
