"""What the VC-API checks of a credential or presentation, and what it says of each fault."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from did_health.encoding import strict_json
from tests.vc_api_parties import V2, VCAPI, Document, code, vc_api

pytest.importorskip("starlette", reason="services need the extra server")
pytest.importorskip("pyld", reason="JSON-LD needs the extra rdf")
pytest.importorskip("py_arkworks_bls12381", reason="BBS needs the extra bbs")


@pytest.fixture(scope="module")
def service() -> Iterator[VCAPI]:
    with vc_api() as running:
        yield running


def test_the_default_checks_that_the_issuer_controls_the_key_and_proof_alone_does_not(service: VCAPI) -> None:
    issued = service.issued("eddsa-jcs-2022")
    party = service.instance.parties[service.instance.issuers["ecdsa-jcs-2019"].party.algorithm]
    from did_health.vc.proofs import add_proof

    bare = {name: value for name, value in issued.items() if name != "proof"}
    foreign = add_proof(bare, suite="ecdsa-jcs-2019", signer=party.signer, verification_method=party.verification_method)
    assert service.verified(foreign, checks=["proof"]).status_code == 200
    answer = service.verified(foreign)
    assert code(answer) == "INVALID_VERIFICATION_METHOD"
    assert answer.json()["results"]["issuer"] == {"valid": False, "input": issued["issuer"]}
    # An empty list says no more than none.
    assert service.verified(foreign, checks=[]).status_code == 400


def test_an_issuer_that_can_be_nobody_is_not_asked_to_control_the_key(service: VCAPI) -> None:
    # RFC 2606 §2 reserves the top-level domain example; Data Integrity §4.4 leaves the check of issuers to applications.
    from did_health.vc.proofs import add_proof

    party = service.instance.issuers["eddsa-jcs-2022"].party

    def answer(issuer: str | Document) -> Any:
        bare = service.credential(issuer=issuer)
        document = add_proof(bare, suite="eddsa-jcs-2022", signer=party.signer, verification_method=party.verification_method)
        return service.verified(document)

    for nobody in ("https://vc.example/issuers/5678", "https://EXAMPLE", "https://a.b.example.:8443/"):
        for issuer in (nobody, {"id": nobody, "name": "Board"}):
            found = answer(issuer)
            assert found.status_code == 200, found.text
            assert found.json()["results"]["issuer"]["input"] == nobody
            assert "RFC 2606" in found.json()["results"]["issuer"]["message"]
    somebodies = ("https://board.test/", "https://example.org/", "https://vc.example@board.org/", "https://board.org/.example", "https://board.org#.example")
    for somebody in (*somebodies, "https://vcexample/", "http://vc.example/", "did:web:vc.example", "did:example:1", "https://[vc.example/"):
        found = answer(somebody)
        assert found.status_code == 400, somebody
        assert not found.json()["verified"]


def test_a_second_proof_may_be_somebody_elses(service: VCAPI) -> None:
    from did_health.vc.proofs import add_proof

    issued = service.issued("eddsa-jcs-2022")
    party = service.instance.issuers["ecdsa-jcs-2019"].party
    both = add_proof(issued, suite="ecdsa-jcs-2019", signer=party.signer, verification_method=party.verification_method)
    answer = service.verified(both)
    assert answer.status_code == 200
    assert len(answer.json()["results"]["proof"]) == 2
    both["proof"][1]["proofValue"] = both["proof"][1]["proofValue"][:-2] + "zz"
    assert service.verified(both).status_code == 400


def test_validity_is_checked_unless_other_checks_are_asked_for(service: VCAPI) -> None:
    early = service.issued(validFrom="2090-01-01T00:00:00Z")
    late = service.issued(validUntil="2020-01-01T00:00:00Z")
    for document, name in ((early, "validFrom"), (late, "validUntil")):
        answer = service.verified(document)
        assert code(answer) == "RANGE_ERROR"
        assert answer.json()["results"][name] == {"valid": False, "input": document[name]}
        assert service.verified(document, checks=["proof", "issuer"]).status_code == 200
    old = {"@context": ["https://www.w3.org/2018/credentials/v1", "https://w3id.org/security/data-integrity/v2"], "issuanceDate": "2026-01-01T00:00:00Z"}
    answer = service.verified(service.issued(**old, credentialSubject={"id": "did:example:subject"}))
    assert answer.json()["results"]["validFrom"] == {"valid": True, "input": "2026-01-01T00:00:00Z"}


def test_a_schema_is_checked_where_it_is_asked_for(service: VCAPI) -> None:
    issued = service.issued("eddsa-jcs-2022", credentialSchema={"id": "https://schemas.example/unknown.json", "type": "JsonSchema"})
    assert service.verified(issued).status_code == 200
    answer = service.verified(issued, checks=["credentialSchema"])
    assert answer.status_code == 400
    assert answer.json()["results"]["credentialSchema"][0]["valid"] is False


def test_an_unknown_check_is_refused_and_not_taken_for_passed(service: VCAPI) -> None:
    assert code(service.verified(service.issued(), checks=["proof", "horoscope"])) == "MALFORMED_VALUE_ERROR"
    assert service.verified(service.issued(), checks=["proof", "status"]).status_code == 200


def test_what_a_proof_was_made_for_has_to_be_what_is_expected(service: VCAPI) -> None:
    issued = service.issued(options={"domain": "a.example", "challenge": "c-1"})
    assert service.verified(issued, domain="a.example", challenge="c-1").status_code == 200
    assert code(service.verified(issued, domain="b.example")) == "INVALID_DOMAIN_ERROR"
    assert code(service.verified(issued, challenge="c-2")) == "INVALID_CHALLENGE_ERROR"
    assert code(service.verified(issued, expectedProofPurpose="authentication")) == "PROOF_VERIFICATION_ERROR"
    token = service.issued("vc+jwt")
    assert service.verified(token, expectedProofPurpose="authentication").status_code == 400
    assert service.verified(token, domain=["a.example", "b.example"]).status_code == 400


def test_a_proof_that_is_broken_in_any_way_is_a_problem(service: VCAPI) -> None:
    issued = service.issued()
    for proof in (None, {}, [], "x", {**issued["proof"], "type": "Other"}, {**issued["proof"], "cryptosuite": "other"}, {**issued["proof"], "proofValue": "x"}):
        assert service.verified({**issued, "proof": proof}).status_code == 400
    for name in ("type", "verificationMethod", "proofPurpose", "proofValue", "cryptosuite"):
        broken = copy.deepcopy(issued)
        del broken["proof"][name]
        assert service.verified(broken, checks=["proof"]).status_code == 400
    del issued["proof"]
    assert service.verified(issued).status_code == 400


def test_a_key_that_cannot_be_found_is_a_problem(service: VCAPI) -> None:
    issued = service.issued("eddsa-jcs-2022")
    for method in ("did:web:nobody.example#key", "did:example:1#key", "did:key:z6Mk#x", "https://a.example/key"):
        broken = {**issued, "proof": {**issued["proof"], "verificationMethod": method}}
        assert service.verified(broken, checks=["proof"]).status_code == 400


def test_the_key_of_a_did_web_is_fetched(service: VCAPI) -> None:
    from did_health.vc.proofs import add_proof

    party = service.instance.issuers["eddsa-jcs-2022"].party
    did = "did:web:board.example"
    key = {"id": f"{did}#key", "type": "Multikey", "controller": did, "publicKeyMultibase": party.signer.public_key.multikey}
    service.outside.files["https://board.example/.well-known/did.json"] = strict_json.dumps(
        {"id": did, "verificationMethod": [key], "assertionMethod": [key["id"]]}
    )
    document = add_proof(service.credential(issuer=did), suite="eddsa-jcs-2022", signer=party.signer, verification_method=f"{did}#key")
    assert service.verified(document).status_code == 200


def test_a_self_asserted_credential_needs_the_holder_as_its_issuer(service: VCAPI) -> None:
    holder = service.instance.issuers["eddsa-rdfc-2022"].party
    unsecured = service.credential("eddsa-rdfc-2022")

    def proved(**changes: Any) -> Document:
        document = {"@context": [V2], "type": ["VerifiablePresentation"], "holder": holder.did, "verifiableCredential": [unsecured]} | changes
        document = {name: value for name, value in document.items() if value is not ...}
        from did_health.vc.proofs import add_proof

        return add_proof(
            document,
            suite="eddsa-rdfc-2022",
            signer=holder.signer,
            verification_method=holder.verification_method,
            purpose="authentication",
            contexts=service.instance.contexts,
        )

    def status(document: Document) -> int:
        return service.post("/presentations/verify", {"verifiablePresentation": document, "options": {"checks": []}}).status_code

    assert status(proved()) == 200
    assert status(proved(holder=...)) == 400
    assert status(proved(holder="did:example:acme")) == 400
    assert status(proved(verifiableCredential=[unsecured | {"issuer": "did:example:acme"}])) == 400
    assert status(proved(verifiableCredential=[unsecured | {"validUntil": "2020-01-01T00:00:00Z"}])) == 400
    assert (
        service.post(
            "/presentations/prove", {"presentation": {"@context": [V2], "type": "VerifiablePresentation", "verifiableCredential": unsecured}}
        ).status_code
        == 400
    )


def test_the_credentials_of_a_presentation_that_nobody_signed_need_proofs(service: VCAPI) -> None:
    document = {"@context": [V2], "type": ["VerifiablePresentation"], "verifiableCredential": service.issued("vc+jwt")}
    assert service.post("/presentations/verify", {"presentation": document}).status_code == 200
    answer = service.post("/presentations/verify", {"presentation": document | {"verifiableCredential": [service.credential()]}})
    assert code(answer) == "PROOF_VERIFICATION_ERROR"
    assert answer.json()["problemDetails"][0]["where"] == "/verifiableCredential/0"
    assert service.post("/presentations/verify", {"presentation": {"type": "x"}}).status_code == 400
    assert service.post("/presentations/verify", {"verifiablePresentation": document}).status_code == 400


def test_a_credential_in_a_presentation_is_checked_as_any_other(service: VCAPI) -> None:
    bad = service.issued("eddsa-rdfc-2022")
    bad["credentialSubject"]["name"] = "Mallory"
    document = {"@context": [V2], "type": ["VerifiablePresentation"], "verifiableCredential": [service.issued("eddsa-jcs-2022", id="urn:a"), bad]}
    presentation = service.post("/presentations/prove", {"presentation": document}).json()["verifiablePresentation"]
    answer = service.post("/presentations/verify", {"verifiablePresentation": presentation})
    assert answer.status_code == 400
    assert [problem["where"] for problem in answer.json()["problemDetails"]] == ["/verifiableCredential/1/proof"]
    foreign = {"@context": [V2], "type": ["VerifiablePresentation"], "holder": "did:example:other"}
    assert service.post("/presentations/prove", {"presentation": foreign}).status_code == 400
