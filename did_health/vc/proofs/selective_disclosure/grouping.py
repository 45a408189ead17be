"""Which canonical statements of a document belong to which selection of it (Data Integrity ECDSA Cryptosuites 1.0 §3.4.16 to §3.4.18)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from did_health.encoding.strict_json import JSONObject
from did_health.errors import FormatError
from did_health.vc import rdf
from did_health.vc.contexts import Contexts
from did_health.vc.proofs.selective_disclosure.labels import LabelMapFunction, label_replacement_canonicalize_quads, relabel
from did_health.vc.proofs.selective_disclosure.pointers import select
from did_health.vc.proofs.selective_disclosure.skolemization import deskolemized_quads, skolemize
from did_health.vc.rdf_canon import Quad, canonicalize


@dataclass(frozen=True, slots=True)
class Group:
    """The statements that one selection selects, and the others, as ascending indexes into ``GroupedStatements.nquads``."""

    matching: tuple[int, ...]
    non_matching: tuple[int, ...]
    quads: tuple[Quad, ...]
    """The selected statements under the labels that ``GroupedStatements.label_map`` replaces."""


@dataclass(frozen=True, slots=True)
class GroupedStatements:
    """The canonical statements of a document under new labels, and the groups that were asked for, by name."""

    nquads: tuple[str, ...]
    label_map: Mapping[str, str]
    groups: Mapping[str, Group]


def canonicalize_and_group(
    document: JSONObject, labels: LabelMapFunction, selections: Mapping[str, Sequence[str]], contexts: Contexts
) -> GroupedStatements:
    """``canonicalizeAndGroup``: ``selections`` are JSON pointers by the name of their group; without pointers a group is empty.

    ``document`` comes without its proof. Raises ``FormatError`` for what ``rdf.canonical_nquads`` and ``select`` refuse, and for a
    document that cannot be taken apart: with lists, named graphs, or containers whose entries cannot be named.
    """
    skolemized, quads = skolemize(document, contexts)
    if canonicalize(quads)[0] != canonicalize(rdf.quads(document, contexts))[0]:
        raise FormatError(
            "the document cannot be disclosed in parts: its nodes cannot be told from its values",
            hint="Write it without index, id, type or graph containers",
            code="PROOF_TRANSFORMATION_ERROR",
        )
    statements = label_replacement_canonicalize_quads(quads, labels)
    groups = {name: _group(select(skolemized, pointers), statements.nquads, statements.label_map, contexts) for name, pointers in selections.items()}
    return GroupedStatements(statements.nquads, statements.label_map, MappingProxyType(groups))


def hash_mandatory(nquads: Iterable[str]) -> bytes:
    """``hashMandatoryNQuads``: SHA-256 of the joined statements."""
    return hashlib.sha256("".join(nquads).encode()).digest()


def _group(selection: JSONObject | None, nquads: Sequence[str], label_map: Mapping[str, str], contexts: Contexts) -> Group:
    """``selectCanonicalNQuads``, and the comparison with all statements."""
    quads = () if selection is None else tuple(dict.fromkeys(deskolemized_quads(selection, contexts)))
    selected = set(relabel(quads, label_map))
    matching = tuple(index for index, nquad in enumerate(nquads) if nquad in selected)
    return Group(matching, tuple(index for index, nquad in enumerate(nquads) if nquad not in selected), quads)
