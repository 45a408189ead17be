"""Verifiable Credential Data Integrity 1.0 (Recommendation of May 2025), statement by statement, for every cryptosuite.

Each test names its section. What is said of keys is in ``test_data_integrity_keys``, of JSON-LD in ``test_json_ld_safety``.
"""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import Any

import pytest

from did_health.encoding import multibase
from did_health.encoding.strict_json import JSONObject
from did_health.errors import DidHealthError, FormatError, UnsupportedError, VerificationError
from did_health.keys import Algorithm, Signer, generate
from did_health.vc.contexts import CREDENTIALS_V2
from did_health.vc.problem_details import TYPES
from did_health.vc.proofs import VerifiedProof, add_proof, derive_proof, verify_proofs
from did_health.vc.proofs.table import BY_NAME, CRYPTOSUITES, DISCLOSURE_SUITES
from tests.conftest import repeatable_bytes

ED25519 = generate(repeatable_bytes("ed25519"))
P256 = generate(repeatable_bytes("p256"), Algorithm.P256)
P384 = generate(repeatable_bytes("p384"), Algorithm.P384)
OTHER = generate(repeatable_bytes("other"))
CHAINABLE = [
    pytest.param("eddsa-jcs-2022", ED25519, id="eddsa-jcs-2022"),
    pytest.param("eddsa-rdfc-2022", ED25519, id="eddsa-rdfc-2022"),
    pytest.param("ecdsa-jcs-2019", P256, id="ecdsa-jcs-2019-p256"),
    pytest.param("ecdsa-jcs-2019", P384, id="ecdsa-jcs-2019-p384"),
    pytest.param("ecdsa-rdfc-2019", P256, id="ecdsa-rdfc-2019-p256"),
    pytest.param("ecdsa-rdfc-2019", P384, id="ecdsa-rdfc-2019-p384"),
]
WHOLE = [*CHAINABLE, pytest.param("Ed25519Signature2020", ED25519, id="Ed25519Signature2020")]
every_chainable_suite = pytest.mark.parametrize(("suite", "signer"), CHAINABLE)
every_whole_suite = pytest.mark.parametrize(("suite", "signer"), WHOLE)
DISCLOSING = [pytest.param("ecdsa-sd-2023", P256, id="ecdsa-sd-2023")]
if find_spec("py_arkworks_bls12381"):  # the extra bbs
    DISCLOSING.append(pytest.param("bbs-2023", generate(repeatable_bytes("bbs"), Algorithm.BLS12381G2), id="bbs-2023"))
every_suite = pytest.mark.parametrize(("suite", "signer"), [*WHOLE, *DISCLOSING])
every_modern_suite = pytest.mark.parametrize(("suite", "signer"), [*CHAINABLE, *DISCLOSING])
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CREDENTIAL: JSONObject = {
    "@context": [CREDENTIALS_V2],
    "type": ["VerifiableCredential"],
    "issuer": "did:example:board",
    "credentialSubject": {"id": "did:example:physician", "name": "Ann"},
}


def signed(suite: str, signer: Signer, document: JSONObject = CREDENTIAL, **options: Any) -> JSONObject:
    """A document that a verifier may get: of a suite of selective disclosure, with all of it disclosed."""
    chosen = {"random": repeatable_bytes("base")} if suite in DISCLOSURE_SUITES else {}
    result = add_proof(document, suite=suite, signer=signer, verification_method="did:example:board#1", **chosen, **options)
    return copy.deepcopy(derive_proof(result, [""], random=repeatable_bytes("derived")) if chosen else result)


def verify(document: JSONObject, signer: Signer, **options: Any) -> tuple[VerifiedProof, ...]:
    return verify_proofs(document, lambda *_: signer.public_key, **({"purpose": "assertionMethod"} | options))


def refused(document: JSONObject, signer: Signer, code: str, **options: Any) -> DidHealthError:
    with pytest.raises((FormatError, VerificationError)) as caught:
        verify(document, signer, **options)
    assert caught.value.code == code
    assert code in TYPES
    return caught.value


# §2.1 Proofs


@every_suite
@pytest.mark.parametrize("member", ["type", "proofPurpose", "verificationMethod", "proofValue"])
@pytest.mark.parametrize("value", [..., None, 5, "", ["x"], {}], ids=["missing", "null", "number", "empty", "array", "object"])
def test_the_members_that_a_proof_must_have_are_texts(suite: str, signer: Signer, member: str, value: Any) -> None:
    """§2.1; §4.4 step 4."""
    document = signed(suite, signer)
    if value is ...:
        del document["proof"][member]
    else:
        document["proof"][member] = value
    refused(document, signer, "PROOF_VERIFICATION_ERROR")


@every_suite
@pytest.mark.parametrize(
    ("member", "value"),
    [
        pytest.param("id", "proof-1", id="id that is no URL"),
        pytest.param("created", "2026-03-01", id="created that is a date"),
        pytest.param("created", "2026-03-01T12:00:00", id="created without an offset"),
        pytest.param("created", 1772366400, id="created that is a number"),
        pytest.param("expires", "2026-02-30T12:00:00Z", id="expires on no day"),
        pytest.param("expires", "2026-03-01 12:00:00Z", id="expires with a blank"),
        pytest.param("domain", 5, id="domain that is a number"),
        pytest.param("domain", ["a.example", 5], id="domain that is a number in a set"),
        pytest.param("challenge", ["c"], id="challenge that is a set"),
        pytest.param("nonce", 5, id="nonce that is a number"),
        pytest.param("previousProof", {"id": "urn:uuid:1"}, id="previousProof that is an object"),
        pytest.param("previousProof", ["urn:uuid:1", 1], id="previousProof that is a number in a list"),
    ],
)
def test_the_optional_members_have_the_specified_form(suite: str, signer: Signer, member: str, value: Any) -> None:
    """§2.1. Times without an offset may be taken for UTC; we do not guess."""
    document = signed(suite, signer)
    document["proof"][member] = value
    refused(document, signer, "PROOF_VERIFICATION_ERROR")


@every_suite
@pytest.mark.parametrize("method", ["key-1", "#key-1", "did:example:board #1", "did:"])
def test_the_verification_method_is_a_url(suite: str, signer: Signer, method: str) -> None:
    """§2.1, verificationMethod; Controlled Identifiers 1.0 §3.3."""
    document = signed(suite, signer)
    document["proof"]["verificationMethod"] = method
    refused(document, signer, "INVALID_VERIFICATION_METHOD_URL")


@pytest.mark.parametrize("value", [..., None, "", 5, ["eddsa-jcs-2022"]])
def test_the_common_type_of_proofs_needs_a_cryptosuite_in_text(value: Any) -> None:
    """§2.1, cryptosuite; §3.1."""
    document = signed("eddsa-jcs-2022", ED25519)
    if value is ...:
        del document["proof"]["cryptosuite"]
    else:
        document["proof"]["cryptosuite"] = value
    assert refused(document, ED25519, "PROOF_VERIFICATION_ERROR").where == "/proof/cryptosuite"


def test_an_older_type_of_proof_may_have_a_cryptosuite_only_in_text() -> None:
    """§2.1, cryptosuite: with other types it may be specified; with this one it names nothing."""
    document = signed("Ed25519Signature2020", ED25519)
    document["proof"]["cryptosuite"] = 5
    refused(document, ED25519, "PROOF_VERIFICATION_ERROR")
    document["proof"]["cryptosuite"] = "eddsa-rdfc-2022"
    with pytest.raises(UnsupportedError):
        verify(document, ED25519)


@every_suite
@pytest.mark.parametrize("header", ["", "z", "u", "m", "f", "Z", "0"])
def test_the_proof_value_has_the_multibase_header_of_its_suite(suite: str, signer: Signer, header: str) -> None:
    """§2.1, proofValue: base58btc in all suites but those of selective disclosure."""
    document = signed(suite, signer)
    proof = document["proof"]
    if header == BY_NAME[suite].multibase:
        assert verify(document, signer)
        return
    proof["proofValue"] = header + proof["proofValue"][1:]
    assert refused(document, signer, "PROOF_VERIFICATION_ERROR").where == "/proof/proofValue"


@every_whole_suite
def test_a_signature_has_exactly_the_size_of_its_algorithm(suite: str, signer: Signer) -> None:
    """EdDSA §3.2.6, ECDSA §3.2.6: 64 bytes, with P-384 96."""
    document = signed(suite, signer)
    value = multibase.decode(document["proof"]["proofValue"])
    for wrong in (b"", value[:-1], value + b"\0", value[:32], value + value):
        document["proof"]["proofValue"] = multibase.encode("z", wrong)
        refused(document, signer, "PROOF_VERIFICATION_ERROR")


@every_modern_suite
def test_a_proof_is_good_until_it_expires(suite: str, signer: Signer) -> None:
    """§2.1, created and expires."""
    document = signed(suite, signer, created=NOW, expires=NOW + timedelta(days=1))
    assert verify(document, signer, now=NOW)
    refused(document, signer, "PROOF_VERIFICATION_ERROR", now=NOW + timedelta(days=1))
    refused(document, signer, "PROOF_VERIFICATION_ERROR", now=NOW - timedelta(days=1))


def test_a_time_with_an_offset_is_that_instant() -> None:
    """§2.1, created: UTC, or an offset relative to it."""
    document = signed("eddsa-jcs-2022", ED25519, created=NOW)
    document["proof"]["created"] = "2026-03-01T17:30:00+05:30"
    # The instant is right, and the text another than the signed one.
    with pytest.raises(VerificationError, match="does not verify"):
        verify(document, ED25519, now=NOW)
    document["proof"]["created"] = "2026-03-01T17:30:00+02:00"
    with pytest.raises(VerificationError, match="in the future"):
        verify(document, ED25519, now=NOW)


# §2.1.1, §2.1.2, §4.3, §4.5 Proof sets and chains


@every_whole_suite
def test_every_proof_of_a_set_must_verify_and_none_comes_first(suite: str, signer: Signer) -> None:
    """§2.1.1, §4.5 steps 3 and 6."""
    both = signed(suite, signer, signed(suite, signer), nonce="second")
    assert len(verify(both, signer)) == 2
    assert len(verify({**both, "proof": both["proof"][::-1]}, signer)) == 2
    for place in (0, 1):
        broken = copy.deepcopy(both)
        broken["proof"][place]["nonce"] = "other"
        refused(broken, signer, "PROOF_VERIFICATION_ERROR")


@every_chainable_suite
@pytest.mark.parametrize("named", ["urn:uuid:1", ["urn:uuid:1"], ["urn:uuid:2", "urn:uuid:1"]], ids=["one", "one in a list", "two"])
def test_a_chain_binds_the_proofs_that_it_names(suite: str, signer: Signer, named: Any) -> None:
    """§2.1, previousProof; §2.1.2; §4.3 steps 4 to 6; §4.5 step 3."""
    first = signed(suite, signer, proof_id="urn:uuid:1")
    document = signed(suite, signer, signed(suite, signer, first, proof_id="urn:uuid:2"), previous_proof=named, proof_id="urn:uuid:3")
    assert len(verify(document, signer)) == 3
    other = copy.deepcopy(document)
    other["proof"][0] = signed(suite, signer, proof_id="urn:uuid:1", nonce="again")["proof"]
    refused(other, signer, "PROOF_VERIFICATION_ERROR")


@every_chainable_suite
def test_a_chain_without_a_proof_that_it_names_is_refused(suite: str, signer: Signer) -> None:
    """§4.5 step 3.2."""
    document = signed(suite, signer, signed(suite, signer, proof_id="urn:uuid:1"), previous_proof="urn:uuid:1")
    for proofs in (document["proof"][1], document["proof"][1:], [document["proof"][1]] * 2):
        refused({**document, "proof": proofs}, signer, "PROOF_VERIFICATION_ERROR")


@every_chainable_suite
def test_a_chain_does_not_verify_if_a_proof_that_it_names_does_not(suite: str, signer: Signer) -> None:
    """§2.1, previousProof: all of them must verify as well."""
    first = signed(suite, signer, proof_id="urn:uuid:1")
    first["proof"]["proofValue"] = signed(suite, signer, nonce="another")["proof"]["proofValue"]
    document = signed(suite, signer, first, previous_proof="urn:uuid:1")
    assert refused(document, signer, "PROOF_VERIFICATION_ERROR").what == "a proof does not verify"


@every_whole_suite
@pytest.mark.parametrize("named", ["urn:uuid:2", ["urn:uuid:1", "urn:uuid:2"]])
def test_no_proof_is_made_that_names_a_missing_one(suite: str, signer: Signer, named: Any) -> None:
    """§4.3 steps 4 and 5."""
    with pytest.raises(FormatError) as caught:
        signed(suite, signer, signed(suite, signer, proof_id="urn:uuid:1"), previous_proof=named)
    assert caught.value.code == "PROOF_GENERATION_ERROR"


@pytest.mark.parametrize("options", [{"previous_proof": "urn:uuid:1"}, {"expires": NOW}, {"purpose": "keyAgreement"}])
def test_the_older_suite_makes_no_proofs_whose_options_its_context_does_not_define(options: dict[str, Any]) -> None:
    """§2.4.3: they would not be signed."""
    with pytest.raises(FormatError) as caught:
        signed("Ed25519Signature2020", ED25519, signed("Ed25519Signature2020", ED25519, proof_id="urn:uuid:1"), **options)
    assert caught.value.code == "DATA_LOSS_DETECTION_ERROR"


@pytest.mark.parametrize("purpose", ["assertionMethod", "authentication"])
def test_the_older_suite_serves_two_purposes(purpose: str) -> None:
    """§2.2."""
    document = signed("Ed25519Signature2020", ED25519, purpose=purpose)
    assert verify(document, ED25519, purpose=purpose)
    refused(document, ED25519, "PROOF_VERIFICATION_ERROR", purpose="capabilityInvocation")


# §2.2 Proof purposes


@every_modern_suite
@pytest.mark.parametrize("purpose", ["authentication", "assertionMethod", "keyAgreement", "capabilityDelegation", "capabilityInvocation"])
def test_a_proof_serves_its_purpose_and_no_other(suite: str, signer: Signer, purpose: str) -> None:
    """§2.2; §4.4 step 5; §5.11."""
    document = signed(suite, signer, purpose=purpose)
    assert verify(document, signer, purpose=purpose)[0].purpose == purpose
    other = "authentication" if purpose == "assertionMethod" else "assertionMethod"
    refused(document, signer, "PROOF_VERIFICATION_ERROR", purpose=other)
    document["proof"]["proofPurpose"] = other
    refused(document, signer, "PROOF_VERIFICATION_ERROR", purpose=other)


# §2.4.2 Context injection


def test_without_a_context_nothing_is_added_to_a_proof() -> None:
    """§2.4.2: no extensions where there is no @context."""
    document = signed("eddsa-jcs-2022", ED25519, {"issuer": "did:example:board"}, created=NOW)
    assert set(document["proof"]) == {"type", "cryptosuite", "created", "verificationMethod", "proofPurpose", "proofValue"}
    assert "@context" not in document


@pytest.mark.parametrize(
    ("suite", "signer"), [("eddsa-rdfc-2022", ED25519), ("ecdsa-rdfc-2019", P256), ("ecdsa-sd-2023", P256), ("Ed25519Signature2020", ED25519)]
)
@pytest.mark.parametrize("present", [{}, {"@context": []}, {"@context": "https://www.w3.org/ns/did/v1"}])
def test_a_context_that_defines_the_proof_is_added_where_there_is_none(suite: str, signer: Signer, present: JSONObject) -> None:
    """§2.4.2."""
    document = signed(suite, signer, {**present, "id": "did:example:a", "type": "https://vocabulary.example/Thing"})
    added = "https://w3id.org/security/suites/ed25519-2020/v1" if suite == "Ed25519Signature2020" else "https://w3id.org/security/data-integrity/v2"
    assert document["@context"][-1] == added
    assert verify(document, signer)


# §4.2 Add proof


@every_suite
def test_what_was_asked_for_is_in_the_proof(suite: str, signer: Signer) -> None:
    """§4.2 steps 2 to 4."""
    proof = signed(suite, signer, domain="a.example", challenge="c", nonce="n", purpose="authentication", created=NOW)["proof"]
    assert (proof["type"], proof.get("cryptosuite", "")) in CRYPTOSUITES
    assert (proof["domain"], proof["challenge"], proof["nonce"], proof["proofPurpose"]) == ("a.example", "c", "n", "authentication")
    assert proof["verificationMethod"] == "did:example:board#1"


@every_suite
@pytest.mark.parametrize("missing", [{"purpose": ""}, {"verification_method": ""}, {"verification_method": "key-1"}, {"proof_id": "1"}])
def test_a_proof_without_what_it_must_have_is_not_made(suite: str, signer: Signer, missing: dict[str, str]) -> None:
    """§4.2 step 2."""
    chosen: dict[str, Any] = {"verification_method": "did:example:board#1", "random": repeatable_bytes("base")} | missing
    with pytest.raises(FormatError) as caught:
        add_proof(CREDENTIAL, suite=suite, signer=signer, **chosen)
    assert caught.value.code == "PROOF_GENERATION_ERROR"


def test_a_key_of_another_algorithm_makes_no_proof() -> None:
    """§4.2 step 1: the error of the cryptosuite, by its type."""
    for suite, signer in (("eddsa-jcs-2022", P256), ("ecdsa-jcs-2019", ED25519), ("ecdsa-sd-2023", P384), ("Ed25519Signature2020", P256)):
        with pytest.raises(FormatError) as caught:
            signed(suite, signer)
        assert caught.value.code == "PROOF_GENERATION_ERROR"


# §4.4 Verify proof


@pytest.mark.parametrize("document", [None, [], "x", 5, {}, {"proof": None}, {"proof": "x"}, {"proof": []}, {"proof": [None]}, {"proof": [[]]}])
def test_what_has_no_proof_cannot_be_parsed(document: Any) -> None:
    """§4.4 step 2."""
    refused(document, ED25519, "PARSING_ERROR")


@every_suite
@pytest.mark.parametrize(
    ("made_for", "expected"), [("a.example", "b.example"), (None, "a.example"), (["a.example", "b.example"], "a.example"), ("a.example", [])]
)
def test_the_domains_are_those_that_were_expected(suite: str, signer: Signer, made_for: Any, expected: Any) -> None:
    """§4.4 step 6."""
    refused(signed(suite, signer, domain=made_for), signer, "INVALID_DOMAIN_ERROR", domain=expected)


@every_suite
def test_a_single_domain_is_a_set_of_one(suite: str, signer: Signer) -> None:
    """§4.4 step 6."""
    assert verify(signed(suite, signer, domain="a.example"), signer, domain=["a.example"])
    assert verify(signed(suite, signer, domain=["b.example", "a.example"]), signer, domain=["a.example", "b.example"])


@every_suite
@pytest.mark.parametrize("made_for", ["other", None])
def test_the_challenge_is_the_one_that_was_given(suite: str, signer: Signer, made_for: str | None) -> None:
    """§4.4 step 7."""
    assert verify(signed(suite, signer, challenge="fresh"), signer, challenge="fresh")
    refused(signed(suite, signer, challenge=made_for), signer, "INVALID_CHALLENGE_ERROR", challenge="fresh")


@every_suite
def test_the_result_is_the_document_without_its_proof(suite: str, signer: Signer) -> None:
    """§4.4 step 9, verifiedDocument."""
    document = signed(suite, signer)
    (verified,) = verify(document, signer)
    assert verified.document == {name: value for name, value in document.items() if name != "proof"}


@every_suite
def test_a_changed_document_or_another_key_does_not_verify(suite: str, signer: Signer) -> None:
    """§4.4 step 8."""
    document = signed(suite, signer)
    refused({**document, "issuer": "did:example:mallory"}, signer, "PROOF_VERIFICATION_ERROR")
    refused(document, generate(repeatable_bytes("another"), signer.public_key.algorithm), "PROOF_VERIFICATION_ERROR")


@every_suite
def test_the_name_of_another_suite_does_not_verify(suite: str, signer: Signer) -> None:
    """EdDSA and ECDSA Cryptosuites §3: type and cryptosuite must be those of the suite."""
    for (kind, name), other in CRYPTOSUITES.items():
        if other.name == suite or signer.public_key.algorithm not in other.algorithms:
            continue
        document = signed(suite, signer)
        document["proof"] |= {"type": kind, "cryptosuite": name}
        if not name:
            del document["proof"]["cryptosuite"]
        with pytest.raises((FormatError, VerificationError)):
            verify(document, signer)


@pytest.mark.parametrize(("kind", "name"), [("DataIntegrityProof", "eddsa-2022"), ("DataIntegrityProof", "EDDSA-JCS-2022"), ("Ed25519Signature2018", "")])
def test_suites_that_are_not_known_are_named_as_such(kind: str, name: str) -> None:
    """§2.1, cryptosuite."""
    document = signed("eddsa-jcs-2022", ED25519)
    document["proof"] |= {"type": kind, "cryptosuite": name}
    if not name:
        del document["proof"]["cryptosuite"]
    with pytest.raises(UnsupportedError, match=name or kind):
        verify(document, ED25519)


# §4.7 Processing errors


@pytest.mark.parametrize(
    "code", ["PROOF_GENERATION_ERROR", "PROOF_VERIFICATION_ERROR", "PROOF_TRANSFORMATION_ERROR", "INVALID_DOMAIN_ERROR", "INVALID_CHALLENGE_ERROR"]
)
def test_errors_have_the_urls_of_the_specification(code: str) -> None:
    """§4.7."""
    assert TYPES[code] == f"https://w3id.org/security#{code}"
