"""did:web: the specification's transformations, its example document, and documents that implementations recorded."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from did_health.did.document import DIDDocument
from did_health.did.resolution import required_urls, resolve
from did_health.encoding.strict_json import dumps
from did_health.errors import ResolutionError, UnsupportedError
from did_health.keys import public_key_from_jwk
from tests.conftest import shared

pytestmark = pytest.mark.vectors
RECORDED = ("did-web-spruce.json", "did-web-transmute.json")


def vector(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(shared("vectors", "did-web", name).read_bytes())
    return content


def recorded() -> dict[str, dict[str, Any]]:
    return {did: document for name in RECORDED for did, document in vector(name)["documents"].items()}


def resolved(did: str, document: dict[str, Any], now: datetime) -> DIDDocument:
    (url,) = required_urls(did)
    return resolve(did, {url: dumps(document)}, now=now).active_document


def test_did_to_url() -> None:
    cases = vector("did-to-url.json")["cases"]
    assert len(cases) == 3
    for case in cases:
        assert required_urls(case["did"]) == (case["url"],)


def test_example_document(now: datetime) -> None:
    example = vector("document-jwk.json")
    document = resolved("did:web:example.com", example, now)
    jwks = {method["id"]: method["publicKeyJwk"] for method in example["verificationMethod"]}
    for relationship in ("authentication", "assertionMethod"):
        assert list(document.relationship(relationship)) == example[relationship]
        for url in example[relationship]:
            assert document.key(url, relationship, now) == public_key_from_jwk(jwks[url])
    assert list(document.relationship("keyAgreement")) == example["keyAgreement"]
    with pytest.raises(UnsupportedError):  # X25519 signs nothing
        document.key("did:web:example.com#key-1", "keyAgreement", now)


def test_recorded_documents_parse_with_the_id_of_their_did(now: datetime) -> None:
    documents = recorded()
    assert len(documents) == 3
    for did, document in documents.items():
        parsed = resolved(did, document, now)
        assert parsed.id == did
        assert parsed.raw == document
        identifiers = [method["id"] for name in ("verificationMethod", "assertionMethod") for method in document.get(name, []) if isinstance(method, dict)]
        assert list(parsed.verification_methods) == [did + identifier if identifier.startswith("#") else identifier for identifier in identifiers]
        for relationship in ("authentication", "assertionMethod"):
            assert len(parsed.relationship(relationship)) == len(document.get(relationship, []))


def test_recorded_documents_are_refused_under_another_did(now: datetime) -> None:
    for document in recorded().values():
        with pytest.raises(ResolutionError) as caught:
            resolved("did:web:other.example", document, now)
        assert caught.value.code == "INVALID_DID_DOCUMENT"


def test_recorded_keys_verify_where_we_know_their_kind(now: datetime) -> None:
    did = "did:web:demo.spruceid.com:2021:07:08"
    documents = recorded()
    key = resolved(did, documents[did], now).key(f"{did}#ed25519-1", "assertionMethod", now)
    assert key.algorithm == "Ed25519"
    unknown = [(did, f"{did}#rsa-1"), ("did:web:did.actor:mike", "did:web:did.actor:mike#g1")]
    pgp = "did:web:or13.github.io:deno-did-pm"
    unknown.append((pgp, f"{pgp}#4FD4017D6188FF9B4F07299E02FECCD6306F299C"))
    for owner, url in unknown:
        with pytest.raises(UnsupportedError):
            resolved(owner, documents[owner], now).key(url, "assertionMethod", now)
