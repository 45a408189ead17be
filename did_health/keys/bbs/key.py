"""BLS12-381 keys in G2, as verification methods and signers carry them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from did_health.encoding import multikey
from did_health.encoding.base64 import base64url_encode
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.keys.base import Algorithm
from did_health.keys.bbs import signature as bbs
from did_health.keys.bbs.curve import parse_public_key

_ALGORITHM = Algorithm.BLS12381G2


@dataclass(frozen=True, slots=True)
class BBSPublicKey:
    """A public key; ``raw`` is the compressed point of G2 (96 bytes).

    Raises ``FormatError`` for bytes that are no point of the subgroup, or its identity; ``UnsupportedError`` without the extra ``[bbs]``.
    """

    raw: bytes
    multikey: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        parse_public_key(self.raw)
        object.__setattr__(self, "multikey", multikey.encode("bls12_381-g2-pub", self.raw))

    @property
    def algorithm(self) -> Algorithm:
        return _ALGORITHM

    @property
    def jwk(self) -> JSONObject:
        # draft-ietf-cose-bls-key-representations: OKP with the compressed point.
        return {"kty": "OKP", "crv": str(_ALGORITHM), "x": base64url_encode(self.raw)}

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether ``signature`` (80 bytes) is one of ``message`` alone, with no header; never raises for bad bytes."""
        try:
            return bbs.verify(self.raw, signature, (message,))
        except FormatError:
            return False


class BBSSigner:
    """Signs with a secret scalar held in memory."""

    __slots__ = ("_public_key", "_secret")

    def __init__(self, secret: bytes) -> None:
        self._public_key = BBSPublicKey(bbs.public_key(secret))
        self._secret = bytes(secret)

    @property
    def public_key(self) -> BBSPublicKey:
        return self._public_key

    @property
    def secret(self) -> bytes:
        return self._secret

    def sign(self, message: bytes) -> bytes:
        """A signature of ``message`` alone, with no header."""
        return self.sign_messages((message,))

    def sign_messages(self, messages: Sequence[bytes], *, header: bytes = b"") -> bytes:
        """A signature (80 bytes) of all ``messages`` under ``header``, with the ciphersuite BLS12-381-SHA-256.

        Raises ``FormatError`` for more messages than ``MAX_BBS_MESSAGES``.
        """
        return bbs.sign(self._secret, self._public_key.raw, messages, header=header)

    def __repr__(self) -> str:
        return f"BBSSigner({self._public_key.multikey})"
