from __future__ import annotations

import pytest

from did_health.encoding import multibase, multikey
from did_health.errors import FormatError, UnsupportedError
from did_health.limits import MAX_MULTIKEY_CHARACTERS

LENGTHS = {"ed25519-pub": 32, "x25519-pub": 32, "p256-pub": 33, "p384-pub": 49, "secp256k1-pub": 33, "bls12_381-g2-pub": 96}
STARTS = {"ed25519-pub": "z6Mk", "x25519-pub": "z6LS", "p256-pub": "zDn", "p384-pub": "z82", "secp256k1-pub": "zQ3s", "bls12_381-g2-pub": "zUC"}


@pytest.mark.parametrize(("codec", "length"), LENGTHS.items())
def test_round_trip_and_the_prefix_that_people_know(codec: str, length: int) -> None:
    key = bytes((2,)) + bytes(range(length - 1))
    text = multikey.encode(codec, key)
    assert text.startswith(STARTS[codec])
    assert multikey.decode(text) == (codec, key)


@pytest.mark.parametrize(
    ("codec", "length", "start"), [("ed25519-priv", 32, "z3"), ("p256-priv", 32, "z42"), ("p384-priv", 48, "z2f"), ("bls12_381-g2-priv", 32, "z488")]
)
def test_secret_keys(codec: str, length: int, start: str) -> None:
    secret = bytes(range(1, length + 1))
    text = multikey.encode_secret(codec, secret)
    assert text.startswith(start)
    assert multikey.decode_secret(text) == (codec, secret)
    with pytest.raises(UnsupportedError) as caught:
        multikey.decode(text)
    assert text not in str(caught.value)
    with pytest.raises(ValueError, match="bytes, not"):
        multikey.encode_secret(codec, secret[1:])


def test_a_public_key_is_no_secret() -> None:
    with pytest.raises(UnsupportedError, match="ed01"):
        multikey.decode_secret(multikey.encode("ed25519-pub", bytes(32)))
    with pytest.raises(ValueError, match="unknown multicodec"):
        multikey.encode_secret("ed25519-pub", bytes(32))


@pytest.mark.parametrize(("codec", "length"), LENGTHS.items())
def test_wrong_length(codec: str, length: int) -> None:
    for wrong in (0, length - 1, length + 1):
        with pytest.raises(ValueError, match="bytes, not"):
            multikey.encode(codec, bytes(wrong))
        whole = multibase.decode(multikey.encode(codec, bytes(length)))
        with pytest.raises(FormatError, match=f"has {length} bytes, not {wrong}") as caught:
            multikey.decode(multibase.encode("z", (whole[:2] + bytes(wrong))))
        assert caught.value.code == "INVALID_PUBLIC_KEY_LENGTH"


def test_unknown_codec() -> None:
    with pytest.raises(ValueError, match="unknown multicodec"):
        multikey.encode("rsa-pub", b"")


@pytest.mark.parametrize("data", [b"", b"\xed", b"\x12\x20" + bytes(32), bytes.fromhex("8026") + bytes(32)], ids=["nothing", "cut", "hash", "secret-key"])
def test_other_prefix(data: bytes) -> None:
    with pytest.raises(UnsupportedError):
        multikey.decode(multibase.encode("z", data))


@pytest.mark.parametrize("text", ["", "u7QEAAA", "6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", "z0", "z" + "1" * MAX_MULTIKEY_CHARACTERS])
def test_malformed(text: str) -> None:
    with pytest.raises(FormatError):
        multikey.decode(text)
