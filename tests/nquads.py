"""N-Quads text to quads and back by pyoxigraph, an implementation that is not ours."""

from __future__ import annotations

import pyoxigraph

from did_health.vc.rdf_canon import Quad

_ALGORITHMS = {
    "sha256": pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0,
    "sha384": pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0_SHA_384,
}


def parse_nquads(text: str) -> list[Quad]:
    """The quads of N-Quads text, their terms in canonical form."""
    quads = pyoxigraph.parse(text.encode(), pyoxigraph.RdfFormat.N_QUADS)
    return [(_term(quad.subject), _term(quad.predicate), _term(quad.object), _term(quad.graph_name)) for quad in quads]


def canonical_by_pyoxigraph(text: str, hash_name: str = "sha256") -> str:
    """Canonical N-Quads of N-Quads text."""
    dataset = pyoxigraph.Dataset(pyoxigraph.parse(text.encode(), pyoxigraph.RdfFormat.N_QUADS))
    dataset.canonicalize(_ALGORITHMS[hash_name])
    lines = (pyoxigraph.serialize([quad], format=pyoxigraph.RdfFormat.N_QUADS) for quad in dataset)
    return "".join(sorted(line.decode() for line in lines if line))


def _term(term: object) -> str:
    return "" if isinstance(term, pyoxigraph.DefaultGraph) else str(term)
