from __future__ import annotations

from collections.abc import Callable

import pytest

from did_health.errors import FormatError
from did_health.keys import Algorithm, generate, public_key_from_jwk, public_key_from_multikey, signer_from_secret
from did_health.keys.nist import NISTPublicKey, NISTSigner

Random = Callable[[int], bytes]

ORDER = {
    Algorithm.P256: 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    Algorithm.P384: 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
}
SIZE = {Algorithm.P256: 32, Algorithm.P384: 48}


@pytest.fixture(params=[Algorithm.P256, Algorithm.P384])
def algorithm(request: pytest.FixtureRequest) -> Algorithm:
    return Algorithm(request.param)


def test_key_in_all_its_forms(algorithm: Algorithm, random_bytes: Random) -> None:
    for _ in range(4):
        key = generate(random_bytes, algorithm).public_key
        assert isinstance(key, NISTPublicKey)
        assert key.algorithm is algorithm
        assert len(key.raw) == SIZE[algorithm] + 1
        assert set(key.jwk) == {"kty", "crv", "x", "y"}
        assert public_key_from_jwk(key.jwk) == public_key_from_multikey(key.multikey) == key
        assert NISTPublicKey.from_coordinates(algorithm, *key.coordinates()) == key
        assert hash(public_key_from_jwk(key.jwk)) == hash(key)


def test_signature_verifies_and_nothing_else_does(algorithm: Algorithm, random_bytes: Random) -> None:
    signer, other = generate(random_bytes, algorithm), generate(random_bytes, algorithm)
    signature = signer.sign(b"message")
    size = SIZE[algorithm]
    assert len(signature) == 2 * size
    assert signer.public_key.verify(signature, b"message")
    assert not signer.public_key.verify(signature, b"Message")
    assert not other.public_key.verify(signature, b"message")
    for length in (0, 1, size, 2 * size - 1, 2 * size + 1, 72):
        assert not signer.public_key.verify(signature[:length].ljust(length, b"\0"), b"message")
    for bad in (bytes(2 * size), b"\xff" * (2 * size), signature[:size] + bytes(size), bytes(size) + signature[size:]):
        assert not signer.public_key.verify(bad, b"message")


def test_signing_is_deterministic(algorithm: Algorithm, random_bytes: Random) -> None:
    signer = generate(random_bytes, algorithm)
    assert signer.sign(b"m") == signer.sign(b"m")
    assert signer_from_secret(algorithm, signer.secret).sign(b"m") == signer.sign(b"m")


def test_secret_must_be_a_scalar(algorithm: Algorithm) -> None:
    size = SIZE[algorithm]
    for secret in (bytes(size), ORDER[algorithm].to_bytes(size, "big"), b"\xff" * size, bytes(size - 1), bytes(size + 1), b""):
        with pytest.raises(FormatError):
            signer_from_secret(algorithm, secret)
    assert signer_from_secret(algorithm, (ORDER[algorithm] - 1).to_bytes(size, "big")).secret == (ORDER[algorithm] - 1).to_bytes(size, "big")


def test_short_scalar_keeps_its_full_length(algorithm: Algorithm) -> None:
    secret = b"\1".rjust(SIZE[algorithm], b"\0")
    assert signer_from_secret(algorithm, secret).secret == secret


def test_draw_beyond_the_order_is_drawn_again(algorithm: Algorithm) -> None:
    size = SIZE[algorithm]
    draws = iter([b"\xff" * size, bytes(size), b"\7" * size])
    assert generate(lambda length: next(draws), algorithm).secret == b"\7" * size


def test_point_has_one_form(algorithm: Algorithm, random_bytes: Random) -> None:
    key = generate(random_bytes, algorithm).public_key
    assert isinstance(key, NISTPublicKey)
    x, y = key.coordinates()
    for raw in (b"", b"\0", b"\4" + x + y, b"\6" + x + y, b"\5" + x, b"\0" + x, key.raw[:-1], key.raw + b"\0"):
        with pytest.raises(FormatError, match="not a compressed"):
            NISTPublicKey(algorithm, raw)


def test_point_that_is_not_on_the_curve(algorithm: Algorithm, random_bytes: Random) -> None:
    size = SIZE[algorithm]
    with pytest.raises(FormatError, match="not a point on"):
        NISTPublicKey(algorithm, b"\2" + b"\xff" * size)
    key = generate(random_bytes, algorithm).public_key
    assert isinstance(key, NISTPublicKey)
    x, y = key.coordinates()
    for wrong in (bytes(size), y[:-2] + bytes((y[-2] ^ 1, y[-1])), x):
        with pytest.raises(FormatError):
            NISTPublicKey.from_coordinates(algorithm, x, wrong)
    for short in (b"", x[1:], b"\0" + x):
        with pytest.raises(FormatError, match=f"has {size} bytes"):
            NISTPublicKey.from_coordinates(algorithm, short, y)


def test_repr_shows_no_secret(algorithm: Algorithm, random_bytes: Random) -> None:
    signer = generate(random_bytes, algorithm)
    assert isinstance(signer, NISTSigner)
    assert repr(signer) == f"NISTSigner({signer.public_key.multikey})"
    assert not hasattr(signer, "__dict__")
