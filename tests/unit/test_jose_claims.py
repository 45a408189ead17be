"""JSON Web Token claims, RFC 7519 §4.1, and the confirmation key of RFC 7800."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from did_health.errors import FormatError, VerificationError
from did_health.keys import generate
from did_health.limits import MAX_CLOCK_SKEW_SECONDS
from did_health.vc.jose.claims import Claims, numeric_date
from tests.conftest import repeatable_bytes

NOW = datetime(2026, 3, 1, tzinfo=UTC)
AT = numeric_date(NOW)
KEY = generate(repeatable_bytes("claims")).public_key


def test_claims_are_read_and_others_ignored() -> None:
    """RFC 7519 §4."""
    claims = Claims.parse({
        "iss": "a", "sub": "b", "aud": ["c", "d"], "exp": AT + 1, "nbf": AT, "iat": AT + 0.5, "jti": "e", "nonce": "f", "cnf": {"jwk": KEY.jwk}, "more": 1,
    })
    assert (claims.issuer, claims.subject, claims.audience, claims.id, claims.nonce) == ("a", "b", ("c", "d"), "e", "f")
    assert (claims.expires, claims.not_before) == (NOW + timedelta(seconds=1), NOW)
    assert claims.issued_at == NOW + timedelta(seconds=0.5)
    assert claims.confirmation_key == KEY
    assert Claims.parse({}).confirmation_key is None
    assert Claims.parse({"cnf": {"kid": "x"}}).confirmation_key is None


@pytest.mark.parametrize(
    "payload",
    [
        {"iss": 1}, {"sub": None}, {"aud": 1}, {"aud": []}, {"aud": ["a", 1]}, {"aud": None}, {"exp": "2026-01-01T00:00:00Z"}, {"exp": True}, {"exp": None},
        {"nbf": "1"}, {"iat": []}, {"iat": None}, {"jti": 1}, {"nonce": 1}, {"cnf": "x"}, {"exp": 1e300}, {"exp": 1 << 62}, {"nbf": -(1 << 62)},
    ],
)
def test_claims_of_a_wrong_type_are_refused(payload: dict[str, Any]) -> None:
    """RFC 7519 §2 (NumericDate, StringOrURI), §4.1.1 to §4.1.7; RFC 7800 §3."""
    with pytest.raises(FormatError) as caught:
        Claims.parse(payload)
    assert caught.value.code == "PARSING_ERROR"


def test_a_timestamp_as_iat_says_nothing() -> None:
    assert Claims.parse({"iat": "2010-01-01T19:23:24Z"}).issued_at is None


@pytest.mark.parametrize(
    ("payload", "where"),
    [
        ({"exp": AT}, "/exp"),
        ({"exp": AT - 1}, "/exp"),
        ({"nbf": AT + MAX_CLOCK_SKEW_SECONDS + 1}, "/nbf"),
        ({"iat": AT + MAX_CLOCK_SKEW_SECONDS + 1}, "/iat"),
    ],
)
def test_tokens_out_of_time_are_refused(payload: dict[str, Any], where: str) -> None:
    """RFC 7519 §4.1.4, §4.1.5, §4.1.6."""
    with pytest.raises(VerificationError) as caught:
        Claims.parse(payload).check_times(NOW)
    assert (caught.value.code, caught.value.where) == ("RANGE_ERROR", where)


@pytest.mark.parametrize("payload", [{}, {"exp": AT + 1}, {"nbf": AT + MAX_CLOCK_SKEW_SECONDS}, {"iat": AT + MAX_CLOCK_SKEW_SECONDS}, {"iat": 0}])
def test_tokens_in_time_pass(payload: dict[str, Any]) -> None:
    """RFC 7519 §4.1.4: before exp, and not before nbf."""
    claims = Claims.parse(payload)
    claims.check_times(NOW)
    with pytest.raises(ValueError, match="time zone"):
        claims.check_times(datetime(2026, 1, 1))  # noqa: DTZ001  # what is tested


def test_who_is_not_the_audience_refuses() -> None:
    """RFC 7519 §4.1.3."""
    claims = Claims.parse({"aud": "pharmacy"})
    claims.check_audience("pharmacy")
    for audience in ("clinic", None):
        with pytest.raises(VerificationError) as caught:
            claims.check_audience(audience)
        assert caught.value.code == "INVALID_DOMAIN_ERROR"
    Claims.parse({}).check_audience(None)
    with pytest.raises(VerificationError):
        Claims.parse({}).check_audience("pharmacy")


def test_the_nonce_must_be_the_one_that_was_given() -> None:
    claims = Claims.parse({"nonce": "n"})
    claims.check_nonce("n")
    claims.check_nonce(None)
    with pytest.raises(VerificationError) as caught:
        claims.check_nonce("m")
    assert caught.value.code == "INVALID_CHALLENGE_ERROR"
