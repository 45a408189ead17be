"""bbs-2023: garbage is ``FormatError`` (``UnsupportedError`` for the features that are not done); any part can be disclosed; no byte can be changed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.encoding import cbor, multibase
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import Algorithm, PublicKey, signer_from_secret
from did_health.vc.proofs import add_proof, derive_proof, verify_proofs
from did_health.vc.proofs.bbs_values import BaseProofValue, DerivedProofValue
from tests.conftest import repeatable_bytes

SIGNER = signer_from_secret(Algorithm.BLS12381G2, bytes(31) + b"\3")
DOCUMENT = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": ["VerifiableCredential"],
    "issuer": {"id": "https://board.example/", "name": "A Board"},
    "name": "A licence",
    "description": "What it is",
    "validFrom": "2026-01-01T00:00:00Z",
    "credentialSubject": [{"name": "Jane", "description": "one"}, {"id": "urn:example:other", "name": "Joan"}],
}
POINTERS = (
    "/issuer", "/name", "/description", "/validFrom", "/credentialSubject", "/credentialSubject/0", "/credentialSubject/0/name",
    "/credentialSubject/1", "/credentialSubject/1/name", "",
)  # fmt: skip


def issue(mandatory: list[str]) -> dict[str, object]:
    method = "https://board.example/#key"
    return add_proof(DOCUMENT, suite="bbs-2023", signer=SIGNER, verification_method=method, mandatory_pointers=mandatory, random=repeatable_bytes("issue"))


DERIVED = derive_proof(issue(["/issuer"]), ["/name"], random=repeatable_bytes("derive"))
VALUE = multibase.decode(DERIVED["proof"]["proofValue"])


def key(_method: str, _purpose: str, _controller: str | None) -> PublicKey:
    return SIGNER.public_key


@pytest.mark.parametrize(
    ("parse", "header"), [(BaseProofValue.parse, 2), (DerivedProofValue.parse, 3)], ids=["base", "derived"]
)
@given(
    data=st.binary(max_size=200)
    | st.lists(
        st.none() | st.integers(-2, 2**65) | st.binary(max_size=100) | st.text(max_size=9) | st.lists(st.integers(-2, 9), max_size=4)
        | st.dictionaries(st.integers(-2, 9), st.integers(-2, 9), max_size=3),
        min_size=4, max_size=6,
    ).map(cbor.dumps)
)  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_garbage(parse: Callable[[bytes], BaseProofValue | DerivedProofValue], header: int, data: bytes) -> None:
    with suppress(FormatError):
        read = parse(bytes((0xD9, 0x5D, header)) + data)
        assert parse(read.encode()) == read
    with suppress(FormatError, UnsupportedError):
        parse(data)


@given(place=st.integers(0, len(VALUE) - 1), bit=st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_no_bit_of_a_proof_value_can_be_changed(place: int, bit: int) -> None:
    changed = bytearray(VALUE)
    changed[place] ^= 1 << bit
    forged = {**DERIVED, "proof": {**DERIVED["proof"], "proofValue": multibase.encode("u", bytes(changed))}}
    with pytest.raises((FormatError, UnsupportedError, VerificationError)):
        verify_proofs(forged, key, purpose="assertionMethod")


@given(st.lists(st.sampled_from(POINTERS), max_size=3), st.lists(st.sampled_from(POINTERS), min_size=1, max_size=4), st.binary(max_size=8))
@settings(max_examples=30, deadline=None)
def test_any_part_can_be_mandatory_and_any_part_disclosed(mandatory: list[str], selective: list[str], header: bytes) -> None:
    derived = derive_proof(issue(mandatory), selective, random=repeatable_bytes("part"), presentation_header=header)
    (verified,) = verify_proofs(derived, key, purpose="assertionMethod")
    assert set(verified.document) <= set(DOCUMENT)
    assert DerivedProofValue.parse(verified.proof.value).presentation_header == header
    if "" not in (*mandatory, *selective):
        assert {pointer.split("/")[1] for pointer in (*mandatory, *selective)} | {"@context", "type"} == set(verified.document)
