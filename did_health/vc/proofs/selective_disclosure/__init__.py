"""Selective disclosure functions (Data Integrity ECDSA Cryptosuites 1.0 §3.4), shared by ecdsa-sd-2023 and bbs-2023.

``pointers`` selects parts of a document, ``skolemization`` gives every node of it a name that survives the selection, ``labels``
replaces canonical labels, ``grouping`` tells which canonical statements belong to which selection, and ``components`` reads what the
proof values of both are made of.
"""

from __future__ import annotations

from did_health.vc.proofs.selective_disclosure.components import base_proof_shown
from did_health.vc.proofs.selective_disclosure.grouping import Group, GroupedStatements, canonicalize_and_group, hash_mandatory
from did_health.vc.proofs.selective_disclosure.labels import (
    LabelledStatements,
    LabelMapFunction,
    given_labels,
    hmac_labels,
    label_replacement_canonicalize,
    label_replacement_canonicalize_quads,
    shuffled_labels,
)
from did_health.vc.proofs.selective_disclosure.pointers import parse_pointer, select

__all__ = [
    "Group",
    "GroupedStatements",
    "LabelMapFunction",
    "LabelledStatements",
    "base_proof_shown",
    "canonicalize_and_group",
    "given_labels",
    "hash_mandatory",
    "hmac_labels",
    "label_replacement_canonicalize",
    "label_replacement_canonicalize_quads",
    "parse_pointer",
    "select",
    "shuffled_labels",
]
