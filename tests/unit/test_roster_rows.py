"""Rosters in CSV and FHIR: what is read, and what is said of rows that cannot be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from did_health.errors import FormatError
from did_health.limits import MAX_ROSTER_COLUMNS
from did_health.roles.roster import csv_input
from did_health.roles.roster.csv_input import read_csv
from did_health.roles.roster.fhir_input import read_fhir
from did_health.roles.roster.row import RosterFault, RosterRow

HEADER = b"family,given,npi,license_number,state,board,credential\n"
NPI_SYSTEM = "http://hl7.org/fhir/sid/us-npi"
TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"


def rows(text: bytes) -> list[RosterRow | RosterFault]:
    return list(read_csv(HEADER + text))


def faults(text: bytes) -> list[tuple[int, str, str]]:
    found = [one for one in rows(text) if isinstance(one, RosterFault)]
    return [(one.row, one.column, one.problem) for one in found]


def test_a_row_of_csv() -> None:
    (row,) = rows(b"Adams, Ann  Beth ,1234567893,A-1,North Carolina,,\n")
    assert row == RosterRow(2, "Adams", "Ann Beth", "1234567893", "A-1", "US-NC")
    assert isinstance(row, RosterRow)
    assert row.key == "1234567893|US-NC||A-1"
    assert "Adams" not in repr(row)


def test_column_names_in_other_words_and_columns_that_mean_nothing() -> None:
    found = list(read_csv(b"\xef\xbb\xbfLast Name,First-Name,NPDB result,License No,Jurisdiction\r\nAdams,Ann,clean,A-1,nc\r\n\r\n,,,,\r\n"))
    assert found == [RosterRow(2, "Adams", "Ann", license_number="A-1", state="US-NC")]


def test_a_row_by_its_credential_has_a_key_of_its_own() -> None:
    one, other = rows(b'Adams,Ann,,,,,one.json\nAdams,Ann,,,,,two.json\n')
    assert isinstance(one, RosterRow)
    assert isinstance(other, RosterRow)
    assert one.key.startswith("credential ")
    assert one.key != other.key
    assert "one.json" not in json.dumps(one.to_json())


def test_each_bad_row_says_its_column_and_the_others_go_on() -> None:
    text = (
        b"Adams,Ann,1234567890,,,,\nAdams,Ann,,A-1,,,\nAdams,Ann,,,,,\n,Ann,1234567893,,,,\nAdams,,1234567893,,,,\n"
        b"Adams,Ann,,A-1,Nowhere,,\nAdams,Ann,,A-1,,nobody,\nAdams,Ann,,A-123456789012345678901,NC,,\nAdams,Ann,1234567893,,,,\n"
    )
    assert [(row, column) for row, column, _ in faults(text)] == [
        (2, "npi"), (3, "state"), (4, "license_number"), (5, "family"), (6, "given"), (7, "state"), (8, "board"), (9, "license_number"),
    ]  # fmt: skip
    assert rows(text)[-1] == RosterRow(10, "Adams", "Ann", "1234567893")


def test_a_broken_line_spoils_no_other() -> None:
    text = b'"Adams,Ann,1234567893,,,,\nAdams,Ann,1234567893\nAd\xffams,Ann,1234567893,,,,\nAd\x00ams,Ann,1234567893,,,,\n"Ad""ams","Ann",1234567893,,,,\n'
    assert [row for row, _, _ in faults(text)] == [2, 3, 4, 5]
    assert isinstance(rows(text)[-1], RosterRow)


def test_a_line_over_its_limit_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_input, "MAX_ROSTER_LINE_BYTES", 80)
    found = rows(b"A" * 100 + b"\nAdams,Ann,1234567893,,,,\n")
    assert [type(one) for one in found] == [RosterFault, RosterRow]
    monkeypatch.setattr(csv_input, "MAX_ROSTER_SKIPPED_BYTES", 150)
    assert [type(one) for one in read_csv([HEADER, *[b"A" * 100] * 5, b"\nAdams,Ann,1234567893,,,,\n"])] == [RosterFault]


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        (b"family,npi\n", "no column given"),
        (b"family,given\n", "no column tells"),
        (b"family,given,npi,NPI\n", "two columns"),
        (b"family,given,npi" + b",x" * MAX_ROSTER_COLUMNS, "more than"),
        (b'family,"given,npi\n', "not CSV"),
        (b"\xff\xff\n", "not UTF-8"),
    ],
)
def test_a_file_without_the_columns_of_a_roster(header: bytes, complaint: str) -> None:
    with pytest.raises(FormatError, match=complaint):
        list(read_csv(header))


def test_no_header_no_rows() -> None:
    assert list(read_csv(b"\n\n")) == []


# ---- FHIR


def practitioner(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Practitioner", "id": "p1", "name": [{"family": "Adams", "given": ["Ann", "Beth"]}], **more}


def identifier(value: str, code: str = "", state: str = "", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"value": value, **more}
    if code:
        found["type"] = {"coding": [{"system": TYPES, "code": code}]}
    if state:
        coding = {"coding": [{"system": "https://www.usps.com/", "code": state}]}
        extension = {"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-jurisdiction", "valueCodeableConcept": coding}
        found["extension"] = [{"url": "https://other.example", "valueString": "x"}, extension]
    return found


def fhir(*resources: dict[str, Any]) -> list[RosterRow | RosterFault]:
    return list(read_fhir("\n".join(json.dumps(one) for one in resources).encode()))


def test_a_practitioner_is_a_row_for_every_licence() -> None:
    npi = identifier("1234567893", system=NPI_SYSTEM)
    old = identifier("0000000006", system=NPI_SYSTEM, use="old")
    licenses = [{"identifier": [identifier("A-1", "MD", "NC"), identifier("A-0", "MD", "NC", use="old")]}, {"identifier": [identifier("B-2", "SL", "SC")]}]
    assert fhir(practitioner(identifier=[old, npi], qualification=licenses)) == [
        RosterRow(1, "Adams", "Ann Beth", "1234567893", "A-1", "US-NC"),
        RosterRow(1, "Adams", "Ann Beth", "1234567893", "B-2", "US-SC"),
    ]
    assert fhir(practitioner(identifier=[npi])) == [RosterRow(1, "Adams", "Ann Beth", "1234567893")]


def test_a_practitioner_that_tells_too_little_is_a_fault() -> None:
    nameless, numberless, bad = fhir(practitioner(name=[]), practitioner(), practitioner(identifier="x"))
    assert isinstance(nameless, RosterFault)
    assert isinstance(numberless, RosterFault)
    assert isinstance(bad, RosterFault)
    assert (nameless.column, numberless.column, bad.column) == ("name", "license_number", "identifier")
    assert [one.row for one in (nameless, numberless, bad)] == [1, 2, 3]


def role(**who: Any) -> dict[str, Any]:
    return {"resourceType": "PractitionerRole", "practitioner": who}


def test_a_role_is_a_row_or_is_covered_by_its_practitioner() -> None:
    named = identifier("1234567893", system=NPI_SYSTEM)
    found = fhir(
        role(reference="Practitioner/p1"),
        practitioner(identifier=[named]),
        role(identifier=named, display="Ann Adams"),
        role(identifier=identifier("1234567893", "NPI"), display="Adams, Ann"),
        role(reference="Practitioner/nobody"),
        role(display="Ann Adams"),
        {"resourceType": "Organization"},
    )
    assert found == [
        RosterRow(2, "Adams", "Ann Beth", "1234567893"),
        RosterRow(3, "Adams", "Ann", "1234567893"),
        RosterRow(4, "Adams", "Ann", "1234567893"),
        found[3],
        found[4],
    ]
    assert [(one.row, one.column) for one in found if isinstance(one, RosterFault)] == [(6, "practitioner"), (5, "practitioner.reference")]


def test_resources_that_cannot_be_read_are_faults() -> None:
    found = list(read_fhir(b'{"resourceType":"Practitioner"\n{"resourceType":"Organization"}\n'))
    assert [type(one) for one in found] == [RosterFault]
