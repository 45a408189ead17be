from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from did_health.encoding.strict_json import JSONObject
from did_health.errors import DidHealthError, FormatError, ResolutionError, UnsupportedError, VerificationError
from did_health.keys import Algorithm, PublicKey, Signer, generate, public_key_from_multikey
from did_health.limits import MAX_CLOCK_SKEW_SECONDS, MAX_PROOFS
from did_health.vc.contexts import CREDENTIALS_V1, CREDENTIALS_V2, DATA_INTEGRITY_V2
from did_health.vc.proofs import CRYPTOSUITES, add_proof, verify_proofs
from tests.conftest import repeatable_bytes

ED25519 = generate(repeatable_bytes("ed25519"))
P256 = generate(repeatable_bytes("p256"), Algorithm.P256)
P384 = generate(repeatable_bytes("p384"), Algorithm.P384)
SUITES_AND_SIGNERS = [
    pytest.param("eddsa-jcs-2022", ED25519, id="eddsa-jcs-2022"),
    pytest.param("eddsa-rdfc-2022", ED25519, id="eddsa-rdfc-2022"),
    pytest.param("ecdsa-jcs-2019", P256, id="ecdsa-jcs-2019-p256"),
    pytest.param("ecdsa-jcs-2019", P384, id="ecdsa-jcs-2019-p384"),
    pytest.param("ecdsa-rdfc-2019", P256, id="ecdsa-rdfc-2019-p256"),
    pytest.param("ecdsa-rdfc-2019", P384, id="ecdsa-rdfc-2019-p384"),
]
every_suite = pytest.mark.parametrize(("suite", "signer"), SUITES_AND_SIGNERS)
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def credential(**members: Any) -> JSONObject:
    return {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiableCredential"],
        "issuer": "did:example:board",
        "credentialSubject": {"id": "did:example:physician"},
        **members,
    }


def method(signer: Signer) -> str:
    key = signer.public_key.multikey
    return f"did:key:{key}#{key}"


def did_key(url: str, _purpose: str, _controller: str | None) -> PublicKey:
    return public_key_from_multikey(url.removeprefix("did:key:").partition("#")[0])


def signed(document: JSONObject | None = None, *, suite: str = "eddsa-jcs-2022", signer: Signer = ED25519, **options: Any) -> JSONObject:
    return add_proof(credential() if document is None else document, suite=suite, signer=signer, verification_method=method(signer), **options)


def verify(document: JSONObject, **options: Any) -> Any:
    return verify_proofs(document, did_key, **({"purpose": "assertionMethod"} | options))


def tampered(change: Callable[[JSONObject], Any], **options: Any) -> JSONObject:
    document = copy.deepcopy(signed(**options))
    change(document)
    return document


# one proof


@every_suite
def test_what_was_signed_verifies(suite: str, signer: Signer) -> None:
    document = signed(suite=suite, signer=signer, created=NOW, proof_id="urn:uuid:1", nonce="abc")

    (verified,) = verify(document, now=NOW)

    assert verified.proof.cryptosuite is CRYPTOSUITES["DataIntegrityProof", suite]
    assert verified.public_key == signer.public_key
    assert verified.verification_method == method(signer)
    assert verified.purpose == "assertionMethod"
    assert verified.created == NOW
    assert verified.document == credential()
    assert (verified.proof.id, verified.proof.nonce) == ("urn:uuid:1", "abc")


@every_suite
def test_neither_document_nor_any_member_of_the_proof_can_be_changed(suite: str, signer: Signer) -> None:
    document = signed(suite=suite, signer=signer, created=NOW, nonce="abc", proof_id="urn:uuid:1", domain="a.example", challenge="c")
    changes: list[Callable[[JSONObject], Any]] = [
        lambda d: d.update(issuer="did:example:mallory"),
        lambda d: d["credentialSubject"].update(id="did:example:mallory"),
        lambda d: d["proof"].update(created="2026-03-01T12:00:01Z"),
        lambda d: d["proof"].update(nonce="abd"),
        lambda d: d["proof"].pop("nonce"),
        lambda d: d["proof"].update(id="urn:uuid:2"),
        lambda d: d["proof"].update(domain="b.example"),
        lambda d: d["proof"].update(challenge="d"),
        lambda d: d["proof"].update(expires="2030-01-01T00:00:00Z"),
    ]
    for change in changes:
        changed = copy.deepcopy(document)
        change(changed)
        with pytest.raises(VerificationError, match="does not verify") as caught:
            verify(changed)
        assert caught.value.code == "PROOF_VERIFICATION_ERROR"


@every_suite
def test_a_key_that_did_not_sign_does_not_verify(suite: str, signer: Signer) -> None:
    other = generate(repeatable_bytes("other"), signer.public_key.algorithm).public_key

    with pytest.raises(VerificationError, match="does not verify"):
        verify_proofs(signed(suite=suite, signer=signer), lambda *_: other, purpose="assertionMethod")


@pytest.mark.parametrize(
    ("suite", "signer", "wrong"), [("eddsa-jcs-2022", ED25519, P256), ("ecdsa-jcs-2019", P256, ED25519), ("eddsa-rdfc-2022", ED25519, P384)]
)
def test_a_suite_refuses_keys_of_another_algorithm(suite: str, signer: Signer, wrong: Signer) -> None:
    with pytest.raises(VerificationError, match="does not verify with a key of"):
        verify_proofs(signed(suite=suite, signer=signer), lambda *_: wrong.public_key, purpose="assertionMethod")
    with pytest.raises(FormatError, match="does not sign with a key of") as caught:
        signed(suite=suite, signer=wrong)
    assert caught.value.code == "PROOF_GENERATION_ERROR"


def test_a_signature_of_another_length_is_malformed() -> None:
    with pytest.raises(FormatError, match="P-384 signature has 96 bytes"):
        verify_proofs(signed(suite="ecdsa-jcs-2019", signer=P256), lambda *_: P384.public_key, purpose="assertionMethod")


def test_signing_leaves_the_given_document_as_it_was() -> None:
    document = credential()
    assert signed(document) != document
    assert document == credential()


def test_the_key_source_is_asked_with_method_purpose_and_controller() -> None:
    asked: list[tuple[str, str, str | None]] = []

    def keys(url: str, purpose: str, controller: str | None) -> PublicKey:
        asked.append((url, purpose, controller))
        return ED25519.public_key

    verify_proofs(signed(purpose="authentication"), keys, purpose="authentication", controller="did:example:holder")
    verify_proofs(signed(), keys, purpose="assertionMethod")
    assert asked == [(method(ED25519), "authentication", "did:example:holder"), (method(ED25519), "assertionMethod", None)]


def test_what_the_key_source_raises_comes_through() -> None:
    def nobody(*_: object) -> PublicKey:
        raise ResolutionError("the DID was not found")

    with pytest.raises(ResolutionError):
        verify_proofs(signed(), nobody, purpose="assertionMethod")


# purpose, domain, challenge, times


def test_another_purpose_is_refused() -> None:
    with pytest.raises(VerificationError, match="purpose authentication") as caught:
        verify(signed(), purpose="authentication")
    assert caught.value.code == "PROOF_VERIFICATION_ERROR"


@pytest.mark.parametrize(
    ("made_for", "expected", "accepted"),
    [
        ("a.example", "a.example", True),
        (["a.example"], "a.example", True),
        (["a.example", "b.example"], ["b.example", "a.example"], True),
        ("a.example", None, True),
        ("a.example", "b.example", False),
        (["a.example", "b.example"], "a.example", False),
        ("a.example", ["a.example", "b.example"], False),
        (None, "a.example", False),
    ],
)
def test_the_domains_must_be_the_same_set(made_for: Any, expected: Any, accepted: bool) -> None:
    document = signed(domain=made_for)
    if accepted:
        assert verify(document, domain=expected)
    else:
        with pytest.raises(VerificationError) as caught:
            verify(document, domain=expected)
        assert caught.value.code == "INVALID_DOMAIN_ERROR"


@pytest.mark.parametrize("made_for", ["other", None])
def test_the_challenge_must_be_answered(made_for: str | None) -> None:
    assert verify(signed(challenge="fresh"), challenge="fresh")
    with pytest.raises(VerificationError) as caught:
        verify(signed(challenge=made_for), challenge="fresh")
    assert caught.value.code == "INVALID_CHALLENGE_ERROR"


def test_an_expired_proof_is_refused_from_its_last_second_on() -> None:
    document = signed(created=NOW, expires=NOW + timedelta(hours=1))

    assert verify(document, now=NOW + timedelta(minutes=59))
    assert verify(document)
    with pytest.raises(VerificationError, match="has expired"):
        verify(document, now=NOW + timedelta(hours=1))


def test_a_proof_from_the_future_is_refused_beyond_the_clock_skew() -> None:
    document = signed(created=NOW)

    assert verify(document, now=NOW - timedelta(seconds=MAX_CLOCK_SKEW_SECONDS))
    assert verify(document)
    with pytest.raises(VerificationError, match="in the future"):
        verify(document, now=NOW - timedelta(seconds=MAX_CLOCK_SKEW_SECONDS + 1))


def test_a_naive_now_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="time zone"):
        verify(signed(created=NOW), now=datetime(2026, 3, 1))  # noqa: DTZ001


def test_timestamps_are_written_in_utc() -> None:
    document = signed(created=NOW.astimezone(timezone(timedelta(hours=-7))), expires=NOW + timedelta(days=1))
    assert document["proof"]["created"] == "2026-03-01T12:00:00Z"
    assert document["proof"]["expires"] == "2026-03-02T12:00:00Z"


# contexts


def test_a_jcs_proof_carries_the_contexts_that_it_was_made_under() -> None:
    assert signed()["proof"]["@context"] == [CREDENTIALS_V2]
    assert "@context" not in signed({"issuer": "did:example:board"})["proof"]
    assert verify(signed({"issuer": "did:example:board"}))


def test_contexts_that_were_appended_after_signing_are_not_part_of_what_is_verified() -> None:
    document = tampered(lambda d: d["@context"].append("https://context.example/v1"))
    (verified,) = verify(document)
    assert verified.document["@context"] == [CREDENTIALS_V2]


@pytest.mark.parametrize("contexts", [["https://context.example/v1", CREDENTIALS_V2], [], "https://context.example/v1", None])
def test_contexts_that_do_not_start_with_the_signed_ones_are_refused(contexts: object) -> None:
    with pytest.raises(FormatError, match="other contexts") as caught:
        verify(tampered(lambda d: d.update({"@context": contexts})))
    assert caught.value.code == "PROOF_VERIFICATION_ERROR"


def test_a_single_context_and_an_array_with_it_first_belong_together() -> None:
    document = signed(credential(**{"@context": CREDENTIALS_V2}))
    assert verify({**document, "@context": [CREDENTIALS_V2, "https://context.example/v1"]})[0].document["@context"] == CREDENTIALS_V2


def test_an_rdf_proof_on_a_document_without_the_terms_of_proofs_brings_their_context() -> None:
    old = {
        "@context": [CREDENTIALS_V1],
        "type": "VerifiableCredential",
        "issuer": "did:example:board",
        "issuanceDate": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:physician"},
    }
    document = signed(old, suite="eddsa-rdfc-2022")
    assert document["@context"] == [CREDENTIALS_V1, DATA_INTEGRITY_V2]
    assert verify(document)
    assert signed({**old, "@context": CREDENTIALS_V1}, suite="eddsa-rdfc-2022")["@context"] == [CREDENTIALS_V1, DATA_INTEGRITY_V2]
    assert signed(suite="eddsa-rdfc-2022")["@context"] == [CREDENTIALS_V2]


def test_an_rdf_proof_needs_contexts() -> None:
    document = signed(suite="eddsa-rdfc-2022")
    del document["@context"]
    with pytest.raises(FormatError, match="no @context") as caught:
        verify(document)
    assert caught.value.code == "PROOF_TRANSFORMATION_ERROR"


def test_an_rdf_proof_refuses_terms_that_it_would_not_cover() -> None:
    with pytest.raises(FormatError, match="'salary'"):
        signed(credential(salary=1), suite="eddsa-rdfc-2022")
    with pytest.raises(FormatError, match="'salary'"):
        verify(tampered(lambda d: d["proof"].update(salary=1), suite="eddsa-rdfc-2022"))


def test_a_jcs_proof_refuses_what_json_cannot_hold() -> None:
    with pytest.raises(FormatError) as caught:
        signed(credential(validFrom=float("nan")))
    assert caught.value.code == "PROOF_TRANSFORMATION_ERROR"


# sets and chains


@every_suite
def test_a_second_proof_makes_a_set(suite: str, signer: Signer) -> None:
    document = signed(signed(suite=suite, signer=signer), suite="eddsa-jcs-2022")

    assert len(document["proof"]) == 2
    assert [verified.proof.cryptosuite.name for verified in verify(document)] == [suite, "eddsa-jcs-2022"]
    assert verify({**document, "proof": document["proof"][1]})
    assert verify({**document, "proof": document["proof"][::-1]})


@every_suite
def test_a_chain_seals_the_proofs_that_it_names(suite: str, signer: Signer) -> None:
    first = signed(proof_id="urn:uuid:1")
    second = signed(first, signer=ED25519, proof_id="urn:uuid:2", nonce="another")
    document = signed(second, suite=suite, signer=signer, previous_proof=["urn:uuid:1", "urn:uuid:2"], proof_id="urn:uuid:3")

    verified = verify(document)
    assert verified[2].proof.previous_proofs == ("urn:uuid:1", "urn:uuid:2")
    assert verified[2].document["proof"] == document["proof"][:2]

    resigned = signed(credential(), proof_id="urn:uuid:1", nonce="resigned")["proof"]
    with pytest.raises(VerificationError, match="does not verify"):
        verify({**document, "proof": [resigned, *document["proof"][1:]]})


def test_one_previous_proof_may_be_named_by_text() -> None:
    document = signed(signed(proof_id="urn:uuid:1"), previous_proof="urn:uuid:1", proof_id="urn:uuid:2")
    assert document["proof"][1]["previousProof"] == "urn:uuid:1"
    assert len(verify(document)) == 2


def test_a_chain_without_its_first_link_is_refused() -> None:
    document = signed(signed(proof_id="urn:uuid:1"), previous_proof="urn:uuid:1")
    for proof in (document["proof"][1], [document["proof"][1]]):
        with pytest.raises(FormatError) as caught:
            verify({**document, "proof": proof})
        assert caught.value.code == "PROOF_VERIFICATION_ERROR"


@pytest.mark.parametrize("second", ["urn:uuid:1", "urn:uuid:2"])
def test_circles_are_refused(second: str) -> None:
    document = signed(signed(proof_id="urn:uuid:1"), proof_id="urn:uuid:2")
    document["proof"][0]["previousProof"] = second
    document["proof"][1]["previousProof"] = "urn:uuid:1"
    with pytest.raises(FormatError, match="in a circle"):
        verify(document)


def test_two_proofs_with_one_id_are_refused() -> None:
    document = signed(signed(proof_id="urn:uuid:1"), proof_id="urn:uuid:2")
    document["proof"][1]["id"] = "urn:uuid:1"
    with pytest.raises(FormatError, match="same id"):
        verify(document)


def test_a_proof_that_names_a_missing_or_doubled_one_is_not_made() -> None:
    twice = signed(signed(proof_id="urn:uuid:1"), proof_id="urn:uuid:2")
    twice["proof"][1]["id"] = "urn:uuid:1"
    for document, previous in ((credential(), "urn:uuid:1"), (signed(proof_id="urn:uuid:1"), ["urn:uuid:1", "urn:uuid:2"]), (twice, "urn:uuid:1")):
        with pytest.raises(FormatError, match="previousProof") as caught:
            signed(document, previous_proof=previous)
        assert caught.value.code == "PROOF_GENERATION_ERROR"


def test_more_proofs_than_allowed_are_refused() -> None:
    document = signed()
    proof = document["proof"]
    assert len(verify({**document, "proof": [proof] * MAX_PROOFS})) == MAX_PROOFS
    with pytest.raises(FormatError, match="more than the"):
        verify({**document, "proof": [proof] * (MAX_PROOFS + 1)})
    with pytest.raises(FormatError, match="proofs already"):
        signed({**document, "proof": [proof] * MAX_PROOFS})


# what is not made


def test_an_unknown_suite_is_named() -> None:
    with pytest.raises(UnsupportedError, match="ecdsa-rsa-1999"):
        signed(suite="ecdsa-rsa-1999")


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"nonce": ""}, id="empty nonce"),
        pytest.param({"domain": []}, id="no domain in the set"),
        pytest.param({"created": NOW, "expires": NOW}, id="expires when created"),
        pytest.param({"purpose": ""}, id="empty purpose"),
    ],
)
def test_a_proof_that_our_own_verifier_would_refuse_is_not_made(options: dict[str, Any]) -> None:
    with pytest.raises(FormatError) as caught:
        signed(**options)
    assert caught.value.code == "PROOF_GENERATION_ERROR"


def test_a_proof_with_an_id_that_is_taken_is_not_made() -> None:
    with pytest.raises(FormatError, match="another proof has this id"):
        signed(signed(proof_id="urn:uuid:1"), proof_id="urn:uuid:1")


def test_no_error_repeats_a_claim() -> None:
    document = signed(credential(name="SECRET"), suite="eddsa-rdfc-2022")
    document["credentialSubject"]["id"] = "SECRET"
    with pytest.raises(DidHealthError) as caught:
        verify(document)
    assert "SECRET" not in str(caught.value)
