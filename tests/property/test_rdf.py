from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from did_health.errors import FormatError
from did_health.vc import rdf
from did_health.vc.contexts import CREDENTIALS_V2
from did_health.vc.rdf_canon import canonicalize
from tests.nquads import canonical_by_pyoxigraph, parse_nquads

quick = settings(max_examples=150, deadline=None)
nodes = st.sampled_from(["_:a", "_:b", "_:c", "_:d", "_:e", "<urn:x>"])
quads = st.tuples(nodes, st.sampled_from(["<urn:p>", "<urn:q>"]), nodes | st.sampled_from(['"x"', '"x"@en']), st.sampled_from(["", "<urn:g>", "_:a", "_:f"]))
datasets = st.lists(quads, max_size=10)

KEYWORDS = ("@context", "@id", "@type", "@value", "@list", "@set", "@graph", "@included", "@reverse", "@language", "@index", "@nest", "@json", "@none")
DEFINED = ("id", "type", "name", "description", "issuer", "proof", "credentialSubject", "validFrom", "relatedResource", "urn:p", "_:b")
terms = st.sampled_from(KEYWORDS + DEFINED) | st.text(max_size=4)
texts = st.sampled_from(["", "urn:a", "x", "_:b", "@type", "@json", "VerifiableCredential"]) | st.text(max_size=5)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(terms, inner, max_size=4), max_leaves=12)


def text_of(dataset: list[tuple[str, str, str, str]]) -> str:
    return "".join(f"{subject} {predicate} {object_} {graph} .\n" for subject, predicate, object_, graph in dataset)


@quick
@given(datasets)
def test_canonical_forms_are_those_of_another_implementation(dataset: list[tuple[str, str, str, str]]) -> None:
    for hash_name in ("sha256", "sha384"):
        assert canonicalize(dataset, hash_name)[0] == canonical_by_pyoxigraph(text_of(dataset), hash_name)  # type: ignore[arg-type]


@quick
@given(datasets, st.permutations(["_:a", "_:b", "_:c", "_:d", "_:e", "_:f"]))
def test_renaming_blank_nodes_changes_nothing(dataset: list[tuple[str, str, str, str]], names: list[str]) -> None:
    renaming = dict(zip(["_:a", "_:b", "_:c", "_:d", "_:e", "_:f"], names, strict=True))
    renamed = [tuple(renaming.get(term, term) for term in quad) for quad in dataset]
    assert canonicalize(renamed)[0] == canonicalize(dataset)[0]  # type: ignore[arg-type]


@quick
@given(st.text(max_size=20))
def test_literals_are_written_as_another_implementation_writes_them(text: str) -> None:
    canonical = rdf.canonical_nquads({"@context": {"p": "urn:p"}, "@id": "urn:s", "p": text})
    assert canonical_by_pyoxigraph(canonical) == canonical
    assert parse_nquads(canonical)[0][2] == canonical.removeprefix("<urn:s> <urn:p> ").removesuffix(" .\n")


@quick
@given(st.dictionaries(terms, values, max_size=4))
def test_any_document_becomes_statements_or_a_format_error(members: dict[str, Any]) -> None:
    try:
        text = rdf.canonical_nquads({"@context": CREDENTIALS_V2, **members})
    except FormatError:
        return
    assert all(quad for quad in parse_nquads(text))
    assert "relative-reference:" not in text


@quick
@given(values)
def test_any_context_is_used_or_a_format_error(context: Any) -> None:
    try:
        rdf.canonical_nquads({"@context": context, "urn:p": "x"})
    except FormatError:
        return
