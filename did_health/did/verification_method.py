"""Verification methods (DID Core 1.0 §5.2, Controlled Identifiers 1.0 §2.2): one public key of a DID document and who controls it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from did_health.did.did import DID, DIDURL
from did_health.encoding import timestamps
from did_health.encoding.multibase import base58btc_decode
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import JWK, Algorithm, PublicKey, public_key_from_multikey
from did_health.keys.ed25519 import Ed25519PublicKey

_MATERIAL: Final = ("publicKeyMultibase", "publicKeyJwk", "publicKeyBase58")
_SECRETS: Final = ("secretKeyMultibase", "secretKeyJwk", "privateKeyMultibase", "privateKeyJwk", "privateKeyBase58")


@dataclass(frozen=True, slots=True, eq=False)
class VerificationMethod:
    """A verification method; ``id`` is an absolute DID URL, ``controller`` a DID, ``raw`` the object as received.

    A method without the controller that it must have (DID Core §5.2) is read, since published documents have such, but verifies nothing.
    ``expires`` and ``revoked`` are the first instants at which its key must not verify anything any more.
    """

    id: str
    type: str
    controller: str | None
    expires: datetime | None
    revoked: datetime | None
    raw: JSONObject

    @classmethod
    def parse(cls, value: JSON, *, base: str, where: str = "") -> VerificationMethod:
        """Read a verification method of the document of the DID ``base``; raises ``FormatError``.

        Its key is read by ``public_key`` only, so that a key that nobody asks for does not make a document unreadable.
        """
        if not isinstance(value, dict):
            raise FormatError("a verification method is not an object", where=where)
        kind, controller = _text(value, "type", where), None
        if "controller" in value:
            controller = _text(value, "controller", where)
            try:
                DID.parse(controller)
            except FormatError as error:
                raise FormatError("the controller of a verification method is not a DID", where=f"{where}/controller") from error
        require_one_form(value, where)
        identifier = absolute(_text(value, "id", where), base, f"{where}/id")
        return cls(identifier, kind, controller, instant(value, "expires", where), instant(value, "revoked", where), value)

    @property
    def public_key(self) -> PublicKey:
        """The key that verifies signatures; raises ``FormatError``, or ``UnsupportedError`` for another type of method or key.

        A key whose secret is published beside it (Controlled Identifiers §2.2.3) is anybody's, and refused too.
        """
        if any(name in self.raw for name in _SECRETS):
            raise FormatError("the verification method tells its secret key", hint="Revoke it: whoever has read it can sign")
        if self.type not in _TYPES:
            raise UnsupportedError("no verification method of this type is supported", where=f"{self.id}/type")
        return _TYPES[self.type](self.raw)

    def require_valid(self, now: datetime) -> None:
        """Raises ``VerificationError`` (code ``INVALID_VERIFICATION_METHOD``) if the method has expired or was revoked at ``now``."""
        if self.revoked is not None and now >= self.revoked:
            raise VerificationError("the verification method was revoked", where=self.id, code="INVALID_VERIFICATION_METHOD")
        if self.expires is not None and now >= self.expires:
            raise VerificationError("the verification method has expired", where=self.id, code="INVALID_VERIFICATION_METHOD")


def require_one_form(method: JSONObject, where: str) -> None:
    """Controlled Identifiers §2.2.1: a verification method holds its key in one form; raises ``FormatError``."""
    if sum(name in method for name in _MATERIAL) > 1:
        raise FormatError("a verification method holds its key in more than one form", where=where, hint="They could differ")


def absolute(reference: str, base: str, where: str) -> str:
    """The absolute DID URL of a reference in the document of the DID ``base`` (DID Core §3.2.2); raises ``FormatError``."""
    text = base + reference if reference[:1] in ("#", "/", "?") else reference
    try:
        DIDURL.parse(text)
    except FormatError as error:
        raise FormatError("a reference in the DID document is not a DID URL", where=where) from error
    return text


def _multikey(raw: JSONObject) -> PublicKey:
    return public_key_from_multikey(_text(raw, "publicKeyMultibase", ""))


def _ed25519_multikey(raw: JSONObject) -> PublicKey:
    key = _multikey(raw)
    if key.algorithm is not Algorithm.ED25519:
        raise FormatError("an Ed25519 verification method holds another kind of key", where="/publicKeyMultibase")
    return key


def _ed25519_base58(raw: JSONObject) -> PublicKey:
    return Ed25519PublicKey(base58btc_decode(_text(raw, "publicKeyBase58", ""), what="public key"))


def _jwk(raw: JSONObject) -> PublicKey:
    if not isinstance(raw.get("publicKeyJwk"), dict):
        raise FormatError("the verification method has no JWK", where="/publicKeyJwk")
    return JWK.parse(raw["publicKeyJwk"]).public_key


_TYPES: Final = MappingProxyType[str, Callable[[JSONObject], PublicKey]]({
    "Multikey": _multikey,
    "JsonWebKey": _jwk,
    "JsonWebKey2020": _jwk,
    "Ed25519VerificationKey2020": _ed25519_multikey,
    "Ed25519VerificationKey2018": _ed25519_base58,
})


def _text(value: JSONObject, name: str, where: str) -> str:
    text = value.get(name)
    if not isinstance(text, str):
        raise FormatError("a verification method lacks a text", where=f"{where}/{name}")
    return text


def instant(value: JSONObject, name: str, where: str) -> datetime | None:
    """The timestamp in the member ``name``, if it is there; raises ``FormatError``."""
    if name not in value:
        return None
    try:
        return timestamps.parse(_text(value, name, where))
    except FormatError as error:
        raise FormatError(error.what, where=f"{where}/{name}", hint=error.hint) from error
