"""The registered claims of a JSON Web Token (RFC 7519 §4.1), and the confirmation key (RFC 7800)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from did_health.encoding.strict_json import JSON, JSONObject
from did_health.encoding.timestamps import require_aware
from did_health.errors import FormatError, VerificationError
from did_health.keys import JWK, PublicKey
from did_health.limits import MAX_CLOCK_SKEW_SECONDS
from did_health.vc.error_codes import PARSING, RANGE

_SKEW: Final = timedelta(seconds=MAX_CLOCK_SKEW_SECONDS)


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims that a JWT library has to know; all others are the payload's own.

    ``issued_at`` is ``None`` also where ``iat`` is not a number: tokens are about that write the text of a timestamp there, which says
    nothing about validity. ``exp`` and ``nbf`` do, so there it is refused.
    """

    issuer: str | None
    subject: str | None
    audience: tuple[str, ...]
    expires: datetime | None
    not_before: datetime | None
    issued_at: datetime | None
    id: str | None
    nonce: str | None
    confirmation: JSONObject | None = field(repr=False)

    @classmethod
    def parse(cls, payload: JSONObject) -> Claims:
        """Read the claims of a payload; raises ``FormatError`` (``PARSING_ERROR``) for one of a wrong type."""
        if payload.keys().isdisjoint(_NAMES):
            return _NO_CLAIMS
        iat = payload.get("iat")
        return cls(
            _text(payload, "iss"),
            _text(payload, "sub"),
            _audience(payload.get("aud")) if "aud" in payload else (),
            _numeric_date(payload, "exp"),
            _numeric_date(payload, "nbf"),
            None if isinstance(iat, str) else _numeric_date(payload, "iat"),
            _text(payload, "jti"),
            _text(payload, "nonce"),
            _object(payload, "cnf"),
        )

    def check_times(self, now: datetime) -> None:
        """``exp`` (§4.1.4), ``nbf`` (§4.1.5) and ``iat`` against ``now``, with ``MAX_CLOCK_SKEW_SECONDS`` for what lies ahead.

        Raises ``VerificationError`` (``RANGE_ERROR``).
        """
        now = require_aware(now)
        if self.expires is not None and now >= self.expires:
            raise VerificationError("the token has expired", where="/exp", code=RANGE)
        latest = now + _SKEW
        if self.not_before is not None and self.not_before > latest:
            raise VerificationError("the token is not valid yet", where="/nbf", code=RANGE)
        if self.issued_at is not None and self.issued_at > latest:
            raise VerificationError("the token was issued in the future", where="/iat", hint="Check this machine's clock", code=RANGE)

    def check_audience(self, audience: str | None) -> None:
        """``aud`` (§4.1.3): who does not find itself there must refuse; ``audience`` given, it must be there.

        Raises ``VerificationError`` (``INVALID_DOMAIN_ERROR``).
        """
        if (audience is not None or self.audience) and audience not in self.audience:
            raise VerificationError("the token was made for another audience", where="/aud", code="INVALID_DOMAIN_ERROR")

    def check_nonce(self, nonce: str | None) -> None:
        """``nonce`` must be the one given. Raises ``VerificationError`` (``INVALID_CHALLENGE_ERROR``)."""
        if nonce is not None and nonce != self.nonce:
            raise VerificationError("the token does not answer the challenge", where="/nonce", code="INVALID_CHALLENGE_ERROR")

    @property
    def confirmation_key(self) -> PublicKey | None:
        """The key in ``cnf`` (RFC 7800 §3.2) that the holder can prove to have, if it is given as a JWK.

        Raises ``FormatError``, or ``UnsupportedError`` for another type of key.
        """
        if self.confirmation is None or "jwk" not in self.confirmation:
            return None
        return JWK.parse(self.confirmation["jwk"]).public_key


_NAMES: Final = frozenset(("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "nonce", "cnf"))
_NO_CLAIMS: Final = Claims(None, None, (), None, None, None, None, None, None)


def numeric_date(moment: datetime) -> int:
    """A NumericDate (RFC 7519 §2) of whole seconds."""
    return int(require_aware(moment).timestamp())


def _text(payload: JSONObject, name: str) -> str | None:
    value = payload.get(name)
    if name in payload and not isinstance(value, str):
        raise FormatError("a claim is not a text", where=f"/{name}", code=PARSING)
    return value


def _object(payload: JSONObject, name: str) -> JSONObject | None:
    value = payload.get(name)
    if name in payload and not isinstance(value, dict):
        raise FormatError("a claim is not an object", where=f"/{name}", code=PARSING)
    return value


def _audience(value: JSON) -> tuple[str, ...]:
    values = value if isinstance(value, list) and value else [value]
    if not all(isinstance(item, str) for item in values):
        raise FormatError("the audience is neither a text nor a list of texts", where="/aud", code=PARSING)
    return tuple(values)


def _numeric_date(payload: JSONObject, name: str) -> datetime | None:
    if name not in payload:
        return None
    value = payload[name]
    if type(value) not in (int, float):
        raise FormatError("a time is not a number of seconds", where=f"/{name}", code=PARSING)
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise FormatError("a time is out of range", where=f"/{name}", code=PARSING) from error
