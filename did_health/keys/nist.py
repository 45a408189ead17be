"""ECDSA on P-256 with SHA-256 and P-384 with SHA-384 (FIPS 186-5) by OpenSSL; signatures are r and s side by side (IEEE P1363).

Signing is deterministic (RFC 6979), so that a weak source of randomness cannot leak the key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from did_health.encoding import multikey
from did_health.encoding.base64 import base64url_encode
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.keys.base import Algorithm


@dataclass(frozen=True, slots=True)
class _Curve:
    algorithm: Algorithm
    codec: str
    size: int
    curve: ec.EllipticCurve
    verifying: ec.ECDSA
    signing: ec.ECDSA


_CURVES: Final = MappingProxyType({
    Algorithm.P256: _Curve(Algorithm.P256, "p256-pub", 32, ec.SECP256R1(), ec.ECDSA(SHA256()), ec.ECDSA(SHA256(), deterministic_signing=True)),
    Algorithm.P384: _Curve(Algorithm.P384, "p384-pub", 48, ec.SECP384R1(), ec.ECDSA(SHA384()), ec.ECDSA(SHA384(), deterministic_signing=True)),
})


@dataclass(frozen=True, slots=True)
class NISTPublicKey:
    """A P-256 or P-384 public key; ``raw`` is the compressed point (33 or 49 bytes). Raises ``FormatError`` for a point not on the curve."""

    algorithm: Algorithm
    raw: bytes
    multikey: str = field(init=False, compare=False)
    _key: ec.EllipticCurvePublicKey = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        curve = _CURVES[self.algorithm]
        # OpenSSL would also take an uncompressed point, which would give one key two texts.
        if len(self.raw) != curve.size + 1 or self.raw[0] not in (2, 3):
            raise FormatError(f"the bytes are not a compressed {self.algorithm} point")
        try:
            key = ec.EllipticCurvePublicKey.from_encoded_point(curve.curve, self.raw)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise FormatError(f"the bytes are not a point on {self.algorithm}") from error
        object.__setattr__(self, "_key", key)
        object.__setattr__(self, "multikey", multikey.encode(curve.codec, self.raw))

    @classmethod
    def from_coordinates(cls, algorithm: Algorithm, x: bytes, y: bytes) -> NISTPublicKey:
        """The key with these big-endian coordinates; raises ``FormatError`` unless they have full length and lie on the curve."""
        size = _CURVES[algorithm].size
        if len(x) != size or len(y) != size:
            raise FormatError(f"a coordinate of {algorithm} has {size} bytes")
        key = cls(algorithm, bytes((2 | y[-1] & 1,)) + x)
        if key.coordinates()[1] != y:
            raise FormatError(f"the coordinates are not a point on {algorithm}")
        return key

    def coordinates(self) -> tuple[bytes, bytes]:
        """``(x, y)``, big-endian, each of the curve's full length."""
        size = _CURVES[self.algorithm].size
        numbers = self._key.public_numbers()
        return numbers.x.to_bytes(size, "big"), numbers.y.to_bytes(size, "big")

    @property
    def jwk(self) -> JSONObject:
        x, y = self.coordinates()
        return {"kty": "EC", "crv": str(self.algorithm), "x": base64url_encode(x), "y": base64url_encode(y)}

    def verify(self, signature: bytes, message: bytes) -> bool:
        curve = _CURVES[self.algorithm]
        if len(signature) != 2 * curve.size:
            return False
        r, s = int.from_bytes(signature[: curve.size], "big"), int.from_bytes(signature[curve.size :], "big")
        try:
            self._key.verify(encode_dss_signature(r, s), message, curve.verifying)
        except InvalidSignature:
            return False
        return True


class NISTSigner:
    """Signs with a private scalar held in memory."""

    __slots__ = ("_curve", "_key", "_public_key")

    def __init__(self, algorithm: Algorithm, secret: bytes) -> None:
        self._curve = _CURVES[algorithm]
        if len(secret) != self._curve.size:
            raise FormatError(f"a {algorithm} secret has {self._curve.size} bytes, not {len(secret)}")
        try:
            self._key = ec.derive_private_key(int.from_bytes(secret, "big"), self._curve.curve)
        except ValueError as error:
            raise FormatError(f"the secret is not a {algorithm} scalar") from error
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        self._public_key = NISTPublicKey(algorithm, point)

    @property
    def public_key(self) -> NISTPublicKey:
        return self._public_key

    @property
    def secret(self) -> bytes:
        return self._key.private_numbers().private_value.to_bytes(self._curve.size, "big")

    def sign(self, message: bytes) -> bytes:
        r, s = decode_dss_signature(self._key.sign(message, self._curve.signing))
        return r.to_bytes(self._curve.size, "big") + s.to_bytes(self._curve.size, "big")

    def __repr__(self) -> str:
        return f"NISTSigner({self._public_key.multikey})"
