from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.encoding import multibase, strict_json
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import Algorithm, PublicKey, generate
from did_health.vc.contexts import CREDENTIALS_V2
from did_health.vc.proofs import Proof, add_proof, verify_proofs
from tests.conftest import repeatable_bytes

SIGNERS = {
    "eddsa-jcs-2022": generate(repeatable_bytes("ed25519")),
    "ecdsa-jcs-2019": generate(repeatable_bytes("p384"), Algorithm.P384),
}
quick = settings(max_examples=100, deadline=None)
texts = st.text(max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 53) + 1, (1 << 53) - 1) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)
documents = st.dictionaries(texts.filter(lambda name: name not in ("proof", "@context")), values, max_size=5)
member_names = st.sampled_from(
    ["type", "cryptosuite", "verificationMethod", "proofPurpose", "proofValue", "id", "created", "expires", "domain", "nonce", "previousProof", "@context"]
)


def key(*_: object) -> PublicKey:
    return SIGNERS["eddsa-jcs-2022"].public_key


def sign(document: dict[str, Any], suite: str = "eddsa-jcs-2022", **options: Any) -> dict[str, Any]:
    return add_proof(document, suite=suite, signer=SIGNERS[suite], verification_method="did:example:a#1", **options)


@quick
@given(documents, st.sampled_from(sorted(SIGNERS)))
def test_every_json_document_that_was_signed_verifies_after_a_round_trip(document: dict[str, Any], suite: str) -> None:
    received = strict_json.loads(strict_json.dumps(sign({"@context": [CREDENTIALS_V2], **document}, suite)))
    (verified,) = verify_proofs(received, lambda *_: SIGNERS[suite].public_key, purpose="assertionMethod")
    assert {**verified.document, "@context": 0} == {**document, "@context": 0}


@quick
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_changed_byte_goes_unnoticed(place: int, change: int) -> None:
    original = sign({"@context": [CREDENTIALS_V2], "issuer": "did:example:a", "name": "Ann", "credentialSubject": {"id": "did:example:b"}}, nonce="n")
    data = bytearray(strict_json.dumps(original))
    data[place % len(data)] ^= change
    try:
        received = strict_json.loads_object(bytes(data))
        verify_proofs(received, key, purpose="assertionMethod")
    except (FormatError, UnsupportedError, VerificationError):
        return
    # What still verifies says the same: JSON's escapes and white space are not signed, nor is an unknown key's name.
    received["proof"]["verificationMethod"] = original["proof"]["verificationMethod"]
    assert received == original


@quick
@given(values)
def test_any_value_in_place_of_a_proof_is_refused_by_name(value: Any) -> None:
    for proof in (value, [value], {"type": value}):
        with pytest.raises((FormatError, UnsupportedError)):
            verify_proofs({"issuer": "did:example:a", "proof": proof}, key, purpose="assertionMethod")


ALL_SIGNERS = {
    **SIGNERS,
    "eddsa-rdfc-2022": SIGNERS["eddsa-jcs-2022"],
    "Ed25519Signature2020": SIGNERS["eddsa-jcs-2022"],
    "ecdsa-rdfc-2019": SIGNERS["ecdsa-jcs-2019"],
}
SIGNED = {
    suite: add_proof(
        {"@context": [CREDENTIALS_V2], "type": "VerifiableCredential", "issuer": "did:example:a", "credentialSubject": {"id": "did:example:b"}},
        suite=suite,
        signer=signer,
        verification_method="did:example:a#1",
    )
    for suite, signer in ALL_SIGNERS.items()
}


@quick
@given(st.sampled_from(sorted(SIGNED)), st.text(max_size=100) | st.binary(max_size=100))
def test_anything_in_place_of_a_proof_value_is_a_format_error_of_every_suite(suite: str, value: str | bytes) -> None:
    document, key = SIGNED[suite], ALL_SIGNERS[suite].public_key
    size = 96 if key.algorithm is Algorithm.P384 else 64
    text = multibase.encode("z", value) if isinstance(value, bytes) else value
    # What has the form of a signature is one, and wrong.
    expected = VerificationError if isinstance(value, bytes) and len(value) == size else FormatError
    with pytest.raises(expected):
        verify_proofs({**document, "proof": {**document["proof"], "proofValue": text}}, lambda *_: key, purpose="assertionMethod")


@quick
@given(st.dictionaries(member_names, values, min_size=1, max_size=3))
def test_any_value_in_place_of_a_member_parses_or_is_refused_by_name(members: dict[str, Any]) -> None:
    document = copy.deepcopy(sign({"@context": [CREDENTIALS_V2], "issuer": "did:example:a"}, nonce="n"))
    document["proof"].update(members)
    try:
        Proof.parse(document["proof"])
        verify_proofs(document, key, purpose="assertionMethod")
    except (FormatError, UnsupportedError, VerificationError):
        return
    # Left as signed, or the very same again.
    assert document["proof"]["nonce"] == "n"


@quick
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.lists(st.sampled_from("abcde"), unique=True, max_size=3)), min_size=1, max_size=4))
def test_chains_of_any_shape_verify_or_are_refused_by_name(links: list[tuple[str, list[str]]]) -> None:
    proof = sign({"issuer": "did:example:a"})["proof"]
    proofs = [{**proof, "id": f"urn:x:{name}", **({"previousProof": [f"urn:x:{other}" for other in before]} if before else {})} for name, before in links]
    with pytest.raises((FormatError, VerificationError)):
        verify_proofs({"issuer": "did:example:a", "proof": proofs}, key, purpose="assertionMethod")
