"""Garbage in: ``FormatError`` from parsers, ``ResolutionError`` from resolution, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.did.did import DID, DIDURL
from did_health.did.document import RELATIONSHIPS, DIDDocument
from did_health.did.methods.jwk import did_jwk
from did_health.did.methods.key import did_key
from did_health.did.resolution import URI_LIST, dereference, required_urls, resolve
from did_health.encoding.base64 import base64url_encode
from did_health.encoding.strict_json import dumps
from did_health.errors import FormatError, ResolutionError, UnsupportedError, VerificationError
from did_health.keys import Algorithm, signer_from_secret

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BOARD = "did:web:board.example"
BOARD_URL = "https://board.example/.well-known/did.json"
quick = settings(max_examples=150, deadline=None)

# Text near a DID URL reaches further into the parsers than text at random.
did_like = st.text(st.sampled_from("did:webkyjz6MSA09%3AaF.-_/?#&=@[] é\n\x00"), max_size=40).map(lambda text: f"did:{text}") | st.text(max_size=20)
familiar = st.sampled_from([BOARD, "#key-1", f"{BOARD}#key-1", "Multikey", "JsonWebKey", "2026-01-01T00:00:00Z"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | familiar | did_like,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
methods = st.fixed_dictionaries(
    {"id": st.just("#key-1") | json_values, "type": st.sampled_from(["Multikey", "JsonWebKey", "Ed25519VerificationKey2018"]) | json_values},
    optional=dict.fromkeys(("controller", "publicKeyMultibase", "publicKeyJwk", "publicKeyBase58", "expires", "revoked"), json_values),
)
services = st.fixed_dictionaries({}, optional=dict.fromkeys(("id", "type", "serviceEndpoint"), json_values))
documents = st.fixed_dictionaries(
    {"id": st.just(BOARD) | json_values},
    optional={
        **{name: st.lists(methods | json_values, max_size=2) | json_values for name in ("verificationMethod", *RELATIONSHIPS)},
        "service": st.lists(services | json_values, max_size=2) | json_values,
        "controller": json_values,
        "alsoKnownAs": json_values,
    },
)


@given(did_like)
@quick
def test_dids(text: str) -> None:
    for parse in (DID.parse, DIDURL.parse):
        try:
            assert str(parse(text)) == text
        except FormatError:
            continue


@given(documents | json_values)
@quick
def test_documents(value: Any) -> None:
    try:
        document = DIDDocument.parse(value)
    except FormatError:
        return
    assert document.raw is value
    for url in document.verification_methods:
        try:
            assert document.key(url, "assertionMethod", NOW).verify(b"", b"") is False
        except (VerificationError, UnsupportedError):
            continue


jwks = st.dictionaries(
    st.sampled_from(["kty", "crv", "x", "y", "d", "use"]), st.sampled_from(["OKP", "EC", "Ed25519", "X25519", "P-256", "AAAA", ""]) | json_values
)
jwk_dids = (st.binary(max_size=60) | jwks.map(dumps)).map(lambda data: "did:jwk:" + base64url_encode(data))
key_dids = st.text("123456789ABCabcz", min_size=1).map(lambda text: f"did:key:z{text}")


@given(did_like | jwk_dids | key_dids)
@quick
def test_resolution(text: str) -> None:
    for attempt in (lambda: required_urls(text), lambda: resolve(text, {}, now=NOW), lambda: dereference(text, {}, now=NOW)):
        try:
            attempt()
        except ResolutionError:
            continue


@given(st.binary(max_size=60) | documents.map(dumps), did_like)
@quick
def test_did_web_documents(content: bytes, suffix: str) -> None:
    try:
        dereference(f"{BOARD}{suffix.removeprefix('did:')}", {BOARD_URL: content}, now=NOW)
    except ResolutionError:
        return


@given(st.text(st.sampled_from("/?#.%25:@[]aA\\ \n"), max_size=12), st.text(st.sampled_from("abc:/?#[]@%.1"), max_size=12))
@quick
def test_service_urls_stay_at_the_service(reference: str, endpoint: str) -> None:
    service = {"id": "#s", "type": "T", "serviceEndpoint": f"https://files.example/{endpoint}"}
    content = dumps({"id": BOARD, "service": [service]})
    query = "".join(f"%{byte:02X}" for byte in reference.encode())
    try:
        result = dereference(f"{BOARD}?service=s&relativeRef={query}", {BOARD_URL: content}, now=NOW, accept=URI_LIST)
    except ResolutionError:
        return
    assert all(url.startswith("https://files.example/") for url in result.urls)


@given(st.sampled_from(list(Algorithm)), st.integers(1, 1 << 200))
@quick
def test_keys_survive_their_dids(algorithm: Algorithm, number: int) -> None:
    key = signer_from_secret(algorithm, number.to_bytes(48 if algorithm is Algorithm.P384 else 32, "big")).public_key
    for did, fragment in ((did_key(key), key.multikey), (did_jwk(key), "0")):
        assert DID.parse(str(did)) == did
        assert resolve(str(did), {}, now=NOW).active_document.key(did.url(fragment), "assertionMethod", NOW) == key
