"""Verifying enveloped credentials and presentations (VC-JOSE-COSE 1.0 §5).

What is left to the caller: schema, status and validity of the credential (§5.4), and the credentials within a presentation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from did_health.encoding.cbor import CBOR
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, VerificationError
from did_health.keys import PublicKey
from did_health.vc.cose.headers import Headers
from did_health.vc.cose.sign1 import Sign1
from did_health.vc.error_codes import CRYPTOGRAPHIC_SECURITY, PARSING
from did_health.vc.jose.claims import Claims
from did_health.vc.jose.header import Header
from did_health.vc.jose.header import media_type as shortened
from did_health.vc.jose.jws import JWS
from did_health.vc.jose_cose.key_discovery import verification_method
from did_health.vc.jose_cose.rules import check_document, check_types, party_of
from did_health.vc.jose_cose.secured import MediaType, payload_object
from did_health.vc.proofs.data_integrity import KeySource
from did_health.vc.sd_jwt.key_binding import ExpectedKeyBinding, KeyBinding
from did_health.vc.sd_jwt.serialization import SDJWT
from did_health.vc.sd_jwt.verify import verify_sd_jwt

_CWT_CLAIMS: Final = 15
# RFC 8392 §4 and the registry of CWT claims, by the names of the same JWT claims.
_CWT_NAMES: Final = MappingProxyType({1: "iss", 2: "sub", 3: "aud", 4: "exp", 5: "nbf", 6: "iat", 10: "nonce"})


@dataclass(frozen=True, slots=True)
class VerifiedEnvelope:
    """An enveloped document that was verified. ``document`` is the credential or presentation, the JWT claims beside its members included.

    ``party`` is the issuer or holder, whose key ``verification_method`` is for ``purpose``; it is ``None`` for a presentation that names nobody.
    ``key_binding`` is there for an SD-JWT whose holder was asked for one.
    """

    document: JSONObject = field(repr=False)
    media_type: MediaType
    party: str | None
    verification_method: str
    purpose: str
    public_key: PublicKey
    header: Header | Headers
    claims: Claims
    key_binding: KeyBinding | None = None


def verify_envelope(
    secured: bytes | str,
    media_type: MediaType,
    keys: KeySource,
    *,
    now: datetime,
    audience: str | None = None,
    nonce: str | None = None,
    key_binding: ExpectedKeyBinding | None = None,
) -> VerifiedEnvelope:
    """Verify a document of any of the media types: see the functions for each. ``key_binding`` is for SD-JWTs only.

    Raises ``ValueError`` where it is given for another one, and what those functions raise.
    """
    if media_type in (MediaType.VC_SD_JWT, MediaType.VP_SD_JWT):
        return verify_sd_jwt_envelope(secured, media_type, keys, now=now, audience=audience, nonce=nonce, key_binding=key_binding)
    if key_binding is not None:
        raise ValueError("only an SD-JWT can have a key binding")
    if media_type.is_binary:
        if isinstance(secured, str):
            raise TypeError("a COSE message is bytes")
        return verify_cose(secured, media_type, keys, now=now, audience=audience, nonce=nonce)
    return verify_jwt(secured, media_type, keys, now=now, audience=audience, nonce=nonce)


def verify_jwt(
    token: bytes | str, media_type: MediaType, keys: KeySource, *, now: datetime, audience: str | None = None, nonce: str | None = None
) -> VerifiedEnvelope:
    """Verify ``vc+jwt`` or ``vp+jwt`` (§5.1).

    The key must be the issuer's for ``assertionMethod``, or the holder's for ``authentication``. ``audience`` and ``nonce`` must be in the
    claims where they are given; a token for an audience needs one. Raises ``FormatError``, ``UnsupportedError``, ``VerificationError``
    (codes of VC Data Model 2.0 §7.2, of Controlled Identifiers §3.3, ``INVALID_DOMAIN_ERROR``, ``INVALID_CHALLENGE_ERROR``), and whatever
    ``keys`` raises.
    """
    jws = JWS.parse(token)
    header = jws.header
    if not header.is_encoded:
        raise FormatError("the payload of a JWT must be encoded", code=PARSING)  # RFC 7797 §7
    check_types(media_type, header.media_type, header.content_type)
    document = payload_object(jws.unverified_payload)
    claims = Claims.parse(document)
    party, method, purpose, key = _secured(document, media_type, header.kid, claims, keys)
    jws.verify(key)
    _check(document, media_type, claims, now, audience, nonce)
    return VerifiedEnvelope(document, media_type, party, method, purpose, key, header, claims)


def verify_sd_jwt_envelope(
    token: bytes | str | SDJWT,
    media_type: MediaType,
    keys: KeySource,
    *,
    now: datetime,
    audience: str | None = None,
    nonce: str | None = None,
    key_binding: ExpectedKeyBinding | None = None,
) -> VerifiedEnvelope:
    """Verify ``vc+sd-jwt`` or ``vp+sd-jwt`` (§5.2); ``document`` is what was disclosed. As ``verify_jwt``, and with ``key_binding`` as ``verify_sd_jwt``."""
    found: list[_Secured] = []

    def find(header: Header, payload: JSONObject) -> PublicKey:
        check_types(media_type, header.media_type, header.content_type)
        found.append(_secured(payload, media_type, header.kid, Claims.parse(payload), keys))
        return found[-1].key

    verified = verify_sd_jwt(token, find, now=now, key_binding=key_binding, audience=audience)
    _check(verified.payload, media_type, verified.claims, now, audience, nonce)
    party, method, purpose, key = found[0]
    return VerifiedEnvelope(verified.payload, media_type, party, method, purpose, key, verified.header, verified.claims, verified.key_binding)


def verify_cose(
    data: bytes, media_type: MediaType, keys: KeySource, *, now: datetime, audience: str | None = None, nonce: str | None = None
) -> VerifiedEnvelope:
    """Verify ``vc+cose`` or ``vp+cose`` (§5.3). As ``verify_jwt``; the claims are those of the CWT Claims header parameter (RFC 9597)."""
    message = Sign1.parse(data)
    headers = message.headers
    if not headers.is_alg_protected:
        raise VerificationError("the alg of the COSE message is not protected", code=CRYPTOGRAPHIC_SECURITY)  # RFC 9052 §3.1
    check_types(media_type, _short(headers.typ), _short(headers.content_type))
    document = payload_object(message.unverified_payload)
    claims = _cwt_claims(headers)
    party, method, purpose, key = _secured(document, media_type, _kid(headers.kid), claims, keys)
    message.verify(key)
    _check(document, media_type, claims, now, audience, nonce)
    return VerifiedEnvelope(document, media_type, party, method, purpose, key, headers, claims)


class _Secured(NamedTuple):
    party: str | None
    method: str
    purpose: str
    key: PublicKey


def _secured(document: JSONObject, media_type: MediaType, kid: str | None, claims: Claims, keys: KeySource) -> _Secured:
    """Who has to have signed, and the key for it."""
    party = party_of(document, media_type, claims.issuer)
    method = verification_method(kid, party)
    purpose = "authentication" if media_type.is_presentation else "assertionMethod"
    return _Secured(party, method, purpose, keys(method, purpose, party))


def _check(document: JSONObject, media_type: MediaType, claims: Claims, now: datetime, audience: str | None, nonce: str | None) -> None:
    claims.check_times(now)
    claims.check_audience(audience)
    claims.check_nonce(nonce)
    check_document(document, media_type, claims)


def _kid(kid: bytes | None) -> str | None:
    try:
        return None if kid is None else kid.decode()
    except UnicodeDecodeError as error:
        raise FormatError("the kid of the COSE message is not text", code=PARSING) from error


def _short(value: str | int | None) -> str | None:
    # A number names a CoAP content format (RFC 9052 §3.1): none is registered for these types.
    return None if value is None else shortened(str(value))


def _cwt_claims(headers: Headers) -> Claims:
    claims: CBOR = headers.protected.get(_CWT_CLAIMS, {})
    if not isinstance(claims, dict):
        raise FormatError("the CWT claims of the COSE message are not a map", code=PARSING)
    named: dict[str, JSON] = {name: claims[label] for label, name in _CWT_NAMES.items() if label in claims}
    return Claims.parse(named)
