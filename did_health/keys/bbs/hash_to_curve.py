"""Hashing to BLS12-381 G1 (RFC 9380): both ways of expanding a message, and ``hash_to_curve`` of the suites with SSWU and random oracle."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from did_health.keys.bbs.curve import curve

if TYPE_CHECKING:
    from py_arkworks_bls12381 import G1Point

ExpandMessage: TypeAlias = Callable[[bytes, bytes, int], bytes]
"""``(message, domain separation tag, length)`` to that many uniform bytes (§5.3); raises ``ValueError`` beyond its bounds."""

_FIELD_MODULUS: Final = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
# §5.1: L = ceil((ceil(log2(p)) + k) / 8) for the 381 bits of p and the security level of 128 bits.
_ELEMENT_BYTES: Final = 64
_HASH_BYTES: Final = 32
_BLOCK_BYTES: Final = 64


def expand_message_xmd(message: bytes, tag: bytes, length: int) -> bytes:
    """§5.3.1 with SHA-256."""
    blocks = -(-length // _HASH_BYTES)
    if blocks > 255 or len(tag) > 255:
        raise ValueError("too much to expand to, or too long a tag (RFC 9380 §5.3.1)")
    tag_prime = tag + bytes((len(tag),))
    first = hashlib.sha256(bytes(_BLOCK_BYTES) + message + length.to_bytes(2, "big") + b"\0" + tag_prime).digest()
    number, block, out = int.from_bytes(first, "big"), bytes(_HASH_BYTES), b""
    for index in range(1, blocks + 1):
        mixed = (number ^ int.from_bytes(block, "big")).to_bytes(_HASH_BYTES, "big")
        block = hashlib.sha256(mixed + bytes((index,)) + tag_prime).digest()
        out += block
    return out[:length]


def expand_message_xof(message: bytes, tag: bytes, length: int) -> bytes:
    """§5.3.2 with SHAKE-256."""
    if length > 65_535 or len(tag) > 255:
        raise ValueError("too much to expand to, or too long a tag (RFC 9380 §5.3.2)")
    return hashlib.shake_256(message + length.to_bytes(2, "big") + tag + bytes((len(tag),))).digest(length)


def hash_to_g1(expand: ExpandMessage, message: bytes, tag: bytes) -> G1Point:
    """§3, ``hash_to_curve``, of BLS12381G1_XMD:SHA-256_SSWU_RO_ (§8.8.1) or its sister with SHAKE-256, as ``expand`` has it."""
    uniform = expand(message, tag, 2 * _ELEMENT_BYTES)
    # Clearing the cofactor of each and of their sum are the same, for it is a multiplication.
    return _map_to_g1(uniform[:_ELEMENT_BYTES]) + _map_to_g1(uniform[_ELEMENT_BYTES:])


def _map_to_g1(uniform: bytes) -> G1Point:
    element = int.from_bytes(uniform, "big") % _FIELD_MODULUS
    return curve().g1.map_from_fp_be(element.to_bytes(48, "big"))
