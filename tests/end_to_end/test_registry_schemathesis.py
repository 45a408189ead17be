"""A trust registry keeps to the OpenAPI document that it serves, whatever schemathesis makes up from it: no status and no shape undocumented."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings

from did_health.services.registry_openapi import document
from tests.registry_parties import UNKNOWN, RegistryTown
from tests.serving import serving

schemathesis = pytest.importorskip("schemathesis", reason="it is of the extra dev")

PREFIX = "/registry"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RegistryTown, str]]:
    made = RegistryTown(tmp_path_factory.mktemp("registry"))
    with serving(made.app(prefix=PREFIX)) as base:
        yield made, f"{base}{PREFIX}"
    made.town.close()


# Any text may be an authority: there is nothing to break in the query of the metadata.
OPERATIONS = [
    ("/authorization", "POST", "POSITIVE"), ("/authorization", "POST", "NEGATIVE"),
    ("/recognition", "POST", "POSITIVE"), ("/recognition", "POST", "NEGATIVE"), ("/metadata", "GET", "POSITIVE"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "method", "mode"), OPERATIONS)
def test_every_answer_is_as_the_document_says(place: tuple[RegistryTown, str], path: str, method: str, mode: str) -> None:
    town, url = place
    operation = schemathesis.openapi.from_url(f"{url}/openapi.json")[f"{PREFIX}{path}"][method]
    checks = [
        schemathesis.specs.openapi.checks.status_code_conformance,
        schemathesis.specs.openapi.checks.content_type_conformance,
        schemathesis.specs.openapi.checks.response_schema_conformance,
    ]

    @settings(max_examples=40, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=schemathesis.GenerationMode[mode]))
    def answered(case: Any) -> None:
        case.call_and_validate(checks=checks)

    answered()
    questions = {
        "/authorization": [
            town.authorization(), town.authorization(entity=UNKNOWN), town.authorization(at=town.later(days=-900)), town.authorization(jurisdiction="US-SC"),
            town.authorization(profession="PA"), town.authorization(at=town.later(days=9_000)), town.authorization(authority=UNKNOWN),
        ],
        "/recognition": [town.recognition(), town.recognition(entity=UNKNOWN)],
    }  # fmt: skip
    for question in questions.get(path, ()):
        operation.Case(body=question.to_object(), media_type="application/json").call_and_validate(checks=checks)
    refused = {"body": [], "media_type": "application/json"} if method == "POST" else {"query": {"authority_id": UNKNOWN}}
    operation.Case(**refused).call_and_validate(checks=checks)


def test_the_document_is_served_to_anybody(place: tuple[RegistryTown, str]) -> None:
    response = httpx.get(f"{place[1]}/openapi.json", trust_env=False)
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.json() == document(PREFIX)
