from __future__ import annotations

import builtins
import threading
from typing import Any

import pytest

from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError, UnsupportedError
from did_health.vc import rdf
from did_health.vc.contexts import CONTEXTS, CREDENTIALS_V2, DID_HEALTH_V1

TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
VC = "https://www.w3.org/2018/credentials#"


def credential(**members: Any) -> JSONObject:
    return {
        "@context": [CREDENTIALS_V2],
        "id": "urn:uuid:4f7f2b2e-7f0e-4c8e-9d5d-0c6d1f0c6c55",
        "type": ["VerifiableCredential"],
        "issuer": "did:example:board",
        "credentialSubject": {"id": "did:example:physician"},
        **members,
    }


def under(*contexts: object, **members: Any) -> JSONObject:
    return credential(**{"@context": [CREDENTIALS_V2, *contexts], **members})


def test_a_credential_becomes_sorted_statements() -> None:
    subject = "<urn:uuid:4f7f2b2e-7f0e-4c8e-9d5d-0c6d1f0c6c55>"
    assert rdf.canonical_nquads(credential(name="Dr \"Ann\"\n\x01")) == (
        f"{subject} {TYPE} <{VC}VerifiableCredential> .\n"
        f'{subject} <https://schema.org/name> "Dr \\"Ann\\"\\n\\u0001" .\n'
        f"{subject} <{VC}credentialSubject> <did:example:physician> .\n"
        f"{subject} <{VC}issuer> <did:example:board> .\n"
    )


def test_literals_keep_their_type_and_language() -> None:
    text = rdf.canonical_nquads(credential(name={"@value": "Ärztin", "@language": "de-AT"}, validFrom="2026-01-01T00:00:00Z"))
    assert '"Ärztin"@de-at' in text
    assert '"2026-01-01T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime>' in text


def test_named_graphs_name_their_statements() -> None:
    inner = credential(id="urn:uuid:1")
    outer = {"@context": CREDENTIALS_V2, "type": "VerifiablePresentation", "holder": "did:example:physician", "verifiableCredential": [inner]}
    lines = rdf.canonical_nquads(outer).splitlines()
    assert f"<urn:uuid:1> <{VC}issuer> <did:example:board> _:c14n0 ." in lines
    assert len([line for line in lines if line.endswith("_:c14n0 .")]) >= 3


def test_the_second_document_costs_no_second_processing_of_its_contexts() -> None:
    first = rdf.general_quads(credential())
    assert set(rdf._processed_contexts()) <= set(CONTEXTS)
    assert CREDENTIALS_V2 in rdf._processed_contexts()
    assert rdf.general_quads(credential()) == first


def test_contexts_that_were_handed_over_once_are_not_known_later() -> None:
    extra = {"https://context.example/v1": {"@context": {"colour": "urn:colour"}}}
    document = under("https://context.example/v1", colour="red")
    assert "<urn:colour>" in rdf.canonical_nquads(document, contexts=extra)
    with pytest.raises(FormatError, match=r"https://context\.example/v1 is not known"):
        rdf.canonical_nquads(document)


def test_a_context_that_is_handed_over_does_not_replace_a_packed_one() -> None:
    forged = {CREDENTIALS_V2: {"@context": {"@vocab": "urn:forged:"}}}
    assert rdf.canonical_nquads(credential(), contexts=forged) == rdf.canonical_nquads(credential())


def test_inline_contexts_do_not_stay_behind() -> None:
    rdf.canonical_nquads(under({"colour": "urn:colour"}, colour="red"))
    assert all(key in CONTEXTS for key in rdf._processed_contexts())
    with pytest.raises(FormatError, match="'colour'"):
        rdf.canonical_nquads(credential(colour="red"))


def test_threads_do_not_share_processed_contexts() -> None:
    seen: list[object] = []
    thread = threading.Thread(target=lambda: seen.append(rdf._processed_contexts()))
    thread.start()
    thread.join()
    assert seen[0] is not rdf._processed_contexts()


def test_our_own_context_is_known() -> None:
    assert rdf.canonical_nquads(under(DID_HEALTH_V1))


@pytest.mark.parametrize(
    ("name", "object_"),
    [
        ({"@value": "x", "@language": "AR-eg", "@direction": "rtl"}, '"x"^^<https://www.w3.org/ns/i18n#ar-eg_rtl>'),
        ({"@value": "x", "@direction": "ltr"}, '"x"^^<https://www.w3.org/ns/i18n#_ltr>'),
        ({"@value": "x", "@language": "ar"}, '"x"@ar'),
    ],
)
def test_a_base_direction_is_in_the_datatype(name: JSONObject, object_: str) -> None:
    assert f" <https://schema.org/name> {object_} ." in rdf.canonical_nquads(credential(name=name))


def test_a_direction_that_is_none_is_refused() -> None:
    for direction in ("up", 5, ["ltr"]):
        with pytest.raises(FormatError):
            rdf.canonical_nquads(credential(name={"@value": "x", "@direction": direction}))


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        pytest.param(credential(favouriteColour="red"), "the term 'favouriteColour' is not defined", id="undefined term"),
        pytest.param(credential(credentialSubject={"id": "did:example:s", "shoeSize": 43}), "the term 'shoeSize'", id="undefined nested term"),
        pytest.param(under({"colour": None}, colour="red"), "a term is not defined", id="term set to null"),
        pytest.param(credential(type=["VerifiableCredential", "NopeCredential"]), "the type 'NopeCredential' is neither", id="undefined type"),
        pytest.param(credential(validFrom={"@value": "x", "@type": "Nope"}), "the type 'Nope' is neither", id="undefined datatype"),
        pytest.param(credential(id="credentials/1"), "an id is neither", id="relative id"),
        pytest.param(credential(id=""), "an id is neither", id="empty id"),
        pytest.param(credential(issuer="//board.example"), "an id is neither", id="id without a scheme"),
        pytest.param(credential(issuer="urn:a> <urn:p> <urn:o> .\n<urn:b"), "an id is neither", id="id that ends its term"),
        pytest.param(under({"@base": None}, id="credentials/1"), "an id is neither", id="relative id without a base"),
        pytest.param(under({"colour": "_:b0"}, colour="red"), "the property '_:b0' is not a URL", id="blank property"),
        pytest.param(under({"@vocab": "terms#"}, colour="red"), "the property 'terms#colour' is not a URL", id="relative vocabulary"),
        pytest.param(under({"by": {"@reverse": "_:b0"}}, by={"id": "urn:x"}), "the property '_:b0' is not a URL", id="blank reverse property"),
        pytest.param(under({"part": {"@id": "urn:part", "@container": "@index"}}, part={"left": "x"}), "@index has no place", id="index"),
        pytest.param(credential(**{"@included": [{"id": "x", "name": "y"}]}), "an id is neither", id="relative id in an included block"),
    ],
)
def test_what_no_signature_would_cover_is_refused(document: JSONObject, complaint: str) -> None:
    with pytest.raises(FormatError, match=complaint) as caught:
        rdf.canonical_nquads(document)
    assert caught.value.code == "DATA_LOSS_DETECTION_ERROR"


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        pytest.param(under("https://context.example/v1"), "context https://context.example/v1 is not known", id="unknown context"),
        pytest.param(under("context.jsonld"), "is not known", id="relative context"),
        pytest.param(under({"@import": "https://context.example/v1"}), "is not known", id="unknown imported context"),
        pytest.param(credential(**{"@context": 5}), "invalid local context", id="context of a wrong type"),
        pytest.param(under(None), "invalid context nullification", id="protected terms swept away"),
        pytest.param(under({"VerifiableCredential": "urn:x"}), "protected term redefinition", id="protected term redefined"),
        pytest.param(credential(id=5), "invalid @id value", id="id of a wrong type"),
        pytest.param(credential(**{"@id": "urn:a"}), "colliding keywords", id="two ids"),
        pytest.param(credential(name={"@value": "x", "@language": 'en" .'}), "language tag", id="language that ends its term"),
        pytest.param(credential(name="\ud800"), "lone surrogate", id="lone surrogate"),
        pytest.param({"@context": {"p": "urn:p"}, "p": "\ud800"}, "lone surrogate", id="lone surrogate about a blank node"),
        pytest.param("https://document.example/", "not a JSON object", id="URL of a document"),
        pytest.param([credential()], "not a JSON object", id="array of documents"),
    ],
)
def test_what_is_not_json_ld_is_refused(document: JSONObject, complaint: str) -> None:
    with pytest.raises(FormatError, match=complaint) as caught:
        rdf.canonical_nquads(document)
    assert caught.value.code == "PROOF_TRANSFORMATION_ERROR"


def test_a_datatype_that_ends_its_term_is_refused() -> None:
    with pytest.raises(FormatError):
        rdf.canonical_nquads(under({"size": {"@id": "urn:size", "@type": "urn:a> <b"}}, size="x"))


def test_terms_that_ended_early_never_become_statements() -> None:
    with pytest.raises(FormatError, match="not an absolute IRI"):
        rdf._resource("urn:a> <urn:b")


def test_without_the_optional_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_pyld(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "pyld":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_pyld)
    with pytest.raises(UnsupportedError) as caught:
        rdf.canonical_nquads(credential())
    assert caught.value.hint == "pip install 'did-health[rdf]'"
