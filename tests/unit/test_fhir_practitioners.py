from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from did_health.errors import FormatError
from did_health.health import npi
from did_health.health.fhir import Imported, LicenseDefaults, RowError, read_practitioners
from did_health.health.fhir.practitioners import mint_license_number
from did_health.health.local_days import local_days
from did_health.health.physician_license import PhysicianLicense

DEFAULTS = LicenseDefaults(date(2020, 1, 1), datetime(2028, 1, 1, tzinfo=UTC))
V2_0203 = "http://terminology.hl7.org/CodeSystem/v2-0203"
V2_0360 = "http://terminology.hl7.org/CodeSystem/v2-0360"
NPI_SYSTEM = "http://hl7.org/fhir/sid/us-npi"


def number(value: str, code: str = "SL", **more: Any) -> dict[str, Any]:
    return {"type": {"coding": [{"system": V2_0203, "code": code}]}, "value": value, **more}


def practitioner(**members: Any) -> dict[str, Any]:
    return {"resourceType": "Practitioner", "id": "p1", "name": [{"family": "Vance", "given": ["Teodor"]}], **members}


def one(resource: dict[str, Any], defaults: LicenseDefaults = DEFAULTS, **options: Any) -> Imported[PhysicianLicense] | RowError:
    [row] = list(read_practitioners(json.dumps(resource).encode(), defaults=defaults, **options))
    return row


def licence(resource: dict[str, Any], defaults: LicenseDefaults = DEFAULTS, **options: Any) -> PhysicianLicense:
    row = one(resource, defaults, **options)
    assert isinstance(row, Imported), row
    return row.claims


def notes(resource: dict[str, Any]) -> list[str]:
    row = one(resource)
    assert isinstance(row, Imported), row
    return [str(note) for note in row.notes]


def error(resource: dict[str, Any], defaults: LicenseDefaults = DEFAULTS) -> RowError:
    row = one(resource, defaults)
    assert isinstance(row, RowError), row
    return row


def test_a_whole_practitioner_becomes_a_licence() -> None:
    result = licence(
        practitioner(
            identifier=[{"system": NPI_SYSTEM, "value": "1234567893"}],
            name=[{"use": "official", "family": "Vance", "given": ["Teodor", "A."], "prefix": ["Dr."], "suffix": ["Jr."]}],
            address=[{"use": "home", "state": "Virginia"}, {"use": "work", "state": "North Carolina"}],
            qualification=[
                {
                    "identifier": [number("2008-10862")],
                    "code": {"coding": [{"system": V2_0360, "code": "DO"}, {"system": "http://nucc.org/provider-taxonomy", "code": "207R00000X"}]},
                    "period": {"start": "2008-11-23", "end": "2027-11-22"},
                }
            ],
        )
    )
    assert (result.name.given, result.name.prefix, result.name.suffix) == ("Teodor A.", "Dr.", "Jr.")
    assert (result.profession, result.degree, result.license_number, result.npi) == ("DO", "DO", "2008-10862", "1234567893")
    assert result.original_issue_date == date(2008, 11, 23)
    assert result.valid_until == datetime(2027, 11, 23, 4, 59, 59, tzinfo=UTC)
    assert (result.jurisdiction, result.taxonomy) == ("US-NC", ("207R00000X",))


def test_what_fhir_does_not_say_comes_from_the_defaults() -> None:
    defaults = replace(DEFAULTS, profession="DO", license_class="training", jurisdiction="US-VA")
    result = licence(practitioner(), defaults)
    assert (result.profession, result.license_class, result.jurisdiction) == ("DO", "training", "US-VA")
    assert (result.original_issue_date, result.valid_until) == (defaults.original_issue_date, defaults.valid_until)
    assert (result.npi, result.degree) == ("", "")
    assert licence(practitioner()).jurisdiction is None


@pytest.mark.parametrize(
    "changes",
    [
        {"profession": "RN"},
        {"license_class": "x"},
        {"jurisdiction": "NC"},
        {"original_issue_date": "2020-01-01"},
        {"valid_until": datetime(2028, 1, 1)},  # noqa: DTZ001
    ],
)
def test_bad_defaults_are_refused_before_any_row_is_read(changes: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        replace(DEFAULTS, **changes)


# NPI


@pytest.mark.parametrize(("value", "problem"), [("350", "3 characters"), ("1234567890", "check digit"), ("12345X7893", "something else"), ("", "0 characters")])
def test_an_invalid_npi_is_an_error_with_its_place_and_reason(value: str, problem: str) -> None:
    row = error(practitioner(identifier=[{"system": "urn:x", "value": "1"}, {"system": NPI_SYSTEM, "value": value}]))
    assert row.field == "identifier[1].value"
    assert problem in row.problem
    assert row.hint


def test_an_invalid_npi_is_replaced_on_demand_and_a_valid_one_never() -> None:
    bad, good = (practitioner(identifier=[{"system": NPI_SYSTEM, "value": value}]) for value in ("350", "1234567893"))
    data = "\n".join(map(json.dumps, (good, bad, {"resourceType": "Patient"}, bad))).encode()
    rows = list(read_practitioners(data, defaults=DEFAULTS, mint_test_npi=True))
    assert [row.claims.npi for row in rows if isinstance(row, Imported)] == ["1234567893", npi.mint_test_npi(2), npi.mint_test_npi(3)]
    assert [row.row for row in rows] == [1, 2, 4]
    assert isinstance(rows[1], Imported)
    assert any("replaced by a test NPI" in note.note for note in rows[1].notes)


def test_the_valid_npi_among_several_is_taken() -> None:
    identifiers = [
        {"system": NPI_SYSTEM, "value": "350"},
        {"system": NPI_SYSTEM, "value": "1245319599", "use": "old"},
        number("1234567893", "NPI"),
    ]
    assert licence(practitioner(identifier=identifiers)).npi == "1234567893"


def test_an_npi_that_begins_oddly_is_taken_with_a_note() -> None:
    assert any("neither 1 nor 2" in note for note in notes(practitioner(identifier=[{"system": NPI_SYSTEM, "value": "9999908392"}])))


# profession


@pytest.mark.parametrize(
    ("members", "profession"),
    [
        ({"qualification": [{"code": {"coding": [{"system": V2_0360 + "|2.7", "code": "DO"}]}}]}, "DO"),
        ({"qualification": [{"code": {"text": "Doctor of Osteopathic Medicine"}}]}, "DO"),
        ({"qualification": [{"code": {"coding": [{"code": "4305", "display": "Medical Doctor"}]}}]}, "MD"),
        ({"qualification": [{"code": {}, "identifier": [number("1", "DO")]}]}, "DO"),
        ({"qualification": [{"code": {"coding": [{"system": V2_0360, "code": "RN"}]}}, {"code": {"coding": [{"system": V2_0360, "code": "DO"}]}}]}, "DO"),
        ({"name": [{"family": "A", "given": ["B"], "suffix": ["Jr.,", "D.O."]}]}, "DO"),
        ({"name": [{"family": "A", "given": ["B"], "suffix": ["M.D., PhD"]}]}, "MD"),
    ],
)
def test_the_profession_is_read_where_it_stands(members: dict[str, Any], profession: str) -> None:
    assert licence(practitioner(**members), replace(DEFAULTS, profession=None)).profession == profession


@pytest.mark.parametrize(
    "members",
    [
        {"name": [{"family": "A", "given": ["B"], "suffix": ["RN"]}]},
        {"name": [{"family": "A", "given": ["B"], "suffix": ["Pharm.D."]}]},
        {"qualification": [{"code": {"coding": [{"system": V2_0360, "code": "NP"}]}}]},
    ],
)
def test_nobody_of_another_profession_gets_a_physicians_licence(members: dict[str, Any]) -> None:
    assert error(practitioner(**members)).field == "qualification"


def test_a_profession_that_is_not_stated_is_an_error_without_a_default() -> None:
    assert "no profession" in error(practitioner(), replace(DEFAULTS, profession=None)).problem
    assert licence(practitioner(name=[{"family": "A", "given": ["B"], "suffix": ["III"]}])).profession == "MD"


# licence number


def test_the_licence_number_of_the_qualification_comes_first() -> None:
    resource = practitioner(
        identifier=[number("OWN-1"), number("S123", "DL")],
        qualification=[{"code": {"coding": [{"system": V2_0360, "code": "MD"}]}}, {"identifier": [number("OTHER-1"), number("OLD", use="old")]}],
    )
    assert licence(resource).license_number == "OTHER-1"
    del resource["qualification"]
    assert licence(resource).license_number == "OWN-1"


def test_every_qualification_with_a_number_is_a_licence_of_its_own() -> None:
    degree = {"coding": [{"system": V2_0360, "code": "MD"}]}
    resource = practitioner(
        identifier=[number("OWN-1")],
        qualification=[
            {"code": degree},
            {"identifier": [number("A-1", "MD")], "period": {"start": "2010-01-01", "end": "2027-01-31"}},
            {"identifier": [number("B-2")], "period": {"start": "2015-01-01"}, "code": {"text": "Doctor of Osteopathic Medicine"}},
            {"identifier": [number("N-3")], "code": {"coding": [{"code": "RN"}]}},
            {"identifier": [number("A-1", "MD")]},
            {"identifier": [number("C-4")], "period": {"start": "2015-13-01"}},
        ],
    )
    rows = list(read_practitioners(json.dumps(resource).encode(), defaults=DEFAULTS))
    assert [row.row for row in rows] == [1] * 4
    first, second, *_ = [row for row in rows if isinstance(row, Imported)]
    assert (first.claims.license_number, first.claims.profession, first.claims.degree) == ("A-1", "MD", "MD")
    assert (first.claims.original_issue_date, first.claims.valid_until) == (date(2010, 1, 1), local_days(None).last_moment(date(2027, 1, 31)))
    assert (second.claims.license_number, second.claims.profession, second.claims.degree) == ("B-2", "DO", "")
    assert second.unstated == {"license_class", "valid_until"}
    assert [row.field for row in rows if isinstance(row, RowError)] == ["qualification", "qualification[5].period.start"]


def test_several_licences_of_somebody_who_cannot_be_read_are_one_error() -> None:
    resource = practitioner(qualification=[{"identifier": [number("A-1")]}, {"identifier": "x"}])
    assert error(resource).field == "qualification[1].identifier"


@pytest.mark.parametrize(
    "identifier",
    [
        number("S99953792", "DL"),
        number("X20666814X", "PPN"),
        number("999-95-6102", "SS"),
        number("999-95-6102", "SL", system="http://hl7.org/fhir/sid/us-ssn"),
        number("4711", "MR"),
        number("OLD-1", "SL", use="old"),
        number("", "SL"),
        {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-95-6102"},
    ],
)
def test_no_other_number_is_taken_for_a_licence_number(identifier: dict[str, Any]) -> None:
    resource = practitioner(identifier=[identifier])
    assert licence(resource).license_number == mint_license_number("p1")
    assert any("no licence number" in note for note in notes(resource))


def test_a_licence_number_that_is_too_long_is_an_error_and_not_replaced() -> None:
    assert error(practitioner(identifier=[number("1" * 21)])).field == "licenseNumber"


def test_minted_licence_numbers_are_short_different_and_always_the_same() -> None:
    assert mint_license_number("p1") == mint_license_number("p1") != mint_license_number("p2")
    assert mint_license_number("p1").startswith("TEST-")
    assert len(mint_license_number("p1")) <= 20
    nameless = practitioner()
    del nameless["id"]
    rows = list(read_practitioners(b"\n".join([json.dumps(nameless).encode()] * 2), defaults=DEFAULTS))
    assert len({row.claims.license_number for row in rows if isinstance(row, Imported)}) == 2


# dates and states


@pytest.mark.parametrize(
    ("period", "start"),
    [
        ({"start": "2008-11-23"}, date(2008, 11, 23)),
        ({"start": "2008-11-23T22:00:00-05:00"}, date(2008, 11, 23)),
        ({"start": "2008-11"}, DEFAULTS.original_issue_date),
        ({"start": "2008"}, DEFAULTS.original_issue_date),
        ({}, DEFAULTS.original_issue_date),
    ],
)
def test_the_first_issue_is_the_start_of_the_qualification(period: dict[str, Any], start: date) -> None:
    resource = practitioner(qualification=[{"code": {"coding": [{"system": V2_0360, "code": "MD"}]}, "period": period}])
    assert licence(resource).original_issue_date == start
    assert any("names no day" in note for note in notes(resource)) is ("start" in period and len(period["start"]) < 10)


@pytest.mark.parametrize("text", ["2008-02-30", "yesterday", "0000-01-01", "2008-11-23T25:00:00Z", "20-8"])
def test_an_impossible_date_is_an_error(text: str) -> None:
    resource = practitioner(qualification=[{"code": {"coding": [{"system": V2_0360, "code": "MD"}]}, "period": {"end": text}}])
    assert error(resource).field == "qualification[0].period.end"


def test_the_state_of_the_licence_comes_before_the_address() -> None:
    def extension(code: str) -> dict[str, Any]:
        return {"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-jurisdiction", "valueCodeableConcept": {"coding": [{"code": code}]}}

    here = {"address": [{"state": "NC"}]}
    assert licence(practitioner(identifier=[number("1", extension=[{"url": "urn:x"}, extension("VA")])], **here)).jurisdiction == "US-VA"
    assert licence(practitioner(identifier=[number("1", extension=[extension("??")])], **here)).jurisdiction == "US-NC"


def test_a_state_that_is_none_is_noted() -> None:
    resource = practitioner(address=[{"state": "Ontario"}])
    assert licence(resource).jurisdiction is None
    assert any("not a US state" in note for note in notes(resource))


def test_an_inactive_record_and_a_former_name_are_noted() -> None:
    found = notes(practitioner(active=False, name=[{"use": "maiden", "family": "A", "given": ["B"]}]))
    assert any("inactive" in note for note in found)
    assert any("former name" in note for note in found)


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"name": []}, "name"),
        ({"name": [{"family": "A"}]}, "name[0].given"),
        ({"name": [{"given": ["B"], "family": " "}]}, "name[0].family"),
        ({"name": "A B"}, "name"),
        ({"name": [{"family": 7, "given": ["B"]}]}, "name[0].family"),
        ({"name": [{"family": "A", "given": "B"}]}, "name[0].given"),
        ({"name": [{"family": "A\u202e", "given": ["B"]}]}, "name.family"),
        ({"identifier": [1]}, "identifier"),
        ({"identifier": [{"type": []}]}, "identifier[0].type"),
        ({"identifier": [{}] * 65}, "identifier"),
        ({"qualification": [{"code": {"coding": [{"system": "http://nucc.org/provider-taxonomy", "code": "x"}]}}]}, "qualification.code"),
        ({"address": {}}, "address"),
    ],
)
def test_a_malformed_resource_is_an_error_by_field(members: dict[str, Any], field: str) -> None:
    assert error(practitioner(**members)).field == field


def test_fhirs_null_beside_an_extension_is_no_text() -> None:
    assert licence(practitioner(name=[{"family": "A", "given": [None, "B"], "_given": [{"extension": []}, None]}])).name.given == "B"


def test_other_resources_and_broken_lines_are_told_apart() -> None:
    rows = list(read_practitioners(b'{"resourceType":"Organization"}\n' + json.dumps(practitioner()).encode() + b"\nbroken\n", defaults=DEFAULTS))
    assert [(type(row), row.row) for row in rows] == [(Imported, 2), (RowError, 3)]
