"""RDF Dataset Canonicalization, RDFC-1.0 (W3C Recommendation of May 2024), on quads of N-Quads terms, with its work bounded.

A term is written as canonical N-Quads (§5): ``<iri>``, ``"literal"``, ``"literal"@en``, ``"literal"^^<iri>``, ``_:label``; the default
graph is the empty text. Written here because the libraries cannot be stopped: the Hash N-Degree Quads algorithm tries permutations, and
eight blank nodes that all point at each other keep them busy for minutes (§7.1, dataset poisoning). Every call and every permutation
counts against ``MAX_BLANK_NODE_WORK``.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import permutations
from math import factorial
from typing import TypeAlias

from did_health.encoding.data_integrity import HashName
from did_health.errors import FormatError
from did_health.limits import MAX_BLANK_NODE_WORK, MAX_BLANK_NODES, MAX_QUADS

Quad: TypeAlias = tuple[str, str, str, str]
"""Subject, predicate, object and graph name."""


def canonicalize(quads: Iterable[Quad], hash_name: HashName = "sha256") -> tuple[str, dict[str, str]]:
    """``(canonical N-Quads, {blank node: canonical blank node})`` of a dataset (§4.4.3).

    Raises ``FormatError`` (``PROOF_TRANSFORMATION_ERROR``) for a dataset over the limits or with too many interchangeable blank nodes.
    """
    lines: set[str] = set()
    blank: dict[Quad, None] = {}
    for quad in quads:
        subject, predicate, object_, graph = quad
        # No IRI and no literal begins like that.
        if subject[0] == "_" or object_[0] == "_" or graph[:1] == "_":
            blank[quad] = None
        else:
            lines.add(_line(subject, predicate, object_, graph))
    if len(lines) + len(blank) > MAX_QUADS:
        raise FormatError(
            f"the document has {len(lines) + len(blank)} RDF statements, more than the {MAX_QUADS} allowed", code="PROOF_TRANSFORMATION_ERROR"
        )
    labels = _Canonicalization(blank, hash_name).run() if blank else {}
    label = labels.get
    for subject, predicate, object_, graph in blank:
        lines.add(_line(label(subject, subject), predicate, label(object_, object_), label(graph, graph)))
    return "".join(sorted(lines)), labels


class _Issuer(dict[str, str]):
    """Identifier issuer (§4.5): labels in the order in which they were asked for."""

    __slots__ = ("prefix",)

    def __init__(self, prefix: str, issued: dict[str, str] | None = None) -> None:
        super().__init__(issued or {})
        self.prefix = prefix

    def issue(self, node: str) -> str:
        if node not in self:
            self[node] = f"{self.prefix}{len(self)}"
        return self[node]


class _Canonicalization:
    """The state of one run (§4.3)."""

    def __init__(self, dataset: Iterable[Quad], hash_name: HashName) -> None:
        self.hash: Callable[[str], str] = _sha256 if hash_name == "sha256" else _sha384
        self.quads: defaultdict[str, list[Quad]] = defaultdict(list)
        for quad in dataset:
            subject, _, object_, graph = quad
            if subject[0] == "_":
                self.quads[subject].append(quad)
            if object_[0] == "_" and object_ != subject:
                self.quads[object_].append(quad)
            if graph[:1] == "_" and graph not in (subject, object_):
                self.quads[graph].append(quad)
        if len(self.quads) > MAX_BLANK_NODES:
            raise FormatError(f"the document has {len(self.quads)} blank nodes, more than the {MAX_BLANK_NODES} allowed", code="PROOF_TRANSFORMATION_ERROR")
        self.canonical = _Issuer("_:c14n")
        self.first_degree = {node: self.hash_first_degree(node) for node in self.quads}
        self.work = 0

    def run(self) -> dict[str, str]:
        """§4.4.3 steps 3 to 5."""
        by_hash: defaultdict[str, list[str]] = defaultdict(list)
        for node, digest in self.first_degree.items():
            by_hash[digest].append(node)
        ambiguous: list[list[str]] = []
        for _, nodes in sorted(by_hash.items()):
            if len(nodes) == 1:
                self.canonical.issue(nodes[0])
            else:
                ambiguous.append(nodes)
        for nodes in ambiguous:
            paths: list[tuple[str, _Issuer]] = []
            for node in nodes:
                if node not in self.canonical:
                    issuer = _Issuer("_:b")
                    issuer.issue(node)
                    paths.append(self.hash_n_degree(node, issuer))
            for _, issuer in sorted(paths, key=lambda path: path[0]):
                for node in issuer:
                    self.canonical.issue(node)
        return dict(self.canonical)

    def hash_first_degree(self, node: str) -> str:
        """§4.6: the statements about ``node``, which is ``a``, while every other blank node is ``z``."""
        lines: list[str] = []
        for subject, predicate, object_, graph in self.quads[node]:
            if subject[0] == "_":
                subject = "_:a" if subject == node else "_:z"  # noqa: PLW2901  # as the algorithm says it
            if object_[0] == "_":
                object_ = "_:a" if object_ == node else "_:z"  # noqa: PLW2901
            if graph[:1] == "_":
                graph = "_:a" if graph == node else "_:z"  # noqa: PLW2901
            lines.append(_line(subject, predicate, object_, graph))
        lines.sort()
        return self.hash("".join(lines))

    def hash_related(self, related: str, quad: Quad, issuer: _Issuer, position: str) -> str:
        """§4.7."""
        label = self.canonical.get(related) or issuer.get(related) or self.first_degree[related]
        return self.hash(position + (quad[1] if position != "g" else "") + label)

    def hash_n_degree(self, node: str, issuer: _Issuer) -> tuple[str, _Issuer]:
        """§4.8: a hash of everything that can be reached from ``node``, and the labels given on the way."""
        groups: defaultdict[str, list[str]] = defaultdict(list)
        for quad in self.quads[node]:
            for position, term in (("s", quad[0]), ("o", quad[2]), ("g", quad[3])):
                if term != node and term.startswith("_:"):
                    groups[self.hash_related(term, quad, issuer, position)].append(term)
        data: list[str] = []
        for digest, related in sorted(groups.items()):
            # Each order leads at most into each of its nodes; of eight nodes that all point at each other, the first is one too many.
            if len(related) * factorial(len(related)) > MAX_BLANK_NODE_WORK:
                raise _poisoned()
            path, issuer = self.shortest_path(related, issuer)
            data += (digest, path)
        return self.hash("".join(data)), issuer

    def shortest_path(self, related: list[str], issuer: _Issuer) -> tuple[str, _Issuer]:
        """§4.8 step 5.4: of all orders of ``related``, the one with the least path."""
        chosen: tuple[str, _Issuer] | None = None
        for order in permutations(related):
            self.work += 1
            if self.work > MAX_BLANK_NODE_WORK:
                raise _poisoned()
            attempt = self.path(order, _Issuer(issuer.prefix, issuer), chosen and chosen[0])
            if attempt is not None and (chosen is None or attempt[0] < chosen[0]):
                chosen = attempt
        assert chosen is not None  # noqa: S101  # the first order is never given up
        return chosen

    def path(self, order: tuple[str, ...], issuer: _Issuer, best: str | None) -> tuple[str, _Issuer] | None:
        """The path of one order, or None as soon as it cannot become the least (§4.8 steps 5.4.4 and 5.4.5)."""
        path = ""
        unseen: list[str] = []
        for node in order:
            if node in self.canonical:
                path += self.canonical[node]
            else:
                if node not in issuer:
                    unseen.append(node)
                path += issuer.issue(node)
            if best is not None and len(path) >= len(best) and path > best:
                return None
        for node in unseen:
            digest, deeper = self.hash_n_degree(node, issuer)
            path += f"{issuer.issue(node)}<{digest}>"
            issuer = deeper
            if best is not None and len(path) >= len(best) and path > best:
                return None
        return path, issuer


def _line(subject: str, predicate: str, object_: str, graph: str) -> str:
    return f"{subject} {predicate} {object_} {graph} .\n" if graph else f"{subject} {predicate} {object_} .\n"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _sha384(text: str) -> str:
    return hashlib.sha384(text.encode()).hexdigest()


def _poisoned() -> FormatError:
    return FormatError(
        "the document has too many interchangeable blank nodes to canonicalise",
        hint="Give the nodes that look alike an id",
        code="PROOF_TRANSFORMATION_ERROR",
    )
