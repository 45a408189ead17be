"""Multikey text of a key (Controlled Identifiers 1.0 §2.2.2): base58btc multibase of a multicodec prefix and the key.

For secret keys of BLS12-381 the specification writes the prefix 0x8030 and 48 bytes, which is neither the varint of the multicodec
0x130a that it names nor the length of a scalar; published keys have 0x8a26 and 32 bytes, and so have ours.
"""

from __future__ import annotations

from collections.abc import Mapping
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
_SECRET_CODECS: Final = MappingProxyType({
    "ed25519-priv": (bytes.fromhex("8026"), 32),
    "p256-priv": (bytes.fromhex("8626"), 32),
    "p384-priv": (bytes.fromhex("8726"), 48),
    "bls12_381-g2-priv": (bytes.fromhex("8a26"), 32),
})
_BY_PREFIX: Final = MappingProxyType({prefix: (codec, length) for codec, (prefix, length) in _CODECS.items()})
_BY_SECRET_PREFIX: Final = MappingProxyType({prefix: (codec, length) for codec, (prefix, length) in _SECRET_CODECS.items()})


def encode(codec: str, key: bytes) -> str:
    """The Multikey of a raw public key (points compressed); raises ``ValueError`` for a wrong codec or length."""
    return _encode(_CODECS, codec, key)


def decode(text: str) -> tuple[str, bytes]:
    """``(multicodec name, raw public key)``; raises ``FormatError``, or ``UnsupportedError`` for another kind of key."""
    return _decode(_BY_PREFIX, text)


def encode_secret(codec: str, secret: bytes) -> str:
    """``secretKeyMultibase`` of a seed or scalar, big-endian; raises ``ValueError`` for a wrong codec or length."""
    return _encode(_SECRET_CODECS, codec, secret)


def decode_secret(text: str) -> tuple[str, bytes]:
    """``(multicodec name, secret key)`` of a ``secretKeyMultibase``; raises as ``decode``, and never shows the text."""
    return _decode(_BY_SECRET_PREFIX, text)


def _encode(codecs: Mapping[str, tuple[bytes, int]], codec: str, key: bytes) -> str:
    if codec not in codecs:
        raise ValueError(f"unknown multicodec {codec}")
    prefix, length = codecs[codec]
    if len(key) != length:
        raise ValueError(f"a {codec} key has {length} bytes, not {len(key)}")
    return multibase.encode("z", prefix + key)


def _decode(by_prefix: Mapping[bytes, tuple[str, int]], text: str) -> tuple[str, bytes]:
    if len(text) > MAX_MULTIKEY_CHARACTERS:
        raise FormatError(f"the Multikey has more than {MAX_MULTIKEY_CHARACTERS} characters")
    data = multibase.decode(text, what="Multikey", allowed="z")
    if data[:2] not in by_prefix:
        raise UnsupportedError(f"no key type with the multicodec prefix {data[:2].hex()} is supported")
    codec, length = by_prefix[data[:2]]
    if len(data) != length + 2:
        raise FormatError(f"a {codec} key has {length} bytes, not {len(data) - 2}", code="INVALID_PUBLIC_KEY_LENGTH")
    return codec, data[2:]
