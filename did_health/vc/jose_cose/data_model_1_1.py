"""Credentials of the data model 1.1 in JSON Web Tokens (VC Data Model 1.1 §6.3.1): read and verified, never made.

A token of this kind has the credential in its claim ``vc``, and members of it in registered claims, from which they are put back.
"""

from __future__ import annotations

from datetime import datetime

from did_health.encoding import timestamps
from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError, VerificationError
from did_health.vc import validation
from did_health.vc.credential import Credential
from did_health.vc.error_codes import PARSING
from did_health.vc.integrity import MALFORMED_VALUE
from did_health.vc.jose.claims import Claims
from did_health.vc.jose.jws import JWS
from did_health.vc.jose_cose.key_discovery import verification_method
from did_health.vc.jose_cose.secured import MediaType, payload_object
from did_health.vc.jose_cose.verify import VerifiedEnvelope
from did_health.vc.proofs.data_integrity import KeySource
from did_health.vc.validation import V1_1, refusal


def verify_jwt_1_1(token: bytes | str, keys: KeySource, *, now: datetime, audience: str | None = None) -> VerifiedEnvelope:
    """Verify a JWT with a ``vc`` claim; ``document`` is the credential of data model 1.1 that it stands for.

    Where a registered claim and a member of the credential say the same thing, they must agree. Raises as ``verify_jwt`` does.
    """
    jws = JWS.parse(token)
    header = jws.header
    if not header.is_encoded:
        raise FormatError("the payload of a JWT must be encoded", code=PARSING)  # RFC 7797 §7
    if header.media_type not in (None, "jwt"):
        raise VerificationError("the typ is not that of a JWT", where="/typ", code=MALFORMED_VALUE)
    payload = payload_object(jws.unverified_payload)
    claims = Claims.parse(payload)
    document = credential_of(payload, claims)
    credential = Credential.parse(document)
    if credential.data_model is not V1_1:
        raise refusal("the credential is not of the data model 1.1", "/vc/@context")
    method = verification_method(header.kid, credential.issuer_id)
    key = keys(method, "assertionMethod", credential.issuer_id)
    jws.verify(key)
    claims.check_times(now)
    claims.check_audience(audience)
    return VerifiedEnvelope(document, MediaType.VC_JWT, credential.issuer_id, method, "assertionMethod", key, header, claims)


def credential_of(payload: JSONObject, claims: Claims) -> JSONObject:
    """The credential of a payload ("JWT Decoding"); raises ``FormatError`` and ``VerificationError`` (``MALFORMED_VALUE_ERROR``)."""
    inner = payload.get("vc")
    if not isinstance(inner, dict) or "vp" in payload:
        raise refusal("the JWT has no claim vc with a credential", "/vc")
    document = dict(inner)
    if claims.issuer is not None:
        if "issuer" in document:
            _agree(validation.party(document["issuer"], "/vc/issuer"), claims.issuer, "/iss")
        else:
            document["issuer"] = claims.issuer
    if claims.id is not None:
        _agree(document.setdefault("id", claims.id), claims.id, "/jti")
    if claims.subject is not None:
        document["credentialSubject"] = _subject(document.get("credentialSubject"), claims.subject)
    for name, moment, where in (("issuanceDate", claims.not_before, "/nbf"), ("expirationDate", claims.expires, "/exp")):
        if moment is None:
            continue
        if name in document:
            # Claims have whole seconds.
            _agree(validation.instant(document[name], f"/vc/{name}").replace(microsecond=0), moment.replace(microsecond=0), where)
        else:
            document[name] = timestamps.format(moment)
    return document


def _subject(value: JSON, identifier: str) -> JSON:
    """``credentialSubject`` with the id that ``sub`` gives to the only subject."""
    subject = value[0] if isinstance(value, list) and len(value) == 1 else value
    if not isinstance(subject, dict):
        raise refusal("sub is not the id of the only subject", "/sub")
    _agree(subject.get("id", identifier), identifier, "/sub")
    return {**subject, "id": identifier}


def _agree(member: JSON, claim: JSON, where: str) -> None:
    if member != claim:
        raise VerificationError("a claim is not what the credential says", where=where, code=MALFORMED_VALUE)
