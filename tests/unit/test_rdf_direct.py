from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.keys import generate
from did_health.vc import rdf, rdf_compiled, rdf_direct
from did_health.vc.contexts import CREDENTIALS_V2, DID_HEALTH_V1
from did_health.vc.proofs.data_integrity import add_proof, verify_proofs
from did_health.vc.proofs.plain_json import require_plain_json
from did_health.vc.rdf_compiled import root_scope
from did_health.vc.rdf_direct import direct_quads
from tests.rdf_shapes import MORE, SHAPES, more_contexts


@pytest.fixture(autouse=True)
def _more_contexts() -> Iterator[None]:
    with more_contexts():
        yield


def shaped(**members: Any) -> JSONObject:
    return {"@context": SHAPES, "id": "urn:a", **members}


DIRECT = {
    "text": shaped(text="MD"),
    "text to escape": shaped(text='a "b" \\ \n\x7f \u2028'),
    "several texts": shaped(text=["a", "b", "a"]),
    "a datatype": shaped(when="2026-01-01T00:00:00Z"),
    "the datatype of texts": shaped(string="a"),
    "a truth": shaped(text=True, string=False),
    "an integer": shaped(text=-7, number=2**53 - 1, string=5),
    "an IRI": shaped(link="did:key:z6Mk#z6Mk", links=["urn:b", "https://c.example/?d='e'"]),
    "an IRI with slashes after what could be a prefix": shaped(link="https://x.example"),
    "a term as a value": shaped(choice="Thing"),
    "a term of a property's own context as a value": shaped(deepChoice="north"),
    "a list": shaped(sequence=["a", "a", 1, True]),
    "a list of one": shaped(sequence="a"),
    "a list of objects": shaped(sequence=[{"text": "a"}, {"id": "urn:b"}]),
    "a list of IRIs": shaped(route=["urn:b", "urn:c"]),
    "two lists that are alike": shaped(text={"sequence": ["a"]}, link={"sequence": ["a"]}),
    "a language map": shaped(title={"en": "a", "de-AT": ["b", "c"]}),
    "a text where a language map may be": shaped(title="a"),
    "an array where a language map may be": shaped(title=["a", {"text": "b"}]),
    "a language map in a set": shaped(titles={"EN": "a"}),
    "a tagged text": shaped(text={"@value": "a", "@language": "de-AT"}),
    "a value object": shaped(when={"@value": "a"}, link={"@value": "b"}),
    "an object": shaped(text={"text": "a"}),
    "an empty object": shaped(text={}),
    "an object without a property": shaped(text={"type": "Plain"}),
    "a reference": shaped(text={"id": "urn:b"}, link={"id": "urn:c"}),
    "one object twice": shaped(text={"id": "urn:b", "number": 1}, link={"id": "urn:b", "number": 1}),
    "objects that are alike": shaped(text=[{"text": "a"}, {"text": "a"}]),
    "a graph": shaped(part={"text": "a", "link": {"text": "b"}}),
    "graphs": shaped(parts=[{"id": "urn:b", "text": "a"}, {"text": "b", "part": {"type": "Plain", "text": "c"}}]),
    "a type's own terms": shaped(type="Thing", text="a", own="urn:b"),
    "types in the order of their names": shaped(type=["Thing", "Other"], own="urn:b", choice=["a", "b"]),
    "types in another order": shaped(type=["Other", "Thing"], own="urn:b", choice=["a", "b"]),
    "a type's terms end with its object": shaped(type="Thing", link={"text": "a", "link": {"text": "b"}}, own={"text": "c"}),
    "an object of one member does not keep them": shaped(type="Thing", link={"text": "a"}),
    "a type's terms that go on": shaped(type="Flow", flowing={"flowing": "a"}),
    "types in types": shaped(type="Thing", own={"type": "Other", "own": "a", "link": {"text": "b"}}),
    "another name for the type": shaped(kind="Thing", text="a"),
    "another name for the id": {"@context": SHAPES, "type": "Keyed", "key": "urn:b", "text": {"id": "urn:c", "text": "d"}},
    "a reference by another name for the id": shaped(type="Keyed", text={"key": "urn:c"}),
    "a property's own terms": shaped(deep={"text": "a", "inside": "b", "type": "Thing", "deep": {"text": "c"}}),
    "names of keywords changed by a property": shaped(renamed={"key": "urn:b", "class": "Thing", "text": "a"}),
    "a property that forgets all terms": shaped(freshPart=[{"@context": SHAPES, "text": "a"}]),
    "contexts in objects": shaped(text={"@context": MORE, "text": "a", "guarded": "b"}),
    "several contexts": {"@context": [SHAPES, MORE], "id": "urn:a", "text": "a", "guarded": "b"},
    "no id": {"@context": SHAPES, "text": "a"},
    "no statement": {"@context": SHAPES, "id": "urn:a"},
}

GENERAL = {
    "an undefined term": shaped(undefined="a"),
    "a term set to null": shaped(nothing="a"),
    "a property by its IRI": shaped(**{"urn:p": "a"}),
    "a term that looks like an IRI": shaped(**{"urn:s:written": "a"}),
    "a keyword": shaped(**{"@included": {"text": "a"}}),
    "a keyword by another name": shaped(contents={"text": "a"}),
    "a value object by another name": shaped(text={"value": "a"}),
    "a value object with a datatype": shaped(text={"@value": "a", "@type": "urn:b"}),
    "a value object with a number": shaped(text={"@value": 1}),
    "a value object with a direction": shaped(text={"@value": "a", "@direction": "rtl"}),
    "a malformed language": shaped(text={"@value": "a", "@language": "x_y"}),
    "a language map with another key": shaped(title={"@none": "a"}),
    "a language map with a term": shaped(title={"text": "a"}),
    "a language map with a number": shaped(title={"en": 1}),
    "a fraction": shaped(text=1.5),
    "a whole float": shaped(text=1.0),
    "a huge integer": shaped(text=2**53),
    "a double": shaped(double="1"),
    "a JSON literal": shaped(scroll={"a": 1}),
    "a number where an IRI is expected": shaped(link=5),
    "null": shaped(text=None),
    "an empty array": shaped(text=[]),
    "an array in an array": shaped(text=[["a"]]),
    "a relative id": {"@context": SHAPES, "id": "a", "text": "b"},
    "an id that is no text": {"@context": SHAPES, "id": 5, "text": "b"},
    "an id that ends its term": shaped(link="urn:b> <urn:c"),
    "an IRI beyond ASCII": shaped(link="urn:é"),
    "a compact IRI": shaped(link="pre:b"),
    "a prefix of a type": shaped(type="Keyed", text={"key": "did:b"}),
    "a blank node": shaped(link="_:b0"),
    "the base of relative references": shaped(link="relative-reference://document/a"),
    "an IRI where a term is expected": shaped(choice="urn:b"),
    "a type by its IRI": shaped(type="urn:b"),
    "no type": shaped(type=[]),
    "types that are no texts": shaped(type=[5]),
    "a type of another language": shaped(type="nothing"),
    "types by two names": shaped(type="Thing", kind="Other"),
    "a type under which its own name is no type": shaped(type="Untyped", text="a"),
    "an id with its own terms": {"@context": SHAPES, "identity": "urn:a", "text": "b"},
    "too many types": shaped(type=["Thing", "Other"] * 9),
    "a reversed property": shaped(back={"id": "urn:b"}),
    "a nested property": shaped(bundle={"bundled": "a"}),
    "a text where all terms are forgotten": shaped(fresh="a"),
    "an index": shaped(indexed={"left": "a"}),
    "a default language": shaped(label="a"),
    "a property's own language": shaped(tongued="a"),
    "a default direction": shaped(tilted="a"),
    "no coercion": shaped(any="a"),
    "a blank property": shaped(blank="a"),
    "a property that changes itself": shaped(changing="urn:b"),
    "a text as a graph": shaped(part="urn:b"),
    "a reference as a graph": shaped(part={"id": "urn:b"}),
    "a context of the document's own": {"@context": [SHAPES, {"b": "urn:b"}], "b": "c"},
    "an unknown context": {"@context": "https://unknown.example", "text": "a"},
    "no contexts": {"@context": [], "text": "a"},
    "no context": {"text": "a"},
    "two objects with one id": shaped(text=[{"id": "urn:b", "text": "a"}, {"id": "urn:b", "text": "c"}]),
    "a broken context": {"@context": [MORE, SHAPES, MORE], "type": "Thing", "guarded": {"@context": [None], "text": "a"}},
}


@pytest.mark.parametrize("name", DIRECT)
def test_plain_documents_are_read_by_compiled_contexts_as_pyld_reads_them(name: str) -> None:
    found = direct_quads(DIRECT[name])
    assert found is not None
    require_plain_json(DIRECT[name])
    assert rdf.canonical_form(found) == rdf.canonical_form(rdf.general_quads(DIRECT[name]))


@pytest.mark.parametrize("name", GENERAL)
def test_other_documents_go_the_general_way(name: str) -> None:
    assert direct_quads(GENERAL[name]) is None


@pytest.mark.parametrize("document", [[], "https://a.example", None, 5])
def test_what_is_no_object_is_refused_by_the_general_way(document: Any) -> None:
    with pytest.raises(FormatError, match="not a JSON object"):
        rdf.quads(document)


def test_deep_documents_go_the_general_way() -> None:
    document = innermost = shaped()
    for _ in range(16):
        innermost["text"] = innermost = {"text": "a"}
    assert direct_quads(document) is not None
    innermost["text"] = {"text": "a"}
    assert direct_quads(document) is None
    assert len(rdf.quads(document)) == 18


def test_what_was_compiled_is_forgotten_when_it_becomes_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rdf_compiled, "MAX_COMPILED_SCOPES", 6)
    assert direct_quads(shaped(type="Thing", text="a")) is not None
    before = root_scope()
    assert direct_quads(shaped(deep={"type": "Other", "text": "a"}, part={"type": "Flow"})) is None
    assert root_scope() is not before
    assert direct_quads(shaped(type="Thing", text="a")) is not None


def test_names_that_are_not_defined_are_not_remembered() -> None:
    scope = root_scope().under_contexts((SHAPES,))
    for number in range(20):
        assert direct_quads(shaped(**{f"name{number}": "a"})) is None
    assert not [name for name in scope.terms if name.startswith("name")]


def test_many_threads_compile_the_same() -> None:
    expected = direct_quads(DIRECT["types in types"])
    found: list[object] = []
    with more_contexts():
        threads = [threading.Thread(target=lambda: found.append(direct_quads(DIRECT["types in types"]))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [expected] * 8


def test_a_proof_is_verified_without_pyld_seeing_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    signer = generate(lambda count: bytes(range(count)))
    key = signer.public_key.multikey
    credential = {
        "@context": [CREDENTIALS_V2, DID_HEALTH_V1],
        "type": ["VerifiableCredential", "PhysicianLicenseCredential"],
        "issuer": f"did:key:{key}",
        "credentialSubject": {"id": "urn:uuid:1", "licenseNumber": "7", "name": {"family": "Adams", "given": "Ann"}},
    }
    signed = add_proof(credential, suite="eddsa-rdfc-2022", signer=signer, verification_method=f"did:key:{key}#{key}")

    def general(*_: object) -> None:
        pytest.fail("the general way was taken")

    monkeypatch.setattr(rdf, "general_quads", general)
    verify_proofs(signed, lambda *_: signer.public_key, purpose="assertionMethod")
    assert rdf_direct.direct_quads(credential) is not None
