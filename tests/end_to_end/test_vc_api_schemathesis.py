"""The VC-API keeps to the OpenAPI document that it serves, whatever schemathesis makes up from it: no 500, no status or shape undocumented."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from did_health.services.bearer import BearerTokens
from did_health.services.vc_api.openapi import document
from tests.vc_api_parties import VCAPI, vc_api

pytest.importorskip("starlette", reason="services need the extra server")
pytest.importorskip("pyld", reason="JSON-LD needs the extra rdf")
schemathesis = pytest.importorskip("schemathesis", reason="it is of the extra dev")

TOKEN = "0123456789abcdef"
OPERATIONS = [(path, method.upper()) for path, methods in document(["any"], bearer=True)["paths"].items() for method in methods]


@pytest.fixture(scope="module")
def service() -> Iterator[VCAPI]:
    with vc_api(BearerTokens([TOKEN])) as running:
        yield running


@pytest.fixture(scope="module")
def api(service: VCAPI) -> Any:
    return schemathesis.openapi.from_url(f"{service.client.base_url}/openapi.json")


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
@pytest.mark.parametrize("mode", ["POSITIVE", "NEGATIVE"])
def test_every_answer_is_as_the_document_says(api: Any, path: str, method: str, mode: str) -> None:
    operation = api[path][method]
    if mode == "NEGATIVE" and method == "GET" and not operation.path_parameters:
        pytest.skip("nothing to break")
    checks = [
        schemathesis.checks.not_a_server_error,
        schemathesis.specs.openapi.checks.status_code_conformance,
        schemathesis.specs.openapi.checks.content_type_conformance,
        schemathesis.specs.openapi.checks.response_schema_conformance,
        schemathesis.specs.openapi.checks.negative_data_rejection,
    ]

    @settings(max_examples=20, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=schemathesis.GenerationMode[mode]))
    def answered(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {TOKEN}"}, checks=checks)

    answered()
