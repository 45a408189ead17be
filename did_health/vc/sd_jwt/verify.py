"""Verifying an SD-JWT, and the key binding where it is asked for (RFC 9901 §7.1, §7.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from did_health.encoding import strict_json
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, VerificationError
from did_health.keys import PublicKey
from did_health.vc.error_codes import CRYPTOGRAPHIC_SECURITY, PARSING
from did_health.vc.jose.claims import Claims
from did_health.vc.jose.header import Header
from did_health.vc.sd_jwt.disclosure import Disclosure
from did_health.vc.sd_jwt.key_binding import ExpectedKeyBinding, KeyBinding, verify_key_binding
from did_health.vc.sd_jwt.processing import process
from did_health.vc.sd_jwt.serialization import SDJWT

FindIssuerKey = Callable[[Header, JSONObject], PublicKey]
"""The issuer's key, by the header and the processed payload, both of which are still unverified; raises whatever tells that there is none."""


@dataclass(frozen=True, slots=True)
class VerifiedSDJWT:
    """An SD-JWT that was verified. ``payload`` is the processed one: what was disclosed, in its place, and no digests.

    ``placed`` are the JSON pointers in it of what was disclosed, with the disclosures. ``key_binding`` is there if it was asked for.
    """

    payload: JSONObject = field(repr=False)
    claims: Claims
    header: Header
    public_key: PublicKey
    placed: tuple[tuple[str, Disclosure], ...]
    key_binding: KeyBinding | None


def verify_sd_jwt(
    token: bytes | str | SDJWT,
    find: FindIssuerKey,
    *,
    now: datetime,
    key_binding: ExpectedKeyBinding | None = None,
    audience: str | None = None,
) -> VerifiedSDJWT:
    """All steps of §7.1; with ``key_binding`` also those of §7.3, and a token without a Key Binding JWT is refused.

    Without it a Key Binding JWT that came along is not looked at, and proves nothing. ``audience`` is for a JWT with ``aud``. Raises
    ``FormatError``, ``UnsupportedError``, ``VerificationError`` (with the codes of VC Data Model 2.0 §7.2, and ``INVALID_DOMAIN_ERROR`` or
    ``INVALID_CHALLENGE_ERROR`` for another audience or nonce), and whatever ``find`` raises.
    """
    parsed = token if isinstance(token, SDJWT) else SDJWT.parse(token)
    first = parsed.signatures[0]
    if not first.header.is_encoded:
        raise FormatError("the payload of a JWT must be encoded", code=PARSING)  # RFC 7797 §7
    processed = process(_payload(first.unverified_payload), parsed.disclosures)
    verified, *_ = [jws.verify(find(jws.header, processed.payload)) for jws in parsed.signatures]
    claims = Claims.parse(processed.payload)
    claims.check_times(now)
    claims.check_audience(audience)
    bound = None
    if key_binding is not None:
        if parsed.key_binding is None:
            raise VerificationError("the SD-JWT is not bound to its holder's key", code=CRYPTOGRAPHIC_SECURITY)
        holder = claims.confirmation_key
        if holder is None:
            raise VerificationError("the SD-JWT names no key of its holder", where="/cnf", code=CRYPTOGRAPHIC_SECURITY)
        bound = verify_key_binding(parsed.key_binding, holder, parsed.bound_text, processed.digest, key_binding, now)
    return VerifiedSDJWT(processed.payload, claims, verified.header, verified.public_key, processed.placed, bound)


def _payload(data: bytes) -> JSONObject:
    try:
        return strict_json.loads_object(data, what="payload of the SD-JWT")
    except FormatError as error:
        raise FormatError(error.what, where=error.where, hint=error.hint, code=PARSING) from error
