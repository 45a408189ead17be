"""VC Data Model 2.0 §5.3: digests of related resources, their forms, their conflicts, and the resources that are known."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from did_health.encoding import multibase, multihash
from did_health.errors import FormatError
from did_health.limits import MAX_DIGESTS
from did_health.vc import contexts, integrity
from did_health.vc.credential import Credential
from did_health.vc.integrity import Digest, check_digests, digests_of, mismatch
from did_health.vc.packaged import schema_file
from did_health.vc.published_contexts import PUBLISHED, published_digests
from tests.conftest import shared
from tests.unit.sample_credentials import V2, Document, credential

DATA = b"a resource"
OTHER = b"another one"


def sri(data: bytes = DATA, function: str = "sha384") -> str:
    return f"{function}-{base64.b64encode(hashlib.new(function, data).digest()).decode()}"


def hashed(data: bytes = DATA, prefix: str = "u") -> str:
    return multibase.encode(prefix, multihash.sha2_256(data))


@pytest.mark.parametrize("function", ["sha256", "sha384", "sha512"])
def test_every_hash_expression_of_subresource_integrity_is_read(function: str) -> None:
    value = hashlib.new(function, DATA).digest()
    for text in (sri(function=function), sri(function=function) + "?option", [sri(function=function)]):
        assert integrity.sri_digests(text, "") == (Digest(function, value),)
    assert mismatch({"digestSRI": sri(function=function)}, digests_of(DATA)) is None
    assert mismatch({"digestSRI": sri(OTHER, function)}, digests_of(DATA)) == "digestSRI"


def test_only_the_strongest_function_of_subresource_integrity_counts() -> None:
    assert mismatch({"digestSRI": f"{sri(OTHER, 'sha256')} {sri(DATA, 'sha512')}"}, digests_of(DATA)) is None
    assert mismatch({"digestSRI": f"{sri(DATA, 'sha256')} {sri(OTHER, 'sha512')}"}, digests_of(DATA)) == "digestSRI"
    # Several of one function are alternatives.
    assert mismatch({"digestSRI": [sri(OTHER), sri(DATA)]}, digests_of(DATA)) is None


@pytest.mark.parametrize(
    ("code", "function"), [("12", "sha256"), ("20", "sha384"), ("13", "sha512"), ("16", "sha3_256"), ("15", "sha3_384"), ("14", "sha3_512")]
)
@pytest.mark.parametrize("prefix", "uzm")
def test_every_sha_is_read_as_a_multihash_of_any_base(code: str, function: str, prefix: str) -> None:
    value = hashlib.new(function, DATA).digest()
    text = multibase.encode(prefix, bytes.fromhex(code) + bytes([len(value)]) + value)
    assert integrity.multibase_digests(text, "") == (Digest(function, value),)
    assert mismatch({"digestMultibase": ["uEiBZlVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA", text]}, digests_of(DATA)) is None
    assert mismatch({"digestMultibase": text}, digests_of(OTHER)) == "digestMultibase"


def test_a_bare_digest_passes_for_one_of_sha_2() -> None:
    for function in ("sha256", "sha384", "sha512"):
        assert mismatch({"digestMultibase": multibase.encode("u", hashlib.new(function, DATA).digest())}, digests_of(DATA)) is None


def test_a_function_that_nobody_here_knows_fits_only_where_it_may() -> None:
    text = multibase.encode("u", bytes.fromhex("1e20") + bytes(32))
    assert mismatch({"digestMultibase": text}, digests_of(DATA)) == "digestMultibase"
    assert mismatch({"digestMultibase": text}, digests_of(DATA), unknown_fits=True) is None


FAULTS: dict[str, Document] = {
    "sri-of-another-function": {"digestSRI": "md5-AAAA"},
    "sri-without-function": {"digestSRI": "AAAA"},
    "sri-base64url": {"digestSRI": "sha256-__-_"},
    "sri-empty": {"digestSRI": ""},
    "sri-blank": {"digestSRI": " "},
    "sri-empty-list": {"digestSRI": []},
    "sri-number": {"digestSRI": 5},
    "sri-null-inside": {"digestSRI": [sri(), None]},
    "sri-too-many": {"digestSRI": " ".join([sri()] * (MAX_DIGESTS + 1))},
    "multibase-number": {"digestMultibase": 5},
    "multibase-empty": {"digestMultibase": ""},
    "multibase-of-no-base": {"digestMultibase": "!abc"},
    "multibase-not-of-its-base": {"digestMultibase": "u!!!!"},
    "multibase-no-multihash": {"digestMultibase": "uZTQ0MjM1NiAgcmVwb3J0cc5jZWxhdGVkLXJlc291cmNlLmpzb24K"},
    "multibase-truncated-sha-256": {"digestMultibase": multibase.encode("u", bytes.fromhex("1210") + bytes(16))},
    "multibase-too-many": {"digestMultibase": [hashed()] * (MAX_DIGESTS + 1)},
    "two-digests-that-contradict-each-other": {"digestSRI": sri(function="sha256"), "digestMultibase": hashed(OTHER)},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_digest_is_refused(fault: str) -> None:
    with pytest.raises(FormatError) as refused:
        check_digests(FAULTS[fault], "/x")
    assert refused.value.code == "MALFORMED_VALUE_ERROR"
    assert refused.value.where.startswith("/x")


def test_both_notations_of_one_digest_go_together() -> None:
    check_digests({"digestSRI": sri(function="sha256"), "digestMultibase": hashed()}, "")
    check_digests({"digestSRI": sri(function="sha512"), "digestMultibase": [hashed(), hashed(OTHER)]}, "")
    check_digests({}, "")


def related(**member: Any) -> Document:
    return credential(relatedResource={"id": V2, **member})


def official(url: str) -> bytes:
    entries = json.loads(shared("contexts", "index.json").read_bytes())["contexts"]
    return shared("contexts", next(entry["file"] for entry in entries if entry["url"] == url)).read_bytes()


def test_the_digests_of_the_published_contexts_are_those_of_the_official_files() -> None:
    assert set(PUBLISHED) == set(contexts.PINNED)
    for url in PUBLISHED:
        known = published_digests(url)
        assert known is not None
        whole = digests_of(official(url))
        assert known == {name: whole[name] for name in ("sha256", "sha384", "sha512")}
    assert published_digests(contexts.DID_HEALTH_V1) == digests_of(schema_file("contexts/did-health-v1.json"))
    assert published_digests("https://context.example/v1") is None


def test_the_examples_of_the_recommendation_are_accepted() -> None:
    # §5.3, examples 25 (with its M) and 26.
    Credential.parse(related(digestSRI="sha384-Ml/HrjlBCNWyAX91hr6LFV2Y3heB5Tcr6IeE4/Tje8YyzYBM8IhqjHWiWpr8+ZbYU"))
    Credential.parse(related(digestSRI="sha384-l/HrjlBCNWyAX91hr6LFV2Y3heB5Tcr6IeE4/Tje8YyzYBM8IhqjHWiWpr8+ZbYU"))
    Credential.parse(related(digestMultibase="uEiBZlVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA"))


def test_the_digests_that_the_w3cs_test_suite_writes_are_accepted_and_others_are_not() -> None:
    Credential.parse(related(digestMultibase="uWZVc7WaX1h4D8rJVb-vlMIqxaEKEb1tYbX8fet7JJzQ"))
    with pytest.raises(FormatError):
        Credential.parse(related(digestMultibase="uM4RgWQc3RUDtjJCSgTJtTfvpZ7SPEg_LNO0ESlovQC0"))


@pytest.mark.parametrize(("member", "text"), [("digestSRI", sri()), ("digestSRI", "sha256-AAAA"), ("digestMultibase", hashed())])
def test_a_digest_that_a_packed_context_has_not_is_an_error(member: str, text: str) -> None:
    """§5.3: a verifier that makes use of a resource MUST compute its digest, and MUST produce an error if it does not match."""
    with pytest.raises(FormatError) as refused:
        Credential.parse(related(**{member: text}))
    assert refused.value.where == f"/relatedResource/{member}"
