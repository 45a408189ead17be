"""JSON Web Keys, RFC 7517 and RFC 7518 §6, RFC 8037 §2, RFC 7638."""

from __future__ import annotations

from typing import Any

import pytest

from did_health.errors import DidHealthError, FormatError, UnsupportedError, VerificationError
from did_health.keys import JWK, Algorithm, JWKSet, generate, thumbprint
from did_health.limits import MAX_JWK_SET_KEYS
from tests.conftest import repeatable_bytes

ALGORITHMS = (Algorithm.ED25519, Algorithm.P256, Algorithm.P384)
KEYS = {algorithm: generate(repeatable_bytes(f"jwk {algorithm}"), algorithm).public_key for algorithm in ALGORITHMS}
ED = KEYS[Algorithm.ED25519]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_jwk_gives_its_key_name_and_algorithm(algorithm: Algorithm) -> None:
    """RFC 7517 §4; RFC 7518 §6.2; RFC 8037 §2."""
    alg = {"Ed25519": "EdDSA", "P-256": "ES256", "P-384": "ES384"}[algorithm]
    raw = {**KEYS[algorithm].jwk, "kid": "one", "alg": alg, "use": "sig", "key_ops": ["verify"], "other": 1}
    jwk = JWK.parse(raw)
    assert (jwk.public_key, jwk.kid, jwk.alg, jwk.raw) == (KEYS[algorithm], "one", alg, raw)


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ({"use": "enc"}, UnsupportedError),
        ({"key_ops": ["encrypt"]}, UnsupportedError),
        ({"key_ops": "verify"}, UnsupportedError),
        ({"alg": "ES256"}, UnsupportedError),
        ({"alg": "ECDH-ES"}, UnsupportedError),
        ({"crv": "X25519"}, UnsupportedError),
        ({"d": "AA"}, FormatError),
        ({"kid": 1}, FormatError),
        ({"alg": 1}, FormatError),
        ({"x": "AA"}, FormatError),
    ],
)
def test_keys_that_must_not_verify_are_refused(members: dict[str, Any], error: type[DidHealthError]) -> None:
    """RFC 7517 §4.2 (use), §4.3 (key_ops), §4.4 (alg); RFC 7518 §6.2.1: coordinates of full length, on the curve; RFC 7518 §6.2.2: no private key."""
    with pytest.raises(error):
        JWK.parse({**ED.jwk, **members})


def test_a_jwk_is_an_object() -> None:
    """RFC 7517 §4."""
    with pytest.raises(FormatError, match="not an object"):
        JWK.parse("key")


def test_a_set_finds_keys_by_name_and_ignores_what_it_does_not_support() -> None:
    """RFC 7517 §5."""
    p256 = KEYS[Algorithm.P256]
    found = JWKSet.parse({"keys": [{"kty": "RSA"}, {**ED.jwk, "kid": "a"}, "x", {**p256.jwk, "kid": "b"}, {**p256.jwk, "kid": "c"}]})
    assert [jwk.kid for jwk in found.keys] == ["a", "b", "c"]
    assert found.key("a") == ED
    assert found.key("c") == p256
    for kid in ("d", None):
        with pytest.raises(VerificationError) as caught:
            found.key(kid)
        assert caught.value.code == "INVALID_VERIFICATION_METHOD"
    assert JWKSet.parse(b'{"keys":[{"kty":"OKP","crv":"Ed25519","x":"%s"}]}' % ED.jwk["x"].encode()).key(None) == ED


@pytest.mark.parametrize("source", [b"[]", "{}", {"keys": {}}, {"keys": [{}] * (MAX_JWK_SET_KEYS + 1)}])
def test_what_is_no_set_is_refused(source: Any) -> None:
    """RFC 7517 §5, §5.1."""
    with pytest.raises(FormatError):
        JWKSet.parse(source)


def test_thumbprints_depend_on_the_key_alone() -> None:
    """RFC 7638 §3."""
    prints = {thumbprint({**key.jwk, "kid": "x"}) for key in KEYS.values()}
    assert len(prints) == 3
    assert all(thumbprint(key.jwk) in prints for key in KEYS.values())
    with pytest.raises(UnsupportedError):
        thumbprint({"kty": "oct", "k": "AA"})
    with pytest.raises(FormatError, match="lacks"):
        thumbprint({"kty": "OKP", "crv": "Ed25519"})
