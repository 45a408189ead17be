"""The COSE working group's examples of COSE_Sign1, and others of theirs that are none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from did_health.encoding.base64 import base64url_encode
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import PublicKey
from did_health.vc.cose import Sign1, sign1
from did_health.vc.cose.headers import decode_protected
from did_health.vc.cose.sign1 import to_be_signed
from tests.conftest import shared, shared_cases
from tests.jwk_signers import public_key, signer

pytestmark = pytest.mark.vectors

FAULTS: dict[str, type[Exception]] = {
    "sign1-tests/sign-fail-01": FormatError,  # another tag
    "sign1-tests/sign-fail-02": VerificationError,
    "sign1-tests/sign-fail-04": UnsupportedError,  # an algorithm that nobody knows
    "sign1-tests/sign-fail-06": VerificationError,
    "mac0-tests/HMac-01": FormatError,  # COSE_Mac0 has another tag
    "hmac-examples/HMac-enc-01": FormatError,
}


def _cases() -> list[Any]:
    (path,) = shared_cases("vectors", "cose", "examples.json")
    cases = json.loads(path.read_bytes())["cases"] if path.exists() else {}
    return [pytest.param(name, case, id=name) for name, case in cases.items()]


def _jwk(case: dict[str, Any]) -> dict[str, Any]:
    jwk = dict(case["input"]["sign0"]["key"])
    for name in ("x", "d"):
        if f"{name}_hex" in jwk:
            jwk[name] = base64url_encode(bytes.fromhex(jwk[f"{name}_hex"].rjust(64, "0") if len(jwk[f"{name}_hex"]) % 2 else jwk[f"{name}_hex"]))
    return jwk


def _key(case: dict[str, Any]) -> PublicKey:
    return public_key(_jwk(case))


@pytest.mark.parametrize(("name", "case"), _cases())
def test_the_working_groups_examples(name: str, case: dict[str, Any]) -> None:
    message = bytes.fromhex(case["output"]["cbor"])
    if name in FAULTS:
        with pytest.raises(FAULTS[name]):
            Sign1.parse(message).verify(_key(case))
        return
    assert not case.get("fail")
    external = bytes.fromhex(case["input"]["sign0"].get("external", ""))
    parsed = Sign1.parse(message)
    payload = parsed.verify(_key(case), external_aad=external).payload
    assert payload == case["input"]["plaintext"].encode()
    with pytest.raises(VerificationError):
        parsed.verify(_key(case), external_aad=external + b"x")


@pytest.mark.parametrize(("name", "case"), [case for case in _cases() if case.values[0] not in FAULTS])
def test_what_is_signed_is_what_the_examples_say(name: str, case: dict[str, Any]) -> None:
    parsed = Sign1.parse(bytes.fromhex(case["output"]["cbor"]))
    external = bytes.fromhex(case["input"]["sign0"].get("external", ""))
    signed = to_be_signed(parsed._protected, external, parsed.unverified_payload)
    assert signed == bytes.fromhex(case["intermediates"]["ToBeSign_hex"])


def test_the_example_with_a_deterministic_signature_comes_out_the_same() -> None:
    case = json.loads(shared("vectors", "cose", "examples.json").read_bytes())["cases"]["eddsa-examples/eddsa-sig-01"]
    message = bytes.fromhex(case["output"]["cbor"])
    parsed = Sign1.parse(message)
    jwk = _jwk(case)
    # The example's secret is published without its last digit; the message is then only read.
    if len(case["input"]["sign0"]["key"]["d_hex"]) == 64:
        made = sign1(parsed.unverified_payload, signer(jwk), decode_protected(parsed._protected), dict(parsed.headers.unprotected))
        assert made == message
    assert parsed.is_tagged


def test_none_of_the_examples_was_left_out() -> None:
    assert len(_cases()) == len(json.loads(shared("vectors", "cose", "examples.json").read_bytes())["cases"]) == 11
