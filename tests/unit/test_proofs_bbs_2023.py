"""bbs-2023: Data Integrity BBS Cryptosuites 1.0 §3.3 and §3.4, the baseline."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest

from did_health.encoding import cbor, multibase
from did_health.encoding.jcs import canonicalize
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import Algorithm, PublicKey, algorithms, generate, public_key_from_multikey, signer_from_secret
from did_health.keys.bbs.curve import curve
from did_health.limits import MAX_BBS_MESSAGES
from did_health.vc.proofs import add_proof, derive_proof, verify_proofs
from did_health.vc.proofs.bbs_2023 import BBS_2023, presentation_header
from did_health.vc.proofs.bbs_values import BaseProofValue, DerivedProofValue
from did_health.vc.proofs.suite import Signing
from tests.conftest import repeatable_bytes

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
SIGNER = signer_from_secret(Algorithm.BLS12381G2, bytes(31) + b"\5")
DID = f"did:key:{SIGNER.public_key.multikey}"
METHOD = f"{DID}#{SIGNER.public_key.multikey}"
CREDENTIAL: JSONObject = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": ["VerifiableCredential"],
    "issuer": {"id": DID, "name": "A Board", "description": "It licenses"},
    "name": "A licence",
    "description": "What it is",
    "validFrom": "2026-01-01T00:00:00Z",
    "validUntil": "2027-01-01T00:00:00Z",
    "credentialSubject": {"name": "Jane", "description": "A physician"},
}
Change = Callable[[list[Any]], None]


def did_key(method: str, _purpose: str, _controller: str | None) -> PublicKey:
    return public_key_from_multikey(method.removeprefix("did:key:").partition("#")[0])


def issue(document: JSONObject = CREDENTIAL, mandatory: tuple[str, ...] = ("/issuer",), seed: str = "issue") -> JSONObject:
    return add_proof(
        document,
        suite="bbs-2023",
        signer=SIGNER,
        verification_method=METHOD,
        created=CREATED,
        mandatory_pointers=mandatory,
        random=repeatable_bytes(seed),
    )


BASE = issue()


def derive(*pointers: str, base: JSONObject = BASE, header: bytes = b"", seed: str = "derive") -> JSONObject:
    return derive_proof(base, pointers, random=repeatable_bytes(seed), presentation_header=header)


DERIVED = derive("/validFrom", "/credentialSubject/name", header=b"nonce")


def verify(document: JSONObject) -> JSONObject:
    (verified,) = verify_proofs(document, did_key, purpose="assertionMethod")
    return verified.document


def value_of(document: JSONObject) -> bytes:
    return multibase.decode(document["proof"]["proofValue"])


def with_value(document: JSONObject, value: bytes) -> JSONObject:
    return {**document, "proof": {**document["proof"], "proofValue": multibase.encode("u", value)}}


def changed(document: JSONObject, change: Change) -> JSONObject:
    """The document with the array in its proof value changed."""
    value = value_of(document)
    components = cbor.loads(value[3:], deterministic=False)
    change(components)
    return with_value(document, value[:3] + cbor.dumps(components))


def put(place: int, component: Any) -> Change:
    return lambda components: components.__setitem__(place, component)


def test_what_is_revealed_is_what_is_mandatory_and_what_is_named() -> None:
    """§3.3.3; §3.4.6."""
    assert verify(DERIVED) == {
        "@context": CREDENTIAL["@context"],
        "type": ["VerifiableCredential"],
        "issuer": CREDENTIAL["issuer"],
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"name": "Jane"},
    }
    assert presentation_header(value_of(DERIVED)) == b"nonce"


def test_mandatory_statements_alone() -> None:
    """§3.3.3."""
    assert set(verify(derive())) == {"@context", "type", "issuer"}


def test_nothing_mandatory() -> None:
    """§3.3.3: neither mandatory nor selected is nothing to disclose."""
    base = issue(mandatory=())
    assert set(verify(derive("/name", base=base))) == {"@context", "type", "name"}
    with pytest.raises(FormatError, match="nothing is selected") as caught:
        derive(base=base)
    assert caught.value.code == "PROOF_GENERATION_ERROR"


def test_everything_mandatory() -> None:
    """§3.4.2."""
    assert verify(derive(base=issue(mandatory=("",)))) == CREDENTIAL


def test_an_issuer_can_sign_again_and_differently() -> None:
    assert issue(seed="other")["proof"]["proofValue"] != BASE["proof"]["proofValue"]


def test_two_derivations_share_only_what_they_reveal() -> None:
    """§3.4.6: unlinkable but for what is disclosed; nothing of the base proof is in them."""
    one, other = (DerivedProofValue.parse(value_of(derive("/name", seed=seed))) for seed in ("one", "other"))
    assert replace(one, proof=b"") == replace(other, proof=b"")
    base = BaseProofValue.parse(value_of(BASE))
    for piece in (base.signature, base.signature[:48], base.signature[48:], base.hmac_key):
        assert piece not in one.encode()
    chunks = {one.proof[start : start + 16] for start in range(0, len(one.proof), 16)}
    assert not chunks & {other.proof[start : start + 16] for start in range(0, len(other.proof), 16)}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("issuer", "name"), "Another"), (("validFrom",), "2025-01-01T00:00:00Z"), (("credentialSubject", "name"), "Joan"),
        (("credentialSubject", "id"), "did:example:me"), (("name",), "A licence"), (("validUntil",), "2027-01-01T00:00:00Z"),
    ],
    ids=lambda part: "/".join(part) if isinstance(part, tuple) else "",
)  # fmt: skip
def test_nothing_can_be_changed_or_added(path: tuple[str, ...], value: str) -> None:
    """§3.4.7."""
    document = copy.deepcopy(DERIVED)
    place = document
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises((FormatError, VerificationError)) as caught:
        verify(document)
    assert caught.value.code == "PROOF_VERIFICATION_ERROR"


@pytest.mark.parametrize("path", [("issuer", "name"), ("validFrom",), ("credentialSubject", "name"), ("credentialSubject",)], ids="/".join)
def test_nothing_can_be_left_out(path: tuple[str, ...]) -> None:
    """§3.4.7."""
    document = copy.deepcopy(DERIVED)
    place = document
    for name in path[:-1]:
        place = place[name]
    del place[path[-1]]
    with pytest.raises((FormatError, VerificationError)):
        verify(document)


@pytest.mark.parametrize(("name", "value"), [("created", "2026-01-02T00:00:00Z"), ("domain", "a.example"), ("expires", "2036-01-01T00:00:00Z")])
def test_options_cannot_be_changed(name: str, value: str) -> None:
    """§3.4.4, §3.4.7: the options of the base proof are the header of the signature."""
    with pytest.raises(VerificationError, match="does not verify"):
        verify({**DERIVED, "proof": {**DERIVED["proof"], name: value}})


def test_under_another_key_it_does_not_verify(random_bytes: Callable[[int], bytes]) -> None:
    """§3.4.7."""
    other = generate(random_bytes, Algorithm.BLS12381G2).public_key
    with pytest.raises(VerificationError, match="does not verify"):
        verify_proofs(DERIVED, lambda *_: other, purpose="assertionMethod")


def test_keys_of_other_algorithms_are_refused(random_bytes: Callable[[int], bytes]) -> None:
    """§2.1: keys of BLS12-381 in G2, and those for this suite alone."""
    other = generate(random_bytes)
    with pytest.raises(VerificationError, match="bbs-2023 does not verify with a key of Ed25519"):
        verify_proofs(DERIVED, lambda *_: other.public_key, purpose="assertionMethod")
    with pytest.raises(FormatError, match="bbs-2023 does not sign with a key of Ed25519"):
        add_proof(CREDENTIAL, suite="bbs-2023", signer=other, verification_method=METHOD, random=random_bytes)
    for suite in ("eddsa-jcs-2022", "ecdsa-jcs-2019", "ecdsa-sd-2023"):
        with pytest.raises(FormatError, match="does not sign with a key of BLS12381G2"):
            add_proof(CREDENTIAL, suite=suite, signer=SIGNER, verification_method=METHOD, random=random_bytes)


def test_a_base_proof_is_not_for_verifiers() -> None:
    """§3.3.7: the header of a derived proof."""
    with pytest.raises(VerificationError, match="for the holder alone") as caught:
        verify(BASE)
    assert caught.value.code == "PROOF_VERIFICATION_ERROR"


def test_a_derived_proof_is_not_for_deriving() -> None:
    """§3.3.2: the header of a base proof."""
    with pytest.raises(FormatError, match="another header than that of a base proof"):
        derive("/name", base=DERIVED)


@pytest.mark.parametrize("feature", range(4, 10))
def test_other_features_are_named_as_unsupported(feature: int) -> None:
    """§3.3.1, §3.3.6: their headers."""
    value = bytes((0xD9, 0x5D, feature)) + value_of(DERIVED)[3:]
    with pytest.raises(UnsupportedError, match="holder binding or pseudonyms"):
        verify(with_value(DERIVED, value))
    with pytest.raises(UnsupportedError, match="holder binding or pseudonyms"):
        derive("/name", base=with_value(BASE, value))


BAD_DERIVED: dict[str, Change] = {
    "four components": lambda components: components.pop(),
    "six components": lambda components: components.append(b""),
    "proof that is text": put(0, "proof"),
    "empty proof": put(0, b""),
    "short proof": lambda components: put(0, components[0][:-32])(components),
    "cut proof": lambda components: put(0, components[0][:-1])(components),
    "identity in the proof": lambda components: put(0, b"\xc0" + bytes(47) + components[0][48:])(components),
    "labels that are a list": put(1, [0, 1]),
    "labels that are texts": put(1, {0: "b0"}),
    "labels with keys that are texts": put(1, {"c14n0": 0}),
    "negative label": put(1, {0: -1}),
    "no labels": put(1, {}),
    "label of no node": lambda components: components[1].__setitem__(9, 9),
    "one label twice": lambda components: put(1, dict.fromkeys(components[1], 0))(components),
    "another label": lambda components: components[1].__setitem__(0, 7),
    "indexes that are a map": put(2, {}),
    "indexes that are texts": put(2, ["0"]),
    "indexes that are truths": put(2, [True]),
    "indexes twice": put(2, [0, 0]),
    "negative indexes": put(2, [-1]),
    "mandatory index beyond": lambda components: put(2, [*components[2][:-1], 99])(components),
    "one mandatory index less": lambda components: components[2].pop(),
    "no mandatory index": put(2, []),
    "selective indexes that are null": put(3, None),
    "one selective index less": lambda components: components[3].pop(),
    "selective indexes reversed": lambda components: components[3].reverse(),
    "selective index beyond": lambda components: put(3, [*components[3][:-1], 99])(components),
    "other selective indexes": lambda components: put(3, [index + 1 for index in components[3]])(components),
    "presentation header that is text": put(4, "nonce"),
    "another presentation header": put(4, b"other"),
}


@pytest.mark.parametrize("change", BAD_DERIVED.values(), ids=BAD_DERIVED.keys())
def test_derived_proof_values_that_are_bad(change: Change) -> None:
    """§3.3.7, §3.4.7."""
    with pytest.raises((FormatError, VerificationError)) as caught:
        verify(changed(DERIVED, change))
    assert caught.value.code == "PROOF_VERIFICATION_ERROR"
    assert caught.value.where.startswith("/proof")


BAD_BASE: dict[str, Change] = {
    "four components": lambda components: components.pop(),
    "short signature": put(0, bytes(79)),
    "signature of zeros": put(0, bytes(80)),
    "another signature": lambda components: put(0, BaseProofValue.parse(value_of(issue(seed="other"))).signature)(components),
    "short header": put(1, bytes(63)),
    "another header": put(1, bytes(64)),
    "no key": put(2, b""),
    "key of zeros": put(2, bytes(96)),
    "another key": put(2, signer_from_secret(Algorithm.BLS12381G2, bytes(31) + b"\6").public_key.raw),
    "short HMAC key": put(3, bytes(31)),
    "HMAC key that sorts otherwise": put(3, b"\3" * 32),
    "pointers that are text": put(4, "/issuer"),
    "pointers that are numbers": put(4, [1]),
    "pointer to nothing": put(4, ["/nothing"]),
    "other pointers": put(4, ["/name"]),
}


@pytest.mark.parametrize("change", BAD_BASE.values(), ids=BAD_BASE.keys())
def test_base_proof_values_that_are_bad(change: Change) -> None:
    """§3.3.2, §3.4.6."""
    with pytest.raises(FormatError) as caught:
        derive("/validFrom", base=changed(BASE, change))
    assert caught.value.code in ("PROOF_VERIFICATION_ERROR", "PROOF_GENERATION_ERROR")


def test_a_changed_document_does_not_go_with_its_base_proof() -> None:
    for name, value in (("name", "Another"), ("issuer", {**CREDENTIAL["issuer"], "name": "Another"})):
        with pytest.raises(FormatError, match="not made of this document"):
            derive("/validFrom", base={**BASE, name: value})


@pytest.mark.parametrize("value", [b"", b"\xd9", b"\xd9\x5d\x00\x80", b"\xd9\x5d\x03", b"\xd9\x5d\x03\xff", b"\xd9\x5d\x03\xc0\x80"], ids=bytes.hex)
def test_values_that_are_none(value: bytes) -> None:
    """§3.3.2, §3.3.7."""
    for parse in (DerivedProofValue.parse, BaseProofValue.parse):
        with pytest.raises(FormatError) as caught:
            parse(value)
        assert caught.value.code == "PROOF_VERIFICATION_ERROR"


def test_values_are_written_as_they_were_read() -> None:
    """§3.3.1, §3.3.6: CBOR without tags."""
    assert DerivedProofValue.parse(value_of(DERIVED)).encode() == value_of(DERIVED)
    assert BaseProofValue.parse(value_of(BASE)).encode() == value_of(BASE)


def test_what_the_caller_forgets() -> None:
    with pytest.raises(TypeError, match="needs random"):
        derive_proof(BASE, ["/name"])
    with pytest.raises(TypeError, match="needs random"):
        add_proof(CREDENTIAL, suite="bbs-2023", signer=SIGNER, verification_method=METHOD)
    with pytest.raises(TypeError, match="needs random"):
        BBS_2023.create(CREDENTIAL, {}, Signing(SIGNER), {}, canonicalize)

    class OneMessage:
        public_key = SIGNER.public_key
        sign = SIGNER.sign

    with pytest.raises(TypeError, match="signer of messages"):
        add_proof(CREDENTIAL, suite="bbs-2023", signer=OneMessage(), verification_method=METHOD, random=repeatable_bytes("x"))


def test_more_statements_than_a_signature_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("did_health.keys.bbs.ciphersuite.MAX_BBS_MESSAGES", 3)
    with pytest.raises(FormatError, match="more than the 3") as caught:
        issue()
    assert caught.value.code == "PROOF_GENERATION_ERROR"
    assert MAX_BBS_MESSAGES > 1000


def test_beside_a_proof_of_the_whole_the_base_proof_is_found(random_bytes: Callable[[int], bytes]) -> None:
    other = generate(random_bytes)
    both = add_proof(BASE, suite="eddsa-rdfc-2022", signer=other, verification_method=f"did:key:{other.public_key.multikey}", created=CREATED)
    assert verify(derive("/name", base=both)) == verify(derive("/name"))


def test_contexts_of_the_caller() -> None:
    known = MappingProxyType({"https://terms.example/v1": {"@context": {"height": "https://terms.example/v1#height"}}})
    document = {**CREDENTIAL, "@context": [*CREDENTIAL["@context"], "https://terms.example/v1"], "credentialSubject": {"height": 172}}
    base = add_proof(
        document, suite="bbs-2023", signer=SIGNER, verification_method=METHOD, mandatory_pointers=["/issuer"], random=repeatable_bytes("c"), contexts=known
    )
    derived = derive_proof(base, ["/credentialSubject/height"], random=repeatable_bytes("d"), contexts=known)
    (verified,) = verify_proofs(derived, did_key, purpose="assertionMethod", contexts=known)
    assert verified.document["credentialSubject"] == {"height": 172}


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py_arkworks_bls12381", None)
    curve.cache_clear()
    algorithms.public_key_from_multikey.cache_clear()
    with pytest.raises(UnsupportedError) as caught:
        verify(DERIVED)
    assert "did-health[bbs]" in caught.value.hint
    monkeypatch.undo()
    curve.cache_clear()
    assert verify(DERIVED)
