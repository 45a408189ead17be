"""Replacing the canonical labels of blank nodes (Data Integrity ECDSA Cryptosuites 1.0 §3.4.1 to §3.4.4, §3.4.15; BBS Cryptosuites 1.0 §3.2.1).

A canonical label tells something of what is not disclosed: which place the node has among all. The issuer therefore replaces it by an
HMAC of it, or by the place of that HMAC among the HMACs, and tells the verifier the labels of the nodes that are disclosed.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeAlias

from did_health.encoding.base64 import base64url_encode
from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.vc import rdf
from did_health.vc.contexts import Contexts
from did_health.vc.rdf_canon import Quad, canonicalize

LabelMapFunction: TypeAlias = Callable[[Mapping[str, str]], dict[str, str]]
"""From ``{blank node: its canonical label}`` to ``{blank node: its new label}``; all with ``_:`` before them."""


class LabelledStatements(NamedTuple):
    """Canonical statements under new labels."""

    nquads: tuple[str, ...]
    """One line each, with its line end, sorted by code point."""
    label_map: Mapping[str, str]
    """The new label of each blank node of the input."""


def hmac_labels(key: bytes) -> LabelMapFunction:
    """``createHmacIdLabelMapFunction``: the label is ``u`` and the base64url of HMAC-SHA-256 of the canonical one."""

    def replace(canonical: Mapping[str, str]) -> dict[str, str]:
        return {node: f"_:u{base64url_encode(hmac.digest(key, label.removeprefix('_:').encode(), 'sha256'))}" for node, label in canonical.items()}

    return replace


def shuffled_labels(key: bytes) -> LabelMapFunction:
    """``createShuffledIdLabelMapFunction`` of bbs-2023: ``b0``, ``b1`` and so on, in the order of the HMACs."""
    by_hmac = hmac_labels(key)

    def replace(canonical: Mapping[str, str]) -> dict[str, str]:
        labels = by_hmac(canonical)
        places = {label: f"_:b{place}" for place, label in enumerate(sorted(labels.values()))}
        return {node: places[label] for node, label in labels.items()}

    return replace


def given_labels(labels: Mapping[str, str]) -> LabelMapFunction:
    """``createLabelMapFunction``: new labels by canonical ones.

    The function raises ``FormatError`` (``PROOF_VERIFICATION_ERROR``) unless each node gets one of its own, for two nodes under one label
    would become one.
    """

    def replace(canonical: Mapping[str, str]) -> dict[str, str]:
        if len(set(labels.values())) != len(labels) or set(canonical.values()) != set(labels):
            raise FormatError(
                "the proof does not have exactly one label for each blank node", where="/proof/proofValue", code="PROOF_VERIFICATION_ERROR"
            )
        return {node: labels[label] for node, label in canonical.items()}

    return replace


def label_replacement_canonicalize(document: JSONObject, labels: LabelMapFunction, contexts: Contexts) -> LabelledStatements:
    """``labelReplacementCanonicalizeJsonLd``: the canonical statements of a JSON-LD document; raises as ``rdf.canonical_nquads``."""
    return label_replacement_canonicalize_quads(rdf.quads(document, contexts), labels)


def label_replacement_canonicalize_quads(quads: Iterable[Quad], labels: LabelMapFunction) -> LabelledStatements:
    """``labelReplacementCanonicalizeNQuads``: the canonical statements of a dataset; raises ``FormatError`` as ``rdf_canon.canonicalize``."""
    dataset = frozenset(quads)
    label_map = labels(canonicalize(dataset)[1])
    return LabelledStatements(tuple(sorted(relabel(dataset, label_map))), label_map)


def relabel(quads: Iterable[Quad], label_map: Mapping[str, str]) -> list[str]:
    """``relabelBlankNodes``: the statements as N-Quads, in the order given; a blank node that is not in the map keeps its label."""
    lines = []
    for quad in quads:
        subject, predicate, value, graph = [label_map.get(term, term) for term in quad]
        lines.append(f"{subject} {predicate} {value} {graph} .\n" if graph else f"{subject} {predicate} {value} .\n")
    return lines
