"""The JOSE header of a JWS (RFC 7515 §4), read strictly. Keys and key URLs that it carries (``jwk``, ``jku``, ``x5c``, ``x5u``) are never trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Final, overload

from did_health.encoding import strict_json
from did_health.encoding.base64 import base64url_decode
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import PublicKey
from did_health.keys.base import Algorithm
from did_health.keys.jwk import JWS_ALGORITHMS
from did_health.limits import MAX_JOSE_HEADER_CHARACTERS
from did_health.vc.error_codes import CRYPTOGRAPHIC_SECURITY, PARSING

ALG_OF_KEY: Final = MappingProxyType({Algorithm.ED25519: "EdDSA", Algorithm.P256: "ES256", Algorithm.P384: "ES384"})
"""The ``alg`` that a key signs with when nobody says otherwise: the names that every verifier knows."""

# §4.1.11: crit must not name what RFC 7515 itself (§4.1) or RFC 7518 (§4, for JWE) defines.
_REGISTERED: Final = frozenset((
    "alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit", "enc", "zip", "epk", "apu", "apv", "iv", "tag", "p2s", "p2c",
))
_UNDERSTOOD: Final = frozenset(("b64",))


@dataclass(frozen=True, slots=True)
class Header:
    """A JOSE header. ``algorithm`` is the kind of key that ``alg`` goes with; ``is_encoded`` is false for a payload of RFC 7797 (``b64``)."""

    alg: str
    algorithm: Algorithm
    kid: str | None
    typ: str | None
    cty: str | None
    media_type: str | None
    """``typ`` without ``application/``, in lower case (§4.1.9)."""
    content_type: str | None
    """``cty`` likewise (§4.1.10)."""
    is_encoded: bool
    raw: Mapping[str, JSON] = field(repr=False)
    """All members, protected or not."""

    @classmethod
    def parse(cls, protected: JSONObject, unprotected: JSONObject | None = None) -> Header:
        """Read the header; ``unprotected`` has the members that the signature does not cover.

        Raises ``FormatError``, and ``UnsupportedError`` for an algorithm (``none`` and all symmetric ones included) or a critical
        extension that is not supported, and for an ``alg`` that is not protected, which RFC 7515 would allow.
        """
        members = protected
        if unprotected:
            if not protected.keys().isdisjoint(unprotected):
                raise _malformed("a header parameter is both protected and unprotected")  # §7.2.1
            if not unprotected.keys().isdisjoint(("crit", "b64")):
                raise _malformed("crit and b64 must be protected")  # §4.1.11, RFC 7797 §3
            members = {**protected, **unprotected}
        alg = _text(members, "alg")
        if alg is None:
            raise _malformed("the JOSE header has no alg")  # §4.1.1
        if alg not in JWS_ALGORITHMS:
            raise UnsupportedError("the alg of the JWS is not supported", hint="EdDSA, Ed25519, ES256 and ES384 are")
        if "alg" not in protected:
            raise UnsupportedError("the alg of the JWS is not protected by the signature")
        encoded = _encoded(protected)
        kid, typ, cty = _text(members, "kid"), _text(members, "typ"), _text(members, "cty")
        return cls(alg, JWS_ALGORITHMS[alg], kid, typ, cty, media_type(typ), media_type(cty), encoded, MappingProxyType(members))

    def require_key(self, key: PublicKey) -> None:
        """Raises ``VerificationError`` unless ``key`` is of the type that ``alg`` goes with (RFC 8725 §3.1)."""
        if key.algorithm is not self.algorithm:
            raise VerificationError("the alg of the JWS is not that of the key", code=CRYPTOGRAPHIC_SECURITY)


@lru_cache(maxsize=256)
def parse_protected(text: str) -> Header:
    """The header that is wholly protected, from its base64url text; headers come again and again, so the last ones are remembered."""
    return Header.parse(protected_members(text))


def protected_members(text: str) -> JSONObject:
    """The members in the base64url text of a protected header; raises ``FormatError``."""
    if len(text) > MAX_JOSE_HEADER_CHARACTERS:
        raise _malformed(f"the JOSE header has more than {MAX_JOSE_HEADER_CHARACTERS} characters")
    try:
        return strict_json.loads_object(base64url_decode(text, what="JOSE header"), what="JOSE header")
    except FormatError as error:
        raise FormatError(error.what, where=error.where, hint=error.hint, code=PARSING) from error


@overload
def media_type(value: str) -> str: ...
@overload
def media_type(value: None) -> None: ...
def media_type(value: str | None) -> str | None:
    """A media type as ``typ`` and ``cty`` may shorten it: lower case, without ``application/`` unless another slash follows (§4.1.9)."""
    if value is None:
        return None
    value = value.lower()
    short = value.removeprefix("application/")
    return value if "/" in short else short


def _encoded(protected: JSONObject) -> bool:
    """``b64`` (RFC 7797 §3), after ``crit`` (§4.1.11) was checked."""
    critical = protected.get("crit", ())
    if "crit" in protected:
        if not isinstance(critical, list) or not critical or not all(isinstance(name, str) for name in critical):
            raise _malformed("crit is not a list of one or more names")
        if len(set(critical)) != len(critical) or not _REGISTERED.isdisjoint(critical) or not protected.keys() >= set(critical):
            raise _malformed("crit names what it must not: the same twice, a parameter of RFC 7515, or one that is not there")
        if not _UNDERSTOOD.issuperset(critical):
            raise UnsupportedError("the JWS has a critical header parameter that is not supported")
    encoded = protected.get("b64", True)
    if type(encoded) is not bool:
        raise _malformed("b64 is neither true nor false")
    if not encoded and "b64" not in critical:
        raise _malformed("b64 is false and crit does not name it")  # RFC 7797 §6
    return encoded


def _text(members: JSONObject, name: str) -> str | None:
    value = members.get(name)
    if value is None and name not in members:
        return None
    if not isinstance(value, str):
        raise _malformed(f"the header parameter {name} is not a text")
    return value


def _malformed(what: str) -> FormatError:
    return FormatError(what, code=PARSING)
