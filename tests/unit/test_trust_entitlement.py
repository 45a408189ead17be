from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from did_health.errors import FormatError
from did_health.trust.entitlement import Entitlement, entitlement
from did_health.trust.registry import RegistryRecord, record_identifier
from did_health.vc.credential import Credential

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
RECORD = RegistryRecord(
    authority="did:web:registry.example",
    entity="did:web:board.example",
    name="A board",
    entity_type="medical_board",
    jurisdiction="US-NC",
    professions=("MD",),
    action="issue",
    resource="PhysicianLicenseCredential",
    valid_from=START,
    valid_until=END,
)


def ask(record: RegistryRecord | None = RECORD, at: datetime = START, **changed: str | None) -> Entitlement:
    question: dict[str, str | None] = {
        "action": "issue", "resource": "PhysicianLicenseCredential", "profession": "MD", "jurisdiction": "US-NC", **changed,
    }
    return entitlement(record, at=at, **question)  # type: ignore[arg-type]


def test_the_record_entitles_from_its_first_moment_to_before_its_last() -> None:
    assert ask().entitled
    assert ask(at=END - timedelta(seconds=1)).entitled
    assert ask(at=START - timedelta(seconds=1)).code == "accreditation_not_yet_valid"
    assert ask(at=END).code == "accreditation_ended"


def test_a_record_without_dates_is_open() -> None:
    assert ask(replace(RECORD, valid_from=None, valid_until=None), at=END).entitled


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"profession": "DO"}, "wrong_profession"),
        ({"profession": ""}, "wrong_profession"),
        ({"jurisdiction": "US-VA"}, "wrong_jurisdiction"),
        ({"resource": "PharmacyCredential"}, "issuer_not_accredited"),
        ({"action": "verify"}, "issuer_not_accredited"),
    ],
)
def test_what_the_record_does_not_say_is_not_entitled(changed: dict[str, str], code: str) -> None:
    answer = ask(**changed)
    assert (answer.entitled, answer.code) == (False, code)


def test_a_type_without_profession_or_jurisdiction_needs_neither() -> None:
    assert ask(profession=None, jurisdiction=None).entitled


def test_no_record_means_no() -> None:
    assert ask(None).code == "issuer_not_accredited"


def record_credential(**changed: object) -> Credential:
    subject = {
        "id": RECORD.entity, "name": "A board", "entityType": "medical_board", "jurisdiction": "US-NC", "professions": ["MD"],
        "action": "issue", "resource": "PhysicianLicenseCredential", **changed,
    }
    return Credential.parse({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential", "BoardAccreditationCredential"],
        "issuer": RECORD.authority,
        "validFrom": "2026-01-01T00:00:00Z",
        "validUntil": "2027-01-01T00:00:00Z",
        "credentialSubject": subject,
    })


def test_a_record_is_read_from_its_credential() -> None:
    record = RegistryRecord.from_credential(record_credential())
    assert record == RECORD
    assert record.identifier == record_identifier(RECORD.authority, RECORD.entity, "issue", "PhysicianLicenseCredential")
    member = RegistryRecord.from_credential(record_credential(compact={"name": "IMLC", "role": "spl"}))
    assert member == replace(RECORD, compact="IMLC", compact_role="spl")


@pytest.mark.parametrize("changed", [{"name": ""}, {"resource": 7}, {"professions": "MD"}, {"professions": [7]}, {"entityType": None}, {"compact": "IMLC"}])
def test_a_malformed_record_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(FormatError) as caught:
        RegistryRecord.from_credential(record_credential(**changed))
    assert caught.value.where == f"/credentialSubject/{next(iter(changed))}"


def test_another_credential_is_no_record() -> None:
    other = {**record_credential().raw, "type": ["VerifiableCredential"]}
    with pytest.raises(FormatError, match="BoardAccreditationCredential"):
        RegistryRecord.from_credential(Credential.parse(other))
    two = {**record_credential().raw, "credentialSubject": [{"id": "did:web:a.example"}, {"id": "did:web:b.example"}]}
    with pytest.raises(FormatError, match="one subject"):
        RegistryRecord.from_credential(Credential.parse(two))
