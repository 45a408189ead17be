from __future__ import annotations

import pytest

from did_health.encoding import strict_json
from did_health.errors import FormatError
from did_health.limits import MAX_CREDENTIALS_PER_PRESENTATION
from did_health.vc.presentation import Presentation
from did_health.vc.validation import DataModel
from tests.unit.sample_credentials import V1, V2, Document, credential, credential_1_1, presentation


def test_every_member_has_its_view() -> None:
    document = presentation()
    parsed = Presentation.parse(strict_json.dumps(document))
    assert parsed.raw == document
    assert parsed.data_model is DataModel.V2_0
    assert parsed.id == document["id"]
    assert parsed.types == ("VerifiablePresentation",)
    assert parsed.holder == document["holder"]
    assert parsed.credentials == (credential(),)
    assert parsed.proofs == tuple(document["proof"])


def test_no_claim_shows_in_a_repr() -> None:
    assert "licenseNumber" not in repr(Presentation.parse(presentation()))


def test_the_smallest_presentation_holds_nothing() -> None:
    parsed = Presentation.parse({"@context": [V2], "type": "VerifiablePresentation"})
    assert (parsed.id, parsed.holder, parsed.credentials, parsed.proofs) == (None, None, (), ())


def test_one_credential_and_one_proof_need_no_list() -> None:
    parsed = Presentation.parse(presentation(verifiableCredential=credential(), proof={"type": "DataIntegrityProof"}))
    assert parsed.credentials == (credential(),)
    assert parsed.proofs == ({"type": "DataIntegrityProof"},)


def test_a_holder_may_be_an_object() -> None:
    assert Presentation.parse(presentation(holder={"id": "did:example:1", "name": "Ann"})).holder == "did:example:1"


def test_a_1_1_presentation_is_read() -> None:
    parsed = Presentation.parse({"@context": [V1], "type": ["VerifiablePresentation"], "verifiableCredential": [credential_1_1()]})
    assert parsed.data_model is DataModel.V1_1
    assert parsed.credentials == (credential_1_1(),)


def test_as_many_credentials_as_allowed() -> None:
    most = [credential()] * MAX_CREDENTIALS_PER_PRESENTATION
    assert len(Presentation.parse(presentation(verifiableCredential=most)).credentials) == MAX_CREDENTIALS_PER_PRESENTATION


FAULTS: dict[str, tuple[Document, str]] = {
    "context-of-the-credential-missing": ({"@context": ["https://did-health.example/contexts/v1"]}, "/@context"),
    "type-is-a-credential": ({"type": ["VerifiableCredential"]}, "/type"),
    "type-missing": ({"type": ...}, "/type"),
    "id-not-a-url": ({"id": "1"}, "/id"),
    "holder-null": ({"holder": None}, "/holder"),
    "holder-object-without-id": ({"holder": {}}, "/holder/id"),
    "credentials-empty": ({"verifiableCredential": []}, "/verifiableCredential"),
    "credential-is-a-jwt": ({"verifiableCredential": ["eyJ.eyJ.x"]}, "/verifiableCredential/0"),
    "credential-without-type": ({"verifiableCredential": [credential(), credential(type=...)]}, "/verifiableCredential/1"),
    "credential-type-empty": ({"verifiableCredential": credential(type=[])}, "/verifiableCredential/type"),
    "credentials-too-many": ({"verifiableCredential": [credential()] * (MAX_CREDENTIALS_PER_PRESENTATION + 1)}, "/verifiableCredential"),
    "envelope-without-type": ({"verifiableCredential": [{"@context": V2, "id": "data:application/vc+jwt,eyJ"}]}, "/verifiableCredential/0"),
    "envelope-is-no-data-url": (
        {"verifiableCredential": [{"@context": V2, "id": "https://board.example/vc", "type": "EnvelopedVerifiableCredential"}]},
        "/verifiableCredential/0/id",
    ),
    "presentation-envelope-is-no-data-url": ({"type": "EnvelopedVerifiablePresentation"}, "/id"),
    "refresh-service-without-type": ({"refreshService": {"id": "did:example:1"}}, "/refreshService"),
    "terms-without-type": ({"termsOfUse": {"id": "did:example:1"}}, "/termsOfUse"),
    "proof-without-type": ({"proof": {}}, "/proof"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_presentation_is_refused_where_the_fault_is(fault: str) -> None:
    changes, where = FAULTS[fault]
    with pytest.raises(FormatError) as refused:
        Presentation.parse(presentation(**changes))
    assert refused.value.where == where


@pytest.mark.parametrize("source", [b"", b"[]", b"{}", b'"x"', "\ud800"])
def test_what_is_not_a_json_object_is_a_format_error(source: bytes | str) -> None:
    with pytest.raises(FormatError):
        Presentation.parse(source)
