from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from did_health.encoding import timestamps
from did_health.errors import DidHealthError, FormatError, UnsupportedError, VerificationError
from did_health.keys import PublicKey, generate
from did_health.vc.jose import sign_compact
from did_health.vc.jose.claims import numeric_date
from did_health.vc.jose_cose import VerifiedEnvelope
from did_health.vc.jose_cose.data_model_1_1 import verify_jwt_1_1
from tests.conftest import repeatable_bytes

NOW = datetime(2026, 3, 1, tzinfo=UTC)
START, END = datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
ISSUER, BOARD, DOCTOR = generate(repeatable_bytes("1.1")), "did:web:board.example", "did:example:doctor"
KEY = f"{BOARD}#key"
BARE: dict[str, Any] = {
    "@context": ["https://www.w3.org/2018/credentials/v1"],
    "type": ["VerifiableCredential"],
    "credentialSubject": {"degree": "MD"},
}
CLAIMS: dict[str, Any] = {"iss": BOARD, "sub": DOCTOR, "jti": "urn:uuid:1", "nbf": numeric_date(START), "exp": numeric_date(END), "vc": BARE}
WHOLE: dict[str, Any] = {
    **BARE,
    "issuer": BOARD,
    "id": "urn:uuid:1",
    "credentialSubject": {"degree": "MD", "id": DOCTOR},
    "issuanceDate": timestamps.format(START),
    "expirationDate": timestamps.format(END),
}


def keys(url: str, purpose: str, controller: str | None) -> PublicKey:
    if (url, purpose, controller) != (KEY, "assertionMethod", BOARD):
        raise VerificationError("no such key", code="INVALID_VERIFICATION_METHOD")
    return ISSUER.public_key


def verify(payload: Any, header: dict[str, Any] | None = None, **options: Any) -> VerifiedEnvelope:
    token = sign_compact(json.dumps(payload).encode(), ISSUER, {"kid": KEY, **(header or {})})
    return verify_jwt_1_1(token, keys, now=options.pop("now", NOW), **options)


def changed(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}


def test_members_are_put_back_from_the_claims() -> None:
    verified = verify(CLAIMS, {"typ": "JWT"})
    assert verified.document == WHOLE
    assert (verified.party, verified.verification_method, verified.public_key) == (BOARD, KEY, ISSUER.public_key)
    assert CLAIMS["vc"] == BARE


@pytest.mark.parametrize(
    "vc",
    [
        WHOLE,
        {**WHOLE, "issuer": {"id": BOARD, "name": "Board"}},
        {**WHOLE, "issuanceDate": "2025-01-01T00:00:00.5Z"},
        {**WHOLE, "credentialSubject": WHOLE["credentialSubject"]},
    ],
)
def test_members_that_agree_stay(vc: dict[str, Any]) -> None:
    assert verify(changed(vc=vc)).document == vc
    assert verify({"vc": vc}, {"kid": "key"}).document == vc


def test_the_only_subject_may_stand_in_a_list() -> None:
    assert verify(changed(vc={**BARE, "credentialSubject": [{"degree": "MD"}]})).document == WHOLE


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        (changed(vc=None), FormatError),
        (changed(vc="x"), FormatError),
        (changed(vp={}), FormatError),
        (changed(iss=None), FormatError),
        (changed(nbf=None), FormatError),
        (changed(iss="did:web:other.example"), VerificationError),
        (changed(vc={**WHOLE, "issuer": "did:web:other.example"}), VerificationError),
        (changed(jti="urn:uuid:2", vc=WHOLE), VerificationError),
        (changed(sub="did:example:other", vc=WHOLE), VerificationError),
        (changed(nbf=numeric_date(START) + 1, vc=WHOLE), VerificationError),
        (changed(exp=numeric_date(END) - 1, vc=WHOLE), VerificationError),
        (changed(vc={**BARE, "credentialSubject": [{"a": 1}, {"b": 2}]}), FormatError),
        (changed(vc={**BARE, "credentialSubject": None}), FormatError),
        (changed(vc={**BARE, "@context": ["https://www.w3.org/ns/credentials/v2"]}), FormatError),
        (changed(vc={**WHOLE, "issuanceDate": 1}), FormatError),
        (changed(aud="somebody"), VerificationError),
        ([], FormatError),
    ],
)
def test_tokens_that_are_refused(payload: Any, error: type[DidHealthError]) -> None:
    with pytest.raises(error):
        verify(payload)


def test_headers_times_and_signatures() -> None:
    with pytest.raises(VerificationError, match="typ"):
        verify(CLAIMS, {"typ": "vc+jwt"})
    with pytest.raises(FormatError, match="encoded"):
        verify_jwt_1_1(sign_compact(b"{}", ISSUER, {"b64": False, "crit": ["b64"]}), keys, now=NOW)
    for now in (datetime(2024, 1, 1, tzinfo=UTC), END):
        with pytest.raises(VerificationError) as caught:
            verify(CLAIMS, now=now)
        assert caught.value.code == "RANGE_ERROR"
    thief = sign_compact(json.dumps(CLAIMS).encode(), generate(repeatable_bytes("thief")), {"kid": KEY})
    with pytest.raises(VerificationError, match="does not verify"):
        verify_jwt_1_1(thief, keys, now=NOW)
    with pytest.raises(UnsupportedError):
        verify_jwt_1_1("eyJhbGciOiJub25lIn0.e30.", keys, now=NOW)
    assert verify(changed(aud=["a", "b"]), audience="b").claims.audience == ("a", "b")
