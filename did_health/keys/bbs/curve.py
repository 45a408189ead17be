"""BLS12-381 by arkworks, imported when it is first needed, and its points and scalars from octets, strictly (draft §4.2.4)."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from did_health.errors import FormatError, UnsupportedError

if TYPE_CHECKING:
    from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

POINT_BYTES: Final = 48
"""A compressed point of G1: octet_point_length."""
SCALAR_BYTES: Final = 32
"""octet_scalar_length."""
PUBLIC_KEY_BYTES: Final = 96
"""A compressed point of G2."""


class Curve(NamedTuple):
    """The two groups, the target of the pairing, and the scalars modulo their order r."""

    g1: type[G1Point]
    g2: type[G2Point]
    gt: type[GT]
    scalar: type[Scalar]


@cache
def curve() -> Curve:
    """The curve; raises ``UnsupportedError`` without the optional package."""
    try:
        from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar
    except ImportError as error:
        raise UnsupportedError("BBS signatures need an optional package", hint="pip install 'did-health[bbs]'") from error
    return Curve(G1Point, G2Point, GT, Scalar)


def parse_point(octets: bytes, what: str) -> G1Point:
    """A point of G1 that is not the identity (octets_to_point_E1, subgroup_check_G1); ``what`` names it in the ``FormatError``."""
    g1 = curve().g1
    try:
        # The only points with several encodings are those refused here: the identity and those outside of the subgroup.
        point = g1.from_compressed_bytes(octets)
    except ValueError as error:
        raise FormatError(f"the {what} is not a point of G1") from error
    if point == g1.identity():
        raise FormatError(f"the {what} is the identity of G1")
    return point


def parse_scalar(octets: bytes, what: str) -> Scalar:
    """A scalar from 1 to r - 1, big-endian; ``what`` names it in the ``FormatError``."""
    try:
        scalar = curve().scalar.from_be_bytes(octets)
    except ValueError as error:
        raise FormatError(f"the {what} is not a scalar below the group's order") from error
    if scalar.is_zero():
        raise FormatError(f"the {what} is zero")
    return scalar


@lru_cache(maxsize=1024)
def parse_public_key(octets: bytes) -> G2Point:
    """The point of a public key (octets_to_pubkey, §4.2.4.6); kept, for issuers are few. Raises ``FormatError``."""
    g2 = curve().g2
    try:
        point = g2.from_compressed_bytes(octets)
    except ValueError as error:
        raise FormatError("the bytes are not a BLS12-381 public key in G2") from error
    if point == g2.identity():
        raise FormatError("the public key is the identity of G2")
    return point
