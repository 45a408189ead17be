"""Selective disclosure functions, Data Integrity ECDSA Cryptosuites 1.0 §3.4."""

from __future__ import annotations

import hmac
from typing import Any

import pytest

from did_health.encoding.base64 import base64url_encode
from did_health.errors import FormatError
from did_health.limits import MAX_DOCUMENT_DEPTH, MAX_POINTER_CHARACTERS, MAX_POINTERS
from did_health.vc import rdf
from did_health.vc.contexts import CREDENTIALS_V2
from did_health.vc.proofs.selective_disclosure import (
    canonicalize_and_group,
    given_labels,
    hash_mandatory,
    hmac_labels,
    label_replacement_canonicalize,
    parse_pointer,
    select,
    shuffled_labels,
)
from did_health.vc.proofs.selective_disclosure.skolemization import deskolemized_quads, skolemize
from did_health.vc.rdf_canon import canonicalize

KEY = bytes(range(32))
CONTEXT = "https://context.example/v1"
CONTEXTS: dict[str, dict[str, Any]] = {
    CONTEXT: {
        "@context": {
            "@vocab": "https://vocabulary.example/",
            "id": "@id",
            "type": "@type",
            "knows": {"@type": "@id"},
            "json": {"@type": "@json"},
            "label": {"@container": "@language"},
            "indexed": {"@container": "@index", "@type": "@id"},
            "ordered": {"@container": "@list"},
            "part": {"@container": "@graph"},
        }
    }
}


def document(**members: Any) -> dict[str, Any]:
    return {"@context": CONTEXT, "type": "Thing", **members}


def matching(value: dict[str, Any], *pointers: str) -> list[str]:
    """The statements that the pointers select, in the document's own words: subjects left out."""
    grouped = canonicalize_and_group(value, hmac_labels(KEY), {"chosen": pointers}, CONTEXTS)
    lines = [grouped.nquads[index] for index in grouped.groups["chosen"].matching]
    return sorted(line.split(" ", 1)[1].replace("https://vocabulary.example/", "").removesuffix(" .\n") for line in lines)


# JSON pointers


@pytest.mark.parametrize(
    ("pointer", "tokens"),
    [("", ()), ("/", ("",)), ("/a/0/b", ("a", "0", "b")), ("/a~1b/c~0d", ("a/b", "c~d")), ("/~01", ("~1",)), ("/ö", ("ö",))],
)
def test_pointers_are_read_as_rfc_6901_says(pointer: str, tokens: tuple[str, ...]) -> None:
    assert parse_pointer(pointer) == tokens


@pytest.mark.parametrize("pointer", ["a", "#/a", "/a~", "/a~2", 5, None, "/" + "a" * MAX_POINTER_CHARACTERS, "/a" * (MAX_DOCUMENT_DEPTH + 1)])
def test_what_is_no_pointer_is_refused(pointer: Any) -> None:
    with pytest.raises(FormatError) as caught:
        parse_pointer(pointer)
    assert caught.value.code == "PROOF_GENERATION_ERROR"


SOURCE = {
    "@context": [CONTEXT],
    "id": "urn:x:1",
    "type": ["A", "B"],
    "name": "n",
    "none": None,
    "inner": {"id": "_:b0", "type": "C", "x": 1, "y": {"z": 2}},
    "list": [{"id": "urn:x:2", "v": 1}, {"type": "D", "v": 2, "w": 3}, "text"],
}
BASE = {"@context": [CONTEXT], "id": "urn:x:1", "type": ["A", "B"]}


@pytest.mark.parametrize(
    ("pointers", "chosen"),
    [
        (["/name"], {"name": "n"}),
        (["/none"], {"none": None}),
        (["/inner/x"], {"inner": {"type": "C", "x": 1}}),
        (["/inner/y/z", "/inner/x"], {"inner": {"type": "C", "x": 1, "y": {"z": 2}}}),
        (["/inner"], {"inner": SOURCE["inner"]}),
        (["/inner/x", "/inner"], {"inner": SOURCE["inner"]}),
        (["/inner", "/inner/x"], {"inner": SOURCE["inner"]}),
        (["/list/1/v"], {"list": [{"type": "D", "v": 2}]}),
        (["/list/2", "/list/0/v"], {"list": [{"id": "urn:x:2", "v": 1}, "text"]}),
        (["/list"], {"list": SOURCE["list"]}),
        (["/type/1"], {"type": ["B"]}),
        (["/@context/0"], {}),
        (["/id"], {}),
    ],
)
def test_a_selection_has_what_is_named_and_the_ids_and_types_on_the_way(pointers: list[str], chosen: dict[str, Any]) -> None:
    assert select(SOURCE, pointers) == {**BASE, **chosen}


def test_the_empty_pointer_selects_all_and_no_pointer_nothing() -> None:
    assert select(SOURCE, ["/name", ""]) == SOURCE
    assert select(SOURCE, []) is None
    assert select({"a": 1}, ["/a"]) == {"a": 1}


@pytest.mark.parametrize("pointer", ["/other", "/list/3", "/list/01", "/list/-", "/list/-1", "/list/x", "/name/0", "/none/0", "/inner/x/y", "/list/9999999999"])
def test_a_pointer_to_nothing_is_refused(pointer: str) -> None:
    with pytest.raises(FormatError, match="names nothing") as caught:
        select(SOURCE, [pointer])
    assert caught.value.code == "PROOF_GENERATION_ERROR"


def test_the_number_of_pointers_is_bounded() -> None:
    assert select(SOURCE, ["/name"] * MAX_POINTERS)
    with pytest.raises(FormatError, match="more than the"):
        select(SOURCE, ["/name"] * (MAX_POINTERS + 1))


# names for all nodes


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(document(), id="one node"),
        pytest.param(document(knows=[{"type": "Person"}, {"type": "Person"}]), id="two that look alike"),
        pytest.param(document(knows={"id": "_:b0", "name": "x", "knows": "_:b0"}, likes="x"), id="a label that is referred to"),
        pytest.param(document(json={"a": {"b": [{}]}}), id="a JSON literal"),
        pytest.param(document(label={"en": "x", "de": "y"}), id="a language map"),
        pytest.param(document(name={"@value": "x", "@language": "en"}), id="a value object"),
        pytest.param(document(name=["x", 1, 7.0, True]), id="values"),
    ],
)
def test_naming_the_nodes_changes_no_statement(value: dict[str, Any]) -> None:
    named, quads = skolemize(value, CONTEXTS)
    assert named["id"].startswith("urn:")
    assert deskolemized_quads(named, CONTEXTS) == quads
    assert canonicalize(quads)[0] == rdf.canonical_nquads(value, contexts=CONTEXTS)


def test_an_array_of_one_stays_an_array_under_its_pointer() -> None:
    assert 'name> "x"' in "".join(matching(document(knows=[{"name": "x"}]), "/knows/0/name"))


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(document(ordered=["a", "b"]), id="a list"),
        pytest.param(document(part={"name": "x"}), id="a named graph"),
        pytest.param(document(indexed={"a": "urn:x:a"}), id="a map by index"),
        pytest.param(document(id="urn:did-health-node:g0"), id="a name of our kind"),
        pytest.param(document(knows="urn:did-health-node:l0"), id="a reference of our kind"),
        pytest.param(document(knows={"id": "_:b0"}, name="_:b0"), id="a text like a label"),
    ],
)
def test_documents_that_cannot_be_taken_apart_are_refused(value: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        canonicalize_and_group(value, hmac_labels(KEY), {}, CONTEXTS)


# labels


def test_hmac_labels_are_those_of_the_specification() -> None:
    digest = base64url_encode(hmac.digest(KEY, b"c14n0", "sha256"))
    assert hmac_labels(KEY)({"_:x": "_:c14n0"}) == {"_:x": f"_:u{digest}"}


def test_shuffled_labels_number_the_hmacs_in_their_order() -> None:
    canonical = {f"_:x{number}": f"_:c14n{number}" for number in range(12)}
    by_hmac = hmac_labels(KEY)(canonical)
    shuffled = shuffled_labels(KEY)(canonical)
    assert sorted(shuffled, key=by_hmac.__getitem__) == sorted(shuffled, key=lambda node: int(shuffled[node][3:]))
    assert set(shuffled.values()) == {f"_:b{number}" for number in range(12)}
    assert shuffled_labels(bytes(32))(canonical) != shuffled


def test_labels_are_replaced_in_nodes_only_and_the_statements_sorted_again() -> None:
    value = document(name="_:c14n0", knows={"name": "x"})
    canonical = rdf.canonical_nquads(value, contexts=CONTEXTS)
    assert '"_:c14n0"' in canonical
    statements = label_replacement_canonicalize(value, given_labels({"_:c14n0": "_:z", "_:c14n1": "_:a"}), CONTEXTS)
    assert list(statements.nquads) == sorted(statements.nquads)
    assert sum('"_:c14n0"' in line for line in statements.nquads) == 1
    assert {line.split(" ", 1)[0] for line in statements.nquads} == {"_:a", "_:z"}
    assert set(statements.label_map.values()) == {"_:a", "_:z"}


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param({"_:c14n0": "_:a"}, id="one too few"),
        pytest.param({"_:c14n0": "_:a", "_:c14n1": "_:b", "_:c14n2": "_:c"}, id="one too many"),
        pytest.param({"_:c14n0": "_:a", "_:c14n1": "_:a"}, id="two nodes under one label"),
    ],
)
def test_each_blank_node_needs_a_label_of_its_own(labels: dict[str, str]) -> None:
    with pytest.raises(FormatError, match="one label for each") as caught:
        label_replacement_canonicalize(document(knows={"name": "x"}), given_labels(labels), CONTEXTS)
    assert caught.value.code == "PROOF_VERIFICATION_ERROR"


# groups


def test_groups_have_the_statements_of_their_selection() -> None:
    value = document(name="n", knows=[{"type": "Person", "name": "a", "age": 5}, {"type": "Person", "name": "a"}])
    assert matching(value, "/name") == ['<http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <Thing>', '<name> "n"']
    assert [line for line in matching(value, "/knows/0/name") if "name" in line] == ['<name> "a"']
    assert len(matching(value, "")) == 9
    assert matching(value) == []


def test_a_group_knows_the_rest() -> None:
    grouped = canonicalize_and_group(document(name="n", age=3), hmac_labels(KEY), {"a": ["/name"], "b": []}, CONTEXTS)
    for group in grouped.groups.values():
        assert sorted(group.matching + group.non_matching) == list(range(len(grouped.nquads)))
    assert len(grouped.groups["a"].quads) == len(grouped.groups["a"].matching) == 2
    assert grouped.groups["b"].quads == ()


def test_the_mandatory_statements_are_hashed_together() -> None:
    assert hash_mandatory([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert hash_mandatory(["a", "b"]) == hash_mandatory(["ab"])


def test_a_poisoned_document_is_refused_through_grouping_too() -> None:
    """RDFC-1.0 §7.1: eight blank nodes that all point at each other."""
    nodes = [{"id": f"_:n{number}", "knows": [f"_:n{other}" for other in range(8) if other != number]} for number in range(8)]
    with pytest.raises(FormatError, match="interchangeable"):
        canonicalize_and_group(document(knows=nodes), hmac_labels(KEY), {"all": [""]}, CONTEXTS)


def test_no_context_is_fetched_for_a_selection() -> None:
    with pytest.raises(FormatError, match="not known"):
        canonicalize_and_group({"@context": [CREDENTIALS_V2, "https://elsewhere.example/v1"], "name": "x"}, hmac_labels(KEY), {}, CONTEXTS)
