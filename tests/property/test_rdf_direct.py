from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from did_health.errors import FormatError
from did_health.vc import rdf
from did_health.vc.contexts import CONTEXTS
from did_health.vc.proofs.plain_json import require_plain_json
from did_health.vc.rdf_direct import direct_quads
from tests.rdf_shapes import MORE, SHAPES, documents, more_contexts

thorough = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True)
def _more_contexts() -> Iterator[None]:
    with more_contexts():
        yield


def check(document: dict[str, Any]) -> None:
    found = direct_quads(document)
    if found is None:
        return
    require_plain_json(document)
    expected = rdf.general_quads(document)
    try:
        canonical = rdf.canonical_form(expected)
    except FormatError as refusal:
        with pytest.raises(FormatError, match=refusal.what):
            rdf.canonical_form(found)
    else:
        assert rdf.canonical_form(found) == canonical


@thorough
@given(documents(tuple(CONTEXTS)))
def test_documents_under_the_packed_contexts_make_the_statements_that_pyld_makes(document: dict[str, Any]) -> None:
    check(document)


@thorough
@given(documents((SHAPES, MORE)))
def test_documents_of_every_shape_make_the_statements_that_pyld_makes(document: dict[str, Any]) -> None:
    check(document)
