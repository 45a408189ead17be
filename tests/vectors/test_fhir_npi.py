"""Third-party FHIR data: NPI check digits, US Core examples, and 300 patients and 60 practitioners who are dirty on purpose."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from typing import Any

import pytest

from did_health.health import npi
from did_health.health.assurance import Assurance
from did_health.health.fhir import Imported, LicenseDefaults, RowError, read_patients, read_practitioners
from did_health.health.issuer_details import Issuer
from tests.conftest import shared

pytestmark = pytest.mark.vectors

UNTIL = datetime(2028, 1, 1, tzinfo=UTC)
DEFAULTS = LicenseDefaults(date(2020, 1, 1), UNTIL)
ASSURANCE = Assurance("HL7 Identity Matching", "IDIAL1.8", date(2026, 1, 1), "in_person")
BOARD = Issuer("did:web:board.example", "Board of Testing", "US-MA")


def test_npi_check_digits() -> None:
    cases = json.loads(shared("vectors", "fhir", "npi.json").read_bytes())["cases"]
    assert len(cases) >= 15
    for case in cases:
        assert npi.is_valid(case["npi"]) is case["valid"], case


def synthea(kind: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in shared("data", "synthea", f"{kind}.ndjson").read_bytes().splitlines()]


def test_every_synthea_practitioner_has_an_invalid_npi_and_is_reported_by_row_and_reason() -> None:
    with shared("data", "synthea", "Practitioner.ndjson").open("rb") as file:
        rows = list(read_practitioners(file, defaults=DEFAULTS))
    assert [row.row for row in rows] == list(range(1, 61))
    for row, source in zip(rows, synthea("Practitioner"), strict=True):
        assert isinstance(row, RowError)
        assert row.field == "identifier[0].value"
        assert row.problem == f"an NPI is ten digits, but it has {len(source['identifier'][0]['value'])} characters"


def test_with_test_npis_no_synthea_practitioner_is_lost() -> None:
    data = shared("data", "synthea", "Practitioner.ndjson").read_bytes()
    rows = [row for row in read_practitioners(data, defaults=DEFAULTS, mint_test_npi=True) if isinstance(row, Imported)]
    assert len(rows) == 60
    assert len({row.claims.npi for row in rows}) == len({row.claims.license_number for row in rows}) == 60
    for row, source in zip(rows, synthea("Practitioner"), strict=True):
        subject = row.claims.to_subject("did:key:z6Mk", BOARD)
        assert subject["name"]["family"] == source["name"][0]["family"]
        assert row.claims.jurisdiction == "US-MA"
        assert npi.is_valid(row.claims.npi)
        assert source["id"] not in json.dumps(subject)
        assert row.resource_id == source["id"]


def test_no_synthea_patient_is_lost_and_no_number_of_theirs_is_kept() -> None:
    with shared("data", "synthea", "Patient.ndjson").open("rb") as file:
        rows = [row for row in read_patients(file, assurance=ASSURANCE, valid_until=UNTIL) if isinstance(row, Imported)]
    sources = synthea("Patient")
    assert len(rows) == len(sources) == 300
    for row, source in zip(rows, sources, strict=True):
        [official] = [name for name in source["name"] if name["use"] == "official"]
        claims = row.claims
        assert (claims.name.family, claims.name.given) == (official["family"], " ".join(official["given"]))
        assert claims.birth_date.isoformat() == source["birthDate"]
        assert claims.address is not None
        assert claims.address.state == "US-MA"
        assert claims.phone == source["telecom"][0]["value"]
        assert any("died" in note.note for note in row.notes) is ("deceasedDateTime" in source)
        document = json.dumps(claims.to_subject("did:key:z6Mk", BOARD), ensure_ascii=False)
        assert len(source["identifier"]) >= 3
        for identifier in source["identifier"]:
            assert identifier["value"] not in document
        assert source["id"] not in document
        assert not re.search(r"\d{3}-\d{2}-\d{4}", document)
        assert set(claims.to_subject("did:key:z6Mk", BOARD)) <= {"id", "name", "birthDate", "assurance", "address", "phone"}


def test_names_with_digits_are_kept_as_they_are() -> None:
    rows = list(read_practitioners(shared("vectors", "fhir", "synthea", "Practitioner.000.ndjson").read_bytes(), defaults=DEFAULTS))
    assert [row.claims.name.family for row in rows if isinstance(row, Imported)] == ["Emard19", "Hintz995", "Howe413", "Hirthe744"]
    assert all(isinstance(row, Imported) and row.claims.jurisdiction == "US-KS" for row in rows)
    patients = list(read_patients(shared("vectors", "fhir", "synthea", "Patient.000.ndjson").read_bytes(), assurance=ASSURANCE, valid_until=UNTIL))
    first = patients[0]
    assert isinstance(first, Imported)
    assert (first.claims.name.family, first.claims.name.given) == ("Medhurst46", "Sumiko254 Larue605")


def us_core(name: str) -> bytes:
    return shared("vectors", "fhir", "us-core", name).read_bytes()


def test_us_core_practitioners() -> None:
    [bone] = list(read_practitioners(us_core("practitioner-1.json"), defaults=DEFAULTS))
    assert isinstance(bone, Imported)
    assert (bone.claims.name.family, bone.claims.npi, bone.claims.jurisdiction) == ("Bone", "9941339100", "US-MA")
    [nurse] = list(read_practitioners(us_core("practitioner-3.json"), defaults=DEFAULTS))
    assert isinstance(nurse, RowError)
    assert "another profession" in nurse.problem
    [richard] = list(read_practitioners(us_core("PractitionerRole_Practitioner_Endpoint_Bundle_Example.json"), defaults=DEFAULTS))
    assert isinstance(richard, Imported)
    assert (richard.row, richard.claims.profession, richard.claims.license_number) == (2, "MD", "LARA-1011")
    assert "000001011" not in json.dumps(richard.claims.to_subject("did:key:z6Mk", Issuer(BOARD.id, BOARD.name, "US-MI")))


@pytest.mark.parametrize(("name", "family"), [("patient-example.json", "Baxter"), ("patient-child-example.json", "Example")])
def test_us_core_patients(name: str, family: str) -> None:
    [row] = list(read_patients(us_core(name), assurance=ASSURANCE, valid_until=UNTIL))
    assert isinstance(row, Imported)
    assert row.claims.name.family == family


@pytest.mark.parametrize("name", ["careteam-example.json", "coverage-example.json", "location-hospital.json", "organization-acme-lab.json"])
def test_other_resources_hold_nobody_to_issue_to(name: str) -> None:
    assert list(read_patients(us_core(name), assurance=ASSURANCE, valid_until=UNTIL)) == []
    assert list(read_practitioners(us_core(name), defaults=DEFAULTS)) == []
