from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from did_health.encoding import multibase, multihash, strict_json
from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.limits import MAX_SCHEMA_FAULTS
from did_health.vc.credential import Credential
from did_health.vc.schema import DIALECT, PACKAGED_PREFIX, Schema, SchemaSet
from tests.unit.sample_credentials import Document, credential

URL = "https://schemas.example/example.json"
EXAMPLE: Document = {
    "$schema": DIALECT,
    "$id": URL,
    "type": "object",
    "properties": {
        "credentialSubject": {
            "type": "object",
            "properties": {
                "licenseNumber": {"type": "string", "maxLength": 20},
                "issued": {"type": "string", "format": "date"},
                "at": {"format": "date-time"},
                "board": {"format": "uri"},
                "a/b~c": {"const": 1},
            },
            "required": ["licenseNumber"],
            "additionalProperties": {"$ref": "#/$defs/small"},
        }
    },
    "$defs": {"small": {"type": ["integer", "null"], "maximum": 9}},
}


def source(**changes: Any) -> bytes:
    return strict_json.dumps({name: value for name, value in (EXAMPLE | changes).items() if value is not ...})


def subject(**claims: Any) -> Document:
    return {"credentialSubject": {"id": None, "licenseNumber": "A-1"} | claims}


SCHEMA = Schema.parse(source())


def test_a_document_that_conforms() -> None:
    document = subject(issued="2026-02-28", at="2026-01-01T00:00:00+14:00", board="did:web:board.example", small=9)
    assert SCHEMA.is_valid(document)
    assert SCHEMA.faults(document) == ()
    SCHEMA.check(document)


@pytest.mark.parametrize(
    ("claims", "pointer", "keyword", "what"),
    [
        ({"licenseNumber": 5}, "/licenseNumber", "type", "not of the type string"),
        ({"licenseNumber": "A" * 21}, "/licenseNumber", "maxLength", "longer than 20 characters"),
        ({"issued": "2026-02-29"}, "/issued", "format", "not in the format date"),
        ({"issued": "20260228"}, "/issued", "format", "not in the format date"),
        ({"at": "2026-01-01T00:00:00"}, "/at", "format", "not in the format date-time"),
        ({"board": "https ://x"}, "/board", "format", "not in the format uri"),
        ({"a/b~c": 2}, "/a~1b~0c", "const", "not the one allowed value"),
        ({"x": "text"}, "/x", "type", "not of the type integer or null"),
        ({"x": 10}, "/x", "maximum", "more than 9"),
    ],
)
def test_a_fault_is_told_by_place_keyword_and_sentence(claims: Document, pointer: str, keyword: str, what: str) -> None:
    (fault,) = SCHEMA.faults(subject(**claims))
    assert (fault.pointer, fault.keyword, fault.what) == ("/credentialSubject" + pointer, keyword, what)
    with pytest.raises(VerificationError, match=what) as refused:
        SCHEMA.check(subject(**claims))
    assert (refused.value.code, refused.value.where) == ("schema_mismatch", fault.pointer)
    assert refused.value.report == (fault,)


def test_a_missing_member_is_named_and_the_other_faults_counted() -> None:
    with pytest.raises(VerificationError, match=r"missing: licenseNumber \(and 2 more\)"):
        SCHEMA.check({"credentialSubject": {"x": 10, "y": "z"}})


def test_the_faults_are_bounded() -> None:
    many = {f"claim{number}": "x" for number in range(10 * MAX_SCHEMA_FAULTS)}
    assert len(SCHEMA.faults(subject(**many))) == MAX_SCHEMA_FAULTS


def test_no_claim_leaks_into_an_explanation() -> None:
    secret = "123-45-6789"
    strict = Schema.parse(
        source(
            properties={
                "a": {"enum": ["x"]},
                "b": {"pattern": "^x$"},
                "c": {"anyOf": [{"const": 1}]},
                "d": {"items": {"type": "integer"}},
                "e": {"propertyNames": {"maxLength": 1}},
                "f": {"not": {"type": "string"}},
            },
            additionalProperties=False,
        )
    )
    faults = strict.faults({"a": secret, "b": secret, "c": secret, "d": [secret], "e": {"ee": secret}, "f": secret, "g": secret})
    assert {fault.keyword for fault in faults} == {"enum", "pattern", "anyOf", "type", "maxLength", "not", "additionalProperties"}
    assert secret not in repr(faults)


def test_a_fault_that_only_the_fast_validator_sees_is_told_too() -> None:
    # To Python's re, $ also matches before a line feed at the end; to ECMA-262 and the fast validator it does not.
    schema = Schema.parse(source(properties={"n": {"pattern": "^a$"}}))
    (fault,) = schema.faults({"n": "a\n"})
    assert (fault.pointer, fault.keyword, fault.what) == ("/n", "pattern", "refused by the keyword pattern")


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"[]",
        b"true",
        source()[:-1],
        source(**{"$schema": ...}),
        source(**{"$schema": 5}),
        source(**{"$id": ...}),
        source(**{"$id": ""}),
        source(type="nonsense"),
        source(properties={"a": {"pattern": "("}}),
        source(properties={"a": {"$ref": "https://other.example/schema.json"}}),
        source(properties={"a": {"$ref": "#/$defs/none"}}),
    ],
)
def test_what_is_no_schema_of_its_own_is_a_format_error(bad: bytes) -> None:
    with pytest.raises(FormatError):
        Schema.parse(bad)


def test_another_dialect_is_unsupported() -> None:
    with pytest.raises(UnsupportedError):
        Schema.parse(source(**{"$schema": "http://json-schema.org/draft-07/schema#"}))


def named(**entry: Any) -> Credential:
    return Credential.parse(credential(credentialSchema={"id": URL, "type": "JsonSchema"} | entry))


OURS = source(properties={"credentialSubject": {"required": ["licenseNumber"]}})
SCHEMAS = SchemaSet().with_schemas({URL: OURS})


def test_a_credential_is_held_against_the_schemas_that_it_names() -> None:
    assert SCHEMAS.check(named()) == (URL,)
    assert SCHEMAS.check(Credential.parse(credential(credentialSchema=...))) == ()
    both = Credential.parse(credential(credentialSchema=[{"id": URL, "type": ["JsonSchema"]}] * 2))
    assert SCHEMAS.check(both) == (URL, URL)
    with pytest.raises(VerificationError) as refused:
        SCHEMAS.check(Credential.parse(named().raw | {"credentialSubject": {"id": "did:example:1"}}))
    assert (refused.value.code, refused.value.where) == ("schema_mismatch", "/credentialSubject")


def test_a_schema_that_is_not_at_hand_is_unsupported_and_never_fetched() -> None:
    with pytest.raises(UnsupportedError) as refused:
        SchemaSet().check(named())
    assert refused.value.where == "/credentialSchema/id"
    with pytest.raises(UnsupportedError) as refused:
        SCHEMAS.check(Credential.parse(credential(credentialSchema=[{"id": URL, "type": "JsonSchemaCredential"}])))
    assert refused.value.where == "/credentialSchema/0/type"


def sri(name: str, data: bytes) -> str:
    return f"{name}-{base64.b64encode(hashlib.new(name, data).digest()).decode()}"


def test_the_digest_of_a_schema_is_checked_before_it_is_used() -> None:
    for good in (sri("sha256", OURS), sri("sha512", OURS), sri("sha256", b"other") + " " + sri("sha384", OURS), [sri("sha384", OURS)]):
        assert SCHEMAS.check(named(digestSRI=good)) == (URL,)
    assert SCHEMAS.check(named(digestMultibase=multibase.encode("u", multihash.sha2_256(OURS)))) == (URL,)
    others = multibase.encode("u", multihash.sha2_256(b"other"))
    assert SCHEMAS.check(named(digestMultibase=[others, multibase.encode("z", multihash.sha2_256(OURS))])) == (URL,)
    # Of several digests only the strongest counts (Subresource Integrity §3.3.4).
    for bad in (
        {"digestSRI": sri("sha256", b"other")},
        {"digestSRI": sri("sha256", OURS) + " " + sri("sha512", b"other")},
        {"digestMultibase": multibase.encode("u", multihash.sha2_256(b"other"))},
        {"digestSRI": sri("sha384", OURS), "digestMultibase": multibase.encode("u", multihash.sha2_256(b"other"))},
    ):
        with pytest.raises(VerificationError) as refused:
            SCHEMAS.check(named(**bad))
        assert refused.value.code == "schema_integrity"
    with pytest.raises(FormatError):
        SCHEMAS.check(named(digestMultibase="u!!"))


@pytest.mark.parametrize("name", ["PhysicianLicenseCredential", "PatientIdentityCredential", "BoardAccreditationCredential", "PharmacyCredential"])
def test_the_packaged_schemas_are_found_by_their_own_url(name: str) -> None:
    schema = SchemaSet().get(f"{PACKAGED_PREFIX}{name}.json")
    assert schema is not None
    assert schema.id == f"{PACKAGED_PREFIX}{name}.json"
    assert SchemaSet().get(schema.id) is schema
    assert not schema.is_valid({})


@pytest.mark.parametrize("name", ["None.json", "contexts/did-health-v1.json", "../pyproject.toml", "", ".", "%2e%2e/pyproject.toml"])
def test_no_other_url_leads_to_a_file(name: str) -> None:
    assert SchemaSet().get(PACKAGED_PREFIX + name) is None
    assert SchemaSet().get("https://schemas.example/" + name) is None
