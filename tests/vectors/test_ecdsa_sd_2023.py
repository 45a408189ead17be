"""W3C test vectors of ecdsa-sd-2023 with every intermediate value, examples of the data model, and inputs of the conformance suite."""

from __future__ import annotations

import copy
import hashlib
from datetime import datetime
from typing import Any

import pytest

from did_health.encoding import multibase, strict_json
from did_health.encoding.strict_json import JSONObject
from did_health.errors import VerificationError
from did_health.keys import Algorithm, PublicKey, generate, public_key_from_multikey, signer_from_secret
from did_health.vc.proofs import UnsafeInlineContexts, add_proof, derive_proof, verify_proofs
from did_health.vc.proofs.ecdsa_sd_values import BaseProofValue, DerivedProofValue, scoped_public_key
from did_health.vc.proofs.selective_disclosure import given_labels, hash_mandatory, label_replacement_canonicalize
from did_health.vc.proofs.suite import proof_configuration
from did_health.vc.rdf import canonical_nquads
from tests.conftest import repeatable_bytes, shared

pytestmark = pytest.mark.vectors


def read(*parts: str) -> Any:
    return strict_json.loads(shared("vectors", "data-integrity", *parts).read_bytes())


def prc(name: str) -> Any:
    return read("ecdsa", "ecdsa-sd-2023", "prc", f"{name}.json")


def did_key(method: str, _purpose: str, _controller: str | None) -> PublicKey:
    return public_key_from_multikey(method.removeprefix("did:key:").partition("#")[0])


def verify(document: JSONObject, contexts: dict[str, JSONObject]) -> JSONObject:
    (verified,) = verify_proofs(document, did_key, purpose="assertionMethod", contexts=contexts)
    return verified.document


@pytest.fixture(scope="module")
def contexts() -> dict[str, JSONObject]:
    index = strict_json.loads_object(shared("contexts", "index.json").read_bytes())
    return {entry["url"]: strict_json.loads_object(shared("contexts", entry["file"]).read_bytes()) for entry in index["contexts"]}


def test_signing_the_published_document_gives_the_published_base_proof(contexts: dict[str, JSONObject]) -> None:
    keys = read("ecdsa", "ecdsa-sd-2023", "SDKeyMaterial.json")
    expected = prc("addSignedSDBase")
    secrets = [multibase.decode(keys[pair]["secretKeyMultibase"])[2:] for pair in ("baseKeyPair", "proofKeyPair")]
    drawn = iter([bytes.fromhex(keys["hmacKeyString"]), secrets[1]])

    signed = add_proof(
        {name: value for name, value in expected.items() if name != "proof"},
        suite="ecdsa-sd-2023",
        signer=signer_from_secret(Algorithm.P256, secrets[0]),
        verification_method=expected["proof"]["verificationMethod"],
        created=datetime.fromisoformat(expected["proof"]["created"]),
        mandatory_pointers=read("ecdsa", "prCredMandatory.json"),
        random=lambda _: next(drawn),
        contexts=contexts,
    )

    assert signed == expected
    value = BaseProofValue.parse(multibase.decode(signed["proof"]["proofValue"]))
    raw = prc("addRawBaseSignatureInfo")
    assert value.signature.hex() == raw["baseSignature"]
    assert [signature.hex() for signature in value.signatures] == raw["signatures"]
    assert list(value.mandatory_pointers) == raw["mandatoryPointers"]
    assert value.hmac_key.hex() == prc("derivedRecoveredBaseData")["hmacKey"]


def test_deriving_from_the_published_base_proof_gives_the_published_proof(contexts: dict[str, JSONObject]) -> None:
    derived = derive_proof(prc("addSignedSDBase"), read("ecdsa", "prCredSelective.json"), contexts=contexts)

    assert derived == prc("derivedRevealDocument")
    assert {name: value for name, value in derived.items() if name != "proof"} == prc("derivedUnsignedReveal")
    value = DerivedProofValue.parse(multibase.decode(derived["proof"]["proofValue"]))
    expected = prc("derivedDisclosureData")
    assert value.signature.hex() == expected["baseSignature"]
    assert [signature.hex() for signature in value.signatures] == expected["signatures"]
    assert value.labels == {f"_:{canonical}": f"_:{label}" for canonical, label in expected["labelMap"]["value"]}
    assert list(value.mandatory_indexes) == expected["mandatoryIndexes"]


def test_the_intermediate_values_of_verifying_are_the_published_ones(contexts: dict[str, JSONObject]) -> None:
    document, expected = prc("derivedRevealDocument"), prc("verifyCreateVerifyData")
    value = DerivedProofValue.parse(multibase.decode(document["proof"]["proofValue"]))
    parsed = prc("verifyDerivedProofValue")
    assert value.signature.hex() == parsed["baseSignature"] == expected["baseSignature"]
    assert [signature.hex() for signature in value.signatures] == parsed["signatures"] == expected["signatures"]
    assert scoped_public_key(value.public_key).multikey == parsed["publicKey"] == expected["publicKey"]
    assert value.labels == {f"_:{canonical}": f"_:{label}" for canonical, label in parsed["labelMap"]}
    assert list(value.mandatory_indexes) == parsed["mandatoryIndexes"] == prc("derivedAdjMandatoryIndexes")["adjMandatoryIndexes"]
    assert [signature.hex() for signature in value.signatures] == prc("derivedAdjSignatures")["filteredSignatures"]

    nquads = label_replacement_canonicalize(prc("derivedUnsignedReveal"), given_labels(value.labels), contexts).nquads
    assert list(nquads) == prc("verifyNQuads")
    assert [nquad for index, nquad in enumerate(nquads) if index not in value.mandatory_indexes] == expected["nonMandatory"]
    assert hash_mandatory(nquads[index] for index in value.mandatory_indexes).hex() == expected["mandatoryHash"]

    options = {name: member for name, member in document["proof"].items() if name != "proofValue"}
    configuration = proof_configuration(document, options, contexts)
    assert configuration == prc("addProofConfig")
    canonical = canonical_nquads(configuration, contexts=contexts)
    assert canonical == shared("vectors", "data-integrity", "ecdsa", "ecdsa-sd-2023", "prc", "addProofConfigCanon.txt").read_text()
    assert hashlib.sha256(canonical.encode()).hexdigest() == expected["proofHash"] == prc("addHashData")["proofHash"]


def test_the_published_derived_proof_verifies(contexts: dict[str, JSONObject]) -> None:
    assert verify(prc("derivedRevealDocument"), contexts) == prc("derivedUnsignedReveal")


def test_the_published_derived_proof_does_not_verify_of_another_document(contexts: dict[str, JSONObject]) -> None:
    document = copy.deepcopy(prc("derivedRevealDocument"))
    document["credentialSubject"]["birthCountry"] = "Utopia"
    with pytest.raises(VerificationError, match="does not verify"):
        verify(document, contexts)


def test_the_published_base_proof_is_not_for_verifiers(contexts: dict[str, JSONObject]) -> None:
    with pytest.raises(VerificationError, match="for the holder alone"):
        verify(prc("addSignedSDBase"), contexts)


def test_of_the_examples_of_the_data_model_proofs_can_be_derived_that_verify(contexts: dict[str, JSONObject]) -> None:
    cases = read("examples", "vcdm2-ecdsa-sd-2023.json")["cases"]
    assert cases
    for case in cases:
        assert verify(derive_proof(case["document"], [""], contexts=contexts), contexts), case["id"]


@pytest.mark.parametrize("version", ["vc1.1", "vc2.0"])
@pytest.mark.parametrize("name", ["valid", "achievement"])
def test_the_inputs_of_the_conformance_suite_are_issued_derived_and_verified(name: str, version: str, contexts: dict[str, JSONObject]) -> None:
    signer = generate(repeatable_bytes(name), Algorithm.P256)
    did = f"did:key:{signer.public_key.multikey}"
    # The suite fills these in.
    document = read("sd-inputs", name, version, "document.json") | {"issuer": did}
    if version == "vc1.1":
        document["issuanceDate"] = "2026-01-01T00:00:00Z"
    # Some write their context into the document.
    known = UnsafeInlineContexts(contexts)
    base = add_proof(
        document,
        suite="ecdsa-sd-2023",
        signer=signer,
        verification_method=f"{did}#{signer.public_key.multikey}",
        mandatory_pointers=read("sd-inputs", name, version, "mandatoryPointers.json"),
        random=repeatable_bytes(version),
        contexts=known,
    )

    derived = derive_proof(base, read("sd-inputs", name, version, "selectivePointers.json"), contexts=known)

    (verified,) = verify_proofs(derived, did_key, purpose="assertionMethod", contexts=known)
    assert verified.document["issuer"] == did
    assert set(verified.document["credentialSubject"]) <= set(document["credentialSubject"])
    if name == "achievement":
        assert "name" not in verified.document["credentialSubject"]
        assert [len(one["sails"]) for one in verified.document["credentialSubject"]["achievements"]] == [4, 4]


def test_the_unsigned_card_is_issued_derived_and_verified(contexts: dict[str, JSONObject]) -> None:
    """Its description is not the one of the card that was signed, so that there are no published values of it."""
    document = read("ecdsa", "prCredUnsigned.json")
    signer = generate(repeatable_bytes("card"), Algorithm.P256)
    base = add_proof(
        document,
        suite="ecdsa-sd-2023",
        signer=signer,
        verification_method=f"did:key:{signer.public_key.multikey}#{signer.public_key.multikey}",
        mandatory_pointers=read("ecdsa", "prCredMandatory.json"),
        random=repeatable_bytes("card"),
        contexts=contexts,
    )
    shown = verify(derive_proof(base, read("ecdsa", "prCredSelective.json"), contexts=contexts), contexts)
    # As of the published card, whose pointers are the same.
    assert shown == {name: value for name, value in prc("derivedUnsignedReveal").items() if name != "proof"}
