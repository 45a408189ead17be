"""JSON Web Keys and sets of them (RFC 7517), and their thumbprints (RFC 7638): public signature keys, and which use their owner allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from did_health.encoding import jcs, strict_json
from did_health.encoding.base64 import base64url_encode
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys.algorithms import public_key_from_jwk
from did_health.keys.base import Algorithm, PublicKey
from did_health.limits import MAX_JWK_SET_KEYS

JWS_ALGORITHMS: Final = MappingProxyType({
    "EdDSA": Algorithm.ED25519,  # RFC 8037 §3.1
    "Ed25519": Algorithm.ED25519,  # RFC 9864 §2.2, the name that says which curve
    "ES256": Algorithm.P256,  # RFC 7518 §3.4
    "ES384": Algorithm.P384,
})
"""The ``alg`` values of JOSE that are supported, each with the one kind of key that it goes with."""

# RFC 7638 §3.2, RFC 8037 §2: what makes the key, in the order of the thumbprint's input.
_REQUIRED: Final = MappingProxyType({"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")})


@dataclass(frozen=True, slots=True)
class JWK:
    """A public JSON Web Key that may verify signatures. ``raw`` is the object as received, unknown members included."""

    public_key: PublicKey
    kid: str | None
    alg: str | None
    raw: JSONObject = field(compare=False, repr=False)

    @classmethod
    def parse(cls, jwk: JSON) -> JWK:
        """Read a JWK (§4).

        Raises ``FormatError``, also for a private key; ``UnsupportedError`` for another type of key, and for one that its owner keeps
        from verifying signatures by ``use`` (§4.2), ``key_ops`` (§4.3) or ``alg`` (§4.4).
        """
        if not isinstance(jwk, dict):
            raise FormatError("a JWK is not an object")
        kid, alg = _text(jwk, "kid"), _text(jwk, "alg")
        operations = jwk.get("key_ops")
        if jwk.get("use", "sig") != "sig" or (operations is not None and not (isinstance(operations, list) and "verify" in operations)):
            raise UnsupportedError("the JWK is not for verifying signatures")
        public_key = public_key_from_jwk(jwk)
        # A BBS key's alg is none of JOSE's signatures, and its name not settled.
        if alg is not None and public_key.algorithm in JWS_ALGORITHMS.values() and JWS_ALGORITHMS.get(alg) is not public_key.algorithm:
            raise UnsupportedError("the JWK is for an algorithm that is not supported with its type of key")
        return cls(public_key, kid, alg, jwk)


@dataclass(frozen=True, slots=True)
class JWKSet:
    """A JWK Set (§5): the signature keys of it that are supported. The others are ignored, as §5 wants it."""

    keys: tuple[JWK, ...]

    @classmethod
    def parse(cls, source: bytes | str | JSONObject) -> JWKSet:
        """Read a set; raises ``FormatError`` if it is none, or holds more than ``MAX_JWK_SET_KEYS``."""
        document = source if isinstance(source, dict) else strict_json.loads_object(source, what="JWK Set")
        values = document.get("keys")
        if not isinstance(values, list):
            raise FormatError("the JWK Set has no list of keys", where="/keys")
        if len(values) > MAX_JWK_SET_KEYS:
            raise FormatError(f"the JWK Set has more than {MAX_JWK_SET_KEYS} keys", where="/keys")
        return cls(tuple(_supported(values)))

    def key(self, kid: str | None) -> PublicKey:
        """The key named ``kid``, or the only one; raises ``VerificationError`` if that is none or more than one."""
        found = {jwk.public_key for jwk in self.keys if kid is None or jwk.kid == kid}
        if len(found) != 1:
            raise VerificationError("the JWK Set does not have exactly one such key", code="INVALID_VERIFICATION_METHOD")
        return found.pop()


def thumbprint(jwk: JSONObject) -> str:
    """The SHA-256 thumbprint of a public key in base64url (RFC 7638 §3), of RSA keys too. Raises ``FormatError`` or ``UnsupportedError``."""
    kind = jwk.get("kty")
    if not isinstance(kind, str) or kind not in _REQUIRED:
        raise UnsupportedError("no thumbprint is made of this type of key")
    members = {name: _text(jwk, name) for name in _REQUIRED[kind]}
    if None in members.values():
        raise FormatError("the JWK lacks a member that its type of key must have")
    return base64url_encode(sha256(jcs.canonicalize(members)).digest())


def _supported(values: list[JSON]) -> Iterator[JWK]:
    for value in values:
        try:
            yield JWK.parse(value)
        except (FormatError, UnsupportedError):  # §5: unknown types, missing members and values out of range are ignored
            continue


def _text(jwk: JSONObject, name: str) -> str | None:
    value = jwk.get(name)
    if value is not None and not isinstance(value, str):
        raise FormatError("a member of the JWK is not a text", where=f"/{name}")
    return value
