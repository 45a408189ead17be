from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from did_health.errors import FormatError
from did_health.health import fields
from did_health.health.address import Address
from did_health.health.assurance import Assurance
from did_health.health.board_accreditation import BoardAccreditation, CompactRole
from did_health.health.identity_document import IdentityDocument
from did_health.health.issuer_details import Issuer
from did_health.health.local_days import local_days
from did_health.health.patient_identity import PatientIdentity
from did_health.health.person_name import PersonName
from did_health.health.pharmacy import Pharmacy
from did_health.health.physician_license import CompactOrigin, PhysicianLicense
from did_health.health.restrictions import Restriction
from did_health.limits import MAX_CLAIM_CHARACTERS, MAX_CLAIM_ITEMS

UNTIL = datetime(2027, 12, 31, tzinfo=UTC)
NAME = PersonName("Ellison", "Amara")
BOARD = Issuer("did:web:board.example", "Board of Testing", "US-NC")
LICENSE = PhysicianLicense(name=NAME, profession="MD", license_number="1", original_issue_date=date(2019, 4, 1), valid_until=UNTIL, jurisdiction="US-NC")
PATIENT = PatientIdentity(name=NAME, birth_date=date(1990, 2, 3), assurance=Assurance("HL7", "IDIAL1.8", date(2025, 6, 1), "remote"), valid_until=UNTIL)
ACCREDITATION = BoardAccreditation(name="A", entity_type="medical_board", jurisdiction="US-NC", resource="PhysicianLicenseCredential", valid_until=UNTIL)
PHARMACY = Pharmacy(name="A", license_number="1", jurisdiction="US-NC", valid_until=UNTIL)


def refused(build: Any, where: str) -> FormatError:
    with pytest.raises(FormatError) as caught:
        build()
    assert caught.value.where == where
    return caught.value


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"name": {"family": "Ellison", "given": "Amara"}}, "/name"),
        ({"profession": "RN"}, "/profession"),
        ({"profession": None}, "/profession"),
        ({"license_number": ""}, "/licenseNumber"),
        ({"license_number": " 1"}, "/licenseNumber"),
        ({"license_number": "1" * 21}, "/licenseNumber"),
        ({"license_number": "1\u202e2"}, "/licenseNumber"),
        ({"license_number": 12}, "/licenseNumber"),
        ({"license_class": "honorary"}, "/licenseClass"),
        ({"original_issue_date": "2019-04-01"}, "/originalIssueDate"),
        ({"original_issue_date": datetime(2019, 4, 1, tzinfo=UTC)}, "/originalIssueDate"),
        ({"original_issue_date": date(1066, 10, 14)}, "/originalIssueDate"),
        ({"original_issue_date": date(2028, 1, 1)}, "/originalIssueDate"),
        ({"valid_until": datetime(2027, 1, 1)}, "/validUntil"),  # noqa: DTZ001
        ({"valid_until": date(2027, 1, 1)}, "/validUntil"),
        ({"valid_from": UNTIL}, "/validUntil"),
        ({"valid_from": "2026-01-01T00:00:00Z"}, "/validFrom"),
        ({"jurisdiction": "NC"}, "/jurisdiction"),
        ({"npi": "1234567890"}, "/npi"),
        ({"npi": None}, "/npi"),
        ({"fid": "12345678"}, "/fid"),
        ({"fid": 123456789}, "/fid"),
        ({"degree": "M" * 33}, "/degree"),
        ({"taxonomy": ["207R00000X"]}, "/taxonomy"),
        ({"taxonomy": ("207R00000X", "x")}, "/taxonomy/1"),
        ({"taxonomy": ("207R00000X",) * (MAX_CLAIM_ITEMS + 1)}, "/taxonomy"),
        ({"restrictions": ("no opioids",)}, "/restrictions/0"),
        ({"board_order_refs": ("order 1",)}, "/boardOrderRefs/0"),
        ({"compact": "IMLC"}, "/compact"),
    ],
)
def test_a_licence_with_a_bad_member_is_refused_by_name(changes: dict[str, Any], where: str) -> None:
    error = refused(lambda: replace(LICENSE, **changes), where)
    assert isinstance(error, ValueError)


def test_errors_do_not_repeat_values() -> None:
    error = refused(lambda: replace(LICENSE, license_number="SECRET\n1"), "/licenseNumber")
    assert "SECRET" not in str(error)


def test_a_licence_goes_only_to_its_own_board() -> None:
    other = replace(BOARD, jurisdiction="US-VA")
    error = refused(lambda: LICENSE.to_subject("did:key:z6Mk", other), "/jurisdiction")
    assert "US-NC" in error.what
    assert "US-VA" in error.what
    anywhere = replace(LICENSE, jurisdiction=None)
    assert anywhere.to_subject("did:key:z6Mk", other)["board"] == {"id": BOARD.id, "name": BOARD.name, "jurisdiction": "US-VA"}


@pytest.mark.parametrize("subject_id", ["", "z6Mk", "https://example.com", "did:", "did:key", "did:KEY:x", "did:key:a b", 7, None])
def test_a_subject_is_a_did(subject_id: Any) -> None:
    for claims in (LICENSE, PATIENT, ACCREDITATION, PHARMACY):
        refused(lambda claims=claims: claims.to_subject(subject_id, BOARD), "/id")


def test_a_minimal_licence_says_nothing_that_it_does_not_know() -> None:
    assert set(LICENSE.to_subject("did:key:z6Mk", BOARD)) == {
        "id", "name", "profession", "licenseNumber", "board", "licenseClass", "originalIssueDate",
    }  # fmt: skip
    assert (LICENSE.number, PHARMACY.number, PATIENT.number, ACCREDITATION.number) == ("1", "1", "", "")


def test_claims_are_immutable() -> None:
    with pytest.raises(FrozenInstanceError):
        LICENSE.npi = "1234567893"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"board": "Board"}, "/board"),
        ({"board": {"id": "did:web:b.example", "name": "B"}}, "/board/jurisdiction"),
        ({"board": {"jurisdiction": "NC"}}, "/board/jurisdiction"),
        ({"originalIssueDate": "2019-02-30"}, "/originalIssueDate"),
        ({"originalIssueDate": "0000-01-01"}, "/originalIssueDate"),
        ({"originalIssueDate": "20190401"}, "/originalIssueDate"),
        ({"taxonomy": "207R00000X"}, "/taxonomy"),
        ({"restrictions": [{"code": "a", "text": "b"}]}, "/restrictions/0/from"),
        ({"restrictions": ["a"]}, "/restrictions/0"),
        ({"compact": {"name": "IMLC"}}, "/compact/splLicense"),
        ({"compact": []}, "/compact"),
        ({"name": {"given": "A"}}, "/name/family"),
    ],
)
def test_a_received_licence_with_a_bad_member_is_refused_by_pointer(change: dict[str, Any], where: str) -> None:
    subject = LICENSE.to_subject("did:key:z6Mk", BOARD) | change
    refused(lambda: PhysicianLicense.from_subject(subject, valid_until=UNTIL), where)


@pytest.mark.parametrize("kind", [PhysicianLicense, PatientIdentity, BoardAccreditation, Pharmacy])
@pytest.mark.parametrize("subject", [None, [], "", {}])
def test_a_subject_that_is_nothing_is_refused(kind: Any, subject: Any) -> None:
    with pytest.raises(FormatError):
        kind.from_subject(subject, valid_until=UNTIL)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"name": None}, "/name"),
        ({"birth_date": date(2025, 6, 2)}, "/birthDate"),
        ({"birth_date": "1990-02-03"}, "/birthDate"),
        ({"assurance": "high"}, "/assurance"),
        ({"valid_until": datetime(2028, 6, 2, 11, 0, 1, tzinfo=UTC)}, "/validUntil"),
        ({"valid_until": datetime(2028, 6, 2, 7, tzinfo=timezone(timedelta(hours=-5)))}, "/validUntil"),
        ({"address": "1 Test Street"}, "/address"),
        ({"phone": "call me"}, "/phone"),
        ({"phone": 5555550100}, "/phone"),
        ({"email": "nobody"}, "/email"),
        ({"portrait_digest": "sha256"}, "/portraitDigest"),
        ({"id_document": "DL"}, "/idDocument"),
        ({"age_over": ((17, True),)}, "/ageOver/0"),
        ({"age_over": ((18, "yes"),)}, "/ageOver/0"),
        ({"age_over": ((18, True), (21, False))}, "/ageOver/1"),
        ({"age_over": {18: True}}, "/ageOver"),
        ({"digital_identifier": "me"}, "/digitalIdentifier"),
    ],
)
def test_an_identity_with_a_bad_member_is_refused_by_name(changes: dict[str, Any], where: str) -> None:
    refused(lambda: replace(PATIENT, **changes), where)


def test_an_identity_may_last_three_years_after_proofing() -> None:
    assert replace(PATIENT, valid_until=datetime(2028, 6, 1, 23, 59, tzinfo=UTC)).valid_until.year == 2028


def test_a_birthday_counts_from_its_day() -> None:
    assurance = replace(PATIENT.assurance, proofed_on=date(2011, 2, 3))
    identity = replace(PATIENT, assurance=assurance, valid_until=datetime(2013, 1, 1, tzinfo=UTC), age_over=((21, True),))
    assert identity.age_over == ((21, True),)
    refused(lambda: replace(identity, assurance=replace(assurance, proofed_on=date(2011, 2, 2))), "/ageOver/0")


@pytest.mark.parametrize(
    ("proofed", "expires"),
    [
        (date(2025, 6, 1), date(2028, 6, 1)),
        (date(2024, 2, 29), date(2027, 2, 28)),
        (date(9998, 1, 1), date.max),
    ],
)
def test_a_proofing_expires_after_three_years(proofed: date, expires: date) -> None:
    assert Assurance("HL7", "IDIAL1.8", proofed, "remote").expires_on == expires


@pytest.mark.parametrize(
    ("build", "where"),
    [
        (lambda: PersonName("", "A"), "/name/family"),
        (lambda: PersonName("A", "A\n"), "/name/given"),
        (lambda: PersonName("A", "A", prefix=" "), "/name/prefix"),
        (lambda: PersonName("A", "A", suffix="\u200f\u202e"), "/name/suffix"),
        (lambda: PersonName("A", "\ud800"), "/name/given"),
        (lambda: PersonName("A" * (MAX_CLAIM_CHARACTERS + 1), "A"), "/name/family"),
        (lambda: Issuer("https://b.example", "B", "US-NC"), "/id"),
        (lambda: Issuer("did:web:b.example", "", "US-NC"), "/name"),
        (lambda: Issuer("did:web:b.example", "B", "NC"), "/jurisdiction"),
        (lambda: Restriction("No Opioids", "b", date(2020, 1, 1)), "/code"),
        (lambda: Restriction("a", "", date(2020, 1, 1)), "/text"),
        (lambda: Restriction("a", "b", "2020-01-01"), "/from"),  # type: ignore[arg-type]
        (lambda: Restriction("a", "b", date(2020, 1, 2), date(2020, 1, 1)), "/to"),
        (lambda: CompactOrigin("", "urn:x:y"), "/compact/name"),
        (lambda: CompactOrigin("IMLC", "x"), "/compact/splLicense"),
        (lambda: CompactRole("IMLC", "member"), "/compact/role"),
        (lambda: IdentityDocument("SSN", "US"), "/idDocument/type"),
        (lambda: IdentityDocument("Passport", "usa"), "/idDocument/jurisdiction"),
        (lambda: IdentityDocument("Passport", "US", "S99953792"), "/idDocument/last4"),
        (lambda: Address(lines=["1 Test Street"]), "/address/line"),  # type: ignore[arg-type]
        (lambda: Address(lines=("",)), "/address/line/0"),
        (lambda: Address(city=" "), "/address/city"),
        (lambda: Address(state="NC"), "/address/state"),
        (lambda: Assurance("", "1", date(2025, 1, 1), "x"), "/assurance/framework"),
        (lambda: Assurance("HL7", "", date(2025, 1, 1), "x"), "/assurance/level"),
        (lambda: Assurance("HL7", "1", datetime(2025, 1, 1, tzinfo=UTC), "x"), "/assurance/proofedOn"),
        (lambda: Assurance("HL7", "1", date(2025, 1, 1), ""), "/assurance/method"),
    ],
)
def test_a_part_with_a_bad_member_is_refused_by_name(build: Any, where: str) -> None:
    refused(build, where)


def test_names_keep_their_digits_accents_and_apostrophes() -> None:
    name = PersonName("O'Núñez-Ørsted995", "Jen355 María", "Dr.", "III")
    assert PersonName.from_json(name.to_json()) == name
    assert PersonName("A", "B").to_json() == {"family": "A", "given": "B"}


def test_a_restriction_is_in_force_between_its_days() -> None:
    ended = Restriction("a", "b", date(2025, 1, 1), date(2025, 12, 31))
    days = local_days("US-NC")
    moments = [datetime(2025, 1, 1, 3, 59, tzinfo=UTC), datetime(2025, 1, 1, 4, tzinfo=UTC), datetime(2026, 1, 1, 4, 59, tzinfo=UTC)]
    over = datetime(2026, 1, 1, 5, tzinfo=UTC)
    assert [ended.in_force(now, days) for now in (*moments, over)] == [False, True, True, False]
    assert replace(ended, ends=None).in_force(over, days)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"name": ""}, "/name"),
        ({"entity_type": "bank"}, "/entityType"),
        ({"jurisdiction": "USA"}, "/jurisdiction"),
        ({"professions": ("M D",)}, "/professions/0"),
        ({"professions": (7,)}, "/professions/0"),
        ({"professions": ("MD", "MD")}, "/professions"),
        ({"action": "revoke"}, "/action"),
        ({"resource": "licence"}, "/resource"),
        ({"resource": None}, "/resource"),
        ({"valid_until": None}, "/validUntil"),
        ({"compact": "IMLC"}, "/compact"),
    ],
)
def test_an_accreditation_with_a_bad_member_is_refused_by_name(changes: dict[str, Any], where: str) -> None:
    refused(lambda: replace(ACCREDITATION, **changes), where)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"name": None}, "/name"),
        ({"license_number": ""}, "/licenseNumber"),
        ({"jurisdiction": "US"}, "/jurisdiction"),
        ({"pharmacy_class": "bakery"}, "/class"),
        ({"valid_until": UNTIL.replace(tzinfo=None)}, "/validUntil"),
        ({"npi": "1"}, "/npi"),
        ({"ncpdp_id": "123"}, "/ncpdpId"),
        ({"dea": "AP5836728"}, "/dea"),
    ],
)
def test_a_pharmacy_with_a_bad_member_is_refused_by_name(changes: dict[str, Any], where: str) -> None:
    refused(lambda: replace(PHARMACY, **changes), where)


def test_a_pharmacy_is_licensed_by_the_board_of_its_own_state() -> None:
    refused(lambda: replace(PHARMACY, jurisdiction="US-VA").to_subject("did:web:p.example", BOARD), "/jurisdiction")


def test_present_keeps_false_and_zero() -> None:
    assert fields.present(a=None, b="", c=[], d=False, e=0, f="x") == {"d": False, "e": 0, "f": "x"}
