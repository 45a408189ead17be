"""The VC-API's answers for every way of securing, from a server on the loopback."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from did_health.limits import MAX_DOCUMENT_BYTES
from did_health.services.bearer import BearerTokens
from did_health.services.vc_api.securing import SECURINGS
from tests.vc_api_parties import V2, VCAPI, Document, code, vc_api

pytest.importorskip("starlette", reason="services need the extra server")
pytest.importorskip("pyld", reason="JSON-LD needs the extra rdf")
pytest.importorskip("py_arkworks_bls12381", reason="BBS needs the extra bbs")

DISCLOSING = {"ecdsa-sd-2023", "bbs-2023", "vc+sd-jwt"}
TOKEN = "a-token-of-some-length"


@pytest.fixture(scope="module")
def service() -> Iterator[VCAPI]:
    with vc_api() as running:
        yield running


def test_there_is_an_issuer_for_every_suite_and_key_type(service: VCAPI) -> None:
    listed = service.client.get("/issuers").json()
    assert set(SECURINGS) <= set(listed)
    assert {"ecdsa-rdfc-2019-P-256", "ecdsa-rdfc-2019-P-384", "bbs-2023", "vc+jwt-Ed25519", "eddsa-jcs-2022-status"} <= set(listed)
    for name, issuer in listed.items():
        assert issuer["id"].startswith("did:key:z")
        assert issuer["verificationMethod"].startswith(issuer["id"] + "#")
        assert issuer["path"] == f"/issuers/{name}/credentials/issue"
    assert len({issuer["id"] for issuer in listed.values()}) == 4


@pytest.mark.parametrize("name", sorted({f"{name}-{algorithm}" for name, securing in SECURINGS.items() for algorithm in securing.algorithms}))
def test_what_an_issuer_issues_is_verified(service: VCAPI, name: str) -> None:
    suite = name.rsplit("-", 2)[0] if "P-" in name else name.rpartition("-")[0]
    issued = service.issued(name, {"mandatoryPointers": ["/issuer"]})
    if suite in DISCLOSING:
        body = {"verifiableCredential": issued, "options": {"selectivePointers": ["/credentialSubject/name"]}}
        derived = service.post("/credentials/derive", body)
        assert derived.status_code == 201, derived.text
        issued = derived.json()
    answer = service.verified(issued)
    assert answer.status_code == 200, answer.text
    result = answer.json()
    assert result["verified"] is True
    assert result["problemDetails"] == []
    assert result["results"]["proof"] == [{"valid": True, "input": issued if issued.get("type") == "EnvelopedVerifiableCredential" else issued["proof"]}]
    assert "verifiableCredential" not in result
    assert service.verified(issued, checks=["proof"], returnCredential=True).json()["verifiableCredential"] == issued


@pytest.mark.parametrize("suite", sorted(SECURINGS))
def test_what_was_changed_is_not_verified(service: VCAPI, suite: str) -> None:
    issued = service.issued(suite, {"mandatoryPointers": ["/issuer"]})
    if suite in DISCLOSING:
        issued = service.post("/credentials/derive", {"verifiableCredential": issued, "options": {"selectivePointers": ["/credentialSubject/name"]}}).json()
    if "proof" in issued:
        issued["credentialSubject"]["name"] = "Mallory"
    else:
        middle = len(issued["id"]) // 2
        issued["id"] = issued["id"][:middle] + ("A" if issued["id"][middle] != "A" else "B") + issued["id"][middle + 1 :]
    answer = service.verified(issued, checks=["proof"])
    assert answer.status_code == 400
    assert code(answer) in ("PROOF_VERIFICATION_ERROR", "CRYPTOGRAPHIC_SECURITY_ERROR", "PARSING_ERROR", "MALFORMED_VALUE_ERROR")
    assert answer.json()["verified"] is False
    assert answer.json()["problemDetails"]
    assert answer.json()["results"]["proof"][0]["valid"] is False


@pytest.mark.parametrize("suite", sorted(SECURINGS))
def test_a_presentation_is_proved_and_verified(service: VCAPI, suite: str) -> None:
    if suite in ("ecdsa-sd-2023", "bbs-2023"):
        pytest.skip("base proofs are for holders, not for verifiers")
    holder = service.instance.issuers[suite].party.did
    document = {"@context": [V2], "type": ["VerifiablePresentation"], "holder": holder, "verifiableCredential": [service.issued("eddsa-rdfc-2022")]}
    options = {"cryptosuite": suite, "challenge": "c-1", "domain": "verifier.example"}
    if suite == "vc+cose":
        assert code(service.post("/presentations/prove", {"presentation": document, "options": options})) == "PROOF_GENERATION_ERROR"
        message = service.post("/presentations/prove", {"presentation": document, "options": {"type": "vp+cose"}}).json()["verifiablePresentation"]
        assert service.post("/presentations/verify", {"verifiablePresentation": message}).status_code == 200
        return
    proved = service.post("/presentations/prove", {"presentation": document, "options": options})
    assert proved.status_code == 201, proved.text
    presentation = proved.json()["verifiablePresentation"]

    def verified(**asked: Any) -> Any:
        return service.post("/presentations/verify", {"verifiablePresentation": presentation, "options": asked})

    good = verified(challenge="c-1", domain="verifier.example", returnPresentation=True)
    assert good.status_code == 200, good.text
    assert good.json()["results"]["holder"] == {"valid": True, "input": holder}
    assert good.json()["verifiablePresentation"] == presentation
    assert code(verified(challenge="c-2", domain="verifier.example")) == "INVALID_CHALLENGE_ERROR"
    assert code(verified(challenge="c-1", domain="other.example")) == "INVALID_DOMAIN_ERROR"


def test_the_results_of_a_presentation_tell_challenge_and_domain_apart(service: VCAPI) -> None:
    document = {"@context": [V2], "type": ["VerifiablePresentation"]}
    options = {"challenge": "c-1", "domain": ["a.example", "b.example"]}
    presentation = service.post("/presentations/prove", {"presentation": document, "options": options}).json()["verifiablePresentation"]
    assert presentation["proof"]["proofPurpose"] == "authentication"
    answer = service.post(
        "/presentations/verify", {"verifiablePresentation": presentation, "options": {"challenge": "c-2", "domain": ["b.example", "a.example"]}}
    )
    assert answer.json()["results"]["challenge"] == {"valid": False, "input": "c-2"}
    asserted = service.post("/presentations/prove", {"presentation": document, "options": {"proofPurpose": "assertionMethod"}}).json()["verifiablePresentation"]
    assert service.post("/presentations/verify", {"verifiablePresentation": asserted}).status_code == 200
    body = {"verifiablePresentation": asserted, "options": {"expectedProofPurpose": "authentication"}}
    assert code(service.post("/presentations/verify", body)) == "PROOF_VERIFICATION_ERROR"


def test_the_plain_path_takes_the_issuer_from_the_options_or_the_credential(service: VCAPI) -> None:
    def issued(at: str, **options: Any) -> Any:
        return service.post("/credentials/issue", {"credential": service.credential(at), "options": options})

    assert issued("eddsa-rdfc-2022").json()["verifiableCredential"]["proof"]["cryptosuite"] == "eddsa-rdfc-2022"
    assert issued("ecdsa-rdfc-2019-P-384").json()["verifiableCredential"]["proof"]["cryptosuite"] == "ecdsa-rdfc-2019"
    chosen = issued("eddsa-rdfc-2022", type="DataIntegrityProof", cryptosuite="eddsa-jcs-2022", created="2026-02-01T00:00:00Z")
    assert chosen.json()["verifiableCredential"]["proof"]["created"] == "2026-02-01T00:00:00Z"
    assert chosen.json()["verifiableCredential"]["proof"]["cryptosuite"] == "eddsa-jcs-2022"
    assert issued("eddsa-rdfc-2022", type="Ed25519Signature2020").json()["verifiableCredential"]["proof"]["type"] == "Ed25519Signature2020"
    assert issued("vc+jwt", type="vc+jwt").json()["verifiableCredential"]["type"] == "EnvelopedVerifiableCredential"
    method = service.instance.issuers["ecdsa-jcs-2019-P-384"].party.verification_method
    by_method = issued("ecdsa-jcs-2019-P-384", cryptosuite="ecdsa-jcs-2019", verificationMethod=method)
    assert by_method.json()["verifiableCredential"]["proof"]["verificationMethod"] == method
    assert code(issued("eddsa-rdfc-2022", cryptosuite="ecdsa-rdfc-2019")) == "PROOF_GENERATION_ERROR"
    assert code(issued("eddsa-rdfc-2022", cryptosuite="rot13")) == "PROOF_GENERATION_ERROR"
    assert code(issued("eddsa-rdfc-2022", verificationMethod="did:key:zOther#z")) == "PROOF_GENERATION_ERROR"


REFUSED: dict[str, tuple[str, Document, Document]] = {
    "issuer-missing": ("eddsa-rdfc-2022", {"issuer": ...}, {}),
    "issuer-another": ("eddsa-rdfc-2022", {"issuer": "did:example:other"}, {}),
    "issuer-object-of-another": ("eddsa-rdfc-2022", {"issuer": {"id": "did:example:other"}}, {}),
    "context-missing": ("eddsa-rdfc-2022", {"@context": ...}, {}),
    "term-undefined": ("eddsa-rdfc-2022", {"undefinedTerm": "x"}, {}),
    "term-undefined-under-jcs": ("eddsa-jcs-2022", {"undefinedTerm": "x"}, {}),
    "term-undefined-in-a-jwt": ("vc+jwt", {"undefinedTerm": "x"}, {}),
    "status-list-index-true": (
        "eddsa-jcs-2022",
        {
            "credentialStatus": {
                "type": "BitstringStatusListEntry",
                "statusPurpose": "revocation",
                "statusListIndex": True,
                "statusListCredential": "https://a.example",
            }
        },
        {},
    ),
    "suite-of-another-issuer": ("eddsa-rdfc-2022", {}, {"cryptosuite": "eddsa-jcs-2022"}),
    "method-of-another-issuer": ("eddsa-rdfc-2022", {}, {"verificationMethod": "did:example:1#key"}),
    "valid-from-without-zone": ("eddsa-rdfc-2022", {"validFrom": "2026-01-01T00:00:00"}, {}),
    "created-without-zone": ("eddsa-rdfc-2022", {}, {"created": "2026-01-01T00:00:00"}),
    "expires-before-created": ("eddsa-rdfc-2022", {}, {"created": "2026-01-02T00:00:00Z", "expires": "2026-01-01T00:00:00Z"}),
    "pointer-to-nothing": ("ecdsa-sd-2023", {}, {"mandatoryPointers": ["/non/existent/path"]}),
    "pointer-to-nothing-bbs": ("bbs-2023", {}, {"mandatoryPointers": ["/non/existent/path"]}),
    "pointers-no-list": ("ecdsa-sd-2023", {}, {"mandatoryPointers": "/issuer"}),
    "pointers-no-pointers": ("ecdsa-sd-2023", {}, {"mandatoryPointers": ["issuer"]}),
    "status-of-no-purpose": ("eddsa-rdfc-2022", {}, {"credentialStatus": {"type": "BitstringStatusListEntry"}}),
    "status-of-another-type": ("eddsa-rdfc-2022", {}, {"credentialStatus": [{"type": "Other", "statusPurpose": "revocation"}]}),
    "status-of-another-purpose": ("eddsa-rdfc-2022", {}, {"credentialStatus": [{"type": "BitstringStatusListEntry", "statusPurpose": "ourOwn"}]}),
    "status-message-without-messages": ("eddsa-rdfc-2022", {}, {"credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "message"}}),
    "status-messages-too-few": (
        "eddsa-rdfc-2022",
        {},
        {"credentialStatus": [{"type": "BitstringStatusListEntry", "statusPurpose": "message", "statusSize": 2, "statusMessage": []}]},
    ),
    "status-no-object": ("eddsa-rdfc-2022", {}, {"credentialStatus": ["revocation"]}),
    "domains-for-a-token": ("vc+jwt", {}, {"domain": ["a.example", "b.example"]}),
    "domain-empty-set": ("eddsa-rdfc-2022", {}, {"domain": []}),
    "challenge-number": ("eddsa-rdfc-2022", {}, {"challenge": 5}),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_cannot_be_issued_is_a_problem_of_400(service: VCAPI, fault: str) -> None:
    at, changes, options = REFUSED[fault]
    answer = service.post(f"/issuers/{at}/credentials/issue", {"credential": service.credential(at, **changes), "options": options})
    assert answer.status_code == 400
    code(answer)


@pytest.mark.parametrize(
    "path", ["/credentials/issue", "/issuers/vc+jwt/credentials/issue", "/credentials/verify", "/credentials/derive", "/credentials/status",
             "/presentations/prove", "/presentations/verify"],
)  # fmt: skip
@pytest.mark.parametrize(
    "body", [b"", b"x", b"[]", b"null", b"{}", b'{"a":1,"a":2}', b'{"credential":5,"verifiableCredential":[],"presentation":"x"}', b"\xff", b"[" * 5000]
)
def test_a_malformed_body_is_a_problem_of_400(service: VCAPI, path: str, body: bytes) -> None:
    answer = service.client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert code(answer) in ("PARSING_ERROR", "MALFORMED_VALUE_ERROR")


def test_what_is_no_request_has_its_status(service: VCAPI) -> None:
    assert service.client.post("/credentials/issue", content=b"<a/>", headers={"Content-Type": "text/xml"}).status_code == 415
    assert service.client.post("/credentials/verify", content=b" " * (MAX_DOCUMENT_BYTES + 1), headers={"Content-Type": "application/json"}).status_code == 413
    assert service.post("/issuers/nobody/credentials/issue", {}).status_code == 404
    assert service.client.get("/credentials/issue").status_code == 405
    assert service.client.get("/status/99/revocation").status_code == 404
    assert service.client.get("/nothing").status_code == 404


@pytest.mark.parametrize("suite", ["eddsa-jcs-2022", "eddsa-rdfc-2022", "Ed25519Signature2020"])
def test_a_1_1_credential_gets_the_context_of_its_proof(service: VCAPI, suite: str) -> None:
    v1 = "https://www.w3.org/2018/credentials/v1"
    issued = service.issued(suite, **{"@context": [v1], "issuanceDate": "2020-03-16T22:37:26.544Z", "credentialSubject": {"id": "did:example:1"}})
    added = "https://w3id.org/security/suites/ed25519-2020/v1" if suite == "Ed25519Signature2020" else "https://w3id.org/security/data-integrity/v2"
    assert issued["@context"] == [v1, added]
    assert service.verified(issued).status_code == 200


ACHIEVEMENTS: Document = {
    "@context": [
        V2,
        {
            "@protected": True,
            "AchievementCredential": "urn:example:AchievementCredential",
            "Sailing": {
                "@id": "urn:example:Sailing",
                "@context": {
                    "@protected": True,
                    "sailNumber": "urn:example:sailNumber",
                    "sails": {"@id": "urn:example:sails", "@context": {"@protected": True, "size": "urn:example:size", "year": "urn:example:year"}},
                },
            },
            "achievements": {"@id": "urn:example:achievements", "@type": "@id"},
        },
    ],
    "type": ["VerifiableCredential", "AchievementCredential"],
    "credentialSubject": {
        "name": "Jane",
        "achievements": [
            {"type": "Sailing", "sailNumber": number, "sails": [{"size": size, "year": 2023} for size in (5.5, 6.1, 7.0)]} for number in ("Earth101", "Mars101")
        ],
    },
}


@pytest.mark.parametrize("suite", ["ecdsa-sd-2023", "bbs-2023"])
@pytest.mark.parametrize(
    "pointers",
    [
        ["/credentialSubject/achievements"],
        ["/credentialSubject/achievements/0/sails/0", "/credentialSubject/achievements/0/sails/1"],
        ["/credentialSubject/achievements/1"],
        ["/credentialSubject/achievements/0/sails/2/size"],
    ],
)
def test_any_part_of_arrays_of_nameless_things_is_derived_and_verified(service: VCAPI, suite: str, pointers: list[str]) -> None:
    issued = service.issued(suite, {"mandatoryPointers": ["/issuer", "/credentialSubject/achievements/0/sailNumber"]}, **ACHIEVEMENTS)
    derived = service.post("/credentials/derive", {"verifiableCredential": issued, "options": {"selectivePointers": pointers}})
    assert derived.status_code == 201, derived.text
    answer = service.verified(derived.json(), checks=["proof"])
    assert answer.status_code == 200, answer.text
    assert service.verified(issued, checks=["proof"]).status_code == 400
    for value in ("a", derived.json()["proof"]["proofValue"][1:]):
        broken = copy.deepcopy(derived.json())
        broken["proof"]["proofValue"] = value
        assert service.verified(broken, checks=["proof"]).status_code == 400


def test_deriving_needs_something_to_derive_from(service: VCAPI) -> None:
    def derived(document: Document, *pointers: str) -> Any:
        return service.post("/credentials/derive", {"verifiableCredential": document, "options": {"selectivePointers": list(pointers)}})

    assert derived(service.issued(), "/issuer").status_code == 400
    assert derived(service.issued("vc+jwt"), "/issuer").status_code == 400
    assert derived(service.issued("vc+sd-jwt"), "/nothing").status_code == 400
    assert derived(service.issued("ecdsa-sd-2023"), "/nothing").status_code == 400
    assert derived(service.issued("ecdsa-sd-2023")).status_code == 400
    shown = derived(service.issued("ecdsa-sd-2023", {"mandatoryPointers": ["/credentialSubject/id"]}), "/issuer").json()
    assert shown["credentialSubject"] == {"id": "did:example:subject"}
    hidden = derived(service.issued("vc+sd-jwt")).json()
    assert hidden["id"].count("~") == 1
    assert derived(service.issued("vc+sd-jwt", {"mandatoryPointers": ["/credentialSubject/name"]})).json()["id"].count("~") == 1


def test_contexts_of_examples_are_known_and_no_unknown_one_is_fetched(service: VCAPI) -> None:
    examples = [V2, "https://www.w3.org/ns/credentials/examples/v2"]
    assert service.verified(service.issued("eddsa-rdfc-2022", **{"@context": examples, "anything": "x"})).status_code == 200
    unknown = {"credential": service.credential(**{"@context": [V2, "https://context.example/v1"]})}
    assert code(service.post("/issuers/eddsa-rdfc-2022/credentials/issue", unknown)) == "PROOF_TRANSFORMATION_ERROR"
    # JCS reads no contexts, so that one which is unknown does not stand in its way.
    assert service.verified(service.issued("eddsa-jcs-2022", **{"@context": [V2, "https://context.example/v1"], "anything": "x"})).status_code == 200


def test_with_tokens_a_request_needs_one_and_no_log_has_it() -> None:
    with vc_api(BearerTokens([TOKEN, "another-token-of-some-length"])) as running:
        body = {"credential": running.credential(), "options": {}}
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": "Bearer"}):
            answer = running.post("/issuers/eddsa-rdfc-2022/credentials/issue", body, **headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
        for scheme in ("Bearer", "bearer"):
            assert running.post("/issuers/eddsa-rdfc-2022/credentials/issue", body, Authorization=f"{scheme} {TOKEN}").status_code == 201
        assert running.client.get("/issuers").status_code == 200
        described = running.client.get("/openapi.json").json()
        assert described["paths"]["/credentials/issue"]["post"]["security"] == [{"bearer": []}]
        assert TOKEN not in running.log.getvalue()


def test_no_claim_is_in_a_log(service: VCAPI) -> None:
    service.issued(credentialSubject={"id": "did:example:patient", "name": "Secret Name"})
    service.verified(service.credential(credentialSubject={"name": "Secret Name"}))
    lines = [json.loads(line) for line in service.log.getvalue().splitlines()]
    assert len(lines) > 10
    assert "Secret Name" not in service.log.getvalue()
    assert {line["event"] for line in lines} <= {"request", "store"}


def test_real_answers_have_the_shapes_of_the_openapi_document(service: VCAPI) -> None:
    from jsonschema import Draft202012Validator

    described = service.client.get("/openapi.json")
    assert described.headers["content-type"] == "application/openapi+json;version=3.1"
    components = described.json()["components"]

    def conforms(answer: Any, name: str) -> None:
        Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": components}).validate(answer.json())

    issued = service.post("/credentials/issue", {"credential": service.credential()})
    conforms(issued, "VerifiableCredentialResponse")
    credential = issued.json()["verifiableCredential"]
    conforms(service.verified(credential, returnCredential=True), "VerificationResult")
    conforms(service.verified(credential | {"id": "urn:changed"}), "Refused")
    conforms(service.post("/presentations/prove", {"presentation": {"@context": [V2], "type": "VerifiablePresentation"}}), "CreatePresentationResponse")
