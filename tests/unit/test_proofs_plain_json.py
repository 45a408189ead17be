from __future__ import annotations

from typing import Any

import pytest

from did_health.errors import FormatError
from did_health.keys import generate
from did_health.vc import rdf
from did_health.vc.contexts import CREDENTIALS_V2
from did_health.vc.proofs import add_proof, verify_proofs
from did_health.vc.proofs.plain_json import UnsafeInlineContexts, require_plain_json
from tests.conftest import repeatable_bytes

SIGNER = generate(repeatable_bytes("ed25519"))
SUBJECT = "did:example:physician"


def signed() -> dict[str, Any]:
    document = {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiableCredential"],
        "issuer": "did:example:board",
        "description": "Restricted: no surgery",
        "name": "Licence",
        "credentialSubject": {"id": SUBJECT, "name": "Ann", "description": "restricted"},
    }
    return add_proof(document, suite="eddsa-rdfc-2022", signer=SIGNER, verification_method="did:example:board#1")


def without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}


def full_iri(document: dict[str, Any]) -> dict[str, Any]:
    return {**without(document, "description"), "https://schema.org/description": document["description"]}


def split_subject(document: dict[str, Any]) -> dict[str, Any]:
    subject = document["credentialSubject"]
    return {**document, "credentialSubject": [without(subject, "description"), without(subject, "name")]}


def included(document: dict[str, Any]) -> dict[str, Any]:
    subject = document["credentialSubject"]
    return {**document, "credentialSubject": without(subject, "description"), "@included": [without(subject, "name")]}


def swapped_by_a_context(document: dict[str, Any]) -> dict[str, Any]:
    swap = {"title": "https://schema.org/description"}
    return {**without(document, "description"), "@context": [CREDENTIALS_V2, swap], "title": document["description"]}


@pytest.mark.parametrize("rewrite", [full_iri, split_subject, included, swapped_by_a_context])
def test_the_same_statements_in_misleading_json_are_refused(rewrite: Any) -> None:
    document = signed()
    misleading = rewrite(document)
    assert rdf.canonical_nquads(without(misleading, "proof")) == rdf.canonical_nquads(without(document, "proof"))

    assert verify_proofs(document, lambda *_: SIGNER.public_key, purpose="assertionMethod")
    with pytest.raises(FormatError) as caught:
        verify_proofs(misleading, lambda *_: SIGNER.public_key, purpose="assertionMethod")
    assert caught.value.code == "PROOF_TRANSFORMATION_ERROR"


@pytest.mark.parametrize(
    "document",
    [
        {"credentialSubject": {"@context": {"a": "urn:a"}}},
        {"@id": "urn:a"},
        {"a": {"@type": "urn:t"}},
        {"a": [{"@set": ["x"]}]},
        {"schema:name": "x"},
        {"a": [[{"id": "urn:a"}, {"id": "urn:a"}]]},
    ],
)
def test_other_ways_around_the_terms_are_refused(document: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        require_plain_json(document)


@pytest.mark.parametrize(
    "document",
    [
        {"@context": CREDENTIALS_V2, "verifiableCredential": [{"@context": [CREDENTIALS_V2], "id": "urn:a"}, {"id": "urn:b"}, {}]},
        {"name": [{"@value": "x", "@language": "en"}, {"@value": "y", "@type": "urn:t"}]},
        {"a": [{"id": 5}, {"id": 5}, "urn:a", "urn:a"]},
    ],
)
def test_plain_documents_pass(document: dict[str, Any]) -> None:
    require_plain_json(document)


def test_unsafe_inline_contexts_are_those_handed_over_and_those_of_the_document() -> None:
    url, context = "https://context.example/v1", {"@context": {"salary": "https://vocabulary.example/salary"}}
    contexts = UnsafeInlineContexts({url: context})
    assert dict(contexts) == {url: context}
    assert len(UnsafeInlineContexts()) == 0
    document = {
        "@context": [CREDENTIALS_V2, url, {"debt": "https://vocabulary.example/debt"}],
        "type": ["VerifiableCredential"],
        "issuer": "did:example:board",
        "credentialSubject": {"id": SUBJECT, "salary": 1, "debt": 2},
    }
    signed = add_proof(document, suite="eddsa-rdfc-2022", signer=SIGNER, verification_method="did:example:board#1", contexts=contexts)
    assert verify_proofs(signed, lambda *_: SIGNER.public_key, purpose="assertionMethod", contexts=contexts)
    with pytest.raises(FormatError, match="written into the document"):
        verify_proofs(signed, lambda *_: SIGNER.public_key, purpose="assertionMethod", contexts={url: context})


def test_what_an_inline_context_does_not_define_is_refused_as_well() -> None:
    document = {"@context": [CREDENTIALS_V2, {"debt": "https://vocabulary.example/debt"}], "type": ["VerifiableCredential"], "salary": 1}
    with pytest.raises(FormatError) as caught:
        add_proof(document, suite="eddsa-rdfc-2022", signer=SIGNER, verification_method="did:example:board#1", contexts=UnsafeInlineContexts())
    assert caught.value.code == "DATA_LOSS_DETECTION_ERROR"
