"""The resolver keeps to the OpenAPI document that it serves, whatever schemathesis makes up from it: no status and no shape undocumented."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings

from did_health.services.resolver_openapi import document
from tests.resolver_parties import Resolver, resolver

pytest.importorskip("starlette", reason="services need the extra server")
schemathesis = pytest.importorskip("schemathesis", reason="it is of the extra dev")

OPERATIONS = [(path, method) for path, item in document()["paths"].items() for method in item if method != "parameters"]
DIDS = ["did:web:clinic.example", "did:web:clinic.example#key-1", "did:web:clinic.example?service=files", "did:web:nobody.example", "x"]


@pytest.fixture(scope="module")
def web() -> Iterator[Resolver]:
    with resolver() as running:
        yield running


@pytest.fixture(scope="module")
def api(web: Resolver) -> Any:
    return schemathesis.openapi.from_url(f"{web.base}/openapi.json")


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
@pytest.mark.parametrize("mode", ["POSITIVE", "NEGATIVE"])
def test_every_answer_is_as_the_document_says(api: Any, path: str, method: str, mode: str) -> None:
    operation = api[path][method.upper()]
    if mode == "NEGATIVE" and not operation.path_parameters:
        pytest.skip("nothing to break")
    # A DID document that is wrong is answered with 500, as §12.1 says; what is unforeseen would not be of a documented shape.
    checks = [
        schemathesis.specs.openapi.checks.status_code_conformance,
        schemathesis.specs.openapi.checks.content_type_conformance,
        schemathesis.specs.openapi.checks.response_schema_conformance,
    ]

    @settings(max_examples=40, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=schemathesis.GenerationMode[mode]))
    def answered(case: Any) -> None:
        case.call_and_validate(checks=checks)
        for did in DIDS if "identifier" in case.path_parameters else ():
            case.path_parameters["identifier"] = did
            case.call_and_validate(checks=checks)

    answered()


def test_the_document_is_served_to_anybody(web: Resolver) -> None:
    response = httpx.get(f"{web.base}/openapi.json")
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.json() == document()
    assert response.json()["openapi"].startswith("3.1")
