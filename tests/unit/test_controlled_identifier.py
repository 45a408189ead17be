"""Controlled Identifiers 1.0 (Recommendation of May 2025): documents of issuers that are URLs and no DIDs, statement by statement.

Which key of a document verifies a proof, and every wrong Multikey, is in ``test_data_integrity_keys``.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from did_health.did.controlled_identifier import ControlledIdentifierDocument, ControlledKeys
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import Algorithm, generate
from did_health.limits import MAX_VERIFICATION_METHODS
from tests.conftest import repeatable_bytes

NOW = datetime(2026, 3, 1, tzinfo=UTC)
URL = "https://university.example/issuers/565049"
ONE, TWO = (generate(repeatable_bytes(seed), Algorithm.P256).public_key for seed in ("one", "two"))


def method(name: str = "one", **changes: Any) -> dict[str, Any]:
    key = ONE if name == "one" else TWO
    return {"id": f"{URL}#{name}", "type": "JsonWebKey", "controller": URL, "publicKeyJwk": {**key.jwk, "kid": f"jwk-{name}"}, **changes}


def document(*methods: Any, **changes: Any) -> dict[str, Any]:
    return {"id": URL, "verificationMethod": list(methods or [method()]), "assertionMethod": ["#one"], **changes}


def parse(source: Any) -> ControlledIdentifierDocument:
    return ControlledIdentifierDocument.parse(source, url=URL)


def test_a_key_is_found_by_its_url_by_its_jwks_kid_and_alone() -> None:
    """§2.2.4: embedded or referred to; §3.3; VC-JOSE-COSE 1.0 §4.1."""
    parsed = parse(json.dumps(document(method(), method("two", id="#two"))))
    assert set(parsed.verification_methods) == {f"{URL}#one", f"{URL}#two"}
    for url in (f"{URL}#one", f"{URL}#jwk-one", URL):
        assert parsed.key(url, "assertionMethod", NOW) == ONE
    embedded = parse(document(authentication=[method("two")]))
    assert embedded.key(f"{URL}#two", "authentication", NOW) == TWO
    thumbprint = f"{URL}/keys/urn:ietf:params:oauth:jwk-thumbprint:sha-256:x"
    assert parse(document(method(id=thumbprint), assertionMethod=[thumbprint])).key(thumbprint, "assertionMethod", NOW) == ONE


@pytest.mark.parametrize(
    ("changes", "url", "purpose", "code"),
    [
        ({}, f"{URL}#three", "assertionMethod", "INVALID_VERIFICATION_METHOD"),
        ({}, "https://other.example#one", "assertionMethod", "INVALID_VERIFICATION_METHOD"),
        ({}, f"{URL}#one", "authentication", "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"),
        ({}, f"{URL}#one", "unheard", "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"),
        ({}, URL, "authentication", "INVALID_VERIFICATION_METHOD"),
        ({"controller": "https://other.example"}, f"{URL}#one", "assertionMethod", "INVALID_VERIFICATION_METHOD"),
        ({"expires": "2026-02-01T00:00:00Z"}, f"{URL}#one", "assertionMethod", "INVALID_VERIFICATION_METHOD"),
        ({"revoked": "2026-02-01T00:00:00Z"}, f"{URL}#one", "assertionMethod", "INVALID_VERIFICATION_METHOD"),
        ({"publicKeyJwk": "x"}, f"{URL}#one", "assertionMethod", "INVALID_VERIFICATION_METHOD"),
        ({"publicKeyJwk": {**ONE.jwk, "d": "AA"}}, f"{URL}#one", "assertionMethod", "INVALID_VERIFICATION_METHOD"),
        *(
            ({secret: {} if secret.endswith("Jwk") else "z"}, f"{URL}#one", "assertionMethod", "INVALID_VERIFICATION_METHOD")
            for secret in ("secretKeyJwk", "secretKeyMultibase", "privateKeyJwk", "privateKeyMultibase", "privateKeyBase58")
        ),
    ],
)
def test_keys_that_may_not_be_used(changes: dict[str, Any], url: str, purpose: str, code: str) -> None:
    """§3.3, with the errors of §3.4."""
    with pytest.raises(VerificationError) as caught:
        parse(document(method(**changes))).key(url, purpose, NOW)
    assert caught.value.code == code


def test_unknown_types_of_keys_are_unsupported() -> None:
    with pytest.raises(UnsupportedError):
        parse(document(method(type="Other"))).key(f"{URL}#one", "assertionMethod", NOW)


@pytest.mark.parametrize(
    "source",
    [
        b"[]",
        {},
        {"id": 1},
        {"id": "#x"},
        document(verificationMethod={}),
        document("x"),
        document({"id": f"{URL}#one"}),
        document(method(id=1)),
        document(method(id="one")),
        document(method(controller=None)),
        document(method(expires="soon")),
        document(method(), method(type="Multikey")),
        document(method(publicKeyMultibase=ONE.multikey)),
        document(assertionMethod=[method(publicKeyMultibase=ONE.multikey)]),
        document({name: value for name, value in method().items() if name != "controller"}),
        document({name: value for name, value in method().items() if name != "type"}),
        document(method(type=["JsonWebKey"])),
        document(method(revoked="2026-02-01")),
        document(controller=5),
        document(controller=["university"]),
        document(alsoKnownAs="https://other.example"),
        document(alsoKnownAs=["other"]),
        document(assertionMethod="#one"),
        document(assertionMethod=[1]),
        document(assertionMethod=["one"]),
        document(*(method(id=f"#{number}") for number in range(MAX_VERIFICATION_METHODS + 1))),
    ],
)
def test_malformed_documents_are_refused(source: Any) -> None:
    """§2.1 to §2.1.3, §2.2, §2.2.1, §2.3."""
    with pytest.raises(FormatError) as caught:
        parse(source)
    assert caught.value.code == "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT"


def test_other_names_and_controllers_of_a_document_are_urls() -> None:
    """§2.1.2, §2.1.3; the controller of a document says nothing about who controls its methods (§2.2)."""
    for controller in ("did:example:registrar", ["did:example:registrar", "https://registrar.example"]):
        parsed = parse(document(controller=controller, alsoKnownAs=["did:web:university.example", "urn:uuid:1"]))
        assert parsed.key(f"{URL}#one", "assertionMethod", NOW) == ONE


@pytest.mark.parametrize("relationship", ["authentication", "assertionMethod", "keyAgreement", "capabilityInvocation", "capabilityDelegation"])
def test_a_method_serves_the_relationships_that_it_is_in(relationship: str) -> None:
    """§2.3.1 to §2.3.5."""
    parsed = parse(document(**{"assertionMethod": [], relationship: [f"{URL}#one"]}))
    assert parsed.key(f"{URL}#one", relationship, NOW) == ONE
    for other in {"authentication", "assertionMethod", "keyAgreement", "capabilityInvocation", "capabilityDelegation"} - {relationship}:
        with pytest.raises(VerificationError) as caught:
            parsed.key(f"{URL}#one", other, NOW)
        assert caught.value.code == "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"


def test_a_document_about_another_url_is_refused() -> None:
    with pytest.raises(VerificationError) as caught:
        parse(document(id="https://other.example"))
    assert caught.value.code == "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID"


def test_a_source_of_keys() -> None:
    keys = ControlledKeys({URL: parse(document())}, NOW)
    assert keys(f"{URL}#one", "assertionMethod", URL) == keys(f"{URL}#one", "assertionMethod", None) == ONE
    for url, controller, code in (
        ("https://other.example#one", None, "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID"),
        (f"{URL}#one", "https://other.example", "INVALID_VERIFICATION_METHOD"),
        ("https://other.example#one", URL, "INVALID_VERIFICATION_METHOD"),
    ):
        with pytest.raises(VerificationError) as caught:
            keys(url, "assertionMethod", controller)
        assert caught.value.code == code
