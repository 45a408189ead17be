from __future__ import annotations

import copy
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta

import pytest

from did_health.encoding import strict_json
from did_health.errors import FormatError
from did_health.limits import MAX_PROOFS, MAX_STATUS_ENTRIES
from did_health.vc.credential import Credential
from did_health.vc.validation import DataModel
from tests.unit.sample_credentials import V1, V2, Document, credential, credential_1_1


def test_every_member_of_a_2_0_credential_has_its_view() -> None:
    document = credential()
    parsed = Credential.parse(document)

    assert parsed.data_model is DataModel.V2_0
    assert parsed.id == "urn:uuid:343cf54b-2c38-480e-b6e8-7302332eae75"
    assert parsed.types == ("VerifiableCredential", "ExampleCredential")
    assert parsed.has_type("ExampleCredential")
    assert not parsed.has_type("OtherCredential")
    assert parsed.issuer_id == "did:web:board.example"
    assert parsed.valid_from == datetime(2026, 1, 1, tzinfo=UTC)
    assert parsed.valid_until == datetime(2026, 12, 31, 23, tzinfo=UTC)
    assert parsed.subjects == (document["credentialSubject"],)
    assert parsed.subject_id == document["credentialSubject"]["id"]
    assert parsed.schemas == (document["credentialSchema"],)
    assert parsed.status_entries == tuple(document["credentialStatus"])
    assert parsed.refresh_services == (document["refreshService"],)
    assert parsed.terms_of_use == tuple(document["termsOfUse"])
    assert parsed.evidence == (document["evidence"],)
    assert parsed.related_resources == tuple(document["relatedResource"])
    assert parsed.proofs == (document["proof"],)


def test_the_document_is_kept_as_it_was_received() -> None:
    document = credential()
    before = copy.deepcopy(document)
    assert Credential.parse(document).raw is document
    assert document == before
    assert Credential.parse(strict_json.dumps(document)).raw == before
    assert list(Credential.parse(strict_json.dumps(document)).raw) == list(before)


def test_equal_json_makes_equal_credentials() -> None:
    assert Credential.parse(credential()) == Credential.parse(strict_json.dumps(credential()).decode())
    assert Credential.parse(credential()) != Credential.parse(credential(name="Other"))


def test_a_credential_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Credential.parse(credential()).issuer_id = "did:web:evil.example"  # type: ignore[misc]


def test_the_smallest_credential() -> None:
    parsed = Credential.parse({"@context": V2, "type": "VerifiableCredential", "issuer": "did:example:1", "credentialSubject": {"a": 1}})
    assert (parsed.id, parsed.valid_from, parsed.valid_until, parsed.subject_id) == (None, None, None, None)
    assert (parsed.status_entries, parsed.proofs, parsed.schemas, parsed.evidence) == ((), (), (), ())


def test_several_subjects_have_no_single_id() -> None:
    parsed = Credential.parse(credential(credentialSubject=[{"id": "did:example:1"}, {"id": "did:example:2"}]))
    assert parsed.subject_id is None
    assert [subject["id"] for subject in parsed.subjects] == ["did:example:1", "did:example:2"]
    assert Credential.parse(credential(credentialSubject=[{"id": "did:example:1"}])).subject_id == "did:example:1"


def test_the_oldest_and_the_newest_instant_may_be_the_same() -> None:
    parsed = Credential.parse(credential(validFrom="2026-01-01T00:00:00Z", validUntil="2026-01-01T01:00:00+01:00"))
    assert parsed.valid_from == parsed.valid_until


def test_a_1_1_credential_is_read() -> None:
    parsed = Credential.parse(credential_1_1())
    assert parsed.data_model is DataModel.V1_1
    assert parsed.issuer_id == "https://example.edu/issuers/14"
    assert parsed.valid_from == datetime(2020, 1, 1, 19, 23, 24, tzinfo=UTC)
    assert parsed.valid_until == datetime(2030, 1, 1, 19, 23, 24, tzinfo=UTC)
    assert Credential.parse(credential_1_1(expirationDate=...)).valid_until is None


def test_a_timestamp_without_an_offset_is_utc() -> None:
    """VC Data Model 2.0 §5.8."""
    newer = Credential.parse(credential(validFrom="2026-01-01T00:00:00.5", validUntil="2026-06-01T00:00:00"))
    assert newer.valid_from == datetime(2026, 1, 1, 0, 0, 0, 500_000, UTC)
    assert newer.valid_until == datetime(2026, 6, 1, tzinfo=UTC)
    parsed = Credential.parse(credential_1_1(issuanceDate="2020-01-01T19:23:24", expirationDate="2020-01-01T19:23:24-01:00"))
    assert parsed.valid_from is not None
    assert parsed.valid_until is not None
    assert parsed.valid_until - parsed.valid_from == timedelta(hours=1)


RELATED = {"id": "https://board.example/a.png", "digestSRI": "sha256-AAAA"}
STATUS = {"type": "BitstringStatusListEntry"}

FAULTS: dict[str, tuple[Document, str]] = {
    "context-missing": ({"@context": ...}, "/@context"),
    "context-empty": ({"@context": []}, "/@context"),
    "context-in-wrong-order": ({"@context": ["https://did-health.example/contexts/v1", V2]}, "/@context"),
    "context-object-first": ({"@context": [{"a": "b:c"}, V2]}, "/@context"),
    "context-is-an-object": ({"@context": {"@vocab": V2}}, "/@context"),
    "context-null-inside": ({"@context": [V2, None]}, "/@context/1"),
    "context-not-a-url": ({"@context": [V2, "https ://x"]}, "/@context/1"),
    "context-twice": ({"@context": [V2, {"a": 1}, V2]}, "/@context/2"),
    "context-object-twice": ({"@context": [V2, {"a": 1}, {"a": 1}]}, "/@context/2"),
    "type-missing": ({"type": ...}, "/type"),
    "type-empty": ({"type": []}, "/type"),
    "type-empty-text": ({"type": ""}, "/type"),
    "type-not-a-name": ({"type": ["VerifiableCredential", 5]}, "/type"),
    "type-not-verifiable-credential": ({"type": ["ExampleCredential"]}, "/type"),
    "type-is-a-presentation": ({"type": "VerifiablePresentation"}, "/type"),
    "id-null": ({"id": None}, "/id"),
    "id-list": ({"id": ["did:example:1"]}, "/id"),
    "id-not-a-url": ({"id": "343cf54b"}, "/id"),
    "id-with-blank": ({"id": "https://x.example/a b"}, "/id"),
    "id-without-host": ({"id": "https:///a"}, "/id"),
    "id-too-long": ({"id": "urn:" + "a" * 2048}, "/id"),
    "issuer-missing": ({"issuer": ...}, ""),
    "issuer-null": ({"issuer": None}, "/issuer"),
    "issuer-list": ({"issuer": ["did:example:1"]}, "/issuer"),
    "issuer-not-a-url": ({"issuer": "Board of Medicine"}, "/issuer"),
    "issuer-without-id": ({"issuer": {"name": "Board"}}, "/issuer/id"),
    "issuer-id-not-a-url": ({"issuer": {"id": "Board"}}, "/issuer/id"),
    "issuer-name-number": ({"issuer": {"id": "did:example:1", "name": 5}}, "/issuer/name"),
    "issuer-description-null": ({"issuer": {"id": "did:example:1", "description": None}}, "/issuer/description"),
    "name-empty-list": ({"name": []}, "/name"),
    "name-list-of-numbers": ({"name": ["Example", 5]}, "/name/1"),
    "name-without-value": ({"name": {"@language": "en"}}, "/name"),
    "name-with-other-member": ({"name": {"@value": "a", "url": "b:c"}}, "/name"),
    "name-language-not-a-tag": ({"name": [{"@value": "a", "@language": "not a tag"}]}, "/name/0/@language"),
    "name-direction-unknown": ({"name": {"@value": "a", "@direction": "up"}}, "/name/@direction"),
    "subject-missing": ({"credentialSubject": ...}, ""),
    "subject-empty": ({"credentialSubject": {}}, "/credentialSubject"),
    "subject-text": ({"credentialSubject": "did:example:1"}, "/credentialSubject"),
    "subject-empty-list": ({"credentialSubject": []}, "/credentialSubject"),
    "subject-one-of-many-empty": ({"credentialSubject": [{"a": 1}, {}]}, "/credentialSubject/1"),
    "subject-one-of-many-text": ({"credentialSubject": [{"a": 1}, "b"]}, "/credentialSubject/1"),
    "subject-id-list": ({"credentialSubject": {"id": ["did:example:1"]}}, "/credentialSubject/id"),
    "subject-id-not-a-url": ({"credentialSubject": [{"id": "x"}]}, "/credentialSubject/0/id"),
    "valid-from-number": ({"validFrom": 1767225600}, "/validFrom"),
    "valid-from-null": ({"validFrom": None}, "/validFrom"),
    "valid-from-date-only": ({"validFrom": "2026-01-01"}, "/validFrom"),
    "valid-until-leap-second": ({"validUntil": "2016-12-31T23:59:60Z"}, "/validUntil"),
    "valid-until-before-valid-from": ({"validUntil": "2025-12-31T23:59:59Z"}, "/validUntil"),
    "status-null": ({"credentialStatus": None}, "/credentialStatus"),
    "status-empty-list": ({"credentialStatus": []}, "/credentialStatus"),
    "status-without-type": ({"credentialStatus": {"id": "did:example:1"}}, "/credentialStatus"),
    "status-type-number": ({"credentialStatus": [STATUS, {"type": 2}]}, "/credentialStatus/1/type"),
    "status-id-not-a-url": ({"credentialStatus": [STATUS | {"id": "x"}]}, "/credentialStatus/0/id"),
    "status-too-many": ({"credentialStatus": [STATUS] * (MAX_STATUS_ENTRIES + 1)}, "/credentialStatus"),
    "schema-without-id": ({"credentialSchema": {"type": "JsonSchema"}}, "/credentialSchema"),
    "schema-without-type": ({"credentialSchema": [{"id": "did:example:1"}]}, "/credentialSchema/0"),
    "schema-digest-nonsense": ({"credentialSchema": {"id": "did:example:1", "type": "JsonSchema", "digestSRI": "md5-x"}}, "/credentialSchema/digestSRI"),
    "refresh-without-type": ({"refreshService": {"id": "did:example:1"}}, "/refreshService"),
    "terms-empty": ({"termsOfUse": {}}, "/termsOfUse"),
    "evidence-empty-list": ({"evidence": []}, "/evidence"),
    "evidence-text": ({"evidence": ["seen"]}, "/evidence/0"),
    "related-without-digest": ({"relatedResource": {"id": "did:example:1"}}, "/relatedResource"),
    "related-without-id": ({"relatedResource": [{"digestSRI": "sha256-AAAA"}]}, "/relatedResource/0/id"),
    "related-twice": ({"relatedResource": [RELATED, RELATED | {"mediaType": "image/png"}]}, "/relatedResource/1/id"),
    "related-media-type-number": ({"relatedResource": RELATED | {"mediaType": 5}}, "/relatedResource/mediaType"),
    "related-digest-multibase-empty": ({"relatedResource": {"id": "did:example:1", "digestMultibase": "u"}}, "/relatedResource/digestMultibase"),
    "related-digest-sri-list-of-numbers": ({"relatedResource": RELATED | {"digestSRI": [5]}}, "/relatedResource/digestSRI"),
    "proof-null": ({"proof": None}, "/proof"),
    "proof-without-type": ({"proof": {"proofValue": "z1"}}, "/proof"),
    "proof-type-object": ({"proof": [{"type": {}}]}, "/proof/0/type"),
    "proof-too-many": ({"proof": [{"type": "DataIntegrityProof"}] * (MAX_PROOFS + 1)}, "/proof"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_credential_is_refused_where_the_fault_is(fault: str) -> None:
    changes, where = FAULTS[fault]
    with pytest.raises(FormatError) as refused:
        Credential.parse(credential(**changes))
    assert refused.value.where == where
    assert refused.value.code == "MALFORMED_VALUE_ERROR"


FAULTS_1_1: dict[str, tuple[Document, str]] = {
    "issuance-date-missing": ({"issuanceDate": ...}, ""),
    "issuance-date-not-a-date": ({"issuanceDate": "yesterday"}, "/issuanceDate"),
    "expires-before-issued": ({"expirationDate": "2019-01-01T00:00:00Z"}, "/expirationDate"),
    "status-without-id": ({"credentialStatus": {"type": "CredentialStatusList2017"}}, "/credentialStatus"),
    "refresh-without-id": ({"refreshService": [{"type": "ManualRefreshService2018"}]}, "/refreshService/0"),
    "context-unknown": ({"@context": [V1.replace("v1", "v3")]}, "/@context"),
}


@pytest.mark.parametrize("fault", FAULTS_1_1)
def test_a_faulty_1_1_credential_is_refused_where_the_fault_is(fault: str) -> None:
    changes, where = FAULTS_1_1[fault]
    with pytest.raises(FormatError) as refused:
        Credential.parse(credential_1_1(**changes))
    assert refused.value.where == where


@pytest.mark.parametrize("source", [b"", b"[]", b"null", b'{"a":1,"a":2}', b"\xff", "\ud800", b"{" * 100, b"{}"])
def test_what_is_not_a_json_object_is_a_format_error(source: bytes | str) -> None:
    with pytest.raises(FormatError):
        Credential.parse(source)


def test_no_claim_shows_in_a_repr() -> None:
    parsed = Credential.parse(credential(credentialSubject={"id": "did:example:1", "licenseNumber": "secret"}))
    assert "secret" not in repr(parsed)
    assert "did:web:board.example" in repr(parsed)


@pytest.mark.parametrize("name", ["@context", "id", "type", "issuer", "validFrom", "validUntil", "credentialStatus", "credentialSchema", "proof"])
def test_errors_never_quote_a_value(name: str) -> None:
    secret = "123-45-6789"
    for value in (secret, [secret], {"id": secret, "x": secret}):
        with pytest.raises(FormatError) as refused:
            Credential.parse(credential(**{name: value}))
        assert secret not in str(refused.value)
