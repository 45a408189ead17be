from __future__ import annotations

import time

import pytest

from did_health.errors import FormatError
from did_health.limits import MAX_BLANK_NODES, MAX_QUADS
from did_health.vc.rdf_canon import Quad, canonicalize


def linked(edges: list[tuple[int, int]]) -> list[Quad]:
    return [(f"_:n{start}", "<urn:p>", f"_:n{end}", "") for start, end in edges]


def clique(size: int) -> list[Quad]:
    return linked([(start, end) for start in range(size) for end in range(size) if start != end])


def test_nothing_canonicalises_to_nothing() -> None:
    assert canonicalize([]) == ("", {})


def test_statements_are_a_sorted_set() -> None:
    quads = [("<urn:b>", "<urn:p>", '"x"', ""), ("<urn:a>", "<urn:p>", '"x"', "<urn:g>"), ("<urn:b>", "<urn:p>", '"x"', "")]
    assert canonicalize(quads)[0] == '<urn:a> <urn:p> "x" <urn:g> .\n<urn:b> <urn:p> "x" .\n'


def test_labels_do_not_depend_on_the_input_labels() -> None:
    ring = linked([(0, 1), (1, 2), (2, 0), (2, 3)])
    renamed = [tuple(term.replace("_:n", "_:other") for term in quad) for quad in reversed(ring)]
    assert canonicalize(ring)[0] == canonicalize(renamed)[0]  # type: ignore[arg-type]


def test_the_hash_function_decides_the_order_of_labels() -> None:
    quads = [(f"_:n{number}", "<urn:p>", f'"{number}"', "") for number in range(8)]
    assert canonicalize(quads, "sha256")[0] != canonicalize(quads, "sha384")[0]


def test_too_many_statements_are_refused() -> None:
    quads = [("<urn:s>", "<urn:p>", f'"{number}"', "") for number in range(MAX_QUADS + 1)]
    with pytest.raises(FormatError, match="RDF statements"):
        canonicalize(quads)
    assert canonicalize(quads[1:])


def test_too_many_blank_nodes_are_refused() -> None:
    quads = [(f"_:n{number}", "<urn:p>", f'"{number}"', "") for number in range(MAX_BLANK_NODES + 1)]
    with pytest.raises(FormatError, match="blank nodes"):
        canonicalize(quads)
    assert canonicalize(quads[1:])


@pytest.mark.parametrize("size", [8, 10, 40])
def test_a_clique_is_refused_before_work_is_spent_on_it(size: int) -> None:
    started = time.perf_counter()
    with pytest.raises(FormatError, match="interchangeable") as caught:
        canonicalize(clique(size))
    assert time.perf_counter() - started < 0.05
    assert caught.value.code == "PROOF_TRANSFORMATION_ERROR"


@pytest.mark.parametrize("quads", [clique(7), linked([(node, (node + 1) % 200) for node in range(200)])], ids=["clique of 7", "ring of 200"])
def test_work_that_adds_up_is_cut_off(quads: list[Quad]) -> None:
    with pytest.raises(FormatError, match="interchangeable"):
        canonicalize(quads)


@pytest.mark.parametrize(
    "quads",
    [clique(5), linked([(node, (node + 1) % 60) for node in range(60)]), [("<urn:s>", "<urn:p>", f"_:n{node}", "") for node in range(200)]],
    ids=["clique of 5", "ring of 60", "200 empty nodes"],
)
def test_harmless_symmetry_is_allowed(quads: list[Quad]) -> None:
    assert canonicalize(quads)[0].count("\n") == len(quads)
