"""Securing Verifiable Credentials using JOSE and COSE 1.0 (Recommendation of May 2025), statement by statement.

Each test names its section; what is written of a statement is its sense. The signatures themselves are tested with ``vc.jose``, ``vc.cose`` and
``vc.sd_jwt``, and against the W3C's own inputs in ``tests/vectors``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cbor2 import CBORTag

from did_health.did.controlled_identifier import ControlledIdentifierDocument, ControlledKeys
from did_health.encoding import cbor
from did_health.encoding.base64 import base64url_decode, base64url_encode
from did_health.errors import DidHealthError, FormatError, UnsupportedError, VerificationError
from did_health.keys import Algorithm, PublicKey, Signer, generate
from did_health.vc.cose import sign1
from did_health.vc.envelope import Envelope
from did_health.vc.jose import sign_compact
from did_health.vc.jose_cose import MediaType, Secured, sign_cose, sign_jwt, sign_sd_jwt, verify_envelope
from did_health.vc.sd_jwt import SDJWT, present
from tests.conftest import repeatable_bytes
from tests.unit.sample_credentials import V2, Document

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ISSUER, HOLDER = generate(repeatable_bytes("issuer"), Algorithm.P256), generate(repeatable_bytes("holder"))
BOARD, DOCTOR = "did:web:board.example", "did:example:doctor"
BOARD_KEY, DOCTOR_KEY = f"{BOARD}#key", f"{DOCTOR}#key"
CREDENTIAL: Document = {
    "@context": [V2],
    "id": "urn:uuid:3978344f-8596-4c3a-a978-8fcaba3903c5",
    "type": ["VerifiableCredential"],
    "issuer": {"id": BOARD},
    "validFrom": "2026-01-01T00:00:00Z",
    "credentialSubject": {"id": DOCTOR, "license": {"number": "A1", "state": "NC"}},
    "credentialSchema": {"id": "https://board.example/schema", "type": "JsonSchema"},
    "credentialStatus": {"type": "Other", "id": "https://board.example/status/1"},
}
PRESENTATION: Document = {"@context": [V2], "type": ["VerifiablePresentation"], "holder": DOCTOR}


def keys(url: str, purpose: str, controller: str | None) -> PublicKey:
    known = {(BOARD_KEY, "assertionMethod"): (BOARD, ISSUER), (DOCTOR_KEY, "authentication"): (DOCTOR, HOLDER)}
    if (url, purpose) not in known or controller not in (None, known[url, purpose][0]):
        raise VerificationError("no such key", code="INVALID_VERIFICATION_METHOD")
    return known[url, purpose][1].public_key


def of_sd_jwt(document: Document, signer: Signer, *, kid: str, conceal: tuple[str, ...] = ()) -> Secured:
    media_type, token = sign_sd_jwt(document, signer, kid=kid, conceal=conceal, random=repeatable_bytes("salts"))
    return Secured(media_type, str(token).encode())


MECHANISMS: dict[str, Callable[..., Secured]] = {"jwt": sign_jwt, "sd-jwt": of_sd_jwt, "cose": sign_cose}
every_mechanism = pytest.mark.parametrize("mechanism", MECHANISMS)


def credential(**changes: Any) -> Document:
    return {name: value for name, value in {**CREDENTIAL, **changes}.items() if value is not ...}


def secured(mechanism: str, document: Document = CREDENTIAL) -> Secured:
    """By the issuer, or by the holder if it is a presentation."""
    signer, kid = (HOLDER, DOCTOR_KEY) if "VerifiablePresentation" in document["type"] else (ISSUER, BOARD_KEY)
    return MECHANISMS[mechanism](document, signer, kid=kid)


def by_hand(mechanism: str, document: Document, header: Document | None = None, signer: Signer = ISSUER, kid: str = BOARD_KEY, kind: str = "vc") -> Secured:
    """A good signature on a payload that no issuer here would write. ``header`` replaces parameters; ``...`` leaves one out."""
    payload = json.dumps(document).encode()
    if mechanism == "cose":
        labels: dict[str, int] = {"typ": 16, "cty": 3, "kid": 4, "claims": 15}
        parameters = {"typ": f"application/{kind}+cose", "cty": f"application/{kind}", "kid": kid.encode(), **(header or {})}
        protected = {labels.get(name, name): value for name, value in parameters.items() if value is not ...}
        return Secured(MediaType(f"{kind}+cose"), sign1(payload, signer, protected))
    parameters = {"typ": f"{kind}+{mechanism}", "cty": kind, "kid": kid, **(header or {})}
    token = sign_compact(payload, signer, {name: value for name, value in parameters.items() if value is not ...})
    return Secured(MediaType(f"{kind}+{mechanism}"), (token + ("~" if mechanism == "sd-jwt" else "")).encode())


def verify(token: Secured, **arguments: Any) -> Document:
    return verify_envelope(token.content if token.media_type.is_binary else token.content.decode(), token.media_type, keys, now=NOW, **arguments).document


def refused(token: Secured, error: type[DidHealthError] | tuple[type[DidHealthError], ...] = (FormatError, VerificationError), **arguments: Any) -> None:
    with pytest.raises(error):
        verify(token, **arguments)


# §1.1.2.1 JWT format and requirements


@pytest.mark.parametrize("mechanism", ["jwt", "sd-jwt"])
@pytest.mark.parametrize(
    "document", [CREDENTIAL, credential(proof={"type": "DataIntegrityProof"}), PRESENTATION], ids=["credential", "with a proof", "presentation"]
)
def test_claims_without_integrity_protection_are_none(mechanism: str, document: Document) -> None:
    """§1.1.2.1: alg none says that nothing is protected, whatever is in the claims."""
    kind = "vp" if document is PRESENTATION else "vc"
    for none in ("none", "None", "NONE"):
        header = {"alg": none, "typ": f"{kind}+{mechanism}", "kid": BOARD_KEY}
        token = ".".join(base64url_encode(json.dumps(part).encode()) for part in (header, document)) + "."
        refused(Secured(MediaType(f"{kind}+{mechanism}"), (token + ("~" if mechanism == "sd-jwt" else "")).encode()), (UnsupportedError, FormatError))


@every_mechanism
@pytest.mark.parametrize("claim", ["vc", "vp"])
def test_the_claims_vc_and_vp_must_not_be_there(mechanism: str, claim: str) -> None:
    """§1.1.2.1, §3.1.3: of a credential or presentation; neither is one made."""
    for value in ({}, CREDENTIAL, None):
        refused(by_hand(mechanism, credential(**{claim: value})), FormatError)
        refused(by_hand(mechanism, {**PRESENTATION, claim: value}, signer=HOLDER, kid=DOCTOR_KEY, kind="vp"), FormatError)
        with pytest.raises(FormatError):
            secured(mechanism, credential(**{claim: value}))


# §3 Securing the data model


@every_mechanism
@pytest.mark.parametrize("document", [CREDENTIAL, PRESENTATION], ids=["credential", "presentation"])
def test_the_media_types_are_those_of_the_specification(mechanism: str, document: Document) -> None:
    """§3, §6.1: in the type, in the header and in the envelope's URL."""
    kind = "vp" if document is PRESENTATION else "vc"
    token = secured(mechanism, document)
    assert token.media_type == f"{kind}+{mechanism}"
    assert token.envelope()["id"].startswith(f"data:application/{kind}+{mechanism}{';base64' if mechanism == 'cose' else ''},")
    assert Secured.open(Envelope.parse(token.envelope())) == token


@pytest.mark.parametrize("mechanism", ["jwt", "sd-jwt"])
@pytest.mark.parametrize("document", [CREDENTIAL, PRESENTATION], ids=["credential", "presentation"])
def test_the_document_is_the_payload_of_a_jws(mechanism: str, document: Document) -> None:
    """§3.1.1, §3.1.2, §3.2.1, §3.2.2: RFC 7515 in the compact serialization, with typ and cty; nothing is mapped or moved."""
    header, payload, _signature = secured(mechanism, document).content.decode().removesuffix("~").split(".")
    kind = "vp" if document is PRESENTATION else "vc"
    parameters = json.loads(base64url_decode(header))
    assert (parameters["typ"], parameters["cty"]) == (f"{kind}+{mechanism}", kind)
    claims = json.loads(base64url_decode(payload))
    assert {name: value for name, value in claims.items() if name != "_sd_alg"} == document
    assert verify(secured(mechanism, document)) == document


@pytest.mark.parametrize("document", [CREDENTIAL, PRESENTATION], ids=["credential", "presentation"])
def test_the_document_is_the_payload_of_a_cose_sign1(document: Document) -> None:
    """§3.3.1, §3.3.2: typ (16) and content type (3) are media types."""
    tag = cbor.loads(secured("cose", document).content)
    assert isinstance(tag, CBORTag)
    assert tag.tag == 18
    protected, _unprotected, payload, _signature = tag.value
    kind = "vp" if document is PRESENTATION else "vc"
    headers = cbor.loads(protected)
    assert isinstance(headers, dict)
    assert (headers[16], headers[3]) == (f"application/{kind}+cose", f"application/{kind}")
    assert json.loads(payload) == document


@every_mechanism
@pytest.mark.parametrize("header", [{"typ": ...}, {"cty": ...}, {"typ": ..., "cty": ...}], ids=["no typ", "no cty", "neither"])
def test_typ_and_cty_are_recommended_and_may_be_missing(mechanism: str, header: Document) -> None:
    """§3.1.1, §3.2.1, §3.3.1: SHOULD."""
    assert verify(by_hand(mechanism, CREDENTIAL, header)) == CREDENTIAL


@every_mechanism
@pytest.mark.parametrize("kind", ["JWT", "vp+jwt", "vc+ld+json", "dc+sd-jwt", "vc+x"])
def test_a_token_of_another_type_is_refused(mechanism: str, kind: str) -> None:
    """§3, media types tell secured documents apart; RFC 8725 §3.11."""
    refused(by_hand(mechanism, CREDENTIAL, {"typ": f"application/{kind}" if mechanism == "cose" else kind}), VerificationError)
    refused(by_hand(mechanism, CREDENTIAL, {"cty": "application/vp" if mechanism == "cose" else "vp"}), VerificationError)


@every_mechanism
@pytest.mark.parametrize(
    "presented",
    [CREDENTIAL, [CREDENTIAL], "eyJhbGciOiJFZERTQSJ9.e30.AA", {"type": "EnvelopedVerifiableCredential", "id": "data:application/vc+jwt,x"}],
    ids=["bare", "bare in an array", "token", "envelope without context"],
)
def test_credentials_in_presentations_must_be_secured(mechanism: str, presented: Any) -> None:
    """§3.1.2, §3.2.2, §3.3.2: in an EnvelopedVerifiableCredential."""
    refused(by_hand(mechanism, {**PRESENTATION, "verifiableCredential": presented}, signer=HOLDER, kid=DOCTOR_KEY, kind="vp"), FormatError)
    with pytest.raises(FormatError):
        secured(mechanism, {**PRESENTATION, "verifiableCredential": presented})


@every_mechanism
@pytest.mark.parametrize("inner", MECHANISMS)
def test_a_presentation_holds_enveloped_credentials(mechanism: str, inner: str) -> None:
    """§3.1.2, §3.2.2, §3.3.2: of any mechanism; VC Data Model 2.0 §4.13.1."""
    envelope = secured(inner).envelope()
    document = {**PRESENTATION, "verifiableCredential": [envelope]}
    assert verify(secured(mechanism, document)) == document
    assert verify(Secured.open(Envelope.parse(envelope))) == CREDENTIAL


def test_only_the_compact_serialization_is_a_token() -> None:
    """§3.1.2, §3.2.2: it must be supported; the JSON serialization is not recommended, and is no text of this media type."""
    header, payload, signature = secured("jwt").content.decode().split(".")
    general = json.dumps({"payload": payload, "signatures": [{"protected": header, "signature": signature}]}).encode()
    refused(Secured(MediaType.VC_JWT, general), FormatError)


# §3.1.3, §3.3.3 Header parameters and claims


@every_mechanism
def test_members_that_are_not_understood_are_ignored(mechanism: str) -> None:
    """§3.1.3, §3.3.3, §5.4: parameters, claims, and extension types."""
    document = credential(unknown={"deep": [1]}, termsOfUse={"type": "NobodyKnowsIt"}, nbf=0)
    extra: Document = {"https://a.example/x": [1]} if mechanism != "cose" else {"claims": {-70_000: "x", "y": 1}}
    assert verify(by_hand(mechanism, document, extra)) == document


@pytest.mark.parametrize("mechanism", ["jwt", "sd-jwt"])
def test_iat_and_exp_are_those_of_the_signature(mechanism: str) -> None:
    """§3.1.3: and not the validity of the data, which is another check."""
    ended = credential(validUntil="2026-02-01T00:00:00Z")
    assert verify(by_hand(mechanism, {**ended, "exp": int((NOW + timedelta(days=1)).timestamp())})) is not None
    refused(by_hand(mechanism, {**CREDENTIAL, "exp": int(NOW.timestamp())}), VerificationError)
    refused(by_hand(mechanism, {**CREDENTIAL, "iat": int((NOW + timedelta(days=1)).timestamp())}), VerificationError)


def test_the_times_of_a_cose_message_are_in_its_cwt_claims() -> None:
    """§3.3.3; RFC 9597."""
    assert verify(by_hand("cose", CREDENTIAL, {"claims": {4: int((NOW + timedelta(days=1)).timestamp())}})) == CREDENTIAL
    refused(by_hand("cose", CREDENTIAL, {"claims": {4: int(NOW.timestamp())}}), VerificationError)


@pytest.mark.parametrize("mechanism", ["jwt", "sd-jwt"])
@pytest.mark.parametrize("claims", [{"iss": "did:web:other.example"}, {"jti": "urn:other"}, {"sub": "did:example:other"}], ids=str)
def test_claims_that_contradict_the_document_are_refused(mechanism: str, claims: Document) -> None:
    """§3.1.3: issuers should not; §4.1.2: iss must not."""
    refused(by_hand(mechanism, {**CREDENTIAL, **claims}), VerificationError)
    agreeing = {"iss": BOARD, "jti": CREDENTIAL["id"], "sub": DOCTOR}
    assert verify(by_hand(mechanism, {**CREDENTIAL, **agreeing})) == {**CREDENTIAL, **agreeing}


# §3.2 SD-JWT


NEEDED = ["/@context", "/@context/0", "/type", "/issuer", "/issuer/id", "/validFrom", "/credentialStatus", "/credentialStatus/id", "/credentialSchema/type"]


@pytest.mark.parametrize("pointer", NEEDED)
def test_what_verifying_a_credential_needs_cannot_be_concealed(pointer: str) -> None:
    """§3.2.1."""
    with pytest.raises(ValueError, match="cannot be concealed"):
        of_sd_jwt(CREDENTIAL, ISSUER, kid=BOARD_KEY, conceal=(pointer,))


@pytest.mark.parametrize(
    "pointer",
    ["/@context", "/type/0", "/verifiableCredential/0/id", "/verifiableCredential/1/credentialSubject/license", "/verifiableCredential/1/proof"],
)
def test_what_verifying_a_presented_credential_needs_cannot_be_concealed(pointer: str) -> None:
    """§3.2.2: a credential that is secured by itself is shown whole, or not at all."""
    document = {**PRESENTATION, "verifiableCredential": [secured("jwt").envelope(), credential(proof={"type": "DataIntegrityProof"})]}
    with pytest.raises(ValueError, match="cannot be concealed"):
        of_sd_jwt(document, HOLDER, kid=DOCTOR_KEY, conceal=(pointer,))
    with pytest.raises(ValueError, match="cannot be concealed"):
        of_sd_jwt({**document, "verifiableCredential": secured("jwt").envelope()}, HOLDER, kid=DOCTOR_KEY, conceal=("/verifiableCredential/id",))
    held = of_sd_jwt(document, HOLDER, kid=DOCTOR_KEY, conceal=("/verifiableCredential/0", "/holder"))
    shown = present(held.content.decode(), ["/holder"])
    assert verify(Secured(held.media_type, str(shown).encode())) == {**document, "verifiableCredential": document["verifiableCredential"][1:]}


def test_the_claims_of_what_the_holder_asserts_can_be_concealed() -> None:
    """§3.2.2: they need no proof of their own; what their verification needs stays."""
    own = credential(issuer=DOCTOR)
    for presented, at in ((own, "/verifiableCredential"), ([own], "/verifiableCredential/0")):
        document = {**PRESENTATION, "verifiableCredential": presented}
        assert of_sd_jwt(document, HOLDER, kid=DOCTOR_KEY, conceal=(f"{at}/credentialSubject/license",))
        with pytest.raises(ValueError, match="cannot be concealed"):
            of_sd_jwt(document, HOLDER, kid=DOCTOR_KEY, conceal=(f"{at}/credentialStatus",))
    with pytest.raises(ValueError, match="pointer"):
        of_sd_jwt(document, HOLDER, kid=DOCTOR_KEY, conceal=("/verifiableCredential/7/credentialSubject",))


def test_a_claim_that_was_kept_back_is_not_in_the_document() -> None:
    """§5.2: the document is what was disclosed, without the marks of SD-JWT."""
    held = of_sd_jwt(CREDENTIAL, ISSUER, kid=BOARD_KEY, conceal=("/credentialSubject/license/number",))
    shown = present(SDJWT.parse(held.content.decode()), [])
    found = verify(Secured(held.media_type, str(shown).encode()))
    assert found["credentialSubject"] == {"id": DOCTOR, "license": {"state": "NC"}}
    assert "_sd_alg" not in found


# §4 Key discovery


@every_mechanism
def test_kid_must_be_there_where_the_key_is_that_of_a_did(mechanism: str) -> None:
    """§4.1.1."""
    refused(by_hand(mechanism, CREDENTIAL, {"kid": ...}), VerificationError)
    refused(by_hand(mechanism, PRESENTATION, {"kid": ...}, signer=HOLDER, kind="vp"), VerificationError)


@every_mechanism
@pytest.mark.parametrize("issuer", [BOARD, {"id": BOARD}], ids=["text", "object"])
def test_iss_is_the_issuer(mechanism: str, issuer: Any) -> None:
    """§4.1.2: whether that is a text or an object with an id."""

    def claiming(iss: str) -> Secured:
        document = credential(issuer=issuer)
        return by_hand("cose", document, {"claims": {1: iss}}) if mechanism == "cose" else by_hand(mechanism, {**document, "iss": iss})

    assert verify(claiming(BOARD))["issuer"] == issuer
    refused(claiming("did:web:other.example"), VerificationError)
    refused(claiming(BOARD_KEY), VerificationError)


URL = "https://board.example/issuers/1"


def controller_document(**changes: Any) -> ControlledKeys:
    method = {"id": f"{URL}#k", "type": "JsonWebKey", "controller": URL, "publicKeyJwk": ISSUER.public_key.jwk, **changes}
    document = {"id": URL, "verificationMethod": [method], "assertionMethod": [method["id"]]}
    return ControlledKeys({URL: ControlledIdentifierDocument.parse(document, url=URL)}, NOW)


@every_mechanism
def test_kid_is_the_url_of_a_method_in_the_controllers_document(mechanism: str) -> None:
    """§4.3: a JsonWebKey with a publicKeyJwk."""
    token = by_hand(mechanism, credential(issuer=URL), kid=f"{URL}#k")
    source = token.content if token.media_type.is_binary else token.content.decode()
    assert verify_envelope(source, token.media_type, controller_document(), now=NOW).verification_method == f"{URL}#k"
    other = generate(repeatable_bytes("other"), Algorithm.P256).public_key.jwk
    for changes in ({"publicKeyJwk": other}, {"controller": "https://other.example"}, {"id": f"{URL}#l"}, {"revoked": "2026-01-01T00:00:00Z"}):
        with pytest.raises(VerificationError):
            verify_envelope(source, token.media_type, controller_document(**changes), now=NOW)
    for kid in ("https://other.example/issuers/1#k", f"{URL}#unknown"):
        stranger = by_hand(mechanism, credential(issuer=URL), kid=kid)
        with pytest.raises(VerificationError):
            verify_envelope(stranger.content if mechanism == "cose" else stranger.content.decode(), stranger.media_type, controller_document(), now=NOW)


@every_mechanism
@pytest.mark.parametrize("kid", ["key", "#key", ""])
def test_no_token_is_made_with_a_kid_that_is_no_absolute_url(mechanism: str, kid: str) -> None:
    """§4.3."""
    with pytest.raises((FormatError, VerificationError)):
        MECHANISMS[mechanism](CREDENTIAL, ISSUER, kid=kid)


# §5 Algorithms


@every_mechanism
def test_nothing_is_returned_of_what_does_not_verify(mechanism: str) -> None:
    """§5.1 to §5.3, step 3: by another key, or changed in any part."""
    refused(by_hand(mechanism, CREDENTIAL, signer=generate(repeatable_bytes("other"), Algorithm.P256)), VerificationError)
    content = secured(mechanism).content
    for place in range(10, len(content) - 2, len(content) // 23):
        changed = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        refused(Secured(secured(mechanism).media_type, changed), (FormatError, UnsupportedError, VerificationError))


@every_mechanism
@pytest.mark.parametrize("payload", [[], "text", [CREDENTIAL], {"@graph": [CREDENTIAL]}, {}], ids=["array", "text", "expanded", "graph", "empty"])
def test_the_document_is_compact_json_ld(mechanism: str, payload: Any) -> None:
    """§5.4."""
    refused(by_hand(mechanism, payload), FormatError)


@every_mechanism
@pytest.mark.parametrize("missing", ["@context", "type", "issuer", "credentialSubject"])
def test_what_the_type_demands_must_be_there(mechanism: str, missing: str) -> None:
    """§5.4: all claims expected for the typ."""
    refused(by_hand(mechanism, credential(**{missing: ...})))
