"""The inputs of the W3C test suite for VC-JOSE-COSE 1.0.

The suite's keys are JSON Web Keys in the controlled identifier document of their issuer, and most ``kid`` are no URLs but the keys' own ``kid``.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from did_health.did.controlled_identifier import ControlledIdentifierDocument, ControlledKeys
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import PublicKey
from did_health.vc.envelope import Envelope
from did_health.vc.jose_cose import MediaType, Secured, VerifiedEnvelope, sign_cose, sign_jwt, sign_sd_jwt, verify_envelope
from did_health.vc.sd_jwt import SDJWT
from tests.conftest import repeatable_bytes, shared, shared_cases
from tests.jwk_signers import signer

pytestmark = pytest.mark.vectors

NOW = datetime(2024, 12, 15, tzinfo=UTC)
"""Within the validity of the suite's tokens."""
FORMATS = {"jose": "jwt", "sdjwt": "sd-jwt", "cose": "cose"}
UNSUPPORTED = {"credential-jose-unknown-extensions"}
"""Signed with P-521, for which there is no algorithm here."""


def _load(name: str) -> Any:
    return json.loads(shared("vectors", "vc-jose-cose", name).read_bytes())


def _tokens() -> list[Any]:
    (path,) = shared_cases("vectors", "vc-jose-cose", "tokens.json")
    return [pytest.param(case, id=case["id"]) for case in json.loads(path.read_bytes())["cases"]] if path.exists() else []


def _inputs() -> list[Any]:
    (path,) = shared_cases("vectors", "vc-jose-cose", "inputs.json")
    return [pytest.param(document, id=name) for name, document in json.loads(path.read_bytes())["documents"].items()] if path.exists() else []


def keys(url: str, purpose: str, controller: str | None) -> PublicKey:
    """The suite's keys, as its controllers would publish them.

    The suite signs for holders who are others than its controllers, with the keys of these: for it, every party has the same keys.
    """
    parties = {controller, url.partition("#")[0]} - {None}
    documents = {}
    for party in parties:
        methods = [
            {"id": f"{party}#{name}", "type": "JsonWebKey", "controller": party, "publicKeyJwk": method["publicKeyJwk"]}
            for name, method in _load("tokens.json")["keys"].items()
            if name != "vm-did-ed25519" and not name.endswith("p521")
        ]
        for method in methods:
            known = _load("tokens.json")["keys"][method["id"].partition("#")[2]]
            method["id"] = party + "#" + known["id"].partition("#")[2]
        references = [method["id"] for method in methods]
        document = {"id": party, "verificationMethod": methods, "assertionMethod": references, "authentication": references}
        documents[party] = ControlledIdentifierDocument.parse(document, url=party)
    return ControlledKeys(documents, NOW)(url, purpose, controller)


def _media_type(case: dict[str, Any]) -> MediaType:
    return MediaType(f"{'vp' if case['kind'] == 'presentation' else 'vc'}+{FORMATS[case['format']]}")


def _secured(case: dict[str, Any]) -> bytes:
    if "token_base64" in case:
        return base64.b64decode(case["token_base64"] + "==")
    return bytes.fromhex(case["token_hex"]) if "token_hex" in case else case["token"].encode()


def _verify(case: dict[str, Any]) -> VerifiedEnvelope:
    return verify_envelope(_secured(case), _media_type(case), keys, now=NOW)


@pytest.mark.parametrize("case", _tokens())
def test_the_suites_tokens(case: dict[str, Any]) -> None:
    if case["id"] in UNSUPPORTED:
        with pytest.raises(UnsupportedError):
            _verify(case)
    elif case["expected"] == "reject":
        with pytest.raises((FormatError, VerificationError)):
            _verify(case)
    else:
        document = _verify(case).document
        expected = case.get("processedPayload") or case.get("payload") or json.loads(case["payloadUtf8"])
        assert document == expected


@pytest.mark.parametrize("case", [case for case in _tokens() if case.values[0]["format"] == "cose"])
def test_a_data_url_of_a_cose_message_must_be_base64(case: dict[str, Any]) -> None:
    secured = Secured(_media_type(case), _secured(case))
    document = secured.envelope()
    assert Secured.open(Envelope.parse(document)) == secured
    with pytest.raises(FormatError):
        _opened({**document, "id": f"data:application/{secured.media_type};base64,{secured.content.hex()}"})


def _opened(document: dict[str, Any]) -> VerifiedEnvelope:
    secured = Secured.open(Envelope.parse(document))
    return verify_envelope(secured.content, secured.media_type, keys, now=NOW)


@pytest.mark.parametrize("document", _inputs())
@pytest.mark.parametrize("vm", ["vm-ed25519", "vm-p256", "vm-p384"])
def test_what_the_suite_issues_verifies(document: dict[str, Any], vm: str) -> None:
    method = _load("tokens.json")["keys"][vm]
    secret, kid = signer(method["secretKeyJwk"]), method["id"]
    jwt, cose = sign_jwt(document, secret, kid=kid), sign_cose(document, secret, kid=kid)
    for secured in (jwt, cose):
        verified = verify_envelope(secured.content, secured.media_type, keys, now=NOW)
        assert verified.document == document
        assert verified.verification_method == kid
    pointers = ["/holder"] if "holder" in document else ["/credentialSubject/id"] if "id" in document.get("credentialSubject", {}) else []
    media_type, token = sign_sd_jwt(document, secret, kid=kid, conceal=pointers, random=repeatable_bytes("suite"))
    assert verify_envelope(str(token), media_type, keys, now=NOW).document == document
    assert SDJWT.parse(str(token)) == token


def test_none_of_the_suites_tokens_was_left_out() -> None:
    assert len(_tokens()) == len(_load("tokens.json")["cases"]) >= 15
