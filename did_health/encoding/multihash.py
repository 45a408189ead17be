"""Multihash: a hash function's code, the digest's length, the digest.

SHA-256 and SHA-384 are what the specifications here use; every other registered function goes through the multiformats package.
"""

from __future__ import annotations

import hashlib

from did_health.encoding import varint
from did_health.errors import FormatError, UnsupportedError

SHA2_256 = bytes.fromhex("1220")
"""Prefix of a SHA-256 multihash: code 0x12, 32 bytes."""
SHA2_384 = bytes.fromhex("2030")
"""Prefix of a SHA-384 multihash: code 0x20, 48 bytes."""


def sha2_256(data: bytes) -> bytes:
    """The multihash of ``data`` under SHA-256 (34 bytes)."""
    return SHA2_256 + hashlib.sha256(data).digest()


def decode(multihash: bytes) -> tuple[int, bytes]:
    """``(function code, digest)``; raises ``FormatError`` unless the length fits."""
    code, used = varint.decode(multihash)
    length, more = varint.decode(multihash[used:])
    digest = multihash[used + more :]
    if len(digest) != length:
        raise FormatError(f"the multihash holds {len(digest)} bytes of digest and announces {length}")
    return code, digest


def matches(multihash: bytes, data: bytes) -> bool:
    """Whether ``multihash`` (which may be truncated) is the hash of ``data``.

    Raises ``FormatError``, or ``UnsupportedError`` for a function that is not available.
    """
    code, digest = decode(multihash)
    if multihash.startswith(SHA2_256):
        return hashlib.sha256(data).digest() == digest
    from multiformats import multihash as registry

    try:
        whole = registry.get(code=code).digest(data)
    except (KeyError, ValueError, NotImplementedError) as error:
        raise UnsupportedError(f"no hash function with the multihash code {code:#x} is available") from error
    return decode(bytes(whole))[1][: len(digest)] == digest and bool(digest)
