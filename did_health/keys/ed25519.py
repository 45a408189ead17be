"""Ed25519 (RFC 8032) by libsodium, which refuses small-order keys and non-canonical points and scalars."""

from __future__ import annotations

from dataclasses import dataclass, field

from nacl.bindings import crypto_core_ed25519_is_valid_point, crypto_sign_ed25519_pk_to_curve25519, crypto_sign_open
from nacl.exceptions import CryptoError
from nacl.signing import SigningKey

from did_health.encoding import multikey
from did_health.encoding.base64 import base64url_encode
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.keys.base import Algorithm

_ALGORITHM = Algorithm.ED25519
_KEY_BYTES = 32
_SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True)
class Ed25519PublicKey:
    """An Ed25519 public key; ``raw`` has 32 bytes. Raises ``FormatError`` for bytes that are no point of the main subgroup."""

    raw: bytes
    multikey: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.raw) != _KEY_BYTES or not crypto_core_ed25519_is_valid_point(self.raw):
            raise FormatError("the bytes are not an Ed25519 public key")
        object.__setattr__(self, "multikey", multikey.encode("ed25519-pub", self.raw))

    @property
    def algorithm(self) -> Algorithm:
        return _ALGORITHM

    @property
    def jwk(self) -> JSONObject:
        return {"kty": "OKP", "crv": "Ed25519", "x": base64url_encode(self.raw)}

    def verify(self, signature: bytes, message: bytes) -> bool:
        if len(signature) != _SIGNATURE_BYTES:
            return False
        try:
            crypto_sign_open(signature + message, self.raw)
        except CryptoError:
            return False
        return True

    def x25519(self) -> bytes:
        """The X25519 public key (32 bytes) on the birationally equivalent curve, as did:key derives it."""
        return bytes(crypto_sign_ed25519_pk_to_curve25519(self.raw))


class Ed25519Signer:
    """Signs with a seed held in memory."""

    __slots__ = ("_key", "_public_key")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != _KEY_BYTES:
            raise FormatError(f"an Ed25519 seed has {_KEY_BYTES} bytes, not {len(seed)}")
        self._key = SigningKey(seed)
        self._public_key = Ed25519PublicKey(bytes(self._key.verify_key))

    @property
    def public_key(self) -> Ed25519PublicKey:
        return self._public_key

    @property
    def secret(self) -> bytes:
        return bytes(self._key)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message).signature

    def __repr__(self) -> str:
        return f"Ed25519Signer({self._public_key.multikey})"
