"""Which key verifies a proof: Controlled Identifiers 1.0 §2.2, §2.3 and §3.3, Data Integrity 1.0 §5.9 and §5.10, the cryptosuites' §2.

The proof is good each time; what changes is the document of its controller.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from did_health.did.did import DID
from did_health.did.document import DIDDocument
from did_health.did.method import ResolutionOptions
from did_health.did.methods.key import METHOD, did_key
from did_health.encoding import multibase
from did_health.encoding.strict_json import JSONObject
from did_health.errors import DidHealthError, FormatError, ResolutionError, UnsupportedError, VerificationError
from did_health.keys import Algorithm, PublicKey, Signer, generate
from did_health.vc.contexts import CREDENTIALS_V2
from did_health.vc.proofs import VerifiedProof, add_proof, verify_proofs
from tests.conftest import repeatable_bytes

SIGNERS = {
    "eddsa-jcs-2022": generate(repeatable_bytes("ed25519")),
    "Ed25519Signature2020": generate(repeatable_bytes("ed25519")),
    "ecdsa-jcs-2019": generate(repeatable_bytes("p256"), Algorithm.P256),
    "ecdsa-rdfc-2019": generate(repeatable_bytes("p384"), Algorithm.P384),
}
every_signer = pytest.mark.parametrize("suite", SIGNERS)
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BOARD = "did:example:board"
KEY = f"{BOARD}#key-1"


def signed(suite: str = "eddsa-jcs-2022", method: str = KEY) -> JSONObject:
    document = {"@context": [CREDENTIALS_V2], "type": ["VerifiableCredential"], "issuer": BOARD, "credentialSubject": {"id": "did:example:physician"}}
    return add_proof(document, suite=suite, signer=SIGNERS[suite], verification_method=method)


def method(suite: str = "eddsa-jcs-2022", **members: Any) -> JSONObject:
    found = {"id": KEY, "type": "Multikey", "controller": BOARD, "publicKeyMultibase": SIGNERS[suite].public_key.multikey, **members}
    return {name: value for name, value in found.items() if value is not ...}


def controller_document(*methods: JSONObject, **members: Any) -> DIDDocument:
    return DIDDocument.parse({"id": BOARD, "verificationMethod": list(methods), "assertionMethod": [KEY], **members})


def verify(document: JSONObject, controller: DIDDocument, purpose: str = "assertionMethod") -> VerifiedProof:
    def keys(url: str, purpose: str, _controller: str | None) -> PublicKey:
        return controller.key(url, purpose, NOW)

    (verified,) = verify_proofs(document, keys, purpose=purpose)
    return verified


def fault(document: JSONObject, controller: DIDDocument, error: type[DidHealthError] = VerificationError) -> str:
    with pytest.raises(error) as caught:
        verify(document, controller)
    return caught.value.code


@every_signer
def test_a_multikey_that_is_in_the_relationship_verifies(suite: str) -> None:
    """Controlled Identifiers §2.2.2, §3.3; EdDSA and ECDSA §2.1.1."""
    assert verify(signed(suite), controller_document(method(suite))).public_key == SIGNERS[suite].public_key


def test_the_verification_methods_of_the_older_suite() -> None:
    """EdDSA §2.1.2 and §3.4: Ed25519VerificationKey2020, and Multikey."""
    for kind in ("Ed25519VerificationKey2020", "Multikey"):
        assert verify(signed("Ed25519Signature2020"), controller_document(method(type=kind)))
    wrong = method("ecdsa-jcs-2019", type="Ed25519VerificationKey2020")
    assert fault(signed("Ed25519Signature2020"), controller_document(wrong)) == "INVALID_VERIFICATION_METHOD"


@every_signer
@pytest.mark.parametrize("header", ["", "u", "m", "f", "Z", "b", "Q"])
def test_a_multikey_in_another_multibase_does_not_verify(suite: str, header: str) -> None:
    """EdDSA §2.1.1, ECDSA §2.1.1: it starts with z, and any other encoding must not be allowed."""
    raw = multibase.decode(SIGNERS[suite].public_key.multikey)
    text = multibase.encode("u", raw) if header == "u" else header + SIGNERS[suite].public_key.multikey[1:]
    assert fault(signed(suite), controller_document(method(suite, publicKeyMultibase=text))) == "INVALID_VERIFICATION_METHOD"


@every_signer
@pytest.mark.parametrize(
    "header",
    [
        pytest.param("", id="no header"),
        pytest.param("ed", id="half a header"),
        pytest.param("01ed", id="header turned round"),
        pytest.param("8026", id="secret Ed25519 key"),
        pytest.param("8626", id="secret P-256 key"),
        pytest.param("8726", id="secret P-384 key"),
        pytest.param("ec01", id="X25519 key"),
        pytest.param("e701", id="secp256k1 key"),
        pytest.param("8224", id="P-521 key"),
        pytest.param("8524", id="RSA key"),
        pytest.param("ffff", id="unknown header"),
    ],
)
def test_a_multikey_with_another_header_does_not_verify(suite: str, header: str) -> None:
    """Controlled Identifiers §2.2.2: the header tells the key's kind."""
    text = multibase.encode("z", bytes.fromhex(header) + SIGNERS[suite].public_key.raw)
    with pytest.raises((VerificationError, UnsupportedError)):
        verify(signed(suite), controller_document(method(suite, publicKeyMultibase=text)))


@pytest.mark.parametrize("other", ["ed01", "8024", "8124"])
@every_signer
def test_a_multikey_of_a_kind_that_the_suite_does_not_take_does_not_verify(suite: str, other: str) -> None:
    """EdDSA §3, ECDSA §3: by its header, or by its algorithm."""
    made = next(signer for signer in SIGNERS.values() if multibase.decode(signer.public_key.multikey).hex().startswith(other))
    if made.public_key == SIGNERS[suite].public_key:
        assert verify(signed(suite), controller_document(method(publicKeyMultibase=made.public_key.multikey)))
    else:
        assert fault(signed(suite), controller_document(method(publicKeyMultibase=made.public_key.multikey)), (VerificationError, FormatError)) == (  # type: ignore[arg-type]
            "PROOF_VERIFICATION_ERROR"
        )


@every_signer
@pytest.mark.parametrize("length", [0, 31, 34, 48, 50, 65])
def test_a_multikey_of_another_length_does_not_verify(suite: str, length: int) -> None:
    """EdDSA §2.1.1: two bytes of header and 32 of key; ECDSA §2.1.1: 33 or 49, compressed."""
    header = multibase.decode(SIGNERS[suite].public_key.multikey)[:2]
    text = multibase.encode("z", header + bytes(length))
    assert fault(signed(suite), controller_document(method(suite, publicKeyMultibase=text))) == "INVALID_VERIFICATION_METHOD"


@pytest.mark.parametrize("text", [None, 5, ["z6Mk"], "", "z0OIl", ...])
def test_a_multikey_that_is_no_multikey_does_not_verify(text: Any) -> None:
    """Controlled Identifiers §2.2.2."""
    assert fault(signed(), controller_document(method(publicKeyMultibase=text))) == "INVALID_VERIFICATION_METHOD"


@pytest.mark.parametrize("kind", ["multikey", "Ed25519Signature2020", "EcdsaSecp256k1VerificationKey2019"])
def test_other_types_of_verification_methods_are_unsupported(kind: str) -> None:
    """Controlled Identifiers §2.2, type."""
    with pytest.raises(UnsupportedError):
        verify(signed(), controller_document(method(type=kind)))


def test_a_method_with_its_key_in_two_forms_is_refused() -> None:
    """Controlled Identifiers §2.2.1."""
    with pytest.raises(FormatError, match="more than one form"):
        controller_document(method(publicKeyJwk=SIGNERS["eddsa-jcs-2022"].public_key.jwk))


@pytest.mark.parametrize("secret", ["secretKeyMultibase", "privateKeyMultibase"])
def test_a_method_that_tells_its_secret_key_does_not_verify(secret: str) -> None:
    """Controlled Identifiers §2.2.2, §2.2.3: whoever read it can sign."""
    assert fault(signed(), controller_document(method(**{secret: "z3u2en7t5LR2WtQH5PfFqMqwVHgeXouLzo6haApm8XHqvjxq"}))) == "INVALID_VERIFICATION_METHOD"


@pytest.mark.parametrize("member", ["expires", "revoked"])
@pytest.mark.parametrize(("instant", "good"), [("2026-03-01T12:00:00Z", False), ("2020-01-01T00:00:00Z", False), ("2026-03-01T12:00:01Z", True)])
def test_an_expired_or_revoked_method_does_not_verify(member: str, instant: str, good: bool) -> None:
    """Controlled Identifiers §2.2, expires and revoked: at and after the instant."""
    controller = controller_document(method(**{member: instant}))
    if good:
        assert verify(signed(), controller)
    else:
        assert fault(signed(), controller) == "INVALID_VERIFICATION_METHOD"


@pytest.mark.parametrize("member", ["expires", "revoked"])
@pytest.mark.parametrize("instant", ["tomorrow", 5, None, "2026-03-01T12:00:00"])
def test_expires_and_revoked_are_times(member: str, instant: Any) -> None:
    """Controlled Identifiers §2.2."""
    with pytest.raises(FormatError) as caught:
        controller_document(method(**{member: instant}))
    assert caught.value.code == "INVALID_DID_DOCUMENT"


@pytest.mark.parametrize("relationship", ["authentication", "keyAgreement", "capabilityInvocation", "capabilityDelegation"])
def test_a_method_of_another_relationship_does_not_verify(relationship: str) -> None:
    """Controlled Identifiers §3.3 step 8; Data Integrity §5.10."""
    controller = controller_document(method(), assertionMethod=[], **{relationship: [KEY]})
    assert fault(signed(), controller) == "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"


def test_the_relationship_is_that_of_the_purpose_of_the_proof() -> None:
    """Data Integrity §2.2: a proof made for logging in is not one for asserting."""
    signer = SIGNERS["eddsa-jcs-2022"]
    login = add_proof({"holder": BOARD}, suite="eddsa-jcs-2022", signer=signer, verification_method=KEY, purpose="authentication")
    assert verify(login, controller_document(method(), authentication=[KEY]), "authentication")
    with pytest.raises(VerificationError) as caught:
        verify(login, controller_document(method()), "authentication")
    assert caught.value.code == "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"


def test_an_unknown_purpose_has_no_key() -> None:
    """Data Integrity §2.1, proofPurpose: it maps to a relationship."""
    proof = add_proof({"holder": BOARD}, suite="eddsa-jcs-2022", signer=SIGNERS["eddsa-jcs-2022"], verification_method=KEY, purpose="contract")
    with pytest.raises(VerificationError) as caught:
        verify(proof, controller_document(method()), "contract")
    assert caught.value.code == "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"


def test_a_method_that_is_not_in_the_document_does_not_verify() -> None:
    """Controlled Identifiers §3.3 step 6."""
    assert fault(signed(method=f"{BOARD}#key-2"), controller_document(method())) == "INVALID_VERIFICATION_METHOD"
    assert fault(signed(method=BOARD), controller_document(method())) == "INVALID_VERIFICATION_METHOD"


def test_a_method_of_another_document_does_not_verify() -> None:
    """Controlled Identifiers §3.3 step 5."""
    assert fault(signed(method="did:example:other#key-1"), controller_document(method())) == "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID"


@pytest.mark.parametrize("url", ["https://board.example/keys#1", "urn:uuid:1"])
def test_a_method_that_is_no_did_url_does_not_verify(url: str) -> None:
    """Controlled Identifiers §3.3 step 2: of all URLs, DIDs are resolved here."""
    assert fault(signed(method=url), controller_document(method())) == "INVALID_VERIFICATION_METHOD_URL"


@pytest.mark.parametrize("controller", ["did:example:other", ...])
def test_a_method_under_other_control_does_not_verify(controller: Any) -> None:
    """Controlled Identifiers §3.3 step 7; Data Integrity §5.9."""
    assert fault(signed(), controller_document(method(controller=controller))) == "INVALID_VERIFICATION_METHOD"


@pytest.mark.parametrize(("suite", "algorithm"), [("ecdsa-jcs-2019", Algorithm.P256), ("ecdsa-rdfc-2019", Algorithm.P256), ("ecdsa-rdfc-2019", Algorithm.P384)])
def test_a_did_key_on_a_curve_of_nist_verifies_by_its_own_document(suite: str, algorithm: Algorithm) -> None:
    """ECDSA §2.1.1; did:key: zDn… and z82…."""
    signer: Signer = generate(repeatable_bytes("nist"), algorithm)
    did = did_key(signer.public_key)
    document = add_proof(
        {"@context": [CREDENTIALS_V2], "issuer": str(did), "credentialSubject": {"id": "did:example:physician"}, "type": ["VerifiableCredential"]},
        suite=suite,
        signer=signer,
        verification_method=did.url(signer.public_key.multikey),
    )

    def keys(url: str, purpose: str, _controller: str | None) -> PublicKey:
        named = DID.parse(url.partition("#")[0])
        return METHOD.resolve(named, {}, ResolutionOptions(), NOW).document.key(url, purpose, NOW)

    assert verify_proofs(document, keys, purpose="assertionMethod")[0].public_key.algorithm is algorithm
    forged = {**document, "proof": {**document["proof"], "verificationMethod": "did:key:zDnaeBroken#zDnaeBroken"}}
    with pytest.raises(ResolutionError):
        verify_proofs(forged, keys, purpose="assertionMethod")
