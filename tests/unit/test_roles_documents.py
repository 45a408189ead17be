"""What can be handed to a verifier is told apart, and anything else is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from did_health.errors import FormatError, UnsupportedError
from did_health.roles.documents import logged_credential, parse_document

CREDENTIAL: dict[str, Any] = {"type": ["VerifiableCredential"], "issuer": "did:example:1"}
CONTEXT = ["https://www.w3.org/ns/credentials/v2"]
RECEIPT = {"format": "x"}


def presentation(**members: Any) -> dict[str, Any]:
    return {"@context": CONTEXT, "type": ["VerifiablePresentation"], "verifiableCredential": [CREDENTIAL, CREDENTIAL], **members}


def test_a_credential_alone_or_with_its_receipt() -> None:
    alone = parse_document(CREDENTIAL)
    assert (alone.presentation, [(part.credential, part.receipt) for part in alone.parts]) == (None, [(CREDENTIAL, None)])
    logged = parse_document(json.dumps(logged_credential(CREDENTIAL, RECEIPT)))
    assert (logged.presentation, [(part.credential, part.receipt) for part in logged.parts]) == (None, [(CREDENTIAL, RECEIPT)])
    assert parse_document({"credential": CREDENTIAL}).parts[0].receipt is None
    assert parse_document({"type": "VerifiableCredential"}).parts[0].credential == {"type": "VerifiableCredential"}


def test_receipts_stand_beside_the_credentials_of_a_presentation() -> None:
    parsed = parse_document(json.dumps(presentation(issuanceReceipt=[RECEIPT, None])).encode())
    assert parsed.presentation is not None
    assert [part.receipt for part in parsed.parts] == [RECEIPT, None]
    assert [part.receipt for part in parse_document(presentation()).parts] == [None, None]
    assert [part.receipt for part in parse_document(presentation(verifiableCredential=CREDENTIAL, issuanceReceipt=RECEIPT)).parts] == [RECEIPT]


@pytest.mark.parametrize("receipts", [[], [RECEIPT], [None, None, None], RECEIPT, "x"])
def test_receipts_that_cannot_be_matched_are_refused(receipts: object) -> None:
    with pytest.raises(FormatError) as refused:
        parse_document(presentation(issuanceReceipt=receipts))
    assert refused.value.where == "/issuanceReceipt"


@pytest.mark.parametrize("source", [{}, {"type": 7}, {"type": ["Other"]}, {"credential": []}, b"[]", b"x", "", b'{"type":"VerifiableCredential"'], ids=repr)
def test_anything_else_is_refused(source: Any) -> None:
    with pytest.raises(FormatError):
        parse_document(source)


def test_envelopes_of_another_kind_are_not_supported() -> None:
    enveloped = {"@context": CONTEXT, "type": "EnvelopedVerifiablePresentation", "id": "data:application/vp+cwt,x"}
    with pytest.raises(UnsupportedError):
        parse_document(enveloped)
    inside = {"@context": CONTEXT, "type": "EnvelopedVerifiableCredential", "id": "data:application/dc+sd-jwt,x"}
    with pytest.raises(UnsupportedError):
        parse_document(presentation(verifiableCredential=[inside]))


def test_envelopes_are_opened() -> None:
    token = "eyJhbGciOiJFZERTQSIsInR5cCI6InZjK2p3dCJ9.eyJhIjoxfQ.AA"
    inside = {"@context": CONTEXT, "type": "EnvelopedVerifiableCredential", "id": f"data:application/vc+jwt,{token}"}
    (part,) = parse_document(presentation(verifiableCredential=[inside])).parts
    assert (part.credential, part.canonical()) == ({"a": 1}, token.encode())
    (alone,) = parse_document(token).parts
    assert alone.secured == part.secured
    deep = f"data:application/vc+jwt,{token}"
    for _ in range(80):
        deep = [deep]  # type: ignore[assignment]
    with pytest.raises(FormatError, match="deeper"):
        parse_document(presentation(verifiableCredential=[inside], deep=deep))


def test_claims_are_in_no_repr() -> None:
    assert "Adams" not in repr(parse_document({"credential": {**CREDENTIAL, "name": "Adams"}, "issuanceReceipt": {"x": "Adams"}}))
