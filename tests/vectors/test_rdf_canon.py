"""The W3C test suite of RDF Dataset Canonicalization 1.0."""

from __future__ import annotations

import time
from typing import Any, Literal

import pytest

from did_health.encoding import strict_json
from did_health.errors import FormatError
from did_health.vc.rdf_canon import canonicalize
from tests.conftest import shared
from tests.nquads import parse_nquads

pytestmark = pytest.mark.vectors


def cases(kind: str) -> list[dict[str, Any]]:
    found = [case for case in strict_json.loads(shared("vectors", "rdf-canon", "cases.json").read_bytes())["cases"] if case["type"] == kind]
    assert found
    return found


def hash_name(case: dict[str, Any]) -> Literal["sha256", "sha384"]:
    return "sha384" if case["hashAlgorithm"] == "SHA384" else "sha256"


def test_every_dataset_has_the_published_canonical_form() -> None:
    for case in cases("RDFC10EvalTest"):
        assert canonicalize(parse_nquads(case["input"]), hash_name(case))[0] == case["expected"], case["id"]


def test_every_blank_node_gets_the_published_label() -> None:
    for case in cases("RDFC10MapTest"):
        labels = canonicalize(parse_nquads(case["input"]), hash_name(case))[1]
        assert {node[2:]: label[2:] for node, label in labels.items()} == case["expectedMap"], case["id"]


def test_poisoned_datasets_are_refused_at_once() -> None:
    for case in cases("RDFC10NegativeEvalTest"):
        started = time.perf_counter()
        with pytest.raises(FormatError, match="interchangeable blank nodes"):
            canonicalize(parse_nquads(case["input"]), hash_name(case))
        assert time.perf_counter() - started < 0.1
