"""Naming every node of a document, so that parts of it can be turned into statements about the same nodes (ECDSA Cryptosuites §3.4.6 to §3.4.10).

The specification expands the document, names the nodes, and compacts it again. Compaction writes a document in another way than its
author did (an array of one becomes its item), and JSON pointers that fit the one do not fit the other. Here the nodes of the document
as it is written are given an ``id``, and the outcome is compared: without the names, the statements must be those of the document.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from itertools import count
from typing import Final

from did_health.encoding.strict_json import JSON, JSONObject
from did_health.errors import FormatError
from did_health.vc import rdf
from did_health.vc.contexts import Contexts
from did_health.vc.rdf_canon import Quad

_SCHEME: Final = "urn:did-health-node:"
_TERM: Final = f"<{_SCHEME}"
_GENERATED: Final = f"{_SCHEME}g"
_LABELLED: Final = f"{_SCHEME}l"
_CODE: Final = "PROOF_TRANSFORMATION_ERROR"


def skolemize(document: JSONObject, contexts: Contexts) -> tuple[JSONObject, list[Quad]]:
    """``skolemizeCompactJsonLd``: ``document`` with an ``id`` for each of its blank nodes, and its ``deskolemized_quads``.

    The caller compares: the canonical form of those must be that of ``document``. Raises ``FormatError`` as ``rdf.quads`` does, for a
    document that has names of that kind already, and for one with nodes that cannot be named.
    """
    labels = set(_blank_labels(document))
    named, assigned = _named(document, labels, None)
    quads = _quads(named, contexts)
    nodes = {term[1:-1] for quad in quads for term in quad if term.startswith(_TERM)}
    if not nodes <= assigned:
        raise FormatError("the document has ids of the kind that selective disclosure makes up", code=_CODE)
    if nodes != assigned:  # some objects are no nodes: the values of JSON literals, language maps
        named, _ = _named(document, labels, nodes)
        quads = _quads(named, contexts)
    return named, _deskolemized(quads)


def deskolemized_quads(document: JSONObject, contexts: Contexts) -> list[Quad]:
    """``toDeskolemizedNQuads``: the statements of a document that was skolemized, or selected from such a one; raises as ``rdf.quads``."""
    return _deskolemized(_quads(document, contexts))


def _quads(document: JSONObject, contexts: Contexts) -> list[Quad]:
    quads = rdf.quads(document, contexts)
    if any(term.startswith("_:") for quad in quads for term in quad):
        raise FormatError("the document has lists or graphs, which cannot be disclosed in parts", code=_CODE)
    return quads


def _deskolemized(quads: Iterable[Quad]) -> list[Quad]:
    return [(_label(subject), predicate, _label(value), graph) for subject, predicate, value, graph in quads]


def _label(term: str) -> str:
    return f"_:{term[len(_TERM) : -1]}" if term.startswith(_TERM) else term


def _blank_labels(value: JSON) -> Iterable[str]:
    if isinstance(value, dict):
        identifier = value.get("id")
        if isinstance(identifier, str) and identifier.startswith("_:"):
            yield identifier
        for name, member in value.items():
            if name != "@context":
                yield from _blank_labels(member)
    elif isinstance(value, list):
        for item in value:
            yield from _blank_labels(item)


def _named(document: JSONObject, labels: Set[str], only: Set[str] | None) -> tuple[JSONObject, set[str]]:
    """``(document with names, the names given)``; those in ``only``, or all that could be one."""
    numbers = count()
    assigned: set[str] = set()

    def name(value: JSON) -> JSON:
        if isinstance(value, list):
            return [name(item) for item in value]
        if isinstance(value, str) and value in labels:
            assigned.add(label := f"{_LABELLED}{value[2:]}")
            return label
        if not isinstance(value, dict) or "@value" in value:
            return value
        named = {member: inner if member == "@context" else name(inner) for member, inner in value.items()}
        if "id" not in value:
            identifier = f"{_GENERATED}{next(numbers)}"
            if only is None or identifier in only:
                assigned.add(identifier)
                named["id"] = identifier
        return named

    result: JSONObject = name(document)
    return result, assigned
