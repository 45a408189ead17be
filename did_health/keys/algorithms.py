"""From text, JWK or random bytes to keys: the read-only table of algorithms. A new algorithm is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from did_health.encoding import multikey
from did_health.encoding.base64 import base64url_decode
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, UnsupportedError
from did_health.keys.base import Algorithm, ExportableSigner, PublicKey
from did_health.keys.ed25519 import Ed25519PublicKey, Ed25519Signer
from did_health.keys.nist import NISTPublicKey, NISTSigner


def _bbs_public_key(raw: bytes) -> PublicKey:
    from did_health.keys.bbs import BBSPublicKey

    return BBSPublicKey(raw)


_BY_CODEC: Final = MappingProxyType[str, Callable[[bytes], PublicKey]]({
    "ed25519-pub": Ed25519PublicKey,
    "p256-pub": lambda raw: NISTPublicKey(Algorithm.P256, raw),
    "p384-pub": lambda raw: NISTPublicKey(Algorithm.P384, raw),
    "bls12_381-g2-pub": _bbs_public_key,
})
_SECRET_BYTES: Final = MappingProxyType({Algorithm.ED25519: 32, Algorithm.P256: 32, Algorithm.P384: 48, Algorithm.BLS12381G2: 32})


@lru_cache(maxsize=4096)
def public_key_from_multikey(text: str) -> PublicKey:
    """The key of a Multikey text; parsed keys are kept, for parsing costs as much as half a verification.

    Raises ``FormatError``, or ``UnsupportedError`` for a key type that signs with none of our algorithms.
    """
    codec, raw = multikey.decode(text)
    if codec not in _BY_CODEC:
        raise UnsupportedError(f"no signature algorithm here uses a {codec} key")
    return _BY_CODEC[codec](raw)


def public_key_from_jwk(jwk: JSONObject) -> PublicKey:
    """The key of a public JWK (RFC 7517; OKP of RFC 8037 and of draft-ietf-cose-bls-key-representations, EC of RFC 7518 §6.2).

    Raises ``FormatError``, also when the JWK holds a private key, or ``UnsupportedError`` for another key type or curve.
    """
    if "d" in jwk:
        raise FormatError("the JWK holds a private key", hint="Publish the public members only, and replace this key")
    kind, curve = jwk.get("kty"), jwk.get("crv")
    if kind == "OKP" and curve == "Ed25519":
        return Ed25519PublicKey(_coordinate(jwk, "x"))
    if kind == "OKP" and curve == Algorithm.BLS12381G2:
        return _bbs_public_key(_coordinate(jwk, "x"))
    if kind == "EC" and curve in (Algorithm.P256, Algorithm.P384):
        return NISTPublicKey.from_coordinates(Algorithm(curve), _coordinate(jwk, "x"), _coordinate(jwk, "y"))
    if not isinstance(kind, str):
        raise FormatError("the JWK has no key type (kty)")
    raise UnsupportedError("no signature algorithm here uses this JWK's key type and curve")


def signer_from_secret(algorithm: Algorithm, secret: bytes) -> ExportableSigner:
    """A signer in memory; ``secret`` is an Ed25519 seed or a private scalar. Raises ``FormatError`` for a wrong length or scalar."""
    if algorithm is Algorithm.ED25519:
        return Ed25519Signer(secret)
    if algorithm is Algorithm.BLS12381G2:
        from did_health.keys.bbs import BBSSigner

        return BBSSigner(secret)
    return NISTSigner(algorithm, secret)


def generate(random: Callable[[int], bytes], algorithm: Algorithm = Algorithm.ED25519) -> ExportableSigner:
    """A new key from ``random`` (n → n secret bytes, such as ``os.urandom``)."""
    while True:
        try:
            return signer_from_secret(algorithm, random(_SECRET_BYTES[algorithm]))
        except FormatError:  # not below the curve's order: one draw in 2^32 on P-256, every other one on BLS12-381
            continue


def _coordinate(jwk: JSONObject, name: str) -> bytes:
    text = jwk.get(name)
    if not isinstance(text, str):
        raise FormatError(f"the JWK has no text member {name}")
    return base64url_decode(text, what=f"JWK's member {name}")
