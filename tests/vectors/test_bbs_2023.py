"""W3C test vectors of bbs-2023 with every intermediate value, examples of the data model, and inputs of the conformance suite.

Holder binding and pseudonyms are not supported, and refused by name; what comes before the signature is the same with them, and compared.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from did_health.encoding import multibase, strict_json
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import Algorithm, PublicKey, bbs, generate, public_key_from_multikey, signer_from_secret
from did_health.vc import rdf
from did_health.vc.proofs import UnsafeInlineContexts, add_proof, derive_proof, verify_proofs
from did_health.vc.proofs.bbs_2023 import presentation_header
from did_health.vc.proofs.bbs_values import BaseProofValue, DerivedProofValue
from did_health.vc.proofs.selective_disclosure import (
    canonicalize_and_group,
    given_labels,
    hash_mandatory,
    label_replacement_canonicalize,
    label_replacement_canonicalize_quads,
    shuffled_labels,
)
from tests.conftest import repeatable_bytes, shared
from tests.nquads import parse_nquads

pytestmark = pytest.mark.vectors
Contexts = dict[str, JSONObject]
FEATURES = ("prc", "HolderBinding", "Pseudonym")


def read(*parts: str) -> Any:
    return strict_json.loads(shared("vectors", "data-integrity", *parts).read_bytes())


def prc(name: str) -> Any:
    return read("bbs", "prc", f"{name}.json")


def did_key(method: str, _purpose: str, _controller: str | None) -> PublicKey:
    return public_key_from_multikey(method.removeprefix("did:key:").partition("#")[0])


def verify(document: JSONObject, contexts: Contexts) -> JSONObject:
    (verified,) = verify_proofs(document, did_key, purpose="assertionMethod", contexts=contexts)
    return verified.document


def bare(document: JSONObject) -> JSONObject:
    return {name: value for name, value in document.items() if name != "proof"}


def value_of(document: JSONObject) -> bytes:
    return multibase.decode(document["proof"]["proofValue"])


def hmac_key() -> bytes:
    return bytes.fromhex(read("bbs", "BBSKeyMaterial.json")["hmacKeyString"])


def mocked_random(count: int) -> Callable[[int], bytes]:
    """The mocked random scalars that the vectors were made with, as the bytes that they are reduced from.

    As in the BBS draft, but with the interface's identifier alone for the tag.
    """
    suite = bbs.BLS12_381_SHA_256
    seed = bytes.fromhex(read("bbs", "BBSDeriveMaterial.json")["pseudoRandSeedHex"])
    whole = suite.expand_message(seed, suite.api_id, 48 * count)
    slices = iter([whole[start : start + 48] for start in range(0, len(whole), 48)])
    return lambda _length: next(slices)


@pytest.fixture(scope="module")
def contexts() -> Contexts:
    index = strict_json.loads_object(shared("contexts", "index.json").read_bytes())
    return {entry["url"]: strict_json.loads_object(shared("contexts", entry["file"]).read_bytes()) for entry in index["contexts"]}


def pairs(group: tuple[int, ...], nquads: tuple[str, ...]) -> list[list[Any]]:
    return [[index, nquads[index]] for index in group]


@pytest.mark.parametrize("feature", FEATURES)
def test_labels_and_hashes_of_every_feature(feature: str) -> None:
    """From the canonical statements on, for the context of the driver's licences is not among the third-party data."""
    canonical, transformed, hashes = (read("bbs", feature, f"{name}.json") for name in ("addBaseDocCanon", "addBaseTransform", "addHashData"))
    labelled = label_replacement_canonicalize_quads(parse_nquads("".join(canonical)), shuffled_labels(hmac_key()))

    assert list(labelled.nquads) == read("bbs", feature, "addBaseDocHMACCanon.json")
    assert bytes.fromhex(transformed["hmacKeyString"]) == hmac_key()
    mandatory, others = (dict(transformed[name]["value"]) for name in ("mandatory", "nonMandatory"))
    assert tuple(line for _, line in sorted((mandatory | others).items())) == labelled.nquads
    assert hash_mandatory(mandatory.values()).hex() == hashes["mandatoryHash"]
    canonical_options = shared("vectors", "data-integrity", "bbs", feature, "addProofConfigCanon.txt").read_text()
    assert hashlib.sha256(canonical_options.strip().encode() + b"\n").hexdigest() == hashes["proofHash"]


def test_transformation(contexts: Contexts) -> None:
    signed, expected = prc("addSignedSDBase"), prc("addBaseTransform")
    options = {**{name: value for name, value in signed["proof"].items() if name != "proofValue"}, "@context": signed["@context"]}

    assert options == prc("addProofConfig")
    canonical_options = rdf.canonical_nquads(options, contexts=contexts)
    assert canonical_options.strip() == shared("vectors", "data-integrity", "bbs", "prc", "addProofConfigCanon.txt").read_text().strip()
    assert rdf.canonical_nquads(bare(signed), contexts=contexts).splitlines(keepends=True) == prc("addBaseDocCanon")
    grouped = canonicalize_and_group(bare(signed), shuffled_labels(hmac_key()), {"mandatory": expected["mandatoryPointers"]}, contexts)
    assert list(grouped.nquads) == prc("addBaseDocHMACCanon")
    mandatory = grouped.groups["mandatory"]
    assert pairs(mandatory.matching, grouped.nquads) == expected["mandatory"]["value"]
    assert pairs(mandatory.non_matching, grouped.nquads) == expected["nonMandatory"]["value"]


def test_groups(contexts: Contexts) -> None:
    mandatory, selective = prc("derivedRecoveredBaseData")["mandatoryPointers"], read("bbs", "prCredSelective.json")
    selections = {"mandatory": mandatory, "selective": selective, "combined": [*mandatory, *selective]}
    grouped = canonicalize_and_group(bare(prc("addSignedSDBase")), shuffled_labels(hmac_key()), selections, contexts)

    indexes, everything = prc("derivedGroupIndexes"), prc("derivedAllGroupData")["groups"]
    for name, group in grouped.groups.items():
        assert list(group.matching) == indexes[f"{name}Indexes"]
        assert pairs(group.matching, grouped.nquads) == everything[name]["matching"]["value"]
        assert pairs(group.non_matching, grouped.nquads) == everything[name]["nonMatching"]["value"]
    assert list(grouped.groups["mandatory"].non_matching) == indexes["nonMandatoryIndexes"]


def test_signing_the_published_document_gives_the_published_base_proof(contexts: Contexts) -> None:
    keys, expected = read("bbs", "BBSKeyMaterial.json"), prc("addSignedSDBase")
    signer = signer_from_secret(Algorithm.BLS12381G2, bytes.fromhex(keys["privateKeyHex"]))
    signed = add_proof(
        bare(expected),  # prCredUnsigned.json has another description
        suite="bbs-2023",
        signer=signer,
        verification_method=expected["proof"]["verificationMethod"],
        created=datetime.fromisoformat(expected["proof"]["created"]),
        mandatory_pointers=read("bbs", "prCredMandatory.json"),
        random=lambda _: hmac_key(),
        contexts=contexts,
    )

    assert signer.public_key.raw.hex() == keys["publicKeyHex"]
    assert signed == expected
    value = BaseProofValue.parse(value_of(signed))
    raw, recovered, hashes = prc("addRawBaseSignatureInfo"), prc("derivedRecoveredBaseData"), prc("addHashData")
    assert value.signature.hex() == raw["bbsSignature"] == recovered["bbsSignature"]
    assert list(value.mandatory_pointers) == raw["mandatoryPointers"] == recovered["mandatoryPointers"]
    assert value.hmac_key.hex() == recovered["hmacKey"]
    assert value.header.hex() == hashes["proofHash"] + hashes["mandatoryHash"]
    assert value.public_key == signer.public_key.raw


def test_deriving_from_the_published_base_proof_gives_the_published_proof(contexts: Contexts) -> None:
    header = bytes.fromhex(read("bbs", "BBSDeriveMaterial.json")["presentationHeaderHex"])
    derived = derive_proof(
        prc("addSignedSDBase"), read("bbs", "prCredSelective.json"), random=mocked_random(5 + 14), presentation_header=header, contexts=contexts
    )

    assert derived == prc("derivedRevealDocument")
    assert bare(derived) == prc("derivedUnsignedReveal")
    value = DerivedProofValue.parse(value_of(derived))
    for name in ("derivedDisclosureData", "verifyDerivedProofValue"):
        expected = prc(name)
        labels = expected["labelMap"]["value"] if "value" in expected["labelMap"] else expected["labelMap"]
        assert value.proof.hex() == expected["bbsProof"]
        assert value.labels == {f"_:{canonical}": f"_:{label}" for canonical, label in labels}
        assert list(value.mandatory_indexes) == expected["mandatoryIndexes"]
        assert list(value.selective_indexes) == expected.get("adjSelectiveIndexes", expected.get("adjSelectedIndexes"))
    adjusted = prc("derivedAdjIndexes")
    assert list(value.mandatory_indexes) == adjusted["adjMandatoryIndexes"]
    assert list(value.selective_indexes) == adjusted["adjSelectiveIndexes"]
    assert value.presentation_header == presentation_header(value_of(derived)) == header


def test_pointers_name_the_published_values() -> None:
    document = read("bbs", "prCredUnsigned.json")
    (case,) = prc("addPointerValues")
    assert [case["pointer"]] == read("bbs", "prCredMandatory.json")
    assert document[case["pointer"][1:]] == case["value"]


def test_statements_that_a_verifier_finds(contexts: Contexts) -> None:
    labels = prc("derivedDisclosureData")["labelMap"]["value"]
    given = given_labels({f"_:{canonical}": f"_:{label}" for canonical, label in labels})
    assert list(label_replacement_canonicalize(bare(prc("derivedRevealDocument")), given, contexts).nquads) == prc("verifyNQuads")


def test_the_published_derived_proof_verifies(contexts: Contexts) -> None:
    assert verify(prc("derivedRevealDocument"), contexts) == prc("derivedUnsignedReveal")


def test_the_published_derived_proof_does_not_verify_of_another_document(contexts: Contexts) -> None:
    document = copy.deepcopy(prc("derivedRevealDocument"))
    document["credentialSubject"]["birthCountry"] = "Utopia"
    with pytest.raises(VerificationError, match="does not verify"):
        verify(document, contexts)


def test_the_published_base_proof_is_not_for_verifiers(contexts: Contexts) -> None:
    with pytest.raises(VerificationError, match="for the holder alone"):
        verify(prc("addSignedSDBase"), contexts)


@pytest.mark.parametrize("feature", FEATURES[1:])
def test_other_features_are_named_as_unsupported(feature: str, contexts: Contexts) -> None:
    base, derived = (read("bbs", feature, f"{name}.json") for name in ("addSignedSDBase", "derivedRevealDocument"))
    with pytest.raises(UnsupportedError, match="holder binding or pseudonyms"):
        verify(derived, contexts)
    with pytest.raises(UnsupportedError, match="holder binding or pseudonyms"):
        derive_proof(base, ["/issuer"], random=repeatable_bytes(feature), contexts=contexts)


def test_of_the_examples_of_the_data_model_proofs_can_be_derived_that_verify(contexts: Contexts) -> None:
    cases = read("examples", "vcdm2-bbs-2023.json")["cases"]
    assert cases
    for case in cases:
        derived = derive_proof(case["document"], [""], random=repeatable_bytes(case["id"]), contexts=contexts)
        assert verify(derived, contexts) == bare(case["document"]), case["id"]


@pytest.mark.parametrize("version", ["vc1.1", "vc2.0"])
@pytest.mark.parametrize("name", ["valid", "achievement"])
def test_the_inputs_of_the_conformance_suite_are_issued_derived_and_verified(name: str, version: str, contexts: Contexts) -> None:
    signer = generate(repeatable_bytes(name), Algorithm.BLS12381G2)
    did = f"did:key:{signer.public_key.multikey}"
    # The suite fills these in.
    document = read("sd-inputs", name, version, "document.json") | {"issuer": did}
    if version == "vc1.1":
        document["issuanceDate"] = "2026-01-01T00:00:00Z"
    # Some write their context into the document.
    known = UnsafeInlineContexts(contexts)
    base = add_proof(
        document,
        suite="bbs-2023",
        signer=signer,
        verification_method=f"{did}#{signer.public_key.multikey}",
        mandatory_pointers=read("sd-inputs", name, version, "mandatoryPointers.json"),
        random=repeatable_bytes(version),
        contexts=known,
    )

    derived = derive_proof(base, read("sd-inputs", name, version, "selectivePointers.json"), random=repeatable_bytes("derive"), contexts=known)

    (verified,) = verify_proofs(derived, did_key, purpose="assertionMethod", contexts=known)
    assert verified.document["issuer"] == did
    assert set(verified.document["credentialSubject"]) <= set(document["credentialSubject"])
    if name == "achievement":
        assert "name" not in verified.document["credentialSubject"]
        assert [len(one["sails"]) for one in verified.document["credentialSubject"]["achievements"]] == [4, 4]
    forged = {**derived, "issuer": "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"}
    with pytest.raises((FormatError, VerificationError)):
        verify_proofs(forged, did_key, purpose="assertionMethod", contexts=known)
