"""DID documents, DID Core 1.0 §5, statement by statement; Controlled Identifiers 1.0 §2 where it says the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from did_health.did.document import RELATIONSHIPS, DIDDocument
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import Algorithm, generate
from did_health.keys.ed25519 import Ed25519PublicKey
from did_health.limits import MAX_VERIFICATION_METHODS
from tests.conftest import repeatable_bytes

BOARD = "did:web:board.example"
KEY = f"{BOARD}#key-1"
RANDOM = repeatable_bytes("did documents")
ED25519 = generate(RANDOM).public_key
P256 = generate(RANDOM, Algorithm.P256).public_key
P384 = generate(RANDOM, Algorithm.P384).public_key
MULTIKEY = {"id": KEY, "type": "Multikey", "controller": BOARD, "publicKeyMultibase": ED25519.multikey}


def board(method: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    return {"id": BOARD, "verificationMethod": [{**MULTIKEY, **(method or {})}], "assertionMethod": [KEY], **members}


def with_material(**members: Any) -> dict[str, Any]:
    return {"id": BOARD, "assertionMethod": [{"id": KEY, "controller": BOARD, **members}]}


def refusal(document: dict[str, Any], now: datetime, url: str = KEY, purpose: str = "assertionMethod") -> str:
    with pytest.raises(VerificationError) as caught:
        DIDDocument.parse(document).key(url, purpose, now)
    return caught.value.code


def test_key_of_a_referenced_method(now: datetime) -> None:
    """§5.3."""
    assert DIDDocument.parse(board()).key(KEY, "assertionMethod", now) == ED25519


def test_key_is_parsed_once(now: datetime) -> None:
    document = DIDDocument.parse(board())
    assert document.key(KEY, "assertionMethod", now) is document.key(KEY, "assertionMethod", now)


def test_references_and_ids_may_be_relative(now: datetime) -> None:
    """§3.2.2."""
    document = DIDDocument.parse(board({"id": "#key-1"}, authentication=["#key-1"], service=[{"id": "#s", "type": "T", "serviceEndpoint": "https://a.example"}]))
    assert document.key(KEY, "authentication", now) == ED25519
    assert list(document.verification_methods) == [KEY]
    assert document.services[0].id == f"{BOARD}#s"


@pytest.mark.parametrize("relationship", RELATIONSHIPS)
def test_an_embedded_method_serves_its_relationship_only(relationship: str, now: datetime) -> None:
    """§5.2.2, §5.3: embedded, it is for that purpose alone."""
    document = DIDDocument.parse({"id": BOARD, relationship: [MULTIKEY]})
    assert document.key(KEY, relationship, now) == ED25519
    assert list(document.relationship(relationship)) == [KEY]
    for other in set(RELATIONSHIPS) - {relationship}:
        assert refusal(document.raw, now, purpose=other) == "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"


def test_the_same_method_may_be_embedded_twice(now: datetime) -> None:
    document = DIDDocument.parse({"id": BOARD, "assertionMethod": [MULTIKEY], "authentication": [dict(MULTIKEY)]})
    assert document.key(KEY, "authentication", now) == document.key(KEY, "assertionMethod", now)


@pytest.mark.parametrize("purpose", ["authentication", "verificationMethod", "id", "", "nonsense"])
def test_a_purpose_that_the_document_does_not_allow(purpose: str, now: datetime) -> None:
    """§5.3.1 to §5.3.5."""
    assert refusal(board(), now, purpose=purpose) == "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"


def test_a_key_that_is_not_in_the_document(now: datetime) -> None:
    assert refusal(board(), now, f"{BOARD}#key-2") == "INVALID_VERIFICATION_METHOD"
    assert refusal(board(assertionMethod=[f"{BOARD}#key-2"]), now, f"{BOARD}#key-2") == "INVALID_VERIFICATION_METHOD"


def test_a_key_of_another_did(now: datetime) -> None:
    assert refusal(board(), now, "did:web:other.example#key-1") == "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID"


def test_a_method_that_another_did_names_does_not_verify(now: datetime) -> None:
    url = "did:web:other.example#key-1"
    assert refusal(board({"id": url}, assertionMethod=[url]), now, url) == "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID"


@pytest.mark.parametrize("url", ["", "key-1", "#key-1", "https://board.example/#key-1"])
def test_a_name_that_is_no_did_url(url: str, now: datetime) -> None:
    assert refusal(board(), now, url) == "INVALID_VERIFICATION_METHOD_URL"


def test_parameters_of_the_name_are_not_part_of_it(now: datetime) -> None:
    assert DIDDocument.parse(board()).key(f"{BOARD}?versionId=1#key-1", "assertionMethod", now) == ED25519


def test_a_method_with_another_controller_does_not_verify(now: datetime) -> None:
    """§5.2, controller."""
    assert refusal(board({"controller": "did:web:other.example"}), now) == "INVALID_VERIFICATION_METHOD"


@pytest.mark.parametrize("controller", ["did:web:authority.example", ["did:web:a.example", "did:web:authority.example"]])
def test_a_controller_of_the_document_may_control_its_keys(controller: object, now: datetime) -> None:
    """§5.1.2, §5.2."""
    document = DIDDocument.parse(board({"controller": "did:web:authority.example"}, controller=controller))
    assert document.key(KEY, "assertionMethod", now) == ED25519
    assert "did:web:authority.example" in document.controllers


def test_a_method_without_controller_is_read_but_does_not_verify(now: datetime) -> None:
    """§5.2: it must have one."""
    document = board()
    del document["verificationMethod"][0]["controller"]
    assert DIDDocument.parse(document).verification_methods[KEY].public_key == ED25519
    assert refusal(document, now) == "INVALID_VERIFICATION_METHOD"


@pytest.mark.parametrize("member", ["expires", "revoked"])
def test_expiry_and_revocation_count_from_their_instant(member: str, now: datetime) -> None:
    document = DIDDocument.parse(board({member: "2026-03-01T13:00:00+01:00"}))
    assert document.key(KEY, "assertionMethod", now - timedelta(microseconds=1)) == ED25519
    for moment in (now, now + timedelta(days=1)):
        assert refusal(document.raw, moment) == "INVALID_VERIFICATION_METHOD"


@pytest.mark.parametrize("key", [ED25519, P256, P384])
@pytest.mark.parametrize("kind", ["JsonWebKey", "JsonWebKey2020", "Multikey"])
def test_kinds_of_methods(kind: str, key: Any, now: datetime) -> None:
    """§5.2.1."""
    material = {"publicKeyMultibase": key.multikey} if kind == "Multikey" else {"publicKeyJwk": key.jwk}
    assert DIDDocument.parse(with_material(type=kind, **material)).key(KEY, "assertionMethod", now) == key


def test_the_ed25519_suites_of_2018_and_2020(now: datetime) -> None:
    of_2020 = with_material(type="Ed25519VerificationKey2020", publicKeyMultibase=ED25519.multikey)
    assert DIDDocument.parse(of_2020).key(KEY, "assertionMethod", now) == ED25519
    of_2018 = with_material(type="Ed25519VerificationKey2018", publicKeyBase58="4zvwRjXUKGfvwnParsHAS3HuSVzV5cA4McphgmoCtajS")
    key = DIDDocument.parse(of_2018).key(KEY, "assertionMethod", now)
    assert isinstance(key, Ed25519PublicKey)
    assert key.multikey == "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"


@pytest.mark.parametrize(
    "members",
    [
        {"type": "Multikey"},
        {"type": "Multikey", "publicKeyMultibase": 1},
        {"type": "Multikey", "publicKeyMultibase": "z0"},
        {"type": "Multikey", "publicKeyMultibase": "u7QE"},
        {"type": "Multikey", "publicKeyJwk": ED25519.jwk},
        {"type": "Ed25519VerificationKey2020", "publicKeyMultibase": P256.multikey},
        {"type": "Ed25519VerificationKey2018", "publicKeyBase58": "0"},
        {"type": "JsonWebKey", "publicKeyJwk": "text"},
        {"type": "JsonWebKey", "publicKeyJwk": {}},
        {"type": "JsonWebKey", "publicKeyJwk": {**ED25519.jwk, "d": "AAAA"}},
        {"type": "JsonWebKey", "publicKeyJwk": {**P256.jwk, "y": P256.jwk["x"]}},
    ],
)
def test_malformed_keys_do_not_verify(members: dict[str, Any], now: datetime) -> None:
    """§5.2.1."""
    assert refusal(with_material(**members), now) == "INVALID_VERIFICATION_METHOD"


@pytest.mark.parametrize(
    "members",
    [
        {"type": "RsaVerificationKey2018", "publicKeyJwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}},
        {"type": "Multikey", "publicKeyMultibase": "z6LSj72tK8brWgZja8NLRwPigth2T9QRiG1uH9oKZuKjdh9p"},
        {"type": "JsonWebKey", "publicKeyJwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}},
        {"type": "JsonWebKey", "publicKeyJwk": {**ED25519.jwk, "use": "enc"}},
        {"type": "JsonWebKey", "publicKeyJwk": {**ED25519.jwk, "key_ops": ["deriveKey"]}},
        {"type": "JsonWebKey", "publicKeyJwk": {**ED25519.jwk, "key_ops": "verify"}},
    ],
)
def test_keys_of_other_kinds_are_unsupported(members: dict[str, Any], now: datetime) -> None:
    with pytest.raises(UnsupportedError):
        DIDDocument.parse(with_material(**members)).key(KEY, "assertionMethod", now)


def test_a_jwk_for_verifying_verifies(now: datetime) -> None:
    jwk = {**ED25519.jwk, "use": "sig", "key_ops": ["verify"]}
    assert DIDDocument.parse(with_material(type="JsonWebKey", publicKeyJwk=jwk)).key(KEY, "assertionMethod", now) == ED25519


def test_a_bad_key_does_not_hide_a_good_one(now: datetime) -> None:
    bad = {**MULTIKEY, "id": "#bad", "publicKeyMultibase": "z1"}
    document = DIDDocument.parse(board(verificationMethod=[bad, MULTIKEY], assertionMethod=["#bad", "#key-1"]))
    assert document.key(KEY, "assertionMethod", now) == ED25519


def test_the_document_is_kept_as_received() -> None:
    """§6.1: unknown members survive."""
    document = {"@context": ["https://www.w3.org/ns/did/v1"], **board(alsoKnownAs=["https://board.example"], unknown={"a": 1})}
    parsed = DIDDocument.parse(document)
    assert parsed.raw is document
    assert parsed.id == BOARD
    assert parsed.also_known_as == ("https://board.example",)
    assert parsed.verification_methods[KEY].raw == MULTIKEY


def test_services() -> None:
    """§5.4."""
    services = [
        {"id": f"{BOARD}#a", "type": "Files", "serviceEndpoint": "https://board.example/files/"},
        {"id": "https://board.example/b", "type": ["A", "B"], "serviceEndpoint": [{"uri": "x"}, "https://board.example/b"]},
        {"id": "#c", "type": "C", "serviceEndpoint": {"accept": []}},
    ]
    parsed = DIDDocument.parse(board(service=services)).services
    assert [(service.types, service.endpoints) for service in parsed] == [
        (("Files",), ("https://board.example/files/",)),
        (("A", "B"), ("https://board.example/b",)),
        (("C",), ()),
    ]


def test_too_many_verification_methods() -> None:
    methods = [{**MULTIKEY, "id": f"#k{number}"} for number in range(MAX_VERIFICATION_METHODS + 1)]
    with pytest.raises(FormatError, match="more than 256"):
        DIDDocument.parse(board(verificationMethod=methods))


SERVICE = {"id": "#s", "type": "T", "serviceEndpoint": "https://a.example"}


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ([], ""),
        ({}, "/id"),
        ({"id": 1}, "/id"),
        ({"id": "board.example"}, "/id"),
        ({"id": f"{BOARD}#a"}, "/id"),
        (board(controller="nobody"), "/controller"),
        (board(controller=[1]), "/controller"),
        (board(controller={}), "/controller"),
        (board(alsoKnownAs="text"), "/alsoKnownAs"),
        (board(alsoKnownAs=[1]), "/alsoKnownAs"),
        (board(verificationMethod={}), "/verificationMethod"),
        (board(verificationMethod=["text"]), "/verificationMethod/0"),
        (board({"id": 1}), "/verificationMethod/0/id"),
        (board({"id": "key-1"}), "/verificationMethod/0/id"),
        (board({"type": None}), "/verificationMethod/0/type"),
        (board({"controller": 1}), "/verificationMethod/0/controller"),
        (board({"controller": KEY}), "/verificationMethod/0/controller"),
        (board({"expires": 1}), "/verificationMethod/0/expires"),
        (board({"expires": "tomorrow"}), "/verificationMethod/0/expires"),
        (board({"revoked": "2026-02-30T00:00:00Z"}), "/verificationMethod/0/revoked"),
        (board({"publicKeyJwk": {}}), "/verificationMethod/0"),
        (board(verificationMethod=[MULTIKEY, {**MULTIKEY, "type": "Other"}]), "/verificationMethod/1/id"),
        (board(assertionMethod=KEY), "/assertionMethod"),
        (board(assertionMethod=[1]), "/assertionMethod/0"),
        (board(assertionMethod=["key-1"]), "/assertionMethod/0"),
        (board(service=SERVICE), "/service"),
        (board(service=["text"]), "/service/0"),
        (board(service=[{**SERVICE, "id": None}]), "/service/0/id"),
        (board(service=[{**SERVICE, "id": "s"}]), "/service/0/id"),
        (board(service=[{**SERVICE, "type": {}}]), "/service/0/type"),
        (board(service=[{**SERVICE, "serviceEndpoint": 1}]), "/service/0/serviceEndpoint"),
        (board(service=[{**SERVICE, "serviceEndpoint": []}]), "/service/0/serviceEndpoint"),
        (board(service=[{**SERVICE, "serviceEndpoint": "no url"}]), "/service/0/serviceEndpoint"),
    ],
)
def test_malformed_documents_say_where(document: Any, where: str) -> None:
    """§5.1.1, §5.1.2, §5.1.3, §5.2, §5.3, §5.4."""
    with pytest.raises(FormatError) as caught:
        DIDDocument.parse(document)
    assert caught.value.code == "INVALID_DID_DOCUMENT"
    assert caught.value.where == where


def test_unknown_relationships_are_empty() -> None:
    assert dict(DIDDocument.parse(board()).relationship("nonsense")) == {}


def test_instants_are_utc() -> None:
    method = DIDDocument.parse(board({"expires": "2026-03-01T13:00:00+01:00"})).verification_methods[KEY]
    assert method.expires == datetime(2026, 3, 1, 12, tzinfo=UTC)
