"""JOSE, COSE and SD-JWT let out nothing but the named errors, round-trip, and agree with other implementations."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import cbor2
from hypothesis import given, settings
from hypothesis import strategies as st
from jwcrypto.jwk import JWK as CryptoJWK
from sd_jwt.common import SDObj
from sd_jwt.holder import SDJWTHolder
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier

from did_health.did.controlled_identifier import ControlledIdentifierDocument
from did_health.encoding.base64 import base64url_encode
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import JWK, Algorithm, JWKSet, PublicKey, generate
from did_health.vc.cose import Sign1, parse_key, sign1
from did_health.vc.envelope import Envelope
from did_health.vc.jose import JWS, Claims, sign_compact, verify_compact
from did_health.vc.jose.jws_json import parse_json
from did_health.vc.jose_cose import MediaType, Secured, verify_envelope, verify_jwt_1_1
from did_health.vc.sd_jwt import SDJWT, Disclosure, ExpectedKeyBinding, issue_sd_jwt, present, verify_sd_jwt
from tests.conftest import repeatable_bytes

QUICK = settings(max_examples=100, deadline=None)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
ALGORITHMS = (Algorithm.ED25519, Algorithm.P256, Algorithm.P384)
SIGNERS = {algorithm: generate(repeatable_bytes(f"tokens {algorithm}"), algorithm) for algorithm in ALGORITHMS}
P256 = SIGNERS[Algorithm.P256]
REFUSALS = (FormatError, UnsupportedError, VerificationError)

NAMES = st.sampled_from([
    "alg", "kid", "typ", "crit", "b64", "aud", "exp", "iat", "cnf", "_sd", "...", "_sd_alg", "a", "id", "type", "issuer", "vc", "keys", "kty", "crv", "x",
])
WORDS = st.sampled_from(["EdDSA", "ES256", "sha-256", "b64"])
ATOMS = st.one_of(st.none(), st.booleans(), st.integers(-(1 << 40), 1 << 63), st.floats(allow_nan=False), st.text(max_size=8), WORDS)
VALUES = st.recursive(ATOMS, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=5)), max_leaves=12)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=6)
TEXTS = st.one_of(st.text(max_size=80), st.text(alphabet="eyJhbGciOiJFZERTQSJ9.~-_=", max_size=80))
CLAIM_VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(0, 1 << 50), st.text(max_size=6)),
    lambda inner: st.one_of(st.lists(inner, min_size=1, max_size=3), st.dictionaries(st.sampled_from(["a", "b/c", "d~e", ""]), inner, min_size=1, max_size=3)),
    max_leaves=10,
)
LABELS = st.one_of(st.integers(-20, 20), st.text(max_size=2), st.binary(max_size=2))
CBORS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(1 << 65), 1 << 65), st.binary(max_size=8), st.text(max_size=8), st.floats(allow_nan=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(LABELS, inner, max_size=4)),
    max_leaves=8,
)


def any_key(*_: Any) -> PublicKey:
    return P256.public_key


def encoded(value: Any) -> str:
    return base64url_encode(json.dumps(value).encode())


@QUICK
@given(TEXTS, OBJECTS, VALUES)
def test_garbage_is_no_token(text: str, header: dict[str, Any], payload: Any) -> None:
    shaped = f"{encoded({'alg': 'ES256', **header})}.{encoded(payload)}.{base64url_encode(bytes(64))}"
    for token in (text, text.encode("utf-8", "replace"), shaped, f"{encoded(header)}.."):
        for parse in (JWS.parse, SDJWT.parse):
            with contextlib.suppress(FormatError, UnsupportedError):
                parse(token)
        for media_type in MediaType:
            with contextlib.suppress(*REFUSALS):
                verify_envelope(token if isinstance(token, bytes) else token.encode("utf-8", "replace"), media_type, any_key, now=NOW)
    document = {"@context": "https://www.w3.org/ns/credentials/v2", "type": "EnvelopedVerifiableCredential", "id": "data:application/vc+cose;base64," + text}
    with contextlib.suppress(FormatError, UnsupportedError):
        Secured.open(Envelope.parse(document))


@QUICK
@given(OBJECTS, VALUES, st.lists(VALUES, max_size=3))
def test_garbage_that_is_signed_is_no_sd_jwt(header: dict[str, Any], payload: Any, disclosures: list[Any]) -> None:
    header = {name: value for name, value in header.items() if name not in ("alg", "crit", "b64")}
    with contextlib.suppress(FormatError, UnsupportedError):
        token = sign_compact(json.dumps(payload).encode(), P256, header)
        combined = "~".join((token, *(encoded(value) for value in disclosures), token))
        with contextlib.suppress(*REFUSALS):
            verify_sd_jwt(combined, any_key, now=NOW, key_binding=ExpectedKeyBinding("a", "n"))
        with contextlib.suppress(*REFUSALS):
            verify_jwt_1_1(token, any_key, now=NOW)
        for media_type in (MediaType.VC_JWT, MediaType.VP_JWT):
            with contextlib.suppress(*REFUSALS):
                verify_envelope(token, media_type, any_key, now=NOW)


@QUICK
@given(OBJECTS, OBJECTS)
def test_garbage_is_no_json_form_and_no_key(document: dict[str, Any], header: dict[str, Any]) -> None:
    flattened = {"payload": "", "protected": encoded({"alg": "ES256"}), "signature": "", "header": header}
    for candidate in (document, flattened, {"payload": "", "signatures": [document]}):
        for parse in (parse_json, SDJWT.parse_json):
            with contextlib.suppress(*REFUSALS):
                parse(candidate)
    for jwk in (document, {"kty": "OKP", "crv": "Ed25519", **document}):
        with contextlib.suppress(FormatError, UnsupportedError):
            JWK.parse(jwk)
    with contextlib.suppress(FormatError):
        JWKSet.parse(document)
    with contextlib.suppress(*REFUSALS):
        Claims.parse(document).check_audience(None)
    with contextlib.suppress(*REFUSALS):
        Envelope.parse({"@context": "https://www.w3.org/ns/credentials/v2", "type": "EnvelopedVerifiableCredential", **document})


METHODS = st.dictionaries(st.sampled_from(["id", "type", "controller", "publicKeyJwk", "expires"]), st.one_of(VALUES, st.sampled_from(["#a", "https://a.example"])))
DOCUMENTS = st.dictionaries(st.sampled_from(["verificationMethod", "assertionMethod"]), st.one_of(VALUES, st.lists(METHODS, max_size=2)))


@QUICK
@given(DOCUMENTS)
def test_garbage_is_no_controlled_identifier_document(members: dict[str, Any]) -> None:
    with contextlib.suppress(*REFUSALS):
        ControlledIdentifierDocument.parse({"id": "https://a.example", **members}, url="https://a.example").key("https://a.example", "assertionMethod", NOW)


@QUICK
@given(st.text(max_size=60))
def test_garbage_is_no_disclosure(text: str) -> None:
    for candidate in (text, base64url_encode(text.encode("utf-8", "replace"))):
        with contextlib.suppress(FormatError):
            Disclosure.parse(candidate)


@QUICK
@given(CBORS, CBORS, st.binary(max_size=40))
def test_garbage_is_no_cose_message_and_no_cose_key(protected: Any, unprotected: Any, data: bytes) -> None:
    for candidate in (data, cbor2.dumps(protected), cbor2.dumps([cbor2.dumps(protected), unprotected, data, data])):
        with contextlib.suppress(FormatError, UnsupportedError):
            Sign1.parse(candidate)
        with contextlib.suppress(FormatError, UnsupportedError):
            parse_key(candidate)


@QUICK
@given(st.binary(max_size=60), st.sampled_from(ALGORITHMS), st.integers(0, 1 << 16))
def test_tokens_and_messages_round_trip_and_one_bit_more_is_another(payload: bytes, algorithm: Algorithm, place: int) -> None:
    signer = SIGNERS[algorithm]
    token = sign_compact(payload, signer, {"kid": "k"})
    assert verify_compact(token, signer.public_key).payload == payload
    message = sign1(payload, signer, {4: b"k"})
    assert Sign1.parse(message).verify(signer.public_key).payload == payload
    def read_token(data: bytes) -> object:
        return verify_compact(data, signer.public_key)

    def read_message(data: bytes) -> object:
        return Sign1.parse(data).verify(signer.public_key)

    for text, read in ((token.encode(), read_token), (message, read_message)):
        bit = place % (len(text) * 8)
        changed = bytearray(text)
        changed[bit // 8] ^= 1 << bit % 8
        refused = False
        try:
            read(bytes(changed))
        except REFUSALS:
            refused = True
        assert refused


def pointers(value: Any, where: str = "") -> list[str]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = []
    for name, inner in items:
        place = f"{where}/{str(name).replace('~', '~0').replace('/', '~1')}"
        found += [place, *pointers(inner, place)]
    return found


@QUICK
@given(st.data(), st.dictionaries(st.sampled_from(["p", "q", "r/s"]), CLAIM_VALUES, min_size=1, max_size=3))
def test_whatever_is_concealed_comes_back_when_it_is_shown(data: st.DataObject, claims: dict[str, Any]) -> None:
    places = pointers(claims)
    concealed = data.draw(st.sets(st.sampled_from(places), max_size=6))
    held = issue_sd_jwt(claims, P256, conceal=concealed, random=repeatable_bytes("property"), decoys={"": data.draw(st.integers(0, 2))})
    assert verify_sd_jwt(str(held), any_key, now=NOW).payload == claims
    shown = data.draw(st.sets(st.sampled_from(places), max_size=4))
    presented = present(held, shown)
    needed = {place for place in concealed if any(f"{pointer}/".startswith(f"{place}/") for pointer in shown)}
    assert len(presented.disclosures) == len(needed)
    verify_sd_jwt(str(presented), any_key, now=NOW)


FLAT = st.dictionaries(st.sampled_from(["given_name", "family_name", "number"]), st.one_of(st.text(max_size=8), st.integers(0, 99), st.booleans()), min_size=1)
ORACLE_KEY = CryptoJWK.from_json(json.dumps({**P256.public_key.jwk, "d": base64url_encode(P256.secret)}))


@settings(max_examples=40, deadline=None)
@given(FLAT, st.lists(st.sampled_from(["MD", "DO"]), max_size=3))
def test_the_reference_implementation_reads_what_is_issued_here(claims: dict[str, Any], degrees: list[str]) -> None:
    claims = {"iss": "https://board.example", "cnf": {"jwk": P256.public_key.jwk}, **claims, "degrees": degrees}
    concealed = [place for place in pointers(claims) if not place.startswith(("/iss", "/cnf"))]
    held = issue_sd_jwt(claims, P256, conceal=concealed, random=repeatable_bytes("oracle"), decoys={"": 2})
    assert SDJWTVerifier(str(held), lambda issuer, header: ORACLE_KEY).get_verified_payload() == claims
    bound = present(held, ["/degrees"], binding=ExpectedKeyBinding("https://pharmacy.example", "n"), holder=P256, now=NOW)
    read = SDJWTVerifier(str(bound), lambda issuer, header: ORACLE_KEY, "https://pharmacy.example", "n").get_verified_payload()
    assert read == verify_sd_jwt(str(bound), any_key, now=NOW).payload


@settings(max_examples=40, deadline=None)
@given(FLAT, st.lists(st.sampled_from(["MD", "DO"]), max_size=3))
def test_what_the_reference_implementation_issues_is_read_here(claims: dict[str, Any], degrees: list[str]) -> None:
    claims = {"iss": "https://board.example", **claims, "degrees": degrees}
    marked = {name if name == "iss" else SDObj(name): value for name, value in claims.items() if name != "degrees"}
    marked["degrees"] = [SDObj(degree) for degree in degrees]
    issued = SDJWTIssuer(user_claims=marked, issuer_key=ORACLE_KEY, holder_key=ORACLE_KEY, add_decoy_claims=True).sd_jwt_issuance
    found = verify_sd_jwt(issued, any_key, now=NOW).payload
    assert {name: value for name, value in found.items() if name != "cnf"} == claims
    holder = SDJWTHolder(issued)
    holder.create_presentation({**dict.fromkeys(claims, True), "degrees": [True] * len(degrees)}, "n", "https://pharmacy.example", ORACLE_KEY, sign_alg="ES256")
    real_now = datetime.now(UTC)
    verified = verify_sd_jwt(holder.sd_jwt_presentation, any_key, now=real_now, key_binding=ExpectedKeyBinding("https://pharmacy.example", "n"))
    assert verified.key_binding is not None
    assert verified.payload == found
