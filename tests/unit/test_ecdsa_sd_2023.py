"""ecdsa-sd-2023: Data Integrity ECDSA Cryptosuites 1.0 §3.5 and §3.6."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from did_health.encoding import cbor, multibase
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import Algorithm, PublicKey, generate
from did_health.limits import MAX_DISCLOSURE_VALUE_CHARACTERS, MAX_PROOFS
from did_health.vc.contexts import CREDENTIALS_V1, CREDENTIALS_V2, DATA_INTEGRITY_V2
from did_health.vc.proofs import UnsafeInlineContexts, add_proof, derive_proof, verify_proofs
from did_health.vc.proofs.ecdsa_sd_2023 import ECDSA_SD_2023
from did_health.vc.proofs.ecdsa_sd_values import BaseProofValue, DerivedProofValue
from did_health.vc.proofs.suite import Signing
from tests.conftest import repeatable_bytes

P256 = generate(repeatable_bytes("p256"), Algorithm.P256)
P384 = generate(repeatable_bytes("p384"), Algorithm.P384)
ED25519 = generate(repeatable_bytes("ed25519"))
METHOD = "did:example:board#1"


def credential(**members: Any) -> JSONObject:
    return {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiableCredential"],
        "issuer": {"id": "did:example:board", "name": "Board"},
        "validFrom": "2026-01-01T00:00:00Z",
        "name": "Licence",
        "credentialSubject": [{"id": "did:example:physician", "name": "Ann", "description": "Surgeon"}, {"name": "Ben"}],
        **members,
    }


def based(document: JSONObject | None = None, pointers: tuple[str, ...] = ("/issuer",), **options: Any) -> JSONObject:
    chosen = {"suite": "ecdsa-sd-2023", "signer": P256, "verification_method": METHOD, "random": repeatable_bytes("base")} | options
    return add_proof(credential() if document is None else document, mandatory_pointers=pointers, **chosen)


def derived(*pointers: str) -> JSONObject:
    return copy.deepcopy(derive_proof(based(), pointers))


def keys(*_: object) -> PublicKey:
    return P256.public_key


def verify(document: JSONObject, **options: Any) -> JSONObject:
    (verified,) = verify_proofs(document, keys, **({"purpose": "assertionMethod"} | options))
    return verified.document


def value_of(document: JSONObject) -> bytes:
    return multibase.decode(document["proof"]["proofValue"])


def with_value(document: JSONObject, value: bytes) -> JSONObject:
    return {**document, "proof": {**document["proof"], "proofValue": multibase.encode("u", value)}}


# the way of a credential


def test_what_is_revealed_verifies_and_nothing_else_is_there() -> None:
    document = derived("/credentialSubject/0/name")

    assert verify(document) == {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiableCredential"],
        "issuer": {"id": "did:example:board", "name": "Board"},
        "credentialSubject": [{"id": "did:example:physician", "name": "Ann"}],
    }
    assert document["proof"]["cryptosuite"] == "ecdsa-sd-2023"
    assert "Surgeon" not in str(document)


@pytest.mark.parametrize(
    ("mandatory", "selective"),
    [((), ("/name",)), (("/issuer",), ()), (("/issuer",), ("/issuer",)), ((), ("",)), (("",), ()), (("/issuer",), ("/credentialSubject/1",))],
)
def test_mandatory_and_selected_parts_may_be_any(mandatory: tuple[str, ...], selective: tuple[str, ...]) -> None:
    document = derive_proof(based(pointers=mandatory), selective)
    value = DerivedProofValue.parse(value_of(document))
    revealed = verify(document)
    assert bool(value.mandatory_indexes) == bool(mandatory)
    assert ("issuer" in revealed) == (mandatory + selective != ("/name",))


def test_the_headers_tell_base_from_derived_proofs() -> None:
    """§3.5.2, §3.5.6: in base64url, 2V0A and 2V0B."""
    assert based()["proof"]["proofValue"].startswith("u2V0AhVhA")
    assert derived()["proof"]["proofValue"].startswith("u2V0BhVhA")


def test_two_base_proofs_share_neither_labels_nor_the_key_that_signs_statements() -> None:
    random = repeatable_bytes("two")
    first, second = (BaseProofValue.parse(value_of(based(random=random))) for _ in range(2))
    assert first.hmac_key != second.hmac_key
    assert first.public_key != second.public_key
    assert first.public_key[2:] != P256.public_key.raw


def test_a_document_without_the_terms_of_proofs_gets_their_context() -> None:
    old = {
        "@context": [CREDENTIALS_V1],
        "type": ["VerifiableCredential"],
        "issuer": "did:example:board",
        "issuanceDate": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:physician"},
    }
    base = based(old)
    assert base["@context"] == [CREDENTIALS_V1, DATA_INTEGRITY_V2]
    assert verify(derive_proof(base, ["/issuanceDate"]))["issuanceDate"] == "2026-01-01T00:00:00Z"


def test_a_base_proof_is_not_for_verifiers() -> None:
    with pytest.raises(VerificationError, match="for the holder alone") as caught:
        verify(based())
    assert caught.value.code == "PROOF_VERIFICATION_ERROR"


def test_expectations_of_a_derived_proof_are_checked_as_of_any_other() -> None:
    document = derive_proof(based(domain="a.example", challenge="c", expires=None), ["/name"])
    assert verify(document, domain="a.example", challenge="c")
    with pytest.raises(VerificationError) as caught:
        verify(document, domain="b.example")
    assert caught.value.code == "INVALID_DOMAIN_ERROR"


# what does not verify


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda d: d["issuer"].update(name="Another"), id="mandatory statement"),
        pytest.param(lambda d: d["credentialSubject"][0].update(name="Eve"), id="selected statement"),
        pytest.param(lambda d: d["credentialSubject"][0].update(id="did:example:eve"), id="id"),
        pytest.param(lambda d: d["proof"].update(created="2026-01-02T00:00:00Z"), id="option of the proof"),
    ],
)
def test_a_changed_statement_does_not_verify(change: Callable[[JSONObject], Any]) -> None:
    document = derived("/credentialSubject/0/name")
    change(document)
    with pytest.raises(VerificationError, match="does not verify"):
        verify(document)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda d: d.update(name="Added"), id="added statement"),
        pytest.param(lambda d: d["credentialSubject"][0].pop("name"), id="missing statement"),
    ],
)
def test_statements_without_signatures_and_signatures_without_statements_are_refused(change: Callable[[JSONObject], Any]) -> None:
    document = derived("/credentialSubject/0/name")
    change(document)
    with pytest.raises(VerificationError, match="signatures and"):
        verify(document)


def test_a_statement_of_another_proof_of_the_same_issuer_does_not_verify() -> None:
    """The proof-scoped key binds them together (§3.6.5)."""
    other = derive_proof(based(credential(name="Pharmacy"), random=repeatable_bytes("other")), ["/name"])
    document = derive_proof(based(), ["/name"])
    values = [DerivedProofValue.parse(value_of(one)) for one in (document, other)]
    mixed = DerivedProofValue(values[0].signature, values[0].public_key, values[1].signatures, values[0].labels, values[0].mandatory_indexes)
    with pytest.raises(VerificationError, match="does not verify"):
        verify(with_value({**document, "name": "Pharmacy"}, mixed.encode()))


def test_mandatory_indexes_beyond_the_statements_are_refused() -> None:
    document = derived("/name")
    value = DerivedProofValue.parse(value_of(document))
    indexes = (*value.mandatory_indexes[:-1], 99)
    with pytest.raises(VerificationError, match="signatures and"):
        verify(with_value(document, DerivedProofValue(value.signature, value.public_key, value.signatures, value.labels, indexes).encode()))


def test_labels_of_other_nodes_are_refused() -> None:
    document = derived("/name")
    value = DerivedProofValue.parse(value_of(document))
    labels = {**value.labels, "_:c14n7": value.labels["_:c14n0"]}
    with pytest.raises(FormatError, match="one label for each"):
        verify(with_value(document, DerivedProofValue(value.signature, value.public_key, value.signatures, labels, value.mandatory_indexes).encode()))


def test_another_key_does_not_verify() -> None:
    other = generate(repeatable_bytes("other"), Algorithm.P256).public_key
    with pytest.raises(VerificationError, match="does not verify"):
        verify_proofs(derived("/name"), lambda *_: other, purpose="assertionMethod")


@pytest.mark.parametrize("signer", [P384, ED25519], ids=["P-384", "Ed25519"])
def test_only_keys_of_p256_sign_and_verify(signer: Any) -> None:
    """§3.6: with P-384 the suite is not defined."""
    with pytest.raises(FormatError, match="does not sign with a key of"):
        based(signer=signer)
    with pytest.raises(VerificationError, match="does not verify with a key of"):
        verify_proofs(derived("/name"), lambda *_: signer.public_key, purpose="assertionMethod")


# proof values


BASE = BaseProofValue.parse(value_of(based()))
GOOD_BASE = [BASE.signature, BASE.public_key, BASE.hmac_key, list(BASE.signatures), ["/issuer"]]
GOOD_DERIVED = [BASE.signature, BASE.public_key, list(BASE.signatures), {0: bytes(32)}, [0]]
POINT = b"\x80\x24\x02" + b"\xff" * 32


def changed(components: list[Any], index: int, value: Any) -> list[Any]:
    return [value if place == index else component for place, component in enumerate(components)]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xd9\x5d", id="half a header"),
        pytest.param(b"\xd9\x5d\x02" + cbor.dumps(GOOD_BASE), id="header of bbs-2023"),
        pytest.param(b"\xd9\x5d\x00", id="header alone"),
        pytest.param(b"\xd9\x5d\x00" + cbor.dumps(GOOD_BASE)[:-1], id="cut off"),
        pytest.param(b"\xd9\x5d\x00" + cbor.dumps(GOOD_BASE) + b"\0", id="something behind"),
        pytest.param(b"\xd9\x5d\x00" + cbor.dumps({}), id="no array"),
        pytest.param(b"\xd9\x5d\x00" + cbor.dumps(GOOD_BASE[:-1]), id="four components"),
        pytest.param(b"\xd9\x5d\x00" + cbor.dumps(changed(GOOD_BASE, 0, bytes(63))), id="short signature"),
        pytest.param(b"\xd9\x5d\x00" + cbor.dumps(changed(GOOD_BASE, 1, bytes(35))), id="key of another kind"),
        pytest.param(b"\xd9\x5d\x00" + cbor.dumps(changed(GOOD_BASE, 2, "x" * 32)), id="HMAC key that is text"),
        pytest.param(b"\xd9\x5d\x00" + cbor.dumps(changed(GOOD_BASE, 3, {})), id="signatures in a map"),
        pytest.param(b"\xd9\x5d\x00" + cbor.dumps(changed(GOOD_BASE, 3, [b""])), id="empty signature"),
        pytest.param(b"\xd9\x5d\x00" + cbor.dumps(changed(GOOD_BASE, 4, "/issuer")), id="pointer without an array"),
        pytest.param(b"\xd9\x5d\x00" + cbor.dumps(changed(GOOD_BASE, 4, [b"/issuer"])), id="pointer in bytes"),
    ],
)
def test_a_malformed_base_proof_value_is_refused(value: bytes) -> None:
    with pytest.raises(FormatError) as caught:
        BaseProofValue.parse(value)
    assert caught.value.code == "PROOF_VERIFICATION_ERROR"
    with pytest.raises(FormatError):
        derive_proof(with_value(based(), value), ["/name"])


@pytest.mark.parametrize(
    "components",
    [
        pytest.param(GOOD_DERIVED[:-1], id="four components"),
        pytest.param(changed(GOOD_DERIVED, 0, None), id="no signature"),
        pytest.param(changed(GOOD_DERIVED, 1, POINT), id="key that is no point"),
        pytest.param(changed(GOOD_DERIVED, 2, [bytes(96)]), id="signature of P-384"),
        pytest.param(changed(GOOD_DERIVED, 3, []), id="labels in an array"),
        pytest.param(changed(GOOD_DERIVED, 3, {"0": bytes(32)}), id="label under a text"),
        pytest.param(changed(GOOD_DERIVED, 3, {-1: bytes(32)}), id="label under a negative number"),
        pytest.param(changed(GOOD_DERIVED, 3, {0: bytes(31)}), id="short label"),
        pytest.param(changed(GOOD_DERIVED, 4, {}), id="indexes in a map"),
        pytest.param(changed(GOOD_DERIVED, 4, [-1]), id="negative index"),
        pytest.param(changed(GOOD_DERIVED, 4, [True]), id="truth as an index"),
        pytest.param(changed(GOOD_DERIVED, 4, [0, 0]), id="index twice"),
    ],
)
def test_a_malformed_derived_proof_value_is_refused(components: list[Any]) -> None:
    with pytest.raises(FormatError) as caught:
        verify(with_value(derived("/name"), b"\xd9\x5d\x01" + cbor.dumps(components)))
    assert caught.value.code == "PROOF_VERIFICATION_ERROR"


def test_the_keys_of_the_label_map_may_be_in_any_order_but_not_doubled() -> None:
    """RFC 8949 is asked for, not its deterministic encoding."""
    body = cbor.dumps(changed(GOOD_DERIVED, 3, {0: bytes(32), 1: b"\1" * 32}))
    pairs = b"\xa2\x00\x58\x20" + bytes(32) + b"\x01\x58\x20" + b"\1" * 32
    assert pairs in body
    turned = b"\xa2\x01\x58\x20" + b"\1" * 32 + b"\x00\x58\x20" + bytes(32)
    assert len(DerivedProofValue.parse(b"\xd9\x5d\x01" + body.replace(pairs, turned)).labels) == 2
    doubled = b"\xa2\x00\x58\x20" + b"\1" * 32 + b"\x00\x58\x20" + bytes(32)
    with pytest.raises(FormatError, match="twice"):
        DerivedProofValue.parse(b"\xd9\x5d\x01" + body.replace(pairs, doubled))


def test_values_are_in_base64url_and_bounded() -> None:
    document = derived("/name")
    for text in ("z" + multibase.base58btc_encode(value_of(document)), document["proof"]["proofValue"] + "=", "u" + "A" * MAX_DISCLOSURE_VALUE_CHARACTERS):
        with pytest.raises(FormatError) as caught:
            verify({**document, "proof": {**document["proof"], "proofValue": text}})
        assert caught.value.code == "PROOF_VERIFICATION_ERROR"


# what is not made


def test_randomness_is_demanded() -> None:
    with pytest.raises(TypeError, match="random"):
        based(random=None)
    with pytest.raises(TypeError, match="random"):
        ECDSA_SD_2023.create(credential(), {}, Signing(P256), {}, lambda _: b"")


def test_mandatory_pointers_are_for_suites_that_disclose_selectively() -> None:
    with pytest.raises(TypeError, match="discloses everything"):
        based(suite="ecdsa-rdfc-2019")


def test_a_base_proof_seals_no_earlier_ones() -> None:
    first = add_proof(credential(), suite="eddsa-jcs-2022", signer=ED25519, verification_method=METHOD, proof_id="urn:uuid:1")
    with pytest.raises(FormatError, match="cannot seal") as caught:
        based(first, previous_proof="urn:uuid:1")
    assert caught.value.code == "PROOF_GENERATION_ERROR"


@pytest.mark.parametrize("pointers", [("/nothing",), ("issuer",), ("/credentialSubject/2",)])
def test_mandatory_pointers_must_name_something(pointers: tuple[str, ...]) -> None:
    with pytest.raises(FormatError) as caught:
        based(pointers=pointers)
    assert caught.value.code == "PROOF_GENERATION_ERROR"


def test_undefined_terms_and_contexts_written_out_are_refused() -> None:
    with pytest.raises(FormatError, match="'salary'") as caught:
        based(credential(salary=1))
    assert caught.value.code == "DATA_LOSS_DETECTION_ERROR"
    inline = {"@context": [CREDENTIALS_V2, {"salary": "https://vocabulary.example/salary"}]}
    with pytest.raises(FormatError, match="written into the document"):
        based(credential(salary=1, **inline))
    unsafe = UnsafeInlineContexts()
    derived_of_it = derive_proof(based(credential(salary=1, **inline), contexts=unsafe), ["/salary"], contexts=unsafe)
    assert verify(derived_of_it, contexts=unsafe)["salary"] == 1


def test_contexts_inside_the_document_stay_refused_under_unsafe_inline_contexts() -> None:
    inner = {"id": "did:example:physician", "@context": {"salary": "https://vocabulary.example/salary"}, "salary": 1}
    with pytest.raises(FormatError, match="written into the document"):
        based(credential(credentialSubject=inner), contexts=UnsafeInlineContexts())


# deriving


def test_nothing_selected_is_refused() -> None:
    with pytest.raises(FormatError, match="nothing is selected") as caught:
        derive_proof(based(pointers=()), [])
    assert caught.value.code == "PROOF_GENERATION_ERROR"


def test_a_pointer_to_nothing_is_refused() -> None:
    with pytest.raises(FormatError, match="names nothing"):
        derive_proof(based(), ["/credentialSubject/2"])


def test_a_base_proof_of_another_document_is_refused() -> None:
    for change in ({"description": "Added"}, {"name": "Changed"}):
        with pytest.raises(FormatError, match="not made of this document") as caught:
            derive_proof({**based(), **change}, ["/name"])
        assert caught.value.code == "PROOF_GENERATION_ERROR"


def test_other_proofs_are_left_out() -> None:
    whole = add_proof(based(), suite="eddsa-jcs-2022", signer=ED25519, verification_method=METHOD)
    assert len(whole["proof"]) == 2
    assert verify(derive_proof(whole, ["/name"]))["name"] == "Licence"
    assert verify(derive_proof(whole, ["/name"], suite="ecdsa-sd-2023"))


@pytest.mark.parametrize(
    ("proof", "count"),
    [
        pytest.param(None, 0, id="no proof"),
        pytest.param([], 0, id="empty set"),
        pytest.param(["x", {"cryptosuite": ["ecdsa-sd-2023"]}, {"type": "Other", "cryptosuite": "ecdsa-sd-2023"}], 0, id="nothing of the suite"),
        pytest.param([based()["proof"]] * 2, 2, id="two"),
    ],
)
def test_exactly_one_base_proof_is_needed(proof: Any, count: int) -> None:
    with pytest.raises(FormatError, match=f"has {count} proofs") as caught:
        derive_proof({**credential(), "proof": proof}, ["/name"])
    assert caught.value.code == "PROOF_GENERATION_ERROR"


def test_too_many_proofs_are_refused() -> None:
    with pytest.raises(FormatError, match="more than"):
        derive_proof({**credential(), "proof": [{}] * (MAX_PROOFS + 1)}, ["/name"])


def test_a_suite_that_discloses_everything_derives_nothing() -> None:
    with pytest.raises(UnsupportedError, match="eddsa-jcs-2022"):
        derive_proof(based(), ["/name"], suite="eddsa-jcs-2022")


def test_a_presentation_header_is_not_for_this_suite() -> None:
    with pytest.raises(TypeError, match="presentation_header"):
        derive_proof(based(), ["/name"], presentation_header=b"x")


def test_a_derived_proof_is_no_base_proof() -> None:
    with pytest.raises(FormatError, match="header"):
        derive_proof(derived("/name"), ["/name"])
