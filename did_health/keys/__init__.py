"""Keys: what verifies (``PublicKey``), what signs (``Signer``), and how secrets are sealed with a passphrase.

``generate`` and ``public_key_from_multikey`` / ``public_key_from_jwk`` are the ways in; Ed25519, P-256 and P-384 are the algorithms,
and BBS on BLS12-381 with an optional package.
"""

from __future__ import annotations

from did_health.keys.algorithms import generate, public_key_from_jwk, public_key_from_multikey, signer_from_secret
from did_health.keys.base import Algorithm, PublicKey, Signer
from did_health.keys.jwk import JWK, JWKSet, thumbprint

__all__ = [
    "Algorithm", "PublicKey", "Signer", "generate", "public_key_from_jwk", "public_key_from_multikey", "signer_from_secret", "JWK", "JWKSet", "thumbprint",
]
