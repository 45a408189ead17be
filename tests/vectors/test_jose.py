"""RFC 7515, RFC 8037, RFC 7638 and RFC 7520 examples, and Wycheproof's JSON Web Signatures.

Symmetric algorithms, P-521 and RSA are not supported: what asks for them must be refused as unsupported, or for a fault that shows earlier.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from did_health.encoding.base64 import base64url_decode
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import JWK, thumbprint
from did_health.vc.jose import sign_compact, sign_flattened, verify_compact, verify_json
from did_health.vc.jose.jws import JWS
from did_health.vc.jose.jws_json import parse_json
from tests.conftest import shared, shared_cases
from tests.jwk_signers import public_key, signer

pytestmark = pytest.mark.vectors

def _load(*parts: str) -> Any:
    return json.loads(shared("vectors", "jose", *parts).read_bytes())


def _wycheproof() -> list[Any]:
    (path,) = shared_cases("vectors", "jose", "wycheproof-jws.json")
    groups = json.loads(path.read_bytes())["testGroups"] if path.exists() else []
    return [pytest.param(group, test, id=f"{test['tcId']}-{test['comment']}") for group in groups for test in group["tests"]]


def _verify(jwk: dict[str, Any], token: str) -> bytes:
    return verify_compact(token, JWK.parse({name: value for name, value in jwk.items() if name != "d"}).public_key).payload


def test_rfc_examples() -> None:
    for example in _load("rfc-examples.json")["jws"]:
        payload = _verify(example["key"], example["jws"])
        assert payload == base64url_decode(example["jws"].split(".")[1])
        if example.get("deterministicSignature"):
            assert sign_compact(payload, signer(example["key"])) == example["jws"]
        for place in range(0, len(example["jws"]), 7):
            changed = example["jws"][:place] + ("A" if example["jws"][place] != "A" else "B") + example["jws"][place + 1 :]
            with pytest.raises((FormatError, UnsupportedError, VerificationError)):
                _verify(example["key"], changed)


def test_thumbprints() -> None:
    for example in _load("rfc-examples.json")["thumbprints"]:
        assert thumbprint(example["jwk"]) == example["sha256"]


def test_ed25519_of_the_cookbook_in_all_three_serializations() -> None:
    example = _load("cookbook", "curve25519-jws.json")
    payload, output, key = example["input"]["payload"].encode(), example["output"], public_key(example["input"]["key"])
    secret = signer(example["input"]["key"])
    assert sign_compact(payload, secret) == output["compact"]
    assert sign_flattened(payload, secret) == output["json_flat"]
    for form in ("json", "json_flat"):
        (verified,) = verify_json(output[form], lambda header: key)
        assert verified.payload == payload
    assert verify_compact(output["compact"], key).payload == payload


@pytest.mark.parametrize(
    "name", ["jws-4_3.ecdsa_signature.json", "jws-4_4.hmac-sha2_integrity_protection.json", "jws-4_5.signature_with_detached_content.json"]
)
def test_unsupported_algorithms_of_the_cookbook_are_refused_as_such(name: str) -> None:
    example = _load("cookbook", name)
    payload = example["input"]["payload"].encode()
    detached = payload if "detached" in name else None
    with pytest.raises(UnsupportedError):
        JWS.parse(example["output"]["compact"], detached=detached)
    for form in ("json", "json_flat"):
        with pytest.raises(UnsupportedError):
            parse_json(example["output"][form], detached=detached)


def test_the_unencoded_payload_of_the_cookbook_is_refused_for_its_algorithm() -> None:
    example = _load("cookbook", "rfc7797-4.2.hmac-sha2_b64_false.json")
    for form in ("json", "json_flat"):
        with pytest.raises(UnsupportedError):
            parse_json(example["output"][form])


def test_p521_keys_of_the_cookbook_are_unsupported() -> None:
    with pytest.raises(UnsupportedError):
        JWK.parse(_load("cookbook", "jwk-3_1.ec_public_key.json"))
    with pytest.raises(FormatError, match="private key"):
        JWK.parse(_load("cookbook", "jwk-3_2.ec_private_key.json"))


def test_encrypted_tokens_are_no_signed_ones() -> None:
    example = _load("cookbook", "jwe-5_4.key_agreement_with_key_wrapping_using_ecdh-es_and_aes-keywrap_with_aes-gcm.json")
    with pytest.raises(FormatError, match="three parts"):
        JWS.parse(example["output"]["compact"])


@pytest.mark.parametrize(("group", "test"), _wycheproof())
def test_wycheproof(group: dict[str, Any], test: dict[str, Any]) -> None:
    jwk = group.get("public") or group["private"]
    if test["result"] == "valid" and jwk["kty"] == "EC" and jwk["crv"] == "P-256":
        assert _verify(jwk, test["jws"]) == b"foo"
        return
    # Nobody's key may verify it, whatever is said about the key's use.
    with pytest.raises((FormatError, UnsupportedError, VerificationError)):
        _verify(jwk, test["jws"])
    # What is well-formed and only lacks our support says so. One that Wycheproof calls valid has a header with a character foreign to base64url.
    if test["result"] == "valid":
        with pytest.raises(FormatError if test["comment"] == "InvalidCharacterInsertedInHeader" else UnsupportedError):
            JWS.parse(test["jws"])


def test_none_of_wycheproofs_cases_was_left_out() -> None:
    assert sum(len(group["tests"]) for group in _load("wycheproof-jws.json")["testGroups"]) == len(_wycheproof()) >= 50
