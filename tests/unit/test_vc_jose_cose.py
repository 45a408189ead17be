from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from did_health.errors import DidHealthError, FormatError, UnsupportedError, VerificationError
from did_health.keys import PublicKey, generate
from did_health.vc.cose import sign1
from did_health.vc.envelope import Envelope
from did_health.vc.jose import sign_compact
from did_health.vc.jose_cose import MediaType, Secured, sign_cose, sign_jwt, sign_sd_jwt, verify_cose, verify_envelope, verify_jwt
from did_health.vc.jose_cose.key_discovery import verification_method
from did_health.vc.sd_jwt import ExpectedKeyBinding, present
from tests.conftest import repeatable_bytes

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ISSUER, HOLDER = generate(repeatable_bytes("envelope issuer")), generate(repeatable_bytes("envelope holder"))
BOARD, DOCTOR = "did:web:board.example", "did:example:doctor"
BOARD_KEY, DOCTOR_KEY = f"{BOARD}#key", f"{DOCTOR}#key"
CREDENTIAL: dict[str, Any] = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "id": "urn:uuid:3978344f-8596-4c3a-a978-8fcaba3903c5",
    "type": ["VerifiableCredential"],
    "issuer": {"id": BOARD, "name": "Board"},
    "credentialSubject": {"id": DOCTOR, "license": {"number": "A1", "state": "NC"}},
    "credentialSchema": {"id": "https://board.example/schema", "type": "JsonSchema"},
}
PRESENTATION: dict[str, Any] = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": ["VerifiablePresentation"],
    "holder": DOCTOR,
}


def keys(url: str, purpose: str, controller: str | None) -> PublicKey:
    """Both parties' keys, each for its purpose and its controller."""
    known = {(BOARD_KEY, "assertionMethod"): (BOARD, ISSUER), (DOCTOR_KEY, "authentication"): (DOCTOR, HOLDER)}
    if (url, purpose) not in known or controller not in (None, known[url, purpose][0]):
        raise VerificationError("no such key", code="INVALID_VERIFICATION_METHOD")
    return known[url, purpose][1].public_key


def jwt(payload: Any, header: dict[str, Any] | None = None, signer: Any = ISSUER) -> str:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return sign_compact(data, signer, {"kid": BOARD_KEY, **(header or {})})


def credential(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**CREDENTIAL, **changes}.items() if value is not None}


def verify_vc(token: str, **arguments: Any) -> Any:
    return verify_jwt(token, MediaType.VC_JWT, keys, now=NOW, **arguments)


@pytest.mark.parametrize("sign", [sign_jwt, sign_cose])
def test_a_credential_in_its_envelope(sign: Any) -> None:
    envelope = sign(CREDENTIAL, ISSUER, kid=BOARD_KEY)
    verified = verify_envelope(envelope.content, envelope.media_type, keys, now=NOW)
    assert verified.document == CREDENTIAL
    assert (verified.party, verified.verification_method, verified.purpose, verified.public_key) == (BOARD, BOARD_KEY, "assertionMethod", ISSUER.public_key)
    assert Secured.open(Envelope.parse(json.loads(json.dumps(envelope.envelope())))) == envelope
    presentation = {**PRESENTATION, "verifiableCredential": [envelope.envelope()]}
    shown = sign(presentation, HOLDER, kid=DOCTOR_KEY)
    assert shown.envelope()["type"] == "EnvelopedVerifiablePresentation"
    assert Secured.open(Envelope.parse(shown.envelope())) == shown
    found = verify_envelope(shown.content, shown.media_type, keys, now=NOW)
    assert (found.document, found.party, found.purpose) == (presentation, DOCTOR, "authentication")


def test_claims_beside_a_presentation() -> None:
    envelope = sign_jwt(PRESENTATION, HOLDER, kid=DOCTOR_KEY, audience="https://pharmacy.example", nonce="n", issued_at=NOW, expires=NOW + timedelta(minutes=5))
    arguments: dict[str, Any] = {"now": NOW, "audience": "https://pharmacy.example", "nonce": "n"}
    verified = verify_envelope(envelope.content, MediaType.VP_JWT, keys, **arguments)
    assert (verified.claims.nonce, verified.claims.expires) == ("n", NOW + timedelta(minutes=5))
    for changes, code in (
        ({"audience": "https://clinic.example"}, "INVALID_DOMAIN_ERROR"),
        ({"audience": None}, "INVALID_DOMAIN_ERROR"),
        ({"nonce": "m"}, "INVALID_CHALLENGE_ERROR"),
        ({"now": NOW + timedelta(minutes=5)}, "RANGE_ERROR"),
    ):
        with pytest.raises(VerificationError) as caught:
            verify_envelope(envelope.content, MediaType.VP_JWT, keys, **{**arguments, **changes})
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("payload", "header", "error"),
    [
        (credential(), {"typ": "JWT"}, VerificationError),
        (credential(), {"typ": "vp+jwt"}, VerificationError),
        (credential(), {"typ": "vc+sd-jwt"}, VerificationError),
        (credential(), {"cty": "vp"}, VerificationError),
        (credential(), {"b64": False, "crit": ["b64"]}, FormatError),
        (credential(iss="https://other.example"), {}, VerificationError),
        (credential(iss=1), {}, FormatError),
        (credential(jti="urn:other"), {}, VerificationError),
        (credential(sub="did:example:other"), {}, VerificationError),
        (credential(vc={}), {}, FormatError),
        (credential(vp={}), {}, FormatError),
        (credential(exp=1), {}, VerificationError),
        (credential(issuer=None), {}, FormatError),
        (credential(issuer="board"), {}, FormatError),
        (credential(credentialSubject=None), {}, FormatError),
        (
            credential(**{"@context": ["https://www.w3.org/2018/credentials/v1"], "issuanceDate": "2020-01-01T00:00:00Z"}),
            {},
            FormatError,
        ),
        (PRESENTATION, {}, FormatError),
        (b"[]", {}, FormatError),
        (b"{", {}, FormatError),
        (credential(), {"kid": "did:web:other.example#key"}, VerificationError),
        (credential(issuer="did:web:other.example"), {}, VerificationError),
        (credential(), {"kid": ""}, VerificationError),
        (credential(), {"kid": "x" * 5000}, VerificationError),
    ],
)
def test_credentials_that_are_refused(payload: Any, header: dict[str, Any], error: type[DidHealthError]) -> None:
    if header.get("b64") is False:
        payload = b"{}"
    with pytest.raises(error):
        verify_vc(jwt(payload, header))


AGREEING = credential(iss=BOARD, jti=CREDENTIAL["id"], sub=DOCTOR, iat=0, unknown=[1])


@pytest.mark.parametrize("payload", [credential(), AGREEING, credential(iat="2010-01-01T19:23:24Z")])
@pytest.mark.parametrize("header", [{}, {"typ": "vc+jwt"}, {"typ": "application/VC+JWT", "cty": "application/vc"}])
def test_credentials_that_verify(payload: dict[str, Any], header: dict[str, Any]) -> None:
    assert verify_vc(jwt(payload, header)).document == payload


def test_whose_key_it_is() -> None:
    assert verification_method("did:a:b#c", None) == "did:a:b#c"
    assert verification_method("https://board.example/keys/urn:ietf:params", "x") == "https://board.example/keys/urn:ietf:params"
    assert verification_method("#key", BOARD) == verification_method("key", BOARD) == BOARD_KEY
    assert verification_method(None, "https://board.example") == "https://board.example"
    for kid, party in ((None, None), ("key", None), (None, BOARD), ("", BOARD), ("a#b", BOARD), ("a b", BOARD)):
        with pytest.raises(VerificationError) as caught:
            verification_method(kid, party)
        assert caught.value.code == "INVALID_VERIFICATION_METHOD_URL"
    assert verify_vc(jwt(CREDENTIAL, {"kid": "key"})).verification_method == BOARD_KEY


def test_a_holder_may_be_named_by_iss_or_by_nobody() -> None:
    anonymous = {name: value for name, value in PRESENTATION.items() if name != "holder"}
    for payload, party in ((anonymous, None), ({**anonymous, "iss": DOCTOR}, DOCTOR)):
        token = jwt(payload, {"kid": DOCTOR_KEY}, HOLDER)
        assert verify_jwt(token, MediaType.VP_JWT, keys, now=NOW).party == party


ENVELOPED = sign_jwt(CREDENTIAL, ISSUER, kid=BOARD_KEY)


@pytest.mark.parametrize(
    ("presented", "error"),
    [
        (CREDENTIAL, FormatError),
        ([CREDENTIAL], FormatError),
        ({**ENVELOPED.envelope(), "id": "not-a-credential"}, FormatError),
        ({**ENVELOPED.envelope(), "id": 1}, FormatError),
        ({**ENVELOPED.envelope(), "id": "data:,x"}, FormatError),
        ({**ENVELOPED.envelope(), "@context": "https://www.w3.org/2018/credentials/v1"}, FormatError),
        ({**ENVELOPED.envelope(), "@context": "https://board.example"}, FormatError),
        (Secured(MediaType.VP_JWT, b"x").envelope(), FormatError),
        ("x", FormatError),
        (1, FormatError),
    ],
)
def test_presentations_whose_credentials_are_not_secured(presented: Any, error: type[DidHealthError]) -> None:
    token = jwt({**PRESENTATION, "verifiableCredential": presented}, {"kid": DOCTOR_KEY}, HOLDER)
    with pytest.raises(error):
        verify_jwt(token, MediaType.VP_JWT, keys, now=NOW)


def test_what_presentations_may_hold() -> None:
    embedded = {**CREDENTIAL, "proof": {"type": "DataIntegrityProof"}}
    for presented in (ENVELOPED.envelope(), [ENVELOPED.envelope(), embedded], embedded):
        token = jwt({**PRESENTATION, "verifiableCredential": presented}, {"kid": DOCTOR_KEY}, HOLDER)
        assert verify_jwt(token, MediaType.VP_JWT, keys, now=NOW).document["verifiableCredential"] == presented
    old = {**PRESENTATION, "@context": ["https://www.w3.org/2018/credentials/v1"]}
    with pytest.raises(FormatError, match=r"2\.0"):
        verify_jwt(jwt(old, {"kid": DOCTOR_KEY}, HOLDER), MediaType.VP_JWT, keys, now=NOW)


def test_envelopes() -> None:
    for media_type in ("application/dc+sd-jwt", "vc+jwt/x", "text/vc+jwt"):
        with pytest.raises(UnsupportedError):
            Secured.open(Envelope.parse({**ENVELOPED.envelope(), "id": f"data:{media_type},x"}))
    with pytest.raises(FormatError, match="another type"):
        Secured.open(Envelope.parse({**ENVELOPED.envelope(), "id": "data:application/vp+jwt,x"}))
    cose = sign_cose(CREDENTIAL, ISSUER, kid=BOARD_KEY)
    url = cose.envelope()["id"]
    assert url.startswith("data:application/vc+cose;base64,")
    # Left-out padding and a line's end are forgiven, as the URL and Fetch Standards do.
    assert Secured.open(Envelope.parse({**cose.envelope(), "id": url.rstrip("=") + "\n"})) == cose
    assert "eyJ" not in repr(ENVELOPED)


def test_an_sd_jwt_with_key_binding() -> None:
    media_type, held = sign_sd_jwt(
        CREDENTIAL, ISSUER, kid=BOARD_KEY, conceal=["/credentialSubject/license/number"], random=repeatable_bytes("x"), holder_key=HOLDER.public_key,
        decoys={"/credentialSubject": 1},
    )
    assert media_type is MediaType.VC_SD_JWT
    expected = ExpectedKeyBinding("https://pharmacy.example", "n")
    shown = str(present(held, [], binding=expected, holder=HOLDER, now=NOW))
    verified = verify_envelope(shown, media_type, keys, now=NOW, key_binding=expected)
    assert verified.document["credentialSubject"]["license"] == {"state": "NC"}
    assert verified.key_binding is not None
    assert (verified.party, verified.verification_method) == (BOARD, BOARD_KEY)
    with pytest.raises(ValueError, match="only an SD-JWT"):
        verify_envelope(ENVELOPED.content, ENVELOPED.media_type, keys, now=NOW, key_binding=expected)
    with pytest.raises(VerificationError, match="typ"):
        verify_envelope(shown, MediaType.VP_SD_JWT, keys, now=NOW)


@pytest.mark.parametrize("pointer", ["/issuer", "/issuer/name", "/credentialSchema/id", "/@context/0", "/type"])
def test_what_verifying_needs_is_not_concealed(pointer: str) -> None:
    with pytest.raises(ValueError, match="cannot be concealed"):
        sign_sd_jwt(CREDENTIAL, ISSUER, kid=BOARD_KEY, conceal=[pointer], random=repeatable_bytes("x"))


def test_a_presentation_as_sd_jwt() -> None:
    media_type, token = sign_sd_jwt(PRESENTATION, HOLDER, kid=DOCTOR_KEY, conceal=["/holder"], random=repeatable_bytes("x"), audience="a", nonce="n")
    assert verify_envelope(str(token), media_type, keys, now=NOW, audience="a", nonce="n").party == DOCTOR


@pytest.mark.parametrize("sign", [sign_jwt, sign_cose])
def test_what_no_verifier_would_accept_is_not_signed(sign: Any) -> None:
    for document, kid in ((CREDENTIAL, "key"), (credential(issuer=None), BOARD_KEY), (credential(vc=1), BOARD_KEY), ({}, BOARD_KEY)):
        with pytest.raises((FormatError, VerificationError)):
            sign(document, ISSUER, kid=kid)


def cose(protected: dict[int | str, Any], unprotected: dict[int | str, Any] | None = None, payload: Any = CREDENTIAL) -> bytes:
    return sign1(json.dumps(payload).encode(), ISSUER, {4: BOARD_KEY.encode(), **protected}, unprotected)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (cose({16: "application/vp+cose"}), VerificationError),
        (cose({16: 7}), VerificationError),
        (cose({3: "application/vp"}), VerificationError),
        (cose({4: b"\xff"}), FormatError),
        (cose({15: []}), FormatError),
        (cose({15: {4: 1}}), VerificationError),
        (cose({15: {1: "did:web:other.example"}}), VerificationError),
        (cose({15: {3: "a"}}), VerificationError),
        (cose({}, payload=[]), FormatError),
        (cose({}, payload=PRESENTATION), FormatError),
        (b"x", FormatError),
    ],
)
def test_cose_messages_that_are_refused(data: bytes, error: type[DidHealthError]) -> None:
    with pytest.raises(error):
        verify_cose(data, MediaType.VC_COSE, keys, now=NOW)


def test_claims_of_a_cose_message() -> None:
    verified = verify_cose(cose({15: {1: BOARD, 3: "a", 10: "n", 6: 0}}), MediaType.VC_COSE, keys, now=NOW, audience="a", nonce="n")
    assert verified.claims.issuer == BOARD
    with pytest.raises(TypeError):
        verify_envelope("text", MediaType.VC_COSE, keys, now=NOW)
    from did_health.encoding import cbor

    payload = json.dumps(CREDENTIAL).encode()
    signature = ISSUER.sign(cbor.dumps(["Signature1", b"", b"", payload]))
    with pytest.raises(VerificationError, match="not protected"):
        verify_cose(cbor.dumps([b"", {1: -8, 4: BOARD_KEY.encode()}, payload, signature]), MediaType.VC_COSE, keys, now=NOW)
    assert verify_cose(cose({}), MediaType.VC_COSE, keys, now=NOW).header.kid == BOARD_KEY.encode()
    url_issuer = {**CREDENTIAL, "issuer": "https://board.example"}
    data = sign1(json.dumps(url_issuer).encode(), ISSUER)
    assert verify_cose(data, MediaType.VC_COSE, lambda *_: ISSUER.public_key, now=NOW).verification_method == "https://board.example"
