from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from did_health.errors import FormatError
from did_health.health.address import Address
from did_health.health.assurance import Assurance
from did_health.health.fhir import Imported, RowError, read_patients
from did_health.health.patient_identity import PatientIdentity
from did_health.health.person_name import PersonName

ASSURANCE = Assurance("HL7", "IDIAL1.8", date(2026, 1, 1), "in_person")
UNTIL = datetime(2028, 1, 1, tzinfo=UTC)


def patient(**members: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "a1", "name": [{"family": "Brook", "given": ["Ada"]}], "birthDate": "1971-08-14", **members}


def one(resource: dict[str, Any]) -> Imported[PatientIdentity] | RowError:
    [row] = list(read_patients(json.dumps(resource).encode(), assurance=ASSURANCE, valid_until=UNTIL))
    return row


def identity(resource: dict[str, Any]) -> PatientIdentity:
    row = one(resource)
    assert isinstance(row, Imported), row
    return row.claims


def notes(resource: dict[str, Any]) -> list[str]:
    row = one(resource)
    assert isinstance(row, Imported), row
    return [str(note) for note in row.notes]


def test_a_whole_patient_becomes_an_identity() -> None:
    resource = patient(
        telecom=[{"system": "phone", "use": "home", "value": "555-555-0100"}, {"system": "email", "value": "ada@mail.example"}],
        address=[{"line": ["1 Test Street", " Apt  2 "], "city": "Raleigh", "state": "North Carolina", "postalCode": "27601", "country": "US"}],
    )
    assert identity(resource) == PatientIdentity(
        name=PersonName("Brook", "Ada"),
        birth_date=date(1971, 8, 14),
        assurance=ASSURANCE,
        valid_until=UNTIL,
        address=Address(("1 Test Street", "Apt 2"), "Raleigh", "US-NC", "27601", "US"),
        phone="555-555-0100",
        email="ada@mail.example",
    )
    assert notes(resource) == []


def test_the_least_is_a_name_and_a_birth_date() -> None:
    claims = identity(patient())
    assert (claims.address, claims.phone, claims.email) == (None, "", "")


@pytest.mark.parametrize(
    ("names", "family"),
    [
        (["maiden", "official"], "official"),
        (["usual", "official"], "official"),
        (["old", "", "nickname"], ""),
        (["old", "usual"], "usual"),
        (["maiden"], "maiden"),
    ],
)
def test_the_official_name_is_chosen_and_a_former_one_only_as_the_last_resort(names: list[str], family: str) -> None:
    resource = patient(name=[{"use": use, "family": f"Name{use}", "given": ["Ada"]} for use in names])
    assert identity(resource).name.family == f"Name{family}"
    assert any("former name" in note for note in notes(resource)) is (family == "maiden")


def test_a_name_that_has_ended_gives_way_to_one_that_has_not() -> None:
    ended = {"use": "official", "family": "Before", "given": ["Ada"], "period": {"end": "2020-07-22"}}
    assert identity(patient(name=[ended, {"family": "After", "given": ["Ada"]}])).name.family == "After"


@pytest.mark.parametrize("members", [{"deceasedDateTime": "1989-05-09T20:35:22-04:00"}, {"deceasedBoolean": True}])
def test_somebody_who_has_died_is_not_lost(members: dict[str, Any]) -> None:
    assert notes(patient(**members)) == ["row 1 (deceased): the patient has died"]


def test_a_patient_who_lives_has_no_such_note() -> None:
    assert notes(patient(deceasedBoolean=False)) == []


@pytest.mark.parametrize(
    ("members", "field", "problem"),
    [
        ({"birthDate": ""}, "birthDate", "no birth date"),
        ({"birthDate": "1971"}, "birthDate", "names no day"),
        ({"birthDate": "1971-08"}, "birthDate", "names no day"),
        ({"birthDate": "1971-13-01"}, "birthDate", "no calendar has"),
        ({"birthDate": "14.8.1971"}, "birthDate", "not a date"),
        ({"birthDate": 1971}, "birthDate", "not a text"),
        ({"birthDate": "1571-08-14"}, "birthDate", "before 1850"),
        ({"birthDate": "2027-08-14"}, "birthDate", "before birth"),
        ({"name": None}, "name", "not a list"),
        ({"telecom": "555"}, "telecom", "not a list"),
        ({"address": [{"period": 1}]}, "address[0].period", "not an object"),
    ],
)
def test_a_malformed_patient_is_an_error_by_field(members: dict[str, Any], field: str, problem: str) -> None:
    row = one(patient(**members))
    assert isinstance(row, RowError)
    assert row.field == field
    assert problem in row.problem


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"telecom": [{"system": "phone", "value": "ask my son"}]}, "telecom[0].value"),
        ({"telecom": [{"system": "email", "value": "none"}]}, "telecom[0].value"),
        ({"address": [{"city": "x" * 600}]}, "address[0]"),
        ({"address": [{"line": "x"}]}, "address[0]"),
        ({"address": [{"city": "Toronto", "state": "Ontario"}]}, "address[0].state"),
    ],
)
def test_a_contact_detail_that_is_none_is_left_out_and_the_patient_kept(members: dict[str, Any], field: str) -> None:
    [note] = notes(patient(**members))
    assert f"({field}): left out" in note


def test_a_foreign_address_keeps_what_can_be_kept() -> None:
    assert identity(patient(address=[{"city": "Toronto", "state": "Ontario", "country": "CA"}])).address == Address(city="Toronto", country="CA")
    assert identity(patient(address=[{"city": "Paris"}])).address == Address(city="Paris", country="")
    assert identity(patient(address=[{"text": "somewhere"}])).address is None
    assert identity(patient(address=[{"state": "nc"}])).address == Address(state="US-NC", country="US")


def test_the_present_home_and_the_mobile_phone_are_chosen() -> None:
    resource = patient(
        address=[{"use": "old", "city": "A"}, {"use": "work", "city": "B"}, {"use": "home", "city": "C"}, {"use": "home", "city": "D"}],
        telecom=[
            {"system": "fax", "value": "1"},
            {"system": "phone", "use": "home", "value": "555-555-0100"},
            {"system": "phone", "use": "mobile", "value": "555-555-0101"},
        ],
    )
    address = identity(resource).address
    assert address is not None
    assert address.city == "C"
    assert identity(resource).phone == "555-555-0101"


@pytest.mark.parametrize("until", [datetime(2029, 1, 2, 11, 0, 1, tzinfo=UTC), datetime(2028, 1, 1)])  # noqa: DTZ001
def test_a_validity_that_no_row_could_have_is_refused_at_once(until: datetime) -> None:
    with pytest.raises(FormatError) as caught:
        read_patients(b"", assurance=ASSURANCE, valid_until=until)
    assert caught.value.where == "/validUntil"


def test_other_resources_are_passed_over_and_broken_lines_told() -> None:
    data = b'{"resourceType":"Practitioner"}\nbroken\n' + json.dumps(patient()).encode()
    rows = list(read_patients(data, assurance=ASSURANCE, valid_until=UNTIL))
    assert [(type(row), row.row) for row in rows] == [(RowError, 2), (Imported, 3)]
