from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.encoding import cbor, multibase
from did_health.errors import FormatError, VerificationError
from did_health.keys import Algorithm, generate
from did_health.vc.contexts import CREDENTIALS_V2
from did_health.vc.proofs import add_proof, derive_proof, verify_proofs
from did_health.vc.proofs.selective_disclosure import parse_pointer, select
from tests.conftest import repeatable_bytes

quick = settings(max_examples=100, deadline=None)
SIGNER = generate(repeatable_bytes("p256"), Algorithm.P256)
DOCUMENT: dict[str, Any] = {
    "@context": [CREDENTIALS_V2],
    "id": "urn:uuid:1",
    "type": ["VerifiableCredential"],
    "issuer": {"id": "did:example:board", "name": "Board"},
    "validFrom": "2026-01-01T00:00:00Z",
    "name": "Licence",
    "relatedResource": [{"id": "https://a.example/1", "digestSRI": "sha384-a"}, {"id": "https://a.example/2", "digestSRI": "sha384-a"}],
    "credentialSubject": [{"name": "Ann", "description": "x"}, {"name": "Ann", "description": "y"}, {"id": "did:example:b", "name": "Ann"}],
}


def paths(value: Any, prefix: str = "") -> list[str]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [prefix, *(path for name, member in members if name != "@context" for path in paths(member, f"{prefix}/{name}"))]


PATHS = paths(DOCUMENT)
pointers = st.lists(st.sampled_from(PATHS), max_size=6, unique=True)


def based(mandatory: list[str]) -> dict[str, Any]:
    return add_proof(
        DOCUMENT, suite="ecdsa-sd-2023", signer=SIGNER, verification_method="did:example:board#1", mandatory_pointers=mandatory, random=repeatable_bytes("r")
    )


BASE = based(["/issuer"])


def verify(document: dict[str, Any]) -> dict[str, Any]:
    return verify_proofs(document, lambda *_: SIGNER.public_key, purpose="assertionMethod")[0].document


@quick
@given(pointers, pointers)
def test_a_proof_of_any_part_verifies(mandatory: list[str], selective: list[str]) -> None:
    base = based(mandatory)
    if not mandatory and not selective:
        with pytest.raises(FormatError, match="nothing is selected"):
            derive_proof(base, selective)
        return
    assert verify(derive_proof(base, selective)) == select(DOCUMENT, mandatory + selective)


def texts(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, str):
        return [place]
    members = value.items() if isinstance(value, dict) else enumerate(value)
    return [found for name, member in members if name != "@context" for found in texts(member, (*place, name))]


@quick
@given(pointers, st.data())
def test_no_revealed_statement_can_be_changed(selective: list[str], data: st.DataObject) -> None:
    document = copy.deepcopy(derive_proof(BASE, selective))
    bare = {name: value for name, value in document.items() if name != "proof"}
    place = data.draw(st.sampled_from(texts(bare)))
    parent: Any = document
    for name in place[:-1]:
        parent = parent[name]
    value = "urn:x:changed" if place[-1] == "id" or place[0] in ("id", "issuer") else "2030-01-01T00:00:00Z" if place[0] == "validFrom" else "changed"
    parent[place[-1]] = value
    with pytest.raises((FormatError, VerificationError)):
        verify(document)


@quick
@given(pointers.filter(bool), st.integers(0, 100_000), st.integers(1, 255))
def test_no_byte_of_the_proof_value_can_be_changed(selective: list[str], place: int, change: int) -> None:
    document = derive_proof(BASE, selective)
    value = bytearray(multibase.decode(document["proof"]["proofValue"]))
    value[place % len(value)] ^= change
    with pytest.raises((FormatError, VerificationError)):
        verify({**document, "proof": {**document["proof"], "proofValue": multibase.encode("u", bytes(value))}})


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.binary(max_size=70) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.integers(0, 5), inner, max_size=3),
    max_leaves=8,
)


@quick
@given(st.sampled_from([b"\xd9\x5d\x00", b"\xd9\x5d\x01", b""]), st.binary(max_size=40) | st.lists(anything, min_size=5, max_size=5).map(cbor.dumps))
def test_garbage_as_a_proof_value_is_a_format_error(header: bytes, body: bytes) -> None:
    forged = {**BASE, "proof": {**BASE["proof"], "proofValue": multibase.encode("u", header + body)}}
    with pytest.raises(FormatError):
        derive_proof(forged, ["/name"])
    if not header.endswith(b"\x00"):
        with pytest.raises(FormatError):
            verify(forged)


@quick
@given(st.text(max_size=60))
def test_any_text_as_a_proof_value_is_a_format_error(text: str) -> None:
    for made in (text, "u" + text):
        with pytest.raises(FormatError):
            verify({**BASE, "proof": {**BASE["proof"], "proofValue": made}})


@quick
@given(st.text(max_size=12) | st.lists(st.sampled_from(["", "a", "0", "~", "~1", "name", "@context", "issuer"])).map("/".join))
def test_any_text_as_a_pointer_selects_or_is_a_format_error(pointer: str) -> None:
    try:
        parse_pointer(pointer)
        chosen = select(DOCUMENT, [pointer])
    except FormatError:
        return
    assert chosen is not None
    assert chosen["id"] == "urn:uuid:1"
