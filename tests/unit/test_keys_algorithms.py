from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from did_health.encoding import multikey
from did_health.errors import FormatError, UnsupportedError
from did_health.keys import Algorithm, generate, public_key_from_jwk, public_key_from_multikey

OKP = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
# RFC 7517 appendix A.1
EC = {"kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}


@pytest.mark.parametrize("jwk", [OKP, EC], ids=["OKP", "EC"])
def test_members_that_are_not_of_the_key_are_passed_over(jwk: dict[str, Any]) -> None:
    assert public_key_from_jwk({**jwk, "kid": "1", "use": "sig"}) == public_key_from_jwk(jwk)


@pytest.mark.parametrize("jwk", [OKP, EC], ids=["OKP", "EC"])
def test_private_key_is_refused_loudly_and_not_shown(jwk: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match="private key") as caught:
        public_key_from_jwk({**jwk, "d": "very-secret"})
    assert "very-secret" not in str(caught.value)


@pytest.mark.parametrize(
    "jwk",
    [
        {}, {"kty": 1}, {"kty": None, "crv": "Ed25519"}, {**OKP, "x": None}, {**OKP, "x": 5}, {**OKP, "x": ""}, {**OKP, "x": "AAAA"},
        {**OKP, "x": OKP["x"] + "="}, {**OKP, "x": "é" * 43}, {"kty": "OKP", "crv": "Ed25519"}, {**EC, "y": EC["x"]}, {**EC, "y": None},
        {"kty": "EC", "crv": "P-256", "x": EC["x"]}, {**EC, "x": "AA"}, {**EC, "crv": "P-384"},
    ],
)  # fmt: skip
def test_malformed_jwk(jwk: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        public_key_from_jwk(jwk)


@pytest.mark.parametrize(
    "jwk",
    [
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"}, {"kty": "oct"}, {"kty": "OKP", "crv": "X25519", "x": "AA"}, {"kty": "OKP", "crv": "Ed448"},
        {"kty": "EC", "crv": "secp256k1"}, {"kty": "EC", "crv": "P-521"}, {"kty": "EC", "crv": ["P-256"]}, {"kty": "EC"}, {"kty": "OKP", "crv": "P-256"},
    ],
)  # fmt: skip
def test_other_kinds_of_key(jwk: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedError):
        public_key_from_jwk(jwk)


@pytest.mark.parametrize(("codec", "length"), [("x25519-pub", 32), ("secp256k1-pub", 33)])
def test_multikey_that_does_not_sign_here(codec: str, length: int) -> None:
    with pytest.raises(UnsupportedError, match=codec):
        public_key_from_multikey(multikey.encode(codec, bytes(length)))


def test_parsed_keys_are_kept() -> None:
    text = public_key_from_jwk(OKP).multikey
    assert public_key_from_multikey(text) is public_key_from_multikey(text)


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_generated_keys_are_of_their_algorithm_and_differ(algorithm: Algorithm, random_bytes: Callable[[int], bytes]) -> None:
    signers = [generate(random_bytes, algorithm) for _ in range(3)]
    assert {signer.public_key.algorithm for signer in signers} == {algorithm}
    assert len({signer.public_key for signer in signers}) == 3
