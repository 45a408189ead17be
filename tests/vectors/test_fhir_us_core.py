"""US Core's examples and Synthea's: organisations and roles are read, and the FHIR library takes the same files as it takes ours."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from did_health.health.fhir import Imported, LicenseDefaults, PharmacyDefaults, RowError, read_pharmacies, read_practitioners, read_roles
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
