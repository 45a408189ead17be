"""The examples of RFC 9901, and the cases of issuing and presenting of OpenWallet's sd-jwt-js."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.keys import PublicKey, generate
from did_health.vc.jose import JWS, Header
from did_health.vc.sd_jwt import SDJWT, ExpectedKeyBinding, issue_sd_jwt, present, verify_sd_jwt
from did_health.vc.sd_jwt.disclosure import digest_function
from tests.conftest import repeatable_bytes, shared, shared_cases
from tests.jwk_signers import public_key

pytestmark = pytest.mark.vectors

IN_TIME = datetime(2025, 5, 29, 16, 45, tzinfo=UTC)
"""Shortly after the examples' Key Binding JWTs were made."""
BINDING = ExpectedKeyBinding("https://verifier.example.org", "1234567890")


def _load(name: str) -> Any:
    return json.loads(shared("vectors", "sd-jwt", name).read_bytes())


def _examples() -> list[Any]:
    (path,) = shared_cases("vectors", "sd-jwt", "rfc9901.json")
    return [pytest.param(case, id=case["id"]) for case in json.loads(path.read_bytes())["cases"]] if path.exists() else []


def _frames() -> list[Any]:
    (path,) = shared_cases("vectors", "sd-jwt", "issue-present-cases.json")
    return [pytest.param(case, id=name) for name, case in json.loads(path.read_bytes())["cases"].items()] if path.exists() else []


def _issuer() -> PublicKey:
    return public_key(_load("rfc9901.json")["issuerPublicJwk"])


@pytest.mark.parametrize("case", _examples())
def test_rfc_9901(case: dict[str, Any]) -> None:
    key = _issuer()
    binding = BINDING if "keyBinding" in case else None
    verified = verify_sd_jwt(case["sdJwt"], lambda header, payload: key, now=IN_TIME, key_binding=binding)
    assert verified.payload == case["processedPayload"]
    assert dict(verified.header.raw) == case["header"]
    assert (verified.key_binding is not None) == ("keyBinding" in case)
    parsed = SDJWT.parse(case["sdJwt"])
    assert str(parsed) == case["sdJwt"]
    digest = digest_function()
    assert [{"disclosure": item.text, "digest": digest(item.text)} for item in parsed.disclosures] == [
        {"disclosure": item["disclosure"], "digest": item["digest"]} for item in case["disclosures"]
    ]
    if "keyBinding" in case:
        assert digest(parsed.bound_text) == case["keyBinding"]["payload"]["sd_hash"]
        for wrong in (ExpectedKeyBinding("https://other.example.org", BINDING.nonce), ExpectedKeyBinding(BINDING.audience, "other")):
            with pytest.raises(VerificationError):
                verify_sd_jwt(case["sdJwt"], lambda header, payload: key, now=IN_TIME, key_binding=wrong)
        fewer = SDJWT(parsed.jwt, parsed.disclosures[1:], parsed.key_binding, parsed.signatures)
        with pytest.raises(VerificationError):
            verify_sd_jwt(fewer, lambda header, payload: key, now=IN_TIME, key_binding=BINDING)
    else:
        with pytest.raises(VerificationError, match="not bound"):
            verify_sd_jwt(case["sdJwt"], lambda header, payload: key, now=IN_TIME, key_binding=BINDING)


@pytest.mark.parametrize("case", _examples())
def test_changed_examples_are_refused(case: dict[str, Any]) -> None:
    key = _issuer()
    text = case["sdJwt"]
    end = text.rindex("~") if "keyBinding" in case else len(text) - 1
    for place in range(0, end, 61):
        if text[place] in "~.":
            continue
        changed = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        with pytest.raises((FormatError, UnsupportedError, VerificationError)):
            verify_sd_jwt(changed, lambda header, payload: key, now=IN_TIME)


def test_json_serialization() -> None:
    key = _issuer()
    for case in _load("rfc9901-json-serialization.json")["cases"]:
        parsed = SDJWT.parse_json(case["jws"])
        bound = BINDING if "kb_jwt" in case["jws"]["header"] else None
        verified = verify_sd_jwt(parsed, lambda header, payload: key, now=IN_TIME, key_binding=bound)
        assert verified.payload == case["processedPayload"]
        assert parsed.to_json() == case["jws"]
        assert str(SDJWT.parse(str(parsed))) == str(parsed)


def _pointers(frame: dict[str, Any], where: str = "") -> set[str]:
    found = {f"{where}/{name}" for name in frame.get("_sd", ())}
    return found.union(*(_pointers(inner, f"{where}/{name}") for name, inner in frame.items() if isinstance(inner, dict)))


def _decoys(frame: dict[str, Any], where: str = "") -> dict[str, int]:
    found = {where: frame["_sd_decoy"]} if "_sd_decoy" in frame else {}
    for name, inner in frame.items():
        if isinstance(inner, dict):
            found.update(_decoys(inner, f"{where}/{name}"))
    return found


def _shown(frame: Any, full: Any, where: str = "") -> set[str]:
    """What a presentation frame shows: the suite names also places that are not there."""
    if frame is True or not isinstance(frame, dict):
        return {where} if where else set()
    found: set[str] = set()
    for name, inner in frame.items():
        if isinstance(full, dict) and name in full:
            found |= _shown(inner, full[name], f"{where}/{name}")
        elif isinstance(full, list) and int(name) < len(full):
            found |= _shown(inner, full[int(name)], f"{where}/{name}")
    return found


@pytest.mark.parametrize("case", _frames())
def test_issuing_and_presenting(case: dict[str, Any]) -> None:
    random = repeatable_bytes("sd-jwt cases")
    issuer = generate(random)

    def find(header: Header, payload: Any) -> PublicKey:
        return issuer.public_key

    held = issue_sd_jwt(case["claims"], issuer, conceal=_pointers(case["disclosureFrame"]), random=random, decoys=_decoys(case["disclosureFrame"]))
    assert verify_sd_jwt(str(held), find, now=IN_TIME).payload == case["claims"]
    shown = present(held, _shown(case["presentationFrames"], case["claims"]))
    assert verify_sd_jwt(str(shown), find, now=IN_TIME).payload == case["presentedClaims"]
    assert len(held.disclosures) == len(_pointers(case["disclosureFrame"]))
    assert isinstance(held.signatures[0], JWS)
