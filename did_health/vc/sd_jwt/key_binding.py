"""The Key Binding JWT (RFC 9901 §4.3, §7.3): the holder's signature over one presentation for one verifier."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Final

from did_health.encoding import strict_json
from did_health.encoding.timestamps import require_aware
from did_health.errors import FormatError, VerificationError
from did_health.keys import PublicKey, Signer
from did_health.limits import MAX_KEY_BINDING_AGE_SECONDS
from did_health.vc.error_codes import CRYPTOGRAPHIC_SECURITY, PARSING, RANGE
from did_health.vc.jose.claims import Claims, numeric_date
from did_health.vc.jose.header import media_type
from did_health.vc.jose.jws import sign_compact, verify_compact
from did_health.vc.sd_jwt.disclosure import Digest

TYP: Final = "kb+jwt"
_MAX_AGE: Final = timedelta(seconds=MAX_KEY_BINDING_AGE_SECONDS)


@dataclass(frozen=True, slots=True)
class ExpectedKeyBinding:
    """What a verifier asked the holder to sign: who asks, and a fresh value."""

    audience: str
    nonce: str


@dataclass(frozen=True, slots=True)
class KeyBinding:
    """A Key Binding JWT that was verified under the holder's key."""

    public_key: PublicKey
    issued_at: datetime


def sign_key_binding(bound_text: str, digest: Digest, signer: Signer, *, audience: str, nonce: str, now: datetime) -> str:
    """A Key Binding JWT for the presentation ``bound_text`` (see ``SDJWT.bound_text``)."""
    payload = {"nonce": nonce, "aud": audience, "iat": numeric_date(now), "sd_hash": digest(bound_text)}
    return sign_compact(strict_json.dumps(payload), signer, {"typ": TYP})


def verify_key_binding(
    token: str, holder: PublicKey, bound_text: str, digest: Digest, expected: ExpectedKeyBinding, now: datetime
) -> KeyBinding:
    """§7.3 step 5. Raises ``FormatError``, ``UnsupportedError`` for the algorithm, and ``VerificationError`` with the code of what fails."""
    jws = verify_compact(token, holder)
    if jws.header.typ is None or media_type(jws.header.typ) != TYP or not jws.header.is_encoded:
        raise VerificationError("the key binding is not a Key Binding JWT", code=CRYPTOGRAPHIC_SECURITY)
    try:
        payload = strict_json.loads_object(jws.payload, what="Key Binding JWT")
    except FormatError as error:
        raise FormatError(error.what, where=error.where, code=PARSING) from error
    claims = Claims.parse(payload)
    # §4.3: exactly one audience, as a text.
    if claims.issued_at is None or not isinstance(payload.get("aud"), str) or claims.nonce is None or not isinstance(payload.get("sd_hash"), str):
        raise FormatError("the Key Binding JWT lacks a claim that it must have: iat, aud, nonce, sd_hash", code=PARSING)
    claims.check_times(now)
    if claims.issued_at < require_aware(now) - _MAX_AGE:
        raise VerificationError("the Key Binding JWT is too old", where="/iat", code=RANGE)
    claims.check_audience(expected.audience)
    claims.check_nonce(expected.nonce)
    if not compare_digest(payload["sd_hash"].encode(), digest(bound_text).encode()):
        raise VerificationError("the key binding is of another presentation", where="/sd_hash", code=CRYPTOGRAPHIC_SECURITY)
    return KeyBinding(holder, claims.issued_at)
