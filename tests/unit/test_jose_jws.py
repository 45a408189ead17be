"""JSON Web Signature, RFC 7515 and RFC 7797, statement by statement."""

from __future__ import annotations

import json
from typing import Any

import pytest
from joserfc import jws as joserfc_jws
from joserfc.jwk import ECKey, OKPKey

from did_health.encoding.base64 import base64url_decode, base64url_encode
from did_health.errors import DidHealthError, FormatError, UnsupportedError, VerificationError
from did_health.keys import Algorithm, generate
from did_health.limits import MAX_JOSE_HEADER_CHARACTERS, MAX_JWS_SIGNATURES, MAX_TOKEN_CHARACTERS
from did_health.vc.jose import JWS, Header, sign_compact, sign_flattened, verify_compact, verify_json
from did_health.vc.jose.header import media_type
from did_health.vc.jose.jws_json import parse_json
from tests.conftest import repeatable_bytes

ALGORITHMS = (Algorithm.ED25519, Algorithm.P256, Algorithm.P384)
SIGNERS = {algorithm: generate(repeatable_bytes(f"jws {algorithm}"), algorithm) for algorithm in ALGORITHMS}
ED = SIGNERS[Algorithm.ED25519]
ALGS = {Algorithm.ED25519: "EdDSA", Algorithm.P256: "ES256", Algorithm.P384: "ES384"}
UNENCODED = {"b64": False, "crit": ["b64"]}


def forged(header: Any, payload: bytes = b"{}", signature: bytes = bytes(64)) -> str:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return ".".join(base64url_encode(part) for part in (text, payload, signature))


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_is_signed_verifies_here_and_by_joserfc(algorithm: Algorithm) -> None:
    """RFC 7515 §5.1, §7.1; RFC 7518 §3.4; RFC 8037 §3.1."""
    signer = SIGNERS[algorithm]
    token = sign_compact(b"payload", signer, {"kid": "k", "typ": "JWT", "cty": "text/plain"})
    verified = verify_compact(token.encode(), signer.public_key)
    assert verified.payload == b"payload"
    assert verified.public_key == signer.public_key
    header = verified.header
    assert (header.alg, header.algorithm, header.kid, header.typ, header.cty) == (ALGS[algorithm], algorithm, "k", "JWT", "text/plain")
    assert (header.media_type, header.content_type) == ("jwt", "text/plain")
    kind = OKPKey if algorithm is Algorithm.ED25519 else ECKey
    key = kind.import_key(signer.public_key.jwk)
    assert joserfc_jws.deserialize_compact(token, key, algorithms=[ALGS[algorithm]]).payload == b"payload"


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_joserfc_signs_verifies(algorithm: Algorithm) -> None:
    """RFC 7515 §5.2."""
    signer = SIGNERS[algorithm]
    kind = OKPKey if algorithm is Algorithm.ED25519 else ECKey
    key = kind.import_key({**signer.public_key.jwk, "d": base64url_encode(signer.secret)})
    token = joserfc_jws.serialize_compact({"alg": ALGS[algorithm]}, b"payload", key, algorithms=[ALGS[algorithm]])
    assert verify_compact(token, signer.public_key).payload == b"payload"
    document = joserfc_jws.serialize_json({"protected": {"alg": ALGS[algorithm]}, "header": {"kid": "k"}}, b"payload", key, algorithms=[ALGS[algorithm]])
    (verified,) = verify_json(json.dumps(document), lambda header: signer.public_key)
    assert (verified.payload, verified.header.kid) == (b"payload", "k")


def test_the_fully_specified_name_of_ed25519_is_known() -> None:
    """RFC 9864 §2.2."""
    token = sign_compact(b"x", ED, {"alg": "Ed25519"})
    assert verify_compact(token, ED.public_key).header.alg == "Ed25519"


@pytest.mark.parametrize(
    ("header", "error", "words"),
    [
        ({"alg": "none"}, UnsupportedError, "alg"),
        ({"alg": "HS256"}, UnsupportedError, "alg"),
        ({"alg": "RS256"}, UnsupportedError, "alg"),
        ({"alg": "eddsa"}, UnsupportedError, "alg"),
        ({}, FormatError, "no alg"),
        ({"alg": 1}, FormatError, "alg"),
        ({"alg": None}, FormatError, "alg"),
        ({"alg": "EdDSA", "kid": 1}, FormatError, "kid"),
        ({"alg": "EdDSA", "typ": []}, FormatError, "typ"),
        ({"alg": "EdDSA", "cty": {}}, FormatError, "cty"),
        ({"alg": "EdDSA", "crit": []}, FormatError, "crit"),
        ({"alg": "EdDSA", "crit": "b64"}, FormatError, "crit"),
        ({"alg": "EdDSA", "crit": [1]}, FormatError, "crit"),
        ({"alg": "EdDSA", "crit": ["b64"]}, FormatError, "crit"),
        ({"alg": "EdDSA", "crit": ["alg"]}, FormatError, "crit"),
        ({"alg": "EdDSA", "b64": True, "crit": ["b64", "b64"]}, FormatError, "crit"),
        ({"alg": "EdDSA", "crit": ["exp"], "exp": 1}, UnsupportedError, "critical"),
        ({"alg": "EdDSA", "b64": "false", "crit": ["b64"]}, FormatError, "b64"),
        ({"alg": "EdDSA", "b64": False}, FormatError, "crit does not name"),
        (b"[]", FormatError, "not a JSON object"),
        (b'{"alg":"EdDSA","alg":"ES256"}', FormatError, "duplicate"),
        (b"\xff", FormatError, "not JSON"),
    ],
)
def test_headers_that_are_refused(header: Any, error: type[DidHealthError], words: str) -> None:
    """RFC 7515 §4, §4.1.11 (crit), §5.2 steps 3 and 4; RFC 8725 §3.1."""
    with pytest.raises(error, match=words):
        JWS.parse(forged(header))


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "a.b", "a.b.c.d", "a.b.c.d.e", "eyJhbGciOiJFZERTQSJ9.e30=.AA", "eyJhbGciOiJFZERTQSJ9.e30.A\u00e4", b"\xff.a.b", " e30.e30.e30"],
)
def test_what_is_no_compact_jws_is_refused(token: Any) -> None:
    """RFC 7515 §2 (base64url), §5.2 step 1, §7.1."""
    with pytest.raises(FormatError) as caught:
        JWS.parse(token)
    assert caught.value.code == "PARSING_ERROR"


def test_limits() -> None:
    with pytest.raises(FormatError, match="characters"):
        JWS.parse("a" * (MAX_TOKEN_CHARACTERS + 1))
    with pytest.raises(FormatError, match="characters"):
        JWS.parse(forged({"alg": "EdDSA", "x": "y" * MAX_JOSE_HEADER_CHARACTERS}))
    entry = sign_flattened(b"x", ED)
    with pytest.raises(FormatError, match="signatures"):
        parse_json({"payload": entry["payload"], "signatures": [{"protected": entry["protected"], "signature": entry["signature"]}] * (MAX_JWS_SIGNATURES + 1)})


def test_the_key_must_be_of_the_type_of_the_alg() -> None:
    """RFC 7515 §5.2 step 8; RFC 8725 §3.1: one algorithm for a key."""
    token = sign_compact(b"x", ED)
    for other in (SIGNERS[Algorithm.P256], SIGNERS[Algorithm.P384]):
        with pytest.raises(VerificationError, match="not that of the key") as caught:
            verify_compact(token, other.public_key)
        assert caught.value.code == "CRYPTOGRAPHIC_SECURITY_ERROR"


def test_a_key_in_the_header_is_not_trusted() -> None:
    """RFC 7515 §4.1.2 to §4.1.8, §6."""
    thief = generate(repeatable_bytes("thief"))
    token = sign_compact(b"x", thief, {"jwk": thief.public_key.jwk})
    with pytest.raises(VerificationError, match="does not verify"):
        verify_compact(token, ED.public_key)


def test_a_signer_does_not_sign_under_another_alg() -> None:
    with pytest.raises(ValueError, match="not the signer's"):
        sign_compact(b"x", ED, {"alg": "ES256"})
    with pytest.raises(UnsupportedError):
        sign_compact(b"x", ED, {"alg": "none"})


def test_a_detached_payload_is_given_beside_the_token() -> None:
    """RFC 7515 Appendix F."""
    token = sign_compact(b"payload", ED, detach=True)
    assert token.split(".")[1] == ""
    assert verify_compact(token, ED.public_key, detached=b"payload").payload == b"payload"
    with pytest.raises(VerificationError):
        verify_compact(token, ED.public_key, detached=b"other")
    with pytest.raises(FormatError, match="another one was given"):
        JWS.parse(sign_compact(b"payload", ED), detached=b"payload")
    # Without the payload it is the signature of an empty one, which does not verify.
    with pytest.raises(VerificationError):
        verify_compact(token, ED.public_key)


def test_an_unencoded_payload_stands_as_it_is() -> None:
    """RFC 7797 §3, §5.2, §6."""
    token = sign_compact(b"$02", ED, UNENCODED)
    assert token.split(".")[1] == "$02"
    verified = verify_compact(token, ED.public_key)
    assert (verified.payload, verified.header.is_encoded) == (b"$02", False)
    with pytest.raises(FormatError, match="Detach"):
        sign_compact(b"$.02", ED, UNENCODED)
    detached = sign_compact(b"$.02\xff", ED, UNENCODED, detach=True)
    assert verify_compact(detached, ED.public_key, detached=b"$.02\xff").payload == b"$.02\xff"
    header, _, signature = token.split(".")
    with pytest.raises(FormatError, match="unencoded payload"):
        JWS.parse(f"{header}.\t.{signature}")
    assert verify_compact(sign_compact(b"x", ED, {"b64": True, "crit": ["b64"]}), ED.public_key).payload == b"x"


def test_the_flattened_form_carries_unprotected_members() -> None:
    """RFC 7515 §7.2.2."""
    document = sign_flattened(b"payload", ED, {"typ": "a"}, {"kid": "k"})
    (verified,) = verify_json(document, lambda header: ED.public_key)
    assert (verified.payload, verified.header.kid, verified.header.typ) == (b"payload", "k", "a")
    plain = sign_flattened(b"$.02", ED, UNENCODED)
    assert plain["payload"] == "$.02"
    assert verify_json(plain, lambda header: ED.public_key)[0].payload == b"$.02"
    with pytest.raises(FormatError, match="UTF-8"):
        sign_flattened(b"\xff", ED, UNENCODED)
    with pytest.raises(FormatError, match="both protected"):
        sign_flattened(b"x", ED, {"kid": "a"}, {"kid": "a"})


def test_every_signature_of_the_general_form_must_verify() -> None:
    """RFC 7515 §5.2, §7.2.1: which of them must verify is for the application to say; here all."""
    entries = {algorithm: sign_flattened(b"payload", signer, {"kid": str(algorithm)}) for algorithm, signer in SIGNERS.items()}
    document = {"payload": base64url_encode(b"payload"), "signatures": [{"protected": e["protected"], "signature": e["signature"]} for e in entries.values()]}
    found = verify_json(document, lambda header: SIGNERS[header.algorithm].public_key)
    assert [jws.header.kid for jws in found] == ["Ed25519", "P-256", "P-384"]
    document["signatures"][1]["signature"] = base64url_encode(bytes(64))
    with pytest.raises(VerificationError):
        verify_json(document, lambda header: SIGNERS[header.algorithm].public_key)


def _flattened(**changes: Any) -> dict[str, Any]:
    document = {**sign_flattened(b"payload", ED), **changes}
    return {name: value for name, value in document.items() if value is not None}


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ([], FormatError),
        ({}, UnsupportedError),
        (_flattened(payload=None), FormatError),
        (_flattened(payload=1), FormatError),
        (_flattened(payload="="), FormatError),
        (_flattened(signature=None), FormatError),
        (_flattened(signature="%"), FormatError),
        (_flattened(protected=1), FormatError),
        (_flattened(protected=None, header={"alg": "EdDSA"}), UnsupportedError),
        (_flattened(protected=base64url_encode(b"{}"), header={"alg": "EdDSA"}), UnsupportedError),
        (_flattened(header=[]), FormatError),
        (_flattened(header={"crit": ["b64"]}), FormatError),
        (_flattened(signatures=[]), FormatError),
        ({"payload": "", "signatures": []}, FormatError),
        ({"payload": "", "signatures": {}}, FormatError),
        ({"payload": "", "signatures": ["x"]}, FormatError),
        ({**sign_flattened(b"a", ED, UNENCODED), "payload": "\ud800"}, FormatError),
    ],
)
def test_malformed_json_forms_are_refused(document: Any, error: type[DidHealthError]) -> None:
    """RFC 7515 §5.2 step 4, §7.2."""
    with pytest.raises(error):
        parse_json(document if isinstance(document, dict) else json.dumps(document))


def test_signatures_must_agree_about_the_encoding() -> None:
    """RFC 7797 §3."""
    one, other = sign_flattened(b"a", ED), sign_flattened(b"a", ED, UNENCODED)
    signatures = [{"protected": entry["protected"], "signature": entry["signature"]} for entry in (one, other)]
    with pytest.raises(FormatError, match="agree"):
        parse_json({"payload": "YQ", "signatures": signatures})


def test_a_detached_payload_of_the_json_form() -> None:
    """RFC 7515 Appendix F."""
    document = sign_flattened(b"payload", ED)
    with pytest.raises(FormatError, match="another one was given"):
        parse_json(document, detached=b"payload")
    del document["payload"]
    assert verify_json(document, lambda header: ED.public_key, detached=b"payload")[0].payload == b"payload"


def test_unverified_payloads_are_called_so() -> None:
    assert JWS.parse(forged({"alg": "EdDSA"}, b"[]")).unverified_payload == b"[]"
    assert "payload" not in repr(JWS.parse(forged({"alg": "EdDSA"}, b"secret")))


def test_media_types_are_compared_without_their_prefix() -> None:
    """RFC 7515 §4.1.9, §4.1.10."""
    assert media_type("application/VC+JWT") == media_type("vc+jwt") == "vc+jwt"
    assert media_type("application/a/b") == "application/a/b"
    assert media_type("text/plain") == "text/plain"
    assert Header.parse({"alg": "EdDSA"}).media_type is None
    assert Header.parse({"alg": "EdDSA"}).content_type is None
    assert base64url_decode(sign_compact(b"", ED).split(".")[0]) == b'{"alg":"EdDSA"}'
