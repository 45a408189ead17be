from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from did_health.errors import FormatError, UnsupportedError
from did_health.limits import MAX_PROOF_VALUE_CHARACTERS, MAX_URL_CHARACTERS
from did_health.vc.proofs import CRYPTOSUITES, Proof
from did_health.vc.proofs.proof import parse_proofs


def proof(**members: Any) -> dict[str, Any]:
    found = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "verificationMethod": "did:example:board#key-1",
        "proofPurpose": "assertionMethod",
        "proofValue": "z2HnF",
        **members,
    }
    return {name: value for name, value in found.items() if value is not ...}


def test_a_whole_proof_is_read() -> None:
    members = proof(
        id="urn:uuid:1",
        created="2026-03-01T12:00:00+01:00",
        expires="2026-03-02T12:00:00Z",
        domain=["a.example", "b.example"],
        challenge="c",
        nonce="n",
        previousProof="urn:uuid:0",
    )
    parsed = Proof.parse(members)
    assert parsed.cryptosuite is CRYPTOSUITES["DataIntegrityProof", "eddsa-jcs-2022"]
    assert parsed.created == datetime(2026, 3, 1, 11, tzinfo=UTC)
    assert parsed.expires == datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert parsed.domains == ("a.example", "b.example")
    assert parsed.previous_proofs == ("urn:uuid:0",)
    assert (parsed.id, parsed.challenge, parsed.nonce) == ("urn:uuid:1", "c", "n")
    assert parsed.options == {name: value for name, value in members.items() if name != "proofValue"}
    assert "proofValue" in members


def test_a_bare_proof_is_read() -> None:
    parsed = Proof.parse(proof())
    assert (parsed.id, parsed.created, parsed.expires, parsed.domains, parsed.challenge, parsed.nonce, parsed.previous_proofs) == (
        None, None, None, (), None, None, ()
    )


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"type": ...}, id="no type"),
        pytest.param({"type": ["DataIntegrityProof"]}, id="type in an array"),
        pytest.param({"cryptosuite": ...}, id="no cryptosuite"),
        pytest.param({"cryptosuite": 5}, id="cryptosuite of a wrong type"),
        pytest.param({"cryptosuite": ""}, id="empty cryptosuite"),
        pytest.param({"verificationMethod": ...}, id="no verification method"),
        pytest.param({"verificationMethod": {"id": "did:example:board#key-1"}}, id="embedded verification method"),
        pytest.param({"proofPurpose": ...}, id="no purpose"),
        pytest.param({"proofPurpose": ["assertionMethod"]}, id="purpose in an array"),
        pytest.param({"proofValue": ...}, id="no proof value"),
        pytest.param({"proofValue": b"z2HnF"}, id="proof value in bytes"),
        pytest.param({"proofValue": ""}, id="empty proof value"),
        pytest.param({"proofValue": "u2HnF"}, id="proof value in base64url"),
        pytest.param({"proofValue": "2HnF"}, id="proof value without a header"),
        pytest.param({"proofValue": "z0OIl"}, id="proof value with letters that are not base58"),
        pytest.param({"proofValue": "z2HnF\n"}, id="proof value with a line end"),
        pytest.param({"proofValue": "z" + "2" * MAX_PROOF_VALUE_CHARACTERS}, id="proof value too long"),
        pytest.param({"created": "2026-03-01T12:00:00"}, id="created without a time zone"),
        pytest.param({"created": 1772366400}, id="created as a number"),
        pytest.param({"created": ["2026-03-01T12:00:00Z"]}, id="created in an array"),
        pytest.param({"expires": "tomorrow"}, id="expires in words"),
        pytest.param({"expires": None}, id="expires null"),
        pytest.param({"id": 7}, id="id as a number"),
        pytest.param({"id": "7"}, id="id that is no URL"),
        pytest.param({"id": None}, id="id null"),
        pytest.param({"domain": []}, id="empty set of domains"),
        pytest.param({"domain": ["a.example", 5]}, id="domain of a wrong type"),
        pytest.param({"domain": ["a.example", "a.example"]}, id="domain twice"),
        pytest.param({"domain": None}, id="domain null"),
        pytest.param({"domain": [["a.example"]]}, id="domain in an array of arrays"),
        pytest.param({"challenge": 5}, id="challenge as a number"),
        pytest.param({"nonce": 5}, id="nonce as a number"),
        pytest.param({"previousProof": []}, id="no previous proof in the set"),
        pytest.param({"previousProof": ["urn:uuid:1", "urn:uuid:1"]}, id="previous proof twice"),
        pytest.param({"previousProof": {"id": "urn:uuid:1"}}, id="previous proof embedded"),
    ],
)
def test_a_malformed_proof_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(FormatError) as caught:
        Proof.parse(proof(**members))
    assert caught.value.code == "PROOF_VERIFICATION_ERROR"
    assert caught.value.where.startswith("/proof")


@pytest.mark.parametrize("method", ["key-1", "#key-1", "did:", "did:example:board key", "did:example:board\n", "did:" + "x" * MAX_URL_CHARACTERS, "1did:x:y"])
def test_a_verification_method_that_is_no_url_is_refused(method: str) -> None:
    with pytest.raises(FormatError) as caught:
        Proof.parse(proof(verificationMethod=method))
    assert caught.value.code == "INVALID_VERIFICATION_METHOD_URL"


@pytest.mark.parametrize("method", ["did:key:z6Mk", "https://board.example/keys#1", "urn:uuid:1"])
def test_any_url_may_name_a_verification_method(method: str) -> None:
    assert Proof.parse(proof(verificationMethod=method)).verification_method == method


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"cryptosuite": "ecdsa-xi-2023"}, "cryptosuite 'ecdsa-xi-2023' for proofs of type 'DataIntegrityProof'"),
        ({"type": "Ed25519Signature2018", "cryptosuite": ...}, "proofs of type 'Ed25519Signature2018' are not"),
        ({"type": "Ed25519Signature2020"}, "for proofs of type 'Ed25519Signature2020'"),
        ({"cryptosuite": "x" * 500}, "'" + "x" * 64 + "'"),
    ],
)
def test_other_types_and_suites_are_unsupported(members: dict[str, Any], named: str) -> None:
    with pytest.raises(UnsupportedError, match=named):
        Proof.parse(proof(**members))


@pytest.mark.parametrize("document", [{}, {"proof": None}, {"proof": []}, {"proof": "z2HnF"}, {"proof": [[]]}, {"proof": [None]}])
def test_a_document_without_a_proof_cannot_be_parsed(document: dict[str, Any]) -> None:
    with pytest.raises(FormatError) as caught:
        parse_proofs(document)
    assert caught.value.code == "PARSING_ERROR"


def test_errors_point_at_the_proof_in_its_set() -> None:
    with pytest.raises(FormatError) as caught:
        parse_proofs({"proof": [proof(), proof(nonce=5)]})
    assert caught.value.where == "/proof/1/nonce"
