"""W3C test vectors of the EdDSA and ECDSA cryptosuites with every intermediate value, and third-party examples.

The values of the suites of selective disclosure are in ``test_ecdsa_sd_2023`` and ``test_bbs_2023``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from did_health.encoding import jcs, multibase, strict_json
from did_health.encoding.strict_json import JSONObject
from did_health.errors import VerificationError
from did_health.keys import Algorithm, PublicKey, Signer, public_key_from_multikey, signer_from_secret
from did_health.vc import rdf
from did_health.vc.contexts import ED25519_2020_V1
from did_health.vc.proofs import Proof, add_proof, verify_proofs
from did_health.vc.proofs.suite import SignatureSuite
from did_health.vc.proofs.table import BY_NAME
from tests.conftest import shared

pytestmark = pytest.mark.vectors


@dataclass(frozen=True)
class Suite:
    """Where one cryptosuite's values lie: names end in ``suffix``."""

    name: str
    folder: str
    suffix: str
    keys: str
    algorithm: Algorithm
    unsigned: str = "unsigned.json"
    added_contexts: tuple[str, ...] = ()

    def file(self, name: str) -> Path:
        return shared("vectors", "data-integrity", *self.folder.split("/"), name)

    def text(self, name: str) -> str:
        return self.file(f"{name}{self.suffix}.txt").read_text()

    def json(self, name: str) -> JSONObject:
        return strict_json.loads_object(self.file(f"{name}{self.suffix}.json").read_bytes())

    def document(self) -> JSONObject:
        document = strict_json.loads_object(shared("vectors", "data-integrity", self.folder.split("/")[0], self.unsigned).read_bytes())
        return document | {"@context": [*document["@context"], *self.added_contexts]}

    def signer(self) -> Signer:
        return signer(self.algorithm, strict_json.loads_object(shared("vectors", "data-integrity", self.folder.split("/")[0], self.keys).read_bytes()))


SUITES = (
    Suite("eddsa-jcs-2022", "eddsa/eddsa-jcs-2022", "JCS", "keyPair.json", Algorithm.ED25519),
    Suite("eddsa-rdfc-2022", "eddsa/eddsa-rdfc-2022", "DataInt", "keyPair.json", Algorithm.ED25519),
    Suite("Ed25519Signature2020", "eddsa/Ed25519Signature2020", "EdSig", "keyPair.json", Algorithm.ED25519, added_contexts=(ED25519_2020_V1,)),
    Suite("ecdsa-jcs-2019", "ecdsa/ecdsa-jcs-2019-p256", "JCSECDSAP256", "p256KeyPair.json", Algorithm.P256),
    Suite("ecdsa-jcs-2019", "ecdsa/ecdsa-jcs-2019-p384", "JCSECDSAP384", "p384KeyPair.json", Algorithm.P384),
    Suite("ecdsa-rdfc-2019", "ecdsa/ecdsa-rdfc-2019-p256", "ECDSAP256", "p256KeyPair.json", Algorithm.P256),
    Suite("ecdsa-rdfc-2019", "ecdsa/ecdsa-rdfc-2019-p384/employ", "ECDSAP384", "p384KeyPair.json", Algorithm.P384, "employmentAuth.json"),
)
every_suite = pytest.mark.parametrize("suite", SUITES, ids=lambda suite: f"{suite.name}-{suite.algorithm}")


def signer(algorithm: Algorithm, pair: JSONObject) -> Signer:
    secret = pair.get("secretKeyMultibase") or pair["privateKeyMultibase"]
    made = signer_from_secret(algorithm, multibase.decode(secret)[2:])
    assert made.public_key.multikey == pair["publicKeyMultibase"]
    return made


def did_key(method: str, _purpose: str, _controller: str | None) -> PublicKey:
    return public_key_from_multikey(method.removeprefix("did:key:").partition("#")[0])


@pytest.fixture(scope="module")
def contexts() -> dict[str, JSONObject]:
    """All third-party contexts, those for examples only included."""
    index = strict_json.loads_object(shared("contexts", "index.json").read_bytes())
    return {entry["url"]: strict_json.loads_object(shared("contexts", entry["file"]).read_bytes()) for entry in index["contexts"]}


@every_suite
def test_the_published_proof_verifies(suite: Suite, contexts: dict[str, JSONObject]) -> None:
    (verified,) = verify_proofs(
        suite.json("signed"), did_key, purpose="assertionMethod", now=datetime(2026, 1, 1, tzinfo=UTC), contexts=contexts
    )

    assert verified.proof.cryptosuite.name == suite.name
    assert verified.public_key.algorithm is suite.algorithm
    assert verified.created == datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC)
    assert verified.document == suite.document()


@every_suite
def test_the_intermediate_values_are_the_published_ones(suite: Suite, contexts: dict[str, JSONObject]) -> None:
    document, options = suite.document(), suite.json("proofConfig")
    hash_name = "sha384" if suite.algorithm is Algorithm.P384 else "sha256"
    if "-jcs-" in suite.name:
        canonical_options, canonical_document = jcs.canonicalize(options), jcs.canonicalize(document)
    else:
        canonical_options, canonical_document = (
            rdf.canonical_nquads(part, contexts=contexts, hash_name=hash_name).encode()  # type: ignore[arg-type]
            for part in (options, document)
        )

    assert canonical_document.decode().strip() == suite.text("canonDoc").strip()
    assert canonical_options.decode().strip() == suite.text("proofCanon").strip()
    assert hashlib.new(hash_name, canonical_document).hexdigest() == suite.text("docHash")
    assert hashlib.new(hash_name, canonical_options).hexdigest() == suite.text("proofHash")
    cryptosuite = BY_NAME[suite.name]
    assert isinstance(cryptosuite, SignatureSuite)
    data = cryptosuite.hash_data(document, options, suite.algorithm, contexts, jcs.canonicalize)
    assert data.hex() == suite.text("combinedHash")
    signature = bytes.fromhex(suite.text("sigHex"))
    assert multibase.encode("z", signature) == suite.text("sigBTC58")
    assert Proof.parse(suite.json("signed")["proof"]).value == signature
    assert suite.signer().public_key.verify(signature, data)


@every_suite
def test_signing_gives_the_published_document(suite: Suite, contexts: dict[str, JSONObject]) -> None:
    """Byte for byte also with ECDSA: the vectors' nonces and ours are those of RFC 6979."""
    expected = suite.json("signed")
    signed = add_proof(
        suite.document(),
        suite=suite.name,
        signer=suite.signer(),
        verification_method=expected["proof"]["verificationMethod"],
        created=datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC),
        contexts=contexts,
    )

    assert signed == expected


def test_the_older_eddsa_suite_brings_its_context(contexts: dict[str, JSONObject]) -> None:
    """Data Integrity EdDSA §3.4: without it, its proof type would mean nothing."""
    suite = next(suite for suite in SUITES if suite.name == "Ed25519Signature2020")
    expected = suite.json("signed")
    bare = suite.document() | {"@context": expected["@context"][:-1]}

    signed = add_proof(
        bare,
        suite=suite.name,
        signer=suite.signer(),
        verification_method=expected["proof"]["verificationMethod"],
        created=datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC),
        contexts=contexts,
    )

    assert signed == expected


@every_suite
def test_a_changed_document_does_not_verify(suite: Suite, contexts: dict[str, JSONObject]) -> None:
    changed = suite.json("signed") | {"validFrom": "2024-01-01T00:00:00Z"}

    with pytest.raises(VerificationError) as caught:
        verify_proofs(changed, did_key, purpose="assertionMethod", contexts=contexts)
    assert caught.value.code == "PROOF_VERIFICATION_ERROR"


def chain(name: str) -> JSONObject:
    return strict_json.loads_object(shared("vectors", "data-integrity", "eddsa", "proof-set-chain", f"{name}.json").read_bytes())


@pytest.mark.parametrize(("name", "count"), [("signedProofSet1", 1), ("signedProofSet2", 2), ("signedProofChain1", 3)])
def test_the_published_proof_sets_and_chain_verify(name: str, count: int, contexts: dict[str, JSONObject]) -> None:
    assert len(verify_proofs(chain(name), did_key, purpose="assertionMethod", contexts=contexts)) == count


def test_adding_proof_after_proof_gives_the_published_set_and_chain(contexts: dict[str, JSONObject]) -> None:
    pairs, document = chain("multiKeyPairs"), chain("unsigned")
    for step, pair in (("signedProofSet1", "keyPair1"), ("signedProofSet2", "keyPair2"), ("signedProofChain1", "keyPair3")):
        expected = chain(step)
        proof = expected["proof"][-1] if isinstance(expected["proof"], list) else expected["proof"]
        document = add_proof(
            document,
            suite=proof["cryptosuite"],
            signer=signer(Algorithm.ED25519, pairs[pair]),
            verification_method=proof["verificationMethod"],
            created=datetime.fromisoformat(proof["created"]),
            proof_id=proof["id"],
            previous_proof=proof.get("previousProof"),
            contexts=contexts,
        )
        assert document == expected


@pytest.mark.parametrize("name", ["proofSetConfig1", "proofSetConfig2", "proofChainConfig1"])
def test_the_published_options_are_those_of_the_proofs(name: str) -> None:
    """The configurations with and without ``proofValue``, and the document that the chain's last proof secures."""
    options, proof = chain(name), chain(name.replace("Config", "ConfigSigned"))
    assert Proof.parse(proof).options == options
    document = chain("signedProofChain1")
    assert proof in document["proof"]
    assert {**document, "proof": document["proof"][:2]} == chain("proofChainTempDoc1")


def test_what_the_chains_last_proof_secures_is_the_published_document(contexts: dict[str, JSONObject]) -> None:
    verified = verify_proofs(chain("signedProofChain1"), did_key, purpose="assertionMethod", contexts=contexts)
    assert verified[2].document == chain("proofChainTempDoc1")


def test_a_chain_does_not_verify_without_a_proof_that_it_seals(contexts: dict[str, JSONObject]) -> None:
    document = chain("signedProofChain1")
    first, second, last = document["proof"]
    forged = {**document, "proof": [first, {**second, "proofValue": first["proofValue"]}, last]}

    with pytest.raises(VerificationError, match="does not verify"):
        verify_proofs(forged, did_key, purpose="assertionMethod", contexts=contexts)


@pytest.mark.parametrize("name", ["citizenship-min", "ead-min", "naturalization-full", "prc-full", "prc-min"])
def test_the_citizenship_examples_verify(name: str, contexts: dict[str, JSONObject]) -> None:
    document = strict_json.loads_object(shared("vectors", "data-integrity", "examples", f"{name}-signed.jsonld").read_bytes())

    assert verify_proofs(document, did_key, purpose="assertionMethod", contexts=contexts)


def test_the_ecdsa_examples_of_the_data_model_verify(contexts: dict[str, JSONObject]) -> None:
    cases = strict_json.loads(shared("vectors", "data-integrity", "examples", "vcdm2-ecdsa-rdfc-2019.json").read_bytes())["cases"]

    assert cases
    for case in cases:
        assert case["expected"] == "valid"
        assert verify_proofs(case["document"], did_key, purpose="assertionMethod", contexts=contexts), case["id"]


def test_the_document_with_blank_nodes_is_signed_and_verified_with_eddsa(contexts: dict[str, JSONObject]) -> None:
    """It is in the folder of the EdDSA suites, where nothing is published of it; its canonical form is known from the ECDSA suites."""
    document = strict_json.loads_object(shared("vectors", "data-integrity", "eddsa", "employmentAuth.json").read_bytes())
    suite = next(suite for suite in SUITES if suite.unsigned == "employmentAuth.json")
    assert document == suite.document()
    pair = strict_json.loads_object(shared("vectors", "data-integrity", "eddsa", "keyPair.json").read_bytes())
    method = f"did:key:{pair['publicKeyMultibase']}#{pair['publicKeyMultibase']}"
    signed = add_proof(document, suite="eddsa-rdfc-2022", signer=signer(Algorithm.ED25519, pair), verification_method=method, contexts=contexts)

    assert verify_proofs(signed, did_key, purpose="assertionMethod", contexts=contexts)[0].document == document
