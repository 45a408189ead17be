from __future__ import annotations

from collections.abc import Callable

import pytest

from did_health.errors import FormatError
from did_health.keys import Algorithm, generate, public_key_from_jwk, public_key_from_multikey, signer_from_secret
from did_health.keys.ed25519 import Ed25519PublicKey, Ed25519Signer

Random = Callable[[int], bytes]

# RFC 8037 appendix A
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
X = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"


def test_key_in_all_its_forms() -> None:
    key = signer_from_secret(Algorithm.ED25519, SEED).public_key
    assert key.algorithm is Algorithm.ED25519
    assert key.jwk == {"kty": "OKP", "crv": "Ed25519", "x": X}
    assert public_key_from_jwk(key.jwk) == public_key_from_multikey(key.multikey) == key == Ed25519PublicKey(key.raw)
    assert hash(public_key_from_jwk(key.jwk)) == hash(key)


def test_signature_verifies_and_nothing_else_does(random_bytes: Random) -> None:
    signer, other = generate(random_bytes), generate(random_bytes)
    signature = signer.sign(b"message")
    assert len(signature) == 64
    assert signer.public_key.verify(signature, b"message")
    assert not signer.public_key.verify(signature, b"Message")
    assert not other.public_key.verify(signature, b"message")
    for position in (0, 31, 32, 63):
        changed = bytearray(signature)
        changed[position] ^= 1
        assert not signer.public_key.verify(bytes(changed), b"message")


@pytest.mark.parametrize("length", [0, 1, 63, 65, 96, 1000])
def test_signature_of_another_length(length: int, random_bytes: Random) -> None:
    assert not generate(random_bytes).public_key.verify(bytes(length), b"message")


def test_signing_is_deterministic() -> None:
    signer = Ed25519Signer(SEED)
    assert signer.sign(b"m") == signer.sign(b"m")
    assert signer.secret == SEED


@pytest.mark.parametrize(
    "raw",
    [
        "", "00" * 31, "00" * 33,
        "00" * 32,  # order 4
        "01" + "00" * 31,  # the neutral element
        "ec" + "ff" * 30 + "7f",  # order 2
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",  # order 8
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",  # order 8
        "ed" + "ff" * 30 + "7f",  # zero, not reduced
        "ee" + "ff" * 30 + "7f",  # one, not reduced
        "ff" * 32,
        "02" + "00" * 31,  # not on the curve
    ],
)  # fmt: skip
def test_bytes_that_are_no_key(raw: str) -> None:
    with pytest.raises(FormatError, match="not an Ed25519 public key"):
        Ed25519PublicKey(bytes.fromhex(raw))


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_secret_of_another_length(length: int) -> None:
    with pytest.raises(FormatError, match="32 bytes"):
        signer_from_secret(Algorithm.ED25519, bytes(length))


def test_repr_shows_no_secret() -> None:
    signer = Ed25519Signer(SEED)
    assert repr(signer) == f"Ed25519Signer({signer.public_key.multikey})"
    assert SEED.hex() not in repr(signer)
    assert not hasattr(signer, "__dict__")


def test_x25519_of_did_key() -> None:
    """The pair of keys in the did:key specification's example of Ed25519 and X25519."""
    key = public_key_from_multikey("z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK")
    assert isinstance(key, Ed25519PublicKey)
    from did_health.encoding import multikey

    assert multikey.encode("x25519-pub", key.x25519()) == "z6LSj72tK8brWgZja8NLRwPigth2T9QRiG1uH9oKZuKjdh9p"
