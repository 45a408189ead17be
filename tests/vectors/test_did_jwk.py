"""did:jwk: the specification's examples, and its one rule of refusal."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from did_health.did.methods.jwk import did_jwk
from did_health.did.resolution import required_urls, resolve
from did_health.encoding.base64 import base64url_encode
from did_health.errors import ResolutionError, UnsupportedError
from did_health.keys import public_key_from_jwk
from tests.conftest import shared

pytestmark = pytest.mark.vectors


def vector() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(shared("vectors", "did-jwk", "spec-examples.json").read_bytes())
    return content


def test_documents(now: datetime) -> None:
    cases = vector()["cases"]
    assert {case["id"] for case in cases} == {"P-256", "X25519"}
    for case in cases:
        assert required_urls(case["did"]) == ()
        assert resolve(case["did"], {}, now=now).active_document.raw == case["didDocument"]


def test_dids_carry_the_bytes_of_the_jwk() -> None:
    for case in vector()["cases"]:
        assert "did:jwk:" + base64url_encode(case["jwkBytesUtf8"].encode()) == case["did"]
        assert json.loads(case["jwkBytesUtf8"]) == case["jwk"]


def test_keys(now: datetime) -> None:
    cases = {case["id"]: case for case in vector()["cases"]}
    p256 = cases["P-256"]
    key = public_key_from_jwk(p256["jwk"])
    assert resolve(p256["did"], {}, now=now).active_document.key(p256["did"] + "#0", "assertionMethod", now) == key
    # The example's members happen to be in the order that we write.
    assert str(did_jwk(key)) == p256["did"]
    x25519 = cases["X25519"]
    with pytest.raises(UnsupportedError):
        resolve(x25519["did"], {}, now=now).active_document.key(x25519["did"] + "#0", "keyAgreement", now)


def test_private_keys_are_refused(now: datetime) -> None:
    (rule,) = vector()["negative"]
    assert rule["id"] == "private-key"
    for case in vector()["cases"]:
        for member in ("d", "p", "q", "dp", "dq", "qi", "k"):
            did = "did:jwk:" + base64url_encode(json.dumps({**case["jwk"], member: "AAAA"}).encode())
            with pytest.raises(ResolutionError) as caught:
                resolve(did, {}, now=now)
            assert caught.value.code == "INVALID_DID"
