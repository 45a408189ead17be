"""Multikey text of a public key (Controlled Identifiers 1.0 §2.2.2): base58btc multibase of a multicodec prefix and the key."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from did_health.encoding import multibase
from did_health.errors import FormatError, UnsupportedError
from did_health.limits import MAX_MULTIKEY_CHARACTERS

# multicodec name: (varint prefix, length of the key in bytes)
_CODECS: Final = MappingProxyType({
    "ed25519-pub": (bytes.fromhex("ed01"), 32),
    "x25519-pub": (bytes.fromhex("ec01"), 32),
    "p256-pub": (bytes.fromhex("8024"), 33),
    "p384-pub": (bytes.fromhex("8124"), 49),
    "secp256k1-pub": (bytes.fromhex("e701"), 33),
    "bls12_381-g2-pub": (bytes.fromhex("eb01"), 96),
})
_BY_PREFIX: Final = MappingProxyType({prefix: (codec, length) for codec, (prefix, length) in _CODECS.items()})


def encode(codec: str, key: bytes) -> str:
    """The Multikey of a raw public key (points compressed); raises ``ValueError`` for a wrong codec or length."""
    if codec not in _CODECS:
        raise ValueError(f"unknown multicodec {codec}")
    prefix, length = _CODECS[codec]
    if len(key) != length:
        raise ValueError(f"a {codec} key has {length} bytes, not {len(key)}")
    return multibase.encode("z", prefix + key)


def decode(text: str) -> tuple[str, bytes]:
    """``(multicodec name, raw public key)``; raises ``FormatError``, or ``UnsupportedError`` for another kind of key."""
    if len(text) > MAX_MULTIKEY_CHARACTERS:
        raise FormatError(f"the Multikey has more than {MAX_MULTIKEY_CHARACTERS} characters")
    data = multibase.decode(text, what="Multikey", allowed="z")
    if data[:2] not in _BY_PREFIX:
        raise UnsupportedError(f"no key type with the multicodec prefix {data[:2].hex()} is supported")
    codec, length = _BY_PREFIX[data[:2]]
    if len(data) != length + 2:
        raise FormatError(f"a {codec} key has {length} bytes, not {len(data) - 2}", code="INVALID_PUBLIC_KEY_LENGTH")
    return codec, data[2:]
