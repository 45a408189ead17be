"""VC Data Model 2.0 statement by statement: documents that keep each MUST of its sections 4 and 5, and documents that break it.

What is written here of a statement is its sense, not its words. Statements about proofs are tested with the proofs, those about JSON-LD with
``vc.rdf``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from did_health.encoding import strict_json
from did_health.errors import FormatError
from did_health.vc import rdf
from did_health.vc.credential import Credential
from did_health.vc.presentation import Presentation, self_asserted
from tests.unit.sample_credentials import DIGEST, V1, V2, Document, credential, credential_1_1, presentation

NO_TYPE: list[Any] = [{"id": "https://a.example/1"}, [{"type": "A"}, {"id": "https://a.example/1"}], {"type": ""}, {"type": []}, {"type": 5}]
NO_OBJECTS: list[Any] = ["https://a.example", 5, True, None, [], ["https://a.example"], [{"type": "A"}, None]]
NO_URLS: list[Any] = ["not-a-url", "https ://x.example", "", 5, None, ["did:example:1"], {"id": "did:example:1"}]
NO_TEXTS: list[Any] = [5, None, [], {}, {"@language": "en"}, {"@value": 5}, {"@value": "a", "@language": "en", "extra": 1}, {"@value": "a", "@direction": "up"}]
RESOURCE: Document = {"id": "https://a.example/x.png", "digestMultibase": DIGEST}


class Statement(NamedTuple):
    """``member`` is that of the document: the values that a conforming one may have, and those that it may not."""

    section: str
    sense: str
    member: str
    good: list[Any]
    bad: list[Any]


CREDENTIAL = [
    Statement("4.3", "there is a @context", "@context", [[V2]], [..., [], None]),
    Statement(
        "4.3",
        "its first item is the base context",
        "@context",
        [[V2, "https://a.example/v1"], [V2, {"a": "https://a.example/#a"}]],
        [["https://a.example/v1", V2], [{"a": "b:c"}, V2], "https://www.w3.org/ns/credentials/examples/v2"],
    ),
    Statement("4.3", "the others are URLs or objects", "@context", [[V2, "urn:uuid:1", {}]], [[V2, 5], [V2, None], [V2, "not a url"], [V2, [V2]], [V2, V2]]),
    Statement("4.4", "an id is one URL", "id", [..., "did:example:1", "urn:uuid:1", "https://a.example/1"], NO_URLS),
    Statement("4.4", "an id of a subject is one URL", "credentialSubject", [{"id": "did:example:1"}], [{"id": value} for value in NO_URLS]),
    Statement(
        "4.5",
        "there is a type, VerifiableCredential among its values",
        "type",
        ["VerifiableCredential", ["A", "VerifiableCredential"]],
        [..., "A", [], ["A"], ["VerifiablePresentation"], None],
    ),
    Statement(
        "4.5",
        "each type is a term or an absolute URL",
        "type",
        [["VerifiableCredential", "https://a.example/#T"]],
        [["VerifiableCredential", 5], ["VerifiableCredential", ""], ["VerifiableCredential", "@id"], ["VerifiableCredential", "a b: c"]],
    ),
    Statement(
        "4.6",
        "a name is a text or has languages",
        "name",
        [
            ...,
            "a",
            {"@value": "a"},
            {"@value": "a", "@language": "en-US", "@direction": "ltr"},
            [{"@value": "a", "@language": "en"}, {"@value": "b", "@language": "ar"}],
        ],
        NO_TEXTS,
    ),
    Statement("4.6", "a description is a text or has languages", "description", [..., "a", {"@value": "a", "@language": "de"}], NO_TEXTS),
    Statement(
        "4.6",
        "an issuer's name is a text or has languages",
        "issuer",
        [{"id": "did:example:1", "name": "a"}],
        [{"id": "did:example:1", "name": value} for value in NO_TEXTS],
    ),
    Statement(
        "4.6",
        "an issuer's description is a text or has languages",
        "issuer",
        [{"id": "did:example:1", "description": {"@value": "a"}}],
        [{"id": "did:example:1", "description": value} for value in NO_TEXTS],
    ),
    Statement(
        "4.7",
        "there is an issuer, a URL or an object with one as its id",
        "issuer",
        ["did:example:1", {"id": "https://a.example/i", "image": {}}],
        [..., {}, {"id": None}, {"name": "A"}, *[value for value in NO_URLS if not isinstance(value, dict)], {"id": "not-a-url"}],
    ),
    Statement(
        "4.8",
        "there is a credentialSubject, one or more, each of which makes a claim",
        "credentialSubject",
        [{"a": 1}, [{"id": "did:example:1"}, {"a": 1}]],
        [..., {}, [], [{"a": 1}, {}], "did:example:1", None, 5, [5]],
    ),
    Statement(
        "4.9",
        "validFrom is a date and time with its zone",
        "validFrom",
        [..., "2020-01-01T00:00:00Z", "2020-01-01T00:00:00.123+05:30", "2020-01-01T00:00:00-14:00"],
        ["2020-01-01", "01/01/2020", "2020-13-01T00:00:00Z", "2020-02-30T00:00:00Z", 1577836800, None, ["2020-01-01T00:00:00Z"]],
    ),
    Statement("4.9", "validUntil is one too", "validUntil", [..., "2030-01-01T00:00:00Z"], ["2030-01-01", "2030-01-01T25:00:00Z", 5, None]),
    Statement(
        "4.9",
        "validUntil is not before validFrom",
        "validUntil",
        ["2026-01-01T00:00:00Z", "2026-01-01T00:30:00+00:30"],
        ["2025-12-31T23:59:59Z", "2026-01-01T00:00:00+01:00"],
    ),
    Statement(
        "4.10",
        "a status is one or more objects with a type",
        "credentialStatus",
        [..., {"type": "A"}, [{"type": "A"}, {"type": ["B", "C"], "id": "did:example:1"}]],
        [*NO_OBJECTS, *NO_TYPE],
    ),
    Statement(
        "4.10", "an id of a status is one URL", "credentialStatus", [{"type": "A", "id": "urn:uuid:1"}], [{"type": "A", "id": value} for value in NO_URLS]
    ),
    Statement(
        "4.11",
        "a schema is one or more objects with a type",
        "credentialSchema",
        [..., {"id": "https://a.example/s", "type": "JsonSchema"}, [{"id": "https://a.example/s", "type": "A"}] * 2],
        [*NO_OBJECTS, {"id": "https://a.example/s"}],
    ),
    Statement(
        "4.11",
        "a schema has an id, which is a URL",
        "credentialSchema",
        [{"id": "did:example:1", "type": "A"}],
        [{"type": "A"}, *({"type": "A", "id": value} for value in NO_URLS)],
    ),
    Statement("5.3", "related resources are one or more objects", "relatedResource", [..., RESOURCE, [RESOURCE]], NO_OBJECTS),
    Statement(
        "5.3", "each has an id, which is a URL", "relatedResource", [RESOURCE], [{"digestMultibase": DIGEST}, *(RESOURCE | {"id": value} for value in NO_URLS)]
    ),
    Statement("5.3", "no id comes twice", "relatedResource", [[RESOURCE, RESOURCE | {"id": "https://a.example/y.png"}]], [[RESOURCE, RESOURCE]]),
    Statement("5.3", "each has a digest", "relatedResource", [RESOURCE | {"digestSRI": "sha384-AAAA"}], [{"id": "https://a.example/x.png"}]),
    Statement(
        "5.3",
        "a media type is one",
        "relatedResource",
        [RESOURCE | {"mediaType": "image/png"}],
        [RESOURCE | {"mediaType": value} for value in (5, "", "png", None)],
    ),
    Statement(
        "5.4",
        "a refresh service is one or more objects with a type",
        "refreshService",
        [..., {"type": "A"}, [{"type": "A", "url": "https://a.example"}, {"type": "B"}]],
        [*NO_OBJECTS, *NO_TYPE],
    ),
    Statement(
        "5.5", "terms of use are one or more objects with a type", "termsOfUse", [..., {"type": "A"}, [{"type": "A", "id": "urn:a"}]], [*NO_OBJECTS, *NO_TYPE]
    ),
    Statement("5.6", "evidence is one or more objects with a type", "evidence", [..., {"type": "A"}, [{"type": ["A"], "any": 1}]], [*NO_OBJECTS, *NO_TYPE]),
    Statement("5.10", "a confidence method has a type", "confidenceMethod", [..., {"type": "A"}], [*NO_OBJECTS, *NO_TYPE]),
    Statement("5.10", "a render method has a type", "renderMethod", [..., {"type": "A"}, [{"type": "A"}]], [*NO_OBJECTS, *NO_TYPE]),
    Statement("4.12", "a proof has a type", "proof", [..., {"type": "DataIntegrityProof"}, [{"type": "A"}, {"type": "B"}]], [*NO_OBJECTS, *NO_TYPE]),
]

ENVELOPE: Document = {"@context": V2, "id": "data:application/vc+jwt,a.b.c", "type": "EnvelopedVerifiableCredential"}

PRESENTATION = [
    Statement("4.3", "there is a @context, the base context first", "@context", [[V2], [V2, {"A": "https://a.example/#A"}]], [..., [], [{"A": "b:c"}, V2]]),
    Statement("4.13", "an id is one URL", "id", [..., "urn:uuid:1"], NO_URLS),
    Statement(
        "4.13",
        "there is a type, VerifiablePresentation among its values",
        "type",
        ["VerifiablePresentation", ["VerifiablePresentation", "A"]],
        [..., "A", ["VerifiableCredential"], [], 5],
    ),
    Statement(
        "4.13",
        "verifiableCredential holds credentials and enveloped ones, and nothing but objects",
        "verifiableCredential",
        [..., credential(), [credential(), ENVELOPE], ENVELOPE],
        [*NO_OBJECTS, [credential(), "a.b.c"], [{"type": "A"}], [presentation()], {}],
    ),
    Statement(
        "4.13",
        "a holder is a URL or an object with one as its id",
        "holder",
        [..., "did:example:1", {"id": "did:example:1"}],
        [{}, {"id": None}, {"id": "not-a-url"}, *[value for value in NO_URLS if not isinstance(value, dict)]],
    ),
    Statement(
        "4.13.1",
        "an enveloped credential has the context that defines it",
        "verifiableCredential",
        [ENVELOPE | {"@context": [V2]}],
        [{name: value for name, value in ENVELOPE.items() if name != "@context"}, ENVELOPE | {"@context": []}, ENVELOPE | {"@context": V1}],
    ),
    Statement(
        "4.13.1",
        "its id is a data: URL",
        "verifiableCredential",
        [ENVELOPE | {"id": "data:application/vc+cose;base64,AAEC"}],
        [ENVELOPE | {"id": value} for value in ("a.b.c", "https://a.example", None, "data:application/vc+jwt")],
    ),
    Statement(
        "4.13.1",
        "its type is EnvelopedVerifiableCredential",
        "verifiableCredential",
        [ENVELOPE | {"type": ["EnvelopedVerifiableCredential"]}],
        [{name: value for name, value in ENVELOPE.items() if name != "type"}, ENVELOPE | {"type": ["EnvelopedVerifiableCredential", "A"]}],
    ),
    Statement("5.5", "terms of use are one or more objects with a type", "termsOfUse", [..., {"type": "A"}], [*NO_OBJECTS, *NO_TYPE]),
    Statement("5.4", "a refresh service is one or more objects with a type", "refreshService", [..., {"type": "A"}], [*NO_OBJECTS, *NO_TYPE]),
    Statement("4.12", "a proof has a type", "proof", [..., {"type": "DataIntegrityProof"}], [*NO_OBJECTS, *NO_TYPE]),
]


def named(statements: list[Statement]) -> Any:
    return pytest.mark.parametrize("statement", statements, ids=lambda statement: f"{statement.section} {statement.sense}")


@named(CREDENTIAL)
def test_a_credential_keeps_the_statement(statement: Statement) -> None:
    for value in statement.good:
        Credential.parse(strict_json.dumps(credential(**{statement.member: value})))
    for value in statement.bad:
        with pytest.raises(FormatError):
            Credential.parse(credential(**{statement.member: value}))


@named(PRESENTATION)
def test_a_presentation_keeps_the_statement(statement: Statement) -> None:
    for value in statement.good:
        Presentation.parse(strict_json.dumps(presentation(**{statement.member: value})))
    for value in statement.bad:
        with pytest.raises(FormatError):
            Presentation.parse(presentation(**{statement.member: value}))


def test_4_13_4_a_self_asserted_credential_without_a_proof_is_the_holders() -> None:
    unsecured = credential(proof=...)
    issuer = unsecured["issuer"]["id"]
    assert self_asserted(Presentation.parse(presentation(verifiableCredential=unsecured, holder=issuer))) == (unsecured,)
    assert self_asserted(Presentation.parse(presentation(verifiableCredential=[unsecured, credential()], holder={"id": issuer}))) == (unsecured,)
    # One that has a proof of its own may be anybody's.
    assert self_asserted(Presentation.parse(presentation(holder=...))) == ()
    for holder in (..., "did:example:other"):
        with pytest.raises(FormatError):
            self_asserted(Presentation.parse(presentation(verifiableCredential=unsecured, holder=holder)))


def test_5_2_what_the_data_model_does_not_know_survives() -> None:
    document = credential(unknown={"deep": [1, {"x": None}]}, credentialSubject={"id": "did:example:1", "unknown": {"a": [True]}})
    assert Credential.parse(strict_json.dumps(document)).raw == document
    shown = presentation(unknown=[1, 2], verifiableCredential=document)
    assert Presentation.parse(strict_json.dumps(shown)).raw == shown


@pytest.mark.parametrize(
    "context",
    [
        pytest.param([V2, {"VerifiableCredential": "https://a.example/#V"}], id="a type of the base context"),
        pytest.param([V2, {"description": "https://a.example/#d"}], id="a property of the base context"),
        pytest.param([V2, {"@protected": True, "Ours": "https://a.example/#A"}, {"Ours": "https://a.example/#B"}], id="a term of another context"),
    ],
)
def test_5_2_1_a_protected_term_is_not_defined_again(context: Any) -> None:
    pytest.importorskip("pyld", reason="JSON-LD needs the extra rdf")
    document = {"@context": context, "type": ["VerifiableCredential"], "issuer": "did:example:1", "credentialSubject": {"id": "did:example:2"}}
    with pytest.raises(FormatError):
        rdf.canonical_nquads(document)
    assert rdf.canonical_nquads(document | {"@context": [V2]})


def test_4_5_a_type_that_no_context_maps_to_a_url_is_refused_by_json_ld() -> None:
    pytest.importorskip("pyld", reason="JSON-LD needs the extra rdf")
    document = {
        "@context": [V2, {"@vocab": None}],
        "type": ["VerifiableCredential", "Unmapped"],
        "issuer": "did:example:1",
        "credentialSubject": {"id": "did:example:2"},
    }
    with pytest.raises(FormatError):
        rdf.canonical_nquads(document)
    assert "https://a.example/#Unmapped" in rdf.canonical_nquads(document | {"@context": [V2, {"Unmapped": "https://a.example/#Unmapped"}]})


def test_5_8_a_time_without_an_offset_is_utc() -> None:
    parsed = Credential.parse(credential(validFrom="2026-02-01T00:00:00", validUntil="2026-02-01T01:00:00+01:00"))
    assert parsed.valid_from == parsed.valid_until


def test_4_9_1_times_of_1_1_are_read_with_its_names() -> None:
    assert Credential.parse(credential_1_1()).valid_from is not None
    for changes in ({"issuanceDate": ...}, {"issuanceDate": "2020"}, {"expirationDate": 5}):
        with pytest.raises(FormatError):
            Credential.parse(credential_1_1(**changes))


def test_6_1_a_document_is_one_object_in_compacted_form() -> None:
    for source in (b"[]", b"[{}]", strict_json.dumps([credential()]), b'"x"', strict_json.dumps({"@graph": [credential()]})):
        with pytest.raises(FormatError):
            Credential.parse(source)
        with pytest.raises(FormatError):
            Presentation.parse(source)
