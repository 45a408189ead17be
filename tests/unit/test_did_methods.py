from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from did_health.did.did import DID
from did_health.did.document import RELATIONSHIPS
from did_health.did.method import ResolutionOptions
from did_health.did.methods.jwk import did_jwk
from did_health.did.methods.key import did_key
from did_health.did.methods.table import METHODS
from did_health.did.resolution import required_urls, resolve
from did_health.encoding import multikey
from did_health.encoding.base64 import base64url_encode
from did_health.errors import ResolutionError, UnsupportedError
from did_health.keys import Algorithm, generate
from did_health.keys.ed25519 import Ed25519PublicKey
from tests.conftest import repeatable_bytes

KEYS = [generate(repeatable_bytes("did methods"), algorithm).public_key for algorithm in Algorithm]
SIGNING = ("authentication", "assertionMethod", "capabilityInvocation", "capabilityDelegation")


def code(did: str, now: datetime, resources: dict[str, bytes | None] | None = None, options: ResolutionOptions | None = None) -> str:
    with pytest.raises(ResolutionError) as caught:
        resolve(did, resources or {}, now=now, options=options or ResolutionOptions())
    return caught.value.code


def jwk_did(jwk: object) -> str:
    return "did:jwk:" + base64url_encode(json.dumps(jwk).encode())


def test_the_table_is_read_only_and_names_its_methods() -> None:
    assert {"key", "jwk", "web"} <= set(METHODS)
    assert all(METHODS[name].name == name for name in METHODS)
    with pytest.raises(TypeError):
        METHODS["key"] = METHODS["web"]  # type: ignore[index]


@pytest.mark.parametrize("key", KEYS)
def test_did_key_of_a_key(key: Any, now: datetime) -> None:
    did = did_key(key)
    assert str(did) == f"did:key:{key.multikey}"
    assert required_urls(did) == ()
    document = resolve(did, {}, now=now).active_document
    for relationship in SIGNING:
        assert document.key(did.url(key.multikey), relationship, now) == key
    assert bool(document.relationship("keyAgreement")) == (key.algorithm is Algorithm.ED25519)


def test_did_key_derives_the_encryption_key(now: datetime) -> None:
    key = KEYS[0]
    assert isinstance(key, Ed25519PublicKey)
    text = multikey.encode("x25519-pub", key.x25519())
    did = did_key(key)
    methods = resolve(did, {}, now=now).active_document.relationship("keyAgreement")
    assert {url: method.raw["publicKeyMultibase"] for url, method in methods.items()} == {did.url(text): text}


def test_did_key_is_resolved_once(now: datetime) -> None:
    did = did_key(KEYS[0])
    assert resolve(did, {}, now=now) is resolve(str(did), {}, now=now)


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("abc", "INVALID_DID"),
        ("z0", "INVALID_DID"),
        ("1:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", "INVALID_DID"),
        ("u7QGVn5oaWV3edX2CeGhkrQPfpaT71og4JWZNTi5l4TzJ4g", "INVALID_DID"),
        ("zTjsVPtY", "INVALID_PUBLIC_KEY_LENGTH"),
        (multikey.encode("ed25519-pub", b"\x02" + 31 * b"\x00"), "INVALID_PUBLIC_KEY"),
        (multikey.encode("p256-pub", b"\x05" + 32 * b"\x00"), "INVALID_PUBLIC_KEY"),
        ("zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme", "UNSUPPORTED_PUBLIC_KEY_TYPE"),
        ("z2J9gaYxrKVpdoG9A4gRnmpnRCcxU6agDtFVVBVdn1JedouoZN7SzcyREXXzWgt3gGiwpoHq7K68X4m32D8HgzG8wv3sY5j7", "UNSUPPORTED_PUBLIC_KEY_TYPE"),
    ],
)
def test_did_key_of_a_bad_key(identifier: str, expected: str, now: datetime) -> None:
    assert code(f"did:key:{identifier}", now) == expected


def test_did_key_tells_a_bad_did_before_anything_is_fetched() -> None:
    with pytest.raises(ResolutionError):
        required_urls("did:key:abc")


@pytest.mark.parametrize("key", KEYS)
def test_did_jwk_of_a_key(key: Any, now: datetime) -> None:
    did = did_jwk(key)
    assert required_urls(did) == ()
    document = resolve(did, {}, now=now).active_document
    assert document.raw["verificationMethod"][0]["publicKeyJwk"] == key.jwk
    for relationship in SIGNING:
        assert document.key(did.url("0"), relationship, now) == key


@pytest.mark.parametrize(
    ("use", "relationships"),
    [("sig", set(SIGNING)), ("enc", {"keyAgreement"}), ("other", set(RELATIONSHIPS)), (None, set(RELATIONSHIPS))],
)
def test_did_jwk_relationships_follow_use(use: str | None, relationships: set[str], now: datetime) -> None:
    jwk = KEYS[1].jwk if use is None else {**KEYS[1].jwk, "use": use}
    document = resolve(jwk_did(jwk), {}, now=now).active_document
    assert {name for name in RELATIONSHIPS if document.relationship(name)} == relationships


def test_did_jwk_keeps_the_members_of_the_jwk(now: datetime) -> None:
    jwk = {"kid": "mine", **KEYS[0].jwk, "extra": [1]}
    assert resolve(jwk_did(jwk), {}, now=now).active_document.raw["verificationMethod"][0]["publicKeyJwk"] == jwk


X25519 = {"kty": "OKP", "crv": "X25519", "x": base64url_encode(bytes(32))}


@pytest.mark.parametrize("did", ["did:key:z6LSj72tK8brWgZja8NLRwPigth2T9QRiG1uH9oKZuKjdh9p", jwk_did({**X25519, "use": "enc"})])
def test_x25519_keys_agree_on_keys_and_sign_nothing(did: str, now: datetime) -> None:
    document = resolve(did, {}, now=now).active_document
    (url,) = document.verification_methods
    assert [name for name in RELATIONSHIPS if document.relationship(name)] == ["keyAgreement"]
    with pytest.raises(UnsupportedError):
        document.key(url, "keyAgreement", now)


@pytest.mark.parametrize(
    ("did", "expected"),
    [
        (jwk_did({**KEYS[0].jwk, "d": base64url_encode(bytes(32))}), "INVALID_DID"),
        (jwk_did({"kty": "RSA", "n": "AQAB", "e": "AQAB", "p": "AQAB"}), "INVALID_DID"),
        (jwk_did({"kty": "oct", "k": "AAAA"}), "INVALID_DID"),
        (jwk_did({**X25519, "d": base64url_encode(bytes(32))}), "INVALID_DID"),
        (jwk_did({**X25519, "x": base64url_encode(bytes(31))}), "INVALID_DID"),
        (jwk_did({**X25519, "x": 1}), "INVALID_DID"),
        (jwk_did({**KEYS[0].jwk, "use": 1}), "INVALID_DID"),
        (jwk_did({**KEYS[1].jwk, "y": KEYS[1].jwk["x"]}), "INVALID_DID"),
        (jwk_did([]), "INVALID_DID"),
        (jwk_did({}), "INVALID_DID"),
        ("did:jwk:e30=", "INVALID_DID"),
        ("did:jwk:e31", "INVALID_DID"),
        ("did:jwk:a", "INVALID_DID"),
        ("did:jwk:e30:e30", "INVALID_DID"),
        (jwk_did({"kty": "RSA", "n": "AQAB", "e": "AQAB"}), "UNSUPPORTED_PUBLIC_KEY_TYPE"),
        (jwk_did({"kty": "EC", "crv": "secp256k1", "x": "AQ", "y": "AQ"}), "UNSUPPORTED_PUBLIC_KEY_TYPE"),
    ],
)
def test_did_jwk_of_a_bad_jwk(did: str, expected: str, now: datetime) -> None:
    assert code(did, now) == expected


@pytest.mark.parametrize("options", [ResolutionOptions("1"), ResolutionOptions(version_number=1)])
def test_methods_without_versions_refuse_to_choose_one(options: ResolutionOptions, now: datetime) -> None:
    for did in (did_key(KEYS[0]), did_jwk(KEYS[0]), "did:web:board.example"):
        assert code(str(did), now, options=options) == "FEATURE_NOT_SUPPORTED"


@pytest.mark.parametrize(
    ("identifier", "url"),
    [
        ("localhost%3A8080", "https://localhost:8080/.well-known/did.json"),
        ("board.example%3a443:a", "https://board.example:443/a/did.json"),
        ("xn--bcher-kva.example", "https://xn--bcher-kva.example/.well-known/did.json"),
        ("Board.Example", "https://Board.Example/.well-known/did.json"),
        ("a.example:caf%C3%A9:v1.0", "https://a.example/caf%C3%A9/v1.0/did.json"),
        ("1.example", "https://1.example/.well-known/did.json"),
    ],
)
def test_did_web_urls(identifier: str, url: str) -> None:
    assert required_urls(f"did:web:{identifier}") == (url,)


@pytest.mark.parametrize(
    "identifier",
    [
        "127.0.0.1",
        "10.0.0.1%3A8080",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "1.2.3.0x",
        "%5B%3A%3A1%5D",
        "example.org%40evil.example",
        "example.org%2Fevil",
        "example.org%3A",
        "example.org%3A0",
        "example.org%3A080",
        "example.org%3A65536",
        "example.org%3A99999999",
        "example.org%3Aabc",
        "example.org%3A80%3A81",
        "b%C3%BCcher.example",
        "exa_mple.org",
        "-a.example",
        "a-.example",
        ".example.org",
        "example.org.",
        "a..b",
        f"{'a' * 64}.example",
        ".".join(["a" * 63] * 4),
        ":a",
        "example.org::a",
        "example.org:.:a",
        "example.org:..:a",
        "example.org:%2E%2E:a",
        "example.org:%2e:a",
        "example.org:a%2Fb",
        "example.org:a%5Cb",
        "example.org:a%00",
        "example.org:a%0Ab",
        "example.org:a%7F",
    ],
)
def test_did_web_names_that_are_refused(identifier: str) -> None:
    with pytest.raises(ResolutionError) as caught:
        required_urls(f"did:web:{identifier}")
    assert caught.value.code == "INVALID_DID"


URL = "https://board.example/.well-known/did.json"


def test_did_web_document(now: datetime) -> None:
    resolution = resolve("did:web:board.example", {URL: b'{"id": "did:web:board.example"}', "https://other.example": b"{"}, now=now)
    assert resolution.active_document.id == "did:web:board.example"
    assert resolution.did == DID.parse("did:web:board.example")
    assert resolution.metadata.to_json() == {}
    assert resolution.content_type == "application/did"


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({}, "INTERNAL_ERROR"),
        ({URL: None}, "NOT_FOUND"),
        ({URL: b""}, "INVALID_DID_DOCUMENT"),
        ({URL: b"<html>"}, "INVALID_DID_DOCUMENT"),
        ({URL: b"[]"}, "INVALID_DID_DOCUMENT"),
        ({URL: b"{}"}, "INVALID_DID_DOCUMENT"),
        ({URL: b'{"id": "did:web:board.example", "service": 1}'}, "INVALID_DID_DOCUMENT"),
        ({URL: b'{"id": "did:web:board.example", "id": "did:web:board.example"}'}, "INVALID_DID_DOCUMENT"),
        ({URL: b'{"id": "did:web:other.example"}'}, "INVALID_DID_DOCUMENT"),
        ({URL: b'{"id": "did:web:Board.example"}'}, "INVALID_DID_DOCUMENT"),
        ({URL: b'{"id": "did:web:board.example", "x": "' + b"a" * (1 << 20) + b'"}'}, "INVALID_DID_DOCUMENT"),
    ],
)
def test_did_web_documents_that_are_refused(resources: dict[str, bytes | None], expected: str, now: datetime) -> None:
    assert code("did:web:board.example", now, resources) == expected
