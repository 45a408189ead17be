"""Securing credentials and presentations with JOSE, SD-JWT or COSE (VC-JOSE-COSE 1.0 §3): the document is the payload, as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from did_health.encoding import strict_json
from did_health.encoding.cbor import CBOR
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError
from did_health.keys import PublicKey, Signer
from did_health.vc.cose.headers import CONTENT_TYPE, KID, TYP
from did_health.vc.cose.sign1 import sign1
from did_health.vc.envelope import envelope_type
from did_health.vc.jose.claims import Claims, numeric_date
from did_health.vc.jose.jws import sign_compact
from did_health.vc.jose_cose.key_discovery import verification_method
from did_health.vc.jose_cose.rules import check_document, party_of
from did_health.vc.jose_cose.secured import MediaType, Secured
from did_health.vc.sd_jwt.issue import issue_sd_jwt
from did_health.vc.sd_jwt.serialization import SDJWT
from did_health.vc.validation import type_names

ALWAYS_VISIBLE: Final = frozenset((
    "/@context", "/type", "/issuer", "/validFrom", "/validUntil", "/credentialStatus", "/credentialSchema", "/relatedResource",
))
"""§3.2.1: what verifying and validating a credential needs must not be concealed."""
_ALWAYS_VISIBLE_IN_PRESENTATIONS: Final = ("/@context", "/type")
_PRESENTED: Final = re.compile(r"/verifiableCredential(?:/(?P<position>[0-9]{1,6}))?+(?=/)", re.ASCII)
_NO_DECOYS: Final[Mapping[str, int]] = MappingProxyType({})


def sign_jwt(
    document: JSONObject,
    signer: Signer,
    *,
    kid: str,
    audience: str | None = None,
    nonce: str | None = None,
    issued_at: datetime | None = None,
    expires: datetime | None = None,
) -> Secured:
    """``document`` as ``vc+jwt`` or ``vp+jwt``, as its type says (§3.1). ``kid`` is the URL of the signer's verification method.

    The other arguments become JWT claims beside the document's members; ``issued_at`` and ``expires`` are those of the signature. Raises
    ``FormatError``, ``UnsupportedError`` and ``VerificationError`` for what no verifier would accept.
    """
    payload = {**document, **_claims(audience, nonce, issued_at, expires)}
    media_type = _checked(payload, MediaType.VC_JWT, MediaType.VP_JWT, kid)
    token = sign_compact(strict_json.dumps(payload), signer, _header(media_type, kid))
    return Secured(media_type, token.encode())


def sign_sd_jwt(
    document: JSONObject,
    signer: Signer,
    *,
    kid: str,
    conceal: Collection[str],
    random: Callable[[int], bytes],
    decoys: Mapping[str, int] = _NO_DECOYS,
    holder_key: PublicKey | None = None,
    audience: str | None = None,
    nonce: str | None = None,
    issued_at: datetime | None = None,
    expires: datetime | None = None,
) -> tuple[MediaType, SDJWT]:
    """As ``sign_jwt``, as ``vc+sd-jwt`` or ``vp+sd-jwt`` (§3.2) with the JSON pointers ``conceal`` selectively disclosable.

    ``holder_key`` goes into ``cnf``, for key binding. Raises ``ValueError`` for a pointer to what must be visible, or to nothing.
    """
    payload = {**document, **_claims(audience, nonce, issued_at, expires)}
    if holder_key is not None:
        payload["cnf"] = {"jwk": holder_key.jwk}
    media_type = _checked(payload, MediaType.VC_SD_JWT, MediaType.VP_SD_JWT, kid)
    if any(_is_needed(pointer, payload, media_type.is_presentation) for pointer in conceal):
        raise ValueError("a member that verifying the credential needs cannot be concealed")
    header = _header(media_type, kid)
    return media_type, issue_sd_jwt(payload, signer, conceal=conceal, random=random, header=header, decoys=decoys)


def sign_cose(document: JSONObject, signer: Signer, *, kid: str) -> Secured:
    """``document`` as ``vc+cose`` or ``vp+cose`` (§3.3): a tagged COSE_Sign1. Raises as ``sign_jwt`` does."""
    media_type = _checked(document, MediaType.VC_COSE, MediaType.VP_COSE, kid)
    protected: dict[int | str, CBOR] = {CONTENT_TYPE: f"application/{media_type.content}", KID: kid.encode(), TYP: f"application/{media_type}"}
    return Secured(media_type, sign1(strict_json.dumps(document), signer, protected))


def _header(media_type: MediaType, kid: str) -> dict[str, JSON]:
    return {"typ": str(media_type), "cty": media_type.content, "kid": kid}


def _claims(audience: str | None, nonce: str | None, issued_at: datetime | None, expires: datetime | None) -> JSONObject:
    claims: dict[str, JSON] = {"aud": audience, "nonce": nonce}
    claims["iat"] = issued_at and numeric_date(issued_at)
    claims["exp"] = expires and numeric_date(expires)
    return {name: value for name, value in claims.items() if value is not None}


def _checked(payload: JSONObject, credential: MediaType, presentation: MediaType, kid: str) -> MediaType:
    """The media type for the document's type; our own verifier's rules, before anything is signed that some verifier would refuse."""
    names = type_names(payload.get("type")) or ()
    media_type = presentation if "VerifiablePresentation" in names else credential
    claims = Claims.parse(payload)
    check_document(payload, media_type, claims)
    if verification_method(kid, party_of(payload, media_type, claims.issuer)) != kid:
        # §4.3: without iss the kid must be an absolute URL.
        raise FormatError("the kid is not the absolute URL of a verification method")
    return media_type


def _is_needed(pointer: str, payload: JSONObject, is_presentation: bool) -> bool:
    """Whether ``pointer`` leads to what verifying needs, or into a credential that is secured as a whole (§3.2.2)."""
    needed: Collection[str] = ALWAYS_VISIBLE
    if is_presentation and (inside := _PRESENTED.match(pointer)):
        credential = _presented(payload["verifiableCredential"], inside["position"])
        if "proof" in credential or envelope_type(credential) is not None:
            return True
        pointer = pointer[inside.end() :]
    elif is_presentation:
        needed = _ALWAYS_VISIBLE_IN_PRESENTATIONS
    return any(f"{pointer}/".startswith(f"{member}/") for member in needed)


def _presented(value: JSON, position: str | None) -> JSONObject:
    """The credential at ``position``, or the only one; nothing where there is none, which issuing refuses."""
    items = value if isinstance(value, list) else [value]
    found = items[int(position)] if position is not None and isinstance(value, list) and int(position) < len(items) else items[0]
    return found if isinstance(found, dict) else {}
