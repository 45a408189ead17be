"""Selective Disclosure for JWTs, RFC 9901, statement by statement."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from did_health.encoding.base64 import base64url_decode, base64url_encode
from did_health.errors import DidHealthError, FormatError, UnsupportedError, VerificationError
from did_health.keys import Algorithm, PublicKey, generate
from did_health.limits import MAX_CLOCK_SKEW_SECONDS, MAX_DECOYS, MAX_DISCLOSURES, MAX_DOCUMENT_DEPTH, MAX_KEY_BINDING_AGE_SECONDS
from did_health.vc.jose import Header, sign_compact
from did_health.vc.jose.claims import numeric_date
from did_health.vc.sd_jwt import SDJWT, Disclosure, ExpectedKeyBinding, conceal, issue_sd_jwt, present, verify_sd_jwt
from did_health.vc.sd_jwt.disclosure import digest_function
from tests.conftest import repeatable_bytes

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ISSUER = generate(repeatable_bytes("sd-jwt issuer"))
HOLDER = generate(repeatable_bytes("sd-jwt holder"), Algorithm.P256)
BINDING = ExpectedKeyBinding("https://pharmacy.example", "n-1")
DIGEST = digest_function()
CLAIMS = {
    "iss": "https://board.example",
    "cnf": {"jwk": HOLDER.public_key.jwk},
    "name": "Ada",
    "address": {"street": "1 Main St", "city": "Raleigh"},
    "specialties": ["a", {"code": "b", "since": 2020}, "c"],
}
CONCEALED = ("/name", "/address", "/address/street", "/specialties/0", "/specialties/1", "/specialties/1/code")


def find(header: Header, payload: dict[str, Any]) -> PublicKey:
    return ISSUER.public_key


def verify(token: Any, **arguments: Any) -> dict[str, Any]:
    return verify_sd_jwt(token, find, now=NOW, **arguments).payload


@pytest.fixture
def random() -> Callable[[int], bytes]:
    return repeatable_bytes("sd-jwt")


@pytest.fixture
def held(random: Callable[[int], bytes]) -> SDJWT:
    return issue_sd_jwt(CLAIMS, ISSUER, conceal=CONCEALED, random=random, header={"typ": "example+sd-jwt"}, decoys={"": 2, "/specialties": 3})


def token(payload: Any, *disclosures: str | list[Any], signer: Any = ISSUER, header: dict[str, Any] | None = None) -> str:
    """An SD-JWT that says whatever it is given."""
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    texts = [text if isinstance(text, str) else base64url_encode(json.dumps(text).encode()) for text in disclosures]
    return "~".join((sign_compact(data, signer, header), *texts, ""))


def digest(*content: Any) -> str:
    return DIGEST(base64url_encode(json.dumps(list(content)).encode()))


def test_with_everything_disclosed_the_claims_are_the_issuers(held: SDJWT) -> None:
    """§7.1 step 3."""
    verified = verify_sd_jwt(str(held), find, now=NOW)
    assert verified.payload == CLAIMS
    assert (verified.public_key, verified.header.typ, verified.claims.issuer) == (ISSUER.public_key, "example+sd-jwt", CLAIMS["iss"])
    assert verified.key_binding is None
    assert {place for place, _ in verified.placed} == set(CONCEALED)


def test_nothing_that_is_concealed_can_be_read(held: SDJWT) -> None:
    """§4.2."""
    bare = present(held, [])
    assert str(bare).count("~") == 1
    assert verify(bare) == {"iss": CLAIMS["iss"], "cnf": CLAIMS["cnf"], "specialties": ["c"]}
    payload = json.loads(base64url_decode(held.jwt.split(".")[1]))
    for secret in ("Ada", "Raleigh", "Main", "2020"):
        assert secret not in json.dumps(payload)
    assert payload["_sd"] == sorted(payload["_sd"])
    assert len(payload["_sd"]) == 2 + 2
    assert len(payload["specialties"]) == 3 + 3


def test_showing_a_value_shows_what_it_lies_in_and_no_more(held: SDJWT) -> None:
    """§4.2.6, §7.2: a disclosure and those that it lies in."""
    assert verify(present(held, ["/address/street"]))["address"] == CLAIMS["address"]
    assert verify(present(held, ["/address"]))["address"] == {"city": "Raleigh"}
    assert verify(present(held, ["/specialties/1/since"]))["specialties"] == [{"since": 2020}, "c"]
    assert verify(present(str(held), ["/name", "/iss"])) == {"iss": CLAIMS["iss"], "cnf": CLAIMS["cnf"], "name": "Ada", "specialties": ["c"]}


@pytest.mark.parametrize("pointer", ["/nobody", "name", "/specialties/9", "/specialties/x", "/specialties/-", "/name/x"])
def test_a_pointer_to_nothing_is_the_callers_mistake(held: SDJWT, pointer: str) -> None:
    with pytest.raises(ValueError, match="names nothing"):
        present(held, [pointer])


def test_names_are_escaped_in_pointers(random: Callable[[int], bytes]) -> None:
    claims = {"a/b": {"m~n": 1}, "": 2}
    held = issue_sd_jwt(claims, ISSUER, conceal=["/a~1b", "/a~1b/m~0n", "/"], random=random)
    assert verify(present(held, ["/a~1b/m~0n"])) == {"a/b": {"m~n": 1}}
    assert verify(held) == claims


def test_salts_and_decoys_come_from_the_argument() -> None:
    """§4.2.1, §4.2.5."""
    one, other = (conceal(CLAIMS, CONCEALED, repeatable_bytes("x"), decoys={"/address": 1}) for _ in range(2))
    assert one == other
    assert one.payload["_sd_alg"] == "sha-256"
    assert len({disclosure.text for disclosure in one.disclosures}) == len(CONCEALED)
    for disclosure in one.disclosures:
        salt = json.loads(base64url_decode(disclosure.text))[0]
        assert len(base64url_decode(salt)) == 16
    assert conceal({"a": 1}, (), repeatable_bytes("x")).payload == {"a": 1}


@pytest.mark.parametrize("claims", [{"_sd": []}, {"...": 1}, {"_sd_alg": "sha-256"}, {"a": {"_sd": 1}}, {"a": [{"...": 1}]}])
def test_reserved_names_are_not_issued(claims: dict[str, Any], random: Callable[[int], bytes]) -> None:
    """§4.2.1, §7.1: _sd and … are no claims."""
    with pytest.raises(FormatError, match="reserves"):
        conceal(claims, (), random)
    assert conceal({"a": {"_sd_alg": 1}}, (), random).disclosures == ()


def test_what_cannot_be_concealed(random: Callable[[int], bytes]) -> None:
    for pointer in ("/b", "/a/0", ""):
        with pytest.raises(ValueError, match="names nothing"):
            conceal({"a": 1}, [pointer], random)
    with pytest.raises(ValueError, match="names nothing"):
        conceal({"a": 1}, (), random, decoys={"/a": 1})
    for pointer in ("/iss", "/exp", "/cnf", "/status"):
        with pytest.raises(ValueError, match="validity"):
            conceal({"iss": "a", "exp": 1, "cnf": {}, "status": {}}, [pointer], random)
    with pytest.raises(FormatError, match="decoys"):
        conceal({}, (), random, decoys={"": MAX_DECOYS + 1})
    with pytest.raises(FormatError, match="disclosures"):
        conceal({}, [f"/{number}" for number in range(MAX_DISCLOSURES + 1)], random)


@pytest.mark.parametrize(
    ("payload", "disclosures", "error", "words"),
    [
        ({"_sd": [digest("s", "a", 1)]}, [["s", "a", 1], ["s", "a", 1]], VerificationError, "disclosure twice"),
        ({"_sd": [digest("s", "a", 1)] * 2}, [["s", "a", 1]], VerificationError, "digest twice"),
        ({"_sd": ["x"], "b": {"_sd": ["x"]}}, [], VerificationError, "digest twice"),
        ({"_sd": ["x"], "b": [{"...": "x"}]}, [], VerificationError, "digest twice"),
        ({"_sd": [digest("s", "a", {"_sd": ["x"]}), "x"]}, [["s", "a", {"_sd": ["x"]}]], VerificationError, "digest twice"),
        ({}, [["s", "a", 1]], VerificationError, "does not belong"),
        ({"_sd": [digest("s", "a", 1)], "a": 2}, [["s", "a", 1]], VerificationError, "there already"),
        ({"_sd": [digest("s", "a", 1), digest("t", "a", 2)]}, [["s", "a", 1], ["t", "a", 2]], VerificationError, "there already"),
        ({"_sd": [digest("s", 1)]}, [["s", 1]], VerificationError, "array's element"),
        ({"a": [{"...": digest("s", "a", 1)}]}, [["s", "a", 1]], VerificationError, "object's member"),
        ({"_sd": "x"}, [], FormatError, "_sd"),
        ({"_sd": [1]}, [], FormatError, "_sd"),
        ({"...": "x"}, [], FormatError, r"\.\.\."),
        ({"a": [{"...": "x", "b": 1}]}, [], FormatError, "one digest"),
        ({"a": [{"...": 1}]}, [], FormatError, "one digest"),
        ({"_sd_alg": "md5"}, [], UnsupportedError, "hash"),
        ({"_sd_alg": 1}, [], FormatError, "_sd_alg"),
        ({}, [["s", "_sd", 1]], FormatError, "reserved"),
        ({}, [["s", "...", 1]], FormatError, "reserved"),
        ({}, [["s", 1, 1]], FormatError, "claim name"),
        ({}, [[1, "a", 1]], FormatError, "neither"),
        ({}, [["s"]], FormatError, "neither"),
        ({}, [["s", "a", 1, 2]], FormatError, "neither"),
        ({}, [base64url_encode(b'{"a":1}')], FormatError, "neither"),
        ({}, [base64url_encode(b'["s","a",{"b":1,"b":2}]')], FormatError, "duplicate"),
        ({}, ["%"], FormatError, "base64url"),
        ({}, [""], FormatError, "empty"),
        ({"exp": 1}, [], VerificationError, "expired"),
        ({"aud": "other"}, [], VerificationError, "audience"),
        (b"[]", [], FormatError, "not a JSON object"),
        (b"x", [], FormatError, "not JSON"),
    ],
)
def test_sd_jwts_that_are_refused(payload: Any, disclosures: list[Any], error: type[DidHealthError], words: str) -> None:
    """§7.1."""
    with pytest.raises(error, match=words):
        verify(token(payload, *disclosures))


def test_what_the_payload_conceals_and_nobody_discloses_is_left_out() -> None:
    """§7.1 step 3."""
    assert verify(token({"_sd": ["x"], "a": {"_sd": ["y"]}, "b": [{"...": "z"}], "_sd_alg": "sha-256"})) == {"a": {}, "b": []}


@pytest.mark.parametrize("name", ["sha-384", "sha-512"])
def test_other_hash_algorithms(name: str) -> None:
    """§4.1.1, _sd_alg."""
    text = base64url_encode(b'["salt","a",1]')
    assert verify(token({"_sd": [digest_function(name)(text)], "_sd_alg": name}, text)) == {"a": 1}


def test_a_false_signature_is_refused(held: SDJWT) -> None:
    """§7.1 step 2."""
    with pytest.raises(VerificationError, match="does not verify"):
        verify(token({}, signer=generate(repeatable_bytes("thief"))))
    with pytest.raises(FormatError, match="must be encoded"):
        verify(token(b"{}", header={"b64": False, "crit": ["b64"]}))
    with pytest.raises(FormatError, match="no tilde"):
        verify(held.jwt)
    assert verify(held, audience=None) == CLAIMS


def test_nesting_by_disclosures_is_bounded() -> None:
    texts: list[str] = []
    value: dict[str, Any] = {}
    for _ in range(MAX_DOCUMENT_DEPTH + 1):
        text = base64url_encode(json.dumps(["s", "a", value]).encode())
        texts.append(text)
        value = {"_sd": [DIGEST(text)]}
    with pytest.raises(FormatError, match="deeper"):
        verify(token(value, *texts))
    lists: Any = 1
    texts = []
    for _ in range(MAX_DOCUMENT_DEPTH + 1):
        text = base64url_encode(json.dumps(["s", lists]).encode())
        texts.append(text)
        lists = [{"...": DIGEST(text)}]
    with pytest.raises(FormatError, match="deeper"):
        verify(token({"a": lists}, *texts))


def test_the_number_of_disclosures_is_bounded() -> None:
    with pytest.raises(FormatError, match="disclosures"):
        SDJWT.parse(token({}, *(["W10"] * (MAX_DISCLOSURES + 1))))


def test_key_binding(held: SDJWT) -> None:
    """§4.3, §7.3."""
    bound = present(held, ["/name"], binding=BINDING, holder=HOLDER, now=NOW)
    verified = verify_sd_jwt(str(bound), find, now=NOW, key_binding=BINDING)
    assert verified.key_binding is not None
    assert (verified.key_binding.public_key, verified.key_binding.issued_at) == (HOLDER.public_key, NOW)
    assert verified.payload["name"] == "Ada"
    # Nobody asked for it: it proves nothing, and is not looked at.
    assert verify_sd_jwt(str(bound) + "x", find, now=NOW).key_binding is None
    with pytest.raises(FormatError, match="bound to a verifier already"):
        present(bound, [])
    with pytest.raises(ValueError, match="takes the holder's key"):
        present(held, [], binding=BINDING)
    with pytest.raises(VerificationError, match="not bound"):
        verify(present(held, []), key_binding=BINDING)
    assert verify(SDJWT.parse_json(bound.to_json()), key_binding=BINDING)["name"] == "Ada"


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"aud": "https://other.example"}, VerificationError, "INVALID_DOMAIN_ERROR"),
        ({"aud": [BINDING.audience]}, FormatError, "PARSING_ERROR"),
        ({"nonce": "n-2"}, VerificationError, "INVALID_CHALLENGE_ERROR"),
        ({"nonce": None}, FormatError, "PARSING_ERROR"),
        ({"aud": None}, FormatError, "PARSING_ERROR"),
        ({"iat": None}, FormatError, "PARSING_ERROR"),
        ({"sd_hash": None}, FormatError, "PARSING_ERROR"),
        ({"sd_hash": 1}, FormatError, "PARSING_ERROR"),
        ({"sd_hash": "x"}, VerificationError, "CRYPTOGRAPHIC_SECURITY_ERROR"),
        ({"iat": numeric_date(NOW) - MAX_KEY_BINDING_AGE_SECONDS - 1}, VerificationError, "RANGE_ERROR"),
        ({"iat": numeric_date(NOW) + MAX_CLOCK_SKEW_SECONDS + 1}, VerificationError, "RANGE_ERROR"),
        ({"exp": numeric_date(NOW)}, VerificationError, "RANGE_ERROR"),
    ],
)
def test_key_bindings_that_are_refused(held: SDJWT, changes: dict[str, Any], error: type[DidHealthError], code: str) -> None:
    """§4.3, §4.3.1 (sd_hash), §7.3 step 5."""
    bare = present(held, [])
    claims = {"aud": BINDING.audience, "nonce": BINDING.nonce, "iat": numeric_date(NOW), "sd_hash": DIGEST(bare.bound_text), **changes}
    text = json.dumps({name: value for name, value in claims.items() if value is not None}).encode()
    with pytest.raises(error) as caught:
        verify(bare.bound_text + sign_compact(text, HOLDER, {"typ": "kb+jwt"}), key_binding=BINDING)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("payload", "header", "signer"),
    [
        (None, {"typ": "JWT"}, HOLDER),
        (None, {}, HOLDER),
        (None, {"typ": "kb+jwt"}, ISSUER),
        (None, {"typ": "kb+jwt"}, generate(repeatable_bytes("thief"), Algorithm.P256)),
        (b"[]", {"typ": "kb+jwt"}, HOLDER),
        (None, {"typ": "kb+jwt", "b64": False, "crit": ["b64"]}, HOLDER),
    ],
)
def test_what_is_no_key_binding_of_this_holder(held: SDJWT, payload: bytes | None, header: dict[str, Any], signer: Any) -> None:
    """§7.3 step 5."""
    bare = present(held, [])
    claims = {"aud": BINDING.audience, "nonce": BINDING.nonce, "iat": numeric_date(NOW), "sd_hash": DIGEST(bare.bound_text)}
    data = payload if payload is not None else json.dumps(claims).replace(".", "\\u002e").encode()
    with pytest.raises((VerificationError, FormatError)):
        verify(bare.bound_text + sign_compact(data, signer, header), key_binding=BINDING)


def test_an_sd_jwt_without_a_holders_key_cannot_be_bound(random: Callable[[int], bytes]) -> None:
    held = issue_sd_jwt({"a": 1}, ISSUER, conceal=["/a"], random=random)
    bound = present(held, [], binding=BINDING, holder=HOLDER, now=NOW)
    with pytest.raises(VerificationError, match="no key of its holder"):
        verify(bound, key_binding=BINDING)


def test_the_age_of_a_key_binding_is_counted_from_now(held: SDJWT) -> None:
    """§7.3 step 5, iat."""
    bound = present(held, [], binding=BINDING, holder=HOLDER, now=NOW)
    later = NOW + timedelta(seconds=MAX_KEY_BINDING_AGE_SECONDS)
    assert verify_sd_jwt(bound, find, now=later, key_binding=BINDING).key_binding is not None
    with pytest.raises(VerificationError, match="too old"):
        verify_sd_jwt(bound, find, now=later + timedelta(seconds=1), key_binding=BINDING)


def test_the_general_json_form(held: SDJWT) -> None:
    """§8."""
    flat = held.to_json()
    second = {name: flat[name] for name in ("protected", "signature")}
    general: dict[str, Any] = {"payload": flat["payload"], "signatures": [{name: flat[name] for name in ("protected", "signature", "header")}, second]}
    assert verify(SDJWT.parse_json(json.dumps(general))) == CLAIMS
    general["signatures"][1] = {**second, "header": {"disclosures": []}}
    with pytest.raises(FormatError, match="another unprotected header"):
        SDJWT.parse_json(general)


@pytest.mark.parametrize(
    "header", [{"disclosures": "x"}, {"disclosures": [1]}, {"disclosures": ["\u00e4"]}, {"kb_jwt": 1}, {"disclosures": ["W10"] * (MAX_DISCLOSURES + 1)}]
)
def test_malformed_json_forms(held: SDJWT, header: dict[str, Any]) -> None:
    """§8."""
    with pytest.raises(FormatError):
        SDJWT.parse_json({**held.to_json(), "header": header})


def test_disclosures_stay_out_of_logs() -> None:
    assert "Ada" not in repr(Disclosure.make("name", "Ada", repeatable_bytes("x")))
