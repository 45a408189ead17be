"""BBS secret keys, signing, and verifying a signature of all its messages (draft §3.4, §3.5.1, §3.5.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from did_health.errors import FormatError
from did_health.keys.bbs.ciphersuite import BLS12_381_SHA_256, Ciphersuite
from did_health.keys.bbs.curve import POINT_BYTES, SCALAR_BYTES, curve, parse_point, parse_public_key, parse_scalar

if TYPE_CHECKING:
    from py_arkworks_bls12381 import G1Point, Scalar

MIN_KEY_MATERIAL_BYTES = 32
"""Least entropy that a key is made from (§3.4.1)."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature (A, e), parsed."""

    a: G1Point
    e: Scalar

    @classmethod
    def parse(cls, octets: bytes) -> Signature:
        """octets_to_signature (§4.2.4.3); raises ``FormatError``."""
        if len(octets) != POINT_BYTES + SCALAR_BYTES:
            raise FormatError(f"a BBS signature has {POINT_BYTES + SCALAR_BYTES} bytes, not {len(octets)}")
        return cls(parse_point(octets[:POINT_BYTES], "signature's point"), parse_scalar(octets[POINT_BYTES:], "signature's scalar"))

    @property
    def octets(self) -> bytes:
        """signature_to_octets (§4.2.4.2)."""
        return self.a.to_compressed_bytes() + self.e.to_be_bytes()


def derive_secret(key_material: bytes, key_info: bytes = b"", *, key_tag: bytes | None = None, suite: Ciphersuite = BLS12_381_SHA_256) -> bytes:
    """A secret key of 32 bytes (KeyGen, §3.4.1) from at least 32 secret random bytes; ``key_info`` tells keys of one material apart.

    Raises ``ValueError`` for too little key material or an info of more than 65,535 bytes.
    """
    if len(key_material) < MIN_KEY_MATERIAL_BYTES:
        raise ValueError(f"a key is made from {MIN_KEY_MATERIAL_BYTES} bytes at least")
    if len(key_info) > 0xFFFF:
        raise ValueError("the key info has more than 65,535 bytes")
    tag = suite.identifier + b"KEYGEN_DST_" if key_tag is None else key_tag
    return suite.hash_to_scalar(key_material + len(key_info).to_bytes(2, "big") + key_info, tag).to_be_bytes()


def public_key(secret: bytes) -> bytes:
    """The public key of 96 bytes (SkToPk, §3.4.2); raises ``FormatError`` unless ``secret`` is a scalar from 1 to r - 1."""
    return (curve().g2() * parse_scalar(secret, "secret key")).to_compressed_bytes()


def sign(
    secret: bytes, public_key: bytes, messages: Sequence[bytes], *, header: bytes = b"", suite: Ciphersuite = BLS12_381_SHA_256
) -> bytes:
    """The signature of 80 bytes (Sign and CoreSign, §3.5.1, §3.6.1); deterministic. ``public_key`` is the one of ``secret``.

    Raises ``FormatError`` for a malformed key and for more messages than ``MAX_BBS_MESSAGES``.
    """
    key = parse_scalar(secret, "secret key")
    parse_public_key(public_key)
    generators, scalars = suite.generators(len(messages)), suite.scalars(messages)
    domain = generators.domain(suite, public_key, header)
    e = suite.challenge(secret + b"".join(scalar.to_be_bytes() for scalar in (*scalars, domain)))
    a = commitment(suite, generators.points, domain, scalars) * (key + e).inverse()
    return Signature(a, e).octets


def verify(
    public_key: bytes, signature: bytes, messages: Sequence[bytes], *, header: bytes = b"", suite: Ciphersuite = BLS12_381_SHA_256
) -> bool:
    """Whether ``signature`` is one of exactly these messages in this order (Verify and CoreVerify, §3.5.2, §3.6.2).

    Raises ``FormatError`` for a malformed key or signature, and for more messages than ``MAX_BBS_MESSAGES``.
    """
    parsed, w = Signature.parse(signature), parse_public_key(public_key)
    generators, scalars = suite.generators(len(messages)), suite.scalars(messages)
    b = commitment(suite, generators.points, generators.domain(suite, public_key, header), scalars)
    # Step 3: h(A, W) * h(A * e - B, BP2) is the identity.
    _, g2, gt, _ = curve()
    return gt.pairing_check([parsed.a, parsed.a * parsed.e - b], [w, g2()])


def commitment(suite: Ciphersuite, points: Sequence[G1Point], domain: Scalar, scalars: Sequence[Scalar]) -> G1Point:
    """B = P1 + Q_1 * domain + H_1 * msg_1 + … + H_L * msg_L."""
    return suite.p1 + curve().g1.multiexp_unchecked(list(points), [domain, *scalars])
